/* SPDX-License-Identifier: ISC
 *
 * "What would this client get, and why?" One types a client; each rule says what it missed.
 */
#include "page/channel.h"

#define RULES_SHOWN 200

static const char *const columns[] = {"Rule", "Gives", "Does it fit?", NULL};

/* What the question has; the first ones are always there, the rest below. */
static const struct {
	const char *name, *label, *example;
	gboolean rare;
} fields[] = {
	{"version", "Version", "60.0", FALSE},
	{"build_id", "Build", "20260101000000", FALSE},
	{"platform", "Platform", "Linux_x86_64-gcc3", FALSE},
	{"locale", "Locale", "en-US", FALSE},
	{"tags", "Tags", "rack=a tier=front", FALSE},
	{"os_version", "Operating system", "Windows 10", TRUE},
	{"arch", "Architecture", NULL, TRUE},
	{"distribution", "Distribution", NULL, TRUE},
	{"dist_version", "Distribution's version", NULL, TRUE},
	{"instruction_set", "Instruction sets", "SSE4_2", TRUE},
	{"memory", "Memory in MiB", "8192", TRUE},
	{"id", "Client's id, for the rate", NULL, TRUE},
	{"pin", "Pin", "102.", TRUE},
	{"force", "Force: 1 or -1", NULL, TRUE},
	{"cut", "Cut of the queue", "all", TRUE},
	{"at", "As of", "2026-11-21T09:00:00Z", TRUE},
};

static gboolean asks_rare(GHashTable *query)
{
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (fields[i].rare && *part_asked(query, fields[i].name))
			return TRUE;
	return FALSE;
}

static void write_fields(Html *html, GHashTable *query, gboolean rare)
{
	html_open(html, "div", "class", "fields", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (fields[i].rare != rare)
			continue;
		const char *id = html_print(html, "ask-%s", fields[i].name);
		html_open(html, "div", "class", "field", NULL);
		html_element(html, "label", fields[i].label, "for", id, NULL);
		html_void(html, "input", "type", "text", "id", id, "name", fields[i].name, "value",
			part_asked(query, fields[i].name), "placeholder", fields[i].example,
			"autocapitalize", "off", "spellcheck", "false", NULL);
		html_close(html, "div");
	}
	html_close(html, "div");
}

static void write_question(Html *html, const json_t *view, const char *problem, GHashTable *query)
{
	const char *here = link_to_channel_of(html, view);
	html_open(html, "form", "method", "get", "action",
		here ? html_print(html, "%s/explain", here) : NULL, "class", "card", "role",
		"search", "aria-label", "A client", NULL);
	if (problem)
		html_element(html, "p", problem, "class", "problem", "role", "alert", NULL);
	write_fields(html, query, FALSE);
	html_open(html, "details", "open", asks_rare(query) ? HTML_SET : NULL, "id", "ask-more",
		NULL);
	html_element(html, "summary", "More that clients say", NULL);
	write_fields(html, query, TRUE);
	html_close(html, "details");
	form_button(html, "Ask", "ask", "1", "primary");
	html_close(html, "form");
	html_newline(html);
}

/* The answer ---------------------------------------------------------------------------------- */

static void write_answer(Html *html, const json_t *explanation)
{
	const json_t *answer = json_object_get(explanation, "answer");
	const json_t *release = json_object_get(answer, "release");
	gboolean gives = json_has(explanation, "mapping");
	html_open(html, "p", "class", gives ? "answer" : "answer no", NULL);
	if (gives) {
		html_text(html, "It gets ");
		html_outside(html, html_clip(html, json_text(explanation, "mapping"), 120));
	} else {
		html_text(html, "It gets nothing");
	}
	if (json_has(release, "version")) {
		html_text(html, ", version ");
		html_outside(html, html_clip(html, json_text(release, "version"), 60));
	}
	html_close(html, "p");
	html_open(html, "p", NULL);
	html_outside(html, html_clip(html, json_text(explanation, "why"), 300));
	if (json_has(explanation, "rule_id"))
		html_format(html, " (rule %" G_GINT64_FORMAT ")",
			json_integer_of(explanation, "rule_id"));
	html_close(html, "p");
}

static void write_cut(Html *html, const json_t *explanation)
{
	html_open(html, "p", "class", "quiet", NULL);
	html_text(html, "Cut ");
	html_outside(html, json_has(explanation, "cut")
				   ? html_clip(html, json_text(explanation, "cut"), 60)
				   : "live");
	html_format(html, ", generation %" G_GINT64_FORMAT ", digest ",
		json_integer_of(explanation, "generation"));
	part_digest(html, json_text(explanation, "digest"));
	html_close(html, "p");
}

static void write_wanted(Html *html, const json_t *miss)
{
	const json_t *wanted = json_object_get(miss, "wanted");
	html_element(html, "span", html_clip(html, json_text(miss, "column"), 60), "class", "quiet",
		NULL);
	html_text(html, " wants ");
	if (json_is_object(wanted))
		query_words(html, wanted);
	else if (json_is_string(wanted))
		html_outside(html, html_clip(html, json_string_value(wanted), 200));
	else
		html_format(html, "%" G_GINT64_FORMAT, (gint64)json_integer_value(wanted));
}

/* One matcher more and it would have answered; that it is another channel's does not count. */
static gboolean is_near(const json_t *rule)
{
	const json_t *missed = json_array_get(json_object_get(rule, "missed"), 0);
	const char *column = json_text(missed, "column");
	return json_flag(rule, "near") && g_strcmp0(column, "channel") != 0 &&
	       g_strcmp0(column, "product") != 0;
}

static void write_fit(Html *html, const json_t *rule)
{
	const json_t *missed = json_object_get(rule, "missed");
	size_t index;
	json_t *miss;
	gboolean matches = json_flag(rule, "matches"), wins = json_flag(rule, "wins");
	part_cell(html, "Does it fit?", "wide");
	if (matches) {
		html_open(html, "span", "class", wins ? "state good" : "state pending", NULL);
		strip_shape(html, wins ? "GOOD" : "PENDING", TRUE);
		html_text(html,
			wins ? "it fits, and answers" : "it would fit; an earlier one answers");
		html_close(html, "span");
	}
	if (is_near(rule))
		html_element(html, "span", "near miss", "class", "tag", NULL);
	json_array_foreach (missed, index, miss) {
		html_text(html, index > 0 ? ", " : "");
		write_wanted(html, miss);
	}
	html_close(html, "td");
}

static void write_rule(Html *html, const json_t *rule)
{
	const char *number =
		html_print(html, "%" G_GINT64_FORMAT, json_integer_of(rule, "rule_id"));
	html_open(html, "tr", "data-rule", number, "class",
		json_flag(rule, "wins") ? "wins"
		: is_near(rule)		? "near"
					: NULL,
		NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_format(html, "rule %s", number);
	if (json_has(rule, "alias")) {
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(rule, "alias"), 80));
	}
	html_close(html, "th");
	part_cell(html, "Gives", NULL);
	rule_gives(html, rule);
	html_close(html, "td");
	write_fit(html, rule);
	html_close(html, "tr");
	html_newline(html);
}

static void write_rules(Html *html, const json_t *explanation)
{
	const json_t *rules = json_object_get(explanation, "rules");
	gsize count = json_array_size(rules);
	if (count == 0)
		return;
	part_table_open(
		html, "stack explain", "Every rule, in the order in which they are tried", columns);
	for (gsize index = 0; index < MIN(count, RULES_SHOWN); index++)
		write_rule(html, json_array_get(rules, index));
	part_table_close(html);
	if (count > RULES_SHOWN)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " rules more", count - RULES_SHOWN),
			"class", "more", NULL);
}

char *page_channel_explain(const PageFrame *frame, const json_t *view, const json_t *explanation,
	const char *problem, GHashTable *query)
{
	Html *html = frame_begin(frame, "Who gets what · %s / %s", json_text(view, "product"),
		json_text(view, "channel"));
	html_element(html, "h1", "Who gets what", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/channels", "Channels");
	channel_name(html, view);
	html_close(html, "p");
	write_question(html, view, problem, query);
	html_open(html, "div", "id", "explanation", "data-live", HTML_SET, NULL);
	if (explanation) {
		write_answer(html, explanation);
		write_cut(html, explanation);
		write_rules(html, explanation);
	}
	html_close(html, "div");
	return frame_end(html, frame);
}
