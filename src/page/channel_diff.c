/* SPDX-License-Identifier: ISC
 *
 * Whose answers differ: one line a class of queries, before and after. It is what reviewers sign.
 */
#include "page/channel.h"

#define CLASSES_SHOWN 200

static const char *const columns[] = {"Who asks", "Before", "After", NULL};

static void write_side(Html *html, const char *column, const json_t *answer, const char *kind)
{
	part_cell(html, column, "wide");
	html_open(html, kind, "class", "value", NULL);
	if (json_has(answer, "mapping"))
		html_outside(html, html_clip(html, json_text(answer, "mapping"), 120));
	else
		html_text(html, "nothing");
	html_close(html, kind);
	html_void(html, "br", NULL);
	html_open(html, "span", "class", "quiet", NULL);
	if (json_has(answer, "rule_id"))
		html_format(
			html, "rule %" G_GINT64_FORMAT ": ", json_integer_of(answer, "rule_id"));
	html_outside(html, html_clip(html, json_text(answer, "why"), 200));
	html_close(html, "span");
	html_close(html, "td");
}

static void write_class(Html *html, const json_t *class)
{
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", "class", "wide", NULL);
	query_words(html, json_object_get(class, "query"));
	html_close(html, "th");
	write_side(html, "Before", json_object_get(class, "before"), "del");
	write_side(html, "After", json_object_get(class, "after"), "ins");
	html_close(html, "tr");
	html_newline(html);
}

void difference_table(Html *html, const char *name, const json_t *difference)
{
	const json_t *classes = json_object_get(difference, "classes");
	gsize count = json_array_size(classes);
	if (json_has(difference, "text")) {
		html_open(html, "p", NULL);
		html_outside(html, html_clip(html, json_text(difference, "text"), 400));
		html_close(html, "p");
	}
	if (count == 0) {
		html_element(html, "p",
			json_flag(difference, "same")
				? "Equal digests: everybody gets the same answer before and after."
				: "Nobody's answer differs.",
			"class", "quiet", NULL);
		return;
	}
	part_table_open(html, "difference stack",
		html_print(html, "Whose answers differ: %s", name), columns);
	for (gsize index = 0; index < MIN(count, CLASSES_SHOWN); index++)
		write_class(html, json_array_get(classes, index));
	part_table_close(html);
	if (count > CLASSES_SHOWN)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " classes more",
				count - CLASSES_SHOWN),
			"class", "more", NULL);
}

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
	channel_digest(html, json_text(side, "digest"));
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
