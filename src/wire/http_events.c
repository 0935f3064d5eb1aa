/* SPDX-License-Identifier: ISC
 *
 * Server-sent events: one sender, many streams (HTML standard, 9.2).
 *
 * A stream is a backlog of bytes between two threads. Publishing appends to it; libmicrohttpd's
 * loop takes from it. When the backlog is empty the loop suspends the connection, and whoever
 * appends next resumes it. Resuming a connection that is not suspended is undefined, so `suspended`
 * changes under the same lock as the backlog, and only with it:
 *
 *     taking:      lock; backlog empty -> suspend, suspended = TRUE; unlock
 *     appending:   lock; append; suspended -> suspended = FALSE, resume; unlock
 *
 * libmicrohttpd never frees a suspended connection, so `connection` is good whenever `suspended`
 * holds. Locks are taken in this order: watch, events, libmicrohttpd's own.
 */
#include <string.h>

#include "base/clock.h"
#include "wire/http_inside.h"

#define STREAM_BLOCK_BYTES 4096
#define STREAM_TIDY_BYTES  (16 * 1024) /* sent bytes that are kept at the most */
#define STREAM_RETRY_MS	   2000	       /* how long a reader waits before it comes again */

struct HttpEvents {
	gatomicrefcount references;
	GMutex lock;
	gboolean closed;
	GPtrArray *streams; /* of HttpStream *, borrowed: a stream takes itself out */
	GPtrArray *newest;  /* of NamedEvent *, the one published last at the end */
};

typedef struct NamedEvent {
	char *name;
	char *text; /* as it goes over the wire */
} NamedEvent;

struct HttpStream {
	gatomicrefcount references;
	HttpEvents *events; /* whose lock guards all that follows */
	char *owner;
	struct MHD_Connection *connection;
	GString *backlog;
	gsize taken; /* bytes of the backlog that are sent */
	gint64 last_append_ms;
	gboolean suspended;
	gboolean ended;	  /* send what is left, then end */
	gboolean dropped; /* too slow: break off */
};

static void named_event_free(gpointer of)
{
	NamedEvent *event = of;
	g_free(event->name);
	g_free(event->text);
	g_free(event);
}

HttpEvents *http_events_new(void)
{
	HttpEvents *events = g_new0(HttpEvents, 1);
	g_atomic_ref_count_init(&events->references);
	g_mutex_init(&events->lock);
	events->streams = g_ptr_array_new();
	events->newest = g_ptr_array_new_with_free_func(named_event_free);
	return events;
}

void http_events_unref(HttpEvents *events)
{
	if (!events || !g_atomic_ref_count_dec(&events->references))
		return;
	g_assert(events->streams->len == 0);
	g_ptr_array_unref(events->streams);
	g_ptr_array_unref(events->newest);
	g_mutex_clear(&events->lock);
	g_free(events);
}

/* With the lock held. */
static void wake(HttpStream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = FALSE;
	MHD_resume_connection(stream->connection);
}

/* With the lock held. */
static void append(HttpStream *stream, const char *text)
{
	if (stream->ended || stream->dropped)
		return;
	if (stream->backlog->len - stream->taken + strlen(text) > HTTP_EVENTS_BACKLOG_BYTES)
		stream->dropped = TRUE;
	else
		g_string_append(stream->backlog, text);
	stream->last_append_ms = clock_monotonic_ms();
	wake(stream);
}

/* With the lock held: the event becomes the newest of its name, and goes to the end. */
static void remember(HttpEvents *events, const char *name, const char *text)
{
	for (guint i = 0; i < events->newest->len; i++) {
		const NamedEvent *event = g_ptr_array_index(events->newest, i);
		if (strcmp(event->name, name) == 0) {
			g_ptr_array_remove_index(events->newest, i);
			break;
		}
	}
	NamedEvent *event = g_new0(NamedEvent, 1);
	event->name = g_strdup(name);
	event->text = g_strdup(text);
	g_ptr_array_add(events->newest, event);
}

void http_events_publish(HttpEvents *events, const char *name, const char *id, const char *data)
{
	g_assert(*name && !strpbrk(name, "\r\n"));
	g_assert(!id || !strpbrk(id, "\r\n"));
	g_assert(!strpbrk(data, "\r\n"));
	g_autofree char *text =
		id ? g_strdup_printf("event: %s\nid: %s\ndata: %s\n\n", name, id, data)
		   : g_strdup_printf("event: %s\ndata: %s\n\n", name, data);
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	if (events->closed)
		return;
	remember(events, name, text);
	for (guint i = 0; i < events->streams->len; i++)
		append(g_ptr_array_index(events->streams, i), text);
}

guint http_events_streams(HttpEvents *events)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	return events->streams->len;
}

/* With the lock held. */
static void end(HttpStream *stream)
{
	stream->ended = TRUE;
	wake(stream);
}

void http_events_close(HttpEvents *events)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	events->closed = TRUE;
	for (guint i = 0; i < events->streams->len; i++)
		end(g_ptr_array_index(events->streams, i));
}

/* The owners of all open streams, each once. */
static GHashTable *owners_of(HttpEvents *events)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	GHashTable *owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < events->streams->len; i++) {
		const HttpStream *stream = g_ptr_array_index(events->streams, i);
		g_hash_table_add(owners, g_strdup(stream->owner));
	}
	return owners;
}

static void end_streams_of(HttpEvents *events, const char *owner)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	for (guint i = 0; i < events->streams->len; i++) {
		HttpStream *stream = g_ptr_array_index(events->streams, i);
		if (strcmp(stream->owner, owner) == 0)
			end(stream);
	}
}

/* Asking may take long, so nobody is kept from publishing meanwhile. */
void http_events_weed(HttpEvents *events, HttpEventsWelcome is_welcome, gpointer of)
{
	g_autoptr(GHashTable) owners = owners_of(events);
	GHashTableIter each;
	gpointer owner;
	g_hash_table_iter_init(&each, owners);
	while (g_hash_table_iter_next(&each, &owner, NULL))
		if (!is_welcome(owner, of))
			end_streams_of(events, owner);
}

HttpStream *http_stream_new(HttpEvents *events, const char *owner)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&events->lock);
	if (events->closed || events->streams->len >= HTTP_EVENTS_MAXIMUM_STREAMS)
		return NULL;
	HttpStream *stream = g_new0(HttpStream, 1);
	g_atomic_ref_count_init(&stream->references);
	g_atomic_ref_count_inc(&events->references);
	stream->events = events;
	stream->owner = g_strdup(owner);
	/* The first bytes are there from the start, so that the header never waits for an event. */
	stream->backlog = g_string_new(NULL);
	g_string_printf(stream->backlog, "retry: %d\n\n", STREAM_RETRY_MS);
	for (guint i = 0; i < events->newest->len; i++) {
		const NamedEvent *event = g_ptr_array_index(events->newest, i);
		g_string_append(stream->backlog, event->text);
	}
	stream->last_append_ms = clock_monotonic_ms();
	g_ptr_array_add(events->streams, stream);
	return stream;
}

HttpStream *http_stream_ref(HttpStream *stream)
{
	g_atomic_ref_count_inc(&stream->references);
	return stream;
}

void http_stream_unref(HttpStream *stream)
{
	if (!stream)
		return;
	/* Under the lock: a publisher that walks over the streams must not meet one half gone. */
	HttpEvents *events = stream->events;
	g_mutex_lock(&events->lock);
	gboolean is_last = g_atomic_ref_count_dec(&stream->references);
	if (is_last)
		g_ptr_array_remove_fast(events->streams, stream);
	g_mutex_unlock(&events->lock);
	if (!is_last)
		return;
	g_assert(!stream->suspended);
	g_string_free(stream->backlog, TRUE);
	g_free(stream->owner);
	g_free(stream);
	http_events_unref(events);
}

/* libmicrohttpd asks for bytes. */
static ssize_t take(void *of, uint64_t position, char *buffer, size_t size)
{
	HttpStream *stream = of;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&stream->events->lock);
	if (stream->dropped)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	gsize waiting = stream->backlog->len - stream->taken;
	if (waiting > 0) {
		gsize length = MIN(waiting, size);
		memcpy(buffer, stream->backlog->str + stream->taken, length);
		stream->taken += length;
		if (stream->taken == stream->backlog->len || stream->taken > STREAM_TIDY_BYTES) {
			g_string_erase(stream->backlog, 0, (gssize)stream->taken);
			stream->taken = 0;
		}
		return (ssize_t)length;
	}
	if (stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	stream->suspended = TRUE;
	MHD_suspend_connection(stream->connection);
	return 0;
}

static void release(void *of)
{
	http_stream_unref(of);
}

struct MHD_Response *http_stream_response(HttpStream *stream, struct MHD_Connection *connection)
{
	stream->connection = connection;
	return MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, take, http_stream_ref(stream), release);
}

gboolean http_stream_tend(HttpStream *stream, gint64 now_ms, guint heartbeat_ms)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&stream->events->lock);
	if (now_ms - stream->last_append_ms >= heartbeat_ms)
		append(stream, ":\n\n");
	return !stream->dropped;
}

void http_stream_end(HttpStream *stream)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&stream->events->lock);
	end(stream);
}

void http_stream_abandon(HttpStream *stream)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&stream->events->lock);
	stream->dropped = TRUE;
	wake(stream);
}
