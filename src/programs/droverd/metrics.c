/* SPDX-License-Identifier: ISC
 *
 * /metrics in Prometheus' text format. Each figure stands once, with its sentence. Figures of the
 * process and its store are for anybody; those that name a product are for who may see the product.
 */
#include <string.h>

#include "api/change_view.h"
#include "api/maintenance.h"
#include "api/view.h"
#include "programs/droverd/daemon.h"

static void figure(
	GString *text, const char *name, const char *help, const char *type, gint64 value)
{
	g_string_append_printf(text, "# HELP %s %s.\n# TYPE %s %s\n%s %" G_GINT64_FORMAT "\n", name,
		help, name, type, name, value);
}

#define UPDATE_COUNTER_FIGURE(field, name, help)                                                   \
	figure(text, name, help, "counter", g_atomic_int_get(&daemon->updates.counters.field));
#define DAEMON_COUNTER_FIGURE(field, name, help)                                                   \
	figure(text, name, help, "counter", g_atomic_int_get(&daemon->counters.field));

/* A figure that stands once for each value of its labels. */
typedef struct Series {
	const char *name, *help, *type;
	GString *lines;
} Series;

G_GNUC_PRINTF(3, 4)
static void series_line(Series *series, gint64 number, const char *labels, ...)
{
	va_list values;
	if (series->lines == NULL)
		series->lines = g_string_new(NULL);
	g_string_append_printf(series->lines, "%s{", series->name);
	va_start(values, labels);
	g_string_append_vprintf(series->lines, labels, values);
	va_end(values);
	g_string_append_printf(series->lines, "} %" G_GINT64_FORMAT "\n", number);
}

static void series_add(Series *series, const char *label, const char *value, gint64 number)
{
	series_line(series, number, "%s=\"%s\"", label, value);
}

/* Moves their text to `text`; a series without a line is left out. */
static void series_write(GString *text, Series *series, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		if (series[i].lines == NULL)
			continue;
		g_string_append_printf(text, "# HELP %s %s.\n# TYPE %s %s\n%s", series[i].name,
			series[i].help, series[i].name, series[i].type, series[i].lines->str);
		g_string_free(series[i].lines, TRUE);
	}
}

static void listener(Series *series, const char *name, const HttpServer *server)
{
	HttpServerFigures figures;
	if (server == NULL)
		return;
	http_server_figures(server, &figures);
	series_add(&series[0], "listener", name, (gint64)figures.requests);
	series_add(&series[1], "listener", name, (gint64)figures.refused_connections);
	series_add(&series[2], "listener", name, (gint64)figures.deadlines_passed);
	series_add(&series[3], "listener", name, figures.open_connections);
	series_add(&series[4], "listener", name, figures.streams);
	series_add(&series[5], "listener", name, figures.polls);
}

static void listener_figures(GString *text, const Daemon *daemon)
{
	Series series[] = {
		{"drover_http_requests_total", "HTTP requests", "counter", NULL},
		{"drover_http_connections_refused_total",
			"Connections refused because too many were open", "counter", NULL},
		{"drover_http_deadlines_passed_total",
			"Requests cut because they took longer than a request may", "counter",
			NULL},
		{"drover_http_connections", "Connections open now", "gauge", NULL},
		{"drover_http_streams", "Event streams open now", "gauge", NULL},
		{"drover_http_polls", "Balancers that wait for orders now", "gauge", NULL},
	};
	listener(series, "admin", daemon->admin);
	listener(series, "public", daemon->public);
	series_write(text, series, G_N_ELEMENTS(series));
}

/* Names are [a-z0-9._-], so they need no escaping. */
static void product_figures(GString *text, Daemon *daemon, Store *store, const Actor *actor)
{
	Series series[] = {
		{"drover_landings", "Landings that are known", "gauge", NULL},
		{"drover_tip", "Ordinal of the newest landing, 0 when there is none", "gauge",
			NULL},
		{"drover_deployable",
			"Ordinal of the newest landing that may be deployed, 0 when none may",
			"gauge", NULL},
		{"drover_blockers", "Landings that keep the tip from being deployed", "gauge",
			NULL},
		{"drover_frozen", "1 when the branch was rewritten and nobody has confirmed it",
			"gauge", NULL},
	};
	g_autoptr(GPtrArray) products = product_list(store, NULL);
	for (guint i = 0; products != NULL && i < products->len; i++) {
		const Product *product = products->pdata[i];
		if (!actor_has(actor, ROLE_VIEWER, product->name))
			continue;
		g_autoptr(LandingBook) book =
			landing_books_take(daemon->site.books, store, product->name, NULL);
		if (book == NULL)
			continue;
		g_autoptr(View) view = view_new(book);
		series_add(&series[0], "product", product->name, landing_book_count(book));
		series_add(&series[1], "product", product->name, view->tip);
		series_add(&series[2], "product", product->name, view->deployable);
		series_add(&series[3], "product", product->name, view->blockers->len);
		series_add(&series[4], "product", product->name, product->frozen_reason != NULL);
	}
	series_write(text, series, G_N_ELEMENTS(series));
}

static const char *const node_states[] = {
	"good", "behind", "working", "failed", "maintenance", "silent", "never"};

/* How many nodes of the product are in each state, all 0 at first. */
static gint64 *node_counts(GHashTable *products, const char *product)
{
	gint64 *counts = g_hash_table_lookup(products, product);
	if (counts == NULL) {
		counts = g_new0(gint64, G_N_ELEMENTS(node_states));
		g_hash_table_insert(products, g_strdup(product), counts);
	}
	return counts;
}

static void count_node(GHashTable *products, const json_t *node)
{
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(node, "products"), i, one) {
		gint64 *counts = node_counts(products, json_text(one, "product"));
		for (gsize state = 0; state < G_N_ELEMENTS(node_states); state++)
			counts[state] +=
				g_strcmp0(node_states[state], json_text(one, "state")) == 0;
	}
}

/* Every state of a product that has nodes: an alert needs a 0 to compare with. */
static void node_figures(GString *text, Daemon *daemon, Store *store, const Actor *actor)
{
	Series series = {"drover_nodes", "Nodes, by how they are with the product", "gauge", NULL};
	g_autoptr(GHashTable) products =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(json_t) answer =
		api_call(&daemon->site, store, actor, "GET", "/nodes", NULL, NULL, NULL);
	gsize i;
	json_t *node;
	json_array_foreach (json_object_get(answer, "nodes"), i, node)
		count_node(products, node);
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(products), (GCompareFunc)strcmp);
	for (GList *name = names; name != NULL; name = name->next) {
		const gint64 *counts = g_hash_table_lookup(products, name->data);
		for (gsize state = 0; state < G_N_ELEMENTS(node_states); state++)
			series_line(&series, counts[state], "product=\"%s\",state=\"%s\"",
				(const char *)name->data, node_states[state]);
	}
	series_write(text, &series, 1);
}

/* Changes of all products, so their number says nothing of any. */
static void change_figures(GString *text, Daemon *daemon, Store *store)
{
	Series series = {"drover_changes_waiting", "Changes in the queue, by what they wait for",
		"gauge", NULL};
	g_autoptr(json_t) kinds = change_count_waiting(&daemon->site, store, NULL);
	const char *kind;
	json_t *count;
	json_object_foreach (kinds, kind, count)
		series_add(&series, "kind", kind, json_integer_value(count));
	series_write(text, &series, 1);
}

static void store_figures(GString *text, Daemon *daemon, Store *store, const Actor *actor)
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
	change_figures(text, daemon, store);
	product_figures(text, daemon, store, actor);
	node_figures(text, daemon, store, actor);
}

char *metrics_text(Daemon *daemon, Store *store, const Actor *actor)
{
	GString *text = g_string_new(NULL);
	DAEMON_COUNTERS(DAEMON_COUNTER_FIGURE)
	UPDATE_COUNTERS(UPDATE_COUNTER_FIGURE)
	figure(text, "drover_publications",
		"Publications in memory: the one that answers come from, and those before it that "
		"are still in use",
		"gauge", g_atomic_int_get(&daemon->updates.publications));
	figure(text, "drover_uptime_seconds", "Seconds since this droverd started", "gauge",
		(clock_now_us(CLOCK_SYSTEM) - daemon->started_us) / US_PER_SECOND);
	listener_figures(text, daemon);
	store_figures(text, daemon, store, actor);
	return g_string_free(text, FALSE);
}
