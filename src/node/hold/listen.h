/* SPDX-License-Identifier: ISC
 *
 * Listening sockets: opened, taken from whoever started this process, lent, and kept by systemd.
 */
#ifndef NODE_HOLD_LISTEN_H
#define NODE_HOLD_LISTEN_H

#include <sys/socket.h>

#include "node/config.h"

#define LISTEN_BACKLOG 4096

/* Where lent sockets begin: sd_listen_fds(3). */
enum { LISTEN_FIRST_FD = 3 };

typedef struct ListenAddress {
	struct sockaddr_storage socket;
	socklen_t size_bytes;
} ListenAddress;

/* ADDRESS:PORT, [IPv6]:PORT, or /path. No names: those need a name server. Fails with
 * DROVER_ERROR_INPUT. */
gboolean listen_address_parse(const char *text, ListenAddress *address, GError **error);
/* The other way. Caller frees. */
char *listen_address_text(const ListenAddress *address);
/* Where a socket listens; FALSE: it is no listening stream socket. */
gboolean listen_address_of(int fd, ListenAddress *address);

/* A new socket that listens there; non-blocking, close-on-exec. A dead UNIX socket in its place is
 * removed, a living one is not. Fails with DROVER_ERROR_INTERNAL, or DROVER_ERROR_CONFLICT: in use.
 */
int listen_open(const ListenAddress *address, GError **error);
/* One for each of `listen`: those of LISTEN_FDS that listen there, else those that one of `orphans`
 * was lent (pidfds; NULL: none), else new ones. Fails as listen_open(); then none is left open. */
GArray *listen_take_all(const NodeProduct *product, const GArray *orphans, GError **error);
/* Sockets on a port of 127.0.0.1 that the kernel picks, as many: for trying a service. The first
 * one's address is written to `address`. */
GArray *listen_open_private(guint count, ListenAddress *address, GError **error);
/* Lent to this process: those of LISTEN_FDS. Fails with DROVER_ERROR_INPUT when there are none. */
GArray *listen_lent(GError **error);
/* Each with our backlog, whatever others who have it made of it. TRUE: one did not listen. */
gboolean listen_again(const GArray *fds);
void listen_close_all(GArray *fds);

/* To systemd's descriptor store, so that they are there after this process (and its exec). */
void listen_store(const GArray *fds);

#endif
