/* SPDX-License-Identifier: ISC
 *
 * /alerts: what a monitoring system asks. PyBal's two sentences come first, for each pool; then
 * what the director itself is worried about.
 */
#include <string.h>

#include "balance/director/face.h"
#include "balance/director/face_parts.h"

typedef struct Gathered {
	GPtrArray *critical, *warning; /* char * */
} Gathered;

static char *names_of_held(const json_t *servers)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	gsize index;
	json_t *server;
	json_array_foreach ((json_t *)servers, index, server)
		if (face_is(server, "held"))
			g_ptr_array_add(names, (char *)face_text(server, "host"));
	g_ptr_array_add(names, NULL);
	return names->len > 1 ? g_strjoinv(", ", (char **)names->pdata) : NULL;
}

static void gather_service(const json_t *service, const Gathered *into)
{
	const char *name = face_text(service, "name");
	const json_t *servers = json_object_get(service, "servers");
	g_autofree char *held = names_of_held(servers);
	gsize count = json_array_size(servers);
	if (held != NULL)
		g_ptr_array_add(into->critical,
			g_strdup_printf("%s: Servers %s are marked down but pooled", name, held));
	else if (count > 0 && face_number(service, "needed") >= (double)count)
		g_ptr_array_add(into->warning,
			g_strdup_printf("Pool %s is too small to allow depooling", name));
}

static gboolean is_critical(const char *kind)
{
	static const char *const kinds[] = {"floor", "kernel", "route", NULL};
	return g_strv_contains(kinds, kind);
}

/* Held servers have been told already, by name. */
static void gather_alert(const json_t *alert, const Gathered *into)
{
	const char *kind = face_text(alert, "kind"), *service = face_text(alert, "service");
	if (strcmp(kind, "held") == 0)
		return;
	g_ptr_array_add(is_critical(kind) ? into->critical : into->warning,
		g_strconcat(service, *service != '\0' ? ": " : "", face_text(alert, "text"), NULL));
}

static char *joined(GPtrArray *first, GPtrArray *second)
{
	g_ptr_array_extend_and_steal(first, g_ptr_array_ref(second));
	g_ptr_array_add(first, NULL);
	char *text = g_strjoinv("; ", (char **)first->pdata);
	return g_strdelimit(text, "\r\n", ' ');
}

FaceAlerts face_alerts(const json_t *status)
{
	g_autoptr(GPtrArray) critical = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) warning = g_ptr_array_new_with_free_func(g_free);
	Gathered into = {critical, warning};
	gsize index;
	json_t *each;
	json_array_foreach (json_object_get(status, "services"), index, each)
		gather_service(each, &into);
	json_array_foreach (json_object_get(status, "alerts"), index, each)
		gather_alert(each, &into);
	const char *word = critical->len > 0 ? "critical" : warning->len > 0 ? "warning" : "ok";
	if (critical->len + warning->len == 0)
		return (FaceAlerts){word, g_strdup("All pools are healthy")};
	return (FaceAlerts){word, joined(critical, warning)};
}
