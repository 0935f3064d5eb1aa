/* SPDX-License-Identifier: ISC
 *
 * Our own engine: threads that wait in epoll for new connections and for those they have, and the
 * time of each.
 *
 * All loops wait for one listening socket, and the kernel wakes one of them (EPOLLEXCLUSIVE). A
 * socket for each (SO_REUSEPORT) would spread connections more evenly, but a second droverd could
 * then listen on the same port without an error, and what waits at one of the sockets is lost when
 * it is closed.
 *
 * Of each phase all peers have the same time, so its list is in the order in which they expire.
 *
 * docs/decisions/own-public-loop.md
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <glib-unix.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/http_loop.h"

#define LOOPS_DEFAULT_MOST 4
#define EVENTS_AT_ONCE	   256
#define ACCEPTS_AT_ONCE	   32
#define ACCEPT_PAUSE_MS	   100 /* when descriptors have run out */
#define LONG_MS		   60000

/* -- what peers need
 * --------------------------------------------------------------------------------- */

gboolean http_loop_is_stopping(const HttpLoop *loop)
{
	return atomic_load_explicit(&loop->all->stopping, memory_order_acquire); /* stop_until_ms */
}

const char *http_loop_date(HttpLoop *loop)
{
	gint64 now_s = (gint64)time(NULL);
	if (now_s != loop->date_s)
		http_date_text(now_s, loop->date);
	loop->date_s = now_s;
	return loop->date;
}

void http_loop_count(atomic_ullong *number)
{
	unsigned long long before = atomic_load_explicit(number, memory_order_relaxed);
	atomic_store_explicit(number, before + 1, memory_order_relaxed);
}

void http_loop_leave(HttpLoop *loop, const char *origin)
{
	HttpLoops *all = loop->all;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&all->lock);
	http_origins_change(all->origins, origin, -1);
	all->open--;
}

/* -- those that come
 * --------------------------------------------------------------------------------- */

/* Counts it. FALSE when it is one too many. */
static gboolean admit(HttpLoops *all, const char *origin)
{
	guint each = all->limits.connections_per_address;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&all->lock);
	if (all->open >= all->limits.connections ||
		(each > 0 && http_origins_count(all->origins, origin) >= each)) {
		all->refused++;
		return FALSE;
	}
	http_origins_change(all->origins, origin, 1);
	all->open++;
	all->accepted++;
	return TRUE;
}

static void welcome(HttpLoop *loop, int fd, const struct sockaddr *address)
{
	g_autofree char *origin = http_origin_text(address);
	if (admit(loop->all, origin))
		http_peer_begin(loop, fd, address, g_steal_pointer(&origin));
	else
		close(fd);
}

static void listen_on(HttpLoop *loop, gboolean accepts)
{
	if (loop->accepts == accepts)
		return;
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL};
	int changed = epoll_ctl(
		loop->epoll, accepts ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, loop->all->listening, &event);
	g_assert(changed == 0);
	loop->accepts = accepts;
}

static void accept_some(HttpLoop *loop)
{
	for (guint i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);
		int fd = accept4(loop->all->listening, (struct sockaddr *)&address, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(loop, fd, (struct sockaddr *)&address);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			listen_on(loop, FALSE); /* it would be woken for it again and again */
			loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

/* Woken by another thread: what was given to it is its own now. */
static void look_around(HttpLoop *loop)
{
	guint64 count;
	gssize got = read(loop->wake, &count, sizeof(count));
	g_assert(got == sizeof(count) || errno == EAGAIN);
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&loop->adopted_lock);
	for (guint i = 0; i < loop->adopted->len; i++) {
		struct sockaddr_storage address = {.ss_family = AF_UNIX};
		welcome(loop, g_array_index(loop->adopted, int, i), (struct sockaddr *)&address);
	}
	g_array_set_size(loop->adopted, 0);
}

/* -- time
 * ------------------------------------------------------------------------------------------- */

static guint allowed_ms(const HttpLoop *loop, HttpPeerPhase phase)
{
	const HttpWatchLimits *limits = &loop->all->limits;
	if (phase == HTTP_PEER_LINGER)
		return HTTP_LINGER_MS;
	return phase == HTTP_PEER_QUIET ? limits->idle_ms : limits->deadline_ms;
}

/* Milliseconds until the next of the phase has to be looked at. */
static gint64 expire_phase(HttpLoop *loop, HttpPeerPhase phase)
{
	const GList *first;
	while ((first = loop->peers[phase].head) != NULL) {
		gint64 left_ms =
			http_peer_since_ms(first->data) + allowed_ms(loop, phase) - loop->now_ms;
		if (left_ms > 0)
			return left_ms;
		http_peer_expire(first->data);
	}
	return LONG_MS;
}

static guint peers_of(const HttpLoop *loop)
{
	guint count = 0;
	for (guint i = 0; i < HTTP_PEER_PHASES; i++)
		count += loop->peers[i].length;
	return count;
}

static void end_all(HttpLoop *loop, HttpPeerPhase phase, void (*end)(HttpPeer *peer))
{
	while (loop->peers[phase].head)
		end(loop->peers[phase].head->data);
}

/* Returns milliseconds until it has to be called again. */
static gint64 stop_some(HttpLoop *loop)
{
	listen_on(loop, FALSE);
	loop->accept_again_ms = 0;
	end_all(loop, HTTP_PEER_QUIET, http_peer_close);
	gint64 left_ms = loop->all->stop_until_ms - loop->now_ms;
	if (left_ms > 0)
		return left_ms;
	for (guint i = 0; i < HTTP_PEER_PHASES; i++)
		end_all(loop, i, http_peer_cut);
	return 0;
}

static gint64 keep_time(HttpLoop *loop)
{
	gint64 next_ms = LONG_MS;
	for (guint i = 0; i < HTTP_PEER_PHASES; i++)
		next_ms = MIN(next_ms, expire_phase(loop, i));
	if (loop->accept_again_ms > 0 && loop->now_ms >= loop->accept_again_ms) {
		loop->accept_again_ms = 0;
		listen_on(loop, TRUE);
	}
	if (loop->accept_again_ms > 0)
		next_ms = MIN(next_ms, loop->accept_again_ms - loop->now_ms);
	if (http_loop_is_stopping(loop))
		next_ms = MIN(next_ms, stop_some(loop));
	return next_ms;
}

/* -- the loop
 * ------------------------------------------------------------------------------------------ */

/* NULL is the listening socket, the loop itself its eventfd. */
static void meet(HttpLoop *loop, gpointer of)
{
	if (!of)
		accept_some(loop);
	else if (of == loop)
		look_around(loop);
	else
		http_peer_go_on(of);
}

static gpointer run_loop(gpointer of)
{
	HttpLoop *loop = of;
	struct epoll_event events[EVENTS_AT_ONCE];
	/* Signals are the program's; SIGPIPE is what sendfile(2) answers to a peer that has left.
	 */
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;) {
		gint64 wait_ms = keep_time(loop);
		http_peers_free_gone(loop);
		if (http_loop_is_stopping(loop) && peers_of(loop) == 0)
			break;
		int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, (int)wait_ms);
		loop->now_ms = clock_monotonic_ms();
		for (int i = 0; i < count; i++)
			meet(loop, events[i].data.ptr);
	}
	return NULL;
}

/* -- start and stop
 * --------------------------------------------------------------------------------- */

/* FALSE with errno set. */
static gboolean loop_init(HttpLoop *loop, HttpLoops *all)
{
	loop->all = all;
	loop->now_ms = clock_monotonic_ms();
	loop->out = g_string_sized_new(HTTP_LOOP_READ_SIZE);
	loop->no_body = g_bytes_new_static("", 0);
	loop->adopted = g_array_new(FALSE, FALSE, sizeof(int));
	g_mutex_init(&loop->adopted_lock);
	http_request_init(&loop->request);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = loop};
	if (loop->epoll < 0 || loop->wake < 0 ||
		epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0)
		return FALSE;
	listen_on(loop, TRUE);
	return TRUE;
}

static void loop_clear(HttpLoop *loop)
{
	if (!loop->all)
		return;
	for (guint i = 0; i < loop->adopted->len; i++)
		close(g_array_index(loop->adopted, int, i));
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->wake >= 0)
		close(loop->wake);
	g_array_unref(loop->adopted);
	g_mutex_clear(&loop->adopted_lock);
	g_string_free(loop->out, TRUE);
	g_bytes_unref(loop->no_body);
	http_request_clear(&loop->request);
}

static void loops_free(HttpLoops *all)
{
	for (guint i = 0; i < all->count; i++)
		loop_clear(&all->loops[i]);
	close(all->listening);
	http_origins_free(all->origins);
	g_mutex_clear(&all->lock);
	g_free(all->loops);
	g_free(all);
}

static guint loops_wanted(const HttpServerOptions *options)
{
	return options->loops > 0 ? options->loops
				  : CLAMP(g_get_num_processors(), 1, LOOPS_DEFAULT_MOST);
}

HttpLoops *http_loops_start(
	const HttpServerOptions *options, HttpWatchLimits limits, int listening, GError **error)
{
	g_assert(options->workers == 0 && !options->certificate_file && !options->key_file);
	HttpLoops *all = g_new0(HttpLoops, 1);
	all->options = *options;
	all->limits = limits;
	all->listening = listening;
	all->origins = http_origins_new();
	g_mutex_init(&all->lock);
	all->count = loops_wanted(options);
	all->loops = g_new0(HttpLoop, all->count);
	int on = 1; /* connections get it from their listener */
	setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (guint i = 0; i < all->count; i++)
		if (!loop_init(&all->loops[i], all)) {
			drover_error_set(error, DROVER_ERROR_INTERNAL,
				"start the HTTP server on %s: %s", options->address,
				g_strerror(errno));
			loops_free(all);
			return NULL;
		}
	for (guint i = 0; i < all->count; i++)
		all->loops[i].thread = g_thread_new("http-loop", run_loop, &all->loops[i]);
	return all;
}

static void wake(const HttpLoop *loop)
{
	const guint64 one = 1;
	gssize written = write(loop->wake, &one, sizeof(one));
	g_assert(written == sizeof(one));
}

void http_loops_stop(HttpLoops *all, guint grace_ms)
{
	all->stop_until_ms = clock_monotonic_ms() + grace_ms;
	atomic_store(&all->stopping, TRUE);
	for (guint i = 0; i < all->count; i++)
		wake(&all->loops[i]);
	for (guint i = 0; i < all->count; i++)
		g_thread_join(all->loops[i].thread);
	g_assert(all->open == 0);
	loops_free(all);
}

void http_loops_figures(HttpLoops *all, HttpServerFigures *figures)
{
	g_mutex_lock(&all->lock);
	figures->connections = all->accepted;
	figures->refused_connections = all->refused;
	figures->open_connections = all->open;
	g_mutex_unlock(&all->lock);
	for (guint i = 0; i < all->count; i++) {
		HttpLoop *loop = &all->loops[i];
		figures->requests += atomic_load(&loop->requests);
		figures->deadlines_passed += atomic_load(&loop->deadlines_passed);
		for (gsize class = 0; class < G_N_ELEMENTS(figures->by_class); class ++)
			figures->by_class[class] += atomic_load(&loop->by_class[class]);
	}
}

gboolean http_loops_adopt(HttpLoops *all, int fd)
{
	HttpLoop *loop = &all->loops[0];
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	g_mutex_lock(&loop->adopted_lock);
	g_array_append_val(loop->adopted, fd);
	g_mutex_unlock(&loop->adopted_lock);
	wake(loop);
	return TRUE;
}
