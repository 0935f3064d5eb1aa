/* SPDX-License-Identifier: ISC
 *
 * drover channel: questions about rules and versions that need no store.
 */
#include <sodium.h>

#include <string.h>

#include "channel/answer_file.h"
#include "channel/difference.h"
#include "channel/explain.h"
#include "channel/lint.h"
#include "channel/query_json.h"
#include "channel/version.h"
#include "programs/drover/commands.h"
#include "programs/drover/show.h"

static guint draw_of_hundred(void)
{
	return randombytes_uniform(100);
}

static json_t *read_file(Invocation *invocation, const char *option, GError **error)
{
	const char *path = invocation_option(invocation, option);
	gsize size_bytes = 0;
	if (path == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say --snapshot FILE: the rules, as docs/channel.md describes them");
		return NULL;
	}
	g_autofree char *text =
		commands_read_input(path, ANSWER_FILE_MAXIMUM_BYTES, &size_bytes, error);
	return text == NULL ? NULL : json_read(path, text, size_bytes, error);
}

static gboolean run_answer(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL)
		return FALSE;
	g_autoptr(json_t) answer = answer_file(file, draw_of_hundred, error);
	if (answer == NULL) {
		g_prefix_error(error, "%s: ", invocation_option(invocation, "snapshot"));
		return FALSE;
	}
	screen_json(invocation_screen(invocation), answer);
	return TRUE;
}

/* Looking at rules ----------------------------------------------------------------------------- */

/* What is wrong with its rows is said on stderr, unless the caller asks for it. */
static Snapshot *compile(Invocation *invocation, const json_t *file, const char *option, gint64 cut,
	gboolean note_errors, GError **error)
{
	g_autoptr(json_t) errors = json_array();
	Snapshot *snapshot = answer_file_snapshot(file, cut, errors, error);
	if (snapshot == NULL)
		g_prefix_error(error, "%s: ", invocation_option(invocation, option));
	for (gsize i = 0; note_errors && i < json_array_size(errors); i++)
		screen_note(invocation_screen(invocation), "%s",
			json_string_value(json_array_get(errors, i)));
	return snapshot;
}

static gboolean read_cut(Invocation *invocation, gint64 fallback, gint64 *cut, GError **error)
{
	return invocation_integer(
		invocation, "cut", fallback, ANSWER_FILE_CUT_ALL, G_MAXINT64, cut, error);
}

/* mig64 and jaws are flags; all else is what it is called. */
static gboolean add_word(json_t *asked, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL || equals == word) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s': say what the client says as KEY=VALUE: product=web", word);
		return FALSE;
	}
	g_autofree char *key = g_strndup(word, (gsize)(equals - word));
	if (strcmp(key, "mig64") != 0 && strcmp(key, "jaws") != 0) {
		json_object_set_new(asked, key, json_string(equals + 1));
		return TRUE;
	}
	if (json_object_get(asked, "flags") == NULL)
		json_object_set_new(asked, "flags", json_object());
	json_object_set_new(json_object_get(asked, "flags"), key,
		json_boolean(strcmp(equals + 1, "true") == 0));
	return TRUE;
}

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

static void show_explanation(const Screen *screen, const json_t *explained)
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

static gboolean run_explain(Invocation *invocation, GError **error)
{
	gint64 cut;
	g_autoptr(json_t) asked = json_object();
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL || !read_cut(invocation, 0, &cut, error))
		return FALSE;
	for (guint i = 0; i < invocation_arguments(invocation); i++)
		if (!add_word(asked, invocation_argument(invocation, i), error))
			return FALSE;
	g_autoptr(Snapshot) snapshot = compile(invocation, file, "snapshot", cut, TRUE, error);
	Query query = {.draw = 0};
	if (snapshot == NULL || !query_from_json(snapshot, asked, &query, error))
		return FALSE;
	g_autoptr(json_t) explained = explain(snapshot, &query);
	if (invocation_screen(invocation)->json)
		screen_json(invocation_screen(invocation), explained);
	else
		show_explanation(invocation_screen(invocation), explained);
	return TRUE;
}

static gboolean run_lint(Invocation *invocation, GError **error)
{
	gint64 cut;
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	if (file == NULL || !read_cut(invocation, 0, &cut, error))
		return FALSE;
	g_autoptr(Snapshot) snapshot = compile(invocation, file, "snapshot", cut, FALSE, error);
	if (snapshot == NULL)
		return FALSE;
	g_autoptr(json_t) found = lint(snapshot, json_object_get(file, "test_channels"));
	g_autoptr(json_t) answer = json_pack("{s:O}", "found", found);
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "RULE", TABLE_RIGHT);
	table_column(table, "KIND", TABLE_LEFT);
	table_column(table, "WHY", TABLE_ELASTIC);
	gsize i;
	json_t *one;
	json_array_foreach (found, i, one) {
		g_autofree char *number = show_number(one, "rule_id");
		table_cell(table, STYLE_PLAIN, number);
		table_cell(table, STYLE_BAD, json_text(one, "kind"));
		table_cell(table, STYLE_PLAIN, json_text(one, "text"));
	}
	if (i > 0)
		table_show(table, screen, 0);
	else
		screen_line(screen, "%s", "nothing found");
	return TRUE;
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

static void show_difference(const Screen *screen, const json_t *found)
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

static gboolean run_diff(Invocation *invocation, GError **error)
{
	gint64 cut;
	const Screen *screen = invocation_screen(invocation);
	gboolean has_other = invocation_option(invocation, "with") != NULL;
	const char *option = has_other ? "with" : "snapshot";
	g_autoptr(json_t) file = read_file(invocation, "snapshot", error);
	g_autoptr(json_t) other = file == NULL ? NULL
				  : has_other  ? read_file(invocation, option, error)
					       : json_incref(file);
	if (other == NULL ||
		!read_cut(invocation, has_other ? 0 : ANSWER_FILE_CUT_ALL, &cut, error))
		return FALSE;
	g_autoptr(Snapshot) before = compile(invocation, file, "snapshot", 0, TRUE, error);
	g_autoptr(Snapshot) after =
		before == NULL ? NULL : compile(invocation, other, option, cut, TRUE, error);
	g_autoptr(json_t) found = after == NULL ? NULL : difference(before, after, error);
	if (found == NULL)
		return FALSE;
	g_autoptr(json_t) answer = json_pack("{s:O}", "differences", found);
	if (screen->json)
		screen_json(screen, answer);
	else
		show_difference(screen, found);
	return TRUE;
}

static gboolean run_version(Invocation *invocation, GError **error)
{
	const char *name = invocation_option(invocation, "scheme");
	VersionScheme scheme = VERSION_MOZILLA;
	VersionOperator operator;
	Version version;
	VersionTest test;
	if (name != NULL && !version_scheme_parse(name, &scheme, error))
		return FALSE;
	if (!version_operator_parse(invocation_argument(invocation, 1), &operator)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' is no operator; there are = < <= > and >=, quoted from the shell",
			invocation_argument(invocation, 1));
		return FALSE;
	}
	if (!version_parse(scheme, invocation_argument(invocation, 0), &version, error) ||
		!version_test_make(
			scheme, operator, invocation_argument(invocation, 2), &test, error))
		return FALSE;
	gboolean holds = version_test_holds(&test, &version);
	if (invocation_screen(invocation)->json) {
		g_autoptr(json_t) answer = json_pack("{s:b}", "holds", holds);
		screen_json(invocation_screen(invocation), answer);
	} else {
		screen_line(invocation_screen(invocation), "%s", holds ? "true" : "false");
	}
	return TRUE;
}

static const Option answer_options[] = {
	{"snapshot", "FILE", "Rules, releases, changes and queries; - is standard input"},
	{0},
};

static const Option look_options[] = {
	{"snapshot", "FILE", "Rules, releases and changes; - is standard input"},
	{"cut", "TIME", "With the changes up to this time, -1 for all; 0, the default, is live"},
	{0},
};

static const Option diff_options[] = {
	{"snapshot", "FILE", "Rules, releases and changes, whose live state is before"},
	{"with", "FILE", "Another file, whose live state is after"},
	{"cut", "TIME", "After: with the changes up to this time; all of them by default"},
	{0},
};

static const Option version_options[] = {
	{"scheme", "SCHEME", "mozilla (default), loose or semver"},
	{0},
};

const Command channel_commands[] = {
	{"channel answer", "", 0, 0, "Answers queries from rules in a file, now and at later cuts",
		run_answer, answer_options,
		"Nothing is stored. The file is described in docs/channel.md. The answer is JSON.",
		"drover channel answer --snapshot what-if.json", "3", "channel version"},
	{"channel diff", "", 0, 0, "Lists whose answers the queue, or another file, alters",
		run_diff, diff_options,
		"One query for each class that the rules tell apart, with its release before and "
		"after.",
		"drover channel diff --snapshot what-if.json\n"
		"drover channel diff --snapshot live.json --with new.json",
		"3", "channel explain"},
	{"channel explain", "KEY=VALUE…", 0, COMMAND_ANY_NUMBER,
		"Says why a query gets what it gets, rule by rule", run_explain, look_options,
		"KEY=VALUE is what the client says: product=web version=1.3.0. A near miss is a "
		"rule of "
		"which one matcher only was not met.",
		"drover channel explain --snapshot what-if.json product=web channel=release", "3",
		"channel lint"},
	{"channel lint", "", 0, 0, "Finds rules that cannot do what they were meant to", run_lint,
		look_options,
		"Rules that are shadowed by one before them, that nothing reaches, that name a "
		"test "
		"channel, or that are refused.",
		"drover channel lint --snapshot what-if.json", "3", "channel explain"},
	{"channel version", "A OP B", 3, 3, "Compares two versions as rules do", run_version,
		version_options,
		"OP is = < <= > or >=. With =, B may end in a star: 60.*. Prints true or false.",
		"drover channel version 60.0a1 '<' 60.0\n"
		"drover channel version 1.4.0 = '1.*' --scheme semver",
		NULL, "channel answer"},
	{0},
};
