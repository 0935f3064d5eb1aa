/* SPDX-License-Identifier: ISC
 *
 * A change was written against rows that are now others: live was edited directly, or a change
 * before it was edited, moved or taken away. Each row is merged from three: as the change found it,
 * as it leaves it, and as it is found now. Different columns merge; the same column, to another
 * value, is a conflict that is shown on both. Rules: docs/channel.md, "Re-basing". Pure.
 */
#ifndef CHANNEL_CHANGE_REBASE_H
#define CHANNEL_CHANGE_REBASE_H

#include "channel/change/content.h"
#include "channel/change/queue.h"

/* The change for the rows as they are in `now`, one op a row; its other members are kept. NULL when
 * it conflicts; then `conflicts`, a list that is appended to, says where: {"table", "key", "column"
 * (null: the whole row), "base", "ours", "theirs"}. Fails with DROVER_ERROR_CONFLICT: "rules 7:
 * rate: …", or as state_apply() does when the change does not fit `base`. New reference. */
json_t *rebase_change(const State *base, const State *now, const json_t *change, json_t *conflicts,
	GError **error);

/* What became of one change of the queue. */
typedef struct Rebased {
	gint64 change;
	json_t *rebased;   /* NULL: it conflicts, and waits */
	char *why;	   /* it conflicts; NULL: it does not */
	json_t *conflicts; /* as above, each also with "with": the change that it conflicts with, 0
			    * when that is live or gone */
	gboolean loses_sign_offs; /* its content is another */
	gboolean loses_tests;	  /* its tested digests are void */
} Rebased;

/* The queue `old` on `old_live` becomes `new` on `live`: changes may be gone, moved, edited or
 * added, told apart by their ids. An edited or added change stands as it is written. Rebased, in
 * the new order. Caller frees. */
GArray *rebase_queue(const Queue *old, State *old_live, const Queue *new, State *live);

#endif
