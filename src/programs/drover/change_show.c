/* SPDX-License-Identifier: ISC
 *
 * How changes look on a terminal: what one does in words, who must agree and who has, and what it
 * waits for.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/change.h"
#include "programs/drover/channel_show.h"
#include "programs/drover/row_words.h"
#include "programs/terminal/show.h"

static Style style_of(const char *kind)
{
	static const char *const bad[] = {"conflict", "gate", "needs-retest", "overdue", NULL};
	if (kind == NULL || strcmp(kind, "withdrawn") == 0)
		return STYLE_DIM;
	if (strcmp(kind, "ready") == 0 || strcmp(kind, "live") == 0)
		return STYLE_GOOD;
	return g_strv_contains(bad, kind) ? STYLE_BAD : STYLE_WAITING;
}

/* "web release, web beta"; "all" for what is not said. Caller frees. */
static char *scopes_text(const json_t *change)
{
	GString *text = g_string_new(NULL);
	gsize i;
	json_t *scope;
	json_array_foreach (json_object_get(change, "scopes"), i, scope) {
		const char *product = json_text(scope, "product");
		const char *channel = json_text(scope, "channel");
		g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "",
			product != NULL ? product : "all", channel != NULL ? channel : "all");
	}
	return g_string_free(text, FALSE);
}

static gboolean is_over(const json_t *change)
{
	const char *state = json_text(change, "state");
	return g_strcmp0(state, "live") == 0 || g_strcmp0(state, "withdrawn") == 0;
}

/* What waits in the order of the queue, then the others, newest first. */
static int compare_changes(gconstpointer a, gconstpointer b)
{
	const json_t *left = *(const json_t *const *)a, *right = *(const json_t *const *)b;
	gint64 one = json_integer_of(left, "id"), other = json_integer_of(right, "id");
	gint64 one_us = 0, other_us = 0;
	if (is_over(left) != is_over(right))
		return is_over(left) ? 1 : -1;
	if (is_over(left))
		return one > other ? -1 : one < other;
	parse_time(show_text(left, "when"), &one_us, NULL);
	parse_time(show_text(right, "when"), &other_us, NULL);
	return one_us != other_us ? (one_us < other_us ? -1 : 1) : one < other ? -1 : one > other;
}

void change_show_list(const Screen *screen, const json_t *changes)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	g_autoptr(Table) table = table_new();
	table_column(table, "CHANGE", TABLE_RIGHT);
	table_column(table, "WHEN", TABLE_LEFT);
	table_column(table, "STANDS", TABLE_LEFT);
	table_column(table, "CHANNELS", TABLE_LEFT);
	table_column(table, "AUTHOR", TABLE_LEFT);
	table_column(table, "TITLE", TABLE_ELASTIC);
	gsize i;
	json_t *each;
	json_array_foreach (changes, i, each)
		g_ptr_array_add(sorted, each);
	g_ptr_array_sort(sorted, compare_changes);
	for (i = 0; i < sorted->len; i++) {
		const json_t *change = sorted->pdata[i];
		const char *kind = json_text(json_object_get(change, "standing"), "kind");
		g_autofree char *when = show_time(change, "when");
		g_autofree char *scopes = scopes_text(change);
		table_cell_integer(table, json_integer_of(change, "id"));
		table_cell(table, STYLE_PLAIN, when);
		table_cell(table, style_of(kind), kind != NULL ? kind : json_text(change, "state"));
		table_cell(table, STYLE_PLAIN, scopes);
		table_cell(table, STYLE_PLAIN, json_text(change, "author"));
		table_cell(table, STYLE_PLAIN, json_text(change, "title"));
	}
	table_show_or_say(table, screen, "there is no such change");
}

/* One change ---------------------------------------------------------------------------------- */

static void heading(const Screen *screen, const char *text)
{
	screen_line(screen, "%s", "");
	screen_line(screen, "%s", text);
}

static void show_words(const Screen *screen, const json_t *detail)
{
	gsize i;
	json_t *word;
	heading(screen, "What it does:");
	json_array_foreach (json_object_get(detail, "words"), i, word)
		screen_line(screen, "  %s", json_string_value(word));
}

/* "ada, grace (no longer counts: …)", of those who signed in the role. Caller frees. */
static char *signers_text(const json_t *detail, const char *role)
{
	GString *text = g_string_new(NULL);
	gsize i;
	json_t *given;
	json_array_foreach (json_object_get(detail, "sign_offs"), i, given) {
		if (g_strcmp0(json_text(given, "role"), role) != 0)
			continue;
		g_string_append_printf(
			text, "%s%s", text->len > 0 ? ", " : "", json_text(given, "person"));
		if (!show_is_true(given, "counts"))
			g_string_append_printf(
				text, " (does not count: %s)", show_text(given, "text"));
	}
	return g_string_free(text, FALSE);
}

static void show_required(const Screen *screen, const json_t *detail)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "ROLE", TABLE_LEFT);
	table_column(table, "NEEDS", TABLE_RIGHT);
	table_column(table, "MISSING", TABLE_RIGHT);
	table_column(table, "SIGNED BY", TABLE_LEFT);
	table_column(table, "BECAUSE", TABLE_ELASTIC);
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(detail, "required"), i, one) {
		gint64 missing = json_integer_of(one, "missing");
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, missing);
		g_autofree char *signers = signers_text(detail, json_text(one, "role"));
		g_autofree char *because = row_key_text(show_text(one, "because"));
		table_cell(table, STYLE_STRONG, json_text(one, "role"));
		table_cell_integer(table, json_integer_of(one, "count"));
		table_cell(table, missing > 0 ? STYLE_BAD : STYLE_GOOD, number);
		table_cell(table, STYLE_PLAIN, signers);
		table_cell(table, STYLE_PLAIN, because);
	}
	if (table_rows(table) == 0) {
		heading(screen, "Nobody needs to sign it.");
		return;
	}
	heading(screen, "Who must sign:");
	table_show(table, screen, 2);
}

static void show_tested(const Screen *screen, const json_t *detail)
{
	const json_t *tested = json_object_get(detail, "tested");
	const json_t *given = json_object_get(tested, "given");
	gsize i;
	json_t *one;
	if (!show_is_true(tested, "needed") && json_array_size(given) == 0)
		return;
	heading(screen, json_array_size(given) > 0 ? "Tested:" : "Not tested yet.");
	json_array_foreach (given, i, one) {
		gboolean matches = show_is_true(one, "matches");
		g_autofree char *at = show_time(one, "at");
		screen_part(
			screen, matches ? STYLE_GOOD : STYLE_BAD, "  %s", json_text(one, "person"));
		screen_line(screen, " as %s at %s%s%s", show_text(one, "role"), at,
			matches ? "" : ": ", matches ? "" : show_text(one, "text"));
	}
	json_array_foreach (json_object_get(tested, "differs"), i, one)
		if (json_text(one, "channel") != NULL)
			screen_line(screen, "  %s %s is not what was tested",
				show_text(one, "product"), json_text(one, "channel"));
		else
			screen_line(screen, "  %s",
				"channels that nobody declared are not what was tested");
}

static void show_gates(const Screen *screen, const json_t *detail)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "GATE", TABLE_LEFT);
	table_column(table, "", TABLE_LEFT);
	table_column(table, "OVERRIDE", TABLE_LEFT);
	table_column(table, "WHY", TABLE_ELASTIC);
	gsize i;
	json_t *gate;
	json_array_foreach (json_object_get(detail, "gates"), i, gate) {
		const json_t *override = json_object_get(gate, "override");
		const char *role = json_text(gate, "role");
		gboolean passes = show_is_true(gate, "passes");
		gboolean overridden = json_is_object(override);
		g_autofree char *whose =
			overridden ? g_strdup_printf("by %s: %s", show_text(override, "by"),
					     show_text(override, "reason"))
			: role != NULL && !passes ? g_strdup_printf("%s may", role)
						  : g_strdup("-");
		table_cell(table, STYLE_STRONG, json_text(gate, "name"));
		table_cell(table,
			passes	     ? STYLE_GOOD
			: overridden ? STYLE_WAITING
				     : STYLE_BAD,
			passes	     ? "passes"
			: overridden ? "overridden"
				     : "stops it");
		table_cell(table, STYLE_PLAIN, whose);
		table_cell(table, STYLE_PLAIN, json_text(gate, "text"));
	}
	if (table_rows(table) == 0)
		return;
	heading(screen, "Gates:");
	table_show(table, screen, 2);
}

static void show_conflicts(const Screen *screen, const json_t *detail)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(detail, "conflicts"), i, one) {
		gint64 with = json_integer_of(one, "with");
		g_autofree char *ours = row_value_text(json_object_get(one, "ours"));
		g_autofree char *theirs = row_value_text(json_object_get(one, "theirs"));
		g_autofree char *other = with != 0
						 ? g_strdup_printf("change %" G_GINT64_FORMAT, with)
						 : g_strdup("what is live");
		const char *column = json_text(one, "column");
		g_autofree char *key = row_key_text(show_text(one, "key"));
		if (i == 0)
			heading(screen, "Conflicts:");
		screen_line(screen, "  %s %s: %s: it says %s, %s says %s", json_text(one, "table"),
			key, column != NULL ? column : "the whole row", ours, other, theirs);
	}
}

static void show_standing(const Screen *screen, const json_t *detail)
{
	const json_t *standing = json_object_get(detail, "standing");
	const char *kind = json_text(standing, "kind");
	screen_part(screen, style_of(kind), "%s", kind != NULL ? kind : "not judged");
	if (json_text(standing, "text") != NULL)
		screen_part(screen, STYLE_PLAIN, ": %s", json_text(standing, "text"));
	screen_line(screen, "%s", "");
}

/* Whoever forced something stays named, also when it is live. */
static void show_overrides(const Screen *screen, const json_t *detail)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(detail, "overrides"), i, one) {
		g_autofree char *at = show_time(one, "at");
		screen_line(screen, "%s by %s at %s: %s", show_text(one, "gate"),
			show_text(one, "by"), at, show_text(one, "reason"));
	}
}

static void show_head(const Screen *screen, const json_t *detail)
{
	g_autofree char *when = show_time(detail, "when");
	g_autofree char *scopes = scopes_text(detail);
	if (json_integer_of(detail, "id") != 0)
		screen_part(screen, STYLE_STRONG, "change %" G_GINT64_FORMAT,
			json_integer_of(detail, "id"));
	else
		screen_part(screen, STYLE_STRONG, "not submitted");
	screen_line(screen, "  %s", show_text(detail, "title"));
	screen_line(screen, "by %s for %s UTC: %s", show_text(detail, "author"), when,
		show_text(detail, "reason"));
	if (*scopes != '\0')
		screen_line(screen, "alters %s", scopes);
	show_standing(screen, detail);
	show_overrides(screen, detail);
}

void change_show(const Screen *screen, const json_t *detail)
{
	show_head(screen, detail);
	show_words(screen, detail);
	show_conflicts(screen, detail);
	show_required(screen, detail);
	show_tested(screen, detail);
	show_gates(screen, detail);
	screen_line(screen, "%s", "");
	screen_line(screen, "digest %s", show_text(detail, "digest"));
}

void change_show_diff(const Screen *screen, const json_t *answer)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(answer, "channels"), i, one) {
		if (i > 0)
			screen_line(screen, "%s", "");
		screen_part(screen, STYLE_STRONG, "%s %s", show_text(one, "product"),
			show_text(one, "channel"));
		screen_line(screen, "%s", "");
		channel_show_difference(screen, one);
	}
	if (i == 0)
		screen_line(screen, "%s", "no answer differs");
}

void change_show_enacted(const Screen *screen, const json_t *answer)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(answer, "live"), i, one)
		screen_done(
			screen, "change %" JSON_INTEGER_FORMAT " is live", json_integer_value(one));
	json_array_foreach (json_object_get(answer, "waiting"), i, one)
		screen_done(screen, "change %" G_GINT64_FORMAT " waits: %s: %s",
			json_integer_of(one, "change"), show_text(one, "kind"),
			show_text(one, "text"));
}

/* What an act left --------------------------------------------------------------------------------
 */

static gboolean is_tested(const json_t *tested)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(tested, "given"), i, one)
		if (show_is_true(one, "matches"))
			return TRUE;
	return !show_is_true(tested, "needed");
}

/* What is still missing, each with the command to type. */
static void note_missing(const Screen *screen, const json_t *detail)
{
	gboolean tested = is_tested(json_object_get(detail, "tested"));
	gint64 id = json_integer_of(detail, "id");
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(detail, "required"), i, one) {
		gint64 missing = json_integer_of(one, "missing");
		const char *role = json_text(one, "role");
		if (show_is_true(one, "tester") && !tested)
			screen_note(screen,
				"next: drover change tested %" G_GINT64_FORMAT " --role %s", id,
				role);
		if (missing > 0)
			screen_note(screen,
				"next: drover change sign %" G_GINT64_FORMAT
				" --role %s   # %" G_GINT64_FORMAT " missing",
				id, role, missing);
	}
}

gboolean change_answer(Invocation *invocation, json_t *detail, const char *done)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) given = detail;
	if (given == NULL)
		return FALSE;
	const json_t *standing = json_object_get(given, "standing");
	g_autofree char *when = show_time(given, "when");
	if (screen->json)
		screen_json(screen, given);
	screen_done(screen, "%s change %" G_GINT64_FORMAT " for %s UTC: %s: %s", done,
		json_integer_of(given, "id"), when, show_text(standing, "kind"),
		show_text(standing, "text"));
	if (strcmp(done, "withdrew") != 0)
		note_missing(screen, given);
	return TRUE;
}
