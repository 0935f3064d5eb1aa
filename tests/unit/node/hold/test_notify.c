/* SPDX-License-Identifier: ISC
 *
 * Who is heard at a NOTIFY_SOCKET, and what.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/service.h"
#include "node/hold/notify.h"

static NotifySaid said_by(const char *text)
{
	NotifySaid said = {0};
	notify_parse(text, strlen(text), &said);
	return said;
}

static void test_lines_are_read_whole(void **state)
{
	assert_true(said_by("READY=1").ready);
	assert_true(said_by("MAINPID=7\nREADY=1\nSTATUS=up\n").ready);
	assert_string_equal(said_by("READY=1\nSTATUS=up\n").status, "up");
	assert_true(said_by("STOPPING=1").stopping);
	assert_false(said_by("READY=10").ready);
	assert_false(said_by("READY=").ready);
	assert_false(said_by("XREADY=1").ready);
	assert_false(said_by("STATUS=READY=1").ready);
	assert_false(said_by("").ready);
	assert_false(said_by("\n\n").ready);
}

static void test_a_status_is_one_line_of_text_cut_between_characters(void **state)
{
	char text[NOTIFY_MAXIMUM_STATUS_BYTES + 20] = "STATUS=";
	assert_string_equal(said_by("STATUS=a\tb\x1b[31m").status, "a b [31m");
	assert_string_equal(said_by("STATUS=\xff").status, "\xef\xbf\xbd");
	memset(text + 7, 'x', NOTIFY_MAXIMUM_STATUS_BYTES - 1);
	memcpy(text + 7 + NOTIFY_MAXIMUM_STATUS_BYTES - 1, "\xc3\xa9", 3);
	assert_int_equal(strlen(said_by(text).status), NOTIFY_MAXIMUM_STATUS_BYTES - 1);
}

/* Speaks as a child of this process, in a process group of its own or in ours. */
static pid_t speak(const char *name, gboolean in_own_group)
{
	pid_t process = fork();
	if (process == 0) {
		if (in_own_group)
			setpgid(0, 0);
		g_setenv("NOTIFY_SOCKET", name, TRUE);
		service_notify("READY=1");
		pause();
	}
	return process;
}

static void wait_for_one(int fd, pid_t group, NotifySaid *said, guint *strangers)
{
	for (int i = 0; i < 500 && !said->ready && *strangers == 0; i++) {
		g_usleep(10000);
		notify_read(fd, group, said, strangers);
	}
}

static void end(pid_t process)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

static void test_only_the_group_is_heard(void **state)
{
	g_autofree char *name = NULL;
	int fd = notify_open(&name, NULL);
	assert_true(fd >= 0);
	NotifySaid said = {0};
	guint strangers = 0;
	pid_t own = speak(name, FALSE);
	wait_for_one(fd, getpgrp(), &said, &strangers);
	assert_true(said.ready);
	assert_int_equal(strangers, 0);
	end(own);

	said = (NotifySaid){0};
	pid_t stranger = speak(name, TRUE);
	wait_for_one(fd, getpgrp(), &said, &strangers);
	assert_false(said.ready);
	assert_int_equal(strangers, 1);
	end(stranger);
	close(fd);
}

static void test_names_differ_and_too_long_a_message_is_not_heard(void **state)
{
	g_autofree char *name = NULL, *other = NULL;
	int fd = notify_open(&name, NULL), second = notify_open(&other, NULL);
	assert_string_not_equal(name, other);
	close(second);
	g_autofree char *text = g_strnfill(NOTIFY_MAXIMUM_MESSAGE_BYTES + 1, 'x');
	memcpy(text, "READY=1\n", 8);
	NotifySaid said = {0};
	guint strangers = 0;
	g_setenv("NOTIFY_SOCKET", name, TRUE);
	service_notify(text);
	for (guint i = 0; i < NOTIFY_MAXIMUM_TURN + 1 && i < 8; i++)
		service_notify("STATUS=x");
	notify_read(fd, getpgrp(), &said, &strangers);
	assert_false(said.ready);
	assert_int_equal(strangers, 1);
	assert_string_equal(said.status, "x");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_read_whole),
		cmocka_unit_test(test_a_status_is_one_line_of_text_cut_between_characters),
		cmocka_unit_test(test_only_the_group_is_heard),
		cmocka_unit_test(test_names_differ_and_too_long_a_message_is_not_heard),
	};
	return cmocka_run_group_tests_name("hold notify", tests, NULL, NULL);
}
