/* SPDX-License-Identifier: ISC
 *
 * Requests that wait for news: who wakes them, what they cost, and how waiting ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "wire/http_server.h"

#define WAIT	    "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
#define LOOK	    "GET /look HTTP/1.1\r\nHost: x\r\n\r\n"
#define LONG_MS	    3600000
#define KNOWN_VALUE 1

/* The handler says how often it was asked, and the news. */
typedef struct Fixture {
	HttpServer *server;
	guint16 port;
	guint patience_ms;
	gint value;	    /* atomic: the news; those who wait know KNOWN_VALUE */
	gint rings_at_look; /* atomic: news comes while the handler looks */
} Fixture;

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	Fixture *fixture = of;
	gint value = g_atomic_int_get(&fixture->value);
	if (strcmp(http_request_path(request), "/look") == 0)
		return http_answer_new(200, "text/plain", "looked", -1);
	if (g_atomic_int_compare_and_exchange(&fixture->rings_at_look, 1, 0)) {
		g_atomic_int_set(&fixture->value, 2);
		http_server_ring(fixture->server, "news", 2);
	}
	guint waited_ms = http_request_waited_ms(request);
	if (value <= KNOWN_VALUE && waited_ms < fixture->patience_ms)
		return http_answer_new_wait("news", KNOWN_VALUE, fixture->patience_ms - waited_ms);
	g_autofree char *text = g_strdup_printf("value %d", value);
	return http_answer_new(200, "text/plain", text, -1);
}

static int start(void **state, HttpServerOptions options, guint patience_ms)
{
	Fixture *fixture = g_new0(Fixture, 1);
	fixture->patience_ms = patience_ms;
	fixture->value = KNOWN_VALUE;
	options.address = "127.0.0.1";
	options.handler = serve;
	options.of = fixture;
	fixture->server = http_server_start(&options, NULL);
	*state = fixture;
	if (!fixture->server)
		return -1;
	fixture->port = http_server_port(fixture->server);
	return 0;
}

static int set_up(void **state)
{
	return start(state,
		(HttpServerOptions){.workers = 1, .maximum_connections_per_address = 2000},
		LONG_MS);
}

static int set_up_strict(void **state)
{
	return start(state, (HttpServerOptions){.workers = 1, .maximum_connections_per_address = 3},
		LONG_MS);
}

/* Waits for longer than a request may take. */
static int set_up_brief(void **state)
{
	return start(state, (HttpServerOptions){.workers = 1, .deadline_ms = 100}, 400);
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	http_server_stop(fixture->server, 1000);
	g_free(fixture);
	return 0;
}

static void wait_for_polls(const Fixture *fixture, guint expected)
{
	HttpServerFigures figures;
	gint64 until_us = g_get_monotonic_time() + PEER_PATIENCE_MS * 1000;
	do {
		http_server_figures(fixture->server, &figures);
		assert_true(g_get_monotonic_time() < until_us);
	} while (figures.polls != expected);
}

static void tell_news(Fixture *fixture, gint value)
{
	g_atomic_int_set(&fixture->value, value);
	http_server_ring(fixture->server, "news", value);
}

static void assert_answered(int fd, const char *body)
{
	g_autofree char *answer = peer_read_answer(fd);
	assert_int_equal(peer_status(answer), 200);
	assert_string_equal(peer_body(answer), body);
}

static void test_who_waits_is_answered_when_news_comes(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, WAIT);
	wait_for_polls(fixture, 1);
	tell_news(fixture, 7);
	assert_answered(fd, "value 7");
	/* The connection goes on: what is known by then is answered at once. */
	peer_send(fd, WAIT);
	assert_answered(fd, "value 7");
	close(fd);
}

static void test_other_topics_and_old_values_wake_nobody(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, WAIT);
	wait_for_polls(fixture, 1);
	http_server_ring(fixture->server, "weather", 99);
	http_server_ring(fixture->server, "news", KNOWN_VALUE);
	g_autofree char *looked = peer_ask(fixture->port, LOOK);
	assert_int_equal(peer_status(looked), 200);
	wait_for_polls(fixture, 1);
	tell_news(fixture, 2);
	assert_answered(fd, "value 2");
	close(fd);
}

static void test_news_between_the_look_and_the_waiting_is_not_missed(void **state)
{
	Fixture *fixture = *state;
	g_atomic_int_set(&fixture->rings_at_look, 1);
	g_autofree char *answer = peer_ask(fixture->port, WAIT);
	assert_string_equal(peer_body(answer), "value 2");
}

static void test_waiting_takes_no_worker(void **state)
{
	Fixture *fixture = *state;
	int fds[100];
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = peer_connect(fixture->port);
		peer_send(fds[i], WAIT);
	}
	wait_for_polls(fixture, G_N_ELEMENTS(fds));
	g_autofree char *looked = peer_ask(fixture->port, LOOK);
	assert_string_equal(peer_body(looked), "looked");
	tell_news(fixture, 3);
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
		assert_answered(fds[i], "value 3");
		close(fds[i]);
	}
}

static void test_who_waits_does_not_count_for_its_address(void **state)
{
	Fixture *fixture = *state;
	int fds[10];
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = peer_connect(fixture->port);
		peer_send(fds[i], WAIT);
		wait_for_polls(fixture, i + 1);
	}
	int quiet[3];
	for (guint i = 0; i < G_N_ELEMENTS(quiet); i++) {
		quiet[i] = peer_connect(fixture->port);
		peer_send(quiet[i], LOOK);
		assert_answered(quiet[i], "looked");
	}
	int refused = peer_connect(fixture->port);
	assert_true(peer_is_closed(refused));
	close(refused);
	for (guint i = 0; i < G_N_ELEMENTS(quiet); i++)
		close(quiet[i]);
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	wait_for_polls(fixture, 0);
}

static void test_waiting_ends_by_itself_and_no_deadline_cuts_it(void **state)
{
	Fixture *fixture = *state;
	HttpServerFigures figures;
	g_autofree char *answer = peer_ask(fixture->port, WAIT);
	assert_string_equal(peer_body(answer), "value 1");
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.deadlines_passed, 0);
}

static void test_a_peer_that_leaves_waits_no_longer(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, WAIT);
	wait_for_polls(fixture, 1);
	close(fd);
	wait_for_polls(fixture, 0);
}

static void test_stopping_refuses_who_waits(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, WAIT);
	wait_for_polls(fixture, 1);
	http_server_stop(g_steal_pointer(&fixture->server), LONG_MS);
	g_autofree char *answer = peer_read_answer(fd);
	assert_int_equal(peer_status(answer), 503);
	assert_non_null(strstr(answer, "Retry-After"));
	assert_true(peer_is_closed(fd));
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_waits_is_answered_when_news_comes),
		TEST(test_other_topics_and_old_values_wake_nobody),
		TEST(test_news_between_the_look_and_the_waiting_is_not_missed),
		TEST(test_waiting_takes_no_worker),
		cmocka_unit_test_setup_teardown(
			test_who_waits_does_not_count_for_its_address, set_up_strict, tear_down),
		cmocka_unit_test_setup_teardown(test_waiting_ends_by_itself_and_no_deadline_cuts_it,
			set_up_brief, tear_down),
		TEST(test_a_peer_that_leaves_waits_no_longer),
		TEST(test_stopping_refuses_who_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
