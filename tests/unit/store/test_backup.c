/* SPDX-License-Identifier: ISC
 *
 * Backup online, restore into either database, and the look at whether a store is sound.
 */
#include "place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/backup.h"
#include "store/history.h"

/* Something in each table of landings, people and notices, with texts and NULLs that go wrong
 * easily. */
static const char *const HOUSE[] = {
	"INSERT INTO product (name, title, branch, item_patterns, authors_may_rule, overdue_days, "
	"overdue_every_days, remind, next_ordinal, epoch, data_version) "
	"VALUES ('web', 'It''s \"web\" 🐑', 'master', 'bug', 0, 3, 7, 1, 3, 1, 9007199254740993)",
	"INSERT INTO landing (id, product_id, ordinal, revision, branch, author_name, "
	"author_email, "
	"landed_us, subject, message, qa, commits, changes) SELECT 4294967297, id, 1, 'abc', "
	"'master', "
	"'Ada', 'ada@x', "
	"1800000000000001, '', 'line\nline\tü', 'required', 1, 1 FROM product",
	"INSERT INTO landing_item (landing_id, item) SELECT id, '7' FROM landing",
	"INSERT INTO landing_target (landing_id, kind, position, ordinal, reference) "
	"SELECT id, 'rollback', 0, -1, '?' FROM landing",
	"INSERT INTO verdict (product_id, landing_id, item, state, at_us, actor, tool) "
	"SELECT product_id, id, '', 'ok', 5, 'ada', 'drover' FROM landing",
	"INSERT INTO person (name, email, is_disabled, created_us, data_version) "
	"VALUES ('ada', 'ada@x', 0, 1, 1), ('bob', 'bob@x', 1, 2, 1), ('eve', 'e@x', 0, 3, 1)",
	"INSERT INTO person_role (person_id, product, role) SELECT id, '*', 'admin' FROM person",
	"DELETE FROM person_role WHERE person_id = 3",
	"DELETE FROM person WHERE id = 3",
	"INSERT INTO outbox (dedupe, kind, recipient, subject, body, message_id, state, attempts, "
	"next_us, queued_us) VALUES ('d', 'overdue', 'a@x', 's', 'b', 'm', 'queued', 0, 0, 0)",
	"UPDATE maintenance SET is_on = 1, reason = 'moving', since_us = 4",
	"UPDATE counter SET value = 41 WHERE name = 'generation'",
};

static gboolean append(Store *store, gpointer of, GError **error)
{
	return history_append(store, 1, "ada", "product.add", "product/web", of, NULL, "{}", error);
}

static void furnish(Store *store)
{
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(HOUSE); i++)
		must_write(store, HOUSE[i]);
	for (int i = 0; i < 3; i++)
		store_write(store, append, i ? NULL : "first", &error);
	assert_good(error);
}

static GPtrArray *must_read_texts(Store *store, const char *sql, int columns)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(StoreRows) rows = store_query(store, &error, sql, STORE_NO_PARAMS);
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	gboolean more;
	while (store_rows_next(rows, &more, &error) && more) {
		GString *line = g_string_new(NULL);
		for (int i = 0; i < columns; i++) {
			const char *text = store_rows_text(rows, i);
			g_string_append_printf(line, "|%s", text ? text : "(null)");
		}
		g_ptr_array_add(texts, g_string_free(line, FALSE));
	}
	assert_good(error);
	return texts;
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every row of every table, sorted; tables and columns are those of `model`, an SQLite store. */
static char *dump(Store *store, Store *model)
{
	g_autoptr(GPtrArray) tables = must_read_texts(model,
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
		"ORDER BY name",
		1);
	assert_in_range(tables->len, 20, 1000);
	GString *all = g_string_new(NULL);
	for (guint i = 0; i < tables->len; i++) {
		const char *table = (char *)g_ptr_array_index(tables, i) + 1;
		g_autofree char *columns =
			g_strdup_printf("SELECT count(*) FROM pragma_table_info('%s')", table);
		g_autofree char *list = g_strdup_printf(
			"SELECT group_concat(name, ', ') FROM pragma_table_info('%s')", table);
		g_autoptr(GPtrArray) names = must_read_texts(model, list, 1);
		g_autofree char *sql = g_strdup_printf(
			"SELECT %s FROM %s", (char *)g_ptr_array_index(names, 0) + 1, table);
		g_autoptr(GPtrArray) rows =
			must_read_texts(store, sql, (int)must_read_integer(model, columns));
		g_ptr_array_sort(rows, by_text);
		g_string_append_printf(all, "%s:\n", table);
		for (guint row = 0; row < rows->len; row++)
			g_string_append_printf(all, "%s\n", (char *)g_ptr_array_index(rows, row));
	}
	return g_string_free(all, FALSE);
}

static char *backup_path(const Place *place)
{
	return g_strconcat(place->folder, "/backup.db", NULL);
}

/* Returns the head of the history that was published with it. Caller frees. */
static char *must_back_up_for_head(const Place *place, const char *path)
{
	g_autoptr(GError) error = NULL;
	char *head = NULL;
	store_backup(place->store, path, &head, &error);
	assert_good(error);
	return head;
}

static void must_back_up(const Place *place, const char *path)
{
	g_free(must_back_up_for_head(place, path));
}

static Store *must_open(const char *url)
{
	g_autoptr(GError) error = NULL;
	Store *store = store_open(url, &error);
	assert_good(error);
	return store;
}

static void assert_sound(Store *store)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) problems = store_check(store, &error);
	assert_good(error);
	for (guint i = 0; i < problems->len; i++)
		print_error("%s\n", (char *)g_ptr_array_index(problems, i));
	assert_int_equal(problems->len, 0);
}

static void test_a_backup_is_a_store_with_the_same_rows(void **state)
{
	Place *place = *state;
	furnish(place->store);
	g_autofree char *path = backup_path(place);
	g_autofree char *head = must_back_up_for_head(place, path);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) copy = must_open(url);
	g_autofree char *expected = dump(place->store, copy);
	g_autofree char *got = dump(copy, copy);
	assert_non_null(strstr(expected, "It's \"web\" 🐑"));
	assert_string_equal(got, expected);
	assert_sound(copy);

	g_autofree char *source_head = NULL;
	history_head(place->store, &source_head, NULL, NULL);
	assert_string_equal(head, source_head);
}

static void test_a_backup_is_one_private_file(void **state)
{
	Place *place = *state;
	g_autofree char *folder = g_strconcat(place->folder, "/backups", NULL);
	g_autofree char *path = g_strconcat(folder, "/nightly.db", NULL);
	assert_true(file_make_folder(folder, 0700, NULL));
	for (int i = 0; i < 2; i++) { /* the second replaces the first */
		struct stat about;
		must_back_up(place, path);
		g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
		assert_string_equal(g_dir_read_name(files), "nightly.db");
		assert_null(g_dir_read_name(files));
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 0777, 0600);
	}
}

static void assert_restores_into(const Place *place, StoreKind kind)
{
	g_autoptr(GError) error = NULL;
	furnish(place->store);
	g_autofree char *path = backup_path(place);
	must_back_up(place, path);
	g_autofree char *url = place_new_url(place, kind);
	g_autoptr(Store) target = must_open(url);
	store_restore(target, path, &error);
	assert_good(error);

	g_autofree char *copy_url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) model = must_open(copy_url);
	g_autofree char *expected = dump(place->store, model);
	g_autofree char *got = dump(target, model);
	assert_string_equal(got, expected);
	assert_sound(target);
	/* Person 3 is gone, and nobody else is ever number 3. */
	must_write(target,
		"INSERT INTO person (name, email, is_disabled, created_us, data_version) "
		"VALUES ('new', 'n@x', 0, 1, 1)");
	assert_int_equal(must_read_integer(target, "SELECT id FROM person WHERE name = 'new'"), 4);
}

static void test_a_backup_restores_into_sqlite(void **state)
{
	assert_restores_into(*state, STORE_SQLITE);
}

static void test_a_backup_restores_into_postgresql(void **state)
{
	assert_restores_into(*state, STORE_POSTGRESQL);
}

/* More rows than one fetch of the cursor. */
static void test_long_tables_are_copied_whole(void **state)
{
	Place *place = *state;
	must_write(place->store,
		"INSERT INTO counter (name, value) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
		"SELECT i + 1 FROM n WHERE i < 1234) SELECT CAST(i AS TEXT), i FROM n");
	g_autofree char *path = backup_path(place);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	must_back_up(place, path);
	g_autoptr(Store) copy = must_open(url);
	assert_int_equal(
		must_read_integer(copy, "SELECT count(*) FROM counter WHERE name < 'a'"), 1234);
	assert_int_equal(
		must_read_integer(copy, "SELECT sum(value) FROM counter WHERE name < 'a'"), 761995);
}

/* While writing ------------------------------------------------------------------------------- */

typedef struct Writer {
	const Place *place;
	int stop; /* atomic */
} Writer;

/* Two rows that are equal in every committed state, and one entry of history. */
static gboolean write_pair(Store *store, gpointer of, GError **error)
{
	return store_counter_advance(store, "left", error) && append(store, NULL, error) &&
	       store_counter_advance(store, "right", error);
}

static gpointer write_on(gpointer of)
{
	Writer *writer = of;
	g_autoptr(Store) store = store_open(writer->place->url, NULL);
	while (store && !g_atomic_int_get(&writer->stop))
		if (!store_write(store, write_pair, NULL, NULL))
			return GINT_TO_POINTER(1);
	return GINT_TO_POINTER(store ? 0 : 1);
}

static void test_a_backup_while_others_write_is_of_one_instant(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	store_write(place->store, write_pair, NULL, &error);
	assert_good(error);
	Writer writer = {place, 0};
	GThread *thread = g_thread_new("writer", write_on, &writer);
	g_autofree char *path = backup_path(place);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	for (int i = 0; i < 5; i++) {
		g_autofree char *head = must_back_up_for_head(place, path);
		g_autoptr(Store) copy = must_open(url);
		gint64 left =
			must_read_integer(copy, "SELECT value FROM counter WHERE name = 'left'");
		assert_int_equal(left,
			must_read_integer(copy, "SELECT value FROM counter WHERE name = 'right'"));
		assert_int_equal(left, must_read_integer(copy, "SELECT count(*) FROM history"));
		HistoryVerdict verdict;
		assert_true(history_verify(copy, head, &verdict, NULL));
		assert_null(verdict.problem);
		assert_string_equal(verdict.head, head);
		history_verdict_clear(&verdict);
	}
	g_atomic_int_set(&writer.stop, 1);
	assert_null(g_thread_join(thread));
}

/* Refusals ------------------------------------------------------------------------------------ */

static void test_a_store_with_people_is_not_restored_into(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *path = backup_path(place);
	must_back_up(place, path);
	furnish(place->store);
	assert_false(store_restore(place->store, path, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "new, empty store");
	assert_int_equal(must_read_integer(place->store, "SELECT count(*) FROM person"), 2);
}

static void test_a_backup_of_a_newer_drover_is_refused(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *path = backup_path(place);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	must_back_up(place, path);
	Store *copy = must_open(url);
	must_write(copy, "INSERT INTO schema_version (version, name) VALUES (9999, 'x')");
	store_close(copy);
	assert_false(store_restore(place->store, path, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "use the newer drover");
}

static void test_a_backup_that_is_not_there_is_not_made(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *path = backup_path(place);
	assert_false(store_restore(place->store, path, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "backup.db");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_a_backup_into_no_folder_is_an_error(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	assert_false(store_backup(place->store, "/nowhere/at/all.db", NULL, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "/nowhere/at/all.db");
}

static void test_a_store_at_work_is_not_overwritten_by_a_backup(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	g_autofree char *url = place_new_url(place, STORE_SQLITE);
	g_autoptr(Store) other = must_open(url);
	store_migrate(other, &error);
	assert_good(error);
	assert_false(store_backup(place->store, url + strlen("sqlite:"), NULL, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "uses this file as a store");
}

/* droverd may have answered from a cache keyed by the generation before. */
static void test_a_restored_generation_is_never_one_that_was(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = backup_path(place);
	must_write(place->store, "UPDATE counter SET value = 5");
	must_back_up(place, path);
	must_write(place->store, "UPDATE counter SET value = 8");
	store_restore(place->store, path, &error);
	assert_good(error);
	assert_int_equal(must_read_integer(place->store,
				 "SELECT value FROM counter WHERE name = 'generation'"),
		9);
}

/* The check ----------------------------------------------------------------------------------- */

static void assert_problem(Store *store, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) problems = store_check(store, &error);
	assert_good(error);
	assert_int_equal(problems->len, 1);
	if (!strstr(g_ptr_array_index(problems, 0), part))
		fail_msg("\"%s\" is not in \"%s\"", part, (char *)g_ptr_array_index(problems, 0));
}

static void test_a_furnished_store_is_sound(void **state)
{
	Place *place = *state;
	furnish(place->store);
	assert_sound(place->store);
}

static void test_a_dangling_reference_is_found(void **state)
{
	Place *place = *state;
	furnish(place->store);
	place_meddle(place,
		place->kind == STORE_SQLITE
			? "PRAGMA foreign_keys = OFF;"
			  "INSERT INTO person_role (person_id, product, role) VALUES (99, '*', 'x')"
			: "SET session_replication_role = replica;"
			  "INSERT INTO person_role (person_id, product, role) VALUES (99, '*', "
			  "'x')");
	assert_problem(place->store, "person_role");
}

static void test_a_broken_chain_is_found(void **state)
{
	Place *place = *state;
	furnish(place->store);
	place_unlock_history(place);
	place_meddle(place, "UPDATE history SET actor = 'eve' WHERE sequence = 2");
	assert_problem(place->store, "history: entry 2");
}

static void test_a_schema_of_another_version_is_found(void **state)
{
	Place *place = *state;
	must_write(place->store, "INSERT INTO schema_version (version, name) VALUES (9999, 'x')");
	assert_problem(place->store, "version 9999");
}

/* One byte of a page in the middle of the file. */
static void test_a_damaged_page_is_found(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	furnish(place->store);
	g_autofree char *path = backup_path(place);
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	must_back_up(place, path);
	g_autofree char *root = NULL;
	{
		g_autoptr(Store) copy = must_open(url);
		gint64 page = must_read_integer(
			copy, "SELECT rootpage FROM sqlite_master WHERE name = 'history_subject'");
		root = g_strdup_printf("%" G_GINT64_FORMAT, page);
	}
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, (strtol(root, NULL, 10) - 1) * 4096, SEEK_SET);
	fputc(0x55, file);
	fclose(file);
	g_autoptr(Store) copy = must_open(url);
	g_autoptr(GPtrArray) problems = store_check(copy, &error);
	if (problems)
		assert_in_range(problems->len, 1, 100);
	else
		assert_error(&error, DROVER_ERROR_INTERNAL, "restore a backup");
}

int backup_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_a_backup_is_a_store_with_the_same_rows),
		ON_BOTH(test_a_backup_is_one_private_file),
		ON_BOTH(test_a_backup_restores_into_sqlite),
		ON_BOTH(test_a_backup_restores_into_postgresql),
		ON_BOTH(test_long_tables_are_copied_whole),
		ON_BOTH(test_a_backup_while_others_write_is_of_one_instant),
		ON_BOTH(test_a_store_with_people_is_not_restored_into),
		ON_BOTH(test_a_backup_of_a_newer_drover_is_refused),
		ON_BOTH(test_a_backup_that_is_not_there_is_not_made),
		ON_BOTH(test_a_backup_into_no_folder_is_an_error),
		ON_BOTH(test_a_store_at_work_is_not_overwritten_by_a_backup),
		ON_BOTH(test_a_restored_generation_is_never_one_that_was),
		ON_BOTH(test_a_furnished_store_is_sound),
		ON_BOTH(test_a_dangling_reference_is_found),
		ON_BOTH(test_a_broken_chain_is_found),
		ON_BOTH(test_a_schema_of_another_version_is_found),
		ON_SQLITE(test_a_damaged_page_is_found),
	};
	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
