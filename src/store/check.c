/* SPDX-License-Identifier: ISC
 *
 * Is the store sound? (docs/store.md)
 *
 * Each database is asked in its own words for broken pages and for references to rows that are not
 * there; PostgreSQL upholds references by triggers, which a superuser or a bad restore can have
 * passed by.
 */
#include "store/backup.h"
#include "store/engine.h"
#include "store/history.h"

/* More than these of one kind say nothing new. */
#define MAXIMUM_PROBLEMS 100

static const char SQL_INTEGRITY[] = "PRAGMA integrity_check(" G_STRINGIFY(MAXIMUM_PROBLEMS) ")";
static const char SQL_DANGLING[] = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check";

/* One row a foreign key of this schema, with the query that counts what dangles. %1$I and so on are
 * quoted by the server. */
static const char SQL_REFERENCES[] =
	"SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, format("
	"'SELECT count(*) FROM %s child WHERE child.%I IS NOT NULL AND NOT EXISTS "
	"(SELECT 1 FROM %s parent WHERE parent.%I = child.%I)', "
	"c.conrelid::regclass, child.attname, c.confrelid::regclass, parent.attname, "
	"child.attname) "
	"FROM pg_catalog.pg_constraint c "
	"JOIN pg_catalog.pg_attribute child ON child.attrelid = c.conrelid AND child.attnum = "
	"c.conkey[1] "
	"JOIN pg_catalog.pg_attribute parent "
	"ON parent.attrelid = c.confrelid AND parent.attnum = c.confkey[1] "
	"WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 "
	"AND c.connamespace = current_schema()::regnamespace ORDER BY 1, 2, 3";

static void add(GPtrArray *problems, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *problems, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_ptr_array_add(problems, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static gboolean check_pages(Store *store, GPtrArray *problems, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_INTEGRITY, STORE_NO_PARAMS);
	gboolean more = TRUE;
	while (more) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (more && g_strcmp0(store_rows_text(rows, 0), "ok") != 0)
			add(problems, "the file is damaged: %s", store_rows_text(rows, 0));
	}
	return TRUE;
}

static gboolean check_references_sqlite(Store *store, GPtrArray *problems, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_DANGLING, STORE_NO_PARAMS);
	gboolean more = TRUE;
	for (int found = 0; more && found < MAXIMUM_PROBLEMS; found++) {
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (more)
			add(problems,
				"%s: row %" G_GINT64_FORMAT
				" refers to a row of %s that is not there",
				store_rows_text(rows, 0), store_rows_integer(rows, 1),
				store_rows_text(rows, 2));
	}
	return TRUE;
}

static gboolean check_references_postgresql(Store *store, GPtrArray *problems, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_REFERENCES, STORE_NO_PARAMS);
	gboolean more = TRUE;
	while (more) {
		gint64 dangling = 0;
		if (!store_rows_next(rows, &more, error))
			return FALSE;
		if (more && !store_query_integer(store, error, 0, &dangling,
				    store_rows_text(rows, 2), STORE_NO_PARAMS))
			return FALSE;
		if (dangling > 0)
			add(problems,
				"%s: %" G_GINT64_FORMAT
				" rows refer to rows of %s that are not there",
				store_rows_text(rows, 0), dangling, store_rows_text(rows, 1));
	}
	return TRUE;
}

static gboolean check_history(Store *store, GPtrArray *problems, GError **error)
{
	HistoryVerdict verdict;
	if (!history_verify(store, NULL, &verdict, error))
		return FALSE;
	if (verdict.problem)
		add(problems, "history: %s", verdict.problem);
	history_verdict_clear(&verdict);
	return TRUE;
}

static gboolean check_rows(Store *store, gpointer of, GError **error)
{
	GPtrArray *problems = of;
	g_ptr_array_set_size(problems, 0);
	if (store_kind(store) == STORE_POSTGRESQL)
		return check_references_postgresql(store, problems, error) &&
		       check_history(store, problems, error);
	return check_pages(store, problems, error) &&
	       check_references_sqlite(store, problems, error) &&
	       check_history(store, problems, error);
}

GPtrArray *store_check(Store *store, GError **error)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) schema = NULL;
	if (!store_check_schema(store, &schema)) {
		if (!drover_error_is(schema, DROVER_ERROR_CONFLICT)) {
			g_propagate_error(error, g_steal_pointer(&schema));
			return NULL;
		}
		/* Of another version it has other tables: nothing else can be asked. */
		add(problems, "%s", schema->message);
		return g_steal_pointer(&problems);
	}
	if (!store_read(store, check_rows, problems, error))
		return NULL;
	return g_steal_pointer(&problems);
}
