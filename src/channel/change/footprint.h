/* SPDX-License-Identifier: ISC
 *
 * What a change touches: the rows and aliases that it writes, the rows that its preconditions read,
 * and every product and channel whose digest it alters. Two changes whose footprints are disjoint
 * can go live in either order, to the same end. Rules: docs/channel.md, "The queue". Pure.
 */
#ifndef CHANNEL_CHANGE_FOOTPRINT_H
#define CHANNEL_CHANGE_FOOTPRINT_H

#include "channel/row/scope.h"

typedef struct Footprint {
	GHashTable *writes; /* "rules 7", "alias beta-gate", "channel beta" (is it a test channel?);
			     * a reserved id is its rule's row */
	GHashTable *reads;  /* "releases web-1.4.0", "products web", "channel beta" */
	GArray *scopes;	    /* Scope, their texts owned */
} Footprint;

/* Of the change on top of `state`. One that cannot be applied has the footprint of what it names
 * and what it would have. */
Footprint *footprint_new(const State *state, const json_t *change);
void footprint_free(Footprint *footprint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Footprint, footprint_free)

/* FALSE: the answers of this product and channel are the same with and without the change. */
gboolean footprint_alters(const Footprint *footprint, const char *product, const char *channel);
gboolean footprints_are_disjoint(const Footprint *a, const Footprint *b);

#endif
