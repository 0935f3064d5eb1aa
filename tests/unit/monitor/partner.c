/* SPDX-License-Identifier: ISC
 *
 * A TCP server for conversations: see partner.h.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>

#include "loop.h"
#include "partner.h"

struct Partner {
	struct event_base *base;
	struct evconnlistener *listener;
	PartnerHears hears;
	gpointer of;
	GPtrArray *lines;
	Address address;
	guint16 port;
	guint connections;
};

void partner_hang_up(PartnerLine *line)
{
	g_ptr_array_remove(line->partner->lines, line);
	bufferevent_free(line->stream);
	g_string_free(line->heard, TRUE);
	g_free(line);
}

void partner_reset(PartnerLine *line)
{
	setsockopt(bufferevent_getfd(line->stream), SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		sizeof(struct linger));
	partner_hang_up(line);
}

void partner_hang_up_all(Partner *partner)
{
	while (partner->lines->len > 0)
		partner_hang_up(partner->lines->pdata[0]);
}

void partner_reset_all(Partner *partner)
{
	while (partner->lines->len > 0)
		partner_reset(partner->lines->pdata[0]);
}

static void on_event(struct bufferevent *stream, short what, void *of)
{
	partner_hang_up(of);
}

static void on_read(struct bufferevent *stream, void *of)
{
	PartnerLine *line = of;
	char bytes[4096];
	for (size_t got; (got = bufferevent_read(stream, bytes, sizeof bytes)) > 0;)
		g_string_append_len(line->heard, bytes, (gssize)got);
	line->partner->hears(line, line->partner->of);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int size, void *of)
{
	Partner *partner = of;
	PartnerLine *line = g_new0(PartnerLine, 1);
	line->partner = partner;
	line->stream = bufferevent_socket_new(partner->base, fd, BEV_OPT_CLOSE_ON_FREE);
	line->heard = g_string_new(NULL);
	bufferevent_setcb(line->stream, on_read, NULL, on_event, line);
	bufferevent_enable(line->stream, EV_READ | EV_WRITE);
	g_ptr_array_add(partner->lines, line);
	partner->connections++;
	partner->hears(line, partner->of);
}

Partner *partner_new(struct event_base *base, PartnerHears hears, gpointer of)
{
	Partner *partner = g_new0(Partner, 1);
	struct sockaddr_storage place;
	g_assert_true(address_parse("127.0.0.1", &partner->address));
	socklen_t size = address_to_socket(&partner->address, 0, &place);
	partner->base = base;
	partner->hears = hears;
	partner->of = of;
	partner->lines = g_ptr_array_new();
	partner->listener = evconnlistener_new_bind(base, on_accept, partner,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 128, (struct sockaddr *)&place,
		(int)size);
	g_assert_nonnull(partner->listener);
	size = sizeof place;
	g_assert_true(getsockname(evconnlistener_get_fd(partner->listener),
			      (struct sockaddr *)&place, &size) == 0);
	address_from_socket(&place, &partner->address, &partner->port);
	return partner;
}

void partner_free(Partner *partner)
{
	partner_hang_up_all(partner);
	evconnlistener_free(partner->listener);
	g_ptr_array_unref(partner->lines);
	g_free(partner);
}

Address partner_address(const Partner *partner)
{
	return partner->address;
}

guint16 partner_port(const Partner *partner)
{
	return partner->port;
}

guint partner_connections(const Partner *partner)
{
	return partner->connections;
}

static gboolean is_quiet(gpointer of)
{
	return ((Partner *)of)->lines->len == 0;
}

void partner_await_quiet(Partner *partner)
{
	loop_until_true(partner->base, is_quiet, partner);
}

void partner_say_bytes(PartnerLine *line, const void *bytes, gsize size_bytes)
{
	bufferevent_write(line->stream, bytes, size_bytes);
}

void partner_say(PartnerLine *line, const char *text)
{
	partner_say_bytes(line, text, strlen(text));
}
