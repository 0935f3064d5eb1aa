/* SPDX-License-Identifier: ISC
 *
 * What the files of the literal parser share: the cursor, whose first error sticks.
 */
#ifndef BALANCE_LITERAL_PARTS_H
#define BALANCE_LITERAL_PARTS_H

#include "balance/literal.h"

#define LITERAL_END (-1)

typedef struct LiteralReader {
	const char *text, *at, *end;
	const char *const *names;
	guint depth, parts;
	gboolean failed; /* then `at` is `end` and *error is set */
	GError **error;
} LiteralReader;

/* The byte at the cursor, or LITERAL_END. */
int literal_peek(const LiteralReader *reader);
void literal_fail(LiteralReader *reader, const char *at, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* TRUE when a string begins at the cursor: a quote, or u or r before one. */
gboolean literal_at_text(const LiteralReader *reader);
/* Appends one quoted string; two beside each other are one, as in Python. */
void literal_read_text(LiteralReader *reader, GString *into);

#endif
