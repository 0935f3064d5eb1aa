/* SPDX-License-Identifier: ISC
 *
 * Verdicts: the log of what people and tools said of (landing, item) pairs. The newest counts.
 */
#ifndef LANDING_VERDICT_H
#define LANDING_VERDICT_H

#include "landing/deployable.h"
#include "landing/product.h"

typedef struct Verdict {
	gint64 id;
	char *item; /* "" is the landing itself */
	ItemState state;
	gint64 at_us;
	char *actor, *tool;
	char *reason; /* NULL for none */
} Verdict;

void verdict_free(Verdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verdict, verdict_free)

/* Appends to the log; id is given by the store. Inside store_write(). */
gboolean verdict_add(Store *store, const Product *product, gint64 landing_id,
	const Verdict *verdict, GError **error);
/* The newest first, at most `limit`: GPtrArray of Verdict *. */
GPtrArray *verdict_list(Store *store, gint64 landing_id, gint64 limit, GError **error);
/* Drops verdicts older than `before_us` that a newer one on the same pair has overruled. Opens its
 * own transaction when there is something to do. */
gboolean verdict_summarise(Store *store, gint64 before_us, GError **error);

#endif
