/* SPDX-License-Identifier: ISC
 *
 * From a request to a reply, without a server and without a store: a request is a value, the house
 * behind the pages is five functions. door.c fills both in from the real ones, the tests from
 * fixtures.
 */
#ifndef PAGE_ROUTE_H
#define PAGE_ROUTE_H

#include "page/view.h"

/* Borrowed; NULL when absent. The path is percent-decoded. */
typedef struct PageRequest {
	const char *method, *path;
	GHashTable *query; /* char * to char *; NULL: none */
	const char *body;
	gsize body_size_bytes;
	const char *content_type, *origin, *fetch_site, *host, *if_none_match;
	const char *session, *flash; /* the cookies */
	const char *peer;
	gboolean secure;
} PageRequest;

typedef struct PageReply {
	int status;
	const char *type; /* NULL: no body */
	GBytes *body;
	GPtrArray *headers; /* char *: name, value, name, value … */
} PageReply;

typedef struct PageHouse {
	const char *base_url; /* NULL: unknown */
	gint64 now_us;
	/* api_call() */
	json_t *(*ask)(gpointer of, const Actor *actor, const char *method, const char *path,
		GHashTable *query, json_t *body, GError **error);
	/* identity_from_session() and its sisters */
	Actor *(*session)(gpointer of, const char *cookie, char **csrf, GError **error);
	gboolean (*log_in)(gpointer of, const char *name, const char *password, const char *peer,
		char **cookie, GError **error);
	gboolean (*log_in_by_link)(
		gpointer of, const char *code, const char *peer, char **cookie, GError **error);
	gboolean (*log_out)(gpointer of, const char *cookie, GError **error);
	gpointer of;
} PageHouse;

/* Never NULL. */
PageReply *page_route(const PageHouse *house, const PageRequest *request);
void page_reply_free(PageReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PageReply, page_reply_free)
/* The last header of that name, or NULL. */
const char *page_reply_header(const PageReply *reply, const char *name);

/* The static report, asked through the house. A new reference: the API's Report. */
json_t *report_ask(const PageHouse *house, const Actor *actor, GError **error);

#endif
