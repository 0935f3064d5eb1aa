/* SPDX-License-Identifier: ISC
 *
 * Which tips of a branch may be deployed, and why not the others: the heart of the landing stage.
 *
 * Every landing adds its own change to the tree; a rollback also undoes, newest target first, what
 * each target actually changed when it landed. A tip may be deployed when every change in its tree
 * is good or neutralised. Each landing that is not good poisons the tips [landed, undone) and again
 * from each re-land; a segment tree over the tips (range add, range minimum) keeps how many poisons
 * lie on each.
 *
 * No I/O, no clock. Landings are named by their ordinal ("rev"), which grows. See docs/landing.md.
 */
#ifndef LANDING_DEPLOYABLE_H
#define LANDING_DEPLOYABLE_H

#include <glib.h>

/* Rollbacks of rollbacks, as they are written: one of an ordinary landing nests 1 deep, one of
 * that 2. Deeper is PENDING until ruled ok, and undoes nothing. */
#define LANDING_MAXIMUM_NESTING 256

/* Landings of an index; and its items, rollback_of and fixes, each in all. */
#define LANDING_MAXIMUM_COUNT 5000000
#define LANDING_MAXIMUM_NAMED (32 * 1024 * 1024)

/* Undoing a rollback touches the changes that it toggled, and the landings that these fix, without
 * naming them. Each rollback may so touch LANDING_FREE_REACH, and what is beyond that comes out of
 * LANDING_MAXIMUM_REACH, which all of an index share. One for which it is not enough is PENDING
 * until ruled ok, and undoes nothing. The search for linked items looks at LANDING_FREE_SEARCH
 * landings and items, and what is beyond that comes out of the same; what it has not found by then
 * is not linked. So the length of a history bounds time and memory, whatever it says. */
#define LANDING_MAXIMUM_REACH (16 * 1024 * 1024)
#define LANDING_FREE_REACH    16
#define LANDING_FREE_SEARCH   1024

typedef enum ItemState {
	ITEM_UNRULED, /* no verdict: the landing's default counts */
	ITEM_NEEDS_TESTING,
	ITEM_OK,
	ITEM_BAD,
	ITEM_UNTESTABLE,
} ItemState;

typedef enum LandingQa {
	LANDING_QA_REQUIRED,
	LANDING_QA_NO_QA,
	LANDING_QA_INCR, /* a step: owes no QA, closes nothing */
	LANDING_QA_OK,
	LANDING_QA_BAD,
} LandingQa;

typedef enum LandingState { LANDING_PENDING, LANDING_GOOD, LANDING_BAD } LandingState;

/* Why a rollback undoes nothing and is PENDING until it is ruled ok. */
typedef enum RollbackFault {
	ROLLBACK_FAULT_NONE,
	ROLLBACK_FAULT_TARGET,	/* a target is not older, or a hole inside the known window */
	ROLLBACK_FAULT_NESTING, /* LANDING_MAXIMUM_NESTING */
	ROLLBACK_FAULT_REACH,	/* LANDING_MAXIMUM_REACH */
} RollbackFault;

/* "needs-testing", "ok", …; NULL for ITEM_UNRULED. */
const char *item_state_name(ItemState state);
gboolean item_state_parse(const char *name, ItemState *state);
/* "required", "no-qa", "incr", "ok", "bad" */
const char *landing_qa_name(LandingQa qa);
gboolean landing_qa_parse(const char *name, LandingQa *qa);
/* "PENDING", "GOOD", "BAD" */
const char *landing_state_name(LandingState state);
/* Goes on after "undoes nothing: ": "it names a landing that …". NULL for ROLLBACK_FAULT_NONE. */
const char *rollback_fault_describe(RollbackFault fault);

/* What one landing says. Item keys are the caller's numbers for items: equal keys, same item. */
typedef struct LandingFacts {
	gint64 rev; /* > 0, above that of every landing before it */
	LandingQa qa;
	const guint32 *items;	 /* distinct */
	const ItemState *states; /* one per item */
	gsize item_count;
	const gint64 *rollback_of; /* as written; older than the first landing is historic */
	gsize rollback_count;
	const gint64 *fixes; /* what is no older landing is ignored */
	gsize fix_count;
} LandingFacts;

typedef struct DeployableIndex DeployableIndex;

/* `baseline`: landings up to it are accepted; 0 for none. */
DeployableIndex *deployable_index_new(gint64 baseline);
void deployable_index_free(DeployableIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeployableIndex, deployable_index_free)

/* Adds the next landing at the tip; `facts` is copied. O(log n) amortised.
 * Fails with DROVER_ERROR_INPUT when its rev is not above the last one or an item is named twice,
 * with DROVER_ERROR_TOO_LARGE over a limit; then the index is as it was. */
gboolean deployable_index_append(DeployableIndex *index, const LandingFacts *facts, GError **error);
/* Appends many, sorted by rev, as one O(n) pass. The same result as appending each; when it fails,
 * those before the refused one are in. */
gboolean deployable_index_build(
	DeployableIndex *index, const LandingFacts *facts, gsize count, GError **error);

/* The verdict on one item of a landing is now `state`; ITEM_UNRULED withdraws it. O(log n), and the
 * length of the landing's items, toggles and fixes. Verdicts never change what is in the tree.
 * Fails with DROVER_ERROR_NOT_FOUND when there is no such landing, or it has no such item. */
gboolean deployable_index_rule_item(
	DeployableIndex *index, gint64 rev, guint32 item, ItemState state, GError **error);
/* The verdict on the landing itself. LANDING_QA_OK, LANDING_QA_BAD, or what its message said. A
 * malformed rollback that is ruled ok still undoes nothing. */
gboolean deployable_index_rule_landing(
	DeployableIndex *index, gint64 rev, LandingQa qa, GError **error);
/* Landings up to `baseline` are accepted; 0 for none. O(n). */
void deployable_index_set_baseline(DeployableIndex *index, gint64 baseline);

gsize deployable_index_count(const DeployableIndex *index);
/* The rev of the newest landing, 0 when there is none. */
gint64 deployable_index_tip(const DeployableIndex *index);
gboolean deployable_index_has(const DeployableIndex *index, gint64 rev);
/* The newest deployable tip, 0 when there is none. O(log n). */
gint64 deployable_index_newest(const DeployableIndex *index);
/* The newest deployable tip at or before `rev`, 0 when there is none. O(log n). */
gint64 deployable_index_newest_until(const DeployableIndex *index, gint64 rev);
gboolean deployable_index_is_deployable(const DeployableIndex *index, gint64 rev);
/* All deployable tips, ascending: GArray of gint64. O(n). */
GArray *deployable_index_all(const DeployableIndex *index);

/* Questions about one landing; `rev` must be one (g_assert). Up to the baseline all are GOOD. */
LandingState deployable_index_state(const DeployableIndex *index, gint64 rev);
/* Its rollback is malformed: undoes nothing. FALSE when it is no rollback. */
gboolean deployable_index_rollback_malformed(const DeployableIndex *index, gint64 rev);
/* Why; ROLLBACK_FAULT_NONE when it is well-formed, or no rollback. */
RollbackFault deployable_index_rollback_fault(const DeployableIndex *index, gint64 rev);
/* What the item counts as, its landing's default applied; `item` must be one of the landing's. */
ItemState deployable_index_item_counts_as(const DeployableIndex *index, gint64 rev, guint32 item);
/* Is the change of landing `rev` in the tree at tip `tip`? */
gboolean deployable_index_in_tree(const DeployableIndex *index, gint64 rev, gint64 tip);

/* The changes in the tree at `tip` that are neither good nor neutralised, ascending: GArray of
 * gint64 revs. Empty exactly when `tip` is deployable. O(n), one byte read for each good landing.
 * `tip` must be a landing. */
GArray *deployable_index_blockers(const DeployableIndex *index, gint64 tip);

/* What it would take to make `tip` deployable, blocker by blocker: the verdicts to give. A blocker
 * whose own verdict is bad, that has no items, or is a malformed rollback, needs a verdict on the
 * landing itself. */
typedef struct LandingNeed {
	gint64 rev;
	gboolean landing_itself; /* else `item` */
	guint32 item;
	ItemState now; /* what it counts as: ITEM_BAD or ITEM_NEEDS_TESTING */
	/* The blocker is BAD: a fix or a rollback would do for the tips after it. */
	gboolean by_fix;
} LandingNeed;
/* GArray of LandingNeed, ascending by rev and item, the landing itself first; giving ok to each
 * makes `tip` deployable, and none can be left out. */
GArray *deployable_index_needs(const DeployableIndex *index, gint64 tip);

/* Bytes held, for benchmarks and /metrics. */
gsize deployable_index_memory(const DeployableIndex *index);

#endif
