/* SPDX-License-Identifier: ISC
 *
 * What droverd is told about a service: docs/pools.md, without what the source adds (`now`,
 * `started`, `sequence`).
 */
#include "balance/director/parts.h"
#include "base/format.h"

json_t *report_time(gint64 time_us)
{
	if (time_us == 0)
		return json_null();
	g_autofree char *text = format_time(time_us);
	return json_string(text);
}

json_t *server_address_json(const Server *server)
{
	if (server->address.family == 0)
		return json_null();
	char text[ADDRESS_TEXT_BYTES];
	address_text(&server->address, text);
	return json_string(text);
}

/* The newest result; a bad one goes before good ones. */
static const Watch *speaking_watch(const Server *server)
{
	const Watch *speaking = NULL;
	for (guint i = 0; i < server->watches->len; i++) {
		const Watch *watch = server->watches->pdata[i];
		if (watch->at_us == 0)
			continue;
		if (speaking == NULL || (speaking->good && !watch->good) ||
			(speaking->good == watch->good && watch->at_us > speaking->at_us))
			speaking = watch;
	}
	return speaking;
}

json_t *server_why_json(const Server *server)
{
	const Watch *watch = speaking_watch(server);
	if (watch == NULL)
		return server->unresolved != NULL ? json_string(server->unresolved) : json_null();
	g_autofree char *why =
		g_strdup_printf("%s: %s", config_monitor_names()[watch->monitor], watch->why);
	return json_string(why);
}

static gint64 last_check_us(const Server *server)
{
	gint64 last_us = 0;
	for (guint i = 0; i < server->watches->len; i++)
		last_us = MAX(last_us, ((const Watch *)server->watches->pdata[i])->at_us);
	return last_us;
}

json_t *server_last_check_json(const Server *server)
{
	return report_time(last_check_us(server));
}

static const char *answer_of(const Server *server, const PoolServer *known)
{
	if (server->order.id != 0 && server->answer == ORDER_REFUSED)
		return "refused";
	if (server->order.id != 0 && server->answer == ORDER_REVOKED)
		return "revoked";
	switch (known->drain) {
	case POOL_DRAIN_NONE:
		return "serving";
	case POOL_DRAIN_RESERVED:
		return "reserved";
	case POOL_DRAIN_DRAINING:
		return server_is_drained(server) ? "drained" : "working";
	}
	g_assert_not_reached();
}

static json_t *report_server(const Server *server, const PoolServer *known)
{
	const Service *service = server->service;
	guint active = 0, inactive = 0;
	if (server->address.family != 0)
		keeper_connections(service->director->keeper, &service->key, &server->address,
			&active, &inactive);
	return json_pack("{s:s, s:o, s:s, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:I, "
			 "s:s, s:s?}",
		"host", server->host, "address", server_address_json(server), "state",
		server_state_name(server->state), "pooled", known->pooled, "held", known->held,
		"enabled", known->enabled, "weight", (int)known->weight, "current_weight",
		known->pooled ? (int)known->ordered_weight : 0, "active", (int)active, "inactive",
		(int)inactive, "since", report_time(server->since_us), "checked",
		server_last_check_json(server), "why", server_why_json(server), "order_id",
		(json_int_t)server->order.id, "answer", answer_of(server, known), "answer_why",
		server->answer_why);
}

json_t *service_report(Service *service)
{
	json_t *servers = json_array();
	const GPtrArray *pool = pool_servers(service->pool);
	for (guint i = 0; i < pool->len; i++) {
		const PoolServer *known = pool->pdata[i];
		json_array_append_new(servers,
			report_server(g_hash_table_lookup(service->servers, known->name), known));
	}
	return json_pack("{s:I, s:I, s:b, s:b, s:o, s:o}", "version", (json_int_t)service->version,
		"epoch", (json_int_t)service->epoch, "can_serve", pool_able(service->pool) > 0,
		"can_depool", pool_can_depool(service->pool), "alerts",
		alerts_texts(service->director->alerts, service->config->name), "servers", servers);
}
