/* SPDX-License-Identifier: ISC
 *
 * Writers killed again and again while somebody reads: each version that can be seen is whole, each
 * index is good, nothing that was in one is missing, and in the end all is published once.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repository_bed.h"

/* Who was killed after it made the lock's file and before it said its name there blocks the others
 * for a moment. */
enum { VERSIONS = 8, LONGEST_LIFE_US = 6000, IS_LOCKED = 9 };

/* Versions 1.1 to 1.VERSIONS, each as it was built once. */
typedef struct Plan {
	RepositoryBed *bed;
	Built *built[VERSIONS];
} Plan;

static void publish_all(const Plan *plan)
{
	for (int i = 0; i < VERSIONS; i++) {
		PublishOutcome outcome;
		g_autoptr(GError) error = NULL;
		if (!bed_publish(plan->bed, plan->built[i], &outcome, &error))
			_exit(drover_error_is(error, DROVER_ERROR_LOCKED) ? IS_LOCKED : 1);
		g_autoptr(Trust) trust = bed_trust(plan->bed);
		RepositoryLock *lock =
			repository_lock(plan->bed->repository, "sign", CLOCK_SYSTEM, NULL, NULL);
		if (lock == NULL ||
			!repository_sign_index(plan->bed->repository, lock, plan->bed->key, trust,
				NULL, REPOSITORY_NOW, 86400, TRUE, NULL, NULL))
			_exit(2);
		repository_unlock(lock);
	}
	_exit(0);
}

/* Every byte is what the manifest says. */
static gboolean is_whole(const Plan *plan, const Trust *trust, const char *version, char *sha256)
{
	char seen[SHA256_HEX];
	g_autoptr(Manifest) manifest = repository_manifest(
		plan->bed->repository, version, trust, REPOSITORY_NOW, NULL, sha256, NULL);
	g_autofree char *name = g_build_filename(version, REPOSITORY_PAYLOAD_FILE, NULL);
	g_autofree char *path = bed_path(plan->bed, name);
	g_autofree char *bytes = NULL;
	gsize size;
	if (manifest == NULL || !g_file_get_contents(path, &bytes, &size, NULL))
		return FALSE;
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size);
	sha256_finish(&state, seen);
	return (gint64)size == manifest->payload.size_bytes &&
	       strcmp(seen, manifest->payload.sha256) == 0;
}

static gboolean all_are_whole(const Plan *plan)
{
	char sha256[SHA256_HEX];
	g_autoptr(Trust) trust = bed_trust(plan->bed);
	g_autoptr(GPtrArray) versions = repository_versions(plan->bed->repository, NULL);
	for (guint i = 0; i < versions->len; i++)
		if (!is_whole(plan, trust, versions->pdata[i], sha256))
			return FALSE;
	return TRUE;
}

/* How many releases the index has; -1: something is wrong with it. */
static int index_count(const Plan *plan)
{
	char sha256[SHA256_HEX];
	g_autoptr(GError) error = NULL;
	g_autoptr(Trust) trust = bed_trust(plan->bed);
	g_autoptr(Index) index =
		repository_index(plan->bed->repository, trust, REPOSITORY_NOW, NULL, &error);
	if (index == NULL)
		return drover_error_is(error, DROVER_ERROR_NOT_FOUND) ? 0 : -1;
	for (guint i = 0; i < index->releases->len; i++) {
		const IndexRelease *release = index->releases->pdata[i];
		if (!is_whole(plan, trust, release->version, sha256) ||
			strcmp(sha256, release->sha256) != 0)
			return -1;
	}
	return (int)index->releases->len;
}

/* Reads until all versions are in the index; 0 when all that was seen was good. */
static void read_on(const Plan *plan)
{
	for (int last = 0; last < VERSIONS;) {
		int count = index_count(plan);
		if (count < last)
			_exit(3);
		last = count;
		if (!all_are_whole(plan))
			_exit(4);
	}
	_exit(0);
}

static void test_no_reader_ever_sees_half_of_a_version(void **state)
{
	Plan plan = {.bed = *state};
	for (int i = 0; i < VERSIONS; i++) {
		g_autofree char *version = g_strdup_printf("1.%d", i + 1);
		plan.built[i] = bed_build(plan.bed, version, i + 1, version, NULL);
	}
	pid_t reader = fork();
	if (reader == 0)
		read_on(&plan);
	int status = 1, killed = 0;
	while (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		pid_t writer = fork();
		if (writer == 0)
			publish_all(&plan);
		/* After some rounds longer, so that a slow machine gets there too. */
		g_usleep((gulong)g_random_int_range(0, LONGEST_LIFE_US + 100 * killed));
		kill(writer, SIGKILL);
		assert_int_equal(waitpid(writer, &status, 0), writer);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0 ||
			    WEXITSTATUS(status) == IS_LOCKED);
		killed += WIFSIGNALED(status);
	}
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	assert_true(killed > 0);
	g_autofree char *incoming = bed_names(plan.bed, ".incoming");
	assert_string_equal(incoming, "");
	for (int i = 0; i < VERSIONS; i++)
		built_free(plan.built[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_reader_ever_sees_half_of_a_version,
			repository_bed_setup, repository_bed_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
