/* SPDX-License-Identifier: ISC
 *
 * Server-sent events: one sender, many streams. A stream that does not take its bytes is dropped
 * when its backlog passes HTTP_EVENTS_BACKLOG_BYTES; a reader reconnects by itself.
 */
#ifndef WIRE_HTTP_EVENTS_H
#define WIRE_HTTP_EVENTS_H

#include <glib.h>

#define HTTP_EVENTS_BACKLOG_BYTES   (64 * 1024)
#define HTTP_EVENTS_HEARTBEAT_MS    15000
#define HTTP_EVENTS_MAXIMUM_STREAMS 512

typedef struct HttpEvents HttpEvents;

HttpEvents *http_events_new(void);
/* To every stream: "event: NAME\nid: ID\ndata: …". `id` NULL for none. `data` is one line. Any
 * thread. */
void http_events_publish(HttpEvents *events, const char *name, const char *id, const char *data);
/* Streams that are open. (New streams begin with the newest event of each name, so nobody misses
 * one between page and stream.) */
guint http_events_streams(HttpEvents *events);
/* Does whoever opened a stream still have the right to it? */
typedef gboolean (*HttpEventsWelcome)(const char *owner, gpointer of);
/* Asks that once for each owner, and ends the streams of those that have not. Any thread. */
void http_events_weed(HttpEvents *events, HttpEventsWelcome is_welcome, gpointer of);
/* Ends all streams. Streams hold references; the memory goes with the last. */
void http_events_close(HttpEvents *events);
void http_events_unref(HttpEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpEvents, http_events_unref)

#endif
