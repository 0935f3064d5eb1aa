/* SPDX-License-Identifier: ISC
 *
 * What the store says of channels, read once a generation and shared by all calls of the process
 * and by the public address. What stands in one ChannelNow was true at one moment.
 */
#ifndef API_CHANNEL_BOOKS_H
#define API_CHANNEL_BOOKS_H

#include "channel/answer/published.h"
#include "channel/book/book.h"

typedef struct ChannelNow {
	gatomicrefcount references;
	ChannelBook *book;
	Published *published;
	/* Of a preview: what is live by then is in live already. NULL: live is what it is. */
	Overlay *ahead;
	struct ChannelNow *from; /* whose changes those of the book are */
	GMutex lock;
	GPtrArray *footprints; /* Footprint *, of each change of the queue in its place; made when
				  it is first asked for */
} ChannelNow;

ChannelNow *channel_now_ref(ChannelNow *now);
void channel_now_unref(ChannelNow *now);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChannelNow, channel_now_unref)

/* Does the change at that place of the queue alter what this product and channel (a base) are
 * answered? Any thread. */
gboolean channel_now_alters(ChannelNow *now, guint place, const char *product, const char *channel);

typedef struct ChannelBooks ChannelBooks;

/* Thread-safe. */
ChannelBooks *channel_books_new(void);
void channel_books_free(ChannelBooks *books);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChannelBooks, channel_books_free)

/* As new as the store. Call it inside a transaction, before that transaction writes: what is not
 * committed must not be shared. `books` NULL: nothing is kept. New reference. */
ChannelNow *channel_books_take(ChannelBooks *books, Store *store, GError **error);
/* What this transaction sees, its own writes included. New reference. */
ChannelNow *channel_now_read(Store *store, GError **error);
/* As it was at an instant of the past, or as it will be when the queue until then has gone live.
 * New reference. */
ChannelNow *channel_books_take_at(
	ChannelBooks *books, Store *store, gint64 at_us, gint64 now_us, GError **error);

#endif
