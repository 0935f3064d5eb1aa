/* SPDX-License-Identifier: ISC
 *
 * The outbox: what was told to whom, what waits, what failed and why.
 */
#include "page/parts.h"

static const char *const columns[] = {"Queued", "State", "To", "Subject", "Kind", "Tries", NULL};

static void write_state(Html *html, const PageFrame *frame, const json_t *notice)
{
	const char *state = json_text(notice, "state");
	gboolean sent = g_strcmp0(state, "sent") == 0;
	gboolean failed = g_strcmp0(state, "failed") == 0;
	part_cell(html, "State", NULL);
	html_open(html, "span", "class",
		sent	 ? "state good"
		: failed ? "state bad"
			 : "state pending",
		NULL);
	strip_shape(html, sent ? "GOOD" : failed ? "BAD" : "PENDING", TRUE);
	html_text(html, state);
	html_close(html, "span");
	html_text(html, " ");
	if (sent)
		part_time(html, frame, notice, "sent");
	if (json_has(notice, "problem")) {
		html_open(html, "div", "class", "quiet", NULL);
		html_outside(html, html_clip(html, json_text(notice, "problem"), 300));
		html_close(html, "div");
	}
	if (!sent && json_has(notice, "next")) {
		html_open(html, "div", "class", "quiet", NULL);
		html_text(html, "next try ");
		part_time(html, frame, notice, "next");
		html_close(html, "div");
	}
	html_close(html, "td");
}

static void write_row(Html *html, const PageFrame *frame, const json_t *notice)
{
	html_open(html, "tr", NULL);
	part_cell_time(html, frame, "Queued", notice, "queued");
	write_state(html, frame, notice);
	part_cell_text(html, "To", NULL, html_clip(html, json_text(notice, "recipient"), 120));
	part_cell_text(html, "Subject", "wide", html_clip(html, json_text(notice, "subject"), 200));
	part_cell(html, "Kind", NULL);
	html_outside(html, html_clip(html, json_text(notice, "kind"), 60));
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(notice, "product"), 60));
	html_close(html, "td");
	part_cell_text(html, "Tries", NULL,
		html_print(html, "%" G_GINT64_FORMAT, json_integer_of(notice, "attempts")));
	html_close(html, "tr");
	html_newline(html);
}

static void write_filter(Html *html, GHashTable *query)
{
	static const char *const states[][2] = {{"", "every state"}, {"queued", "queued"},
		{"sending", "sending"}, {"sent", "sent"}, {"failed", "failed"}};
	const char *asked = query ? g_hash_table_lookup(query, "state") : NULL;
	html_open(html, "form", "method", "get", "action", "/notices", "class", "inline", "role",
		"search", "aria-label", "Filter notices", NULL);
	html_element(html, "label", "State", "for", "filter-state", NULL);
	html_open(html, "select", "name", "state", "id", "filter-state", NULL);
	for (gsize index = 0; index < G_N_ELEMENTS(states); index++)
		html_element(html, "option", states[index][1], "value", states[index][0],
			"selected",
			g_strcmp0(asked ? asked : "", states[index][0]) == 0 ? HTML_SET : NULL,
			NULL);
	html_close(html, "select");
	form_button(html, "Filter", NULL, NULL, NULL);
	html_close(html, "form");
}

char *page_notices(const PageFrame *frame, const json_t *notices, GHashTable *query)
{
	Html *html = frame_begin(frame, "Notices");
	html_element(html, "h1", "Notices", NULL);
	write_filter(html, query);
	html_open(html, "div", "id", "notices", "data-live", HTML_SET, NULL);
	if (json_array_size(notices) == 0) {
		part_empty(html,
			"No notices. Reminders about QA that is owed are queued once a day by "
			"droverd, or by",
			"drover remind");
	} else {
		part_table_open(html, "stack", "Notices, newest first", columns);
		size_t index;
		json_t *notice;
		json_array_foreach (notices, index, notice)
			write_row(html, frame, notice);
		part_table_close(html);
	}
	html_close(html, "div");
	if (frame_may(frame, ROLE_OPERATOR, NULL)) {
		form_open(html, frame, "remind", "/notices/remind");
		form_button(html, "Queue and send what is due", NULL, NULL, NULL);
		form_close(html);
	}
	return frame_end(html, frame);
}
