/* SPDX-License-Identifier: ISC
 *
 * One running service: how it begins, ends, and takes another configuration.
 */
#include <event2/event.h>
#include <string.h>

#include "balance/director/parts.h"
#include "balance/director/pause.h"
#include "balance/director/settings.h"
#include "base/log.h"

KeeperKey service_key(const ConfigService *config)
{
	KeeperKey key = {.protocol = config->protocol, .port = (guint16)config->port};
	gboolean sound = address_parse(config->ip, &key.address);
	g_assert(sound);
	return key;
}

KeeperService service_for_keeper(const Service *service)
{
	return (KeeperService){
		.key = service->key,
		.scheduler = settings_scheduler(service->config),
		.forward = service->config->forward,
		.persistence_ms = service->config->persistence_ms,
		.drain_timeout_ms = service->config->drain_timeout_ms,
	};
}

gboolean service_from_drover(const Service *service)
{
	return g_str_has_prefix(service->config->config, "drover://");
}

gboolean service_has_bgp(const Service *service)
{
	return service->director->config->global.bgp && service->config->bgp;
}

void service_alert(Service *service, AlertKind kind, const char *text)
{
	if (!alerts_set(service->director->alerts, service->config->name, kind, text))
		return;
	service->report_due = TRUE;
	director_changed(service->director);
	director_report_soon(service->director);
}

static void on_adopt(evutil_socket_t unused, short what, void *of)
{
	Service *service = of;
	if (service->has_list)
		service_say(service);
	else
		pause_schedule(service->adopt, DIRECTOR_ADOPT_MS);
}

static void on_advance(evutil_socket_t unused, short what, void *of)
{
	Service *service = of;
	gint64 now_ms = clock_monotonic_ms(), next_ms = pool_advance(service->pool, now_ms);
	service_follow(service);
	if (next_ms == G_MAXINT64)
		return;
	pause_schedule(service->advance, MAX(next_ms - now_ms, 1));
}

static gboolean same_key(const ConfigService *a, const ConfigService *b, const char *name)
{
	return settings_equal(a, b, config_find_key(CONFIG_SCOPE_SERVICE, name));
}

static const char *first(const char *preferred, const char *fallback)
{
	return preferred != NULL ? preferred : fallback;
}

Source *service_open_source(Service *service, const ConfigService *config, GError **error)
{
	const Director *director = service->director;
	const ConfigGlobal *global = &director->config->global;
	const SourcePlace place = {
		.base = director->base,
		.resolver = director->resolver,
		.token_file = first(global->droverd_token_file, director->token_file),
		.ca_file = first(global->droverd_ca_file, director->ca_file),
		.list_ca_file = global->list_ca_file,
		.version = DROVER_VERSION,
		.droverd_plain = global->droverd_plain,
		/* Another droverd counts its epochs from the beginning. */
		.epoch = same_key(service->config, config, "config") ? service->epoch : 0,
	};
	return source_new(&place, config->config, service_take_news, service, error);
}

Service *service_new(Director *director, const ConfigService *config, GError **error)
{
	Service *service = g_new0(Service, 1);
	service->director = director;
	service->config = config;
	service->key = service_key(config);
	const PoolPolicy policy = config_pool_policy(config);
	service->pool = pool_new(&policy);
	service->servers =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)server_free);
	service->by_address = g_hash_table_new((GHashFunc)address_hash, (GEqualFunc)address_equal);
	service->troubled = g_hash_table_new(NULL, NULL);
	service->saved_addresses = g_hash_table_new(g_str_hash, g_str_equal);
	service->saved_drains = g_hash_table_new(g_str_hash, g_str_equal);
	service->adopt = evtimer_new(director->base, on_adopt, service);
	service->advance = evtimer_new(director->base, on_advance, service);
	service->epoch = service_saved_epoch(service);
	service->source = service_open_source(service, config, error);
	if (service->source == NULL) {
		service_free(service);
		return NULL;
	}
	pause_schedule(service->adopt, DIRECTOR_ADOPT_MS);
	return service;
}

void service_free(Service *service)
{
	source_free(service->source);
	event_free(service->adopt);
	event_free(service->advance);
	g_hash_table_unref(service->servers);
	g_hash_table_unref(service->by_address);
	g_hash_table_unref(service->troubled);
	g_hash_table_unref(service->saved_addresses);
	g_hash_table_unref(service->saved_drains);
	saved_free(service->saved);
	g_clear_pointer(&service->set_aside, g_array_unref);
	g_free(service->set_aside_why);
	g_free(service->problem);
	pool_free(service->pool);
	g_free(service);
}

/* Another configuration */

static gboolean same_keys(const ConfigService *a, const ConfigService *b, const char *const *names)
{
	for (; *names != NULL; names++)
		if (!same_key(a, b, *names))
			return FALSE;
	return TRUE;
}

static void watch_again(Service *service, const ConfigService *before)
{
	GHashTableIter each;
	gpointer server;
	g_hash_table_iter_init(&each, service->servers);
	while (g_hash_table_iter_next(&each, NULL, &server))
		server_watch(server, before);
}

/* The pool knows monitors by their number in the policy: it is told together with the watches. */
static void take_policy(Service *service, const ConfigService *before)
{
	static const char *const names[] = {
		"depool-threshold", "monitors", "rise", "fall", "start", "slow-start", NULL};
	watch_again(service, before);
	if (same_keys(service->config, before, names))
		return;
	const PoolPolicy policy = config_pool_policy(service->config);
	pool_set_policy(service->pool, &policy, clock_monotonic_ms());
	service->pool_changed = TRUE;
	service_follow(service);
	director_report_soon(service->director);
}

static void take_kernel_settings(Service *service, const ConfigService *before)
{
	static const char *const names[] = {
		"scheduler", "forward", "persistence", "drain-timeout", NULL};
	if (!service->said || same_keys(service->config, before, names))
		return;
	const KeeperService what = service_for_keeper(service);
	keeper_service(service->director->keeper, &what);
}

void service_give_up_name(Service *service, const ConfigService *next)
{
	const char *name = service->config->name;
	if (strcmp(next->name, name) == 0)
		return;
	alerts_forget(service->director->alerts, name);
	saved_remove(service->director->state_folder, name);
}

static void take_name(Service *service, const char *before)
{
	if (strcmp(service->config->name, before) == 0)
		return;
	service->list_unsaved = service->drains_unsaved = TRUE;
	service->pool_changed = service->addresses_changed = TRUE;
	director_report_soon(service->director);
	service_save(service);
}

gboolean service_has_same_list(const Service *service, const ConfigService *config)
{
	return same_key(service->config, config, "config");
}

static void take_source(Service *service, Source *source)
{
	if (source == NULL) {
		source_refresh(service->source);
		return;
	}
	source_free(service->source);
	service->source = source;
	service->epoch = service->version = 0;
	service_alert(service, ALERT_DROVER, NULL);
	service_alert(service, ALERT_LIST, NULL);
}

void service_configure(Service *service, const ConfigService *config, Source *source)
{
	const ConfigService *before = service->config;
	service->config = config;
	take_name(service, before->name);
	take_source(service, source);
	take_policy(service, before);
	take_kernel_settings(service, before);
}
