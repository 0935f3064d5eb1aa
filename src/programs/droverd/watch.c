/* SPDX-License-Identifier: ISC
 *
 * Watches the store's counter of changes, whoever moves it (this droverd, another one, the
 * command), and tells open pages.
 */
#include <sys/stat.h>

#include "api/maintenance.h"
#include "base/log.h"
#include "programs/droverd/daemon.h"

#define WATCH_EVERY_MS 400
#define WATCH_AWAY_MS  2000

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

static void publish(Daemon *daemon, gint64 changes)
{
	g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, changes);
	g_autofree char *data = g_strdup_printf("{\"changes\":%" G_GINT64_FORMAT "}", changes);
	http_events_publish(daemon->events, "changed", id, data);
	daemon_count(daemon, changes);
}

gpointer watch_changes(gpointer of)
{
	Daemon *daemon = of;
	g_autoptr(Store) store = NULL;
	gint64 seen = -1, seen_mark = 0;
	do {
		g_autoptr(GError) error = NULL;
		gint64 changes;
		__atomic_store_n(&daemon->watcher_ms, clock_monotonic_ms(), __ATOMIC_RELAXED);
		if (store == NULL)
			store = store_open(daemon->store_url, &error);
		if (store == NULL || !store_counter_get(store, STORE_CHANGES, &changes, &error)) {
			note_away(daemon, error);
			daemon_sleep(daemon, WATCH_AWAY_MS);
			continue;
		}
		note_back(daemon);
		gint64 mark = maintenance_file_mark(daemon);
		/* Also at the first look: a page may be older than that. */
		if (changes != seen || mark != seen_mark)
			publish(daemon, changes);
		seen = changes;
		seen_mark = mark;
	} while (daemon_sleep(daemon, WATCH_EVERY_MS));
	return NULL;
}
