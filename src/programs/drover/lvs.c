/* SPDX-License-Identifier: ISC
 *
 * drover lvs: what the balancer on this host sees, and a hand on its pools. Talks to drover-lvs
 * through its control socket, never to the store.
 */
#include <string.h>

#include "balance/director/control.h"
#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"
#include "programs/terminal/table.h"

static json_t *ask(Invocation *invocation, json_t *request, GError **error)
{
	const char *path = invocation_option(invocation, "socket");
	return control_call(path != NULL ? path : CONTROL_SOCKET, request, error);
}

/* "12 min" between two times of one status; "-" when either is not there. Caller frees. */
static char *age_of(const json_t *about, const char *field, const json_t *status)
{
	const char *then = json_text(about, field), *now = json_text(status, "now");
	gint64 then_us = 0, now_us = 0;
	if (then == NULL || now == NULL || !parse_time(then, &then_us, NULL) ||
		!parse_time(now, &now_us, NULL))
		return g_strdup("-");
	return format_duration(MAX(now_us - then_us, 0) / US_PER_SECOND);
}

static const char *health_of(const json_t *server, Style *style)
{
	*style = STYLE_WAITING;
	if (!show_is_true(server, "ready"))
		return "no address";
	if (show_is_true(server, "maintenance"))
		return "maintenance";
	*style = show_is_true(server, "up") ? STYLE_GOOD : STYLE_BAD;
	if (!show_is_true(server, "up"))
		return "down";
	return show_is_true(server, "checked") ? "up" : "unchecked";
}

static char *state_of(const json_t *server, Style *style)
{
	const char *drain = json_text(server, "drain");
	const char *health = health_of(server, style);
	const char *place = show_is_true(server, "held")     ? "held"
			    : show_is_true(server, "pooled") ? "pooled"
							     : "not pooled";
	gboolean drains = drain != NULL && strcmp(drain, "none") != 0;
	if (!show_is_true(server, "enabled"))
		*style = STYLE_DIM;
	return g_strdup_printf("%s%s, %s%s%s", show_is_true(server, "enabled") ? "" : "disabled, ",
		health, place, drains ? ", " : "", drains ? drain : "");
}

static char *weight_of(const json_t *server)
{
	json_int_t listed = json_integer_of(server, "weight");
	json_int_t now = json_integer_of(server, "current_weight");
	if (now == listed || !show_is_true(server, "pooled"))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, listed);
	return g_strdup_printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT, now, listed);
}

static void show_servers(const Screen *screen, const json_t *service, const json_t *status)
{
	static const char *const headings[] = {
		"SERVER", "STATE", "SINCE", "CHECKED", "WEIGHT", "CONNECTIONS", "WHY"};
	static const TableAlign aligns[] = {TABLE_LEFT, TABLE_LEFT, TABLE_RIGHT, TABLE_RIGHT,
		TABLE_RIGHT, TABLE_RIGHT, TABLE_ELASTIC};
	g_autoptr(Table) table = table_new();
	gsize index;
	json_t *server;
	for (gsize i = 0; i < G_N_ELEMENTS(headings); i++)
		table_column(table, headings[i], aligns[i]);
	json_array_foreach (json_object_get(service, "servers"), index, server) {
		Style style = STYLE_PLAIN;
		g_autofree char *state = state_of(server, &style);
		g_autofree char *since = age_of(server, "since", status);
		g_autofree char *checked = age_of(server, "last_check", status);
		g_autofree char *weight = weight_of(server);
		g_autofree char *connections = g_strdup_printf("%" G_GINT64_FORMAT
							       "+%" G_GINT64_FORMAT,
			json_integer_of(server, "active"), json_integer_of(server, "inactive"));
		table_cell(table, STYLE_PLAIN, json_text(server, "host"));
		table_cell(table, style, state);
		table_cell(table, STYLE_PLAIN, since);
		table_cell(table, STYLE_PLAIN, checked);
		table_cell(table, STYLE_PLAIN, weight);
		table_cell(table, STYLE_PLAIN, connections);
		table_cell(table, STYLE_DIM, json_text(server, "why"));
	}
	if (table_rows(table) > 0)
		table_show(table, screen, 2);
}

static guint count_up(const json_t *service)
{
	guint up = 0;
	gsize index;
	json_t *server;
	json_array_foreach (json_object_get(service, "servers"), index, server)
		up += show_is_true(server, "up") && show_is_true(server, "ready");
	return up;
}

static void show_headline(const Screen *screen, const json_t *service)
{
	const char *address = show_text(service, "address");
	gboolean six = strchr(address, ':') != NULL, can = show_is_true(service, "can_depool");
	screen_part(screen, STYLE_STRONG, "%s", show_text(service, "name"));
	screen_line(screen, "  %s %s%s%s:%" G_GINT64_FORMAT ", %s", show_text(service, "protocol"),
		six ? "[" : "", address, six ? "]" : "", json_integer_of(service, "port"),
		show_text(service, "scheduler"));
	screen_part(screen, STYLE_PLAIN,
		"  %u of %zu servers are up; the floor needs %" G_GINT64_FORMAT
		" (threshold %s) and has %" G_GINT64_FORMAT ": ",
		count_up(service), json_array_size(json_object_get(service, "servers")),
		json_integer_of(service, "needed"), show_text(service, "depool_threshold"),
		json_integer_of(service, "counting"));
	screen_part(screen, can ? STYLE_GOOD : STYLE_BAD, "%s", can ? "it holds" : "it is broken");
	screen_line(screen, "; route %s%s", show_text(service, "route"),
		show_is_true(service, "can_serve") ? "" : "; it cannot serve");
}

static void show_list(const Screen *screen, const json_t *service, const json_t *status)
{
	const json_t *list = json_object_get(service, "list");
	const json_t *aside = json_object_get(list, "set_aside");
	g_autofree char *read = age_of(list, "read", status);
	screen_line(screen, "  list %s, read %s%s", show_text(list, "url"),
		json_text(list, "read") != NULL ? read : "never",
		json_text(list, "read") != NULL ? " ago" : "");
	if (!json_is_object(aside))
		return;
	screen_part(screen, STYLE_BAD, "  ! ");
	screen_line(screen, "a list of %" G_GINT64_FORMAT " servers was set aside: %s",
		json_integer_of(aside, "servers"), show_text(aside, "why"));
	screen_line(screen, "    drover lvs accept %s obeys it", show_text(service, "name"));
}

static void show_alerts(const Screen *screen, const json_t *status)
{
	gsize index;
	json_t *alert;
	json_array_foreach (json_object_get(status, "alerts"), index, alert) {
		const char *service = json_text(alert, "service");
		g_autofree char *since = age_of(alert, "since", status);
		screen_part(screen, STYLE_BAD, "! ");
		screen_line(screen, "%s%s%s (%s)", service != NULL ? service : "",
			service != NULL ? ": " : "", show_text(alert, "text"), since);
	}
	if (json_array_size(json_object_get(status, "alerts")) > 0)
		screen_line(screen, "%s", "");
}

static void show_status(const Screen *screen, const json_t *status, const char *only)
{
	gsize index;
	json_t *service;
	g_autofree char *age = age_of(status, "started", status);
	if (show_is_true(status, "dry_run"))
		screen_line(screen, "This is a dry run: nothing is done to the kernel.");
	show_alerts(screen, status);
	json_array_foreach (json_object_get(status, "services"), index, service) {
		if (only != NULL && strcmp(show_text(service, "name"), only) != 0)
			continue;
		show_headline(screen, service);
		show_list(screen, service, status);
		show_servers(screen, service, status);
		screen_line(screen, "%s", "");
	}
	screen_line(screen, "drover-lvs %s, running for %s with %s", show_text(status, "version"),
		age, show_text(status, "configuration"));
}

static gboolean knows_service(const json_t *status, const char *name, GError **error)
{
	gsize index;
	json_t *service;
	json_array_foreach (json_object_get(status, "services"), index, service)
		if (strcmp(show_text(service, "name"), name) == 0)
			return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"no service is called %s; drover lvs status lists them", name);
	return FALSE;
}

static gboolean run_status(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *only = invocation_argument(invocation, 0);
	g_autoptr(json_t) status = ask(invocation, body_of("command", "status", NULL), error);
	if (status == NULL || (only != NULL && !knows_service(status, only, error)))
		return FALSE;
	if (screen->json)
		screen_json(screen, status);
	else
		show_status(screen, status, only);
	return TRUE;
}

/* Asks for `command`, with what the arguments name; says `done` when it was done. */
static gboolean steer(Invocation *invocation, const char *command, const char *done, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	json_t *request = body_of("command", command, "service", invocation_argument(invocation, 0),
		"server", invocation_argument(invocation, 1), NULL);
	if (invocation_has(invocation, "force"))
		json_object_set_new(request, "force", json_true());
	g_autoptr(json_t) answer = ask(invocation, request, error);
	if (answer == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, answer);
	else
		screen_done(screen, "%s", done);
	return TRUE;
}

static gboolean run_accept(Invocation *invocation, GError **error)
{
	g_autofree char *done = g_strdup_printf(
		"The list of %s that was set aside is obeyed.", invocation_argument(invocation, 0));
	return steer(invocation, "accept", done, error);
}

static gboolean run_drain(Invocation *invocation, GError **error)
{
	g_autofree char *done = g_strdup_printf(
		"%s of %s gets no new connections; drover lvs status shows when the last has gone.",
		invocation_argument(invocation, 1), invocation_argument(invocation, 0));
	return steer(invocation, "drain", done, error);
}

static gboolean run_undrain(Invocation *invocation, GError **error)
{
	g_autofree char *done = g_strdup_printf("The drain of %s of %s has ended.",
		invocation_argument(invocation, 1), invocation_argument(invocation, 0));
	return steer(invocation, "undrain", done, error);
}

static gboolean run_reload(Invocation *invocation, GError **error)
{
	return steer(invocation, "reload", "The configuration was read again.", error);
}

#define SOCKET_OPTION                                                                              \
	{                                                                                          \
		"socket", "PATH", "The balancer's control socket (" CONTROL_SOCKET ")"             \
	}

static const Option socket_options[] = {SOCKET_OPTION, {0}};

static const Option drain_options[] = {
	{"force", NULL, "Also when too few servers would be left, and for as long as it takes"},
	SOCKET_OPTION,
	{0},
};

const Command lvs_commands[] = {
	{"lvs status", "[SERVICE]", 0, 1, "Shows services and servers as the balancer sees them",
		run_status, socket_options,
		"For each server: its state, since when, how long ago it was checked, its weight, "
		"its\n"
		"active and inactive connections, and what the last check said.",
		"drover lvs status\ndrover lvs status web --json", "3,5", "lvs drain, lvs accept"},
	{"lvs accept", "SERVICE", 1, 1, "Obeys a server list that the list guard has set aside",
		run_accept, socket_options,
		"The guard sets a list aside that would leave too few healthy servers. Look at\n"
		"drover lvs status first: it says what the list would take away.",
		"drover lvs accept web", "3,4,5", "lvs status"},
	{"lvs drain", "SERVICE SERVER", 2, 2, "Takes a server out of a pool without cutting anyone",
		run_drain, drain_options,
		"It gets no new connections, and stays out until it is undrained. Refused when "
		"too\n"
		"few servers would be left, unless it is forced. It outlasts a restart.",
		"drover lvs drain web web1.example.org", "3,4,5", "lvs undrain, lvs status"},
	{"lvs undrain", "SERVICE SERVER", 2, 2, "Ends a drain", run_undrain, socket_options, NULL,
		"drover lvs undrain web web1.example.org", "3,4,5", "lvs drain"},
	{"lvs reload", "", 0, 0, "Reads the configuration again, and says what is wrong with it",
		run_reload, socket_options,
		"As SIGHUP does, which says it in the log alone. With errors nothing changes.",
		"drover lvs reload", "2,5", "lvs status"},
	{0},
};
