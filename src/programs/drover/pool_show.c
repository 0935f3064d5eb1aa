/* SPDX-License-Identifier: ISC
 *
 * How pools look on a terminal. A server has one line where all balancers say the same of it, and a
 * line a balancer where they do not.
 */
#include "programs/drover/pool_show.h"

#include <string.h>

static Style style_of(const char *state)
{
	if (strcmp(state, "up") == 0)
		return STYLE_GOOD;
	if (strcmp(state, "disabled") == 0 || strcmp(state, "unknown") == 0)
		return STYLE_DIM;
	if (strcmp(state, "down") == 0 || strcmp(state, "held") == 0 || strcmp(state, "out") == 0)
		return STYLE_BAD;
	return STYLE_WAITING;
}

static gint64 count_of(const json_t *pool, const char *const *states)
{
	const json_t *counts = json_object_get(pool, "states");
	gint64 count = 0;
	for (; *states != NULL; states++)
		count += json_integer_of(counts, *states);
	return count;
}

/* Nothing for 0: what is there stands out. */
static void cell_count(Table *table, Style style, gint64 count)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, count);
	table_cell(table, style, count > 0 ? text : "");
}

void pool_show_list(const Screen *screen, const json_t *pools)
{
	static const char *const up[] = {"up", "unchecked", NULL};
	static const char *const draining[] = {"draining", "drained", NULL};
	static const char *const held[] = {"held", NULL};
	static const char *const down[] = {"down", "maintenance", "out", NULL};
	static const char *const other[] = {"disabled", "unknown", NULL};
	g_autoptr(Table) table = table_new();
	table_column(table, "POOL", TABLE_LEFT);
	table_column(table, "SERVERS", TABLE_RIGHT);
	table_column(table, "UP", TABLE_RIGHT);
	table_column(table, "DRAINING", TABLE_RIGHT);
	table_column(table, "HELD", TABLE_RIGHT);
	table_column(table, "DOWN", TABLE_RIGHT);
	table_column(table, "OTHER", TABLE_RIGHT);
	table_column(table, "BALANCERS", TABLE_RIGHT);
	table_column(table, "LOOK AT", TABLE_ELASTIC);
	gsize index;
	json_t *pool;
	json_array_foreach (pools, index, pool) {
		const json_t *problems = json_object_get(pool, "problems");
		table_cell(table, STYLE_STRONG, json_text(pool, "name"));
		table_cell_integer(table, json_integer_of(pool, "servers"));
		cell_count(table, STYLE_GOOD, count_of(pool, up));
		cell_count(table, STYLE_WAITING, count_of(pool, draining));
		cell_count(table, STYLE_BAD, count_of(pool, held));
		cell_count(table, STYLE_BAD, count_of(pool, down));
		cell_count(table, STYLE_DIM, count_of(pool, other));
		table_cell_integer(table, json_integer_of(pool, "balancers"));
		table_cell(table, STYLE_BAD, json_string_value(json_array_get(problems, 0)));
	}
	table_show_or_say(table, screen, "no pools yet; add one: drover pool add web web1 web2");
}

/* "drain: working", "drain by ada", "". Caller frees. */
static char *order_text(const json_t *server, const json_t *sight)
{
	const char *order = json_text(server, "order");
	gboolean answered = sight != NULL && json_integer_of(sight, "order_id") ==
						     json_integer_of(server, "order_id");
	const char *answer = answered ? json_text(sight, "answer") : NULL;
	const char *why = answered ? json_text(sight, "answer_why") : NULL;
	if (json_text(server, "asked_by") == NULL)
		return g_strdup("");
	return g_strdup_printf("%s%s by %s: %s%s%s", order,
		show_is_true(server, "forced") ? " (forced)" : "", json_text(server, "asked_by"),
		answer != NULL ? answer : "no answer yet", why != NULL ? ", " : "",
		why != NULL ? why : "");
}

static void row(Table *table, const json_t *server, const json_t *sight, const char *balancer)
{
	const char *state = sight != NULL ? json_text(sight, "state") : json_text(server, "state");
	g_autofree char *since = show_time(sight != NULL ? sight : server, "since");
	g_autofree char *order = order_text(server, sight);
	g_autofree char *weight = g_strdup_printf(
		"%" G_GINT64_FORMAT, json_integer_of(sight != NULL ? sight : server,
					     sight != NULL ? "current_weight" : "weight"));
	g_autofree char *open = sight != NULL
					? g_strdup_printf("%" G_GINT64_FORMAT "+%" G_GINT64_FORMAT,
						  json_integer_of(sight, "active"),
						  json_integer_of(sight, "inactive"))
					: g_strdup("");
	table_cell(table, STYLE_STRONG, json_text(server, "host"));
	table_cell(table, STYLE_PLAIN, balancer);
	table_cell(table, style_of(state), state);
	table_cell(table, STYLE_PLAIN, since);
	table_cell(table, STYLE_PLAIN, weight);
	table_cell(table, STYLE_PLAIN, open);
	table_cell(table, STYLE_PLAIN, order);
	table_cell(table, STYLE_PLAIN, sight != NULL ? json_text(sight, "why") : NULL);
}

/* All that speak now say the same: state, weight and answer. */
static gboolean is_of_one_mind(const json_t *sights, const json_t **first)
{
	static const char *const keys[] = {
		"state", "current_weight", "answer", "answer_why", "order_id"};
	gsize index;
	json_t *sight;
	*first = NULL;
	json_array_foreach (sights, index, sight) {
		if (show_is_true(sight, "silent"))
			continue;
		for (gsize i = 0; *first != NULL && i < G_N_ELEMENTS(keys); i++)
			if (!json_equal(json_object_get(*first, keys[i]),
				    json_object_get(sight, keys[i])))
				return FALSE;
		*first = *first != NULL ? *first : sight;
	}
	return TRUE;
}

static void rows_of(Table *table, const json_t *server)
{
	const json_t *sights = json_object_get(server, "sights");
	const json_t *first;
	if (is_of_one_mind(sights, &first)) {
		row(table, server, first, first == NULL ? "none" : "all");
		return;
	}
	gsize index;
	json_t *sight;
	json_array_foreach (sights, index, sight)
		if (!show_is_true(sight, "silent"))
			row(table, server, sight, json_text(sight, "balancer"));
}

static void show_balancers(const Screen *screen, const json_t *pool)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "BALANCER", TABLE_LEFT);
	table_column(table, "REPORTED", TABLE_LEFT);
	table_column(table, "VERSION", TABLE_RIGHT);
	table_column(table, "CAN SERVE", TABLE_LEFT);
	table_column(table, "MAY SPARE ONE", TABLE_LEFT);
	table_column(table, "", TABLE_ELASTIC);
	gsize index;
	json_t *balancer;
	json_array_foreach (json_object_get(pool, "balancers"), index, balancer) {
		g_autofree char *reported = show_time(balancer, "reported");
		gboolean silent = show_is_true(balancer, "silent");
		gboolean serves = show_is_true(balancer, "can_serve");
		const char *note = silent ? "silent" : json_text(balancer, "clock_warning");
		table_cell(table, STYLE_STRONG, json_text(balancer, "name"));
		table_cell(table, STYLE_PLAIN, reported);
		table_cell_integer(table, json_integer_of(balancer, "version"));
		table_cell(table, serves ? STYLE_PLAIN : STYLE_BAD, serves ? "yes" : "no");
		table_cell(table, STYLE_PLAIN, show_is_true(balancer, "can_depool") ? "yes" : "no");
		table_cell(table, STYLE_BAD, note);
	}
	if (table_rows(table) == 0) {
		screen_note(screen, "no balancer has reported about it yet");
		return;
	}
	screen_line(screen, "%s", "");
	table_show(table, screen, 0);
}

void pool_show_one(const Screen *screen, const json_t *pool)
{
	screen_part(screen, STYLE_STRONG, "%s", json_text(pool, "name"));
	screen_line(screen, "  %s, version %" G_GINT64_FORMAT, json_text(pool, "title"),
		json_integer_of(pool, "version"));
	if (json_text(pool, "notes") != NULL)
		screen_block(screen, 2, json_text(pool, "notes"));
	g_autoptr(Table) table = table_new();
	table_column(table, "SERVER", TABLE_LEFT);
	table_column(table, "BALANCER", TABLE_LEFT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "SINCE", TABLE_LEFT);
	table_column(table, "WEIGHT", TABLE_RIGHT);
	table_column(table, "OPEN", TABLE_RIGHT);
	table_column(table, "ASKED", TABLE_LEFT);
	table_column(table, "WHY", TABLE_ELASTIC);
	gsize index;
	json_t *one;
	json_array_foreach (json_object_get(pool, "servers"), index, one)
		rows_of(table, one);
	screen_line(screen, "%s", "");
	if (table_rows(table) > 0)
		table_show(table, screen, 0);
	else
		screen_note(screen, "it has no servers; add one: drover pool set %s web1",
			json_text(pool, "name"));
	show_balancers(screen, pool);
	const json_t *problems = json_object_get(json_object_get(pool, "summary"), "problems");
	if (json_array_size(problems) > 0) {
		screen_line(screen, "%s", "");
		screen_line(screen, "Look at:");
	}
	json_array_foreach (problems, index, one) {
		screen_part(screen, STYLE_BAD, "  ! ");
		screen_line(screen, "%s", json_string_value(one));
	}
}
