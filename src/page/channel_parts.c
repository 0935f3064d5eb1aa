/* SPDX-License-Identifier: ISC
 *
 * Small things of the channels' pages: links, digests, standings, queries in words.
 */
#include "page/channel.h"

#include <string.h>

#define NAME_CHARACTERS	 80
#define TITLE_CHARACTERS 120
#define LIST_SHOWN	 20
#define SCOPES_SHOWN	 6

const char *link_to_channel(Html *html, const char *product, const char *channel)
{
	if (!product || !*product || !channel || !*channel)
		return NULL;
	return link_print(html, "/channels/%s/%s", product, channel);
}

const char *link_to_channel_of(Html *html, const json_t *channel)
{
	return link_to_channel(html, json_text(channel, "product"), json_text(channel, "channel"));
}

const char *link_to_change(Html *html, gint64 id)
{
	return id > 0 ? link_print(html, "/changes/%" G_GINT64_FORMAT, id) : NULL;
}

const char *link_to_new_rule_change(Html *html, const char *kind, gint64 rule_id)
{
	return link_print(html, "/changes/new?kind=%s&rule_id=%" G_GINT64_FORMAT, kind, rule_id);
}

void channel_name(Html *html, const json_t *channel)
{
	const char *name = html_print(html, "%s / %s",
		json_has(channel, "product")
			? html_clip(html, json_text(channel, "product"), NAME_CHARACTERS)
			: "any product",
		json_has(channel, "channel")
			? html_clip(html, json_text(channel, "channel"), NAME_CHARACTERS)
			: "any other channel");
	part_link(html, link_to_channel_of(html, channel), name);
}

/* Standings ----------------------------------------------------------------------------------- */

const char *standing_state(const char *kind)
{
	static const char *const good[] = {"ready", "live", NULL};
	static const char *const pending[] = {
		"unsigned", "untested", "behind", "withdrawn", "going-live", NULL};
	if (kind && g_strv_contains(good, kind))
		return "GOOD";
	return kind && g_strv_contains(pending, kind) ? "PENDING" : "BAD";
}

const char *standing_words(Html *html, const char *kind)
{
	g_autofree char *words = g_strdup(html_clip(html, kind ? kind : "unknown", 40));
	g_strdelimit(words, "-", ' ');
	return html_print(html, "%s", words);
}

void standing_write(Html *html, const json_t *standing, gboolean text)
{
	const char *kind = json_text(standing, "kind");
	const char *state = standing_state(kind);
	gint64 blocking = json_integer_of(standing, "blocking");
	html_open(html, "span", "class",
		g_str_equal(state, "GOOD")  ? "state good"
		: g_str_equal(state, "BAD") ? "state bad"
					    : "state pending",
		NULL);
	strip_shape(html, state, g_strcmp0(kind, "withdrawn") != 0);
	html_text(html, standing_words(html, kind));
	html_close(html, "span");
	if (text && json_has(standing, "text")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(standing, "text"), 400));
	}
	if (text && blocking > 0) {
		html_text(html, " It stands behind ");
		part_link(html, link_to_change(html, blocking),
			html_print(html, "change %" G_GINT64_FORMAT, blocking));
		html_text(html, ".");
	}
}

/* Changes ------------------------------------------------------------------------------------- */

void change_link(Html *html, const json_t *change)
{
	gint64 id = json_integer_of(change, "id");
	part_link(html, link_to_change(html, id),
		html_print(html, "change %" G_GINT64_FORMAT " %s", id,
			html_clip(html, json_text(change, "title"), TITLE_CHARACTERS)));
}

static void write_scope(Html *html, const json_t *scope)
{
	const char *product = json_text(scope, "product");
	const char *channel = json_text(scope, "channel");
	if (product && channel && g_str_has_suffix(channel, "*"))
		html_outside(
			html, html_print(html, "%s / %s", html_clip(html, product, NAME_CHARACTERS),
				      html_clip(html, channel, NAME_CHARACTERS)));
	else if (product && channel)
		channel_name(html, scope);
	else if (product)
		html_outside(html, html_print(html, "every channel of %s",
					   html_clip(html, product, NAME_CHARACTERS)));
	else if (channel)
		html_outside(html, html_print(html, "%s of every product",
					   html_clip(html, channel, NAME_CHARACTERS)));
	else
		html_text(html, "every channel");
}

void change_scopes(Html *html, const json_t *change)
{
	const json_t *scopes = json_object_get(change, "scopes");
	gsize count = json_array_size(scopes);
	if (count == 0)
		html_element(html, "span", "no channel's answers", "class", "quiet", NULL);
	for (gsize index = 0; index < MIN(count, SCOPES_SHOWN); index++) {
		html_text(html, index > 0 ? ", " : "");
		write_scope(html, json_array_get(scopes, index));
	}
	if (count > SCOPES_SHOWN)
		html_format(html, " and %" G_GSIZE_FORMAT " more", count - SCOPES_SHOWN);
}

static void write_change(
	Html *html, const PageFrame *frame, const json_t *change, gboolean with_where)
{
	html_open(html, "tr", "data-change",
		html_print(html, "%" G_GINT64_FORMAT, json_integer_of(change, "id")), NULL);
	html_open(html, "th", "scope", "row", NULL);
	change_link(html, change);
	html_close(html, "th");
	part_cell_time(html, frame, "When", change, "when");
	part_cell(html, "Standing", "wide");
	standing_write(html, json_object_get(change, "standing"), TRUE);
	html_close(html, "td");
	if (with_where) {
		part_cell(html, "Where", NULL);
		change_scopes(html, change);
		html_close(html, "td");
	}
	part_cell_text(
		html, "By", NULL, html_clip(html, json_text(change, "author"), NAME_CHARACTERS));
	html_close(html, "tr");
	html_newline(html);
}

void changes_table(Html *html, const PageFrame *frame, const char *caption, const json_t *changes,
	gboolean where)
{
	static const char *const columns[] = {"Change", "When", "Standing", "By", NULL};
	static const char *const wider[] = {"Change", "When", "Standing", "Where", "By", NULL};
	size_t index;
	json_t *change;
	part_table_open(html, "stack changes", caption, where ? wider : columns);
	json_array_foreach (changes, index, change)
		write_change(html, frame, change, where);
	part_table_close(html);
}

/* Queries ------------------------------------------------------------------------------------- */

static const char *list_words(Html *html, const json_t *list)
{
	const char *words = "";
	size_t index;
	json_t *value;
	json_array_foreach (list, index, value)
		if (index < LIST_SHOWN)
			words = html_print(html, "%s%s%s", words, index > 0 ? ", " : "",
				value_words(html, value));
	return html_clip(html, words, 400);
}

const char *value_words(Html *html, const json_t *value)
{
	if (!value || json_is_null(value))
		return "nothing";
	if (json_is_string(value))
		return html_clip(html, json_string_value(value), 200);
	if (json_is_array(value))
		return list_words(html, value);
	g_autofree char *text = json_write(value);
	return html_clip(html, text, 200);
}

/* What stands in a query's `tags` and `flags` is said as if it stood beside the rest. */
static void write_query(Html *html, const json_t *query, gboolean *first)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)query, key, value) {
		if (json_is_object(value)) {
			write_query(html, value, first);
			continue;
		}
		html_text(html, *first ? "" : ", ");
		*first = FALSE;
		html_element(html, "span", html_clip(html, key, 60), "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, value_words(html, value));
	}
}

void query_words(Html *html, const json_t *query)
{
	gboolean first = TRUE;
	write_query(html, query, &first);
	if (first)
		html_text(html, "every query");
}
