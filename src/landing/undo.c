/* SPDX-License-Identifier: ISC
 *
 * What each landing changed in the tree: the structure under the verdicts.
 *
 * A landing adds its own change. A rollback then takes its targets, newest first, and applies the
 * inverse of what each actually changed when it landed: puts out what came in, brings back what
 * went out, and does nothing where that is so already. What counts is the difference between the
 * tree before and after the landing, as in git: a change that one target brings back and the next
 * puts out again did not change.
 *
 * Rollbacks of rollbacks of wide rollbacks could make a short history name any number of changes,
 * so what is not written out by name is limited (LANDING_MAXIMUM_REACH). The rule: docs/landing.md,
 * "Deployable".
 */
#include "landing/index.h"

/* Takes `cost` from this landing's allowance, then from the index's patience. FALSE when both are
 * too little; then nothing was taken. */
static gboolean afford(DeployableIndex *index, gsize *allowance, gsize cost)
{
	if (cost <= *allowance) {
		*allowance -= cost;
		return TRUE;
	}
	gsize rest = cost - *allowance;
	if (rest > index->patience)
		return FALSE;
	*allowance = 0;
	index->patience -= rest;
	return TRUE;
}

/* The record of a rollback, NULL for any other landing. Moves when a rollback is added. */
static Rollback *find_rollback(const DeployableIndex *index, guint32 landing)
{
	if (!index_flag(index, landing, LANDING_ROLLBACK))
		return NULL;
	Rollback *rollbacks = (Rollback *)(gpointer)index->rollbacks->data;
	guint until = index->rollbacks->len;
	guint from = until - 1;
	/* Most that is asked for is young, so in steps that double from the end. */
	for (guint step = 1; rollbacks[from].landing > landing; step *= 2) {
		until = from;
		from -= MIN(step, from);
	}
	while (until - from > 1) {
		guint middle = from + (until - from) / 2;
		if (rollbacks[middle].landing <= landing)
			from = middle;
		else
			until = middle;
	}
	g_assert(rollbacks[from].landing == landing);
	return &rollbacks[from];
}

static guint32 end_of_toggles(const DeployableIndex *index, const Rollback *rollback)
{
	const Rollback *last =
		&g_array_index(index->rollbacks, Rollback, index->rollbacks->len - 1);
	return rollback == last ? index->toggles->len : rollback[1].first_toggle;
}

static guint32 end_of_targets(const DeployableIndex *index, const Rollback *rollback)
{
	const Rollback *last =
		&g_array_index(index->rollbacks, Rollback, index->rollbacks->len - 1);
	return rollback == last ? index->targets->len : rollback[1].first_target;
}

void undo_toggles_of(const DeployableIndex *index, guint32 landing, guint32 *first, guint32 *end)
{
	const Rollback *rollback = find_rollback(index, landing);
	*first = rollback != NULL ? rollback->first_toggle : 0;
	*end = rollback != NULL ? end_of_toggles(index, rollback) : 0;
}

gboolean undo_in_tree(const DeployableIndex *index, guint32 landing, guint32 tip)
{
	if (tip < landing)
		return FALSE;
	const Toggle *toggles = (const Toggle *)(gconstpointer)index->toggles->data;
	for (guint32 at = index->newest_toggle[landing]; at != 0; at = toggles[at - 1].before) {
		if (toggles[at - 1].at <= tip)
			return toggles[at - 1].in;
	}
	return TRUE;
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	guint32 left = *(const guint32 *)a;
	guint32 right = *(const guint32 *)b;
	return left > right ? -1 : left < right;
}

/* Sorts targets from `first` on, newest first, and drops those named twice. */
static void sort_targets(GArray *targets, guint first)
{
	guint count = targets->len;
	if (count - first < 2)
		return;
	guint32 *names = (guint32 *)(gpointer)targets->data;
	qsort(names + first, count - first, sizeof *names, newest_first);
	guint kept = first + 1;
	for (guint i = first + 1; i < count; i++) {
		if (names[i] != names[kept - 1])
			names[kept++] = names[i];
	}
	g_array_set_size(targets, kept);
}

/* Adds the positions of the landings that are named to `targets`. FALSE when one can never be
 * meant: it is not older than the rollback, or a hole between the landings we know. Older than all
 * of them is historic, and adds nothing. */
static gboolean resolve(DeployableIndex *index, const gint64 *revs, gsize count)
{
	guint32 own = index->count - 1;
	guint first = index->targets->len;
	gboolean meant = TRUE;
	for (gsize i = 0; i < count; i++) {
		guint32 target = 0;
		if (own > 0 ? revs[i] < index->revs[0] : revs[i] < index->revs[own])
			continue;
		if (index_find_revision(index, revs[i], &target) && target < own)
			g_array_append_val(index->targets, target);
		else
			meant = FALSE;
	}
	sort_targets(index->targets, first);
	return meant;
}

static guint32 fixes_by(const DeployableIndex *index, guint32 landing)
{
	guint32 first = 0;
	guint32 end = 0;
	poison_fixes_of(index, landing, &first, &end);
	return end - first;
}

/* Looks over the targets: how deep they nest, and what undoing them touches beyond themselves. */
static void measure(const DeployableIndex *index, guint first, guint16 *nesting, gsize *reach)
{
	*nesting = 1;
	*reach = 0;
	for (guint i = first; i < index->targets->len; i++) {
		guint32 target = g_array_index(index->targets, guint32, i);
		const Rollback *rollback = find_rollback(index, target);
		if (rollback == NULL) {
			*reach += fixes_by(index, target);
			continue;
		}
		*reach += rollback->weight;
		*nesting = MAX(*nesting, (guint16)(rollback->nesting + 1));
	}
	*nesting = MIN(*nesting, LANDING_MAXIMUM_NESTING + 1);
}

static void add_toggle(DeployableIndex *index, guint32 change, gboolean in)
{
	Toggle toggle = {
		.change = change & G_MAXINT32,
		.in = in ? 1 : 0,
		.at = index->count - 1,
		.before = index->newest_toggle[change],
	};
	g_array_append_val(index->toggles, toggle);
	index->newest_toggle[change] = index->toggles->len;
}

/* Takes back a toggle of the newest landing; its last one moves into the gap. */
static void drop_toggle(DeployableIndex *index, guint32 change)
{
	Toggle *toggles = (Toggle *)(gpointer)index->toggles->data;
	guint32 gap = index->newest_toggle[change] - 1;
	guint32 last = index->toggles->len - 1;
	index->newest_toggle[change] = toggles[gap].before;
	if (gap != last) {
		toggles[gap] = toggles[last];
		index->newest_toggle[toggles[gap].change] = gap + 1;
	}
	g_array_set_size(index->toggles, last);
}

static void put(DeployableIndex *index, guint32 change, gboolean in)
{
	if (index_flag(index, change, LANDING_IN_TREE) == in)
		return;
	guint32 newest = index->newest_toggle[change];
	if (newest != 0 && g_array_index(index->toggles, Toggle, newest - 1).at == index->count - 1)
		drop_toggle(index, change);
	else
		add_toggle(index, change, in);
	index_set_flag(index, change, LANDING_IN_TREE, in);
}

static void undo(DeployableIndex *index, guint32 target)
{
	put(index, target, FALSE);
	guint32 first = 0;
	guint32 end = 0;
	undo_toggles_of(index, target, &first, &end);
	for (guint32 i = first; i < end; i++) {
		Toggle toggle = g_array_index(index->toggles, Toggle, i);
		put(index, toggle.change, !toggle.in);
	}
}

/* What a later rollback of this one would touch: the changes beside its own, and what all of them
 * fix. */
static guint32 weigh(const DeployableIndex *index, guint32 landing)
{
	guint32 first = 0;
	guint32 end = 0;
	undo_toggles_of(index, landing, &first, &end);
	gsize weight = (gsize)(end - first) + fixes_by(index, landing);
	for (guint32 i = first; i < end; i++)
		weight += fixes_by(index, g_array_index(index->toggles, Toggle, i).change);
	return (guint32)MIN(weight, G_MAXUINT32);
}

/* Marks those items of `landing` that `target` has too; both lists ascend. Gives how many are new.
 */
static guint32 mark_linked(DeployableIndex *index, guint32 landing, guint32 target)
{
	const guint32 *keys = (const guint32 *)(gconstpointer)index->item_keys->data;
	guint32 marked = 0;
	guint32 item = index_first_item(index, landing);
	guint32 other = index_first_item(index, target);
	while (item < index->item_ends[landing] && other < index->item_ends[target]) {
		if (keys[item] == keys[other]) {
			guint8 *mark = &g_array_index(index->item_marks, guint8, item);
			marked += (*mark & ITEM_LINKED) == 0;
			*mark |= ITEM_LINKED;
			item++;
			other++;
		} else if (keys[item] < keys[other]) {
			item++;
		} else {
			other++;
		}
	}
	return marked;
}

/* Looks for the landing's items in all that it undoes, target by target, and in what those undo. */
static void link_items(DeployableIndex *index, guint32 landing)
{
	guint32 own = index->item_ends[landing] - index_first_item(index, landing);
	guint32 missing = own;
	if (missing == 0)
		return;
	gsize allowance = LANDING_FREE_SEARCH;
	index->search++;
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_array_append_val(open, landing);
	while (open->len > 0 && missing > 0) {
		guint32 next = g_array_index(open, guint32, open->len - 1);
		g_array_set_size(open, open->len - 1);
		if (next != landing) {
			guint32 others = index->item_ends[next] - index_first_item(index, next);
			if (!afford(index, &allowance, 1 + (gsize)own + others))
				return;
			missing -= mark_linked(index, landing, next);
		}
		Rollback *rollback = find_rollback(index, next);
		if (rollback == NULL || rollback->seen == index->search)
			continue;
		rollback->seen = index->search;
		guint32 first = rollback->first_target;
		guint32 targets = end_of_targets(index, rollback) - first;
		if (next != landing && !afford(index, &allowance, targets))
			return;
		if (targets > 0)
			g_array_append_vals(
				open, &g_array_index(index->targets, guint32, first), targets);
	}
}

void undo_targets(DeployableIndex *index, const gint64 *targets, gsize count)
{
	guint32 landing = index->count - 1;
	Rollback rollback = {
		.landing = landing,
		.first_target = index->targets->len,
		.first_toggle = index->toggles->len,
		.weight = fixes_by(index, landing),
	};
	RollbackFault fault = ROLLBACK_FAULT_NONE;
	gsize reach = 0;
	gsize allowance = LANDING_FREE_REACH;

	if (!resolve(index, targets, count))
		fault = ROLLBACK_FAULT_TARGET;
	measure(index, rollback.first_target, &rollback.nesting, &reach);
	if (fault == ROLLBACK_FAULT_NONE && rollback.nesting > LANDING_MAXIMUM_NESTING)
		fault = ROLLBACK_FAULT_NESTING;
	if (fault == ROLLBACK_FAULT_NONE && !afford(index, &allowance, reach))
		fault = ROLLBACK_FAULT_REACH;
	if (fault != ROLLBACK_FAULT_NONE)
		g_array_set_size(index->targets, rollback.first_target);

	g_array_append_val(index->rollbacks, rollback);
	index->flags[landing] |= (guint8)(LANDING_ROLLBACK | (fault << LANDING_FAULT_SHIFT));
	for (guint i = rollback.first_target; i < index->targets->len; i++)
		undo(index, g_array_index(index->targets, guint32, i));
	find_rollback(index, landing)->weight = weigh(index, landing);
	link_items(index, landing);
}
