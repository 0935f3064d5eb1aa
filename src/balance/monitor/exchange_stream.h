/* SPDX-License-Identifier: ISC
 *
 * A connection of an exchange, in the clear or by TLS, with the same few verbs for both. Every
 * handshake is a whole one: a session that is taken up again would not show that the certificate
 * has expired meanwhile.
 */
#ifndef BALANCE_MONITOR_EXCHANGE_STREAM_H
#define BALANCE_MONITOR_EXCHANGE_STREAM_H

#include "balance/monitor/monitor.h"

#define EXCHANGE_STREAM_LATER	(-1) /* when ready() is called again */
#define EXCHANGE_STREAM_TROUBLE (-2) /* `why` says which */

typedef struct ExchangeTls {
	const char
		*host; /* sent as SNI unless it is an address, and looked for in the certificate */
	gboolean verify;  /* by the system's store (SSL_CERT_FILE, SSL_CERT_DIR) */
	const char *alpn; /* as in TLS: "\2h2"; NULL: none */
} ExchangeTls;

/* A member of the monitor's own struct, zero at first. */
typedef struct ExchangeStream {
	ExchangeSocket socket; /* first: ready() gets its address */
	struct ssl_st *tls;    /* NULL: in the clear */
	const char *why; /* after EXCHANGE_STREAM_TROUBLE: a line, valid until the next call */
	char words[120];
} ExchangeStream;

/* As exchange_connect(), for SOCK_STREAM. `tls` NULL: in the clear; else it is read only during
 * this call. */
const char *exchange_stream_connect(Exchange *exchange, ExchangeStream *stream,
	const ExchangeTls *tls, void (*ready)(ExchangeSocket *socket));
/* 1 when the connection stands and TLS's handshake is over, else LATER or TROUBLE. In the clear it
 * is always 1: the first send tells. */
gssize exchange_stream_greet(ExchangeStream *stream);
/* How many bytes were taken, at least 1; or LATER or TROUBLE. */
gssize exchange_stream_send(ExchangeStream *stream, const char *bytes, gsize size_bytes);
/* How many bytes came; 0: the server has closed; or LATER or TROUBLE. */
gssize exchange_stream_receive(ExchangeStream *stream, char *bytes, gsize size_bytes);
/* As exchange_close(). */
void exchange_stream_close(ExchangeStream *stream);

#endif
