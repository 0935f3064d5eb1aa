/* SPDX-License-Identifier: ISC
 *
 * One run of the command: what was typed (typed.h), and what a command asks of it. Settings and the
 * way to the API are opened when first asked for, so a command that asks for neither reads no
 * configuration, touches no store and runs as anyone.
 */
#ifndef DROVER_INVOCATION_H
#define DROVER_INVOCATION_H

#include "programs/drover/port.h"
#include "programs/terminal/typed.h"

/* Owned by the invocation. NULL with `error`. */
Settings *invocation_settings(Invocation *invocation, GError **error);
Port *invocation_port(Invocation *invocation, GError **error);
/* The store itself, schema checked. Fails with DROVER_ERROR_INPUT when the command works through a
 * server. */
Store *invocation_store(Invocation *invocation, GError **error);
/* TRUE when root may touch the store or is not what we are, and it is a store that we work on; for
 * commands that open it themselves. */
gboolean invocation_may_open_store(Invocation *invocation, GError **error);
/* The store if it was opened in this run and is ours, else NULL. */
Store *invocation_opened_store(const Invocation *invocation);
/* The server's URL, NULL when working on the store. */
const char *invocation_server(Invocation *invocation);
/* The options that make another drover see the same store: appended to `arguments` (char *). */
void invocation_same_place(Invocation *invocation, GPtrArray *arguments);

/* The API: `segments` make the path: invocation_call(i, "GET", NULL, NULL, error, "products", name,
 * NULL). Takes `query` and `body` (either may be NULL). */
json_t *invocation_call(Invocation *invocation, const char *method, GHashTable *query, json_t *body,
	GError **error, ...) G_GNUC_NULL_TERMINATED;
/* Pairs of name and value; a pair with a NULL value is left out: query_of("limit", "10", NULL). */
GHashTable *query_of(const char *name, ...) G_GNUC_NULL_TERMINATED;
/* An object of texts, NULL values left out: body_of("item", item, "state", "ok", NULL). */
json_t *body_of(const char *name, ...) G_GNUC_NULL_TERMINATED;

/* The product that is meant: `named` (an argument, may be NULL), or --product, or the only one
 * there is. */
char *invocation_product(Invocation *invocation, const char *named, GError **error);

#endif
