/* SPDX-License-Identifier: ISC
 *
 * What a lock file pins: fetched once from the vendor folder or URL, believed for its digest alone,
 * kept in a cache, put into the tree. For the inside of this room.
 */
#ifndef RELEASE_BUILD_DEPENDENCIES_H
#define RELEASE_BUILD_DEPENDENCIES_H

#include "release/manifest.h"

#define DEPENDENCY_MAXIMUM_BYTES 4294967296 /* one file */
#define DEPENDENCY_CONNECT_S	 20
#define DEPENDENCY_STALL_S	 60 /* without a byte: given up */

typedef struct DependencyPlaces {
	const char *vendor; /* folder or http(s) URL; NULL: none is configured */
	const char *cache;  /* a folder that is there */
	const char *lock;   /* the lock file's name, for errors */
} DependencyPlaces;

/* All of `dependencies` into the cache, each under its digest. `progress` may be NULL. Fails with
 * DROVER_ERROR_NOT_FOUND (it is not there), DROVER_ERROR_INPUT (no vendor, another digest),
 * DROVER_ERROR_TOO_LARGE, DROVER_ERROR_UNAVAILABLE (a server away), DROVER_ERROR_INTERNAL. */
gboolean dependencies_fetch(const DependencyPlaces *places, const GPtrArray *dependencies,
	TreeProgress progress, gpointer user, GError **error);
/* Out of the cache into the folder `into` of a tree, with this time; each is hashed again on its
 * way. One that is there already is DROVER_ERROR_CONFLICT. */
gboolean dependencies_place(const DependencyPlaces *places, const GPtrArray *dependencies,
	int tree_fd, const char *into, gint64 mtime_s, GError **error);

#endif
