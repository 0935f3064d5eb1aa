/* SPDX-License-Identifier: ISC
 *
 * Plans: what two services must have in common for one check to do for both. That is all keys of
 * the monitor, as config_keys() has them, so that no new key can be forgotten here.
 */
#include "balance/monitor/checks_parts.h"

#include <string.h>

#include "base/error.h"

static const Monitor *const monitors[CONFIG_MONITORS] = {
	[CONFIG_PROXYFETCH] = &monitor_proxyfetch,
	[CONFIG_IDLECONNECTION] = &monitor_idle,
	[CONFIG_DNSQUERY] = &monitor_dns,
	[CONFIG_UDP_CHECK] = &monitor_udp,
	[CONFIG_RUNCOMMAND] = &monitor_command,
	[CONFIG_TCP_CHECK] = &monitor_tcp,
	[CONFIG_SMTP] = &monitor_smtp,
	[CONFIG_GRPC] = &monitor_grpc,
};

/* Texts carry their length, so that no two lists look the same. */
static void add_text(GString *key, const char *text)
{
	if (text == NULL)
		g_string_append(key, "-,");
	else
		g_string_append_printf(key, "%zu:%s,", strlen(text), text);
}

static void add_texts(GString *key, char *const *texts)
{
	for (; texts != NULL && *texts != NULL; texts++)
		add_text(key, *texts);
}

static void add_value(GString *key, ConfigType type, gconstpointer value)
{
	switch (type) {
	case CONFIG_TYPE_TEXT:
	case CONFIG_TYPE_ADDRESS:
	case CONFIG_TYPE_LIST_URL:
		add_text(key, *(char *const *)value);
		return;
	case CONFIG_TYPE_ADDRESSES:
	case CONFIG_TYPE_URLS:
	case CONFIG_TYPE_MONITORS:
	case CONFIG_TYPE_TEXTS:
	case CONFIG_TYPE_ARGUMENTS:
		add_texts(key, *(char *const *const *)value);
		return;
	case CONFIG_TYPE_BOOLEAN:
		g_string_append_c(key, *(const gboolean *)value ? 'y' : 'n');
		return;
	case CONFIG_TYPE_WORD:
	case CONFIG_TYPE_INTEGER:
	case CONFIG_TYPE_SECONDS:
		g_string_append_printf(key, "%" G_GINT64_FORMAT, *(const gint64 *)value);
		return;
	case CONFIG_TYPE_THRESHOLD:
		g_string_append_printf(
			key, "%" G_GUINT64_FORMAT, ((const Threshold *)value)->numerator);
		return;
	case CONFIG_TYPE_STATUSES: {
		const ConfigStatuses *statuses = value;
		for (guint i = 0; i < G_N_ELEMENTS(statuses->bits); i++)
			g_string_append_printf(key, "%" G_GINT64_MODIFIER "x.", statuses->bits[i]);
		return;
	}
	case CONFIG_TYPE_WITHOUT_USE:
		return;
	}
	g_assert_not_reached();
}

static char *plan_key(const ConfigService *service, ConfigMonitor monitor)
{
	g_autofree char *name = g_ascii_strdown(config_monitor_names()[monitor], -1);
	g_autofree char *prefix = g_strconcat(name, ".", NULL);
	g_autoptr(GString) text = g_string_new(prefix);
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++) {
		if (key->scope != CONFIG_SCOPE_SERVICE || !g_str_has_prefix(key->name, prefix))
			continue;
		add_value(text, key->type, (const char *)service + key->offset);
		g_string_append_c(text, ';');
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

Plan *plan_new(const ConfigService *service, ConfigMonitor monitor, GError **error)
{
	const Monitor *way = monitors[monitor];
	g_assert(way != NULL);
	gpointer settings = NULL;
	if (way->settings_new != NULL) {
		GError *trouble = NULL;
		settings = way->settings_new(service, &trouble);
		if (trouble != NULL) {
			g_propagate_error(error, trouble);
			return NULL;
		}
	}
	Plan *plan = g_new0(Plan, 1);
	plan->monitor = way;
	plan->settings = settings;
	plan->references = 1;
	plan->slots = way->sockets == NULL ? 1 : way->sockets(settings);
	gint64 interval_ms = 0, timeout_ms = 0;
	way->times(service, &interval_ms, &timeout_ms);
	g_assert(interval_ms > 0 && timeout_ms > 0);
	plan->interval_us = interval_ms * 1000;
	plan->timeout_us = timeout_ms * 1000;
	return plan;
}

Plan *plan_get(
	GHashTable *plans, const ConfigService *service, ConfigMonitor monitor, GError **error)
{
	g_autofree char *key = plan_key(service, monitor);
	Plan *plan = g_hash_table_lookup(plans, key);
	if (plan != NULL) {
		plan->references++;
		return plan;
	}
	plan = plan_new(service, monitor, error);
	if (plan == NULL)
		return NULL;
	plan->key = g_steal_pointer(&key);
	plan->plans = plans;
	g_hash_table_insert(plans, plan->key, plan);
	return plan;
}

void plan_unref(Plan *plan)
{
	g_assert(plan->references > 0);
	if (--plan->references > 0)
		return;
	if (plan->plans != NULL)
		g_hash_table_remove(plan->plans, plan->key);
	while (plan->spare != NULL) {
		Exchange *exchange = plan->spare;
		plan->spare = exchange->next;
		g_free(exchange);
	}
	if (plan->settings != NULL)
		plan->monitor->settings_free(plan->settings);
	g_free(plan->key);
	g_free(plan);
}
