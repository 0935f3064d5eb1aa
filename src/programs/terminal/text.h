/* SPDX-License-Identifier: ISC
 *
 * Text on its way to a terminal. Subjects, names and reasons come from outside: a control character
 * in a commit message must never move the reader's cursor, colour his screen or turn his line
 * around. Pure.
 */
#ifndef DROVER_TEXT_H
#define DROVER_TEXT_H

#include <glib.h>

/* One line of valid UTF-8: tabs and newlines become blanks, every other control character (C0, DEL,
 * C1, and those that change the direction of writing) is spelled out as \x1b or \u202e. Caller
 * frees. */
char *text_clean(const char *text);
/* The columns that a clean text takes: wide characters two, combining ones none. */
guint text_width(const char *text);
/* The clean text, cut to `columns` with "…" (or ".." without unicode) for what is missing. Caller
 * frees. */
char *text_shorten(const char *text, guint columns, gboolean unicode);
/* Edits (one letter put in, left out, changed, or two swapped) from one word to the other. */
guint text_distance(const char *a, const char *b);

#endif
