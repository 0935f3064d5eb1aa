/* SPDX-License-Identifier: ISC
 *
 * Writing a change, in two steps: first one sees what it would do, then exactly that is scheduled.
 * The usual changes have fields; for everything else there is JSON.
 */
#include "page/channel.h"

#include "base/format.h"

#include <string.h>

#define FORM	 "change"
#define DELAY_US (60 * 60 * US_PER_SECOND)
#define OPS_EXAMPLE                                                                                \
	"[\n  {\"op\": \"update\", \"table\": \"rules\", \"rule_id\": 1, \"row\": {\"rate\": "     \
	"100}}\n]"

static const struct {
	const char *kind, *name;
} kinds[] = {
	{"rule", "Change a rule"},
	{"insert", "Add a rule"},
	{"delete", "Take a rule away"},
	{"switch-on", "Switch a channel on"},
	{"json", "Anything, as JSON"},
};

static void write_kinds(Html *html, const char *kind, GHashTable *query)
{
	html_open(html, "nav", "class", "places", "aria-label", "Kinds of changes", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		html_element(html, "a", kinds[i].name, "href",
			link_print(html, "/changes/new?kind=%s&rule_id=%s&product=%s&channel=%s",
				kinds[i].kind, part_asked(query, "rule_id"),
				part_asked(query, "product"), part_asked(query, "channel")),
			"aria-current", g_str_equal(kind, kinds[i].kind) ? "page" : NULL, NULL);
	html_close(html, "nav");
	html_newline(html);
}

/* A column of the rule as the field has it; empty for none. */
static const char *column_text(Html *html, const json_t *row, const char *name)
{
	const json_t *value = json_object_get(row, name);
	if (json_is_integer(value))
		return html_print(html, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (!json_is_string(value) && g_str_equal(name, "rate"))
		return "100";
	return json_is_string(value) ? json_string_value(value) : "";
}

/* Fields -------------------------------------------------------------------------------------- */

/* The field and, hidden, what it said when the form was made. */
static void write_based(Html *html, const PageFrame *frame, const json_t *row, const char *name,
	const char *label, const char *type)
{
	const char *now = column_text(html, row, name);
	form_hidden(html, html_print(html, "base_%s", name), now);
	form_input(html, frame, FORM, name, label, type, now, FALSE);
}

static const char *any_words(Html *html, const json_t *row, const char *name)
{
	return json_has(row, name) ? html_clip(html, json_text(row, name), 80) : "any";
}

static void write_rule_fields(Html *html, const PageFrame *frame, const json_t *row)
{
	form_hidden(html, "rule_id", column_text(html, row, "rule_id"));
	form_hidden(html, "data_version", column_text(html, row, "data_version"));
	html_open(html, "p", NULL);
	html_format(html, "Rule %s", column_text(html, row, "rule_id"));
	if (json_has(row, "alias")) {
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(row, "alias"), 80));
	}
	html_text(html, ", for channel ");
	html_outside(html, any_words(html, row, "channel"));
	html_text(html, " of ");
	html_outside(html, any_words(html, row, "product"));
	html_text(html, ". What you do not touch stays as it is.");
	html_close(html, "p");
	html_open(html, "div", "class", "fields", NULL);
	write_based(html, frame, row, "mapping", "Release that it gives; empty: nothing", "text");
	write_based(html, frame, row, "rate", "To how many of a hundred", "number");
	write_based(html, frame, row, "fallback_mapping", "Release for the others", "text");
	write_based(html, frame, row, "priority", "Priority", "number");
	write_based(html, frame, row, "comment", "Comment", "text");
	html_close(html, "div");
}

static void write_insert_fields(Html *html, const PageFrame *frame, GHashTable *query)
{
	html_open(html, "div", "class", "fields", NULL);
	form_input(html, frame, FORM, "product", "Product", "text", part_asked(query, "product"),
		TRUE);
	form_input(html, frame, FORM, "channel", "Channel; release* for all that begin so", "text",
		part_asked(query, "channel"), FALSE);
	form_input(html, frame, FORM, "version", "Version: 60.0, <60.0, 60.*", "text", NULL, FALSE);
	form_input(html, frame, FORM, "build_id", "Build", "text", NULL, FALSE);
	form_input(html, frame, FORM, "platform", "Platform", "text", NULL, FALSE);
	form_input(html, frame, FORM, "locale", "Locales", "text", NULL, FALSE);
	form_input(html, frame, FORM, "mapping", "Release that it gives; empty: nothing", "text",
		NULL, FALSE);
	form_input(html, frame, FORM, "rate", "To how many of a hundred", "number", "100", FALSE);
	form_input(html, frame, FORM, "fallback_mapping", "Release for the others", "text", NULL,
		FALSE);
	form_input(html, frame, FORM, "priority", "Priority: the highest answers", "number", "100",
		TRUE);
	form_input(html, frame, FORM, "alias", "Alias", "text", NULL, FALSE);
	form_input(html, frame, FORM, "comment", "Comment", "text", NULL, FALSE);
	html_close(html, "div");
}

static void write_delete_fields(Html *html, const json_t *row)
{
	form_hidden(html, "rule_id", column_text(html, row, "rule_id"));
	form_hidden(html, "data_version", column_text(html, row, "data_version"));
	html_open(html, "p", NULL);
	html_text(html, "Rule ");
	html_text(html, column_text(html, row, "rule_id"));
	html_text(html, " is taken away. It gives ");
	rule_gives(html, row);
	html_text(html, " now.");
	html_close(html, "p");
}

static void write_switch_fields(Html *html, const PageFrame *frame, GHashTable *query)
{
	html_open(html, "div", "class", "fields", NULL);
	form_input(html, frame, FORM, "product", "Product", "text", part_asked(query, "product"),
		TRUE);
	form_input(html, frame, FORM, "channel", "Channel", "text", part_asked(query, "channel"),
		TRUE);
	html_close(html, "div");
}

static const char *title_of(Html *html, const char *kind, const json_t *row, GHashTable *query)
{
	if (row)
		return html_print(html, "%s rule %s",
			g_str_equal(kind, "delete") ? "Take away" : "Change",
			column_text(html, row, "rule_id"));
	if (g_str_equal(kind, "switch-on") && *part_asked(query, "channel"))
		return html_print(html, "Switch %s on again", part_asked(query, "channel"));
	return NULL;
}

/* The next whole hour that is an hour away or more. */
static const char *first_when(Html *html, const PageFrame *frame)
{
	g_autofree char *when = format_time(((frame->now_us + DELAY_US) / DELAY_US + 1) * DELAY_US);
	return html_print(html, "%s", when);
}

static void write_common(
	Html *html, const PageFrame *frame, const char *kind, const json_t *row, GHashTable *query)
{
	html_open(html, "div", "class", "fields", NULL);
	form_input(html, frame, FORM, "title", "Title", "text", title_of(html, kind, row, query),
		TRUE);
	form_input(html, frame, FORM, "when", "When it goes live, in UTC", "datetime-local",
		first_when(html, frame), TRUE);
	form_input(html, frame, FORM, "reason", "Reason", "text", NULL, TRUE);
	html_close(html, "div");
}

static void write_form(
	Html *html, const PageFrame *frame, const char *kind, const json_t *row, GHashTable *query)
{
	html_open(html, "div", "class", "card", NULL);
	form_open(html, frame, FORM, "/changes/check");
	form_hidden(html, "kind", kind);
	if (g_str_equal(kind, "rule"))
		write_rule_fields(html, frame, row);
	else if (g_str_equal(kind, "insert"))
		write_insert_fields(html, frame, query);
	else if (g_str_equal(kind, "delete"))
		write_delete_fields(html, row);
	else if (g_str_equal(kind, "switch-on"))
		write_switch_fields(html, frame, query);
	else
		form_area(html, frame, FORM, "ops", "What it does: a list of ops", 14, OPS_EXAMPLE);
	write_common(html, frame, kind, row, query);
	form_button(html, "See what it would do", NULL, NULL, "primary");
	form_close(html);
	html_close(html, "div");
}

/* Which rule? --------------------------------------------------------------------------------- */

static void write_which(Html *html, const char *kind)
{
	html_open(html, "form", "method", "get", "action", "/changes/new", "class", "inline",
		"role", "search", "aria-label", "Which rule", NULL);
	form_hidden(html, "kind", kind);
	html_element(html, "label", "Number of the rule", "for", "which", NULL);
	html_void(html, "input", "type", "number", "min", "1", "id", "which", "name", "rule_id",
		"required", HTML_SET, NULL);
	form_button(html, "Go on", NULL, NULL, "primary");
	html_close(html, "form");
	html_open(html, "p", "class", "quiet", NULL);
	html_text(html, "The numbers stand on the pages of ");
	part_link(html, "/channels", "the channels");
	html_text(html, ", each with a link that leads here.");
	html_close(html, "p");
}

/* What it would do ---------------------------------------------------------------------------- */

static void write_schedule(Html *html, const PageFrame *frame, const json_t *checked)
{
	g_autofree char *ops = json_write(json_object_get(checked, "ops"));
	form_open(html, frame, "schedule", "/changes");
	form_hidden(html, "kind", "json");
	form_hidden(html, "title", json_text(checked, "title"));
	form_hidden(html, "when", json_text(checked, "when"));
	form_hidden(html, "reason", json_text(checked, "reason"));
	form_hidden(html, "ops", ops);
	form_button(html, "Schedule exactly this", NULL, NULL, "primary");
	form_close(html);
}

static void write_checked(Html *html, const PageFrame *frame, const json_t *checked)
{
	html_open(html, "section", "class", "card", "id", "checked", "aria-labelledby",
		"checked-heading", NULL);
	html_element(html, "h2", "What it would do", "id", "checked-heading", NULL);
	html_open(html, "p", NULL);
	html_text(html, "On ");
	part_time(html, frame, checked, "when");
	html_text(html, ", in ");
	change_scopes(html, checked);
	html_text(html, ":");
	html_close(html, "p");
	change_words(html, checked);
	change_content(html, checked);
	html_open(html, "p", NULL);
	html_text(html, "Scheduled now, it would be ");
	standing_write(html, json_object_get(checked, "standing"), TRUE);
	html_text(html, ".");
	html_close(html, "p");
	change_obstacles(html, frame, checked);
	change_agreement(html, frame, checked);
	write_schedule(html, frame, checked);
	html_close(html, "section");
	html_newline(html);
}

char *page_change_new(const PageFrame *frame, const char *kind, const json_t *row,
	const json_t *checked, GHashTable *query)
{
	gboolean about_rule = g_str_equal(kind, "rule") || g_str_equal(kind, "delete");
	Html *html = frame_begin(frame, "Write a change · Changes");
	html_element(html, "h1", "Write a change", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, "/changes", "Changes");
	html_close(html, "p");
	if (checked)
		write_checked(html, frame, checked);
	write_kinds(html, kind, query);
	if (about_rule && !row)
		write_which(html, kind);
	else
		write_form(html, frame, kind, row, query);
	return frame_end(html, frame);
}
