/* SPDX-License-Identifier: ISC
 *
 * The queue of all products, and what became of the changes before.
 */
#include "page/channel.h"

#define PAGE_ROWS 50

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

static void write_pager(Html *html, const json_t *changes, GHashTable *query)
{
	gsize count = json_array_size(changes);
	html_open(html, "nav", "class", "pager", "aria-label", "Pages", NULL);
	if (count >= PAGE_ROWS && !g_str_equal(part_asked(query, "state"), "scheduled"))
		html_element(html, "a", "Older", "rel", "next", "href",
			link_print(html,
				"/changes?before=%" G_GINT64_FORMAT
				"&state=%s&product=%s&channel=%s",
				json_integer_of(json_array_get(changes, count - 1), "id"),
				part_asked(query, "state"), part_asked(query, "product"),
				part_asked(query, "channel")),
			NULL);
	html_close(html, "nav");
}

char *page_changes(const PageFrame *frame, const json_t *list, GHashTable *query)
{
	const json_t *changes = json_object_get(list, "changes");
	Html *html = frame_begin(frame, "Changes");
	html_element(html, "h1", "Changes", NULL);
	html_open(html, "p", "class", "places", NULL);
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
		changes_table(html, frame, "Changes", changes, TRUE);
	html_close(html, "div");
	write_pager(html, changes, query);
	return frame_end(html, frame);
}
