/* SPDX-License-Identifier: ISC
 *
 * What a process of the holder's begins with.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/hold/listen.h"
#include "node/hold/spawn.h"

static char *run(Spawn *how)
{
	static char *environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
	int pidfd = -1;
	how->environment = environment;
	pid_t process = spawn_start(how, &pidfd, NULL);
	assert_true(process > 0);
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED | WNOWAIT);
	char *ended = spawn_collect(process, pidfd);
	close(pidfd);
	return ended;
}

static void must_end(Spawn how, const char *wanted)
{
	g_autofree char *ended = run(&how);
	assert_string_equal(ended, wanted);
}

static void test_its_end_is_told(void **state)
{
	char *seven[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};
	char *killed[] = {(char *)"sh", (char *)"-c", (char *)"kill -9 $$", NULL};
	char *none[] = {(char *)"no-such-program-anywhere", NULL};
	must_end((Spawn){.argv = seven}, "ended with status 7");
	must_end((Spawn){.argv = killed}, "was killed by signal 9 (Killed)");
	must_end((Spawn){.argv = none}, "ended with status 127");
}

static void test_lent_sockets_stand_from_three_on_and_nothing_else_is_open(void **state)
{
	char *look[] = {(char *)"sh", (char *)"-c",
		(char *)"test $LISTEN_PID = $$ && test -S /proc/$$/fd/3 && test -S /proc/$$/fd/4 "
			"|| "
			"exit 1; for fd in 5 6 7 8 9 11 12 13 14 15; do "
			"test ! -e /proc/$$/fd/$fd || exit 2; done",
		NULL};
	ListenAddress address;
	GArray *fds = listen_open_private(2, &address, NULL);
	int extra = dup(0); /* without close-on-exec */
	must_end((Spawn){.argv = look, .fds = fds}, "ended with status 0");
	close(extra);
	listen_close_all(fds);
}

static void test_descriptors_that_stand_in_each_others_places_arrive(void **state)
{
	char *look[] = {(char *)"sh", (char *)"-c",
		(char *)"test /proc/$$/fd/3 -ef /proc/$$/fd/3 && test -p /proc/$$/fd/4 && "
			"test -S /proc/$$/fd/3",
		NULL};
	ListenAddress address;
	int pipes[2];
	GArray *opened = listen_open_private(1, &address, NULL);
	assert_int_equal(pipe(pipes), 0);
	/* The socket on 4 and the pipe on 3: crosswise. */
	int at_4 = fcntl(g_array_index(opened, int, 0), F_DUPFD, 20);
	int at_3 = fcntl(pipes[0], F_DUPFD, 20);
	int kept_3 = fcntl(3, F_DUPFD, 40), kept_4 = fcntl(4, F_DUPFD, 40);
	dup2(at_4, 4);
	dup2(at_3, 3);
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	const int crosswise[] = {4, 3};
	g_array_append_vals(fds, crosswise, 2);
	must_end((Spawn){.argv = look, .fds = fds}, "ended with status 0");
	dup2(kept_3, 3);
	dup2(kept_4, 4);
	listen_close_all(opened);
}

static void test_signals_are_as_new(void **state)
{
	char *look[] = {(char *)"sh", (char *)"-c",
		/* The shell looks at itself: while it starts another it blocks signals. */
		(char *)"while read name value; do case $name in SigBlk:|SigIgn:) "
			"test $value = 0000000000000000 || exit 1;; esac; done </proc/self/status",
		NULL};
	int signals = spawn_signals((const int[]){SIGUSR1, 0}, NULL);
	signal(SIGPIPE, SIG_IGN);
	must_end((Spawn){.argv = look}, "ended with status 0");
	raise(SIGUSR1);
	assert_int_equal(spawn_signalled(signals), SIGUSR1);
	assert_int_equal(spawn_signalled(signals), 0);
	close(signals);
}

static void test_a_user_that_is_none_is_named(void **state)
{
	g_autoptr(GError) error = NULL;
	char *argv[] = {(char *)"true", NULL}, *environment[] = {NULL};
	Spawn how = {.argv = argv, .environment = environment, .user = "no-such-user"};
	int pidfd;
	assert_int_equal(spawn_start(&how, &pidfd, &error), -1);
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_non_null(strstr(error->message, "'no-such-user'"));
}

static void test_what_is_left_of_a_group_goes_with_its_leader(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("drover-spawn-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "pid", NULL);
	g_autofree char *script = g_strdup_printf("sleep 1000 & echo $! > %s", file);
	char *argv[] = {(char *)"sh", (char *)"-c", script, NULL};
	must_end((Spawn){.argv = argv}, "ended with status 0");
	g_autofree char *text = NULL;
	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	pid_t left = (pid_t)g_ascii_strtoll(text, NULL, 10);
	g_autofree char *stat = g_strdup_printf("/proc/%d/stat", (int)left), *said = NULL;
	for (int i = 0; i < 500; i++) {
		g_clear_pointer(&said, g_free);
		/* Gone, or dead and waiting for whoever collects orphans here. */
		if (!g_file_get_contents(stat, &said, NULL, NULL) || strstr(said, ") Z") != NULL) {
			unlink(file);
			rmdir(folder);
			return;
		}
		g_usleep(10000);
	}
	fail_msg("process %d goes on", (int)left);
}

static void test_a_process_is_known_by_its_start(void **state)
{
	assert_int_not_equal(spawn_start_time(getpid()), 0);
	assert_int_equal(spawn_start_time(getpid()), spawn_start_time(getpid()));
	assert_int_equal(spawn_start_time(0x7ffffff0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_end_is_told),
		cmocka_unit_test(test_lent_sockets_stand_from_three_on_and_nothing_else_is_open),
		cmocka_unit_test(test_descriptors_that_stand_in_each_others_places_arrive),
		cmocka_unit_test(test_signals_are_as_new),
		cmocka_unit_test(test_a_user_that_is_none_is_named),
		cmocka_unit_test(test_what_is_left_of_a_group_goes_with_its_leader),
		cmocka_unit_test(test_a_process_is_known_by_its_start),
	};
	return cmocka_run_group_tests_name("hold spawn", tests, NULL, NULL);
}
