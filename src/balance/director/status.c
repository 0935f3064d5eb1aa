/* SPDX-License-Identifier: ISC
 *
 * Everything that the program knows, as JSON: the shape stands in director.h.
 */
#include <string.h>

#include "balance/director/parts.h"
#include "balance/director/settings.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *status_watch(const Watch *watch, const PoolTally *tally)
{
	static const char *const verdicts[] = {
		[POOL_UNCHECKED] = "unchecked",
		[POOL_PASSING] = "passing",
		[POOL_FAILING] = "failing",
		[POOL_MAINTENANCE] = "maintenance",
	};
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "name",
		config_monitor_names()[watch->monitor], "verdict", verdicts[tally->verdict], "good",
		watch->good, "at", report_time(watch->at_us), "why", text_or_null(watch->why),
		"took_us", (json_int_t)watch->took_us, "up_results", (json_int_t)watch->up_results,
		"down_results", (json_int_t)watch->down_results, "up_transitions",
		(json_int_t)watch->up_transitions, "down_transitions",
		(json_int_t)watch->down_transitions);
}

static const char *status_drain(const Server *server, const PoolServer *known)
{
	if (known->drain == POOL_DRAIN_DRAINING && server_is_drained(server))
		return "drained";
	return saved_drain_name(known->drain);
}

static json_t *status_server(const Server *server, const PoolServer *known)
{
	const Service *service = server->service;
	guint active = 0, inactive = 0;
	if (server->address.family != 0)
		keeper_connections(service->director->keeper, &service->key, &server->address,
			&active, &inactive);
	json_t *monitors = json_array();
	for (guint i = 0; i < server->watches->len; i++)
		json_array_append_new(
			monitors, status_watch(server->watches->pdata[i], &known->tallies[i]));
	return json_pack("{s:s, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:s, s:s?, s:i, s:i, s:s, "
			 "s:o, s:o, s:o, s:i, s:i, s:o}",
		"host", server->host, "address", server_address_json(server), "enabled",
		known->enabled, "ready", known->ready, "up", pool_server_is_up(known),
		"maintenance", known->maintenance, "checked", known->checked, "pooled",
		known->pooled, "held", known->held, "drain", status_drain(server, known), "who",
		server->who, "weight", (int)known->weight, "current_weight",
		known->pooled ? (int)known->ordered_weight : 0, "state",
		server_state_name(server->state), "since", report_time(server->since_us),
		"last_check", server_last_check_json(server), "why", server_why_json(server),
		"active", (int)active, "inactive", (int)inactive, "monitors", monitors);
}

static json_t *status_list(const Service *service)
{
	json_t *set_aside = json_null();
	if (service->set_aside != NULL)
		set_aside = json_pack("{s:o, s:s, s:i}", "since",
			report_time(service->set_aside_us), "why", service->set_aside_why,
			"servers", (int)service->set_aside->len);
	return json_pack("{s:s, s:o, s:s?, s:o, s:I}", "url", service->config->config, "read",
		report_time(service->read_us), "problem", service->problem, "set_aside", set_aside,
		"version", (json_int_t)service->version);
}

static const char *status_route(const Service *service)
{
	if (!service_has_bgp(service))
		return "off";
	return routes_is_announced(service->director->routes, &service->key.address) ? "announced"
										     : "withdrawn";
}

static const char *word_of(const char *key, gint64 number)
{
	return config_find_key(CONFIG_SCOPE_SERVICE, key)->words[number];
}

/* 0.5 as PyBal's users write it. */
static char *threshold_as_written(Threshold threshold)
{
	g_autofree char *text = threshold_text(threshold);
	return g_strdup(g_str_has_prefix(text, "0.") ? text + 1 : text);
}

static json_t *status_service(const Service *service)
{
	const ConfigService *config = service->config;
	json_t *servers = json_array();
	const GPtrArray *pool = pool_servers(service->pool);
	for (guint i = 0; i < pool->len; i++) {
		const PoolServer *known = pool->pdata[i];
		json_array_append_new(servers,
			status_server(g_hash_table_lookup(service->servers, known->name), known));
	}
	char address[ADDRESS_TEXT_BYTES];
	address_text(&service->key.address, address);
	g_autofree char *threshold = threshold_as_written(config->depool_threshold);
	return json_pack(
		"{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:s, s:I, s:i, s:I, s:I, s:b, s:o, "
		"s:o}",
		"name", config->name, "protocol", word_of("protocol", config->protocol), "address",
		address, "port", (int)config->port, "scheduler", settings_scheduler(config),
		"forward", word_of("forward", config->forward), "depool_threshold", threshold,
		"can_depool", pool_can_depool(service->pool), "can_serve",
		pool_able(service->pool) > 0, "route", status_route(service), "needed",
		(json_int_t)pool_needed(service->pool), "counting",
		(int)pool_counting(service->pool), "left", (json_int_t)service->left, "kept",
		(json_int_t)service->kept, "begun", service->said, "list", status_list(service),
		"servers", servers);
}

static json_t *status_figures(const Director *director)
{
	ChecksFigures checks;
	KeeperFigures kernel;
	checks_figures(director->checks, &checks);
	keeper_figures(director->keeper, &kernel);
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, "
			 "s:I, s:I}}",
		"checks", "started", (json_int_t)checks.started, "up", (json_int_t)checks.up,
		"down", (json_int_t)checks.down, "maintenance", (json_int_t)checks.maintenance,
		"delayed", (json_int_t)checks.delayed, "sockets", (json_int_t)checks.sockets,
		"sockets_peak", (json_int_t)checks.sockets_peak, "checks",
		(json_int_t)checks.checks, "watchers", (json_int_t)checks.watchers, "kernel",
		"reconciles", (json_int_t)kernel.reconciles, "repairs", (json_int_t)kernel.repairs,
		"changes", (json_int_t)kernel.changes, "errors", (json_int_t)kernel.errors,
		"last_reconcile_us", (json_int_t)kernel.last_reconcile_us, "draining",
		(json_int_t)kernel.draining);
}

json_t *director_make_status(Director *director)
{
	json_t *services = json_array();
	for (guint i = 0; i < director->services->len; i++)
		json_array_append_new(services, status_service(director->services->pdata[i]));
	return json_pack("{s:s, s:o, s:o, s:b, s:s, s:o, s:o, s:o}", "version", DROVER_VERSION,
		"started", report_time(director->started_us), "now",
		report_time(director_now_us(director)), "dry_run", director->dry_run,
		"configuration", director->config_path, "alerts", alerts_json(director->alerts),
		"services", services, "figures", status_figures(director));
}
