/* SPDX-License-Identifier: ISC
 *
 * What drover-lvs may ask of the kernel from now on: what it needs to check, to balance and to be
 * seen. Anything else ends it at once, by SIGSYS: who makes such a call is no longer drover-lvs.
 * The kernel's table stays as it is then, and the service manager starts it anew.
 *
 * Not among it: starting programs or processes (the helper of RunCommand was forked before, and an
 * in-place restart is the service manager's), tracing, mapping code, sockets but for inet, unix and
 * the two kinds of netlink, other people's signals, mounts, modules, keys, clocks.
 */
#ifndef BALANCE_DIRECTOR_CONFINE_H
#define BALANCE_DIRECTOR_CONFINE_H

#include "base/error.h"

/* For the whole process, for good. Needs no_new_privs (privileges.h). Fails with
 * DROVER_ERROR_INTERNAL when the kernel knows no seccomp. */
gboolean confine_process(GError **error);

#endif
