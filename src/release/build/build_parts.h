/* SPDX-License-Identifier: ISC
 *
 * What the files of a build share: build.c goes through the steps, make.c makes a tree, load.c
 * reads what was built. For the inside of this room.
 */
#ifndef RELEASE_BUILD_BUILD_PARTS_H
#define RELEASE_BUILD_BUILD_PARTS_H

#include "release/build/build.h"
#include "release/build/dependencies.h"
#include "release/build/folder.h"
#include "release/build/revision.h"

typedef struct Build {
	const BuildWish *wish;
	BuildFolder *folder;
	Revision *revision;
	Recipe *recipe;		 /* once a tree was exported */
	GPtrArray *dependencies; /* of ManifestDependency; empty without a lock */
	/* Of the step under way. */
	BuildStep step;
	gint64 total_bytes;
	gboolean is_second; /* all steps count as BUILD_VERIFY */
} Build;

void build_begin(Build *build, BuildStep step, gint64 total_bytes);
/* A TreeProgress of the step under way. */
void build_tell(guint files, gint64 size_bytes, gpointer build);

/* Makes "tree" or "second" in the build's folder: exports, fetches, runs the build command, removes
 * what is no part of the release, and hashes. *tree_fd is the caller's, -1 on failure. */
Tree *build_make(Build *build, const char *name, const char *log, int *tree_fd, GError **error);
/* Runs a command of the recipe in a folder of the build's, with a home of its own. */
gboolean build_command(Build *build, const char *what, const char *command, gint64 timeout_s,
	const char *folder, const char *log, GError **error);

/* "bin/web (changed), x (only in the second), and 3 more"; caller frees. NULL: they are equal. */
char *build_difference(
	const Tree *first, const Tree *second, const char *first_name, const char *second_name);
/* As the release will have it: modes by owner. */
Tree *build_read_tree(Build *build, int folder_fd, GError **error);

#endif
