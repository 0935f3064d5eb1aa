/* SPDX-License-Identifier: ISC
 *
 * What the commands for rows share: a row is read, made anew from what was typed, and sent as an op
 * that names the version it was made from. It goes live at once, or with --when as a change.
 */
#ifndef DROVER_ROW_H
#define DROVER_ROW_H

#include "programs/drover/invocation.h"
#include "programs/drover/row_words.h"

/* The options of each command that writes rows. */
#define ROW_WRITE_OPTIONS                                                                          \
	{"reason", "TEXT", "Why, for the history and for those who sign"},                         \
		{"when", "TIME",                                                                   \
			"Do not do it now: submit it as a change that goes live at this time"},    \
		{"title", "TEXT", "What that change is called"},                                   \
	{                                                                                          \
		"data-version", "N", "Refuse unless the row is still at this version"              \
	}

/* --name as an instant for the API; *text NULL when not given. Caller frees. */
gboolean row_time_option(Invocation *invocation, const char *name, char **text, GError **error);

/* The row by its key that an edit is made from: the live one or, with --when, as the changes before
 * then will leave it; *row NULL when there is none. */
gboolean row_find(
	Invocation *invocation, StateTable table, const char *key, json_t **row, GError **error);
/* All rows, however many pages the API makes of them; `query` as /tables takes it, is taken. A
 * TableRows without its `next`. */
json_t *row_all(Invocation *invocation, StateTable table, GHashTable *query, GError **error);

/* Sends one op on a row and says what came of it. `before` is what was read (NULL: none), `row` the
 * patch with its key's columns and is taken; `op` is insert, update or delete. */
gboolean row_send(Invocation *invocation, StateTable table, const char *noun, const char *op,
	const json_t *before, json_t *row, GError **error);

/* The commands of a table whose columns are a RowKind's. `put` inserts the row, or sets what was
 * typed; `remove` takes one away; `list` shows those of --product and --channel, as of --at. */
gboolean row_run_put(Invocation *invocation, const RowKind *kind, GError **error);
gboolean row_run_remove(Invocation *invocation, const RowKind *kind, GError **error);
gboolean row_run_list(Invocation *invocation, const RowKind *kind, GError **error);

/* The row, column by column, and what was done to it: an answer of /tables/…/row. */
void row_show(const Screen *screen, StateTable table, const char *noun, const json_t *answer);

#endif
