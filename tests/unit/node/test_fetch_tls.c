/* SPDX-License-Identifier: ISC
 *
 * Sources behind TLS, with certificates made by the openssl command; skipped without it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../wire/peer.h"
#include "base/file.h"
#include "node/fetch.h"
#include "wire/http_server.h"

typedef struct Bed {
	char *folder, *certificate, *key, *other_certificate, *other_key;
	gboolean made;
} Bed;

static int bed_setup(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->folder = g_dir_make_tmp("drover-fetch-XXXXXX", NULL);
	bed->certificate = g_build_filename(bed->folder, "cert.pem", NULL);
	bed->key = g_build_filename(bed->folder, "key.pem", NULL);
	bed->other_certificate = g_build_filename(bed->folder, "other-cert.pem", NULL);
	bed->other_key = g_build_filename(bed->folder, "other-key.pem", NULL);
	bed->made = peer_make_certificate(bed->certificate, bed->key) &&
		    peer_make_certificate(bed->other_certificate, bed->other_key);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	Bed *bed = *state;
	gboolean removed = file_remove(bed->folder, NULL);
	g_free(bed->folder);
	g_free(bed->certificate);
	g_free(bed->key);
	g_free(bed->other_certificate);
	g_free(bed->other_key);
	g_free(bed);
	return removed ? 0 : -1;
}

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	return http_answer_new(200, "text/plain", "index", -1);
}

static void assert_not_believed(FetchFrom *from, const char *ca_file)
{
	g_autoptr(GError) error = NULL;
	from->ca_file = ca_file;
	assert_null(fetch_text(from, 0, "index", 100, NULL, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	assert_non_null(strstr(error->message, "certificate"));
}

static void test_only_the_authority_that_is_named_is_believed(void **state)
{
	Bed *bed = *state;
	if (!bed->made)
		skip();
	HttpServerOptions options = {.address = "127.0.0.1",
		.certificate_file = bed->certificate,
		.key_file = bed->key,
		.workers = 1,
		.deadline_ms = 20000,
		.idle_ms = 20000,
		.handler = serve};
	HttpServer *server = http_server_start(&options, NULL);
	assert_non_null(server);
	g_autofree char *source = g_strdup_printf("https://127.0.0.1:%u", http_server_port(server));
	char *sources[] = {source, NULL};
	FetchFrom from = {.sources = sources, .product = "web", .ca_file = bed->certificate};
	g_autofree char *text = fetch_text(&from, 0, "index", 100, NULL, NULL);
	assert_string_equal(text, "index");
	assert_not_believed(&from, bed->other_certificate);
	assert_not_believed(&from, NULL);
	http_server_stop(server, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_only_the_authority_that_is_named_is_believed, bed_setup, bed_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
