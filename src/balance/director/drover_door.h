/* SPDX-License-Identifier: ISC
 *
 * The way to one pool of one droverd: its addresses, who we are, and what its refusals mean.
 */
#ifndef BALANCE_DIRECTOR_DROVER_DOOR_H
#define BALANCE_DIRECTOR_DROVER_DOOR_H

#include "balance/director/fetch.h"
#include "balance/director/source.h"

#define DROVER_DOOR_PORT "8461" /* droverd's admin address, unless the URL says another */

typedef struct DroverDoor {
	char *server; /* "https://HOST:PORT" */
	char *pool;   /* its name */
	char *agent;
	char *token_file, *ca_file; /* NULL: none */
	SourcePace pace;
} DroverDoor;

/* `url` is drover://HOST[:PORT]/pools/NAME. TLS, unless HOST is this machine and no ca_file is
 * given, or droverd_plain is set. Fails with DROVER_ERROR_INPUT. */
DroverDoor *drover_door_new(const SourcePlace *place, const char *url, GError **error);
void drover_door_free(DroverDoor *door);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DroverDoor, drover_door_free)

/* "https://HOST/api/v1/pools/NAME/" and `what`. Caller frees. */
char *drover_door_url(const DroverDoor *door, const char *what);
/* TRUE when an answer is 200. Else one line that says what is wrong; *refused when only a person
 * can put it right. Caller frees. */
gboolean drover_door_is_open(
	const DroverDoor *door, const FetchAnswer *answer, char **problem, gboolean *refused);
/* How long to wait after that many failures in a row. */
gint64 drover_door_pause(const DroverDoor *door, guint failures, gboolean refused);

#endif
