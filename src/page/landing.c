/* SPDX-License-Identifier: ISC
 *
 * One landing: what it brought, what was said about it, and the buttons to say something. A verdict
 * belongs to the pair of landing and item, so every item has a form of its own, and the landing
 * itself has one.
 */
#include "page/parts.h"

static const char *const commit_columns[] = {"Commit", "Subject", "Author", "Authored", NULL};
static const char *const verdict_columns[] = {
	"When", "About", "Verdict", "By", "Through", "Reason", NULL};

static void write_facts(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *landing = json_object_get(detail, "landing");
	html_open(html, "dl", "class", "facts", NULL);
	html_element(html, "dt", "State", NULL);
	html_open(html, "dd", NULL);
	part_state(html, landing);
	html_close(html, "dd");
	html_element(html, "dt", "As a tip", NULL);
	html_open(html, "dd", NULL);
	if (json_flag(landing, "deployable"))
		html_element(html, "span", "deployable", "class", "tag good", NULL);
	else
		html_text(html, "not deployable");
	if (json_flag(landing, "blocks"))
		html_element(html, "span", "blocks the newest tip", "class", "tag bad", NULL);
	html_close(html, "dd");
	html_element(html, "dt", "Revision", NULL);
	html_open(html, "dd", NULL);
	html_element(html, "code", html_clip(html, json_text(landing, "revision"), 100), "dir",
		"ltr", NULL);
	html_close(html, "dd");
	html_element(html, "dt", "Author", NULL);
	html_open(html, "dd", NULL);
	html_outside(html, html_clip(html, json_text(landing, "author"), 200));
	html_text(html, " ");
	html_open(html, "span", "class", "quiet", NULL);
	html_outside(html, html_clip(html, json_text(landing, "email"), 200));
	html_close(html, "span");
	html_close(html, "dd");
	html_element(html, "dt", "Landed", NULL);
	html_open(html, "dd", NULL);
	part_time(html, frame, landing, "landed");
	html_close(html, "dd");
	part_fact(html, "Branch", html_clip(html, json_text(detail, "branch"), 200));
	part_fact(html, "QA", json_text(landing, "qa"));
}

static void write_ordinals(Html *html, const PageFrame *frame, const char *product,
	const char *name, const json_t *ordinals)
{
	if (json_array_size(ordinals) == 0)
		return;
	html_element(html, "dt", name, NULL);
	html_open(html, "dd", NULL);
	size_t index;
	json_t *entry;
	json_array_foreach (ordinals, index, entry) {
		gint64 ordinal = json_integer_value(entry);
		html_text(html, index ? ", " : "");
		if (ordinal > 0)
			part_link(html, link_to_landing(html, frame, product, ordinal),
				html_print(html, "landing %" G_GINT64_FORMAT, ordinal));
		else
			html_text(html, ordinal == 0 ? "one older than the first known landing"
						     : "one that was not found");
	}
	html_close(html, "dd");
}

static void write_oddities(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing)
{
	write_ordinals(html, frame, product, "Rolls back", json_object_get(landing, "rolls_back"));
	write_ordinals(html, frame, product, "Fixes", json_object_get(landing, "fixes"));
	if (json_flag(landing, "malformed_rollback"))
		part_fact(html, "Rollback",
			"malformed: it undoes nothing, and waits for a verdict on the landing "
			"itself");
	size_t index;
	json_t *note;
	json_array_foreach (json_object_get(landing, "notes"), index, note)
		part_fact(html, "Note", json_string_value(note));
	html_close(html, "dl");
	html_newline(html);
}

/* A form with one reason and a button per verdict. `item` NULL is the landing itself. */
static void write_form(
	Html *html, const PageFrame *frame, const char *action, const char *item, gsize number)
{
	const char *id = item ? html_print(html, "verdict-item-%" G_GSIZE_FORMAT, number)
			      : "verdict-landing";
	form_open(html, frame, id, action);
	/* Enter in the reason presses the first button: this one, which does nothing. */
	html_element(html, "button", NULL, "type", "submit", "disabled", HTML_SET, "hidden",
		HTML_SET, NULL);
	if (item)
		form_hidden(html, "item", item);
	form_input(html, frame, id, "reason", "Reason", "text", NULL, FALSE);
	html_open(html, "div", "class", "buttons", "role", "group", "aria-label",
		item ? html_print(html, "Verdict on item %s", html_clip(html, item, 80))
		     : "Verdict on the landing itself",
		NULL);
	form_button(html, "ok", "state", "ok", "good");
	form_button(html, "bad", "state", "bad", "bad");
	if (item)
		form_button(html, "untestable", "state", "untestable", NULL);
	form_button(html, item ? "needs-testing" : "withdraw", "state", "needs-testing", NULL);
	html_close(html, "div");
	form_close(html);
}

static void write_item(Html *html, const PageFrame *frame, const char *action, gboolean may,
	const json_t *item, gsize number)
{
	const char *id = json_text(item, "id");
	html_open(html, "li", "class", "ruling", "data-item", html_clip(html, id, 80), NULL);
	html_open(html, "p", NULL);
	html_text(html, "Item ");
	html_open(html, "strong", NULL);
	part_item(html, item);
	html_close(html, "strong");
	html_text(html, " ");
	part_item_state(html, json_text(item, "counts_as"));
	if (!json_has(item, "state"))
		html_element(html, "span", " no verdict yet", "class", "quiet", NULL);
	html_close(html, "p");
	if (may)
		write_form(html, frame, action, id, number);
	html_close(html, "li");
	html_newline(html);
}

static void write_rulings(
	Html *html, const PageFrame *frame, const char *product, const json_t *landing)
{
	const json_t *items = json_object_get(landing, "items");
	const char *action = link_print(html, "/products/%s/landings/%" G_GINT64_FORMAT "/verdicts",
		product, json_integer_of(landing, "ordinal"));
	gboolean may = frame_may(frame, ROLE_TESTER, product);
	html_open(html, "section", "id", "rulings", "data-live", HTML_SET, "aria-labelledby",
		"rulings-heading", NULL);
	html_element(html, "h2", "Verdicts", "id", "rulings-heading", NULL);
	html_open(html, "ul", "class", "rulings", NULL);
	size_t index;
	json_t *item;
	json_array_foreach (items, index, item)
		write_item(html, frame, action, may, item, index + 1);
	html_open(html, "li", "class", "ruling", "data-item", "landing", NULL);
	html_open(html, "p", NULL);
	html_element(html, "strong", "The landing itself", NULL);
	if (json_array_size(items) == 0)
		html_element(html, "span", " names no item", "class", "quiet", NULL);
	html_close(html, "p");
	if (may)
		write_form(html, frame, action, NULL, 0);
	html_close(html, "li");
	html_close(html, "ul");
	if (!may)
		html_element(html, "p",
			"A tester of this product can rule on it. An admin gives that role.",
			"class", "quiet", NULL);
	html_close(html, "section");
	html_newline(html);
}

static void write_why(Html *html, const PageFrame *frame, const char *product, const json_t *detail)
{
	if (json_flag(json_object_get(detail, "landing"), "deployable"))
		return;
	html_open(html, "section", "id", "why-not", "data-live", HTML_SET, "aria-labelledby",
		"why-not-heading", NULL);
	html_element(
		html, "h2", "Why it is not deployable as a tip", "id", "why-not-heading", NULL);
	part_landing_list(html, frame, product, json_object_get(detail, "why_not"), 100);
	html_element(html, "h3", "What would it take", NULL);
	part_needs(html, frame, product, json_object_get(detail, "needs"), 100);
	html_close(html, "section");
	html_newline(html);
}

static void write_commits(Html *html, const PageFrame *frame, const json_t *commits)
{
	html_element(html, "h2", "Commits", NULL);
	if (json_array_size(commits) == 0) {
		html_element(html, "p", "None is known: the landing was imported.", "class",
			"quiet", NULL);
		return;
	}
	part_table_open(html, "stack", "Commits that this landing brought in", commit_columns);
	size_t index;
	json_t *commit;
	json_array_foreach (commits, index, commit) {
		html_open(html, "tr", NULL);
		html_open(html, "th", "scope", "row", NULL);
		part_revision(html, json_text(commit, "sha"));
		html_close(html, "th");
		part_cell_text(html, "Subject", "wide",
			html_clip(html, json_text(commit, "subject"), 200));
		part_cell_text(
			html, "Author", NULL, html_clip(html, json_text(commit, "author"), 60));
		part_cell_time(html, frame, "Authored", commit, "authored");
		html_close(html, "tr");
		html_newline(html);
	}
	part_table_close(html);
}

static void write_verdict(Html *html, const PageFrame *frame, const json_t *verdict)
{
	html_open(html, "tr", NULL);
	part_cell_time(html, frame, "When", verdict, "at");
	part_cell(html, "About", NULL);
	if (json_has(verdict, "item")) {
		html_text(html, "item ");
		html_outside(html, html_clip(html, json_text(verdict, "item"), 80));
	} else {
		html_text(html, "the landing");
	}
	html_close(html, "td");
	part_cell(html, "Verdict", NULL);
	part_item_state(html, json_text(verdict, "state"));
	html_close(html, "td");
	part_cell_text(html, "By", NULL, html_clip(html, json_text(verdict, "actor"), 80));
	part_cell_text(html, "Through", NULL, html_clip(html, json_text(verdict, "tool"), 80));
	part_cell_text(html, "Reason", "wide", json_text(verdict, "reason"));
	html_close(html, "tr");
	html_newline(html);
}

static void write_log(Html *html, const PageFrame *frame, const json_t *verdicts)
{
	html_open(html, "section", "id", "log", "data-live", HTML_SET, "aria-labelledby",
		"log-heading", NULL);
	html_element(html, "h2", "What was said", "id", "log-heading", NULL);
	if (json_array_size(verdicts) == 0) {
		html_element(html, "p", "Nothing yet.", "class", "quiet", NULL);
	} else {
		part_table_open(html, "stack", "Verdicts, newest first", verdict_columns);
		size_t index;
		json_t *verdict;
		json_array_foreach (verdicts, index, verdict)
			write_verdict(html, frame, verdict);
		part_table_close(html);
	}
	html_close(html, "section");
	html_newline(html);
}

static void write_neighbours(
	Html *html, const PageFrame *frame, const char *product, const json_t *detail)
{
	html_open(html, "nav", "class", "trail", "aria-label", "Landing", NULL);
	part_link(html, link_to_product(html, frame, product), html_clip(html, product, 80));
	html_text(html, " / ");
	part_link(html, link_to_landings(html, frame, product), "landings");
	if (json_has(detail, "previous"))
		html_element(html, "a", "← older", "rel", "prev", "href",
			link_to_landing(html, frame, product, json_integer_of(detail, "previous")),
			NULL);
	if (json_has(detail, "next"))
		html_element(html, "a", "newer →", "rel", "next", "href",
			link_to_landing(html, frame, product, json_integer_of(detail, "next")),
			NULL);
	html_close(html, "nav");
}

char *page_landing(const PageFrame *frame, const json_t *detail)
{
	const char *product = json_text(detail, "product");
	const json_t *landing = json_object_get(detail, "landing");
	gint64 ordinal = json_integer_of(landing, "ordinal");
	Html *html = frame_begin(frame, "Landing %" G_GINT64_FORMAT " · %s", ordinal, product);
	html_element(html, "h1", html_print(html, "Landing %" G_GINT64_FORMAT, ordinal), NULL);
	html_open(html, "p", "class", "lead", NULL);
	html_outside(html, html_clip(html, json_text(landing, "subject"), 500));
	html_close(html, "p");
	write_neighbours(html, frame, product, detail);
	html_open(html, "section", "id", "facts", "class", "card", "aria-label", "Facts",
		"data-live", HTML_SET, NULL);
	write_facts(html, frame, detail);
	write_oddities(html, frame, product, landing);
	html_close(html, "section");
	write_rulings(html, frame, product, landing);
	write_why(html, frame, product, detail);
	write_log(html, frame, json_object_get(detail, "verdicts"));
	html_element(html, "h2", "Message", NULL);
	html_element(
		html, "pre", json_text(detail, "message"), "class", "message", "dir", "auto", NULL);
	write_commits(html, frame, json_object_get(detail, "commits"));
	return frame_end(html, frame);
}
