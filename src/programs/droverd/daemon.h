/* SPDX-License-Identifier: ISC
 *
 * What droverd's parts share: settings, connections to the store, the stream of changes, counters.
 */
#ifndef DROVERD_DAEMON_H
#define DROVERD_DAEMON_H

#include "api/api.h"
#include "channel/book/shelf.h"
#include "release/key.h"
#include "programs/droverd/updates.h"
#include "programs/settings.h"
#include "wire/http_server.h"

/* Counters for everything that can happen, each with the sentence that /metrics and the manual
 * show. */
#define DAEMON_COUNTERS(COUNTER)                                                                   \
	COUNTER(api_requests, "drover_api_requests_total", "API requests answered")                \
	COUNTER(api_refused, "drover_api_refused_total",                                           \
		"API requests refused for a missing or bad token, session or role")                \
	COUNTER(page_requests, "drover_page_requests_total", "Pages and assets answered")          \
	COUNTER(unavailable, "drover_unavailable_total",                                           \
		"Requests answered 503 because the database was away")                             \
	COUNTER(errors, "drover_errors_total", "Requests that failed for a fault of our own")      \
	COUNTER(scans, "drover_scans_total", "Scans that the clock made")                          \
	COUNTER(scan_problems, "drover_scan_problems_total", "Scans by the clock that failed")     \
	COUNTER(reminders, "drover_reminder_rounds_total", "Rounds of reminders by the clock")     \
	COUNTER(changes_live, "drover_changes_live_total", "Changes that this clock let go live")  \
	COUNTER(indexes_signed, "drover_indexes_signed_total",                                     \
		"Indexes of releases that this droverd signed")                                    \
	COUNTER(index_problems, "drover_index_problems_total",                                     \
		"Times that an index of releases could not be kept signed")                        \
	COUNTER(changes, "drover_changes_seen_total", "Changes published to open pages")

#define DAEMON_COUNTER_FIELD(field, name, help) gint field;
typedef struct DaemonCounters {
	DAEMON_COUNTERS(DAEMON_COUNTER_FIELD)
} DaemonCounters;

#define daemon_count(daemon, field) g_atomic_int_inc(&(daemon)->counters.field)

typedef struct Daemon {
	Settings *settings;
	ApiSite site;
	char *store_url;
	ChannelShelf *shelf; /* of all connections */
	GAsyncQueue *stores; /* Store *: one a worker */
	HttpEvents *events;
	HttpServer *admin, *public;
	DaemonCounters counters;
	gint64 started_us;
	gint stopping;	 /* atomic */
	gint store_away; /* atomic: the watcher could not reach the database */
	GMutex nudge_lock;
	GCond nudge;
	gboolean is_nudged; /* somebody wrote: the watcher need not wait for its time */
	GHashTable *lists;  /* path -> PoolList *: what the public address publishes; never
			       changed, swapped under lists_lock; NULL: not read yet */
	GMutex lists_lock;
	Updates updates;      /* what the public address answers update queries from */
	const char *releases; /* the folder below /releases/; NULL: none. Of the settings */
	SecretKey *index_key; /* that indexes are signed with; NULL: none */
	gint64 watcher_ms;    /* atomic: when the watcher last went round */
	GError *outdated; /* the watcher's, read after it ended: the store is no longer ours to use
			   */
} Daemon;

/* A connection more. */
Store *daemon_open_store(Daemon *daemon, GError **error);

gboolean daemon_is_stopping(Daemon *daemon);
/* Sleeps up to `ms`; FALSE when the daemon stops meanwhile. */
gboolean daemon_sleep(Daemon *daemon, guint ms);

/* Something was written here: the watcher looks at once. */
void daemon_nudge(Daemon *daemon);
/* Waits for that, up to `ms`; FALSE when the daemon stops meanwhile. */
gboolean daemon_wait_for_nudge(Daemon *daemon, guint ms);

/* The admin listener's handler: API, pages, events, health, metrics. `of` is the Daemon. */
HttpAnswer *admin_answer(const HttpRequest *request, gpointer of);
gsize admin_body_limit(const char *method, const char *path, gpointer of);
/* The public listener's handler: never touches the database. */
HttpAnswer *public_answer(const HttpRequest *request, gpointer of);
/* Reads what the public listener publishes, and puts it into the place of what it published. */
gboolean public_read(Daemon *daemon, Store *store, GError **error);
/* Which folder /releases/ is, if there is to be one. */
gboolean releases_set_up(Daemon *daemon, GError **error);
/* Reads the key that indexes are signed with, if there is to be one. */
gboolean indexes_set_up(Daemon *daemon, GError **error);
/* NULL when there is none. */
HttpAnswer *releases_answer(Daemon *daemon, const HttpRequest *request);
/* "pool/web", "node/web1": what who waits for its orders is woken by. Caller frees. */
char *pool_topic(const char *pool);
char *node_topic(const char *node);

/* The text of /metrics, with the products that `actor` may see. Caller frees. */
char *metrics_text(Daemon *daemon, Store *store, const Actor *actor);

/* Threads: publish changes to open pages; do what is due; let changes go live; keep indexes signed.
 * `of` is the Daemon. */
gpointer watch_changes(gpointer of);
gpointer keep_time(gpointer of);
gpointer keep_appointments(gpointer of);
gpointer keep_indexes(gpointer of);

#endif
