/* SPDX-License-Identifier: ISC
 *
 * The face over a recorded status, and over the examples of kind http-api and alerts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "balance/director/face.h"
#include "balance/pool.h"
#include "status.h"

static json_t *read_status(void)
{
	g_autofree char *text = g_strdelimit(g_strdup(recorded_status), "'", '"');
	json_t *status = json_loads(text, 0, NULL);
	assert_non_null(status);
	return status;
}

/* The answer to a GET. */
static FaceAnswer get(const json_t *status, const char *target, const char *accept)
{
	FaceRequest request = {(char *)"GET", (char *)target, (char *)accept};
	FaceAnswer answer;
	face_answer(status, &request, &answer);
	return answer;
}

static void assert_says(const char *target, const char *accept, const char *type, const char *body)
{
	json_auto_t *status = read_status();
	g_auto(FaceAnswer) answer = get(status, target, accept);
	assert_int_equal(answer.status, 200);
	assert_true(g_str_has_prefix(answer.type, type));
	assert_string_equal(answer.body, body);
}

static void assert_refused(const char *target, guint expected)
{
	json_auto_t *status = read_status();
	g_auto(FaceAnswer) answer = get(status, target, NULL);
	assert_int_equal(answer.status, expected);
}

static void test_pools_are_named_one_a_line(void **state)
{
	assert_says("/pools", NULL, "text/plain", "web\ndns\n");
	assert_says("/pools/?verbose", "*/*", "text/plain", "web\ndns\n");
	assert_says("/pools", "application/json", "application/json", "[\"web\",\"dns\"]");
}

static void test_a_pool_tells_each_of_its_servers_in_three_words(void **state)
{
	assert_says("/pools/web", "text/html", "text/plain",
		"a:\tenabled/up/pooled\nb:\tenabled/down/pooled\nc:\tdisabled/down/not pooled\n");
	assert_says("/pools/dns", NULL, "text/plain", "");
	assert_says("/pools/dns", "application/json", "application/json", "{}");
}

static void test_a_server_is_three_words_or_four_values(void **state)
{
	assert_says("/pools/web/a", NULL, "text/plain", "enabled/up/pooled\n");
	assert_says("/pools/web/b", "text/html, application/json", "application/json",
		"{\"pooled\":true,\"weight\":20,\"up\":false,\"enabled\":true}");
	assert_says("/pools/w%65b/a/", NULL, "text/plain", "enabled/up/pooled\n");
}

static void test_json_is_for_those_who_ask_for_it(void **state)
{
	assert_says("/pools/dns", "application/json;q=0, text/plain", "text/plain", "");
	assert_says("/pools/dns", "text/plain, application/json;q=0.5", "text/plain", "");
	assert_says("/pools/dns", "Application/JSON ; q=0.5", "application/json", "{}");
	assert_says("/pools/dns", "application/jsonlines", "text/plain", "");
}

static void test_what_is_not_there_is_not_found(void **state)
{
	const char *const targets[] = {"/", "/pools/nope", "/pools/web/nope", "/pools/web/a/b",
		"/alerts/web", "/metrics/x", "/nope", "/pools//a", "/healthz/x"};
	for (gsize i = 0; i < G_N_ELEMENTS(targets); i++)
		assert_refused(targets[i], 404);
	assert_refused("/pools/%zz", 400);
	assert_refused("/pools/%00", 400);
}

static void test_nothing_can_be_changed(void **state)
{
	json_auto_t *status = read_status();
	FaceRequest request = {(char *)"POST", (char *)"/pools", NULL};
	g_auto(FaceAnswer) answer = {0};
	face_answer(status, &request, &answer);
	assert_int_equal(answer.status, 405);
	g_autoptr(GBytes) bytes = face_answer_bytes(&answer);
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	assert_non_null(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
}

static void test_head_says_how_long_it_would_be(void **state)
{
	json_auto_t *status = read_status();
	FaceRequest request = {(char *)"HEAD", (char *)"/pools", NULL};
	g_auto(FaceAnswer) answer = {0};
	face_answer(status, &request, &answer);
	g_autoptr(GBytes) bytes = face_answer_bytes(&answer);
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	assert_true(g_str_has_prefix(text, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Length: 8\r\n"));
	assert_true(g_str_has_suffix(text, "\r\n\r\n"));
}

static void test_held_servers_are_critical_and_come_first(void **state)
{
	assert_says("/alerts", NULL, "text/plain",
		"CRITICAL - web: Servers b are marked down but pooled; "
		"dns: a new list was set aside\n");
	assert_says("/alerts", "application/json", "application/json",
		"{\"status\":\"critical\",\"msg\":\"web: Servers b are marked down but pooled; "
		"dns: a new list was set aside\"}");
}

static void test_a_pool_that_can_spare_nobody_is_a_warning(void **state)
{
	json_auto_t *status = json_pack("{s:[{s:s,s:i,s:[{s:s}]}]}", "services", "name", "one",
		"needed", 1, "servers", "host", "a");
	FaceAlerts alerts = face_alerts(status);
	assert_string_equal(alerts.status, "warning");
	assert_string_equal(alerts.message, "Pool one is too small to allow depooling");
	g_free(alerts.message);
}

static void test_health_is_lost_when_the_kernel_is(void **state)
{
	json_auto_t *status = read_status();
	g_auto(FaceAnswer) good = get(status, "/healthz", NULL);
	assert_int_equal(good.status, 200);
	assert_string_equal(good.body, "ok\n");
	json_array_append_new(json_object_get(status, "alerts"),
		json_pack("{s:n,s:s,s:s}", "service", "kind", "kernel", "text", "no IPVS"));
	g_auto(FaceAnswer) bad = get(status, "/healthz", NULL);
	assert_int_equal(bad.status, 503);
	assert_string_equal(bad.body, "no IPVS\n");
}

static void assert_key(const char *target, const char *accept, const char *expected)
{
	FaceRequest request = {(char *)"GET", (char *)target, (char *)accept};
	g_autofree char *key = face_request_key(&request);
	if (g_strcmp0(key, expected) != 0)
		fail_msg("%s: %s", target, key);
}

static void test_what_has_one_answer_has_one_key(void **state)
{
	assert_key("/pools", NULL, "GET pools text");
	assert_key("/p%6fols/?a=1", "text/html", "GET pools text");
	assert_key("/pools/web", "application/json", "GET pools/web json");
	assert_key("/pools/a%2Fb", NULL, "GET pools/a%2Fb text");
	assert_key("/pools/a/b/c", NULL, NULL);
	assert_key("/%zz", NULL, NULL);
}

static void assert_figure(const char *text, const char *line)
{
	g_autofree char *whole = g_strdup_printf("\n%s\n", line);
	if (strstr(text, whole) == NULL)
		fail_msg("no line %s in\n%s", line, text);
}

static void test_metrics_say_the_status_in_numbers(void **state)
{
	json_auto_t *status = read_status();
	g_autofree char *text = face_metrics_text(status);
	const char *const lines[] = {
		"# TYPE pybal_service_servers gauge",
		"pybal_service_servers{service=\"web\"} 3",
		"pybal_service_enabled_servers{service=\"web\"} 2",
		"pybal_service_up_servers{service=\"web\"} 1",
		"pybal_service_pooled_servers{service=\"web\"} 2",
		"pybal_service_can_depool{service=\"web\"} 0",
		"pybal_service_can_depool{service=\"dns\"} 1",
		"pybal_service_depool_threshold{service=\"web\"} 0.5",
		"pybal_monitor_status{service=\"web\",host=\"a\",monitor=\"ProxyFetch\"} 1",
		"pybal_monitor_status{service=\"web\",host=\"b\",monitor=\"ProxyFetch\"} 0",
		"pybal_service_could_depool_total{service=\"web\"} 5",
		"pybal_service_could_not_depool_total{service=\"web\"} 2",
		"# TYPE pybal_monitor_up_results_total counter",
		"pybal_monitor_up_results_total{service=\"web\",host=\"a\",monitor="
		"\"ProxyFetch\"} 7",
		"pybal_monitor_down_results_total{service=\"web\",host=\"b\",monitor="
		"\"ProxyFetch\"} 4",
		"pybal_monitor_down_transitions_total{service=\"web\",host=\"b\",monitor="
		"\"ProxyFetch\"} 1",
		"pybal_monitor_proxyfetch_request_duration_seconds{service=\"web\",host=\"a\","
		"monitor=\"ProxyFetch\",result=\"successful\"} 0.003",
		"pybal_monitor_proxyfetch_request_duration_seconds{service=\"web\",host=\"b\","
		"monitor=\"ProxyFetch\",result=\"failed\"} 0.00025",
		"drover_lvs_held_servers{service=\"web\"} 1",
		"drover_lvs_draining_servers{service=\"web\"} 1",
		"drover_lvs_needed_servers{service=\"web\"} 2",
		"drover_lvs_route_announced{service=\"dns\"} 0",
		"drover_lvs_list_set_aside{service=\"dns\"} 1",
		"drover_lvs_list_set_aside{service=\"web\"} 0",
		"drover_lvs_server_weight{service=\"web\",host=\"b\"} 20",
		"drover_lvs_server_active_connections{service=\"web\",host=\"a\"} 3",
		"drover_lvs_checks_started_total 100",
		"drover_lvs_last_reconcile_seconds 0.0015",
		"drover_lvs_alerts 2",
		"drover_lvs_dry_run 1",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_figure(text, lines[i]);
}

static void test_labels_are_escaped(void **state)
{
	json_auto_t *status =
		json_pack("{s:[{s:s,s:[]}]}", "services", "name", "a\"b\\c\nd", "servers");
	g_autofree char *text = face_metrics_text(status);
	assert_figure(text, "pybal_service_servers{service=\"a\\\"b\\\\c\\nd\"} 0");
}

static guint parse(const char *head, FaceRequest *request)
{
	return face_request_parse(head, strlen(head), request);
}

static void test_heads_are_read_as_http_has_them(void **state)
{
	g_auto(FaceRequest) request = {0};
	assert_int_equal(parse("GET /pools?x=1 HTTP/1.1\r\nHost: lvs\r\nACCEPT:  text/plain \r\n"
			       "Accept: application/json\r\nContent-Length: 0\r\n\r\n",
				 &request),
		0);
	assert_string_equal(request.method, "GET");
	assert_string_equal(request.target, "/pools?x=1");
	assert_string_equal(request.accept, "text/plain,application/json");
}

static void test_heads_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *head;
		guint status;
	} cases[] = {
		{"\r\n\r\n", 400},
		{"GET /\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1 x\r\n\r\n", 400},
		{"GET http://lvs/ HTTP/1.1\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\n\r\n", 400},
		{"GET /\x80 HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\n\r\n", 505},
		{"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nbad name: x\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 413},
		{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(FaceRequest) request = {0};
		if (parse(cases[i].head, &request) != cases[i].status)
			fail_msg("%s is not %u", cases[i].head, cases[i].status);
	}
	g_auto(FaceRequest) request = {0};
	assert_int_equal(face_request_parse("GET /\0 HTTP/1.1\r\n\r\n", 20, &request), 400);
}

/* -- the examples ----------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *field)
{
	return json_string_value(json_object_get(object, field));
}

static guint number_of_monitor(const json_t *given, const char *name)
{
	gsize index;
	json_t *each;
	json_array_foreach (json_object_get(given, "monitors"), index, each)
		if (strcmp(json_string_value(each), name) == 0)
			return (guint)index;
	fail_msg("no monitor %s", name);
	return 0;
}

/* As the director says it. */
static json_t *status_of_pool(const Pool *pool, guint monitors)
{
	json_t *servers = json_array();
	const GPtrArray *all = pool_servers(pool);
	for (guint i = 0; i < all->len; i++) {
		const PoolServer *server = all->pdata[i];
		json_t *said = json_array();
		for (guint at = 0; at < monitors; at++)
			json_array_append_new(
				said, json_pack("{s:b}", "good", server->tallies[at].last_good));
		json_array_append_new(servers,
			json_pack("{s:s,s:b,s:b,s:b,s:b,s:i,s:o}", "host", server->name, "enabled",
				server->enabled, "ready", server->ready, "up", server->up, "pooled",
				server->pooled, "weight", (int)server->weight, "monitors", said));
	}
	return json_pack("{s:[{s:s,s:o}]}", "services", "name", "p", "servers", servers);
}

static json_t *play(const json_t *example)
{
	const json_t *given = json_object_get(example, "given");
	const char *names[POOL_MAXIMUM_MONITORS + 1] = {NULL};
	PoolPolicy policy = {.rise = 1, .fall = 1, .monitors = names};
	g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(PoolEntry));
	const char *name;
	json_t *each;
	gsize index;
	json_array_foreach (json_object_get(given, "monitors"), index, each)
		names[index] = json_string_value(each);
	assert_true(threshold_parse(".5", &policy.threshold, NULL));
	json_object_foreach (json_object_get(given, "servers"), name, each) {
		json_t *enabled = json_object_get(each, "enabled");
		PoolEntry entry = {.name = name,
			.has_enabled = enabled != NULL,
			.enabled = json_is_true(enabled),
			.ready = TRUE};
		g_array_append_val(entries, entry);
	}
	g_autoptr(Pool) pool = pool_new(&policy);
	pool_update(pool, (PoolEntry *)(void *)entries->data, entries->len, 0);
	json_array_foreach (json_object_get(example, "events"), index, each)
		assert_true(pool_result(pool, text_of(each, "server"),
			number_of_monitor(given, text_of(each, "monitor")),
			json_is_true(json_object_get(each, "up")) ? POOL_RESULT_UP
								  : POOL_RESULT_DOWN,
			0));
	return status_of_pool(pool, (guint)g_strv_length((char **)names));
}

static void assert_status(const json_t *status, const char *target, const json_t *expected)
{
	g_auto(FaceAnswer) answer = get(status, target, NULL);
	assert_int_equal(answer.status, json_integer_value(expected));
}

static void test_http_api(void **state)
{
	const json_t *example = *state;
	const json_t *expect = json_object_get(example, "expect");
	json_auto_t *status = play(example);
	const char *name;
	json_t *text;
	json_object_foreach (json_object_get(expect, "text"), name, text) {
		g_autofree char *target = g_strconcat("/pools/p/", name, NULL);
		g_autofree char *line = g_strconcat(json_string_value(text), "\n", NULL);
		g_auto(FaceAnswer) answer = get(status, target, NULL);
		assert_string_equal(answer.body, line);
		assert_true(g_str_has_prefix(answer.type, text_of(expect, "otherwise")));
	}
	g_auto(FaceAnswer) answer = get(status, "/pools/p/a", "application/json");
	json_auto_t *a = json_loads(answer.body, 0, NULL);
	assert_true(json_equal(a, json_object_get(expect, "json_a")));
	assert_string_equal(answer.type, text_of(expect, "accept_application_json"));
	assert_status(status, "/pools/nope", json_object_get(expect, "unknown_pool"));
	assert_status(status, "/pools/p/nope", json_object_get(expect, "unknown_server"));
}

/* `pools` as the examples give them: how many servers, the threshold, who is held. */
static json_t *status_of_pools(json_t *pools)
{
	json_t *services = json_array();
	const char *name;
	json_t *pool, *host;
	gsize index;
	json_object_foreach (pools, name, pool) {
		json_int_t total = json_integer_value(json_object_get(pool, "total"));
		double needed =
			json_number_value(json_object_get(pool, "threshold")) * (double)total;
		json_t *servers = json_array();
		json_array_foreach (json_object_get(pool, "held"), index, host)
			json_array_append_new(
				servers, json_pack("{s:O,s:b}", "host", host, "held", TRUE));
		while ((json_int_t)json_array_size(servers) < total)
			json_array_append_new(servers, json_pack("{s:s}", "host", "up"));
		json_array_append_new(services, json_pack("{s:s,s:i,s:o}", "name", name, "needed",
							(int)(needed + .999), "servers", servers));
	}
	return json_pack("{s:o}", "services", services);
}

static void test_alerts(void **state)
{
	const json_t *example = *state;
	const json_t *expect = json_object_get(example, "expect");
	json_auto_t *status =
		status_of_pools(json_object_get(json_object_get(example, "given"), "pools"));
	FaceAlerts alerts = face_alerts(status);
	gsize index;
	json_t *part;
	assert_string_equal(alerts.status, text_of(expect, "status"));
	if (text_of(expect, "msg") != NULL)
		assert_string_equal(alerts.message, text_of(expect, "msg"));
	json_array_foreach (json_object_get(expect, "msg_contains"), index, part)
		assert_non_null(strstr(alerts.message, json_string_value(part)));
	g_free(alerts.message);
}

static int test_examples(const char *path)
{
	json_auto_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	struct CMUnitTest tests[16] = {0};
	gsize count = 0, index;
	json_t *example;
	json_array_foreach (json_object_get(file, "cases"), index, example) {
		gboolean api = strcmp(text_of(example, "kind"), "http-api") == 0;
		if (!api && strcmp(text_of(example, "kind"), "alerts") != 0)
			continue;
		g_assert(count < G_N_ELEMENTS(tests));
		tests[count++] = (struct CMUnitTest){.name = text_of(example, "id"),
			.test_func = api ? test_http_api : test_alerts,
			.initial_state = example};
	}
	g_assert(count >= 3);
	return _cmocka_run_group_tests("face examples", tests, count, NULL, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pools_are_named_one_a_line),
		cmocka_unit_test(test_a_pool_tells_each_of_its_servers_in_three_words),
		cmocka_unit_test(test_a_server_is_three_words_or_four_values),
		cmocka_unit_test(test_json_is_for_those_who_ask_for_it),
		cmocka_unit_test(test_what_is_not_there_is_not_found),
		cmocka_unit_test(test_nothing_can_be_changed),
		cmocka_unit_test(test_head_says_how_long_it_would_be),
		cmocka_unit_test(test_held_servers_are_critical_and_come_first),
		cmocka_unit_test(test_a_pool_that_can_spare_nobody_is_a_warning),
		cmocka_unit_test(test_health_is_lost_when_the_kernel_is),
		cmocka_unit_test(test_what_has_one_answer_has_one_key),
		cmocka_unit_test(test_metrics_say_the_status_in_numbers),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_heads_are_read_as_http_has_them),
		cmocka_unit_test(test_heads_that_are_none_are_refused),
	};
	g_assert(argc == 2);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed + test_examples(argv[1]);
}
