/* SPDX-License-Identifier: ISC
 *
 * The admin listener: who asks, and which door. It may block on the database.
 */
#include <string.h>

#include "api/identity.h"
#include "api/node.h"
#include "api/pool.h"
#include "base/log.h"
#include "base/secret.h"
#include "page/page.h"
#include "programs/droverd/daemon.h"

#define RETRY_AFTER_SECONDS "5"
#define NODE_ORDERS	    API_PREFIX "/node/orders"

static void common_headers(HttpAnswer *answer)
{
	http_answer_header(answer, "Cache-Control", "no-store");
	http_answer_header(answer, "X-Content-Type-Options", "nosniff");
	http_answer_header(
		answer, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	http_answer_header(answer, "Referrer-Policy", "same-origin");
}

static HttpAnswer *json_answer(int status, const json_t *value)
{
	g_autofree char *text = json_write(value);
	HttpAnswer *answer = http_answer_new(status, "application/json", text, -1);
	common_headers(answer);
	return answer;
}

static void count_error(Daemon *daemon, const GError *error)
{
	if (drover_error_is(error, DROVER_ERROR_UNAVAILABLE))
		daemon_count(daemon, unavailable);
	else if (drover_error_is(error, DROVER_ERROR_UNAUTHENTICATED) ||
		 drover_error_is(error, DROVER_ERROR_DENIED))
		daemon_count(daemon, api_refused);
	else if (drover_error_is(error, DROVER_ERROR_INTERNAL) || error->domain != DROVER_ERROR)
		daemon_count(daemon, errors);
}

static HttpAnswer *error_answer(Daemon *daemon, const HttpRequest *request, const GError *error)
{
	int code = error->domain == DROVER_ERROR ? error->code : DROVER_ERROR_INTERNAL;
	count_error(daemon, error);
	if (code == DROVER_ERROR_INTERNAL)
		log_event(LOG_LEVEL_ERROR, "api.fault", "method", http_request_method(request),
			"path", http_request_path(request), "why", error->message, NULL);
	g_autoptr(json_t) body = json_pack("{s:{s:s, s:o}}", "error", "kind",
		drover_error_kind(code), "message", json_text_or_null(error->message));
	HttpAnswer *answer = json_answer(http_status_of_error(error), body);
	if (code == DROVER_ERROR_UNAVAILABLE || code == DROVER_ERROR_MAINTENANCE ||
		code == DROVER_ERROR_LOCKED)
		http_answer_header(answer, "Retry-After", RETRY_AFTER_SECONDS);
	if (code == DROVER_ERROR_RATE)
		http_answer_header(answer, "Retry-After", "60");
	if (code == DROVER_ERROR_UNAUTHENTICATED)
		http_answer_header(answer, "WWW-Authenticate", "Bearer realm=\"drover\"");
	return answer;
}

/* A session opens the API to the pages' own script too; what changes something then needs the
 * session's token, which no other site can know. */
static Actor *actor_of_session(Daemon *daemon, Store *store, const HttpRequest *request,
	const char *cookie, GError **error)
{
	g_autofree char *csrf = NULL;
	g_autoptr(Actor) actor = identity_from_session(&daemon->site, store, cookie, &csrf, error);
	if (actor == NULL)
		return NULL;
	if (strcmp(http_request_method(request), "GET") == 0)
		return g_steal_pointer(&actor);
	const char *given = http_request_header(request, "X-CSRF-Token");
	if (given != NULL && secret_equal(given, csrf))
		return g_steal_pointer(&actor);
	drover_error_set(error, DROVER_ERROR_DENIED,
		"a request by session cookie must carry the session's token in X-CSRF-Token");
	return NULL;
}

static Actor *actor_of(Daemon *daemon, Store *store, const HttpRequest *request, GError **error)
{
	const char *authorization = http_request_header(request, "Authorization");
	if (authorization != NULL) {
		g_autofree char *secret = NULL;
		if (g_ascii_strncasecmp(authorization, "Bearer ", 7) == 0) {
			secret = g_strstrip(g_strdup(authorization + 7));
			return identity_from_token(&daemon->site, store, secret, error);
		}
		drover_error_set(error, DROVER_ERROR_UNAUTHENTICATED,
			"Authorization must be 'Bearer TOKEN'");
		return NULL;
	}
	g_autofree char *cookie = http_request_cookie(request, SESSION_COOKIE);
	if (cookie != NULL)
		return actor_of_session(daemon, store, request, cookie, error);
	return actor_new(ACTOR_NOBODY, "nobody", "api", 0);
}

static gboolean is_json(const char *type)
{
	static const char expected[] = "application/json";
	gsize length = strlen(expected);
	return type != NULL && g_ascii_strncasecmp(type, expected, length) == 0 &&
	       (type[length] == '\0' || strchr("; \t", type[length]) != NULL);
}

static gboolean read_body(const HttpRequest *request, json_t **body, GError **error)
{
	gsize size_bytes;
	const char *bytes = g_bytes_get_data(http_request_body(request), &size_bytes);
	*body = NULL;
	if (size_bytes == 0)
		return TRUE;
	if (!is_json(http_request_header(request, "Content-Type"))) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the body must be sent as Content-Type: application/json");
		return FALSE;
	}
	*body = json_read("body", bytes, size_bytes, error);
	return *body != NULL;
}

/* How long this question waits for orders when its asker has the newest already; 0: it does not. */
static gint64 patience_ms(const HttpRequest *request)
{
	const char *path = http_request_path(request);
	const char *wait = http_request_query(request, "wait");
	if (strcmp(http_request_method(request), "GET") != 0)
		return 0;
	if (g_str_has_prefix(path, API_PREFIX "/pools/") && g_str_has_suffix(path, "/orders"))
		return POOL_POLL_MS;
	if (strcmp(path, NODE_ORDERS) != 0)
		return 0;
	return 1000 * (wait != NULL ? g_ascii_strtoll(wait, NULL, 10) : NODE_POLL_S);
}

/* A host that has the newest orders already is answered when there are others. The question was
 * understood, so its numbers are such. */
static HttpAnswer *wait_for_orders(const HttpRequest *request, const json_t *answer)
{
	const char *after = http_request_query(request, "after");
	gint64 left_ms = patience_ms(request) - (gint64)http_request_waited_ms(request);
	if (after == NULL || left_ms <= 0)
		return NULL;
	gint64 version = json_integer_of(answer, "version");
	g_autofree char *newest = g_strdup_printf("%" G_GINT64_FORMAT, version);
	if (strcmp(after, newest) != 0)
		return NULL;
	const char *pool = json_text(answer, "pool");
	g_autofree char *topic =
		pool != NULL ? pool_topic(pool) : node_topic(json_text(answer, "node"));
	return http_answer_new_wait(topic, version, (guint)left_ms);
}

static HttpAnswer *answer_api(Daemon *daemon, Store *store, const HttpRequest *request)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) body = NULL;
	daemon_count(daemon, api_requests);
	g_autoptr(Actor) actor = actor_of(daemon, store, request, &error);
	if (actor == NULL || !read_body(request, &body, &error))
		return error_answer(daemon, request, error);
	g_autoptr(json_t) answer = api_call(&daemon->site, store, actor,
		http_request_method(request), http_request_path(request) + strlen(API_PREFIX),
		http_request_queries(request), body, &error);
	if (answer == NULL)
		return error_answer(daemon, request, error);
	HttpAnswer *wait = wait_for_orders(request, answer);
	return wait != NULL ? wait : json_answer(200, answer);
}

/* What identity_again() takes: the secret that this request was let in by. Caller frees. */
static char *secret_of(const HttpRequest *request)
{
	const char *authorization = http_request_header(request, "Authorization");
	return authorization != NULL ? g_strstrip(g_strdup(authorization + strlen("Bearer ")))
				     : http_request_cookie(request, SESSION_COOKIE);
}

static HttpAnswer *answer_events(Daemon *daemon, Store *store, const HttpRequest *request)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Actor) actor = actor_of(daemon, store, request, &error);
	if (actor == NULL || !actor_require(actor, ROLE_VIEWER, "", &error))
		return error_answer(daemon, request, error);
	g_autofree char *secret = secret_of(request);
	HttpAnswer *answer = http_answer_new_stream(daemon->events, secret);
	common_headers(answer);
	return answer;
}

static gboolean read_changes(Store *store, gpointer of, GError **error)
{
	return store_counter_get(store, STORE_CHANGES, of, error);
}

/* Healthy is to reach the database: a balancer in front of several droverds asks this. */
static HttpAnswer *answer_health(Daemon *daemon, Store *store)
{
	g_autoptr(GError) error = NULL;
	gint64 changes;
	gboolean well = store_read(store, read_changes, &changes, &error);
	HttpAnswer *answer = well ? http_answer_new(200, "text/plain; charset=utf-8", "ok\n", -1)
				  : http_answer_new(503, "text/plain; charset=utf-8",
					    "the database is away\n", -1);
	common_headers(answer);
	if (!well)
		http_answer_header(answer, "Retry-After", RETRY_AFTER_SECONDS);
	(void)daemon;
	return answer;
}

/* While the database is away nobody can be told who asks, and that is what must be told. */
static HttpAnswer *answer_metrics(Daemon *daemon, Store *store, const HttpRequest *request)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Actor) actor = actor_of(daemon, store, request, &error);
	if (actor == NULL && !drover_error_is(error, DROVER_ERROR_UNAVAILABLE))
		return error_answer(daemon, request, error);
	if (actor == NULL)
		actor = actor_new(ACTOR_NOBODY, "nobody", "api", 0);
	g_autofree char *text = metrics_text(daemon, store, actor);
	HttpAnswer *answer =
		http_answer_new(200, "text/plain; version=0.0.4; charset=utf-8", text, -1);
	common_headers(answer);
	return answer;
}

static HttpAnswer *answer_with(Daemon *daemon, Store *store, const HttpRequest *request)
{
	const char *path = http_request_path(request);
	if (g_str_has_prefix(path, API_PREFIX "/"))
		return answer_api(daemon, store, request);
	if (strcmp(path, "/events") == 0)
		return answer_events(daemon, store, request);
	if (strcmp(path, "/healthz") == 0)
		return answer_health(daemon, store);
	if (strcmp(path, "/metrics") == 0)
		return answer_metrics(daemon, store, request);
	daemon_count(daemon, page_requests);
	return page_answer(&daemon->site, store, request);
}

HttpAnswer *admin_answer(const HttpRequest *request, gpointer of)
{
	Daemon *daemon = of;
	/* There are as many stores as workers, so this never waits for long. */
	Store *store = g_async_queue_pop(daemon->stores);
	HttpAnswer *answer = answer_with(daemon, store, request);
	g_async_queue_push(daemon->stores, store);
	if (strcmp(http_request_method(request), "GET") != 0)
		daemon_nudge(daemon);
	return answer;
}

gsize admin_body_limit(const char *method, const char *path, gpointer of)
{
	gboolean is_post = strcmp(method, "POST") == 0;
	(void)of;
	if (is_post && g_str_has_prefix(path, API_PREFIX "/products/") &&
		g_str_has_suffix(path, "/landings"))
		return API_MAXIMUM_IMPORT_BYTES;
	if (is_post && g_str_has_prefix(path, API_PREFIX "/products/") &&
		g_str_has_suffix(path, "/releases"))
		return API_MAXIMUM_RELEASE_BYTES;
	if (is_post && g_str_has_prefix(path, API_PREFIX "/pools/") &&
		g_str_has_suffix(path, "/reports"))
		return API_MAXIMUM_REPORT_BYTES;
	if (strcmp(path, API_PREFIX "/edits") == 0 || g_str_has_prefix(path, API_PREFIX "/changes"))
		return API_MAXIMUM_EDIT_BYTES;
	return API_MAXIMUM_BODY_BYTES;
}
