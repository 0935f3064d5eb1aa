/* SPDX-License-Identifier: ISC
 *
 * Dependencies: from the vendor into the cache, from the cache into the tree. A file has its digest
 * for a name in the cache only once it was seen to have it, and is hashed again whenever it is
 * used, so a spoiled cache costs a message, never a release.
 */
#include "release/build/dependencies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release/beneath.h"
#include "release/build/copy.h"
#include "release/build/download.h"
#include "release/progress.h"

/* fetching ------------------------------------------------------------------------------------- */

static gboolean is_url(const char *vendor)
{
	return g_ascii_strncasecmp(vendor, "http://", 7) == 0 ||
	       g_ascii_strncasecmp(vendor, "https://", 8) == 0;
}

static gboolean refuse_digest(const DependencyPlaces *places, const ManifestDependency *dependency,
	const char *sha256, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s %s is another file than the one that was pinned: %s from %s has the SHA-256 "
		"%s, "
		"%s says %s. Nothing was built; find out who changed which of the two",
		dependency->name, dependency->version, dependency->file, places->vendor, sha256,
		places->lock, dependency->sha256);
	return FALSE;
}

/* FALSE with errno. Asked before, so that nothing is copied in vain. */
static gboolean is_small_enough(int fd)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return FALSE;
	errno = EFBIG;
	return status.st_size <= DEPENDENCY_MAXIMUM_BYTES;
}

static gboolean copy_from_folder(const DependencyPlaces *places,
	const ManifestDependency *dependency, int to_fd, char sha256[SHA256_HEX], GError **error)
{
	gint64 size = 0;
	g_autofree char *path = g_build_filename(places->vendor, dependency->file, NULL);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		int number = errno;
		drover_error_set(error,
			number == ENOENT ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INTERNAL,
			"%s %s, which %s pins, cannot be had: %s: %s", dependency->name,
			dependency->version, places->lock, path, g_strerror(number));
		return FALSE;
	}
	gboolean ok = is_small_enough(fd) &&
		      copy_stream(fd, to_fd, DEPENDENCY_MAXIMUM_BYTES, &size, sha256);
	if (!ok)
		drover_error_set(error,
			errno == EFBIG ? DROVER_ERROR_TOO_LARGE : DROVER_ERROR_INTERNAL,
			"cannot copy %s to %s: %s", path, places->cache, g_strerror(errno));
	close(fd);
	return ok;
}

static gboolean copy_from_url(const DependencyPlaces *places, const ManifestDependency *dependency,
	int to_fd, char sha256[SHA256_HEX], GError **error)
{
	g_autofree char *name = g_uri_escape_string(dependency->file, NULL, FALSE);
	g_autofree char *url = g_strdup_printf(
		"%s%s%s", places->vendor, g_str_has_suffix(places->vendor, "/") ? "" : "/", name);
	if (download(url, DEPENDENCY_MAXIMUM_BYTES, to_fd, sha256, error))
		return TRUE;
	g_prefix_error(error, "%s %s, which %s pins, cannot be had: ", dependency->name,
		dependency->version, places->lock);
	return FALSE;
}

/* Into the cache's file "part"; renamed when it is what it should be. */
static gboolean fetch_to(const DependencyPlaces *places, const ManifestDependency *dependency,
	const char *path, GError **error)
{
	char sha256[SHA256_HEX];
	g_autofree char *part = g_build_filename(places->cache, "part", NULL);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", part,
			g_strerror(errno));
		return FALSE;
	}
	gboolean ok = is_url(places->vendor)
			      ? copy_from_url(places, dependency, fd, sha256, error)
			      : copy_from_folder(places, dependency, fd, sha256, error);
	close(fd);
	if (ok && strcmp(sha256, dependency->sha256) != 0)
		ok = refuse_digest(places, dependency, sha256, error);
	if (ok && rename(part, path) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot rename %s: %s", part,
			g_strerror(errno));
		ok = FALSE;
	}
	if (!ok)
		unlink(part);
	return ok;
}

static gboolean check_vendor(
	const DependencyPlaces *places, const GPtrArray *dependencies, GError **error)
{
	if (places->vendor != NULL || dependencies->len == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s pins dependencies, but the configuration says nowhere to fetch them from: set "
		"vendor in [release] to a folder or an http(s) address",
		places->lock);
	return FALSE;
}

gboolean dependencies_fetch(const DependencyPlaces *places, const GPtrArray *dependencies,
	TreeProgress progress, gpointer user, GError **error)
{
	Progress told = {.tell = progress, .user = user};
	if (!check_vendor(places, dependencies, error))
		return FALSE;
	for (guint i = 0; i < dependencies->len; i++) {
		const ManifestDependency *dependency = dependencies->pdata[i];
		struct stat status = {0};
		g_autofree char *path = g_build_filename(places->cache, dependency->sha256, NULL);
		if (lstat(path, &status) != 0 && !fetch_to(places, dependency, path, error))
			return FALSE;
		progress_add(&told, 1, lstat(path, &status) == 0 ? status.st_size : 0);
	}
	return TRUE;
}

/* placing -------------------------------------------------------------------------------------- */

static gboolean place_from(const DependencyPlaces *places, const ManifestDependency *dependency,
	int from_fd, int to_fd, gint64 mtime_s, GError **error)
{
	char sha256[SHA256_HEX];
	gint64 size = 0;
	if (!copy_stream(from_fd, to_fd, DEPENDENCY_MAXIMUM_BYTES, &size, sha256) ||
		!copy_seal(to_fd, 0644, mtime_s)) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot put %s into the tree: %s",
			dependency->file, g_strerror(errno));
		return FALSE;
	}
	if (strcmp(sha256, dependency->sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the cache's copy of %s was altered: remove %s/%s and build again",
		dependency->file, places->cache, dependency->sha256);
	return FALSE;
}

static gboolean place(const DependencyPlaces *places, const ManifestDependency *dependency,
	int tree_fd, const char *into, gint64 mtime_s, GError **error)
{
	g_autofree char *cached = g_build_filename(places->cache, dependency->sha256, NULL);
	g_autofree char *path = g_strconcat(into, "/", dependency->file, NULL);
	int from_fd = open(cached, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from_fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read %s: %s", cached,
			g_strerror(errno));
		return FALSE;
	}
	int to_fd = beneath_create(tree_fd, path, error);
	gboolean ok = to_fd >= 0 && place_from(places, dependency, from_fd, to_fd, mtime_s, error);
	if (to_fd >= 0)
		close(to_fd);
	close(from_fd);
	return ok;
}

gboolean dependencies_place(const DependencyPlaces *places, const GPtrArray *dependencies,
	int tree_fd, const char *into, gint64 mtime_s, GError **error)
{
	for (guint i = 0; i < dependencies->len; i++)
		if (!place(places, dependencies->pdata[i], tree_fd, into, mtime_s, error))
			return FALSE;
	return TRUE;
}
