/* SPDX-License-Identifier: ISC
 *
 * What a way of checking is: a file per monitor, each with the same few functions in one constant
 * table, and what the engine (checks.c) offers to them. When a check runs, how long it may take,
 * how many run at once and who hears of it is the engine's; a monitor knows the wire, and nothing
 * else. Rules: docs/monitors.md.
 *
 *     periodic:  start -> (sockets, timers) -> exchange_end()          -> stop
 *     standing:  start -> exchange_rest() ... exchange_again() -> start ... -> stop
 *
 * Each exchange is stopped exactly once, whatever ended it: its result, its deadline, or that
 * nobody wants it any more. So stop() is the one place where a monitor lets go of what it holds.
 */
#ifndef BALANCE_MONITOR_MONITOR_H
#define BALANCE_MONITOR_MONITOR_H

#include "balance/monitor/checks.h"
#include "balance/monitor/timer_heap.h"

typedef struct Exchange Exchange;
typedef struct ExchangeSocket ExchangeSocket;

typedef struct Monitor {
	const char *name;     /* as config_monitor_names() has it; its keys begin with it */
	gsize exchange_bytes; /* of the monitor's own struct, whose first member is an Exchange */
	/* Results depend on CheckTarget.host, so servers that share an address share no check. */
	gboolean by_host;
	/* It has no interval, but holds on to something (a connection): see exchange_rest(). */
	gboolean standing;
	/* `interval_ms` of a standing monitor is what first starts are spread over. `timeout_ms` is
	 * counted from start(). */
	void (*times)(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms);
	/* What start() needs of the service, made once for all servers that have the same keys.
	 * NULL: nothing. Fails with DROVER_ERROR_INPUT; the message is "KEY: what is wrong". */
	gpointer (*settings_new)(const ConfigService *service, GError **error);
	void (*settings_free)(gpointer settings);
	/* Sockets (or processes) that a check has open at one time. NULL: 1. */
	guint (*sockets)(gconstpointer settings);
	/* Begins. The monitor's own members are zero at the first start. May end at once. */
	void (*start)(Exchange *exchange);
	/* The deadline has passed. NULL: exchange_end() with "timed out after 5 s". Otherwise the
	 * function calls exchange_end(), or for a standing monitor exchange_again(). */
	void (*expired)(Exchange *exchange);
	/* Closes and frees what the exchange holds. Calls none of the functions below but
	 * exchange_close(). NULL: nothing to do. */
	void (*stop)(Exchange *exchange);
} Monitor;

extern const Monitor monitor_command;
extern const Monitor monitor_dns;
extern const Monitor monitor_grpc;
extern const Monitor monitor_idle;
extern const Monitor monitor_proxyfetch;
extern const Monitor monitor_smtp;
extern const Monitor monitor_tcp;
extern const Monitor monitor_udp;

/* The engine's part of an exchange; the functions below read it. */
struct Exchange {
	Checks *checks;
	struct Probe *probe;
	gint64 started_us;
	Timer deadline;
	guint slots;   /* sockets that it counts for */
	gboolean lame; /* it failed for want of something on this host */
	struct Plan *plan;
	Exchange *next; /* while its memory waits to be used again */
};

/* The result of a periodic check: `why` as a person reads it, one line, cut at
 * CHECKS_MAXIMUM_WHY_BYTES and made UTF-8. Stops the exchange, which is gone afterwards: return. */
void exchange_end(Exchange *exchange, PoolResult result, const char *why);
/* The same of a standing one, which goes on, unless whoever heard it left: call it last, and
 * return. */
void exchange_tell(Exchange *exchange, PoolResult result, const char *why);
/* A standing exchange has what it wanted: no deadline runs, and it no longer counts for the
 * sockets under way. */
void exchange_rest(Exchange *exchange);
/* As exchange_rest(); start() is called again after `delay_ms` (jittered, and when its turn has
 * come). A pause that is under way is replaced. */
void exchange_again(Exchange *exchange, gint64 delay_ms);

struct event_base *exchange_base(const Exchange *exchange);
gconstpointer exchange_settings(const Exchange *exchange);
const CheckTarget *exchange_target(const Exchange *exchange);
Runner *exchange_runner(const Exchange *exchange); /* may be NULL */
gint64 exchange_timeout_ms(const Exchange *exchange);
/* Since start(). */
gint64 exchange_took_us(const Exchange *exchange);
/* From the engine's seed. */
guint32 exchange_random(Exchange *exchange);
/* "5 s", "250 ms": a time as words have it. */
void exchange_time_text(gint64 time_ms, char text[static 24]);

/* A socket of an exchange, a member of the monitor's own struct. `fd` is -1 while it is closed, but
 * 0 before its first use: exchange_close() knows the difference by `ready`. */
struct ExchangeSocket {
	int fd;
	Exchange *exchange;
	/* Something may have changed: connected, readable, writable, broken. Edge-triggered: read
	 * and write until EAGAIN. Not called after exchange_close(). */
	void (*ready)(ExchangeSocket *socket);
	gboolean readable; /* there is something to read, were it the end: as ready() was called */
};

/* A non-blocking socket, SOCK_STREAM or SOCK_DGRAM, connected or on its way to the target's address
 * and port. A stream acknowledges late (no TCP_QUICKACK), and its close is a reset: nothing stays
 * in TIME_WAIT. NULL when it is under way, else what is wrong ("connection refused"); static. */
const char *exchange_connect(Exchange *exchange, ExchangeSocket *socket, int type,
	void (*ready)(ExchangeSocket *socket));
/* NULL when it is connected or still on its way, else as above. For when `ready` is first called,
 * and when a read or a write fails. */
const char *exchange_socket_trouble(const ExchangeSocket *socket);
/* May be called at any time, also twice. */
void exchange_close(ExchangeSocket *socket);
/* "connection refused", "no route to host", … for an errno. Static. */
const char *exchange_reason(int number);

#endif
