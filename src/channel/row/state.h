/* SPDX-License-Identifier: ISC
 *
 * The rows that channels answer from, as people write them, and the changes to them. A state never
 * changes: applying a change makes a new one that shares all other rows, so live, each cut of the
 * queue and the past can be there at once. Rules: docs/channel.md, "Changes". Pure.
 */
#ifndef CHANNEL_ROW_STATE_H
#define CHANNEL_ROW_STATE_H

#include <jansson.h>

#include "base/error.h"
#include "channel/row/sheet.h"

typedef enum StateTable {
	STATE_RULES,	    /* by rule_id */
	STATE_RELEASES,	    /* by name */
	STATE_SHUTOFFS,	    /* by product and channel */
	STATE_PINS,	    /* by product, channel and version */
	STATE_REQUIREMENTS, /* of sign-offs; by product, channel and role */
	STATE_PRODUCTS,	    /* how each is delivered: scheme, hosts; by product */
	STATE_CHANNELS,	    /* declared channels and test channels; by product and channel */
	STATE_ROLES,	    /* what signing in a role means; by role */
	STATE_GRANTS,	    /* who signs; by product, person and role */
	STATE_FREEZES,	    /* when nothing goes live; by name */
	STATE_TABLES,
} StateTable;

const char *state_table_name(StateTable table);
/* Do queries' answers depend on its rows? Of the others, only who must agree and when does. */
gboolean state_table_answers(StateTable table);
/* Is the column part of the table's key? */
gboolean state_is_key(StateTable table, const char *column);
/* FALSE when there is none of that name. */
gboolean state_table_find(const char *name, StateTable *table);

typedef struct State State;

State *state_new(void);
/* The same rows but those of one table, which state_add() may fill. */
State *state_new_beside(const State *other, StateTable but);
State *state_ref(State *state);
void state_unref(State *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(State, state_unref)

/* Only while a state is being made and nobody else has it. Fails with DROVER_ERROR_INPUT (no key),
 * DROVER_ERROR_CONFLICT (the key is there). The row is shared. */
gboolean state_add(State *state, StateTable table, json_t *row, GError **error);

/* An object: the table's key as text -> row. Borrowed. After a change the table is made whole when
 * it is first asked for: who wants one row, those of one text, or what differs, asks below. */
const json_t *state_rows(const State *state, StateTable table);
/* Borrowed; NULL: there is none. */
json_t *state_row(const State *state, StateTable table, const char *key);
/* For sheet_each() and sheet_differences(). Borrowed. */
Sheet *state_sheet(const State *state, StateTable table);
/* The key of a row, "7" or ["web","release"]. Fails with DROVER_ERROR_INPUT. Caller frees. */
char *state_key(StateTable table, const json_t *row, GError **error);

/* The key of the row that an op names, by itself or by its row. The same. */
char *state_op_key(StateTable table, const json_t *op, GError **error);

/* A change is {"id": 1, "when": 5, "ops": [{"op": "insert|update|delete", "table": "rules",
 * "rule_id": 1, "row": {…}}]}. The row of an update is a patch: null takes a column away. An update
 * or delete names its row by rule_id, by `name` (releases) or by the row's own key columns.
 *
 * All or nothing. Fails with DROVER_ERROR_CONFLICT: what does not fit, at which op, or an alias
 * that another rule has; with DROVER_ERROR_INPUT for what is no change. */
State *state_apply(const State *state, const json_t *change, GError **error);
/* Only whether it would, and why not: no state is made. */
gboolean state_fits(const State *state, const json_t *change, GError **error);

/* Are the releases there that the change's rules and pins map to, and do none remain that map to
 * one that it deletes? `after` is the state with the change. Fails with DROVER_ERROR_CONFLICT. */
gboolean state_check_mappings(const State *after, const json_t *change, GError **error);

/* Visits the rows that a change writes, as they are before and after (NULL: none). Of an op that
 * cannot be applied: the row that it names, and what it would have it be. One that names none is
 * skipped. Borrowed for the call. */
typedef void (*StateVisit)(
	StateTable table, const char *key, const json_t *before, const json_t *after, gpointer of);
void state_each_write(const State *state, const json_t *change, StateVisit visit, gpointer of);

#endif
