/* SPDX-License-Identifier: ISC
 *
 * For the inside of node/fetch: one file, or the rest of one, from one source.
 */
#ifndef NODE_FETCH_PARTS_H
#define NODE_FETCH_PARTS_H

#include "node/fetch.h"

typedef enum FetchTaken {
	FETCH_TAKEN,
	FETCH_TAKEN_ENOUGH, /* no more is wanted */
	FETCH_TAKEN_FAILED, /* with an error */
} FetchTaken;

/* The next bytes. */
typedef FetchTaken (*FetchTake)(const char *bytes, gsize size_bytes, gpointer of, GError **error);

typedef struct FetchWish {
	const char *source, *product, *file;
	const char *ca_file;
	gint64 stall_ms;
	gint64 offset_bytes; /* wanted from here on */
	gint64 size_bytes;   /* of the whole file; -1: unknown */
	FetchTake take;
	gpointer of;
} FetchWish;

/* Success when the source says that this was all, or `take` that it is enough. Fail with what
 * `take` failed with, or DROVER_ERROR_NOT_FOUND, DROVER_ERROR_UNAVAILABLE; DROVER_ERROR_CONFLICT:
 * the source has the file, but nothing of it from this offset on. */
gboolean fetch_http(const FetchWish *wish, GError **error);
gboolean fetch_folder(const FetchWish *wish, GError **error);

/* TRUE for http:// and https://. */
gboolean fetch_is_web(const char *source);
/* A source as messages may show it: without a password in it. Caller frees. */
char *fetch_shown(const char *source);

/* What of a file is here already. */
typedef struct FetchPart {
	int fd;
	const char *path;
	gint64 size_bytes; /* when it is whole */
	gint64 have_bytes;
	Sha256 state; /* of those */
} FetchPart;

/* Makes it, or reads what is there; never more than `size_bytes`. Fails with DROVER_ERROR_INTERNAL,
 * or DROVER_ERROR_INPUT when something else lies at that path. */
gboolean fetch_part_open(FetchPart *part, const char *path, gint64 size_bytes, GError **error);
void fetch_part_close(FetchPart *part);
/* What does not fit any more is not written. */
gboolean fetch_part_add(FetchPart *part, const char *bytes, gsize size_bytes, GError **error);
/* Back to what it was. */
gboolean fetch_part_cut(FetchPart *part, const FetchPart *before, GError **error);
/* An empty one of the same file, for fetch_part_cut(). */
FetchPart fetch_part_empty(const FetchPart *part);
gboolean fetch_part_is_whole(const FetchPart *part);
/* TRUE when it is whole and has this digest. */
gboolean fetch_part_is_good(const FetchPart *part, const char *sha256);
gboolean fetch_part_sync(const FetchPart *part, GError **error);

#endif
