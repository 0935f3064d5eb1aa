/* SPDX-License-Identifier: ISC
 *
 * The rules of a channel as a table that is read from the top: the first that fits answers.
 */
#include "page/channel.h"

#define RATE_WIDTH  60
#define RATE_HEIGHT 10

static const char *const columns[] = {
	"Rule", "For", "Gives", "To how many", "Priority", "Action", NULL};

void rule_gives(Html *html, const json_t *rule)
{
	const json_t *release = json_object_get(rule, "release");
	const char *mapping = json_text(rule, "mapping");
	if (!mapping) {
		html_element(html, "span", "nothing", "class", "quiet", NULL);
		return;
	}
	html_outside(html, html_clip(html, mapping, 120));
	if (json_has(release, "version")) {
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(release, "version"), 60));
		html_close(html, "span");
	}
}

/* How many of a hundred get it: a bar as wide, and the number beside it. */
static void write_rate(Html *html, const json_t *rule)
{
	gint64 rate = json_has(rule, "rate") ? json_integer_of(rule, "rate") : 100;
	gint64 filled = CLAMP(rate, 0, 100) * RATE_WIDTH / 100;
	html_open(html, "svg", "class", "rate", "viewBox",
		html_print(html, "0 0 %d %d", RATE_WIDTH, RATE_HEIGHT), "width",
		html_print(html, "%d", RATE_WIDTH), "height", html_print(html, "%d", RATE_HEIGHT),
		"aria-hidden", "true", "focusable", "false", NULL);
	html_void(html, "rect", "class", "rate-all", "x", "0.5", "y", "0.5", "width",
		html_print(html, "%d", RATE_WIDTH - 1), "height",
		html_print(html, "%d", RATE_HEIGHT - 1), "rx", "2", NULL);
	if (filled > 0)
		html_void(html, "rect", "class", "rate-part", "x", "0", "y", "0", "width",
			html_print(html, "%" G_GINT64_FORMAT, MAX(filled, 2)), "height",
			html_print(html, "%d", RATE_HEIGHT), "rx", "2", NULL);
	html_close(html, "svg");
	html_format(html, " %" G_GINT64_FORMAT "\u00a0%%", rate);
}

static void write_fallback(Html *html, const json_t *rule)
{
	gint64 rate = json_has(rule, "rate") ? json_integer_of(rule, "rate") : 100;
	if (rate >= 100 && !json_has(rule, "fallback_mapping"))
		return;
	html_void(html, "br", NULL);
	html_open(html, "span", "class", "quiet", NULL);
	if (json_has(rule, "fallback_mapping")) {
		html_text(html, "else ");
		html_outside(html, html_clip(html, json_text(rule, "fallback_mapping"), 120));
	} else {
		html_text(html, "else nothing");
	}
	html_close(html, "span");
}

static const char *column_words(Html *html, const char *column)
{
	g_autofree char *words = g_strdup(html_clip(html, column, 60));
	g_strdelimit(words, "_", ' ');
	return html_print(html, "%s", words);
}

/* All but the product: every rule here is this product's, or everybody's. */
static void write_matchers(Html *html, const json_t *rule)
{
	const json_t *matchers = json_object_get(rule, "matchers");
	gboolean first = TRUE;
	size_t index;
	json_t *matcher;
	part_cell(html, "For", "wide");
	json_array_foreach (matchers, index, matcher) {
		if (g_strcmp0(json_text(matcher, "column"), "product") == 0)
			continue;
		html_text(html, first ? "" : ", ");
		first = FALSE;
		html_element(html, "span", column_words(html, json_text(matcher, "column")),
			"class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(matcher, "text"), 300));
	}
	if (first)
		html_text(html, "everybody");
	if (json_has(rule, "comment")) {
		html_void(html, "br", NULL);
		html_open(html, "span", "class", "quiet", NULL);
		html_outside(html, html_clip(html, json_text(rule, "comment"), 300));
		html_close(html, "span");
	}
	html_close(html, "td");
}

static void write_rule(Html *html, const json_t *rule, gboolean may_change)
{
	gint64 id = json_integer_of(rule, "rule_id");
	const char *number = html_print(html, "%" G_GINT64_FORMAT, id);
	html_open(html, "tr", "data-rule", number, NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_format(html, "rule %s", number);
	if (json_has(rule, "alias")) {
		html_void(html, "br", NULL);
		html_outside(html, html_clip(html, json_text(rule, "alias"), 80));
	}
	html_close(html, "th");
	write_matchers(html, rule);
	part_cell(html, "Gives", "wide");
	rule_gives(html, rule);
	write_fallback(html, rule);
	html_close(html, "td");
	part_cell(html, "To how many", "rate");
	write_rate(html, rule);
	html_close(html, "td");
	part_cell(html, "Priority", NULL);
	html_format(html, "%" G_GINT64_FORMAT, json_integer_of(rule, "priority"));
	html_close(html, "td");
	part_cell(html, "", "deed");
	if (may_change)
		html_element(html, "a", "Change it", "href",
			link_to_new_rule_change(html, "rule", id), "aria-label",
			html_print(html, "Change rule %s", number), NULL);
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

void rules_table(Html *html, const PageFrame *frame, const json_t *view)
{
	const json_t *rules = json_object_get(view, "rules");
	const char *product = json_text(view, "product");
	gboolean may_change = frame_may(frame, ROLE_OPERATOR, product) && !json_has(view, "at");
	size_t index;
	json_t *rule;
	if (json_array_size(rules) == 0) {
		part_empty(html, "No rule names this channel: whoever asks gets nothing.", NULL);
		return;
	}
	part_table_open(
		html, "stack rules", "Rules, in the order in which they are tried", columns);
	json_array_foreach (rules, index, rule)
		write_rule(html, rule, may_change);
	part_table_close(html);
}
