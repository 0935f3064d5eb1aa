/* SPDX-License-Identifier: ISC
 *
 * The past of a channel: a slider over the instants at which its rows were written. It is a form
 * that asks for a page, so it works without scripts; with them, the instant stands beside it while
 * it moves. The same instants are links below.
 */
#include "page/channel.h"

#include "base/format.h"

#include <string.h>

#define LINKS_SHOWN 200

/* Newest first in the answer; the slider goes from the oldest to now. */
static gsize place_of(const json_t *moments, gint64 at_us)
{
	gsize count = json_array_size(moments);
	size_t index;
	json_t *moment;
	if (at_us == 0)
		return count;
	json_array_foreach (moments, index, moment)
		if (json_time(moment, "at") <= at_us)
			return count - 1 - index;
	return 0;
}

/* To the second: several edits may fall into one minute. */
static const char *instant_words(Html *html, const json_t *object)
{
	g_autofree char *time = format_time(json_time(object, "at"));
	return html_print(html, "%.10s %.8s", time, time + strlen("2026-11-21T"));
}

static const char *link_at(Html *html, const json_t *view, const char *at)
{
	const char *here = link_to_channel_of(html, view);
	return here && at ? link_print(html, "/channels/%s/%s?at=%s", json_text(view, "product"),
				    json_text(view, "channel"), at)
			  : NULL;
}

void moments_banner(Html *html, const PageFrame *frame, const json_t *view)
{
	if (!json_has(view, "at"))
		return;
	html_open(html, "div", "class", "banner warning", "id", "past", "role", "status", NULL);
	html_element(html, "strong", "This is the past", NULL);
	html_text(html, ": rules, releases and the queue as they were on ");
	html_element(
		html, "time", instant_words(html, view), "datetime", json_text(view, "at"), NULL);
	html_text(html, " UTC. Nothing is changed from here. ");
	part_link(html, link_to_channel_of(html, view), "Show what is so now");
	html_close(html, "div");
	html_newline(html);
}

static void write_slider(Html *html, const json_t *view, const json_t *moments)
{
	gsize count = json_array_size(moments), place = place_of(moments, json_time(view, "at"));
	const char *now = json_has(view, "at") ? instant_words(html, view) : "now";
	html_open(html, "form", "method", "get", "action", link_to_channel_of(html, view), "class",
		"inline moments", "role", "search", "aria-label", "The past", NULL);
	html_element(html, "label", "As it was at", "for", "moment", NULL);
	html_void(html, "input", "type", "range", "id", "moment", "name", "moment", "min", "0",
		"max", html_print(html, "%" G_GSIZE_FORMAT, count), "step", "1", "value",
		html_print(html, "%" G_GSIZE_FORMAT, place), "aria-valuetext", now, "data-moments",
		"moments-list", NULL);
	html_element(html, "output", now, "for", "moment", "id", "moment-words", NULL);
	form_button(html, "Show", NULL, NULL, NULL);
	html_close(html, "form");
	html_newline(html);
}

/* "rules, releases: 3 rows written, 1 deleted". */
static const char *moment_words(Html *html, const json_t *moment)
{
	gint64 written = json_integer_of(moment, "written");
	gint64 deleted = json_integer_of(moment, "deleted");
	const char *words = "";
	size_t index;
	json_t *table;
	json_array_foreach (json_object_get(moment, "tables"), index, table)
		words = html_print(html, "%s%s%s", words, index > 0 ? ", " : "",
			html_clip(html, json_string_value(table), 40));
	words = html_print(html, "%s: %" G_GINT64_FORMAT " row%s written", words, written,
		written == 1 ? "" : "s");
	return deleted > 0 ? html_print(html, "%s, %" G_GINT64_FORMAT " deleted", words, deleted)
			   : words;
}

static void write_moment(Html *html, const json_t *view, const json_t *moment)
{
	html_open(html, "li", NULL);
	html_element(html, "a", instant_words(html, moment), "href",
		link_at(html, view, json_text(moment, "at")), "aria-current",
		json_has(view, "at") && json_time(view, "at") == json_time(moment, "at") ? "true"
											 : NULL,
		NULL);
	html_text(html, " ");
	html_text(html, moment_words(html, moment));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " by ");
	html_outside(html, html_clip(html, json_text(moment, "actor"), 80));
	html_close(html, "span");
	if (json_integer_of(moment, "change") > 0) {
		html_text(html, ", ");
		part_link(html, link_to_change(html, json_integer_of(moment, "change")),
			html_print(html, "change %" G_GINT64_FORMAT,
				json_integer_of(moment, "change")));
	}
	html_close(html, "li");
	html_newline(html);
}

void moments_write(Html *html, const PageFrame *frame, const json_t *view)
{
	const json_t *moments = json_object_get(view, "moments");
	size_t index;
	json_t *moment;
	html_element(html, "h2", "History", NULL);
	if (json_array_size(moments) == 0) {
		html_element(html, "p", "Nothing was written yet.", "class", "quiet", NULL);
		return;
	}
	write_slider(html, view, moments);
	html_open(html, "details", "id", "moments", NULL);
	html_element(html, "summary",
		html_print(html, "The last %" G_GSIZE_FORMAT " instants",
			MIN(json_array_size(moments), LINKS_SHOWN)),
		NULL);
	html_open(html, "ol", "class", "lines", "id", "moments-list", NULL);
	json_array_foreach (moments, index, moment)
		if (index < LINKS_SHOWN)
			write_moment(html, view, moment);
	html_close(html, "ol");
	html_close(html, "details");
}
