/* SPDX-License-Identifier: ISC
 *
 * The repository's lock: one holder, dead and silent ones put aside, and what they left cleaned up.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "repository_bed.h"

enum { RACERS = 8, ROUNDS = 40 };

static RepositoryLock *take(const RepositoryBed *bed, char **warning, GError **error)
{
	return repository_lock(bed->repository, "publish", CLOCK_SYSTEM, warning, error);
}

static char *lock_path(const RepositoryBed *bed)
{
	return bed_path(bed, ".lock");
}

/* As if it was touched last so long ago. */
static void set_age(const RepositoryBed *bed, gint64 age_s)
{
	g_autofree char *path = lock_path(bed);
	struct timespec then[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - age_s}};
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static void put_lock(const RepositoryBed *bed, const char *text, gint64 age_s)
{
	g_autofree char *path = lock_path(bed);
	assert_true(file_write(path, text, strlen(text), 0644, NULL));
	set_age(bed, age_s);
}

#define OF_ANOTHER_HOST                                                                            \
	"drover-lock 1\nid 0123456789abcdef\nhost build7\nplace elsewhere\npid 4711\n"             \
	"started 99\nsince 2026-11-21T03:47:19Z\njob publish\n"

static void assert_held(const RepositoryBed *bed, const char *part)
{
	GError *error = NULL;
	assert_null(take(bed, NULL, &error));
	assert_error(&error, DROVER_ERROR_LOCKED, part);
}

static void assert_taken_over(const RepositoryBed *bed, const char *part)
{
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(RepositoryLock) lock = take(bed, &warning, &error);
	assert_fine(error);
	assert_non_null(lock);
	assert_non_null(warning);
	assert_non_null(strstr(warning, part));
}

static void test_one_holds_it_and_the_other_is_told_who(void **state)
{
	RepositoryBed *bed = *state;
	RepositoryLock *lock = take(bed, NULL, NULL);
	assert_non_null(lock);
	g_autofree char *me =
		g_strdup_printf("publish on host %s, pid %d", g_get_host_name(), (int)getpid());
	assert_held(bed, me);
	repository_unlock(lock);
	g_autofree char *names = bed_names(bed, "");
	assert_string_equal(names, "");
	g_autofree char *warning = NULL;
	lock = take(bed, &warning, NULL);
	assert_non_null(lock);
	assert_null(warning);
	repository_unlock(lock);
}

/* Holds the lock until it is killed. */
static pid_t start_holder(const RepositoryBed *bed)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		RepositoryLock *lock = take(bed, NULL, NULL);
		if (write(ends[1], lock != NULL ? "y" : "n", 1) == 1)
			pause();
		_exit(0);
	}
	char said = 'n';
	assert_int_equal(read(ends[0], &said, 1), 1);
	assert_int_equal(said, 'y');
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_a_dead_holder_of_this_host_never_blocks(void **state)
{
	RepositoryBed *bed = *state;
	pid_t pid = start_holder(bed);
	g_autofree char *who = g_strdup_printf("pid %d", (int)pid);
	assert_held(bed, who);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_taken_over(bed, who);
}

static void test_a_process_that_got_the_same_number_is_not_the_holder(void **state)
{
	RepositoryBed *bed = *state;
	pid_t pid = start_holder(bed);
	g_autofree char *path = lock_path(bed);
	g_autofree char *text = file_read(path, 4096, NULL, NULL);
	char *started = strstr(text, "started ") + strlen("started ");
	started[0] = started[0] == '9' ? '8' : '9';
	put_lock(bed, text, 0);
	assert_taken_over(bed, "publish");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_another_host_is_gone_when_it_was_silent_for_90_s(void **state)
{
	RepositoryBed *bed = *state;
	put_lock(bed, OF_ANOTHER_HOST, 0);
	assert_held(bed, "host build7, pid 4711");
	put_lock(bed, OF_ANOTHER_HOST, REPOSITORY_LOCK_STALE_S - 60);
	assert_held(bed, "host build7");
	put_lock(bed, OF_ANOTHER_HOST, REPOSITORY_LOCK_STALE_S);
	assert_taken_over(bed, "publish on host build7, pid 4711, last heard of 1 min ago");
}

static void test_a_lock_without_a_name_is_gone_after_5_s(void **state)
{
	RepositoryBed *bed = *state;
	const char *const texts[] = {"", "drover-lock 1\nid 0123", "\x01rubbish\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		put_lock(bed, texts[i], 0);
		assert_held(bed, "somebody who has not said a name");
		put_lock(bed, texts[i], REPOSITORY_LOCK_NAMELESS_S);
		assert_taken_over(bed, "somebody who has not said a name");
	}
}

static void test_who_lost_the_lock_publishes_nothing_and_leaves_the_new_one(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	PublishOutcome outcome;
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", NULL);
	RepositoryLock *lost = take(bed, NULL, NULL);
	put_lock(bed, OF_ANOTHER_HOST, 0);
	assert_false(repository_publish(bed->repository, lost, built->manifest, built->files,
		built->count, NULL, NULL, &outcome, &error));
	assert_error(&error, DROVER_ERROR_LOCKED, "no longer ours");
	assert_false(repository_remove(bed->repository, lost, "1.0", &error));
	assert_error(&error, DROVER_ERROR_LOCKED, "no longer ours");
	g_autoptr(Trust) trust = bed_trust(bed);
	assert_false(repository_sign_index(bed->repository, lost, bed->key, trust, NULL,
		REPOSITORY_NOW, 86400, FALSE, NULL, &error));
	assert_error(&error, DROVER_ERROR_LOCKED, "no longer ours");
	repository_unlock(lost);
	assert_held(bed, "host build7");
	g_autofree char *names = bed_names(bed, "");
	assert_string_equal(names, ".lock");
}

static void test_what_killed_writers_left_is_cleaned_up_by_the_next(void **state)
{
	RepositoryBed *bed = *state;
	bed_publish_text(bed, "1.0", 1, "one\n");
	const char *const left[] = {".incoming/a/payload.tar.zst", ".incoming/b/c/d",
		".removed/e/manifest", "index.part-x1", "delegation.part-x2", ".lock-now-1",
		".lock-2"};
	for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
		g_autofree char *path = bed_path(bed, left[i]);
		g_autofree char *folder = g_path_get_dirname(path);
		assert_true(file_make_folder(folder, 0755, NULL));
		assert_true(file_write(path, "x", 1, 0644, NULL));
	}
	g_autofree char *warning = NULL;
	g_autoptr(RepositoryLock) lock = take(bed, &warning, NULL);
	assert_non_null(lock);
	assert_null(warning);
	g_autofree char *names = bed_names(bed, "");
	assert_string_equal(names, ".incoming .lock 1.0");
	g_autofree char *incoming = bed_names(bed, ".incoming");
	assert_string_equal(incoming, "");
}

/* Whoever may write to the repository may put links there; nothing is tidied up where they lead. */
static void test_a_link_in_the_place_of_incoming_or_removed_leads_nowhere(void **state)
{
	RepositoryBed *bed = *state;
	const char *const names[] = {".incoming", ".removed"};
	g_autofree char *mine = g_build_filename(bed->folder, "mine", NULL);
	g_autofree char *precious = g_build_filename(mine, "precious", NULL);
	assert_true(file_make_folder(mine, 0755, NULL));
	assert_true(file_write(precious, "x", 1, 0644, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *link = bed_path(bed, names[i]);
		assert_true(file_remove(link, NULL));
		assert_int_equal(symlink(mine, link), 0);
	}
	g_autofree char *left = bed_path(bed, ".lock-1");
	assert_true(file_write(left, "x", 1, 0644, NULL));
	bed_publish_text(bed, "1.0", 1, "one\n");
	g_autoptr(RepositoryLock) lock = take(bed, NULL, NULL);
	assert_true(repository_remove(bed->repository, lock, "1.0", NULL));
	g_autofree char *all = bed_names(bed, "");
	assert_string_equal(all, ".incoming .lock");
	g_autoptr(GDir) folder = g_dir_open(mine, 0, NULL);
	assert_string_equal(g_dir_read_name(folder), "precious");
	assert_null(g_dir_read_name(folder));
}

static void test_who_is_cleaned_up_behind_cannot_publish_the_rest(void **state)
{
	RepositoryBed *bed = *state;
	g_autofree char *old = bed_path(bed, ".incoming/a");
	g_autofree char *new = bed_path(bed, "1.0");
	assert_true(file_make_folder(old, 0755, NULL));
	repository_unlock(take(bed, NULL, NULL));
	assert_int_equal(rename(old, new), -1);
}

/* Takes the lock if it can, and looks whether somebody else holds it at the same time. */
static int race(const RepositoryBed *bed, int go)
{
	char byte;
	g_autofree char *only = bed_path(bed, "only-one");
	while (read(go, &byte, 1) > 0)
		continue;
	for (int i = 0; i < 3; i++) {
		RepositoryLock *lock = take(bed, NULL, NULL);
		if (lock == NULL)
			continue;
		int fd = open(only, O_CREAT | O_EXCL | O_WRONLY, 0600);
		g_usleep(200);
		unlink(only);
		repository_unlock(lock);
		if (fd < 0)
			return 1;
		close(fd);
	}
	return 0;
}

/* All find the lock of somebody who is gone, at the same instant. */
static void test_a_stale_lock_is_taken_over_by_one_of_many(void **state)
{
	RepositoryBed *bed = *state;
	for (int round = 0; round < ROUNDS; round++) {
		pid_t racers[RACERS];
		int go[2];
		assert_int_equal(pipe(go), 0);
		put_lock(bed, OF_ANOTHER_HOST, 1000);
		for (int i = 0; i < RACERS; i++) {
			racers[i] = fork();
			if (racers[i] == 0) {
				close(go[1]);
				_exit(race(bed, go[0]));
			}
		}
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < RACERS; i++) {
			int status = 0;
			assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
			assert_int_equal(status, 0);
		}
	}
	repository_unlock(take(bed, NULL, NULL));
	g_autofree char *names = bed_names(bed, "");
	assert_string_equal(names, "");
}

/* Waits for a heartbeat, so only when all tests are wanted. */
static void test_a_holder_that_works_for_long_is_heard_of(void **state)
{
	RepositoryBed *bed = *state;
	if (g_getenv("DROVER_TEST_FULL") == NULL)
		skip();
	g_autoptr(RepositoryLock) lock = take(bed, NULL, NULL);
	assert_non_null(lock);
	g_autofree char *path = lock_path(bed);
	struct stat status = {0};
	set_age(bed, 1000);
	gint64 end = g_get_monotonic_time() + 3 * REPOSITORY_LOCK_BEAT_S * G_TIME_SPAN_SECOND;
	do {
		g_usleep(100000);
		assert_int_equal(stat(path, &status), 0);
	} while (status.st_mtime < time(NULL) - 500 && g_get_monotonic_time() < end);
	assert_true(status.st_mtime > time(NULL) - 500);
}

#define WITH_BED(test)                                                                             \
	cmocka_unit_test_setup_teardown(test, repository_bed_setup, repository_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(test_one_holds_it_and_the_other_is_told_who),
		WITH_BED(test_a_dead_holder_of_this_host_never_blocks),
		WITH_BED(test_a_process_that_got_the_same_number_is_not_the_holder),
		WITH_BED(test_another_host_is_gone_when_it_was_silent_for_90_s),
		WITH_BED(test_a_lock_without_a_name_is_gone_after_5_s),
		WITH_BED(test_who_lost_the_lock_publishes_nothing_and_leaves_the_new_one),
		WITH_BED(test_what_killed_writers_left_is_cleaned_up_by_the_next),
		WITH_BED(test_a_link_in_the_place_of_incoming_or_removed_leads_nowhere),
		WITH_BED(test_who_is_cleaned_up_behind_cannot_publish_the_rest),
		WITH_BED(test_a_stale_lock_is_taken_over_by_one_of_many),
		WITH_BED(test_a_holder_that_works_for_long_is_heard_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
