/* SPDX-License-Identifier: ISC
 *
 * All connections of one server: how many there are, from where, and how long each may take.
 *
 * libmicrohttpd closes connections on which nothing moves. A peer that sends one byte now and then,
 * or takes its answer that slowly, moves for ever; so a thread looks over the connections and shuts
 * down those that are past their time. shutdown(2) leaves the descriptor open, so it can be called
 * from any thread; libmicrohttpd then finds the end of the stream and closes. The descriptor cannot
 * be another connection's by then: a connection leaves the table under the lock and before its
 * descriptor is closed, and shutdown() is called under the same lock.
 *
 *     quiet     nothing of the next request has come    until `since` + idle
 *     sending   first byte seen, the line is not whole  until first byte + deadline
 *     request   from the request line to the last byte  until first byte + deadline
 *               of the answer
 *     wait      a request waits for news (long poll)    no end here: http_work wakes it; cut when
 *                                                       its peer has left
 *     stream    an event stream                         no end; heartbeats; cut when dropped
 *
 * libmicrohttpd does not tell when a first byte comes, but the kernel counts received bytes
 * (tcpi_bytes_received), and the thread compares. Where it does not count (no TCP), a request has
 * idle time for its first line.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "wire/http_inside.h"

#define WATCH_STEP_MAXIMUM_MS 250
#define WATCH_STEP_MINIMUM_MS 10
#define WATCH_FINAL_MS	      1000 /* for libmicrohttpd to find out about a shutdown */

typedef enum Phase { PHASE_QUIET, PHASE_SENDING, PHASE_REQUEST, PHASE_WAIT, PHASE_STREAM } Phase;

struct HttpConnection {
	int fd;
	char *origin; /* the address, or the network, that the limit counts by */
	Phase phase;
	gint64 since_ms;	/* of the phase; in a request: of its first byte */
	guint64 steps;		/* deadlines that the request has: 1 and what its file adds */
	guint64 bytes_received; /* at the end of the previous answer */
	HttpStream *stream;
	gboolean cut;
};

struct HttpWatch {
	HttpWatchLimits limits;
	GMutex lock;
	GCond changed; /* a connection is gone, or the thread should look again */
	GPtrArray *connections;
	HttpOrigins *by_origin;
	guint64 accepted;
	guint64 refused;
	guint64 deadlines_passed;
	gboolean draining;
	gboolean stopping;
	GThread *thread;
};

/* Received so far; 0 when the kernel does not tell. */
static guint64 bytes_received(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return 0;
	return info.tcpi_bytes_received;
}

/* -- the thread
 * ------------------------------------------------------------------------------------- */

static void cut(HttpConnection *connection)
{
	if (connection->cut)
		return;
	connection->cut = TRUE;
	shutdown(connection->fd, SHUT_RDWR);
}

/* The connection of a stream or of a request that waits is suspended most of the time, so nobody
 * else notices that its peer left.
 */
static gboolean peer_has_left(const HttpConnection *connection)
{
	struct pollfd look = {.fd = connection->fd, .events = POLLRDHUP};
	return poll(&look, 1, 0) == 1 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void look_at_stream(HttpWatch *watch, HttpConnection *connection, gint64 now_ms)
{
	if (peer_has_left(connection))
		http_stream_abandon(connection->stream);
	if (!http_stream_tend(connection->stream, now_ms, watch->limits.heartbeat_ms))
		cut(connection);
}

static void look_at(HttpWatch *watch, HttpConnection *connection, gint64 now_ms)
{
	if (connection->phase == PHASE_STREAM) {
		look_at_stream(watch, connection, now_ms);
		return;
	}
	if (connection->phase == PHASE_WAIT) {
		if (peer_has_left(connection))
			cut(connection);
		return;
	}
	if (connection->phase == PHASE_QUIET &&
		bytes_received(connection->fd) > connection->bytes_received) {
		connection->phase = PHASE_SENDING;
		connection->since_ms = now_ms;
	}
	gboolean quiet = connection->phase == PHASE_QUIET;
	guint64 allowed_ms =
		quiet ? watch->limits.idle_ms : connection->steps * watch->limits.deadline_ms;
	if (connection->cut || (guint64)(now_ms - connection->since_ms) < allowed_ms)
		return;
	if (!quiet)
		watch->deadlines_passed++;
	cut(connection);
}

static gint64 step_us(const HttpWatch *watch)
{
	guint shortest_ms = MIN(
		MIN(watch->limits.deadline_ms, watch->limits.idle_ms), watch->limits.heartbeat_ms);
	return (gint64)CLAMP(shortest_ms / 8, WATCH_STEP_MINIMUM_MS, WATCH_STEP_MAXIMUM_MS) * 1000;
}

static gpointer watch_over(gpointer of)
{
	HttpWatch *watch = of;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	while (!watch->stopping) {
		gint64 now_ms = clock_monotonic_ms();
		for (guint i = 0; i < watch->connections->len; i++)
			look_at(watch, g_ptr_array_index(watch->connections, i), now_ms);
		g_cond_wait_until(
			&watch->changed, &watch->lock, g_get_monotonic_time() + step_us(watch));
	}
	return NULL;
}

/* -- the table
 * -------------------------------------------------------------------------------------- */

HttpWatch *http_watch_new(HttpWatchLimits limits)
{
	HttpWatch *watch = g_new0(HttpWatch, 1);
	watch->limits = limits;
	g_mutex_init(&watch->lock);
	g_cond_init(&watch->changed);
	watch->connections = g_ptr_array_new();
	watch->by_origin = http_origins_new();
	watch->thread = g_thread_new("http-watch", watch_over, watch);
	return watch;
}

void http_watch_free(HttpWatch *watch)
{
	g_mutex_lock(&watch->lock);
	watch->stopping = TRUE;
	g_cond_broadcast(&watch->changed);
	g_mutex_unlock(&watch->lock);
	g_thread_join(watch->thread);
	g_assert(watch->connections->len == 0);
	g_ptr_array_unref(watch->connections);
	http_origins_free(watch->by_origin);
	g_mutex_clear(&watch->lock);
	g_cond_clear(&watch->changed);
	g_free(watch);
}

gboolean http_watch_admits(HttpWatch *watch, const struct sockaddr *address)
{
	g_autofree char *origin = http_origin_text(address);
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	guint each = watch->limits.connections_per_address;
	gboolean admitted = watch->connections->len < watch->limits.connections &&
			    (each == 0 || http_origins_count(watch->by_origin, origin) < each) &&
			    !watch->draining;
	if (!admitted)
		watch->refused++;
	return admitted;
}

HttpConnection *http_watch_add(HttpWatch *watch, int fd, const struct sockaddr *address)
{
	HttpConnection *connection = g_new0(HttpConnection, 1);
	connection->fd = fd;
	connection->origin = http_origin_text(address);
	connection->since_ms = clock_monotonic_ms();
	connection->steps = 1;

	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	g_ptr_array_add(watch->connections, connection);
	http_origins_change(watch->by_origin, connection->origin, 1);
	watch->accepted++;
	return connection;
}

void http_watch_remove(HttpWatch *watch, HttpConnection *connection)
{
	g_mutex_lock(&watch->lock);
	gboolean known = g_ptr_array_remove_fast(watch->connections, connection);
	g_assert(known);
	if (connection->phase != PHASE_WAIT)
		http_origins_change(watch->by_origin, connection->origin, -1);
	if (watch->draining)
		g_cond_broadcast(&watch->changed);
	g_mutex_unlock(&watch->lock);

	g_clear_pointer(&connection->stream, http_stream_unref);
	g_free(connection->origin);
	g_free(connection);
}

void http_watch_begin(HttpWatch *watch, HttpConnection *connection)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	if (connection->phase == PHASE_QUIET)
		connection->since_ms = clock_monotonic_ms();
	connection->phase = PHASE_REQUEST;
}

void http_watch_finish(HttpWatch *watch, HttpConnection *connection)
{
	g_autoptr(HttpStream) stream = NULL; /* given up after the lock */
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	stream = g_steal_pointer(&connection->stream);
	connection->phase = PHASE_QUIET;
	connection->steps = 1;
	connection->since_ms = clock_monotonic_ms();
	connection->bytes_received = bytes_received(connection->fd);
	if (watch->draining)
		cut(connection);
}

void http_watch_allow(HttpWatch *watch, HttpConnection *connection, goffset length)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	connection->steps = 1 + (guint64)length / HTTP_FILE_LEAST_BYTES;
}

void http_watch_stream(HttpWatch *watch, HttpConnection *connection, HttpStream *stream)
{
	/* What the kernel holds unacknowledged for that long will not be read: it then ends the
	 * connection. */
	guint patience_ms = 2 * watch->limits.heartbeat_ms;
	setsockopt(
		connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof(patience_ms));
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	connection->phase = PHASE_STREAM;
	connection->stream = http_stream_ref(stream);
	if (watch->draining)
		http_stream_end(stream);
}

void http_watch_wait(HttpWatch *watch, HttpConnection *connection, gboolean waits)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	if (waits != (connection->phase == PHASE_WAIT))
		http_origins_change(watch->by_origin, connection->origin, waits ? -1 : 1);
	connection->phase = waits ? PHASE_WAIT : PHASE_REQUEST;
	connection->since_ms = clock_monotonic_ms();
}

gboolean http_watch_is_cut(HttpWatch *watch, HttpConnection *connection)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	return connection->cut;
}

/* With the lock held: until none is left or the time has come. */
static void wait_for_none(HttpWatch *watch, guint wait_ms)
{
	gint64 until_us = g_get_monotonic_time() + (gint64)wait_ms * 1000;
	while (watch->connections->len > 0)
		if (!g_cond_wait_until(&watch->changed, &watch->lock, until_us))
			return;
}

void http_watch_drain(HttpWatch *watch, guint grace_ms)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	watch->draining = TRUE;
	for (guint i = 0; i < watch->connections->len; i++) {
		HttpConnection *connection = g_ptr_array_index(watch->connections, i);
		if (connection->phase == PHASE_STREAM)
			http_stream_end(connection->stream);
		else if (connection->phase == PHASE_QUIET)
			cut(connection);
	}
	wait_for_none(watch, grace_ms);
	for (guint i = 0; i < watch->connections->len; i++)
		cut(g_ptr_array_index(watch->connections, i));
	wait_for_none(watch, WATCH_FINAL_MS);
}

void http_watch_figures(HttpWatch *watch, HttpServerFigures *figures)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);
	figures->connections = watch->accepted;
	figures->refused_connections = watch->refused;
	figures->deadlines_passed = watch->deadlines_passed;
	figures->open_connections = watch->connections->len;
	figures->streams = 0;
	for (guint i = 0; i < watch->connections->len; i++) {
		const HttpConnection *connection = g_ptr_array_index(watch->connections, i);
		if (connection->phase == PHASE_STREAM)
			figures->streams++;
	}
}
