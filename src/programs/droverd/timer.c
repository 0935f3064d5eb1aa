/* SPDX-License-Identifier: ISC
 *
 * The clock: scans every product, reminds people, sends what is queued; and, in a thread of its own
 * that no scan and no mail server can hold up, lets changes go live. Each through the API, under
 * the same locks as the command, so that any number of droverds and cron jobs do each thing once.
 */
#include <string.h>

#include "api/change_notice.h"
#include "base/log.h"
#include "programs/droverd/daemon.h"

#define TIMER_STEP_MS	      1000
#define TIMER_LEAST_MS	      10   /* between two looks at what is due */
#define APPOINTMENTS_EVERY_MS 5000 /* a gate may open without a word in the store */

typedef struct Timer {
	Daemon *daemon;
	Store *store;
	Actor *actor;
	GHashTable *told; /* jobs and products whose trouble was logged, so that it is said once */
} Timer;

static gboolean is_expected(const GError *error)
{
	return drover_error_is(error, DROVER_ERROR_LOCKED) ||
	       drover_error_is(error, DROVER_ERROR_MAINTENANCE) ||
	       drover_error_is(error, DROVER_ERROR_UNAVAILABLE);
}

/* Says a trouble once, until it is over or another. */
static void tell(Timer *timer, const char *about, const char *trouble)
{
	const char *told = g_hash_table_lookup(timer->told, about);
	if (g_strcmp0(told, trouble) == 0)
		return;
	if (trouble == NULL) {
		g_hash_table_remove(timer->told, about);
		return;
	}
	log_event(LOG_LEVEL_WARNING, "clock.trouble", "about", about, "why", trouble, NULL);
	g_hash_table_insert(timer->told, g_strdup(about), g_strdup(trouble));
}

static json_t *call(Timer *timer, const char *method, const char *path, const char *about)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = api_call(
		&timer->daemon->site, timer->store, timer->actor, method, path, NULL, NULL, &error);
	if (error == NULL || !is_expected(error))
		tell(timer, about, error != NULL ? error->message : NULL);
	return answer;
}

static void scan_product(Timer *timer, const json_t *summary)
{
	const char *name = json_text(summary, "name");
	if (!json_is_null(json_object_get(summary, "frozen")))
		return;
	g_autofree char *path = g_strdup_printf("/products/%s", name);
	g_autoptr(json_t) product = call(timer, "GET", path, name);
	if (product == NULL ||
		json_text(json_object_get(product, "settings"), "repository") == NULL)
		return;
	g_autofree char *scan = g_strdup_printf("/products/%s/scan", name);
	g_autoptr(json_t) answer = call(timer, "POST", scan, name);
	if (answer != NULL)
		daemon_count(timer->daemon, scans);
	else
		daemon_count(timer->daemon, scan_problems);
}

static void scan_all(Timer *timer)
{
	g_autoptr(json_t) status = call(timer, "GET", "/status", "status");
	gsize position;
	json_t *entry;
	if (status == NULL ||
		json_is_true(json_object_get(json_object_get(status, "maintenance"), "on")))
		return;
	json_array_foreach (json_object_get(status, "products"), position, entry)
		if (!daemon_is_stopping(timer->daemon))
			scan_product(timer, entry);
	json_array_foreach (json_object_get(status, "jobs"), position, entry) {
		g_autofree char *about = g_strdup_printf("job %s", json_text(entry, "job"));
		g_autofree char *trouble = g_strdup_printf(
			"at work since %s on %s, pid %" G_GINT64_FORMAT ": it may hang",
			json_text(entry, "since"), json_text(entry, "host"),
			json_integer_of(entry, "pid"));
		tell(timer, about, json_is_true(json_object_get(entry, "stale")) ? trouble : NULL);
	}
}

static void remind(Timer *timer)
{
	g_autoptr(json_t) answer = call(timer, "POST", "/jobs/remind", "remind");
	if (answer != NULL)
		daemon_count(timer->daemon, reminders);
}

/* Of changes: reminders are sent as they are queued, in their own rounds. */
static void send_notices(Timer *timer)
{
	const ApiSite *site = &timer->daemon->site;
	g_autoptr(GError) error = NULL;
	gboolean is_due = FALSE;
	if (site->mail_url == NULL)
		return;
	if (!change_notice_is_due(timer->store, clock_now_us(site->clock), &is_due, &error))
		return; /* the watcher says that the store is away */
	if (is_due)
		json_decref(call(timer, "POST", "/jobs/send", "send"));
}

static gboolean is_time_of_day(Clock clock, gint64 seconds_after_midnight)
{
	return clock_now_us(clock) % US_PER_DAY >= seconds_after_midnight * US_PER_SECOND;
}

static void loop(Timer *timer)
{
	Daemon *daemon = timer->daemon;
	gint64 scan_every_ms = settings_integer(daemon->settings, "clock.scan-every") * 1000;
	gint64 remind_every_ms = settings_integer(daemon->settings, "clock.remind-every") * 1000;
	gint64 remind_from_s = settings_integer(daemon->settings, "clock.remind-from");
	gint64 next_scan_ms = 0, next_remind_ms = 0;
	do {
		gint64 now_ms = clock_monotonic_ms();
		if (g_atomic_int_get(&daemon->store_away))
			continue;
		if (scan_every_ms > 0 && now_ms >= next_scan_ms) {
			scan_all(timer);
			next_scan_ms = clock_monotonic_ms() + scan_every_ms;
		}
		if (remind_every_ms > 0 && now_ms >= next_remind_ms &&
			is_time_of_day(daemon->site.clock, remind_from_s)) {
			remind(timer);
			next_remind_ms = clock_monotonic_ms() + remind_every_ms;
		}
		send_notices(timer);
	} while (daemon_sleep(daemon, TIMER_STEP_MS));
}

/* Appointments ----------------------------------------------------------------------------------
 */

/* What was so when the changes were looked at last. */
typedef struct Appointments {
	gint64 seen;	     /* STORE_CHANGES */
	gint64 next_us;	     /* when the next change is due; 0: none is */
	gint64 next_look_ms; /* at the latest */
} Appointments;

static gboolean is_time(const Appointments *appointments, gint64 now_us, gint64 changes)
{
	return changes != appointments->seen ||
	       (appointments->next_us != 0 && now_us >= appointments->next_us) ||
	       clock_monotonic_ms() >= appointments->next_look_ms;
}

/* Nothing is noted unless all went well: the next step tries again. */
static void go_live(Timer *timer, Appointments *appointments, gint64 now_us, gint64 changes)
{
	g_autoptr(json_t) answer = call(timer, "POST", "/jobs/go-live", "go-live");
	if (answer == NULL || !channel_next_due(timer->store, now_us, &appointments->next_us, NULL))
		return;
	appointments->seen = changes;
	appointments->next_look_ms = clock_monotonic_ms() + APPOINTMENTS_EVERY_MS;
	gsize live = json_array_size(json_object_get(answer, "live"));
	g_atomic_int_add(&timer->daemon->counters.changes_live, (gint)live);
	if (live > 0)
		daemon_nudge(timer->daemon);
}

static guint wait_ms(const Appointments *appointments, gint64 now_us)
{
	gint64 left_ms = appointments->next_us != 0 ? (appointments->next_us - now_us) / 1000 + 1
						    : TIMER_STEP_MS;
	return (guint)CLAMP(left_ms, TIMER_LEAST_MS, TIMER_STEP_MS);
}

static void loop_appointments(Timer *timer)
{
	Daemon *daemon = timer->daemon;
	Appointments appointments = {.seen = -1};
	gint64 now_us, changes;
	do {
		now_us = clock_now_us(daemon->site.clock);
		if (g_atomic_int_get(&daemon->store_away) ||
			!store_counter_get(timer->store, STORE_CHANGES, &changes, NULL))
			continue;
		if (is_time(&appointments, now_us, changes))
			go_live(timer, &appointments, now_us, changes);
	} while (daemon_sleep(daemon, wait_ms(&appointments, now_us)));
}

/* Threads ---------------------------------------------------------------------------------------
 */

static void run(Daemon *daemon, void (*loop_of)(Timer *timer))
{
	g_autofree char *name = g_strdup_printf("droverd@%s (clock)", g_get_host_name());
	g_autoptr(Actor) actor = actor_new(ACTOR_LOCAL, name, "droverd", 0);
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(Store) store = NULL;
	while (store == NULL) {
		store = daemon_open_store(daemon, NULL);
		if (store == NULL && !daemon_sleep(daemon, TIMER_STEP_MS))
			return;
	}
	Timer timer = {daemon, store, actor, told};
	loop_of(&timer);
}

gpointer keep_time(gpointer of)
{
	run(of, loop);
	return NULL;
}

gpointer keep_appointments(gpointer of)
{
	run(of, loop_appointments);
	return NULL;
}
