/* SPDX-License-Identifier: ISC
 *
 * The small text files of this room, line by line: keys and signatures are comments and lines of
 * base64, delegations and indexes are lines of words.
 */
#ifndef RELEASE_LINES_H
#define RELEASE_LINES_H

#include "release/key.h"

#define UNTRUSTED_PREFIX "untrusted comment: "
#define TRUSTED_PREFIX	 "trusted comment: "

/* Where reading is. The first error sticks: later calls give NULL or FALSE. */
typedef struct Lines {
	const char *name; /* the file's, for errors */
	const char *rest, *end;
	guint number; /* of the line that was read last, from 1 */
	GError *error;
} Lines;

Lines lines_of(const char *name, const char *text, gsize size_bytes);
gboolean lines_at_end(const Lines *lines);
/* What follows `prefix` on the next line: at most `maximum_bytes` of UTF-8 without control
 * characters but tabs. Caller frees. */
char *lines_comment(Lines *lines, const char *prefix, gsize maximum_bytes);
/* The next line, the one spelling in base64 of exactly `size_bytes`. */
gboolean lines_base64(Lines *lines, void *bytes, gsize size_bytes);
/* The words of the next line, which begins with `first` and has `count` words behind it, one blank
 * between two. Free with g_strfreev(). */
char **lines_words(Lines *lines, const char *first, guint count);
/* TRUE when there is a next line and its first word is `first`. */
gboolean lines_next_is(const Lines *lines, const char *first);
/* Says what is wrong in the line that was read last. */
void lines_fail(Lines *lines, const char *what);
/* TRUE when there was no error and nothing follows; else hands over the error. */
gboolean lines_finish(Lines *lines, GError **error);
/* Throws the error away when nobody asked for it. */
void lines_clear(Lines *lines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lines, lines_clear)

/* TRUE when a text that was read is what is written of it. Fails with DROVER_ERROR_INPUT. */
gboolean lines_are(
	const char *name, const char *text, gsize size_bytes, const char *written, GError **error);

/* Exactly `size_bytes` out of `length` characters. */
gboolean base64_read(const char *text, gsize length, void *bytes, gsize size_bytes);
/* Caller frees. */
char *base64_write(const void *bytes, gsize size_bytes);

/* A line that may stand in such a file: UTF-8, no control characters but tabs. */
gboolean comment_is_valid(const char *text, gsize maximum_bytes);

#endif
