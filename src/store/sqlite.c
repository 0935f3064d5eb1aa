/* SPDX-License-Identifier: ISC
 *
 * The store on SQLite: one file, for one machine (docs/store.md).
 *
 * WAL, so that readers and the one writer do not wait for each other; synchronous=FULL, so that
 * what was committed survives a power cut; foreign keys on. Double quotes mean names only and LIKE
 * tells capitals apart, as PostgreSQL has it, so that the same SQL means the same.
 */
#include "store/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

typedef struct Sqlite {
	StoreConnection base;
	sqlite3 *database;
	char *path;
	GHashTable *idle; /* SQL, its own -> sqlite3_stmt *, those that nobody reads from */
} Sqlite;

typedef struct SqliteRows {
	StoreRows base;
	Sqlite *sqlite;
	sqlite3_stmt *statement;
	gint64 changed;
} SqliteRows;

static const char SQL_SETTINGS[] = "PRAGMA foreign_keys = ON;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -32000;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA case_sensitive_like = ON;";

/* Errors -------------------------------------------------------------------------------------- */

static DroverErrorCode error_code(int status)
{
	switch (status) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return DROVER_ERROR_CONFLICT;
	default:
		break;
	}
	switch (status & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_CANTOPEN:
		return DROVER_ERROR_UNAVAILABLE;
	case SQLITE_TOOBIG:
		return DROVER_ERROR_TOO_LARGE;
	default:
		return DROVER_ERROR_INTERNAL;
	}
}

/* What the person who meets it can do. */
static const char *advice(int status)
{
	switch (status & 0xff) {
	case SQLITE_BUSY:
		return "; another program is writing and does not end: try again, or look for one "
		       "that "
		       "hangs";
	case SQLITE_FULL:
		return "; make room on its file system, nothing was changed";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "; this user must be able to write the file and its folder";
	case SQLITE_CANTOPEN:
		return "; is its folder there, and may this user write it?";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "; keep the file, and restore a backup";
	case SQLITE_IOERR:
		return "; look at the machine's log for its disk, nothing was changed";
	default:
		return "";
	}
}

/* Says what the database said last. */
static void set_error(Sqlite *sqlite, GError **error)
{
	int status = sqlite3_extended_errcode(sqlite->database);
	int system_error = sqlite3_system_errno(sqlite->database);
	gboolean is_outside = (status & 0xff) == SQLITE_CANTOPEN || (status & 0xff) == SQLITE_IOERR;
	if ((status & 0xff) == SQLITE_BUSY)
		sqlite->base.should_retry = TRUE;
	drover_error_set(error, error_code(status), "%s: %s%s%s%s", sqlite->base.name,
		sqlite3_errmsg(sqlite->database), is_outside && system_error ? ": " : "",
		is_outside && system_error ? g_strerror(system_error) : "", advice(status));
}

/* Opening ------------------------------------------------------------------------------------- */

static gboolean script(StoreConnection *connection, const char *sql, GError **error)
{
	Sqlite *sqlite = (Sqlite *)connection;
	if (sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL) == SQLITE_OK)
		return TRUE;
	set_error(sqlite, error);
	return FALSE;
}

/* SQLite would create the file for all to read. It appears with its mode by link(2), and is closed
 * before: closing any descriptor of a database drops the locks that this process has on it. */
static gboolean create_private(const char *path, GError **error)
{
	if (access(path, F_OK) == 0)
		return TRUE;
	g_autofree char *beside = g_strdup_printf("%s.XXXXXX", path);
	int fd = g_mkstemp_full(beside, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"sqlite:%s: cannot create it: %s%s", path, g_strerror(errno),
			advice(SQLITE_CANTOPEN));
		return FALSE;
	}
	close(fd);
	int failed = link(beside, path) != 0 && errno != EEXIST ? errno : 0;
	unlink(beside);
	if (failed)
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "sqlite:%s: cannot create it: %s",
			path, g_strerror(failed));
	return !failed;
}

static gboolean set_wal(Sqlite *sqlite, GError **error)
{
	sqlite3_stmt *statement = NULL;
	gboolean is_wal = FALSE;
	const char *sql = "PRAGMA journal_mode = WAL";
	if (sqlite3_prepare_v2(sqlite->database, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		is_wal = g_strcmp0((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	int status = sqlite3_errcode(sqlite->database);
	if (!is_wal && status != SQLITE_OK && status != SQLITE_ROW)
		set_error(sqlite, error);
	else if (!is_wal)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s: cannot be switched to WAL; put it on a local file system that this "
			"user "
			"can write",
			sqlite->base.name);
	sqlite3_finalize(statement);
	return is_wal;
}

/* Several programs may meet at a new file, and SQLite does not wait when two of them switch to WAL.
 */
static gboolean configure(Sqlite *sqlite, GError **error)
{
	sqlite3_busy_timeout(sqlite->database, STORE_SQLITE_BUSY_MS);
	sqlite3_extended_result_codes(sqlite->database, 1);
	sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(sqlite->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (int try = 1;; try++) {
		GError *problem = NULL;
		sqlite->base.should_retry = FALSE;
		if (set_wal(sqlite, &problem) && script(&sqlite->base, SQL_SETTINGS, &problem))
			return TRUE;
		if (!sqlite->base.should_retry || try == STORE_TRIES) {
			g_propagate_error(error, problem);
			return FALSE;
		}
		g_error_free(problem);
		g_usleep((gulong)g_random_int_range(1, 50) * 1000);
	}
}

/* SQLite opens what it may only read, and would say so at the first write. */
static gboolean check_writable(Sqlite *sqlite, GError **error)
{
	if (sqlite3_db_readonly(sqlite->database, "main") == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "%s: cannot be written by user %d%s",
		sqlite->base.name, (int)geteuid(), advice(SQLITE_READONLY));
	return FALSE;
}

static void finalize(gpointer statement)
{
	sqlite3_finalize(statement);
}

static void sqlite_close(StoreConnection *connection)
{
	Sqlite *sqlite = (Sqlite *)connection;
	g_hash_table_unref(sqlite->idle);
	int status = sqlite3_close(sqlite->database);
	g_assert(status == SQLITE_OK);
	g_free(sqlite->path);
	g_free(sqlite->base.name);
	g_free(sqlite);
}

/* Statements begin differently or differ in length: no need to look at all of a long one. */
static guint sql_hash(gconstpointer sql)
{
	const char *text = sql;
	gsize length = strlen(text);
	guint hash = (guint)length;
	for (gsize i = 0; i < MIN(length, 32); i++)
		hash = hash * 33 + (guchar)text[i];
	return hash;
}

static StoreConnection *sqlite_open(const char *url, GError **error)
{
	const char *path = url + strlen(store_engine_sqlite.scheme);
	if (!*path) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"store \"sqlite:\": the path is missing; use sqlite:PATH");
		return NULL;
	}
	/* Absolute: a program may change its folder, and SQLite has special relative names. */
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	if (!create_private(absolute, error))
		return NULL;
	Sqlite *sqlite = g_new0(Sqlite, 1);
	sqlite->base.engine = &store_engine_sqlite;
	sqlite->base.name = g_strconcat("sqlite:", absolute, NULL);
	sqlite->path = g_steal_pointer(&absolute);
	sqlite->idle = g_hash_table_new_full(sql_hash, g_str_equal, NULL, finalize);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int status = sqlite3_open_v2(sqlite->path, &sqlite->database, flags, NULL);
	if (status != SQLITE_OK)
		set_error(sqlite, error);
	else if (check_writable(sqlite, error) && configure(sqlite, error))
		return &sqlite->base;
	sqlite_close(&sqlite->base);
	return NULL;
}

static gboolean sqlite_connect(StoreConnection *connection, GError **error)
{
	return TRUE;
}

/* Transactions -------------------------------------------------------------------------------- */

static gboolean sqlite_begin(StoreConnection *connection, gboolean is_write, GError **error)
{
	Sqlite *sqlite = (Sqlite *)connection;
	sqlite3_busy_timeout(
		sqlite->database, connection->is_hasty ? STORE_SOON_MS : STORE_SQLITE_BUSY_MS);
	return script(connection, is_write ? "BEGIN IMMEDIATE" : "BEGIN", error);
}

static gboolean sqlite_commit(StoreConnection *connection, gboolean is_write, GError **error)
{
	Sqlite *sqlite = (Sqlite *)connection;
	/* SQLite rolls back by itself when the disk is full, say; work may have ignored that. */
	if (!sqlite3_get_autocommit(sqlite->database))
		return script(connection, "COMMIT", error);
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"%s: the database gave the transaction up, nothing was changed", connection->name);
	return FALSE;
}

static void sqlite_rollback(StoreConnection *connection, gboolean is_write)
{
	Sqlite *sqlite = (Sqlite *)connection;
	if (!sqlite3_get_autocommit(sqlite->database))
		script(connection, "ROLLBACK", NULL);
}

/* Statements ---------------------------------------------------------------------------------- */

static sqlite3_stmt *take_statement(Sqlite *sqlite, const char *sql, GError **error)
{
	gpointer idle;
	if (g_hash_table_steal_extended(sqlite->idle, sql, NULL, &idle))
		return idle;
	sqlite3_stmt *statement = NULL;
	const char *rest = NULL;
	int status = sqlite3_prepare_v3(
		sqlite->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, &rest);
	if (status != SQLITE_OK) {
		set_error(sqlite, error);
		return NULL;
	}
	g_assert(statement && !*rest);
	return statement;
}

static void give_back(Sqlite *sqlite, sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (g_hash_table_size(sqlite->idle) < STORE_CACHED_STATEMENTS)
		g_hash_table_replace(sqlite->idle, (char *)sqlite3_sql(statement), statement);
	else
		sqlite3_finalize(statement);
}

static void bind_value(sqlite3_stmt *statement, int position, const StoreValue *value,
	sqlite3_destructor_type keep)
{
	switch (value->type) {
	case STORE_VALUE_NULL:
		sqlite3_bind_null(statement, position);
		break;
	case STORE_VALUE_INTEGER:
		sqlite3_bind_int64(statement, position, value->integer);
		break;
	case STORE_VALUE_TEXT:
		sqlite3_bind_text64(
			statement, position, value->text, strlen(value->text), keep, SQLITE_UTF8);
		break;
	}
}

static StoreRows *sqlite_query(StoreConnection *connection, const char *sql,
	const StoreValue *values, gsize count, GError **error)
{
	Sqlite *sqlite = (Sqlite *)connection;
	sqlite3_stmt *statement = take_statement(sqlite, sql, error);
	if (!statement)
		return NULL;
	g_assert((gsize)sqlite3_bind_parameter_count(statement) == count);
	if (connection->transaction != STORE_TRANSACTION_WRITE &&
		!sqlite3_stmt_readonly(statement)) {
		give_back(sqlite, statement);
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s: writing outside a writing transaction: %.60s", connection->name, sql);
		return NULL;
	}
	for (gsize i = 0; i < count; i++)
		bind_value(statement, (int)i + 1, &values[i],
			connection->values_stay ? SQLITE_STATIC : SQLITE_TRANSIENT);
	SqliteRows *rows = g_new0(SqliteRows, 1);
	rows->sqlite = sqlite;
	rows->statement = statement;
	return &rows->base;
}

/* A NUL inside a text would be read as its end: only another program can have written one. */
static gboolean check_texts(SqliteRows *rows, GError **error)
{
	for (int i = 0; i < sqlite3_column_count(rows->statement); i++) {
		if (sqlite3_column_type(rows->statement, i) != SQLITE_TEXT)
			continue;
		const char *text = (const char *)sqlite3_column_text(rows->statement, i);
		int size_bytes = sqlite3_column_bytes(rows->statement, i);
		if (text && strlen(text) == (gsize)size_bytes && g_utf8_validate(text, -1, NULL))
			continue;
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s: a value of column %s is not UTF-8 text", rows->sqlite->base.name,
			sqlite3_column_name(rows->statement, i));
		return FALSE;
	}
	return TRUE;
}

static gboolean sqlite_next(StoreRows *base, gboolean *more, GError **error)
{
	SqliteRows *rows = (SqliteRows *)base;
	int status = sqlite3_step(rows->statement);
	if (status == SQLITE_ROW) {
		*more = TRUE;
		if (check_texts(rows, error))
			return TRUE;
		sqlite3_reset(rows->statement);
		return FALSE;
	}
	if (status != SQLITE_DONE)
		set_error(rows->sqlite, error);
	else if (!sqlite3_stmt_readonly(rows->statement))
		rows->changed = sqlite3_changes64(rows->sqlite->database);
	sqlite3_reset(rows->statement);
	return status == SQLITE_DONE;
}

static gint64 sqlite_integer(const StoreRows *base, int column)
{
	return sqlite3_column_int64(((const SqliteRows *)base)->statement, column);
}

static const char *sqlite_text(const StoreRows *base, int column)
{
	return (const char *)sqlite3_column_text(((const SqliteRows *)base)->statement, column);
}

static gboolean sqlite_is_null(const StoreRows *base, int column)
{
	return sqlite3_column_type(((const SqliteRows *)base)->statement, column) == SQLITE_NULL;
}

static gint64 sqlite_changed(const StoreRows *base)
{
	return ((const SqliteRows *)base)->changed;
}

static void sqlite_finish(StoreRows *base)
{
	SqliteRows *rows = (SqliteRows *)base;
	give_back(rows->sqlite, rows->statement);
	g_free(rows);
}

/* Backup -------------------------------------------------------------------------------------- */

const char *store_sqlite_path(const Store *store)
{
	g_assert(store_kind(store) == STORE_SQLITE);
	return ((const Sqlite *)store_connection(store))->path;
}

gboolean store_sqlite_copy(Store *store, const char *path, GError **error)
{
	g_assert(store_kind(store) == STORE_SQLITE);
	Sqlite *from = (Sqlite *)store_connection(store);
	sqlite3 *to = NULL;
	int status = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_backup *copy = status == SQLITE_OK
				       ? sqlite3_backup_init(to, "main", from->database, "main")
				       : NULL;
	if (copy) {
		/* All pages in one step: from one view, while others go on writing to the log. */
		sqlite3_busy_timeout(from->database, STORE_SQLITE_BUSY_MS);
		status = sqlite3_backup_step(copy, -1);
		sqlite3_backup_finish(copy);
	}
	gboolean ok = copy && status == SQLITE_DONE;
	/* One file and nothing beside it. */
	if (ok)
		ok = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) ==
		     SQLITE_OK;
	if (!ok)
		drover_error_set(error, error_code(status), "%s: cannot copy it to %s: %s%s",
			store_name(store), path,
			status == SQLITE_DONE ? sqlite3_errmsg(to) : sqlite3_errstr(status),
			advice(status));
	sqlite3_close(to);
	return ok;
}

const StoreEngine store_engine_sqlite = {
	.kind = STORE_SQLITE,
	.scheme = "sqlite:",
	.label = "sqlite",
	.serial_id = "INTEGER PRIMARY KEY AUTOINCREMENT",
	.given_id = "INTEGER PRIMARY KEY",
	.clustered = "WITHOUT ROWID",
	.text = "TEXT",
	.sql_has_table = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
	.open = sqlite_open,
	.close = sqlite_close,
	.connect = sqlite_connect,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.script = script,
	.query = sqlite_query,
	.next = sqlite_next,
	.integer = sqlite_integer,
	.text_at = sqlite_text,
	.is_null = sqlite_is_null,
	.changed = sqlite_changed,
	.finish = sqlite_finish,
};
