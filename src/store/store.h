/* SPDX-License-Identifier: ISC
 *
 * The database: one interface over SQLite (`sqlite:PATH`) and PostgreSQL (`postgresql://…`).
 *
 * A Store is one connection and belongs to one thread at a time. SQL is written once, in the subset
 * both databases share, with `?` for each parameter. Statements stand in the file of the room they
 * serve. Columns are INTEGER (64 bit), TEXT or BLOB-free; instants are INTEGER microseconds;
 * booleans INTEGER 0/1.
 *
 * All writing happens inside store_write(): it is alone (SQLite: BEGIN IMMEDIATE; PostgreSQL:
 * SERIALIZABLE behind one advisory lock), so ids grow in the order of commits, and it is run again
 * when the database says the transaction could not be serialized. A database that is away gives
 * DROVER_ERROR_UNAVAILABLE; the next call connects anew. A statement that breaks a key or a
 * reference gives DROVER_ERROR_CONFLICT. Texts are UTF-8 (else DROVER_ERROR_INPUT) and compare byte
 * by byte.
 *
 * Two things to know when writing for both: on PostgreSQL a statement that failed spoils the
 * transaction around it (try what may fail in joined work, below), and a query's rows are all in
 * memory: read long tables page by page, by their key.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"

typedef struct Store Store;
typedef struct StoreRows StoreRows;

typedef enum StoreKind { STORE_SQLITE, STORE_POSTGRESQL } StoreKind;

typedef struct StoreValue {
	enum { STORE_VALUE_NULL, STORE_VALUE_INTEGER, STORE_VALUE_TEXT } type;
	gint64 integer;
	const char *text; /* borrowed for the call */
} StoreValue;

#define STORE_INT(value) ((StoreValue){STORE_VALUE_INTEGER, (value), NULL})
/* A NULL text is SQL's NULL. */
#define STORE_TEXT(value) store_value_text(value)
static inline StoreValue store_value_text(const char *text)
{
	return (StoreValue){text ? STORE_VALUE_TEXT : STORE_VALUE_NULL, 0, text};
}
#define STORE_NULL ((StoreValue){STORE_VALUE_NULL, 0, NULL})
/* store_execute(store, error, SQL_X, STORE_PARAMS(STORE_INT(3), STORE_TEXT("a"))) */
#define STORE_PARAMS(...)                                                                          \
	(const StoreValue[]){__VA_ARGS__}, sizeof((StoreValue[]){__VA_ARGS__}) / sizeof(StoreValue)
#define STORE_NO_PARAMS NULL, 0

/* Connects; creates an SQLite file that is not there. Does not migrate. Fails with
 * DROVER_ERROR_INPUT for a URL it does not know, DROVER_ERROR_UNAVAILABLE when the database is
 * away. */
Store *store_open(const char *url, GError **error);
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

/* What a room keeps with the connection; freed when it closes or another takes its place. There is
 * one place. */
void store_keep(Store *store, gpointer kept, GDestroyNotify free);
/* NULL: nothing. */
gpointer store_kept(const Store *store);

StoreKind store_kind(const Store *store);
/* The URL without a password, for logs and messages. Owned by the store. */
const char *store_name(const Store *store);

/* Brings the schema up to the newest migration, one transaction each. A store that is newer than
 * this program is refused with DROVER_ERROR_CONFLICT. Safe when several start at once. */
gboolean store_migrate(Store *store, GError **error);
/* The same, but only where no migration was ever applied. */
gboolean store_migrate_new(Store *store, GError **error);
/* Fails with DROVER_ERROR_CONFLICT, saying what to run, unless the schema is exactly this
 * program's. */
gboolean store_check_schema(Store *store, GError **error);

/* Work done in a transaction; may be run more than once, so it changes nothing but the store and
 * what it overwrites each time. Returning FALSE (with error set) rolls back. */
typedef gboolean (*StoreWork)(Store *store, gpointer of, GError **error);
/* Inside store_write() already, the work joins it: when it fails, what it did is taken back, and
 * the outer work may go on. Rows that are still being read must be finished or freed before a
 * transaction begins, and before the work that reads them returns. */
gboolean store_write(Store *store, StoreWork work, gpointer of, GError **error);
/* Not inside a transaction. For what is nice to have: gives up (DROVER_ERROR_UNAVAILABLE) when
 * somebody else is writing just now. */
gboolean store_write_soon(Store *store, StoreWork work, gpointer of, GError **error);
/* One consistent view over several queries; writing in it fails. Inside a transaction the work
 * joins it. */
gboolean store_read(Store *store, StoreWork work, gpointer of, GError **error);

/* Runs a statement; rows it gives are ignored. Whatever writes needs store_write() around it. */
gboolean store_execute(
	Store *store, GError **error, const char *sql, const StoreValue *values, gsize count);
/* Rows changed by the last store_execute(). */
gint64 store_changed(const Store *store);
/* Runs `INSERT … RETURNING id`, or any statement whose first row's first column is an integer;
 * *value is `fallback` when there is no row or it is NULL. */
gboolean store_query_integer(Store *store, GError **error, gint64 fallback, gint64 *value,
	const char *sql, const StoreValue *values, gsize count);

/* Rows are read one after the other:
 *     g_autoptr(StoreRows) rows = store_query(…);
 *     while (store_rows_next(rows, &more, error) && more) …
 * store_rows_next() is FALSE on error. On a NULL `rows` it is FALSE too. */
StoreRows *store_query(
	Store *store, GError **error, const char *sql, const StoreValue *values, gsize count);
gboolean store_rows_next(StoreRows *rows, gboolean *more, GError **error);
gint64 store_rows_integer(const StoreRows *rows, int column);
/* Borrowed until the next store_rows_next(); NULL for SQL's NULL. */
const char *store_rows_text(const StoreRows *rows, int column);
gboolean store_rows_is_null(const StoreRows *rows, int column);
void store_rows_free(StoreRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreRows, store_rows_free)
/* Calls `visit` for each row, in order; `visit` reads its columns and no further row. */
typedef void (*StoreVisit)(const StoreRows *rows, gpointer of);
gboolean store_each(Store *store, GError **error, StoreVisit visit, gpointer of, const char *sql,
	const StoreValue *values, gsize count);

/* Counters that say "something moved": snapshots, caches and open pages are keyed by them. */
#define STORE_GENERATION "generation" /* rules, releases, shut-offs: what clients are answered */
#define STORE_CHANGES	 "changes"    /* anything that a page shows */
/* Inside store_write(). */
gboolean store_counter_advance(Store *store, const char *counter, GError **error);
/* 0 for a counter that never advanced. */
gboolean store_counter_get(Store *store, const char *counter, gint64 *value, GError **error);

#endif
