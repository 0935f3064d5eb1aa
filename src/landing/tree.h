/* SPDX-License-Identifier: ISC
 *
 * How many poisons lie on each tip: a segment tree with range add and range minimum, one number a
 * node.
 *
 * A node holds by how much the minimum of its tips exceeds that of its parent's. So the count of a
 * tip is the sum of the nodes from the root to its leaf, at least one child of every node is 0, and
 * a range is changed without pushing anything down. The capacity is a power of two; tips that are
 * not there yet carry what has no end.
 */
#ifndef LANDING_TREE_H
#define LANDING_TREE_H

#include <glib.h>

typedef struct TipTree {
	gint32 *nodes; /* 2 * capacity: the root at 1, the leaves from `capacity`; NULL while empty
			*/
	guint32 capacity; /* 0, or a power of two */
} TipTree;

void tip_tree_clear(TipTree *tree);
/* Doubles the capacity; the new tips count what the last one does. */
void tip_tree_grow(TipTree *tree);

/* All afresh: gives the leaves, zeroed, to be filled with each tip's difference from the tip before
 * it; then tip_tree_finish() makes the tree of them. O(capacity). */
gint32 *tip_tree_start(TipTree *tree, guint32 capacity);
void tip_tree_finish(TipTree *tree);

/* Adds `amount` to the tips [from, until). O(log n). */
void tip_tree_add(TipTree *tree, guint32 from, guint32 until, gint32 amount);
gint32 tip_tree_count(const TipTree *tree, guint32 tip);
/* The newest tip up to `until` that counts 0, or -1. O(log n). */
gint64 tip_tree_newest_clear(const TipTree *tree, guint32 until);
/* Appends to `clear` (of guint32) the tips before `count` that count 0, ascending. O(answers + log
 * n) or, where few tips are clear, O(answers · log n). */
void tip_tree_all_clear(const TipTree *tree, guint32 count, GArray *clear);

#endif
