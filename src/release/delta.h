/* SPDX-License-Identifier: ISC
 *
 * A shorter way from one tree to another (docs/release.md, "Deltas"): per file, `zstd --patch-from`
 * against the same path's old file; files that only the new tree has are plain, equal ones are
 * copied from the base. The memory that it takes is that of the largest file, not of the tree.
 *
 * zstd does not know its base, so every base and every result is compared by SHA-256; windows come
 * from the signed manifest, never from a frame.
 */
#ifndef RELEASE_DELTA_H
#define RELEASE_DELTA_H

#include "release/manifest.h"

typedef struct DeltaMade {
	gint64 size_bytes;
	char sha256[SHA256_HEX];
	int window_log;
	guint copied, patched, plain; /* files */
} DeltaMade;

/* Writes the delta to `out_fd` from its position on; the caller syncs. Each tree lies in its
 * folder. A file that is no longer what its tree says is DROVER_ERROR_CONFLICT. Otherwise fails
 * with DROVER_ERROR_INPUT or DROVER_ERROR_INTERNAL. */
gboolean delta_make(int base_fd, const Tree *base, int folder_fd, const Tree *tree, int level,
	int out_fd, TreeProgress progress, gpointer user, DeltaMade *made, GError **error);

/* Makes the tree in the folder, which must be empty, out of the base's files, which are only read;
 * then reads everything again from the disk. What is there when it fails is to be thrown away, as
 * for archive_unpack(). `base` is the tree of the base's signed manifest; its digest must be
 * `said->from_tree_sha256`. Fails with DROVER_ERROR_INPUT (delta or base are not what the manifest
 * says; names the path), DROVER_ERROR_TOO_LARGE, DROVER_ERROR_INTERNAL (disk full). */
gboolean delta_apply(int delta_fd, const ManifestDelta *said, int base_fd, const Tree *base,
	const Tree *tree, gint64 mtime_s, int folder_fd, TreeProgress progress, gpointer user,
	GError **error);

#endif
