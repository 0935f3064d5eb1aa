/* SPDX-License-Identifier: ISC
 *
 * Versions lie side by side in channel_row: each has the time in which it was live.
 */
#include "channel/book/past.h"

#include <string.h>

#include "wire/json.h"

static const char SQL_VERSIONS[] = "SELECT row_json, from_us, until_us, change_id, actor,"
				   " ended_change_id, ended_actor"
				   " FROM channel_row WHERE kind = ? AND key = ?"
				   " ORDER BY id DESC LIMIT ?";

/* One line for each moment and table. A version that ends where the next begins was rewritten. */
static const char SQL_MOMENTS[] =
	"SELECT at_us, actor, change_id, kind, SUM(written), SUM(deleted) FROM ("
	"SELECT from_us AS at_us, actor, COALESCE(change_id, 0) AS change_id, kind, product,"
	" 1 AS written, 0 AS deleted FROM channel_row"
	" UNION ALL"
	" SELECT until_us, ended_actor, COALESCE(ended_change_id, 0), kind, product, 0, 1"
	" FROM channel_row gone WHERE until_us IS NOT NULL AND NOT EXISTS"
	" (SELECT 1 FROM channel_row next WHERE next.kind = gone.kind AND next.key = gone.key"
	" AND next.id > gone.id AND next.from_us = gone.until_us)) moment"
	" WHERE (CAST(? AS TEXT) IS NULL OR product IS NULL OR product = '*' OR product = ?)"
	" GROUP BY at_us, actor, change_id, kind"
	" ORDER BY at_us DESC, change_id DESC, actor, kind LIMIT ?";

/* A change's number, null for 0 or NULL: a direct edit. */
static json_t *change_or_null(const StoreRows *rows, int column)
{
	gint64 change = store_rows_is_null(rows, column) ? 0 : store_rows_integer(rows, column);
	return change == 0 ? json_null() : json_integer(change);
}

/* Versions ------------------------------------------------------------------------------------- */

static json_t *version_of(const StoreRows *rows, GError **error)
{
	const char *text = store_rows_text(rows, 0);
	g_autoptr(json_t) row = json_read("channel_row", text, strlen(text), error);
	if (row == NULL)
		return NULL;
	json_t *until = store_rows_is_null(rows, 2) ? json_null()
						    : json_integer(store_rows_integer(rows, 2));
	return json_pack("{s:O, s:I, s:o, s:o, s:s}", "row", row, "from_us",
		(json_int_t)store_rows_integer(rows, 1), "until_us", until, "change",
		change_or_null(rows, 3), "actor", store_rows_text(rows, 4));
}

/* The row was away from the end of this version until `newer` (NULL: now). */
static void add_gap(json_t *versions, const StoreRows *rows, const json_t *newer)
{
	json_t *until = json_object_get(newer, "from_us");
	if (store_rows_is_null(rows, 2) ||
		(newer != NULL && json_integer_value(until) == store_rows_integer(rows, 2)))
		return;
	json_array_append_new(versions,
		json_pack("{s:n, s:I, s:O?, s:o, s:s?}", "row", "from_us",
			(json_int_t)store_rows_integer(rows, 2), "until_us", until, "change",
			change_or_null(rows, 5), "actor", store_rows_text(rows, 6)));
}

json_t *channel_row_versions(Store *store, StateTable table, const char *key, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_VERSIONS,
		STORE_PARAMS(STORE_TEXT(state_table_name(table)), STORE_TEXT(key),
			STORE_INT(CHANNEL_MAXIMUM_VERSIONS)));
	g_autoptr(json_t) versions = json_array();
	json_t *newer = NULL;
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&versions);
		json_t *version = version_of(rows, error);
		if (version == NULL)
			return NULL;
		add_gap(versions, rows, newer);
		json_array_append_new(versions, version);
		newer = version;
	}
	return NULL;
}

/* Moments -------------------------------------------------------------------------------------- */

static gboolean is_same_moment(const json_t *moment, const StoreRows *rows)
{
	return moment != NULL && json_integer_of(moment, "at_us") == store_rows_integer(rows, 0) &&
	       g_strcmp0(json_text(moment, "actor"), store_rows_text(rows, 1)) == 0 &&
	       json_integer_of(moment, "change") == store_rows_integer(rows, 2);
}

static json_t *new_moment(const StoreRows *rows)
{
	return json_pack("{s:I, s:s?, s:o, s:i, s:i, s:[]}", "at_us",
		(json_int_t)store_rows_integer(rows, 0), "actor", store_rows_text(rows, 1),
		"change", change_or_null(rows, 2), "written", 0, "deleted", 0, "tables");
}

static void grow(json_t *moment, const char *count, gint64 by)
{
	json_object_set_new(moment, count, json_integer(json_integer_of(moment, count) + by));
}

json_t *channel_moments(Store *store, const char *product, gint64 limit, GError **error)
{
	gsize most = (gsize)CLAMP(limit, 1, CHANNEL_MAXIMUM_MOMENTS);
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_MOMENTS,
		STORE_PARAMS(STORE_TEXT(product), STORE_TEXT(product),
			STORE_INT((gint64)most * STATE_TABLES)));
	g_autoptr(json_t) moments = json_array();
	json_t *moment = NULL;
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		gboolean is_new = more && !is_same_moment(moment, rows);
		if (!more || (is_new && json_array_size(moments) == most))
			return g_steal_pointer(&moments);
		if (is_new)
			json_array_append_new(moments, moment = new_moment(rows));
		grow(moment, "written", store_rows_integer(rows, 4));
		grow(moment, "deleted", store_rows_integer(rows, 5));
		json_array_append_new(
			json_object_get(moment, "tables"), json_string(store_rows_text(rows, 3)));
	}
	return NULL;
}
