/* SPDX-License-Identifier: ISC
 *
 * The director: holds the parts together, has the timers, answers people.
 */
#include "balance/director/director.h"

#include <string.h>

#include "balance/director/parts.h"
#include "balance/director/settings.h"
#include "balance/director/timer.h"
#include "base/file.h"
#include "base/log.h"

enum { FOLDER_MODE = 0750, SAVES_AT_ONCE = 16 };

gint64 director_now_us(const Director *director)
{
	return clock_now_us(director->clock);
}

/* Timers */

void director_changed(Director *director)
{
	g_clear_pointer(&director->status, json_decref);
}

void director_report_soon(Director *director)
{
	timer_start(director->soon, DIRECTOR_SOON_MS);
}

void director_save_soon(Director *director)
{
	timer_start(director->save, DIRECTOR_SAVE_MS);
}

static void report(Service *service)
{
	service->report_due = FALSE;
	if (service_from_drover(service))
		source_report(service->source, service_report(service));
}

void director_flush(Director *director)
{
	evtimer_del(director->soon);
	for (guint i = 0; i < director->services->len; i++) {
		Service *service = director->services->pdata[i];
		if (service->addresses_changed)
			service_alert_addresses(service);
		if (service->pool_changed)
			service_alert_pool(service);
		if (service->report_due)
			report(service);
	}
}

static void on_soon(evutil_socket_t unused, short what, void *director)
{
	director_flush(director);
}

/* Disks are slow, and the loop has checks to make: the others are saved in its next turns. What
 * cannot be written waits for the tick. */
static void save_some(Director *director)
{
	guint saved = 0;
	for (guint i = 0; i < director->services->len && saved < SAVES_AT_ONCE; i++)
		saved += service_save(director->services->pdata[i]) ? 1 : 0;
	if (saved == SAVES_AT_ONCE)
		pause_schedule(director->save, 0);
}

static void on_save(evutil_socket_t unused, short what, void *director)
{
	save_some(director);
}

static void look_at_runner(Director *director)
{
	gboolean lost = director->runner != NULL && runner_is_lost(director->runner);
	if (alerts_set(director->alerts, NULL, ALERT_RUNNER,
		    lost ? "the process that runs commands is gone: checks by RunCommand say "
			   "nothing any more; restart drover-lvs (no connection is cut)"
			 : NULL))
		director_changed(director);
}

static void refresh_reports(Director *director, gint64 now_ms)
{
	if (now_ms - director->reported_ms < DIRECTOR_REPORT_MS)
		return;
	director->reported_ms = now_ms;
	for (guint i = 0; i < director->services->len; i++)
		report(director->services->pdata[i]);
}

static void on_tick(evutil_socket_t unused, short what, void *of)
{
	Director *director = of;
	gint64 now_ms = clock_monotonic_ms();
	timer_start(director->tick, DIRECTOR_TICK_MS);
	look_at_runner(director);
	save_some(director);
	refresh_reports(director, now_ms);
	if (now_ms - director->routes_looked_ms >= DIRECTOR_ROUTES_MS) {
		director->routes_looked_ms = now_ms;
		director_repair_routes(director);
	}
}

/* The kernel */

static void on_drained(const KeeperKey *key, const Address *server, gpointer of)
{
	Director *director = of;
	for (guint i = 0; i < director->services->len; i++) {
		Service *service = director->services->pdata[i];
		if (service->key.protocol == key->protocol && service->key.port == key->port &&
			address_equal(&service->key.address, &key->address))
			service_kernel_drained(service, server);
	}
	director_changed(director);
}

static void on_trouble(const char *what, gpointer of)
{
	Director *director = of;
	alerts_set(director->alerts, NULL, ALERT_KERNEL, what);
	director_changed(director);
}

/* With `own = all` the keeper removes what nobody wants: it has to know of everybody first. */
void director_start_keeper(Director *director)
{
	if (director->keeper_started)
		return;
	gboolean all = director->config->global.own != 0;
	for (guint i = 0; i < director->services->len && all; i++)
		if (!((Service *)director->services->pdata[i])->said)
			return;
	director->keeper_started = TRUE;
	keeper_start(director->keeper);
}

/* Beginning and end */

static gboolean open_parts(Director *director, const DirectorOptions *options, GError **error)
{
	const ConfigGlobal *global = &director->config->global;
	director->checks = checks_new(&(ChecksOptions){.base = director->base,
					      .maximum_sockets = (guint)global->max_checks,
					      .seed = options->seed,
					      .runner = director->runner},
		error);
	if (director->checks == NULL)
		return FALSE;
	director->resolver = resolver_new(director->base, error);
	if (director->resolver == NULL)
		return FALSE;
	director->keeper = keeper_new(&(KeeperOptions){.base = director->base,
					      .dry_run = director->dry_run,
					      .own_all = global->own != 0,
					      .drained = on_drained,
					      .trouble = on_trouble,
					      .of = director},
		error);
	if (director->keeper == NULL)
		return FALSE;
	director->routes = routes_new(director->dry_run, error);
	return director->routes != NULL;
}

Director *director_new(const DirectorOptions *options, GError **error)
{
	g_autoptr(Config) config = settings_load(options->config_path, error);
	if (config == NULL || !file_make_folder(options->state_folder, FOLDER_MODE, error))
		return NULL;
	g_autoptr(Director) director = g_new0(Director, 1);
	director->base = options->base;
	director->config_path = g_strdup(options->config_path);
	director->state_folder = g_strdup(options->state_folder);
	director->token_file = g_strdup(options->token_file);
	director->ca_file = g_strdup(options->ca_file);
	director->runner = options->runner;
	director->clock = options->clock;
	director->started_us = director_now_us(director);
	director->dry_run = options->dry_run || config->global.dry_run;
	director->config = g_steal_pointer(&config);
	director->alerts = alerts_new(director->clock);
	director->services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
	director->routes_failed = g_hash_table_new_full(
		(GHashFunc)address_hash, (GEqualFunc)address_equal, g_free, g_free);
	director->soon = evtimer_new(director->base, on_soon, director);
	director->save = evtimer_new(director->base, on_save, director);
	director->tick = evtimer_new(director->base, on_tick, director);
	director->routes_looked_ms = director->reported_ms = clock_monotonic_ms();
	if (!open_parts(director, options, error) || !director_begin_services(director, error))
		return NULL;
	timer_start(director->tick, DIRECTOR_TICK_MS);
	if (director->config->global.own == 0 || director->services->len == 0)
		director_start_keeper(director);
	return g_steal_pointer(&director);
}

void director_free(Director *director)
{
	if (director == NULL)
		return;
	for (guint i = 0; i < director->services->len; i++)
		service_save(director->services->pdata[i]);
	g_ptr_array_unref(director->services);
	g_clear_pointer(&director->checks, checks_free);
	resolver_free(director->resolver);
	keeper_free(director->keeper);
	routes_free(director->routes);
	g_hash_table_unref(director->routes_failed);
	event_free(director->soon);
	event_free(director->save);
	event_free(director->tick);
	director_changed(director);
	alerts_free(director->alerts);
	config_free(director->config);
	g_free(director->config_path);
	g_free(director->state_folder);
	g_free(director->token_file);
	g_free(director->ca_file);
	g_free(director);
}

gboolean director_withdraw(Director *director, GError **error)
{
	g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(Address));
	director_changed(director);
	return routes_withdraw_others(director->routes, none, error);
}

/* People */

Service *director_find(Director *director, const char *name)
{
	for (guint i = 0; i < director->services->len; i++) {
		Service *service = director->services->pdata[i];
		if (strcmp(service->config->name, name) == 0)
			return service;
	}
	return NULL;
}

static Service *find(Director *director, const char *name, GError **error)
{
	Service *service = director_find(director, name);
	if (service == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s: there is no service of that name", name);
	return service;
}

gboolean director_accept(Director *director, const char *service, const char *who, GError **error)
{
	Service *found = find(director, service, error);
	return found != NULL && service_accept(found, who, error);
}

gboolean director_drain(Director *director, const char *service, const char *server,
	gboolean forced, const char *who, GError **error)
{
	Service *found = find(director, service, error);
	return found != NULL &&
	       service_drain(found, server, POOL_DRAIN_DRAINING, forced, who, error);
}

gboolean director_undrain(Director *director, const char *service, const char *server,
	const char *who, GError **error)
{
	Service *found = find(director, service, error);
	return found != NULL && service_undrain(found, server, who, error);
}

json_t *director_status(Director *director)
{
	director_flush(director);
	gint64 now_ms = clock_monotonic_ms();
	if (director->status == NULL || now_ms - director->status_ms >= DIRECTOR_STATUS_MS) {
		director_changed(director);
		director->status = director_make_status(director);
		director->status_ms = now_ms;
	}
	return json_incref(director->status);
}
