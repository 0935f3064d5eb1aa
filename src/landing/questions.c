/* SPDX-License-Identifier: ISC
 *
 * Why is a tip not deployable, and what would it take?
 */
#include "landing/index.h"

static guint32 position_of(const DeployableIndex *index, gint64 rev)
{
	guint32 landing = 0;
	gboolean known = index_find_revision(index, rev, &landing);
	g_assert(known);
	return landing;
}

LandingState deployable_index_state(const DeployableIndex *index, gint64 rev)
{
	return (LandingState)index->states[position_of(index, rev)];
}

RollbackFault deployable_index_rollback_fault(const DeployableIndex *index, gint64 rev)
{
	return index_fault(index, position_of(index, rev));
}

gboolean deployable_index_rollback_malformed(const DeployableIndex *index, gint64 rev)
{
	return deployable_index_rollback_fault(index, rev) != ROLLBACK_FAULT_NONE;
}

ItemState deployable_index_item_counts_as(const DeployableIndex *index, gint64 rev, guint32 item)
{
	guint32 landing = position_of(index, rev);
	guint32 position = 0;
	gboolean known = index_find_item(index, landing, item, &position);
	g_assert(known);
	return poison_item_counts_as(index, landing, position);
}

gboolean deployable_index_in_tree(const DeployableIndex *index, gint64 rev, gint64 tip)
{
	return undo_in_tree(index, position_of(index, rev), position_of(index, tip));
}

static gboolean blocks(const DeployableIndex *index, guint32 landing, guint32 tip)
{
	LandingState state = (LandingState)index->states[landing];
	if (state == LANDING_GOOD || !undo_in_tree(index, landing, tip))
		return FALSE;
	return state == LANDING_PENDING || !poison_is_neutralised(index, landing, tip);
}

/* Positions of the blockers, ascending. */
static GArray *find_blockers(const DeployableIndex *index, guint32 tip)
{
	GArray *blockers = g_array_new(FALSE, FALSE, sizeof(guint32));
	guint32 left = (guint32)tip_tree_count(&index->tree, tip);
	for (guint32 landing = 0; landing <= tip && left > 0; landing++) {
		if (!blocks(index, landing, tip))
			continue;
		g_array_append_val(blockers, landing);
		left--;
	}
	g_assert(left == 0);
	return blockers;
}

GArray *deployable_index_blockers(const DeployableIndex *index, gint64 tip)
{
	g_autoptr(GArray) blockers = find_blockers(index, position_of(index, tip));
	GArray *revs = g_array_sized_new(FALSE, FALSE, sizeof(gint64), blockers->len);
	for (guint i = 0; i < blockers->len; i++)
		g_array_append_val(revs, index->revs[g_array_index(blockers, guint32, i)]);
	return revs;
}

/* Is a verdict on the landing itself needed? Then it makes the items without a verdict untestable,
 * and only those that were ruled otherwise remain. */
static gboolean needs_own_verdict(const DeployableIndex *index, guint32 landing)
{
	LandingQa qa = (LandingQa)index->qas[landing];
	gboolean no_items = index_first_item(index, landing) == index->item_ends[landing];
	gboolean faulty = index_fault(index, landing) != ROLLBACK_FAULT_NONE;
	return qa == LANDING_QA_BAD || (qa != LANDING_QA_OK && (no_items || faulty));
}

static void add_needs(const DeployableIndex *index, guint32 landing, GArray *needs)
{
	gboolean bad = index->states[landing] == LANDING_BAD;
	gboolean itself = needs_own_verdict(index, landing);
	LandingNeed need = {.rev = index->revs[landing], .by_fix = bad};
	if (itself) {
		need.landing_itself = TRUE;
		need.now = index->qas[landing] == LANDING_QA_BAD ? ITEM_BAD : ITEM_NEEDS_TESTING;
		g_array_append_val(needs, need);
		need.landing_itself = FALSE;
	}
	guint32 item = index_first_item(index, landing);
	for (; item < index->item_ends[landing]; item++) {
		guint8 mark = g_array_index(index->item_marks, guint8, item);
		need.item = g_array_index(index->item_keys, guint32, item);
		need.now = poison_item_counts_as(index, landing, item);
		gboolean ruled = (mark & ITEM_STATE_MASK) != ITEM_UNRULED;
		if ((need.now == ITEM_NEEDS_TESTING || need.now == ITEM_BAD) && (ruled || !itself))
			g_array_append_val(needs, need);
	}
}

GArray *deployable_index_needs(const DeployableIndex *index, gint64 tip)
{
	g_autoptr(GArray) blockers = find_blockers(index, position_of(index, tip));
	GArray *needs = g_array_new(FALSE, FALSE, sizeof(LandingNeed));
	for (guint i = 0; i < blockers->len; i++)
		add_needs(index, g_array_index(blockers, guint32, i), needs);
	return needs;
}
