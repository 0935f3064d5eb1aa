/* SPDX-License-Identifier: ISC
 *
 * Files of a repository, from any of several sources: HTTP(S) with resume, or a folder (NFS, a
 * stick). What is fetched is not believed: sizes and digests come from signed texts. A source that
 * stalls, lies about a length, or sends other bytes on resume is left for the next one; a bad tail
 * is thrown away, not the good head of another.
 *
 * No redirect is followed, no proxy of the environment asked, no encoding wanted.
 */
#ifndef NODE_FETCH_H
#define NODE_FETCH_H

#include "base/error.h"
#include "release/sha256.h"

#define FETCH_STALL_S		 20   /* without a byte: the source is left */
#define FETCH_SLOWEST_BYTES	 1024 /* a second, over a minute: the same */
#define FETCH_MAXIMUM_TRIES	 3    /* of one source for one file */
#define FETCH_CONNECT_S		 10
#define FETCH_MAXIMUM_HEAD_BYTES 65536 /* the header of an answer */

typedef struct FetchFrom {
	char *const *sources; /* NULL-terminated; repositories: …/PRODUCT lies below */
	const char *ca_file;  /* NULL: the system's */
	const char *product;
	gint64 stall_ms; /* 0: FETCH_STALL_S */
	/* May be NULL. */
	void (*progress)(const char *file, gint64 done_bytes, gint64 total_bytes, gpointer of);
	gpointer of;
} FetchFrom;

/* A small text, "index" or "1.4.2/manifest", from source number `source`; one try. Fails with
 * DROVER_ERROR_NOT_FOUND, DROVER_ERROR_UNAVAILABLE, DROVER_ERROR_TOO_LARGE. Caller frees; a NUL
 * stands behind its end. */
char *fetch_text(const FetchFrom *from, guint source, const char *file, gsize maximum_bytes,
	gsize *size_bytes, GError **error);
/* A file of known size and digest to `part_path`, which goes on where it was left; complete and
 * verified when this returns TRUE, and synced. What of it came stays when it fails, for the next
 * time. Fails with DROVER_ERROR_UNAVAILABLE, saying of each source what was wrong;
 * DROVER_ERROR_INTERNAL: disk full. One process at a time. */
gboolean fetch_file(const FetchFrom *from, const char *file, gint64 size_bytes, const char *sha256,
	const char *part_path, GError **error);

#endif
