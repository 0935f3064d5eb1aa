/* SPDX-License-Identifier: ISC
 *
 * What a service keeps on disk, and what a start makes of it. Rule: docs/balance.md, "What is kept
 * on disk".
 */
#include "balance/director/parts.h"
#include "base/log.h"

/* Starting */

static void index_saved(Service *service)
{
	Saved *saved = service->saved;
	for (guint i = 0; i < saved->servers->len; i++) {
		SavedServer *server = &g_array_index(saved->servers, SavedServer, i);
		if (server->address.family == service->key.address.family)
			g_hash_table_insert(
				service->saved_addresses, server->host, &server->address);
	}
	for (guint i = 0; i < saved->drains->len; i++) {
		SavedDrain *drain = &g_array_index(saved->drains, SavedDrain, i);
		g_hash_table_insert(service->saved_drains, drain->host, drain);
	}
}

void service_read_saved(Service *service)
{
	const char *folder = service->director->state_folder, *name = service->config->name;
	service->saved = saved_new();
	gboolean found;
	g_autoptr(GError) error = NULL, other = NULL;
	gboolean ok = saved_read_list(service->saved, folder, name, &found, &error);
	ok = saved_read_drains(service->saved, folder, name, &other) && ok;
	service->saved_empty = found && service->saved->servers->len == 0;
	if (!ok) {
		g_autofree char *text =
			g_strdup_printf("what was kept on disk is damaged, and not used: %s%s%s",
				error != NULL ? error->message : "",
				error != NULL && other != NULL ? "; " : "",
				other != NULL ? other->message : "");
		service_alert(service, ALERT_STATE, text);
	}
	index_saved(service);
}

gint64 service_saved_epoch(const Service *service)
{
	g_autoptr(Saved) saved = saved_new();
	const ConfigService *config = service->config;
	gboolean ours =
		saved_read_drains(saved, service->director->state_folder, config->name, NULL) &&
		g_strcmp0(saved->url, config->config) == 0;
	return ours ? saved->epoch : 0;
}

void service_restore(Server *server, PoolEntry *entry)
{
	Service *service = server->service;
	const Address *address = g_hash_table_lookup(service->saved_addresses, server->host);
	if (address != NULL && server->address.family == 0)
		server_give_address(server, address);
	const SavedDrain *drain = g_hash_table_lookup(service->saved_drains, server->host);
	if (drain == NULL)
		return;
	entry->drain = drain->drain;
	entry->forced = drain->forced;
	server->order = drain->order;
	server->answer = drain->answer;
	server->answer_why = g_strdup(drain->why);
	server_set_who(server, drain->who);
	g_hash_table_remove(service->saved_drains, server->host);
}

void service_forget_saved(Service *service)
{
	g_hash_table_remove_all(service->saved_addresses);
	g_hash_table_remove_all(service->saved_drains);
	service->saved_empty = FALSE;
	g_clear_pointer(&service->saved, saved_free);
}

/* Keeping */

void service_keep_list(Service *service)
{
	service->list_unsaved = TRUE;
	director_save_soon(service->director);
}

void service_keep_drains(Service *service)
{
	service->drains_unsaved = TRUE;
	director_save_soon(service->director);
}

static void add_to_saved(Saved *saved, const PoolServer *known, const Server *server)
{
	saved_add_server(saved, known->name, known->enabled, known->weight, &server->address);
	if (known->drain == POOL_DRAIN_NONE && server->order.id == 0)
		return;
	saved_add_drain(saved, &(SavedDrain){.host = known->name,
				       .drain = known->drain,
				       .forced = known->forced,
				       .who = known->drain != POOL_DRAIN_NONE && server->who == NULL
						      ? "nobody known"
						      : server->who,
				       .order = server->order,
				       .answer = server->answer,
				       .why = server->answer_why});
}

/* Drains of servers that have not been on a list since the start are kept. */
static void add_unused_drains(Saved *saved, const Service *service)
{
	GHashTableIter each;
	gpointer drain;
	g_hash_table_iter_init(&each, service->saved_drains);
	while (g_hash_table_iter_next(&each, NULL, &drain))
		saved_add_drain(saved, drain);
}

static Saved *what_to_save(const Service *service)
{
	Saved *saved = saved_new();
	saved->url = g_strdup(service->config->config);
	saved->epoch = service->epoch;
	const GPtrArray *servers = pool_servers(service->pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *known = servers->pdata[i];
		add_to_saved(saved, known, g_hash_table_lookup(service->servers, known->name));
	}
	if (!service->has_list)
		add_unused_drains(saved, service);
	return saved;
}

gboolean service_save(Service *service)
{
	/* A list with bad lines skipped is not a good one. */
	gboolean list = service->list_unsaved && service->has_good;
	if (!list && !service->drains_unsaved)
		return FALSE;
	const char *folder = service->director->state_folder, *name = service->config->name;
	g_autoptr(Saved) saved = what_to_save(service);
	g_autoptr(GError) error = NULL;
	if (service->drains_unsaved && saved_write_drains(saved, folder, name, &error))
		service->drains_unsaved = FALSE;
	if (error == NULL && list && saved_write_list(saved, folder, name, &error))
		service->list_unsaved = FALSE;
	service_alert(service, ALERT_STATE, error != NULL ? error->message : NULL);
	return error == NULL;
}
