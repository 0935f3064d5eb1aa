/* SPDX-License-Identifier: ISC
 *
 * A git commit object as the repository stores it: a few header lines, a blank line, the message.
 * Pure; the bytes come from whoever could push. Reading them here, instead of building libgit2's
 * commit, is what makes a scan as fast as `git log`.
 */
#ifndef LANDING_COMMIT_OBJECT_H
#define LANDING_COMMIT_OBJECT_H

#include <glib.h>

#define COMMIT_MAXIMUM_PARENTS	     4096 /* git writes an octopus of at most a few dozen */
#define COMMIT_MAXIMUM_NAME_BYTES    512  /* of an author's name or address */
#define COMMIT_MAXIMUM_SUBJECT_BYTES 1024

/* Bytes inside the object; not terminated. */
typedef struct CommitSpan {
	const char *bytes;
	gsize size;
} CommitSpan;

typedef struct CommitObject {
	guint parent_count;
	CommitSpan parents; /* the lines themselves: ask commit_object_parent() */
	CommitSpan author_name;
	CommitSpan author_email;
	gint64 authored_us; /* 0 when unreadable, never negative */
	gint64 committed_us;
	char encoding[32]; /* of names and message; "" for UTF-8 or one that is not believed */
	CommitSpan message;
} CommitObject;

/* FALSE when this is no commit of SHA-1 parents. Missing authors, times and messages are read as
 * empty: old tools wrote such commits. `object` points into `bytes`. */
gboolean commit_object_parse(const char *bytes, gsize size_bytes, CommitObject *object);
/* 40 hex digits, not terminated. */
const char *commit_object_parent(const CommitObject *object, guint position);

/* The bytes as UTF-8 for people: converted from `encoding` ("" for UTF-8); bytes that are no UTF-8
 * are taken as Latin-1 one by one; line ends become '\n', control characters U+FFFD. At most
 * `maximum_bytes`, whole characters. Caller frees. */
char *commit_text(CommitSpan span, const char *encoding, gsize maximum_bytes);
/* The same as one line: line ends and tabs become blanks, blanks at the ends are removed. Caller
 * frees. */
char *commit_text_line(CommitSpan span, const char *encoding, gsize maximum_bytes);
/* The first paragraph of a message as one line, as git's %s. Caller frees. */
char *commit_subject(const char *message);

#endif
