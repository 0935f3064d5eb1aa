/* SPDX-License-Identifier: ISC
 *
 * /metrics in Prometheus' text format. Each figure stands once in the table, with its sentence;
 * those that PyBal has are called as PyBal calls them. A test holds docs/balance.md to it.
 */
#include <string.h>

#include "balance/director/face.h"
#include "balance/director/face_parts.h"

/* What a figure is about, and so its labels. */
typedef enum Level {
	OF_PROGRAM, /* none */
	OF_CHECKS,  /* none; in figures.checks */
	OF_KERNEL,  /* none; in figures.kernel */
	OF_SERVICE, /* service */
	OF_SERVER,  /* service, host */
	OF_MONITOR, /* service, host, monitor */
	OF_FETCH,   /* the same of ProxyFetch alone, and result */
} Level;

typedef struct Metric {
	Level level;
	const char *name, *type, *help;
	const char *field;			 /* of what it is about */
	double (*value)(const json_t *about);	 /* when that is more than a field */
	gboolean (*counts)(const json_t *about); /* how many servers of a service are so */
} Metric;

static gboolean is_any(const json_t *server)
{
	return TRUE;
}

static gboolean is_enabled(const json_t *server)
{
	return face_is(server, "enabled");
}

static gboolean is_pooled(const json_t *server)
{
	return face_is(server, "pooled");
}

static gboolean is_held(const json_t *server)
{
	return face_is(server, "held");
}

static gboolean is_in_maintenance(const json_t *server)
{
	return face_is(server, "maintenance");
}

static gboolean is_reserved(const json_t *server)
{
	return strcmp(face_text(server, "drain"), "reserved") == 0;
}

static gboolean is_draining(const json_t *server)
{
	return strcmp(face_text(server, "drain"), "draining") == 0;
}

static gboolean is_drained(const json_t *server)
{
	return strcmp(face_text(server, "drain"), "drained") == 0;
}

static double threshold_of(const json_t *service)
{
	return g_ascii_strtod(face_text(service, "depool_threshold"), NULL);
}

static double is_announced(const json_t *service)
{
	return strcmp(face_text(service, "route"), "announced") == 0;
}

static double is_set_aside(const json_t *service)
{
	return json_is_object(json_object_get(json_object_get(service, "list"), "set_aside"));
}

static double has_list_problem(const json_t *service)
{
	return json_is_string(json_object_get(json_object_get(service, "list"), "problem"));
}

static double up_of(const json_t *server)
{
	return face_is_up(server);
}

static double took_seconds(const json_t *monitor)
{
	return face_number(monitor, "took_us") / 1e6;
}

static double alerts_of(const json_t *status)
{
	return (double)json_array_size(json_object_get(status, "alerts"));
}

static double last_reconcile_seconds(const json_t *kernel)
{
	return face_number(kernel, "last_reconcile_us") / 1e6;
}

/* clang-format off */
static const Metric metrics[] = {
	{OF_SERVICE, "pybal_service_servers", "gauge", "Servers that the list names", NULL, NULL, is_any},
	{OF_SERVICE, "pybal_service_enabled_servers", "gauge", "Servers that the list enables", NULL, NULL, is_enabled},
	{OF_SERVICE, "pybal_service_up_servers", "gauge", "Servers that are up", NULL, NULL, face_is_up},
	{OF_SERVICE, "pybal_service_pooled_servers", "gauge", "Servers that get new connections", NULL, NULL, is_pooled},
	{OF_SERVICE, "pybal_service_can_depool", "gauge", "1 when the floor holds: a server that fails may leave", "can_depool", NULL, NULL},
	{OF_SERVICE, "pybal_service_could_depool_total", "counter", "Servers that were down and left", "left", NULL, NULL},
	{OF_SERVICE, "pybal_service_could_not_depool_total", "counter", "Servers that were down and had to be kept", "kept", NULL, NULL},
	{OF_SERVICE, "pybal_service_depool_threshold", "gauge", "Part of the servers that has to be able to serve", NULL, threshold_of, NULL},
	{OF_MONITOR, "pybal_monitor_status", "gauge", "1 when the monitor's last result was good", "good", NULL, NULL},
	{OF_MONITOR, "pybal_monitor_up_results_total", "counter", "The monitor's good results", "up_results", NULL, NULL},
	{OF_MONITOR, "pybal_monitor_down_results_total", "counter", "Its other results, maintenance included", "down_results", NULL, NULL},
	{OF_MONITOR, "pybal_monitor_up_transitions_total", "counter", "Good results after others", "up_transitions", NULL, NULL},
	{OF_MONITOR, "pybal_monitor_down_transitions_total", "counter", "Other results after good ones", "down_transitions", NULL, NULL},
	{OF_FETCH, "pybal_monitor_proxyfetch_request_duration_seconds", "gauge", "How long the last check took, by whether it was good", NULL, took_seconds, NULL},

	{OF_SERVICE, "drover_lvs_held_servers", "gauge", "Servers that are down, but kept for the floor", NULL, NULL, is_held},
	{OF_SERVICE, "drover_lvs_maintenance_servers", "gauge", "Servers that say of themselves that they are in maintenance", NULL, NULL, is_in_maintenance},
	{OF_SERVICE, "drover_lvs_reserved_servers", "gauge", "Servers that are reserved for a drain", NULL, NULL, is_reserved},
	{OF_SERVICE, "drover_lvs_draining_servers", "gauge", "Servers that still have connections and get no new ones", NULL, NULL, is_draining},
	{OF_SERVICE, "drover_lvs_drained_servers", "gauge", "Servers that were drained and are empty", NULL, NULL, is_drained},
	{OF_SERVICE, "drover_lvs_needed_servers", "gauge", "Servers that the floor needs", "needed", NULL, NULL},
	{OF_SERVICE, "drover_lvs_counting_servers", "gauge", "Servers that count for the floor", "counting", NULL, NULL},
	{OF_SERVICE, "drover_lvs_can_serve", "gauge", "1 when the service can answer its clients", "can_serve", NULL, NULL},
	{OF_SERVICE, "drover_lvs_route_announced", "gauge", "1 when its route is announced", NULL, is_announced, NULL},
	{OF_SERVICE, "drover_lvs_list_set_aside", "gauge", "1 when a list waits for a person to accept it", NULL, is_set_aside, NULL},
	{OF_SERVICE, "drover_lvs_list_problem", "gauge", "1 when its list cannot be read", NULL, has_list_problem, NULL},
	{OF_SERVER, "drover_lvs_server_up", "gauge", "1 when the server is up", NULL, up_of, NULL},
	{OF_SERVER, "drover_lvs_server_pooled", "gauge", "1 when it gets new connections", "pooled", NULL, NULL},
	{OF_SERVER, "drover_lvs_server_weight", "gauge", "Its weight in the kernel", "current_weight", NULL, NULL},
	{OF_SERVER, "drover_lvs_server_active_connections", "gauge", "Its connections, as the kernel counts them", "active", NULL, NULL},
	{OF_SERVER, "drover_lvs_server_inactive_connections", "gauge", "Its connections that are ending", "inactive", NULL, NULL},

	{OF_CHECKS, "drover_lvs_checks_started_total", "counter", "Checks begun", "started", NULL, NULL},
	{OF_CHECKS, "drover_lvs_checks_up_total", "counter", "Checks that were good", "up", NULL, NULL},
	{OF_CHECKS, "drover_lvs_checks_down_total", "counter", "Checks that were bad", "down", NULL, NULL},
	{OF_CHECKS, "drover_lvs_checks_maintenance_total", "counter", "Checks that met maintenance", "maintenance", NULL, NULL},
	{OF_CHECKS, "drover_lvs_checks_delayed_total", "counter", "Checks that waited because max-checks were under way", "delayed", NULL, NULL},
	{OF_CHECKS, "drover_lvs_checks", "gauge", "Checks that are made again and again", "checks", NULL, NULL},
	{OF_CHECKS, "drover_lvs_check_watchers", "gauge", "Monitors of servers that they serve", "watchers", NULL, NULL},
	{OF_CHECKS, "drover_lvs_check_sockets", "gauge", "Sockets of checks that are open", "sockets", NULL, NULL},
	{OF_CHECKS, "drover_lvs_check_sockets_peak", "gauge", "The most that ever were", "sockets_peak", NULL, NULL},
	{OF_KERNEL, "drover_lvs_reconciles_total", "counter", "Comparisons of the kernel's table with what it should be", "reconciles", NULL, NULL},
	{OF_KERNEL, "drover_lvs_repairs_total", "counter", "Differences found that somebody else had made", "repairs", NULL, NULL},
	{OF_KERNEL, "drover_lvs_kernel_changes_total", "counter", "Changes made to the kernel's table", "changes", NULL, NULL},
	{OF_KERNEL, "drover_lvs_kernel_errors_total", "counter", "Changes that the kernel refused", "errors", NULL, NULL},
	{OF_KERNEL, "drover_lvs_last_reconcile_seconds", "gauge", "How long the last comparison took", NULL, last_reconcile_seconds, NULL},
	{OF_KERNEL, "drover_lvs_kernel_draining", "gauge", "Servers of the kernel's table that drain", "draining", NULL, NULL},
	{OF_PROGRAM, "drover_lvs_alerts", "gauge", "Alerts that are up", NULL, alerts_of, NULL},
	{OF_PROGRAM, "drover_lvs_dry_run", "gauge", "1 when nothing is really done", "dry_run", NULL, NULL},
	{0},
};
/* clang-format on */

static double value_of(const Metric *metric, const json_t *about)
{
	double count = 0;
	gsize index;
	json_t *server;
	if (metric->value != NULL)
		return metric->value(about);
	if (metric->counts == NULL)
		return face_number(about, metric->field);
	json_array_foreach (json_object_get(about, "servers"), index, server)
		count += metric->counts(server);
	return count;
}

static void add_label(GString *labels, const char *name, const char *value)
{
	if (labels->len > 0)
		g_string_append_c(labels, ',');
	g_string_append_printf(labels, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			g_string_append_c(labels, '\\');
		g_string_append_printf(labels, *value == '\n' ? "\\n" : "%c", *value);
	}
	g_string_append_c(labels, '"');
}

static void sample(GString *text, const Metric *metric, const char *labels, const json_t *about)
{
	char number[G_ASCII_DTOSTR_BUF_SIZE];
	g_ascii_formatd(number, sizeof number, "%.15g", value_of(metric, about));
	g_string_append(text, metric->name);
	if (*labels != '\0')
		g_string_append_printf(text, "{%s}", labels);
	g_string_append_printf(text, " %s\n", number);
}

/* A result is `successful` or `failed`; of what was never checked there is none. */
static void sample_fetch(
	GString *text, const Metric *metric, GString *labels, const json_t *monitor)
{
	if (strcmp(face_text(monitor, "name"), "ProxyFetch") != 0 ||
		!json_is_string(json_object_get(monitor, "at")))
		return;
	add_label(labels, "result", face_is(monitor, "good") ? "successful" : "failed");
	sample(text, metric, labels->str, monitor);
}

/* A sample for each entry of `list`, or for what is in them; `labels` is as long after as before.
 */
static void samples_of(
	GString *text, const Metric *metric, GString *labels, const json_t *list, Level level)
{
	static const char *const names[] = {"service", "host", "monitor"};
	static const char *const fields[] = {"name", "host", "name"};
	static const char *const below[] = {"servers", "monitors", NULL};
	const gsize at = level - OF_SERVICE, before = labels->len;
	gsize index;
	json_t *each;
	json_array_foreach ((json_t *)list, index, each) {
		add_label(labels, names[at], face_text(each, fields[at]));
		if (level == OF_MONITOR && metric->level == OF_FETCH)
			sample_fetch(text, metric, labels, each);
		else if (level == metric->level)
			sample(text, metric, labels->str, each);
		else
			samples_of(
				text, metric, labels, json_object_get(each, below[at]), level + 1);
		g_string_truncate(labels, before);
	}
}

char *face_metrics_text(const json_t *status)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GString) labels = g_string_new(NULL);
	const json_t *figures = json_object_get(status, "figures");
	for (const Metric *metric = metrics; metric->name != NULL; metric++) {
		g_string_append_printf(text, "# HELP %s %s.\n# TYPE %s %s\n", metric->name,
			metric->help, metric->name, metric->type);
		if (metric->level == OF_PROGRAM)
			sample(text, metric, "", status);
		else if (metric->level == OF_CHECKS)
			sample(text, metric, "", json_object_get(figures, "checks"));
		else if (metric->level == OF_KERNEL)
			sample(text, metric, "", json_object_get(figures, "kernel"));
		else
			samples_of(text, metric, labels, json_object_get(status, "services"),
				OF_SERVICE);
	}
	return g_string_free(text, FALSE);
}
