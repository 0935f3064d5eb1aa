/* SPDX-License-Identifier: ISC
 *
 * gRPC against a server by nghttp2 that is well, is not, and misbehaves, in the clear and by TLS;
 * and against servers that are none.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "balance/monitor/grpc_health.h"
#include "grpc_server.h"

#define QUICK "monitors = [ 'gRPC' ]\ngrpc.interval = .1\ngrpc.timeout = .3\n"
#define LAZY  "monitors = [ 'gRPC' ]\ngrpc.interval = .1\ngrpc.timeout = 20\n"

/* What is watched for with these lines, against a server with this script. */
static void check(const GrpcScript *script, const char *lines, PoolResult result, const char *why,
	char **heard)
{
	Config *config;
	Address address;
	Bed *bed = bed_new(10);
	GrpcServer *server = grpc_server_new(script);
	assert_true(address_parse("127.0.0.1", &address));
	BedWatch *watch = bed_watch(
		bed, bed_service(&config, lines), CONFIG_GRPC, &address, grpc_server_port(server));
	bed_wait(watch, 1);
	assert_string_equal(watch->why, why);
	assert_int_equal(watch->result, result);
	bed_leave(watch);
	if (heard != NULL) {
		g_autofree char *prefix = g_strdup_printf(":%u", grpc_server_port(server));
		char *all = grpc_server_heard(server);
		char *port = strstr(all, prefix);
		assert_non_null(port);
		memmove(port, port + strlen(prefix), strlen(port + strlen(prefix)) + 1);
		*heard = all;
	}
	grpc_server_free(server);
	bed_free(bed);
	config_free(config);
}

static void test_a_server_that_serves_is_up(void **state)
{
	g_autofree char *heard = NULL;
	check(&(GrpcScript){.status = 1}, LAZY "grpc.service = shop.Basket\n", POOL_RESULT_UP,
		"SERVING", &heard);
	assert_string_equal(heard, "/grpc.health.v1.Health/Check server.example.org shop.Basket");
}

static void test_without_a_service_the_whole_server_is_meant(void **state)
{
	g_autofree char *heard = NULL;
	check(&(GrpcScript){.status = 1}, LAZY, POOL_RESULT_UP, "SERVING", &heard);
	assert_string_equal(heard, "/grpc.health.v1.Health/Check server.example.org ");
}

static void test_a_long_service_is_asked_for_whole(void **state)
{
	g_autofree char *heard = NULL;
	g_autofree char *name = g_strnfill(GRPC_MAXIMUM_SERVICE_BYTES, 's');
	g_autofree char *lines = g_strdup_printf(LAZY "grpc.service = %s\n", name);
	check(&(GrpcScript){.status = 1}, lines, POOL_RESULT_UP, "SERVING", &heard);
	/* Its length takes two bytes: the server, which skips one, hears the second. */
	assert_int_equal(strlen(strrchr(heard, ' ') + 1), 1 + GRPC_MAXIMUM_SERVICE_BYTES);
}

static void test_another_status_is_down(void **state)
{
	static const char *const words[] = {
		"UNKNOWN", NULL, "NOT_SERVING", "SERVICE_UNKNOWN", "status 4"};
	for (guint status = 0; status < G_N_ELEMENTS(words); status++)
		if (words[status] != NULL)
			check(&(GrpcScript){.status = status}, LAZY, POOL_RESULT_DOWN,
				words[status], NULL);
}

static void test_a_call_that_failed_is_down(void **state)
{
	check(&(GrpcScript){.status = 1, .grpc_status = "12"}, LAZY, POOL_RESULT_DOWN,
		"UNIMPLEMENTED: it has no health service", NULL);
	check(&(GrpcScript){.status = 1, .grpc_status = "5"}, LAZY, POOL_RESULT_DOWN,
		"NOT_FOUND: it knows no health of such a service", NULL);
	check(&(GrpcScript){.status = 1, .grpc_status = "14"}, LAZY, POOL_RESULT_DOWN,
		"grpc-status 14: as it is", NULL);
	check(&(GrpcScript){.status = 1, .grpc_status = "zero"}, LAZY, POOL_RESULT_DOWN,
		"grpc-status -2: as it is", NULL);
}

static void test_another_http_status_is_down(void **state)
{
	check(&(GrpcScript){.status = 1, .http_status = "503"}, LAZY, POOL_RESULT_DOWN,
		"HTTP status 503, wanted 200", NULL);
}

static void test_what_is_no_grpc_is_down(void **state)
{
	check(&(GrpcScript){.status = 1, .content_type = "text/html"}, LAZY, POOL_RESULT_DOWN,
		"answered, but not with gRPC", NULL);
}

static void test_an_answer_without_an_end_is_down(void **state)
{
	check(&(GrpcScript){.part = GRPC_NO_TRAILER, .status = 1}, LAZY, POOL_RESULT_DOWN,
		"the answer broke off: no grpc-status", NULL);
}

static void test_a_call_that_is_cut_is_down(void **state)
{
	check(&(GrpcScript){.part = GRPC_CUTS}, LAZY, POOL_RESULT_DOWN,
		"the call was cut: INTERNAL_ERROR", NULL);
}

static void test_silence_is_down(void **state)
{
	check(&(GrpcScript){.part = GRPC_SILENT}, QUICK, POOL_RESULT_DOWN,
		"timed out after 300 ms before its answer was whole", NULL);
}

static void test_unknown_fields_are_skipped_and_a_long_answer_is_not_read(void **state)
{
	check(&(GrpcScript){.status = 1, .padding = 200}, LAZY, POOL_RESULT_UP, "SERVING", NULL);
	check(&(GrpcScript){.status = 1, .padding = GRPC_MAXIMUM_MESSAGE_BYTES}, LAZY,
		POOL_RESULT_DOWN, "its answer about health cannot be read", NULL);
}

static void test_by_tls_it_is_the_same(void **state)
{
	check(&(GrpcScript){.status = 1, .tls = TRUE}, LAZY "grpc.tls = yes\n", POOL_RESULT_UP,
		"SERVING", NULL);
	check(&(GrpcScript){.status = 2, .tls = TRUE}, LAZY "grpc.tls = yes\n", POOL_RESULT_DOWN,
		"NOT_SERVING", NULL);
}

static void test_tls_without_http2_is_down(void **state)
{
	check(&(GrpcScript){.status = 1, .tls = TRUE, .without_alpn = TRUE},
		LAZY "grpc.tls = yes\n", POOL_RESULT_DOWN,
		"TLS without HTTP/2: the server does not choose h2", NULL);
}

/* Servers that know nothing of gRPC */

static void check_other(BedPart part, const char *text, const char *lines, const char *why)
{
	Config *config;
	Bed *bed = bed_new(10);
	BedServer *server = bed_server(bed, "127.0.0.1", part, text);
	BedWatch *watch = bed_watch_server(bed, bed_service(&config, lines), CONFIG_GRPC, server);
	bed_wait(watch, 1);
	assert_string_equal(watch->why, why);
	assert_int_equal(watch->result, POOL_RESULT_DOWN);
	bed_free(bed);
	config_free(config);
}

static void test_a_server_of_http_1_is_down(void **state)
{
	check_other(BED_SPEAKS_FIRST, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", LAZY,
		"speaks no HTTP/2, or breaks its rules");
}

static void test_a_server_that_resets_is_down(void **state)
{
	check_other(BED_RESETS, "", LAZY, "connection reset by the server");
}

static void test_a_server_that_says_nothing_is_down(void **state)
{
	check_other(BED_SILENT, "", QUICK, "timed out after 300 ms without an answer");
	check_other(BED_SILENT, "", QUICK "grpc.tls = yes\n",
		"timed out after 300 ms while connecting");
}

static void test_a_closed_port_is_down(void **state)
{
	Config *config;
	Address nobody;
	Bed *bed = bed_new(10);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_SILENT, "");
	assert_true(address_parse("127.0.0.2", &nobody));
	BedWatch *watch =
		bed_watch(bed, bed_service(&config, LAZY), CONFIG_GRPC, &nobody, server->port);
	bed_wait(watch, 1);
	assert_string_equal(watch->why, "connection refused");
	bed_free(bed);
	config_free(config);
}

/* The call alone */

static void test_a_server_that_closes_is_down(void **state)
{
	const char *why;
	const guint8 settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
	g_autoptr(GrpcHealth) at_once = grpc_health_new("a:1", "", FALSE);
	grpc_health_close(at_once);
	assert_int_equal(grpc_health_state(at_once, &why), GRPC_NOT_SERVING);
	assert_string_equal(why, "closed by the server without an answer");
	g_autoptr(GrpcHealth) later = grpc_health_new("a:1", "", FALSE);
	grpc_health_feed(later, settings, sizeof settings);
	grpc_health_close(later);
	assert_int_equal(grpc_health_state(later, &why), GRPC_NOT_SERVING);
	assert_string_equal(why, "closed by the server before its answer was whole");
}

static void test_a_server_that_sends_without_end_is_down(void **state)
{
	const char *why;
	g_autoptr(GrpcHealth) call = grpc_health_new("a:1", "", FALSE);
	const guint8 settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
	const guint8 ping[] = {0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	grpc_health_feed(call, settings, sizeof settings);
	for (gsize fed = sizeof settings; fed + sizeof ping <= GRPC_MAXIMUM_BYTES;
		fed += sizeof ping) {
		const guint8 *bytes;
		while (grpc_health_next(call, &bytes) > 0)
			;
		assert_int_equal(grpc_health_state(call, &why), GRPC_UNDER_WAY);
		grpc_health_feed(call, ping, sizeof ping);
	}
	grpc_health_feed(call, ping, sizeof ping);
	assert_int_equal(grpc_health_state(call, &why), GRPC_NOT_SERVING);
	assert_string_equal(why, "sent over 64 KiB for one answer");
}

static void test_a_service_that_is_too_long_is_an_error(void **state)
{
	g_autofree char *name = g_strnfill(GRPC_MAXIMUM_SERVICE_BYTES + 1, 's');
	g_autofree char *lines = g_strdup_printf(LAZY "grpc.service = %s\n", name);
	g_autoptr(GError) error = NULL;
	Config *config;
	ConfigService *service = bed_service(&config, lines);
	assert_false(checks_validate(service, CONFIG_GRPC, &error));
	assert_string_equal(error->message, "grpc.service: must be at most 255 bytes of UTF-8");
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_that_serves_is_up),
		cmocka_unit_test(test_without_a_service_the_whole_server_is_meant),
		cmocka_unit_test(test_a_long_service_is_asked_for_whole),
		cmocka_unit_test(test_another_status_is_down),
		cmocka_unit_test(test_a_call_that_failed_is_down),
		cmocka_unit_test(test_another_http_status_is_down),
		cmocka_unit_test(test_what_is_no_grpc_is_down),
		cmocka_unit_test(test_an_answer_without_an_end_is_down),
		cmocka_unit_test(test_a_call_that_is_cut_is_down),
		cmocka_unit_test(test_silence_is_down),
		cmocka_unit_test(test_unknown_fields_are_skipped_and_a_long_answer_is_not_read),
		cmocka_unit_test(test_by_tls_it_is_the_same),
		cmocka_unit_test(test_tls_without_http2_is_down),
		cmocka_unit_test(test_a_server_of_http_1_is_down),
		cmocka_unit_test(test_a_server_that_resets_is_down),
		cmocka_unit_test(test_a_server_that_says_nothing_is_down),
		cmocka_unit_test(test_a_closed_port_is_down),
		cmocka_unit_test(test_a_server_that_closes_is_down),
		cmocka_unit_test(test_a_server_that_sends_without_end_is_down),
		cmocka_unit_test(test_a_service_that_is_too_long_is_an_error),
	};
	return cmocka_run_group_tests_name("monitor grpc", tests, NULL, NULL);
}
