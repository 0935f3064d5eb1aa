/* SPDX-License-Identifier: ISC
 *
 * The queue of all products, and what became of the changes before.
 */
#include "page/channel.h"

static void write_search(Html *html, const char *name, const char *label, GHashTable *query)
{
	const char *id = html_print(html, "filter-%s", name);
	html_element(html, "label", label, "for", id, NULL);
	html_void(html, "input", "type", "search", "name", name, "id", id, "value",
		part_asked(query, name), NULL);
}

static void write_filter(Html *html, GHashTable *query)
{
	static const char *const states[][2] = {{"scheduled", "waiting"},
		{"going-live", "going live"}, {"live", "live"}, {"withdrawn", "withdrawn"},
		{"all", "all"}};
	const char *chosen = part_asked(query, "state");
	html_open(html, "form", "method", "get", "action", "/changes", "class", "inline", "role",
		"search", "aria-label", "Filter changes", NULL);
	html_element(html, "label", "State", "for", "filter-state", NULL);
	html_open(html, "select", "name", "state", "id", "filter-state", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
		html_element(html, "option", states[i][1], "value", states[i][0], "selected",
			g_str_equal(chosen, states[i][0]) ? HTML_SET : NULL, NULL);
	html_close(html, "select");
	write_search(html, "product", "Product", query);
	write_search(html, "channel", "Channel", query);
	form_button(html, "Filter", NULL, NULL, NULL);
	html_close(html, "form");
	html_newline(html);
}

static void write_pager(Html *html, const json_t *list, GHashTable *query)
{
	html_open(html, "nav", "class", "pager", "aria-label", "Pages", NULL);
	if (json_has(list, "next"))
		html_element(html, "a", "Older", "rel", "next", "href",
			link_print(html,
				"/changes?before=%" G_GINT64_FORMAT
				"&state=%s&product=%s&channel=%s",
				json_integer_of(list, "next"), part_asked(query, "state"),
				part_asked(query, "product"), part_asked(query, "channel")),
			NULL);
	html_close(html, "nav");
}

static gint compare_when(gconstpointer a, gconstpointer b)
{
	const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
	gint64 first_us = json_time(one, "when"), second_us = json_time(other, "when");
	if (first_us != second_us)
		return first_us < second_us ? -1 : 1;
	return json_integer_of(one, "id") < json_integer_of(other, "id") ? -1 : 1;
}

/* What waits in the order in which it goes live; the API tells the newest first. A new reference.
 */
static json_t *in_order(const json_t *changes)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	json_t *sorted = json_array(), *change;
	size_t index;
	json_array_foreach (changes, index, change)
		g_ptr_array_add(all, change);
	g_ptr_array_sort(all, compare_when);
	for (guint i = 0; i < all->len; i++)
		json_array_append(sorted, all->pdata[i]);
	return sorted;
}

char *page_changes(const PageFrame *frame, const json_t *list, GHashTable *query)
{
	gboolean waiting = g_str_equal(part_asked(query, "state"), "scheduled");
	g_autoptr(json_t) sorted = in_order(json_object_get(list, "changes"));
	const json_t *changes = waiting ? sorted : json_object_get(list, "changes");
	Html *html = frame_begin(frame, "Changes");
	html_element(html, "h1", "Changes", NULL);
	html_open(html, "p", "class", "places", NULL);
	if (frame_may_anywhere(frame, ROLE_OPERATOR))
		part_link(html, "/changes/new", "Write a change");
	part_link(html, "/channels", "Channels");
	html_close(html, "p");
	write_filter(html, query);
	html_open(html, "div", "id", "changes", "data-live", HTML_SET, NULL);
	if (json_array_size(changes) == 0)
		part_empty(html,
			"No such change. A change is written now and goes live when it "
			"says, with those who must agree:",
			"drover change submit beta-60.1.json --when 'tomorrow 09:00'");
	else
		changes_table(html, frame,
			waiting ? "Changes that wait, in the order in which they go live"
				: "Changes, newest first",
			changes, TRUE);
	html_close(html, "div");
	write_pager(html, list, query);
	return frame_end(html, frame);
}
