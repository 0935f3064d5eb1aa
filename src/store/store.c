/* SPDX-License-Identifier: ISC
 *
 * The store's door: transactions, retries and counters, for whatever database stands behind it
 * (docs/store.md).
 *
 * One transaction of a connection is a little state machine: NONE -> READ or WRITE -> NONE. Work
 * inside work joins what is open; joined writing work has a savepoint, so that it too is all or
 * nothing. Whether a transaction is run again is asked of the connection and not of the error,
 * since work may have rephrased the error or swallowed it.
 */
#include "store/engine.h"

#include <string.h>

struct Store {
	StoreConnection *connection;
	char *url;
	int joined; /* depth of joined writing work, for the savepoint's name */
	int open_rows;
	gint64 changed;
	gpointer kept;
	GDestroyNotify free_kept;
};

static const char SQL_COUNTER_GET[] = "SELECT value FROM counter WHERE name = ?";
static const char SQL_COUNTER_ADVANCE[] = "UPDATE counter SET value = value + 1 WHERE name = ?";
static const char SQL_COUNTER_ADD[] = "INSERT INTO counter (name, value) VALUES (?, 1)";

static const StoreEngine *const ENGINES[] = {&store_engine_sqlite, &store_engine_postgresql};

Store *store_open(const char *url, GError **error)
{
	const StoreEngine *engine = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(ENGINES); i++)
		if (g_str_has_prefix(url, ENGINES[i]->scheme))
			engine = ENGINES[i];
	if (g_str_has_prefix(url, "postgres://"))
		engine = &store_engine_postgresql;
	if (!engine) {
		g_autofree char *scheme = g_strndup(url, MIN(strcspn(url, ":/@"), 20));
		drover_error_set(error, DROVER_ERROR_INPUT,
			"store \"%s…\": not a store's address; use sqlite:PATH or "
			"postgresql://USER@HOST/DATABASE",
			scheme);
		return NULL;
	}
	StoreConnection *connection = engine->open(url, error);
	if (!connection)
		return NULL;
	Store *store = g_new0(Store, 1);
	store->connection = connection;
	store->url = g_strdup(url);
	return store;
}

void store_close(Store *store)
{
	if (!store)
		return;
	g_assert(store->connection->transaction == STORE_TRANSACTION_NONE);
	g_assert(store->open_rows == 0);
	store_keep(store, NULL, NULL);
	store->connection->engine->close(store->connection);
	g_free(store->url);
	g_free(store);
}

void store_keep(Store *store, gpointer kept, GDestroyNotify free)
{
	if (store->kept != NULL)
		store->free_kept(store->kept);
	store->kept = kept;
	store->free_kept = free;
}

gpointer store_kept(const Store *store)
{
	return store->kept;
}

StoreKind store_kind(const Store *store)
{
	return store->connection->engine->kind;
}

const char *store_name(const Store *store)
{
	return store->connection->name;
}

const StoreEngine *store_engine(const Store *store)
{
	return store->connection->engine;
}

StoreConnection *store_connection(const Store *store)
{
	return store->connection;
}

const char *store_url(const Store *store)
{
	return store->url;
}

gboolean store_in_transaction(const Store *store)
{
	return store->connection->transaction != STORE_TRANSACTION_NONE;
}

gboolean store_script(Store *store, const char *sql, GError **error)
{
	g_assert(store->connection->transaction == STORE_TRANSACTION_WRITE);
	return store->connection->engine->script(store->connection, sql, error);
}

/* Transactions -------------------------------------------------------------------------------- */

/* Joined writing work: on its own failure nothing of it stays, whatever the outer work makes of
 * that. */
static gboolean join(Store *store, StoreWork work, gpointer of, GError **error)
{
	StoreConnection *connection = store->connection;
	const StoreEngine *engine = connection->engine;
	g_autofree char *begin = g_strdup_printf("SAVEPOINT joined_%d", store->joined);
	g_autofree char *keep = g_strdup_printf("RELEASE SAVEPOINT joined_%d", store->joined);
	g_autofree char *undo = g_strdup_printf("ROLLBACK TO SAVEPOINT joined_%d", store->joined);
	if (!engine->script(connection, begin, error))
		return FALSE;
	store->joined++;
	gboolean ok = work(store, of, error);
	store->joined--;
	if (ok)
		return engine->script(connection, keep, error);
	/* Should this fail too, the outer commit does. */
	engine->script(connection, undo, NULL);
	engine->script(connection, keep, NULL);
	return FALSE;
}

static gboolean run_once(
	Store *store, gboolean is_write, StoreWork work, gpointer of, GError **error)
{
	StoreConnection *connection = store->connection;
	const StoreEngine *engine = connection->engine;
	connection->should_retry = FALSE;
	if (!engine->connect(connection, error) || !engine->begin(connection, is_write, error))
		return FALSE;
	connection->transaction = is_write ? STORE_TRANSACTION_WRITE : STORE_TRANSACTION_READ;
	GError *problem = NULL;
	gboolean ok = work(store, of, &problem);
	g_assert(ok == (problem == NULL));
	g_assert(store->open_rows == 0);
	if (ok && connection->should_retry) {
		/* Work swallowed the failure; what it built on top of it must not be kept. */
		ok = FALSE;
		drover_error_set(&problem, DROVER_ERROR_UNAVAILABLE,
			"%s: the transaction met another one", connection->name);
	}
	ok = ok && engine->commit(connection, is_write, &problem);
	if (!ok)
		engine->rollback(connection, is_write);
	connection->transaction = STORE_TRANSACTION_NONE;
	if (!ok)
		g_propagate_error(error, problem);
	return ok;
}

/* A random part of a pause that doubles, so that those who met do not meet again. */
static void pause_before_try(int try)
{
	int longest_ms = MIN(STORE_PAUSE_MS, 4 << MIN(try, 16));
	g_usleep((gulong)g_random_int_range(1, longest_ms + 1) * 1000);
}

static gboolean run(Store *store, gboolean is_write, StoreWork work, gpointer of, GError **error)
{
	g_assert(store->open_rows == 0);
	for (int try = 1;; try++) {
		GError *problem = NULL;
		if (run_once(store, is_write, work, of, &problem))
			return TRUE;
		if (!store->connection->should_retry || store->connection->is_hasty ||
			try == STORE_TRIES) {
			g_propagate_error(error, problem);
			return FALSE;
		}
		g_error_free(problem);
		pause_before_try(try);
	}
}

gboolean store_write(Store *store, StoreWork work, gpointer of, GError **error)
{
	switch (store->connection->transaction) {
	case STORE_TRANSACTION_WRITE:
		return join(store, work, of, error);
	case STORE_TRANSACTION_READ:
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"%s: writing inside a reading transaction", store_name(store));
		return FALSE;
	case STORE_TRANSACTION_NONE:
		break;
	}
	return run(store, TRUE, work, of, error);
}

gboolean store_write_soon(Store *store, StoreWork work, gpointer of, GError **error)
{
	g_assert(!store_in_transaction(store));
	store->connection->is_hasty = TRUE;
	gboolean ok = store_write(store, work, of, error);
	store->connection->is_hasty = FALSE;
	return ok;
}

gboolean store_read(Store *store, StoreWork work, gpointer of, GError **error)
{
	if (store_in_transaction(store))
		return work(store, of, error);
	return run(store, FALSE, work, of, error);
}

/* Statements ---------------------------------------------------------------------------------- */

static gboolean check_values(
	Store *store, const char *sql, const StoreValue *values, gsize count, GError **error)
{
	for (gsize i = 0; i < count; i++) {
		if (values[i].type != STORE_VALUE_TEXT || g_utf8_validate(values[i].text, -1, NULL))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: value %zu of \"%.60s\" is not UTF-8 text", store_name(store), i + 1,
			sql);
		return FALSE;
	}
	return TRUE;
}

StoreRows *store_query(
	Store *store, GError **error, const char *sql, const StoreValue *values, gsize count)
{
	StoreConnection *connection = store->connection;
	if (!check_values(store, sql, values, count, error))
		return NULL;
	if (!store_in_transaction(store) && !connection->engine->connect(connection, error))
		return NULL;
	StoreRows *rows = connection->engine->query(connection, sql, values, count, error);
	if (!rows)
		return NULL;
	rows->store = store;
	rows->connection = connection;
	rows->is_open = TRUE;
	store->open_rows++;
	return rows;
}

static void close_rows(StoreRows *rows)
{
	if (!rows->is_open)
		return;
	rows->is_open = FALSE;
	rows->store->open_rows--;
}

gboolean store_rows_next(StoreRows *rows, gboolean *more, GError **error)
{
	*more = FALSE;
	if (!rows) /* store_query() has said why */
		return FALSE;
	if (!rows->is_open)
		return TRUE;
	gboolean ok = rows->connection->engine->next(rows, more, error);
	if (!ok || !*more)
		close_rows(rows);
	return ok;
}

gint64 store_rows_integer(const StoreRows *rows, int column)
{
	return rows->connection->engine->integer(rows, column);
}

const char *store_rows_text(const StoreRows *rows, int column)
{
	return rows->connection->engine->text_at(rows, column);
}

gboolean store_rows_is_null(const StoreRows *rows, int column)
{
	return rows->connection->engine->is_null(rows, column);
}

void store_rows_free(StoreRows *rows)
{
	if (!rows)
		return;
	close_rows(rows);
	rows->connection->engine->finish(rows);
}

gboolean store_execute(
	Store *store, GError **error, const char *sql, const StoreValue *values, gsize count)
{
	store->changed = 0;
	store->connection->values_stay = TRUE;
	g_autoptr(StoreRows) rows = store_query(store, error, sql, values, count);
	store->connection->values_stay = FALSE;
	gboolean more = TRUE;
	while (more)
		if (!store_rows_next(rows, &more, error))
			return FALSE;
	store->changed = store->connection->engine->changed(rows);
	return TRUE;
}

gint64 store_changed(const Store *store)
{
	return store->changed;
}

gboolean store_each(Store *store, GError **error, StoreVisit visit, gpointer of, const char *sql,
	const StoreValue *values, gsize count)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql, values, count);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		visit(rows, of);
	}
	return FALSE;
}

gboolean store_query_integer(Store *store, GError **error, gint64 fallback, gint64 *value,
	const char *sql, const StoreValue *values, gsize count)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql, values, count);
	gboolean more;
	*value = fallback;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more && !store_rows_is_null(rows, 0))
		*value = store_rows_integer(rows, 0);
	return TRUE;
}

/* Counters ------------------------------------------------------------------------------------ */

gboolean store_counter_advance(Store *store, const char *counter, GError **error)
{
	if (!store_execute(store, error, SQL_COUNTER_ADVANCE, STORE_PARAMS(STORE_TEXT(counter))))
		return FALSE;
	if (store_changed(store) == 1)
		return TRUE;
	return store_execute(store, error, SQL_COUNTER_ADD, STORE_PARAMS(STORE_TEXT(counter)));
}

gboolean store_counter_get(Store *store, const char *counter, gint64 *value, GError **error)
{
	return store_query_integer(
		store, error, 0, value, SQL_COUNTER_GET, STORE_PARAMS(STORE_TEXT(counter)));
}
