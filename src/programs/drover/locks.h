/* SPDX-License-Identifier: ISC
 *
 * A job that is at work for too long is told by every command that meets it.
 */
#ifndef DROVER_LOCKS_H
#define DROVER_LOCKS_H

#include "programs/drover/invocation.h"

/* Warns of each lock older than [job] lock-warn in the store that this run opened; through a
 * server, of those it names when `error` (may be NULL) says that a job is locked. */
void locks_warn(Invocation *invocation, const GError *error);
/* The same of an API's Job objects. */
void locks_warn_of(Invocation *invocation, const json_t *jobs);

#endif
