/* SPDX-License-Identifier: ISC
 *
 * From what somebody sent to rows in the store.
 */
#include "channel/book/edit.h"

#include <string.h>

#include "channel/row/canonical.h"
#include "wire/json.h"

static const char SQL_WRITER[] = "SELECT actor FROM channel_row"
				 " WHERE kind = ? AND key = ? AND until_us IS NULL";

/* Preparing ------------------------------------------------------------------------------------ */

typedef struct Preparing {
	Store *store; /* NULL: nothing is reserved */
	const State *state;
	gint64 last_number; /* of rules, where nothing is reserved */
} Preparing;

static gint64 highest_number(const State *state)
{
	gint64 highest = 0;
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, STATE_RULES), key, row)
		highest = MAX(highest, json_integer_of(row, "rule_id"));
	return highest;
}

static gboolean reserve(Preparing *preparing, json_t *op, GError **error)
{
	gint64 number = ++preparing->last_number;
	if (preparing->store != NULL && !channel_rule_reserve(preparing->store, &number, error))
		return FALSE;
	json_object_set_new(op, "rule_id", json_integer(number));
	return TRUE;
}

/* "by ada"; empty when that is not known. Caller frees. */
static char *writer_of(Store *store, StateTable table, const char *key)
{
	g_autoptr(StoreRows) rows =
		store == NULL ? NULL
			      : store_query(store, NULL, SQL_WRITER,
					STORE_PARAMS(STORE_TEXT(state_table_name(table)),
						STORE_TEXT(key)));
	gboolean more;
	if (!store_rows_next(rows, &more, NULL) || !more)
		return g_strdup("");
	return g_strdup_printf(" by %s", store_rows_text(rows, 0));
}

/* What the op was made from, 0: it does not say. Taken off the op and its row. */
static gboolean take_version(json_t *op, gint64 *version, GError **error)
{
	json_t *row = json_object_get(op, "row");
	const json_t *given = json_object_get(op, "data_version");
	if (given == NULL)
		given = json_object_get(row, "data_version");
	*version = json_integer_value(given);
	if (given != NULL && (!json_is_integer(given) || *version < 1)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"data_version: must be the number of the row that was edited");
		return FALSE;
	}
	json_object_del(op, "data_version");
	if (row != NULL)
		json_object_del(row, "data_version");
	return TRUE;
}

/* Rows that a change before this one will bring have no version yet. */
static gboolean check_version(
	const Preparing *preparing, const json_t *op, gint64 version, GError **error)
{
	StateTable table;
	const char *name = json_text(op, "table");
	if (version == 0 || name == NULL || !state_table_find(name, &table))
		return TRUE;
	g_autofree char *key = state_op_key(table, op, NULL);
	const json_t *row = key == NULL ? NULL : state_row(preparing->state, table, key);
	gint64 current = json_integer_of(row, "data_version");
	if (current == 0 || current == version)
		return TRUE;
	g_autofree char *writer = writer_of(preparing->store, table, key);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s %s: was written%s since you read it: it is at version %" G_GINT64_FORMAT
		", and your edit is of version %" G_GINT64_FORMAT "; read it again",
		name, key, writer, current, version);
	return FALSE;
}

/* Takes the op. */
static json_t *prepare_op(Preparing *preparing, json_t *given, GError **error)
{
	g_autoptr(json_t) op = given;
	gint64 version;
	const char *verb = json_text(op, "op"), *table = json_text(op, "table");
	gboolean is_numbered = json_object_get(op, "rule_id") != NULL ||
			       json_object_get(json_object_get(op, "row"), "rule_id") != NULL;
	if (g_strcmp0(verb, "insert") == 0 && g_strcmp0(table, "rules") == 0 && !is_numbered &&
		!reserve(preparing, op, error))
		return NULL;
	if (!take_version(op, &version, error) || !check_version(preparing, op, version, error))
		return NULL;
	return g_steal_pointer(&op);
}

static json_t *prepare_each(Preparing *preparing, const json_t *ops, GError **error)
{
	g_autoptr(json_t) prepared = json_array();
	for (gsize i = 0; i < json_array_size(ops); i++) {
		json_t *op = prepare_op(preparing, json_deep_copy(json_array_get(ops, i)), error);
		if (op == NULL) {
			g_prefix_error(error, "op %" G_GSIZE_FORMAT ": ", i + 1);
			return NULL;
		}
		json_array_append_new(prepared, op);
	}
	return g_steal_pointer(&prepared);
}

static gboolean check_count(const json_t *ops, GError **error)
{
	if (!json_is_array(ops) || json_array_size(ops) == 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"ops: must be a list of one op and more, each an insert, update or "
			"delete of a row");
		return FALSE;
	}
	if (json_array_size(ops) <= CHANNEL_MAXIMUM_OPS)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE,
		"ops: %" G_GSIZE_FORMAT " of them, and there may be %d", json_array_size(ops),
		CHANNEL_MAXIMUM_OPS);
	return FALSE;
}

json_t *channel_ops_prepare(Store *store, const State *state, const json_t *ops, RowStage stage,
	State **after, GError **error)
{
	if (!check_count(ops, error))
		return NULL;
	Preparing preparing = {store, state, store == NULL ? highest_number(state) : 0};
	g_autoptr(json_t) prepared = prepare_each(&preparing, ops, error);
	if (prepared == NULL)
		return NULL;
	g_autoptr(json_t) change = json_pack("{s:O}", "ops", prepared);
	g_autoptr(State) next = state_apply(state, change, error);
	if (next == NULL || !rows_check(state, next, stage, error) ||
		!state_check_mappings(next, change, error))
		return NULL;
	if (after != NULL)
		*after = g_steal_pointer(&next);
	return g_steal_pointer(&prepared);
}

/* Releases of changes that wait ---------------------------------------------------------------- */

/* That it is published now is what such a change waits for. */
static gboolean was_edited(const ChannelBook *book, const State *after, const char *release)
{
	static const char *const unnoticed[] = {"comment", "data_version", "published", NULL};
	json_t *was = state_row(book->live, STATE_RELEASES, release);
	json_t *is = state_row(after, STATE_RELEASES, release);
	if (was == is || was == NULL || is == NULL)
		return was != is && was != NULL;
	g_autoptr(json_t) before = canonical_row(was, unnoticed);
	g_autoptr(json_t) now = canonical_row(is, unnoticed);
	return !json_equal(before, now) ||
	       (json_is_false(json_object_get(is, "published")) &&
		       !json_is_false(json_object_get(was, "published")));
}

static gboolean guard_change(const ChannelBook *book, const State *after, const State *state,
	const json_t *change, GError **error)
{
	g_autoptr(Footprint) footprint = footprint_new(state, change);
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, footprint->reads);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *release = (const char *)name + strlen("releases ");
		if (!g_str_has_prefix(name, "releases ") || !was_edited(book, after, release))
			continue;
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"releases %s: change %" G_GINT64_FORMAT
			" waits to map to it, so it may be neither edited nor deleted; edit that "
			"change or withdraw it first",
			release, change_id(change));
		return FALSE;
	}
	return TRUE;
}

/* A release that a waiting change maps to, or leads a partial from, may neither be edited nor
 * deleted under it: DROVER_ERROR_CONFLICT, naming the change. `after`: live with the edit. */
static gboolean guard_releases(const ChannelBook *book, const State *after, GError **error)
{
	g_autoptr(Overlay) overlay = overlay_new(book->live, FALSE);
	if (state_sheet(book->live, STATE_RELEASES) == state_sheet(after, STATE_RELEASES))
		return TRUE;
	for (guint i = 0; i < queue_size(book->queue); i++) {
		const json_t *change = queue_change(book->queue, i);
		if (!guard_change(book, after, overlay_state(overlay), change, error))
			return FALSE;
		overlay_enact(overlay, change, NULL);
	}
	return TRUE;
}

/* Numbers of rules that wait ------------------------------------------------------------------- */

/* The number of the rule that the op inserts; 0: of none. */
static gint64 number_of(const json_t *op)
{
	gint64 number = json_integer_of(op, "rule_id");
	if (g_strcmp0(json_text(op, "op"), "insert") != 0 ||
		g_strcmp0(json_text(op, "table"), "rules") != 0)
		return 0;
	return number != 0 ? number : json_integer_of(json_object_get(op, "row"), "rule_id");
}

gboolean channel_guard_numbers(
	const ChannelBook *book, gint64 own, const json_t *ops, GError **error)
{
	g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
	gsize i;
	json_t *op;
	json_array_foreach (ops, i, op)
		g_hash_table_add(numbers, GINT_TO_POINTER(number_of(op)));
	g_hash_table_remove(numbers, GINT_TO_POINTER(0));
	for (guint place = 0; g_hash_table_size(numbers) > 0 && place < book->changes->len;
		place++) {
		const ChannelChange *change = book->changes->pdata[place];
		json_array_foreach (change->ops, i, op) {
			gint64 number = number_of(op);
			if (change->id == own ||
				!g_hash_table_contains(numbers, GINT_TO_POINTER(number)))
				continue;
			drover_error_set(error, DROVER_ERROR_CONFLICT,
				"rule %" G_GINT64_FORMAT ": change %" G_GINT64_FORMAT
				" waits to bring a rule of this number; leave the number out",
				number, change->id);
			return FALSE;
		}
	}
	return TRUE;
}

/* The edit ------------------------------------------------------------------------------------- */

void channel_edit_clear(ChannelEdit *edit)
{
	g_clear_pointer(&edit->rows, json_decref);
	g_clear_pointer(&edit->rebased, g_array_unref);
}

/* What alters nothing needs nobody's word. */
static gboolean check_agreement(const State *live, const json_t *change, GError **error)
{
	g_autoptr(json_t) content = content_of(live, change, error);
	g_autoptr(GArray) roles = content_required_roles(live, change);
	g_autoptr(GString) wanted = g_string_new(NULL);
	if (content == NULL)
		return FALSE;
	if (roles->len == 0 || json_array_size(content) == 0)
		return TRUE;
	for (guint i = 0; i < roles->len; i++) {
		const RequiredRole *role = &g_array_index(roles, RequiredRole, i);
		g_string_append_printf(wanted, "%s%u of %s (requirements %s)", i > 0 ? ", " : "",
			role->count, role->role, role->because);
	}
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"this needs the word of %s, so it cannot go live at once; schedule it: drover "
		"change submit",
		wanted->str);
	return FALSE;
}

static gboolean pass(const Gate *gate, GError **error)
{
	if (gate->passes)
		return TRUE;
	g_autofree char *word =
		gate->role == NULL
			? g_strdup("")
			: g_strdup_printf(", unless the role %s overrides it", gate->role);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the gate '%s' stops it: %s. Schedule it: drover change submit; it waits at the "
		"gate%s",
		gate->name, gate->text, word);
	return FALSE;
}

/* An edit goes live, too. */
static gboolean check_gates(Store *store, const State *live, const json_t *ops,
	const ChannelDeed *deed, GatesAsk ask, gpointer of, GError **error)
{
	ChannelChange change = {.ops = (json_t *)ops, .when_us = deed->now_us};
	g_autoptr(json_t) value = channel_change_value(&change);
	g_autoptr(Gate) freeze = gate_freeze(live, value, deed->now_us);
	if (!pass(freeze, error))
		return FALSE;
	if (ask == NULL)
		return TRUE;
	g_autoptr(GPtrArray) gates = ask(store, live, &change, deed->now_us, of, error);
	for (guint i = 0; gates != NULL && i < gates->len; i++)
		if (!pass(gates->pdata[i], error))
			return FALSE;
	return gates != NULL;
}

/* Each row that was written, once, as the store has it now. */
typedef struct Written {
	const State *live;
	json_t *rows;
	GHashTable *keys;
} Written;

static void note_row(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of)
{
	Written *written = of;
	const char *name = state_table_name(table);
	json_t *row = state_row(written->live, table, key);
	if (!g_hash_table_add(written->keys, g_strconcat(name, " ", key, NULL)))
		return;
	json_array_append_new(written->rows,
		json_pack("{s:s, s:s, s:O?}", "table", name, "key", key, "row", row));
}

static json_t *rows_of(const ChannelBook *before, const State *live, const json_t *change)
{
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Written written = {live, json_array(), keys};
	state_each_write(before->live, change, note_row, &written);
	return written.rows;
}

gboolean channel_edit(Store *store, const json_t *ops, const ChannelDeed *deed, GatesAsk gates,
	gpointer gates_of, ChannelEdit *result, GError **error)
{
	*result = (ChannelEdit){0};
	g_autoptr(ChannelBook) before = channel_book_read(store, error);
	g_autoptr(State) after = NULL;
	if (before == NULL)
		return FALSE;
	g_autoptr(json_t) prepared =
		channel_ops_prepare(store, before->live, ops, ROW_GOES_LIVE, &after, error);
	if (prepared == NULL)
		return FALSE;
	g_autoptr(json_t) change = json_pack("{s:O}", "ops", prepared);
	if (!check_agreement(before->live, change, error) ||
		!check_gates(store, before->live, prepared, deed, gates, gates_of, error) ||
		!guard_releases(before, after, error) ||
		!channel_guard_numbers(before, 0, ops, error) ||
		!channel_rows_write(store, before->live, after, deed, &result->written, error))
		return FALSE;
	g_autoptr(ChannelBook) now = channel_book_read(store, error);
	if (now == NULL || !channel_requeue(store, before, now, deed, &result->rebased, error))
		return FALSE;
	result->rows = rows_of(before, now->live, change);
	return store_counter_get(store, STORE_GENERATION, &result->generation, error);
}
