/* SPDX-License-Identifier: ISC
 *
 * What follows when rows or the queue moved under the changes that wait: each is re-based, and the
 * store says what became of it. Sign-offs fall by themselves, being for a digest; tested digests
 * are voided here.
 *
 * docs/channel.md, "Re-basing"
 */
#ifndef CHANNEL_BOOK_REQUEUE_H
#define CHANNEL_BOOK_REQUEUE_H

#include "channel/book/book.h"
#include "channel/change/rebase.h"

#define CHANNEL_PROBLEM_CONFLICT "conflict" /* the "kind" of a change's problem */

/* Inside store_write(), after rows and changes were written: `before` and `now` are the books
 * around that (channel_book_read()). Not for what goes live in its turn: that leaves every state
 * behind it as it was.
 *
 * Saves the changes whose ops are others now; those that conflict get the problem {"kind":
 * "conflict", "text", "conflicts"}, those that do no longer lose it; voids tested digests. What was
 * re-based or conflicts has an entry of history, "change.rebase" on "change/ID". *rebased (may be
 * NULL): Rebased, in the order of the queue; caller frees. */
gboolean channel_requeue(Store *store, const ChannelBook *before, const ChannelBook *now,
	const ChannelDeed *deed, GArray **rebased, GError **error);

#endif
