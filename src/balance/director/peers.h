/* SPDX-License-Identifier: ISC
 *
 * Short conversations on a listening socket: a peer connects, says one request, hears one answer,
 * and is gone. Face and control socket are both of this kind. A peer can hold nothing: its request
 * is bounded, it is cut when its time is over, whatever it is doing, and when there are too many
 * the oldest goes, so that a crowd of slow ones keeps nobody out.
 */
#ifndef BALANCE_DIRECTOR_PEERS_H
#define BALANCE_DIRECTOR_PEERS_H

#include <glib.h>

struct event_base;

#define PEERS_PAUSE_MS	  100  /* no accepting for so long when descriptors have run out */
#define PEERS_FAREWELL_MS 1000 /* an answered peer may take so long to hang up */

typedef struct Peers Peers;

typedef struct PeersOptions {
	struct event_base *base;
	int fd;		     /* listens; taken over */
	const char *end;     /* the bytes that end a request */
	gsize maximum_bytes; /* of a request, its end included */
	guint maximum_peers;
	gint64 timeout_ms; /* from the first to the last byte, both ways */
	/* The answer to `request` (NUL-terminated, with its end), or to one that was too long
	 * (NULL). `fd` is the peer's, for its credentials. NULL: the peer is cut without a word. */
	GBytes *(*answer)(const char *request, gsize size_bytes, int fd, gpointer of);
	gpointer of;
} PeersOptions;

Peers *peers_new(const PeersOptions *options);
/* Cuts who is there, and listens no more. */
void peers_free(Peers *peers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)

guint peers_count(const Peers *peers);

#endif
