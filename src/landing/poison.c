/* SPDX-License-Identifier: ISC
 *
 * States, fixes, and the tips that each landing poisons.
 *
 * A landing that is not good poisons the tips at which its change is in the tree; one that is BAD,
 * only those at which none of its fixes is in the tree too. The tree over the tips holds how many
 * poisons lie on each. A verdict takes away what one landing poisoned and lays down what it poisons
 * now. A new landing can change nothing before itself, so there only what has no end is switched on
 * or off.
 *
 * The rule: docs/landing.md, "Verdicts" and "Deployable".
 */
#include "landing/index.h"

static gint ascending(gconstpointer a, gconstpointer b)
{
	guint32 left = *(const guint32 *)a;
	guint32 right = *(const guint32 *)b;
	return left < right ? -1 : left > right;
}

static void declare_fix(DeployableIndex *index, guint32 fixer, guint32 fixed)
{
	if (index->repaired_by[fixed] == 0) {
		Repair none = {0};
		g_array_append_val(index->repairs, none);
		index->repaired_by[fixed] = index->repairs->len;
	}
	Repair *repair = &g_array_index(index->repairs, Repair, index->repaired_by[fixed] - 1);
	Fix fix = {.fixer = fixer, .fixed = fixed, .next = repair->newest};
	g_array_append_val(index->fixes, fix);
	repair->newest = index->fixes->len;
	repair->in_tree++;
}

/* A fix that names no older landing neutralises nothing: what it fixed may lie before the first
 * landing that we know. */
void poison_declare_fixes(DeployableIndex *index, const gint64 *fixed, gsize count)
{
	guint32 own = index->count - 1;
	g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(guint32));
	for (gsize i = 0; i < count; i++) {
		guint32 landing = 0;
		if (index_find_revision(index, fixed[i], &landing) && landing < own)
			g_array_append_val(known, landing);
	}
	if (known->len == 0)
		return;
	g_array_sort(known, ascending);
	index_set_flag(index, own, LANDING_FIXER, TRUE);
	for (guint i = 0; i < known->len; i++) {
		guint32 landing = g_array_index(known, guint32, i);
		if (i == 0 || landing != g_array_index(known, guint32, i - 1))
			declare_fix(index, own, landing);
	}
}

/* How many fixes are by landings before `fixer`. */
static guint32 fixes_before(const DeployableIndex *index, guint32 fixer)
{
	const Fix *fixes = (const Fix *)(gconstpointer)index->fixes->data;
	guint32 from = 0;
	guint32 until = index->fixes->len;
	while (from < until) {
		guint32 middle = from + (until - from) / 2;
		if (fixes[middle].fixer < fixer)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

void poison_fixes_of(const DeployableIndex *index, guint32 fixer, guint32 *first, guint32 *end)
{
	gboolean any = index_flag(index, fixer, LANDING_FIXER);
	*first = any ? fixes_before(index, fixer) : 0;
	*end = any ? fixes_before(index, fixer + 1) : 0;
}

void poison_follow_toggles(DeployableIndex *index)
{
	guint32 first = 0;
	guint32 end = 0;
	undo_toggles_of(index, index->count - 1, &first, &end);
	for (guint32 i = first; i < end; i++) {
		Toggle toggle = g_array_index(index->toggles, Toggle, i);
		guint32 fix = 0;
		guint32 last = 0;
		for (poison_fixes_of(index, toggle.change, &fix, &last); fix < last; fix++) {
			guint32 fixed = g_array_index(index->fixes, Fix, fix).fixed;
			guint32 repair = index->repaired_by[fixed] - 1;
			guint32 *in_tree = &g_array_index(index->repairs, Repair, repair).in_tree;
			*in_tree = toggle.in ? *in_tree + 1 : *in_tree - 1;
		}
	}
}

ItemState poison_item_counts_as(const DeployableIndex *index, guint32 landing, guint32 item)
{
	guint8 mark = g_array_index(index->item_marks, guint8, item);
	ItemState state = (ItemState)(mark & ITEM_STATE_MASK);
	if (state != ITEM_UNRULED)
		return state;
	LandingQa qa = (LandingQa)index->qas[landing];
	gboolean owes_none = qa == LANDING_QA_NO_QA || qa == LANDING_QA_INCR || qa == LANDING_QA_OK;
	return owes_none || (mark & ITEM_LINKED) != 0 ? ITEM_UNTESTABLE : ITEM_NEEDS_TESTING;
}

LandingState poison_judge(const DeployableIndex *index, guint32 landing)
{
	LandingQa qa = (LandingQa)index->qas[landing];
	guint32 first = index_first_item(index, landing);
	guint32 end = index->item_ends[landing];
	gboolean passed = TRUE;

	if (index->revs[landing] <= index->baseline)
		return LANDING_GOOD;
	if (qa == LANDING_QA_BAD)
		return LANDING_BAD;
	for (guint32 item = first; item < end; item++) {
		ItemState state = poison_item_counts_as(index, landing, item);
		if (state == ITEM_BAD)
			return LANDING_BAD;
		passed = passed && state != ITEM_NEEDS_TESTING;
	}
	if (qa == LANDING_QA_OK)
		return passed ? LANDING_GOOD : LANDING_PENDING;
	if (index_fault(index, landing) != ROLLBACK_FAULT_NONE)
		return LANDING_PENDING;
	if (first == end)
		passed = qa == LANDING_QA_NO_QA || index_flag(index, landing, LANDING_ROLLBACK);
	return passed ? LANDING_GOOD : LANDING_PENDING;
}

gboolean poison_is_neutralised(const DeployableIndex *index, guint32 landing, guint32 tip)
{
	if (index->repaired_by[landing] == 0)
		return FALSE;
	const Fix *fixes = (const Fix *)(gconstpointer)index->fixes->data;
	guint32 repair = index->repaired_by[landing] - 1;
	guint32 at = g_array_index(index->repairs, Repair, repair).newest;
	for (; at != 0; at = fixes[at - 1].next) {
		if (undo_in_tree(index, fixes[at - 1].fixer, tip))
			return TRUE;
	}
	return FALSE;
}

static gboolean poisons_newest(const DeployableIndex *index, guint32 landing)
{
	LandingState state = (LandingState)index->states[landing];
	guint32 repair = index->repaired_by[landing];
	if (state == LANDING_GOOD || !index_flag(index, landing, LANDING_IN_TREE))
		return FALSE;
	return state == LANDING_PENDING || repair == 0 ||
	       g_array_index(index->repairs, Repair, repair - 1).in_tree == 0;
}

/* Adds `amount` to the tips [from, until), in the tree or, where they are given, in the differences
 * that the tree is to be made of. */
static void lay(
	DeployableIndex *index, gint32 *differences, guint32 from, guint32 until, gint32 amount)
{
	if (differences == NULL) {
		tip_tree_add(&index->tree, from, until, amount);
		return;
	}
	differences[from] += amount;
	if (until < index->capacity)
		differences[until] -= amount;
}

/* The tips with the landing's change, newest first. */
static void lay_spans(DeployableIndex *index, gint32 *differences, guint32 landing, gint32 amount)
{
	const Toggle *toggles = (const Toggle *)(gconstpointer)index->toggles->data;
	guint32 until = index->capacity;
	for (guint32 at = index->newest_toggle[landing]; at != 0; at = toggles[at - 1].before) {
		if (toggles[at - 1].in)
			lay(index, differences, toggles[at - 1].at, until, amount);
		until = toggles[at - 1].at;
	}
	lay(index, differences, landing, until, amount);
}

/* From tip `at` on, so many more of the landing's change and of its fixes are in the tree. */
typedef struct Turn {
	guint32 at;
	gint32 changes;
	gint32 fixes;
} Turn;

static gint by_tip(gconstpointer a, gconstpointer b)
{
	const Turn *left = a;
	const Turn *right = b;
	return left->at < right->at ? -1 : left->at > right->at;
}

static void add_turns(
	const DeployableIndex *index, GArray *turns, guint32 landing, gint32 changes, gint32 fixes)
{
	const Toggle *toggles = (const Toggle *)(gconstpointer)index->toggles->data;
	Turn lands = {.at = landing, .changes = changes, .fixes = fixes};
	g_array_append_val(turns, lands);
	for (guint32 at = index->newest_toggle[landing]; at != 0; at = toggles[at - 1].before) {
		gint32 sign = toggles[at - 1].in ? 1 : -1;
		Turn turn = {toggles[at - 1].at, sign * changes, sign * fixes};
		g_array_append_val(turns, turn);
	}
}

/* The tips with the landing's change and none of its fixes: one sweep over both. */
static void lay_unfixed(DeployableIndex *index, gint32 *differences, guint32 landing, gint32 amount)
{
	g_autoptr(GArray) turns = g_array_new(FALSE, FALSE, sizeof(Turn));
	const Fix *fixes = (const Fix *)(gconstpointer)index->fixes->data;
	guint32 repair = index->repaired_by[landing] - 1;
	add_turns(index, turns, landing, 1, 0);
	guint32 at = g_array_index(index->repairs, Repair, repair).newest;
	for (; at != 0; at = fixes[at - 1].next)
		add_turns(index, turns, fixes[at - 1].fixer, 0, 1);
	g_array_sort(turns, by_tip);

	gint32 changes = 0;
	gint32 in_tree = 0;
	for (guint i = 0; i < turns->len; i++) {
		const Turn *turn = &g_array_index(turns, Turn, i);
		gboolean last = i + 1 == turns->len;
		guint32 until = last ? index->capacity : turn[1].at;
		changes += turn->changes;
		in_tree += turn->fixes;
		if (changes > 0 && in_tree == 0 && turn->at < until)
			lay(index, differences, turn->at, until, amount);
	}
}

static void lay_poison(DeployableIndex *index, gint32 *differences, guint32 landing, gint32 amount)
{
	LandingState state = (LandingState)index->states[landing];
	if (state == LANDING_BAD && index->repaired_by[landing] != 0)
		lay_unfixed(index, differences, landing, amount);
	else if (state != LANDING_GOOD)
		lay_spans(index, differences, landing, amount);
}

void poison_restate(DeployableIndex *index, guint32 landing, LandingState state)
{
	if (index->states[landing] == (guint8)state)
		return;
	lay_poison(index, NULL, landing, -1);
	index->states[landing] = (guint8)state;
	lay_poison(index, NULL, landing, 1);
	index_set_flag(index, landing, LANDING_POISONS, poisons_newest(index, landing));
}

/* Switches what the landing poisons from the newest tip on. */
static void renew(DeployableIndex *index, guint32 landing)
{
	gboolean poisons = poisons_newest(index, landing);
	if (poisons == index_flag(index, landing, LANDING_POISONS))
		return;
	tip_tree_add(&index->tree, index->count - 1, index->capacity, poisons ? 1 : -1);
	index_set_flag(index, landing, LANDING_POISONS, poisons);
}

static void renew_with_fixed(DeployableIndex *index, guint32 landing)
{
	renew(index, landing);
	guint32 first = 0;
	guint32 end = 0;
	for (poison_fixes_of(index, landing, &first, &end); first < end; first++)
		renew(index, g_array_index(index->fixes, Fix, first).fixed);
}

void poison_extend(DeployableIndex *index)
{
	guint32 first = 0;
	guint32 end = 0;
	renew_with_fixed(index, index->count - 1);
	undo_toggles_of(index, index->count - 1, &first, &end);
	for (; first < end; first++)
		renew_with_fixed(index, g_array_index(index->toggles, Toggle, first).change);
}

void poison_rebuild(DeployableIndex *index)
{
	gint32 *differences = tip_tree_start(&index->tree, index->capacity);
	for (guint32 landing = 0; landing < index->count; landing++) {
		index->states[landing] = (guint8)poison_judge(index, landing);
		if (index->states[landing] != LANDING_GOOD)
			lay_poison(index, differences, landing, 1);
		index_set_flag(index, landing, LANDING_POISONS, poisons_newest(index, landing));
	}
	tip_tree_finish(&index->tree);
}
