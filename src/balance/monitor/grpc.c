/* SPDX-License-Identifier: ISC
 *
 * gRPC: asks the server's own health service, over plain HTTP/2 or TLS. Rules: docs/monitors.md,
 * "gRPC". The call itself is grpc_health.h's; here is the connection.
 *
 *     CONNECTING (and TLS) ──► CALLING
 *
 * The server's certificate is not looked at: nothing that we send is a secret, and whether clients
 * may trust the server is for the ProxyFetch monitor to find out.
 */
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/monitor/exchange_stream.h"
#include "balance/monitor/grpc_health.h"
#include "base/error.h"

#define READ_BYTES 8192

typedef struct GrpcSettings {
	char *service;
	gboolean tls;
} GrpcSettings;

typedef enum GrpcStage { STAGE_CONNECTING, STAGE_CALLING } GrpcStage;

typedef struct GrpcExchange {
	Exchange exchange;
	ExchangeStream stream;
	GrpcStage stage;
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
	g_free(settings->service);
	g_free(settings);
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
	settings->tls = service->grpc.tls;
	return settings;
}

/* These give FALSE when the exchange has ended. */

static gboolean end_down(GrpcExchange *grpc, const char *why)
{
	exchange_end(&grpc->exchange, POOL_RESULT_DOWN, why);
	return FALSE;
}

static gboolean end_by_trouble(GrpcExchange *grpc)
{
	g_autofree char *why = g_strdup(grpc->stream.why); /* it goes with the exchange */
	return end_down(grpc, why);
}

static gboolean is_settled(GrpcExchange *grpc)
{
	const char *why;
	GrpcState state = grpc_health_state(grpc->call, &why);
	if (state == GRPC_UNDER_WAY)
		return FALSE;
	g_autofree char *copy = g_strdup(why);
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
		gssize sent = exchange_stream_send(
			&grpc->stream, (const char *)grpc->unsent, grpc->unsent_bytes);
		if (sent == EXCHANGE_STREAM_LATER)
			return TRUE;
		if (sent == EXCHANGE_STREAM_TROUBLE)
			return end_by_trouble(grpc);
		grpc->unsent += sent;
		grpc->unsent_bytes -= (gsize)sent;
	}
}

static gboolean read_on(GrpcExchange *grpc)
{
	char bytes[READ_BYTES];
	for (;;) {
		gssize got = exchange_stream_receive(&grpc->stream, bytes, sizeof bytes);
		if (got == EXCHANGE_STREAM_LATER)
			return TRUE;
		if (got == EXCHANGE_STREAM_TROUBLE)
			return end_by_trouble(grpc);
		if (got == 0)
			grpc_health_close(grpc->call);
		else
			grpc_health_feed(grpc->call, (const guint8 *)bytes, (gsize)got);
		if (is_settled(grpc))
			return FALSE;
	}
}

static gboolean has_chosen_h2(const ExchangeStream *stream)
{
	const guchar *protocol = NULL;
	guint size = 0;
	SSL_get0_alpn_selected(stream->tls, &protocol, &size);
	return size == 2 && memcmp(protocol, "h2", 2) == 0;
}

static gboolean begin_call(GrpcExchange *grpc)
{
	const GrpcSettings *settings = exchange_settings(&grpc->exchange);
	const CheckTarget *target = exchange_target(&grpc->exchange);
	Address literal;
	if (settings->tls && !has_chosen_h2(&grpc->stream))
		return end_down(grpc, "TLS without HTTP/2: the server does not choose h2");
	g_autofree char *authority =
		address_parse(target->host, &literal)
			? address_with_port(&literal, target->port)
			: g_strdup_printf("%s:%u", target->host, (guint)target->port);
	grpc->stage = STAGE_CALLING;
	grpc->call = grpc_health_new(authority, settings->service, settings->tls);
	return TRUE;
}

/* The exchange */

static void grpc_ready(ExchangeSocket *socket)
{
	GrpcExchange *grpc = (GrpcExchange *)socket->exchange;
	if (grpc->stage == STAGE_CONNECTING) {
		gssize greeted = exchange_stream_greet(&grpc->stream);
		if (greeted == EXCHANGE_STREAM_LATER)
			return;
		if (greeted == EXCHANGE_STREAM_TROUBLE) {
			end_by_trouble(grpc);
			return;
		}
		if (!begin_call(grpc))
			return;
	}
	/* What is read may want an answer. */
	if (send_on(grpc) && read_on(grpc))
		send_on(grpc);
}

static void grpc_start(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	const GrpcSettings *settings = exchange_settings(exchange);
	const ExchangeTls tls = {exchange_target(exchange)->host, FALSE, "\2h2"};
	const char *trouble = exchange_stream_connect(
		exchange, &grpc->stream, settings->tls ? &tls : NULL, grpc_ready);
	if (trouble != NULL)
		end_down(grpc, trouble);
}

static void grpc_expired(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	const char *doing = "while connecting";
	char time[24], why[96];
	if (grpc->stage == STAGE_CALLING)
		doing = grpc_health_has_begun(grpc->call) ? "before its answer was whole"
							  : "without an answer";
	exchange_time_text(exchange_timeout_ms(exchange), time);
	g_snprintf(why, sizeof why, "timed out after %s %s", time, doing);
	end_down(grpc, why);
}

static void grpc_stop(Exchange *exchange)
{
	GrpcExchange *grpc = (GrpcExchange *)exchange;
	g_clear_pointer(&grpc->call, grpc_health_free);
	exchange_stream_close(&grpc->stream);
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
