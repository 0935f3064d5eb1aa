/* SPDX-License-Identifier: ISC
 *
 * The conversation with droverd, with a droverd of any manners at the other end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "balance/director/host_token.h"
#include "balance/director/source.h"
#include "balance/json_input.h"
#include "web.h"

static const SourcePace hurry = {
	.poll_timeout_ms = 5000,
	.poll_minimum_ms = 10,
	.retry_first_ms = 4,
	.retry_last_ms = 20,
	.refused_ms = 30,
	.report_minimum_ms = 20,
	.report_every_ms = 5000,
	.report_timeout_ms = 5000,
};

#define SERVE "\"order\": \"serve\", \"order_id\": 0, \"forced\": false"
#define WEB1  "{\"host\": \"web1\", \"weight\": 10, \"enabled\": true, " SERVE "}"
#define CLOCKED                                                                                    \
	"{\"now\": \"2026-11-21T07:00:05Z\", \"clock_off_ms\": 0, \"clock_warning\": null, "       \
	"\"version\": 1}"

typedef struct Bed {
	struct event_base *base;
	Web *web;
	Source *source;
	SourcePace pace;
	char *folder, *token_file;
	/* droverd */
	int status; /* of orders */
	gint64 version, epoch;
	const char *force, *servers, *answer; /* `answer`: instead of those */
	int report_status;		      /* 0: no answer at all */
	const char *report_answer;
	gboolean lazy;	     /* holds polls for what the balancer has already */
	WebVisitor *waiting; /* such a poll */
	guint polls, reports;
	char *poll, *report;
	/* the director */
	guint told;
	char *names, *problem;
	gint64 told_version, told_epoch;
	gboolean told_forced;
} Bed;

static char *orders_of(const Bed *bed)
{
	return g_strdup_printf("{\"pool\": \"web\", \"version\": %" G_GINT64_FORMAT
			       ", \"epoch\": %" G_GINT64_FORMAT ", \"now\": "
			       "\"2026-11-21T07:00:00Z\", \"force\": %s, \"servers\": [%s]}",
		bed->version, bed->epoch, bed->force, bed->servers);
}

static void answer_poll(Bed *bed, WebVisitor *visitor)
{
	g_autofree char *orders = orders_of(bed);
	web_answer(visitor, bed->status, NULL, bed->answer != NULL ? bed->answer : orders);
}

static void on_request(WebVisitor *visitor, const char *request, gpointer of)
{
	Bed *bed = of;
	if (g_str_has_prefix(request, "POST /api/v1/pools/web/reports HTTP/1.1\r\n")) {
		g_free(bed->report);
		bed->report = g_strdup(request);
		bed->reports++;
		if (bed->report_status != 0)
			web_answer(visitor, bed->report_status, NULL, bed->report_answer);
		return;
	}
	assert_true(g_str_has_prefix(request, "GET /api/v1/pools/web/orders"));
	g_free(bed->poll);
	bed->poll = g_strdup(request);
	bed->polls++;
	g_autofree char *known = g_strdup_printf("?after=%" G_GINT64_FORMAT " HTTP", bed->version);
	if (bed->lazy && strstr(request, known) != NULL)
		bed->waiting = visitor;
	else
		answer_poll(bed, visitor);
}

/* droverd's version moves, and who waits hears of it. */
static void move_on(Bed *bed, const char *servers)
{
	bed->version++;
	bed->servers = servers;
	if (bed->waiting != NULL)
		answer_poll(bed, g_steal_pointer(&bed->waiting));
}

static const char *const drains[] = {"", "(reserve)", "(drain)"};

static void on_news(const SourceNews *news, gpointer of)
{
	Bed *bed = of;
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; news->list != NULL && i < news->list->entries->len; i++)
		g_string_append_printf(names, "%s%s%s%" G_GINT64_FORMAT " ",
			g_array_index(news->list->entries, PoolEntry, i).name,
			drains[news->orders[i].drain], news->orders[i].forced ? "!" : "",
			news->orders[i].id);
	g_free(bed->names);
	g_free(bed->problem);
	bed->names = news->list != NULL ? g_strdup(names->str) : NULL;
	bed->problem = g_strdup(news->problem);
	bed->told_version = news->version;
	bed->told_epoch = news->epoch;
	bed->told_forced = news->forced;
	bed->told++;
}

static int set_up(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->base = event_base_new();
	bed->web = web_new(bed->base, 0, on_request, bed);
	bed->pace = hurry;
	bed->folder = g_dir_make_tmp("drover-XXXXXX", NULL);
	bed->token_file = g_build_filename(bed->folder, "token", NULL);
	assert_true(host_token_write(bed->token_file, "drt_abc", NULL));
	bed->status = bed->report_status = 200;
	bed->version = bed->epoch = 1;
	bed->force = "false";
	bed->servers = WEB1;
	bed->report_answer = CLOCKED;
	bed->lazy = TRUE;
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	source_free(bed->source);
	web_free(bed->web);
	event_base_free(bed->base);
	web_forget_names();
	g_unlink(bed->token_file);
	g_rmdir(bed->folder);
	g_free(bed->folder);
	g_free(bed->token_file);
	g_free(bed->poll);
	g_free(bed->report);
	g_free(bed->names);
	g_free(bed->problem);
	g_free(bed);
	return 0;
}

static void begin_at(Bed *bed, gint64 epoch)
{
	const SourcePlace place = {.base = bed->base,
		.token_file = bed->token_file,
		.version = "1",
		.epoch = epoch,
		.pace = &bed->pace};
	g_autofree char *url =
		g_strdup_printf("drover://127.0.0.1:%u/pools/web", web_port(bed->web));
	bed->source = source_new(&place, url, on_news, bed, NULL);
	assert_non_null(bed->source);
}

static void next(Bed *bed)
{
	web_run(bed->base, &bed->told, bed->told + 1);
}

static void begin(Bed *bed)
{
	begin_at(bed, 0);
	next(bed);
}

static void assert_polls_quietly(Bed *bed)
{
	guint told = bed->told;
	web_run(bed->base, &bed->polls, bed->polls + 3);
	assert_int_equal(bed->told, told);
}

static void assert_problem(Bed *bed, const char *format)
{
	g_autofree char *server = g_strdup_printf("http://127.0.0.1:%u", web_port(bed->web));
	g_auto(GStrv) parts = g_strsplit(format, "%s", -1);
	g_autofree char *expected = g_strjoinv(server, parts);
	assert_non_null(bed->problem);
	assert_string_equal(bed->problem, expected);
}

/* Orders */

static void test_orders_are_told_once_and_again_when_they_move(void **state)
{
	Bed *bed = *state;
	begin(bed);
	assert_string_equal(bed->names, "web10 ");
	assert_null(bed->problem);
	assert_int_equal(bed->told_version, 1);
	assert_int_equal(bed->told_epoch, 1);
	assert_false(bed->told_forced);
	assert_non_null(strstr(bed->poll, "/orders HTTP"));
	assert_non_null(strstr(bed->poll, "\r\nAuthorization: Bearer drt_abc\r\n"));
	assert_non_null(strstr(bed->poll, "\r\nUser-Agent: drover-lvs/1\r\n"));
	web_run(bed->base, &bed->polls, 2);
	assert_non_null(bed->waiting);
	move_on(bed, "{\"host\": \"web2\", \"weight\": 5, \"enabled\": true, \"order\": \"drain\", "
		     "\"order_id\": 41, \"forced\": true}," WEB1);
	next(bed);
	assert_string_equal(bed->names, "web10 web2(drain)!41 ");
	assert_int_equal(bed->told_version, 2);
}

static void test_poll_that_ends_with_nothing_new_is_asked_again(void **state)
{
	Bed *bed = *state;
	bed->lazy = FALSE;
	begin(bed);
	assert_polls_quietly(bed);
	assert_non_null(strstr(bed->poll, "?after=1 "));
	assert_int_equal(web_connections(bed->web), 1);
}

static void test_force_is_handed_on(void **state)
{
	Bed *bed = *state;
	bed->force = "true";
	begin(bed);
	assert_true(bed->told_forced);
}

static void test_droverd_may_go_and_come_back(void **state)
{
	Bed *bed = *state;
	begin(bed);
	guint16 port = web_port(bed->web);
	g_clear_pointer(&bed->web, web_free);
	bed->waiting = NULL;
	next(bed);
	assert_true(g_str_has_prefix(bed->problem, "droverd is away: GET http://127.0.0.1:"));
	assert_null(bed->names);
	web_idle(bed->base, 50);
	bed->web = web_new(bed->base, port, on_request, bed);
	bed->told = 0;
	next(bed);
	assert_string_equal(bed->names, "web10 ");
	assert_null(bed->problem);
}

static void test_silence_is_droverd_away(void **state)
{
	Bed *bed = *state;
	bed->pace.poll_timeout_ms = 100;
	begin(bed);
	next(bed);
	assert_problem(bed, "droverd is away: GET %s/api/v1/pools/web/orders?after=1: no whole "
			    "answer within 0.1 s");
}

static void test_refused_token_is_told_and_tried_slowly(void **state)
{
	Bed *bed = *state;
	bed->pace.refused_ms = 5000;
	bed->status = 401;
	bed->answer =
		"{\"error\": {\"kind\": \"unauthenticated\", \"message\": \"no\\nsuch token\"}}";
	begin(bed);
	assert_problem(bed,
		"droverd at %s refuses this host's token (401: no such token): the last "
		"orders stay; invite the host and run drover-lvs enrol");
	web_idle(bed->base, 200);
	assert_int_equal(bed->polls, 1);
}

static void test_new_token_is_read_from_the_file(void **state)
{
	Bed *bed = *state;
	bed->status = 401;
	bed->answer = "";
	begin(bed);
	bed->status = 200;
	bed->answer = NULL;
	assert_true(host_token_write(bed->token_file, "drt_new", NULL));
	next(bed);
	assert_string_equal(bed->names, "web10 ");
	assert_non_null(strstr(bed->poll, "Bearer drt_new\r\n"));
}

static void test_other_refusals_say_droverds_words(void **state)
{
	Bed *bed = *state;
	bed->status = 404;
	bed->answer = "{\"error\": {\"kind\": \"not-found\", \"message\": \"no pool web\"}}";
	begin(bed);
	assert_problem(bed, "droverd at %s answers 404 for pool web: no pool web");
	assert_polls_quietly(bed);
	bed->status = 502;
	bed->answer = "<html>";
	next(bed);
	assert_problem(bed, "droverd at %s answers 502 for pool web");
}

static void test_nonsense_keeps_the_last_orders(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed->answer = "{\"pool\": \"other\"}";
	move_on(bed, WEB1);
	next(bed);
	assert_string_equal(bed->problem, "droverd's answer: pool must be web, not \"other\"");
	assert_null(bed->names);
}

static void test_stale_epoch_is_not_obeyed(void **state)
{
	Bed *bed = *state;
	bed->epoch = 3;
	begin(bed);
	bed->epoch = 2;
	web_run(bed->base, &bed->polls, 2);
	move_on(bed, "");
	next(bed);
	assert_problem(bed, "droverd at %s is not obeyed: it speaks for epoch 2, and epoch 3 has "
			    "begun; stop the old droverd");
	assert_null(bed->names);
	assert_polls_quietly(bed);
	bed->epoch = 3;
	next(bed);
	assert_string_equal(bed->names, "");
	assert_int_equal(bed->told_epoch, 3);
}

static void test_epoch_seen_before_the_start_counts(void **state)
{
	Bed *bed = *state;
	begin_at(bed, 2);
	next(bed);
	assert_null(bed->names);
	bed->epoch = 2;
	next(bed);
	assert_string_equal(bed->names, "web10 ");
}

static void test_refresh_tells_what_is_unchanged(void **state)
{
	Bed *bed = *state;
	begin(bed);
	web_run(bed->base, &bed->polls, 2);
	source_refresh(bed->source);
	next(bed);
	assert_string_equal(bed->names, "web10 ");
	assert_non_null(strstr(bed->poll, "/orders HTTP"));
}

/* The token */

static void test_token_that_others_can_read_is_not_used(void **state)
{
	Bed *bed = *state;
	assert_int_equal(chmod(bed->token_file, 0640), 0);
	begin(bed);
	g_autofree char *expected = g_strdup_printf(
		"token file %s: others than its owner have rights to it (mode 0640); chmod 600 it, "
		"and enrol again if somebody may have read it",
		bed->token_file);
	assert_string_equal(bed->problem, expected);
	assert_int_equal(bed->polls, 0);
	assert_int_equal(chmod(bed->token_file, 0600), 0);
	next(bed);
	assert_string_equal(bed->names, "web10 ");
}

static void test_bad_token_files_are_told(void **state)
{
	Bed *bed = *state;
	g_autofree char *large = g_strnfill(HOST_TOKEN_MAXIMUM_BYTES, 't');
	const char *const contents[] = {"", " \n", "a b", "a\x01", large};
	for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
		g_autoptr(GError) error = NULL;
		assert_true(host_token_write(bed->token_file, contents[i], NULL));
		assert_null(host_token_read(bed->token_file, &error));
		assert_non_null(error);
	}
	g_unlink(bed->token_file);
	const char *const paths[] = {bed->token_file, bed->folder, "/dev/null", NULL};
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(host_token_read(paths[i], &error));
		assert_non_null(error);
	}
}

/* Reports */

static json_t *seen(const char *state, int checked)
{
	return json_pack("{s:b, s:[{s:s, s:s, s:i}]}", "can_serve", 1, "servers", "host", "web1",
		"state", state, "checked", checked);
}

static gint64 number_in_report(Bed *bed, const char *key)
{
	const char *body = web_body(bed->report);
	g_autoptr(BalanceJson) report = balance_json_read("r", body, strlen(body), NULL);
	assert_non_null(report);
	assert_true(json_is_integer(json_object_get(report, key)));
	return json_integer_value(json_object_get(report, key));
}

static void test_report_says_what_the_balancer_sees(void **state)
{
	Bed *bed = *state;
	begin(bed);
	source_report(bed->source, seen("up", 1));
	assert_int_equal(bed->reports, 0);
	web_run(bed->base, &bed->reports, 1);
	assert_non_null(strstr(bed->report, "\r\nAuthorization: Bearer drt_abc\r\n"));
	const char *body = web_body(bed->report);
	g_autoptr(BalanceJson) report = balance_json_read("r", body, strlen(body), NULL);
	assert_int_equal(number_in_report(bed, "sequence"), 1);
	assert_int_equal(number_in_report(bed, "version"), 1);
	assert_int_equal(number_in_report(bed, "epoch"), 1);
	assert_true(json_is_string(json_object_get(report, "now")));
	assert_true(json_is_string(json_object_get(report, "started")));
	assert_true(json_is_true(json_object_get(report, "can_serve")));
	assert_int_equal(json_array_size(json_object_get(report, "servers")), 1);
}

static void test_reports_close_together_are_one_the_newest(void **state)
{
	Bed *bed = *state;
	begin(bed);
	source_report(bed->source, seen("up", 1));
	source_report(bed->source, seen("unchecked", 1));
	source_report(bed->source, seen("down", 1));
	web_run(bed->base, &bed->reports, 1);
	assert_non_null(strstr(bed->report, "\"state\":\"down\""));
	web_idle(bed->base, 100);
	assert_int_equal(bed->reports, 1);
}

static void test_what_changes_while_one_is_under_way_is_sent_after_it(void **state)
{
	Bed *bed = *state;
	bed->report_status = 0;
	bed->pace.report_timeout_ms = 100;
	begin(bed);
	source_report(bed->source, seen("up", 1));
	web_run(bed->base, &bed->reports, 1);
	source_report(bed->source, seen("down", 1));
	source_report(bed->source, seen("maintenance", 1));
	web_idle(bed->base, 50);
	assert_int_equal(bed->reports, 1);
	bed->report_status = 200;
	web_run(bed->base, &bed->reports, 2);
	assert_non_null(strstr(bed->report, "\"state\":\"maintenance\""));
	assert_int_equal(number_in_report(bed, "sequence"), 2);
}

static void test_unchanged_report_waits_for_its_beat(void **state)
{
	Bed *bed = *state;
	bed->pace.report_every_ms = 200;
	begin(bed);
	source_report(bed->source, seen("up", 1));
	web_run(bed->base, &bed->reports, 1);
	web_idle(bed->base, 20);
	gint64 sent_ms = g_get_monotonic_time() / 1000;
	source_report(bed->source, seen("up", 2)); /* only the time of the check moved */
	web_run(bed->base, &bed->reports, 2);
	assert_true(g_get_monotonic_time() / 1000 - sent_ms >= 100);
	assert_non_null(strstr(bed->report, "\"checked\":2"));
	web_run(bed->base, &bed->reports, 3);
	assert_int_equal(number_in_report(bed, "sequence"), 3);
}

static void test_clock_warning_is_told_beside_the_list(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed->report_answer = "{\"clock_warning\": \"your clock is 5 s ahead\"}";
	source_report(bed->source, seen("up", 1));
	next(bed);
	assert_string_equal(bed->problem, "your clock is 5 s ahead");
	assert_string_equal(bed->names, "web10 ");
	bed->report_answer = CLOCKED;
	source_report(bed->source, seen("down", 1));
	next(bed);
	assert_null(bed->problem);
	assert_string_equal(bed->names, "web10 ");
}

/* Else each report would be the reason of the next. */
static void test_clock_that_is_off_by_a_little_more_is_not_told_each_time(void **state)
{
	Bed *bed = *state;
	bed->pace.report_every_ms = 60 * 1000;
	begin(bed);
	bed->report_answer = "{\"clock_warning\": \"your clock is 5.0 s ahead\"}";
	source_report(bed->source, seen("up", 1));
	next(bed);
	guint told = bed->told;
	bed->report_answer = "{\"clock_warning\": \"your clock is 5.1 s ahead\"}";
	source_report(bed->source, seen("down", 1));
	web_run(bed->base, &bed->reports, 2);
	web_idle(bed->base, 50);
	assert_int_equal(bed->told, told);
	assert_string_equal(bed->problem, "your clock is 5.0 s ahead");
}

static void test_refused_report_is_told_and_tried_again(void **state)
{
	Bed *bed = *state;
	begin(bed);
	bed->report_status = 400;
	bed->report_answer =
		"{\"error\": {\"kind\": \"input\", \"message\": \"servers: too many\"}}";
	source_report(bed->source, seen("up", 1));
	next(bed);
	assert_problem(bed, "droverd at %s answers 400 for pool web: servers: too many");
	bed->report_status = 200;
	bed->report_answer = CLOCKED;
	next(bed);
	assert_null(bed->problem);
	assert_string_equal(bed->names, "web10 ");
}

/* Where droverd is */

static void assert_asked(Bed *bed, const SourcePlace *place, const char *url, const char *expected)
{
	g_autoptr(Source) source = source_new(place, url, on_news, bed, NULL);
	assert_non_null(source);
	next(bed);
	assert_true(g_str_has_prefix(bed->problem, expected));
}

static void test_tls_is_spoken_to_other_machines(void **state)
{
	Bed *bed = *state;
	g_autoptr(Resolver) resolver = resolver_new(bed->base, NULL);
	SourcePlace place = {.base = bed->base,
		.resolver = resolver,
		.token_file = bed->token_file,
		.version = "1",
		.pace = &bed->pace};
	web_name("control", "");
	assert_asked(bed, &place, "drover://control/pools/web",
		"droverd is away: GET https://control:8461/api/v1/pools/web/orders: ");
	place.droverd_plain = TRUE;
	assert_asked(bed, &place, "drover://control:1/pools/web",
		"droverd is away: GET http://control:1/api/v1/pools/web/orders: ");
	place.droverd_plain = FALSE;
	assert_asked(bed, &place, "drover://localhost:1/pools/a%2fb",
		"droverd is away: GET http://localhost:1/api/v1/pools/a%252fb/orders: ");
	assert_asked(bed, &place, "drover://[::1]:1/pools/web",
		"droverd is away: GET http://[::1]:1/api/v1/pools/web/orders: ");
	place.ca_file = "/nowhere";
	assert_asked(bed, &place, "drover://127.0.0.1:1/pools/web",
		"droverd is away: GET https://127.0.0.1:1/api/v1/pools/web/orders: ");
}

static void test_url_without_pool_is_refused(void **state)
{
	Bed *bed = *state;
	const SourcePlace place = {.base = bed->base, .version = "1"};
	static const char *const urls[] = {"drover://", "drover://a", "drover:///pools/web",
		"drover://a/pools/", "drover://a/b"};
	for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(source_new(&place, urls[i], on_news, bed, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BED(test_orders_are_told_once_and_again_when_they_move),
		BED(test_poll_that_ends_with_nothing_new_is_asked_again),
		BED(test_force_is_handed_on),
		BED(test_droverd_may_go_and_come_back),
		BED(test_silence_is_droverd_away),
		BED(test_refused_token_is_told_and_tried_slowly),
		BED(test_new_token_is_read_from_the_file),
		BED(test_other_refusals_say_droverds_words),
		BED(test_nonsense_keeps_the_last_orders),
		BED(test_stale_epoch_is_not_obeyed),
		BED(test_epoch_seen_before_the_start_counts),
		BED(test_refresh_tells_what_is_unchanged),
		BED(test_token_that_others_can_read_is_not_used),
		BED(test_bad_token_files_are_told),
		BED(test_report_says_what_the_balancer_sees),
		BED(test_reports_close_together_are_one_the_newest),
		BED(test_what_changes_while_one_is_under_way_is_sent_after_it),
		BED(test_unchanged_report_waits_for_its_beat),
		BED(test_clock_warning_is_told_beside_the_list),
		BED(test_clock_that_is_off_by_a_little_more_is_not_told_each_time),
		BED(test_refused_report_is_told_and_tried_again),
		BED(test_tls_is_spoken_to_other_machines),
		BED(test_url_without_pool_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
