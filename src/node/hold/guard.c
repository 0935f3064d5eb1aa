/* SPDX-License-Identifier: ISC
 *
 * What a service does to things that are not its alone. A lent socket is one and the same for all
 * who have it: shutdown(2) by one of them, as some servers do to wake their threads, ends it for
 * everybody, so it is made to listen again. What a service prints into the holder's own log is cut
 * when it gets too long; systemd's journal looks after itself.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/hold/holder.h"

#define SAY_EVERY_MS 1000

static void on_shut(evutil_socket_t fd, short what, gpointer of)
{
	Holder *holder = of;
	struct epoll_event found[NODE_MAXIMUM_LISTENS];
	gint64 now_ms = clock_monotonic_ms();
	int count = epoll_wait(fd, found, NODE_MAXIMUM_LISTENS, 0);
	if (count <= 0 || !listen_again(holder->listeners))
		return;
	listen_store(holder->listeners); /* systemd gives up what was shut */
	if (holder->shut_ms == 0 || now_ms - holder->shut_ms >= SAY_EVERY_MS)
		log_event(LOG_LEVEL_WARNING, "hold.shut", "product", holder->product->name, "why",
			"a service has shut down the socket that it was lent; it listens again",
			NULL);
	holder->shut_ms = now_ms;
}

/* Only its end stays. All who print into it append, so nobody has to know. */
static void cut_log(gint64 size_bytes)
{
	g_autofree char *tail = g_malloc(HOLD_KEPT_LOG_BYTES);
	int fd = open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC);
	gssize got =
		fd >= 0 ? pread(fd, tail, HOLD_KEPT_LOG_BYTES, size_bytes - HOLD_KEPT_LOG_BYTES)
			: -1;
	if (fd >= 0)
		close(fd);
	if (ftruncate(STDERR_FILENO, 0) != 0)
		return;
	gssize kept = got > 0 ? write(STDERR_FILENO, tail, (gsize)got) : 0;
	(void)kept;
	log_event(LOG_LEVEL_WARNING, "hold.log-cut", "why", "it was too long", NULL);
}

static void on_log(evutil_socket_t fd, short what, gpointer of)
{
	struct stat found;
	if (fstat(STDERR_FILENO, &found) == 0 && S_ISREG(found.st_mode) &&
		found.st_size > HOLD_MAXIMUM_LOG_BYTES &&
		(fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0)
		cut_log(found.st_size);
}

void guard_begin(Holder *holder)
{
	static const struct timeval every = {.tv_sec = HOLD_LOG_LOOK_S};
	holder->guard_fd = epoll_create1(EPOLL_CLOEXEC);
	/* Connections that come are none of ours: only the end of a socket is told. */
	for (guint i = 0; holder->guard_fd >= 0 && i < holder->listeners->len; i++) {
		struct epoll_event only_its_end = {.events = EPOLLET};
		epoll_ctl(holder->guard_fd, EPOLL_CTL_ADD, g_array_index(holder->listeners, int, i),
			&only_its_end);
	}
	holder->shut =
		event_new(holder->base, holder->guard_fd, EV_READ | EV_PERSIST, on_shut, holder);
	holder->log = event_new(holder->base, -1, EV_PERSIST, on_log, holder);
	if (holder->guard_fd >= 0)
		event_add(holder->shut, NULL);
	event_add(holder->log, &every);
}

void guard_end(Holder *holder)
{
	event_free(holder->shut);
	event_free(holder->log);
	if (holder->guard_fd >= 0)
		close(holder->guard_fd);
}
