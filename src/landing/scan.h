/* SPDX-License-Identifier: ISC
 *
 * From a product's git repository to its ledger: what is new is read, whose commit each reference
 * names is looked up, and all of it is stored in one transaction. A branch that was rewritten
 * freezes the product: the last answer is kept until a person confirms a rebase.
 */
#ifndef LANDING_SCAN_H
#define LANDING_SCAN_H

#include "landing/product.h"

typedef struct ScanOptions {
	Clock clock;
	const char *actor; /* for the history */
	/* Called now and then while git is read; may be NULL. */
	void (*progress)(gint64 landings, gpointer of);
	gpointer progress_of;
} ScanOptions;

typedef struct ScanOutcome {
	char *tip; /* NULL for an empty branch */
	gint64 new_landings, new_commits, retired;
	GPtrArray *notes; /* char *: "landing 43: …" */
} ScanOutcome;

void scan_outcome_clear(ScanOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScanOutcome, scan_outcome_clear)

/* Opens its own transaction; the caller holds the job lock. Fails with DROVER_ERROR_FROZEN when the
 * branch was rewritten (now or before), DROVER_ERROR_INPUT when the product has no repository, and
 * as git_scan(). */
gboolean landing_scan(Store *store, const char *product, const ScanOptions *options,
	ScanOutcome *outcome, GError **error);

/* Takes the branch as it is now: landings that are no longer on it are retired, their ordinals
 * never used again. */
gboolean landing_rebase(Store *store, const char *product, const ScanOptions *options,
	const char *reason, ScanOutcome *outcome, GError **error);

#endif
