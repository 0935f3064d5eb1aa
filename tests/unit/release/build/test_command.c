/* SPDX-License-Identifier: ISC
 *
 * Commands of a recipe: what they see, what they cannot reach, and that nothing of them is left.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/build/command.h"
#include "release/build/warden.h"
#include "refused.h"

static int setup(void **state)
{
	*state = g_dir_make_tmp("drover-command-XXXXXX", NULL);
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	gboolean removed = file_remove(*state, NULL);
	g_free(*state);
	return removed ? 0 : -1;
}

/* Runs in the test's folder; *log is what it said. */
static gboolean run(const char *folder, const char *command, gint64 timeout_s,
	gboolean with_network, char **log, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "log", NULL);
	CommandWish wish = {
		.what = "the build",
		.command = command,
		.folder = folder,
		.home = folder,
		.log = path,
		.timeout_s = timeout_s,
		.with_network = with_network,
		.product = "web",
		.version = "1.4.2",
		.time_s = 1000000000,
	};
	gboolean ok = command_run(&wish, error);
	if (log != NULL)
		*log = file_read(path, 1 << 20, NULL, NULL);
	return ok;
}

static void test_the_environment_is_small_and_known(void **state)
{
	g_autofree char *log = NULL;
	g_autofree char *home = g_strconcat("HOME=", *state, NULL);
	g_autoptr(GError) error = NULL;
	g_setenv("DROVER_SECRET", "x", TRUE);
	assert_true(run(*state, "pwd; umask; env -u PWD | LC_ALL=C sort", 60, FALSE, &log, &error));
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	assert_string_equal(lines[0], *state);
	assert_string_equal(lines[1], "0022");
	assert_string_equal(lines[2], "DROVER_PRODUCT=web");
	assert_string_equal(lines[3], "DROVER_VERSION=1.4.2");
	assert_string_equal(lines[4], home);
	assert_string_equal(lines[5], "LC_ALL=C.UTF-8");
	assert_string_equal(
		lines[6], "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_string_equal(lines[7], "SOURCE_DATE_EPOCH=1000000000");
	assert_string_equal(lines[8], "TZ=UTC");
	assert_string_equal(lines[9], "");
	assert_null(lines[10]);
}

static void test_both_streams_are_in_the_log_and_there_is_no_input(void **state)
{
	g_autofree char *log = NULL;
	assert_true(run(*state, "cat; echo one; echo two >&2", 60, FALSE, &log, NULL));
	assert_string_equal(log, "one\ntwo\n");
}

static void test_no_descriptor_of_ours_is_left_open(void **state)
{
	g_autofree char *log = NULL;
	int left = dup(STDERR_FILENO); /* not closed on exec */
	assert_true(run(*state, "for fd in /proc/self/fd/*; do echo ${fd##*/}; done", 60, FALSE,
		&log, NULL));
	close(left);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(log), "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		assert_true(atoi(*line) <= 3); /* 3 is what lists them */
}

static void test_a_failure_shows_the_last_lines(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_false(run(*state, "seq 30; exit 7", 60, FALSE, NULL, &error));
	assert_non_null(strstr(error->message, "\n  11\n  12\n"));
	assert_non_null(strstr(error->message, "\n  30"));
	assert_null(strstr(error->message, "\n  10\n"));
	assert_refused(&error, DROVER_ERROR_INPUT,
		"the build of web 1.4.2 failed with exit status 7; its words are in");
	assert_false(run(*state, "kill -SEGV $$", 60, FALSE, NULL, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "was ended by signal 11");
}

static void test_last_lines_are_bounded_and_hold_anything(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_false(run(*state, "head -c 100000 /dev/zero | tr '\\0' x; printf '\\0\\377'; exit 1",
		60, FALSE, NULL, &error));
	assert_true(strlen(error->message) < COMMAND_LAST_BYTES + 500);
	assert_true(g_utf8_validate(error->message, -1, NULL));
	assert_refused(&error, DROVER_ERROR_INPUT, "xxxxxxxx");
}

static int listen_locally(guint16 *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void test_a_server_that_listens_is_out_of_reach(void **state)
{
	guint16 port = 0;
	int fd = listen_locally(&port);
	g_autofree char *command = g_strdup_printf("/usr/bin/python3 -c 'import socket; "
						   "socket.create_connection((\"127.0.0.1\", %u))'",
		port);
	g_autoptr(GError) error = NULL;
	assert_false(run(*state, command, 60, FALSE, NULL, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "Connection refused");
	assert_true(run(*state, command, 60, TRUE, NULL, &error));
	close(fd);
}

static void test_a_command_can_talk_to_itself(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_true(run(*state,
		"/usr/bin/python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", 0)); "
		"socket.create_connection(s.getsockname())'",
		60, FALSE, NULL, &error));
}

static gboolean is_alive(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "pid", NULL);
	g_autofree char *pid = file_read(path, 100, NULL, NULL);
	assert_non_null(pid);
	return kill(atoi(pid), 0) == 0;
}

static void test_a_timeout_ends_all_of_it(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_false(run(*state, "setsid sh -c 'echo $$ > pid; sleep 1000' & echo slow; sleep 1000",
		1, FALSE, NULL, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "was ended after 1 s, the timeout");
	assert_false(is_alive(*state));
}

static void test_what_is_left_in_the_background_ends_with_it(void **state)
{
	assert_true(run(*state,
		"setsid sh -c 'echo $$ > pid; sleep 1000' & while [ ! -s pid ]; do sleep 0.01; "
		"done",
		60, FALSE, NULL, NULL));
	assert_false(is_alive(*state));
}

static void test_who_lets_go_ends_it(void **state)
{
	const char *folder = *state;
	char shell[] = "/bin/sh", option[] = "-c", command[] = "echo $$ > pid; sleep 1000";
	char *const arguments[] = {shell, option, command, NULL};
	g_auto(GStrv) environment = g_get_environ();
	WardenTask task = {arguments, environment, folder, STDERR_FILENO, TRUE};
	g_autofree char *path = g_build_filename(folder, "pid", NULL);
	struct stat status = {0};
	Warden warden;
	unlink(path);
	assert_true(warden_start(&task, &warden));
	while (stat(path, &status) != 0 || status.st_size == 0)
		g_usleep(1000);
	assert_true(is_alive(folder));
	warden_end(&warden);
	assert_false(is_alive(folder));
}

static void test_a_log_has_an_end(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(*state, "log", NULL);
	assert_false(run(*state, "yes", 60, FALSE, NULL, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "said more than a log may hold");
	unlink(path);
}

static void test_a_folder_that_is_gone_is_named(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = g_build_filename(*state, "log", NULL);
	CommandWish wish = {.what = "the build",
		.command = "true",
		.folder = "/nowhere",
		.home = *state,
		.log = log,
		.timeout_s = 60,
		.product = "web",
		.version = "1"};
	assert_false(command_run(&wish, &error));
	assert_refused(&error, DROVER_ERROR_INTERNAL, "/nowhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_environment_is_small_and_known),
		cmocka_unit_test(test_both_streams_are_in_the_log_and_there_is_no_input),
		cmocka_unit_test(test_no_descriptor_of_ours_is_left_open),
		cmocka_unit_test(test_a_failure_shows_the_last_lines),
		cmocka_unit_test(test_last_lines_are_bounded_and_hold_anything),
		cmocka_unit_test(test_a_server_that_listens_is_out_of_reach),
		cmocka_unit_test(test_a_command_can_talk_to_itself),
		cmocka_unit_test(test_a_timeout_ends_all_of_it),
		cmocka_unit_test(test_what_is_left_in_the_background_ends_with_it),
		cmocka_unit_test(test_who_lets_go_ends_it),
		cmocka_unit_test(test_a_log_has_an_end),
		cmocka_unit_test(test_a_folder_that_is_gone_is_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
