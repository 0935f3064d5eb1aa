/* SPDX-License-Identifier: ISC
 *
 * The folder that a build works in, and what is where in it. For the inside of this room.
 */
#ifndef RELEASE_BUILD_FOLDER_H
#define RELEASE_BUILD_FOLDER_H

#include "base/error.h"

#define BUILD_FOLDER_MARK "drover-build" /* a file in it: we made it, and may empty it */

typedef struct BuildFolder {
	char *path;  /* absolute */
	int mark_fd; /* locked while somebody builds there */
} BuildFolder;

/* Makes it, or takes one that we made and empties it, but for the cache. Fails with
 * DROVER_ERROR_CONFLICT (somebody else's), DROVER_ERROR_LOCKED (another build is at work there),
 * DROVER_ERROR_INTERNAL. */
BuildFolder *build_folder_take(const char *path, GError **error);
void build_folder_free(BuildFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BuildFolder, build_folder_free)

/* "tree" in it. Caller frees. */
char *build_folder_path(const BuildFolder *folder, const char *name);
/* A new, empty folder in it, opened; what had the name is gone. -1. */
int build_folder_make(const BuildFolder *folder, const char *name, GError **error);
gboolean build_folder_remove(const BuildFolder *folder, const char *name, GError **error);

#endif
