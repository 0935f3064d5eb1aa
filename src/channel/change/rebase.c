/* SPDX-License-Identifier: ISC
 *
 * The merge of three, for a row, a change and a queue.
 */
#include "channel/change/rebase.h"

#include <string.h>

typedef json_t RebaseJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RebaseJson, json_decref)

static const char *const bookkeeping[] = {"data_version", NULL};

/* One row -------------------------------------------------------------------------------------- */

typedef struct Merge {
	const char *table, *key;
	const json_t *base, *ours, *theirs; /* rows; NULL: none */
	json_t *conflicts;
} Merge;

static json_t *or_null(const json_t *value)
{
	return value == NULL ? json_null() : json_incref((json_t *)value);
}

static gboolean are_same(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal((json_t *)a, (json_t *)b));
}

/* `column` NULL: the whole row. */
static void add_conflict(const Merge *merge, const char *column)
{
	json_t *conflict = json_pack(
		"{s:s, s:s, s:s?}", "table", merge->table, "key", merge->key, "column", column);
	const json_t *base = merge->base, *ours = merge->ours, *theirs = merge->theirs;
	if (column != NULL) {
		base = json_object_get(base, column);
		ours = json_object_get(ours, column);
		theirs = json_object_get(theirs, column);
	}
	json_object_set_new(conflict, "base", or_null(base));
	json_object_set_new(conflict, "ours", or_null(ours));
	json_object_set_new(conflict, "theirs", or_null(theirs));
	json_array_append_new(merge->conflicts, conflict);
}

static void merge_column(const Merge *merge, const char *column, json_t *patch)
{
	const json_t *base = json_object_get(merge->base, column);
	const json_t *ours = json_object_get(merge->ours, column);
	const json_t *theirs = json_object_get(merge->theirs, column);
	if (are_same(ours, base) || are_same(ours, theirs))
		return;
	if (are_same(theirs, base))
		json_object_set_new(patch, column, or_null(ours));
	else
		add_conflict(merge, column);
}

/* The patch that makes ours of base, for theirs. */
static json_t *merge_columns(const Merge *merge)
{
	json_t *patch = json_object(), *value;
	const char *column;
	json_object_foreach ((json_t *)merge->ours, column, value)
		merge_column(merge, column, patch);
	json_object_foreach ((json_t *)merge->base, column, value)
		if (json_object_get(merge->ours, column) == NULL)
			merge_column(merge, column, patch);
	return patch;
}

static json_t *op_of(const Merge *merge, const char *verb, json_t *row)
{
	const json_t *named = merge->theirs != NULL ? merge->theirs : merge->ours;
	static const char *const keys[] = {
		"rule_id", "name", "product", "channel", "version", "person", "role"};
	json_t *op = json_pack("{s:s, s:s}", "op", verb, "table", merge->table);
	StateTable table;
	gboolean is_table = state_table_find(merge->table, &table);
	g_assert(is_table);
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		json_t *part = json_object_get(named, keys[i]);
		gboolean is_key = state_is_key(table, keys[i]);
		if (is_key && part != NULL)
			json_object_set(op, keys[i], part);
	}
	if (row != NULL)
		json_object_set_new(op, "row", row);
	return op;
}

/* The op that is left to do, NULL when there is none: done already, or a conflict. */
static json_t *merge_row(const Merge *merge)
{
	if (are_same(merge->ours, merge->theirs))
		return NULL;
	if (merge->base != NULL && merge->ours != NULL && merge->theirs != NULL) {
		json_t *patch = merge_columns(merge);
		if (json_object_size(patch) > 0)
			return op_of(merge, "update", patch);
		json_decref(patch);
		return NULL;
	}
	if (!are_same(merge->base, merge->theirs)) {
		add_conflict(merge, NULL); /* taken away, added or altered under it */
		return NULL;
	}
	return merge->ours == NULL ? op_of(merge, "delete", NULL)
				   : op_of(merge, "insert", json_incref((json_t *)merge->ours));
}

/* One change ----------------------------------------------------------------------------------- */

static const json_t *or_none(const json_t *row)
{
	return json_is_null(row) ? NULL : row;
}

static void merge_into(json_t *ops, const json_t *one, const State *now, json_t *conflicts)
{
	const char *name = json_string_value(json_object_get(one, "table"));
	const char *key = json_string_value(json_object_get(one, "key"));
	StateTable table;
	if (!state_table_find(name, &table))
		g_assert_not_reached();
	const json_t *row = state_row(now, table, key);
	g_autoptr(RebaseJson) theirs = row == NULL ? NULL : canonical_row(row, bookkeeping);
	Merge merge = {name, key, or_none(json_object_get(one, "before")),
		or_none(json_object_get(one, "after")), theirs, conflicts};
	json_t *op = merge_row(&merge);
	if (op != NULL)
		json_array_append_new(ops, op);
}

static void set_conflict(const json_t *conflicts, gsize from, GError **error)
{
	const json_t *first = json_array_get(conflicts, from);
	const char *column = json_string_value(json_object_get(first, "column"));
	drover_error_set(error, DROVER_ERROR_CONFLICT, "%s %s: %s: was edited on both sides",
		json_string_value(json_object_get(first, "table")),
		json_string_value(json_object_get(first, "key")),
		column != NULL ? column : "the row");
}

json_t *rebase_change(const State *base, const State *now, const json_t *change, json_t *conflicts,
	GError **error)
{
	g_autoptr(RebaseJson) content = content_of(base, change, error);
	if (content == NULL)
		return NULL;
	g_autoptr(RebaseJson) ops = json_array();
	gsize before = json_array_size(conflicts), i;
	json_t *one;
	json_array_foreach (content, i, one)
		merge_into(ops, one, now, conflicts);
	if (json_array_size(conflicts) > before) {
		set_conflict(conflicts, before, error);
		return NULL;
	}
	json_t *rebased = json_copy((json_t *)change);
	json_object_set(rebased, "ops", ops);
	if (!state_fits(now, rebased, error))
		g_clear_pointer(&rebased, json_decref);
	return rebased;
}

/* A queue -------------------------------------------------------------------------------------- */

typedef struct Place {
	const json_t *change;
	State *state; /* before it */
	Footprint *footprint;
	gboolean is_edit; /* it is another in the other queue, or has another place */
} Place;

static void place_clear(gpointer item)
{
	Place *place = item;
	state_unref(place->state);
	footprint_free(place->footprint);
}

/* Without the mark of a conflict: what stands behind it was written against what it would do. */
static void enact(Overlay *overlay, const json_t *change)
{
	g_autoptr(RebaseJson) unmarked = json_copy((json_t *)change);
	json_object_del(unmarked, "conflicts");
	overlay_enact(overlay, unmarked, NULL);
}

static GArray *places_of(const Queue *queue, State *live)
{
	GArray *places = g_array_new(FALSE, TRUE, sizeof(Place));
	g_autoptr(Overlay) overlay = overlay_new(live, FALSE);
	g_array_set_clear_func(places, place_clear);
	for (guint i = 0; i < queue_size(queue); i++) {
		const json_t *change = queue_change(queue, i);
		State *state = overlay_state(overlay);
		Place place = {change, state_ref(state), footprint_new(state, change), FALSE};
		g_array_append_val(places, place);
		enact(overlay, change);
	}
	return places;
}

static Place *find_place(GArray *places, gint64 change)
{
	for (guint i = 0; i < places->len; i++)
		if (change_id(g_array_index(places, Place, i).change) == change)
			return &g_array_index(places, Place, i);
	return NULL;
}

/* Same ops and time: it stands where it stood, among those that did not move either. */
static void mark_edits(GArray *places, GArray *others)
{
	for (guint i = 0; i < places->len; i++) {
		Place *place = &g_array_index(places, Place, i);
		const Place *other = find_place(others, change_id(place->change));
		place->is_edit = other == NULL ||
				 change_when(other->change) != change_when(place->change) ||
				 !are_same(json_object_get(other->change, "ops"),
					 json_object_get(place->change, "ops"));
	}
}

/* What is in no digest is not noticed by tests: that a release was published, a comment. */
static gboolean are_alike(const json_t *a, const json_t *b)
{
	static const char *const unnoticed[] = {"comment", "data_version", "published", NULL};
	if (a == b || a == NULL || b == NULL)
		return a == b;
	g_autoptr(RebaseJson) one = canonical_row(a, unnoticed);
	g_autoptr(RebaseJson) other = canonical_row(b, unnoticed);
	return are_same(one, other);
}

static void add_op(json_t *ops, const char *verb, StateTable table, json_t *row)
{
	if (row != NULL)
		json_array_append_new(ops, json_pack("{s:s, s:s, s:O}", "op", verb, "table",
						   state_table_name(table), "row", row));
}

/* The edit of live, as a change: whole rows, so that every scope of them is in its footprint. */
static json_t *edit_of(const State *old, const State *new)
{
	json_t *ops = json_array();
	for (guint i = 0; i < STATE_TABLES; i++) {
		StateTable table = (StateTable)i;
		g_autoptr(GArray) differences =
			sheet_differences(state_sheet(old, table), state_sheet(new, table));
		for (guint j = 0; j < differences->len; j++) {
			SheetDifference row = g_array_index(differences, SheetDifference, j);
			if (are_alike(row.before, row.after))
				continue;
			add_op(ops, "delete", table, row.before);
			add_op(ops, "insert", table, row.after);
		}
	}
	return json_pack("{s:o}", "ops", ops);
}

/* Among the first `count`: what stands behind a change alters nothing that it is tested on. */
static gboolean meets_an_edit(const Footprint *footprint, const GArray *places, guint count)
{
	for (guint i = 0; i < count; i++) {
		const Place *place = &g_array_index(places, Place, i);
		if (place->is_edit && !footprints_are_disjoint(place->footprint, footprint))
			return TRUE;
	}
	return FALSE;
}

/* The last change before it in the new order that writes the row. */
static gint64 writer_of(const GArray *done, const json_t *conflict)
{
	g_autofree char *row =
		g_strdup_printf("%s %s", json_string_value(json_object_get(conflict, "table")),
			json_string_value(json_object_get(conflict, "key")));
	for (guint i = done->len; i-- > 0;) {
		const Place *place = &g_array_index(done, Place, i);
		if (g_hash_table_contains(place->footprint->writes, row))
			return change_id(place->change);
	}
	return 0;
}

static gboolean has_same_content(
	const State *old, const json_t *was, const State *now, const json_t *is)
{
	g_autoptr(RebaseJson) before = content_of(old, was, NULL);
	g_autoptr(RebaseJson) after = content_of(now, is, NULL);
	return before != NULL && after != NULL && json_equal(before, after);
}

static void rebased_clear(gpointer item)
{
	Rebased *rebased = item;
	json_decref(rebased->rebased);
	g_free(rebased->why);
	json_decref(rebased->conflicts);
}

/* Once in conflict, always: until its author edits it, or what it met is as it was. */
static gboolean is_still_met(const json_t *conflict, const State *now)
{
	StateTable table;
	const char *column = json_string_value(json_object_get(conflict, "column"));
	if (!state_table_find(json_string_value(json_object_get(conflict, "table")), &table))
		g_assert_not_reached();
	const json_t *row =
		state_row(now, table, json_string_value(json_object_get(conflict, "key")));
	g_autoptr(RebaseJson) whole = row == NULL ? json_null() : canonical_row(row, bookkeeping);
	const json_t *value = column != NULL ? json_object_get(row, column) : whole;
	g_autoptr(RebaseJson) theirs = or_null(value);
	return !json_equal(theirs, json_object_get(conflict, "base")) &&
	       !json_equal(theirs, json_object_get(conflict, "ours"));
}

static gboolean keep_conflicts(const json_t *change, const State *now, Rebased *result)
{
	const json_t *conflicts = json_object_get(change, "conflicts");
	for (gsize i = 0; i < json_array_size(conflicts); i++)
		if (is_still_met(json_array_get(conflicts, i), now)) {
			g_autoptr(GError) problem = NULL;
			json_array_extend(result->conflicts, (json_t *)conflicts);
			set_conflict(conflicts, 0, &problem);
			result->why = g_strdup(problem->message);
			result->loses_sign_offs = TRUE;
			return TRUE;
		}
	return FALSE;
}

static void take_mark_off(Rebased *result)
{
	json_t *rebased = result->rebased;
	if (json_object_get(rebased, "conflicts") == NULL)
		return;
	result->rebased = json_copy(rebased);
	json_object_del(result->rebased, "conflicts");
	json_decref(rebased);
}

/* `before`: where it stood, NULL: nowhere. */
static Rebased rebase_one(const json_t *change, const Place *before, State *now, GArray *done)
{
	Rebased result = {.change = change_id(change), .conflicts = json_array()};
	gboolean is_as_written = before == NULL || !are_same(json_object_get(before->change, "ops"),
							   json_object_get(change, "ops"));
	g_autoptr(GError) problem = NULL;
	if (!is_as_written && keep_conflicts(change, now, &result))
		return result;
	is_as_written |= json_object_get(change, "conflicts") != NULL; /* all is as it was */
	gboolean fits = is_as_written && state_fits(now, change, &problem);
	if (is_as_written)
		result.rebased = fits ? json_incref((json_t *)change) : NULL;
	else
		result.rebased =
			rebase_change(before->state, now, change, result.conflicts, &problem);
	result.why = problem == NULL ? NULL : g_strdup(problem->message);
	take_mark_off(&result);
	gsize i;
	json_t *conflict;
	json_array_foreach (result.conflicts, i, conflict)
		json_object_set_new(
			conflict, "with", json_integer((json_int_t)writer_of(done, conflict)));
	result.loses_sign_offs =
		before == NULL || result.rebased == NULL ||
		!has_same_content(before->state, before->change, now, result.rebased);
	return result;
}

GArray *rebase_queue(const Queue *old, State *old_live, const Queue *new, State *live)
{
	GArray *results = g_array_new(FALSE, TRUE, sizeof(Rebased));
	g_autoptr(GArray) were = places_of(old, old_live);
	g_autoptr(GArray) are = places_of(new, live);
	g_autoptr(GArray) done = g_array_new(FALSE, TRUE, sizeof(Place));
	g_autoptr(RebaseJson) edit = edit_of(old_live, live);
	g_autoptr(Footprint) edited = footprint_new(old_live, edit);
	g_autoptr(Overlay) overlay = overlay_new(live, FALSE);
	g_array_set_clear_func(results, rebased_clear);
	g_array_set_clear_func(done, place_clear);
	mark_edits(were, are);
	mark_edits(are, were);
	for (guint i = 0; i < are->len; i++) {
		const json_t *change = queue_change(new, i);
		State *now = overlay_state(overlay);
		const Place *was = find_place(were, change_id(change));
		Rebased result = rebase_one(change, was, now, done);
		const json_t *last = result.rebased != NULL ? result.rebased : change;
		Place place = {change, state_ref(now), footprint_new(now, last), FALSE};
		guint stood = was != NULL ? (guint)(was - &g_array_index(were, Place, 0)) : 0;
		result.loses_tests = result.loses_sign_offs ||
				     g_array_index(are, Place, i).is_edit ||
				     !footprints_are_disjoint(place.footprint, edited) ||
				     meets_an_edit(place.footprint, were, stood) ||
				     meets_an_edit(place.footprint, are, i);
		g_array_append_val(done, place);
		g_array_append_val(results, result);
		enact(overlay, last);
	}
	return results;
}
