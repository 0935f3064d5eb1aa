/* SPDX-License-Identifier: ISC
 *
 * Capabilities by libcap-ng, which knows the order in which users and capabilities have to change.
 */
#include "balance/director/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

static gboolean find_user(const char *name, Privileges *privileges, GError **error)
{
	const struct passwd *found = getpwnam(name);
	if (found == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no user %s to run as: make it (systemd-sysusers does, from "
			"drover.conf), or name another with --user",
			name);
		return FALSE;
	}
	if (found->pw_uid == 0) {
		drover_error_set(error, DROVER_ERROR_ROOT,
			"drover-lvs does not go on as root: name another user with --user");
		return FALSE;
	}
	privileges->user = found->pw_uid;
	privileges->group = found->pw_gid;
	return TRUE;
}

gboolean privileges_look(const char *user, gboolean dry_run, Privileges *privileges, GError **error)
{
	*privileges = (Privileges){.user = (uid_t)-1, .group = (gid_t)-1};
	if (capng_get_caps_process() != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read our own capabilities");
		return FALSE;
	}
	privileges->may_change_network = capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) != 0;
	if (geteuid() == 0 && !find_user(user, privileges, error))
		return FALSE;
	if (privileges->may_change_network || dry_run)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"drover-lvs may not touch the kernel's table: it needs CAP_NET_ADMIN. Start it by "
		"its "
		"systemd unit, or as root; --dry-run needs nothing");
	return FALSE;
}

/* Afterwards the kernel says that it is so. */
static gboolean is_as_meant(const Privileges *privileges)
{
	if (capng_get_caps_process() != 0)
		return FALSE;
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
		gboolean meant = capability == CAP_NET_ADMIN && privileges->may_change_network;
		gboolean has =
			capng_have_capability(CAPNG_PERMITTED, (unsigned int)capability) != 0;
		if (has != meant)
			return FALSE;
	}
	return geteuid() != 0 && getuid() == geteuid();
}

gboolean privileges_drop(const Privileges *privileges, GError **error)
{
	gboolean becomes = privileges->user != (uid_t)-1;
	int problem;
	capng_clear(CAPNG_SELECT_BOTH);
	if (privileges->may_change_network)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (becomes)
		problem = capng_change_id((int)privileges->user, (int)privileges->group,
			CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	else
		problem = capng_apply(CAPNG_SELECT_CAPS);
	if (problem == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && is_as_meant(privileges))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"cannot give up privileges (%d, %s): start drover-lvs as root with CAP_SETUID, "
		"CAP_SETGID and CAP_SETPCAP, or as a user of its own with CAP_NET_ADMIN alone",
		problem, g_strerror(errno));
	return FALSE;
}
