/* SPDX-License-Identifier: ISC
 *
 * Each table is a sheet. What a change writes is first drafted beside the state; the new state has
 * it over the sheets that were written, and shares all others and every row.
 */
#include "channel/row/state.h"

#include <string.h>

typedef json_t StateJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StateJson, json_decref)

struct State {
	gatomicrefcount references;
	Sheet *sheets[STATE_TABLES]; /* shared with other states once this one is made */
};

static const struct {
	const char *name;
	const char *keys[4]; /* columns, NULL-terminated */
	gboolean answers;
} tables[STATE_TABLES] = {
	[STATE_RULES] = {"rules", {"rule_id"}, TRUE},
	[STATE_RELEASES] = {"releases", {"name"}, TRUE},
	[STATE_SHUTOFFS] = {"shutoffs", {"product", "channel"}, TRUE},
	[STATE_PINS] = {"pins", {"product", "channel", "version"}, TRUE},
	[STATE_REQUIREMENTS] = {"requirements", {"product", "channel", "role"}, FALSE},
	[STATE_PRODUCTS] = {"products", {"product"}, TRUE},
	[STATE_CHANNELS] = {"channels", {"product", "channel"}, FALSE},
	[STATE_ROLES] = {"roles", {"role"}, FALSE},
	[STATE_GRANTS] = {"grants", {"product", "person", "role"}, FALSE},
	[STATE_FREEZES] = {"freezes", {"name"}, FALSE},
};

const char *state_table_name(StateTable table)
{
	return tables[table].name;
}

gboolean state_table_answers(StateTable table)
{
	return tables[table].answers;
}

gboolean state_is_key(StateTable table, const char *column)
{
	return g_strv_contains(tables[table].keys, column);
}

gboolean state_table_find(const char *name, StateTable *table)
{
	for (guint i = 0; i < STATE_TABLES; i++) {
		if (strcmp(name, tables[i].name) == 0) {
			*table = (StateTable)i;
			return TRUE;
		}
	}
	return FALSE;
}

State *state_new(void)
{
	State *state = g_new0(State, 1);
	g_atomic_ref_count_init(&state->references);
	for (guint i = 0; i < STATE_TABLES; i++)
		state->sheets[i] = sheet_new();
	return state;
}

State *state_new_beside(const State *other, StateTable but)
{
	State *state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		if (i == but)
			continue;
		sheet_unref(state->sheets[i]);
		state->sheets[i] = sheet_ref(other->sheets[i]);
	}
	return state;
}

State *state_ref(State *state)
{
	g_atomic_ref_count_inc(&state->references);
	return state;
}

void state_unref(State *state)
{
	if (state == NULL || !g_atomic_ref_count_dec(&state->references))
		return;
	for (guint i = 0; i < STATE_TABLES; i++)
		sheet_unref(state->sheets[i]);
	g_free(state);
}

const json_t *state_rows(const State *state, StateTable table)
{
	return sheet_rows(state->sheets[table]);
}

json_t *state_row(const State *state, StateTable table, const char *key)
{
	return sheet_row(state->sheets[table], key);
}

Sheet *state_sheet(const State *state, StateTable table)
{
	return state->sheets[table];
}

/* Keys ----------------------------------------------------------------------------------------- */

static char *fail_key(const char *column, const char *wanted, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be %s", column, wanted);
	return NULL;
}

static char *rule_key(const json_t *row, GError **error)
{
	const json_t *id = json_object_get(row, "rule_id");
	if (!json_is_integer(id) || json_integer_value(id) < 1 ||
		json_integer_value(id) > G_MAXINT32)
		return fail_key("rule_id", "a whole number from 1", error);
	return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(id));
}

char *state_key(StateTable table, const json_t *row, GError **error)
{
	const char *const *columns = tables[table].keys;
	if (table == STATE_RULES)
		return rule_key(row, error);
	g_autoptr(StateJson) parts = json_array();
	for (guint i = 0; columns[i] != NULL; i++) {
		json_t *part = json_object_get(row, columns[i]);
		if (!json_is_string(part))
			return fail_key(columns[i], "a text", error);
		if (columns[1] == NULL)
			return g_strdup(json_string_value(part));
		json_array_append(parts, part);
	}
	char *dumped = json_dumps(parts, JSON_COMPACT);
	char *key = g_strdup(dumped);
	free(dumped);
	return key;
}

gboolean state_add(State *state, StateTable table, json_t *row, GError **error)
{
	g_autofree char *key = state_key(table, row, error);
	if (key == NULL)
		return FALSE;
	if (state_row(state, table, key) != NULL) {
		drover_error_set(error, DROVER_ERROR_CONFLICT, "%s: %s is there already",
			tables[table].name, key);
		return FALSE;
	}
	sheet_add(state->sheets[table], key, row);
	return TRUE;
}

/* One op --------------------------------------------------------------------------------------- */

typedef struct Op {
	StateTable table;
	char *key;
	json_t *after; /* NULL: the row goes */
} Op;

static void op_clear(Op *op)
{
	g_clear_pointer(&op->key, g_free);
	g_clear_pointer(&op->after, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Op, op_clear)

/* What names the row: the op itself or the row in it. */
char *state_op_key(StateTable table, const json_t *op, GError **error)
{
	const json_t *row = json_object_get(op, "row");
	const char *first = tables[table].keys[0];
	gboolean is_in_op = json_object_get(op, first) != NULL;
	return state_key(table, is_in_op ? op : row, error);
}

/* Null takes a column away, in a patch and in a row. */
static json_t *patched(const json_t *before, const json_t *patch)
{
	json_t *after = before == NULL ? json_object() : json_copy((json_t *)before);
	const char *column;
	json_t *value;
	json_object_foreach ((json_t *)patch, column, value) {
		if (json_is_null(value))
			json_object_del(after, column);
		else
			json_object_set(after, column, value);
	}
	return after;
}

static gboolean conflict(GError **error, const Op *op, const char *why)
{
	drover_error_set(
		error, DROVER_ERROR_CONFLICT, "%s %s: %s", tables[op->table].name, op->key, why);
	return FALSE;
}

static gboolean decide(
	const char *verb, const json_t *given, const json_t *before, Op *op, GError **error)
{
	json_t *row = json_object_get(given, "row");
	gboolean is_insert = strcmp(verb, "insert") == 0, is_delete = strcmp(verb, "delete") == 0;
	if (!is_insert && !is_delete && strcmp(verb, "update") != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"op: must be insert, update or delete, not '%s'", verb);
		return FALSE;
	}
	if (is_insert && before != NULL)
		return conflict(error, op, "is there already");
	if (!is_insert && before == NULL)
		return conflict(error, op, "is not there");
	if (!is_delete && !json_is_object(row)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "row: must be an object");
		return FALSE;
	}
	if (is_delete)
		return TRUE;
	op->after = patched(before, row);
	if (is_insert && op->table == STATE_RULES)
		json_object_set_new(op->after, "rule_id", json_integer(atoll(op->key)));
	g_autofree char *key = state_key(op->table, op->after, error);
	if (key == NULL)
		return FALSE;
	if (strcmp(key, op->key) != 0)
		return conflict(error, op, "an update may not rename it");
	return TRUE;
}

/* A state and what is to be written over it. */
typedef struct Draft {
	const State *state;
	json_t *written[STATE_TABLES]; /* key -> row, null: it goes; NULL: nothing */
	gboolean has_alias;	       /* a rule that is written has one */
} Draft;

static void draft_clear(Draft *draft)
{
	for (guint i = 0; i < STATE_TABLES; i++)
		g_clear_pointer(&draft->written[i], json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, draft_clear)

static const json_t *draft_row(const Draft *draft, StateTable table, const char *key)
{
	const json_t *row = json_object_get(draft->written[table], key);
	if (row != NULL)
		return json_is_null(row) ? NULL : row;
	return state_row(draft->state, table, key);
}

/* The row before, borrowed; NULL: none. */
static gboolean op_read(
	const Draft *draft, const json_t *given, Op *op, const json_t **before, GError **error)
{
	const char *verb = json_string_value(json_object_get(given, "op"));
	const char *table = json_string_value(json_object_get(given, "table"));
	if (verb == NULL || table == NULL || !state_table_find(table, &op->table)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"an op has an `op` and a `table`: rules, releases, shutoffs, pins, "
			"requirements, products, channels, roles, grants or freezes");
		return FALSE;
	}
	op->key = state_op_key(op->table, given, error);
	if (op->key == NULL)
		return FALSE;
	*before = draft_row(draft, op->table, op->key);
	return decide(verb, given, *before, op, error);
}

static void op_enact(Draft *draft, const Op *op)
{
	json_t **written = &draft->written[op->table];
	if (*written == NULL)
		*written = json_object();
	json_object_set_new(
		*written, op->key, op->after == NULL ? json_null() : json_incref(op->after));
	draft->has_alias |= op->table == STATE_RULES && json_object_get(op->after, "alias") != NULL;
}

/* Whole changes -------------------------------------------------------------------------------- */

static State *draft_state(const Draft *draft)
{
	State *next = g_new0(State, 1);
	g_atomic_ref_count_init(&next->references);
	for (guint i = 0; i < STATE_TABLES; i++)
		next->sheets[i] = sheet_over(draft->state->sheets[i], draft->written[i]);
	return next;
}

/* What a broken op writes is not known; what it names is. */
static void visit_broken(const Draft *draft, const json_t *given, StateVisit visit, gpointer of)
{
	const char *name = json_string_value(json_object_get(given, "table"));
	StateTable table;
	if (name == NULL || !state_table_find(name, &table))
		return;
	g_autofree char *key = state_op_key(table, given, NULL);
	if (key == NULL)
		return;
	const json_t *before = draft_row(draft, table, key);
	const char *verb = json_string_value(json_object_get(given, "op"));
	g_autoptr(StateJson) after = patched(before, json_object_get(given, "row"));
	gboolean is_known = before != NULL || g_strcmp0(verb, "insert") == 0;
	visit(table, key, before, is_known ? after : NULL, of);
}

/* Aliases: the other rule that is called as this one. */
typedef struct Namesake {
	const char *key;
	const char *other; /* borrowed; NULL: none */
} Namesake;

static void note_namesake(const char *key, const json_t *row, gpointer of)
{
	Namesake *namesake = of;
	(void)row;
	if (strcmp(key, namesake->key) != 0)
		namesake->other = key;
}

/* No alias that the change gives may be another rule's; two rules may swap theirs. `written`: the
 * rules that it writes, by key. */
static gboolean check_aliases(const State *after, const json_t *written, GError **error)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)written, key, row) {
		const char *alias = json_string_value(json_object_get(row, "alias"));
		Namesake namesake = {key, NULL};
		if (alias == NULL)
			continue;
		sheet_each(after->sheets[STATE_RULES], SHEET_BY_ALIAS, alias, note_namesake,
			&namesake);
		if (namesake.other == NULL)
			continue;
		gboolean is_first = atoll(key) < atoll(namesake.other);
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"alias: rules %s and %s would both be called '%s'",
			is_first ? key : namesake.other, is_first ? namesake.other : key, alias);
		return FALSE;
	}
	return TRUE;
}

static gboolean draft_ops(Draft *draft, const json_t *change, GError **error)
{
	const json_t *ops = json_object_get(change, "ops");
	if (!json_is_array(ops)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "ops: must be a list");
		return FALSE;
	}
	for (gsize i = 0; i < json_array_size(ops); i++) {
		g_auto(Op) op = {0};
		const json_t *before;
		if (!op_read(draft, json_array_get(ops, i), &op, &before, error)) {
			g_prefix_error(error, "op %" G_GSIZE_FORMAT ": ", i + 1);
			return FALSE;
		}
		op_enact(draft, &op);
	}
	return TRUE;
}

State *state_apply(const State *state, const json_t *change, GError **error)
{
	g_auto(Draft) draft = {.state = state};
	if (!draft_ops(&draft, change, error))
		return NULL;
	g_autoptr(State) next = draft_state(&draft);
	if (draft.has_alias && !check_aliases(next, draft.written[STATE_RULES], error))
		return NULL;
	return g_steal_pointer(&next);
}

gboolean state_fits(const State *state, const json_t *change, GError **error)
{
	g_auto(Draft) draft = {.state = state};
	if (!draft_ops(&draft, change, error))
		return FALSE;
	g_autoptr(State) next = draft.has_alias ? draft_state(&draft) : NULL;
	return next == NULL || check_aliases(next, draft.written[STATE_RULES], error);
}

void state_each_write(const State *state, const json_t *change, StateVisit visit, gpointer of)
{
	const json_t *ops = json_object_get(change, "ops");
	g_auto(Draft) draft = {.state = state};
	for (gsize i = 0; i < json_array_size(ops); i++) {
		const json_t *given = json_array_get(ops, i), *before = NULL;
		g_auto(Op) op = {0};
		if (!op_read(&draft, given, &op, &before, NULL)) {
			visit_broken(&draft, given, visit, of);
			continue;
		}
		visit(op.table, op.key, before, op.after, of);
		op_enact(&draft, &op);
	}
}

/* Mappings ------------------------------------------------------------------------------------- */

static const char *const mappings[] = {"mapping", "fallback_mapping"};

static gboolean refuse_missing(
	const char *own, const char *column, const char *name, GError **error)
{
	drover_error_set(
		error, DROVER_ERROR_CONFLICT, "%s: %s: there is no release %s", own, column, name);
	return FALSE;
}

/* What a rule or pin that is written maps to. */
static gboolean check_own(const State *after, StateTable table, const char *key, GError **error)
{
	const json_t *row = state_row(after, table, key);
	for (guint i = 0; i < G_N_ELEMENTS(mappings); i++) {
		const char *name = json_string_value(json_object_get(row, mappings[i]));
		g_autofree char *own = NULL;
		if (name == NULL || state_row(after, STATE_RELEASES, name) != NULL)
			continue;
		own = g_strconcat(tables[table].name, " ", key, NULL);
		return refuse_missing(own, mappings[i], name, error);
	}
	return TRUE;
}

typedef struct Mapped {
	const char *release;
	const char *key; /* the first row that maps to it; NULL: none */
	const char *column;
} Mapped;

static void note_mapped(const char *key, const json_t *row, gpointer of)
{
	Mapped *mapped = of;
	const char *name = json_string_value(json_object_get(row, mappings[0]));
	if (mapped->key != NULL)
		return;
	mapped->key = key;
	mapped->column = mappings[g_strcmp0(name, mapped->release) != 0];
}

/* Who still maps to a release that goes. */
static gboolean check_gone(const State *after, const char *release, GError **error)
{
	static const StateTable mapping[] = {STATE_RULES, STATE_PINS};
	if (state_row(after, STATE_RELEASES, release) != NULL)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(mapping); i++) {
		Mapped mapped = {release, NULL, NULL};
		sheet_each(
			after->sheets[mapping[i]], SHEET_BY_MAPPING, release, note_mapped, &mapped);
		if (mapped.key == NULL)
			continue;
		g_autofree char *own = g_strconcat(tables[mapping[i]].name, " ", mapped.key, NULL);
		return refuse_missing(own, mapped.column, release, error);
	}
	return TRUE;
}

gboolean state_check_mappings(const State *after, const json_t *change, GError **error)
{
	const json_t *ops = json_object_get(change, "ops");
	for (gsize i = 0; i < json_array_size(ops); i++) {
		const json_t *op = json_array_get(ops, i);
		const char *name = json_string_value(json_object_get(op, "table"));
		StateTable table;
		if (name == NULL || !state_table_find(name, &table))
			continue;
		g_autofree char *key = state_op_key(table, op, NULL);
		if (key == NULL)
			continue;
		if (table == STATE_RELEASES && !check_gone(after, key, error))
			return FALSE;
		if ((table == STATE_RULES || table == STATE_PINS) &&
			!check_own(after, table, key, error))
			return FALSE;
	}
	return TRUE;
}
