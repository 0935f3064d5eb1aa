/* SPDX-License-Identifier: ISC
 *
 * What a repository has of one product, and which release is the newest (docs/keys.md, "The
 * index"). Small, signed again and again, and short-lived: who holds back updates by showing an old
 * one is found out when it expires.
 *
 *     drover-index 1
 *     product web
 *     issued 2026-11-21T03:47:19Z
 *     expires 2026-11-28T03:47:19Z
 *     newest 42
 *     release 42 1.4.2 0a4b…
 *     release 41 1.4.1 93c0…
 *     revoked 0114845858551CBC
 *
 * One spelling only. Pure: the time is an argument.
 */
#ifndef RELEASE_INDEX_H
#define RELEASE_INDEX_H

#include "release/sha256.h"
#include "release/trust.h"

#define INDEX_MAXIMUM_BYTES	4194304
#define INDEX_MAXIMUM_RELEASES	20000
#define INDEX_MAXIMUM_LIFE_DAYS 366 /* from issued to expires */
#define INDEX_MAXIMUM_AHEAD_S	300 /* how far our clock may be behind that of the signer */

typedef struct IndexRelease {
	gint64 sequence;
	char *version;
	char sha256[SHA256_HEX]; /* of the manifest */
} IndexRelease;

typedef struct Index {
	char *product;
	gint64 issued_us, expires_us;
	gint64 newest;	     /* sequence of the newest release ever published; 0: none yet */
	GPtrArray *releases; /* of IndexRelease, the newest first */
	GArray *revoked;     /* of KeyId, sorted, each once */
} Index;

Index *index_new(const char *product);
void index_free(Index *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Index, index_free)
/* In any order; raises `newest`. */
void index_add(Index *index, gint64 sequence, const char *version, const char *sha256);
/* NULL when there is none. Owned by `index`. */
const IndexRelease *index_find(const Index *index, const char *version);

/* The bytes to be signed; the only spelling that parses. Fails when it could not be read back.
 * Caller frees. */
char *index_text(Index *index, GError **error);
/* Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE, naming the line. Verify first. */
Index *index_parse(const char *name, const char *text, gsize size_bytes, GError **error);

/* What a host keeps of the last index that it took. All zero: none yet. */
typedef struct IndexSeen {
	gint64 issued_us;
	gint64 newest;
	char sha256[SHA256_HEX]; /* of the index's text */
} IndexSeen;

void index_seen(const Index *index, const char *sha256, IndexSeen *seen);
/* May this index be taken after the one that was seen? `sha256` is of its text. Fails with
 * DROVER_ERROR_DENIED (another product), DROVER_ERROR_CONFLICT (older than what was seen, its
 * newest sequence fell, another one of the same instant) or DROVER_ERROR_UNAVAILABLE (expired;
 * issued in the future). */
gboolean index_may_follow(const Index *index, const char *product, const char *sha256,
	const IndexSeen *seen, gint64 now_us, GError **error);

/* A release that is to be installed or made to run, as its verified manifest has it. */
typedef struct InstallWish {
	const char *version;
	gint64 sequence;
	const char *sha256;  /* of the manifest */
	gint64 running;	     /* sequence of what runs; 0: nothing */
	gint64 floor;	     /* the highest min-rollback-sequence of all that ever ran here */
	gboolean is_ordered; /* by an authenticated order for exactly this version */
} InstallWish;

/* May it run after what runs? Also asked, without any index, before one that is installed already
 * is made to run again. Fails with DROVER_ERROR_DENIED: below the floor; older than what runs,
 * without an order. */
gboolean install_may_replace(const InstallWish *wish, GError **error);
/* May it be installed? `index` was taken and has not expired at `now_us`. Fails with
 * DROVER_ERROR_NOT_FOUND (not in the index), DROVER_ERROR_DENIED (another manifest than the
 * index's; below the floor; older than what runs, without an order) or DROVER_ERROR_UNAVAILABLE
 * (expired). */
gboolean index_may_install(
	const Index *index, const InstallWish *wish, gint64 now_us, GError **error);

#endif
