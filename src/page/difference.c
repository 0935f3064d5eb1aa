/* SPDX-License-Identifier: ISC
 *
 * What was and what is, key by key.
 */
#include "page/parts.h"

#define VALUE_CHARACTERS 20000

static const char *const columns[] = {"Field", "Before", "After", NULL};

/* A value as a person reads it: texts bare, the rest as JSON. Caller frees; NULL for absent. */
static char *value_text(const json_t *value)
{
	if (!value || json_is_null(value))
		return NULL;
	if (json_is_string(value))
		return g_strdup(json_string_value(value));
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_INDENT(2));
	char *copy = g_strdup(text);
	free(text);
	return copy;
}

static void write_value(Html *html, const char *label, const json_t *value, const char *kind)
{
	g_autofree char *text = value_text(value);
	part_cell(html, label, NULL);
	if (text)
		html_element(html, kind ? kind : "span", html_clip(html, text, VALUE_CHARACTERS),
			"dir", "auto", "class", "value", NULL);
	else
		html_element(html, "span", "–", "class", "quiet", NULL);
	html_close(html, "td");
}

static void write_field(
	Html *html, const char *name, const json_t *before, const json_t *after, gboolean all)
{
	gboolean same = before && after && json_equal(before, after);
	if (same && !all)
		return;
	html_open(html, "tr", "class", same ? "same" : "changed", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, name, 120));
	html_close(html, "th");
	write_value(html, "Before", before, same ? NULL : "del");
	write_value(html, "After", after, same ? NULL : "ins");
	html_close(html, "tr");
	html_newline(html);
}

void part_difference(Html *html, const char *caption, json_t *before, json_t *after, gboolean all)
{
	part_table_open(html, "difference stack", caption, columns);
	if (!json_is_object(before) && !json_is_object(after)) {
		write_field(html, "value", json_is_null(before) ? NULL : before,
			json_is_null(after) ? NULL : after, all);
	}
	const char *key;
	json_t *value;
	json_object_foreach (before, key, value)
		write_field(html, key, value, json_object_get(after, key), all);
	json_object_foreach (after, key, value)
		if (!json_object_get(before, key))
			write_field(html, key, NULL, value, all);
	part_table_close(html);
}
