/* SPDX-License-Identifier: ISC
 *
 * The receiving end of sd_notify(3): a socket for each child, at which only it and its process
 * group are heard.
 */
#ifndef NODE_HOLD_NOTIFY_H
#define NODE_HOLD_NOTIFY_H

#include <glib.h>
#include <sys/types.h>

#define NOTIFY_MAXIMUM_MESSAGE_BYTES 4096
#define NOTIFY_MAXIMUM_STATUS_BYTES  256 /* of STATUS=, what is kept of it */
#define NOTIFY_MAXIMUM_TURN	     64	 /* messages read before others get a turn */

typedef struct NotifySaid {
	gboolean ready, stopping;
	char status[NOTIFY_MAXIMUM_STATUS_BYTES + 1]; /* UTF-8, one line; "": nothing said */
} NotifySaid;

/* Adds what a message says to `said`. Lines that are not known are skipped. */
void notify_parse(const char *message, gsize size_bytes, NotifySaid *said);

/* A datagram socket of an abstract name that nobody can guess, non-blocking; *name_out as
 * NOTIFY_SOCKET wants it, caller frees. -1 with DROVER_ERROR_INTERNAL. */
int notify_open(char **name_out, GError **error);
/* Adds what waits there and comes from the process group `group`; the rest is counted as
 * `strangers`. Descriptors that come along are closed. */
void notify_read(int fd, pid_t group, NotifySaid *said, guint *strangers);

#endif
