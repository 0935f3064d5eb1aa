/* SPDX-License-Identifier: ISC
 *
 * How the changes that wait stand, with all that the store says of them. For the files of this
 * folder; others ask change.h.
 */
#ifndef CHANNEL_BOOK_STANDING_H
#define CHANNEL_BOOK_STANDING_H

#include "channel/book/sign.h"

#define STANDING_PROBLEM_OVERDUE "overdue"

/* What a walk needs; borrowed, all but the words. */
typedef struct StandingDesk {
	Store *store;
	const ChannelBook *book;
	gint64 now_us, watched_us;
	gboolean one_ready; /* those behind the first that is ready are not asked about */
	GatesAsk gates;
	gpointer gates_of;
	GHashTable *words; /* id -> SignWords */
} StandingDesk;

void standing_desk_clear(StandingDesk *desk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StandingDesk, standing_desk_clear)

/* Inside a transaction. The desk is overwritten. */
gboolean standing_desk_read(StandingDesk *desk, Store *store, const ChannelBook *book,
	gint64 now_us, GatesAsk gates, gpointer gates_of, GError **error);
/* Of the first `count` changes of the book, as standings_of(): Standing *. */
GPtrArray *standing_desk_ask(StandingDesk *desk, guint count);

/* Place in book->changes; FALSE: it does not wait. */
gboolean standing_find_place(const ChannelBook *book, gint64 change, guint *place);
/* Live with the changes before this time and id on top: what a change there is written against. New
 * reference. */
State *standing_state_at(const ChannelBook *book, gint64 when_us, gint64 id);

/* When the clock looked last; 0: never. */
gboolean standing_watched(Store *store, gint64 *watched_us, GError **error);

#endif
