/* SPDX-License-Identifier: ISC
 *
 * A row that is written concerns the scope that it has and the one that it had. A release concerns
 * the rules and pins that map to it, and those that map to a release with a partial from it. How a
 * product is delivered concerns its releases, too: their versions are read in its scheme.
 */
#include "channel/footprint.h"

#include <string.h>

#include "channel/release_document.h"

typedef struct Walk {
	Footprint *footprint;
	const State *state; /* before the change */
	GHashTable *mapped; /* release -> GArray of Scope: whom it concerns; NULL: not needed yet */
	GHashTable *heirs;  /* release -> GPtrArray of releases that lead from it */
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

/* Every rule or pin of the state that has the text in the column. */
static void add_scopes_of(Walk *walk, StateTable table, const char *column, const char *text)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(walk->state, table), key, row)
		if (g_strcmp0(text_of(row, column), text) == 0)
			add_scope(walk->footprint, scope_of_row(table, row));
}

/* Who is mapped to what, once for all releases of a change ------------------------------------- */

static void note_mapped(Walk *walk, StateTable table, const char *column)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(walk->state, table), key, row) {
		const char *release = text_of(row, column);
		GArray *scopes =
			release == NULL ? NULL : g_hash_table_lookup(walk->mapped, release);
		Scope scope = scope_of_row(table, row);
		if (release == NULL)
			continue;
		if (scopes == NULL) {
			scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
			g_hash_table_insert(walk->mapped, (gpointer)release, scopes);
		}
		g_array_append_val(scopes, scope);
	}
}

static void note_heir(Walk *walk, const char *name, const json_t *release)
{
	g_autoptr(GHashTable) origins = release_document_origins(release);
	GHashTableIter iter;
	gpointer origin;
	g_hash_table_iter_init(&iter, origins);
	while (g_hash_table_iter_next(&iter, &origin, NULL)) {
		GPtrArray *heirs = g_hash_table_lookup(walk->heirs, origin);
		if (heirs == NULL) {
			heirs = g_ptr_array_new();
			g_hash_table_insert(walk->heirs, origin, heirs);
		}
		g_ptr_array_add(heirs, (gpointer)name);
	}
}

static void note_all(Walk *walk)
{
	const char *key;
	json_t *row;
	if (walk->mapped != NULL)
		return;
	walk->mapped =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_array_unref);
	walk->heirs = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	note_mapped(walk, STATE_RULES, "mapping");
	note_mapped(walk, STATE_RULES, "fallback_mapping");
	note_mapped(walk, STATE_PINS, "mapping");
	json_object_foreach ((json_t *)state_rows(walk->state, STATE_RELEASES), key, row)
		note_heir(walk, key, row);
}

static void add_mapped(Walk *walk, const char *release)
{
	const GArray *scopes = g_hash_table_lookup(walk->mapped, release);
	for (guint i = 0; scopes != NULL && i < scopes->len; i++)
		add_scope(walk->footprint, g_array_index(scopes, Scope, i));
}

static void add_release(Walk *walk, const char *name)
{
	note_all(walk);
	const GPtrArray *heirs = g_hash_table_lookup(walk->heirs, name);
	add_mapped(walk, name);
	for (guint i = 0; heirs != NULL && i < heirs->len; i++)
		add_mapped(walk, heirs->pdata[i]);
}

static void add_releases_of(Walk *walk, const char *product)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(walk->state, STATE_RELEASES), key, row)
		if (g_strcmp0(text_of(row, "product"), product) == 0)
			add_release(walk, key);
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
	add_origins(walk, json_object_get(state_rows(walk->state, STATE_RELEASES), release));
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
	add_scopes_of(walk, STATE_RULES, "alias", alias);
}

static void visit(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Walk *walk = of;
	g_hash_table_add(
		walk->footprint->writes, g_strconcat(state_table_name(table), " ", key, NULL));
	if (table == STATE_RELEASES) {
		add_release(walk, key);
		add_origins(walk, after);
	}
	if (table == STATE_PRODUCTS)
		add_releases_of(walk, key);
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
	Walk walk = {footprint, state, NULL, NULL};
	state_each_write(state, change, visit, &walk);
	g_clear_pointer(&walk.mapped, g_hash_table_unref);
	g_clear_pointer(&walk.heirs, g_hash_table_unref);
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
