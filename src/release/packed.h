/* SPDX-License-Identifier: ISC
 *
 * Files that are made of zstd frames, payloads and deltas: written with their digest, and read by
 * somebody who trusts nothing but the size, digest and window that were signed. For the inside of
 * this room.
 */
#ifndef RELEASE_PACKED_H
#define RELEASE_PACKED_H

#include <zstd.h>

#include "base/error.h"
#include "release/sha256.h"

/* Writing. */
typedef struct PackedOut {
	int fd;
	const char *what; /* in errors: "archive" */
	GByteArray *kept; /* takes what comes instead of `fd`; borrowed; NULL */
	Sha256 state;
	gint64 size_bytes; /* so far */
	ZSTD_CCtx *compressor;
	char *compressed; /* ZSTD_CStreamOutSize() */
} PackedOut;

/* `fd` is the caller's. Fails with DROVER_ERROR_INTERNAL, as all below do. */
gboolean packed_out_open(PackedOut *out, int fd, const char *what, int level, GError **error);
void packed_out_clear(PackedOut *out);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PackedOut, packed_out_clear)
/* The window of the frames to come. */
gboolean packed_out_set_window(PackedOut *out, int window_log, GError **error);
/* Whether frames to come end in a checksum of zstd's own. */
gboolean packed_out_set_checksum(PackedOut *out, gboolean is_wanted, GError **error);
/* Whether long matches are looked for in frames to come. */
gboolean packed_out_set_long(PackedOut *out, gboolean is_wanted, GError **error);
/* A frame of exactly so many bytes begins, made with this prefix (NULL: none), which must stay
 * until its end. A frame need not be begun: then it has no size and no prefix. */
gboolean packed_out_begin(
	PackedOut *out, const void *prefix, gsize prefix_bytes, gint64 size_bytes, GError **error);
/* Bytes as they are, between frames. */
gboolean packed_out_write(PackedOut *out, const void *bytes, gsize size_bytes, GError **error);
/* The next bytes of a frame; ZSTD_e_end ends it. */
gboolean packed_out_compress(PackedOut *out, const void *bytes, gsize size_bytes,
	ZSTD_EndDirective directive, GError **error);

/* Reading. */
typedef struct PackedIn {
	int fd;
	const char *what; /* in errors: "payload" */
	gint64 size_bytes;
	gint64 read_bytes; /* so far */
	ZSTD_DCtx *decoder;
	char *packed;
	ZSTD_inBuffer in; /* in `packed` */
	gboolean ended;	  /* the frame */
} PackedIn;

/* `fd`, the caller's, is a regular file of this size and digest: what was altered on its way is
 * never decoded. Fails with DROVER_ERROR_INPUT. */
gboolean packed_in_check(
	int fd, const char *what, gint64 size_bytes, const char *sha256, GError **error);
/* At the file's beginning, before a frame or anything else. No frame gets more than
 * 2^window_log bytes of memory. */
gboolean packed_in_open(
	PackedIn *in, int fd, const char *what, gint64 size_bytes, int window_log, GError **error);
void packed_in_clear(PackedIn *in);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PackedIn, packed_in_clear)
/* A frame begins here, made with this prefix (NULL: none), which stays the caller's. */
gboolean packed_in_begin(PackedIn *in, const void *prefix, gsize prefix_bytes, GError **error);
/* The frame's next bytes, at most `most`, which is not 0; 0 at its end; -1 with DROVER_ERROR_INPUT
 * or DROVER_ERROR_INTERNAL. */
gssize packed_in_decode(PackedIn *in, char *plain, gsize most, GError **error);
/* Exactly so many bytes as they are, between frames. */
gboolean packed_in_read(PackedIn *in, char *bytes, gsize size_bytes, GError **error);
/* Nothing follows. Fails with DROVER_ERROR_INPUT. */
gboolean packed_in_finish(const PackedIn *in, GError **error);

#endif
