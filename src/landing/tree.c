/* SPDX-License-Identifier: ISC
 *
 * The segment tree over tips; its idea stands in the header.
 */
#include "landing/tree.h"

#include <string.h>

#define SMALLEST_CAPACITY 16

void tip_tree_clear(TipTree *tree)
{
	g_clear_pointer(&tree->nodes, g_free);
	tree->capacity = 0;
}

/* Restores "one child is 0" at `node`, handing what both children have in common to it. */
static void pull(gint32 *nodes, gsize node)
{
	gint32 *pair = nodes + 2 * node;
	gint32 common = MIN(pair[0], pair[1]);
	pair[0] -= common;
	pair[1] -= common;
	nodes[node] += common;
}

gint32 *tip_tree_start(TipTree *tree, guint32 capacity)
{
	g_assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
	g_free(tree->nodes);
	tree->nodes = g_new0(gint32, 2 * (gsize)capacity);
	tree->capacity = capacity;
	return tree->nodes + capacity;
}

void tip_tree_finish(TipTree *tree)
{
	gint32 *leaves = tree->nodes + tree->capacity;
	for (gsize tip = 1; tip < tree->capacity; tip++)
		leaves[tip] += leaves[tip - 1];
	for (gsize node = tree->capacity - 1; node >= 1; node--)
		pull(tree->nodes, node);
}

void tip_tree_grow(TipTree *tree)
{
	if (tree->capacity == 0) {
		tip_tree_start(tree, SMALLEST_CAPACITY);
		return;
	}
	gsize capacity = tree->capacity;
	gint32 endless = tip_tree_count(tree, tree->capacity - 1);
	gint32 *nodes = g_new0(gint32, 4 * capacity);
	/* The old tree becomes the left half: its row of `width` nodes moves one row down. */
	for (gsize width = 1; width <= capacity; width *= 2)
		memcpy(nodes + 2 * width, tree->nodes + width, width * sizeof *nodes);
	nodes[3] = endless;
	pull(nodes, 1);
	g_free(tree->nodes);
	tree->nodes = nodes;
	tree->capacity *= 2;
}

void tip_tree_add(TipTree *tree, guint32 from, guint32 until, gint32 amount)
{
	g_assert(from < until && until <= tree->capacity);
	gint32 *nodes = tree->nodes;
	gsize first = (gsize)from + tree->capacity;
	gsize last = (gsize)until + tree->capacity - 1;

	for (gsize left = first, right = last + 1; left < right; left /= 2, right /= 2) {
		if (left % 2 == 1)
			nodes[left++] += amount;
		if (right % 2 == 1)
			nodes[--right] += amount;
	}
	/* Only nodes beside the ways from both ends to the root have changed. */
	for (first /= 2, last /= 2; first != last; first /= 2, last /= 2) {
		pull(nodes, first);
		pull(nodes, last);
	}
	for (; first >= 1; first /= 2)
		pull(nodes, first);
}

gint32 tip_tree_count(const TipTree *tree, guint32 tip)
{
	g_assert(tip < tree->capacity);
	gint32 count = 0;
	for (gsize node = (gsize)tip + tree->capacity; node >= 1; node /= 2)
		count += tree->nodes[node];
	return count;
}

/* `node` stands for the tips [first, first + width); `above` is the sum of the nodes above it.
 * Where the whole width is allowed, a least count of 0 means that the search cannot fail below. */
static gint64 search(
	const gint32 *nodes, gsize node, guint32 first, guint32 width, gint32 above, guint32 until)
{
	gint32 least = above + nodes[node];
	if (least > 0 || first > until)
		return -1;
	if (width == 1)
		return first;
	guint32 half = width / 2;
	gint64 found = search(nodes, 2 * node + 1, first + half, half, least, until);
	return found >= 0 ? found : search(nodes, 2 * node, first, half, least, until);
}

gint64 tip_tree_newest_clear(const TipTree *tree, guint32 until)
{
	if (tree->capacity == 0)
		return -1;
	return search(tree->nodes, 1, 0, tree->capacity, 0, until);
}

static void collect(const gint32 *nodes, gsize node, guint32 first, guint32 width, gint32 above,
	guint32 count, GArray *clear)
{
	gint32 least = above + nodes[node];
	if (least > 0 || first >= count)
		return;
	if (width == 1) {
		g_array_append_val(clear, first);
		return;
	}
	guint32 half = width / 2;
	collect(nodes, 2 * node, first, half, least, count, clear);
	collect(nodes, 2 * node + 1, first + half, half, least, count, clear);
}

void tip_tree_all_clear(const TipTree *tree, guint32 count, GArray *clear)
{
	if (tree->capacity > 0)
		collect(tree->nodes, 1, 0, tree->capacity, 0, count, clear);
}
