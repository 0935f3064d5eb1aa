/* SPDX-License-Identifier: ISC
 *
 * DNSQuery: asks the server itself, at the service's port, over UDP, and over TCP when the answer
 * was cut short. Rules: docs/monitors.md, "DNSQuery".
 *
 *     ASKING (UDP) ──truncated──► CONNECTING (TCP) ──► ASKING (TCP)
 *
 * The socket is connected, so the kernel drops what comes from elsewhere. What has another id or
 * question is not an answer, and the wait for one goes on. Datagrams get lost: the question is sent
 * again, the same each time, when a fifth and three fifths of the time are over.
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/monitor/dns_message.h"
#include "balance/shown.h"
#include "base/error.h"

#define MAXIMUM_DATAGRAMS 1024	      /* read in a turn: more than a socket keeps */
#define MAXIMUM_STREAM	  (2 * 65537) /* bytes read over TCP in all */

typedef struct DnsSettings {
	guint count;
	char **names; /* as messages show them */
	DnsQuestion *questions;
	gboolean fail_on_nxdomain;
} DnsSettings;

typedef struct DnsExchange {
	Exchange exchange;
	ExchangeSocket socket;
	const char *name;
	DnsQuestion question;
	guint foreign;	     /* answers to something else */
	struct event *again; /* the time to send it again */
	guint sent;
	gboolean tcp, asked; /* over TCP the whole question is on its way */
	GByteArray *stream;
	gsize read_bytes;
} DnsExchange;

/* Settings */

static void dns_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->dnsquery.interval_ms;
	*timeout_ms = service->dnsquery.timeout_ms;
}

static void dns_settings_free(gpointer of)
{
	DnsSettings *settings = of;
	g_strfreev(settings->names);
	g_free(settings->questions);
	g_free(settings);
}

static guint16 type_of(const ConfigService *service)
{
	const ConfigKey *key = config_find_key(CONFIG_SCOPE_SERVICE, "dnsquery.type");
	return dns_type(key->words[service->dnsquery.type]);
}

static gpointer dns_settings_new(const ConfigService *service, GError **error)
{
	DnsSettings *settings = g_new0(DnsSettings, 1);
	guint16 type = type_of(service);
	g_assert(type != 0);
	settings->fail_on_nxdomain = service->dnsquery.fail_on_nxdomain;
	settings->count = g_strv_length(service->dnsquery.hostnames);
	settings->questions = g_new0(DnsQuestion, settings->count);
	settings->names = g_new0(char *, settings->count + 1);
	for (guint i = 0; i < settings->count; i++) {
		const char *name = service->dnsquery.hostnames[i];
		settings->names[i] = shown_text(name, -1);
		if (dns_question(name, type, 0, &settings->questions[i]))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"dnsquery.hostnames: '%s' does not fit into DNS: parts of 1 to 63 ASCII "
			"letters, without blanks, 253 in all",
			settings->names[i]);
		dns_settings_free(settings);
		return NULL;
	}
	if (settings->count > 0)
		return settings;
	drover_error_set(error, DROVER_ERROR_INPUT, "dnsquery.hostnames: is empty");
	dns_settings_free(settings);
	return NULL;
}

/* Results */

static void end(DnsExchange *dns, PoolResult result, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void end(DnsExchange *dns, PoolResult result, const char *format, ...)
{
	char why[CHECKS_MAXIMUM_WHY_BYTES];
	va_list values;
	va_start(values, format);
	g_vsnprintf(why, sizeof why, format, values);
	va_end(values);
	exchange_end(&dns->exchange, result, why);
}

static void judge(DnsExchange *dns, const DnsAnswer *answer)
{
	const DnsSettings *settings = exchange_settings(&dns->exchange);
	char rcode[16];
	dns_rcode_text(answer->rcode, rcode);
	if (answer->rcode == 0 && answer->truncated)
		end(dns, POOL_RESULT_UP, "NOERROR for %s", dns->name);
	else if (answer->rcode == 0)
		end(dns, POOL_RESULT_UP, "NOERROR for %s, %u record%s", dns->name, answer->records,
			answer->records == 1 ? "" : "s");
	else if (answer->rcode == 3 && !settings->fail_on_nxdomain)
		end(dns, POOL_RESULT_UP, "NXDOMAIN for %s", dns->name);
	else
		end(dns, POOL_RESULT_DOWN, "%s for %s, wanted an answer", rcode, dns->name);
}

static void go_over_to_tcp(DnsExchange *dns);

/* FALSE: it was not an answer, the wait goes on. Otherwise return. */
static gboolean take(DnsExchange *dns, const guint8 *bytes, gsize size_bytes)
{
	DnsAnswer answer;
	switch (dns_answer_read(&dns->question, bytes, size_bytes, &answer)) {
	case DNS_FOREIGN:
		dns->foreign++;
		return FALSE;
	case DNS_BROKEN:
		end(dns, POOL_RESULT_DOWN, "the answer about %s cannot be read", dns->name);
		return TRUE;
	case DNS_ANSWER:
		break;
	}
	if (answer.truncated && !dns->tcp)
		go_over_to_tcp(dns);
	else
		judge(dns, &answer);
	return TRUE;
}

static void dns_expired(Exchange *exchange)
{
	DnsExchange *dns = (DnsExchange *)exchange;
	char time[24];
	exchange_time_text(exchange_timeout_ms(exchange), time);
	if (dns->foreign > 0)
		end(dns, POOL_RESULT_DOWN,
			"no answer about %s in %s, but %u to something that was not asked",
			dns->name, time, dns->foreign);
	else
		end(dns, POOL_RESULT_DOWN, "no answer about %s in %s%s", dns->name, time,
			dns->tcp ? " over TCP" : "");
}

/* TCP: each message has its size before it. */

/* TRUE: it has ended. */
static gboolean take_messages(DnsExchange *dns)
{
	while (dns->stream->len >= 2) {
		gsize size = (gsize)(dns->stream->data[0] << 8 | dns->stream->data[1]);
		if (dns->stream->len < 2 + size)
			return FALSE;
		if (take(dns, dns->stream->data + 2, size))
			return TRUE;
		g_byte_array_remove_range(dns->stream, 0, (guint)(2 + size));
	}
	return FALSE;
}

static void read_stream(DnsExchange *dns)
{
	guint8 bytes[4096];
	for (;;) {
		ssize_t got = recv(dns->socket.fd, bytes, sizeof bytes, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			end(dns, POOL_RESULT_DOWN, "no answer about %s over TCP: %s", dns->name,
				got < 0 ? exchange_reason(errno) : "closed by the server");
			return;
		}
		g_byte_array_append(dns->stream, bytes, (guint)got);
		dns->read_bytes += (gsize)got;
		if (take_messages(dns))
			return;
		if (dns->read_bytes > MAXIMUM_STREAM) {
			end(dns, POOL_RESULT_DOWN, "no answer about %s among %zu bytes over TCP",
				dns->name, dns->read_bytes);
			return;
		}
	}
}

static void stream_ready(ExchangeSocket *socket)
{
	DnsExchange *dns = (DnsExchange *)socket->exchange;
	const char *trouble = exchange_socket_trouble(socket);
	if (trouble != NULL) {
		end(dns, POOL_RESULT_DOWN, "truncated, and over TCP: %s", trouble);
		return;
	}
	if (dns->asked) {
		read_stream(dns);
		return;
	}
	guint8 packet[2 + DNS_MAXIMUM_QUESTION_BYTES] = {
		(guint8)(dns->question.size_bytes >> 8), (guint8)dns->question.size_bytes};
	memcpy(packet + 2, dns->question.bytes, dns->question.size_bytes);
	gsize size = 2 + (gsize)dns->question.size_bytes;
	ssize_t sent = send(socket->fd, packet, size, MSG_NOSIGNAL);
	if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return; /* not connected yet */
	/* The first bytes of a connection always fit. */
	if (sent != (ssize_t)size) {
		end(dns, POOL_RESULT_DOWN, "truncated, and over TCP: %s",
			sent < 0 ? exchange_reason(errno) : "it takes no question");
		return;
	}
	dns->asked = TRUE;
	read_stream(dns);
}

static void go_over_to_tcp(DnsExchange *dns)
{
	dns->tcp = TRUE;
	dns->stream = g_byte_array_new();
	g_clear_pointer(&dns->again, event_free);
	exchange_close(&dns->socket);
	const char *trouble =
		exchange_connect(&dns->exchange, &dns->socket, SOCK_STREAM, stream_ready);
	if (trouble != NULL)
		end(dns, POOL_RESULT_DOWN, "truncated, and over TCP: %s", trouble);
}

/* UDP */

static const char *datagram_reason(int number)
{
	return number == ECONNREFUSED ? "nobody listens at the port" : exchange_reason(number);
}

static void datagram_ready(ExchangeSocket *socket)
{
	DnsExchange *dns = (DnsExchange *)socket->exchange;
	guint8 bytes[DNS_MAXIMUM_UDP_BYTES];
	for (guint i = 0; i < MAXIMUM_DATAGRAMS; i++) {
		ssize_t got = recv(socket->fd, bytes, sizeof bytes, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got < 0) {
			end(dns, POOL_RESULT_DOWN, "no answer about %s: %s", dns->name,
				datagram_reason(errno));
			return;
		}
		if (take(dns, bytes, (gsize)got))
			return;
	}
}

static void wait_to_ask_again(DnsExchange *dns)
{
	gint64 whole_ms = exchange_timeout_ms(&dns->exchange);
	gint64 pause_us = whole_ms * (dns->sent == 1 ? 200 : 400);
	struct timeval pause = {pause_us / G_USEC_PER_SEC, pause_us % G_USEC_PER_SEC};
	event_add(dns->again, &pause);
}

/* NULL: all is well. */
static const char *ask(DnsExchange *dns)
{
	ssize_t sent =
		send(dns->socket.fd, dns->question.bytes, dns->question.size_bytes, MSG_NOSIGNAL);
	dns->sent++;
	if (sent < 0 && errno != EAGAIN)
		return datagram_reason(errno);
	if (dns->sent < 3)
		wait_to_ask_again(dns);
	return NULL;
}

static void on_again(evutil_socket_t fd, short what, void *of)
{
	DnsExchange *dns = of;
	const char *trouble = ask(dns);
	if (trouble != NULL)
		end(dns, POOL_RESULT_DOWN, "no answer about %s: %s", dns->name, trouble);
}

static void dns_start(Exchange *exchange)
{
	DnsExchange *dns = (DnsExchange *)exchange;
	const DnsSettings *settings = exchange_settings(exchange);
	guint chosen = exchange_random(exchange) % settings->count;
	dns->name = settings->names[chosen];
	dns->question = settings->questions[chosen];
	/* The id is a secret until it is on the wire: not from the engine's seed. */
	dns_question_set_id(&dns->question, (guint16)g_random_int());
	const char *trouble = exchange_connect(exchange, &dns->socket, SOCK_DGRAM, datagram_ready);
	if (trouble == NULL) {
		dns->again = evtimer_new(exchange_base(exchange), on_again, dns);
		trouble = ask(dns);
	}
	if (trouble != NULL)
		end(dns, POOL_RESULT_DOWN, "no answer about %s: %s", dns->name, trouble);
}

static void dns_stop(Exchange *exchange)
{
	DnsExchange *dns = (DnsExchange *)exchange;
	exchange_close(&dns->socket);
	g_clear_pointer(&dns->again, event_free);
	g_clear_pointer(&dns->stream, g_byte_array_unref);
}

const Monitor monitor_dns = {
	.name = "DNSQuery",
	.exchange_bytes = sizeof(DnsExchange),
	.times = dns_times,
	.settings_new = dns_settings_new,
	.settings_free = dns_settings_free,
	.start = dns_start,
	.expired = dns_expired,
	.stop = dns_stop,
};
