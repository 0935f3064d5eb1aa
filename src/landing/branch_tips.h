/* SPDX-License-Identifier: ISC
 *
 * The tips of a repository's branches at the last scan, for "is my branch live?".
 */
#ifndef LANDING_BRANCH_TIPS_H
#define LANDING_BRANCH_TIPS_H

#include "landing/product.h"

typedef struct BranchTip {
	char *name;
	char *sha;
	char *author_name, *author_email;
	gint64 ordinal; /* the landing that brought its tip; 0: not landed */
	gint64 ahead;	/* commits that have not landed */
} BranchTip;

/* `branches`: GitBranch *. Writes (and moves STORE_CHANGES) only when something differs. Inside
 * store_write(), after the landings were written. */
gboolean branch_tips_replace(
	Store *store, const Product *product, const GPtrArray *branches, GError **error);
/* By name: GPtrArray of BranchTip *. */
GPtrArray *branch_tips_list(Store *store, const Product *product, GError **error);

#endif
