/* SPDX-License-Identifier: ISC
 *
 * Who drover-lvs is: it is started as root, or as its own user with CAP_NET_ADMIN given by the
 * service manager. Either way it ends as its own user that has CAP_NET_ADMIN, and nothing else, and
 * can get nothing more. Rules: docs/balance.md, "What it may do".
 */
#ifndef BALANCE_DIRECTOR_PRIVILEGES_H
#define BALANCE_DIRECTOR_PRIVILEGES_H

#include <sys/types.h>

#include "base/error.h"

typedef struct Privileges {
	uid_t user; /* to become; (uid_t)-1: we are it already */
	gid_t group;
	gboolean may_change_network; /* CAP_NET_ADMIN is there to be kept */
} Privileges;

/* Looks at what we are. `user` is who to become if we are root. Fails with DROVER_ERROR_NOT_FOUND
 * when there is no such user, DROVER_ERROR_ROOT when that is root, and DROVER_ERROR_DENIED without
 * CAP_NET_ADMIN, unless this is a `dry_run`. */
gboolean privileges_look(
	const char *user, gboolean dry_run, Privileges *privileges, GError **error);
/* Gives up all else, for good. Fails with DROVER_ERROR_INTERNAL. */
gboolean privileges_drop(const Privileges *privileges, GError **error);

#endif
