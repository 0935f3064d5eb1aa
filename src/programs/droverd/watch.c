/* SPDX-License-Identifier: ISC
 *
 * Watches the store's counters, whoever moves them (this droverd, another one, the command), and
 * tells open pages, balancers that wait for orders, and the public address. Now and then it looks
 * whether the pages may still listen, and whether the schema is still ours.
 */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/identity.h"
#include "api/maintenance.h"
#include "api/pool.h"
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
static void publish(Daemon *daemon, gint64 changes, gint64 mark, gint64 silent)
{
	g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, changes);
	g_autofree char *data = g_strdup_printf("{\"changes\":%" G_GINT64_FORMAT
						",\"maintenance_file\":%" G_GINT64_FORMAT
						",\"silent\":%" G_GINT64_FORMAT "}",
		changes, mark, silent);
	http_events_publish(daemon->events, "changed", id, data);
	daemon_count(daemon, changes);
}

/* What the watcher saw last; -1: nothing yet. */
typedef struct Watcher {
	Daemon *daemon;
	Store *store;
	gint64 changes, pools, mark, silent;
	gint64 next_round_ms;
	GHashTable *rung; /* of char *: names of pools */
} Watcher;

static void ring(const char *name, gint64 version, gpointer of)
{
	Watcher *watcher = of;
	g_autofree char *topic = pool_topic(name);
	http_server_ring(watcher->daemon->admin, topic, version);
	g_hash_table_add(watcher->rung, g_strdup(name));
}

/* Who waits for the orders of a pool that is gone is to hear so: the counter is above all versions.
 */
static void ring_gone(Watcher *watcher, GHashTable *before, gint64 pools)
{
	GHashTableIter all;
	gpointer name;
	g_hash_table_iter_init(&all, before);
	while (g_hash_table_iter_next(&all, &name, NULL)) {
		if (g_hash_table_contains(watcher->rung, name))
			continue;
		g_autofree char *topic = pool_topic(name);
		http_server_ring(watcher->daemon->admin, topic, pools);
	}
}

static gboolean read_versions(Store *store, gpointer of, GError **error)
{
	Watcher *watcher = of;
	g_hash_table_remove_all(watcher->rung);
	return pool_each_version(store, ring, watcher, error);
}

static gboolean look_at_pools(Watcher *watcher, GError **error)
{
	gint64 pools;
	if (!store_counter_get(watcher->store, STORE_POOLS, &pools, error))
		return FALSE;
	if (pools == watcher->pools)
		return TRUE;
	g_autoptr(GHashTable) before = g_steal_pointer(&watcher->rung);
	watcher->rung = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gboolean well = store_read(watcher->store, read_versions, watcher, error) &&
			public_read(watcher->daemon, watcher->store, error);
	if (!well) {
		g_hash_table_unref(watcher->rung);
		watcher->rung = g_steal_pointer(&before);
		return FALSE;
	}
	ring_gone(watcher, before, pools);
	watcher->pools = pools;
	return TRUE;
}

/* That a balancer fell silent is no change of the store, but it is one of the pages. */
static gboolean look_at_silence(Watcher *watcher, gint64 *silent, GError **error)
{
	gint64 now_us = clock_now_us(watcher->daemon->site.clock);
	return pool_count_silent(watcher->store, now_us, silent, error);
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
	gint64 now_ms = clock_monotonic_ms();
	if (now_ms >= watcher->next_round_ms) {
		watcher->next_round_ms = now_ms + WATCH_ROUND_MS;
		if (is_outdated(watcher->daemon, watcher->store))
			return TRUE;
		http_events_weed(watcher->daemon->events, is_welcome, watcher);
	}
	gint64 changes, silent, mark = maintenance_file_mark(watcher->daemon);
	if (!store_counter_get(watcher->store, STORE_CHANGES, &changes, error) ||
		!look_at_pools(watcher, error) || !look_at_silence(watcher, &silent, error))
		return FALSE;
	/* Also at the first look: a page may be older than that. */
	if (changes != watcher->changes || mark != watcher->mark || silent != watcher->silent)
		publish(watcher->daemon, changes, mark, silent);
	watcher->changes = changes;
	watcher->mark = mark;
	watcher->silent = silent;
	return updates_look(&watcher->daemon->updates, watcher->store, error);
}

gpointer watch_changes(gpointer of)
{
	Daemon *daemon = of;
	Watcher watcher = {.daemon = daemon, .changes = -1, .pools = -1};
	watcher.rung = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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
	g_hash_table_unref(watcher.rung);
	return NULL;
}
