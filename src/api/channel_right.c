/* SPDX-License-Identifier: ISC
 *
 * Rights, op by op: of the row as it is, and as it would be.
 */
#include "api/channel_right.h"

#include <string.h>

#include "api/channel_look.h"

typedef struct Asked {
	const Actor *actor;
	gboolean is_refused;
	GError **error;
} Asked;

static void ask(Asked *asked, Role role, const char *product)
{
	asked->is_refused =
		asked->is_refused || !actor_require(asked->actor, role, product, asked->error);
}

static Role role_for(StateTable table, gboolean is_new)
{
	if (table == STATE_FREEZES && !is_new)
		return ROLE_ADMIN;
	return ROLE_OPERATOR;
}

static void ask_row(Asked *asked, StateTable table, gboolean is_new, const json_t *row)
{
	if (table == STATE_GRANTS || table == STATE_ROLES)
		ask(asked, ROLE_ADMIN, NULL);
	else
		ask(asked, role_for(table, is_new), channel_row_product(row));
}

static void visit_row(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Asked *asked = of;
	(void)key;
	if (before != NULL)
		ask_row(asked, table, FALSE, before);
	if (after != NULL)
		ask_row(asked, table, before == NULL, after);
}

/* An insert may have no key yet, and is not visited then. */
static void ask_insert(Asked *asked, const json_t *op)
{
	StateTable table;
	const char *name = json_text(op, "table");
	if (name != NULL && g_strcmp0(json_text(op, "op"), "insert") == 0 &&
		state_table_find(name, &table))
		ask_row(asked, table, TRUE, json_object_get(op, "row"));
}

gboolean channel_may_write(
	const Actor *actor, const State *state, const json_t *ops, GError **error)
{
	Asked asked = {actor, FALSE, error};
	g_autoptr(json_t) change = json_pack("{s:O}", "ops", ops);
	for (gsize i = 0; i < json_array_size(ops); i++)
		ask_insert(&asked, json_array_get(ops, i));
	if (!asked.is_refused)
		state_each_write(state, change, visit_row, &asked);
	return !asked.is_refused;
}
