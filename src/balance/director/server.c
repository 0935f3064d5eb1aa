/* SPDX-License-Identifier: ISC
 *
 * One server of a service: its address and its checks.
 *
 * An address belongs to one server of a service, because the kernel knows servers by it. Who wants
 * one that is taken waits (without an address, or with its old one) and an alert says so; when
 * names swap their addresses, each waiting for the next, they all change at once.
 */
#include "balance/director/parts.h"

#include <string.h>

#include "balance/director/settings.h"
#include "base/log.h"

static void watch_free(Watch *watch)
{
	if (watch->check != NULL)
		checks_leave(watch->check);
	g_free(watch->why);
	g_free(watch);
}

Server *server_new(Service *service, const char *host)
{
	Server *server = g_new0(Server, 1);
	server->service = service;
	server->host = g_strdup(host);
	server->since_us = director_now_us(service->director);
	server->watches = g_ptr_array_new_with_free_func((GDestroyNotify)watch_free);
	return server;
}

static void release_address(Server *server)
{
	if (server->address.family != 0)
		g_hash_table_remove(server->service->by_address, &server->address);
	server->address = (Address){0};
}

void server_free(Server *server)
{
	if (server->name != NULL)
		resolver_leave(server->name);
	if (server->kernel == KERNEL_STAYS)
		server->service->staying--;
	if (server->awaited)
		server->service->awaited--;
	if (g_hash_table_remove(server->service->troubled, server))
		server->service->addresses_changed = TRUE;
	release_address(server);
	g_ptr_array_unref(server->watches);
	g_free(server->host);
	g_free(server->unresolved);
	g_free(server->who);
	g_free(server->revoked_from);
	g_free(server->answer_why);
	g_free(server);
}

/* State */

const char *server_state_name(ServerState state)
{
	static const char *const names[] = {"unresolved", "unchecked", "up", "down", "maintenance"};
	return names[state];
}

ServerState server_state(const Server *server)
{
	const PoolServer *known = pool_find(server->service->pool, server->host);
	if (known == NULL || !known->ready)
		return SERVER_UNRESOLVED;
	gboolean told = server->watches->len == 0 || known->checked || known->failed;
	for (guint i = 0; i < server->watches->len && !told; i++)
		told = ((Watch *)server->watches->pdata[i])->at_us != 0;
	if (!told)
		return SERVER_UNCHECKED;
	if (known->maintenance)
		return SERVER_MAINTENANCE;
	return known->up ? SERVER_UP : SERVER_DOWN;
}

void server_note_state(Server *server)
{
	ServerState state = server_state(server);
	if (state == server->state)
		return;
	server->state = state;
	server->since_us = director_now_us(server->service->director);
	server->service->report_due = TRUE;
	director_report_soon(server->service->director);
}

/* Checks */

static guint monitor_number(const Watch *watch)
{
	const GPtrArray *watches = watch->server->watches;
	for (guint i = 0; i < watches->len; i++)
		if (watches->pdata[i] == watch)
			return i;
	g_assert_not_reached();
}

/* A first bad result is a transition, a first good one is none: servers are taken to be up. */
static void count_result(Watch *watch, gboolean good)
{
	gboolean was_good = watch->at_us == 0 || watch->good;
	watch->up_results += good ? 1 : 0;
	watch->down_results += good ? 0 : 1;
	watch->up_transitions += good && !was_good ? 1 : 0;
	watch->down_transitions += !good && was_good ? 1 : 0;
	watch->good = good;
}

static void on_result(PoolResult result, const char *why, gint64 took_us, gpointer of)
{
	Watch *watch = of;
	Server *server = watch->server;
	Service *service = server->service;
	count_result(watch, result == POOL_RESULT_UP);
	watch->at_us = director_now_us(service->director);
	watch->took_us = took_us;
	if (g_strcmp0(why, watch->why) != 0) {
		g_free(watch->why);
		watch->why = g_strdup(why);
	}
	pool_result(
		service->pool, server->host, monitor_number(watch), result, clock_monotonic_ms());
	server_note_state(server);
	service_follow(service);
}

static void begin_watch(Watch *watch)
{
	Service *service = watch->server->service;
	const CheckTarget target = {watch->server->host, watch->server->address, service->key.port};
	g_autoptr(GError) error = NULL;
	watch->check = checks_watch(service->director->checks, service->config, watch->monitor,
		&target, on_result, watch, &error);
	if (watch->check == NULL)
		log_event(LOG_LEVEL_ERROR, "check.refused", "service", service->config->name,
			"server", watch->server->host, "monitor",
			config_monitor_names()[watch->monitor], "error", error->message, NULL);
}

static Watch *take_watch(GPtrArray *from, ConfigMonitor monitor)
{
	for (guint i = 0; i < from->len; i++)
		if (((Watch *)from->pdata[i])->monitor == monitor)
			return g_ptr_array_steal_index(from, i);
	return NULL;
}

void server_watch(Server *server, const ConfigService *before)
{
	const ConfigService *now = server->service->config;
	g_autoptr(GPtrArray) old = g_steal_pointer(&server->watches);
	server->watches = g_ptr_array_new_with_free_func((GDestroyNotify)watch_free);
	for (char **name = now->monitors; *name != NULL; name++) {
		ConfigMonitor monitor = settings_monitor(*name);
		Watch *watch = take_watch(old, monitor);
		if (watch == NULL) {
			watch = g_new0(Watch, 1);
			watch->server = server;
			watch->monitor = monitor;
		}
		g_ptr_array_add(server->watches, watch);
		gboolean stays = before != NULL && settings_same_check(before, now, monitor);
		if (!stays)
			g_clear_pointer(&watch->check, checks_leave);
		if (watch->check == NULL && server->address.family != 0)
			begin_watch(watch);
	}
}

/* Addresses */

static Server *owner_of(const Service *service, const Address *address)
{
	return g_hash_table_lookup(service->by_address, address);
}

static void claim(Server *server)
{
	server->address = server->wanted;
	g_hash_table_insert(server->service->by_address, &server->address, server);
}

static gboolean waits(const Server *server)
{
	return server->wanted.family != 0 && !address_equal(&server->wanted, &server->address);
}

/* The address is in the kernel under nobody's name now. */
static void let_go_in_kernel(Server *server)
{
	Service *service = server->service;
	if (!service->said || server->address.family == 0 || server->kernel == KERNEL_OUT)
		return;
	keeper_drain(service->director->keeper, &service->key, &server->address, FALSE);
	if (server->kernel == KERNEL_STAYS)
		service->staying--;
	server->kernel = KERNEL_OUT;
	server->drained = FALSE;
}

static void log_address(const Server *server)
{
	char text[ADDRESS_TEXT_BYTES];
	address_text(&server->address, text);
	log_event(LOG_LEVEL_INFO, "server.address", "service", server->service->config->name,
		"server", server->host, "address", text, NULL);
}

/* Before the service has begun, first addresses are only noted: service_say() tells them to the
 * pool together, because it looks at all of its servers each time. */
static void begin_at_address(Server *server)
{
	Service *service = server->service;
	log_address(server);
	const PoolServer *known = pool_find(service->pool, server->host);
	if (!service->said && !known->ready) {
		service->addresses_noted = TRUE;
		return;
	}
	pool_set_ready(service->pool, server->host, clock_monotonic_ms());
	server_note_state(server);
	service_follow(service);
	server_tell_kernel(server);
	server_watch(server, NULL);
}

/* The servers from `first` on, each of which waits for the address of the next, change together:
 * all let go before one takes. */
static void change_together(GPtrArray *servers)
{
	for (guint i = 0; i < servers->len; i++) {
		let_go_in_kernel(servers->pdata[i]);
		release_address(servers->pdata[i]);
	}
	for (guint i = 0; i < servers->len; i++)
		claim(servers->pdata[i]);
	for (guint i = 0; i < servers->len; i++)
		begin_at_address(servers->pdata[i]);
	Service *service = ((Server *)servers->pdata[0])->service;
	service_keep_list(service);
}

void service_take_noted_addresses(Service *service)
{
	if (!service->addresses_noted)
		return;
	service->addresses_noted = FALSE;
	const GPtrArray *servers = pool_servers(service->pool);
	gsize count = servers->len;
	g_autofree PoolEntry *entries = g_new0(PoolEntry, count);
	g_autoptr(GPtrArray) listed = g_ptr_array_new();
	for (gsize i = 0; i < count; i++) {
		const PoolServer *known = servers->pdata[i];
		Server *server = g_hash_table_lookup(service->servers, known->name);
		entries[i].name = server->host;
		entries[i].ready = server->address.family != 0;
		g_ptr_array_add(listed, server);
	}
	pool_update(service->pool, entries, count, clock_monotonic_ms());
	service_follow(service);
	for (guint i = 0; i < listed->len; i++) {
		server_watch(listed->pdata[i], service->config);
		server_note_state(listed->pdata[i]);
	}
}

/* Who has to change with `server` so that it can; NULL when somebody keeps what it waits for. */
static GPtrArray *chain_of(Server *server)
{
	g_autoptr(GPtrArray) chain = g_ptr_array_new();
	Server *next = server;
	do {
		g_ptr_array_add(chain, next);
		next = owner_of(next->service, &next->wanted);
		if (next == NULL || next == server)
			return g_steal_pointer(&chain);
	} while (waits(next) && chain->len < g_hash_table_size(server->service->servers));
	return NULL;
}

static int by_host(gconstpointer a, gconstpointer b)
{
	const Server *const *left = a, *const *right = b;
	return strcmp((*left)->host, (*right)->host);
}

static GPtrArray *troubled_servers(const Service *service)
{
	GPtrArray *troubled = g_ptr_array_new();
	GHashTableIter each;
	gpointer server;
	g_hash_table_iter_init(&each, service->troubled);
	while (g_hash_table_iter_next(&each, &server, NULL))
		g_ptr_array_add(troubled, server);
	g_ptr_array_sort(troubled, by_host);
	return troubled;
}

static void note_trouble(Server *server)
{
	if (waits(server) || server->unresolved != NULL)
		g_hash_table_add(server->service->troubled, server);
	else
		g_hash_table_remove(server->service->troubled, server);
	server->service->addresses_changed = TRUE;
	director_report_soon(server->service->director);
}

static char *describe_trouble(const Server *server)
{
	if (server->unresolved != NULL)
		return g_strdup_printf("%s: %s%s", server->host, server->unresolved,
			server->address.family != 0 ? " (the last known address is used)" : "");
	char text[ADDRESS_TEXT_BYTES];
	address_text(&server->wanted, text);
	return g_strdup_printf("%s has the address %s of %s: only one of them can be served",
		server->host, text, owner_of(server->service, &server->wanted)->host);
}

void service_alert_addresses(Service *service)
{
	service->addresses_changed = FALSE;
	g_autoptr(GPtrArray) servers = troubled_servers(service);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < servers->len; i++)
		g_ptr_array_add(problems,
			i < SERVICE_NAMES_SHOWN ? describe_trouble(servers->pdata[i]) : NULL);
	g_autofree char *text = problems->len > 0 ? service_names(problems) : NULL;
	service_alert(service, ALERT_ADDRESS, text);
}

/* TRUE when something changed: then others that wait may go on. */
static gboolean settle_address(Server *server)
{
	if (!waits(server))
		return FALSE;
	g_autoptr(GPtrArray) chain = chain_of(server);
	if (chain == NULL)
		return FALSE;
	change_together(chain);
	for (guint i = 0; i < chain->len; i++)
		note_trouble(chain->pdata[i]);
	return TRUE;
}

static gboolean settle_one(Service *service)
{
	g_autoptr(GPtrArray) troubled = troubled_servers(service);
	for (guint i = 0; i < troubled->len; i++)
		if (settle_address(troubled->pdata[i]))
			return TRUE;
	return FALSE;
}

void service_settle_addresses(Service *service)
{
	while (settle_one(service))
		continue;
}

static void got_answer(Server *server)
{
	Service *service = server->service;
	if (!server->awaited)
		return;
	server->awaited = FALSE;
	service->awaited--;
	service_consider_saying(service);
}

static void on_address(const Address *address, const char *why, gpointer of)
{
	Server *server = of;
	Service *service = server->service;
	g_clear_pointer(&server->unresolved, g_free);
	if (address != NULL)
		server->wanted = *address;
	else
		server->unresolved = g_strdup(why);
	note_trouble(server);
	if (settle_address(server))
		service_settle_addresses(service);
	got_answer(server);
	director_changed(service->director);
}

gboolean server_give_address(Server *server, const Address *address)
{
	server->wanted = *address;
	if (owner_of(server->service, address) != NULL)
		return FALSE;
	claim(server);
	return TRUE;
}

void server_begin(Server *server)
{
	Service *service = server->service;
	if (server_literal_address(server->host, service->key.address.family).family != 0) {
		note_trouble(server);
		return;
	}
	server->awaited = server->address.family == 0;
	service->awaited += server->awaited ? 1 : 0;
	server->name = resolver_watch(service->director->resolver, server->host,
		service->key.address.family, on_address, server);
}

Address server_literal_address(const char *host, int family)
{
	Address address;
	if (address_parse(host, &address) && address.family == family)
		return address;
	return (Address){0};
}
