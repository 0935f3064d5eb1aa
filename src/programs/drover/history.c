/* SPDX-License-Identifier: ISC
 *
 * drover history: who changed what, and proof that nothing was altered, removed or cut off.
 */
#include <string.h>

#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) list = invocation_call(invocation, "GET",
		query_of("subject", invocation_option(invocation, "subject"), "actor",
			invocation_option(invocation, "actor"), "limit",
			invocation_option(invocation, "limit"), "before",
			invocation_option(invocation, "before"), NULL),
		NULL, error, "history", NULL);
	if (list == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, list);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "ENTRY", TABLE_RIGHT);
	table_column(table, "WHEN", TABLE_LEFT);
	table_column(table, "WHO", TABLE_LEFT);
	table_column(table, "WHAT", TABLE_LEFT);
	table_column(table, "SUBJECT", TABLE_LEFT);
	table_column(table, "REASON", TABLE_ELASTIC);
	gsize index;
	json_t *entry;
	json_array_foreach (json_object_get(list, "entries"), index, entry) {
		g_autofree char *at = show_time(entry, "at");
		table_cell_integer(table, json_integer_of(entry, "sequence"));
		table_cell(table, STYLE_PLAIN, at);
		table_cell(table, STYLE_PLAIN, json_text(entry, "actor"));
		table_cell(table, STYLE_PLAIN, json_text(entry, "action"));
		table_cell(table, STYLE_PLAIN, json_text(entry, "subject"));
		table_cell(table, STYLE_PLAIN, json_text(entry, "reason"));
	}
	table_show(table, screen, 0);
	if (json_is_integer(json_object_get(list, "next")))
		screen_note(screen, "older ones: --before %" G_GINT64_FORMAT,
			json_integer_of(list, "next"));
	return TRUE;
}

static void show_value(const Screen *screen, const char *name, const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return;
	g_autofree char *text = json_write_pretty(value);
	screen_line(screen, "%s:", name);
	screen_block(screen, 2, text);
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) entry = invocation_call(invocation, "GET", NULL, NULL, error, "history",
		invocation_argument(invocation, 0), NULL);
	if (entry == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, entry);
		return TRUE;
	}
	g_autofree char *at = show_time(entry, "at");
	screen_line(screen, "%" G_GINT64_FORMAT "  %s  %s", json_integer_of(entry, "sequence"),
		json_text(entry, "action"), json_text(entry, "subject"));
	screen_line(screen, "by %s at %s", json_text(entry, "actor"), at);
	screen_line(screen, "reason: %s", show_text(entry, "reason"));
	show_value(screen, "before", json_object_get(entry, "before"));
	show_value(screen, "after", json_object_get(entry, "after"));
	screen_line(screen, "digest: %s", json_text(entry, "digest"));
	return TRUE;
}

static gboolean run_verify(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) verdict = invocation_call(invocation, "GET",
		query_of("head", invocation_option(invocation, "head"), NULL), NULL, error,
		"history", "verify", NULL);
	if (verdict == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, verdict);
	if (!show_is_true(verdict, "good")) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "the history is not whole: %s",
			show_text(verdict, "problem"));
		return FALSE;
	}
	g_autofree char *entries =
		show_count(json_integer_of(verdict, "entries"), "entry", "entries");
	if (!screen->json)
		screen_line(screen, "The history is whole: %s, head %s", entries,
			json_text(verdict, "head"));
	return TRUE;
}

static const Option list_options[] = {
	{"subject", "TEXT", "Only this subject and what is below it, as product/web"},
	{"actor", "NAME", "Only what this person or program did"},
	{"limit", "N", "So many at most, 1 to 1000"},
	{"before", "ENTRY", "Only those below this number: the next page"},
	{0},
};

static const Option verify_options[] = {
	{"head", "DIGEST",
		"A digest that a log or backup published: it must still be in the chain"},
	{0},
};

const Command history_commands[] = {
	{"history list", "", 0, 0, "Shows who changed what, newest first", run_list, list_options,
		NULL, "drover history list --subject product/web --limit 20", NULL, "history show"},
	{"history show", "ENTRY", 1, 1, "Shows one change: before, after, why", run_show, NULL,
		NULL, "drover history show 118", "3", "history list"},
	{"history verify", "", 0, 0, "Proves that nothing was altered, removed or cut off",
		run_verify, verify_options,
		"Each entry's digest covers the one before. With --head also that nothing was cut "
		"off\n"
		"since that digest was published. Exit status 1 when it is not whole.",
		"drover history verify --head 9f86d081884c7d65…", NULL,
		"store check, store backup"},
	{0},
};
