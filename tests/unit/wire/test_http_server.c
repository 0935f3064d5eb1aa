/* SPDX-License-Identifier: ISC
 *
 * The HTTP server as its handlers and well-behaved peers see it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "wire/http_server.h"

/* Handlers that a test holds up wait here until it lets them go. */
typedef struct Gate {
	GMutex lock;
	GCond changed;
	gboolean open;
	guint waiting;
	atomic_uint handled;
} Gate;

static void gate_init(Gate *gate)
{
	g_mutex_init(&gate->lock);
	g_cond_init(&gate->changed);
	gate->open = FALSE;
	gate->waiting = 0;
	atomic_init(&gate->handled, 0);
}

static void gate_pass(Gate *gate)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&gate->lock);
	gate->waiting++;
	g_cond_broadcast(&gate->changed);
	while (!gate->open)
		g_cond_wait(&gate->changed, &gate->lock);
}

static void gate_await(Gate *gate, guint waiting)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&gate->lock);
	while (gate->waiting < waiting)
		g_cond_wait(&gate->changed, &gate->lock);
}

static void gate_open(Gate *gate)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&gate->lock);
	gate->open = TRUE;
	g_cond_broadcast(&gate->changed);
}

/* Answers with what it was asked; "/wait" waits at the gate. */
static HttpAnswer *echo(const HttpRequest *request, gpointer of)
{
	Gate *gate = of;
	atomic_fetch_add(&gate->handled, 1);
	if (strcmp(http_request_path(request), "/wait") == 0)
		gate_pass(gate);
	if (strcmp(http_request_path(request), "/static") == 0) {
		g_autoptr(GBytes) sheet = g_bytes_new_static("body {}", 7);
		return http_answer_new_static(request, "text/css", sheet, "abc");
	}
	gsize body_bytes = 0;
	const char *body = g_bytes_get_data(http_request_body(request), &body_bytes);
	g_autofree char *cookie = http_request_cookie(request, "session");
	g_autofree char *text = g_strdup_printf("%s %s q=%s cookie=%s peer=%s secure=%d body=%.*s",
		http_request_method(request), http_request_path(request),
		http_request_query(request, "q"), cookie, http_request_peer(request),
		http_request_is_secure(request), (int)body_bytes, body ? body : "");
	return http_answer_new(200, "text/plain", text, -1);
}

typedef struct Fixture {
	Gate gate;
	HttpServer *server;
	guint16 port;
} Fixture;

static HttpServerOptions options_for(Fixture *fixture)
{
	return (HttpServerOptions){
		.address = "127.0.0.1", .handler = echo, .of = &fixture->gate, .workers = 2};
}

static void fixture_start(Fixture *fixture, const HttpServerOptions *options)
{
	g_autoptr(GError) error = NULL;
	fixture->server = http_server_start(options, &error);
	assert_null(error);
	assert_non_null(fixture->server);
	fixture->port = http_server_port(fixture->server);
	assert_true(fixture->port > 0);
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	gate_init(&fixture->gate);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	gate_open(&fixture->gate);
	http_server_stop(fixture->server, 100);
	g_free(fixture);
	return 0;
}

static void assert_body(const char *answer, const char *body)
{
	assert_non_null(answer);
	assert_string_equal(peer_body(answer), body);
}

static void test_request_is_answered_by_worker(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	g_autofree char *answer =
		peer_ask(fixture->port, "GET /a%20b?q=1&q=two+%C3%A9 HTTP/1.1\r\nHost: "
					"x\r\nCookie: a=b; session=s3; session=s4\r\n\r\n");
	assert_int_equal(peer_status(answer), 200);
	assert_body(answer, "GET /a b q=two \xc3\xa9 cookie=s3 peer=127.0.0.1 secure=0 body=");
	assert_non_null(strstr(answer, "\r\nDate: "));
	assert_null(strstr(answer, "\r\nServer: "));
}

static void test_request_is_answered_in_the_loop(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	options.workers = 0;
	fixture_start(fixture, &options);
	g_autofree char *answer = peer_ask(
		fixture->port, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	assert_body(answer, "POST /x q=(null) cookie=(null) peer=127.0.0.1 secure=0 body=hello");
}

static void test_connection_is_kept_alive_and_pipelined(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	int fd = peer_connect(fixture->port);
	peer_send(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *first = peer_read_answer(fd);
	g_autofree char *second = peer_read_answer(fd);
	assert_true(g_str_has_prefix(peer_body(first), "GET /1 "));
	assert_true(g_str_has_prefix(peer_body(second), "GET /2 "));
	peer_send(fd, "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *third = peer_read_answer(fd);
	assert_true(g_str_has_prefix(peer_body(third), "GET /3 "));
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.connections, 1);
	assert_int_equal(figures.requests, 3);
	assert_int_equal(figures.by_class[2], 3);
	close(fd);
}

static void test_head_is_get_without_body(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	int fd = peer_connect(fixture->port);
	peer_send(fd, "GET /same HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *whole = peer_read_answer(fd);
	peer_send(fd, "HEAD /same HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *head = peer_read_head(fd);
	/* The next answer begins right after the header: there was no body. */
	peer_send(fd, "GET /same HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *next = peer_read_answer(fd);
	assert_string_equal(peer_body(whole), peer_body(next));
	g_autofree char *length =
		g_strdup_printf("\r\nContent-Length: %zu\r\n", strlen(peer_body(whole)));
	assert_non_null(strstr(head, length));
	close(fd);
}

static void test_chunked_body_arrives_whole(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	g_autofree char *answer = peer_ask(fixture->port,
		"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
	assert_body(answer, "PUT /c q=(null) cookie=(null) peer=127.0.0.1 secure=0 body=abcde");
}

static void test_blocked_handler_does_not_stop_others(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	int held = peer_connect(fixture->port);
	peer_send(held, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	gate_await(&fixture->gate, 1);
	g_autofree char *other = peer_ask(fixture->port, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(peer_status(other), 200);
	gate_open(&fixture->gate);
	g_autofree char *answer = peer_read_answer(held);
	assert_int_equal(peer_status(answer), 200);
	close(held);
}

static void test_too_many_waiting_requests_are_refused(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	options.workers = 1;
	options.maximum_connections_per_address = 1000;
	fixture_start(fixture, &options);
	/* One is at work, HTTP_MAXIMUM_WAITING wait, the next is one too many. */
	int held[HTTP_MAXIMUM_WAITING + 1];
	for (gsize i = 0; i < G_N_ELEMENTS(held); i++) {
		held[i] = peer_connect(fixture->port);
		peer_send(held[i], "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
		if (i == 0)
			gate_await(&fixture->gate, 1);
	}
	/* The loop takes connections in any order: ask until one is refused. */
	g_autofree char *refused = NULL;
	int extra = peer_connect(fixture->port);
	peer_send(extra, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	HttpServerFigures figures = {0};
	while (figures.by_class[5] == 0) {
		g_usleep(1000);
		http_server_figures(fixture->server, &figures);
	}
	gate_open(&fixture->gate);
	guint served = 0, refusals = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(held); i++) {
		g_autofree char *answer = peer_read_answer(held[i]);
		served += peer_status(answer) == 200;
		refusals += peer_status(answer) == 503 && strstr(answer, "\r\nRetry-After: ");
		close(held[i]);
	}
	refused = peer_read_answer(extra);
	served += peer_status(refused) == 200;
	refusals += peer_status(refused) == 503;
	assert_int_equal(served, HTTP_MAXIMUM_WAITING + 1);
	assert_int_equal(refusals, 1);
	close(extra);
}

static void test_forwarded_address_counts_only_behind_a_proxy(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	static const char *const request =
		"GET /p HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n"
		"X-Forwarded-For: 198.51.100.1, 2001:db8::7\r\nX-Forwarded-Proto: https\r\n\r\n";
	fixture_start(fixture, &options);
	g_autofree char *direct = peer_ask(fixture->port, request);
	assert_body(direct, "GET /p q=(null) cookie=(null) peer=127.0.0.1 secure=0 body=");
	http_server_stop(fixture->server, 0);

	options.behind_proxy = TRUE;
	fixture_start(fixture, &options);
	g_autofree char *proxied = peer_ask(fixture->port, request);
	assert_body(proxied, "GET /p q=(null) cookie=(null) peer=2001:db8::7 secure=1 body=");
	g_autofree char *nonsense = peer_ask(fixture->port,
		"GET /p HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4, <script>\r\n\r\n");
	assert_body(nonsense, "GET /p q=(null) cookie=(null) peer=127.0.0.1 secure=0 body=");
}

static void test_static_bytes_are_not_sent_twice(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	g_autofree char *first = peer_ask(fixture->port, "GET /static HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(peer_status(first), 200);
	assert_body(first, "body {}");
	assert_non_null(strstr(first, "\r\nETag: \"abc\"\r\n"));
	g_autofree char *known = peer_ask(fixture->port,
		"GET /static HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"old\", W/\"abc\"\r\n\r\n");
	assert_int_equal(peer_status(known), 304);
	g_autofree char *stale = peer_ask(
		fixture->port, "GET /static HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"old\"\r\n\r\n");
	assert_int_equal(peer_status(stale), 200);
}

/* Stops the server while a request is at work. */
static gpointer stop_server(gpointer of)
{
	Fixture *fixture = of;
	http_server_stop(g_steal_pointer(&fixture->server), 10000);
	return NULL;
}

static void test_stop_lets_the_running_request_finish(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	int idle = peer_connect(fixture->port);
	peer_send(idle, "GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *first = peer_read_answer(idle);
	assert_int_equal(peer_status(first), 200);
	int held = peer_connect(fixture->port);
	peer_send(held, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
	gate_await(&fixture->gate, 1);

	GThread *thread = g_thread_new("stop", stop_server, fixture);
	assert_true(peer_is_closed(idle)); /* while the other is still at work */
	gate_open(&fixture->gate);
	g_autofree char *answer = peer_read_answer(held);
	assert_int_equal(peer_status(answer), 200);
	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_true(peer_is_closed(held));
	g_thread_join(thread);
	close(idle);
	close(held);
}

static void test_ipv6_is_served(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	options.address = "::";
	fixture_start(fixture, &options);
	g_autofree char *answer = peer_ask(fixture->port, "GET /6 HTTP/1.1\r\nHost: x\r\n\r\n");
	/* IPv4 inside IPv6 reads as IPv4. */
	assert_body(answer, "GET /6 q=(null) cookie=(null) peer=127.0.0.1 secure=0 body=");
}

static void test_address_in_use_is_named(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	fixture_start(fixture, &options);
	options.port = fixture->port;
	g_autoptr(GError) error = NULL;
	assert_null(http_server_start(&options, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INTERNAL));
	g_autofree char *expected = g_strdup_printf("listen on 127.0.0.1 port %u: Address already "
						    "in use (another program listens there)",
		fixture->port);
	assert_string_equal(error->message, expected);
}

static void test_address_must_be_numeric(void **state)
{
	Fixture *fixture = *state;
	HttpServerOptions options = options_for(fixture);
	options.address = "localhost";
	g_autoptr(GError) error = NULL;
	assert_null(http_server_start(&options, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_non_null(
		strstr(error->message, "listen on \"localhost\": not an IPv4 or IPv6 address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(test_request_is_answered_by_worker),
		CASE(test_request_is_answered_in_the_loop),
		CASE(test_connection_is_kept_alive_and_pipelined),
		CASE(test_head_is_get_without_body),
		CASE(test_chunked_body_arrives_whole),
		CASE(test_blocked_handler_does_not_stop_others),
		CASE(test_too_many_waiting_requests_are_refused),
		CASE(test_forwarded_address_counts_only_behind_a_proxy),
		CASE(test_static_bytes_are_not_sent_twice),
		CASE(test_stop_lets_the_running_request_finish),
		CASE(test_ipv6_is_served),
		CASE(test_address_in_use_is_named),
		CASE(test_address_must_be_numeric),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
