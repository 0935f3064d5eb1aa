/* SPDX-License-Identifier: ISC
 *
 * A command of a recipe, run by /bin/sh in a folder: without network, with a small environment that
 * is the same everywhere, its words in a log, and nothing of it left when it is over. For the
 * inside of this room.
 *
 * Without network: in a user and a network namespace of its own, which has nothing but its own
 * loopback. No privilege is needed for that, and root gets none out of it.
 */
#ifndef RELEASE_BUILD_COMMAND_H
#define RELEASE_BUILD_COMMAND_H

#include "base/error.h"

#define COMMAND_MAXIMUM_LOG_BYTES 268435456
#define COMMAND_LAST_LINES	  20   /* of the log, in an error */
#define COMMAND_LAST_BYTES	  8192 /* that those lines have at most */

typedef struct CommandWish {
	const char *what;    /* "the build", for errors */
	const char *command; /* a line of shell */
	const char *folder;  /* where it runs */
	const char *home;    /* its HOME: a folder */
	const char *log;     /* made anew */
	gint64 timeout_s;
	gboolean with_network;
	const char *product, *version;
	gint64 time_s; /* SOURCE_DATE_EPOCH */
	/* Called several times a second, with the log's size. May be NULL. */
	void (*alive)(gint64 log_bytes, gpointer of);
	gpointer of;
} CommandWish;

/* Fails with DROVER_ERROR_INPUT (it failed, or took too long, or said too much, with the last lines
 * of its log), DROVER_ERROR_UNAVAILABLE (no namespaces here), DROVER_ERROR_INTERNAL. */
gboolean command_run(const CommandWish *wish, GError **error);

#endif
