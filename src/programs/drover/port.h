/* SPDX-License-Identifier: ISC
 *
 * The one way from a command to the API: in this process on a store, or over HTTP to a server. The
 * commands cannot tell which: the same calls, the same answers, the same error codes.
 */
#ifndef DROVER_PORT_H
#define DROVER_PORT_H

#include "programs/settings.h"

typedef struct Port Port;

/* What an implementation fills in, as the first member of its own struct. */
struct Port {
	json_t *(*call)(Port *port, const char *method, const char *path, GHashTable *query,
		json_t *body, GError **error);
	void (*close)(Port *port);
	Store *store; /* NULL: there is only the API */
};

/* `settings` must outlive the port. An SQLite store that is not there is made; *made says so. Fails
 * with DROVER_ERROR_CONFLICT when an older or newer program made the store. */
Port *port_open_local(Settings *settings, Clock clock, gboolean *made, GError **error);
/* `token` may be NULL. Texts are copied. Fails with DROVER_ERROR_INPUT for what is no http(s) URL.
 */
Port *port_open_remote(const char *url, const char *token, const char *ca_file, GError **error);
void port_close(Port *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Port, port_close)

/* As api_call(): `path` is below /api/v1, its segments not encoded; `query` (text to text) and
 * `body` are borrowed and may be NULL. A new reference, or NULL with the error of the route. */
json_t *port_call(Port *port, const char *method, const char *path, GHashTable *query, json_t *body,
	GError **error);

/* The folder of `url` and what SQLite needs of it; TRUE in *made when the database is new. */
gboolean port_prepare_store(Settings *settings, gboolean *made, GError **error);

#endif
