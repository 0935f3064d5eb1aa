/* SPDX-License-Identifier: ISC
 *
 * Commands and how they end, with a real helper and real processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balance/monitor/runner.h"
#include "base/file.h"
#include "loop.h"

#define LONG_MS 60000 /* a timeout that is not meant to pass */

typedef struct Bed {
	struct event_base *base;
	Runner *runner;
	char *folder;
	guint told;
	RunnerEnd end;
	int number;
	char *output;
} Bed;

static int set_up(void **state)
{
	g_autoptr(GError) error = NULL;
	Bed *bed = g_new0(Bed, 1);
	bed->folder = g_dir_make_tmp("drover-runner-XXXXXX", NULL);
	bed->runner = runner_start((uid_t)-1, (gid_t)-1, &error);
	g_assert_no_error(error);
	bed->base = event_base_new();
	runner_attach(bed->runner, bed->base);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	runner_free(bed->runner);
	event_base_free(bed->base);
	file_remove(bed->folder, NULL);
	g_free(bed->folder);
	g_free(bed->output);
	g_free(bed);
	return 0;
}

static void hear(RunnerEnd end, int number, const char *output, gpointer of)
{
	Bed *bed = of;
	bed->told++;
	bed->end = end;
	bed->number = number;
	g_free(bed->output);
	bed->output = g_strdup(output);
}

static RunnerJob *start(Bed *bed, const char *script, gint64 timeout_ms)
{
	/* $1 is the test's folder. */
	const char *argv[] = {"/bin/sh", "-c", script, "sh", bed->folder, NULL};
	return runner_run(bed->runner, argv, timeout_ms, hear, bed);
}

static void run(Bed *bed, const char *script, gint64 timeout_ms)
{
	guint before = bed->told;
	start(bed, script, timeout_ms);
	loop_until(bed->base, &bed->told, before + 1);
}

/* A command holds the file open, as 9>"$1/NAME", and has locked it: free when all who inherited it
 * are gone, whatever their numbers. */
static gboolean is_free(gpointer of)
{
	int fd = open(of, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	gboolean locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return locked;
}

static gboolean is_held(gpointer of)
{
	return !is_free(of);
}

static void test_exit_status_and_output_are_told(void **state)
{
	Bed *bed = *state;
	run(bed, "echo out; echo err >&2; exit 3", LONG_MS);
	assert_int_equal(bed->end, RUNNER_EXITED);
	assert_int_equal(bed->number, 3);
	assert_string_equal(bed->output, "out\nerr\n");
	run(bed, "exit 0", LONG_MS);
	assert_int_equal(bed->end, RUNNER_EXITED);
	assert_int_equal(bed->number, 0);
	assert_string_equal(bed->output, "");
}

static void test_a_signal_is_told(void **state)
{
	Bed *bed = *state;
	run(bed, "echo dying; kill -SEGV $$", LONG_MS);
	assert_int_equal(bed->end, RUNNER_SIGNALLED);
	assert_int_equal(bed->number, SIGSEGV);
	assert_string_equal(bed->output, "dying\n");
}

static void test_a_program_that_is_not_there_is_told(void **state)
{
	Bed *bed = *state;
	const char *argv[] = {"/no/such/program", NULL};
	runner_run(bed->runner, argv, LONG_MS, hear, bed);
	loop_until(bed->base, &bed->told, 1);
	assert_int_equal(bed->end, RUNNER_FAILED);
	assert_int_equal(bed->number, ENOENT);
}

static void test_the_end_of_long_output_is_kept(void **state)
{
	Bed *bed = *state;
	run(bed, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done", LONG_MS);
	assert_int_equal(strlen(bed->output), RUNNER_MAXIMUM_OUTPUT_BYTES);
	assert_true(g_str_has_suffix(bed->output, "line 19998\nline 19999\n"));
}

static void test_output_is_made_utf8(void **state)
{
	Bed *bed = *state;
	run(bed, "printf 'a\\377b\\000c'", LONG_MS);
	assert_string_equal(bed->output, "a\357\277\275b\357\277\275c");
}

static void test_a_letter_cut_at_the_beginning_is_left_out(void **state)
{
	Bed *bed = *state;
	/* 2 + 1 bytes over the limit: the cut is in the middle of the first é. */
	run(bed, "printf 'xx\\303\\251'; head -c 4095 /dev/zero | tr '\\0' y", LONG_MS);
	assert_int_equal(strlen(bed->output), RUNNER_MAXIMUM_OUTPUT_BYTES - 1);
	assert_int_equal(bed->output[0], 'y');
}

static void test_timeout_kills_who_ignores_it_and_its_children(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	run(bed,
		"trap '' TERM HUP INT; exec 9>\"$1/lock\"; flock 9;"
		"(trap '' TERM HUP INT; (sleep 1000 & sleep 1000)) & echo hanging; sleep 1000; :",
		300);
	assert_int_equal(bed->end, RUNNER_TIMED_OUT);
	assert_string_equal(bed->output, "hanging\n");
	loop_until_true(bed->base, is_free, lock);
}

static void test_children_left_behind_are_killed(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	run(bed, "exec 9>\"$1/lock\"; flock 9; sleep 1000 & echo left; exit 0", LONG_MS);
	assert_int_equal(bed->end, RUNNER_EXITED);
	assert_string_equal(bed->output, "left\n");
	loop_until_true(bed->base, is_free, lock);
}

static void test_who_left_its_group_is_killed_when_nothing_runs(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	run(bed,
		"exec 9>\"$1/lock\"; flock 9; setsid sh -c 'touch \"$1/away\"; sleep 1000' sh "
		"\"$1\" &"
		"while [ ! -e \"$1/away\" ]; do sleep .01; done; exit 0",
		LONG_MS);
	assert_int_equal(bed->end, RUNNER_EXITED);
	loop_until_true(bed->base, is_free, lock);
}

static void test_a_dropped_job_is_killed_and_never_told(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	RunnerJob *job = start(bed, "exec 9>\"$1/lock\"; flock 9; sleep 1000", LONG_MS);
	loop_until_true(bed->base, is_held, lock);
	runner_drop(job);
	loop_until_true(bed->base, is_free, lock);
	run(bed, "echo next", LONG_MS);
	assert_int_equal(bed->told, 1);
	assert_string_equal(bed->output, "next\n");
}

static void test_a_job_dropped_before_it_was_sent_never_runs(void **state)
{
	Bed *bed = *state;
	runner_drop(start(bed, "touch \"$1/ran\"", LONG_MS));
	run(bed, ":", LONG_MS);
	g_autofree char *ran = g_build_filename(bed->folder, "ran", NULL);
	assert_false(g_file_test(ran, G_FILE_TEST_EXISTS));
	assert_int_equal(bed->told, 1);
}

static void test_the_command_gets_nothing_but_a_path(void **state)
{
	Bed *bed = *state;
	g_setenv("SECRET", "shown", TRUE);
	run(bed, "tr '\\0' '\\n' </proc/$$/environ; pwd; cat; ls /proc/$$/fd", LONG_MS);
	assert_string_equal(bed->output,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n/\n0\n1\n2\n");
}

static void test_the_command_has_no_capability_and_gains_none(void **state)
{
	Bed *bed = *state;
	run(bed,
		"grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|SigIgn|SigBlk):' "
		"/proc/self/status",
		LONG_MS);
	assert_string_equal(bed->output,
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
		"CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
}

static void test_the_command_leads_a_session_of_its_own(void **state)
{
	Bed *bed = *state;
	run(bed, "set -- $(cut -d ' ' -f 1,5,6 /proc/$$/stat); echo $(($1 == $2 && $2 == $3))",
		LONG_MS);
	assert_string_equal(bed->output, "1\n");
}

static void test_another_user_is_become(void **state)
{
	if (geteuid() != 0)
		skip();
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	runner_free(bed->runner);
	bed->runner = runner_start(65534, 65534, &error);
	g_assert_no_error(error);
	runner_attach(bed->runner, bed->base);
	run(bed, "id -u; id -g; id -G; grep CapBnd /proc/self/status", LONG_MS);
	assert_string_equal(bed->output, "65534\n65534\n65534\nCapBnd:\t0000000000000000\n");
}

static void test_a_user_that_cannot_be_become_is_an_error(void **state)
{
	g_autoptr(GError) error = NULL;
	if (geteuid() == 0)
		skip();
	assert_null(runner_start(65534, 65534, &error));
	assert_string_equal(error->message,
		"the process that runs commands cannot start: it cannot "
		"become the user that commands run as");
}

static void test_more_than_fit_wait_for_their_turn(void **state)
{
	Bed *bed = *state;
	guint all = RUNNER_MAXIMUM_COMMANDS + 40;
	for (guint i = 0; i < all; i++)
		start(bed, "exit 0", LONG_MS);
	loop_until(bed->base, &bed->told, all);
	assert_int_equal(bed->end, RUNNER_EXITED);
}

static void test_places_of_timed_out_commands_are_free_again(void **state)
{
	Bed *bed = *state;
	for (guint i = 0; i < RUNNER_MAXIMUM_COMMANDS; i++)
		start(bed, "exec sleep 1000", 100);
	loop_until(bed->base, &bed->told, RUNNER_MAXIMUM_COMMANDS);
	assert_int_equal(bed->end, RUNNER_TIMED_OUT);
	run(bed, "echo alive", LONG_MS);
	assert_int_equal(bed->end, RUNNER_EXITED);
	assert_string_equal(bed->output, "alive\n");
}

static void test_a_command_over_the_limits_fails_alone(void **state)
{
	Bed *bed = *state;
	g_autofree char *long_word = g_strnfill(RUNNER_MAXIMUM_REQUEST_BYTES, 'x');
	const char *argv[] = {"/bin/true", long_word, NULL};
	runner_run(bed->runner, argv, LONG_MS, hear, bed);
	assert_int_equal(bed->told, 0);
	loop_until(bed->base, &bed->told, 1);
	assert_int_equal(bed->end, RUNNER_FAILED);
	assert_int_equal(bed->number, E2BIG);
	const char *words[RUNNER_MAXIMUM_ARGUMENTS + 2];
	for (gsize i = 0; i <= RUNNER_MAXIMUM_ARGUMENTS; i++)
		words[i] = i == 0 ? "/bin/true" : "x";
	words[RUNNER_MAXIMUM_ARGUMENTS + 1] = NULL;
	runner_run(bed->runner, words, LONG_MS, hear, bed);
	loop_until(bed->base, &bed->told, 2);
	assert_int_equal(bed->number, E2BIG);
	words[RUNNER_MAXIMUM_ARGUMENTS] = NULL;
	runner_run(bed->runner, words, LONG_MS, hear, bed);
	loop_until(bed->base, &bed->told, 3);
	assert_int_equal(bed->end, RUNNER_EXITED);
}

static void test_a_lost_helper_fails_every_job(void **state)
{
	Bed *bed = *state;
	start(bed, "sleep 1000", LONG_MS);
	start(bed, "sleep 1000", LONG_MS);
	run(bed, ":", LONG_MS);
	assert_false(runner_is_lost(bed->runner));
	kill(runner_process(bed->runner), SIGKILL);
	loop_until(bed->base, &bed->told, 3);
	assert_true(runner_is_lost(bed->runner));
	assert_int_equal(bed->end, RUNNER_FAILED);
	assert_int_equal(bed->number, EPIPE);
	run(bed, ":", LONG_MS);
	assert_int_equal(bed->end, RUNNER_FAILED);
	assert_int_equal(bed->number, EPIPE);
}

static void test_the_helper_does_not_mind_the_signals_of_a_stop(void **state)
{
	Bed *bed = *state;
	kill(runner_process(bed->runner), SIGTERM);
	kill(runner_process(bed->runner), SIGINT);
	kill(runner_process(bed->runner), SIGHUP);
	run(bed, "echo alive", LONG_MS);
	assert_string_equal(bed->output, "alive\n");
}

static void test_what_runs_is_killed_when_the_runner_goes(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	RunnerJob *job = start(bed,
		"exec 9>\"$1/lock\"; trap '' TERM HUP; flock 9; setsid sleep 1000 & sleep 1000",
		LONG_MS);
	loop_until_true(bed->base, is_held, lock);
	runner_drop(job); /* is not sent: the loop does not turn */
	runner_free(bed->runner);
	loop_until_true(bed->base, is_free, lock);
	bed->runner = runner_start((uid_t)-1, (gid_t)-1, NULL);
}

/* As when the program is killed: nobody says goodbye to the helper. */
static void test_what_runs_is_killed_when_the_program_dies(void **state)
{
	Bed *bed = *state;
	g_autofree char *lock = g_build_filename(bed->folder, "lock", NULL);
	pid_t program = fork();
	if (program == 0) {
		struct event_base *base = event_base_new();
		Runner *runner = runner_start((uid_t)-1, (gid_t)-1, NULL);
		runner_attach(runner, base);
		const char *argv[] = {
			"/bin/sh", "-c", "exec 9>\"$1\"; flock 9; sleep 1000", "sh", lock, NULL};
		runner_run(runner, argv, LONG_MS, hear, bed);
		event_base_dispatch(base);
		_exit(1);
	}
	loop_until_true(bed->base, is_held, lock);
	kill(program, SIGKILL);
	assert_int_equal(waitpid(program, NULL, 0), program);
	loop_until_true(bed->base, is_free, lock);
}

/* Whoever hears of an end may start and drop jobs. */
typedef struct Chain {
	Bed *bed;
	RunnerJob *other;
} Chain;

static void drop_the_other(RunnerEnd end, int number, const char *output, gpointer of)
{
	Chain *chain = of;
	runner_drop(chain->other);
	start(chain->bed, "echo after", LONG_MS);
}

static void test_jobs_may_be_dropped_and_started_while_told(void **state)
{
	Bed *bed = *state;
	const char *quick[] = {"/bin/true", NULL};
	Chain chain = {bed, start(bed, "sleep 1000", LONG_MS)};
	runner_run(bed->runner, quick, LONG_MS, drop_the_other, &chain);
	loop_until(bed->base, &bed->told, 1);
	assert_string_equal(bed->output, "after\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_exit_status_and_output_are_told),
		TEST(test_a_signal_is_told),
		TEST(test_a_program_that_is_not_there_is_told),
		TEST(test_the_end_of_long_output_is_kept),
		TEST(test_output_is_made_utf8),
		TEST(test_a_letter_cut_at_the_beginning_is_left_out),
		TEST(test_timeout_kills_who_ignores_it_and_its_children),
		TEST(test_children_left_behind_are_killed),
		TEST(test_who_left_its_group_is_killed_when_nothing_runs),
		TEST(test_a_dropped_job_is_killed_and_never_told),
		TEST(test_a_job_dropped_before_it_was_sent_never_runs),
		TEST(test_the_command_gets_nothing_but_a_path),
		TEST(test_the_command_has_no_capability_and_gains_none),
		TEST(test_the_command_leads_a_session_of_its_own),
		TEST(test_another_user_is_become),
		TEST(test_a_user_that_cannot_be_become_is_an_error),
		TEST(test_more_than_fit_wait_for_their_turn),
		TEST(test_places_of_timed_out_commands_are_free_again),
		TEST(test_a_command_over_the_limits_fails_alone),
		TEST(test_a_lost_helper_fails_every_job),
		TEST(test_the_helper_does_not_mind_the_signals_of_a_stop),
		TEST(test_what_runs_is_killed_when_the_runner_goes),
		TEST(test_what_runs_is_killed_when_the_program_dies),
		TEST(test_jobs_may_be_dropped_and_started_while_told),
	};
	return cmocka_run_group_tests_name("monitor runner", tests, NULL, NULL);
}
