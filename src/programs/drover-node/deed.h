/* SPDX-License-Identifier: ISC
 *
 * What commands and the daemon do alike with a product's place.
 */
#ifndef DROVER_NODE_DEED_H
#define DROVER_NODE_DEED_H

#include "node/hold/hold.h"
#include "node/install.h"

/* Who does a deed, and is told of its progress. */
typedef struct DeedWatch {
	HoldProgram holder; /* what one is started with */
	void (*progress)(NodeStep step, gint64 done, gint64 total, gpointer of);
	gpointer of;
} DeedWatch;

/* `watch` must outlive the deed. */
NodeDeed deed_of(const NodeProduct *product, gboolean is_ordered, DeedWatch *watch);
/* "fetching", "waiting until it is healthy"; "fetch", "health" for programs. */
const char *deed_step_text(NodeStep step);
const char *deed_step_name(NodeStep step);
/* Are its numbers bytes? */
gboolean deed_step_is_bytes(NodeStep step);

#endif
