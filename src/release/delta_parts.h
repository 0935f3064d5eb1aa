/* SPDX-License-Identifier: ISC
 *
 * What making and applying a delta must agree on. For the inside of this room.
 *
 *     drover-delta 1 NEWLINE
 *     of each file that is not copied, in the tree's order:
 *         'p' and the frames of its pieces, each with a piece of the same path's old file as prefix
 *         'n' a new file
 *     one frame: the bytes of all new files, one after the other; not there when they have none
 *
 * Paths, sizes and digests are not in it: both manifests have them, signed.
 */
#ifndef RELEASE_DELTA_PARTS_H
#define RELEASE_DELTA_PARTS_H

#include "release/delta.h"

#define DELTA_BEGIN   "drover-delta 1\n"
#define DELTA_PATCHED 'p'
#define DELTA_NEW     'n'

/* A frame holds this much of a patched file: what decoding needs besides the old file is bounded.
 */
enum { DELTA_PIECE_BYTES = 64 * 1024 * 1024 };

/* What of a base can be copied: each file's digest. */
typedef struct DeltaBase {
	const Tree *tree;
	GHashTable *files; /* SHA-256 to the first TreeEntry that has it; borrowed from `tree` */
} DeltaBase;

void delta_base_open(DeltaBase *base, const Tree *tree);
void delta_base_clear(DeltaBase *base);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeltaBase, delta_base_clear)
/* The base's file that has these bytes: that of the same path, otherwise the first; NULL. */
const TreeEntry *delta_base_same(const DeltaBase *base, const TreeEntry *file);
/* The base's file of the same path, when both have bytes; NULL. */
const TreeEntry *delta_base_old(const DeltaBase *base, const TreeEntry *file);

/* An old file in memory, as far as the system keeps it there. */
typedef struct DeltaMap {
	const char *bytes;
	gsize size_bytes;
} DeltaMap;

/* *is_same: it is what its tree says. Whoever shortens it from now on ends this process: nobody
 * writes to a base. Fails as beneath_open(). */
gboolean delta_map_open(
	DeltaMap *map, int folder_fd, const TreeEntry *file, gboolean *is_same, GError **error);
void delta_map_close(DeltaMap *map);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeltaMap, delta_map_close)
/* The prefix of the piece at this offset: the old bytes of the same place, and a piece before and
 * behind them. */
DeltaMap delta_map_prefix(const DeltaMap *map, gint64 offset);

#endif
