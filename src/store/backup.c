/* SPDX-License-Identifier: ISC
 *
 * A store into a file, a file into a store, and whether a store is sound (docs/store.md).
 *
 * SQLite copies its own pages; PostgreSQL's rows are copied into a new SQLite store of the same
 * schema. A restore copies rows too, whatever the target is. The list of tables and columns is
 * always asked of the SQLite side: it keeps tables in the order in which migrations made them, in
 * which a table stands after those that it refers to.
 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "store/engine.h"
#include "store/history.h"

#define FETCH_ROWS "500"

/* schema_version is the migrations' own, and a job's holder is a living process of the other store.
 */
static const char SQL_TABLES[] =
	"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
	"AND name NOT IN ('schema_version', 'job_holder') ORDER BY rowid";
static const char SQL_COLUMNS[] =
	"SELECT name, type = 'TEXT' FROM pragma_table_info(?) ORDER BY cid";
static const char SQL_SERIAL_TABLES[] =
	"SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'";

static const char SQL_SERIAL_SQLITE[] = "SELECT seq FROM sqlite_sequence WHERE name = ?";
static const char SQL_SERIAL_POSTGRESQL[] =
	"SELECT pg_sequence_last_value(pg_get_serial_sequence(?, 'id')::regclass)";
static const char SQL_SERIAL_FORGET[] = "DELETE FROM sqlite_sequence WHERE name = ?";
static const char SQL_SERIAL_SET[] = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)";
static const char SQL_SERIAL_SET_POSTGRESQL[] = "SELECT setval(pg_get_serial_sequence(?, 'id'), ?)";

static const char SQL_INHABITANTS[] =
	"SELECT (SELECT count(*) FROM product) + (SELECT count(*) FROM person) + "
	"(SELECT count(*) FROM history)";
static const char SQL_COUNTER_SET[] = "UPDATE counter SET value = ? WHERE name = ?";

/* A table, as both sides have it ----------------------------------------------------------------
 */

typedef struct Table {
	char *name;
	GPtrArray *columns; /* char * */
	GArray *are_texts;  /* gboolean */
} Table;

static void table_free(Table *table)
{
	g_free(table->name);
	g_ptr_array_unref(table->columns);
	g_array_unref(table->are_texts);
	g_free(table);
}

static gboolean read_names(Store *store, const char *sql, GPtrArray *names, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql, STORE_NO_PARAMS);
	gboolean more = TRUE;
	while (more) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (more)
			g_ptr_array_add(names, g_strdup(store_rows_text(rows, 0)));
	}
	return TRUE;
}

static gboolean read_columns(Store *store, Table *table, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_COLUMNS, STORE_PARAMS(STORE_TEXT(table->name)));
	gboolean more = TRUE;
	while (more) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (!more)
			return TRUE;
		gboolean is_text = store_rows_integer(rows, 1) != 0;
		g_ptr_array_add(table->columns, g_strdup(store_rows_text(rows, 0)));
		g_array_append_val(table->are_texts, is_text);
	}
	return TRUE;
}

static GPtrArray *read_tables(Store *sqlite, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	if (!read_names(sqlite, SQL_TABLES, names, error))
		return NULL;
	g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_free);
	for (guint i = 0; i < names->len; i++) {
		Table *table = g_new0(Table, 1);
		table->name = g_strdup(g_ptr_array_index(names, i));
		table->columns = g_ptr_array_new_with_free_func(g_free);
		table->are_texts = g_array_new(FALSE, FALSE, sizeof(gboolean));
		g_ptr_array_add(tables, table);
		if (!read_columns(sqlite, table, error))
			return NULL;
	}
	return g_steal_pointer(&tables);
}

static char *select_of(const Table *table)
{
	GString *sql = g_string_new("SELECT ");
	for (guint i = 0; i < table->columns->len; i++)
		g_string_append_printf(
			sql, "%s%s", i ? ", " : "", (char *)g_ptr_array_index(table->columns, i));
	g_string_append_printf(sql, " FROM %s", table->name);
	return g_string_free(sql, FALSE);
}

static char *insert_of(const Table *table)
{
	GString *sql = g_string_new(NULL);
	GString *marks = g_string_new(NULL);
	g_string_printf(sql, "INSERT INTO %s (", table->name);
	for (guint i = 0; i < table->columns->len; i++) {
		g_string_append_printf(
			sql, "%s%s", i ? ", " : "", (char *)g_ptr_array_index(table->columns, i));
		g_string_append(marks, i ? ", ?" : "?");
	}
	g_string_append_printf(sql, ") VALUES (%s)", marks->str);
	g_string_free(marks, TRUE);
	return g_string_free(sql, FALSE);
}

/* Copying rows -------------------------------------------------------------------------------- */

typedef struct Copy {
	Store *from;
	Store *to;
	GPtrArray *tables;
	GPtrArray *serial_tables; /* those whose ids the database gives */
} Copy;

/* Copies what `select` gives; *count is how many rows that were. */
static gboolean copy_rows(
	const Copy *copy, const Table *table, const char *select, int *count, GError **error)
{
	g_autofree char *insert = insert_of(table);
	g_autofree StoreValue *values = g_new0(StoreValue, table->columns->len);
	g_autoptr(StoreRows) rows = store_query(copy->from, error, select, STORE_NO_PARAMS);
	gboolean more;
	for (*count = 0;; ++*count) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (!more)
			return TRUE;
		for (guint i = 0; i < table->columns->len; i++) {
			int column = (int)i;
			if (g_array_index(table->are_texts, gboolean, i))
				values[i] = STORE_TEXT(store_rows_text(rows, column));
			else if (store_rows_is_null(rows, column))
				values[i] = STORE_NULL;
			else
				values[i] = STORE_INT(store_rows_integer(rows, column));
		}
		if (!store_execute(copy->to, error, insert, values, table->columns->len))
			return FALSE;
	}
}

/* PostgreSQL hands over a whole result at once: a cursor keeps that small. */
static gboolean copy_by_cursor(const Copy *copy, const Table *table, GError **error)
{
	g_autofree char *select = select_of(table);
	g_autofree char *declare =
		g_strdup_printf("DECLARE copy_%s NO SCROLL CURSOR FOR %s", table->name, select);
	g_autofree char *fetch = g_strdup_printf("FETCH " FETCH_ROWS " FROM copy_%s", table->name);
	g_autofree char *close = g_strdup_printf("CLOSE copy_%s", table->name);
	if (!store_execute(copy->from, error, declare, STORE_NO_PARAMS))
		return FALSE;
	for (int count = 1; count > 0;)
		if (!copy_rows(copy, table, fetch, &count, error))
			return FALSE;
	return store_execute(copy->from, error, close, STORE_NO_PARAMS);
}

static gboolean copy_table(const Copy *copy, const Table *table, GError **error)
{
	if (store_kind(copy->from) == STORE_POSTGRESQL)
		return copy_by_cursor(copy, table, error);
	g_autofree char *select = select_of(table);
	int count;
	return copy_rows(copy, table, select, &count, error);
}

/* The next id is carried over: an id that was given once is never given again. */
static gboolean copy_serial(const Copy *copy, const char *table, GError **error)
{
	gint64 last;
	const char *sql =
		store_kind(copy->from) == STORE_SQLITE ? SQL_SERIAL_SQLITE : SQL_SERIAL_POSTGRESQL;
	if (!store_query_integer(copy->from, error, 0, &last, sql, STORE_PARAMS(STORE_TEXT(table))))
		return FALSE;
	if (last == 0)
		return TRUE;
	if (store_kind(copy->to) == STORE_POSTGRESQL)
		return store_execute(copy->to, error, SQL_SERIAL_SET_POSTGRESQL,
			STORE_PARAMS(STORE_TEXT(table), STORE_INT(last)));
	return store_execute(copy->to, error, SQL_SERIAL_FORGET, STORE_PARAMS(STORE_TEXT(table))) &&
	       store_execute(copy->to, error, SQL_SERIAL_SET,
		       STORE_PARAMS(STORE_TEXT(table), STORE_INT(last)));
}

/* What a new store has of itself goes first, so that the copy is exact. */
static gboolean empty_tables(const Copy *copy, GError **error)
{
	for (guint i = copy->tables->len; i-- > 0;) {
		const Table *table = g_ptr_array_index(copy->tables, i);
		g_autofree char *sql = g_strdup_printf("DELETE FROM %s", table->name);
		if (!store_execute(copy->to, error, sql, STORE_NO_PARAMS))
			return FALSE;
	}
	return TRUE;
}

static gboolean copy_everything(const Copy *copy, GError **error)
{
	if (!empty_tables(copy, error))
		return FALSE;
	for (guint i = 0; i < copy->tables->len; i++)
		if (!copy_table(copy, g_ptr_array_index(copy->tables, i), error))
			return FALSE;
	for (guint i = 0; i < copy->serial_tables->len; i++)
		if (!copy_serial(copy, g_ptr_array_index(copy->serial_tables, i), error))
			return FALSE;
	return TRUE;
}

/* Backup -------------------------------------------------------------------------------------- */

static gboolean write_copy(Store *to, gpointer of, GError **error)
{
	const Copy *copy = of;
	g_assert(copy->to == to);
	return copy_everything(copy, error);
}

static gboolean copy_from_view(Store *from, gpointer of, GError **error)
{
	const Copy *copy = of;
	g_assert(copy->from == from);
	return store_write(copy->to, write_copy, of, error);
}

/* A new SQLite store in the empty file `path`, with all that `store` has. */
static gboolean copy_by_rows(Store *store, const char *path, GError **error)
{
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) target = store_open(url, error);
	if (!target || !store_migrate(target, error))
		return FALSE;
	g_autoptr(GPtrArray) tables = read_tables(target, error);
	g_autoptr(GPtrArray) serial_tables = g_ptr_array_new_with_free_func(g_free);
	if (!tables || !read_names(target, SQL_SERIAL_TABLES, serial_tables, error))
		return FALSE;
	Copy copy = {store, target, tables, serial_tables};
	return store_read(store, copy_from_view, &copy, error);
}

/* From the copy itself, so that it is the head of just what was copied. */
static gboolean read_head(const char *path, char **head, gint64 *sequence, GError **error)
{
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) copy = store_open(url, error);
	return copy && history_head(copy, head, sequence, error);
}

static gboolean fill(Store *store, const char *path, GError **error)
{
	if (store_kind(store) == STORE_SQLITE)
		return store_sqlite_copy(store, path, error);
	return copy_by_rows(store, path, error);
}

static gboolean sync_file(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	gboolean ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "backup %s: cannot sync it: %s",
			path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static gboolean move_into_place(const char *beside, const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	if (!sync_file(beside, error))
		return FALSE;
	if (rename(beside, path) == 0)
		return file_sync_folder(folder, error);
	drover_error_set(error, DROVER_ERROR_INTERNAL, "backup %s: cannot rename %s to it: %s",
		path, beside, g_strerror(errno));
	return FALSE;
}

/* What SQLite may have left beside a file that is given up. */
static void remove_all(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *name = g_strconcat(path, ends[i], NULL);
		unlink(name);
	}
}

/* A log beside the old file would be played into the new one. */
static gboolean check_unused(const char *path, GError **error)
{
	g_autofree char *log = g_strconcat(path, "-wal", NULL);
	if (access(log, F_OK) != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"backup %s: a program uses this file as a store (%s is there); choose another name",
		path, log);
	return FALSE;
}

gboolean store_backup(Store *store, const char *path, char **head, GError **error)
{
	g_assert(!store_in_transaction(store));
	if (!check_unused(path, error) || !store_check_schema(store, error))
		return FALSE;
	g_autofree char *beside = g_strdup_printf("%s.XXXXXX", path);
	int fd = g_mkstemp_full(beside, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"backup %s: cannot create a file: %s", path, g_strerror(errno));
		return FALSE;
	}
	close(fd);
	g_autofree char *newest = NULL;
	gint64 entries;
	if (!fill(store, beside, error) || !read_head(beside, &newest, &entries, error) ||
		!move_into_place(beside, path, error)) {
		remove_all(beside);
		return FALSE;
	}
	g_autofree char *count = g_strdup_printf("%" G_GINT64_FORMAT, entries);
	log_event(LOG_LEVEL_INFO, "store.backup", "store", store_name(store), "path", path,
		"history", count, "head", newest, NULL);
	if (head)
		*head = g_steal_pointer(&newest);
	return TRUE;
}

/* Restore ------------------------------------------------------------------------------------- */

typedef struct Counters {
	gint64 generation;
	gint64 changes;
} Counters;

static gboolean get_counters(Store *store, Counters *counters, GError **error)
{
	return store_counter_get(store, STORE_GENERATION, &counters->generation, error) &&
	       store_counter_get(store, STORE_CHANGES, &counters->changes, error);
}

/* A counter that came back to a value it had would make caches believe that nothing moved. */
static gboolean keep_ahead(
	Store *store, const char *name, gint64 before, gint64 restored, GError **error)
{
	return restored > before || before == 1 ||
	       store_execute(store, error, SQL_COUNTER_SET,
		       STORE_PARAMS(STORE_INT(before + 1), STORE_TEXT(name)));
}

static gboolean write_restored(Store *to, gpointer of, GError **error)
{
	const Copy *copy = of;
	gint64 inhabitants;
	Counters before, restored;
	if (!store_query_integer(to, error, 0, &inhabitants, SQL_INHABITANTS, STORE_NO_PARAMS))
		return FALSE;
	if (inhabitants > 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"restore: %s already has products, people or history; restore into a new, "
			"empty "
			"store",
			store_name(to));
		return FALSE;
	}
	return get_counters(to, &before, error) && copy_everything(copy, error) &&
	       get_counters(to, &restored, error) &&
	       keep_ahead(to, STORE_GENERATION, before.generation, restored.generation, error) &&
	       keep_ahead(to, STORE_CHANGES, before.changes, restored.changes, error);
}

static gboolean restore_from_view(Store *from, gpointer of, GError **error)
{
	const Copy *copy = of;
	return store_write(copy->to, write_restored, of, error);
}

gboolean store_restore(Store *store, const char *path, GError **error)
{
	g_assert(!store_in_transaction(store));
	if (access(path, R_OK) != 0) { /* opening would create it */
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "restore: cannot read %s: %s", path,
			g_strerror(errno));
		return FALSE;
	}
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	g_autoptr(Store) source = store_open(url, error);
	if (!source || !store_check_schema(source, error) || !store_migrate(store, error))
		return FALSE;
	g_autoptr(GPtrArray) tables = read_tables(source, error);
	g_autoptr(GPtrArray) serial_tables = g_ptr_array_new_with_free_func(g_free);
	if (!tables || !read_names(source, SQL_SERIAL_TABLES, serial_tables, error))
		return FALSE;
	Copy copy = {source, store, tables, serial_tables};
	return store_read(source, restore_from_view, &copy, error);
}
