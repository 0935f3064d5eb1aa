/* SPDX-License-Identifier: ISC
 *
 * Connections: plain system calls, or OpenSSL over the same non-blocking descriptor. One context
 * serves all checks; whether and for whom a certificate is verified is set for each connection.
 */
#include "balance/monitor/exchange_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/monitor/checks_parts.h"

/* OpenSSL writes with write(2): a server that is gone must not end this program. */
static void ignore_sigpipe(void)
{
	struct sigaction now;
	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

static SSL_CTX *tls_context(Checks *checks)
{
	if (checks->tls != NULL)
		return checks->tls;
	ignore_sigpipe();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Many servers close without saying so; that an answer is whole, HTTP says. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_verify_paths(context);
	checks->tls = context;
	return context;
}

void exchange_streams_close(Checks *checks)
{
	g_clear_pointer(&checks->tls, SSL_CTX_free);
}

/* FALSE when OpenSSL takes none of it. */
static gboolean name_the_server(SSL *tls, const ExchangeTls *wish)
{
	Address address;
	gboolean is_address = address_parse(wish->host, &address);
	if (!is_address && SSL_set_tlsext_host_name(tls, wish->host) != 1)
		return FALSE;
	if (!wish->verify)
		return TRUE;
	SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), wish->host) == 1
			  : SSL_set1_host(tls, wish->host) == 1;
}

static SSL *tls_new(Checks *checks, int fd, const ExchangeTls *wish)
{
	SSL_CTX *context = tls_context(checks);
	SSL *tls = context == NULL ? NULL : SSL_new(context);
	if (tls == NULL)
		return NULL;
	gsize alpn_bytes = wish->alpn == NULL ? 0 : strlen(wish->alpn);
	if (SSL_set_fd(tls, fd) != 1 || !name_the_server(tls, wish) ||
		(alpn_bytes > 0 && SSL_set_alpn_protos(tls, (const guint8 *)wish->alpn,
					   (guint)alpn_bytes) != 0)) {
		SSL_free(tls);
		return NULL;
	}
	SSL_set_connect_state(tls);
	return tls;
}

const char *exchange_stream_connect(Exchange *exchange, ExchangeStream *stream,
	const ExchangeTls *wish, void (*ready)(ExchangeSocket *socket))
{
	const char *trouble = exchange_connect(exchange, &stream->socket, SOCK_STREAM, ready);
	if (trouble != NULL || wish == NULL)
		return trouble;
	stream->tls = tls_new(exchange->probe->checks, stream->socket.fd, wish);
	if (stream->tls != NULL)
		return NULL;
	exchange->lame = TRUE;
	exchange_stream_close(stream);
	return "this host has no TLS for it";
}

static gssize trouble(ExchangeStream *stream, const char *why)
{
	stream->why = why;
	return EXCHANGE_STREAM_TROUBLE;
}

static gssize system_trouble(ExchangeStream *stream)
{
	if (errno == EAGAIN || errno == EINTR)
		return EXCHANGE_STREAM_LATER;
	return trouble(stream, exchange_reason(errno));
}

static gssize tls_trouble(ExchangeStream *stream, int outcome)
{
	int number = errno;
	switch (SSL_get_error(stream->tls, outcome)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return EXCHANGE_STREAM_LATER;
	case SSL_ERROR_ZERO_RETURN:
		if (SSL_is_init_finished(stream->tls))
			return 0;
		return trouble(stream, "TLS: the server closed the connection in the handshake");
	case SSL_ERROR_SYSCALL:
		return trouble(stream,
			number != 0 ? exchange_reason(number) : "connection reset by the server");
	default:
		break;
	}
	long verdict = SSL_get_verify_result(stream->tls);
	const char *words = ERR_reason_error_string(ERR_peek_last_error());
	if (verdict != X509_V_OK && !SSL_is_init_finished(stream->tls))
		g_snprintf(stream->words, sizeof stream->words,
			"TLS: the certificate is not valid: %s",
			X509_verify_cert_error_string(verdict));
	else
		g_snprintf(stream->words, sizeof stream->words, "TLS: %s",
			words == NULL ? "protocol error" : words);
	return trouble(stream, stream->words);
}

gssize exchange_stream_greet(ExchangeStream *stream)
{
	if (stream->tls == NULL)
		return 1;
	ERR_clear_error();
	errno = 0;
	int outcome = SSL_do_handshake(stream->tls);
	if (outcome == 1)
		return 1;
	/* Before the connection stands, write(2) says ENOTCONN or EAGAIN; both mean later. */
	return tls_trouble(stream, outcome);
}

gssize exchange_stream_send(ExchangeStream *stream, const char *bytes, gsize size_bytes)
{
	if (stream->tls == NULL) {
		ssize_t sent = send(stream->socket.fd, bytes, size_bytes, MSG_NOSIGNAL);
		return sent >= 0 ? sent : system_trouble(stream);
	}
	ERR_clear_error();
	errno = 0;
	int sent = SSL_write(stream->tls, bytes, (int)MIN(size_bytes, G_MAXINT));
	return sent > 0 ? sent : tls_trouble(stream, sent);
}

gssize exchange_stream_receive(ExchangeStream *stream, char *bytes, gsize size_bytes)
{
	if (stream->tls == NULL) {
		ssize_t got = recv(stream->socket.fd, bytes, size_bytes, 0);
		return got >= 0 ? got : system_trouble(stream);
	}
	ERR_clear_error();
	errno = 0;
	int got = SSL_read(stream->tls, bytes, (int)MIN(size_bytes, G_MAXINT));
	return got > 0 ? got : tls_trouble(stream, got);
}

void exchange_stream_close(ExchangeStream *stream)
{
	g_clear_pointer(&stream->tls, SSL_free);
	exchange_close(&stream->socket);
}
