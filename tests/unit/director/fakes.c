/* SPDX-License-Identifier: ISC
 *
 * The parts that the director stands on, as tests want them.
 */
#include "tests/unit/director/fakes.h"

#include <string.h>

#include "balance/kernel/keeper.h"
#include "balance/kernel/routes.h"
#include "balance/monitor/checks.h"
#include "balance/monitor/resolver.h"

static GString *told;
static KeeperOptions keeper_options;
static KeeperKey last_service;
static GHashTable *routes; /* char * in a set: what is announced */
static gboolean routes_broken;
static GPtrArray *names;   /* ResolverName * */
static GPtrArray *watches; /* Check * */
static guint begun_watches, left_watches;

struct ResolverName {
	char *name;
	ResolverTell tell;
	gpointer of;
};

struct Check {
	char *host;
	ConfigMonitor monitor;
	Address address;
	CheckTell tell;
	gpointer of;
};

void fakes_restart(void)
{
	g_clear_pointer(&names, g_ptr_array_unref);
	g_clear_pointer(&watches, g_ptr_array_unref);
	names = g_ptr_array_new();
	watches = g_ptr_array_new();
	if (told != NULL)
		g_string_free(told, TRUE);
	told = g_string_new(NULL);
	if (routes == NULL)
		routes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	begun_watches = left_watches = 0;
}

void fakes_reset(void)
{
	g_clear_pointer(&routes, g_hash_table_unref);
	routes_broken = FALSE;
	fakes_restart();
}

char *fakes_told(void)
{
	char *text = g_string_free(told, FALSE);
	told = g_string_new(NULL);
	return text;
}

static void tell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void tell(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_string_append_vprintf(told, format, arguments);
	va_end(arguments);
}

static const char *text_of(const Address *address)
{
	static char text[ADDRESS_TEXT_BYTES];
	address_text(address, text);
	return text;
}

/* The keeper */

Keeper *keeper_new(const KeeperOptions *options, GError **error)
{
	keeper_options = *options;
	return (Keeper *)&keeper_options;
}

void keeper_free(Keeper *keeper)
{
}

void keeper_start(Keeper *keeper)
{
	tell("start\n");
}

void keeper_service(Keeper *keeper, const KeeperService *service)
{
	last_service = service->key;
	g_autofree char *text = address_with_port(&service->key.address, service->key.port);
	tell("service %s %s\n", text, service->scheduler);
}

void keeper_forget_service(Keeper *keeper, const KeeperKey *service)
{
	g_autofree char *text = address_with_port(&service->address, service->port);
	tell("forget %s\n", text);
}

void keeper_serve(Keeper *keeper, const KeeperKey *service, const Address *server, guint weight)
{
	tell("serve %s %u\n", text_of(server), weight);
}

void keeper_drain(Keeper *keeper, const KeeperKey *service, const Address *server, gboolean stay)
{
	tell("drain %s%s\n", text_of(server), stay ? " stay" : "");
}

void keeper_remove(Keeper *keeper, const KeeperKey *service, const Address *server)
{
	tell("remove %s\n", text_of(server));
}

gboolean keeper_connections(Keeper *keeper, const KeeperKey *service, const Address *server,
	guint *active, guint *inactive)
{
	*active = 3;
	*inactive = 12;
	return TRUE;
}

void keeper_figures(const Keeper *keeper, KeeperFigures *figures)
{
	*figures = (KeeperFigures){0};
}

void fakes_drained(const char *address)
{
	Address server;
	g_assert(address_parse(address, &server));
	keeper_options.drained(&last_service, &server, keeper_options.of);
}

void fakes_trouble(const char *what)
{
	keeper_options.trouble(what, keeper_options.of);
}

/* Routes */

void fakes_break_routes(gboolean broken)
{
	routes_broken = broken;
}

Routes *routes_new(gboolean dry_run, GError **error)
{
	return (Routes *)&routes;
}

void routes_free(Routes *unused)
{
}

static gboolean refuse(GError **error)
{
	if (routes_broken)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "the kernel takes no routes");
	return routes_broken;
}

gboolean routes_announce(Routes *unused, const Address *address, GError **error)
{
	if (refuse(error))
		return FALSE;
	tell("announce %s\n", text_of(address));
	g_hash_table_add(routes, g_strdup(text_of(address)));
	return TRUE;
}

gboolean routes_withdraw(Routes *unused, const Address *address, GError **error)
{
	if (refuse(error))
		return FALSE;
	tell("withdraw %s\n", text_of(address));
	g_hash_table_remove(routes, text_of(address));
	return TRUE;
}

gboolean routes_is_announced(const Routes *unused, const Address *address)
{
	return g_hash_table_contains(routes, text_of(address));
}

static gboolean is_kept(const char *route, const GArray *keep)
{
	for (guint i = 0; i < keep->len; i++)
		if (strcmp(route, text_of(&g_array_index(keep, Address, i))) == 0)
			return TRUE;
	return FALSE;
}

gboolean routes_withdraw_others(Routes *unused, const GArray *keep, GError **error)
{
	GHashTableIter each;
	gpointer route;
	g_hash_table_iter_init(&each, routes);
	while (g_hash_table_iter_next(&each, &route, NULL)) {
		if (is_kept(route, keep))
			continue;
		tell("withdraw %s\n", (char *)route);
		g_hash_table_iter_remove(&each);
	}
	return TRUE;
}

gboolean routes_reconcile(Routes *unused, GError **error)
{
	return !refuse(error);
}

/* The resolver */

Resolver *resolver_new(struct event_base *base, GError **error)
{
	return (Resolver *)&names;
}

void resolver_free(Resolver *resolver)
{
	g_assert(names->len == 0);
}

ResolverName *resolver_watch(
	Resolver *resolver, const char *name, int family, ResolverTell answer, gpointer of)
{
	ResolverName *watcher = g_new0(ResolverName, 1);
	watcher->name = g_strdup(name);
	watcher->tell = answer;
	watcher->of = of;
	g_ptr_array_add(names, watcher);
	return watcher;
}

void resolver_leave(ResolverName *name)
{
	g_assert(g_ptr_array_remove(names, name));
	g_free(name->name);
	g_free(name);
}

gboolean fakes_resolve(const char *name, const char *text, const char *why)
{
	Address address;
	g_assert(text == NULL || address_parse(text, &address));
	for (guint i = 0; i < names->len; i++) {
		const ResolverName *watcher = names->pdata[i];
		if (strcmp(watcher->name, name) != 0)
			continue;
		watcher->tell(text != NULL ? &address : NULL, why, watcher->of);
		return TRUE;
	}
	return FALSE;
}

/* Checks */

Checks *checks_new(const ChecksOptions *options, GError **error)
{
	return (Checks *)&watches;
}

void checks_free(Checks *checks)
{
	g_assert(watches->len == 0);
}

Check *checks_watch(Checks *checks, const ConfigService *service, ConfigMonitor monitor,
	const CheckTarget *target, CheckTell result, gpointer of, GError **error)
{
	Check *check = g_new0(Check, 1);
	check->host = g_strdup(target->host);
	check->monitor = monitor;
	check->address = target->address;
	check->tell = result;
	check->of = of;
	g_ptr_array_add(watches, check);
	begun_watches++;
	return check;
}

void checks_leave(Check *check)
{
	g_assert(g_ptr_array_remove(watches, check));
	left_watches++;
	g_free(check->host);
	g_free(check);
}

gboolean checks_validate(const ConfigService *service, ConfigMonitor monitor, GError **error)
{
	if (service->proxyfetch.body_regex == NULL ||
		strcmp(service->proxyfetch.body_regex, "(") != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "proxyfetch.body-regex: missing )");
	return FALSE;
}

void checks_figures(const Checks *checks, ChecksFigures *figures)
{
	*figures = (ChecksFigures){0};
}

static Check *find_check(const char *host, const char *monitor)
{
	for (guint i = 0; i < watches->len; i++) {
		Check *check = watches->pdata[i];
		if (strcmp(check->host, host) == 0 &&
			strcmp(config_monitor_names()[check->monitor], monitor) == 0)
			return check;
	}
	return NULL;
}

gboolean fakes_result(const char *host, const char *monitor, PoolResult result, const char *why)
{
	const Check *check = find_check(host, monitor);
	if (check != NULL)
		check->tell(result, why, 1000, check->of);
	return check != NULL;
}

void fakes_watches(guint *begun, guint *left)
{
	*begun = begun_watches;
	*left = left_watches;
	begun_watches = left_watches = 0;
}

char *fakes_checked_address(const char *host, const char *monitor)
{
	const Check *check = find_check(host, monitor);
	return check != NULL ? g_strdup(text_of(&check->address)) : NULL;
}

gboolean runner_is_lost(const Runner *runner)
{
	return FALSE;
}
