/* SPDX-License-Identifier: ISC
 *
 * Files of a tree in a folder.
 */
#include "release/tree_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/archive.h"
#include "release/beneath.h"

static gboolean fail(const char *tried, const TreeEntry *entry, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot %s %s: %s", tried, entry->path,
		g_strerror(errno));
	return FALSE;
}

/* reading -------------------------------------------------------------------------------------- */

static gboolean read_opened(int fd, const TreeEntry *entry, char *chunk, TreeFileTake take,
	gpointer of, gboolean *is_same, GError **error)
{
	Sha256 state;
	char sha256[SHA256_HEX];
	gint64 left = entry->size_bytes;
	*is_same = FALSE;
	sha256_init(&state);
	for (;;) {
		gssize got = read(fd, chunk, TREE_FILE_CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("read", entry, error);
		if (got > left)
			return TRUE;
		if (got == 0)
			break;
		left -= got;
		sha256_update(&state, chunk, (gsize)got);
		if (!take(chunk, (gsize)got, of, error))
			return FALSE;
	}
	sha256_finish(&state, sha256);
	*is_same = left == 0 && strcmp(sha256, entry->sha256) == 0;
	return TRUE;
}

gboolean tree_file_read(int folder_fd, const TreeEntry *entry, char *chunk, TreeFileTake take,
	gpointer of, gboolean *is_same, GError **error)
{
	int fd = beneath_open(folder_fd, entry->path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = read_opened(fd, entry, chunk, take, of, is_same, error);
	close(fd);
	return ok;
}

gboolean tree_file_refuse_changed(const TreeEntry *entry, GError **error)
{
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s changed since the tree was read: nobody may write there while it is packed",
		entry->path);
	return FALSE;
}

/* writing -------------------------------------------------------------------------------------- */

gboolean tree_file_check_empty(int folder_fd, GError **error)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot read the folder to unpack into: %s", g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	guint count = 0;
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	if (count <= 2) /* "." and ".." */
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the folder to unpack into is not empty: remove it and try again");
	return FALSE;
}

int tree_file_create(int folder_fd, const TreeEntry *entry, GError **error)
{
	return beneath_create(folder_fd, entry->path, error);
}

gboolean tree_file_write(
	int fd, const TreeEntry *entry, const char *bytes, gsize size_bytes, GError **error)
{
	return file_write_all(fd, bytes, size_bytes) || fail("write", entry, error);
}

gboolean tree_file_close(
	int fd, const TreeEntry *entry, gint64 mtime_s, gboolean ok, GError **error)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}};
	if (ok && (fchmod(fd, entry->is_executable ? 0755 : 0644) != 0 || futimens(fd, times) != 0))
		ok = fail("write", entry, error);
	/* Where the disk is a network's, the last error may come only now. */
	if (close(fd) != 0 && ok)
		return fail("write", entry, error);
	return ok;
}

/* Files of the second pass come after those of the first. */
static void tell_read_again(guint files, gint64 size_bytes, gpointer user)
{
	const Progress *written = user;
	if (written->tell != NULL)
		written->tell(
			written->files + files, written->size_bytes + size_bytes, written->user);
}

gboolean tree_file_read_again(int folder_fd, const Tree *tree, Progress *written, GError **error)
{
	return archive_verify(folder_fd, tree, tell_read_again, written, error);
}
