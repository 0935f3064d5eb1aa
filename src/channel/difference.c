/* SPDX-License-Identifier: ISC
 *
 * A search, column by column. At each, of the values at hand those are tried that tell the rules
 * still in question, or the releases, apart; a rule that nothing can stop any more ends the list.
 */
#include "channel/difference.h"

#include <string.h>

#include "channel/boundary.h"
#include "channel/digest.h"
#include "channel/query_json.h"
#include "channel/row/scope.h"

typedef json_t DifferenceJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DifferenceJson, json_decref)

typedef struct Side {
	const Snapshot *snapshot;
	GPtrArray *documents; /* const ReleaseDocument *, that can be reached */
} Side;

typedef struct Search {
	Side sides[2];
	json_t *values[BOUNDARY_COLUMNS]; /* lists; null is: not said */
	json_t *query, *found;
	guint steps;
} Search;

/* What is left to ask after `column`, as bits of RuleColumn. */
static guint still_asked(guint column)
{
	guint bits = 0;
	for (guint i = column + 1; i < BOUNDARY_COLUMNS; i++)
		bits |= boundary_rule_column((BoundaryColumn)i) == RULE_COLUMNS
				? 0
				: 1u << boundary_rule_column((BoundaryColumn)i);
	return bits;
}

/* Of the rules in question those that the query meets as far as it is made. */
static GPtrArray *remaining(const GPtrArray *rules, const Query *query, guint column)
{
	GPtrArray *left = g_ptr_array_new();
	RuleColumn asked = boundary_rule_column((BoundaryColumn)column);
	guint later = still_asked(column);
	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = rules->pdata[i];
		if (asked != RULE_COLUMNS && rule_first_miss(rule, query, asked) == asked)
			continue;
		g_ptr_array_add(left, (gpointer)rule);
		if ((rule->asked & later) == 0)
			break;
	}
	return left;
}

/* Queries of one sign are answered alike by what is decided so far. */
static void add_sign(
	GString *sign, const Side *side, const GPtrArray *rules, const Query *query, guint column)
{
	for (guint i = 0; i < rules->len; i++)
		g_string_append_printf(
			sign, "%" G_GINT64_FORMAT " ", ((Rule *)rules->pdata[i])->rule_id);
	for (guint i = 0; i < side->documents->len; i++)
		boundary_release_sign(
			(BoundaryColumn)column, side->documents->pdata[i], query, sign);
	g_string_append_c(sign, '/');
}

static json_t *told(const Answer *answer)
{
	return json_pack("{s:s?, s:o, s:s}", "mapping", answer->mapping, "rule_id",
		answer->rule == NULL ? json_null() : json_integer(answer->rule->rule_id), "why",
		answer_why_text(answer->why));
}

static gboolean is_same_release(const Search *search, const char *name)
{
	const ReleaseDocument *a = snapshot_release(search->sides[0].snapshot, name);
	const ReleaseDocument *b = snapshot_release(search->sides[1].snapshot, name);
	static const char *const nothing[] = {"comment", "data_version", NULL};
	if (a == NULL || b == NULL)
		return a == b;
	g_autoptr(DifferenceJson) one = canonical_row(a->row, nothing);
	g_autoptr(DifferenceJson) other = canonical_row(b->row, nothing);
	return json_equal(one, other);
}

static void compare(Search *search)
{
	Answer answers[2];
	for (guint i = 0; i < 2; i++) {
		Query query = {0};
		if (!query_from_json(search->sides[i].snapshot, search->query, &query, NULL))
			return;
		evaluate(search->sides[i].snapshot, &query, &answers[i]);
	}
	if (g_strcmp0(answers[0].mapping, answers[1].mapping) == 0 &&
		(answers[0].mapping == NULL || is_same_release(search, answers[0].mapping)))
		return;
	json_array_append_new(
		search->found, json_pack("{s:o, s:o, s:o}", "query", json_copy(search->query),
				       "before", told(&answers[0]), "after", told(&answers[1])));
}

static gboolean descend(Search *search, GPtrArray *const rules[2], guint column, GError **error);

/* TRUE when the value was looked at, or is like one before it. */
static gboolean try_value(
	Search *search, GPtrArray *const rules[2], guint column, GHashTable *seen, GError **error)
{
	g_autoptr(GString) sign = g_string_new(NULL);
	g_autoptr(GPtrArray) old = NULL;
	g_autoptr(GPtrArray) new = NULL;
	GPtrArray *left[2] = {NULL, NULL};
	if (++search->steps > DIFFERENCE_MAXIMUM_STEPS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the rules cut queries into more than %d classes; compare fewer products",
			DIFFERENCE_MAXIMUM_STEPS);
		return FALSE;
	}
	for (guint i = 0; i < 2; i++) {
		Query query = {0};
		if (!query_from_json(search->sides[i].snapshot, search->query, &query, NULL)) {
			g_clear_pointer(&left[0], g_ptr_array_unref);
			return TRUE; /* no version in this scheme */
		}
		left[i] = remaining(rules[i], &query, column);
		add_sign(sign, &search->sides[i], left[i], &query, column);
	}
	old = left[0];
	new = left[1];
	return !g_hash_table_add(seen, g_strdup(sign->str)) ||
	       descend(search, left, column + 1, error);
}

/* Rates and pins tell queries apart behind the rules, so all of their values are tried. */
static gboolean descend(Search *search, GPtrArray *const rules[2], guint column, GError **error)
{
	while (column < BOUNDARY_COLUMNS && json_array_size(search->values[column]) < 2)
		column++;
	if (column == BOUNDARY_COLUMNS) {
		compare(search);
		return TRUE;
	}
	const char *name = boundary_column_name((BoundaryColumn)column);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gboolean is_free = boundary_rule_column((BoundaryColumn)column) == RULE_COLUMNS;
	gsize i;
	json_t *value;
	json_array_foreach (search->values[column], i, value) {
		json_object_set(search->query, name, value);
		if (is_free)
			g_hash_table_remove_all(seen);
		if (!try_value(search, rules, column, seen, error))
			return FALSE;
	}
	json_object_del(search->query, name);
	return TRUE;
}

/* Products and channels ------------------------------------------------------------------------ */

static GPtrArray *rules_in_scope(const Snapshot *snapshot, const char *product, const char *channel)
{
	const GPtrArray *all = snapshot_all_rules(snapshot);
	GPtrArray *rules = g_ptr_array_new();
	for (guint i = 0; i < all->len; i++) {
		Rule *rule = all->pdata[i];
		if (scope_holds((Scope){rule->product, rule->channel}, product, channel))
			g_ptr_array_add(rules, rule);
	}
	return rules;
}

static GPtrArray *documents_in(const Snapshot *snapshot, const json_t *canonical)
{
	GPtrArray *documents = g_ptr_array_new();
	const char *name;
	json_t *row;
	json_object_foreach (json_object_get(canonical, "releases"), name, row)
		g_ptr_array_add(documents, (gpointer)snapshot_release(snapshot, name));
	return documents;
}

static gboolean search_channel(
	Search *search, const char *product, const char *channel, GError **error)
{
	g_autoptr(DifferenceJson) one =
		digest_canonical(search->sides[0].snapshot, product, channel);
	g_autoptr(DifferenceJson) other =
		digest_canonical(search->sides[1].snapshot, product, channel);
	if (json_equal(one, other))
		return TRUE;
	const json_t *const canonical[2] = {one, other};
	GPtrArray *rules[2];
	for (guint i = 0; i < 2; i++) {
		rules[i] = rules_in_scope(search->sides[i].snapshot, product, channel);
		search->sides[i].documents = documents_in(search->sides[i].snapshot, canonical[i]);
	}
	for (guint i = 0; i < BOUNDARY_COLUMNS; i++) {
		search->values[i] = json_array();
		for (guint side = 0; side < 2; side++)
			boundary_values((BoundaryColumn)i, canonical[side],
				snapshot_scheme(search->sides[side].snapshot, product),
				search->values[i]);
	}
	search->query = json_object();
	if (product != NULL)
		json_object_set_new(search->query, "product", json_string(product));
	if (channel != NULL)
		json_object_set_new(search->query, "channel", json_string(channel));
	gboolean done = descend(search, rules, 0, error);
	for (guint i = 0; i < BOUNDARY_COLUMNS; i++)
		json_decref(search->values[i]);
	for (guint i = 0; i < 2; i++) {
		g_ptr_array_unref(rules[i]);
		g_ptr_array_unref(search->sides[i].documents);
	}
	json_decref(search->query);
	return done;
}

/* A set, in the order in which they were met. */
static void add_name(GPtrArray *names, const char *name, gsize size)
{
	g_autofree char *own = g_strndup(name, size);
	if (!g_ptr_array_find_with_equal_func(names, own, g_str_equal, NULL))
		g_ptr_array_add(names, g_steal_pointer(&own));
}

static void add_channel(GPtrArray *channels, const char *channel)
{
	gsize size = strlen(channel);
	if (channel[size - 1] != '*') {
		add_name(channels, channel, size);
		return;
	}
	g_autofree char *other = g_strdup_printf("%.*s-other", (int)size - 1, channel);
	add_name(channels, other, strlen(other));
}

static void add_names(const Snapshot *snapshot, GPtrArray *products, GPtrArray *channels)
{
	static const StateTable tables[] = {STATE_SHUTOFFS, STATE_PINS};
	const GPtrArray *all = snapshot_all_rules(snapshot);
	const char *key;
	json_t *row;
	for (guint i = 0; i < all->len; i++) {
		const Rule *rule = all->pdata[i];
		if (rule->product != NULL)
			add_name(products, rule->product, strlen(rule->product));
		if (rule->channel != NULL)
			add_channel(channels, rule->channel);
	}
	for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
		json_object_foreach ((json_t *)snapshot_rows(snapshot, tables[i]), key, row) {
			Scope scope = scope_of_row(tables[i], row);
			add_name(products, scope.product, strlen(scope.product));
			add_name(channels, scope.channel, strlen(scope.channel));
		}
	}
}

json_t *difference(const Snapshot *before, const Snapshot *after, GError **error)
{
	g_autoptr(GPtrArray) products = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) channels = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(DifferenceJson) found = json_array();
	Search search = {.sides = {{.snapshot = before}, {.snapshot = after}}, .found = found};
	add_names(before, products, channels);
	add_names(after, products, channels);
	g_ptr_array_add(products, NULL); /* what nobody names */
	g_ptr_array_add(channels, NULL);
	for (guint i = 0; i < products->len; i++)
		for (guint j = 0; j < channels->len; j++)
			if (!search_channel(&search, products->pdata[i], channels->pdata[j], error))
				return NULL;
	return g_steal_pointer(&found);
}

json_t *difference_of(const Snapshot *before, const Snapshot *after, const char *product,
	const char *channel, GError **error)
{
	g_autoptr(DifferenceJson) found = json_array();
	Search search = {.sides = {{.snapshot = before}, {.snapshot = after}}, .found = found};
	return search_channel(&search, product, channel, error) ? g_steal_pointer(&found) : NULL;
}
