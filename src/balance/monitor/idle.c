/* SPDX-License-Identifier: ISC
 *
 * IdleConnection: holds one TCP connection, and so learns at once when the server dies. Rules:
 * docs/monitors.md, "IdleConnection".
 *
 *     CONNECTING ──► PROVING ──► HOLDING
 *          ▲ pause      │           │
 *          └────────────┴───────────┘
 *
 * A server that closed soon after it had accepted is under suspicion: the next connection must last
 * as long as a sound one would (PROVING) before the server is up again, and until then pauses grow.
 * So a port that takes connections and drops them makes a server down, neither up and down for
 * ever, nor a target of ours.
 *
 * What the server sends is thrown away. One that never stops is read slowly; the window does the
 * rest.
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 5000
#define SPREAD_MS	   1000 /* of the first connections */
#define FIRST_PAUSE_MS	   1000 /* doubles */
#define TURN_BYTES	   (64 * 1024)
#define TURN_PAUSE_MS	   100
#define KEEPALIVE_IDLE_S   10
#define KEEPALIVE_EVERY_S  5
#define KEEPALIVE_PROBES   3

typedef enum IdleStage { IDLE_CONNECTING, IDLE_PROVING, IDLE_HOLDING } IdleStage;

typedef struct IdleSettings {
	gint64 max_delay_ms, soon_ms;
} IdleSettings;

typedef struct IdleExchange {
	Exchange exchange;
	ExchangeSocket socket;
	IdleStage stage;
	gboolean suspect, pausing;
	guint failures; /* in a row */
	gint64 connected_us;
	struct event *timer; /* to the end of PROVING, or to read on */
} IdleExchange;

static void idle_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = SPREAD_MS;
	*timeout_ms = CONNECT_TIMEOUT_MS;
}

static gpointer idle_settings_new(const ConfigService *service, GError **error)
{
	IdleSettings *settings = g_new0(IdleSettings, 1);
	settings->max_delay_ms = service->idleconnection.max_delay_ms;
	settings->soon_ms = service->idleconnection.timeout_clean_reconnect_ms;
	return settings;
}

/* Closes, and tells that the server is down: the last thing to do. */
static void fail(IdleExchange *idle, const char *why)
{
	const IdleSettings *settings = exchange_settings(&idle->exchange);
	gint64 pause_ms = FIRST_PAUSE_MS << MIN(idle->failures, 20);
	idle->failures++;
	exchange_close(&idle->socket);
	event_del(idle->timer);
	exchange_again(&idle->exchange, MIN(pause_ms, settings->max_delay_ms));
	exchange_tell(&idle->exchange, POOL_RESULT_DOWN, why);
}

/* A connection that was there has ended. `number` is 0 when the server closed it. */
static void lose(IdleExchange *idle, int number)
{
	const IdleSettings *settings = exchange_settings(&idle->exchange);
	gint64 lasted_ms = (g_get_monotonic_time() - idle->connected_us) / 1000;
	char why[CHECKS_MAXIMUM_WHY_BYTES], lasted[24];
	exchange_time_text(lasted_ms, lasted);
	idle->suspect = lasted_ms < settings->soon_ms;
	if (number == 0 && !idle->suspect) {
		/* A server may end what is idle. Whether it is still there shows at once. */
		exchange_close(&idle->socket);
		event_del(idle->timer);
		exchange_again(&idle->exchange, lasted_ms < FIRST_PAUSE_MS ? FIRST_PAUSE_MS : 0);
		return;
	}
	if (number == 0)
		g_snprintf(why, sizeof why, "closed by the server after %s", lasted);
	else if (number == ETIMEDOUT)
		g_snprintf(why, sizeof why, "connection lost after %s: the server does not answer",
			lasted);
	else
		g_snprintf(why, sizeof why, "connection lost after %s: %s", lasted,
			exchange_reason(number));
	fail(idle, why);
}

static void hold(IdleExchange *idle)
{
	idle->stage = IDLE_HOLDING;
	idle->suspect = FALSE;
	idle->failures = 0;
	exchange_tell(&idle->exchange, POOL_RESULT_UP, "connected");
}

static void set_timer(IdleExchange *idle, gint64 time_ms)
{
	struct timeval time = {time_ms / 1000, (time_ms % 1000) * 1000};
	event_add(idle->timer, &time);
}

/* Drops what there is. FALSE: the connection is lost, return. */
static gboolean read_on(IdleExchange *idle)
{
	static const gsize turn_bytes = TURN_BYTES;
	char bytes[4096];
	for (gsize dropped = 0; dropped < turn_bytes;) {
		ssize_t got = recv(idle->socket.fd, bytes, sizeof bytes, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return TRUE;
		if (got <= 0) {
			lose(idle, got < 0 ? errno : 0);
			return FALSE;
		}
		dropped += (gsize)got;
	}
	idle->pausing = TRUE;
	set_timer(idle, TURN_PAUSE_MS);
	return TRUE;
}

static void on_timer(evutil_socket_t fd, short what, void *of)
{
	IdleExchange *idle = of;
	const IdleSettings *settings = exchange_settings(&idle->exchange);
	gint64 lasted_ms = (g_get_monotonic_time() - idle->connected_us) / 1000;
	idle->pausing = FALSE;
	if (!read_on(idle) || idle->stage != IDLE_PROVING)
		return;
	if (lasted_ms >= settings->soon_ms)
		hold(idle);
	else if (!idle->pausing)
		set_timer(idle, MAX(settings->soon_ms - lasted_ms, 1));
}

static void keep_alive(int fd)
{
	/* The acknowledgement that was held back: only now the server sees the connection. */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_IDLE_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_EVERY_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVE_PROBES}, sizeof(int));
}

static gboolean is_connected(int fd)
{
	struct sockaddr_storage other;
	socklen_t size = sizeof other;
	return getpeername(fd, (struct sockaddr *)&other, &size) == 0;
}

static void take_connection(IdleExchange *idle)
{
	const IdleSettings *settings = exchange_settings(&idle->exchange);
	idle->connected_us = g_get_monotonic_time();
	keep_alive(idle->socket.fd);
	exchange_rest(&idle->exchange);
	/* It may be closed already: that is no connection. */
	idle->stage = IDLE_PROVING;
	if (!read_on(idle))
		return;
	if (!idle->suspect)
		hold(idle);
	else if (!idle->pausing)
		set_timer(idle, settings->soon_ms);
}

static void idle_ready(ExchangeSocket *socket)
{
	IdleExchange *idle = (IdleExchange *)socket->exchange;
	if (idle->stage != IDLE_CONNECTING) {
		if (!idle->pausing)
			read_on(idle);
		return;
	}
	const char *trouble = exchange_socket_trouble(socket);
	if (trouble != NULL)
		fail(idle, trouble);
	else if (is_connected(socket->fd))
		take_connection(idle);
}

static void idle_start(Exchange *exchange)
{
	IdleExchange *idle = (IdleExchange *)exchange;
	if (idle->timer == NULL)
		idle->timer = evtimer_new(exchange_base(exchange), on_timer, idle);
	idle->stage = IDLE_CONNECTING;
	idle->pausing = FALSE;
	const char *trouble = exchange_connect(exchange, &idle->socket, SOCK_STREAM, idle_ready);
	if (trouble != NULL)
		fail(idle, trouble);
}

static void idle_expired(Exchange *exchange)
{
	char time[24], why[64];
	exchange_time_text(CONNECT_TIMEOUT_MS, time);
	g_snprintf(why, sizeof why, "timed out after %s while connecting", time);
	fail((IdleExchange *)exchange, why);
}

static void idle_stop(Exchange *exchange)
{
	IdleExchange *idle = (IdleExchange *)exchange;
	exchange_close(&idle->socket);
	g_clear_pointer(&idle->timer, event_free);
}

const Monitor monitor_idle = {
	.name = "IdleConnection",
	.exchange_bytes = sizeof(IdleExchange),
	.standing = TRUE,
	.times = idle_times,
	.settings_new = idle_settings_new,
	.settings_free = g_free,
	.start = idle_start,
	.expired = idle_expired,
	.stop = idle_stop,
};
