/* SPDX-License-Identifier: ISC
 *
 * Payloads that packing would never make, well formed in all but one thing: each with the digests
 * and sizes that it really has, as if somebody with the key had signed it.
 */
#ifndef TESTS_RELEASE_HOSTILE_H
#define TESTS_RELEASE_HOSTILE_H

#include <archive.h>
#include <archive_entry.h>

#include "release_bed.h"

enum { HOSTILE_MTIME_S = 1000000000 };

typedef struct Hostile {
	struct archive *tar;
	GByteArray *plain;
} Hostile;

Hostile *hostile_new(void);
void hostile_free(Hostile *hostile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hostile, hostile_free)

/* A file of mode 0644 with this text, as packing makes it; the caller may spoil it before
 * hostile_add(), which frees it. */
struct archive_entry *hostile_entry(const char *path, const char *text);
void hostile_add(Hostile *hostile, struct archive_entry *entry, const char *text);
/* Ends the tar. Borrowed from `hostile`; bytes may be altered and added. */
GByteArray *hostile_tar(Hostile *hostile);

/* The tar in a frame. Caller unrefs. */
GByteArray *hostile_compress(const GByteArray *tar, int window_log);
/* What a manifest would say about the two. */
ArchivePayload hostile_payload(const GByteArray *tar, const GByteArray *packed, int window_log);

#endif
