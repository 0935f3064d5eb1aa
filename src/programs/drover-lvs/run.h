/* SPDX-License-Identifier: ISC
 *
 * drover-lvs run: from the command line to a daemon that may do no more than it has to.
 */
#ifndef DROVER_LVS_RUN_H
#define DROVER_LVS_RUN_H

#include "base/error.h"

/* To the service manager: start me again, I have only paused (sysexits' EX_TEMPFAIL). */
#define RUN_RESTART_STATUS 75

#define RUN_STATE_FOLDER "/var/lib/drover-lvs"
#define RUN_TOKEN_FILE	 RUN_STATE_FOLDER "/token"

/* `argv` begins with the command's name. *status is the exit status when this succeeds. */
gboolean run_balancer(int argc, char **argv, int *status, GError **error);

#endif
