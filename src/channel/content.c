/* SPDX-License-Identifier: ISC
 *
 * Contents of changes, and the roles that they need.
 */
#include "channel/content.h"

#include <string.h>

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
	g_autoptr(State) applied = state_apply(state, change, error);
	if (applied == NULL)
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

/* Who must agree ------------------------------------------------------------------------------- */

typedef struct Concerned {
	Scope requirement;
	gboolean is_met;
} Concerned;

/* Requirements are themselves changed by changes, with the agreement that they ask for. */
static void meet_requirement(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Concerned *concerned = of;
	const json_t *const rows[] = {before, after};
	for (guint i = 0; table == STATE_REQUIREMENTS && i < G_N_ELEMENTS(rows); i++)
		if (rows[i] != NULL &&
			scope_overlaps(scope_of_row(table, rows[i]), concerned->requirement))
			concerned->is_met = TRUE;
}

static void required_role_clear(gpointer item)
{
	RequiredRole *required = item;
	g_free(required->role);
	g_free(required->because);
}

static void require(GArray *roles, const char *role, guint count, const char *because)
{
	for (guint i = 0; i < roles->len; i++) {
		RequiredRole *there = &g_array_index(roles, RequiredRole, i);
		if (strcmp(there->role, role) != 0)
			continue;
		if (count > there->count) {
			there->count = count;
			g_free(there->because);
			there->because = g_strdup(because);
		}
		return;
	}
	RequiredRole required = {g_strdup(role), count, g_strdup(because)};
	g_array_append_val(roles, required);
}

static gint by_role(gconstpointer a, gconstpointer b)
{
	return strcmp(((const RequiredRole *)a)->role, ((const RequiredRole *)b)->role);
}

GArray *content_required_roles(const State *state, const json_t *change)
{
	GArray *roles = g_array_new(FALSE, FALSE, sizeof(RequiredRole));
	g_array_set_clear_func(roles, required_role_clear);
	g_autoptr(Footprint) footprint = footprint_new(state, change);
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, STATE_REQUIREMENTS), key, row) {
		Concerned concerned = {scope_of_row(STATE_REQUIREMENTS, row), FALSE};
		json_int_t count = json_integer_value(json_object_get(row, "n"));
		for (guint i = 0; i < footprint->scopes->len; i++)
			concerned.is_met |= scope_overlaps(
				g_array_index(footprint->scopes, Scope, i), concerned.requirement);
		state_each_write(state, change, meet_requirement, &concerned);
		/* A number that is none asks for as many as it can: too careful, never too little.
		 */
		if (concerned.is_met)
			require(roles, json_string_value(json_object_get(row, "role")),
				count >= 1 && count <= CONTENT_MAXIMUM_SIGNERS
					? (guint)count
					: CONTENT_MAXIMUM_SIGNERS,
				key);
	}
	g_array_sort(roles, by_role);
	return roles;
}
