/* SPDX-License-Identifier: ISC
 *
 * What the files of drover release publish share.
 */
#ifndef DROVER_RELEASE_DELTAS_H
#define DROVER_RELEASE_DELTAS_H

#include "programs/drover/release_place.h"
#include "programs/terminal/bar.h"

/* A version that lies in the repository. */
typedef struct ReleaseKnown {
	gint64 sequence;
	char *version;
} ReleaseKnown;

/* Of ReleaseKnown, the newest first: what is in the index, and what lies there since. *newest is
 * the highest sequence that ever was, 0 for none. */
GPtrArray *release_known(ReleasePlace *place, gint64 *newest, GError **error);

/* A delta to `tree_folder`, which holds the manifest's tree, from each of the first versions of
 * `known`, as many as [release] deltas says: files in `work`, entries in the manifest. One that is
 * no shorter than the payload is left out, and one whose base nobody vouches for any more. */
gboolean release_make_deltas(ReleasePlace *place, const GPtrArray *known, const char *tree_folder,
	const char *work, Manifest *manifest, Bar *bar, GError **error);

#endif
