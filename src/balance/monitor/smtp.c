/* SPDX-License-Identifier: ISC
 *
 * SMTP: a mail server that greets, knows us, and lets us go. Rules: docs/monitors.md, "SMTP".
 *
 *     CONNECTING ──► BANNER ──220──► HELLO ──250──► QUIT ──whatever──► up
 *
 * Once it has answered EHLO it is up: the wait for its goodbye is politeness, so that its log does
 * not fill with lost connections.
 */
#include "balance/monitor/monitor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "balance/monitor/smtp_reply.h"
#include "balance/shown.h"

typedef enum SmtpStage { STAGE_CONNECTING, STAGE_BANNER, STAGE_HELLO, STAGE_QUIT } SmtpStage;

typedef struct SmtpExchange {
	Exchange exchange;
	ExchangeSocket socket;
	SmtpStage stage;
	SmtpReply reply;
} SmtpExchange;

static const char *stage_text(SmtpStage stage)
{
	switch (stage) {
	case STAGE_CONNECTING:
		return "while connecting";
	case STAGE_BANNER:
		return "without a banner";
	case STAGE_HELLO:
	case STAGE_QUIT:
		break;
	}
	return "without an answer to EHLO";
}

static void smtp_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->smtp.interval_ms;
	*timeout_ms = service->smtp.timeout_ms;
}

static void end(SmtpExchange *smtp, PoolResult result, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void end(SmtpExchange *smtp, PoolResult result, const char *format, ...)
{
	char why[CHECKS_MAXIMUM_WHY_BYTES];
	va_list values;
	va_start(values, format);
	g_vsnprintf(why, sizeof why, format, values);
	va_end(values);
	exchange_end(&smtp->exchange, result, why);
}

static void end_up(SmtpExchange *smtp)
{
	end(smtp, POOL_RESULT_UP, "greeted in %" G_GINT64_FORMAT " ms",
		exchange_took_us(&smtp->exchange) / 1000);
}

/* FALSE: it has ended. */
static gboolean say(SmtpExchange *smtp, const char *line)
{
	/* A few bytes always fit, unless the server reads nothing at all. */
	ssize_t sent = send(smtp->socket.fd, line, strlen(line), MSG_NOSIGNAL);
	if (sent == (ssize_t)strlen(line))
		return TRUE;
	end(smtp, POOL_RESULT_DOWN, "%s", exchange_reason(errno));
	return FALSE;
}

/* By our own address: a name might not be known to the server. */
static gboolean say_hello(SmtpExchange *smtp)
{
	struct sockaddr_storage here = {0};
	socklen_t size = sizeof here;
	Address address = {0};
	char text[ADDRESS_TEXT_BYTES], line[80];
	if (getsockname(smtp->socket.fd, (struct sockaddr *)&here, &size) != 0 ||
		!address_from_socket(&here, &address, NULL)) {
		end(smtp, POOL_RESULT_DOWN, "%s", exchange_reason(errno));
		return FALSE;
	}
	address_text(&address, text);
	g_snprintf(line, sizeof line, "EHLO [%s%s]\r\n", address.family == AF_INET6 ? "IPv6:" : "",
		text);
	return say(smtp, line);
}

/* FALSE: it has ended. */
static gboolean take_reply(SmtpExchange *smtp)
{
	SmtpReply reply = smtp->reply;
	gboolean banner = smtp->stage == STAGE_BANNER;
	smtp->reply = (SmtpReply){0};
	if (smtp->stage == STAGE_QUIT) {
		end_up(smtp);
		return FALSE;
	}
	if (reply.code != (banner ? 220 : 250)) {
		g_autofree char *line = shown_text(reply.line, -1);
		end(smtp, POOL_RESULT_DOWN, "%s: %s", banner ? "banner" : "answer to EHLO", line);
		return FALSE;
	}
	smtp->stage = banner ? STAGE_HELLO : STAGE_QUIT;
	return banner ? say_hello(smtp) : say(smtp, "QUIT\r\n");
}

/* FALSE: it has ended. */
static gboolean take_bytes(SmtpExchange *smtp, const char *bytes, gsize size_bytes)
{
	while (size_bytes > 0) {
		gsize used = 0;
		SmtpState state = smtp_reply_read(&smtp->reply, bytes, size_bytes, &used);
		bytes += used;
		size_bytes -= used;
		switch (state) {
		case SMTP_MORE:
			return TRUE;
		case SMTP_WHOLE:
			if (!take_reply(smtp))
				return FALSE;
			continue;
		case SMTP_BROKEN:
		case SMTP_ENDLESS:
			break;
		}
		if (smtp->stage == STAGE_QUIT) {
			end_up(smtp);
		} else if (state == SMTP_ENDLESS) {
			end(smtp, POOL_RESULT_DOWN, "%s without end",
				smtp->stage == STAGE_BANNER ? "a banner" : "an answer to EHLO");
		} else {
			g_autofree char *line = shown_text(smtp->reply.line, -1);
			end(smtp, POOL_RESULT_DOWN, "speaks no SMTP: '%s'", line);
		}
		return FALSE;
	}
	return TRUE;
}

static void read_on(SmtpExchange *smtp)
{
	char bytes[2048];
	for (;;) {
		ssize_t got = recv(smtp->socket.fd, bytes, sizeof bytes, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0 && smtp->stage == STAGE_QUIT) {
			end_up(smtp);
			return;
		}
		if (got <= 0) {
			end(smtp, POOL_RESULT_DOWN, "%s %s",
				got < 0 ? exchange_reason(errno) : "closed by the server",
				stage_text(smtp->stage));
			return;
		}
		if (!take_bytes(smtp, bytes, (gsize)got))
			return;
	}
}

static void smtp_ready(ExchangeSocket *socket)
{
	SmtpExchange *smtp = (SmtpExchange *)socket->exchange;
	if (smtp->stage == STAGE_CONNECTING) {
		const char *trouble = exchange_socket_trouble(socket);
		if (trouble != NULL) {
			exchange_end(&smtp->exchange, POOL_RESULT_DOWN, trouble);
			return;
		}
		smtp->stage = STAGE_BANNER;
		/* The acknowledgement that was held back: only now the server sees us. */
		setsockopt(socket->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	}
	read_on(smtp);
}

static void smtp_start(Exchange *exchange)
{
	SmtpExchange *smtp = (SmtpExchange *)exchange;
	const char *trouble = exchange_connect(exchange, &smtp->socket, SOCK_STREAM, smtp_ready);
	if (trouble != NULL)
		exchange_end(exchange, POOL_RESULT_DOWN, trouble);
}

static void smtp_expired(Exchange *exchange)
{
	SmtpExchange *smtp = (SmtpExchange *)exchange;
	char time[24];
	if (smtp->stage == STAGE_QUIT) {
		end_up(smtp);
		return;
	}
	exchange_time_text(exchange_timeout_ms(exchange), time);
	end(smtp, POOL_RESULT_DOWN, "timed out after %s %s", time, stage_text(smtp->stage));
}

static void smtp_stop(Exchange *exchange)
{
	exchange_close(&((SmtpExchange *)exchange)->socket);
}

const Monitor monitor_smtp = {
	.name = "SMTP",
	.exchange_bytes = sizeof(SmtpExchange),
	.times = smtp_times,
	.start = smtp_start,
	.expired = smtp_expired,
	.stop = smtp_stop,
};
