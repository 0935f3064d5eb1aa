/* SPDX-License-Identifier: ISC
 *
 * How services come and go: at start, and by a reload.
 *
 * A reload is prepared whole before anything is touched: the configuration is read, each new list
 * opened. What fails there changes nothing. Services are matched by what the kernel knows them by,
 * protocol, address and port; a section with another name is the same service. Rule:
 * docs/balance.md, "Reload".
 */
#include "balance/director/parts.h"
#include "balance/director/settings.h"
#include "base/log.h"

/* What becomes of one service of the new configuration. */
typedef struct Step {
	const ConfigService *config;
	Service *service; /* that it will be */
	gboolean fresh;	  /* made for this; else it runs already */
	Source *source;	  /* another list for one that runs; NULL: the list stays */
} Step;

static Service *running(const Director *director, const ConfigService *config)
{
	const KeeperKey key = service_key(config);
	for (guint i = 0; director->services != NULL && i < director->services->len; i++) {
		Service *service = director->services->pdata[i];
		if (service->key.protocol == key.protocol && service->key.port == key.port &&
			address_equal(&service->key.address, &key.address))
			return service;
	}
	return NULL;
}

static gboolean prepare(Director *director, Step *step, GError **error)
{
	step->service = running(director, step->config);
	if (step->service == NULL) {
		step->fresh = TRUE;
		step->service = service_new(director, step->config, error);
		return step->service != NULL;
	}
	if (service_has_same_list(step->service, step->config))
		return TRUE;
	step->source = service_open_source(step->service, step->config, error);
	return step->source != NULL;
}

static void give_up(Step *steps, guint count)
{
	for (guint i = 0; i < count; i++) {
		if (steps[i].fresh && steps[i].service != NULL)
			service_free(steps[i].service);
		source_free(steps[i].source);
	}
}

static Step *prepare_all(Director *director, const Config *config, GError **error)
{
	guint count = config->services->len;
	g_autofree Step *steps = g_new0(Step, count + 1);
	for (guint i = 0; i < count; i++) {
		steps[i].config = config->services->pdata[i];
		if (prepare(director, &steps[i], error))
			continue;
		g_prefix_error(error, "[%s] config: ", steps[i].config->name);
		give_up(steps, i + 1);
		return NULL;
	}
	return g_steal_pointer(&steps);
}

static gboolean is_named(const Config *config, const char *name)
{
	for (guint i = 0; i < config->services->len; i++)
		if (g_strcmp0(((const ConfigService *)config->services->pdata[i])->name, name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_kept(const Service *service, const Step *steps, guint count)
{
	for (guint i = 0; i < count; i++)
		if (steps[i].service == service)
			return TRUE;
	return FALSE;
}

/* Its servers drain, and its state goes, unless another service has its name now. */
static void end_service(Director *director, Service *service, const Config *next)
{
	const char *name = service->config->name;
	log_event(LOG_LEVEL_INFO, "service.ends", "service", name, NULL);
	/* One that still waited: what stands in the kernel is ours from now on, and drains, too. */
	service_say(service);
	service_save(service);
	if (!is_named(next, name))
		saved_remove(director->state_folder, name);
	alerts_forget(director->alerts, name);
	keeper_forget_service(director->keeper, &service->key);
	service_free(service);
}

static void commit(Director *director, const Config *next, const Step *steps)
{
	guint count = next->services->len;
	g_autoptr(GPtrArray) before = g_steal_pointer(&director->services);
	g_ptr_array_set_free_func(before, NULL);
	director->services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
	for (guint i = 0; i < count; i++)
		g_ptr_array_add(director->services, steps[i].service);
	for (guint i = 0; i < before->len; i++)
		if (!is_kept(before->pdata[i], steps, count))
			end_service(director, before->pdata[i], next);
	for (guint i = 0; i < count; i++)
		if (!steps[i].fresh)
			service_give_up_name(steps[i].service, steps[i].config);
	for (guint i = 0; i < count; i++)
		if (!steps[i].fresh)
			service_configure(steps[i].service, steps[i].config, steps[i].source);
	for (guint i = 0; i < count; i++)
		if (steps[i].fresh)
			service_begin_lists(steps[i].service);
	director_announce_all(director);
}

gboolean director_begin_services(Director *director, GError **error)
{
	g_autofree Step *steps = prepare_all(director, director->config, error);
	if (steps == NULL)
		return FALSE;
	commit(director, director->config, steps);
	return TRUE;
}

/* What only a start can change. */
static void warn_of_restart(const ConfigGlobal *before, const ConfigGlobal *after)
{
	const struct {
		const char *key;
		gboolean differs;
	} keys[] = {
		{"max-checks", before->max_checks != after->max_checks},
		{"own", before->own != after->own},
		{"dry-run", before->dry_run != after->dry_run},
		{"droverd-token-file",
			g_strcmp0(before->droverd_token_file, after->droverd_token_file) != 0},
		{"droverd-ca-file",
			g_strcmp0(before->droverd_ca_file, after->droverd_ca_file) != 0},
		{"list-ca-file", g_strcmp0(before->list_ca_file, after->list_ca_file) != 0},
		{"droverd-plain", before->droverd_plain != after->droverd_plain},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i].differs)
			log_event(LOG_LEVEL_WARNING, "config.needs-restart", "key", keys[i].key,
				NULL);
}

static gboolean reload(Director *director, GError **error)
{
	g_autoptr(Config) next = settings_load(director->config_path, error);
	if (next == NULL)
		return FALSE;
	g_autofree Step *steps = prepare_all(director, next, error);
	if (steps == NULL)
		return FALSE;
	warn_of_restart(&director->config->global, &next->global);
	Config *before = director->config;
	director->config = g_steal_pointer(&next);
	commit(director, director->config, steps);
	config_free(before);
	return TRUE;
}

gboolean director_reload(Director *director, GError **error)
{
	g_autoptr(GError) problem = NULL;
	gboolean done = reload(director, &problem);
	g_autofree char *text = NULL;
	if (!done) {
		g_autofree char *line = g_strdelimit(g_strdup(problem->message), "\n", ' ');
		text = g_strdup_printf("the reload changed nothing: %s", line);
	}
	alerts_set(director->alerts, NULL, ALERT_CONFIGURATION, text);
	director_changed(director);
	log_event(LOG_LEVEL_INFO, done ? "config.reloaded" : "config.refused", "file",
		director->config_path, NULL);
	if (!done)
		g_propagate_error(error, g_steal_pointer(&problem));
	return done;
}
