/* SPDX-License-Identifier: ISC
 *
 * What follows from an event of the pool: orders to the keeper, lines in the log, alerts, a route,
 * a report.
 *
 * A service that has just begun says nothing to the keeper, which therefore leaves its part of the
 * kernel's table as it found it, until there is a list and its names were looked up (or that took
 * DIRECTOR_ADOPT_MS). Then it says all at once what should be, and the keeper changes only what
 * differs. So a restart does not take out servers whose names are not looked up yet.
 */
#include "balance/director/parts.h"
#include "balance/director/settings.h"
#include "balance/director/timer.h"
#include "base/log.h"

static Server *find_server(const Service *service, const char *host)
{
	return g_hash_table_lookup(service->servers, host);
}

/* The kernel */

static void set_kernel(Server *server, KernelState state)
{
	if (server->kernel == KERNEL_STAYS)
		server->service->staying--;
	if (state == KERNEL_STAYS)
		server->service->staying++;
	server->kernel = state;
	server->drained = FALSE;
}

static void serve(Server *server, guint weight)
{
	Service *service = server->service;
	keeper_serve(service->director->keeper, &service->key, &server->address, weight);
	set_kernel(server, KERNEL_SERVED);
}

static void drain(Server *server, gboolean stay)
{
	Service *service = server->service;
	keeper_drain(service->director->keeper, &service->key, &server->address, stay);
	set_kernel(server, stay ? KERNEL_STAYS : KERNEL_LEAVES);
}

static void take_out(Server *server)
{
	Service *service = server->service;
	keeper_remove(service->director->keeper, &service->key, &server->address);
	set_kernel(server, KERNEL_OUT);
}

static gboolean is_worked_on(const Server *server)
{
	const PoolServer *known = pool_find(server->service->pool, server->host);
	return known != NULL && known->drain == POOL_DRAIN_DRAINING;
}

static void obey(Service *service, const PoolChange *change)
{
	Server *server = find_server(service, change->server);
	g_assert(server != NULL && server->address.family != 0);
	switch (change->kind) {
	case POOL_CHANGE_ADD:
	case POOL_CHANGE_EDIT:
		serve(server, change->weight);
		return;
	case POOL_CHANGE_DRAIN:
		drain(server, is_worked_on(server));
		return;
	case POOL_CHANGE_REMOVE:
		take_out(server);
		return;
	}
	g_assert_not_reached();
}

void service_let_go_of_stayers(Service *service)
{
	if (service->staying == 0)
		return;
	GHashTableIter each;
	gpointer of;
	g_hash_table_iter_init(&each, service->servers);
	while (g_hash_table_iter_next(&each, NULL, &of)) {
		Server *server = of;
		if (server->kernel == KERNEL_STAYS && !is_worked_on(server))
			drain(server, FALSE);
	}
}

static void tell_keeper(Service *service)
{
	if (!service->said)
		return;
	const GArray *changes = pool_changes(service->pool);
	for (guint i = 0; i < changes->len; i++)
		obey(service, &g_array_index(changes, PoolChange, i));
	service_let_go_of_stayers(service);
}

void server_tell_kernel(Server *server)
{
	const PoolServer *known = pool_find(server->service->pool, server->host);
	if (!server->service->said || known == NULL || server->address.family == 0 ||
		server->kernel != KERNEL_OUT)
		return;
	gboolean alive = known->up || known->maintenance;
	if (known->order == POOL_ORDER_SERVE)
		serve(server, known->ordered_weight);
	else if (!alive)
		take_out(server);
	else if (known->drain == POOL_DRAIN_DRAINING)
		drain(server, TRUE);
}

void service_say(Service *service)
{
	if (service->said)
		return;
	service_take_noted_addresses(service);
	service_take_later_orders(service);
	service->said = TRUE;
	evtimer_del(service->adopt);
	const KeeperService what = service_for_keeper(service);
	keeper_service(service->director->keeper, &what);
	GHashTableIter each;
	gpointer server;
	g_hash_table_iter_init(&each, service->servers);
	while (g_hash_table_iter_next(&each, NULL, &server))
		server_tell_kernel(server);
	log_event(LOG_LEVEL_INFO, "service.begins", "service", service->config->name, NULL);
	director_announce(service->director, &service->key.address);
	director_start_keeper(service->director);
	director_changed(service->director);
}

void service_consider_saying(Service *service)
{
	if (service->has_list && service->awaited == 0)
		service_say(service);
}

void service_kernel_drained(Service *service, const Address *address)
{
	Server *server = g_hash_table_lookup(service->by_address, address);
	if (server == NULL || (server->kernel != KERNEL_STAYS && server->kernel != KERNEL_LEAVES))
		return;
	if (server->kernel == KERNEL_STAYS) {
		server->drained = TRUE;
	} else {
		set_kernel(server, KERNEL_OUT);
		pool_drained(service->pool, server->host);
	}
	log_event(LOG_LEVEL_INFO, "server.drained", "service", service->config->name, "server",
		server->host, NULL);
	service->report_due = TRUE;
	director_report_soon(service->director);
}

gboolean server_is_drained(const Server *server)
{
	if (!is_worked_on(server) || !server->service->said || server->awaited)
		return FALSE;
	return server->kernel == KERNEL_OUT || server->drained;
}

/* The log */

static const char *why_of(const Server *server)
{
	for (guint i = 0; i < server->watches->len; i++) {
		const Watch *watch = server->watches->pdata[i];
		if (watch->at_us != 0 && !watch->good)
			return watch->why;
	}
	return NULL;
}

static void log_news(Service *service, const PoolNews *news)
{
	static const struct {
		LogLevel level;
		const char *event;
	} kinds[] = {
		[POOL_NEWS_UP] = {LOG_LEVEL_INFO, "server.up"},
		[POOL_NEWS_DOWN] = {LOG_LEVEL_WARNING, "server.down"},
		[POOL_NEWS_MAINTENANCE] = {LOG_LEVEL_INFO, "server.maintenance"},
		[POOL_NEWS_HELD] = {LOG_LEVEL_ERROR, "server.held"},
		[POOL_NEWS_RELEASED] = {LOG_LEVEL_INFO, "server.released"},
		[POOL_NEWS_REVOKED] = {LOG_LEVEL_WARNING, "server.drain-revoked"},
	};
	const Server *server = find_server(service, news->server);
	log_event(kinds[news->kind].level, kinds[news->kind].event, "service",
		service->config->name, "server", news->server, "why",
		server != NULL ? why_of(server) : NULL, "who", server != NULL ? server->who : NULL,
		NULL);
}

static void count_failures(Service *service)
{
	const GArray *news = pool_news(service->pool), *changes = pool_changes(service->pool);
	for (guint i = 0; i < news->len; i++)
		service->kept += g_array_index(news, PoolNews, i).kind == POOL_NEWS_HELD;
	for (guint i = 0; i < changes->len; i++)
		service->left += g_array_index(changes, PoolChange, i).kind == POOL_CHANGE_REMOVE;
}

static void take_news_of_pool(Service *service)
{
	const GArray *news = pool_news(service->pool);
	for (guint i = 0; i < news->len; i++) {
		const PoolNews *one = &g_array_index(news, PoolNews, i);
		log_news(service, one);
		Server *server = find_server(service, one->server);
		if (server == NULL)
			continue;
		if (one->kind == POOL_NEWS_REVOKED)
			server_revoked(server);
		server_note_state(server);
	}
}

/* Alerts */

char *service_names(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);
	guint shown = MIN(names->len, SERVICE_NAMES_SHOWN);
	for (guint i = 0; i < shown; i++) {
		gboolean last = i + 1 == names->len;
		g_string_append_printf(text, "%s%s",
			i == 0 ? ""
			: last ? " and "
			       : ", ",
			(const char *)names->pdata[i]);
	}
	if (names->len > shown)
		g_string_append_printf(text, " and %u more", names->len - shown);
	return g_string_free(text, FALSE);
}

/* PyBal's words, which scripts look for. */
static char *held_text(const Service *service)
{
	if (pool_held_count(service->pool) == 0)
		return NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const GPtrArray *servers = pool_servers(service->pool);
	for (guint i = 0; i < servers->len; i++)
		if (((const PoolServer *)servers->pdata[i])->held)
			g_ptr_array_add(names, ((const PoolServer *)servers->pdata[i])->name);
	g_autofree char *list = service_names(names);
	return g_strconcat(list, " are marked down but pooled", NULL);
}

static char *floor_text(const Service *service)
{
	if (pool_can_depool(service->pool))
		return NULL;
	return g_strdup_printf("%u of %u servers are up and not drained, where %" G_GUINT64_FORMAT
			       " are needed: servers that fail are held, drains are refused",
		pool_counting(service->pool), pool_servers(service->pool)->len,
		pool_needed(service->pool));
}

void service_alert_pool(Service *service)
{
	g_autofree char *held = held_text(service), *low = floor_text(service);
	service_alert(service, ALERT_HELD, held);
	service_alert(service, ALERT_FLOOR, service->has_list ? low : NULL);
	service->pool_changed = FALSE;
}

void service_follow(Service *service)
{
	director_changed(service->director);
	const GArray *news = pool_news(service->pool), *changes = pool_changes(service->pool);
	if (news->len == 0 && changes->len == 0)
		return;
	gboolean recovered = FALSE;
	for (guint i = 0; i < news->len; i++)
		recovered |= g_array_index(news, PoolNews, i).kind == POOL_NEWS_UP;
	tell_keeper(service);
	count_failures(service);
	take_news_of_pool(service);
	director_announce(service->director, &service->key.address);
	service->report_due = service->pool_changed = TRUE;
	director_report_soon(service->director);
	if (recovered && service->config->slow_start_ms > 0)
		timer_start(service->advance, 1);
}
