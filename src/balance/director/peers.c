/* SPDX-License-Identifier: ISC
 *
 * A peer's life: it is heard, it is answered, it hangs up. Hanging up is waited for, because a
 * socket that is closed with bytes unread takes its answer with it.
 */
#include "balance/director/peers.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct Peers {
	PeersOptions options;
	struct evconnlistener *listener;
	struct event *pause;
	GQueue all; /* Peer *, the oldest first */
};

typedef enum PeerStep { PEER_HEARD, PEER_ANSWERED, PEER_LEAVING } PeerStep;

typedef struct Peer {
	Peers *peers;
	GList link;
	PeerStep step;
	struct bufferevent *line;
	struct event *deadline;
} Peer;

static struct timeval time_of(gint64 ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static void peer_free(Peer *peer)
{
	g_queue_unlink(&peer->peers->all, &peer->link);
	event_free(peer->deadline);
	bufferevent_free(peer->line);
	g_free(peer);
}

static void peer_late(evutil_socket_t fd, short what, void *of)
{
	peer_free(of);
}

static void bytes_unref(const void *data, size_t size_bytes, void *of)
{
	g_bytes_unref(of);
}

/* Takes `answer`. */
static void peer_answer(Peer *peer, GBytes *answer)
{
	gsize size_bytes = 0;
	const void *data = answer != NULL ? g_bytes_get_data(answer, &size_bytes) : NULL;
	bufferevent_disable(peer->line, EV_READ);
	if (size_bytes == 0) {
		g_clear_pointer(&answer, g_bytes_unref);
		peer_free(peer);
		return;
	}
	peer->step = PEER_ANSWERED;
	evbuffer_add_reference(
		bufferevent_get_output(peer->line), data, size_bytes, bytes_unref, answer);
}

static void peer_hear(Peer *peer)
{
	const PeersOptions *options = &peer->peers->options;
	struct evbuffer *input = bufferevent_get_input(peer->line);
	gsize length = strlen(options->end);
	struct evbuffer_ptr end = evbuffer_search(input, options->end, length, NULL);
	gsize size_bytes = end.pos >= 0 ? (gsize)end.pos + length : evbuffer_get_length(input);
	int fd = bufferevent_getfd(peer->line);
	if (size_bytes > options->maximum_bytes)
		peer_answer(peer, options->answer(NULL, 0, fd, options->of));
	if (size_bytes > options->maximum_bytes || end.pos < 0)
		return;
	g_autofree char *request = g_malloc0(size_bytes + 1);
	evbuffer_remove(input, request, size_bytes);
	peer_answer(peer, options->answer(request, size_bytes, fd, options->of));
}

static void peer_read(struct bufferevent *line, void *of)
{
	Peer *peer = of;
	struct evbuffer *input = bufferevent_get_input(line);
	if (peer->step == PEER_HEARD)
		peer_hear(peer);
	else
		evbuffer_drain(input, evbuffer_get_length(input));
}

/* All of the answer is with the kernel. */
static void peer_written(struct bufferevent *line, void *of)
{
	Peer *peer = of;
	struct timeval farewell = time_of(PEERS_FAREWELL_MS);
	if (peer->step != PEER_ANSWERED)
		return;
	peer->step = PEER_LEAVING;
	shutdown(bufferevent_getfd(line), SHUT_WR);
	event_add(peer->deadline, &farewell);
	bufferevent_enable(line, EV_READ);
}

static void peer_gone(struct bufferevent *line, short what, void *of)
{
	peer_free(of);
}

static void peer_new(Peers *peers, evutil_socket_t fd)
{
	const PeersOptions *options = &peers->options;
	struct timeval timeout = time_of(options->timeout_ms);
	struct bufferevent *line = bufferevent_socket_new(options->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (line == NULL) {
		close(fd);
		return;
	}
	Peer *peer = g_new0(Peer, 1);
	peer->peers = peers;
	peer->line = line;
	peer->link.data = peer;
	peer->deadline = evtimer_new(options->base, peer_late, peer);
	g_assert(peer->deadline != NULL);
	g_queue_push_tail_link(&peers->all, &peer->link);
	event_add(peer->deadline, &timeout);
	bufferevent_setcb(line, peer_read, peer_written, peer_gone, peer);
	bufferevent_setwatermark(line, EV_READ, 0, options->maximum_bytes + 1);
	bufferevent_enable(line, EV_READ | EV_WRITE);
}

static void peers_accept(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *address, int length, void *of)
{
	Peers *peers = of;
	if (peers->all.length >= peers->options.maximum_peers)
		peer_free(peers->all.head->data);
	peer_new(peers, fd);
}

/* Out of descriptors: the socket would be ready again at once, and again. */
static void peers_fail(struct evconnlistener *listener, void *of)
{
	Peers *peers = of;
	struct timeval pause = time_of(PEERS_PAUSE_MS);
	evconnlistener_disable(listener);
	event_add(peers->pause, &pause);
}

static void peers_resume(evutil_socket_t fd, short what, void *of)
{
	Peers *peers = of;
	evconnlistener_enable(peers->listener);
}

Peers *peers_new(const PeersOptions *options)
{
	g_assert(options->maximum_peers > 0 && options->end[0] != '\0');
	Peers *peers = g_new0(Peers, 1);
	peers->options = *options;
	g_queue_init(&peers->all);
	evutil_make_socket_nonblocking(options->fd);
	peers->pause = evtimer_new(options->base, peers_resume, peers);
	peers->listener = evconnlistener_new(options->base, peers_accept, peers,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, options->fd);
	g_assert(peers->pause != NULL && peers->listener != NULL);
	evconnlistener_set_error_cb(peers->listener, peers_fail);
	return peers;
}

void peers_free(Peers *peers)
{
	if (peers == NULL)
		return;
	while (peers->all.head != NULL)
		peer_free(peers->all.head->data);
	evconnlistener_free(peers->listener);
	event_free(peers->pause);
	g_free(peers);
}

guint peers_count(const Peers *peers)
{
	return peers->all.length;
}
