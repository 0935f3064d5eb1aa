/* SPDX-License-Identifier: ISC
 *
 * One of each job at a time, and the dead hold nothing.
 */
#include "place.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/job.h"

#define NOON_US G_GINT64_CONSTANT(1800000000000000)

/* Another process that holds the job "scan" until it is killed. */
static pid_t start_holder(const Place *place)
{
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		g_autoptr(Store) store = store_open(place->url, NULL);
		StoreJob *lock =
			store ? store_job_take(store, "scan", clock_fixed(NOON_US), NULL) : NULL;
		if (write(ready[1], lock ? "y" : "n", 1) == 1)
			pause();
		_exit(1);
	}
	char answer = 0;
	assert_int_equal(read(ready[0], &answer, 1), 1);
	assert_int_equal(answer, 'y');
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void kill_holder(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The server notices a dead client soon, not at once. */
static StoreJob *take_patiently(Store *store)
{
	for (int i = 0; i < 200; i++) {
		StoreJob *lock = store_job_take(store, "scan", CLOCK_SYSTEM, NULL);
		if (lock)
			return lock;
		g_usleep(50000);
	}
	return NULL;
}

static void test_a_second_copy_is_told_who_holds_the_job(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	pid_t holder = start_holder(place);
	g_autofree char *who = g_strdup_printf(
		"scan is at work on host %s, pid %d, for 12 min", g_get_host_name(), (int)holder);
	Clock later = clock_fixed(NOON_US + 12 * 60 * US_PER_SECOND);
	StoreJob *lock = store_job_take(place->store, "scan", later, &error);
	assert_null(lock);
	assert_error(&error, DROVER_ERROR_LOCKED, who);
	kill_holder(holder);
}

static void test_a_killed_holder_never_blocks(void **state)
{
	Place *place = *state;
	kill_holder(start_holder(place));
	g_autoptr(StoreJob) lock = take_patiently(place->store);
	assert_non_null(lock);
}

static void test_jobs_do_not_block_each_other(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	pid_t holder = start_holder(place);
	g_autoptr(StoreJob) remind = store_job_take(place->store, "remind", CLOCK_SYSTEM, &error);
	assert_good(error);
	assert_non_null(remind);
	kill_holder(holder);
}

static void test_stores_do_not_block_each_other(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *url = place_new_url(place, place->kind);
	g_autoptr(Store) other = store_open(url, &error);
	store_migrate(other, &error);
	g_autoptr(StoreJob) lock = store_job_take(place->store, "scan", CLOCK_SYSTEM, &error);
	g_autoptr(StoreJob) other_lock = store_job_take(other, "scan", CLOCK_SYSTEM, &error);
	assert_good(error);
	assert_non_null(lock);
	assert_non_null(other_lock);
}

static void test_one_process_does_not_take_a_job_twice(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autoptr(Store) other = place_connect(place);
	g_autoptr(StoreJob) lock = store_job_take(place->store, "scan", CLOCK_SYSTEM, &error);
	assert_good(error);
	assert_non_null(lock);
	assert_null(store_job_take(other, "scan", CLOCK_SYSTEM, &error));
	assert_error(&error, DROVER_ERROR_LOCKED, "scan is at work on host");
}

static void test_a_released_job_can_be_taken(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	store_job_release(store_job_take(place->store, "scan", CLOCK_SYSTEM, &error));
	assert_good(error);
	g_autoptr(StoreJob) lock = take_patiently(place->store);
	assert_non_null(lock);
}

/* The holder died, and its pid is now that of another process: ours, as it happens. */
static void test_a_recycled_pid_holds_nothing(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	if (place->kind == STORE_SQLITE) {
		g_autofree char *folder =
			g_strconcat(place->url + strlen("sqlite:"), ".locks", NULL);
		g_autofree char *path = g_strconcat(folder, "/scan.lock", NULL);
		g_autofree char *text =
			g_strdup_printf("%s %d 1000\n", g_get_host_name(), (int)getpid());
		file_make_folder(folder, 0700, &error);
		file_write(path, text, strlen(text), 0600, &error);
	} else {
		g_autofree char *sql = g_strdup_printf(
			"INSERT INTO job_holder (job, host, pid, since_us, backend_pid) "
			"SELECT 'scan', '%s', %d, 1000, pg_backend_pid()",
			g_get_host_name(), (int)getpid());
		must_write(place->store, sql);
	}
	assert_good(error);
	g_autoptr(GPtrArray) holders = store_job_list(place->store, &error);
	assert_good(error);
	assert_int_equal(holders->len, 0);
	g_autoptr(StoreJob) lock = store_job_take(place->store, "scan", CLOCK_SYSTEM, &error);
	assert_good(error);
	assert_non_null(lock);
}

static void test_those_at_work_are_listed(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	pid_t pid = start_holder(place);
	g_autoptr(GPtrArray) holders = store_job_list(place->store, &error);
	assert_good(error);
	assert_int_equal(holders->len, 1);
	const JobHolder *holder = g_ptr_array_index(holders, 0);
	assert_string_equal(holder->job, "scan");
	assert_string_equal(holder->host, g_get_host_name());
	assert_int_equal(holder->pid, pid);
	assert_true(holder->since_us == NOON_US);
	kill_holder(pid);
}

int job_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_a_second_copy_is_told_who_holds_the_job),
		ON_BOTH(test_a_killed_holder_never_blocks),
		ON_BOTH(test_jobs_do_not_block_each_other),
		ON_BOTH(test_stores_do_not_block_each_other),
		ON_BOTH(test_one_process_does_not_take_a_job_twice),
		ON_BOTH(test_a_released_job_can_be_taken),
		ON_BOTH(test_a_recycled_pid_holds_nothing),
		ON_BOTH(test_those_at_work_are_listed),
	};
	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
