/* SPDX-License-Identifier: ISC
 *
 * UDP: a datagram, and perhaps a reply. That nobody listens is said by ICMP, which the kernel hands
 * to a connected socket as an error. Rules: docs/monitors.md, "UDP".
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/shown.h"

#define LONGEST_REPLY 65536

typedef struct UdpSettings {
	char *payload;
	char *expect; /* NULL: silence is good */
} UdpSettings;

typedef struct UdpExchange {
	Exchange exchange;
	ExchangeSocket socket;
} UdpExchange;

static void udp_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->udp.interval_ms;
	*timeout_ms = service->udp.timeout_ms;
}

static gpointer udp_settings_new(const ConfigService *service, GError **error)
{
	UdpSettings *settings = g_new0(UdpSettings, 1);
	const char *expect = service->udp.expect;
	settings->payload = g_strdup(service->udp.payload != NULL ? service->udp.payload : "");
	settings->expect = expect != NULL && *expect != '\0' ? g_strdup(expect) : NULL;
	return settings;
}

static void udp_settings_free(gpointer of)
{
	UdpSettings *settings = of;
	g_free(settings->payload);
	g_free(settings->expect);
	g_free(settings);
}

static void end_refused(Exchange *exchange, int number)
{
	exchange_end(exchange, POOL_RESULT_DOWN,
		number == ECONNREFUSED ? "nobody listens at the port" : exchange_reason(number));
}

static void judge(Exchange *exchange, const char *reply, gsize size_bytes)
{
	const UdpSettings *settings = exchange_settings(exchange);
	gsize wanted = settings->expect != NULL ? strlen(settings->expect) : 0;
	if (size_bytes >= wanted &&
		memcmp(reply, settings->expect != NULL ? settings->expect : "", wanted) == 0) {
		char why[64];
		g_snprintf(why, sizeof why, "answered in %" G_GINT64_FORMAT " ms",
			exchange_took_us(exchange) / 1000);
		exchange_end(exchange, POOL_RESULT_UP, why);
		return;
	}
	g_autofree char *got = shown_text(reply, (gssize)size_bytes);
	g_autofree char *want = shown_text(settings->expect, -1);
	g_autofree char *why = g_strdup_printf("answered '%s', wanted '%s'", got, want);
	exchange_end(exchange, POOL_RESULT_DOWN, why);
}

static void udp_ready(ExchangeSocket *socket)
{
	char reply[LONGEST_REPLY];
	ssize_t got = recv(socket->fd, reply, sizeof reply, 0);
	if (got >= 0)
		judge(socket->exchange, reply, (gsize)got);
	else if (errno != EAGAIN && errno != EINTR)
		end_refused(socket->exchange, errno);
}

static void udp_start(Exchange *exchange)
{
	UdpExchange *udp = (UdpExchange *)exchange;
	const UdpSettings *settings = exchange_settings(exchange);
	const char *trouble = exchange_connect(exchange, &udp->socket, SOCK_DGRAM, udp_ready);
	if (trouble != NULL)
		exchange_end(exchange, POOL_RESULT_DOWN, trouble);
	else if (send(udp->socket.fd, settings->payload, strlen(settings->payload), MSG_NOSIGNAL) <
		 0)
		end_refused(exchange, errno);
}

static void udp_expired(Exchange *exchange)
{
	const UdpSettings *settings = exchange_settings(exchange);
	char time[24], why[64];
	exchange_time_text(exchange_timeout_ms(exchange), time);
	g_snprintf(why, sizeof why, "%s in %s",
		settings->expect != NULL ? "no answer" : "not refused", time);
	exchange_end(exchange, settings->expect != NULL ? POOL_RESULT_DOWN : POOL_RESULT_UP, why);
}

static void udp_stop(Exchange *exchange)
{
	exchange_close(&((UdpExchange *)exchange)->socket);
}

const Monitor monitor_udp = {
	.name = "UDP",
	.exchange_bytes = sizeof(UdpExchange),
	.times = udp_times,
	.settings_new = udp_settings_new,
	.settings_free = udp_settings_free,
	.start = udp_start,
	.expired = udp_expired,
	.stop = udp_stop,
};
