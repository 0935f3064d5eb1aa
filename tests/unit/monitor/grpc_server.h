/* SPDX-License-Identifier: ISC
 *
 * A gRPC health server that plays a part: a thread of its own with nghttp2, one connection after
 * the other, in the clear or by TLS.
 */
#ifndef TESTS_UNIT_MONITOR_GRPC_SERVER_H
#define TESTS_UNIT_MONITOR_GRPC_SERVER_H

#include <glib.h>

typedef enum GrpcPart {
	GRPC_ANSWERS,	/* with `status` and `grpc_status` */
	GRPC_SILENT,	/* takes the call and says nothing */
	GRPC_CUTS,	/* resets the stream */
	GRPC_NO_TRAILER /* answers without grpc-status */
} GrpcPart;

typedef struct GrpcScript {
	GrpcPart part;
	const char *http_status;  /* NULL: "200" */
	const char *content_type; /* NULL: "application/grpc" */
	const char *grpc_status;  /* NULL: "0" */
	guint status;		  /* of the health: 1 SERVING */
	gsize padding;		  /* bytes of an unknown field before it */
	gboolean tls, without_alpn;
} GrpcScript;

typedef struct GrpcServer GrpcServer;

/* `script` is read until the end. */
GrpcServer *grpc_server_new(const GrpcScript *script);
void grpc_server_free(GrpcServer *server);
guint16 grpc_server_port(const GrpcServer *server);
/* The last call's path, authority and the service in its message: "PATH AUTHORITY SERVICE". Caller
 * frees. */
char *grpc_server_heard(GrpcServer *server);

#endif
