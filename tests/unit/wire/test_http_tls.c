/* SPDX-License-Identifier: ISC
 *
 * The HTTP server over TLS, with certificates made by the openssl command; skipped without it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "wire/http_client.h"
#include "wire/http_server.h"

typedef struct Fixture {
	char *folder;
	char *certificate;
	char *key;
	char *other_certificate;
	char *other_key;
	gboolean made;
} Fixture;

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	return http_answer_new(
		200, "text/plain", http_request_is_secure(request) ? "secure" : "plain", -1);
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	fixture->folder = g_dir_make_tmp("drover-tls-XXXXXX", NULL);
	fixture->certificate = g_build_filename(fixture->folder, "cert.pem", NULL);
	fixture->key = g_build_filename(fixture->folder, "key.pem", NULL);
	fixture->other_certificate = g_build_filename(fixture->folder, "other-cert.pem", NULL);
	fixture->other_key = g_build_filename(fixture->folder, "other-key.pem", NULL);
	fixture->made = peer_make_certificate(fixture->certificate, fixture->key) &&
			peer_make_certificate(fixture->other_certificate, fixture->other_key);
	if (!fixture->made)
		print_message("no certificates: is the openssl command installed?\n");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	char *files[] = {
		fixture->certificate, fixture->key, fixture->other_certificate, fixture->other_key};
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_unlink(files[i]);
		g_free(files[i]);
	}
	g_rmdir(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

static HttpServerOptions options_for(const Fixture *fixture)
{
	return (HttpServerOptions){.address = "127.0.0.1",
		.certificate_file = fixture->certificate,
		.key_file = fixture->key,
		.workers = 1,
		.deadline_ms = 300,
		.idle_ms = 300,
		.handler = serve};
}

static void test_request_travels_by_tls(void **state)
{
	Fixture *fixture = *state;
	if (!fixture->made)
		skip();
	HttpServerOptions options = options_for(fixture);
	options.deadline_ms = options.idle_ms = 20000;
	HttpServer *server = http_server_start(&options, NULL);
	assert_non_null(server);
	g_autofree char *url = g_strdup_printf("https://127.0.0.1:%u/", http_server_port(server));
	HttpCall call = {.method = "GET", .url = url, .ca_file = fixture->certificate};
	g_auto(HttpResult) result = {0};
	assert_true(http_client_call(&call, &result, NULL));
	assert_string_equal(result.body, "secure");

	call.ca_file = fixture->other_certificate; /* a server that is not the one we know */
	g_auto(HttpResult) nothing = {0};
	g_autoptr(GError) error = NULL;
	assert_false(http_client_call(&call, &nothing, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	assert_non_null(strstr(error->message, "certificate"));
	http_server_stop(server, 0);
}

static void test_silent_handshake_is_cut(void **state)
{
	Fixture *fixture = *state;
	if (!fixture->made)
		skip();
	HttpServerOptions options = options_for(fixture);
	HttpServer *server = http_server_start(&options, NULL);
	int silent = peer_connect(http_server_port(server));
	int begun = peer_connect(http_server_port(server));
	peer_send_bytes(
		begun, "\x16\x03\x01\x02\x00\x01", 6); /* the first bytes of a ClientHello */
	assert_true(peer_is_closed(silent));
	assert_true(peer_is_closed(begun));
	close(silent);
	close(begun);
	http_server_stop(server, 0);
}

static void assert_refused(const HttpServerOptions *options, const char *words)
{
	g_autoptr(GError) error = NULL;
	assert_null(http_server_start(options, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (!strstr(error->message, words))
		fail_msg("\"%s\" does not hold \"%s\"", error->message, words);
}

static void test_unusable_files_are_named(void **state)
{
	Fixture *fixture = *state;
	if (!fixture->made)
		skip();
	HttpServerOptions options = options_for(fixture);
	options.key_file = NULL;
	assert_refused(
		&options, "TLS needs a certificate and a key file: only the certificate is given");
	options.key_file = "/nonexistent/key.pem";
	assert_refused(&options, "TLS key: ");
	assert_refused(&options, "/nonexistent/key.pem");
	options.key_file = fixture->other_key;
	assert_refused(&options, "do not belong together");
	assert_refused(&options, fixture->other_key);
	options.certificate_file = fixture->key;
	assert_refused(&options, "they cannot be used");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_travels_by_tls),
		cmocka_unit_test(test_silent_handshake_is_cut),
		cmocka_unit_test(test_unusable_files_are_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
