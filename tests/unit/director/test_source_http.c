/* SPDX-License-Identifier: ISC
 *
 * Lists from a web server: told once each, kept through whatever the server does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <string.h>

#include "balance/director/pause.h"
#include "balance/director/source.h"
#include "web.h"

static const SourcePace hurry = {.fetch_interval_ms = 20, .fetch_timeout_ms = 200};

#define ONE "{'host': 'a', 'weight': 10, 'enabled': True}\n"
#define TWO ONE "{'host': 'b', 'weight': 10, 'enabled': True}\n"

typedef struct Bed {
	struct event_base *base;
	Web *web;
	Source *source;
	const char *body, *header; /* what the server answers */
	int status;		   /* 0: nothing at all */
	guint asked, told;
	char *request, *problem, *names; /* of the last news */
} Bed;

static void answer(WebVisitor *visitor, const char *request, gpointer of)
{
	Bed *bed = of;
	g_free(bed->request);
	bed->request = g_strdup(request);
	bed->asked++;
	if (bed->header != NULL && strstr(request, "If-None-Match: \"1\"") != NULL)
		web_say(visitor, "HTTP/1.1 304 So\r\nETag: \"1\"\r\n\r\n");
	else if (bed->status != 0)
		web_answer(visitor, bed->status, bed->header, bed->body);
}

static void on_news(const SourceNews *news, gpointer of)
{
	Bed *bed = of;
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; news->list != NULL && i < news->list->entries->len; i++)
		g_string_append_printf(
			names, "%s ", g_array_index(news->list->entries, PoolEntry, i).name);
	for (guint i = 0; news->list != NULL && i < news->list->errors->len; i++)
		g_string_append(names, news->list->errors->pdata[i]);
	assert_null(news->orders);
	assert_false(news->forced);
	g_free(bed->names);
	g_free(bed->problem);
	bed->names = news->list != NULL ? g_strdup(names->str) : NULL;
	bed->problem = g_strdup(news->problem);
	bed->told++;
}

static int set_up(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->base = event_base_new();
	bed->web = web_new(bed->base, 0, answer, bed);
	bed->status = 200;
	bed->body = ONE;
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	source_free(bed->source);
	web_free(bed->web);
	event_base_free(bed->base);
	g_free(bed->request);
	g_free(bed->problem);
	g_free(bed->names);
	g_free(bed);
	return 0;
}

static void begin(Bed *bed, const char *path)
{
	const SourcePlace place = {.base = bed->base, .version = "1", .pace = &hurry};
	g_autofree char *url = web_url(bed->web, path);
	bed->source = source_new(&place, url, on_news, bed, NULL);
	assert_non_null(bed->source);
	assert_int_equal(bed->told, 0);
	web_run(bed->base, &bed->told, 1);
}

/* The next news that differs. */
static void next(Bed *bed)
{
	web_run(bed->base, &bed->told, bed->told + 1);
}

/* The server is asked two times more, and nothing is told. */
static void assert_quiet(Bed *bed)
{
	guint told = bed->told;
	web_run(bed->base, &bed->asked, bed->asked + 3);
	assert_int_equal(bed->told, told);
}

static void assert_problem(Bed *bed, const char *words)
{
	g_autofree char *expected =
		g_strdup_printf("GET http://127.0.0.1:%u/%s", web_port(bed->web), words);
	assert_non_null(bed->problem);
	assert_string_equal(bed->problem, expected);
	assert_null(bed->names);
}

static void test_list_is_told_once_and_again_when_it_changes(void **state)
{
	Bed *bed = *state;
	begin(bed, "/list");
	assert_string_equal(bed->names, "a ");
	assert_null(bed->problem);
	assert_quiet(bed);
	bed->body = TWO;
	next(bed);
	assert_string_equal(bed->names, "a b ");
	assert_quiet(bed);
}

static void test_path_or_content_type_says_the_format(void **state)
{
	Bed *bed = *state;
	bed->body = "{\"j\": {}}";
	begin(bed, "/list.json?site=a");
	assert_string_equal(bed->names, "j ");
	g_clear_pointer(&bed->source, source_free);
	bed->header = "Content-Type: Application/JSON; charset=utf-8\r\n";
	bed->told = 0;
	begin(bed, "/list");
	assert_string_equal(bed->names, "j ");
}

static void test_tag_saves_the_body(void **state)
{
	Bed *bed = *state;
	bed->header = "ETag: \"1\"\r\n";
	begin(bed, "/list");
	assert_null(strstr(bed->request, "If-None-Match"));
	assert_quiet(bed);
	assert_non_null(strstr(bed->request, "\r\nIf-None-Match: \"1\"\r\n"));
}

static void test_problem_is_told_once_and_the_list_again_after_it(void **state)
{
	Bed *bed = *state;
	bed->header = "ETag: \"1\"\r\n";
	begin(bed, "/list");
	bed->status = 503;
	bed->header = NULL;
	next(bed);
	assert_problem(bed, "list: the server answers 503, not 200");
	assert_quiet(bed);
	bed->status = 302;
	next(bed);
	assert_problem(bed, "list: the server answers 302, not 200");
	bed->status = 200;
	bed->header = "ETag: \"1\"\r\n";
	next(bed);
	assert_string_equal(bed->names, "a ");
	assert_null(bed->problem);
}

static void test_304_that_nobody_asked_for_is_a_problem(void **state)
{
	Bed *bed = *state;
	bed->status = 304;
	bed->body = "";
	begin(bed, "/list");
	assert_problem(bed, "list: the server answers 304, not 200");
}

static void test_silence_is_a_problem_and_tried_again(void **state)
{
	Bed *bed = *state;
	bed->status = 0;
	begin(bed, "/list");
	assert_problem(bed, "list: no whole answer within 0.2 s");
	bed->status = 200;
	next(bed);
	assert_string_equal(bed->names, "a ");
}

static void test_server_may_go_and_come_back(void **state)
{
	Bed *bed = *state;
	begin(bed, "/list");
	guint16 port = web_port(bed->web);
	g_clear_pointer(&bed->web, web_free);
	next(bed);
	assert_non_null(strstr(bed->problem, ": cannot connect: Connection refused"));
	bed->web = web_new(bed->base, port, answer, bed);
	next(bed);
	assert_string_equal(bed->names, "a ");
}

static void test_bad_lines_are_told_with_the_good_ones(void **state)
{
	Bed *bed = *state;
	bed->body = ONE "nonsense\n";
	begin(bed, "/list");
	assert_true(g_str_has_prefix(bed->names, "a http://127.0.0.1:"));
	assert_non_null(strstr(bed->names, "/list:2: "));
}

static void test_refresh_asks_at_once_and_tells_what_is_unchanged(void **state)
{
	Bed *bed = *state;
	bed->header = "ETag: \"1\"\r\n";
	begin(bed, "/list");
	assert_quiet(bed);
	source_refresh(bed->source);
	next(bed);
	assert_string_equal(bed->names, "a ");
	assert_null(strstr(bed->request, "If-None-Match"));
}

static void test_pauses_differ_and_grow_to_their_limit(void **state)
{
	for (guint i = 0; i < 1000; i++) {
		gint64 pause_ms = pause_around(1000);
		assert_true(pause_ms >= 900 && pause_ms <= 1100);
		pause_ms = pause_after_failures(1, 1000, 30000);
		assert_true(pause_ms >= 500 && pause_ms <= 1000);
		pause_ms = pause_after_failures(3, 1000, 30000);
		assert_true(pause_ms >= 2000 && pause_ms <= 4000);
		pause_ms = pause_after_failures(G_MAXUINT, 1000, 30000);
		assert_true(pause_ms >= 15000 && pause_ms <= 30000);
	}
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BED(test_list_is_told_once_and_again_when_it_changes),
		BED(test_path_or_content_type_says_the_format),
		BED(test_tag_saves_the_body),
		BED(test_problem_is_told_once_and_the_list_again_after_it),
		BED(test_304_that_nobody_asked_for_is_a_problem),
		BED(test_silence_is_a_problem_and_tried_again),
		BED(test_server_may_go_and_come_back),
		BED(test_bad_lines_are_told_with_the_good_ones),
		BED(test_refresh_asks_at_once_and_tells_what_is_unchanged),
		cmocka_unit_test(test_pauses_differ_and_grow_to_their_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
