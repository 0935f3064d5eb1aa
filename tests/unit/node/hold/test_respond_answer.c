/* SPDX-License-Identifier: ISC
 *
 * What the responder makes of a request, and what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "node/hold/respond.h"
#include "node/hold/respond_answer.h"

static const NodeProduct product = {.name = (char *)"web",
	.retry_header = (char *)"Retry-After",
	.backoff_header = (char *)"X-Weave-Backoff",
	.maintenance_header = (char *)"X-Weave-Maintenance",
	.health_path = (char *)"/health"};

static RespondAsked asked_by(const char *head)
{
	return respond_asked(head, strlen(head), "/health");
}

static void test_a_head_ends_at_its_empty_line(void **state)
{
	static const char whole[] = "GET / HTTP/1.1\r\nA: b\r\n\r\nbody";
	assert_int_equal(respond_head_end(whole, strlen(whole)), strlen(whole) - 4);
	for (gsize size_bytes = 0; size_bytes < strlen(whole) - 4; size_bytes++)
		assert_int_equal(respond_head_end(whole, size_bytes), 0);
	assert_int_equal(respond_head_end("GET /\n\nX", 8), 7);
	assert_int_equal(respond_head_end("GET /\n\r\nX", 9), 8);
	assert_int_equal(respond_head_end("\r\n\r\n", 4), 4);
	assert_int_equal(respond_head_end("\r\r\n", 3), 0);
}

static void test_who_asks_for_what(void **state)
{
	assert_int_equal(asked_by("GET / HTTP/1.1\r\nAccept: */*\r\n\r\n").form, RESPOND_PLAIN);
	assert_int_equal(asked_by("GET / HTTP/1.1\r\naccept: text/html,*/*;q=0.8\r\n\r\n").form,
		RESPOND_HTML);
	assert_int_equal(
		asked_by("GET / HTTP/1.1\r\nAccept: Application/JSON, text/html\r\n\r\n").form,
		RESPOND_JSON);
	assert_int_equal(
		asked_by("GET / HTTP/1.1\r\nAccept: application/problem+json\r\n\r\n").form,
		RESPOND_JSON);
	assert_int_equal(asked_by("POST / HTTP/1.1\r\nContent-Type: application/json\r\n\r\n").form,
		RESPOND_JSON);
	/* A browser that sends JSON still shows a page. */
	assert_int_equal(asked_by("POST / HTTP/1.1\r\nAccept: text/html\r\n"
				  "Content-Type: application/json\r\n\r\n")
				 .form,
		RESPOND_HTML);
	assert_true(asked_by("HEAD / HTTP/1.1\r\n\r\n").is_head);
	assert_false(asked_by("HEADER / HTTP/1.1\r\n\r\n").is_head);
	assert_int_equal(asked_by("").form, RESPOND_PLAIN);
}

static void test_the_health_path_is_known_in_each_form(void **state)
{
	assert_true(asked_by("GET /health HTTP/1.1\r\n\r\n").is_health);
	assert_true(asked_by("GET /health?deep=1 HTTP/1.0\r\n\r\n").is_health);
	assert_true(asked_by("GET http://web.example/health HTTP/1.1\r\n\r\n").is_health);
	assert_true(asked_by("GET /health\n\n").is_health);
	assert_false(asked_by("GET /healthy HTTP/1.1\r\n\r\n").is_health);
	assert_false(asked_by("GET / HTTP/1.1\r\nX: /health\r\n\r\n").is_health);
	assert_false(asked_by("GET http://health HTTP/1.1\r\n\r\n").is_health);
}

static void test_the_number_is_the_rest_and_up_to_a_fifth_more(void **state)
{
	RespondWindow window = {.in_maintenance = TRUE, .until_us = 1000 * US_PER_SECOND};
	assert_int_equal(respond_away_s(&window, 0, 0), 1000);
	assert_int_equal(respond_away_s(&window, 0, 200), 1200);
	assert_int_equal(respond_away_s(&window, 0, 201), 1000); /* the lot goes round */
	assert_int_equal(respond_away_s(&window, 995 * US_PER_SECOND, 0), 5);
	assert_int_equal(respond_away_s(&window, 995 * US_PER_SECOND, 1), 6);
	/* Half a second left is one. */
	assert_int_equal(respond_away_s(&window, 1000 * US_PER_SECOND - 500000, 7), 1);
	/* Overdue, without an end, and not in maintenance. */
	assert_int_equal(respond_away_s(&window, 1001 * US_PER_SECOND, 0), RESPOND_AWAY_S);
	window.until_us = 0;
	assert_int_equal(respond_away_s(&window, 0, 0), RESPOND_AWAY_S);
	assert_int_equal(respond_away_s(&(RespondWindow){0}, 0, 6), RESPOND_AWAY_S + 6);
	window.until_us = G_MAXINT64;
	assert_int_equal(respond_away_s(&window, 0, 0), RESPOND_MAXIMUM_AWAY_S);
}

static void test_lots_of_one_address_spread_evenly(void **state)
{
	guint tenths[10] = {0};
	for (guint64 number = 0; number < 10000; number++)
		tenths[respond_lot("192.0.2.7", 9, number) % 10]++;
	for (gsize i = 0; i < G_N_ELEMENTS(tenths); i++)
		assert_in_range(tenths[i], 900, 1100);
	assert_int_not_equal(respond_lot("a", 1, 0), respond_lot("b", 1, 0));
	assert_int_equal(respond_lot("a", 1, 0), respond_lot("a", 1, 0));
}

static void test_an_answer_is_this(void **state)
{
	RespondWindow window = {.in_maintenance = TRUE, .reason = "new disks"};
	RespondAsked asked = {.is_health = TRUE, .form = RESPOND_JSON};
	GString *answer = respond_answer(&product, &window, &asked, 77);
	assert_string_equal(answer->str,
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 77\r\nX-Weave-Backoff: 77\r\n"
		"X-Weave-Maintenance: 1\r\nX-Drover-Maintenance: 1\r\nCache-Control: no-store\r\n"
		"Connection: close\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\n"
		"Content-Type: application/json\r\nContent-Length: 146\r\n\r\n"
		"{\"error\":{\"code\":\"maintenance\",\"message\":\"this service is in "
		"maintenance; "
		"try again later\"},\"retry_after_s\":77,\"reason\":\"new "
		"disks\",\"until\":null}\n");
	g_string_free(answer, TRUE);
}

/* A crash is no maintenance: no balancer may take it for one. */
static void test_an_answer_for_a_service_that_is_away_says_no_maintenance(void **state)
{
	RespondWindow window = {.reason = "not for strangers"};
	for (RespondForm form = RESPOND_PLAIN; form <= RESPOND_HTML; form++) {
		RespondAsked asked = {.is_health = TRUE, .form = form};
		GString *answer = respond_answer(&product, &window, &asked, 30);
		assert_true(g_str_has_prefix(answer->str, "HTTP/1.1 503 "));
		assert_null(strstr(answer->str, "-Maintenance"));
		assert_null(strstr(answer->str, "not for strangers"));
		g_string_free(answer, TRUE);
	}
}

static void test_a_head_request_gets_the_head_of_the_answer(void **state)
{
	RespondAsked asked = {.is_head = TRUE};
	GString *answer = respond_answer(&product, &(RespondWindow){0}, &asked, 30);
	assert_true(g_str_has_suffix(answer->str, "Content-Length: 56\r\n\r\n"));
	g_string_free(answer, TRUE);
}

static void test_a_reason_is_escaped_for_browsers(void **state)
{
	RespondWindow window = {.in_maintenance = TRUE, .reason = "<script>&"};
	RespondAsked asked = {.form = RESPOND_HTML};
	GString *answer = respond_answer(&product, &window, &asked, 30);
	assert_null(strstr(answer->str, "<script>"));
	assert_non_null(strstr(answer->str, "&lt;script&gt;&amp;"));
	g_string_free(answer, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_head_ends_at_its_empty_line),
		cmocka_unit_test(test_who_asks_for_what),
		cmocka_unit_test(test_the_health_path_is_known_in_each_form),
		cmocka_unit_test(test_the_number_is_the_rest_and_up_to_a_fifth_more),
		cmocka_unit_test(test_lots_of_one_address_spread_evenly),
		cmocka_unit_test(test_an_answer_is_this),
		cmocka_unit_test(test_an_answer_for_a_service_that_is_away_says_no_maintenance),
		cmocka_unit_test(test_a_head_request_gets_the_head_of_the_answer),
		cmocka_unit_test(test_a_reason_is_escaped_for_browsers),
	};
	return cmocka_run_group_tests_name("hold respond answer", tests, NULL, NULL);
}
