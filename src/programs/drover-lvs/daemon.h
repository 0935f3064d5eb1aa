/* SPDX-License-Identifier: ISC
 *
 * drover-lvs while it runs: one loop with the director, its face, its control socket, signals and
 * the service manager's watchdog.
 */
#ifndef DROVER_LVS_DAEMON_H
#define DROVER_LVS_DAEMON_H

#include "balance/director/director.h"

#define DAEMON_FACE_RETRY_MS (10 * 1000) /* between tries to listen where somebody else did */

typedef struct Daemon Daemon;

typedef struct DaemonOptions {
	DirectorOptions director; /* without its base */
	int control_fd;		  /* control_open()'s; taken over */
	const char *control_path;
	gid_t control_group;
} DaemonOptions;

typedef enum DaemonEnd {
	DAEMON_STOPPED, /* for good: its routes are withdrawn */
	DAEMON_PAUSED,	/* for a restart in place: routes and table stay as they are */
} DaemonEnd;

/* Begins; nothing is checked before daemon_serve(). Fails as director_new() does. */
Daemon *daemon_new(const DaemonOptions *options, GError **error);
/* Until a signal ends it. */
DaemonEnd daemon_serve(Daemon *daemon);
void daemon_free(Daemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Daemon, daemon_free)

#endif
