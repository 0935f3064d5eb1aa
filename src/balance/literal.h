/* SPDX-License-Identifier: ISC
 *
 * Python literals, as PyBal's configuration and server lists hold them: parsed, never evaluated.
 * None, True, False, whole numbers, floating-point numbers, strings, lists, tuples and dicts; what
 * Python's ast.literal_eval() reads, without sets, bytes, complex numbers and triple quotes.
 */
#ifndef BALANCE_LITERAL_H
#define BALANCE_LITERAL_H

#include <glib.h>

#define LITERAL_MAXIMUM_BYTES (1024 * 1024) /* of a text */
#define LITERAL_MAXIMUM_DEPTH 32	    /* of lists in lists */
#define LITERAL_MAXIMUM_PARTS 100000	    /* values in one text */

typedef enum LiteralKind {
	LITERAL_NONE,
	LITERAL_BOOLEAN,
	LITERAL_INTEGER,
	LITERAL_REAL,
	LITERAL_TEXT,
	LITERAL_NAME, /* one of the names that the caller allows */
	LITERAL_LIST,
	LITERAL_TUPLE,
	LITERAL_DICT,
} LiteralKind;

typedef struct Literal Literal;
struct Literal {
	LiteralKind kind;
	gint64 integer;	  /* of INTEGER; 0 or 1 of BOOLEAN */
	char *text;	  /* of TEXT and NAME; of REAL: its digits as written */
	GPtrArray *parts; /* Literal *: of LIST and TUPLE; of DICT: key, value, key, value */
};

/* `names` (NULL, or NULL-terminated: "server.host") may stand where a value does. A # comment may
 * follow. Fails with DROVER_ERROR_INPUT, "column 12: …" (bytes, from 1; after a newline "line 2,
 * column 3: …"), or DROVER_ERROR_TOO_LARGE. */
Literal *literal_parse(
	const char *text, gsize size_bytes, const char *const *names, GError **error);
void literal_free(Literal *literal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Literal, literal_free)

/* The value of a dict's text key; of several the last, as in Python. NULL when there is none. */
const Literal *literal_get(const Literal *dict, const char *key);
/* What it is, for errors: "a list", "the text 'x'", "7". Caller frees. */
char *literal_describe(const Literal *literal);

#endif
