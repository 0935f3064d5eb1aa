/* SPDX-License-Identifier: ISC
 *
 * All rows that an edit writes, and those that stand on them: first what was written is noted, then
 * looked up who names it.
 */
#include <string.h>

#include "channel/row/row_parts.h"

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
		g_hash_table_add(
			state_row(edit->after, table, key) != NULL ? edit->releases : edit->gone,
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
	g_autoptr(GArray) written = sheet_differences(
		state_sheet(edit->before, table), state_sheet(edit->after, table));
	for (guint i = 0; i < written->len; i++) {
		SheetDifference row = g_array_index(written, SheetDifference, i);
		if (row.before != NULL && row.after != NULL && json_equal(row.before, row.after))
			continue;
		note(edit, table, row.key, row.after != NULL ? row.after : row.before);
		if (row.after == NULL
				? !check_deleted(edit, table, row.before, error)
				: !row_check(table, row.after, edit->after, edit->stage, error))
			return FALSE;
	}
	return TRUE;
}

/* What stands on it ---------------------------------------------------------------------------- */

typedef struct Search {
	const Edit *edit;
	StateTable table;
	gboolean is_good;
	GError **error;
} Search;

static void check_found(const char *key, const json_t *row, gpointer of)
{
	Search *search = of;
	const Edit *edit = search->edit;
	(void)key;
	if (search->is_good)
		search->is_good =
			row_check(search->table, row, edit->after, edit->stage, search->error);
}

static gboolean check_those(
	const Edit *edit, StateTable table, SheetIndex index, GHashTable *texts, GError **error)
{
	Search search = {edit, table, TRUE, error};
	GHashTableIter iter;
	gpointer text;
	g_hash_table_iter_init(&iter, texts);
	while (search.is_good && g_hash_table_iter_next(&iter, &text, NULL))
		sheet_each(state_sheet(edit->after, table), index, text, check_found, &search);
	return search.is_good;
}

static gboolean check_standing(const Edit *edit, GError **error)
{
	return check_those(edit, STATE_RULES, SHEET_BY_MAPPING, edit->releases, error) &&
	       check_those(edit, STATE_RULES, SHEET_BY_PRODUCT, edit->products, error) &&
	       check_those(edit, STATE_RULES, SHEET_BY_CHANNEL, edit->channels, error) &&
	       check_those(edit, STATE_RELEASES, SHEET_BY_PRODUCT, edit->products, error) &&
	       check_those(edit, STATE_PINS, SHEET_BY_MAPPING, edit->releases, error) &&
	       check_those(edit, STATE_CHANNELS, SHEET_BY_BASE, edit->channels, error);
}

/* Releases that go ----------------------------------------------------------------------------- */

static void note_first(const char *key, const json_t *row, gpointer of)
{
	const char **first = of;
	(void)row;
	if (*first == NULL)
		*first = key;
}

char *row_naming_release(const State *state, const char *release)
{
	static const struct {
		StateTable table;
		SheetIndex index;
	} ways[] = {{STATE_RULES, SHEET_BY_MAPPING}, {STATE_PINS, SHEET_BY_MAPPING},
		{STATE_RELEASES, SHEET_BY_ORIGIN}};
	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		const char *key = NULL;
		sheet_each(state_sheet(state, ways[i].table), ways[i].index, release, note_first,
			&key);
		if (key != NULL)
			return g_strdup_printf("%s %s", state_table_name(ways[i].table), key);
	}
	return NULL;
}

static gboolean check_gone(const Edit *edit, GError **error)
{
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, edit->gone);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		g_autofree char *naming = row_naming_release(edit->after, name);
		if (naming != NULL)
			return row_conflict(error,
				"releases %s: cannot go, because %s still names it",
				(const char *)name, naming);
	}
	return TRUE;
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
	return check_gone(&edit, error) && check_standing(&edit, error);
}
