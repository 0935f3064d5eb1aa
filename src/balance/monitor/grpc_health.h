/* SPDX-License-Identifier: ISC
 *
 * One call of grpc.health.v1.Health/Check over HTTP/2: bytes in, bytes out, a verdict. It knows no
 * socket and no TLS, so it can be fed anything. By nghttp2.
 */
#ifndef BALANCE_MONITOR_GRPC_HEALTH_H
#define BALANCE_MONITOR_GRPC_HEALTH_H

#include <glib.h>

#define GRPC_MAXIMUM_BYTES	   (64 * 1024) /* that a server may send in one call */
#define GRPC_MAXIMUM_MESSAGE_BYTES 1024	       /* of its answer, within HTTP/2 */
#define GRPC_MAXIMUM_SERVICE_BYTES 255	       /* the name of a service */

typedef struct GrpcHealth GrpcHealth;

typedef enum GrpcState { GRPC_UNDER_WAY, GRPC_SERVING, GRPC_NOT_SERVING } GrpcState;

/* `authority` is host and port; `service` may be empty. */
GrpcHealth *grpc_health_new(const char *authority, const char *service, gboolean tls);
void grpc_health_free(GrpcHealth *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GrpcHealth, grpc_health_free)

/* What is to be sent now, borrowed until the next call of a function here; 0 when there is nothing.
 */
gsize grpc_health_next(GrpcHealth *call, const guint8 **bytes);
/* Takes what has come. */
void grpc_health_feed(GrpcHealth *call, const guint8 *bytes, gsize size_bytes);
/* The server has closed its side. */
void grpc_health_close(GrpcHealth *call);

/* *why is one line, borrowed, once it is no longer under way. */
GrpcState grpc_health_state(const GrpcHealth *call, const char **why);
/* TRUE when the answer has begun to come: for words about a timeout. */
gboolean grpc_health_has_begun(const GrpcHealth *call);

#endif
