/* SPDX-License-Identifier: ISC
 *
 * A commit's files in an empty folder. For the inside of this room.
 */
#ifndef RELEASE_BUILD_EXPORT_H
#define RELEASE_BUILD_EXPORT_H

#include "release/build/revision.h"

/* Files with the mode 0644 or 0755 whatever the umask, and the commit's time; links as they are.
 * `progress` may be NULL. Fails with DROVER_ERROR_INPUT (a submodule; a name that no release may
 * hold), DROVER_ERROR_TOO_LARGE, DROVER_ERROR_CONFLICT (the folder is not empty),
 * DROVER_ERROR_INTERNAL (disk full). */
gboolean export_revision(const Revision *revision, int folder_fd, TreeProgress progress,
	gpointer user, GError **error);

#endif
