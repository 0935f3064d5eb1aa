/* SPDX-License-Identifier: ISC
 *
 * Who changed what: the list, the check of the chain, and one entry with what was before and after
 * it, field by field.
 */
#include "page/parts.h"

static const char *const columns[] = {"Entry", "When", "By", "What", "About", "Reason", NULL};

/* "landing/web/43" leads to that landing, "product/web" and "person/ada" to theirs. */
static void write_subject(Html *html, const char *subject)
{
	g_auto(GStrv) parts = g_strsplit(subject ? subject : "", "/", -1);
	guint count = g_strv_length(parts);
	const char *href = NULL;
	if (count == 3 && g_str_equal(parts[0], "landing"))
		href = link_print(html, "/products/%s/landings/%s", parts[1], parts[2]);
	else if (count == 2 && g_str_equal(parts[0], "product"))
		href = link_print(html, "/products/%s", parts[1]);
	else if (count == 2 && g_str_equal(parts[0], "person"))
		href = link_print(html, "/people/%s", parts[1]);
	part_link(html, href, html_clip(html, subject, 120));
}

static void write_row(Html *html, const PageFrame *frame, const json_t *entry)
{
	gint64 sequence = json_integer_of(entry, "sequence");
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_element(html, "a", html_print(html, "%" G_GINT64_FORMAT, sequence), "href",
		html_print(html, "/history/%" G_GINT64_FORMAT, sequence), NULL);
	html_close(html, "th");
	part_cell_time(html, frame, "When", entry, "at");
	part_cell_text(html, "By", NULL, html_clip(html, json_text(entry, "actor"), 80));
	part_cell_text(html, "What", NULL, html_clip(html, json_text(entry, "action"), 80));
	part_cell(html, "About", NULL);
	write_subject(html, json_text(entry, "subject"));
	html_close(html, "td");
	part_cell_text(html, "Reason", "wide", html_clip(html, json_text(entry, "reason"), 200));
	html_close(html, "tr");
	html_newline(html);
}

static void write_verdict(Html *html, const json_t *verdict)
{
	if (!verdict)
		return;
	gboolean good = json_flag(verdict, "good");
	html_open(html, "div", "class", good ? "banner success" : "banner danger", "role", "status",
		"id", "history-verdict", NULL);
	if (good) {
		html_format(html, "The chain is whole: %" G_GINT64_FORMAT " entries, head ",
			json_integer_of(verdict, "entries"));
		html_element(html, "code", json_text(verdict, "head"), NULL);
		html_text(html,
			". Compare the head with one that was published in a log or a backup.");
	} else {
		html_element(html, "strong", "The history was altered", NULL);
		if (json_has(verdict, "broken_at"))
			html_format(html, " at entry %" G_GINT64_FORMAT,
				json_integer_of(verdict, "broken_at"));
		html_text(html, ": ");
		html_outside(html, json_text(verdict, "problem"));
	}
	html_close(html, "div");
}

static void write_filter(Html *html, GHashTable *query)
{
	html_open(html, "form", "method", "get", "action", "/history", "class", "inline", "role",
		"search", "aria-label", "Filter history", NULL);
	html_element(html, "label", "About", "for", "filter-subject", NULL);
	html_void(html, "input", "type", "search", "name", "subject", "id", "filter-subject",
		"value", part_asked(query, "subject"), NULL);
	html_element(html, "label", "By", "for", "filter-actor", NULL);
	html_void(html, "input", "type", "search", "name", "actor", "id", "filter-actor", "value",
		part_asked(query, "actor"), NULL);
	form_button(html, "Filter", NULL, NULL, NULL);
	form_button(html, "Verify the chain", "verify", "1", NULL);
	html_close(html, "form");
	html_newline(html);
}

char *page_history(
	const PageFrame *frame, const json_t *list, const json_t *verdict, GHashTable *query)
{
	const json_t *entries = json_object_get(list, "entries");
	Html *html = frame_begin(frame, "History");
	html_element(html, "h1", "History", NULL);
	write_verdict(html, verdict);
	write_filter(html, query);
	html_open(html, "div", "id", "entries", "data-live", HTML_SET, NULL);
	if (json_array_size(entries) == 0) {
		part_empty(
			html, "No entry fits. Whatever people change is written down here.", NULL);
	} else {
		part_table_open(html, "stack", "Changes, newest first", columns);
		size_t index;
		json_t *entry;
		json_array_foreach (entries, index, entry)
			write_row(html, frame, entry);
		part_table_close(html);
	}
	html_close(html, "div");
	html_open(html, "nav", "class", "pager", "aria-label", "Pages", NULL);
	if (json_has(list, "next"))
		html_element(html, "a", "Older", "rel", "next", "href",
			link_print(html, "/history?before=%" G_GINT64_FORMAT "&subject=%s&actor=%s",
				json_integer_of(list, "next"), part_asked(query, "subject"),
				part_asked(query, "actor")),
			NULL);
	html_close(html, "nav");
	return frame_end(html, frame);
}

char *page_history_entry(const PageFrame *frame, const json_t *entry)
{
	gint64 sequence = json_integer_of(entry, "sequence");
	Html *html = frame_begin(frame, "Entry %" G_GINT64_FORMAT " · History", sequence);
	html_element(html, "h1", html_print(html, "Entry %" G_GINT64_FORMAT, sequence), NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/history", "History");
	html_close(html, "p");
	html_open(html, "dl", "class", "facts card", NULL);
	html_element(html, "dt", "When", NULL);
	html_open(html, "dd", NULL);
	part_time(html, frame, entry, "at");
	html_close(html, "dd");
	part_fact(html, "By", json_text(entry, "actor"));
	part_fact(html, "What", json_text(entry, "action"));
	html_element(html, "dt", "About", NULL);
	html_open(html, "dd", NULL);
	write_subject(html, json_text(entry, "subject"));
	html_close(html, "dd");
	part_fact(html, "Reason", json_text(entry, "reason"));
	html_element(html, "dt", "Digest", NULL);
	html_open(html, "dd", NULL);
	html_element(html, "code", json_text(entry, "digest"), NULL);
	html_close(html, "dd");
	html_close(html, "dl");
	part_difference(html, "What it was, and what it is", json_object_get(entry, "before"),
		json_object_get(entry, "after"), TRUE);
	return frame_end(html, frame);
}
