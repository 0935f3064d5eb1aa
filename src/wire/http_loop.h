/* SPDX-License-Identifier: ISC
 *
 * What the two halves of our own engine know of each other: the loops, and the peers they serve. A
 * peer belongs to one loop and one thread.
 */
#ifndef WIRE_HTTP_LOOP_H
#define WIRE_HTTP_LOOP_H

#include <stdatomic.h>

#include "wire/http_inside.h"

/* A whole header, and what follows it in one read. */
#define HTTP_LOOP_READ_SIZE (2 * HTTP_MAXIMUM_HEADER_BYTES)

/* Each phase has its own list, the longest in it first, so that the loop looks at heads only. */
typedef enum HttpPeerPhase {
	HTTP_PEER_QUIET,   /* nothing of the next request has come: until idle_ms */
	HTTP_PEER_REQUEST, /* from the first byte of it to the last of its answer: until deadline_ms
			    */
	HTTP_PEER_FILE,	   /* takes a file: HTTP_FILE_LEAST_BYTES in each deadline_ms */
	HTTP_PEER_LINGER,  /* answered and closed on our side: until HTTP_LINGER_MS */
	HTTP_PEER_PHASES,  /* those that have a time */
	HTTP_PEER_GONE = HTTP_PEER_PHASES, /* closed; only its memory is left */
	HTTP_PEER_LISTS,
} HttpPeerPhase;

/* What all loops share. */
struct HttpLoops {
	HttpServerOptions options;
	HttpWatchLimits limits;
	int listening;
	GMutex lock; /* of the next four */
	HttpOrigins *origins;
	guint open;
	guint64 accepted, refused;
	atomic_bool stopping;
	gint64 stop_until_ms; /* set before `stopping` */
	guint count;
	struct HttpLoop *loops;
};

typedef struct HttpLoop {
	HttpLoops *all;
	int epoll, wake;
	gint64 now_ms;
	gint64 accept_again_ms; /* 0: accepts; else descriptors ran out, and it does then */
	gboolean accepts;
	GQueue peers[HTTP_PEER_LISTS]; /* of HttpPeer */
	GMutex adopted_lock;
	GArray *adopted; /* of int: sockets that were given to it */
	char date[HTTP_DATE_SIZE];
	gint64 date_s;
	/* While one peer is served: */
	char in[HTTP_LOOP_READ_SIZE];
	GString *out;
	HttpRequest request;
	GBytes *no_body;
	/* Written by this loop alone. */
	atomic_ullong requests, by_class[6], deadlines_passed;
	GThread *thread;
} HttpLoop;

typedef struct HttpPeer HttpPeer;

/* -- http_peer.c ----------------------------------------------------------------------------------
 */

/* Takes `origin`, by which it was counted. */
void http_peer_begin(HttpLoop *loop, int fd, const struct sockaddr *address, char *origin);
/* Its socket can be read, or written, or has failed. What is gone stays so. */
void http_peer_go_on(HttpPeer *peer);
/* Its time is over. */
void http_peer_expire(HttpPeer *peer);
gint64 http_peer_since_ms(const HttpPeer *peer);
/* What the kernel has of its answers still goes out. The peer is gone, and its memory stays until
 * http_peers_free_gone(). */
void http_peer_close(HttpPeer *peer);
/* The same at once, whatever is on its way. */
void http_peer_cut(HttpPeer *peer);
/* Where nobody has an event or a pointer to any of them any more. */
void http_peers_free_gone(HttpLoop *loop);

/* -- http_loop.c ----------------------------------------------------------------------------------
 */

gboolean http_loop_is_stopping(const HttpLoop *loop);
const char *http_loop_date(HttpLoop *loop);
/* A peer has gone. */
void http_loop_leave(HttpLoop *loop, const char *origin);
/* One more; only its own loop counts. */
void http_loop_count(atomic_ullong *number);

#endif
