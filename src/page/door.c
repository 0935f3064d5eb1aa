/* SPDX-License-Identifier: ISC
 *
 * The door: a server's request becomes a value, the house behind the pages is the API and the
 * identities of this process, and the reply becomes a server's answer.
 */
#include "page/page.h"

#include "api/identity.h"
#include "page/guard.h"
#include "page/route.h"

typedef struct Door {
	const ApiSite *site;
	Store *store;
} Door;

static json_t *ask(gpointer of, const Actor *actor, const char *method, const char *path,
	GHashTable *query, json_t *body, GError **error)
{
	const Door *door = of;
	return api_call(door->site, door->store, actor, method, path, query, body, error);
}

static Actor *session(gpointer of, const char *cookie, char **csrf, GError **error)
{
	const Door *door = of;
	return identity_from_session(door->site, door->store, cookie, csrf, error);
}

static gboolean log_in(gpointer of, const char *name, const char *password, const char *peer,
	char **cookie, GError **error)
{
	const Door *door = of;
	return identity_log_in(door->site, door->store, name, password, peer, cookie, error);
}

static gboolean log_in_by_link(
	gpointer of, const char *code, const char *peer, char **cookie, GError **error)
{
	const Door *door = of;
	return identity_log_in_by_link(door->site, door->store, code, peer, cookie, error);
}

static gboolean log_out(gpointer of, const char *cookie, GError **error)
{
	const Door *door = of;
	return identity_log_out(door->store, cookie, error);
}

static PageHouse house_of(Door *door)
{
	return (PageHouse){
		.base_url = door->site->base_url,
		.now_us = clock_now_us(door->site->clock),
		.ask = ask,
		.session = session,
		.log_in = log_in,
		.log_in_by_link = log_in_by_link,
		.log_out = log_out,
		.of = door,
	};
}

static HttpAnswer *answer_of(const PageReply *reply)
{
	HttpAnswer *answer =
		reply->type ? http_answer_new_bytes(reply->status, reply->type, reply->body)
			    : http_answer_new(reply->status, NULL, NULL, 0);
	for (guint index = 0; index + 1 < reply->headers->len; index += 2)
		http_answer_header(
			answer, reply->headers->pdata[index], reply->headers->pdata[index + 1]);
	return answer;
}

HttpAnswer *page_answer(const ApiSite *site, Store *store, const HttpRequest *request)
{
	Door door = {site, store};
	PageHouse house = house_of(&door);
	GBytes *body = http_request_body(request);
	gsize size_bytes = 0;
	const char *bytes = body ? g_bytes_get_data(body, &size_bytes) : NULL;
	g_autofree char *session_cookie = http_request_cookie(request, SESSION_COOKIE);
	g_autofree char *flash = http_request_cookie(request, FLASH_COOKIE);
	PageRequest asked = {
		.method = http_request_method(request),
		.path = http_request_path(request),
		.query = http_request_queries(request),
		.body = bytes,
		.body_size_bytes = size_bytes,
		.content_type = http_request_header(request, "Content-Type"),
		.origin = http_request_header(request, "Origin"),
		.fetch_site = http_request_header(request, "Sec-Fetch-Site"),
		.host = http_request_header(request, "Host"),
		.if_none_match = http_request_header(request, "If-None-Match"),
		.session = session_cookie,
		.flash = flash,
		.peer = http_request_peer(request),
		.secure = http_request_is_secure(request),
	};
	g_autoptr(PageReply) reply = page_route(&house, &asked);
	return answer_of(reply);
}

json_t *page_report(const ApiSite *site, Store *store, const Actor *actor, GError **error)
{
	Door door = {site, store};
	PageHouse house = house_of(&door);
	return report_ask(&house, actor, error);
}
