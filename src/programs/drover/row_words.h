/* SPDX-License-Identifier: ISC
 *
 * Rows as people type and read them: words and options become columns, two rows become what differs
 * between them. Which tables and columns there are: docs/channel.md. Pure.
 */
#ifndef DROVER_ROW_WORDS_H
#define DROVER_ROW_WORDS_H

#include "channel/row/state.h"
#include "wire/json.h"

typedef enum RowType {
	ROW_TEXT,
	ROW_ANY,     /* a text; "all" is the row's "*" */
	ROW_INTEGER, /* from 0 */
	ROW_BOOLEAN, /* yes, no */
	ROW_TIME,    /* when.h; RFC 3339 in the row */
	ROW_LIST,    /* separated by commas */
	ROW_PAIRS,   /* "a=b,c=d": an object */
} RowType;

/* A column that an option, or an argument, gives. */
typedef struct RowColumn {
	const char *name;
	RowType type;
	const char *option;  /* "signs-time"; NULL: an argument, in the order of the columns */
	const char *heading; /* of the column in a list; NULL: it is not shown there */
} RowColumn;

/* Columns, the key's first; ends with a NULL name. */
typedef struct RowKind {
	StateTable table;
	const char *noun; /* "shut-off" */
	const RowColumn *columns;
} RowKind;

/* An empty text takes the column away: null. Fails with DROVER_ERROR_INPUT. New reference. */
json_t *row_value(const RowColumn *column, const char *text, gint64 now_us, GError **error);
/* For a table's cell: "yes", "a, b", "7"; "-" for none. Caller frees. */
char *row_value_text(const json_t *value);

/* Puts COLUMN=VALUE of a rule into the patch. tag.NAME, mig64 and jaws are parts of a column, whose
 * other parts are those of `before` (may be NULL). Fails with DROVER_ERROR_INPUT. */
gboolean row_rule_word(json_t *patch, const json_t *before, const char *word, GError **error);
/* Its matchers but for product and channel, as they are typed: "version=<60.0 tag.rack=a,b".
 * Caller frees. */
char *row_rule_matchers(const json_t *rule);

/* What makes `after` of `before`: null for columns that go; the key's columns are in it either way.
 * New reference. */
json_t *row_patch(StateTable table, const json_t *before, const json_t *after);
/* "rate 25 -> 100, comment added". Either may be NULL. Caller frees. */
char *row_difference(const json_t *before, const json_t *after);
/* "7", or "web release": a key as state_key() writes it, as people say it. Caller frees. */
char *row_key_text(const char *key);
char *row_key_words(StateTable table, const json_t *row);

#endif
