/* SPDX-License-Identifier: ISC
 *
 * What this node says to droverd, and what its answers mean (docs/node.md, "Following a channel").
 */
#ifndef DROVER_NODE_DROVERD_H
#define DROVER_NODE_DROVERD_H

#include "node/orders.h"
#include "wire/json.h"

#define DROVERD_WAIT_S		     25 /* for which a question about orders is left unanswered */
#define DROVERD_MAXIMUM_CODE_BYTES   1024
#define DROVERD_MAXIMUM_ANSWER_BYTES (2 * 1024 * 1024)

typedef struct DroverdDoor {
	const char *server;	/* "https://HOST:PORT" */
	const char *ca_file;	/* NULL: the system's */
	const char *token_file; /* read for each call: a new token counts at once */
} DroverdDoor;

/* Asks what should run; `after` is the version of the orders that we have, -1: none, answer at
 * once. Fails with DROVER_ERROR_UNAUTHENTICATED or DROVER_ERROR_DENIED (our token counts no more:
 * what to do is said), DROVER_ERROR_UNAVAILABLE, or as orders_parse() does. */
Orders *droverd_ask(const DroverdDoor *door, gint64 after, GError **error);
/* *warning becomes what droverd thinks of our clock, NULL for nothing. Caller frees. */
gboolean droverd_report(
	const DroverdDoor *door, const json_t *report, char **warning, GError **error);
/* Trades a one-time code for a token, which lands in the token file; that it can be written is seen
 * to before the code is used up. Returns the name that droverd knows us by; caller frees. */
char *droverd_enrol(const DroverdDoor *door, const char *code, GError **error);

#endif
