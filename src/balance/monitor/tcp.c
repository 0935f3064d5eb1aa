/* SPDX-License-Identifier: ISC
 *
 * TCP: a server that takes a connection is up. With the acknowledgement held back and the close a
 * reset, most kernels do not even wake the server's process. Rules: docs/monitors.md, "TCP".
 */
#include "balance/monitor/monitor.h"

#include <sys/socket.h>

typedef struct TcpExchange {
	Exchange exchange;
	ExchangeSocket socket;
} TcpExchange;

static void tcp_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->tcp.interval_ms;
	*timeout_ms = service->tcp.timeout_ms;
}

static void tcp_ready(ExchangeSocket *socket)
{
	Exchange *exchange = socket->exchange;
	const char *trouble = exchange_socket_trouble(socket);
	if (trouble != NULL) {
		exchange_end(exchange, POOL_RESULT_DOWN, trouble);
		return;
	}
	char why[64];
	g_snprintf(why, sizeof why, "connected in %" G_GINT64_FORMAT " ms",
		exchange_took_us(exchange) / 1000);
	exchange_end(exchange, POOL_RESULT_UP, why);
}

static void tcp_start(Exchange *exchange)
{
	TcpExchange *tcp = (TcpExchange *)exchange;
	const char *trouble = exchange_connect(exchange, &tcp->socket, SOCK_STREAM, tcp_ready);
	if (trouble != NULL)
		exchange_end(exchange, POOL_RESULT_DOWN, trouble);
}

static void tcp_expired(Exchange *exchange)
{
	char time[24], why[64];
	exchange_time_text(exchange_timeout_ms(exchange), time);
	g_snprintf(why, sizeof why, "timed out after %s while connecting", time);
	exchange_end(exchange, POOL_RESULT_DOWN, why);
}

static void tcp_stop(Exchange *exchange)
{
	exchange_close(&((TcpExchange *)exchange)->socket);
}

const Monitor monitor_tcp = {
	.name = "TCP",
	.exchange_bytes = sizeof(TcpExchange),
	.times = tcp_times,
	.start = tcp_start,
	.expired = tcp_expired,
	.stop = tcp_stop,
};
