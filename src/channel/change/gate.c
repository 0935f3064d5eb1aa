/* SPDX-License-Identifier: ISC
 *
 * Gates as values, and the freeze.
 */
#include "channel/change/gate.h"

#include "base/format.h"
#include "channel/change/content.h"

Gate *gate_new(const char *name, gboolean passes, const char *text, const char *role)
{
	Gate *gate = g_new0(Gate, 1);
	gate->name = g_strdup(name);
	gate->passes = passes;
	gate->text = g_strdup(text);
	gate->role = g_strdup(role);
	return gate;
}

void gate_free(Gate *gate)
{
	if (gate == NULL)
		return;
	g_free(gate->name);
	g_free(gate->text);
	g_free(gate->role);
	g_free(gate);
}

/* The freeze ----------------------------------------------------------------------------------- */

static void note_other(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	gboolean *is_other = of;
	*is_other |= table != STATE_SHUTOFFS || before != NULL || after == NULL;
}

/* Switching off is for an emergency, and what alters nobody's answer is nobody's business. */
static gboolean is_held(const State *state, const json_t *change)
{
	g_autoptr(Footprint) footprint = footprint_new(state, change);
	gboolean is_other = FALSE;
	state_each_write(state, change, note_other, &is_other);
	return is_other && footprint->scopes->len > 0;
}

/* An end that cannot be read does not end: too careful, never too little. */
static gboolean holds_at(const json_t *row, gint64 at_us)
{
	const char *from = json_string_value(json_object_get(row, "from"));
	const char *until = json_string_value(json_object_get(row, "until"));
	gint64 from_us, until_us;
	if (from != NULL && parse_time(from, &from_us, NULL) && at_us < from_us)
		return FALSE;
	return until == NULL || !parse_time(until, &until_us, NULL) || at_us < until_us;
}

static gboolean concerns(const json_t *row, char *const *products)
{
	const char *product = json_string_value(json_object_get(row, "product"));
	if (product == NULL || g_str_equal(product, "*"))
		return TRUE;
	return g_strv_contains((const char *const *)products, product) ||
	       g_strv_contains((const char *const *)products, "*");
}

static char *text_of(const char *name, const json_t *row)
{
	const char *reason = json_string_value(json_object_get(row, "reason"));
	const char *until = json_string_value(json_object_get(row, "until"));
	return g_strdup_printf("the freeze %s holds%s%s%s%s", name, until != NULL ? " until " : "",
		until != NULL ? until : "", reason != NULL ? ": " : "",
		reason != NULL ? reason : "");
}

Gate *gate_freeze(const State *state, const json_t *change, gint64 at_us)
{
	const json_t *freezes = state_rows(state, STATE_FREEZES);
	if (json_object_size(freezes) == 0)
		return gate_new(GATE_FREEZE, TRUE, "no freeze holds", "admin");
	g_auto(GStrv) products = content_products(state, change);
	const char *name;
	json_t *row;
	json_object_foreach ((json_t *)freezes, name, row) {
		if (!holds_at(row, at_us) || !concerns(row, products) || !is_held(state, change))
			continue;
		g_autofree char *text = text_of(name, row);
		return gate_new(GATE_FREEZE, FALSE, text, "admin");
	}
	return gate_new(GATE_FREEZE, TRUE, "no freeze holds", "admin");
}
