/* SPDX-License-Identifier: ISC
 *
 * ProxyFetch over TLS: whom it trusts, and what it says when it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "bed.h"
#include "tls_server.h"

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define URL(host)                                                                                  \
	"monitors = ProxyFetch\nproxyfetch.url = https://" host "/check\n"                         \
	"proxyfetch.interval = .1\nproxyfetch.timeout = 5\n"
#define NAMED URL("www.example.org")

typedef struct Case {
	const char *lines;
	int days, newest_version;
	PoolResult result;
	const char *why;
	const char *asked;
} Case;

static void expect(const Case *wanted)
{
	g_autofree char *folder = g_dir_make_tmp("drover-https-XXXXXX", NULL);
	g_autofree char *authority = g_build_filename(folder, "authority.pem", NULL);
	g_autoptr(Config) config = NULL;
	Bed *bed = bed_new(10);
	TlsServer *server = tls_server_new(
		authority, "www.example.org", wanted->days, wanted->newest_version, GOOD);
	g_setenv("SSL_CERT_FILE", authority, TRUE);
	ConfigService *service = bed_service(&config, wanted->lines);
	Address address;
	assert_true(address_parse("127.0.0.1", &address));
	BedWatch *watch =
		bed_watch(bed, service, CONFIG_PROXYFETCH, &address, tls_server_port(server));
	bed_wait(watch, 2);
	g_autofree char *asked = tls_server_asked_name(server);
	assert_int_equal(watch->result, wanted->result);
	if (wanted->why != NULL)
		assert_string_equal(watch->why, wanted->why);
	if (wanted->asked != NULL)
		assert_string_equal(asked, wanted->asked);
	bed_leave(watch);
	tls_server_free(server);
	bed_free(bed);
	g_unlink(authority);
	g_rmdir(folder);
}

static void test_a_server_with_the_right_certificate_is_up(void **state)
{
	expect(&(Case){NAMED, 10, TLS1_3_VERSION, POOL_RESULT_UP, NULL, "www.example.org"});
	expect(&(Case){NAMED, 10, TLS1_2_VERSION, POOL_RESULT_UP, NULL, "www.example.org"});
}

static void test_an_address_is_looked_for_in_the_certificate_and_not_sent(void **state)
{
	expect(&(Case){URL("127.0.0.1"), 10, TLS1_3_VERSION, POOL_RESULT_UP, NULL, ""});
	expect(&(Case){URL("127.0.0.2"), 10, TLS1_3_VERSION, POOL_RESULT_DOWN,
		"TLS: the certificate is not valid: IP address mismatch", NULL});
}

static void test_a_certificate_for_another_name_is_down(void **state)
{
	expect(&(Case){URL("other.example.org"), 10, TLS1_3_VERSION, POOL_RESULT_DOWN,
		"TLS: the certificate is not valid: hostname mismatch", NULL});
}

static void test_an_expired_certificate_is_down(void **state)
{
	expect(&(Case){NAMED, -1, TLS1_3_VERSION, POOL_RESULT_DOWN,
		"TLS: the certificate is not valid: certificate has expired", NULL});
}

static void test_without_verify_any_certificate_will_do(void **state)
{
	expect(&(Case){URL("other.example.org") "proxyfetch.verify = no\n", -1, TLS1_3_VERSION,
		POOL_RESULT_UP, NULL, "other.example.org"});
}

static void test_a_server_of_tls_1_1_is_down(void **state)
{
	expect(&(Case){NAMED "proxyfetch.verify = no\n", 10, TLS1_1_VERSION, POOL_RESULT_DOWN,
		"TLS: tlsv1 alert protocol version", NULL});
}

static void expect_in_the_clear(BedPart part, const char *text, const char *why)
{
	g_autoptr(Config) config = NULL;
	Bed *bed = bed_new(10);
	ConfigService *service = bed_service(&config,
		"monitors = ProxyFetch\nproxyfetch.url = https://www.example.org/\n"
		"proxyfetch.interval = .1\nproxyfetch.timeout = .5\n");
	BedServer *server = bed_server(bed, "127.0.0.1", part, text);
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_wait(watch, 1);
	assert_int_equal(watch->result, POOL_RESULT_DOWN);
	assert_string_equal(watch->why, why);
	bed_free(bed);
}

static void test_a_server_that_speaks_no_tls_is_down(void **state)
{
	expect_in_the_clear(BED_SPEAKS_FIRST, GOOD, "TLS: wrong version number");
	expect_in_the_clear(BED_SILENT, "", "timed out after 500 ms in the TLS handshake");
	expect_in_the_clear(BED_RESETS, "", "connection reset by the server");
}

static void test_a_refused_connection_is_no_matter_of_tls(void **state)
{
	g_autoptr(Config) config = NULL;
	Bed *bed = bed_new(10);
	ConfigService *service = bed_service(&config, NAMED);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_SILENT, "");
	bed_server_stop(server);
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_wait(watch, 1);
	assert_string_equal(watch->why, "connection refused");
	bed_free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_with_the_right_certificate_is_up),
		cmocka_unit_test(test_an_address_is_looked_for_in_the_certificate_and_not_sent),
		cmocka_unit_test(test_a_certificate_for_another_name_is_down),
		cmocka_unit_test(test_an_expired_certificate_is_down),
		cmocka_unit_test(test_without_verify_any_certificate_will_do),
		cmocka_unit_test(test_a_server_of_tls_1_1_is_down),
		cmocka_unit_test(test_a_server_that_speaks_no_tls_is_down),
		cmocka_unit_test(test_a_refused_connection_is_no_matter_of_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
