/* SPDX-License-Identifier: ISC
 *
 * Reading the configuration, and comparing two of them key by key. Rule: docs/balance.md, "Reload".
 */
#include "balance/director/settings.h"

#include <string.h>

#include "balance/director/host_token.h"
#include "balance/monitor/checks.h"
#include "base/error.h"
#include "base/log.h"

static const void *value_of(const ConfigService *service, const ConfigKey *key)
{
	return (const char *)service + key->offset;
}

static gboolean same_texts(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return g_strv_equal((const char *const *)a, (const char *const *)b);
}

gboolean settings_equal(const ConfigService *a, const ConfigService *b, const ConfigKey *key)
{
	const void *left = value_of(a, key), *right = value_of(b, key);
	switch (key->type) {
	case CONFIG_TYPE_WORD:
	case CONFIG_TYPE_INTEGER:
	case CONFIG_TYPE_SECONDS:
		return *(const gint64 *)left == *(const gint64 *)right;
	case CONFIG_TYPE_BOOLEAN:
		return *(const gboolean *)left == *(const gboolean *)right;
	case CONFIG_TYPE_THRESHOLD:
		return memcmp(left, right, sizeof(Threshold)) == 0;
	case CONFIG_TYPE_STATUSES:
		return memcmp(left, right, sizeof(ConfigStatuses)) == 0;
	case CONFIG_TYPE_TEXT:
	case CONFIG_TYPE_ADDRESS:
	case CONFIG_TYPE_LIST_URL:
		return g_strcmp0(*(char *const *)left, *(char *const *)right) == 0;
	case CONFIG_TYPE_ADDRESSES:
	case CONFIG_TYPE_URLS:
	case CONFIG_TYPE_MONITORS:
	case CONFIG_TYPE_TEXTS:
	case CONFIG_TYPE_ARGUMENTS:
		return same_texts(*(char **const *)left, *(char **const *)right);
	case CONFIG_TYPE_WITHOUT_USE:
		return TRUE;
	}
	g_assert_not_reached();
}

gboolean settings_same_check(const ConfigService *a, const ConfigService *b, ConfigMonitor monitor)
{
	g_autofree char *word = g_ascii_strdown(config_monitor_names()[monitor], -1);
	g_autofree char *prefix = g_strconcat(word, ".", NULL);
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++)
		if (key->scope == CONFIG_SCOPE_SERVICE && g_str_has_prefix(key->name, prefix) &&
			!settings_equal(a, b, key))
			return FALSE;
	return TRUE;
}

ConfigMonitor settings_monitor(const char *name)
{
	const char *const *names = config_monitor_names();
	for (guint i = 0; i < CONFIG_MONITORS; i++)
		if (strcmp(names[i], name) == 0)
			return (ConfigMonitor)i;
	g_assert_not_reached();
}

const char *settings_scheduler(const ConfigService *service)
{
	const ConfigKey *key = config_find_key(CONFIG_SCOPE_SERVICE, "scheduler");
	return key->words[service->scheduler];
}

/* Regular expressions, and what else only the monitors can judge. */
static void validate_check(Config *config, const ConfigService *service, ConfigMonitor monitor)
{
	g_autoptr(GError) error = NULL;
	if (checks_validate(service, monitor, &error))
		return;
	const char *what = strstr(error->message, ": ");
	g_assert(what != NULL);
	g_autofree char *key = g_strndup(error->message, (gsize)(what - error->message));
	config_add_error(config, service, key, what + strlen(": "));
}

static void validate_checks(Config *config)
{
	for (guint i = 0; i < config->services->len; i++) {
		const ConfigService *service = config->services->pdata[i];
		for (char **name = service->monitors; name != NULL && *name != NULL; name++)
			validate_check(config, service, settings_monitor(*name));
	}
}

/* Its token may come later: no error. */
static void warn_of_token(Config *config, const char *token_file)
{
	for (guint i = 0; i < config->services->len; i++) {
		const ConfigService *service = config->services->pdata[i];
		g_autoptr(GError) error = NULL;
		if (!g_str_has_prefix(service->config, "drover://"))
			continue;
		g_autofree char *token = host_token_read(token_file, &error);
		if (token == NULL)
			config_add_warning(config, service, "config", error->message);
	}
}

Config *settings_look(const char *path, const char *token_file, GError **error)
{
	g_autoptr(Config) config = config_load(path, error);
	if (config == NULL)
		return NULL;
	/* What is no configuration yet, monitors cannot judge. */
	if (config->errors->len > 0)
		return g_steal_pointer(&config);
	validate_checks(config);
	const char *named = config->global.droverd_token_file;
	if (token_file != NULL)
		warn_of_token(config, named != NULL ? named : token_file);
	return g_steal_pointer(&config);
}

static void log_warnings(const char *path, const Config *config)
{
	for (guint i = 0; i < config->warnings->len; i++)
		log_event(LOG_LEVEL_WARNING, "config.warning", "file", path, "text",
			config->warnings->pdata[i], NULL);
}

Config *settings_load(const char *path, GError **error)
{
	g_autoptr(Config) config = settings_look(path, NULL, error);
	if (config == NULL)
		return NULL;
	if (config->errors->len > 0) {
		g_ptr_array_add(config->errors, NULL);
		g_autofree char *all = g_strjoinv("\n", (char **)config->errors->pdata);
		drover_error_set(error, DROVER_ERROR_INPUT, "%s", all);
		return NULL;
	}
	log_warnings(path, config);
	return g_steal_pointer(&config);
}
