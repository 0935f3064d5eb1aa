/* SPDX-License-Identifier: ISC
 *
 * One stamp and its rows, behind a lock.
 */
#include "channel/book/shelf.h"

#include <sodium.h>

static const char SQL_RESTAMP[] = "UPDATE counter SET value = ? WHERE name = 'channel-rows'";

struct ChannelShelf {
	gatomicrefcount references;
	GMutex lock;
	gint64 stamp;
	State *rows; /* NULL: none yet */
};

ChannelShelf *channel_shelf_new(void)
{
	ChannelShelf *shelf = g_new0(ChannelShelf, 1);
	g_atomic_ref_count_init(&shelf->references);
	g_mutex_init(&shelf->lock);
	return shelf;
}

ChannelShelf *channel_shelf_ref(ChannelShelf *shelf)
{
	g_atomic_ref_count_inc(&shelf->references);
	return shelf;
}

void channel_shelf_unref(ChannelShelf *shelf)
{
	if (shelf == NULL || !g_atomic_ref_count_dec(&shelf->references))
		return;
	state_unref(shelf->rows);
	g_mutex_clear(&shelf->lock);
	g_free(shelf);
}

static void unref(gpointer shelf)
{
	channel_shelf_unref(shelf);
}

void channel_shelf_share(ChannelShelf *shelf, Store *store)
{
	store_keep(store, channel_shelf_ref(shelf), unref);
}

static ChannelShelf *shelf_of(Store *store)
{
	if (store_kept(store) == NULL)
		store_keep(store, channel_shelf_new(), unref);
	return store_kept(store);
}

gboolean channel_shelf_stamp(Store *store, gint64 *stamp, GError **error)
{
	return store_counter_get(store, "channel-rows", stamp, error);
}

/* Drawn, not counted: after a transaction that was rolled back the next would count to the same. */
gboolean channel_shelf_restamp(Store *store, gint64 *stamp, GError **error)
{
	randombytes_buf(stamp, sizeof *stamp);
	*stamp = (*stamp & G_MAXINT64) | 1;
	return store_execute(store, error, SQL_RESTAMP, STORE_PARAMS(STORE_INT(*stamp)));
}

State *channel_shelf_take(Store *store, gint64 stamp)
{
	ChannelShelf *shelf = shelf_of(store);
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&shelf->lock);
	gboolean is_there = stamp != 0 && shelf->rows != NULL && shelf->stamp == stamp;
	return is_there ? state_new_beside(shelf->rows, STATE_GRANTS) : NULL;
}

void channel_shelf_put(Store *store, gint64 stamp, State *rows)
{
	ChannelShelf *shelf = shelf_of(store);
	g_mutex_lock(&shelf->lock);
	State *before = shelf->rows;
	shelf->stamp = stamp;
	shelf->rows = state_ref(rows);
	g_mutex_unlock(&shelf->lock);
	state_unref(before);
}
