/* SPDX-License-Identifier: ISC
 *
 * The face on the network: TCP listeners that answer one question each connection (face.h).
 * Read-only, for whoever reaches the address: 127.0.0.1 unless the configuration says otherwise.
 */
#ifndef BALANCE_DIRECTOR_FACE_SERVER_H
#define BALANCE_DIRECTOR_FACE_SERVER_H

#include <jansson.h>

#include "balance/config.h"
#include "base/error.h"

struct event_base;

#define FACE_MAXIMUM_PEERS 64	       /* connections of one address that it listens on */
#define FACE_TIMEOUT_MS	   (10 * 1000) /* of a connection, from its first to its last byte */
#define FACE_FRESH_MS	   100	       /* what was said is said again for so long, */
#define FACE_FRESH_TIMES   10	       /* and for so many times as long as it took to make */
#define FACE_MAXIMUM_KEPT  32	       /* answers that are kept for that */

typedef struct FaceServer FaceServer;

/* A new reference to the director's status. */
typedef json_t *(*FaceStatus)(gpointer of);

/* Listens nowhere until face_server_listen(). */
FaceServer *face_server_new(struct event_base *base, FaceStatus status, gpointer of);
void face_server_free(FaceServer *face);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FaceServer, face_server_free)

/* Where the configuration wants it; what is listened on already goes on, what is not wanted any
 * more ends. Fails with DROVER_ERROR_CONFLICT when an address is taken or not ours; the others are
 * listened on all the same. */
gboolean face_server_listen(FaceServer *face, const ConfigGlobal *global, GError **error);
/* Of the first address; 0 when it listens nowhere. */
guint16 face_server_port(const FaceServer *face);

#endif
