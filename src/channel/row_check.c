/* SPDX-License-Identifier: ISC
 *
 * All rows that an edit writes, and those that stand on them: first what was written is noted, then
 * each table is gone through once.
 */
#include <string.h>

#include "channel/release_document.h"
#include "channel/row_parts.h"

/* Between two states. The sets hold borrowed texts. */
typedef struct Edit {
	const State *before, *after;
	RowStage stage;
	GHashTable *releases, *gone; /* names, edited and deleted */
	GHashTable *products, *channels;
} Edit;

/* What was written ----------------------------------------------------------------------------- */

static void note(Edit *edit, StateTable table, const char *key, const json_t *row)
{
	if (table == STATE_RELEASES)
		g_hash_table_add(json_object_get(state_rows(edit->after, table), key) != NULL
					 ? edit->releases
					 : edit->gone,
			(gpointer)key);
	if (table == STATE_PRODUCTS)
		g_hash_table_add(edit->products, (gpointer)key);
	if (table == STATE_CHANNELS)
		g_hash_table_add(edit->channels, (gpointer)row_text(row, "channel"));
}

/* A role that admins give is not taken away here, either. */
static gboolean check_deleted(const Edit *edit, StateTable table, const json_t *row, GError **error)
{
	return table != STATE_GRANTS || row_check(table, row, edit->before, edit->stage, error);
}

static gboolean check_written(Edit *edit, StateTable table, GError **error)
{
	const json_t *before = state_rows(edit->before, table);
	const json_t *after = state_rows(edit->after, table);
	const char *key;
	json_t *row;
	if (before == after)
		return TRUE;
	json_object_foreach ((json_t *)after, key, row) {
		json_t *was = json_object_get(before, key);
		if (was == row || (was != NULL && json_equal(was, row)))
			continue;
		note(edit, table, key, row);
		if (!row_check(table, row, edit->after, edit->stage, error))
			return FALSE;
	}
	json_object_foreach ((json_t *)before, key, row) {
		if (json_object_get(after, key) != NULL)
			continue;
		note(edit, table, key, row);
		if (!check_deleted(edit, table, row, error))
			return FALSE;
	}
	return TRUE;
}

/* What stands on it ---------------------------------------------------------------------------- */

static gboolean names(const json_t *row, const char *column, GHashTable *texts)
{
	const char *text = row_text(row, column);
	return text != NULL && g_hash_table_contains(texts, text);
}

static gboolean maps_to(const json_t *row, GHashTable *releases)
{
	return names(row, "mapping", releases) || names(row, "fallback_mapping", releases);
}

static gboolean stands_on(const Edit *edit, StateTable table, const json_t *row)
{
	if (table == STATE_PINS)
		return maps_to(row, edit->releases);
	if (table == STATE_RELEASES)
		return names(row, "product", edit->products);
	if (table == STATE_CHANNELS)
		return names(row, "base", edit->channels);
	return table == STATE_RULES &&
	       (maps_to(row, edit->releases) || names(row, "product", edit->products) ||
		       names(row, "channel", edit->channels));
}

static gboolean check_standing(const Edit *edit, StateTable table, GError **error)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(edit->after, table), key, row)
		if (stands_on(edit, table, row) &&
			!row_check(table, row, edit->after, edit->stage, error))
			return FALSE;
	return TRUE;
}

/* Releases that go ----------------------------------------------------------------------------- */

static const char *find_mapped(const json_t *row, GHashTable *releases)
{
	static const char *const columns[] = {"mapping", "fallback_mapping"};
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
		if (names(row, columns[i], releases))
			return row_text(row, columns[i]);
	return NULL;
}

static const char *find_origin(const json_t *row, GHashTable *releases)
{
	g_autoptr(GHashTable) origins = release_document_origins(row);
	GHashTableIter iter;
	gpointer origin, name;
	g_hash_table_iter_init(&iter, origins);
	while (g_hash_table_iter_next(&iter, &origin, NULL))
		if (g_hash_table_lookup_extended(releases, origin, &name, NULL))
			return name;
	return NULL;
}

/* The first row that names one of the releases, and which one. NULL: none. Caller frees. */
static char *find_naming(const State *state, GHashTable *releases, const char **named)
{
	static const StateTable tables[] = {STATE_RULES, STATE_PINS, STATE_RELEASES};
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		const char *key;
		json_t *row;
		json_object_foreach ((json_t *)state_rows(state, tables[i]), key, row) {
			*named = tables[i] == STATE_RELEASES ? find_origin(row, releases)
							     : find_mapped(row, releases);
			if (*named != NULL)
				return g_strdup_printf("%s %s", state_table_name(tables[i]), key);
		}
	}
	return NULL;
}

char *row_naming_release(const State *state, const char *release)
{
	g_autoptr(GHashTable) releases = g_hash_table_new(g_str_hash, g_str_equal);
	const char *named;
	g_hash_table_add(releases, (gpointer)release);
	return find_naming(state, releases, &named);
}

static gboolean check_gone(const Edit *edit, GError **error)
{
	const char *named = NULL;
	g_autofree char *naming = g_hash_table_size(edit->gone) == 0
					  ? NULL
					  : find_naming(edit->after, edit->gone, &named);
	return naming == NULL ||
	       row_conflict(
		       error, "releases %s: cannot go, because %s still names it", named, naming);
}

/* All of it ------------------------------------------------------------------------------------ */

gboolean rows_check(const State *before, const State *after, RowStage stage, GError **error)
{
	g_autoptr(GHashTable) releases = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) gone = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) products = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) channels = g_hash_table_new(g_str_hash, g_str_equal);
	Edit edit = {before, after, stage, releases, gone, products, channels};
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!check_written(&edit, (StateTable)i, error))
			return FALSE;
	if (!check_gone(&edit, error))
		return FALSE;
	if (g_hash_table_size(releases) + g_hash_table_size(products) +
			g_hash_table_size(channels) ==
		0)
		return TRUE;
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!check_standing(&edit, (StateTable)i, error))
			return FALSE;
	return TRUE;
}
