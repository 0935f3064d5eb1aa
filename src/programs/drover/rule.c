/* SPDX-License-Identifier: ISC
 *
 * drover rule: queries that match this get that release. Columns are typed as COLUMN=VALUE.
 */
#include "programs/drover/rule.h"

#include <string.h>

#include "channel/rule/rule.h"
#include "programs/drover/commands.h"
#include "programs/drover/row.h"
#include "programs/drover/rule_import.h"
#include "programs/terminal/show.h"

static const char NOUN[] = "rule";

/* In the order of evaluation. */
static int compare_rows(gconstpointer a, gconstpointer b)
{
	const json_t *left = *(const json_t *const *)a, *right = *(const json_t *const *)b;
	const Rule one = {.rule_id = json_integer_of(left, "rule_id"),
		.priority = json_integer_of(left, "priority")};
	const Rule other = {.rule_id = json_integer_of(right, "rule_id"),
		.priority = json_integer_of(right, "priority")};
	return rule_compare(&one, &other);
}

/* Borrowed rows. */
static GPtrArray *in_order(const json_t *rows)
{
	GPtrArray *sorted = g_ptr_array_new();
	gsize i;
	json_t *row;
	json_array_foreach (rows, i, row)
		g_ptr_array_add(sorted, row);
	g_ptr_array_sort(sorted, compare_rows);
	return sorted;
}

void rule_show_list(const Screen *screen, const json_t *rows)
{
	g_autoptr(GPtrArray) sorted = in_order(rows);
	g_autoptr(Table) table = table_new();
	table_column(table, "RULE", TABLE_RIGHT);
	table_column(table, "ALIAS", TABLE_LEFT);
	table_column(table, "PRIORITY", TABLE_RIGHT);
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "CHANNEL", TABLE_LEFT);
	table_column(table, "RATE", TABLE_RIGHT);
	table_column(table, "MAPPING", TABLE_LEFT);
	table_column(table, "ELSE", TABLE_LEFT);
	table_column(table, "MATCHES", TABLE_ELASTIC);
	for (guint i = 0; i < sorted->len; i++) {
		const json_t *row = sorted->pdata[i];
		const json_t *rate = json_object_get(row, "rate");
		g_autofree char *matchers = row_rule_matchers(row);
		table_cell_integer(table, json_integer_of(row, "rule_id"));
		table_cell(table, STYLE_DIM, show_text(row, "alias"));
		table_cell_integer(table, json_integer_of(row, "priority"));
		table_cell(table, STYLE_PLAIN, show_text(row, "product"));
		table_cell(table, STYLE_PLAIN, show_text(row, "channel"));
		table_cell_integer(table, json_is_integer(rate) ? json_integer_value(rate) : 100);
		table_cell(table, STYLE_STRONG, show_text(row, "mapping"));
		table_cell(table, STYLE_PLAIN, show_text(row, "fallback_mapping"));
		table_cell(table, STYLE_PLAIN, matchers);
	}
	table_show_or_say(table, screen, "there is no rule");
}

static gboolean run_list(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autofree char *at = NULL;
	if (!row_time_option(invocation, "at", &at, error))
		return FALSE;
	g_autoptr(json_t) answer = row_all(invocation, STATE_RULES,
		query_of("product", invocation_option(invocation, "product"), "channel",
			invocation_option(invocation, "channel"), "at", at, NULL),
		error);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		rule_show_list(screen, json_object_get(answer, "rows"));
	return TRUE;
}

/* One rule, by its number or alias ----------------------------------------------------------------
 */

static char *number_of_alias(Invocation *invocation, const char *alias, GError **error)
{
	g_autoptr(json_t) answer = row_all(invocation, STATE_RULES, query_of(NULL, NULL), error);
	gsize i;
	json_t *row;
	if (answer == NULL)
		return NULL;
	json_array_foreach (json_object_get(answer, "rows"), i, row)
		if (g_strcmp0(json_text(row, "alias"), alias) == 0)
			return show_number(row, "rule_id");
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"no rule has the number or alias '%s'; drover rule list shows them", alias);
	return NULL;
}

/* Caller frees. NULL with `error`. */
static char *named_number(Invocation *invocation, GError **error)
{
	const char *typed = invocation_argument(invocation, 0);
	return strspn(typed, "0123456789") == strlen(typed) && *typed != '\0'
		       ? g_strdup(typed)
		       : number_of_alias(invocation, typed, error);
}

static json_t *ask(Invocation *invocation, GError **error)
{
	g_autofree char *number = named_number(invocation, error);
	return number == NULL
		       ? NULL
		       : invocation_call(invocation, "GET", query_of("key", number, NULL), NULL,
				 error, "tables", state_table_name(STATE_RULES), "row", NULL);
}

/* What an edit of the named rule is made from; NULL with `error` when it is not there. New
 * reference. */
static json_t *rule_to_edit(Invocation *invocation, GError **error)
{
	g_autofree char *number = named_number(invocation, error);
	json_t *row = NULL;
	if (number == NULL || !row_find(invocation, STATE_RULES, number, &row, error))
		return NULL;
	if (row == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no rule %s%s; drover rule list shows them", number,
			invocation_has(invocation, "when") ? " by then" : "");
	return row;
}

static gboolean run_show(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) answer = ask(invocation, error);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		row_show(screen, STATE_RULES, NOUN, answer);
	return TRUE;
}

/* The words from `first` on, as a patch of `before`. */
static json_t *typed_patch(
	Invocation *invocation, guint first, const json_t *before, GError **error)
{
	g_autoptr(json_t) patch = json_object();
	for (guint i = first; i < invocation_arguments(invocation); i++)
		if (!row_rule_word(patch, before, invocation_argument(invocation, i), error))
			return NULL;
	return g_steal_pointer(&patch);
}

/* A new rule with a matcher that is empty, of a variable that was not set, would match anybody.
 * FALSE for NULL. */
static gboolean says_something(const json_t *row, GError **error)
{
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)row, column, value) {
		if (!json_is_null(value) &&
			!(json_is_object(value) && json_object_size(value) == 0))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s= says nothing; leave it out to match anything", column);
		return FALSE;
	}
	return row != NULL;
}

static gboolean run_add(Invocation *invocation, GError **error)
{
	json_t *row = typed_patch(invocation, 0, NULL, error);
	if (!says_something(row, error)) {
		json_decref(row);
		return FALSE;
	}
	return row_send(invocation, STATE_RULES, NOUN, "insert", NULL, row, error);
}

static gboolean run_set(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) before = rule_to_edit(invocation, error);
	json_t *patch = before != NULL ? typed_patch(invocation, 1, before, error) : NULL;
	if (patch == NULL)
		return FALSE;
	json_object_set(patch, "rule_id", json_object_get(before, "rule_id"));
	return row_send(invocation, STATE_RULES, NOUN, "update", before, patch, error);
}

static gboolean run_delete(Invocation *invocation, GError **error)
{
	g_autoptr(json_t) before = rule_to_edit(invocation, error);
	return before != NULL &&
	       row_send(invocation, STATE_RULES, NOUN, "delete", before,
		       json_pack("{s:O}", "rule_id", json_object_get(before, "rule_id")), error);
}

static const Option list_options[] = {
	{"product", "PRODUCT", "Only what can match this product"},
	{"channel", "CHANNEL", "Only what can match this channel"},
	{"at", "TIME", "As they were at this time"},
	{0},
};

static const Option write_options[] = {ROW_WRITE_OPTIONS, {0}};

#define COLUMNS                                                                                    \
	"COLUMN=VALUE as in rate=25 'version=<60.0' tag.rack=a,b mig64=true; COLUMN= takes it "    \
	"away.\n"

const Command rule_commands[] = {
	{"rule list", "", 0, 0, "Shows the rules in the order in which they are asked", run_list,
		list_options,
		"Of those that match a query the first wins. ELSE is what those outside the rate "
		"get.",
		"drover rule list --product web\ndrover rule list --at 2026-11-01T12:00:00Z", "5",
		"rule show, channel explain"},
	{"rule show", "RULE", 1, 1, "Shows one rule, and what was done to it", run_show, NULL,
		"RULE is its number or its alias.", "drover rule show 7", "3,5", "rule set"},
	{"rule add", "COLUMN=VALUE…", 1, COMMAND_ANY_NUMBER, "Adds a rule", run_add, write_options,
		COLUMNS "docs/channel.md says what each column means.",
		"drover rule add product=web channel=release priority=90 mapping=web-1.4.0\n"
		"drover rule add product=web channel=beta mapping=web-1.5.0 --when 'tomorrow "
		"09:00'",
		"4,5,7", "rule list"},
	{"rule set", "RULE COLUMN=VALUE…", 2, COMMAND_ANY_NUMBER, "Changes columns of a rule",
		run_set, write_options,
		COLUMNS "Where sign-offs are required it goes by a change only: --when TIME.",
		"drover rule set 7 rate=25 --reason 'first quarter'\n"
		"drover rule set stable mapping=web-1.5.0 --when +2h",
		"3,4,5,7", "change submit"},
	{"rule delete", "RULE", 1, 1, "Takes a rule away", run_delete, write_options, NULL,
		"drover rule delete 7 --reason 'nobody runs 1.3 any more'", "3,4,5,7", "rule list"},
	RULE_IMPORT_COMMAND,
	{0},
};
