/* SPDX-License-Identifier: ISC
 *
 * /metrics in Prometheus' text format. Each figure stands once, with its sentence.
 */
#include "api/maintenance.h"
#include "api/view.h"
#include "programs/droverd/daemon.h"

static void figure(
	GString *text, const char *name, const char *help, const char *type, gint64 value)
{
	g_string_append_printf(text, "# HELP %s %s.\n# TYPE %s %s\n%s %" G_GINT64_FORMAT "\n", name,
		help, name, type, name, value);
}

#define DAEMON_COUNTER_FIGURE(field, name, help)                                                   \
	figure(text, name, help, "counter", g_atomic_int_get(&daemon->counters.field));

static void listener(GString *text, const char *name, const HttpServer *server)
{
	HttpServerFigures figures;
	http_server_figures(server, &figures);
	g_string_append_printf(text,
		"drover_http_requests_total{listener=\"%s\"} %" G_GUINT64_FORMAT "\n"
		"drover_http_connections_refused_total{listener=\"%s\"} %" G_GUINT64_FORMAT "\n"
		"drover_http_deadlines_passed_total{listener=\"%s\"} %" G_GUINT64_FORMAT "\n"
		"drover_http_connections{listener=\"%s\"} %u\n"
		"drover_http_streams{listener=\"%s\"} %u\n",
		name, figures.requests, name, figures.refused_connections, name,
		figures.deadlines_passed, name, figures.open_connections, name, figures.streams);
}

/* Names are [a-z0-9._-], so they need no escaping. */
static void product_figures(GString *text, Daemon *daemon, Store *store)
{
	g_autoptr(GPtrArray) products = product_list(store, NULL);
	for (guint i = 0; products != NULL && i < products->len; i++) {
		const Product *product = products->pdata[i];
		g_autoptr(LandingBook) book =
			landing_books_take(daemon->site.books, store, product->name, NULL);
		if (book == NULL)
			continue;
		g_autoptr(View) view = view_new(book);
		g_string_append_printf(text,
			"drover_landings{product=\"%s\"} %u\n"
			"drover_tip{product=\"%s\"} %" G_GINT64_FORMAT "\n"
			"drover_deployable{product=\"%s\"} %" G_GINT64_FORMAT "\n"
			"drover_blockers{product=\"%s\"} %u\n"
			"drover_frozen{product=\"%s\"} %d\n",
			product->name, landing_book_count(book), product->name, view->tip,
			product->name, view->deployable, product->name, view->blockers->len,
			product->name, product->frozen_reason != NULL);
	}
}

static void store_figures(GString *text, Daemon *daemon, Store *store)
{
	gint64 changes = 0, generation = 0;
	g_auto(Maintenance) maintenance = {0};
	gboolean reached = store_counter_get(store, STORE_CHANGES, &changes, NULL) &&
			   store_counter_get(store, STORE_GENERATION, &generation, NULL) &&
			   maintenance_read(&daemon->site, store, &maintenance, NULL);
	figure(text, "drover_store_reachable", "1 when the database answers", "gauge", reached);
	if (!reached)
		return;
	figure(text, "drover_changes", "Number of the newest change", "gauge", changes);
	figure(text, "drover_generation", "Generation of what clients are answered", "gauge",
		generation);
	figure(text, "drover_maintenance", "1 while the maintenance switch is on", "gauge",
		maintenance.on);
	product_figures(text, daemon, store);
}

char *metrics_text(Daemon *daemon, Store *store)
{
	GString *text = g_string_new(NULL);
	DAEMON_COUNTERS(DAEMON_COUNTER_FIGURE)
	figure(text, "drover_uptime_seconds", "Seconds since this droverd started", "gauge",
		(clock_now_us(CLOCK_SYSTEM) - daemon->started_us) / US_PER_SECOND);
	if (daemon->admin != NULL)
		listener(text, "admin", daemon->admin);
	if (daemon->public != NULL)
		listener(text, "public", daemon->public);
	store_figures(text, daemon, store);
	return g_string_free(text, FALSE);
}
