/* SPDX-License-Identifier: ISC
 *
 * The examples of cases/pool.json of kind monitor-http: each response is served by a server of the
 * bed, and what the check says of it compared with what the example says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "bed.h"

#define REDIRECT "302 with Location to a 200"

static json_t *document;

static gboolean contains(const json_t *list, const json_t *value)
{
	size_t i;
	json_t *one;
	json_array_foreach (list, i, one)
		if (json_equal(one, value))
			return TRUE;
	return FALSE;
}

static char *answer_of(const json_t *response)
{
	if (json_is_integer(response))
		return g_strdup_printf("HTTP/1.1 %d Words\r\nContent-Length: 0\r\n\r\n",
			(int)json_integer_value(response));
	assert_string_equal(json_string_value(response), REDIRECT);
	return g_strdup("HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n");
}

static PoolResult result_of(Bed *bed, const ConfigService *service, const char *answer)
{
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, answer);
	bed_server_at_path(server, "/good", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_wait(watch, 1);
	bed_leave(watch);
	return watch->result;
}

static char *lines_of(const json_t *given)
{
	g_autoptr(GString) lines =
		g_string_new("monitors = ProxyFetch\nproxyfetch.interval = .1\n");
	const json_t *statuses = json_object_get(given, "http_status");
	if (statuses != NULL && !json_is_null(statuses)) {
		g_autofree char *text = json_dumps(statuses, JSON_ENCODE_ANY);
		g_string_append_printf(lines, "proxyfetch.http_status = %s\n", text);
	}
	if (json_is_true(json_object_get(given, "check_all")))
		g_string_append_printf(lines,
			"proxyfetch.check_all = yes\nproxyfetch.max_failures = %d\n",
			(int)json_integer_value(json_object_get(given, "max_failures")));
	return g_string_free(g_steal_pointer(&lines), FALSE);
}

static void play_responses(const json_t *given, const json_t *expect)
{
	Bed *bed = bed_new(100);
	g_autoptr(Config) config = NULL;
	g_autofree char *begin = lines_of(given);
	g_autofree char *lines =
		g_strconcat(begin, "proxyfetch.url = http://a.example/check\n", NULL);
	ConfigService *service = bed_service(&config, lines);
	size_t i;
	json_t *response;
	json_array_foreach (json_object_get(given, "responses"), i, response) {
		g_autofree char *answer = answer_of(response);
		gboolean up = contains(json_object_get(expect, "up"), response);
		assert_true(up != contains(json_object_get(expect, "down"), response));
		assert_int_equal(
			result_of(bed, service, answer), up ? POOL_RESULT_UP : POOL_RESULT_DOWN);
	}
	bed_free(bed);
}

static PoolResult play_round(const json_t *given, const json_t *round)
{
	Bed *bed = bed_new(100);
	g_autoptr(Config) config = NULL;
	g_autofree char *begin = lines_of(given);
	g_autoptr(GString) lines = g_string_new(begin);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, "HTTP/1.1 404 No\r\n\r\n");
	size_t i;
	json_t *outcome;
	json_array_foreach (round, i, outcome) {
		gboolean ok = strcmp(json_string_value(outcome), "ok") == 0;
		g_autofree char *path = g_strdup_printf("/%zu", i);
		g_string_append_printf(lines, "%s'http://a.example%s'",
			i == 0 ? "proxyfetch.url = [ " : ", ", path);
		bed_server_at_path(
			server, path, ok ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 500 Oops\r\n\r\n");
	}
	g_string_append(lines, " ]\n");
	ConfigService *service = bed_service(&config, lines->str);
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_wait(watch, 1);
	PoolResult result = watch->result;
	bed_free(bed);
	return result;
}

static void test_examples_come_out_as_they_say(void **state)
{
	size_t i, round;
	json_t *example, *outcomes;
	guint played = 0;
	json_array_foreach (json_object_get(document, "cases"), i, example) {
		const char *kind = json_string_value(json_object_get(example, "kind"));
		if (strcmp(kind, "monitor-http") != 0)
			continue;
		const json_t *given = json_object_get(example, "given");
		const json_t *expect = json_object_get(example, "expect");
		print_message("%s\n", json_string_value(json_object_get(example, "id")));
		played++;
		if (json_object_get(given, "responses") != NULL)
			play_responses(given, expect);
		json_array_foreach (json_object_get(given, "url_results"), round, outcomes) {
			const char *wanted = json_string_value(
				json_array_get(json_object_get(expect, "per_round"), round));
			assert_int_equal(play_round(given, outcomes),
				strcmp(wanted, "up") == 0 ? POOL_RESULT_UP : POOL_RESULT_DOWN);
		}
	}
	assert_true(played >= 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples_come_out_as_they_say)};
	g_assert(argc == 2);
	document = json_load_file(argv[1], JSON_REJECT_DUPLICATES, NULL);
	g_assert(document != NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(document);
	return failed;
}
