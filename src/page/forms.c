/* SPDX-License-Identifier: ISC
 *
 * The forms as one table: where each is sent, which API route it becomes, and where the person goes
 * next. A form does nothing that the API does not do for anybody else; what it refuses, the page
 * says at the form.
 */
#include "page/reply.h"
#include "page/visit.h"

#include "base/format.h"

#include <string.h>

#define LANDING "/products/{product}/landings/{landing}"
#define POOL	"/pools/{pool}"

static const FormRoute forms[] = {
	{"/products", "/", show_overview, "POST", "/products", "name title repository branch",
		"product-add", "/products/{name}", NULL},
	{"/products/{product}", "/products/{product}", show_product, "PATCH", "/products/{product}",
		"data_version:i title repository:n branch item_patterns item_url:n "
		"authors_may_rule:b "
		"baseline:m mail_list:n overdue_days:i overdue_every_days:i remind:b reason",
		"product", "/products/{product}", NULL},
	{"/products/{product}/scan", "/products/{product}", show_product, "POST",
		"/products/{product}/scan", NULL, "scan", "/products/{product}", NULL},
	{"/products/{product}/rebase", "/products/{product}", show_product, "POST",
		"/products/{product}/rebase", "confirm:b reason", "rebase", "/products/{product}",
		NULL},
	{LANDING "/verdicts", LANDING, show_landing, "POST", LANDING "/verdicts",
		"item state reason", "verdict", LANDING, NULL},
	{"/maintenance", "/maintenance", show_maintenance, "PUT", "/maintenance", "on:b reason",
		"maintenance", "/maintenance", NULL},
	{"/notices/remind", "/notices", show_notices, "POST", "/jobs/remind", NULL, "remind",
		"/notices", NULL},
	{"/people", "/people", show_people, "POST", "/people", "name email password", "person-add",
		"/people/{name}", NULL},
	{"/people/{name}", "/people/{name}", show_person, "PATCH", "/people/{name}",
		"data_version:i email disabled:b password", "person", "/people/{name}", NULL},
	{"/people/{name}/password", "/people/{name}", show_person, "PUT", "/people/{name}/password",
		"old new", "password", "/login", NULL},
	{"/people/{name}/roles", "/people/{name}", show_person, "PUT", "/people/{name}/roles",
		"product role reason", "role-grant", "/people/{name}", NULL},
	{"/people/{name}/roles/revoke", "/people/{name}", show_person, "DELETE",
		"/people/{name}/roles", "product role reason", "role-revoke", "/people/{name}",
		NULL},
	{"/people/{name}/login-link", "/people/{name}", show_person, "POST",
		"/people/{name}/login-link", NULL, NULL, NULL, NULL},
	{"/tokens", "/tokens", show_tokens, "POST", "/tokens", "name person expires_days:i", NULL,
		NULL, NULL},
	{"/tokens/{id}/revoke", "/tokens", show_tokens, "DELETE", "/tokens/{id}", NULL,
		"token-revoke", "/tokens", NULL},
	{"/hosts", "/hosts", show_hosts, "POST", "/hosts", "name kind", NULL, NULL, NULL},
	{"/pools", "/pools", show_pools, "POST", "/pools", "name title", "pool-add",
		"/pools/{name}", NULL},
	{POOL, POOL, show_pool, "PATCH", POOL, "data_version:i title:n notes:n", "pool", POOL,
		NULL},
	{POOL "/remove", POOL, show_pool, "DELETE", POOL, "data_version:i reason", "pool-remove",
		"/pools", NULL},
	{POOL "/servers", POOL, show_pool, "PUT", POOL "/servers/{host}",
		"data_version:i weight:i enabled:b reason", "pool-server", POOL, NULL},
	{POOL "/servers/remove", POOL, show_pool, "DELETE", POOL "/servers/{host}",
		"data_version:i reason", "pool-server", POOL, NULL},
	{POOL "/orders", POOL, show_pool, "PUT", POOL "/servers/{host}/order",
		"order order_id:i force:b reason", "pool-order", POOL, NULL},
	{POOL "/forget", POOL, show_pool, "DELETE", POOL "/balancers/{balancer}", "reason",
		"pool-forget", POOL, NULL},
	{"/hosts/{name}/revoke", "/hosts", show_hosts, "DELETE", "/hosts/{name}", NULL,
		"host-revoke", "/hosts", NULL},
};

const FormRoute *form_find(Visit *visit, const char *path)
{
	for (gsize index = 0; index < G_N_ELEMENTS(forms); index++)
		if (visit_matches(forms[index].path, path, visit->parameters))
			return &forms[index];
	return form_find_channel(visit, path);
}

/* "2026-11-24T09:00" of a field that knows no zone is UTC; else as people write instants. */
static json_t *instant_value(const char *name, const char *text, GError **error)
{
	gint64 time_us = 0;
	g_autofree char *whole = strlen(text) == strlen("2026-11-24T09:00") && text[10] == 'T'
					 ? g_strdup_printf("%s:00Z", text)
					 : g_strdup(text);
	if (parse_time(whole, &time_us, error))
		return json_time_or_null(time_us);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}

static json_t *field_value(const char *name, char type, const char *text, GError **error)
{
	gint64 number = 0;
	if (type == 'i' || type == 'm')
		return parse_integer(text, name, 0, G_MAXINT64, &number, error)
			       ? json_integer(number)
			       : NULL;
	if (type == 'w')
		return instant_value(name, text, error);
	if (type == 'j')
		return json_read(name, text, strlen(text), error);
	if (type != 'b') /* 't', 'n' */
		return json_string(text);
	if (g_str_equal(text, "yes") || g_str_equal(text, "no"))
		return json_boolean(g_str_equal(text, "yes"));
	drover_error_set(
		error, DROVER_ERROR_INPUT, "%s: must be \"yes\" or \"no\", not \"%s\"", name, text);
	return NULL;
}

json_t *form_body(const char *fields, GHashTable *given, GError **error)
{
	g_autoptr(json_t) body = json_object();
	g_auto(GStrv) specifications = g_strsplit(fields, " ", -1);
	for (guint index = 0; specifications[index]; index++) {
		char *name = specifications[index];
		char *colon = strchr(name, ':');
		char type = colon ? colon[1] : 't';
		if (colon)
			*colon = '\0';
		const char *text = g_hash_table_lookup(given, name);
		gboolean nothing_is_null = type == 'n' || type == 'm';
		if (!text || (!*text && !nothing_is_null))
			continue;
		json_t *value = *text ? field_value(name, type, text, error) : json_null();
		if (!value)
			return NULL;
		json_object_set_new(body, name, value);
	}
	return g_steal_pointer(&body);
}

PageReply *form_send(Visit *visit, const FormRoute *route, GError **error)
{
	g_autoptr(json_t) body = NULL;
	if (route->make)
		body = route->make(visit, error);
	else if (route->fields)
		body = form_body(route->fields, visit->fields, error);
	if (!body && (route->make || route->fields))
		return NULL;
	g_autoptr(json_t) answer =
		visit_ask(visit, route->api_method, route->api_path, NULL, body, error);
	if (!answer)
		return NULL;
	if (route->flash) {
		visit->answered = answer;
		g_autofree char *then = visit_path(visit, route->then, TRUE);
		visit->answered = NULL;
		return reply_redirect(visit->request, then, route->flash);
	}
	char *html = route->show(visit, answer, error);
	return html ? reply_page(200, html) : NULL;
}
