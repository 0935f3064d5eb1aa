/* SPDX-License-Identifier: ISC
 *
 * A direct edit: a change that goes live now. The ops that somebody sends are first made what a
 * change in the queue holds too (numbers reserved, versions compared, rows checked), here for both.
 *
 * docs/channel.md, "In the store"
 */
#ifndef CHANNEL_BOOK_EDIT_H
#define CHANNEL_BOOK_EDIT_H

#include "channel/book/gate.h"
#include "channel/book/requeue.h"
#include "channel/row/row.h"

#define CHANNEL_MAXIMUM_OPS 2000 /* of one edit or change */

/* The ops as a change keeps them, for `state`, the rows that they are applied to (live, or live
 * with the changes before this one). New reference, `ops` stays as it is.
 *
 * - An insert of a rule without rule_id gets a number that nobody had: inside store_write(). With
 *   `store` NULL (a dry run) numbers follow the highest of `state`, and nothing is reserved.
 * - "data_version" of an op, or else of its row, must be that of the row in `state`, and is taken
 *   off. Stale: DROVER_ERROR_CONFLICT, naming the row, both versions and who wrote the newer.
 * - Every row written, and every row that stands on it, passes rows_check(); mapped releases are
 *   there. *after (may be NULL): the state with the ops, new reference.
 *
 * Fails as state_apply() and rows_check() do; DROVER_ERROR_TOO_LARGE. */
json_t *channel_ops_prepare(Store *store, const State *state, const json_t *ops, RowStage stage,
	State **after, GError **error);

/* The number of a rule that a waiting change (but `own`, 0: none) will bring is taken:
 * DROVER_ERROR_CONFLICT, naming both. */
gboolean channel_guard_numbers(
	const ChannelBook *book, gint64 own, const json_t *ops, GError **error);

typedef struct ChannelEdit {
	guint written; /* rows */
	gint64 generation;
	json_t *rows;	 /* [{"table", "key", "row": null when it went}], as they are now */
	GArray *rebased; /* Rebased: what became of each change that waits */
} ChannelEdit;

void channel_edit_clear(ChannelEdit *edit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChannelEdit, channel_edit_clear)

/* Inside store_write(): the ops go live now, and the queue is re-based on what they leave.
 * Fails as the functions above; with DROVER_ERROR_CONFLICT where sign-offs are required, saying by
 * which requirement, of whom, and how to ask for them, and where a gate does not pass: the freeze,
 * or one of `gates` (NULL: no other). *result is overwritten. */
gboolean channel_edit(Store *store, const json_t *ops, const ChannelDeed *deed, GatesAsk gates,
	gpointer gates_of, ChannelEdit *result, GError **error);

#endif
