/* SPDX-License-Identifier: ISC
 *
 * Contents of changes, and the roles that they need.
 */
#include "channel/change/content.h"

#include <string.h>

#include "channel/row/row.h"

typedef json_t ContentJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContentJson, json_decref)

static const char *const bookkeeping[] = {"data_version", NULL};

static json_t *said(const json_t *row)
{
	return row == NULL ? json_null() : canonical_row(row, bookkeeping);
}

/* Several ops may write one row: its first `before` stays, its last `after` counts. */
static void note_write(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	json_t *rows = of;
	g_autofree char *name = g_strdup_printf("%d %s", (int)table, key);
	json_t *there = json_object_get(rows, name);
	if (there != NULL)
		json_object_set_new(there, "after", said(after));
	else
		json_object_set_new(rows, name,
			json_pack("{s:s, s:s, s:o, s:o}", "table", state_table_name(table), "key",
				key, "before", said(before), "after", said(after)));
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *content_of(const State *state, const json_t *change, GError **error)
{
	if (!state_fits(state, change, error))
		return NULL;
	g_autoptr(ContentJson) rows = json_object();
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	json_t *content = json_array(), *row;
	const char *name;
	state_each_write(state, change, note_write, rows);
	json_object_foreach (rows, name, row)
		g_ptr_array_add(names, (gpointer)name);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++) {
		row = json_object_get(rows, names->pdata[i]);
		if (!json_equal(json_object_get(row, "before"), json_object_get(row, "after")))
			json_array_append(content, row);
	}
	return content;
}

char *content_digest(const json_t *content)
{
	return canonical_digest(content);
}

char *content_time_digest(const json_t *content, gint64 when)
{
	g_autoptr(ContentJson) timed =
		json_pack("{s:O, s:I}", "content", content, "when", (json_int_t)when);
	return canonical_digest(timed);
}

/* Whom it concerns ----------------------------------------------------------------------------- */

/* Queries, or the business of one role. */
typedef struct Claim {
	Scope scope;
	const char *role; /* NULL: whichever signs for the scope */
} Claim;

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

static void add_claim(GArray *claims, Scope scope, const char *role)
{
	Claim claim = {{g_strdup(scope.product), g_strdup(scope.channel)}, g_strdup(role)};
	g_array_append_val(claims, claim);
}

static void claim_clear(gpointer item)
{
	Claim *claim = item;
	g_free((char *)claim->scope.product);
	g_free((char *)claim->scope.channel);
	g_free((char *)claim->role);
}

static void claim_row(GArray *claims, StateTable table, const json_t *row)
{
	Scope scope = row == NULL ? (Scope){NULL, NULL} : scope_of_row(table, row);
	Scope product = {scope.product, NULL};
	if (row == NULL)
		return;
	if (table == STATE_REQUIREMENTS)
		add_claim(claims, scope, NULL);
	else if (table == STATE_ROLES || table == STATE_GRANTS)
		add_claim(claims, product, text_of(row, "role"));
	else if (table == STATE_FREEZES || table == STATE_CHANNELS)
		add_claim(claims, product, NULL);
}

static void claim_write(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	claim_row(of, table, before);
	claim_row(of, table, after);
}

/* Shutting off and freezing is what one does in need, and asks nobody. */
static gboolean only_stops(const json_t *op)
{
	const char *table = text_of(op, "table");
	return g_strcmp0(text_of(op, "op"), "insert") == 0 &&
	       (g_strcmp0(table, state_table_name(STATE_SHUTOFFS)) == 0 ||
		       g_strcmp0(table, state_table_name(STATE_FREEZES)) == 0);
}

static json_t *without_stops(const json_t *change)
{
	json_t *ops = json_array(), *op, *rest = json_copy((json_t *)change);
	gsize i;
	json_array_foreach (json_object_get(change, "ops"), i, op)
		if (!only_stops(op))
			json_array_append(ops, op);
	json_object_set_new(rest, "ops", ops);
	return rest;
}

static GArray *claims_of(const State *state, const json_t *change)
{
	GArray *claims = g_array_new(FALSE, FALSE, sizeof(Claim));
	g_array_set_clear_func(claims, claim_clear);
	g_autoptr(ContentJson) rest = without_stops(change);
	g_autoptr(Footprint) footprint = footprint_new(state, rest);
	for (guint i = 0; i < footprint->scopes->len; i++)
		add_claim(claims, g_array_index(footprint->scopes, Scope, i), NULL);
	state_each_write(state, rest, claim_write, claims);
	return claims;
}

static gint by_name_of(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

/* Takes the set of names. */
static char **sorted_names(GHashTable *names)
{
	g_autoptr(GStrvBuilder) sorted = g_strv_builder_new();
	GList *keys = g_list_sort(g_hash_table_get_keys(names), by_name_of);
	for (const GList *key = keys; key != NULL; key = key->next)
		g_strv_builder_add(sorted, key->data);
	g_list_free(keys);
	g_hash_table_unref(names);
	return g_strv_builder_end(sorted);
}

static GHashTable *new_names(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void note_product(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	const json_t *const rows[] = {before, after};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *product = text_of(rows[i], "product");
		if (rows[i] != NULL)
			g_hash_table_add(of, g_strdup(product != NULL ? product : "*"));
	}
}

char **content_products(const State *state, const json_t *change)
{
	GHashTable *names = new_names();
	g_autoptr(Footprint) footprint = footprint_new(state, change);
	for (guint i = 0; i < footprint->scopes->len; i++) {
		const char *product = g_array_index(footprint->scopes, Scope, i).product;
		g_hash_table_add(names, g_strdup(product != NULL ? product : "*"));
	}
	state_each_write(state, change, note_product, names);
	return sorted_names(names);
}

/* Who must agree ------------------------------------------------------------------------------- */

typedef struct Wanted {
	GHashTable *products;
	guint count;
	const char *because;
} Wanted;

static void wanted_free(gpointer item)
{
	Wanted *wanted = item;
	g_clear_pointer(&wanted->products, g_hash_table_unref);
	g_free(wanted);
}

/* A number that is none asks for as many as it can: too careful, never too little. */
static guint count_of(const json_t *requirement)
{
	json_int_t count = json_integer_value(json_object_get(requirement, "n"));
	return count >= 1 && count <= ROW_MAXIMUM_SIGNERS ? (guint)count : ROW_MAXIMUM_SIGNERS;
}

static Wanted *find_wanted(GHashTable *roles, const char *role)
{
	Wanted *wanted = g_hash_table_lookup(roles, role);
	if (wanted != NULL)
		return wanted;
	wanted = g_new0(Wanted, 1);
	wanted->products = new_names();
	g_hash_table_insert(roles, (gpointer)role, wanted);
	return wanted;
}

static void require(GHashTable *roles, const char *key, const json_t *row, const Claim *claim)
{
	Scope scope = scope_of_row(STATE_REQUIREMENTS, row);
	const char *role = text_of(row, "role");
	if (role == NULL || (claim->role != NULL && strcmp(claim->role, role) != 0) ||
		!scope_overlaps(scope, claim->scope))
		return;
	Wanted *wanted = find_wanted(roles, role);
	const char *product = scope.product != NULL	     ? scope.product
			      : claim->scope.product != NULL ? claim->scope.product
							     : "*";
	g_hash_table_add(wanted->products, g_strdup(product));
	if (count_of(row) <= wanted->count)
		return;
	wanted->count = count_of(row);
	wanted->because = key;
}

static void required_role_clear(gpointer item)
{
	RequiredRole *required = item;
	g_free(required->role);
	g_free(required->because);
	g_strfreev(required->products);
}

static gint by_role(gconstpointer a, gconstpointer b)
{
	return strcmp(((const RequiredRole *)a)->role, ((const RequiredRole *)b)->role);
}

GArray *content_required_roles(const State *state, const json_t *change)
{
	GArray *required = g_array_new(FALSE, FALSE, sizeof(RequiredRole));
	g_array_set_clear_func(required, required_role_clear);
	g_autoptr(GArray) claims = claims_of(state, change);
	g_autoptr(GHashTable) roles =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, wanted_free);
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, STATE_REQUIREMENTS), key, row)
		for (guint i = 0; i < claims->len; i++)
			require(roles, key, row, &g_array_index(claims, Claim, i));
	GHashTableIter iter;
	gpointer role, value;
	g_hash_table_iter_init(&iter, roles);
	while (g_hash_table_iter_next(&iter, &role, &value)) {
		Wanted *wanted = value;
		RequiredRole one = {g_strdup(role), wanted->count, g_strdup(wanted->because),
			sorted_names(g_steal_pointer(&wanted->products))};
		g_array_append_val(required, one);
	}
	g_array_sort(required, by_role);
	return required;
}
