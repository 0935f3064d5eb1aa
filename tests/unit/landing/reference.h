/* SPDX-License-Identifier: ISC
 *
 * The definition of "deployable", applied literally and slowly, to compare the index with. Shares
 * no code with it: for every tip the tree is rebuilt from nothing, as a row of booleans.
 */
#ifndef TESTS_LANDING_REFERENCE_H
#define TESTS_LANDING_REFERENCE_H

#include "landing/deployable.h"

#define REFERENCE_LANDINGS 40
#define REFERENCE_ITEMS	   4
#define REFERENCE_NAMED	   5

typedef struct ReferenceLanding {
	gint64 rev;
	LandingQa qa;
	guint32 items[REFERENCE_ITEMS];
	ItemState states[REFERENCE_ITEMS];
	gsize item_count;
	gint64 rollback_of[REFERENCE_NAMED];
	gsize rollback_count;
	gint64 fixes[REFERENCE_NAMED];
	gsize fix_count;
} ReferenceLanding;

typedef struct ReferenceHistory {
	ReferenceLanding landings[REFERENCE_LANDINGS];
	gsize count;
	gint64 baseline;
} ReferenceHistory;

/* The positions of landings, never their revs. */
gboolean reference_malformed(const ReferenceHistory *history, gsize landing);
ItemState reference_item(const ReferenceHistory *history, gsize landing, gsize item);
LandingState reference_state(const ReferenceHistory *history, gsize landing);
/* tree[v]: is the change of v in the tree at `tip`? */
void reference_tree(const ReferenceHistory *history, gsize tip, gboolean *tree);
/* blocks[v]: is the change of v in the tree at `tip`, and neither good nor neutralised? */
void reference_blockers(
	const ReferenceHistory *history, const gboolean *tree, gsize tip, gboolean *blocks);

#endif
