/* SPDX-License-Identifier: ISC
 *
 * The rows that were read last. Rows are many and seldom written, and the store stamps them with
 * a number drawn anew at each writing: as long as the stamp is the same, so are the rows, whoever
 * wrote them and whatever was rolled back meanwhile. So the queue, that moves more often, is read
 * alone. A store has a shelf of its own; those of one process may share one.
 */
#ifndef CHANNEL_BOOK_SHELF_H
#define CHANNEL_BOOK_SHELF_H

#include "channel/row/state.h"
#include "store/store.h"

/* Any thread. */
typedef struct ChannelShelf ChannelShelf;

ChannelShelf *channel_shelf_new(void);
ChannelShelf *channel_shelf_ref(ChannelShelf *shelf);
void channel_shelf_unref(ChannelShelf *shelf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChannelShelf, channel_shelf_unref)

/* From now on the store's rows are kept there. */
void channel_shelf_share(ChannelShelf *shelf, Store *store);

/* The stamp of the rows as this transaction sees them; 0: none was ever written. */
gboolean channel_shelf_stamp(Store *store, gint64 *stamp, GError **error);
/* Inside store_write(), when rows were written: a new stamp. */
gboolean channel_shelf_restamp(Store *store, gint64 *stamp, GError **error);

/* The rows of the stamp, grants apart, which are roles of persons; NULL: they are not there. New
 * reference. */
State *channel_shelf_take(Store *store, gint64 stamp);
void channel_shelf_put(Store *store, gint64 stamp, State *rows);

#endif
