/* SPDX-License-Identifier: ISC
 *
 * The inside of DeployableIndex, for the files that make it up, and for tests of its limits.
 *
 *     deployable.c  the door: append, build, verdicts, what is deployable
 *     undo.c        structure: what each landing changed in the tree. Never depends on a verdict
 *     poison.c      states, fixes, and the tips that each landing poisons
 *     questions.c   why not, and what would it take
 *
 * A landing is named inside by its position (0, 1, …). One array per property: most landings are
 * never undone, fixed or rollbacks, so what only those have lies in tables of their own. A landing
 * of one item takes 36 bytes when the arrays are full, and 72 right after they doubled.
 */
#ifndef LANDING_INDEX_H
#define LANDING_INDEX_H

#include "landing/deployable.h"
#include "landing/tree.h"

/* The sides of one change's history in the tree, newest first: out, in again, out again. The
 * toggles that one rollback made lie together, so they are also the list of what it actually
 * changed. */
typedef struct Toggle {
	guint32 change : 31;
	guint32 in : 1; /* the change is in the tree from `at` on */
	guint32 at;	/* position of the rollback */
	guint32 before; /* 1 + the change's toggle before this one; 0: it landed */
} Toggle;

typedef struct Rollback {
	guint32 landing;
	guint32 first_target; /* in `targets`; ends where the next one's begin */
	guint32 first_toggle; /* in `toggles`, likewise */
	guint32 weight;	      /* what undoing it touches; see LANDING_MAXIMUM_REACH */
	guint32 seen;	      /* the last search for linked items that came by */
	guint16 nesting; /* 1 + its targets' greatest, as written; no more than the limit + 1 */
} Rollback;

/* "landing `fixer` fixes landing `fixed`". Those of one fixer lie together, in its order. */
typedef struct Fix {
	guint32 fixer;
	guint32 fixed;
	guint32 next; /* 1 + the next fix of the same landing; 0: the last */
} Fix;

/* All fixes of one landing. */
typedef struct Repair {
	guint32 newest;	 /* 1 + position in `fixes` */
	guint32 in_tree; /* of its fixes, at the newest tip */
} Repair;

enum LandingFlag {
	LANDING_IN_TREE = 1 << 0, /* at the newest tip */
	LANDING_POISONS = 1 << 1, /* the newest tip */
	LANDING_ROLLBACK = 1 << 2,
	LANDING_FIXER = 1 << 3,
	LANDING_FAULT_SHIFT = 4, /* two bits: RollbackFault */
};

enum ItemMark {
	ITEM_STATE_MASK = 7,  /* ItemState */
	ITEM_LINKED = 1 << 3, /* of a well-formed rollback, and of a landing that it undoes */
};

struct DeployableIndex {
	gint64 baseline;
	guint32 count;
	guint32 capacity; /* of the arrays per landing: 0, or a power of two */
	gint64 *revs;
	guint8 *qas;	    /* LandingQa */
	guint8 *states;	    /* LandingState, the baseline applied */
	guint8 *flags;	    /* LandingFlag */
	guint32 *item_ends; /* in item_keys; a landing's items begin where those before it end */
	guint32 *newest_toggle; /* 1 + position in `toggles`; 0: in the tree since it landed */
	guint32 *repaired_by;	/* 1 + position in `repairs`; 0: no fix names it */
	GArray *item_keys;	/* guint32, ascending within a landing */
	GArray *item_marks;	/* guint8 ItemMark */
	GArray *toggles;	/* Toggle */
	GArray *rollbacks;	/* Rollback, ascending by landing */
	GArray *targets;	/* guint32, newest first; none for a malformed rollback */
	GArray *fixes;		/* Fix, ascending by fixer */
	GArray *repairs;	/* Repair */
	TipTree tree;
	gsize patience; /* what is left of LANDING_MAXIMUM_REACH */
	guint32 search; /* the number of the last search for linked items */
};

/* Positions. */
gboolean index_find_revision(const DeployableIndex *index, gint64 rev, guint32 *landing);
/* How many landings have a rev up to `rev`. */
guint32 index_floor(const DeployableIndex *index, gint64 rev);
/* Where the landing's item `key` lies in item_keys and item_marks. */
gboolean index_find_item(const DeployableIndex *index, guint32 landing, guint32 key, guint32 *item);

static inline guint32 index_first_item(const DeployableIndex *index, guint32 landing)
{
	return landing == 0 ? 0 : index->item_ends[landing - 1];
}

static inline gboolean index_flag(const DeployableIndex *index, guint32 landing, guint8 flag)
{
	return (index->flags[landing] & flag) != 0;
}

static inline void index_set_flag(
	DeployableIndex *index, guint32 landing, guint8 flag, gboolean value)
{
	guint8 flags = index->flags[landing];
	index->flags[landing] = (guint8)(value ? flags | flag : flags & ~flag);
}

static inline RollbackFault index_fault(const DeployableIndex *index, guint32 landing)
{
	return (RollbackFault)(index->flags[landing] >> LANDING_FAULT_SHIFT);
}

/* undo.c */

/* The newest landing, already counted, undoes `targets` (revs as written): its flags, its toggles,
 * and which of its items are linked. */
void undo_targets(DeployableIndex *index, const gint64 *targets, gsize count);
/* The toggles that landing made: [*first, *end) of `toggles`. */
void undo_toggles_of(const DeployableIndex *index, guint32 landing, guint32 *first, guint32 *end);
gboolean undo_in_tree(const DeployableIndex *index, guint32 landing, guint32 tip);

/* poison.c */

/* The newest landing fixes `fixed` (revs as written). Before undo_targets(). */
void poison_declare_fixes(DeployableIndex *index, const gint64 *fixed, gsize count);
/* The fixes of landing `fixer`: [*first, *end) of `fixes`. */
void poison_fixes_of(const DeployableIndex *index, guint32 fixer, guint32 *first, guint32 *end);
/* Fixes that the newest landing took out of the tree, or brought back. After undo_targets(). */
void poison_follow_toggles(DeployableIndex *index);
ItemState poison_item_counts_as(const DeployableIndex *index, guint32 landing, guint32 item);
/* What the landing's state is by its facts and verdicts. */
LandingState poison_judge(const DeployableIndex *index, guint32 landing);
/* Some fix of it is in the tree at `tip`. */
gboolean poison_is_neutralised(const DeployableIndex *index, guint32 landing, guint32 tip);
/* Gives the landing that state, and the tree what follows. */
void poison_restate(DeployableIndex *index, guint32 landing, LandingState state);
/* After the newest landing: what poisons from it on, and what no longer. */
void poison_extend(DeployableIndex *index);
/* All states, and the whole tree, afresh. O(n). */
void poison_rebuild(DeployableIndex *index);

#endif
