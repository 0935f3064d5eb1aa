/* SPDX-License-Identifier: ISC
 *
 * Watches the store's counters, whoever moves them (this droverd, another one, the command), and
 * tells open pages, hosts that wait for orders, and the public address. Now and then it looks
 * whether the pages may still listen, and whether the schema is still ours.
 */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/host.h"
#include "api/identity.h"
#include "api/maintenance.h"
#include "api/node.h"
#include "api/pool.h"
#include "api/warnings.h"
#include "base/log.h"
#include "programs/droverd/daemon.h"

#define WATCH_EVERY_MS 400
#define WATCH_AWAY_MS  2000
#define WATCH_ROUND_MS 2000 /* between two looks at who listens, and at the schema */

/* maintenance.txt comes and goes without the store. */
static gint64 maintenance_file_mark(const Daemon *daemon)
{
	g_autofree char *path = g_build_filename(daemon->site.state_folder, MAINTENANCE_FILE, NULL);
	struct stat status;
	return stat(path, &status) == 0 ? status.st_mtim.tv_sec + 1 : 0;
}

static void note_away(Daemon *daemon, const GError *error)
{
	if (g_atomic_int_compare_and_exchange(&daemon->store_away, 0, 1))
		log_event(LOG_LEVEL_ERROR, "store.away", "why", error->message, NULL);
}

static void note_back(Daemon *daemon)
{
	if (g_atomic_int_compare_and_exchange(&daemon->store_away, 1, 0))
		log_event(LOG_LEVEL_WARNING, "store.back", NULL);
}

/* A page compares the whole line with the one before: each number is news. */
static void publish(Daemon *daemon, gint64 changes, gint64 mark, gint64 silent, gint64 overdue)
{
	g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, changes);
	g_autofree char *data = g_strdup_printf(
		"{\"changes\":%" G_GINT64_FORMAT ",\"maintenance_file\":%" G_GINT64_FORMAT
		",\"silent\":%" G_GINT64_FORMAT ",\"overdue\":%" G_GINT64_FORMAT "}",
		changes, mark, silent, overdue);
	http_events_publish(daemon->events, "changed", id, data);
	daemon_count(daemon, changes);
}

/* Things that hosts wait for orders of, each with a version out of one counter. */
typedef struct Topics {
	const char *counter;
	char *(*topic_of)(const char *name);
	gboolean (*each_version)(Store *store, HostVisit visit, gpointer of, GError **error);
	gint64 seen;	  /* the counter; -1: nothing yet */
	GHashTable *rung; /* of char *: names */
} Topics;

/* What the watcher saw last; -1: nothing yet. */
typedef struct Watcher {
	Daemon *daemon;
	Store *store;
	gint64 changes, mark, silent;
	gint64 overdue;	   /* products in maintenance for longer than was said, in the last round */
	gint64 followed;   /* the generation that the targets of nodes are of */
	gint64 pooled;	   /* the version of the pools that they are of */
	gint64 stopped_at; /* `changes` when maintenance kept them from following */
	gint64 next_round_ms;
	Topics pools, nodes;
} Watcher;

typedef struct Ringing {
	const Watcher *watcher;
	const Topics *topics;
} Ringing;

static GHashTable *new_names(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void ring(const char *name, gint64 version, gpointer of)
{
	const Ringing *ringing = of;
	g_autofree char *topic = ringing->topics->topic_of(name);
	http_server_ring(ringing->watcher->daemon->admin, topic, version);
	g_hash_table_add(ringing->topics->rung, g_strdup(name));
}

static gboolean read_versions(Store *store, gpointer of, GError **error)
{
	const Ringing *ringing = of;
	g_hash_table_remove_all(ringing->topics->rung);
	return ringing->topics->each_version(store, ring, of, error);
}

/* Who waits for the orders of what is gone is to hear so: the counter is above all versions. */
static void ring_gone(
	const Watcher *watcher, const Topics *topics, GHashTable *before, gint64 counter)
{
	GHashTableIter all;
	gpointer name;
	g_hash_table_iter_init(&all, before);
	while (g_hash_table_iter_next(&all, &name, NULL)) {
		if (g_hash_table_contains(topics->rung, name))
			continue;
		g_autofree char *topic = topics->topic_of(name);
		http_server_ring(watcher->daemon->admin, topic, counter);
	}
}

static gboolean look_at_topics(Watcher *watcher, Topics *topics, gboolean *moved, GError **error)
{
	gint64 counter;
	*moved = FALSE;
	if (!store_counter_get(watcher->store, topics->counter, &counter, error))
		return FALSE;
	if (counter == topics->seen)
		return TRUE;
	g_autoptr(GHashTable) before = g_steal_pointer(&topics->rung);
	topics->rung = new_names();
	Ringing ringing = {watcher, topics};
	if (!store_read(watcher->store, read_versions, &ringing, error)) {
		g_hash_table_unref(topics->rung);
		topics->rung = g_steal_pointer(&before);
		return FALSE;
	}
	ring_gone(watcher, topics, before, counter);
	topics->seen = counter;
	*moved = TRUE;
	return TRUE;
}

/* Lists that were not read are read at the next look. */
static gboolean look_at_pools(Watcher *watcher, GError **error)
{
	gboolean moved;
	if (!look_at_topics(watcher, &watcher->pools, &moved, error))
		return FALSE;
	if (!moved || public_read(watcher->daemon, watcher->store, error))
		return TRUE;
	watcher->pools.seen = -1;
	return FALSE;
}

/* Whose channel says something else since, or whose pool has it or has it no more, is told so, by
 * its version. Nothing is written while the
 * maintenance switch is on: who asks is answered from the rows as they are, all the same. */
static gboolean follow_channels(Watcher *watcher, GError **error)
{
	gint64 generation, pools;
	g_autoptr(GError) problem = NULL;
	if (!store_counter_get(watcher->store, STORE_GENERATION, &generation, error) ||
		!store_counter_get(watcher->store, STORE_POOLS, &pools, error))
		return FALSE;
	if ((generation == watcher->followed && pools == watcher->pooled) ||
		watcher->stopped_at == watcher->changes)
		return TRUE;
	if (node_targets_follow(&watcher->daemon->site, watcher->store, &problem)) {
		watcher->followed = generation;
		watcher->pooled = pools;
		return TRUE;
	}
	if (!drover_error_is(problem, DROVER_ERROR_MAINTENANCE)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	watcher->stopped_at = watcher->changes;
	return TRUE;
}

static gboolean look_at_nodes(Watcher *watcher, GError **error)
{
	gboolean moved;
	return follow_channels(watcher, error) &&
	       look_at_topics(watcher, &watcher->nodes, &moved, error);
}

/* That a host fell silent is no change of the store, but it is one of the pages. */
static gboolean look_at_silence(Watcher *watcher, gint64 *silent, GError **error)
{
	gint64 nodes, now_us = clock_now_us(watcher->daemon->site.clock);
	if (!pool_count_silent(watcher->store, now_us, silent, error) ||
		!node_count_silent(watcher->store, now_us, &nodes, error))
		return FALSE;
	*silent += nodes;
	return TRUE;
}

/* Nodes whose maintenance was to be over: a warning as long as that lasts, and a line in the log.
 */
static gboolean look_at_overdue(Watcher *watcher, GError **error)
{
	const ApiSite *site = &watcher->daemon->site;
	g_autofree char *text = NULL;
	if (!node_tell_overdue(
		    watcher->store, clock_now_us(site->clock), &watcher->overdue, &text, error))
		return FALSE;
	if (api_warnings_set(site->warnings, "nodes", text) && text != NULL)
		log_event(LOG_LEVEL_WARNING, "node.overdue", "what", text, NULL);
	return TRUE;
}

/* A session that was left, a token that was revoked, a role that was taken. While the database is
 * away, nobody is sent off. */
static gboolean is_welcome(const char *owner, gpointer of)
{
	const Watcher *watcher = of;
	g_autoptr(GError) error = NULL;
	g_autoptr(Actor) actor =
		identity_again(&watcher->daemon->site, watcher->store, owner, &error);
	return error != NULL || (actor != NULL && actor_has_anywhere(actor, ROLE_VIEWER));
}

/* Another drover has migrated the store: what this one would write may not fit any more. */
static gboolean is_outdated(Daemon *daemon, Store *store)
{
	g_autoptr(GError) error = NULL;
	if (store_check_schema(store, &error) || !drover_error_is(error, DROVER_ERROR_CONFLICT))
		return FALSE;
	daemon->outdated = g_steal_pointer(&error);
	kill(getpid(), SIGTERM);
	return TRUE;
}

/* The schema comes first: in a newer one, nothing else that is asked here need have an answer. */
static gboolean look(Watcher *watcher, GError **error)
{
	gint64 now_ms = clock_monotonic_ms(), overdue = watcher->overdue;
	if (now_ms >= watcher->next_round_ms) {
		watcher->next_round_ms = now_ms + WATCH_ROUND_MS;
		if (is_outdated(watcher->daemon, watcher->store))
			return TRUE;
		http_events_weed(watcher->daemon->events, is_welcome, watcher);
		if (!look_at_overdue(watcher, error))
			return FALSE;
	}
	gint64 changes, silent, mark = maintenance_file_mark(watcher->daemon);
	if (!store_counter_get(watcher->store, STORE_CHANGES, &changes, error) ||
		!look_at_pools(watcher, error) || !look_at_silence(watcher, &silent, error))
		return FALSE;
	/* Also at the first look: a page may be older than that. */
	if (changes != watcher->changes || mark != watcher->mark || silent != watcher->silent ||
		overdue != watcher->overdue)
		publish(watcher->daemon, changes, mark, silent, watcher->overdue);
	watcher->changes = changes;
	watcher->mark = mark;
	watcher->silent = silent;
	return updates_look(&watcher->daemon->updates, watcher->store, error) &&
	       look_at_nodes(watcher, error);
}

gpointer watch_changes(gpointer of)
{
	Daemon *daemon = of;
	Watcher watcher = {.daemon = daemon,
		.changes = -1,
		.followed = -1,
		.pooled = -1,
		.stopped_at = -1,
		.pools = {STORE_POOLS, pool_topic, pool_each_version, -1, new_names()},
		.nodes = {STORE_NODES, node_topic, node_each_version, -1, new_names()}};
	do {
		g_autoptr(GError) error = NULL;
		__atomic_store_n(&daemon->watcher_ms, clock_monotonic_ms(), __ATOMIC_RELAXED);
		if (watcher.store == NULL)
			watcher.store = daemon_open_store(daemon, &error);
		if (watcher.store == NULL || !look(&watcher, &error)) {
			note_away(daemon, error);
			daemon_sleep(daemon, WATCH_AWAY_MS);
			continue;
		}
		note_back(daemon);
	} while (daemon->outdated == NULL && daemon_wait_for_nudge(daemon, WATCH_EVERY_MS));
	store_close(watcher.store);
	g_hash_table_unref(watcher.pools.rung);
	g_hash_table_unref(watcher.nodes.rung);
	return NULL;
}
