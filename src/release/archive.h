/* SPDX-License-Identifier: ISC
 *
 * A tree as one file, and back: a tar archive (PAX) in a zstd frame.
 *
 * The tar is a function of the tree, the bytes of its files and one time: entries in the tree's
 * order, no folders, no owners, no times but that one. Packing twice gives the same tar on any
 * machine; its SHA-256 is the payload's identity. The frame around it may differ between versions
 * of zstd, so its own SHA-256 only tells that one file came through unharmed.
 *
 * Unpacking believes nothing: the frame's bytes are checked before they are decoded, the window
 * and every size come from the manifest, each entry must be the next one of the tree, nothing
 * leaves the folder (release/beneath.h), and at the end all files are read again from the disk.
 */
#ifndef RELEASE_ARCHIVE_H
#define RELEASE_ARCHIVE_H

#include "release/tree.h"

#define ARCHIVE_MINIMUM_WINDOW_LOG 10	       /* 1 KiB */
#define ARCHIVE_MAXIMUM_WINDOW_LOG 27	       /* 128 MiB: what every zstd decodes unasked */
#define ARCHIVE_MAXIMUM_TAR_BYTES  18253611008 /* 17 GiB: the largest tree and its headers */
#define ARCHIVE_MAXIMUM_MTIME_S	   8589934591  /* in the year 2242: what a plain tar header holds */

/* What a manifest says about the payload. */
typedef struct ArchivePayload {
	gint64 size_bytes;	     /* of the file as it is fetched */
	char sha256[SHA256_HEX];     /* of the file as it is fetched */
	gint64 tar_bytes;	     /* uncompressed */
	char tar_sha256[SHA256_HEX]; /* uncompressed: the identity */
	int window_log;		     /* decoding needs 2^window_log bytes */
} ArchivePayload;

/* Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE when it goes beyond the limits. */
gboolean archive_check_payload(const ArchivePayload *payload, GError **error);

/* How hard to compress: zstd's 1 to 19, and its window. Neither changes the tar. */
typedef struct ArchiveEffort {
	int level;
	int window_log;
} ArchiveEffort;

extern const ArchiveEffort archive_effort_default;

/* Packs the tree, whose files lie in the folder, to `out_fd` from its position on; the caller
 * syncs. `mtime_s`: seconds since 1970, from 0 to ARCHIVE_MAXIMUM_MTIME_S. Each file is hashed
 * again on its way: one that is no longer what the tree says is DROVER_ERROR_CONFLICT. Otherwise
 * fails with DROVER_ERROR_INPUT or DROVER_ERROR_INTERNAL. */
gboolean archive_pack(int folder_fd, const Tree *tree, gint64 mtime_s, const ArchiveEffort *effort,
	int out_fd, TreeProgress progress, gpointer user, ArchivePayload *payload, GError **error);

/* The same without writing anything: for comparing a second build's tar with the first. */
gboolean archive_measure(int folder_fd, const Tree *tree, gint64 mtime_s, gint64 *tar_bytes,
	char tar_sha256[SHA256_HEX], GError **error);

/* Unpacks into the folder, which must be empty, and reads everything again from the disk. When it
 * fails, what is there so far stays: throw the folder away. Files and folders have their modes, all
 * files the time `mtime_s`. Nothing is synced. Fails with DROVER_ERROR_INPUT (not what the manifest
 * says), DROVER_ERROR_CONFLICT (the folder is not empty), DROVER_ERROR_INTERNAL (disk full).
 * `progress` hears of each file twice: written, and read again. */
gboolean archive_unpack(int packed_fd, const ArchivePayload *payload, const Tree *tree,
	gint64 mtime_s, int folder_fd, TreeProgress progress, gpointer user, GError **error);

/* TRUE when the folder holds exactly the tree, with exact modes. Otherwise DROVER_ERROR_INPUT
 * naming the first paths that are missing, changed or too many; or an error of tree_read(). */
gboolean archive_verify(
	int folder_fd, const Tree *tree, TreeProgress progress, gpointer user, GError **error);

#endif
