/* SPDX-License-Identifier: ISC
 *
 * How channels look on a terminal.
 */
#include "programs/drover/channel_show.h"

#include <string.h>

#include "programs/drover/change.h"
#include "programs/drover/rule.h"
#include "programs/terminal/show.h"

/* Rules and queries --------------------------------------------------------------------------- */

static char *missed_text(const json_t *rule)
{
	GString *text = g_string_new(NULL);
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(rule, "missed"), i, one) {
		char *wanted =
			json_dumps(json_object_get(one, "wanted"), JSON_ENCODE_ANY | JSON_COMPACT);
		g_string_append_printf(text, "%s%s is not %s", i > 0 ? ", " : "",
			json_text(one, "column"), wanted);
		free(wanted);
	}
	return g_string_free(text, FALSE);
}

void channel_show_explanation(const Screen *screen, const json_t *explained)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "RULE", TABLE_RIGHT);
	table_column(table, "PRIORITY", TABLE_RIGHT);
	table_column(table, "MAPPING", TABLE_LEFT);
	table_column(table, "", TABLE_LEFT);
	table_column(table, "MISSED", TABLE_ELASTIC);
	gsize i;
	json_t *rule;
	json_array_foreach (json_object_get(explained, "rules"), i, rule) {
		gboolean wins = show_is_true(rule, "wins"), near = show_is_true(rule, "near");
		g_autofree char *missed = missed_text(rule);
		table_cell_integer(table, json_integer_value(json_object_get(rule, "rule_id")));
		table_cell_integer(table, json_integer_value(json_object_get(rule, "priority")));
		table_cell(table, STYLE_PLAIN, show_text(rule, "mapping"));
		table_cell(table, wins ? STYLE_GOOD : STYLE_DIM,
			wins				? "wins"
			: show_is_true(rule, "matches") ? "matches"
			: near				? "near miss"
							: "");
		table_cell(table, STYLE_PLAIN, missed);
	}
	table_show(table, screen, 0);
	screen_line(screen, "gets %s: %s", show_text(explained, "mapping"),
		show_text(explained, "why"));
}

void channel_show_findings(const Screen *screen, const json_t *findings)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "RULE", TABLE_RIGHT);
	table_column(table, "KIND", TABLE_LEFT);
	table_column(table, "WHY", TABLE_ELASTIC);
	gsize i;
	json_t *one;
	json_array_foreach (findings, i, one) {
		g_autofree char *number = show_number(one, "rule_id");
		table_cell(table, STYLE_PLAIN, number);
		table_cell(table, STYLE_BAD, json_text(one, "kind"));
		table_cell(table, STYLE_PLAIN, json_text(one, "text"));
	}
	if (i > 0)
		table_show(table, screen, 0);
	else
		screen_line(screen, "%s", "nothing found");
}

static char *query_text(const json_t *query)
{
	GString *text = g_string_new(NULL);
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)query, key, value) {
		if (json_is_null(value))
			continue;
		char *said = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", key,
			json_is_string(value) ? json_string_value(value) : said);
		free(said);
	}
	return g_string_free(text, FALSE);
}

void channel_show_classes(const Screen *screen, const json_t *found)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "BEFORE", TABLE_LEFT);
	table_column(table, "AFTER", TABLE_LEFT);
	table_column(table, "QUERY", TABLE_ELASTIC);
	gsize i;
	json_t *one;
	json_array_foreach (found, i, one) {
		g_autofree char *query = query_text(json_object_get(one, "query"));
		table_cell(
			table, STYLE_PLAIN, show_text(json_object_get(one, "before"), "mapping"));
		table_cell(
			table, STYLE_STRONG, show_text(json_object_get(one, "after"), "mapping"));
		table_cell(table, STYLE_PLAIN, query);
	}
	if (i > 0)
		table_show(table, screen, 0);
	else
		screen_line(screen, "%s", "no answer differs");
}

void channel_show_difference(const Screen *screen, const json_t *difference)
{
	const json_t *classes = json_object_get(difference, "classes");
	if (json_array_size(classes) == 0 && json_text(difference, "text") != NULL)
		screen_line(screen, "%s", json_text(difference, "text"));
	else
		channel_show_classes(screen, classes);
}

/* What decided: "generation 12, cut live, digest …". */
static void show_source(const Screen *screen, const json_t *said)
{
	g_autofree char *generation = show_number(said, "generation");
	const char *cut = json_text(said, "cut");
	screen_line(screen, "generation %s, cut %s, digest %s", generation,
		cut != NULL ? cut : "live", show_text(said, "digest"));
}

void channel_show_answer(const Screen *screen, const json_t *answer)
{
	const json_t *release = json_object_get(answer, "release");
	screen_part(screen, STYLE_STRONG, "%s",
		json_text(answer, "mapping") != NULL ? json_text(answer, "mapping") : "nothing");
	screen_line(screen, ": %s", show_text(answer, "why"));
	if (json_integer_of(answer, "rule_data_version") != 0)
		screen_line(screen,
			"by rule %" G_GINT64_FORMAT ", at its version %" G_GINT64_FORMAT,
			json_integer_of(answer, "rule_id"),
			json_integer_of(answer, "rule_data_version"));
	else if (json_is_integer(json_object_get(answer, "rule_id")))
		screen_line(screen, "by rule %" G_GINT64_FORMAT ", which is not live yet",
			json_integer_of(answer, "rule_id"));
	if (json_is_object(release))
		screen_line(screen, "which is version %s, build %s", show_text(release, "version"),
			show_text(release, "build_id"));
	show_source(screen, answer);
}

/* Channels ------------------------------------------------------------------------------------ */

/* "beta, all": what a test channel is made of; "-" for a live one. Caller frees. */
static char *base_text(const json_t *channel)
{
	if (json_text(channel, "base") == NULL)
		return g_strdup("-");
	return g_strdup_printf("%s, %s", json_text(channel, "base"), show_text(channel, "cut"));
}

static void state_cell(Table *table, const json_t *channel)
{
	gboolean off = json_is_object(json_object_get(channel, "shut_off"));
	table_cell(table, off ? STYLE_BAD : STYLE_GOOD, off ? "off" : "on");
}

void channel_show_list(const Screen *screen, const json_t *channels)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "CHANNEL", TABLE_LEFT);
	table_column(table, "KIND", TABLE_LEFT);
	table_column(table, "BASE, CUT", TABLE_LEFT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "RULES", TABLE_RIGHT);
	table_column(table, "WAITING", TABLE_RIGHT);
	table_column(table, "TITLE", TABLE_ELASTIC);
	gsize i;
	json_t *channel;
	json_array_foreach (channels, i, channel) {
		g_autofree char *base = base_text(channel);
		table_cell(table, STYLE_PLAIN, json_text(channel, "product"));
		table_cell(table, STYLE_STRONG, json_text(channel, "channel"));
		table_cell(table, STYLE_PLAIN, json_text(channel, "kind"));
		table_cell(table, STYLE_PLAIN, base);
		state_cell(table, channel);
		table_cell_integer(table, json_integer_of(channel, "rules"));
		table_cell_integer(table, json_integer_of(channel, "waiting"));
		table_cell(table, STYLE_PLAIN, json_text(channel, "title"));
	}
	table_show_or_say(table, screen, "there is no channel yet: a rule that names one makes it");
}

static void show_head(const Screen *screen, const json_t *view)
{
	const json_t *off = json_object_get(view, "shut_off");
	g_autofree char *at = show_time(view, "at");
	g_autofree char *base = base_text(view);
	screen_part(screen, STYLE_STRONG, "%s %s", json_text(view, "product"),
		json_text(view, "channel"));
	if (json_text(view, "base") != NULL)
		screen_part(screen, STYLE_PLAIN, "  test channel of %s", base);
	else
		screen_part(screen, STYLE_PLAIN, "  live");
	screen_line(screen, "%s%s%s", json_text(view, "at") != NULL ? ", as of " : "",
		json_text(view, "at") != NULL ? at : "",
		json_text(view, "at") != NULL ? " UTC" : "");
	if (json_is_object(off)) {
		screen_part(screen, STYLE_BAD, "switched off: ");
		screen_line(screen, "%s", show_text(off, "reason"));
	}
	if (json_text(view, "undefined") != NULL) {
		screen_part(screen, STYLE_BAD, "has no answer: ");
		screen_line(screen, "%s", json_text(view, "undefined"));
	}
	show_source(screen, view);
}

static void show_tests(const Screen *screen, const json_t *tests)
{
	gsize i;
	json_t *test;
	json_array_foreach (tests, i, test) {
		const char *undefined = json_text(test, "undefined");
		g_autofree char *base = base_text(test);
		screen_line(screen, "  %s (%s): %s", json_text(test, "channel"), base,
			undefined != NULL	     ? undefined
			: show_is_true(test, "same") ? "answers as live does"
						     : "answers otherwise than live");
	}
}

static void show_pins(const Screen *screen, const json_t *pins)
{
	gsize i;
	json_t *pin;
	json_array_foreach (pins, i, pin)
		screen_line(screen, "  clients on %s are held on %s", show_text(pin, "version"),
			show_text(pin, "mapping"));
}

static void show_freezes(const Screen *screen, const json_t *freezes)
{
	gsize i;
	json_t *freeze;
	json_array_foreach (freezes, i, freeze) {
		g_autofree char *from = show_time(freeze, "from");
		g_autofree char *until = show_time(freeze, "until");
		screen_line(screen, "  %s: from %s until %s: %s", json_text(freeze, "name"), from,
			until, show_text(freeze, "reason"));
	}
}

static void show_requirements(const Screen *screen, const json_t *requirements)
{
	gsize i;
	json_t *one;
	json_array_foreach (requirements, i, one) {
		const char *product = json_text(one, "product"),
			   *channel = json_text(one, "channel");
		screen_line(screen, "  %" G_GINT64_FORMAT " of %s, for %s %s",
			json_integer_of(one, "n"), json_text(one, "role"),
			g_strcmp0(product, "*") == 0 ? "all" : product,
			g_strcmp0(channel, "*") == 0 ? "all" : channel);
	}
}

typedef struct Part {
	const char *key, *heading;
	void (*show)(const Screen *screen, const json_t *list);
} Part;

void channel_show_view(const Screen *screen, const json_t *view)
{
	static const Part parts[] = {
		{"rules", "Rules, in the order in which they are asked:", rule_show_list},
		{"pins", "Pins:", show_pins},
		{"queue", "What waits:", change_show_list},
		{"tests", "Test channels:", show_tests},
		{"requirements", "Who must sign:", show_requirements},
		{"freezes", "Freezes:", show_freezes},
	};
	show_head(screen, view);
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		const json_t *list = json_object_get(view, parts[i].key);
		if (json_array_size(list) == 0)
			continue;
		screen_line(screen, "%s", "");
		screen_line(screen, "%s", parts[i].heading);
		parts[i].show(screen, list);
	}
}
