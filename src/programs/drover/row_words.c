/* SPDX-License-Identifier: ISC
 *
 * Rows as people type and read them.
 */
#include "programs/drover/row_words.h"

#include <string.h>

#include "base/format.h"
#include "channel/rule/rule.h"
#include "programs/drover/when.h"

static const char TAG_PREFIX[] = "tag.";

/* Values -------------------------------------------------------------------------------------- */

static json_t *refuse(GError **error, const RowColumn *column, const char *wanted, const char *text)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s%s is %s, not '%s'",
		column->option != NULL ? "--" : "",
		column->option != NULL ? column->option : column->name, wanted, text);
	return NULL;
}

static json_t *integer_of(const RowColumn *column, const char *text, GError **error)
{
	gint64 number;
	if (!parse_integer(text, column->name, 0, G_MAXINT32, &number, NULL))
		return refuse(error, column, "a whole number", text);
	return json_integer(number);
}

static json_t *boolean_of(const RowColumn *column, const char *text, GError **error)
{
	if (strcmp(text, "yes") == 0)
		return json_true();
	if (strcmp(text, "no") == 0)
		return json_false();
	return refuse(error, column, "yes or no", text);
}

static json_t *time_of(const char *text, gint64 now_us, GError **error)
{
	g_autofree char *when = when_text(text, now_us, error);
	return when != NULL ? json_string(when) : NULL;
}

static json_t *list_of(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	json_t *list = json_array();
	for (guint i = 0; parts[i] != NULL; i++)
		json_array_append_new(list, json_text_or_null(g_strstrip(parts[i])));
	return list;
}

static json_t *pairs_of(const RowColumn *column, const char *text, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	g_autoptr(json_t) pairs = json_object();
	for (guint i = 0; parts[i] != NULL; i++) {
		char *equals = strchr(parts[i], '=');
		if (equals == NULL || equals == parts[i])
			return refuse(error, column, "a list of FROM=TO", text);
		*equals = '\0';
		json_object_set_new(pairs, parts[i], json_text_or_null(equals + 1));
	}
	return g_steal_pointer(&pairs);
}

json_t *row_value(const RowColumn *column, const char *text, gint64 now_us, GError **error)
{
	if (*text == '\0')
		return json_null();
	switch (column->type) {
	case ROW_TEXT:
		return json_text_or_null(text);
	case ROW_ANY:
		return json_text_or_null(strcmp(text, "all") == 0 ? "*" : text);
	case ROW_INTEGER:
		return integer_of(column, text, error);
	case ROW_BOOLEAN:
		return boolean_of(column, text, error);
	case ROW_TIME:
		return time_of(text, now_us, error);
	case ROW_LIST:
		return list_of(text);
	case ROW_PAIRS:
		return pairs_of(column, text, error);
	}
	g_assert_not_reached();
}

/* The elements, or the keys with their values. */
static char *joined(const json_t *value, const char *separator)
{
	GString *text = g_string_new(NULL);
	gsize i;
	const char *key;
	json_t *each;
	json_array_foreach (value, i, each) {
		g_autofree char *part = row_value_text(each);
		g_string_append_printf(text, "%s%s", i > 0 ? separator : "", part);
	}
	json_object_foreach ((json_t *)value, key, each) {
		g_autofree char *part = row_value_text(each);
		g_string_append_printf(text, "%s%s=%s", text->len > 0 ? separator : "", key, part);
	}
	return g_string_free(text, FALSE);
}

char *row_value_text(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return g_strdup("-");
	if (json_is_string(value))
		return g_strdup(json_string_value(value));
	if (json_is_boolean(value))
		return g_strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return joined(value, ", ");
}

/* Rules --------------------------------------------------------------------------------------- */

/* The object that a part of the column goes into: of the patch, or a copy of what the rule has. */
static json_t *parts_of(json_t *patch, const json_t *before, const char *column)
{
	if (!json_is_object(json_object_get(patch, column))) {
		json_t *had = json_object_get(before, column);
		json_object_set_new(
			patch, column, json_is_object(had) ? json_deep_copy(had) : json_object());
	}
	return json_object_get(patch, column);
}

/* Takes `value`; null takes the part away, and the column with its last. */
static void set_part(
	json_t *patch, const json_t *before, const char *column, const char *part, json_t *value)
{
	json_t *parts = parts_of(patch, before, column);
	if (json_is_null(value))
		json_object_del(parts, part);
	else
		json_object_set(parts, part, value);
	json_decref(value);
	if (json_object_size(parts) == 0)
		json_object_set_new(patch, column, json_null());
}

static gboolean set_flag(
	json_t *patch, const json_t *before, const char *name, const char *text, GError **error)
{
	gboolean is_true = strcmp(text, "true") == 0;
	if (!is_true && strcmp(text, "false") != 0 && *text != '\0') {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "%s is true or false, not '%s'", name, text);
		return FALSE;
	}
	set_part(patch, before, "flags", name, *text == '\0' ? json_null() : json_boolean(is_true));
	return TRUE;
}

static gboolean is_column_of_rules(const char *name)
{
	static const char *const others[] = {"alias", "mapping", "fallback_mapping", "update_type",
		"comment", "priority", "rate", "rule_id", NULL};
	for (guint i = 0; i < RULE_COLUMNS; i++)
		if (strcmp(name, rule_column_name((RuleColumn)i)) == 0)
			return i != RULE_FLAGS && i != RULE_TAGS;
	return g_strv_contains(others, name);
}

gboolean row_rule_word(json_t *patch, const json_t *before, const char *word, GError **error)
{
	static const char *const numbers[] = {"priority", "rate", "rule_id", NULL};
	const char *equals = strchr(word, '=');
	if (equals == NULL || equals == word) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s': say a column as COLUMN=VALUE: rate=25; COLUMN= takes it away", word);
		return FALSE;
	}
	if (!g_utf8_validate(word, -1, NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "'%s': is not UTF-8", word);
		return FALSE;
	}
	g_autofree char *name = g_strndup(word, (gsize)(equals - word));
	const char *text = equals + 1;
	if (g_str_has_prefix(name, TAG_PREFIX) && name[strlen(TAG_PREFIX)] != '\0') {
		set_part(patch, before, "tags", name + strlen(TAG_PREFIX),
			*text == '\0' ? json_null() : list_of(text));
		return TRUE;
	}
	if (strcmp(name, "mig64") == 0 || strcmp(name, "jaws") == 0)
		return set_flag(patch, before, name, text, error);
	if (!is_column_of_rules(name)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' is no column of rules; docs/channel.md lists them, flags are mig64 "
			"and "
			"jaws, tags are tag.NAME",
			name);
		return FALSE;
	}
	RowColumn column = {
		name, g_strv_contains(numbers, name) ? ROW_INTEGER : ROW_TEXT, NULL, NULL};
	json_t *value = row_value(&column, text, 0, error);
	if (value == NULL)
		return FALSE;
	json_object_set_new(patch, name, value);
	return TRUE;
}

static void append_matcher(GString *text, const char *prefix, const char *name, const json_t *value)
{
	g_autofree char *said = json_is_array(value) ? joined(value, ",")
				: json_is_boolean(value)
					? g_strdup(json_is_true(value) ? "true" : "false")
					: row_value_text(value);
	gboolean quoted = strpbrk(said, " \t") != NULL;
	g_string_append_printf(text, "%s%s%s=%s%s%s", text->len > 0 ? " " : "", prefix, name,
		quoted ? "'" : "", said, quoted ? "'" : "");
}

char *row_rule_matchers(const json_t *rule)
{
	GString *text = g_string_new(NULL);
	const char *part;
	json_t *value;
	for (guint i = RULE_CHANNEL + 1; i < RULE_COLUMNS; i++) {
		const char *name = rule_column_name((RuleColumn)i);
		json_t *column = json_object_get(rule, name);
		if (column == NULL || json_is_null(column))
			continue;
		if (i != RULE_FLAGS && i != RULE_TAGS)
			append_matcher(text, "", name, column);
		else
			json_object_foreach (column, part, value)
				append_matcher(text, i == RULE_TAGS ? TAG_PREFIX : "", part, value);
	}
	json_object_foreach ((json_t *)rule, part, value)
		if (g_str_has_prefix(part, TAG_PREFIX) && !json_is_null(value))
			append_matcher(text, "", part, value);
	return g_string_free(text, FALSE);
}

/* Two rows ------------------------------------------------------------------------------------ */

static const char VERSION_COLUMN[] = "data_version";

json_t *row_patch(StateTable table, const json_t *before, const json_t *after)
{
	json_t *patch = json_object();
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)before, column, value)
		if (json_object_get(after, column) == NULL)
			json_object_set_new(patch, column, json_null());
	json_object_foreach ((json_t *)after, column, value)
		if (state_is_key(table, column) ||
			!json_equal(value, json_object_get(before, column)))
			json_object_set(patch, column, value);
	json_object_del(patch, VERSION_COLUMN);
	return patch;
}

static void append_difference(
	GString *text, const char *column, const json_t *before, const json_t *after)
{
	enum { LONGEST = 60 };
	gboolean had = before != NULL && !json_is_null(before);
	gboolean has = after != NULL && !json_is_null(after);
	if (strcmp(column, VERSION_COLUMN) == 0 || (!had && !has) ||
		(had && has && json_equal(before, after)))
		return;
	g_autofree char *was = row_value_text(before), *is = row_value_text(after);
	g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", column);
	if (strlen(was) > LONGEST || strlen(is) > LONGEST)
		g_string_append(text, !had ? " added" : !has ? " taken away" : " changed");
	else if (!had)
		g_string_append_printf(text, " %s", is);
	else
		g_string_append_printf(text, " %s -> %s", was, has ? is : "none");
}

char *row_difference(const json_t *before, const json_t *after)
{
	GString *text = g_string_new(NULL);
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)after, column, value)
		append_difference(text, column, json_object_get(before, column), value);
	json_object_foreach ((json_t *)before, column, value)
		if (json_object_get(after, column) == NULL)
			append_difference(text, column, value, NULL);
	return g_string_free(text, FALSE);
}

char *row_key_text(const char *key)
{
	GString *text = g_string_new(NULL);
	g_autoptr(json_t) parts = json_loads(key, 0, NULL);
	gsize i;
	json_t *part;
	if (!json_is_array(parts))
		g_string_append(text, key);
	json_array_foreach (parts, i, part) {
		const char *word = json_string_value(part);
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
			word == NULL		 ? "?"
			: strcmp(word, "*") == 0 ? "all"
						 : word);
	}
	return g_string_free(text, FALSE);
}

char *row_key_words(StateTable table, const json_t *row)
{
	g_autofree char *key = state_key(table, row, NULL);
	return key != NULL ? row_key_text(key) : g_strdup("?");
}
