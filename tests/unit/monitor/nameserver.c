/* SPDX-License-Identifier: ISC
 *
 * A name server that does what a test wants: see nameserver.h.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nameserver.h"

struct Nameserver {
	struct event_base *base;
	NameserverAnswer answer;
	gpointer of;
	int udp, tcp;
	guint16 port;
	struct event *udp_event, *tcp_event;
	GPtrArray *streams; /* struct event */
};

static gboolean parse(NameserverQuestion *question)
{
	GString *name = g_string_new(NULL);
	gsize at = 12;
	while (at < question->size_bytes && question->bytes[at] != 0) {
		gsize length = question->bytes[at];
		if (at + 1 + length >= question->size_bytes)
			break;
		if (name->len > 0)
			g_string_append_c(name, '.');
		g_string_append_len(name, (const char *)question->bytes + at + 1, (gssize)length);
		at += 1 + length;
	}
	g_autofree char *lower = g_ascii_strdown(name->str, -1);
	g_strlcpy(question->name, lower, sizeof question->name);
	g_string_free(name, TRUE);
	if (at + 5 > question->size_bytes)
		return FALSE;
	question->type = (guint16)(question->bytes[at + 1] << 8 | question->bytes[at + 2]);
	return TRUE;
}

static void on_udp(evutil_socket_t fd, short what, void *of)
{
	Nameserver *server = of;
	guint8 bytes[4096];
	NameserverQuestion question = {.bytes = bytes, .fd = fd};
	socklen_t length = sizeof question.from;
	ssize_t got =
		recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&question.from, &length);
	question.size_bytes = (gsize)MAX(got, 0);
	g_autoptr(GByteArray) reply = g_byte_array_new();
	if (got > 0 && parse(&question) && server->answer(&question, reply, server->of))
		sendto(fd, reply->data, reply->len, 0, (struct sockaddr *)&question.from, length);
}

static void on_stream(evutil_socket_t fd, short what, void *of)
{
	Nameserver *server = of;
	guint8 bytes[4096];
	NameserverQuestion question = {.bytes = bytes + 2, .fd = fd, .tcp = TRUE};
	ssize_t got = recv(fd, bytes, sizeof bytes, 0); /* a question fits one segment */
	if (got <= 2) {
		for (guint i = 0; i < server->streams->len; i++)
			if (event_get_fd(server->streams->pdata[i]) == fd) {
				event_free(server->streams->pdata[i]);
				g_ptr_array_remove_index_fast(server->streams, i);
				break;
			}
		close(fd);
		return;
	}
	question.size_bytes = (gsize)got - 2;
	g_autoptr(GByteArray) reply = g_byte_array_new();
	if (!parse(&question) || !server->answer(&question, reply, server->of))
		return;
	guint8 size[2] = {(guint8)(reply->len >> 8), (guint8)reply->len};
	send(fd, size, 2, MSG_NOSIGNAL);
	send(fd, reply->data, reply->len, MSG_NOSIGNAL);
}

static void on_connection(evutil_socket_t fd, short what, void *of)
{
	Nameserver *server = of;
	int stream = accept(fd, NULL, NULL);
	if (stream < 0)
		return;
	struct event *event =
		event_new(server->base, stream, EV_READ | EV_PERSIST, on_stream, server);
	event_add(event, NULL);
	g_ptr_array_add(server->streams, event);
}

static int bind_to(int type, guint16 *port)
{
	struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(*port)};
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t length = sizeof where;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(fd, (struct sockaddr *)&where, sizeof where) != 0 ||
		getsockname(fd, (struct sockaddr *)&where, &length) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(where.sin_port);
	return fd;
}

Nameserver *nameserver_new(struct event_base *base, NameserverAnswer answer, gpointer of)
{
	Nameserver *server = g_new0(Nameserver, 1);
	server->base = base;
	server->answer = answer;
	server->of = of;
	server->streams = g_ptr_array_new();
	server->tcp = -1;
	for (int i = 0; i < 100 && server->tcp < 0; i++) {
		server->port = 0;
		server->udp = bind_to(SOCK_DGRAM, &server->port);
		server->tcp = bind_to(SOCK_STREAM, &server->port);
		if (server->tcp < 0)
			close(server->udp); /* the other half of the port is somebody's */
	}
	g_assert(server->tcp >= 0 && listen(server->tcp, 16) == 0);
	server->udp_event = event_new(base, server->udp, EV_READ | EV_PERSIST, on_udp, server);
	server->tcp_event =
		event_new(base, server->tcp, EV_READ | EV_PERSIST, on_connection, server);
	event_add(server->udp_event, NULL);
	event_add(server->tcp_event, NULL);
	return server;
}

void nameserver_free(Nameserver *server)
{
	for (guint i = 0; i < server->streams->len; i++) {
		close(event_get_fd(server->streams->pdata[i]));
		event_free(server->streams->pdata[i]);
	}
	g_ptr_array_unref(server->streams);
	event_free(server->udp_event);
	event_free(server->tcp_event);
	close(server->udp);
	close(server->tcp);
	g_free(server);
}

guint16 nameserver_port(const Nameserver *server)
{
	return server->port;
}

void nameserver_begin(GByteArray *reply, const NameserverQuestion *question, guint8 rcode)
{
	guint8 flags[] = {0x81, (guint8)(0x80 | rcode), 0, 1, 0, 0, 0, 0, 0, 0};
	gsize end = 12;
	while (question->bytes[end] != 0)
		end += 1 + (gsize)question->bytes[end];
	g_byte_array_append(reply, question->bytes, 2);
	g_byte_array_append(reply, flags, sizeof flags);
	g_byte_array_append(reply, question->bytes + 12, (guint)(end + 5 - 12));
}

void nameserver_add(GByteArray *reply, const char *address, guint32 ttl_s)
{
	guint8 bytes[16];
	gboolean v6 = inet_pton(AF_INET6, address, bytes) == 1;
	g_assert(v6 || inet_pton(AF_INET, address, bytes) == 1);
	guint8 record[] = {0xc0, 12, 0, v6 ? 28 : 1, 0, 1, (guint8)(ttl_s >> 24),
		(guint8)(ttl_s >> 16), (guint8)(ttl_s >> 8), (guint8)ttl_s, 0, v6 ? 16 : 4};
	g_byte_array_append(reply, record, sizeof record);
	g_byte_array_append(reply, bytes, v6 ? 16 : 4);
	reply->data[7]++; /* answers */
}
