/* SPDX-License-Identifier: ISC
 *
 * The door of the index: landings come in one by one or all at once, verdicts change, and the
 * newest deployable tip is asked for. How the parts fit together stands in landing/index.h.
 */
#include "landing/index.h"

#include "base/error.h"

#define SMALLEST_CAPACITY 16

DeployableIndex *deployable_index_new(gint64 baseline)
{
	DeployableIndex *index = g_new0(DeployableIndex, 1);
	index->baseline = baseline;
	index->item_keys = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->item_marks = g_array_new(FALSE, FALSE, sizeof(guint8));
	index->toggles = g_array_new(FALSE, FALSE, sizeof(Toggle));
	index->rollbacks = g_array_new(FALSE, FALSE, sizeof(Rollback));
	index->targets = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->fixes = g_array_new(FALSE, FALSE, sizeof(Fix));
	index->repairs = g_array_new(FALSE, FALSE, sizeof(Repair));
	index->patience = LANDING_MAXIMUM_REACH;
	return index;
}

void deployable_index_free(DeployableIndex *index)
{
	if (index == NULL)
		return;
	g_free(index->revs);
	g_free(index->qas);
	g_free(index->states);
	g_free(index->flags);
	g_free(index->item_ends);
	g_free(index->newest_toggle);
	g_free(index->repaired_by);
	g_array_unref(index->item_keys);
	g_array_unref(index->item_marks);
	g_array_unref(index->toggles);
	g_array_unref(index->rollbacks);
	g_array_unref(index->targets);
	g_array_unref(index->fixes);
	g_array_unref(index->repairs);
	tip_tree_clear(&index->tree);
	g_free(index);
}

guint32 index_floor(const DeployableIndex *index, gint64 rev)
{
	guint32 from = 0;
	guint32 until = index->count;
	/* Revs grow, so `rev` lies no further from the first than it would without gaps; mostly
	 * there are none, and this is the answer. */
	if (index->count > 0 && rev >= index->revs[0]) {
		gint64 furthest = rev - index->revs[0];
		if (furthest < index->count && index->revs[furthest] == rev)
			return (guint32)furthest + 1;
		until = (guint32)MIN(furthest, (gint64)index->count);
	}
	while (from < until) {
		guint32 middle = from + (until - from) / 2;
		if (index->revs[middle] <= rev)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

gboolean index_find_revision(const DeployableIndex *index, gint64 rev, guint32 *landing)
{
	guint32 end = index_floor(index, rev);
	if (end == 0 || index->revs[end - 1] != rev)
		return FALSE;
	*landing = end - 1;
	return TRUE;
}

static void reserve(DeployableIndex *index, gsize count)
{
	gsize capacity = MAX(index->capacity, SMALLEST_CAPACITY);
	while (capacity < count)
		capacity *= 2;
	if (capacity == index->capacity)
		return;
	index->revs = g_renew(gint64, index->revs, capacity);
	index->qas = g_renew(guint8, index->qas, capacity);
	index->states = g_renew(guint8, index->states, capacity);
	index->flags = g_renew(guint8, index->flags, capacity);
	index->item_ends = g_renew(guint32, index->item_ends, capacity);
	index->newest_toggle = g_renew(guint32, index->newest_toggle, capacity);
	index->repaired_by = g_renew(guint32, index->repaired_by, capacity);
	index->capacity = (guint32)capacity;
}

static gboolean refuse_over(
	gint64 rev, const char *what, gsize have, gsize more, gsize limit, GError **error)
{
	if (more <= limit - have)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE,
		"landing %" G_GINT64_FORMAT ": %" G_GSIZE_FORMAT " %s and %" G_GSIZE_FORMAT
		" more; the limit is %" G_GSIZE_FORMAT " in all; begin at a later landing",
		rev, have, what, more, limit);
	return FALSE;
}

static gboolean check(const DeployableIndex *index, const LandingFacts *facts, GError **error)
{
	gint64 last = deployable_index_tip(index);
	if (facts->rev <= last) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"landing %" G_GINT64_FORMAT ": its rev must be above %" G_GINT64_FORMAT
			", that of the landing before it",
			facts->rev, last);
		return FALSE;
	}
	return refuse_over(facts->rev, "landings", index->count, 1, LANDING_MAXIMUM_COUNT, error) &&
	       refuse_over(facts->rev, "items", index->item_keys->len, facts->item_count,
		       LANDING_MAXIMUM_NAMED, error) &&
	       refuse_over(facts->rev, "rollback targets", index->targets->len,
		       facts->rollback_count, LANDING_MAXIMUM_NAMED, error) &&
	       refuse_over(facts->rev, "fixes", index->fixes->len, facts->fix_count,
		       LANDING_MAXIMUM_NAMED, error);
}

static gint ascending(gconstpointer a, gconstpointer b)
{
	guint64 left = *(const guint64 *)a;
	guint64 right = *(const guint64 *)b;
	return left < right ? -1 : left > right;
}

/* Several items are sorted by key, the state carried along in the low byte. */
static gboolean add_many_items(DeployableIndex *index, const LandingFacts *facts, GError **error)
{
	g_autofree guint64 *items = g_new(guint64, facts->item_count);
	for (gsize i = 0; i < facts->item_count; i++)
		items[i] = (guint64)facts->items[i] << 8 | facts->states[i];
	qsort(items, facts->item_count, sizeof *items, ascending);
	for (gsize i = 1; i < facts->item_count; i++) {
		if (items[i] >> 8 == items[i - 1] >> 8) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"landing %" G_GINT64_FORMAT ": an item is named twice", facts->rev);
			return FALSE;
		}
	}
	for (gsize i = 0; i < facts->item_count; i++) {
		guint32 key = (guint32)(items[i] >> 8);
		guint8 mark = (guint8)(items[i] & ITEM_STATE_MASK);
		g_array_append_val(index->item_keys, key);
		g_array_append_val(index->item_marks, mark);
	}
	return TRUE;
}

static gboolean add_items(DeployableIndex *index, const LandingFacts *facts, GError **error)
{
	if (facts->item_count > 1)
		return add_many_items(index, facts, error);
	if (facts->item_count == 1) {
		guint8 mark = (guint8)facts->states[0];
		g_array_append_val(index->item_keys, facts->items[0]);
		g_array_append_val(index->item_marks, mark);
	}
	return TRUE;
}

/* All that a landing says, but not what follows for the tips. */
static gboolean land(DeployableIndex *index, const LandingFacts *facts, GError **error)
{
	if (!check(index, facts, error) || !add_items(index, facts, error))
		return FALSE;
	reserve(index, (gsize)index->count + 1);
	guint32 landing = index->count++;
	index->revs[landing] = facts->rev;
	index->qas[landing] = (guint8)facts->qa;
	index->flags[landing] = LANDING_IN_TREE;
	index->item_ends[landing] = index->item_keys->len;
	index->newest_toggle[landing] = 0;
	index->repaired_by[landing] = 0;
	if (facts->fix_count > 0)
		poison_declare_fixes(index, facts->fixes, facts->fix_count);
	if (facts->rollback_count > 0) {
		undo_targets(index, facts->rollback_of, facts->rollback_count);
		poison_follow_toggles(index);
	}
	index->states[landing] = (guint8)poison_judge(index, landing);
	return TRUE;
}

gboolean deployable_index_append(DeployableIndex *index, const LandingFacts *facts, GError **error)
{
	if (!land(index, facts, error))
		return FALSE;
	while (index->tree.capacity < index->capacity)
		tip_tree_grow(&index->tree);
	poison_extend(index);
	return TRUE;
}

gboolean deployable_index_build(
	DeployableIndex *index, const LandingFacts *facts, gsize count, GError **error)
{
	gboolean landed = TRUE;
	reserve(index, MIN(index->count + count, LANDING_MAXIMUM_COUNT));
	for (gsize i = 0; i < count && landed; i++)
		landed = land(index, &facts[i], error);
	poison_rebuild(index);
	return landed;
}

static gboolean find_landing(
	const DeployableIndex *index, gint64 rev, guint32 *landing, GError **error)
{
	if (index_find_revision(index, rev, landing))
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_NOT_FOUND, "there is no landing %" G_GINT64_FORMAT, rev);
	return FALSE;
}

gboolean index_find_item(const DeployableIndex *index, guint32 landing, guint32 key, guint32 *item)
{
	guint32 from = index_first_item(index, landing);
	guint32 until = index->item_ends[landing];
	while (from < until) {
		guint32 middle = from + (until - from) / 2;
		if (g_array_index(index->item_keys, guint32, middle) < key)
			from = middle + 1;
		else
			until = middle;
	}
	*item = from;
	return from < index->item_ends[landing] &&
	       g_array_index(index->item_keys, guint32, from) == key;
}

gboolean deployable_index_rule_item(
	DeployableIndex *index, gint64 rev, guint32 item, ItemState state, GError **error)
{
	guint32 landing = 0;
	guint32 position = 0;
	if (!find_landing(index, rev, &landing, error))
		return FALSE;
	if (!index_find_item(index, landing, item, &position)) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"landing %" G_GINT64_FORMAT " has no such item", rev);
		return FALSE;
	}
	g_assert(state <= ITEM_UNTESTABLE);
	guint8 *mark = &g_array_index(index->item_marks, guint8, position);
	*mark = (guint8)((*mark & ITEM_LINKED) | state);
	poison_restate(index, landing, poison_judge(index, landing));
	return TRUE;
}

gboolean deployable_index_rule_landing(
	DeployableIndex *index, gint64 rev, LandingQa qa, GError **error)
{
	guint32 landing = 0;
	if (!find_landing(index, rev, &landing, error))
		return FALSE;
	g_assert(qa <= LANDING_QA_BAD);
	index->qas[landing] = (guint8)qa;
	poison_restate(index, landing, poison_judge(index, landing));
	return TRUE;
}

void deployable_index_set_baseline(DeployableIndex *index, gint64 baseline)
{
	index->baseline = baseline;
	if (index->count > 0)
		poison_rebuild(index);
}

gsize deployable_index_count(const DeployableIndex *index)
{
	return index->count;
}

gint64 deployable_index_tip(const DeployableIndex *index)
{
	return index->count == 0 ? 0 : index->revs[index->count - 1];
}

gboolean deployable_index_has(const DeployableIndex *index, gint64 rev)
{
	guint32 landing = 0;
	return index_find_revision(index, rev, &landing);
}

gint64 deployable_index_newest(const DeployableIndex *index)
{
	return deployable_index_newest_until(index, G_MAXINT64);
}

gint64 deployable_index_newest_until(const DeployableIndex *index, gint64 rev)
{
	guint32 tips = index_floor(index, rev);
	gint64 tip = tips == 0 ? -1 : tip_tree_newest_clear(&index->tree, tips - 1);
	return tip < 0 ? 0 : index->revs[tip];
}

gboolean deployable_index_is_deployable(const DeployableIndex *index, gint64 rev)
{
	guint32 tip = 0;
	return index_find_revision(index, rev, &tip) && tip_tree_count(&index->tree, tip) == 0;
}

GArray *deployable_index_all(const DeployableIndex *index)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(GArray) clear = g_array_new(FALSE, FALSE, sizeof(guint32));
	tip_tree_all_clear(&index->tree, index->count, clear);
	g_array_set_size(all, clear->len);
	for (guint i = 0; i < clear->len; i++)
		g_array_index(all, gint64, i) = index->revs[g_array_index(clear, guint32, i)];
	return all;
}

/* What GArray has allocated: it doubles. */
static gsize array_bytes(GArray *array)
{
	gsize used = (gsize)array->len * g_array_get_element_size(array);
	gsize allocated = 16;
	while (allocated < used)
		allocated *= 2;
	return used == 0 ? 0 : allocated;
}

gsize deployable_index_memory(const DeployableIndex *index)
{
	gsize per_landing = sizeof *index->revs + sizeof *index->qas + sizeof *index->states +
			    sizeof *index->flags + sizeof *index->item_ends +
			    sizeof *index->newest_toggle + sizeof *index->repaired_by;
	return sizeof *index + index->capacity * per_landing +
	       2 * (gsize)index->tree.capacity * sizeof *index->tree.nodes +
	       array_bytes(index->item_keys) + array_bytes(index->item_marks) +
	       array_bytes(index->toggles) + array_bytes(index->rollbacks) +
	       array_bytes(index->targets) + array_bytes(index->fixes) +
	       array_bytes(index->repairs);
}
