/* SPDX-License-Identifier: ISC
 *
 * A change in a file. What is wrong with its shape is said here, with file and field, so that it
 * can be mended before anything is sent; what is wrong with its rows is said by whoever holds the
 * rows. Rules: docs/changes.md
 */
#include "programs/drover/change.h"

#include <string.h>

#include "channel/row/state.h"

static const char *const file_fields[] = {"title", "when", "reason", "ops", NULL};
static const char *const op_fields[] = {
	"op", "table", "row", "rule_id", "name", "data_version", NULL};

/* "ops: must be a list"; `field` may be NULL for the whole. */
static gboolean refuse(GError **error, const char *field, const char *wanted)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s%smust be %s", field != NULL ? field : "",
		field != NULL ? ": " : "", wanted);
	return FALSE;
}

static gboolean check_fields(const json_t *object, const char *const *known, GError **error)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)object, key, value) {
		if (g_strv_contains(known, key))
			continue;
		g_autofree char *all = g_strjoinv(", ", (char **)(gpointer)known);
		drover_error_set(
			error, DROVER_ERROR_INPUT, "%s: is no field; there are %s", key, all);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_table(const json_t *op, GError **error)
{
	const char *name = NULL;
	StateTable table;
	if (!json_field_text(op, "table", TRUE, 100, &name, error))
		return FALSE;
	if (state_table_find(name, &table))
		return TRUE;
	g_autoptr(GString) all = g_string_new(NULL);
	for (guint i = 0; i < STATE_TABLES; i++)
		g_string_append_printf(
			all, "%s%s", i > 0 ? ", " : "", state_table_name((StateTable)i));
	drover_error_set(
		error, DROVER_ERROR_INPUT, "table: there is no '%s'; there are %s", name, all->str);
	return FALSE;
}

static gboolean check_op(const json_t *op, GError **error)
{
	static const char *const verbs[] = {"insert", "update", "delete", NULL};
	const char *verb = NULL;
	const json_t *row = json_object_get(op, "row");
	if (!json_is_object(op))
		return refuse(error, NULL, "an object");
	if (!check_fields(op, op_fields, error) ||
		!json_field_text(op, "op", TRUE, 100, &verb, error) || !check_table(op, error))
		return FALSE;
	if (!g_strv_contains(verbs, verb))
		return refuse(error, "op", "insert, update or delete");
	gboolean is_delete = strcmp(verb, "delete") == 0;
	if (row == NULL ? !is_delete : !json_is_object(row))
		return refuse(error, "row", "an object");
	return TRUE;
}

static gboolean check_ops(const json_t *ops, GError **error)
{
	if (json_array_size(ops) == 0)
		return refuse(error, "ops", "a list of one op or more");
	for (gsize i = 0; i < json_array_size(ops); i++) {
		if (check_op(json_array_get(ops, i), error))
			continue;
		g_prefix_error(error, "ops %" G_GSIZE_FORMAT ": ", i + 1);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_file(const json_t *file, GError **error)
{
	static const char *const texts[] = {"title", "when", "reason"};
	if (!json_is_object(file))
		return refuse(error, NULL, "an object of title, when, reason and ops");
	if (!check_fields(file, file_fields, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const json_t *text = json_object_get(file, texts[i]);
		if (text != NULL && !json_is_string(text))
			return refuse(error, texts[i], "a text");
	}
	return check_ops(json_object_get(file, "ops"), error);
}

json_t *change_file_read(const char *name, const char *text, gsize size_bytes, GError **error)
{
	g_autoptr(json_t) file = json_read(name, text, size_bytes, error);
	if (file == NULL)
		return NULL;
	if (check_file(file, error))
		return g_steal_pointer(&file);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}
