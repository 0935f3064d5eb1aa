/* SPDX-License-Identifier: ISC
 *
 * Copying files and trees. Who copies knows what was copied: the digest is of the bytes that were
 * written, not of what is read again later.
 */
#include "release/build/copy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/beneath.h"

enum { CHUNK_BYTES = 256 * 1024 };

gboolean copy_stream(
	int from_fd, int to_fd, gint64 maximum_bytes, gint64 *size_bytes, char sha256[SHA256_HEX])
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	Sha256 state;
	sha256_init(&state);
	*size_bytes = 0;
	for (;;) {
		gssize got = read(from_fd, chunk, CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return FALSE;
		if (got == 0)
			break;
		*size_bytes += got;
		if (*size_bytes > maximum_bytes) {
			errno = EFBIG;
			return FALSE;
		}
		sha256_update(&state, chunk, (gsize)got);
		if (!file_write_all(to_fd, chunk, (gsize)got))
			return FALSE;
	}
	sha256_finish(&state, sha256);
	return TRUE;
}

gboolean copy_seal(int fd, mode_t mode, gint64 mtime_s)
{
	const struct timespec times[] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};
	return fchmod(fd, mode) == 0 && futimens(fd, times) == 0;
}

/* trees ---------------------------------------------------------------------------------------- */

static gboolean copy_opened(
	const TreeEntry *entry, int from_fd, int to_fd, gint64 mtime_s, GError **error)
{
	char sha256[SHA256_HEX] = "";
	gint64 size = 0;
	gboolean copied = copy_stream(from_fd, to_fd, entry->size_bytes, &size, sha256);
	if (!copied && errno != EFBIG) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot copy %s: %s", entry->path,
			g_strerror(errno));
		return FALSE;
	}
	if (!copied || strcmp(sha256, entry->sha256) != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s changed after it was hashed: something of the build still runs",
			entry->path);
		return FALSE;
	}
	if (copy_seal(to_fd, entry->is_executable ? 0755 : 0644, mtime_s))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot set the mode of %s: %s", entry->path,
		g_strerror(errno));
	return FALSE;
}

static gboolean copy_file(
	const TreeEntry *entry, int from_folder, int to_folder, gint64 mtime_s, GError **error)
{
	int from_fd = beneath_open(from_folder, entry->path, error);
	int to_fd = from_fd < 0 ? -1 : beneath_create(to_folder, entry->path, error);
	gboolean ok = to_fd >= 0 && copy_opened(entry, from_fd, to_fd, mtime_s, error);
	if (to_fd >= 0)
		close(to_fd);
	if (from_fd >= 0)
		close(from_fd);
	return ok;
}

gboolean copy_tree(const Tree *tree, int from_fd, int to_fd, gint64 mtime_s, GError **error)
{
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		gboolean ok = entry->kind == TREE_LINK
				      ? beneath_link(to_fd, entry->path, entry->target, error)
				      : copy_file(entry, from_fd, to_fd, mtime_s, error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}
