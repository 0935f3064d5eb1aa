/* SPDX-License-Identifier: ISC
 *
 * Face and control over real sockets, in one loop: the test is the peer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "balance/director/control.h"
#include "balance/director/face_server.h"
#include "balance/director/peers.h"

typedef struct Bed {
	struct event_base *base;
	Peers *peers;
	guint16 port;
} Bed;

/* Answers with the request itself; one that was too long with "long"; "quiet" with nothing. */
static GBytes *echo(const char *request, gsize size_bytes, int fd, gpointer of)
{
	if (request == NULL)
		return g_bytes_new_static("long", 4);
	return strcmp(request, "quiet\n") == 0 ? NULL : g_bytes_new(request, size_bytes);
}

static void set_up(Bed *bed, gint64 timeout_ms)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&at, &length);
	bed->port = ntohs(at.sin_port);
	bed->base = event_base_new();
	PeersOptions options = {.base = bed->base,
		.fd = fd,
		.end = "\n",
		.maximum_bytes = 16,
		.maximum_peers = 3,
		.timeout_ms = timeout_ms,
		.answer = echo};
	bed->peers = peers_new(&options);
}

static void tear_down(Bed *bed)
{
	peers_free(bed->peers);
	event_base_free(bed->base);
}

static int connect_to(guint16 port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Turns the loop until the peer `fd` has been hung up on; what it heard until then. */
static char *hear(struct event_base *base, int fd)
{
	GString *heard = g_string_new(NULL);
	char piece[4096];
	for (;;) {
		gssize got = recv(fd, piece, sizeof piece, 0);
		if (got > 0)
			g_string_append_len(heard, piece, got);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		event_base_loop(base, EVLOOP_NONBLOCK);
		g_usleep(1000);
	}
	close(fd);
	return g_string_free(heard, FALSE);
}

static void assert_heard(struct event_base *base, int fd, const char *expected)
{
	g_autofree char *heard = hear(base, fd);
	assert_string_equal(heard, expected);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (gssize)strlen(text));
}

static void turn_until(const Bed *bed, guint count)
{
	while (peers_count(bed->peers) != count) {
		event_base_loop(bed->base, EVLOOP_NONBLOCK);
		g_usleep(1000);
	}
}

static void test_a_peer_hears_one_answer(void **state)
{
	Bed bed;
	set_up(&bed, 60000);
	int fd = connect_to(bed.port);
	say(fd, "hel");
	turn_until(&bed, 1);
	say(fd, "lo\nand more");
	assert_heard(bed.base, fd, "hello\n");
	turn_until(&bed, 0);
	tear_down(&bed);
}

static void test_a_request_that_is_too_long_is_told_so(void **state)
{
	Bed bed;
	set_up(&bed, 60000);
	int fd = connect_to(bed.port);
	say(fd, "0123456789abcdef");
	turn_until(&bed, 1);
	say(fd, "0123456789abcdef and still no end");
	assert_heard(bed.base, fd, "long");
	int just = connect_to(bed.port);
	say(just, "0123456789abcde\n");
	assert_heard(bed.base, just, "0123456789abcde\n");
	int over = connect_to(bed.port);
	say(over, "0123456789abcdef\n");
	assert_heard(bed.base, over, "long");
	tear_down(&bed);
}

static void test_silence_is_cut_when_its_time_is_over(void **state)
{
	Bed bed;
	set_up(&bed, 20);
	int fd = connect_to(bed.port);
	say(fd, "hel");
	assert_heard(bed.base, fd, "");
	tear_down(&bed);
}

static void test_no_answer_is_a_cut(void **state)
{
	Bed bed;
	set_up(&bed, 60000);
	int fd = connect_to(bed.port);
	say(fd, "quiet\n");
	assert_heard(bed.base, fd, "");
	tear_down(&bed);
}

static void test_a_peer_that_will_not_leave_is_cut(void **state)
{
	Bed bed;
	char heard[16] = {0};
	set_up(&bed, 60000);
	int fd = connect_to(bed.port);
	say(fd, "hello\n");
	while (recv(fd, heard, sizeof heard - 1, 0) < 0)
		event_base_loop(bed.base, EVLOOP_NONBLOCK);
	assert_string_equal(heard, "hello\n");
	assert_int_equal(peers_count(bed.peers), 1);
	turn_until(&bed, 0);
	close(fd);
	tear_down(&bed);
}

static void test_a_crowd_of_slow_peers_keeps_nobody_out(void **state)
{
	Bed bed;
	set_up(&bed, 60000);
	int slow[3];
	for (guint i = 0; i < 3; i++) {
		slow[i] = connect_to(bed.port);
		turn_until(&bed, i + 1);
	}
	int quick = connect_to(bed.port);
	say(quick, "hello\n");
	assert_heard(bed.base, quick, "hello\n");
	assert_heard(bed.base, slow[0], "");
	turn_until(&bed, 2);
	close(slow[1]);
	close(slow[2]);
	tear_down(&bed);
}

/* -- the face -----------------------------------------------------------------------------------
 */

static json_t *small_status(gpointer of)
{
	++*(guint *)of;
	return json_pack("{s:[{s:s,s:[]}]}", "services", "name", "web", "servers");
}

static void test_the_face_answers_http(void **state)
{
	struct event_base *base = event_base_new();
	guint asked = 0;
	FaceServer *face = face_server_new(base, small_status, &asked);
	char *ips[] = {(char *)"127.0.0.1", NULL};
	ConfigGlobal global = {.instrumentation = TRUE, .instrumentation_ips = ips};
	assert_true(face_server_listen(face, &global, NULL));
	guint16 port = face_server_port(face);
	int fd = connect_to(port);
	say(fd, "GET /pools HTTP/1.1\r\nHost: x\r\n\r\n");
	g_autofree char *heard = hear(base, fd);
	assert_true(g_str_has_prefix(heard, "HTTP/1.1 200 OK\r\n"));
	assert_true(g_str_has_suffix(heard, "\r\n\r\nweb\n"));
	assert_int_equal(asked, 1);

	g_autofree char *stuff = g_strnfill(FACE_MAXIMUM_PEERS * 200, 'x');
	fd = connect_to(port);
	say(fd, "GET / HTTP/1.1\r\nX: ");
	say(fd, stuff);
	g_autofree char *refused = hear(base, fd);
	assert_true(g_str_has_prefix(refused, "HTTP/1.1 431 "));
	face_server_free(face);
	event_base_free(base);
}

static void ask_face_for(struct event_base *base, guint16 port, const char *target)
{
	g_autofree char *head = g_strdup_printf("GET %s HTTP/1.1\r\n\r\n", target);
	int fd = connect_to(port);
	say(fd, head);
	g_autofree char *heard = hear(base, fd);
	assert_true(g_str_has_prefix(heard, "HTTP/1.1 200 OK\r\n"));
}

/* A status that takes long to make. */
static json_t *slow_status(gpointer of)
{
	g_usleep(50 * 1000);
	return small_status(of);
}

static void test_who_asks_without_a_pause_costs_little(void **state)
{
	struct event_base *base = event_base_new();
	guint asked = 0;
	FaceServer *face = face_server_new(base, slow_status, &asked);
	char *ips[] = {(char *)"127.0.0.1", NULL};
	ConfigGlobal global = {.instrumentation = TRUE, .instrumentation_ips = ips};
	assert_true(face_server_listen(face, &global, NULL));
	gint64 begin_us = g_get_monotonic_time();
	for (guint i = 0; i < 100; i++)
		ask_face_for(base, face_server_port(face), i % 2 == 0 ? "/pools?x" : "/metrics");
	gint64 took_us = g_get_monotonic_time() - begin_us;
	assert_true(asked >= 1 && asked <= 1 + took_us / (FACE_FRESH_TIMES * 50 * 1000));
	face_server_free(face);
	event_base_free(base);
}

static void test_a_reload_leaves_listeners_that_stay(void **state)
{
	struct event_base *base = event_base_new();
	guint asked = 0;
	g_autoptr(FaceServer) face = face_server_new(base, small_status, &asked);
	g_autoptr(GError) error = NULL;
	char *one[] = {(char *)"127.0.0.1", NULL};
	char *two[] = {(char *)"127.0.0.2", (char *)"127.0.0.1", NULL};
	ConfigGlobal global = {.instrumentation = TRUE, .instrumentation_ips = one};
	assert_true(face_server_listen(face, &global, NULL));
	guint16 port = face_server_port(face);
	assert_int_not_equal(port, 0);
	assert_true(face_server_listen(face, &global, NULL));
	assert_int_equal(face_server_port(face), port);

	global.instrumentation_ips = two;
	assert_true(face_server_listen(face, &global, NULL));
	global.instrumentation_ips = one;
	assert_true(face_server_listen(face, &global, NULL));
	assert_int_equal(face_server_port(face), port);

	g_autoptr(FaceServer) other = face_server_new(base, small_status, &asked);
	ConfigGlobal taken = {
		.instrumentation = TRUE, .instrumentation_ips = one, .instrumentation_port = port};
	assert_false(face_server_listen(other, &taken, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));

	global.instrumentation = FALSE;
	assert_true(face_server_listen(face, &global, NULL));
	assert_int_equal(face_server_port(face), 0);
	g_clear_pointer(&face, face_server_free);
	g_clear_pointer(&other, face_server_free);
	event_base_free(base);
}

/* -- control ------------------------------------------------------------------------------------
 */

typedef struct Steering {
	struct event_base *base;
	char *folder, *path;
	Control *control;
	ControlCommand command;
	char *said; /* service/server/force by who */
} Steering;

static json_t *act(const ControlRequest *request, gpointer of, GError **error)
{
	Steering *steering = of;
	steering->command = request->command;
	g_free(steering->said);
	steering->said = g_strdup_printf(
		"%s/%s/%d by %s", request->service, request->server, request->forced, request->who);
	if (request->command == CONTROL_STATUS)
		return json_pack("{s:i}", "servers", 7);
	drover_error_set(error, DROVER_ERROR_CONFLICT, "the floor would break");
	return NULL;
}

static void begin(Steering *steering)
{
	*steering = (Steering){.base = event_base_new()};
	steering->folder = g_dir_make_tmp("control-XXXXXX", NULL);
	steering->path = g_build_filename(steering->folder, "socket", NULL);
	g_autoptr(GError) error = NULL;
	int fd = control_open(steering->path, (uid_t)-1, (gid_t)-1, &error);
	g_assert_no_error(error);
	steering->control =
		control_new(steering->base, fd, steering->path, (gid_t)-1, act, steering);
}

static void finish(Steering *steering)
{
	g_clear_pointer(&steering->control, control_free);
	assert_false(g_file_test(steering->path, G_FILE_TEST_EXISTS));
	g_rmdir(steering->folder);
	event_base_free(steering->base);
	g_free(steering->folder);
	g_free(steering->path);
	g_free(steering->said);
}

static int connect_to_path(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void assert_answered(Steering *steering, const char *line, const char *expected)
{
	int fd = connect_to_path(steering->path);
	say(fd, line);
	assert_heard(steering->base, fd, expected);
}

static void test_the_asker_is_known_by_name(void **state)
{
	Steering steering;
	begin(&steering);
	assert_answered(&steering, "{\"command\": \"status\"}\n", "{\"answer\":{\"servers\":7}}\n");
	assert_int_equal(steering.command, CONTROL_STATUS);
	const struct passwd *me = getpwuid(geteuid());
	g_autofree char *name =
		me != NULL ? g_strdup(me->pw_name) : g_strdup_printf("uid %u", geteuid());
	g_autofree char *expected = g_strdup_printf("(null)/(null)/0 by %s", name);
	assert_string_equal(steering.said, expected);
	finish(&steering);
}

static void test_a_refusal_says_its_kind_and_why(void **state)
{
	Steering steering;
	begin(&steering);
	assert_answered(&steering,
		"{\"command\":\"drain\",\"service\":\"web\",\"server\":\"a\",\"force\":true}\n",
		"{\"error\":{\"kind\":\"conflict\",\"message\":\"the floor would break\"}}\n");
	assert_int_equal(steering.command, CONTROL_DRAIN);
	assert_true(g_str_has_prefix(steering.said, "web/a/1 by "));
	finish(&steering);
}

static void test_requests_that_are_none_are_refused(void **state)
{
	static const char *const lines[][2] = {
		{"nonsense", "request:1:"},
		{"[]", "must be an object"},
		{"{}", "command must be status, accept, drain, undrain or reload, not nothing"},
		{"{\"command\": 7}", "not 7"},
		{"{\"command\": \"explode\"}", "explode"},
		{"{\"command\": \"accept\"}", "service must be a name, not nothing"},
		{"{\"command\": \"drain\", \"service\": \"web\"}", "server must be a name"},
		{"{\"command\": \"drain\", \"service\": \"\", \"server\": \"a\"}", "service"},
		{"{\"command\":\"drain\",\"service\":\"w\",\"server\":\"a\",\"force\":1}", "force"},
		{"{\"command\": \"status\", \"command\": \"reload\"}", "duplicate"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ControlRequest) request = {0};
		assert_false(
			control_request_parse(lines[i][0], strlen(lines[i][0]), &request, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		if (strstr(error->message, lines[i][1]) == NULL)
			fail_msg("%s: %s", lines[i][0], error->message);
	}
}

static void test_the_socket_is_for_few(void **state)
{
	Steering steering;
	struct stat found;
	begin(&steering);
	assert_int_equal(stat(steering.path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0600);
	control_free(g_steal_pointer(&steering.control));
	int fd = control_open(steering.path, (uid_t)-1, getegid(), NULL);
	assert_int_equal(stat(steering.path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0660);
	steering.control = control_new(steering.base, fd, steering.path, getegid(), act, &steering);
	finish(&steering);
}

static void test_a_socket_that_somebody_listens_on_is_left_alone(void **state)
{
	Steering steering;
	g_autoptr(GError) error = NULL;
	begin(&steering);
	assert_int_equal(control_open(steering.path, (uid_t)-1, (gid_t)-1, &error), -1);
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
	assert_answered(&steering, "{\"command\": \"status\"}\n", "{\"answer\":{\"servers\":7}}\n");
	finish(&steering);
}

static void test_a_socket_that_was_left_behind_is_replaced(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "socket", NULL);
	int left = control_open(path, (uid_t)-1, (gid_t)-1, NULL);
	close(left);
	int fd = control_open(path, (uid_t)-1, (gid_t)-1, NULL);
	assert_true(fd >= 0);
	close(fd);
	g_unlink(path);
	g_rmdir(folder);
}

static gpointer ask(gpointer of)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = control_call(of, json_pack("{s:s}", "command", "status"), &error);
	g_assert_no_error(error);
	return answer;
}

static void test_the_other_end_hears_the_answer(void **state)
{
	Steering steering;
	begin(&steering);
	GThread *asker = g_thread_new("asker", ask, steering.path);
	while (steering.said == NULL)
		event_base_loop(steering.base, EVLOOP_ONCE);
	for (guint i = 0; i < 100; i++) {
		event_base_loop(steering.base, EVLOOP_NONBLOCK);
		g_usleep(1000);
	}
	json_auto_t *answer = g_thread_join(asker);
	assert_int_equal(json_integer_value(json_object_get(answer, "servers")), 7);
	finish(&steering);
}

static void test_nobody_there_is_said(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(control_call("/nonexistent/socket", json_object(), &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
	g_clear_error(&error);
	g_autofree char *path = g_strnfill(200, 'x');
	assert_null(control_call(path, json_object(), &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_peer_hears_one_answer),
		cmocka_unit_test(test_a_request_that_is_too_long_is_told_so),
		cmocka_unit_test(test_silence_is_cut_when_its_time_is_over),
		cmocka_unit_test(test_no_answer_is_a_cut),
		cmocka_unit_test(test_a_peer_that_will_not_leave_is_cut),
		cmocka_unit_test(test_a_crowd_of_slow_peers_keeps_nobody_out),
		cmocka_unit_test(test_the_face_answers_http),
		cmocka_unit_test(test_who_asks_without_a_pause_costs_little),
		cmocka_unit_test(test_a_reload_leaves_listeners_that_stay),
		cmocka_unit_test(test_the_asker_is_known_by_name),
		cmocka_unit_test(test_a_refusal_says_its_kind_and_why),
		cmocka_unit_test(test_requests_that_are_none_are_refused),
		cmocka_unit_test(test_the_socket_is_for_few),
		cmocka_unit_test(test_a_socket_that_somebody_listens_on_is_left_alone),
		cmocka_unit_test(test_a_socket_that_was_left_behind_is_replaced),
		cmocka_unit_test(test_the_other_end_hears_the_answer),
		cmocka_unit_test(test_nobody_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
