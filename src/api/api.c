/* SPDX-License-Identifier: ISC
 *
 * The one way through the API: find the route, check the role, look at the maintenance switch, open
 * the transaction, call.
 */
#include "api/api.h"

#include <string.h>

#include "api/maintenance.h"
#include "api/routes.h"
#include "base/embedded.h"
#include "base/format.h"
#include "store/history.h"

extern const EmbeddedFile api_documents[];

enum { MAXIMUM_SEGMENTS = 8 };

static json_t *show_document(ApiCall *call, GError **error)
{
	return json_read("openapi.json", api_document(), strlen(api_document()), error);
}

static const ApiRoute document_routes[] = {
	{"GET", "/openapi.json", ROLE_NONE, API_PUBLIC, show_document},
	{0},
};

static const ApiRoute *const tables[] = {
	document_routes,
	api_status_routes,
	api_product_routes,
	api_landing_routes,
	api_where_routes,
	api_verdict_routes,
	api_job_routes,
	api_maintenance_routes,
	api_history_routes,
	api_store_routes,
	api_notice_routes,
	api_report_routes,
	api_person_routes,
	api_password_routes,
	api_token_routes,
	api_host_routes,
	api_pool_routes,
	api_channel_routes,
	api_channel_question_routes,
	api_table_routes,
	api_edit_routes,
	api_change_routes,
	api_go_live_routes,
	api_release_routes,
	api_publish_routes,
	api_node_routes,
};

const char *api_document(void)
{
	return (const char *)api_documents[0].bytes;
}

void api_each_route(void (*visit)(const ApiRoute *route, gpointer of), gpointer of)
{
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		for (const ApiRoute *route = tables[i]; route->method != NULL; route++)
			visit(route, of);
}

static gboolean is_parameter(const char *segment)
{
	return *segment == '{';
}

/* Both paths begin with '/'. Parameters are added to `parameters` unless it is NULL. */
static gboolean path_matches(const char *pattern, const char *path, GHashTable *parameters)
{
	g_auto(GStrv) wanted = g_strsplit(pattern, "/", MAXIMUM_SEGMENTS);
	g_auto(GStrv) given = g_strsplit(path, "/", MAXIMUM_SEGMENTS);
	if (g_strv_length(wanted) != g_strv_length(given))
		return FALSE;
	for (int i = 0; wanted[i] != NULL; i++) {
		gboolean fits = is_parameter(wanted[i]) ? *given[i] != '\0'
							: strcmp(wanted[i], given[i]) == 0;
		if (!fits)
			return FALSE;
	}
	for (int i = 0; parameters != NULL && wanted[i] != NULL; i++)
		if (is_parameter(wanted[i]))
			g_hash_table_insert(parameters,
				g_strndup(wanted[i] + 1, strlen(wanted[i]) - 2),
				g_strdup(given[i]));
	return TRUE;
}

static guint count_parameters(const char *path)
{
	guint count = 0;
	for (; *path != '\0'; path++)
		count += *path == '{';
	return count;
}

/* Words win over parameters: /history/verify is not /history/{sequence}. */
const ApiRoute *api_find_route(const char *method, const char *path)
{
	const ApiRoute *found = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		for (const ApiRoute *route = tables[i]; route->method != NULL; route++) {
			if (strcmp(route->method, method) != 0 ||
				!path_matches(route->path, path, NULL))
				continue;
			if (found == NULL ||
				count_parameters(route->path) < count_parameters(found->path))
				found = route;
		}
	}
	return found;
}

static gboolean may_call(const ApiRoute *route, ApiCall *call, GError **error)
{
	const Actor *actor = call->actor;
	if (route->flags & API_PUBLIC)
		return TRUE;
	if (route->flags & API_HOST) {
		if (actor->kind == ACTOR_HOST)
			return TRUE;
		drover_error_set(error,
			actor->kind == ACTOR_NOBODY ? DROVER_ERROR_UNAUTHENTICATED
						    : DROVER_ERROR_DENIED,
			"only an enrolled host may call this, with its own token");
		return FALSE;
	}
	if (actor->kind == ACTOR_HOST) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s is a host: its token opens only the routes for hosts", actor->name);
		return FALSE;
	}
	if (route->flags & API_SELF && actor->kind != ACTOR_NOBODY)
		return TRUE;
	Role role = route->role == ROLE_NONE ? ROLE_VIEWER : route->role;
	const char *product = route->flags & API_ANYWHERE ? "" : api_parameter(call, "product");
	return actor_require(actor, role, product, error);
}

typedef struct Under {
	const ApiRoute *route;
	ApiCall *call;
	json_t *answer;
} Under;

static gboolean run_handler(Store *store, gpointer of, GError **error)
{
	Under *under = of;
	g_clear_pointer(&under->answer, json_decref);
	under->answer = under->route->handler(under->call, error);
	return under->answer != NULL;
}

/* The switch is read in the transaction that writes, so nothing slips past it. */
static gboolean run_writer(Store *store, gpointer of, GError **error)
{
	Under *under = of;
	if (!(under->route->flags & API_EVEN_IN_MAINTENANCE) &&
		!maintenance_refuse(under->call->site, store, error))
		return FALSE;
	return run_handler(store, of, error);
}

static gboolean run_in_transaction(Under *under, GError **error)
{
	Store *store = under->call->store;
	ApiFlags flags = under->route->flags;
	if (flags & API_WRITE)
		return store_write(store, run_writer, under, error);
	if (flags & API_OWN_TRANSACTION)
		return run_handler(store, under, error);
	if (flags & API_JOB)
		return run_writer(store, under, error);
	return store_read(store, run_handler, under, error);
}

json_t *api_call(const ApiSite *site, Store *store, const Actor *actor, const char *method,
	const char *path, GHashTable *query, json_t *body, GError **error)
{
	const ApiRoute *route = api_find_route(method, path);
	if (route == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no %s %s%s; the routes are in " API_PREFIX "/openapi.json",
			method, API_PREFIX, path);
		return NULL;
	}
	g_autoptr(GHashTable) parameters =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	path_matches(route->path, path, parameters);
	ApiCall call = {site, store, actor, parameters, query, body};
	if (!may_call(route, &call, error))
		return NULL;
	Under under = {route, &call, NULL};
	if (!run_in_transaction(&under, error)) {
		g_clear_pointer(&under.answer, json_decref);
		return NULL;
	}
	return under.answer;
}

gint64 api_now_us(const ApiCall *call)
{
	return clock_now_us(call->site->clock);
}

const char *api_parameter(const ApiCall *call, const char *name)
{
	return g_hash_table_lookup(call->parameters, name);
}

const char *api_query(const ApiCall *call, const char *name)
{
	return call->query != NULL ? g_hash_table_lookup(call->query, name) : NULL;
}

gboolean api_query_integer(const ApiCall *call, const char *name, gint64 fallback, gint64 minimum,
	gint64 maximum, gint64 *value, GError **error)
{
	const char *text = api_query(call, name);
	*value = fallback;
	return text == NULL || parse_integer(text, name, minimum, maximum, value, error);
}

gboolean api_require_body(const ApiCall *call, GError **error)
{
	if (json_is_object(call->body))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "the body must be a JSON object");
	return FALSE;
}

gboolean api_reason(const ApiCall *call, const char **reason, GError **error)
{
	*reason = NULL;
	return call->body == NULL || json_field_text(call->body, "reason", FALSE,
					     API_MAXIMUM_REASON_BYTES, reason, error);
}

gboolean api_record(ApiCall *call, const char *action, const char *subject, const char *reason,
	const json_t *before, const json_t *after, GError **error)
{
	g_autofree char *before_text = before != NULL ? json_write(before) : NULL;
	g_autofree char *after_text = after != NULL ? json_write(after) : NULL;
	return history_append(call->store, api_now_us(call), call->actor->name, action, subject,
		reason, before_text, after_text, error);
}
