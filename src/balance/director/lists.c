/* SPDX-License-Identifier: ISC
 *
 * Server lists: which is obeyed, which is set aside, and what obeying means. The decision is the
 * guard's (balance/guard.h). Rule: docs/balance.md, "Which list is obeyed".
 */
#include "balance/director/parts.h"
#include "balance/guard.h"
#include "base/log.h"

static AlertKind alert_of_list(const Service *service)
{
	return service_from_drover(service) ? ALERT_DROVER : ALERT_LIST;
}

/* Obeying */

static Server *know_server(Service *service, PoolEntry *entry)
{
	Server *server = server_new(service, entry->name);
	g_hash_table_insert(service->servers, server->host, server);
	Address address = server_literal_address(server->host, service->key.address.family);
	if (address.family != 0)
		server_give_address(server, &address);
	service_restore(server, entry);
	entry->ready = server->address.family != 0;
	return server;
}

static void begin_servers(const GPtrArray *fresh)
{
	for (guint i = 0; i < fresh->len; i++) {
		Server *server = fresh->pdata[i];
		server_begin(server);
		server_watch(server, NULL);
		server_tell_kernel(server);
		server_note_state(server);
	}
}

static gboolean is_unlisted(gpointer host, gpointer server, gpointer pool)
{
	return pool_find(pool, host) == NULL;
}

/* What the kernel still drains of servers that are off the list, it lets go of by itself. */
static void forget_unlisted(Service *service)
{
	GHashTableIter each;
	gpointer server;
	g_hash_table_iter_init(&each, service->servers);
	while (g_hash_table_iter_next(&each, NULL, &server)) {
		if (!is_unlisted(((Server *)server)->host, server, service->pool))
			continue;
		service->drains_unsaved |= ((Server *)server)->who != NULL;
		g_hash_table_iter_remove(&each);
	}
}

static void obey(Service *service, const GArray *list)
{
	gsize count = list->len;
	g_autofree PoolEntry *entries = g_memdup2(list->data, count * sizeof(PoolEntry));
	g_autoptr(GPtrArray) fresh = g_ptr_array_new();
	for (gsize i = 0; i < count; i++)
		if (!g_hash_table_contains(service->servers, entries[i].name))
			g_ptr_array_add(fresh, know_server(service, &entries[i]));
	service->has_list = TRUE;
	pool_update(service->pool, entries, count, clock_monotonic_ms());
	service_follow(service);
	service_let_go_of_stayers(service);
	forget_unlisted(service);
	begin_servers(fresh);
	service_settle_addresses(service);
	service->pool_changed = service->report_due = TRUE;
	director_report_soon(service->director);
	service_consider_saying(service);
}

static void obey_good(Service *service, const GArray *list)
{
	obey(service, list);
	service->has_good = TRUE;
	service_keep_list(service);
}

/* Setting aside */

static void forget_set_aside(Service *service)
{
	g_clear_pointer(&service->set_aside, g_array_unref);
	g_clear_pointer(&service->set_aside_why, g_free);
	service_alert(service, ALERT_SET_ASIDE, NULL);
}

static void set_aside(Service *service, const ServerList *list, const char *why)
{
	forget_set_aside(service);
	service->set_aside = g_array_ref(list->entries);
	service->set_aside_bad = list->bad > 0;
	service->set_aside_why = g_strdup(why);
	service->set_aside_us = director_now_us(service->director);
	service_alert(service, ALERT_SET_ASIDE, why);
}

gboolean service_accept(Service *service, const char *who, GError **error)
{
	if (service->set_aside == NULL) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s: no list is set aside, there is nothing to accept",
			service->config->name);
		return FALSE;
	}
	if (service->set_aside_bad) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s: the list that is set aside has bad lines; correct it first",
			service->config->name);
		return FALSE;
	}
	log_event(LOG_LEVEL_WARNING, "list.accepted", "service", service->config->name, "who", who,
		"why-set-aside", service->set_aside_why, NULL);
	g_autoptr(GArray) list = g_steal_pointer(&service->set_aside);
	forget_set_aside(service);
	obey_good(service, list);
	service_forget_saved(service);
	service_alert(service, alert_of_list(service), NULL);
	service_save(service);
	/* For the orders that came with it. */
	if (service_from_drover(service))
		source_refresh(service->source);
	return TRUE;
}

/* News */

static void set_problem(Service *service, const char *problem)
{
	g_free(service->problem);
	service->problem = g_strdup(problem);
	service_alert(service, alert_of_list(service), problem);
}

static void log_obeyed(const Service *service, const ServerList *list)
{
	g_autofree char *servers = g_strdup_printf("%u", list->entries->len);
	log_event(LOG_LEVEL_INFO, "list.obeyed", "service", service->config->name, "servers",
		servers, NULL);
}

static void decide(Service *service, const ServerList *list, gboolean forced)
{
	const GuardPolicy policy = {
		.list_guard = service->config->list_guard,
		/* One that was accepted stays so, also over a restart. */
		.allow_empty = service->config->allow_empty || service->saved_empty ||
			       (service->has_list && pool_servers(service->pool)->len == 0),
		.have_last = service->has_good,
		.forced = forced,
	};
	g_autofree char *why = NULL;
	switch (guard_decide(service->pool, list, &policy, &why)) {
	case GUARD_OBEY:
		forget_set_aside(service);
		set_problem(service, NULL);
		obey_good(service, list->entries);
		service_forget_saved(service);
		log_obeyed(service, list);
		return;
	case GUARD_OBEY_GOOD_LINES:
		forget_set_aside(service);
		set_problem(service, why);
		obey(service, list->entries);
		service_forget_saved(service);
		log_obeyed(service, list);
		return;
	case GUARD_KEEP_LAST:
		if (list->bad > 0) {
			set_problem(service, why);
			return;
		}
		set_problem(service, NULL);
		set_aside(service, list, why);
		return;
	case GUARD_SET_ASIDE:
		set_problem(service, NULL);
		set_aside(service, list, why);
		return;
	}
	g_assert_not_reached();
}

static void tell_unreadable(Service *service, const char *problem)
{
	g_autofree char *text = g_strdup_printf("%s; %s", problem,
		service->has_list ? "the last good list stays"
				  : "there is no older list: the kernel's table stays as it is");
	set_problem(service, text);
}

void service_take_news(const SourceNews *news, gpointer of)
{
	Service *service = of;
	if (news->list != NULL) {
		service->read_us = director_now_us(service->director);
		service->version = news->version;
		if (news->epoch != service->epoch)
			service_keep_drains(service);
		service->epoch = news->epoch;
		decide(service, news->list, news->forced);
		if (news->orders != NULL)
			service_take_orders(service, news->list, news->orders);
	}
	/* droverd's token may be refused while its last list stands. */
	if (news->problem != NULL)
		tell_unreadable(service, news->problem);
	service->report_due = TRUE;
	director_report_soon(service->director);
	director_changed(service->director);
}

/* The list of before is obeyed at once: no need to wait for who hands out lists. */
void service_begin_lists(Service *service)
{
	service_read_saved(service);
	if (service->saved == NULL || service->saved->servers->len == 0)
		return;
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(PoolEntry));
	for (guint i = 0; i < service->saved->servers->len; i++) {
		const SavedServer *server = &g_array_index(service->saved->servers, SavedServer, i);
		g_array_append_val(list, server->entry);
	}
	obey(service, list);
	service->has_good = TRUE;
	log_event(LOG_LEVEL_INFO, "list.saved-one-obeyed", "service", service->config->name, NULL);
}
