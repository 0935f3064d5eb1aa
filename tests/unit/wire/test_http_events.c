/* SPDX-License-Identifier: ISC
 *
 * Event streams: what every reader gets, and how a stream ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "wire/http_server.h"

#define ASK "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"

typedef struct Fixture {
	HttpEvents *events;
	HttpServer *server;
	guint16 port;
} Fixture;

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	Fixture *fixture = of;
	if (strcmp(http_request_path(request), "/events") == 0)
		return http_answer_new_stream(fixture->events, http_request_path(request));
	return http_answer_new(200, "text/plain", "ok", -1);
}

static int start(void **state, HttpServerOptions options)
{
	Fixture *fixture = g_new0(Fixture, 1);
	fixture->events = http_events_new();
	options.address = "127.0.0.1";
	options.handler = serve;
	options.of = fixture;
	options.maximum_connections_per_address = 2000;
	fixture->server = http_server_start(&options, NULL);
	*state = fixture;
	if (!fixture->server)
		return -1;
	fixture->port = http_server_port(fixture->server);
	return 0;
}

/* Heartbeats come so rarely that a test never sees one. */
static int set_up(void **state)
{
	return start(state, (HttpServerOptions){.workers = 2, .heartbeat_ms = 3600000});
}

static int set_up_loop(void **state)
{
	return start(state, (HttpServerOptions){.heartbeat_ms = 3600000});
}

static int set_up_beating(void **state)
{
	return start(
		state, (HttpServerOptions){.workers = 1, .heartbeat_ms = 50, .deadline_ms = 200});
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	http_server_stop(fixture->server, 1000);
	http_events_unref(fixture->events);
	g_free(fixture);
	return 0;
}

static int open_stream(const Fixture *fixture)
{
	int fd = peer_connect(fixture->port);
	peer_send(fd, ASK);
	g_autofree char *head = peer_read_until(fd, "retry: 2000\n\n");
	assert_int_equal(peer_status(head), 200);
	assert_non_null(strstr(head, "\r\nContent-Type: text/event-stream; charset=utf-8\r\n"));
	assert_non_null(strstr(head, "\r\nCache-Control: no-store\r\n"));
	return fd;
}

static void await_streams(const Fixture *fixture, guint count)
{
	gint64 patience_us = g_get_monotonic_time() + PEER_PATIENCE_MS * 1000;
	while (http_events_streams(fixture->events) != count) {
		assert_true(g_get_monotonic_time() < patience_us);
		g_usleep(1000);
	}
}

static void assert_comes(int fd, const char *text)
{
	g_autofree char *got = peer_read_until(fd, text);
	if (!got)
		fail_msg("the stream ended before %s", text);
}

static void check_two_streams(void **state)
{
	Fixture *fixture = *state;
	int first = open_stream(fixture), second = open_stream(fixture);
	assert_int_equal(http_events_streams(fixture->events), 2);
	for (guint i = 0; i < 200; i++) {
		g_autofree char *id = g_strdup_printf("%u", i);
		g_autofree char *text =
			g_strdup_printf("event: tick\nid: %u\ndata: {\"n\":%u}\n\n", i, i);
		g_autofree char *data = g_strdup_printf("{\"n\":%u}", i);
		http_events_publish(fixture->events, "tick", id, data);
		assert_comes(first, text);
		assert_comes(second, text);
	}
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.streams, 2);
	close(first);
	close(second);
	await_streams(fixture, 0); /* without an event or a heartbeat */
}

static void test_two_streams_get_the_same_events(void **state)
{
	check_two_streams(state);
}

static void test_streams_work_without_workers(void **state)
{
	check_two_streams(state);
}

static gpointer publish_many(gpointer of)
{
	HttpEvents *events = of;
	for (guint i = 0; i < 500; i++)
		http_events_publish(events, "many", NULL, "x");
	return NULL;
}

static void test_events_of_many_threads_arrive_whole(void **state)
{
	Fixture *fixture = *state;
	int fd = open_stream(fixture);
	GThread *threads[4];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("publish", publish_many, fixture->events);
	for (guint i = 0; i < 500 * G_N_ELEMENTS(threads); i++)
		assert_comes(fd, "event: many\ndata: x\n\n");
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	close(fd);
}

static void test_new_stream_begins_with_the_newest_of_each_name(void **state)
{
	Fixture *fixture = *state;
	http_events_publish(fixture->events, "a", "1", "old");
	http_events_publish(fixture->events, "b", "2", "two");
	http_events_publish(fixture->events, "a", "3", "new");
	int fd = peer_connect(fixture->port);
	peer_send(fd, ASK);
	g_autofree char *begin = peer_read_until(fd, "data: new\n\n");
	assert_non_null(begin);
	assert_null(strstr(begin, "old"));
	const char *two = strstr(begin, "event: b\nid: 2\ndata: two\n\n");
	assert_non_null(two);
	assert_non_null(strstr(two, "event: a\nid: 3\ndata: new\n\n"));
	close(fd);
}

static void test_reader_that_does_not_read_is_dropped(void **state)
{
	Fixture *fixture = *state;
	int lazy = peer_connect(fixture->port);
	int small = 4096;
	setsockopt(lazy, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	peer_send(lazy, ASK);
	int keen = open_stream(fixture);
	await_streams(fixture, 2);
	g_autofree char *data = g_strnfill(8000, 'x');
	/* 32 MB fill any buffer of the kernel, and then our backlog. */
	for (guint i = 0; i < 4000 && http_events_streams(fixture->events) == 2; i++) {
		http_events_publish(fixture->events, "bulk", NULL, data);
		assert_comes(keen, "xx\n\n");
	}
	await_streams(fixture, 1);
	http_events_publish(fixture->events, "after", NULL, "still here");
	assert_comes(keen, "data: still here\n\n");
	close(lazy);
	close(keen);
}

static void test_heartbeats_come_and_streams_have_no_deadline(void **state)
{
	Fixture *fixture = *state;
	int fd = open_stream(fixture);
	for (guint i = 0; i < 10; i++) /* 500 ms: more than the deadline */
		assert_comes(fd, ":\n\n");
	http_events_publish(fixture->events, "late", NULL, "1");
	assert_comes(fd, "data: 1\n\n");
	close(fd);
}

static void test_close_ends_streams(void **state)
{
	Fixture *fixture = *state;
	int fd = open_stream(fixture);
	http_events_publish(fixture->events, "last", NULL, "words");
	http_events_close(fixture->events);
	assert_comes(fd, "data: words\n\n");
	assert_comes(fd, "0\r\n\r\n"); /* the end of a chunked body: not broken off */
	await_streams(fixture, 0);
	g_autofree char *refused = peer_ask(fixture->port, ASK);
	assert_int_equal(peer_status(refused), 503);
	close(fd);
}

static void test_stop_ends_streams(void **state)
{
	Fixture *fixture = *state;
	int fd = open_stream(fixture);
	http_server_stop(g_steal_pointer(&fixture->server), 60000);
	assert_comes(fd, "0\r\n\r\n");
	assert_int_equal(http_events_streams(fixture->events), 0);
	close(fd);
}

static void test_streams_are_limited(void **state)
{
	Fixture *fixture = *state;
	int held[HTTP_EVENTS_MAXIMUM_STREAMS];
	for (gsize i = 0; i < G_N_ELEMENTS(held); i++)
		held[i] = open_stream(fixture);
	g_autofree char *refused = peer_ask(fixture->port, ASK);
	assert_int_equal(peer_status(refused), 503);
	assert_non_null(strstr(refused, "\r\nRetry-After: "));
	close(held[0]);
	await_streams(fixture, HTTP_EVENTS_MAXIMUM_STREAMS - 1);
	held[0] = open_stream(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(held); i++)
		close(held[i]);
	await_streams(fixture, 0);
}

static void test_head_of_a_stream_ends_at_once(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	g_autofree char *head = peer_read_all(fd);
	assert_int_equal(peer_status(head), 200);
	assert_string_equal(peer_body(head), "");
	await_streams(fixture, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name, with) cmocka_unit_test_setup_teardown(name, with, tear_down)
		CASE(test_two_streams_get_the_same_events, set_up),
		CASE(test_streams_work_without_workers, set_up_loop),
		CASE(test_events_of_many_threads_arrive_whole, set_up),
		CASE(test_new_stream_begins_with_the_newest_of_each_name, set_up),
		CASE(test_reader_that_does_not_read_is_dropped, set_up),
		CASE(test_heartbeats_come_and_streams_have_no_deadline, set_up_beating),
		CASE(test_close_ends_streams, set_up),
		CASE(test_stop_ends_streams, set_up),
		CASE(test_streams_are_limited, set_up),
		CASE(test_head_of_a_stream_ends_at_once, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
