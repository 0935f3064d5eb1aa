/* SPDX-License-Identifier: ISC
 *
 * gRPC: asks the server's own health service, over plain HTTP/2 or TLS. Rules: docs/monitors.md,
 * "gRPC". The call itself is grpc_health.h's; here are socket and TLS.
 *
 *     CONNECTING ──► (SHAKING HANDS) ──► CALLING
 *
 * The server's certificate is not looked at: nothing that we send is a secret, and whether clients
 * may trust the server is for the ProxyFetch monitor to find out.
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/monitor/grpc_health.h"
#include "base/error.h"

#define READ_BYTES 8192

typedef struct GrpcSettings {
	char *service;
	SSL_CTX *tls; /* NULL: plain */
} GrpcSettings;

typedef enum GrpcStage { STAGE_CONNECTING, STAGE_SHAKING_HANDS, STAGE_CALLING } GrpcStage;

typedef struct GrpcExchange {
	Exchange exchange;
	ExchangeSocket socket;
	GrpcStage stage;
	SSL *tls;
	GrpcHealth *call;
	const guint8 *unsent; /* the call's */
	gsize unsent_bytes;
} GrpcExchange;

/* Settings */

static void grpc_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->grpc.interval_ms;
	*timeout_ms = service->grpc.timeout_ms;
}

static void grpc_settings_free(gpointer of)
{
	GrpcSettings *settings = of;
	SSL_CTX_free(settings->tls);
	g_free(settings->service);
	g_free(settings);
}

static SSL_CTX *tls_new(void)
{
	static const guchar protocols[] = {2, 'h', '2'};
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	if (tls == NULL)
		return NULL;
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_alpn_protos(tls, protocols, sizeof protocols) == 0)
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

static gpointer grpc_settings_new(const ConfigService *service, GError **error)
{
	const char *name = service->grpc.service != NULL ? service->grpc.service : "";
	if (strlen(name) > GRPC_MAXIMUM_SERVICE_BYTES || !g_utf8_validate(name, -1, NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"grpc.service: must be at most %d bytes of UTF-8",
			GRPC_MAXIMUM_SERVICE_BYTES);
		return NULL;
	}
	GrpcSettings *settings = g_new0(GrpcSettings, 1);
	settings->service = g_strdup(name);
	if (service->grpc.tls)
		settings->tls = tls_new();
	if (settings->tls != NULL || !service->grpc.tls)
		return settings;
	drover_error_set(error, DROVER_ERROR_INPUT, "grpc.tls: OpenSSL cannot be set up: %s",
		ERR_reason_error_string(ERR_get_error()));
	grpc_settings_free(settings);
	return NULL;
}

/* Bytes: like recv() and send(), with EAGAIN for "not now" */

static ssize_t tls_result(GrpcExchange *grpc, int result)
{
	switch (SSL_get_error(grpc->tls, result)) {
	case SSL_ERROR_NONE:
		return result;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return errno != 0 ? -1 : 0;
	default:
		errno = EPROTO;
		return -1;
	}
}

static ssize_t read_some(GrpcExchange *grpc, guint8 *bytes, gsize size_bytes)
{
	if (grpc->tls == NULL)
		return recv(grpc->socket.fd, bytes, size_bytes, 0);
	errno = 0;
	ERR_clear_error();
	return tls_result(grpc, SSL_read(grpc->tls, bytes, (int)size_bytes));
}

static ssize_t write_some(GrpcExchange *grpc, const guint8 *bytes, gsize size_bytes)
{
	if (grpc->tls == NULL)
		return send(grpc->socket.fd, bytes, size_bytes, MSG_NOSIGNAL);
	errno = 0;
	ERR_clear_error();
	return tls_result(grpc, SSL_write(grpc->tls, bytes, (int)size_bytes));
}

static gboolean is_not_now(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* The call. These give FALSE when the exchange has ended. */

static gboolean end_down(GrpcExchange *grpc, const char *why)
{
	exchange_end(&grpc->exchange, POOL_RESULT_DOWN, why);
	return FALSE;
}

static gboolean is_settled(GrpcExchange *grpc)
{
	const char *why;
	GrpcState state = grpc_health_state(grpc->call, &why);
	if (state == GRPC_UNDER_WAY)
		return FALSE;
	g_autofree char *copy = g_strdup(why); /* the call goes with the exchange */
	exchange_end(
		&grpc->exchange, state == GRPC_SERVING ? POOL_RESULT_UP : POOL_RESULT_DOWN, copy);
	return TRUE;
}

static gboolean send_on(GrpcExchange *grpc)
{
	for (;;) {
		if (grpc->unsent_bytes == 0)
			grpc->unsent_bytes = grpc_health_next(grpc->call, &grpc->unsent);
		if (grpc->unsent_bytes == 0)
			return !is_settled(grpc);
		ssize_t sent = write_some(grpc, grpc->unsent, grpc->unsent_bytes);
		if (sent < 0 && is_not_now())
			return TRUE;
		if (sent <= 0)
			return end_down(
				grpc, sent < 0 ? exchange_reason(errno) : "closed by the server");
		grpc->unsent += sent;
		grpc->unsent_bytes -= (gsize)sent;
	}
}

static gboolean read_on(GrpcExchange *grpc)
{
	guint8 bytes[READ_BYTES];
	for (;;) {
		ssize_t got = read_some(grpc, bytes, sizeof bytes);
		if (got < 0 && is_not_now())
			return TRUE;
		if (got < 0)
			return end_down(grpc, exchange_reason(errno));
		if (got == 0)
			grpc_health_close(grpc->call);
		else
			grpc_health_feed(grpc->call, bytes, (gsize)got);
		if (is_settled(grpc))
			return FALSE;
	}
}

static gboolean begin_call(GrpcExchange *grpc)
{
	const GrpcSettings *settings = exchange_settings(&grpc->exchange);
	const CheckTarget *target = exchange_target(&grpc->exchange);
	Address literal;
	g_autofree char *authority =
		address_parse(target->host, &literal)
			? address_with_port(&literal, target->port)
			: g_strdup_printf("%s:%u", target->host, (guint)target->port);
	grpc->stage = STAGE_CALLING;
	grpc->call = grpc_health_new(authority, settings->service, grpc->tls != NULL);
	return send_on(grpc);
}

/* TLS */

static gboolean begin_tls(GrpcExchange *grpc)
{
	const GrpcSettings *settings = exchange_settings(&grpc->exchange);
	const CheckTarget *target = exchange_target(&grpc->exchange);
	Address literal;
	grpc->stage = STAGE_SHAKING_HANDS;
	grpc->tls = SSL_new(settings->tls);
	if (grpc->tls == NULL || SSL_set_fd(grpc->tls, grpc->socket.fd) != 1) {
		grpc->exchange.lame = TRUE;
		return end_down(grpc, "this host is out of memory for TLS");
	}
	if (!address_parse(target->host, &literal))
		SSL_set_tlsext_host_name(grpc->tls, target->host);
	SSL_set_connect_state(grpc->tls);
	return TRUE;
}

static gboolean end_by_handshake(GrpcExchange *grpc, ssize_t result)
{
	const char *reason = NULL;
	char why[CHECKS_MAXIMUM_WHY_BYTES];
	if (result == 0)
		reason = "closed by the server";
	else if (errno != EPROTO)
		reason = exchange_reason(errno);
	else
		reason = ERR_reason_error_string(ERR_peek_error());
	g_snprintf(why, sizeof why, "TLS: %s", reason != NULL ? reason : "the handshake failed");
	return end_down(grpc, why);
}

static gboolean shake_hands(GrpcExchange *grpc)
{
	errno = 0;
	ERR_clear_error();
	ssize_t result = tls_result(grpc, SSL_do_handshake(grpc->tls));
	if (result < 0 && is_not_now())
		return TRUE;
	if (result <= 0)
		return end_by_handshake(grpc, result);
	const guchar *protocol = NULL;
	guint size = 0;
	SSL_get0_alpn_selected(grpc->tls, &protocol, &size);
	if (size != 2 || memcmp(protocol, "h2", 2) != 0)
		return end_down(grpc, "TLS without HTTP/2: the server does not choose h2");
	return begin_call(grpc);
}

/* The exchange */

static gboolean take_connection(GrpcExchange *grpc)
{
	const GrpcSettings *settings = exchange_settings(&grpc->exchange);
	const char *trouble = exchange_socket_trouble(&grpc->socket);
	if (trouble != NULL)
		return end_down(grpc, trouble);
	return settings->tls != NULL ? begin_tls(grpc) : begin_call(grpc);
}

static void grpc_ready(ExchangeSocket *socket)
{
	GrpcExchange *grpc = (GrpcExchange *)socket->exchange;
	if (grpc->stage == STAGE_CONNECTING && !take_connection(grpc))
		return;
	if (grpc->stage == STAGE_SHAKING_HANDS && !shake_hands(grpc))
		return;
	if (grpc->stage != STAGE_CALLING)
		return;
	/* What is read may want an answer. */
	if (send_on(grpc) && read_on(grpc))
		send_on(grpc);
}

static void grpc_start(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	const char *trouble = exchange_connect(exchange, &grpc->socket, SOCK_STREAM, grpc_ready);
	if (trouble != NULL)
		end_down(grpc, trouble);
}

static void grpc_expired(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	const char *doing = "while connecting";
	char time[24], why[96];
	if (grpc->stage == STAGE_SHAKING_HANDS)
		doing = "in the TLS handshake";
	else if (grpc->stage == STAGE_CALLING)
		doing = grpc_health_has_begun(grpc->call) ? "before its answer was whole"
							  : "without an answer";
	exchange_time_text(exchange_timeout_ms(exchange), time);
	g_snprintf(why, sizeof why, "timed out after %s %s", time, doing);
	end_down(grpc, why);
}

static void grpc_stop(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	g_clear_pointer(&grpc->tls, SSL_free);
	g_clear_pointer(&grpc->call, grpc_health_free);
	exchange_close(&grpc->socket);
}

const Monitor monitor_grpc = {
	.name = "gRPC",
	.exchange_bytes = sizeof(GrpcExchange),
	.by_host = TRUE,
	.times = grpc_times,
	.settings_new = grpc_settings_new,
	.settings_free = grpc_settings_free,
	.start = grpc_start,
	.expired = grpc_expired,
	.stop = grpc_stop,
};
