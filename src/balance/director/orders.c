/* SPDX-License-Identifier: ISC
 *
 * People and droverd who want to work on servers. The pool says whether that may be; here is who
 * asked, and what becomes of droverd's orders: each is tried once, and what was refused or revoked
 * is not tried again until droverd gives it another id. A drain belongs to who asked for it:
 * droverd does not end what a person at this balancer began. Rules: docs/balance.md, "Drains";
 * docs/pools.md.
 */
#include <string.h>

#include "balance/director/parts.h"
#include "balance/director/settings.h"
#include "base/log.h"

#define DROVERD "droverd"

static Server *find_server(const Service *service, const char *host, GError **error)
{
	Server *server = g_hash_table_lookup(service->servers, host);
	if (server == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND, "%s: no server %s is on its list",
			service->config->name, host);
	return server;
}

void server_set_who(Server *server, const char *who)
{
	char *copy = who != NULL ? g_utf8_make_valid(who, -1) : NULL;
	if (copy != NULL && strlen(copy) > SAVED_MAXIMUM_WHO_BYTES) {
		const char *end = g_utf8_find_prev_char(copy, copy + SAVED_MAXIMUM_WHO_BYTES + 1);
		copy[end - copy] = '\0';
	}
	g_free(server->who);
	server->who = copy;
}

/* Whose drain was taken back should read it, until the server is drained again, or undrained. */
static void alert_revoked(Service *service)
{
	g_autoptr(GPtrArray) drains = g_ptr_array_new_with_free_func(g_free);
	const GPtrArray *servers = pool_servers(service->pool);
	for (guint i = 0; i < servers->len; i++) {
		const Server *server = g_hash_table_lookup(
			service->servers, ((const PoolServer *)servers->pdata[i])->name);
		if (server != NULL && server->revoked_from != NULL)
			g_ptr_array_add(drains,
				g_strdup_printf("%s (of %s)", server->host, server->revoked_from));
	}
	g_autofree char *names = drains->len > 0 ? service_names(drains) : NULL;
	g_autofree char *text =
		names == NULL ? NULL
			      : g_strdup_printf("drained, and taken back because servers failed "
						"and too few were left: %s",
					names);
	service_alert(service, ALERT_REVOKED, text);
}

static void settle_revoked(Server *server)
{
	g_clear_pointer(&server->revoked_from, g_free);
	alert_revoked(server->service);
}

static PoolDrain drain_of(const Server *server)
{
	const PoolServer *known = pool_find(server->service->pool, server->host);
	return known != NULL ? known->drain : POOL_DRAIN_NONE;
}

static void note_drains(Service *service)
{
	service_follow(service);
	service_let_go_of_stayers(service);
	service->pool_changed = service->report_due = TRUE;
	director_report_soon(service->director);
	director_changed(service->director);
	service_keep_drains(service);
}

/* Weight 0 under dh loses the clients that hash to the server. */
static gboolean refuse_scheduler(const Service *service, const Server *server, GError **error)
{
	if (strcmp(settings_scheduler(service->config), "dh") != 0)
		return FALSE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"drain of %s refused: under the scheduler dh a server of weight 0 loses its "
		"clients; "
		"disable it in the server list, or use sh or mh",
		server->host);
	return TRUE;
}

static gboolean ask(
	Server *server, PoolDrain wanted, gboolean forced, const char *who, GError **error)
{
	Service *service = server->service;
	gint64 now_ms = clock_monotonic_ms();
	if (refuse_scheduler(service, server, error))
		return FALSE;
	gboolean done = wanted == POOL_DRAIN_DRAINING
				? pool_drain(service->pool, server->host, forced, now_ms, error)
				: pool_reserve(service->pool, server->host, forced, now_ms, error);
	if (!done)
		return FALSE;
	if (server->who == NULL)
		server_set_who(server, who);
	settle_revoked(server);
	log_event(LOG_LEVEL_INFO, "server.drain", "service", service->config->name, "server",
		server->host, "drain", saved_drain_name(wanted), "who", who, "forced",
		forced ? "yes" : NULL, NULL);
	note_drains(service);
	return TRUE;
}

static void end_drain(Server *server, const char *who)
{
	Service *service = server->service;
	pool_undrain(service->pool, server->host, clock_monotonic_ms());
	server_set_who(server, NULL);
	settle_revoked(server);
	log_event(LOG_LEVEL_INFO, "server.undrain", "service", service->config->name, "server",
		server->host, "who", who, NULL);
	note_drains(service);
}

/* People */

gboolean service_drain(Service *service, const char *host, PoolDrain wanted, gboolean forced,
	const char *who, GError **error)
{
	Server *server = find_server(service, host, error);
	if (server == NULL || !ask(server, wanted, forced, who, error))
		return FALSE;
	service_save(service);
	return TRUE;
}

static void answer(Server *server, OrderAnswer what, const char *why)
{
	server->answer = what;
	g_free(server->answer_why);
	server->answer_why = g_strdup(why);
}

gboolean service_undrain(Service *service, const char *host, const char *who, GError **error)
{
	Server *server = find_server(service, host, error);
	if (server == NULL)
		return FALSE;
	if (g_strcmp0(server->who, DROVERD) == 0) {
		g_autofree char *why = g_strdup_printf("%s took it back at the balancer", who);
		answer(server, ORDER_REVOKED, why);
	}
	end_drain(server, who);
	service_save(service);
	return TRUE;
}

void server_revoked(Server *server)
{
	Service *service = server->service;
	if (g_strcmp0(server->who, DROVERD) == 0) {
		g_autofree char *why =
			g_strdup_printf("the floor broke: of %u servers %" G_GUINT64_FORMAT
					" must be up and not drained",
				pool_servers(service->pool)->len, pool_needed(service->pool));
		answer(server, ORDER_REVOKED, why);
	}
	g_free(server->revoked_from);
	server->revoked_from = g_strdup(server->who != NULL ? server->who : "nobody known");
	alert_revoked(service);
	server_set_who(server, NULL);
	service_keep_drains(service);
}

/* droverd */

static void serve_again(Server *server)
{
	if (drain_of(server) == POOL_DRAIN_NONE)
		return;
	if (g_strcmp0(server->who, DROVERD) == 0) {
		end_drain(server, DROVERD);
	} else if (server->order.id != 0) {
		g_autofree char *why = g_strdup_printf(
			"%s drained it at the balancer, and has to take that back there",
			server->who);
		answer(server, ORDER_REFUSED, why);
	}
}

static void take_order(Server *server, const SourceOrder *order)
{
	server->order = *order;
	answer(server, ORDER_OBEYED, NULL);
	if (order->drain == POOL_DRAIN_NONE) {
		serve_again(server);
		return;
	}
	/* A drain becomes a reservation by way of serving. */
	if (order->drain < drain_of(server) && g_strcmp0(server->who, DROVERD) == 0)
		end_drain(server, DROVERD);
	g_autoptr(GError) error = NULL;
	if (ask(server, order->drain, order->forced, DROVERD, &error))
		return;
	answer(server, ORDER_REFUSED, error->message);
	log_event(LOG_LEVEL_WARNING, "order.refused", "service", server->service->config->name,
		"server", server->host, "why", error->message, NULL);
}

static void keep_answers(Service *service)
{
	service_keep_drains(service);
	service_save(service);
}

void service_take_orders(Service *service, const ServerList *list, const SourceOrder *orders)
{
	gboolean any = FALSE;
	for (guint i = 0; i < list->entries->len; i++) {
		const PoolEntry *entry = &g_array_index(list->entries, PoolEntry, i);
		Server *server = g_hash_table_lookup(service->servers, entry->name);
		if (server == NULL)
			continue;
		gboolean is_new = server->order.id != orders[i].id;
		server->later = orders[i];
		server->has_later = is_new && !service->said;
		if (!is_new || server->has_later)
			continue;
		take_order(server, &orders[i]);
		any = TRUE;
	}
	if (any)
		keep_answers(service);
}

void service_take_later_orders(Service *service)
{
	gboolean any = FALSE;
	const GPtrArray *servers = pool_servers(service->pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *known = servers->pdata[i];
		Server *server = g_hash_table_lookup(service->servers, known->name);
		if (!server->has_later)
			continue;
		server->has_later = FALSE;
		take_order(server, &server->later);
		any = TRUE;
	}
	if (any)
		keep_answers(service);
}
