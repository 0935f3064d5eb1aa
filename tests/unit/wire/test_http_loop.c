/* SPDX-License-Identifier: ISC
 *
 * Our own HTTP loop where it differs from the library, and files on both engines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "peer.h"
#include "wire/http_server.h"

#define LARGE_BYTES (3 * 1024 * 1024)

typedef struct Fixture {
	char *folder;
	int fd; /* of the folder */
	HttpServer *server;
	guint16 port;
} Fixture;

static HttpAnswer *serve(const HttpRequest *request, gpointer of)
{
	const Fixture *fixture = of;
	const char *path = http_request_path(request);
	if (strcmp(path, "/large") == 0) {
		g_autofree char *large = g_strnfill(LARGE_BYTES, 'x');
		return http_answer_new(200, "text/plain", large, LARGE_BYTES);
	}
	if (g_str_has_prefix(path, "/f/"))
		return http_answer_new_file(request, fixture->fd, path + 3, "text/plain");
	g_autofree char *text =
		g_strdup_printf("%s %s peer=%s secure=%d", http_request_method(request), path,
			http_request_peer(request), http_request_is_secure(request));
	return http_answer_new(200, "text/plain", text, -1);
}

static int start(void **state, HttpServerOptions options)
{
	Fixture *fixture = g_new0(Fixture, 1);
	*state = fixture;
	fixture->folder = g_dir_make_tmp("drover-http-XXXXXX", NULL);
	g_autofree char *small = g_build_filename(fixture->folder, "small", NULL);
	g_autofree char *large = g_build_filename(fixture->folder, "large", NULL);
	g_autofree char *bytes = g_strnfill(LARGE_BYTES, 'y');
	g_file_set_contents(small, "0123456789", 10, NULL);
	g_file_set_contents(large, bytes, LARGE_BYTES, NULL);
	fixture->fd = open(fixture->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	options.address = "127.0.0.1";
	options.handler = serve;
	options.of = fixture;
	fixture->server = http_server_start(&options, NULL);
	if (!fixture->server)
		return -1;
	fixture->port = http_server_port(fixture->server);
	return 0;
}

static int set_up(void **state)
{
	return start(state, (HttpServerOptions){.engine = HTTP_ENGINE_LOOP, .loops = 3});
}

static int set_up_library(void **state)
{
	return start(state, (HttpServerOptions){0});
}

static int set_up_proxied(void **state)
{
	return start(state, (HttpServerOptions){.engine = HTTP_ENGINE_LOOP, .behind_proxy = TRUE});
}

static int set_up_impatient(void **state)
{
	return start(state, (HttpServerOptions){.engine = HTTP_ENGINE_LOOP, .deadline_ms = 200});
}

static int set_up_one(void **state)
{
	return start(state, (HttpServerOptions){.engine = HTTP_ENGINE_LOOP, .loops = 1});
}

static int set_up_alone(void **state)
{
	return start(state, (HttpServerOptions){.engine = HTTP_ENGINE_LOOP,
				    .loops = 1,
				    .maximum_connections_per_address = 1});
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	http_server_stop(fixture->server, 0);
	close(fixture->fd);
	file_remove(fixture->folder, NULL);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

static void assert_answer(void **state, const char *request, int status, const char *body)
{
	Fixture *fixture = *state;
	g_autofree char *answer = peer_ask(fixture->port, request);
	assert_int_equal(peer_status(answer), status);
	assert_string_equal(peer_body(answer), body);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	GString *asked = g_string_new(NULL);
	for (guint i = 0; i < 1000; i++)
		g_string_append_printf(asked, "GET /%u HTTP/1.1\r\nHost: x\r\n\r\n", i);
	peer_send(fd, asked->str);
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *answer = peer_read_answer(fd);
		g_autofree char *body = g_strdup_printf("GET /%u peer=127.0.0.1 secure=0", i);
		assert_string_equal(peer_body(answer), body);
	}
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.connections, 1);
	assert_int_equal(figures.requests, 1000);
	assert_int_equal(figures.by_class[2], 1000);
	g_string_free(asked, TRUE);
	close(fd);
}

static void test_large_bodies_between_small_ones_stay_whole(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd,
		"GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /f/large HTTP/1.1\r\nHost: x\r\n\r\n"
		"HEAD /large HTTP/1.1\r\nHost: x\r\n\r\nGET /f/small HTTP/1.1\r\nHost: x\r\n"
		"Connection: close\r\n\r\n");
	g_autofree char *first = peer_read_answer(fd);
	g_autofree char *second = peer_read_answer(fd);
	g_autofree char *head = peer_read_head(fd);
	g_autofree char *last = peer_read_answer(fd);
	assert_int_equal(strspn(peer_body(first), "x"), LARGE_BYTES);
	assert_int_equal(strspn(peer_body(second), "y"), LARGE_BYTES);
	assert_non_null(strstr(head, "\r\nContent-Length: 3145728\r\n"));
	assert_string_equal(peer_body(last), "0123456789");
	assert_true(peer_is_closed(fd));
	close(fd);
}

static void test_proxy_is_believed_when_told_so(void **state)
{
	assert_answer(state,
		"GET /p HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.1\r\n"
		"X-Forwarded-Proto: https\r\n\r\n",
		200, "GET /p peer=198.51.100.1 secure=1");
}

static void test_proxy_is_not_believed_otherwise(void **state)
{
	assert_answer(state, "GET /p HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n", 200,
		"GET /p peer=127.0.0.1 secure=0");
}

static void test_refusal_reaches_a_peer_that_goes_on_sending(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	g_autofree char *much = g_strnfill(HTTP_LINGER_BYTES / 2, 'x');
	peer_send(fd, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 524288\r\n\r\n");
	peer_send(fd, much);
	g_autofree char *all = peer_read_all(fd);
	assert_int_equal(peer_status(all), 413);
	close(fd);
}

static void test_peer_that_never_stops_sending_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	g_autofree char *much = g_strnfill(HTTP_LINGER_BYTES, 'x');
	peer_send(fd, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
	HttpServerFigures figures;
	do {
		peer_send_bytes(fd, much, HTTP_LINGER_BYTES);
		http_server_figures(fixture->server, &figures);
	} while (figures.open_connections > 0);
	close(fd);
}

/* A refused peer that neither sends nor leaves: HTTP_LINGER_MS. */
static void test_peer_that_never_leaves_is_left(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "nonsense\r\n\r\n");
	g_autofree char *all = peer_read_all(fd);
	assert_int_equal(peer_status(all), 400);
	HttpServerFigures figures;
	do {
		g_usleep(5000);
		http_server_figures(fixture->server, &figures);
	} while (figures.open_connections > 0);
	assert_int_equal(figures.deadlines_passed, 0);
	close(fd);
}

static void test_download_that_stands_still_is_cut(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	int little = 4096;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	for (guint i = 0; i < 8; i++)
		peer_send(fd, "GET /f/large HTTP/1.1\r\nHost: x\r\n\r\n");
	HttpServerFigures figures;
	do {
		g_usleep(5000);
		http_server_figures(fixture->server, &figures);
	} while (figures.deadlines_passed == 0 || figures.open_connections > 0);
	assert_int_equal(figures.deadlines_passed, 1);
	close(fd);
}

static void test_files_come_whole_in_parts_and_not_again(void **state)
{
	Fixture *fixture = *state;
	assert_answer(state, "GET /f/small HTTP/1.1\r\nHost: x\r\n\r\n", 200, "0123456789");
	assert_answer(
		state, "GET /f/small HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\n\r\n", 206, "234");
	g_autofree char *none = peer_ask(
		fixture->port, "GET /f/small HTTP/1.1\r\nHost: x\r\nRange: bytes=10-\r\n\r\n");
	assert_int_equal(peer_status(none), 416);
	assert_non_null(strstr(none, "\r\nContent-Range: bytes */10\r\n"));
	g_autofree char *known = peer_ask(
		fixture->port, "GET /f/small HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n");
	assert_int_equal(peer_status(known), 304);
	g_autofree char *gone = peer_ask(fixture->port, "GET /f/none HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(peer_status(gone), 404);
	g_autofree char *large =
		peer_ask(fixture->port, "GET /f/large HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(strspn(peer_body(large), "y"), LARGE_BYTES);
}

/* So many have come, and all are gone. */
static void wait_until_empty(const Fixture *fixture, guint connections)
{
	HttpServerFigures figures;
	do {
		g_usleep(1000);
		http_server_figures(fixture->server, &figures);
	} while (figures.connections < connections || figures.open_connections > 0);
}

/* A child process keeps the loop's end of the connection open after the loop has closed it: what
 * comes then is no event of a peer that is gone. */
static void test_connection_that_a_child_holds_is_forgotten(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	peer_send(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *first G_GNUC_UNUSED = peer_read_answer(fd);
	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	peer_send(fd, "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	g_autofree char *last = peer_read_answer(fd);
	assert_string_equal(peer_body(last), "GET /b peer=127.0.0.1 secure=0");
	wait_until_empty(fixture, 1);
	for (guint i = 0; i < 10; i++) {
		peer_send(fd, "GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_answer(state, "GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200,
			"GET /d peer=127.0.0.1 secure=0");
		wait_until_empty(fixture, 2 + i);
	}
	HttpServerFigures figures;
	http_server_figures(fixture->server, &figures);
	assert_int_equal(figures.requests, 12);
	close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* One connection an address: the next is admitted only if the one before was uncounted. */
static void test_however_a_connection_ends_its_place_is_free(void **state)
{
	static const char *const said[] = {"", "GET /a HT", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		"nonsense\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n",
		"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /f/large HTTP/1.1\r\nHost: x\r\n\r\n"};
	static const struct linger none = {.l_onoff = 1};
	Fixture *fixture = *state;
	for (guint i = 0; i < 2 * G_N_ELEMENTS(said); i++) {
		int fd = peer_connect(fixture->port);
		if (i % 2) /* it leaves with a reset */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		peer_send(fd, said[i / 2]);
		close(fd);
		wait_until_empty(fixture, 2 * i + 1);
		assert_answer(state, "GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200,
			"GET /d peer=127.0.0.1 secure=0");
		wait_until_empty(fixture, 2 * i + 2);
	}
}

static void test_stop_cuts_a_download(void **state)
{
	Fixture *fixture = *state;
	int fd = peer_connect(fixture->port);
	for (guint i = 0; i < 8; i++)
		peer_send(fd, "GET /f/large HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *begun = peer_read_head(fd);
	assert_int_equal(peer_status(begun), 200);
	http_server_stop(g_steal_pointer(&fixture->server), 0);
	assert_true(peer_is_closed(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name)	      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CASE_WITH(name, with) cmocka_unit_test_setup_teardown(name, with, tear_down)
		CASE(test_pipelined_requests_are_answered_in_order),
		CASE(test_large_bodies_between_small_ones_stay_whole),
		CASE_WITH(test_proxy_is_believed_when_told_so, set_up_proxied),
		CASE(test_proxy_is_not_believed_otherwise),
		CASE(test_refusal_reaches_a_peer_that_goes_on_sending),
		CASE(test_peer_that_never_stops_sending_is_cut),
		CASE(test_peer_that_never_leaves_is_left),
		CASE_WITH(test_download_that_stands_still_is_cut, set_up_impatient),
		CASE(test_files_come_whole_in_parts_and_not_again),
		CASE_WITH(test_files_come_whole_in_parts_and_not_again, set_up_library),
		CASE_WITH(test_connection_that_a_child_holds_is_forgotten, set_up_one),
		CASE_WITH(test_however_a_connection_ends_its_place_is_free, set_up_alone),
		CASE(test_stop_cuts_a_download),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
