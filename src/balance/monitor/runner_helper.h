/* SPDX-License-Identifier: ISC
 *
 * The small process that runs commands for runner.h.
 */
#ifndef BALANCE_MONITOR_RUNNER_HELPER_H
#define BALANCE_MONITOR_RUNNER_HELPER_H

#include "balance/monitor/runner.h"

#define RUNNER_READY "ready"

/* The life of the helper, from just after its fork to its end. The first packet that it sends is
 * RUNNER_READY, or a sentence about what is wrong. (uid_t)-1: stays who it is. */
void runner_helper_live(int socket, uid_t user, gid_t group) G_GNUC_NORETURN;

#endif
