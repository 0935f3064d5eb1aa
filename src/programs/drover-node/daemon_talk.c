/* SPDX-License-Identifier: ISC
 *
 * The two threads that talk with droverd. Each has a pace of its own: while reports are refused,
 * orders may still come.
 */
#include <string.h>

#include "base/log.h"
#include "programs/drover-node/daemon.h"
#include "programs/drover-node/droverd.h"
#include "programs/drover-node/kept.h"
#include "wire/json.h"

static DroverdDoor door_of(const Daemon *daemon)
{
	return (DroverdDoor){.server = daemon->config->server,
		.ca_file = daemon->config->ca_file,
		.token_file = daemon->token_file};
}

/* Sleeps after `failures` in a row, of which this is the last one. FALSE: it ends. */
static gboolean pause_after(Daemon *daemon, guint failures, const GError *error)
{
	static const guint64 never;
	gboolean refused = drover_error_is(error, DROVER_ERROR_UNAUTHENTICATED) ||
			   drover_error_is(error, DROVER_ERROR_DENIED);
	double first_s = refused ? DAEMON_REFUSED_S : DAEMON_FIRST_PAUSE_S;
	return daemon_wait(daemon, &never, 0,
		follow_pause(failures, first_s, DAEMON_LAST_PAUSE_S, g_random_double()));
}

/* Says once when droverd is no longer heard, or for another reason than before, and when it is
 * heard again. */
static void note_contact(Daemon *daemon, const char *problem)
{
	g_auto(KeptContact) contact = {0};
	g_autoptr(GError) error = NULL;
	kept_contact(daemon->config, &contact);
	gboolean is_known = contact.since_us != 0;
	gboolean turned = (contact.problem == NULL) != (problem == NULL);
	if (is_known && g_strcmp0(contact.problem, problem) == 0)
		return;
	if (problem != NULL)
		log_event(LOG_LEVEL_WARNING, "droverd.away", "why", problem, NULL);
	else if (is_known)
		log_event(LOG_LEVEL_INFO, "droverd.heard", NULL);
	const KeptContact now = {
		.since_us = is_known && !turned ? contact.since_us : clock_now_us(CLOCK_SYSTEM),
		.problem = (char *)problem};
	if (!kept_save_contact(daemon->config, &now, &error))
		log_event(LOG_LEVEL_WARNING, "state.unwritable", "why", error->message, NULL);
}

/* Asked again after a wait, droverd mostly says the same. */
static gboolean says_the_same(const Orders *orders, const Orders *kept)
{
	if (kept == NULL)
		return FALSE;
	g_autofree char *text = orders_text(orders), *before = orders_text(kept);
	return strcmp(text, before) == 0;
}

/* TRUE when these are the orders now. */
static gboolean take_orders(Daemon *daemon, const Orders *orders, const Orders *kept)
{
	g_autoptr(GError) error = NULL;
	if (!follow_may_take(orders, kept, &error)) {
		log_event(LOG_LEVEL_WARNING, "orders.fenced", "why", error->message, NULL);
		return FALSE;
	}
	if (says_the_same(orders, kept))
		return TRUE;
	/* Without a disk for them they would be forgotten at a restart, and are not obeyed. */
	if (!kept_save_orders(daemon->config, orders, &error)) {
		log_event(LOG_LEVEL_ERROR, "orders.unkept", "why", error->message, NULL);
		return FALSE;
	}
	if (kept == NULL || kept->version != orders->version) {
		g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT, orders->version);
		log_event(LOG_LEVEL_INFO, "orders.taken", "version", version, NULL);
		daemon_report_moved(daemon);
	}
	daemon_orders_moved(daemon);
	return TRUE;
}

gpointer daemon_ask(gpointer of)
{
	Daemon *daemon = of;
	static const guint64 never;
	const DroverdDoor door = door_of(daemon);
	gint64 after = -1;
	for (guint failures = 0; !daemon_is_ending(daemon);) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Orders) kept = kept_orders(daemon->config);
		g_autoptr(Orders) orders = droverd_ask(&door, after, &error);
		note_contact(daemon, error != NULL ? error->message : NULL);
		if (orders == NULL) {
			after = -1; /* who comes back may be another one */
			if (!pause_after(daemon, ++failures, error))
				break;
			continue;
		}
		failures = 0;
		if (take_orders(daemon, orders, kept))
			after = orders->version;
		else if (!daemon_wait(daemon, &never, 0, DAEMON_LAST_PAUSE_S))
			break;
	}
	return NULL;
}

/* -- reports --------------------------------------------------------------------------------------
 */

static ReportDoing copy_doing(Worker *worker)
{
	g_mutex_lock(&worker->daemon->lock);
	ReportDoing doing = worker->doing;
	doing.version = g_strdup(doing.version);
	doing.error = g_strdup(doing.error);
	g_mutex_unlock(&worker->daemon->lock);
	return doing;
}

static json_t *report_of(Worker *worker, const Orders *orders)
{
	const char *name = worker->product->name;
	g_auto(FollowMemory) memory = {0};
	ReportDoing doing = copy_doing(worker);
	kept_memory(worker->daemon->config, name, &memory);
	json_t *report = report_product(worker->product, orders_find(orders, name), &doing, &memory,
		clock_now_us(CLOCK_SYSTEM));
	g_free(doing.version);
	g_free(doing.error);
	return report;
}

/* What holds longer than was said is told in the log, once, and in each report. */
static void watch_maintenance(Worker *worker, const json_t *report)
{
	const json_t *maintenance = json_object_get(report, "maintenance");
	gboolean is_overdue = json_is_true(json_object_get(maintenance, "overdue"));
	if (is_overdue && !worker->is_overdue)
		log_event(LOG_LEVEL_WARNING, "maintenance.overdue", "product",
			worker->product->name, "until", json_text(maintenance, "until"), "reason",
			json_text(maintenance, "reason"), NULL);
	worker->is_overdue = is_overdue;
}

/* A product that droverd means this node to run, and that the configuration does not know. */
static json_t *unknown_json(const Order *order)
{
	g_autofree char *error = g_strdup_printf(
		"the configuration of this node has no section [%s]", order->product);
	return json_pack("{s:s, s:n, s:n, s:n, s:n, s:[], s:I, s:s, s:n, s:s, s:n, s:n, s:n}",
		"product", order->product, "running", "sequence", "manifest_sha256", "previous",
		"installed", "order_id", (json_int_t)0, "state", "failed", "doing", "error", error,
		"maintenance", "health", "service");
}

static json_t *report_all(Daemon *daemon)
{
	g_autoptr(Orders) orders = kept_orders(daemon->config);
	json_t *products = json_array();
	for (guint i = 0; i < daemon->workers->len; i++) {
		json_t *report = report_of(daemon->workers->pdata[i], orders);
		watch_maintenance(daemon->workers->pdata[i], report);
		json_array_append_new(products, report);
	}
	for (guint i = 0; orders != NULL && i < orders->products->len; i++) {
		const Order *order = orders->products->pdata[i];
		if (node_config_product(daemon->config, order->product, NULL) == NULL)
			json_array_append_new(products, unknown_json(order));
	}
	return report_whole(products, clock_now_us(CLOCK_SYSTEM));
}

/* `told` is the warning of the last report; it becomes this one's. */
static void note_clock(char **told, char *warning)
{
	if (warning != NULL && g_strcmp0(*told, warning) != 0)
		log_event(LOG_LEVEL_WARNING, "clock.off", "why", warning, NULL);
	g_free(*told);
	*told = warning;
}

static guint64 reports_moved(Daemon *daemon)
{
	g_mutex_lock(&daemon->lock);
	guint64 moved = daemon->report_moved;
	g_mutex_unlock(&daemon->lock);
	return moved;
}

gpointer daemon_report(gpointer of)
{
	enum { BETWEEN_MS = 500 };
	Daemon *daemon = of;
	const DroverdDoor door = door_of(daemon);
	g_autofree char *told = NULL, *problem = NULL;
	for (guint failures = 0; !daemon_is_ending(daemon);) {
		char *warning = NULL;
		g_autoptr(GError) error = NULL;
		guint64 seen = reports_moved(daemon);
		g_autoptr(json_t) report = report_all(daemon);
		if (!droverd_report(&door, report, &warning, &error)) {
			if (g_strcmp0(problem, error->message) != 0)
				log_event(LOG_LEVEL_WARNING, "report.failed", "why", error->message,
					NULL);
			g_free(problem);
			problem = g_strdup(error->message);
			if (!pause_after(daemon, ++failures, error))
				break;
			continue;
		}
		g_clear_pointer(&problem, g_free);
		failures = 0;
		note_clock(&told, warning);
		/* Many small moves are one report. */
		if (!daemon_wait(daemon, &daemon->report_moved, seen, DAEMON_REPORT_S))
			break;
		g_usleep(BETWEEN_MS * 1000);
	}
	return NULL;
}
