/* SPDX-License-Identifier: ISC
 *
 * An HTTPS server for tests, in a thread of its own, with certificates made on the spot: an
 * authority, and one certificate for a name and for 127.0.0.1.
 */
#ifndef TESTS_UNIT_MONITOR_TLS_SERVER_H
#define TESTS_UNIT_MONITOR_TLS_SERVER_H

#include <glib.h>

typedef struct TlsServer TlsServer;

/* Every answer is `text`. The authority's certificate is written to `authority_path`. `days`: how
 * long the server's certificate is valid; negative: since when it is not. */
TlsServer *tls_server_new(const char *authority_path, const char *name, int days,
	int newest_version, const char *text);
void tls_server_free(TlsServer *server);
guint16 tls_server_port(const TlsServer *server);
/* The name that the last client asked for (SNI); "" when it asked for none. Caller frees. */
char *tls_server_asked_name(TlsServer *server);

#endif
