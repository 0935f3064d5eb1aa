/* SPDX-License-Identifier: ISC
 *
 * How a product is built: the file drover.ini at the root of the revision that is built, so that it
 * is versioned with what it builds. No such file: nothing to build, nothing to test.
 *
 *     [build]
 *     command = make dist            run by /bin/sh in the exported tree, without network
 *     timeout = 30min
 *     lock = deps.lock               pinned dependencies
 *     into = vendor                  folder of the tree that they are put into
 *     remove = tests docs .github    paths that are not part of the release
 *     [test]
 *     command = ./check              run on a copy of the finished tree, without network
 *     timeout = 30min
 *     [release]
 *     contract = openapi.yaml
 *     min-rollback-sequence = 12
 *
 * The lock file has a line for each dependency: name, version, SHA-256, file (between blanks; a
 * word that begins with # begins a comment), and the file is fetched from the vendor folder or URL
 * of the installation. Pure. docs/release.md, "The recipe".
 */
#ifndef RELEASE_BUILD_RECIPE_H
#define RELEASE_BUILD_RECIPE_H

#include "release/manifest.h"

#define RECIPE_FILE		  "drover.ini"
#define RECIPE_MAXIMUM_BYTES	  65536
#define RECIPE_MAXIMUM_TIMEOUT_S  86400
#define RECIPE_LOCK_MAXIMUM_BYTES 4194304

typedef struct Recipe {
	char *build_command, *test_command; /* NULL: none */
	gint64 build_timeout_s, test_timeout_s;
	char *lock; /* NULL: no dependencies */
	char *into; /* "vendor" when the recipe does not say */
	char **remove;
	char *contract; /* NULL: none */
	gint64 min_rollback_sequence;
} Recipe;

void recipe_free(Recipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recipe, recipe_free)
/* `text` NULL: there is no file. Fails with DROVER_ERROR_INPUT naming file, line and key, or
 * DROVER_ERROR_TOO_LARGE. */
Recipe *recipe_parse(const char *name, const char *text, gsize size_bytes, GError **error);
/* ManifestDependency *, in the order of the file; each file name once. Fails with
 * DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE, naming the line. */
GPtrArray *recipe_lock_parse(const char *name, const char *text, gsize size_bytes, GError **error);

#endif
