/* SPDX-License-Identifier: ISC
 *
 * The forwarder: for a service that can take no socket. A pair is a client's connection and ours to
 * the service; each direction has its own pending bytes, and its sender is not read from while
 * there are too many. An end of one side's bytes is passed on as such; a pair ends with both.
 */
#include "node/hold/forward.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "node/hold/listen.h"
#include "node/hold/spawn.h"

#define MAXIMUM_ACCEPTS 256
#define LOOK_EVERY_MS	250 /* at idle pairs, when leaving */

typedef struct Forwarder {
	struct event_base *base;
	GArray *fds;
	int signals;
	GPtrArray *doors; /* struct event * */
	ListenAddress target;
	GHashTable *pairs; /* set of Pair * */
	struct event *look, *pause;
	gboolean is_leaving;
	char scratch[FORWARD_MAXIMUM_PENDING_BYTES];
} Forwarder;

typedef struct Pair Pair;

typedef struct Side {
	Pair *pair;
	struct Side *other;
	int fd;
	struct event *readable, *writable;
	GByteArray *pending; /* for this side to be sent */
	gboolean has_ended;  /* it sends no more */
	gboolean was_told;   /* that the other sends no more */
} Side;

struct Pair {
	Forwarder *of;
	Side client, service;
	struct event *again; /* trying to connect; later, whether the client goes too */
	gint64 give_up_ms, active_ms;
	gboolean is_connected, was_answered; /* the last bytes went to the client */
};

static void set_doors(Forwarder *forwarder, gboolean are_open)
{
	for (guint i = 0; i < forwarder->doors->len; i++)
		if (are_open)
			event_add(forwarder->doors->pdata[i], NULL);
		else
			event_del(forwarder->doors->pdata[i]);
}

static void clear_side(Side *side)
{
	g_clear_pointer(&side->readable, event_free);
	g_clear_pointer(&side->writable, event_free);
	if (side->fd >= 0)
		close(side->fd);
	side->fd = -1;
}

static void end_pair(Pair *pair)
{
	Forwarder *forwarder = pair->of;
	clear_side(&pair->client);
	clear_side(&pair->service);
	g_byte_array_unref(pair->client.pending);
	g_byte_array_unref(pair->service.pending);
	event_free(pair->again);
	g_hash_table_remove(forwarder->pairs, pair);
	g_free(pair);
	guint left = g_hash_table_size(forwarder->pairs);
	if (forwarder->is_leaving && left == 0)
		event_base_loopbreak(forwarder->base);
	else if (!forwarder->is_leaving && left == FORWARD_MAXIMUM_CONNECTIONS - 1)
		set_doors(forwarder, TRUE);
}

/* Sends what is pending for a side, and its end after that; FALSE: the pair has ended. */
static gboolean flush(Side *side)
{
	GByteArray *pending = side->pending;
	guint sent_bytes = 0;
	while (sent_bytes < pending->len) {
		gssize sent = send(side->fd, pending->data + sent_bytes, pending->len - sent_bytes,
			MSG_NOSIGNAL);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (sent < 0) {
			end_pair(side->pair);
			return FALSE;
		}
		sent_bytes += (guint)sent;
		side->pair->active_ms = clock_monotonic_ms();
	}
	g_byte_array_remove_range(pending, 0, sent_bytes);
	if (pending->len > 0) {
		event_add(side->writable, NULL);
		return TRUE;
	}
	if (side->other->has_ended && !side->was_told) {
		shutdown(side->fd, SHUT_WR);
		side->was_told = TRUE;
	}
	if (side->was_told && side->other->was_told) {
		end_pair(side->pair);
		return FALSE;
	}
	if (!side->other->has_ended)
		event_add(side->other->readable, NULL);
	return TRUE;
}

/* The service has closed, and would be rid of its client: nothing else here tells the client to go.
 */
static void wait_for_client(Pair *pair)
{
	static const struct timeval every = {.tv_sec = 1};
	gint64 limit_s = pair->client.was_told ? FORWARD_LINGER_S : FORWARD_STUCK_S;
	if (clock_monotonic_ms() - pair->active_ms >= limit_s * 1000)
		end_pair(pair);
	else
		event_add(pair->again, &every);
}

static void on_readable(evutil_socket_t fd, short what, gpointer of)
{
	Side *from = of, *to = from->other;
	Forwarder *forwarder = from->pair->of;
	gssize got = recv(fd, forwarder->scratch, sizeof forwarder->scratch, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(from->readable, NULL);
		return;
	}
	if (got < 0) {
		end_pair(from->pair);
		return;
	}
	from->has_ended = got == 0;
	from->pair->active_ms = clock_monotonic_ms();
	if (got > 0)
		from->pair->was_answered = from == &from->pair->service;
	g_byte_array_append(to->pending, (const guint8 *)forwarder->scratch, (guint)got);
	if (flush(to) && got == 0 && from == &from->pair->service)
		wait_for_client(from->pair);
}

static void on_writable(evutil_socket_t fd, short what, gpointer of)
{
	flush(of);
}

static void init_side(Side *side, Side *other, Pair *pair)
{
	*side = (Side){.pair = pair, .other = other, .fd = -1, .pending = g_byte_array_new()};
}

static void open_side(Side *side, int fd)
{
	int on = 1, idle_s = FORWARD_STUCK_S;
	struct event_base *base = side->pair->of->base;
	side->fd = fd;
	side->readable = event_new(base, fd, EV_READ, on_readable, side);
	side->writable = event_new(base, fd, EV_WRITE, on_writable, side);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* Who lost power says no more. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
}

static void try_again(Pair *pair)
{
	static const struct timeval pause = {.tv_usec = FORWARD_CONNECT_EVERY_MS * 1000};
	clear_side(&pair->service);
	if (clock_monotonic_ms() >= pair->give_up_ms)
		end_pair(pair);
	else
		event_add(pair->again, &pause);
}

static void on_connected(evutil_socket_t fd, short what, gpointer of)
{
	Pair *pair = of;
	int reason = 0;
	socklen_t size_bytes = sizeof reason;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size_bytes);
	g_clear_pointer(&pair->service.writable, event_free);
	if (what & EV_TIMEOUT || reason != 0) {
		try_again(pair);
		return;
	}
	pair->is_connected = TRUE;
	open_side(&pair->service, fd);
	event_add(pair->service.readable, NULL);
	event_add(pair->client.readable, NULL);
}

static void connect_pair(Pair *pair)
{
	const ListenAddress *target = &pair->of->target;
	gint64 left_ms = MAX(pair->give_up_ms - clock_monotonic_ms(), 1);
	struct timeval limit = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
	int fd = socket(target->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	pair->service.fd = fd;
	if (fd < 0 ||
		(connect(fd, (const struct sockaddr *)&target->socket, target->size_bytes) != 0 &&
			errno != EINPROGRESS)) {
		try_again(pair);
		return;
	}
	/* Until it is connected only its error or success matters. */
	pair->service.writable = event_new(pair->of->base, fd, EV_WRITE, on_connected, pair);
	event_add(pair->service.writable, &limit);
}

static void on_again(evutil_socket_t fd, short what, gpointer of)
{
	Pair *pair = of;
	if (pair->is_connected)
		wait_for_client(pair);
	else
		connect_pair(pair);
}

static void begin_pair(Forwarder *forwarder, int fd)
{
	Pair *pair = g_new0(Pair, 1);
	pair->of = forwarder;
	init_side(&pair->client, &pair->service, pair);
	init_side(&pair->service, &pair->client, pair);
	open_side(&pair->client, fd);
	pair->again = evtimer_new(forwarder->base, on_again, pair);
	pair->active_ms = clock_monotonic_ms();
	pair->give_up_ms = pair->active_ms + FORWARD_CONNECT_S * 1000;
	g_hash_table_add(forwarder->pairs, pair);
	connect_pair(pair);
}

static void on_pause(evutil_socket_t fd, short what, gpointer of)
{
	Forwarder *forwarder = of;
	if (!forwarder->is_leaving)
		set_doors(forwarder, TRUE);
}

static void on_door(evutil_socket_t door, short what, gpointer of)
{
	Forwarder *forwarder = of;
	static const struct timeval pause = {.tv_usec = FORWARD_ACCEPT_PAUSE_MS * 1000};
	fcntl(door, F_SETFL, fcntl(door, F_GETFL) | O_NONBLOCK);
	for (guint i = 0; i < MAXIMUM_ACCEPTS; i++) {
		if (g_hash_table_size(forwarder->pairs) >= FORWARD_MAXIMUM_CONNECTIONS) {
			set_doors(forwarder, FALSE);
			return;
		}
		int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
			set_doors(forwarder, FALSE);
			event_add(forwarder->pause, &pause);
			return;
		}
		if (fd < 0)
			return;
		begin_pair(forwarder, fd);
	}
}

static gboolean is_between_requests(const Pair *pair)
{
	return pair->is_connected && pair->was_answered && pair->client.pending->len == 0 &&
	       clock_monotonic_ms() - pair->active_ms >= FORWARD_IDLE_MS;
}

static void on_look(evutil_socket_t fd, short what, gpointer of)
{
	Forwarder *forwarder = of;
	g_autoptr(GList) pairs = g_hash_table_get_keys(forwarder->pairs);
	for (GList *each = pairs; each != NULL; each = each->next)
		if (is_between_requests(each->data))
			end_pair(each->data);
}

static void on_leave(evutil_socket_t fd, short what, gpointer of)
{
	Forwarder *forwarder = of;
	if (spawn_signalled(fd) == 0)
		return;
	static const struct timeval every = {.tv_usec = LOOK_EVERY_MS * 1000};
	if (forwarder->is_leaving)
		return;
	forwarder->is_leaving = TRUE;
	set_doors(forwarder, FALSE);
	event_add(forwarder->look, &every);
	if (g_hash_table_size(forwarder->pairs) == 0)
		event_base_loopbreak(forwarder->base);
}

static void serve(Forwarder *forwarder)
{
	forwarder->base = event_base_new();
	forwarder->doors = g_ptr_array_new_with_free_func((GDestroyNotify)event_free);
	forwarder->pairs = g_hash_table_new(NULL, NULL);
	forwarder->pause = evtimer_new(forwarder->base, on_pause, forwarder);
	forwarder->look = event_new(forwarder->base, -1, EV_PERSIST, on_look, forwarder);
	struct event *leave = event_new(
		forwarder->base, forwarder->signals, EV_READ | EV_PERSIST, on_leave, forwarder);
	event_add(leave, NULL);
	for (guint i = 0; i < forwarder->fds->len; i++)
		g_ptr_array_add(forwarder->doors,
			event_new(forwarder->base, g_array_index(forwarder->fds, int, i),
				EV_READ | EV_PERSIST, on_door, forwarder));
	set_doors(forwarder, TRUE);
	service_notify("READY=1\nSTATUS=forwarding");
	event_base_dispatch(forwarder->base);
	event_free(leave);
	event_free(forwarder->look);
	event_free(forwarder->pause);
	g_ptr_array_unref(forwarder->doors);
	g_hash_table_unref(forwarder->pairs);
	event_base_free(forwarder->base);
}

gboolean forward_run(const NodeProduct *product, GError **error)
{
	const char *target = g_getenv("DROVER_FORWARD_TO");
	g_autofree Forwarder *forwarder = g_new0(Forwarder, 1);
	if (target == NULL)
		target = product->forward_to;
	if (target == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"product '%s' has no forward_to: there is nothing to forward to",
			product->name);
		return FALSE;
	}
	if (!listen_address_parse(target, &forwarder->target, error))
		return FALSE;
	g_autoptr(GArray) fds = listen_lent(error);
	if (fds == NULL)
		return FALSE;
	spawn_raise_file_limit();
	signal(SIGPIPE, SIG_IGN);
	forwarder->fds = fds;
	forwarder->signals = spawn_signals((const int[]){SIGTERM, 0}, error);
	if (forwarder->signals < 0)
		return FALSE;
	if (!spawn_become(product->user, product->group, error))
		return FALSE;
	serve(forwarder);
	return TRUE;
}
