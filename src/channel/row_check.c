/* SPDX-License-Identifier: ISC
 *
 * All rows that an edit writes, and those that stand on them.
 */
#include <string.h>

#include "channel/release_document.h"
#include "channel/row_parts.h"

/* Between two states. */
typedef struct Edit {
	const State *before, *after;
	RowStage stage;
} Edit;

/* A row that the edit alters, adds or takes away. */
typedef gboolean (*EditedCheck)(
	const Edit *edit, StateTable table, const char *key, const json_t *was, GError **error);

static gboolean each_edited(const Edit *edit, StateTable table, EditedCheck check, GError **error)
{
	const json_t *before = state_rows(edit->before, table);
	const json_t *after = state_rows(edit->after, table);
	const char *key;
	json_t *row;
	if (before == after)
		return TRUE;
	json_object_foreach ((json_t *)after, key, row) {
		const json_t *was = json_object_get(before, key);
		if (was != row && !(was != NULL && json_equal((json_t *)was, row)) &&
			!check(edit, table, key, was, error))
			return FALSE;
	}
	json_object_foreach ((json_t *)before, key, row)
		if (json_object_get(after, key) == NULL && !check(edit, table, key, row, error))
			return FALSE;
	return TRUE;
}

/* What stands on a row ------------------------------------------------------------------------- */

static gboolean names(const json_t *row, const char *column, const char *text)
{
	return g_strcmp0(row_text(row, column), text) == 0;
}

static gboolean maps_to(const json_t *row, const char *release)
{
	return names(row, "mapping", release) || names(row, "fallback_mapping", release);
}

static gboolean is_of(const json_t *row, const char *product)
{
	return names(row, "product", product);
}

/* Rules without a product meet queries of every one. */
static gboolean meets_channel(const json_t *row, const char *channel)
{
	return names(row, "channel", channel) || names(row, "base", channel);
}

/* Every row of the table that stands on what `text` names is still good. */
static gboolean recheck(const Edit *edit, StateTable table,
	gboolean (*stands_on)(const json_t *row, const char *text), const char *text,
	GError **error)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(edit->after, table), key, row)
		if (stands_on(row, text) && !row_check(table, row, edit->after, edit->stage, error))
			return FALSE;
	return TRUE;
}

static gboolean check_release_goes(const State *after, const char *name, GError **error)
{
	g_autofree char *naming = row_naming_release(after, name);
	return naming == NULL ||
	       row_conflict(
		       error, "releases %s: cannot go, because %s still names it", name, naming);
}

static gboolean check_standing(
	const Edit *edit, StateTable table, const char *key, const json_t *row, GError **error)
{
	gboolean goes = json_object_get(state_rows(edit->after, table), key) == NULL;
	if (table == STATE_RELEASES && goes)
		return check_release_goes(edit->after, key, error);
	if (table == STATE_RELEASES)
		return recheck(edit, STATE_RULES, maps_to, key, error) &&
		       recheck(edit, STATE_PINS, maps_to, key, error);
	if (table == STATE_PRODUCTS)
		return recheck(edit, STATE_RULES, is_of, key, error) &&
		       recheck(edit, STATE_RELEASES, is_of, key, error);
	if (table == STATE_CHANNELS)
		return recheck(edit, STATE_RULES, meets_channel, row_text(row, "channel"), error) &&
		       recheck(edit, STATE_CHANNELS, meets_channel, row_text(row, "channel"),
			       error);
	return TRUE;
}

/* A role that admins give is not taken away here, either. */
static gboolean check_written(
	const Edit *edit, StateTable table, const char *key, const json_t *was, GError **error)
{
	const json_t *is = json_object_get(state_rows(edit->after, table), key);
	if (is != NULL && !row_check(table, is, edit->after, edit->stage, error))
		return FALSE;
	if (table == STATE_GRANTS && is == NULL &&
		!row_check(table, was, edit->before, edit->stage, error))
		return FALSE;
	return check_standing(edit, table, key, is != NULL ? is : was, error);
}

gboolean rows_check(const State *before, const State *after, RowStage stage, GError **error)
{
	Edit edit = {before, after, stage};
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!each_edited(&edit, (StateTable)i, check_written, error))
			return FALSE;
	return TRUE;
}

/* Releases that are named ---------------------------------------------------------------------- */

static gboolean leads_from(const json_t *row, const char *release)
{
	g_autoptr(GHashTable) origins = release_document_origins(row);
	return g_hash_table_contains(origins, release);
}

static char *find_row(const State *state, StateTable table,
	gboolean (*stands_on)(const json_t *row, const char *text), const char *text)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, table), key, row)
		if (stands_on(row, text))
			return g_strdup_printf("%s %s", state_table_name(table), key);
	return NULL;
}

char *row_naming_release(const State *state, const char *release)
{
	char *found = find_row(state, STATE_RULES, maps_to, release);
	if (found == NULL)
		found = find_row(state, STATE_PINS, maps_to, release);
	return found != NULL ? found : find_row(state, STATE_RELEASES, leads_from, release);
}
