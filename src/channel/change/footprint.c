/* SPDX-License-Identifier: ISC
 *
 * A row that is written concerns the scope that it has and the one that it had. A release concerns
 * the rules and pins that map to it, and those that map to a release with a partial from it. How a
 * product is delivered concerns its releases, too: their versions are read in its scheme.
 */
#include "channel/change/footprint.h"

#include <string.h>

#include "channel/rule/release_document.h"

typedef struct Walk {
	Footprint *footprint;
	const State *state; /* before the change */
	StateTable table;   /* that is looked through */
} Walk;

static void scope_clear(gpointer item)
{
	Scope *scope = item;
	g_free((char *)scope->product);
	g_free((char *)scope->channel);
}

static void add_scope(Footprint *footprint, Scope scope)
{
	for (guint i = 0; i < footprint->scopes->len; i++) {
		Scope there = g_array_index(footprint->scopes, Scope, i);
		if (g_strcmp0(there.product, scope.product) == 0 &&
			g_strcmp0(there.channel, scope.channel) == 0)
			return;
	}
	Scope own = {g_strdup(scope.product), g_strdup(scope.channel)};
	g_array_append_val(footprint->scopes, own);
}

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

/* Whom a release concerns ---------------------------------------------------------------------- */

static void add_found(const char *key, const json_t *row, gpointer of)
{
	const Walk *walk = of;
	(void)key;
	add_scope(walk->footprint, scope_of_row(walk->table, row));
}

/* The scopes of every rule or pin that has the text. */
static void add_scopes_of(Walk *walk, StateTable table, SheetIndex index, const char *text)
{
	walk->table = table;
	sheet_each(state_sheet(walk->state, table), index, text, add_found, walk);
}

static void add_mapped(const char *release, const json_t *row, gpointer of)
{
	(void)row;
	add_scopes_of(of, STATE_RULES, SHEET_BY_MAPPING, release);
	add_scopes_of(of, STATE_PINS, SHEET_BY_MAPPING, release);
}

static void add_release(const char *name, const json_t *row, gpointer of)
{
	const Walk *walk = of;
	Sheet *releases = state_sheet(walk->state, STATE_RELEASES);
	add_mapped(name, row, of);
	sheet_each(releases, SHEET_BY_ORIGIN, name, add_mapped, of);
}

/* `name` NULL: none. */
static void add_read(Walk *walk, const char *kind, const char *name)
{
	if (name != NULL)
		g_hash_table_add(walk->footprint->reads, g_strconcat(kind, " ", name, NULL));
}

/* What a release's partials lead from decides with it who gets them. */
static void add_origins(Walk *walk, const json_t *release)
{
	g_autoptr(GHashTable) origins = release_document_origins(release);
	GHashTableIter iter;
	gpointer origin;
	g_hash_table_iter_init(&iter, origins);
	while (g_hash_table_iter_next(&iter, &origin, NULL))
		add_read(walk, "releases", origin);
}

/* A rule or pin can only go live when its release is there. */
static void add_mapping(Walk *walk, const char *release)
{
	if (release == NULL)
		return;
	add_read(walk, "releases", release);
	add_origins(walk, state_row(walk->state, STATE_RELEASES, release));
}

static void add_row(Walk *walk, StateTable table, const json_t *row)
{
	if (row == NULL)
		return;
	if (table != STATE_RELEASES && state_table_answers(table))
		add_scope(walk->footprint, scope_of_row(table, row));
	const char *alias = table == STATE_RULES ? text_of(row, "alias") : NULL;
	if (alias == NULL)
		return;
	g_hash_table_add(walk->footprint->writes, g_strconcat("alias ", alias, NULL));
	add_scopes_of(walk, STATE_RULES, SHEET_BY_ALIAS, alias);
}

static void visit(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Walk *walk = of;
	g_hash_table_add(
		walk->footprint->writes, g_strconcat(state_table_name(table), " ", key, NULL));
	if (table == STATE_RELEASES) {
		add_release(key, after, walk);
		add_origins(walk, after);
	}
	if (table == STATE_PRODUCTS)
		sheet_each(state_sheet(walk->state, STATE_RELEASES), SHEET_BY_PRODUCT, key,
			add_release, walk);
	if (table == STATE_CHANNELS)
		g_hash_table_add(walk->footprint->writes,
			g_strconcat("channel ", text_of(before != NULL ? before : after, "channel"),
				NULL));
	if (table == STATE_RULES || table == STATE_RELEASES)
		add_read(walk, "products", text_of(after, "product"));
	if (table == STATE_RULES)
		add_read(walk, "channel", text_of(after, "channel"));
	add_row(walk, table, before);
	add_row(walk, table, after);
	if (table != STATE_RULES && table != STATE_PINS)
		return;
	add_mapping(walk, text_of(after, "mapping"));
	add_mapping(walk, text_of(after, "fallback_mapping"));
}

Footprint *footprint_new(const State *state, const json_t *change)
{
	Footprint *footprint = g_new0(Footprint, 1);
	footprint->writes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	footprint->reads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	footprint->scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
	g_array_set_clear_func(footprint->scopes, scope_clear);
	Walk walk = {.footprint = footprint, .state = state};
	state_each_write(state, change, visit, &walk);
	return footprint;
}

void footprint_free(Footprint *footprint)
{
	if (footprint == NULL)
		return;
	g_hash_table_unref(footprint->writes);
	g_hash_table_unref(footprint->reads);
	g_array_unref(footprint->scopes);
	g_free(footprint);
}

gboolean footprint_alters(const Footprint *footprint, const char *product, const char *channel)
{
	for (guint i = 0; i < footprint->scopes->len; i++)
		if (scope_holds(g_array_index(footprint->scopes, Scope, i), product, channel))
			return TRUE;
	return FALSE;
}

static gboolean meet(GHashTable *a, GHashTable *b)
{
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (g_hash_table_contains(b, key))
			return TRUE;
	return FALSE;
}

static gboolean scopes_meet(const GArray *a, const GArray *b)
{
	for (guint i = 0; i < a->len; i++)
		for (guint j = 0; j < b->len; j++)
			if (scope_overlaps(g_array_index(a, Scope, i), g_array_index(b, Scope, j)))
				return TRUE;
	return FALSE;
}

gboolean footprints_are_disjoint(const Footprint *a, const Footprint *b)
{
	return !meet(a->writes, b->writes) && !meet(a->writes, b->reads) &&
	       !meet(a->reads, b->writes) && !scopes_meet(a->scopes, b->scopes);
}
