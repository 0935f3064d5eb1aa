/* SPDX-License-Identifier: ISC
 *
 * How nodes look on a terminal: a line for each product that a node runs.
 */
#include "programs/drover/node_show.h"

#include <string.h>

#include "programs/terminal/show.h"

static Style style_of(const char *state)
{
	if (strcmp(state, "good") == 0)
		return STYLE_GOOD;
	if (strcmp(state, "failed") == 0 || strcmp(state, "silent") == 0)
		return STYLE_BAD;
	return strcmp(state, "never") == 0 ? STYLE_DIM : STYLE_WAITING;
}

/* "1.4.2", "1.4.2 (ordered)". Caller frees. */
static char *target_text(const json_t *product)
{
	const char *ordered = json_text(product, "ordered");
	const char *version = json_text(json_object_get(product, "should"), "version");
	if (ordered != NULL)
		return g_strdup_printf("%s (ordered)", ordered);
	return g_strdup(version != NULL ? version : "-");
}

static void add_row(Table *table, const char *node, const json_t *product)
{
	const char *state = json_text(product, "state");
	g_autofree char *target = target_text(product);
	table_cell(table, STYLE_STRONG, node);
	table_cell(table, STYLE_PLAIN, json_text(product, "product"));
	table_cell(table, STYLE_PLAIN, json_text(product, "channel"));
	table_cell(table, STYLE_PLAIN, show_text(product, "running"));
	table_cell(table, STYLE_PLAIN, target);
	table_cell(table, style_of(state), state);
	table_cell(table, STYLE_PLAIN, json_text(product, "text"));
}

static void add_empty_row(Table *table, const char *node)
{
	table_cell(table, STYLE_STRONG, node);
	for (guint i = 0; i < 5; i++)
		table_cell(table, STYLE_DIM, "-");
	table_cell(table, STYLE_PLAIN, "it is to run nothing");
}

static Table *new_table(void)
{
	Table *table = table_new();
	table_column(table, "NODE", TABLE_LEFT);
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "CHANNEL", TABLE_LEFT);
	table_column(table, "RUNS", TABLE_LEFT);
	table_column(table, "IS TO RUN", TABLE_LEFT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "", TABLE_ELASTIC);
	return table;
}

static void add_node(Table *table, const json_t *node)
{
	const json_t *products = json_object_get(node, "products");
	gsize i;
	json_t *product;
	json_array_foreach (products, i, product)
		add_row(table, json_text(node, "name"), product);
	if (json_array_size(products) == 0)
		add_empty_row(table, json_text(node, "name"));
}

void node_show_list(const Screen *screen, const json_t *nodes)
{
	g_autoptr(Table) table = new_table();
	gsize i;
	json_t *node;
	json_array_foreach (nodes, i, node)
		add_node(table, node);
	table_show_or_say(table, screen,
		"no nodes; add one: drover node add web1 --product web --channel release");
}

static void say_host(const Screen *screen, const json_t *node)
{
	const json_t *host = json_object_get(node, "host");
	const char *warning = json_text(host, "warning");
	g_autofree char *seen = show_time(host, "seen");
	if (json_is_null(host))
		screen_line(screen, "its host has not enrolled: drover host invite %s --kind node",
			json_text(node, "name"));
	else
		screen_line(screen, "host: %s, last seen %s, drover-node %s",
			show_is_true(host, "enrolled") ? "enrolled" : "revoked", seen,
			show_text(host, "version"));
	if (warning != NULL)
		screen_line(screen, "%s", warning);
}

static void say_tags(const Screen *screen, const json_t *node)
{
	const char *name;
	json_t *value;
	json_object_foreach (json_object_get(node, "tags"), name, value)
		screen_line(screen, "tag: %s=%s", name, json_string_value(value));
	if (json_text(node, "notes") != NULL)
		screen_block(screen, 0, json_text(node, "notes"));
}

static void say_why(const Screen *screen, const json_t *product)
{
	const json_t *should = json_object_get(product, "should");
	const char *version = json_text(should, "version");
	screen_line(screen, "%s: channel %s gives it %s: %s", json_text(product, "product"),
		json_text(product, "channel"), version != NULL ? version : "nothing",
		json_text(should, "why"));
	if (g_strcmp0(json_text(product, "follows"), "always") == 0)
		screen_line(screen, "%s: it follows by itself in a pool, too: nobody drains it",
			json_text(product, "product"));
	if (json_text(product, "waits_in") != NULL)
		screen_line(screen,
			"%s: it is in pool %s, so it does not follow by itself: drover node order",
			json_text(product, "product"), json_text(product, "waits_in"));
	if (json_text(product, "ordered") != NULL)
		screen_line(screen, "%s: %s ordered %s: %s", json_text(product, "product"),
			show_text(product, "asked_by"), json_text(product, "ordered"),
			show_text(product, "reason"));
}

static void show_events(const Screen *screen, const json_t *events)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "AT", TABLE_LEFT);
	table_column(table, "PRODUCT", TABLE_LEFT);
	table_column(table, "EVENT", TABLE_LEFT);
	table_column(table, "RAN", TABLE_LEFT);
	table_column(table, "", TABLE_ELASTIC);
	gsize i;
	json_t *event;
	json_array_foreach (events, i, event) {
		g_autofree char *at = show_time(event, "at");
		table_cell(table, STYLE_PLAIN, at);
		table_cell(table, STYLE_PLAIN, json_text(event, "product"));
		table_cell(table, STYLE_PLAIN, json_text(event, "state"));
		table_cell(table, STYLE_PLAIN, show_text(event, "version"));
		table_cell(table, STYLE_PLAIN, json_text(event, "text"));
	}
	if (table_rows(table) == 0)
		return;
	screen_line(screen, "%s", "");
	table_show(table, screen, 0);
}

void node_show_one(const Screen *screen, const json_t *node)
{
	g_autoptr(Table) table = new_table();
	gsize i;
	json_t *product;
	add_node(table, node);
	table_show(table, screen, 0);
	screen_line(screen, "%s", "");
	json_array_foreach (json_object_get(node, "products"), i, product)
		say_why(screen, product);
	say_host(screen, node);
	say_tags(screen, node);
	show_events(screen, json_object_get(node, "events"));
}
