/* SPDX-License-Identifier: ISC
 *
 * One change: what it does, in words and as answers; who must agree and who has; what its testers
 * saw; what it waits for. Below it what the person who looks at it can do.
 */
#include "page/channel.h"

#include <string.h>

#define CONTENT_SHOWN 60

static void write_glance(Html *html, const PageFrame *frame, const json_t *detail)
{
	html_open(html, "p", "class", "answer", NULL);
	standing_write(html, json_object_get(detail, "standing"), TRUE);
	html_close(html, "p");
	html_open(html, "dl", "class", "facts", NULL);
	html_element(html, "dt", "When", NULL);
	html_open(html, "dd", NULL);
	part_time(html, frame, detail, "when");
	html_close(html, "dd");
	if (json_has(detail, "ended")) {
		html_element(html, "dt", "Ended", NULL);
		html_open(html, "dd", NULL);
		part_time(html, frame, detail, "ended");
		html_close(html, "dd");
	}
	if (json_has(detail, "author")) {
		html_element(html, "dt", "By", NULL);
		html_open(html, "dd", NULL);
		html_outside(html, html_clip(html, json_text(detail, "author"), 80));
		html_text(html, ", ");
		part_time(html, frame, detail, "created");
		html_close(html, "dd");
	}
	if (json_has(detail, "reason") && *json_text(detail, "reason"))
		part_fact(html, "Reason", html_clip(html, json_text(detail, "reason"), 1000));
	html_element(html, "dt", "Where", NULL);
	html_open(html, "dd", NULL);
	change_scopes(html, detail);
	html_close(html, "dd");
	html_element(html, "dt", "Content", NULL);
	html_open(html, "dd", NULL);
	part_digest(html, json_text(detail, "digest"));
	html_close(html, "dd");
	html_close(html, "dl");
}

/* What it does -------------------------------------------------------------------------------- */

void change_words(Html *html, const json_t *detail)
{
	size_t index;
	json_t *words;
	html_open(html, "ul", "class", "lines words", NULL);
	json_array_foreach (json_object_get(detail, "words"), index, words) {
		html_open(html, "li", NULL);
		html_outside(html, html_clip(html, json_string_value(words), 400));
		html_close(html, "li");
	}
	html_close(html, "ul");
}

void change_content(Html *html, const json_t *detail)
{
	const json_t *content = json_object_get(detail, "content");
	size_t index;
	json_t *row;
	if (json_array_size(content) == 0)
		return;
	html_open(html, "details", "id", "content", NULL);
	html_element(html, "summary", "Row by row, before and after", NULL);
	json_array_foreach (content, index, row) {
		json_t *before = json_object_get(row, "before"),
		       *after = json_object_get(row, "after");
		if (index >= CONTENT_SHOWN)
			break;
		part_difference(html,
			html_print(html, "%s %s", html_clip(html, json_text(row, "table"), 40),
				html_clip(html, json_text(row, "key"), 120)),
			before, after, FALSE);
	}
	html_close(html, "details");
}

static void write_differences(Html *html, const json_t *differences, const char *problem)
{
	size_t index;
	json_t *entry;
	html_element(html, "h2", "Whose answers differ", NULL);
	if (problem)
		html_element(html, "p", problem, "class", "problem", NULL);
	if (differences && json_array_size(differences) == 0)
		html_element(html, "p", "Nobody's.", "class", "quiet", NULL);
	json_array_foreach (differences, index, entry) {
		html_open(html, "h3", NULL);
		channel_name(html, entry);
		html_close(html, "h3");
		difference_table(html,
			html_print(html, "%s / %s",
				html_clip(html, json_text(entry, "product"), 60),
				html_clip(html, json_text(entry, "channel"), 60)),
			entry);
	}
}

/* Who agrees ---------------------------------------------------------------------------------- */

static void write_missing(Html *html, gint64 signatures, gint64 tests)
{
	gboolean nothing = signatures + tests == 0;
	html_open(html, "span", "class", nothing ? "state good" : "state pending", NULL);
	strip_shape(html, nothing ? "GOOD" : "PENDING", TRUE);
	if (nothing)
		html_text(html, "none");
	if (signatures > 0)
		html_format(html, "%" G_GINT64_FORMAT, signatures);
	if (tests > 0)
		html_format(
			html, "%s%" G_GINT64_FORMAT " to test", signatures > 0 ? ", " : "", tests);
	html_close(html, "span");
}

/* The requirement's key as words: ["web","be*","relman"] is "web / be*". */
static const char *because_words(Html *html, const json_t *role)
{
	const char *key = json_text(role, "because");
	g_autoptr(json_t) list = key ? json_read("key", key, strlen(key), NULL) : NULL;
	const char *product = json_string_value(json_array_get(list, 0));
	const char *channel = json_string_value(json_array_get(list, 1));
	if (!product || !channel)
		return html_clip(html, key, 300);
	return html_print(html, "required for %s / %s", html_clip(html, product, 60),
		html_clip(html, channel, 60));
}

static void write_required(Html *html, const json_t *detail)
{
	static const char *const columns[] = {"Role", "Wanted", "Missing", "Because", NULL};
	const json_t *required = json_object_get(detail, "required");
	size_t index;
	json_t *role;
	if (json_array_size(required) == 0) {
		html_element(html, "p", "No sign-offs are required.", "class", "quiet", NULL);
		return;
	}
	part_table_open(html, "stack", "Sign-offs that are required", columns);
	json_array_foreach (required, index, role) {
		gint64 missing = json_integer_of(role, "missing");
		gint64 untested = json_integer_of(role, "missing_tests");
		html_open(html, "tr", "data-role", html_clip(html, json_text(role, "role"), 60),
			NULL);
		html_open(html, "th", "scope", "row", NULL);
		html_outside(html, html_clip(html, json_text(role, "role"), 60));
		if (json_flag(role, "tester"))
			html_element(html, "span", "also tests", "class", "tag", NULL);
		if (json_flag(role, "signs_time"))
			html_element(html, "span", "also signs the time", "class", "tag", NULL);
		html_close(html, "th");
		part_cell(html, "Wanted", NULL);
		html_format(html, "%" G_GINT64_FORMAT, json_integer_of(role, "count"));
		html_close(html, "td");
		part_cell(html, "Missing", NULL);
		write_missing(html, missing, json_flag(role, "tester") ? untested : 0);
		html_close(html, "td");
		part_cell_text(html, "Because", "wide", because_words(html, role));
		html_close(html, "tr");
	}
	part_table_close(html);
}

/* "ada as relman, 3 h ago" with what became of it. */
static void write_word(Html *html, const PageFrame *frame, const json_t *word, const char *flag)
{
	gboolean counts = json_flag(word, flag);
	html_open(html, "li", NULL);
	strip_shape(html, counts ? "GOOD" : "BAD", counts);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(word, "person"), 80));
	html_text(html, " as ");
	html_outside(html, html_clip(html, json_text(word, "role"), 60));
	html_text(html, ", ");
	part_time(html, frame, word, "at");
	if (json_has(word, "text")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(word, "text"), 300));
	}
	html_close(html, "li");
}

static void write_word_list(
	Html *html, const PageFrame *frame, const json_t *list, const char *flag)
{
	size_t index;
	json_t *word;
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (list, index, word)
		write_word(html, frame, word, flag);
	html_close(html, "ul");
}

static void write_digests(Html *html, const json_t *tested)
{
	size_t index;
	json_t *digest;
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (json_object_get(tested, "digests"), index, digest) {
		html_open(html, "li", NULL);
		channel_name(html, digest);
		html_text(html, " ");
		part_digest(html, json_text(digest, "digest"));
		html_close(html, "li");
	}
	html_close(html, "ul");
}

static void write_moved(Html *html, const json_t *tested)
{
	const json_t *differs = json_object_get(tested, "differs");
	size_t index;
	json_t *channel;
	if (json_array_size(differs) == 0)
		return;
	html_element(
		html, "p", "What was tested is not what would go live:", "class", "problem", NULL);
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (differs, index, channel) {
		html_open(html, "li", NULL);
		channel_name(html, channel);
		html_text(html, ": tested ");
		part_digest(html, json_text(channel, "then"));
		html_text(html, ", now ");
		part_digest(html, json_text(channel, "now"));
		html_close(html, "li");
	}
	html_close(html, "ul");
}

static void write_tested(Html *html, const PageFrame *frame, const json_t *detail)
{
	const json_t *tested = json_object_get(detail, "tested");
	if (!json_flag(tested, "needed") && json_array_size(json_object_get(tested, "given")) == 0)
		return;
	html_element(html, "h2", "What testers saw", NULL);
	write_moved(html, tested);
	if (json_array_size(json_object_get(tested, "given")) == 0)
		html_element(html, "p",
			"Nobody has said yet that it was tested. The test channels that stand at "
			"this change:",
			NULL);
	write_word_list(html, frame, json_object_get(tested, "given"), "matches");
	write_digests(html, tested);
}

void change_agreement(Html *html, const PageFrame *frame, const json_t *detail)
{
	html_element(html, "h2", "Who must agree", NULL);
	write_required(html, detail);
	write_word_list(html, frame, json_object_get(detail, "sign_offs"), "counts");
	write_tested(html, frame, detail);
}

/* What stands in the way ---------------------------------------------------------------------- */

static void write_gate(Html *html, const json_t *gate)
{
	const json_t *override = json_object_get(gate, "override");
	gboolean passes = json_flag(gate, "passes"), overridden = json_has(gate, "override");
	html_open(html, "li", "data-gate", html_clip(html, json_text(gate, "name"), 60), NULL);
	strip_shape(html, passes ? "GOOD" : overridden ? "PENDING" : "BAD", TRUE);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(gate, "name"), 60));
	html_text(html, passes ? " passes" : overridden ? " is overridden" : " does not pass");
	if (json_has(gate, "text")) {
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(gate, "text"), 400));
	}
	if (overridden) {
		html_text(html, "; by ");
		html_outside(html, html_clip(html, json_text(override, "by"), 80));
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(override, "reason"), 300));
	}
	html_close(html, "li");
}

static void write_gates(Html *html, const json_t *detail)
{
	const json_t *gates = json_object_get(detail, "gates");
	size_t index;
	json_t *gate;
	if (json_array_size(gates) == 0)
		return;
	html_element(html, "h2", "Gates", NULL);
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (gates, index, gate)
		write_gate(html, gate);
	html_close(html, "ul");
}

static void write_conflict(Html *html, const json_t *conflict)
{
	gint64 with = json_integer_of(conflict, "with");
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(
		html, html_print(html, "%s %s", html_clip(html, json_text(conflict, "table"), 40),
			      html_clip(html, json_text(conflict, "key"), 120)));
	html_text(html, " ");
	html_outside(html, json_has(conflict, "column")
				   ? html_clip(html, json_text(conflict, "column"), 60)
				   : "(the whole row)");
	html_close(html, "th");
	part_cell_text(html, "Was", "wide", value_words(html, json_object_get(conflict, "base")));
	part_cell_text(
		html, "This change", "wide", value_words(html, json_object_get(conflict, "ours")));
	part_cell_text(
		html, "The other", "wide", value_words(html, json_object_get(conflict, "theirs")));
	part_cell(html, "With", NULL);
	if (with > 0)
		part_link(html, link_to_change(html, with),
			html_print(html, "change %" G_GINT64_FORMAT, with));
	else
		html_text(html, "what is live");
	html_close(html, "td");
	html_close(html, "tr");
}

/* Glass that was broken, and who looked at it afterwards. */
static void write_broken_glass(Html *html, const PageFrame *frame, const json_t *detail)
{
	size_t index;
	json_t *override;
	json_array_foreach (json_object_get(detail, "overrides"), index, override) {
		const char *gate = json_text(override, "gate");
		gboolean broken = g_strcmp0(gate, "break-glass") == 0;
		if (!broken && g_strcmp0(gate, "reviewed") != 0)
			continue;
		html_open(html, "p", "class", broken ? "problem" : NULL, NULL);
		html_text(html, broken ? "Glass was broken by " : "Reviewed by ");
		html_outside(html, html_clip(html, json_text(override, "by"), 80));
		html_text(html, ", ");
		part_time(html, frame, override, "at");
		html_text(html, ": ");
		html_outside(html, html_clip(html, json_text(override, "reason"), 400));
		html_close(html, "p");
	}
}

void change_obstacles(Html *html, const PageFrame *frame, const json_t *detail)
{
	static const char *const columns[] = {
		"Where", "Was", "This change", "The other", "With", NULL};
	const json_t *conflicts = json_object_get(detail, "conflicts");
	size_t index;
	json_t *conflict;
	write_broken_glass(html, frame, detail);
	write_gates(html, detail);
	if (json_array_size(conflicts) == 0)
		return;
	html_element(html, "h2", "Conflicts", NULL);
	part_table_open(html, "stack", "Two want the same place to be different", columns);
	json_array_foreach (conflicts, index, conflict)
		write_conflict(html, conflict);
	part_table_close(html);
}

/* The page ------------------------------------------------------------------------------------ */

static void write_heading(Html *html, const json_t *detail)
{
	html_open(html, "h1", NULL);
	html_format(html, "Change %" G_GINT64_FORMAT, json_integer_of(detail, "id"));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(detail, "title"), 160));
	html_close(html, "span");
	html_close(html, "h1");
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/changes", "Changes");
	part_link(html,
		html_print(html, "/history?subject=change%%20%" G_GINT64_FORMAT,
			json_integer_of(detail, "id")),
		"History");
	html_close(html, "p");
}

char *page_change(const PageFrame *frame, const json_t *detail, const json_t *differences,
	const char *problem)
{
	Html *html = frame_begin(
		frame, "Change %" G_GINT64_FORMAT " · Changes", json_integer_of(detail, "id"));
	write_heading(html, detail);
	html_open(html, "section", "class", "card", "id", "change-head", "aria-label",
		"At a glance", "data-live", HTML_SET, NULL);
	write_glance(html, frame, detail);
	html_close(html, "section");
	html_open(html, "div", "id", "change-body", "data-live", HTML_SET, NULL);
	change_obstacles(html, frame, detail);
	html_element(html, "h2", "What it does", NULL);
	change_words(html, detail);
	change_content(html, detail);
	write_differences(html, differences, problem);
	change_agreement(html, frame, detail);
	html_close(html, "div");
	change_deeds(html, frame, detail);
	return frame_end(html, frame);
}
