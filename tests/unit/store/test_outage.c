/* SPDX-License-Identifier: ISC
 *
 * A database that goes away, a disk that is full, a file that may not be written: a clear error,
 * nothing half done, and everything works again afterwards.
 */
#include "place.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "store/backup.h"
#include "store/history.h"

#define NOBODY 65534

static gint64 generation(Store *store)
{
	return must_read_integer(store, "SELECT value FROM counter WHERE name = 'generation'");
}

static void kill_server(void)
{
	assert_int_equal(system(getenv("DROVER_TEST_POSTGRESQL_RESTART")), 0);
}

static gboolean advance(Store *store, gpointer of, GError **error)
{
	return store_counter_advance(store, STORE_GENERATION, error);
}

static void test_a_killed_server_is_unavailable_to_a_query_and_a_transaction_begins_anew(
	void **state)
{
	Place *place = *state;
	GError *error = NULL;
	gint64 value;
	kill_server();
	assert_false(store_counter_get(place->store, STORE_GENERATION, &value, &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "postgresql://drover@");
	assert_int_equal(generation(place->store), 1);
	kill_server();
	store_write(place->store, advance, NULL, &error);
	assert_good(error);
	assert_int_equal(generation(place->store), 2);
}

typedef struct Outage {
	int runs;
	gboolean swallow;
} Outage;

static gboolean advance_around_a_kill(Store *store, gpointer of, GError **error)
{
	Outage *outage = of;
	outage->runs++;
	if (!store_counter_advance(store, STORE_GENERATION, error))
		return FALSE;
	kill_server();
	gboolean ok =
		store_counter_advance(store, STORE_GENERATION, outage->swallow ? NULL : error);
	assert_false(ok);
	/* Nothing more runs, least of all outside of the lost transaction. */
	assert_false(store_counter_advance(store, STORE_GENERATION, NULL));
	return outage->swallow;
}

static void test_a_server_killed_inside_a_transaction_leaves_nothing_of_it(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	for (int swallow = 0; swallow < 2; swallow++) {
		Outage outage = {0, swallow};
		assert_false(store_write(place->store, advance_around_a_kill, &outage, &error));
		assert_error(&error, DROVER_ERROR_UNAVAILABLE, "lost");
		assert_int_equal(outage.runs, 1);
		assert_int_equal(generation(place->store), 1);
	}
}

static gboolean joined_kill(Store *store, gpointer of, GError **error)
{
	return store_write(store, advance_around_a_kill, of, error);
}

static void test_a_server_killed_inside_joined_work_leaves_nothing_of_it(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	Outage outage = {0, FALSE};
	assert_false(store_write(place->store, joined_kill, &outage, &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "lost");
	assert_int_equal(generation(place->store), 1);
}

/* Only the session ends, as when a firewall forgets it. */
static void test_a_transaction_begins_anew_where_the_session_was_ended(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *end =
		g_strdup_printf("SELECT pg_terminate_backend(%" G_GINT64_FORMAT ", 10000)",
			must_read_integer(place->store, "SELECT pg_backend_pid()"));
	place_meddle(place, end);
	store_write(place->store, advance, NULL, &error);
	assert_good(error);
	assert_int_equal(generation(place->store), 2);
}

/* A full disk --------------------------------------------------------------------------------- */

static gboolean append(Store *store, gpointer of, GError **error)
{
	return history_append(
		store, 1, "ada", "product.add", "product/web", NULL, NULL, "{}", error);
}

/* Opens, migrates and appends; *committed when appending was said to be done. */
static void use_once(const char *url, gboolean *committed, GError **error)
{
	g_autoptr(Store) store = store_open(url, error);
	*committed =
		store && store_migrate(store, error) && store_write(store, append, NULL, error);
}

static void assert_sound(const char *url, gint64 entries)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(url, &error);
	assert_good(error);
	store_migrate(store, &error);
	assert_good(error);
	g_autoptr(GPtrArray) problems = store_check(store, &error);
	assert_good(error);
	assert_int_equal(problems->len, 0);
	assert_int_equal(must_read_integer(store, "SELECT count(*) FROM history"), entries);
}

static void test_a_disk_full_at_any_write_harms_nothing(void **state)
{
	Place *place = *state;
	gboolean was_full = TRUE;
	int writes = 0;
	for (; was_full; writes++) {
		GError *error = NULL;
		gboolean committed;
		g_autofree char *url = place_new_url(place, STORE_SQLITE);
		disk_full_after(writes);
		use_once(url, &committed, &error);
		was_full = disk_restore();
		assert_int_equal(committed, error == NULL);
		if (!committed)
			assert_error(&error, DROVER_ERROR_INTERNAL, "make room");
		assert_sound(url, committed ? 1 : 0);
	}
	assert_in_range(writes, 20, 2000); /* the loop has bitten */
}

/* Files --------------------------------------------------------------------------------------- */

static int open_as_nobody(const char *url)
{
	g_autoptr(GError) error = NULL;
	if (geteuid() == 0 && setuid(NOBODY) != 0)
		return 1;
	Store *store = store_open(url, &error);
	gboolean fits = !store && drover_error_is(error, DROVER_ERROR_INTERNAL) &&
			strstr(error->message, "cannot be written by user");
	if (!fits)
		print_error("got: %s\n", error ? error->message : "no error");
	return fits ? 0 : 1;
}

static void test_a_file_that_may_not_be_written_is_refused_at_once(void **state)
{
	Place *place = *state;
	g_autofree char *url = place_new_url(place, STORE_SQLITE);
	const char *path = url + strlen("sqlite:");
	gboolean committed;
	use_once(url, &committed, NULL);
	assert_true(committed);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(place->folder, 0755), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(open_as_nobody(url));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_a_folder_that_is_not_there_is_said(void **state)
{
	GError *error = NULL;
	assert_null(store_open("sqlite:/nowhere/at/all/drover.db", &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "is its folder there");
}

static void test_a_file_that_is_no_database_is_refused(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *path = g_strconcat(place->folder, "/notes.txt", NULL);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autofree char *text = g_strnfill(5000, 'x');
	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_null(store_open(url, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "not a database");
	g_autofree char *after = NULL;
	g_file_get_contents(path, &after, NULL, NULL);
	assert_string_equal(after, text);
}

static void test_the_file_is_for_its_owner_only(void **state)
{
	Place *place = *state;
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *path = g_strconcat(place->url + strlen("sqlite:"), ends[i], NULL);
		struct stat about;
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 0777, 0600);
	}
}

static void test_the_file_is_set_up_to_survive(void **state)
{
	Place *place = *state;
	assert_int_equal(must_read_integer(place->store, "PRAGMA foreign_keys"), 1);
	assert_int_equal(must_read_integer(place->store, "PRAGMA synchronous"), 2);
	assert_int_equal(must_read_integer(place->store,
				 "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
		1);
}

static void test_strange_names_are_ordinary_files(void **state)
{
	Place *place = *state;
	g_autofree char *url =
		g_strconcat("sqlite:", place->folder, "/file:memory?mode=ro :memory: 🐑.db", NULL);
	gboolean committed;
	use_once(url, &committed, NULL);
	assert_true(committed);
	assert_true(g_file_test(url + strlen("sqlite:"), G_FILE_TEST_IS_REGULAR));
}

static void test_a_nul_that_another_program_wrote_is_said(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	place_meddle(place, "UPDATE maintenance SET reason = 'a' || char(0) || 'b'");
	StoreRows *rows = store_query(
		place->store, &error, "SELECT reason FROM maintenance", STORE_NO_PARAMS);
	gboolean more;
	assert_false(store_rows_next(rows, &more, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "column reason is not UTF-8");
	store_rows_free(rows);
}

int outage_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_POSTGRESQL(
			test_a_killed_server_is_unavailable_to_a_query_and_a_transaction_begins_anew),
		ON_POSTGRESQL(test_a_server_killed_inside_a_transaction_leaves_nothing_of_it),
		ON_POSTGRESQL(test_a_server_killed_inside_joined_work_leaves_nothing_of_it),
		ON_POSTGRESQL(test_a_transaction_begins_anew_where_the_session_was_ended),
		ON_SQLITE(test_a_disk_full_at_any_write_harms_nothing),
		ON_SQLITE(test_a_file_that_may_not_be_written_is_refused_at_once),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_said),
		ON_SQLITE(test_a_file_that_is_no_database_is_refused),
		ON_SQLITE(test_the_file_is_for_its_owner_only),
		ON_SQLITE(test_the_file_is_set_up_to_survive),
		ON_SQLITE(test_strange_names_are_ordinary_files),
		ON_SQLITE(test_a_nul_that_another_program_wrote_is_said),
	};
	return cmocka_run_group_tests_name("outages", tests, NULL, NULL);
}
