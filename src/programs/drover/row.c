/* SPDX-License-Identifier: ISC
 *
 * What the commands for rows share.
 */
#include "programs/drover/row.h"

#include <string.h>

#include "base/format.h"
#include "programs/drover/change.h"
#include "programs/drover/when.h"
#include "programs/terminal/show.h"

gboolean row_time_option(Invocation *invocation, const char *name, char **text, GError **error)
{
	const char *typed = invocation_option(invocation, name);
	*text = NULL;
	if (typed == NULL)
		return TRUE;
	*text = when_text(typed, clock_now_us(invocation_clock(invocation)), error);
	if (*text == NULL)
		g_prefix_error(error, "--%s: ", name);
	return *text != NULL;
}

/* Reading ------------------------------------------------------------------------------------- */

json_t *row_all(Invocation *invocation, StateTable table, GHashTable *query, GError **error)
{
	g_autoptr(GHashTable) asked = query;
	g_autoptr(json_t) all = NULL;
	for (;;) {
		g_autoptr(json_t) page = invocation_call(invocation, "GET", g_hash_table_ref(asked),
			NULL, error, "tables", state_table_name(table), NULL);
		if (page == NULL)
			return NULL;
		const char *next = json_text(page, "next");
		if (next != NULL)
			g_hash_table_replace(asked, g_strdup("after"), g_strdup(next));
		if (all == NULL)
			all = json_incref(page);
		else
			json_array_extend(
				json_object_get(all, "rows"), json_object_get(page, "rows"));
		if (next == NULL)
			break;
	}
	json_object_del(all, "next");
	return g_steal_pointer(&all);
}

/* As it is live. */
static gboolean find_live(
	Invocation *invocation, StateTable table, const char *key, json_t **row, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) answer = invocation_call(invocation, "GET", query_of("key", key, NULL),
		NULL, &problem, "tables", state_table_name(table), "row", NULL);
	json_t *found = json_object_get(answer, "row");
	*row = json_is_object(found) ? json_incref(found) : NULL;
	if (answer != NULL || drover_error_is(problem, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* As the changes that go live before `when` will leave it. */
static gboolean find_at(Invocation *invocation, StateTable table, const char *key, const char *when,
	json_t **row, GError **error)
{
	g_autoptr(json_t) all = row_all(invocation, table, query_of("at", when, NULL), error);
	gsize i;
	json_t *one;
	*row = NULL;
	json_array_foreach (json_object_get(all, "rows"), i, one) {
		g_autofree char *its = state_key(table, one, NULL);
		if (g_strcmp0(its, key) == 0)
			*row = json_incref(one);
	}
	return all != NULL;
}

gboolean row_find(
	Invocation *invocation, StateTable table, const char *key, json_t **row, GError **error)
{
	const char *typed = invocation_option(invocation, "when");
	gint64 now_us = clock_now_us(invocation_clock(invocation)), when_us = 0;
	if (typed == NULL)
		return find_live(invocation, table, key, row, error);
	if (!when_parse(typed, now_us, &when_us, error))
		return FALSE;
	g_autofree char *when = format_time(when_us);
	return when_us > now_us ? find_at(invocation, table, key, when, row, error)
				: find_live(invocation, table, key, row, error);
}

/* Writing ------------------------------------------------------------------------------------- */

/* The op, made from the version that was read or named. Takes `row`. */
static json_t *op_of(Invocation *invocation, StateTable table, const char *op, const json_t *before,
	json_t *row, GError **error)
{
	gint64 version;
	g_autoptr(json_t) made = json_pack(
		"{s:s, s:s, s:o}", "op", op, "table", state_table_name(table), "row", row);
	if (!invocation_integer(invocation, "data-version", json_integer_of(before, "data_version"),
		    1, G_MAXINT64, &version, error))
		return NULL;
	if (version != 0)
		json_object_set_new(made, "data_version", json_integer(version));
	/* What names a rule stands beside the op, too: docs/channel.md. */
	if (json_object_get(row, "rule_id") != NULL)
		json_object_set(made, "rule_id", json_object_get(row, "rule_id"));
	return g_steal_pointer(&made);
}

static const char *done_word(const char *op)
{
	return strcmp(op, "insert") == 0   ? "added"
	       : strcmp(op, "delete") == 0 ? "deleted"
					   : "changed";
}

/* What became of one change that waits; NULL: it is as it was. */
static const char *fate_of(const json_t *rebased)
{
	if (json_array_size(json_object_get(rebased, "conflicts")) > 0)
		return "it conflicts now, and waits";
	if (show_is_true(rebased, "loses_sign_offs"))
		return "it says something else now, and sign-offs of it fell";
	return show_is_true(rebased, "loses_tests") ? "tests of it fell" : NULL;
}

/* What a direct edit did to changes that wait. */
static void note_rebased(const Screen *screen, const json_t *answer)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(answer, "rebased"), i, one)
		if (fate_of(one) != NULL)
			screen_note(screen,
				"change %" G_GINT64_FORMAT " was written on what this alters: %s",
				json_integer_of(one, "change"), fate_of(one));
}

static void say_done(const Screen *screen, StateTable table, const char *noun, const char *op,
	const json_t *before, const json_t *answer)
{
	const json_t *row =
		json_object_get(json_array_get(json_object_get(answer, "rows"), 0), "row");
	g_autofree char *name = row_key_words(table, json_is_object(row) ? row : before);
	g_autofree char *difference = row_difference(before, json_is_object(row) ? row : NULL);
	if (json_integer_of(answer, "written") == 0)
		screen_done(screen, "%s %s is so already", noun, name);
	else if (strcmp(op, "update") == 0)
		screen_done(screen, "%s %s %s: %s", done_word(op), noun, name, difference);
	else
		screen_done(screen, "%s %s %s", done_word(op), noun, name);
}

static gboolean edit_now(Invocation *invocation, StateTable table, const char *noun, const char *op,
	const json_t *before, json_t *ops, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "ops", ops);
	g_autoptr(json_t) answer =
		invocation_call(invocation, "POST", NULL, body, error, "edits", NULL);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		say_done(screen, table, noun, op, before, answer);
	note_rebased(screen, answer);
	return TRUE;
}

/* "change rule 7", what a change is called that nobody gave a title. */
static char *title_of(StateTable table, const char *noun, const char *op, const json_t *row)
{
	const char *verb = strcmp(op, "insert") == 0   ? "add"
			   : strcmp(op, "delete") == 0 ? "delete"
						       : "change";
	if (table == STATE_RULES && json_object_get(row, "rule_id") == NULL)
		return g_strdup_printf("%s a %s", verb, noun);
	g_autofree char *name = row_key_words(table, row);
	return g_strdup_printf("%s %s %s", verb, noun, name);
}

static gboolean submit(
	Invocation *invocation, const char *title, const char *when, json_t *ops, GError **error)
{
	json_t *body = body_of("title", title, "when", when, "reason",
		invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "ops", ops);
	return change_answer(invocation,
		invocation_call(invocation, "POST", NULL, body, error, "changes", NULL),
		"submitted");
}

gboolean row_send(Invocation *invocation, StateTable table, const char *noun, const char *op,
	const json_t *before, json_t *row, GError **error)
{
	g_autofree char *when = NULL, *title = title_of(table, noun, op, row);
	const char *named = invocation_option(invocation, "title");
	g_autoptr(json_t) made = op_of(invocation, table, op, before, row, error);
	if (made == NULL || !row_time_option(invocation, "when", &when, error))
		return FALSE;
	if (when == NULL && named != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"only a change has a --title: say --when TIME, too");
		return FALSE;
	}
	json_t *ops = json_pack("[O]", made);
	if (when == NULL)
		return edit_now(invocation, table, noun, op, before, ops, error);
	return submit(invocation, named != NULL ? named : title, when, ops, error);
}

/* The commands of a kind ------------------------------------------------------------------------
 */

/* What was typed: arguments in the order of the columns that have no option, then options. */
static json_t *typed_row(Invocation *invocation, const RowKind *kind, GError **error)
{
	gint64 now_us = clock_now_us(invocation_clock(invocation));
	g_autoptr(json_t) row = json_object();
	guint position = 0;
	for (const RowColumn *column = kind->columns; column->name != NULL; column++) {
		const char *text = column->option != NULL
					   ? invocation_option(invocation, column->option)
					   : invocation_argument(invocation, position++);
		if (text == NULL)
			continue;
		json_t *value = row_value(column, text, now_us, error);
		if (value == NULL)
			return NULL;
		json_object_set_new(row, column->name, value);
	}
	return g_steal_pointer(&row);
}

gboolean row_run_put(Invocation *invocation, const RowKind *kind, GError **error)
{
	g_autoptr(json_t) row = typed_row(invocation, kind, error), before = NULL;
	g_autofree char *key = row != NULL ? state_key(kind->table, row, error) : NULL;
	if (key == NULL || !row_find(invocation, kind->table, key, &before, error))
		return FALSE;
	return row_send(invocation, kind->table, kind->noun, before != NULL ? "update" : "insert",
		before, g_steal_pointer(&row), error);
}

static json_t *key_columns(StateTable table, const json_t *row)
{
	json_t *key = json_object();
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)row, column, value)
		if (state_is_key(table, column))
			json_object_set(key, column, value);
	return key;
}

gboolean row_run_remove(Invocation *invocation, const RowKind *kind, GError **error)
{
	g_autoptr(json_t) row = typed_row(invocation, kind, error), before = NULL;
	g_autofree char *key = row != NULL ? state_key(kind->table, row, error) : NULL;
	if (key == NULL || !row_find(invocation, kind->table, key, &before, error))
		return FALSE;
	return row_send(invocation, kind->table, kind->noun, "delete", before,
		key_columns(kind->table, row), error);
}

static Table *table_of(const RowKind *kind, const json_t *rows)
{
	Table *table = table_new();
	const RowColumn *column;
	for (column = kind->columns; column->name != NULL; column++)
		if (column->heading != NULL)
			table_column(table, column->heading,
				column[1].name == NULL	      ? TABLE_ELASTIC
				: column->type == ROW_INTEGER ? TABLE_RIGHT
							      : TABLE_LEFT);
	gsize i;
	json_t *row;
	json_array_foreach (rows, i, row) {
		for (column = kind->columns; column->name != NULL; column++) {
			const json_t *value = json_object_get(row, column->name);
			g_autofree char *text = column->type == ROW_TIME
							? show_time(row, column->name)
							: row_value_text(value);
			gboolean is_any = column->type == ROW_ANY && strcmp(text, "*") == 0;
			if (column->heading != NULL)
				table_cell(table,
					state_is_key(kind->table, column->name) ? STYLE_STRONG
										: STYLE_PLAIN,
					is_any ? "all" : text);
		}
	}
	return table;
}

gboolean row_run_list(Invocation *invocation, const RowKind *kind, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *at = NULL;
	if (!row_time_option(invocation, "at", &at, error))
		return FALSE;
	g_autoptr(json_t) answer = row_all(invocation, kind->table,
		query_of("product", invocation_option(invocation, "product"), "channel",
			invocation_option(invocation, "channel"), "at", at, NULL),
		error);
	if (answer == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, answer);
		return TRUE;
	}
	g_autoptr(Table) table = table_of(kind, json_object_get(answer, "rows"));
	if (table_rows(table) > 0)
		table_show(table, screen, 0);
	else
		screen_note(screen, "there is no %s", kind->noun);
	return TRUE;
}

/* Showing ------------------------------------------------------------------------------------- */

static void show_versions(const Screen *screen, const json_t *versions)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "FROM", TABLE_LEFT);
	table_column(table, "BY", TABLE_LEFT);
	table_column(table, "CHANGE", TABLE_RIGHT);
	table_column(table, "WHAT", TABLE_ELASTIC);
	for (gsize i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		const json_t *row = json_object_get(version, "row");
		const json_t *older = json_object_get(json_array_get(versions, i + 1), "row");
		g_autofree char *from = show_time(version, "from");
		g_autofree char *change = show_number(version, "change");
		g_autofree char *what = row_difference(older, row);
		table_cell(table, STYLE_PLAIN, from);
		table_cell(table, STYLE_PLAIN, json_text(version, "actor"));
		table_cell(table, STYLE_PLAIN, change);
		table_cell(table, STYLE_PLAIN,
			!json_is_object(row) ? "deleted"
			: older == NULL	     ? "added"
					     : what);
	}
	if (table_rows(table) == 0)
		return;
	screen_line(screen, "%s", "");
	table_show(table, screen, 0);
}

void row_show(const Screen *screen, StateTable table, const char *noun, const json_t *answer)
{
	const json_t *row = json_object_get(answer, "row");
	g_autofree char *name = row_key_text(show_text(answer, "key"));
	const char *column;
	json_t *value;
	screen_part(screen, STYLE_STRONG, "%s %s", noun, name);
	screen_line(screen, "%s", json_is_object(row) ? "" : "  is not live");
	json_object_foreach ((json_t *)row, column, value) {
		if (json_is_null(value))
			continue;
		g_autofree char *deep = json_is_object(value) ? json_write_pretty(value) : NULL;
		g_autofree char *text = row_value_text(value);
		if (deep != NULL && table == STATE_RELEASES) {
			screen_line(screen, "  %s", column);
			screen_block(screen, 4, deep);
		} else {
			screen_line(screen, "  %-18s %s", column, text);
		}
	}
	show_versions(screen, json_object_get(answer, "versions"));
}
