/* SPDX-License-Identifier: ISC
 *
 * /tables: the rows that channels are answered from, as people write them, and each row's past.
 */
#include <string.h>

#include "api/channel_look.h"
#include "api/routes.h"
#include "channel/book/past.h"

#define TABLE_DEFAULT_LIMIT	1000
#define TABLE_MAXIMUM_LIMIT	10000
#define TABLE_MAXIMUM_KEY_BYTES 1024

static gboolean read_table(const ApiCall *call, StateTable *table, GError **error)
{
	const char *name = api_parameter(call, "table");
	if (state_table_find(name, table))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"there is no table '%s'; there are rules, releases, shutoffs, pins, requirements, "
		"products, channels, roles, grants and freezes",
		name);
	return FALSE;
}

/* Lists -----------------------------------------------------------------------------------------
 */

typedef struct TableFilter {
	const Actor *actor;
	StateTable table;
	const char *product, *channel;
} TableFilter;

static gboolean passes(const TableFilter *filter, const json_t *row)
{
	Scope scope = scope_of_row(filter->table, row);
	scope.product = channel_row_product(row);
	if (!channel_row_is_seen(filter->actor, row) ||
		(filter->product != NULL && scope.product != NULL &&
			strcmp(filter->product, scope.product) != 0))
		return FALSE;
	scope.product = NULL;
	return filter->channel == NULL || filter->table == STATE_RELEASES ||
	       scope_holds(scope, NULL, filter->channel);
}

/* Numbers as numbers: rule 10 comes after rule 9. */
static gint by_key(gconstpointer a, gconstpointer b)
{
	const char *first = *(const char *const *)a, *second = *(const char *const *)b;
	gsize size = strlen(first), other = strlen(second);
	if (g_ascii_isdigit(*first) && g_ascii_isdigit(*second) && size != other)
		return size < other ? -1 : 1;
	return strcmp(first, second);
}

/* Keys are borrowed from the rows. */
static GPtrArray *keys_of(const TableFilter *filter, const json_t *rows)
{
	GPtrArray *keys = g_ptr_array_new();
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)rows, key, row)
		if (passes(filter, row))
			g_ptr_array_add(keys, (gpointer)key);
	g_ptr_array_sort(keys, by_key);
	return keys;
}

/* Releases have thousands of files; who lists them seldom wants those. */
static json_t *shown(const TableFilter *filter, json_t *row, gboolean brief)
{
	if (!brief || filter->table != STATE_RELEASES)
		return json_incref(row);
	json_t *copy = json_copy(row);
	json_object_del(copy, "platforms");
	return copy;
}

static json_t *list_rows(ApiCall *call, GError **error)
{
	TableFilter filter = {
		call->actor, STATE_RULES, api_query(call, "product"), api_query(call, "channel")};
	const char *after = api_query(call, "after"), *next = NULL;
	gboolean brief = g_strcmp0(api_query(call, "brief"), "1") == 0;
	gint64 at_us, limit;
	if (!read_table(call, &filter.table, error) ||
		!api_query_integer(
			call, "limit", TABLE_DEFAULT_LIMIT, 1, TABLE_MAXIMUM_LIMIT, &limit, error))
		return NULL;
	g_autoptr(ChannelNow) now = channel_now_of(call, &at_us, error);
	if (now == NULL)
		return NULL;
	const json_t *rows = state_rows(now->book->live, filter.table);
	g_autoptr(GPtrArray) keys = keys_of(&filter, rows);
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < keys->len; i++) {
		const char *key = keys->pdata[i];
		if (after != NULL && by_key(&key, &after) <= 0)
			continue;
		if ((gint64)json_array_size(list) == limit) {
			next = i > 0 ? keys->pdata[i - 1] : NULL;
			break;
		}
		json_array_append_new(list, shown(&filter, json_object_get(rows, key), brief));
	}
	return json_pack("{s:s, s:I, s:O, s:o}", "table", state_table_name(filter.table),
		"generation", (json_int_t)now->book->generation, "rows", list, "next",
		json_text_or_null(next));
}

/* One row ---------------------------------------------------------------------------------------
 */

static void name_times(json_t *version)
{
	static const char *const times[][2] = {{"from_us", "from"}, {"until_us", "until"}};
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		json_object_set_new(version, times[i][1],
			json_time_or_null(json_integer_of(version, times[i][0])));
		json_object_del(version, times[i][0]);
	}
	static const char *const others[] = {"change", "actor"};
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (json_object_get(version, others[i]) == NULL)
			json_object_set_new(version, others[i], json_null());
}

/* Versions that the caller may not see are left out: a row may have been of another product. */
static json_t *versions_seen(ApiCall *call, StateTable table, const char *key, GError **error)
{
	g_autoptr(json_t) versions = channel_row_versions(call->store, table, key, error);
	if (versions == NULL)
		return NULL;
	gboolean any = FALSE;
	for (gsize i = json_array_size(versions); i > 0; i--) {
		json_t *version = json_array_get(versions, i - 1);
		const json_t *row = json_object_get(version, "row");
		name_times(version);
		if (!json_is_object(row))
			continue;
		if (channel_row_is_seen(call->actor, row))
			any = TRUE;
		else
			json_array_remove(versions, i - 1);
	}
	if (!any)
		json_array_clear(versions);
	return g_steal_pointer(&versions);
}

static json_t *show_row(ApiCall *call, GError **error)
{
	StateTable table;
	const char *key = api_query(call, "key");
	if (!read_table(call, &table, error))
		return NULL;
	if (key == NULL || strlen(key) > TABLE_MAXIMUM_KEY_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"key: is missing or longer than %d bytes; it is as in 7, web-1.4.0 or "
			"[\"web\",\"release\"]",
			TABLE_MAXIMUM_KEY_BYTES);
		return NULL;
	}
	g_autoptr(ChannelNow) now = channel_books_take(call->site->channels, call->store, error);
	g_autoptr(json_t) versions = now != NULL ? versions_seen(call, table, key, error) : NULL;
	if (versions == NULL)
		return NULL;
	json_t *row = state_row(now->book->live, table, key);
	if (row != NULL && !channel_row_is_seen(call->actor, row))
		row = NULL;
	if (row == NULL && json_array_size(versions) == 0) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "there is no row %s in %s", key,
			state_table_name(table));
		return NULL;
	}
	return json_pack("{s:s, s:s, s:O?, s:O}", "table", state_table_name(table), "key", key,
		"row", row, "versions", versions);
}

const ApiRoute api_table_routes[] = {
	{"GET", "/tables/{table}", ROLE_VIEWER, API_READ | API_ANYWHERE, list_rows},
	{"GET", "/tables/{table}/row", ROLE_VIEWER, API_READ | API_ANYWHERE, show_row},
	{0},
};
