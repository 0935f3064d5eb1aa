/* SPDX-License-Identifier: ISC
 *
 * ProxyFetch against servers on real sockets: what is up, what is down, and in which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "bed.h"

#define SERVICE                                                                                    \
	"monitors = ProxyFetch\nproxyfetch.url = http://www.example.org/check\n"                   \
	"proxyfetch.interval = .1\nproxyfetch.timeout = .5\n"

/* One check of a server that plays `part`. */
static BedWatch *check_once(
	Bed *bed, const char *lines, BedPart part, const char *text, BedServer **server)
{
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, lines);
	*server = bed_server(bed, "127.0.0.1", part, text);
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, *server);
	bed_wait(watch, 1);
	return watch;
}

static void expect(
	const char *lines, BedPart part, const char *text, PoolResult result, const char *why)
{
	Bed *bed = bed_new(100);
	BedServer *server = NULL;
	BedWatch *watch = check_once(bed, lines, part, text, &server);
	if (g_str_has_suffix(why, " ms"))
		assert_memory_equal(watch->why, why, strcspn(why, "N"));
	else
		assert_string_equal(watch->why, why);
	assert_int_equal(watch->result, result);
	bed_free(bed);
}

static void test_a_good_answer_is_up(void **state)
{
	expect(SERVICE, BED_ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		POOL_RESULT_UP, "200 in N ms");
}

static void test_another_status_is_down(void **state)
{
	expect(SERVICE, BED_ANSWERS, "HTTP/1.1 503 Service Unavailable\r\n\r\n", POOL_RESULT_DOWN,
		"503 Service Unavailable, wanted 200-202");
}

static void test_a_server_that_never_answers_is_down_in_time(void **state)
{
	expect(SERVICE, BED_SILENT, "", POOL_RESULT_DOWN,
		"timed out after 500 ms waiting for the answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_answer_is_up),
		cmocka_unit_test(test_another_status_is_down),
		cmocka_unit_test(test_a_server_that_never_answers_is_down_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
