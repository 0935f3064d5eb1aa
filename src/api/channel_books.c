/* SPDX-License-Identifier: ISC
 *
 * The newest book and what is answered from it.
 */
#include "api/channel_books.h"

#include "wire/json.h"

struct ChannelBooks {
	GMutex lock;
	ChannelNow *newest; /* NULL: none was read yet */
};

/* One moment ------------------------------------------------------------------------------------
 */

/* Takes the book and the overlay. What was compiled of the rows of `before` (may be NULL) is
 * shared.
 */
static ChannelNow *now_new(
	const ChannelNow *before, ChannelBook *book, Overlay *ahead, GError **error)
{
	const Published *compiled = before != NULL ? before->published : NULL;
	ChannelNow *now = g_new0(ChannelNow, 1);
	g_atomic_ref_count_init(&now->references);
	g_mutex_init(&now->lock);
	now->book = book;
	now->ahead = ahead;
	now->published = published_next(compiled, book->live, book->queue, book->generation, error);
	if (now->published == NULL)
		g_clear_pointer(&now, channel_now_unref);
	return now;
}

ChannelNow *channel_now_ref(ChannelNow *now)
{
	g_atomic_ref_count_inc(&now->references);
	return now;
}

void channel_now_unref(ChannelNow *now)
{
	if (now == NULL || !g_atomic_ref_count_dec(&now->references))
		return;
	channel_book_free(now->book);
	published_unref(now->published);
	overlay_free(now->ahead);
	channel_now_unref(now->from);
	g_clear_pointer(&now->footprints, g_ptr_array_unref);
	g_mutex_clear(&now->lock);
	g_free(now);
}

ChannelNow *channel_now_read(Store *store, GError **error)
{
	ChannelBook *book = channel_book_read(store, error);
	return book != NULL ? now_new(NULL, book, NULL, error) : NULL;
}

static GPtrArray *footprints_of(const ChannelBook *book)
{
	GPtrArray *footprints = g_ptr_array_new_with_free_func((GDestroyNotify)footprint_free);
	g_autoptr(Overlay) overlay = overlay_new(book->live, TRUE);
	for (guint i = 0; i < queue_size(book->queue); i++) {
		const json_t *change = queue_change(book->queue, i);
		g_ptr_array_add(footprints, footprint_new(overlay_state(overlay), change));
		overlay_enact(overlay, change, NULL);
	}
	return footprints;
}

/* Of the change at that place, on top of those before it. Borrowed. */
static const Footprint *footprint_at(ChannelNow *now, guint place)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&now->lock);
	if (now->footprints == NULL)
		now->footprints = footprints_of(now->book);
	return now->footprints->pdata[place];
}

gboolean channel_now_alters(ChannelNow *now, guint place, const char *product, const char *channel)
{
	return footprint_alters(footprint_at(now, place), product, channel);
}

/* The newest ------------------------------------------------------------------------------------
 */

ChannelBooks *channel_books_new(void)
{
	ChannelBooks *books = g_new0(ChannelBooks, 1);
	g_mutex_init(&books->lock);
	return books;
}

void channel_books_free(ChannelBooks *books)
{
	if (books == NULL)
		return;
	channel_now_unref(books->newest);
	g_mutex_clear(&books->lock);
	g_free(books);
}

static ChannelNow *newest(ChannelBooks *books)
{
	if (books == NULL)
		return NULL;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&books->lock);
	return books->newest != NULL ? channel_now_ref(books->newest) : NULL;
}

/* Another thread may have been faster, with something newer. */
static void keep(ChannelBooks *books, ChannelNow *now)
{
	g_mutex_lock(&books->lock);
	ChannelNow *before = books->newest;
	gboolean is_newer = before == NULL || before->book->generation <= now->book->generation;
	if (is_newer)
		books->newest = channel_now_ref(now);
	g_mutex_unlock(&books->lock);
	if (is_newer)
		channel_now_unref(before);
}

ChannelNow *channel_books_take(ChannelBooks *books, Store *store, GError **error)
{
	gint64 generation;
	if (!store_counter_get(store, STORE_GENERATION, &generation, error))
		return NULL;
	g_autoptr(ChannelNow) before = newest(books);
	if (before != NULL && before->book->generation == generation)
		return g_steal_pointer(&before);
	ChannelBook *book = channel_book_read(store, error);
	ChannelNow *now = book != NULL ? now_new(before, book, NULL, error) : NULL;
	if (now != NULL && books != NULL)
		keep(books, now);
	return now;
}

/* The future ------------------------------------------------------------------------------------
 */

/* What of the queue is later than `at_us`. */
static ChannelBook *book_ahead(
	const ChannelBook *book, Overlay *ahead, gint64 at_us, GError **error)
{
	g_autoptr(ChannelBook) then = g_new0(ChannelBook, 1);
	g_autoptr(json_t) values = json_array();
	then->generation = book->generation;
	then->at_us = at_us;
	then->live = state_ref(overlay_state(ahead));
	then->changes = g_ptr_array_new(); /* borrowed */
	for (guint i = 0; i < book->changes->len; i++) {
		ChannelChange *change = book->changes->pdata[i];
		if (change->when_us <= at_us)
			continue;
		g_ptr_array_add(then->changes, change);
		json_array_append_new(values, channel_change_value(change));
	}
	then->queue = queue_new(values, error);
	return then->queue != NULL ? g_steal_pointer(&then) : NULL;
}

static ChannelNow *look_ahead(ChannelNow *now, gint64 at_us, GError **error)
{
	const ChannelBook *book = now->book;
	Overlay *ahead =
		queue_overlay(book->queue, book->live, (Cut){CUT_UNTIL, at_us}, TRUE, error);
	ChannelBook *then = ahead != NULL ? book_ahead(book, ahead, at_us, error) : NULL;
	if (then == NULL) {
		overlay_free(ahead);
		return NULL;
	}
	ChannelNow *preview = now_new(now, then, ahead, error);
	if (preview != NULL)
		preview->from = channel_now_ref(now);
	return preview;
}

ChannelNow *channel_books_take_at(
	ChannelBooks *books, Store *store, gint64 at_us, gint64 now_us, GError **error)
{
	if (at_us <= now_us) {
		ChannelBook *book = channel_book_read_at(store, at_us, error);
		return book != NULL ? now_new(NULL, book, NULL, error) : NULL;
	}
	g_autoptr(ChannelNow) now = channel_books_take(books, store, error);
	return now != NULL ? look_ahead(now, at_us, error) : NULL;
}
