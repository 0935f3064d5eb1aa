/* SPDX-License-Identifier: ISC
 *
 * A form's fields are texts; ops are JSON. Of a rule only what differs from what the person saw is
 * written, so that two who change different columns do not undo each other.
 */
#include "page/change_ops.h"

#include "base/format.h"

static const struct {
	const char *name;
	gint64 maximum;	  /* of a number; 0: a text */
	gboolean changes; /* the form that changes a rule has it */
} columns[] = {
	{"priority", 1000000, TRUE},
	{"product", 0, FALSE},
	{"channel", 0, FALSE},
	{"version", 0, FALSE},
	{"build_id", 0, FALSE},
	{"platform", 0, FALSE},
	{"locale", 0, FALSE},
	{"mapping", 0, TRUE},
	{"rate", 100, TRUE},
	{"fallback_mapping", 0, TRUE},
	{"alias", 0, FALSE},
	{"comment", 0, TRUE},
};

static const char *field(GHashTable *fields, const char *name)
{
	const char *value = g_hash_table_lookup(fields, name);
	return value ? value : "";
}

/* A column's value; null when the field is empty. */
static json_t *column_value(gsize column, const char *text, GError **error)
{
	gint64 number = 0;
	if (!*text)
		return json_null();
	if (columns[column].maximum == 0)
		return json_string(text);
	return parse_integer(text, columns[column].name, 0, columns[column].maximum, &number, error)
		       ? json_integer(number)
		       : NULL;
}

static gboolean differs(GHashTable *fields, const char *name)
{
	g_autofree char *base = g_strdup_printf("base_%s", name);
	const char *typed = g_hash_table_lookup(fields, name);
	return typed && g_strcmp0(typed, field(fields, base)) != 0;
}

static json_t *rule_patch(GHashTable *fields, GError **error)
{
	g_autoptr(json_t) patch = json_object();
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		if (!columns[i].changes || !differs(fields, columns[i].name))
			continue;
		json_t *value = column_value(i, field(fields, columns[i].name), error);
		if (!value)
			return NULL;
		json_object_set_new(patch, columns[i].name, value);
	}
	if (json_object_size(patch) > 0)
		return g_steal_pointer(&patch);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"Nothing differs from what the rule says now. Change a field first.");
	return NULL;
}

static json_t *new_rule(GHashTable *fields, GError **error)
{
	g_autoptr(json_t) row = json_object();
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		const char *text = field(fields, columns[i].name);
		json_t *value = *text ? column_value(i, text, error) : NULL;
		if (*text && !value)
			return NULL;
		if (value)
			json_object_set_new(row, columns[i].name, value);
	}
	return g_steal_pointer(&row);
}

static json_t *op_new(const char *op, const char *table)
{
	return json_pack("{s:s, s:s}", "op", op, "table", table);
}

static gboolean set_number(json_t *op, GHashTable *fields, const char *name, GError **error)
{
	gint64 number = 0;
	if (!parse_integer(field(fields, name), name, 0, G_MAXINT64, &number, error))
		return FALSE;
	json_object_set_new(op, name, json_integer(number));
	return TRUE;
}

static json_t *op_of_rule(GHashTable *fields, const char *kind, GError **error)
{
	gboolean updates = g_str_equal(kind, "rule");
	g_autoptr(json_t) op = op_new(updates ? "update" : "delete", "rules");
	if (!set_number(op, fields, "rule_id", error))
		return NULL;
	if (*field(fields, "data_version") && !set_number(op, fields, "data_version", error))
		return NULL;
	json_t *patch = updates ? rule_patch(fields, error) : NULL;
	if (updates && !patch)
		return NULL;
	if (patch)
		json_object_set_new(op, "row", patch);
	return g_steal_pointer(&op);
}

static json_t *op_of_insert(GHashTable *fields, GError **error)
{
	json_t *row = new_rule(fields, error);
	if (!row)
		return NULL;
	json_t *op = op_new("insert", "rules");
	json_object_set_new(op, "row", row);
	return op;
}

static json_t *op_of_shutoff(const char *kind, const char *product, const char *channel)
{
	json_t *op = op_new(kind, "shutoffs");
	json_object_set_new(op, "row",
		json_pack("{s:o, s:o}", "product", json_text_or_null(product), "channel",
			json_text_or_null(channel)));
	return op;
}

static json_t *ops_of_text(const char *text, GError **error)
{
	g_autoptr(json_t) ops = json_read("ops", text, strlen(text), error);
	if (!ops || json_is_array(ops))
		return g_steal_pointer(&ops);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"ops: must be a list, like [{\"op\": \"update\", \"table\": \"rules\", "
		"\"rule_id\": 7, "
		"\"row\": {\"rate\": 100}}]");
	return NULL;
}

json_t *change_ops(GHashTable *fields, GError **error)
{
	const char *kind = field(fields, "kind");
	json_t *op = NULL;
	if (g_str_equal(kind, "rule") || g_str_equal(kind, "delete"))
		op = op_of_rule(fields, kind, error);
	else if (g_str_equal(kind, "insert"))
		op = op_of_insert(fields, error);
	else if (g_str_equal(kind, "switch-on"))
		op = op_of_shutoff("delete", field(fields, "product"), field(fields, "channel"));
	else
		return ops_of_text(field(fields, "ops"), error);
	return op ? json_pack("[o]", op) : NULL;
}

json_t *change_body(const Visit *visit, GError **error)
{
	g_autoptr(json_t) ops = change_ops(visit->fields, error);
	g_autoptr(json_t) body =
		ops ? form_body("title when:w reason", visit->fields, error) : NULL;
	if (body)
		json_object_set(body, "ops", ops);
	return g_steal_pointer(&body);
}

static json_t *edit_of(const Visit *visit, json_t *op, GError **error)
{
	json_t *body = form_body("reason", visit->fields, error);
	json_object_set_new(body, "ops", json_pack("[o]", op));
	return body;
}

static json_t *op_here(const Visit *visit, const char *kind)
{
	return op_of_shutoff(kind, g_hash_table_lookup(visit->parameters, "product"),
		g_hash_table_lookup(visit->parameters, "channel"));
}

/* The reason stands in the row, too: whoever asks why a channel is silent finds it there. */
json_t *shut_off_body(const Visit *visit, GError **error)
{
	json_t *op = op_here(visit, "insert");
	const char *reason = field(visit->fields, "reason");
	if (*reason)
		json_object_set_new(
			json_object_get(op, "row"), "reason", json_text_or_null(reason));
	return edit_of(visit, op, error);
}

json_t *switch_on_body(const Visit *visit, GError **error)
{
	return edit_of(visit, op_here(visit, "delete"), error);
}
