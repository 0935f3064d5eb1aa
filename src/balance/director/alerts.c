/* SPDX-License-Identifier: ISC
 *
 * Alerts: a short array, sorted. There are as many as there are services in trouble, times a few.
 */
#include "balance/director/alerts.h"

#include <string.h>

#include "base/format.h"
#include "base/log.h"

typedef struct Alert {
	char *service; /* NULL: the whole program */
	AlertKind kind;
	gint64 since_us;
	char *text;
} Alert;

struct Alerts {
	Clock clock;
	GPtrArray *list; /* Alert *, sorted */
};

static void alert_free(Alert *alert)
{
	g_free(alert->service);
	g_free(alert->text);
	g_free(alert);
}

Alerts *alerts_new(Clock clock)
{
	Alerts *alerts = g_new0(Alerts, 1);
	alerts->clock = clock;
	alerts->list = g_ptr_array_new_with_free_func((GDestroyNotify)alert_free);
	return alerts;
}

void alerts_free(Alerts *alerts)
{
	if (alerts == NULL)
		return;
	g_ptr_array_unref(alerts->list);
	g_free(alerts);
}

const char *alerts_kind_name(AlertKind kind)
{
	static const char *const names[] = {"held", "floor", "revoked", "set-aside", "list",
		"drover", "address", "kernel", "route", "configuration", "runner", "state"};
	G_STATIC_ASSERT(G_N_ELEMENTS(names) == ALERT_KINDS);
	return names[kind];
}

static int compare(const Alert *alert, const char *service, AlertKind kind)
{
	int by_service = g_strcmp0(alert->service, service);
	return by_service != 0 ? by_service : (int)alert->kind - (int)kind;
}

/* Where it is or belongs. */
static guint place_of(const Alerts *alerts, const char *service, AlertKind kind, gboolean *there)
{
	guint at = 0;
	while (at < alerts->list->len && compare(alerts->list->pdata[at], service, kind) < 0)
		at++;
	*there = at < alerts->list->len && compare(alerts->list->pdata[at], service, kind) == 0;
	return at;
}

static void say(LogLevel level, const char *event, const Alert *alert)
{
	log_event(level, event, "service", alert->service, "kind", alerts_kind_name(alert->kind),
		"text", alert->text, NULL);
}

static void raise_new(
	Alerts *alerts, guint at, const char *service, AlertKind kind, const char *text)
{
	Alert *alert = g_new0(Alert, 1);
	alert->service = g_strdup(service);
	alert->kind = kind;
	alert->since_us = clock_now_us(alerts->clock);
	alert->text = g_strdup(text);
	g_ptr_array_insert(alerts->list, (int)at, alert);
	say(LOG_LEVEL_ERROR, "alert.raised", alert);
}

gboolean alerts_set(Alerts *alerts, const char *service, AlertKind kind, const char *text)
{
	gboolean there;
	guint at = place_of(alerts, service, kind, &there);
	if (!there) {
		if (text != NULL)
			raise_new(alerts, at, service, kind, text);
		return text != NULL;
	}
	Alert *alert = alerts->list->pdata[at];
	if (text == NULL) {
		say(LOG_LEVEL_INFO, "alert.cleared", alert);
		g_ptr_array_remove_index(alerts->list, at);
		return TRUE;
	}
	if (strcmp(alert->text, text) == 0)
		return FALSE;
	g_free(alert->text);
	alert->text = g_strdup(text);
	say(LOG_LEVEL_WARNING, "alert.changed", alert);
	return TRUE;
}

void alerts_forget(Alerts *alerts, const char *service)
{
	for (guint i = alerts->list->len; i-- > 0;) {
		const Alert *alert = alerts->list->pdata[i];
		if (g_strcmp0(alert->service, service) == 0)
			g_ptr_array_remove_index(alerts->list, i);
	}
}

json_t *alerts_json(const Alerts *alerts)
{
	json_t *list = json_array();
	for (guint i = 0; i < alerts->list->len; i++) {
		const Alert *alert = alerts->list->pdata[i];
		g_autofree char *since = format_time(alert->since_us);
		json_array_append_new(
			list, json_pack("{s:s?, s:s, s:s, s:s}", "service", alert->service, "kind",
				      alerts_kind_name(alert->kind), "since", since, "text",
				      alert->text));
	}
	return list;
}

json_t *alerts_texts(const Alerts *alerts, const char *service)
{
	json_t *texts = json_array();
	for (guint i = 0; i < alerts->list->len; i++) {
		const Alert *alert = alerts->list->pdata[i];
		if (g_strcmp0(alert->service, service) == 0)
			json_array_append_new(texts, json_string(alert->text));
	}
	return texts;
}
