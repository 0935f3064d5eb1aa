/* SPDX-License-Identifier: ISC
 *
 * Two channels or cuts side by side: the question, and whose answers differ.
 */
#include "page/channel.h"

static void write_option(Html *html, const char *value, const char *chosen)
{
	html_element(html, "option", html_clip(html, value, 80), "value", value, "selected",
		g_strcmp0(value, chosen) == 0 ? HTML_SET : NULL, NULL);
}

static void write_question(Html *html, const json_t *view, GHashTable *query)
{
	const char *here = link_to_channel_of(html, view), *with = part_asked(query, "with");
	const char *channel = json_text(view, "channel"), *base = json_text(view, "base");
	const json_t *tests = json_object_get(view, "tests");
	size_t index;
	json_t *test;
	html_open(html, "form", "method", "get", "action",
		here ? html_print(html, "%s/diff", here) : NULL, "class", "inline", "role",
		"search", "aria-label", "Compare", NULL);
	html_element(html, "label", "Before", "for", "diff-with", NULL);
	html_open(html, "select", "name", "with", "id", "diff-with", NULL);
	write_option(html, "live", with);
	if (base)
		write_option(html, base, with);
	json_array_foreach (tests, index, test)
		if (json_has(test, "channel") &&
			g_strcmp0(json_text(test, "channel"), channel) != 0)
			write_option(html, json_text(test, "channel"), with);
	html_close(html, "select");
	html_element(html, "label", "After: cut of this one", "for", "diff-cut", NULL);
	html_void(html, "input", "type", "text", "name", "cut", "id", "diff-cut", "value",
		part_asked(query, "cut"), "placeholder", "all, until TIME, through CHANGE", NULL);
	form_button(html, "Compare", NULL, NULL, NULL);
	html_close(html, "form");
	html_newline(html);
}

static void write_cut(Html *html, const char *name, const json_t *side)
{
	html_element(html, "dt", name, NULL);
	html_open(html, "dd", NULL);
	html_outside(
		html, json_has(side, "cut") ? html_clip(html, json_text(side, "cut"), 60) : "live");
	html_text(html, " ");
	part_digest(html, json_text(side, "digest"));
	html_close(html, "dd");
}

char *page_channel_diff(const PageFrame *frame, const json_t *view, const json_t *difference,
	const char *problem, GHashTable *query)
{
	Html *html = frame_begin(frame, "Whose answers differ · %s / %s",
		json_text(view, "product"), json_text(view, "channel"));
	html_element(html, "h1", "Whose answers differ", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/channels", "Channels");
	channel_name(html, view);
	html_close(html, "p");
	write_question(html, view, query);
	html_open(html, "div", "id", "difference", "data-live", HTML_SET, NULL);
	if (problem)
		html_element(html, "p", problem, "class", "problem", "role", "alert", NULL);
	if (difference) {
		html_open(html, "dl", "class", "facts", NULL);
		write_cut(html, "Before", json_object_get(difference, "before"));
		write_cut(html, "After", json_object_get(difference, "after"));
		html_close(html, "dl");
		difference_table(html, html_clip(html, json_text(view, "channel"), 80), difference);
	}
	html_close(html, "div");
	return frame_end(html, frame);
}
