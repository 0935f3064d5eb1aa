/* SPDX-License-Identifier: ISC
 *
 * The HTTP server against peers that mean harm, or are only slow: every limit at its edge, every
 * deadline, every way of asking for what is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "wire/http_server.h"

/* Which engine this run is about: the program's first word. */
static HttpEngine engine;

#define LARGE_BYTES (16 * 1024 * 1024)

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	const char *path = http_request_path(request);
	if (strcmp(path, "/large") == 0) {
		g_autofree char *large = g_strnfill(LARGE_BYTES, 'x');
		return http_answer_new(200, "text/plain", large, LARGE_BYTES);
	}
	g_autofree char *text = g_strdup_printf(
		"%s %" G_GSIZE_FORMAT, path, g_bytes_get_size(http_request_body(request)));
	return http_answer_new(200, "text/plain", text, -1);
}

static gsize limit_of(const char *method, const char *path, gpointer of)
{
	return strcmp(path, "/small") == 0 ? 10 : HTTP_MAXIMUM_BODY_BYTES;
}

typedef struct Fixture {
	HttpServer *server;
	guint16 port;
} Fixture;

static int start(void **state, HttpServerOptions options)
{
	Fixture *fixture = g_new0(Fixture, 1);
	options.address = "127.0.0.1";
	options.handler = serve;
	options.body_limit = limit_of;
	options.engine = engine;
	options.workers = engine == HTTP_ENGINE_LOOP ? 0 : 2;
	fixture->server = http_server_start(&options, NULL);
	*state = fixture;
	if (!fixture->server)
		return -1;
	fixture->port = http_server_port(fixture->server);
	return 0;
}

static int set_up(void **state)
{
	return start(state, (HttpServerOptions){0});
}

static int set_up_impatient(void **state)
{
	return start(state, (HttpServerOptions){.deadline_ms = 300, .idle_ms = 600});
}

/* Nothing happens by itself here. */
static int set_up_patient(void **state)
{
	return start(state, (HttpServerOptions){.deadline_ms = 3600000, .idle_ms = 3600000});
}

static int set_up_narrow(void **state)
{
	return start(state, (HttpServerOptions){.maximum_connections_per_address = 3});
}

static int set_up_wide(void **state)
{
	return start(state, (HttpServerOptions){.maximum_connections = 2000,
				    .maximum_connections_per_address = 2000,
				    .deadline_ms = 2000});
}

static int set_up_few(void **state)
{
	return start(state, (HttpServerOptions){.maximum_connections = 2,
				    .maximum_connections_per_address = 100});
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	http_server_stop(fixture->server, 0);
	g_free(fixture);
	return 0;
}

static void assert_status(void **state, const char *request, int status)
{
	Fixture *fixture = *state;
	g_autofree char *answer = peer_ask(fixture->port, request);
	if (peer_status(answer) != status)
		fail_msg("%.300s\nis answered with %d instead of %d: %.200s", request,
			peer_status(answer), status, answer ? answer : "(closed)");
	if (answer) {
		assert_null(strstr(answer, "\r\nServer:"));
		assert_null(strstr(answer, "icrohttpd"));
	}
}

/* -- what is asked for
 * ------------------------------------------------------------------------------ */

static void assert_target(void **state, const char *target, int status)
{
	g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
	assert_status(state, request, status);
}

static void test_odd_paths_are_refused(void **state)
{
	static const char *const odd[] = {"/..", "/../etc/passwd", "/a/../b", "/a/..", "/.", "/./a",
		"/a/.", "//", "//a", "/a//b", "/%2e%2e/a", "/%2E./a", "/a%2fb", "/a%2F..%2Fb",
		"/%00", "/a%00b", "/a%", "/a%4", "/a%zz", "/%ff", "/%c0%ae%c0%ae/", "/%ed%a0%80",
		"/a%0d%0ab", "/%7f", "/%1b", "/a#b", "*", "a", "http://x/a", "/?q=%", "/?q=%00",
		"/?%ff=1", "/\x01"};
	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
		assert_target(state, odd[i], 400);
}

static void test_fine_paths_are_served_decoded(void **state)
{
	static const char *const fine[][2] = {{"/", "/ 0"}, {"/a/", "/a/ 0"},
		{"/a..b/...", "/a..b/... 0"}, {"/%41%2eb", "/A.b 0"}, {"/a+b", "/a+b 0"},
		{"/%2525", "/%25 0"}, {"/.well-known", "/.well-known 0"},
		{"/%c3%a9?", "/\xc3\xa9 0"}, {"/q?a=/../&b=%2f//", "/q 0"}};
	Fixture *fixture = *state;
	for (gsize i = 0; i < G_N_ELEMENTS(fine); i++) {
		g_autofree char *request =
			g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", fine[i][0]);
		g_autofree char *answer = peer_ask(fixture->port, request);
		assert_string_equal(peer_body(answer), fine[i][1]);
	}
}

static void test_only_known_methods_are_served(void **state)
{
	static const struct {
		const char *method;
		int status;
	} cases[] = {{"GET", 200}, {"POST", 200}, {"PUT", 200}, {"PATCH", 200}, {"DELETE", 200},
		{"OPTIONS", 200}, {"TRACE", 405}, {"CONNECT", 405}, {"PROPFIND", 501}, {"get", 501},
		{"G\x01", 501}};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *request =
			g_strdup_printf("%s / HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].method);
		assert_status(state, request, cases[i].status);
	}
}

static void test_ambiguous_framing_is_refused(void **state)
{
	static const struct {
		const char *fields;
		int status;
	} cases[] = {
		{"Host: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400},
		{"Host: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n", 400},
		{"Host: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n", 400},
		{"Host: x\r\nContent-Length: 0, 0\r\n", 400},
		{"Host: x\r\nContent-Length: +0\r\n", 400},
		{"Host: x\r\nContent-Length: -1\r\n", 400},
		{"Host: x\r\nContent-Length: 0x0\r\n", 400},
		{"Host: x\r\nContent-Length:\r\n", 400},
		{"Host: x\r\nContent-Length : 0\r\n", 400},
		{"Host: x\r\nContent-Lengt: 0\r\n h\r\n", 400}, /* a folded line */
		{"Host: x\r\nX: a\r\n b\r\n", 400},
		{"Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
		{"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", 501},
		{"Host: x\r\nTransfer-Encoding: xchunked\r\n", 501},
		{"Host: x\r\nTransfer-Encoding:\x0b"
		 "chunked\r\n",
			400},
		{"Host: x\r\nHost: y\r\n", 400},
		{"Host: x\r\nhOsT: x\r\n", 400},
		{"X: y\r\n", 400}, /* no Host */
		{"Host: x\r\nno colon\r\n", 400},
		{"Host: x\r\nA(b): c\r\n", 400},
		{"Host: x\r\nX: a\x01"
		 "b\r\n",
			400},
		{"Host: x\r\nX: a\rb\r\n", 400},
		{"Host: x\r\nContent-Length: 99999999999999999999\r\n", 413},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *request =
			g_strdup_printf("POST / HTTP/1.1\r\n%s\r\n", cases[i].fields);
		assert_status(state, request, cases[i].status);
	}
	assert_status(state,
		"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
	assert_status(state, "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
	assert_status(state, "GET / HTTP/1.7\r\nHost: x\r\n\r\n", 505);
	assert_status(state, "GET /\r\nHost: x\r\n\r\n", 400);
	assert_status(state,
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		engine == HTTP_ENGINE_LOOP ? 413 : 400);
}

static void test_smuggled_request_is_not_answered(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "POST /outer HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: "
		      "chunked\r\n\r\n"
		      "0\r\n\r\nGET /inner HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *all = peer_read_all(fd);
	assert_int_equal(peer_status(all), 400);
	assert_null(strstr(all, "/inner"));
	assert_null(strstr(all + 5, "HTTP/1."));
	close(fd);
}

/* -- limits
 * ----------------------------------------------------------------------------------------- */

static void test_url_is_limited(void **state)
{
	g_autofree char *longest = g_strnfill(HTTP_MAXIMUM_URL_BYTES, 'a');
	longest[0] = '/';
	assert_target(state, longest, 200);
	g_autofree char *longer = g_strconcat(longest, "a", NULL);
	assert_target(state, longer, 414);
	g_autofree char *endless = g_strnfill(1024 * 1024, '/');
	assert_target(state, endless, 414);
}

static void test_header_is_limited(void **state)
{
	/* The whole header, from the request line to the empty line. */
	static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
	g_autofree char *value = g_strnfill(
		HTTP_MAXIMUM_HEADER_BYTES - (sizeof(start) - 1) - strlen("\r\n\r\n"), 'v');
	g_autofree char *largest = g_strdup_printf("%s%s\r\n\r\n", start, value);
	assert_int_equal(strlen(largest), HTTP_MAXIMUM_HEADER_BYTES);
	assert_status(state, largest, 200);
	g_autofree char *larger = g_strdup_printf("%sv%s\r\n\r\n", start, value);
	assert_status(state, larger, 431);
	g_autofree char *much = g_strnfill(1024 * 1024, 'v');
	g_autofree char *endless = g_strdup_printf("%s%s\r\n\r\n", start, much);
	assert_status(state, endless, 431);
}

static char *request_with_fields(guint count)
{
	GString *request = g_string_new("GET / HTTP/1.1\r\nHost: x\r\n");
	for (guint i = 1; i < count; i++)
		g_string_append_printf(request, "X-%u: y\r\n", i);
	g_string_append(request, "\r\n");
	return g_string_free(request, FALSE);
}

static void test_header_fields_are_limited(void **state)
{
	g_autofree char *most = request_with_fields(HTTP_MAXIMUM_HEADER_FIELDS);
	assert_status(state, most, 200);
	g_autofree char *more = request_with_fields(HTTP_MAXIMUM_HEADER_FIELDS + 1);
	assert_status(state, more, 431);
}

static void test_queries_are_limited(void **state)
{
	GString *target = g_string_new("/?");
	for (guint i = 0; i < HTTP_MAXIMUM_QUERIES; i++)
		g_string_append(target, "a&");
	assert_target(state, target->str, 200);
	g_string_append(target, "a");
	assert_target(state, target->str, 400);
	g_string_free(target, TRUE);
}

static void test_declared_body_is_limited_by_path(void **state)
{
	assert_status(state,
		"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789", 200);
	/* Not one byte of the body is sent: the answer does not wait for it. */
	assert_status(state, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413);
	assert_status(state,
		"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: "
		"100-continue\r\n\r\n",
		413);
}

static void test_chunked_body_is_limited_by_path(void **state)
{
	assert_status(state,
		"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
		"chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
		200);
	assert_status(state,
		"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		"a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
		413);
}

static void test_body_that_does_not_end_is_broken_off(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd,
		"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n");
	g_autofree char *much = g_strnfill(LARGE_BYTES, 'x');
	peer_send_bytes(fd, much, LARGE_BYTES);
	g_autofree char *answer = peer_read_all(fd);
	assert_string_equal(answer, "");
	close(fd);
	assert_target(state, "/after", 200);
}

static void test_largest_body_arrives(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	g_autofree char *body = g_strnfill(HTTP_MAXIMUM_BODY_BYTES, 'b');
	g_autofree char *head =
		g_strdup_printf("PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
			HTTP_MAXIMUM_BODY_BYTES);
	peer_send(fd, head);
	peer_send(fd, body);
	g_autofree char *answer = peer_read_answer(fd);
	assert_string_equal(peer_body(answer), "/big 1048576");
	close(fd);
}

static void test_connections_per_address_are_limited(void **state)
{
	Fixture *fixture = *state;
	int held[3];
	for (gsize i = 0; i < G_N_ELEMENTS(held); i++) {
		held[i] = peer_connect(fixture->port);
		peer_send(held[i], "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
		g_autofree char *answer = peer_read_answer(held[i]);
		assert_int_equal(peer_status(answer), 200);
	}
	int extra = peer_connect(fixture->port);
	assert_true(peer_is_closed(extra));
	close(extra);
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.refused_connections, 1);
	assert_int_equal(figures.open_connections, 3);

	close(held[0]); /* makes room */
	do {
		g_usleep(1000);
		http_server_figures(fixture->server, &figures);
	} while (figures.open_connections == 3);
	assert_target(state, "/again", 200);
	close(held[1]);
	close(held[2]);
}

static void test_connections_are_limited(void **state)
{
	Fixture *fixture = *state;
	int first = peer_connect(fixture->port), second = peer_connect(fixture->port);
	peer_send(first, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_send(second, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *one = peer_read_answer(first);
	g_autofree char *two = peer_read_answer(second);
	assert_int_equal(peer_status(one) + peer_status(two), 400);
	int third = peer_connect(fixture->port);
	assert_true(peer_is_closed(third));
	close(first);
	close(second);
	close(third);
}

static void test_thousand_connections_come_and_go(void **state)
{
	Fixture *fixture = *state;
	for (guint i = 0; i < 1000; i++) {
		int fd = peer_connect(fixture->port);
		if (i % 3 == 1)
			peer_send(fd, "GET /hal");
		if (i % 3 == 2)
			peer_send(fd, "GET /gone HTTP/1.1\r\nHost: x\r\n\r\n");
		close(fd);
		if (i % 50 == 0)
			assert_target(state, "/alive", 200);
	}
	HttpServerFigures figures;
	do {
		g_usleep(1000);
		http_server_figures(fixture->server, &figures);
	} while (figures.open_connections > 0);
	assert_target(state, "/alive", 200);
}

/* -- deadlines
 * -------------------------------------------------------------------------------------- */

static guint64 deadlines_passed(const Fixture *fixture)
{
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	return figures.deadlines_passed;
}

/* Sends one byte each 20 ms until the server has had enough. */
static gboolean is_cut_while_sending(int fd, char byte)
{
	for (guint i = 0; i < PEER_PATIENCE_MS / 20; i++) {
		char got;
		if (send(fd, &byte, 1, MSG_NOSIGNAL) < 0 || recv(fd, &got, 1, MSG_DONTWAIT) == 0)
			return TRUE;
		g_usleep(20000);
	}
	return FALSE;
}

static void test_slow_request_line_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	assert_true(is_cut_while_sending(fd, 'G'));
	assert_int_equal(deadlines_passed(fixture), 1);
	close(fd);
}

static void test_slow_header_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
	assert_true(is_cut_while_sending(fd, 'x'));
	assert_int_equal(deadlines_passed(fixture), 1);
	close(fd);
}

static void test_slow_body_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
	assert_true(is_cut_while_sending(fd, 'b'));
	assert_int_equal(deadlines_passed(fixture), 1);
	close(fd);
}

static void test_reader_that_does_not_read_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	HttpServerFigures figures;
	do {
		g_usleep(10000);
		http_server_figures(fixture->server, &figures);
	} while (figures.deadlines_passed == 0 || figures.open_connections > 0);
	g_autofree char *part = peer_read_all(fd);
	assert_true(strlen(part) < LARGE_BYTES);
	close(fd);
}

static void test_idle_connection_is_closed(void **state)
{
	Fixture *fixture = *state;
	int fresh = peer_connect(fixture->port);
	int used = peer_connect(fixture->port);
	peer_send(used, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *answer = peer_read_answer(used);
	assert_int_equal(peer_status(answer), 200);
	assert_true(peer_is_closed(fresh));
	assert_true(peer_is_closed(used));
	assert_int_equal(deadlines_passed(fixture), 0); /* to be idle is no offence */
	close(fresh);
	close(used);
}

static void test_slow_peers_do_not_hold_up_others(void **state)
{
	Fixture *fixture = *state;
	int slow[30];
	const char *begun = engine == HTTP_ENGINE_LOOP
				    ? "GET / HTTP/1.1\r\nHost: x\r\nA: b"
				    : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1";
	for (gsize i = 0; i < G_N_ELEMENTS(slow); i++) {
		slow[i] = peer_connect(fixture->port);
		peer_send(slow[i], i % 2 ? "GET / HT" : begun);
	}
	assert_target(state, "/quick", 200);
	for (gsize i = 0; i < G_N_ELEMENTS(slow); i++)
		close(slow[i]);
}

/* -- our own answers
 * -------------------------------------------------------------------------------- */

static void test_header_values_are_judged(void **state)
{
	assert_true(http_header_is_safe("text/plain; charset=utf-8"));
	assert_true(http_header_is_safe("a\tb \xc3\xa9"));
	assert_false(http_header_is_safe("a\r\nSet-Cookie: b"));
	assert_false(http_header_is_safe("a\nb"));
	assert_false(http_header_is_safe("a\x7f"));
}

static void test_unsafe_header_aborts(void **state)
{
	HttpAnswer *answer = http_answer_new(200, NULL, NULL, 0);
	pid_t child = fork();
	if (child == 0) {
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		http_answer_header(answer, "X", "a\r\nb");
		_exit(0);
	}
	int status = 0;
	waitpid(child, &status, 0);
	assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
	http_answer_free(answer);
}

static void test_errors_have_a_status(void **state)
{
	static const struct {
		DroverErrorCode code;
		int status;
	} cases[] = {{DROVER_ERROR_INTERNAL, 500}, {DROVER_ERROR_INPUT, 400},
		{DROVER_ERROR_NOT_FOUND, 404}, {DROVER_ERROR_CONFLICT, 409},
		{DROVER_ERROR_DENIED, 403}, {DROVER_ERROR_UNAUTHENTICATED, 401},
		{DROVER_ERROR_LOCKED, 423}, {DROVER_ERROR_MAINTENANCE, 503},
		{DROVER_ERROR_UNAVAILABLE, 503}, {DROVER_ERROR_FROZEN, 409},
		{DROVER_ERROR_ROOT, 500}, {DROVER_ERROR_TOO_LARGE, 413}, {DROVER_ERROR_RATE, 429}};
	assert_int_equal(G_N_ELEMENTS(cases), DROVER_ERROR_LAST);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		drover_error_set(&error, cases[i].code, "x");
		assert_int_equal(http_status_of_error(error), cases[i].status);
	}
}

#define CASE(name)	      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CASE_WITH(name, with) cmocka_unit_test_setup_teardown(name, with, tear_down)

/* What needs a body, or no server. */
static int run_library_tests(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_declared_body_is_limited_by_path),
		CASE(test_chunked_body_is_limited_by_path),
		CASE(test_body_that_does_not_end_is_broken_off),
		CASE(test_largest_body_arrives),
		CASE_WITH(test_slow_body_is_cut, set_up_impatient),
		cmocka_unit_test(test_header_values_are_judged),
		cmocka_unit_test(test_unsafe_header_aborts),
		cmocka_unit_test(test_errors_have_a_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	engine = argc > 1 && strcmp(argv[1], "loop") == 0 ? HTTP_ENGINE_LOOP : HTTP_ENGINE_LIBRARY;
	const struct CMUnitTest tests[] = {
		CASE(test_odd_paths_are_refused),
		CASE(test_fine_paths_are_served_decoded),
		CASE(test_only_known_methods_are_served),
		CASE(test_ambiguous_framing_is_refused),
		CASE(test_smuggled_request_is_not_answered),
		CASE(test_url_is_limited),
		CASE(test_header_is_limited),
		CASE(test_header_fields_are_limited),
		CASE(test_queries_are_limited),
		CASE_WITH(test_connections_per_address_are_limited, set_up_narrow),
		CASE_WITH(test_connections_are_limited, set_up_few),
		CASE_WITH(test_thousand_connections_come_and_go, set_up_wide),
		CASE_WITH(test_slow_request_line_is_cut, set_up_impatient),
		CASE_WITH(test_slow_header_is_cut, set_up_impatient),
		CASE_WITH(test_reader_that_does_not_read_is_cut, set_up_impatient),
		CASE_WITH(test_idle_connection_is_closed, set_up_impatient),
		CASE_WITH(test_slow_peers_do_not_hold_up_others, set_up_patient),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return engine == HTTP_ENGINE_LOOP ? failed : failed + run_library_tests();
}
