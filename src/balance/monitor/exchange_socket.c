/* SPDX-License-Identifier: ISC
 *
 * Sockets of exchanges. They are told of through an epoll of our own, which stands as one
 * descriptor in the event base: each socket is added once, edge-triggered, for everything, and
 * forgotten by its close. That is one system call a check instead of four, and no event structure.
 */
#include "balance/monitor/checks_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"

#define EVENTS_AT_ONCE 256

static void on_arrivals(evutil_socket_t fd, short what, void *of)
{
	exchange_sockets_look(of);
}

gboolean exchange_sockets_open(Checks *checks, GError **error)
{
	checks->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (checks->epoll < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the checks could not be set up: epoll_create1: %s", g_strerror(errno));
		return FALSE;
	}
	checks->arrivals =
		event_new(checks->base, checks->epoll, EV_READ | EV_PERSIST, on_arrivals, checks);
	if (checks->arrivals == NULL || event_add(checks->arrivals, NULL) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the checks could not be set up: libevent takes no event");
		return FALSE;
	}
	return TRUE;
}

void exchange_sockets_close(Checks *checks)
{
	g_clear_pointer(&checks->arrivals, event_free);
	if (checks->epoll >= 0)
		close(checks->epoll);
	checks->epoll = -1;
}

void exchange_sockets_look(Checks *checks)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	g_assert(checks->events == NULL);
	checks_enter(checks);
	checks->events = events;
	checks->event_count = epoll_wait(checks->epoll, events, EVENTS_AT_ONCE, 0);
	for (checks->event_at = 0; checks->event_at < checks->event_count; checks->event_at++) {
		const struct epoll_event *event = &events[checks->event_at];
		ExchangeSocket *socket = event->data.ptr;
		if (socket == NULL)
			continue;
		socket->readable =
			(event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
		socket->ready(socket);
	}
	checks->events = NULL;
	checks_exit(checks);
}

/* What this round of events has still to say about it is for nobody. */
static void forget_events(Checks *checks, const ExchangeSocket *socket)
{
	if (checks->events == NULL)
		return;
	for (int i = checks->event_at + 1; i < checks->event_count; i++)
		if (checks->events[i].data.ptr == socket)
			checks->events[i].data.ptr = NULL;
}

/* What this host lacks says nothing about the server. */
static gboolean is_ours(int number)
{
	switch (number) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EACCES:
	case EPERM:
		return TRUE;
	default:
		return FALSE;
	}
}

const char *exchange_reason(int number)
{
	switch (number) {
	case ECONNREFUSED:
		return "connection refused";
	case ECONNRESET:
	case EPIPE:
		return "connection reset by the server";
	case EHOSTUNREACH:
		return "no route to the server";
	case ENETUNREACH:
		return "no route to the server's network";
	case ETIMEDOUT:
		return "timed out while connecting";
	case EMFILE:
	case ENFILE:
		return "this host has no free file descriptor";
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC:
		return "this host is out of memory for sockets";
	case EADDRNOTAVAIL:
		return "this host has no free port";
	case EACCES:
	case EPERM:
		return "this host's firewall forbids the connection";
	default:
		return g_strerror(number);
	}
}

static const char *give_up(Exchange *exchange, ExchangeSocket *socket, int number)
{
	exchange->lame = is_ours(number);
	exchange_close(socket);
	return exchange_reason(number);
}

const char *exchange_connect(Exchange *exchange, ExchangeSocket *socket_, int type,
	void (*ready)(ExchangeSocket *socket))
{
	const CheckTarget *target = exchange_target(exchange);
	struct sockaddr_storage address;
	socklen_t size = address_to_socket(&target->address, target->port, &address);
	g_assert(socket_->ready == NULL);
	*socket_ = (ExchangeSocket){
		socket(target->address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), exchange,
		ready, FALSE};
	if (socket_->fd < 0)
		return give_up(exchange, socket_, errno);
	if (type == SOCK_STREAM) {
		/* Without them it works as well, at a higher price. */
		setsockopt(socket_->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
		setsockopt(socket_->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			sizeof(struct linger));
	}
	if (connect(socket_->fd, (struct sockaddr *)&address, size) != 0 && errno != EINPROGRESS)
		return give_up(exchange, socket_, errno);
	struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = socket_}};
	if (epoll_ctl(exchange->checks->epoll, EPOLL_CTL_ADD, socket_->fd, &event) != 0)
		return give_up(exchange, socket_, errno);
	return NULL;
}

const char *exchange_socket_trouble(const ExchangeSocket *socket)
{
	int number = 0;
	socklen_t size = sizeof number;
	if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
		number = errno;
	if (number == 0)
		return NULL;
	socket->exchange->lame = is_ours(number);
	return exchange_reason(number);
}

void exchange_close(ExchangeSocket *socket)
{
	if (socket->ready == NULL)
		return;
	socket->ready = NULL;
	forget_events(socket->exchange->checks, socket);
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}
