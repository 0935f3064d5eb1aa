/* SPDX-License-Identifier: ISC
 *
 * See rows.h.
 */
#include "rows.h"

#include <string.h>

json_t *rows_json(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
	json_error_t at;
	json_t *value = json_loads(copy, JSON_DECODE_ANY, &at);
	if (value == NULL)
		g_error("%s in %s", at.text, copy);
	return value;
}

static void add_table(State *state, const char *name, const json_t *rows)
{
	StateTable table;
	g_assert_true(state_table_find(name, &table));
	for (gsize i = 0; i < json_array_size(rows); i++) {
		g_autoptr(GError) error = NULL;
		state_add(state, table, json_array_get(rows, i), &error);
		g_assert_no_error(error);
	}
}

Published *rows_published(const char *text)
{
	g_autoptr(RowsJson) given = rows_json(text);
	g_autoptr(State) live = state_new();
	g_autoptr(GError) error = NULL;
	const char *name;
	json_t *rows;
	json_object_foreach (given, name, rows)
		if (strcmp(name, "pending") != 0)
			add_table(live, name, rows);
	g_autoptr(Queue) queue = queue_new(json_object_get(given, "pending"), &error);
	g_assert_no_error(error);
	Published *published = published_new(live, queue, 7, &error);
	g_assert_no_error(error);
	return published;
}
