/* SPDX-License-Identifier: ISC
 *
 * A conversation with the kernel by netlink: requests go out together, as many as the answers have
 * room for, and each is answered by an error number; or one question is asked, and answered in
 * rows. Blocking, but never longer than NETLINK_TIMEOUT_MS without a sign of life.
 *
 * Answers are believed only from the kernel, and only under the numbers of what was asked: late
 * ones of an exchange that was given up are passed over.
 */
#ifndef BALANCE_KERNEL_NETLINK_H
#define BALANCE_KERNEL_NETLINK_H

#include <glib.h>
#include <libmnl/libmnl.h>

#define NETLINK_TIMEOUT_MS	   5000	   /* without any answer: given up */
#define NETLINK_MAXIMUM_BATCH	   64	   /* requests at one time: their answers fit any queue */
#define NETLINK_MAXIMUM_REQUEST	   1024	   /* bytes of one request */
#define NETLINK_MAXIMUM_DATAGRAM   65536   /* bytes; the kernel's are at most 32 KiB */
#define NETLINK_QUEUE_BYTES	   1048576 /* of the socket */
#define NETLINK_MAXIMUM_TRIES	   5	   /* of a question whose answer was disturbed */
#define NETLINK_MAXIMUM_WORD_BYTES 200	   /* of what the kernel says about an error */

typedef struct Netlink Netlink;

/* `bus`: NETLINK_GENERIC, NETLINK_ROUTE. */
Netlink *netlink_open(int bus, GError **error);
void netlink_close(Netlink *netlink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Netlink, netlink_close)

/* The next request, to be filled with mnl_*_put(). At most NETLINK_MAXIMUM_BATCH before they are
 * sent. `flags` beside NLM_F_REQUEST. */
struct nlmsghdr *netlink_request(Netlink *netlink, guint16 type, guint16 flags);

/* Sends what was requested. errors[i]: 0 or the errno that answers request i. *words: what the
 * kernel says about the first that failed, NULL when nothing; caller frees. May be NULL.
 * Fails with DROVER_ERROR_UNAVAILABLE when answers are missing; then what was done is not known. */
gboolean netlink_send(Netlink *netlink, int *errors, char **words, GError **error);

/* A row of an answer. NULL: it begins, forget what was told before. */
typedef void (*NetlinkRow)(const struct nlmsghdr *message, gpointer of);
/* Sends the one request (a dump, or a question with NLM_F_ACK) and hands on its rows. An answer
 * that was disturbed is asked for again. *refused: the errno by which the kernel refused; may not
 * be NULL. Fails as netlink_send() does. */
gboolean netlink_ask(Netlink *netlink, NetlinkRow row, gpointer of, int *refused, GError **error);

/* What is still open of an exchange; the reading of it is pure. */
typedef struct NetlinkExchange {
	guint32 first;	/* number of the first request */
	guint count;	/* of requests */
	int *errors;	/* of each; NETLINK_OPEN: not answered yet */
	guint answered; /* how many are */
	gboolean disturbed;
	char *words;
	NetlinkRow row; /* may be NULL */
	gpointer of;
} NetlinkExchange;

#define NETLINK_OPEN (-1) /* among errors */

/* Reads one datagram, aligned to 4. Fails with DROVER_ERROR_UNAVAILABLE when it is broken. */
gboolean netlink_read(NetlinkExchange *exchange, const void *bytes, gsize size, GError **error);

#endif
