/* SPDX-License-Identifier: ISC
 *
 * Server lists as files and web servers hold them: one Python dict a line, as PyBal's, or JSON. A
 * bad line never hides the good ones; what to do about it is decided in guard.h.
 */
#ifndef BALANCE_SERVER_LIST_H
#define BALANCE_SERVER_LIST_H

#include <jansson.h>
#include "balance/pool.h"

#define SERVER_LIST_MAXIMUM_BYTES  (32 * 1024 * 1024)
#define SERVER_LIST_MAXIMUM_ERRORS 100 /* told one by one; the rest are counted */

typedef enum ServerListFormat { SERVER_LIST_LEGACY, SERVER_LIST_JSON } ServerListFormat;

typedef struct ServerList {
	GArray *entries;   /* PoolEntry, names owned by the list, by name, each once */
	GPtrArray *errors; /* char *: "NAME:3: …" */
	guint bad;	   /* how many errors there were */
} ServerList;

/* "legacy" or "json". Fails with DROVER_ERROR_INPUT. */
gboolean server_list_format_parse(const char *text, ServerListFormat *format, GError **error);
/* By the end of a path or URL: .json, or else legacy. */
ServerListFormat server_list_format_of(const char *url);

/* `name` is the list's name in errors. Never NULL: what cannot be read is an error in it. */
ServerList *server_list_parse(
	const char *name, ServerListFormat format, const char *text, gsize size_bytes);
void server_list_free(ServerList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServerList, server_list_free)

/* {"servers":{"a":{"enabled":true,"weight":10}},"errors":[…]}; a key that the list does not give
 * is not there. New reference. */
json_t *server_list_json(const ServerList *list);

/* One server's {enabled, weight} into `entry`, as lists in JSON and simulations have it. Returns
 * what is wrong with it, NULL when nothing is. Caller frees. */
char *server_list_read_entry(const json_t *attributes, PoolEntry *entry);
/* TRUE when it can be the name of a host: no blanks, no control characters, not too long. */
gboolean server_list_is_host(const char *name);

#endif
