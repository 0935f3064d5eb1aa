/* SPDX-License-Identifier: ISC
 *
 * One at a time: between processes, across kill -9, and never disturbed by who only looks.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/joblock.h"
#include "temporary.h"

#define NOON_US (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21T12:00:00Z */

static void write_in_place(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Forks a child that takes the lock, says so, and waits to be killed. */
static pid_t fork_holder(const char *folder)
{
	int said[2];
	assert_int_equal(pipe(said), 0);
	pid_t child = fork();
	if (child == 0) {
		JobLock *lock = joblock_take(folder, "scan", clock_fixed(NOON_US), NULL);
		if (lock != NULL && write(said[1], "!", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(said[1]);
	char word = 0;
	assert_int_equal(read(said[0], &word, 1), 1);
	close(said[0]);
	return child;
}

static void kill_and_wait(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_second_taker_is_told_who_holds(void **state)
{
	pid_t child = fork_holder(*state);
	g_autoptr(GError) error = NULL;
	Clock later = clock_fixed(NOON_US + 12 * 60 * US_PER_SECOND);
	assert_null(joblock_take(*state, "scan", later, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_LOCKED));
	g_autofree char *expected = g_strdup_printf(
		"scan is at work on host %s, pid %d, for 12 min", g_get_host_name(), child);
	assert_string_equal(error->message, expected);
	kill_and_wait(child);
}

static void test_another_job_is_not_blocked(void **state)
{
	pid_t child = fork_holder(*state);
	g_autoptr(JobLock) lock = joblock_take(*state, "report", CLOCK_SYSTEM, NULL);
	assert_non_null(lock);
	kill_and_wait(child);
}

static void test_dead_holder_never_blocks(void **state)
{
	kill_and_wait(fork_holder(*state));
	g_autoptr(GPtrArray) holders = joblock_list(*state, NULL);
	assert_int_equal(holders->len, 0);
	g_autoptr(JobLock) lock = joblock_take(*state, "scan", CLOCK_SYSTEM, NULL);
	assert_non_null(lock);
}

static void test_recycled_pid_never_blocks(void **state)
{
	g_autofree char *path = g_build_filename(*state, "scan.lock", NULL);
	g_autofree char *text = g_strdup_printf("%s %d %d\n", g_get_host_name(), (int)getpid(), 1);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
	g_autoptr(JobLock) lock = joblock_take(*state, "scan", CLOCK_SYSTEM, NULL);
	assert_non_null(lock);
}

static void test_unreadable_holder_is_described_and_not_believed(void **state)
{
	g_autofree char *path = g_build_filename(*state, "scan.lock", NULL);
	g_autoptr(JobLock) lock = joblock_take(*state, "scan", CLOCK_SYSTEM, NULL);
	assert_non_null(lock);
	static const char *const texts[] = {"", "host", "host -4 5", "host 4 5 6", "a b c",
		"host 99999999999999999999 1", "\xff\xfe"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		write_in_place(path, texts[i]);
		g_autoptr(GError) error = NULL;
		assert_null(joblock_take(*state, "scan", CLOCK_SYSTEM, &error));
		assert_string_equal(error->message,
			"scan is at work (its holder has not written its name yet)");
	}
}

static void test_held_locks_are_listed_by_job(void **state)
{
	g_autoptr(JobLock) scan = joblock_take(*state, "scan", clock_fixed(NOON_US), NULL);
	g_autoptr(JobLock) mail = joblock_take(*state, "mail", clock_fixed(NOON_US + 5), NULL);
	assert_true(scan != NULL && mail != NULL);
	JobLock *gone = joblock_take(*state, "report", CLOCK_SYSTEM, NULL);
	joblock_release(gone);
	g_autoptr(GPtrArray) holders = joblock_list(*state, NULL);
	assert_int_equal(holders->len, 2);
	const JobHolder *first = holders->pdata[0], *second = holders->pdata[1];
	assert_string_equal(first->job, "mail");
	assert_string_equal(first->host, g_get_host_name());
	assert_int_equal(first->pid, getpid());
	assert_int_equal(first->since_us, NOON_US + 5);
	assert_string_equal(second->job, "scan");
}

static void test_folder_that_is_not_there_holds_no_locks(void **state)
{
	g_autofree char *folder = g_build_filename(*state, "none", NULL);
	g_autoptr(GPtrArray) holders = joblock_list(folder, NULL);
	assert_int_equal(holders->len, 0);
}

static _Noreturn void list_for_ever(const char *folder)
{
	for (;;) {
		g_autoptr(GPtrArray) holders = joblock_list(folder, NULL);
		if (holders == NULL)
			_exit(1);
	}
}

static void test_listing_never_disturbs_taking(void **state)
{
	enum { LISTERS = 3, ROUNDS = 200 };
	pid_t listers[LISTERS];
	for (int i = 0; i < LISTERS; i++) {
		listers[i] = fork();
		if (listers[i] == 0)
			list_for_ever(*state);
	}
	for (int i = 0; i < ROUNDS; i++) {
		g_autoptr(GError) error = NULL;
		JobLock *lock = joblock_take(*state, "scan", CLOCK_SYSTEM, &error);
		assert_null(error);
		assert_non_null(lock);
		joblock_release(lock);
	}
	for (int i = 0; i < LISTERS; i++) {
		assert_int_equal(waitpid(listers[i], NULL, WNOHANG), 0); /* all still list */
		kill_and_wait(listers[i]);
	}
}

/* Each adds 1 to a file, 100 times, under the lock: no addition is lost. */
static int add_a_hundred(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "count", NULL);
	for (int added = 0; added < 100;) {
		g_autoptr(JobLock) lock = joblock_take(folder, "scan", CLOCK_SYSTEM, NULL);
		if (lock == NULL) {
			g_usleep(100);
			continue;
		}
		g_autofree char *text = file_read(path, 100, NULL, NULL);
		if (text == NULL)
			return 1;
		g_autofree char *next = g_strdup_printf("%d", atoi(text) + 1);
		if (!file_write(path, next, strlen(next), 0600, NULL))
			return 1;
		added++;
	}
	return 0;
}

static void test_two_processes_never_hold_it_at_once(void **state)
{
	g_autofree char *path = g_build_filename(*state, "count", NULL);
	assert_true(file_write(path, "0", 1, 0600, NULL));
	pid_t child = fork();
	if (child == 0)
		_exit(add_a_hundred(*state));
	assert_int_equal(add_a_hundred(*state), 0);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	g_autofree char *text = file_read(path, 100, NULL, NULL);
	assert_string_equal(text, "200");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, temporary_setup, temporary_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_second_taker_is_told_who_holds),
		IN_FOLDER(test_another_job_is_not_blocked),
		IN_FOLDER(test_dead_holder_never_blocks),
		IN_FOLDER(test_recycled_pid_never_blocks),
		IN_FOLDER(test_unreadable_holder_is_described_and_not_believed),
		IN_FOLDER(test_held_locks_are_listed_by_job),
		IN_FOLDER(test_folder_that_is_not_there_holds_no_locks),
		IN_FOLDER(test_listing_never_disturbs_taking),
		IN_FOLDER(test_two_processes_never_hold_it_at_once),
	};
	return cmocka_run_group_tests_name("joblock", tests, NULL, NULL);
}
