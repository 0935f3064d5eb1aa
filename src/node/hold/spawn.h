/* SPDX-License-Identifier: ISC
 *
 * Starting a process of the holder's: a session of its own, signals as new, nothing open but what
 * it was lent, and the rights of its user.
 */
#ifndef NODE_HOLD_SPAWN_H
#define NODE_HOLD_SPAWN_H

#include <sys/types.h>

#include "base/error.h"

typedef struct Spawn {
	char *const *argv;	  /* NULL: `body` runs instead, in a copy of this process */
	int (*body)(gpointer of); /* its result is the exit status */
	gpointer of;
	char **environment;	  /* LISTEN_PID is added when sockets are lent */
	const char *folder;	  /* to begin in; NULL: / */
	int output;		  /* a file for what it says; 0: where this process says it */
	const GArray *fds;	  /* int: lent from LISTEN_FIRST_FD on; NULL: none */
	const char *user, *group; /* NULL: as this process */
} Spawn;

/* The process, and a pidfd for it. Fails with DROVER_ERROR_INPUT (no such user or program) or
 * DROVER_ERROR_INTERNAL. */
pid_t spawn_start(const Spawn *how, int *pidfd_out, GError **error);
/* Collects a process that has ended, or was just killed, and kills what is left of its group.
 * "ended with status 1", "was killed by signal 9 (Killed)", "ended". Caller frees. */
char *spawn_collect(pid_t process, int pidfd);
/* SIGTERM to processes (pidfds), SIGKILL to those that have not ended in `limit_s`; waits for that.
 */
void spawn_end_all(const GArray *pidfds, gint64 limit_s);
/* When it was started, in ticks since the host was: what tells a process from a later one of the
 * same number. 0: there is none. */
guint64 spawn_start_time(pid_t process);
/* This process goes on as `user` and `group` (NULL: as it is), or, when both are NULL and it is
 * root's, as nobody. */
gboolean spawn_become(const char *user, const char *group, GError **error);
/* From now on these signals (ended by 0) do not interrupt, but are read from the result: a handler
 * would be the children's too, until they have their own. -1 with DROVER_ERROR_INTERNAL. */
int spawn_signals(const int *numbers, GError **error);
/* The next one; 0: none waits. */
int spawn_signalled(int fd);
/* As many open files as the host lets this process have. */
void spawn_raise_file_limit(void);

#endif
