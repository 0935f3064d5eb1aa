/* SPDX-License-Identifier: ISC
 *
 * A worker: one product, from what is to what should be, one act at a time.
 */
#include "base/log.h"
#include "node/hold/hold.h"
#include "programs/drover-node/daemon.h"
#include "programs/drover-node/deed.h"
#include "programs/drover-node/kept.h"

enum { PROGRESS_EVERY_MS = 2000, AGAIN_S = 1 };

static void say(Worker *worker, ReportState state, const char *version, const char *error)
{
	ReportDoing *doing = &worker->doing;
	g_mutex_lock(&worker->daemon->lock);
	gboolean moved = doing->state != state || g_strcmp0(doing->version, version) != 0 ||
			 g_strcmp0(doing->error, error) != 0;
	char *old_version = doing->version, *old_error = doing->error;
	doing->state = state;
	doing->version = g_strdup(version);
	doing->error = g_strdup(error);
	if (moved) {
		doing->step = NULL;
		doing->done = doing->total = 0;
	}
	g_free(old_version);
	g_free(old_error);
	g_mutex_unlock(&worker->daemon->lock);
	if (moved)
		daemon_report_moved(worker->daemon);
}

static void set_health(Worker *worker, const char *health)
{
	g_mutex_lock(&worker->daemon->lock);
	worker->doing.health = worker->product->health != NULL ? health : NULL;
	g_mutex_unlock(&worker->daemon->lock);
}

/* What a deed is told with: its last report stands here. */
typedef struct Watched {
	Worker *worker;
	gint64 said_ms;
} Watched;

static void on_progress(NodeStep step, gint64 done, gint64 total, gpointer of)
{
	Watched *watched = of;
	Daemon *daemon = watched->worker->daemon;
	ReportDoing *doing = &watched->worker->doing;
	gint64 now_ms = clock_monotonic_ms();
	g_mutex_lock(&daemon->lock);
	gboolean next = g_strcmp0(doing->step, deed_step_name(step)) != 0;
	doing->step = deed_step_name(step);
	doing->done = done;
	doing->total = total;
	g_mutex_unlock(&daemon->lock);
	if (!next && now_ms - watched->said_ms < PROGRESS_EVERY_MS)
		return;
	watched->said_ms = now_ms;
	daemon_report_moved(daemon);
}

static void fill_place(FollowPlace *at, const Place *place, const Order *order)
{
	const Installed *found =
		order != NULL && order->version != NULL ? place_find(place, order->version) : NULL;
	*at = (FollowPlace){.running = place->current,
		.is_installed = found != NULL,
		.manifest_sha256 = found != NULL ? found->manifest_sha256 : NULL,
		.now_us = clock_now_us(CLOCK_SYSTEM)};
}

/* Seconds to wait: what is not remembered must not be tried again and again. */
static double save_memory(Worker *worker, const FollowMemory *memory)
{
	g_autoptr(GError) error = NULL;
	if (kept_save_memory(worker->daemon->config, worker->product->name, memory, &error))
		return 0;
	log_event(LOG_LEVEL_ERROR, "state.unwritable", "product", worker->product->name, "why",
		error->message, NULL);
	return DAEMON_LOOK_S;
}

/* -- acts -----------------------------------------------------------------------------------------
 */

static gboolean install(
	Worker *worker, Place *place, const NodeDeed *deed, const Order *order, GError **error)
{
	g_autofree char *version = NULL;
	say(worker, REPORT_INSTALLING, order->version, NULL);
	if (!node_install(place, deed, order->version, &version, error))
		return FALSE;
	log_event(LOG_LEVEL_INFO, "release.installed", "product", worker->product->name, "version",
		version, NULL);
	return TRUE;
}

static gboolean activate(
	Worker *worker, Place *place, const NodeDeed *deed, const Order *order, GError **error)
{
	g_autofree char *before = g_strdup(place->current);
	say(worker, REPORT_ACTIVATING, order->version, NULL);
	gboolean done = node_activate(place, deed, order->version, error);
	set_health(worker, done ? "good" : "bad");
	if (done)
		log_event(LOG_LEVEL_INFO, "release.active", "product", worker->product->name,
			"version", order->version, "before", before, NULL);
	return done;
}

/* What cannot be removed is told, and stops nothing. */
static void tidy(Worker *worker, Place *place, const NodeDeed *deed, const Order *order)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
	gboolean done =
		node_gc(place, deed, worker->product->keep, order->named, FALSE, removed, &error);
	for (guint i = 0; i < removed->len; i++)
		log_event(LOG_LEVEL_INFO, "release.removed", "product", worker->product->name,
			"version", (const char *)removed->pdata[i], NULL);
	if (!done)
		log_event(LOG_LEVEL_WARNING, "release.kept", "product", worker->product->name,
			"why", error->message, NULL);
	if (removed->len > 0)
		daemon_report_moved(worker->daemon);
}

static NodeDeed begin_deed(Worker *worker, Watched *watched, DeedWatch *watch, gboolean is_ordered)
{
	*watched = (Watched){.worker = worker};
	*watch = (DeedWatch){.holder = {worker->daemon->config->path, worker->daemon->program},
		.progress = on_progress,
		.of = watched};
	return deed_of(worker->product, is_ordered, watch);
}

static gboolean act(Worker *worker, Place *place, FollowAct what, const Order *order,
	FollowMemory *memory, GError **error)
{
	Watched watched;
	DeedWatch watch;
	const NodeDeed deed = begin_deed(worker, &watched, &watch, order->is_ordered);
	switch (what) {
	case FOLLOW_INSTALL:
		return install(worker, place, &deed, order, error);
	case FOLLOW_ACTIVATE:
		return activate(worker, place, &deed, order, error);
	case FOLLOW_TIDY:
		tidy(worker, place, &deed, order);
		follow_tidied(memory, order);
		return TRUE;
	case FOLLOW_NOTHING:
		return TRUE;
	}
	g_assert_not_reached();
}

/* -- one look -------------------------------------------------------------------------------------
 */

static void tell_failure(const Worker *worker, const Order *order, const GError *error)
{
	log_event(LOG_LEVEL_ERROR, "order.failed", "product", worker->product->name, "version",
		order->version, "why", error->message, NULL);
}

/* With the lock of the place what was seen before it is looked at again. Returns the seconds until
 * the next look; 0: at once. */
static double take_step(Worker *worker, const Order *order)
{
	const char *name = worker->product->name;
	FollowPlace at;
	g_auto(FollowNext) next = {0};
	g_auto(FollowMemory) memory = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Place) place = place_open(worker->product, CLOCK_SYSTEM, &error);
	if (place == NULL) {
		gboolean busy = drover_error_is(error, DROVER_ERROR_LOCKED);
		say(worker, busy ? REPORT_IDLE : REPORT_FAILED, NULL, busy ? NULL : error->message);
		return busy ? DAEMON_BUSY_S : DAEMON_LOOK_S;
	}
	if (place->recovered != NULL)
		log_event(LOG_LEVEL_WARNING, "place.recovered", "product", name, "what",
			place->recovered, NULL);
	fill_place(&at, place, order);
	kept_memory(worker->daemon->config, name, &memory);
	follow_next(order, &at, &memory, &next);
	if (next.act == FOLLOW_NOTHING)
		return AGAIN_S;
	if (act(worker, place, next.act, order, &memory, &error)) {
		if (next.act == FOLLOW_INSTALL || next.act == FOLLOW_ACTIVATE)
			follow_succeeded(&memory);
	} else {
		tell_failure(worker, order, error);
		follow_failed(&memory, order, error, clock_now_us(CLOCK_SYSTEM));
	}
	return save_memory(worker, &memory);
}

/* What is next, as far as can be seen without the lock. FALSE: it cannot be seen. */
static gboolean look(Worker *worker, const Order *order, FollowNext *next, GError **error)
{
	FollowPlace at;
	g_auto(FollowMemory) memory = {0};
	g_autoptr(Place) place = place_look(worker->product, error);
	if (place == NULL)
		return FALSE;
	fill_place(&at, place, order);
	kept_memory(worker->daemon->config, worker->product->name, &memory);
	follow_next(order, &at, &memory, next);
	return TRUE;
}

static double seconds_until(gint64 until_us)
{
	if (until_us == 0)
		return DAEMON_LOOK_S;
	double seconds = (double)(until_us - clock_now_us(CLOCK_SYSTEM)) / 1e6;
	return CLAMP(seconds, 0.1, DAEMON_LOOK_S);
}

static double go_on(Worker *worker)
{
	g_auto(FollowNext) next = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Orders) orders = kept_orders(worker->daemon->config);
	const Order *order = orders_find(orders, worker->product->name);
	if (!look(worker, order, &next, &error)) {
		say(worker, REPORT_FAILED, NULL, error->message);
		return DAEMON_LOOK_S;
	}
	if (next.act != FOLLOW_NOTHING)
		return take_step(worker, order);
	say(worker, next.is_failed ? REPORT_FAILED : REPORT_IDLE, NULL,
		next.is_failed ? next.why : NULL);
	return seconds_until(next.until_us);
}

/* What a killed command left is finished or taken back before anything is asked of anybody. FALSE:
 * not yet; said once. */
static gboolean recover(Worker *worker, char **told)
{
	Watched watched;
	DeedWatch watch;
	g_autoptr(GError) error = NULL;
	const char *name = worker->product->name;
	const NodeDeed deed = begin_deed(worker, &watched, &watch, FALSE);
	g_autoptr(Place) place = place_open(worker->product, CLOCK_SYSTEM, &error);
	if (place != NULL && place->recovered != NULL)
		log_event(LOG_LEVEL_WARNING, "place.recovered", "product", name, "what",
			place->recovered, NULL);
	if (place != NULL && place->intent.kind == INTENT_ACTIVATE)
		say(worker, REPORT_ACTIVATING, place->intent.version, NULL);
	if (place != NULL && node_recover(place, &deed, &error))
		return TRUE;
	if (g_strcmp0(*told, error->message) != 0)
		log_event(LOG_LEVEL_ERROR, "place.failed", "product", name, "why", error->message,
			NULL);
	g_free(*told);
	*told = g_strdup(error->message);
	gboolean busy = drover_error_is(error, DROVER_ERROR_LOCKED);
	say(worker, busy ? REPORT_IDLE : REPORT_FAILED, NULL, busy ? NULL : error->message);
	return FALSE;
}

/* Another one holds the sockets already, or none could be started: said once. */
static void ensure_holder(Worker *worker, char **told)
{
	g_autoptr(GError) error = NULL;
	const Daemon *daemon = worker->daemon;
	if (worker->product->run == NULL)
		return;
	hold_ensure(worker->product, daemon->config->path, daemon->program, &error);
	if (error != NULL && g_strcmp0(*told, error->message) != 0)
		log_event(LOG_LEVEL_ERROR, "holder.failed", "product", worker->product->name, "why",
			error->message, NULL);
	g_free(*told);
	*told = error != NULL ? g_strdup(error->message) : NULL;
}

static guint64 orders_moved(Daemon *daemon)
{
	g_mutex_lock(&daemon->lock);
	guint64 moved = daemon->orders_moved;
	g_mutex_unlock(&daemon->lock);
	return moved;
}

gpointer daemon_work(gpointer of)
{
	Worker *worker = of;
	Daemon *daemon = worker->daemon;
	g_autofree char *told = NULL, *told_place = NULL;
	gboolean recovered = FALSE;
	while (!daemon_is_ending(daemon)) {
		ensure_holder(worker, &told);
		guint64 seen = orders_moved(daemon);
		recovered = recovered || recover(worker, &told_place);
		double pause_s = recovered ? go_on(worker) : DAEMON_BUSY_S;
		if (pause_s > 0)
			daemon_wait(daemon, &daemon->orders_moved, seen, pause_s);
	}
	say(worker, REPORT_IDLE, NULL, NULL);
	return NULL;
}
