/* SPDX-License-Identifier: ISC
 *
 * One request at a time, at servers of all manners.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "balance/director/fetch.h"
#include "web.h"

#define LIMIT 1000

/* What the server does is chosen by the path; what came is kept for the test. */
typedef struct Bed {
	struct event_base *base;
	Resolver *resolver;
	Fetch *fetch;
	Web *web;
	char *request; /* the last one, whole */
	guint told, asked;
	char *problem, *body, *etag, *content_type;
	int status;
	gboolean again, end; /* within the tell: start once more; free the Fetch */
} Bed;

/* libcurl would start a thread to look a name up: the daemon's filter kills it for that. */
int pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *of)
{
	abort();
}

static void endless(WebVisitor *visitor, void *of)
{
	static const char many[] =
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
	for (guint i = 0; i < 100; i++)
		web_say(visitor, of != NULL ? "X-More: " : "");
	web_say(visitor, many);
}

/* gzip of 100,000 zero bytes, as a transfer that nobody asked to be packed. */
static void bomb(WebVisitor *visitor, const char *field)
{
	static const guint8 head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	g_autofree char *text = g_strdup_printf(
		"HTTP/1.1 200 So\r\n%s: gzip\r\nContent-Length: %zu\r\n\r\n", field, sizeof head);
	web_say(visitor, text);
	bufferevent_write(visitor, head, sizeof head);
}

static void answer(WebVisitor *visitor, const char *request, gpointer of)
{
	Bed *bed = of;
	g_free(bed->request);
	bed->request = g_strdup(request);
	bed->asked++;
	g_autofree char *path = g_strndup(request, strcspn(request, "\r"));
	if (strstr(path, "/good") != NULL)
		web_answer(visitor, 200, "ETag: \"e1\"\r\nContent-Type: text/x\r\n", "hello");
	else if (strstr(path, "/moved") != NULL)
		web_answer(visitor, 302, "Location: /good\r\n", "go");
	else if (strstr(path, "/same") != NULL)
		web_say(visitor, "HTTP/1.1 304 So\r\nETag: \"e1\"\r\n\r\n");
	else if (strstr(path, "/broken") != NULL)
		web_answer(visitor, 500, NULL, "oh");
	else if (strstr(path, "/reset") != NULL)
		web_reset(visitor);
	else if (strstr(path, "/nothing") != NULL)
		web_close(visitor);
	else if (strstr(path, "/slow-head") != NULL)
		web_say(visitor, "HTTP/1.1 200 So\r\nX-");
	else if (strstr(path, "/slow-body") != NULL)
		web_say(visitor, "HTTP/1.1 200 So\r\nContent-Length: 5\r\n\r\nhel");
	else if (strstr(path, "/announced") != NULL)
		web_say(visitor, "HTTP/1.1 200 So\r\nContent-Length: 1001\r\n\r\n");
	else if (strstr(path, "/exact") != NULL) {
		g_autofree char *body = g_strnfill(LIMIT, 'x');
		web_answer(visitor, 200, NULL, body);
	} else if (strstr(path, "/short") != NULL) {
		web_say(visitor, "HTTP/1.1 200 So\r\nContent-Length: 100\r\n\r\nhello");
		web_close(visitor);
	} else if (strstr(path, "/endless-body") != NULL) {
		web_say(visitor, "HTTP/1.1 200 So\r\nConnection: close\r\n\r\n");
		bufferevent_setcb(visitor, NULL, endless, NULL, NULL);
	} else if (strstr(path, "/endless-head") != NULL) {
		web_say(visitor, "HTTP/1.1 200 So\r\n");
		bufferevent_setcb(visitor, NULL, endless, NULL, bed);
	} else if (strstr(path, "/gzip") != NULL)
		bomb(visitor, "Content-Encoding");
	else if (strstr(path, "/not-http") != NULL) {
		web_say(visitor, "SSH-2.0-OpenSSH\r\n");
		web_close(visitor);
	} else if (strstr(path, "/long-etag") != NULL) {
		g_autofree char *tag = g_strnfill(FETCH_MAXIMUM_ETAG_BYTES + 1, 'e');
		g_autofree char *field = g_strdup_printf("ETag: %s\r\n", tag);
		web_answer(visitor, 200, field, "hello");
	} else
		web_answer(visitor, 404, NULL, "");
}

static void keep(Bed *bed, const FetchAnswer *answer)
{
	g_free(bed->problem);
	g_free(bed->body);
	g_free(bed->etag);
	g_free(bed->content_type);
	bed->problem = g_strdup(answer->problem);
	bed->body = g_strdup(answer->body);
	bed->etag = g_strdup(answer->etag);
	bed->content_type = g_strdup(answer->content_type);
	bed->status = answer->status;
	bed->told++;
}

static void start(Bed *bed, const char *url, FetchCall call);

static void on_told(const FetchAnswer *answer, gpointer of)
{
	Bed *bed = of;
	keep(bed, answer);
	if (bed->end)
		g_clear_pointer(&bed->fetch, fetch_free);
	if (bed->again) {
		g_autofree char *url = web_url(bed->web, "/good");
		bed->again = FALSE;
		start(bed, url, (FetchCall){0});
	}
}

static void start(Bed *bed, const char *url, FetchCall call)
{
	call.url = url;
	call.agent = "drover-lvs/1";
	call.timeout_ms = call.timeout_ms != 0 ? call.timeout_ms : 10000;
	call.maximum_bytes = LIMIT;
	fetch_start(bed->fetch, &call, on_told, bed);
}

static void fetch_at(Bed *bed, const char *url, FetchCall call)
{
	guint told = bed->told;
	start(bed, url, call);
	assert_int_equal(bed->told, told); /* never from within */
	web_run(bed->base, &bed->told, told + 1);
}

static void fetch_path(Bed *bed, const char *path, FetchCall call)
{
	g_autofree char *url = web_url(bed->web, path);
	fetch_at(bed, url, call);
}

/* `words` with the server's address for %s. */
static void assert_problem(Bed *bed, const char *words)
{
	g_autofree char *port = g_strdup_printf("127.0.0.1:%u", web_port(bed->web));
	g_auto(GStrv) parts = g_strsplit(words, "%s", -1);
	g_autofree char *expected = g_strjoinv(port, parts);
	assert_non_null(bed->problem);
	assert_string_equal(bed->problem, expected);
}

static int set_up(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->base = event_base_new();
	bed->resolver = resolver_new(bed->base, NULL);
	bed->fetch = fetch_new(bed->base, bed->resolver);
	bed->web = web_new(bed->base, 0, answer, bed);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	fetch_free(bed->fetch);
	resolver_free(bed->resolver);
	web_free(bed->web);
	event_base_free(bed->base);
	web_forget_names();
	g_free(bed->request);
	g_free(bed->problem);
	g_free(bed->body);
	g_free(bed->etag);
	g_free(bed->content_type);
	g_free(bed);
	return 0;
}

static void test_answer_comes_whole(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/good", (FetchCall){0});
	assert_null(bed->problem);
	assert_int_equal(bed->status, 200);
	assert_string_equal(bed->body, "hello");
	assert_string_equal(bed->etag, "\"e1\"");
	assert_string_equal(bed->content_type, "text/x");
	assert_false(fetch_is_busy(bed->fetch));
}

static void test_request_says_what_it_must_and_no_more(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/good", (FetchCall){.etag = "\"e0\"", .token = "drt_x"});
	g_autofree char *expected =
		g_strdup_printf("GET /good HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
				"User-Agent: drover-lvs/1\r\nAccept: */*\r\n"
				"Authorization: Bearer drt_x\r\nIf-None-Match: \"e0\"\r\n\r\n",
			web_port(bed->web));
	assert_string_equal(bed->request, expected);
}

static void test_json_is_posted(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/good", (FetchCall){.json = "{\"a\": 1}"});
	assert_int_equal(bed->status, 200);
	assert_true(g_str_has_prefix(bed->request, "POST /good HTTP/1.1\r\n"));
	assert_non_null(strstr(bed->request, "\r\nContent-Type: application/json\r\n"));
	assert_string_equal(web_body(bed->request), "{\"a\": 1}");
}

static void test_any_status_is_an_answer(void **state)
{
	Bed *bed = *state;
	static const struct {
		const char *path;
		int status;
	} rows[] = {{"/same", 304}, {"/broken", 500}, {"/other", 404}};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		fetch_path(bed, rows[i].path, (FetchCall){0});
		assert_null(bed->problem);
		assert_int_equal(bed->status, rows[i].status);
	}
}

static void test_redirect_is_not_followed(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/moved", (FetchCall){0});
	assert_int_equal(bed->status, 302);
	assert_int_equal(bed->asked, 1);
}

static void test_proxies_of_the_environment_are_ignored(void **state)
{
	Bed *bed = *state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	fetch_path(bed, "/good", (FetchCall){0});
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_int_equal(bed->status, 200);
}

static void test_connection_is_used_again(void **state)
{
	Bed *bed = *state;
	for (guint i = 0; i < 5; i++)
		fetch_path(bed, "/good", (FetchCall){0});
	assert_int_equal(web_connections(bed->web), 1);
}

static void test_too_much_is_broken_off(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/exact", (FetchCall){0});
	assert_null(bed->problem);
	fetch_path(bed, "/endless-body", (FetchCall){0});
	assert_problem(bed,
		"GET http://%s/endless-body: the answer is larger than the 1000 bytes allowed");
	fetch_path(bed, "/announced", (FetchCall){0});
	assert_problem(
		bed, "GET http://%s/announced: the answer is larger than the 1000 bytes allowed");
	fetch_path(bed, "/endless-head", (FetchCall){0});
	assert_problem(bed, "GET http://%s/endless-head: the answer's header is larger than the "
			    "65536 bytes allowed");
}

static void test_slow_answers_run_out_of_time(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/slow-head", (FetchCall){.timeout_ms = 100});
	assert_problem(bed, "GET http://%s/slow-head: no whole answer within 0.1 s");
	fetch_path(bed, "/slow-body", (FetchCall){.timeout_ms = 100});
	assert_problem(bed, "GET http://%s/slow-body: no whole answer within 0.1 s");
}

static void test_broken_answers_are_problems(void **state)
{
	Bed *bed = *state;
	static const char *const rows[][2] = {
		{"/short", "transfer closed with 95 bytes remaining to read"},
		{"/reset", "Recv failure: Connection reset by peer"},
		{"/nothing", "Empty reply from server"},
		{"/not-http", "Received HTTP/0.9 when not allowed"},
	};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *words =
			g_strdup_printf("GET http://%%s%s: %s", rows[i][0], rows[i][1]);
		fetch_path(bed, rows[i][0], (FetchCall){0});
		assert_problem(bed, words);
	}
}

static void test_nobody_there_is_a_problem(void **state)
{
	Bed *bed = *state;
	g_autoptr(Web) gone = web_new(bed->base, 0, answer, bed);
	g_autofree char *url = web_url(gone, "/good");
	g_autofree char *expected =
		g_strdup_printf("GET %s: cannot connect: Connection refused", url);
	g_clear_pointer(&gone, web_free);
	fetch_at(bed, url, (FetchCall){0});
	assert_string_equal(bed->problem, expected);
}

static void test_packed_answer_is_not_unpacked(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/gzip", (FetchCall){0});
	assert_null(strcasestr(bed->request, "encoding"));
	assert_int_equal((guint8)bed->body[0], 0x1f);
}

static void test_long_tag_is_none(void **state)
{
	Bed *bed = *state;
	fetch_path(bed, "/long-etag", (FetchCall){0});
	assert_int_equal(bed->status, 200);
	assert_null(bed->etag);
}

static void test_wrong_calls_are_refused(void **state)
{
	Bed *bed = *state;
	g_autofree char *path = g_strnfill(FETCH_MAXIMUM_URL_BYTES, 'x');
	g_autofree char *url = g_strconcat("http://127.0.0.1/", path, NULL);
	g_autofree char *token = g_strnfill(FETCH_MAXIMUM_TOKEN_BYTES + 1, 't');
	const char *const urls[] = {"file:///etc/passwd", "ftp://a/", "http://a b/",
		"http://a/\r\nX: y", url, "http://"};
	for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
		fetch_at(bed, urls[i], (FetchCall){0});
		assert_non_null(bed->problem);
	}
	const char *const tokens[] = {"a b", "a\r\nX: y", "", token};
	for (guint i = 0; i < G_N_ELEMENTS(tokens); i++) {
		fetch_path(bed, "/good", (FetchCall){.token = tokens[i]});
		assert_problem(bed, "GET http://%s/good: the token is empty, too long, or holds a "
				    "blank or a control character");
	}
	assert_int_equal(bed->asked, 0);
}

static void test_password_is_not_shown(void **state)
{
	g_autofree char *shown = fetch_shown("https://me:secret@a.example/list");
	assert_string_equal(shown, "https://a.example/list");
	g_autofree char *odd = fetch_shown("http://\x01");
	assert_string_equal(odd, "\"http:// \"");
}

static void test_next_request_starts_where_the_last_is_told(void **state)
{
	Bed *bed = *state;
	bed->again = TRUE;
	fetch_path(bed, "/broken", (FetchCall){0});
	web_run(bed->base, &bed->told, 2);
	assert_int_equal(bed->status, 200);
}

static void test_freeing_within_the_tell_is_allowed(void **state)
{
	Bed *bed = *state;
	bed->end = TRUE;
	fetch_path(bed, "/good", (FetchCall){0});
	assert_null(bed->fetch);
}

static void test_cancelled_request_is_not_told(void **state)
{
	Bed *bed = *state;
	g_autofree char *url = web_url(bed->web, "/slow-body");
	start(bed, url, (FetchCall){.timeout_ms = 50});
	web_run(bed->base, &bed->asked, 1);
	fetch_cancel(bed->fetch);
	assert_false(fetch_is_busy(bed->fetch));
	web_idle(bed->base, 100);
	assert_int_equal(bed->told, 0);
	fetch_path(bed, "/good", (FetchCall){0});
	assert_int_equal(bed->status, 200);
}

static void test_name_is_looked_up_once(void **state)
{
	Bed *bed = *state;
	g_autofree char *url = g_strdup_printf("http://lists.example:%u/good", web_port(bed->web));
	web_name("lists.example", "127.0.0.1");
	for (guint i = 0; i < 3; i++) {
		fetch_at(bed, url, (FetchCall){0});
		assert_null(bed->problem);
		assert_int_equal(bed->status, 200);
	}
	assert_int_equal(web_lookups(), 2); /* one a family */
	assert_non_null(strstr(bed->request, "\r\nHost: lists.example:"));
}

static void test_another_name_is_another_lookup(void **state)
{
	Bed *bed = *state;
	g_autofree char *one = g_strdup_printf("http://one.example:%u/good", web_port(bed->web));
	g_autofree char *two = g_strdup_printf("http://two.example.:%u/good", web_port(bed->web));
	web_name("one.example", "127.0.0.1");
	web_name("two.example.", "127.0.0.1");
	fetch_at(bed, one, (FetchCall){0});
	assert_int_equal(bed->status, 200);
	fetch_at(bed, two, (FetchCall){0});
	assert_null(bed->problem);
	assert_int_equal(bed->status, 200);
	assert_int_equal(web_lookups(), 4);
}

static void test_name_without_address_is_a_problem(void **state)
{
	Bed *bed = *state;
	web_name("gone.example", "");
	fetch_at(bed, "http://gone.example/", (FetchCall){0});
	assert_string_equal(bed->problem, "GET http://gone.example/: no such name");
	web_name("silent.example", NULL);
	fetch_at(bed, "http://silent.example/", (FetchCall){.timeout_ms = 100});
	assert_string_equal(bed->problem, "GET http://silent.example/: no whole answer within 0.1 "
					  "s: its name has no address yet");
}

static void test_localhost_needs_no_lookup(void **state)
{
	Bed *bed = *state;
	g_autofree char *url = g_strdup_printf("http://localhost:%u/good", web_port(bed->web));
	fetch_at(bed, url, (FetchCall){0});
	assert_null(bed->problem);
	assert_int_equal(bed->status, 200);
	assert_int_equal(web_lookups(), 0);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BED(test_answer_comes_whole),
		BED(test_request_says_what_it_must_and_no_more),
		BED(test_json_is_posted),
		BED(test_any_status_is_an_answer),
		BED(test_redirect_is_not_followed),
		BED(test_proxies_of_the_environment_are_ignored),
		BED(test_connection_is_used_again),
		BED(test_too_much_is_broken_off),
		BED(test_slow_answers_run_out_of_time),
		BED(test_broken_answers_are_problems),
		BED(test_nobody_there_is_a_problem),
		BED(test_packed_answer_is_not_unpacked),
		BED(test_long_tag_is_none),
		BED(test_wrong_calls_are_refused),
		cmocka_unit_test(test_password_is_not_shown),
		BED(test_next_request_starts_where_the_last_is_told),
		BED(test_freeing_within_the_tell_is_allowed),
		BED(test_cancelled_request_is_not_told),
		BED(test_name_is_looked_up_once),
		BED(test_another_name_is_another_lookup),
		BED(test_name_without_address_is_a_problem),
		BED(test_localhost_needs_no_lookup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
