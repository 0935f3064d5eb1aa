/* SPDX-License-Identifier: ISC
 *
 * Files that survive a crash.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static void set_errno(GError **error, const char *tried, const char *path)
{
	int number = errno;
	DroverErrorCode code = number == ENOENT ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INTERNAL;
	drover_error_set(error, code, "cannot %s %s: %s", tried, path, g_strerror(number));
}

gboolean file_write_all(int fd, const void *bytes, gsize size_bytes)
{
	const char *next = bytes;
	while (size_bytes > 0) {
		gssize written = write(fd, next, size_bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return FALSE;
		next += written;
		size_bytes -= (gsize)written;
	}
	return TRUE;
}

gboolean file_sync_folder(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		set_errno(error, "sync the folder", path);
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	close(fd);
	return TRUE;
}

/* Writes and syncs the file beside `path`. Its name ends in ".part" and random letters, so errors
 * name `path`: the same fault is to be told in the same words each time. */
static gboolean write_beside(
	const char *path, int fd, const void *bytes, gsize size_bytes, mode_t mode, GError **error)
{
	gboolean written =
		fchmod(fd, mode) == 0 && file_write_all(fd, bytes, size_bytes) && fsync(fd) == 0;
	if (!written)
		set_errno(error, "write", path);
	if (close(fd) != 0 && written) {
		set_errno(error, "write", path);
		return FALSE;
	}
	return written;
}

gboolean file_write(
	const char *path, const void *bytes, gsize size_bytes, mode_t mode, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *beside = g_strconcat(path, ".part-XXXXXX", NULL);
	int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		set_errno(error, "create", path);
		return FALSE;
	}
	if (!write_beside(path, fd, bytes, size_bytes, mode, error)) {
		unlink(beside);
		return FALSE;
	}
	if (rename(beside, path) != 0) {
		set_errno(error, "rename the new file to", path);
		unlink(beside);
		return FALSE;
	}
	return file_sync_folder(folder, error);
}

static char *read_all(
	int fd, const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char chunk[64 * 1024];
	for (;;) {
		gssize got = read(fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			set_errno(error, "read", path);
			return NULL;
		}
		if (got == 0)
			break;
		if (text->len + (gsize)got > maximum_bytes) {
			drover_error_set(error, DROVER_ERROR_TOO_LARGE,
				"%s is larger than the %" G_GSIZE_FORMAT " bytes allowed", path,
				maximum_bytes);
			return NULL;
		}
		g_string_append_len(text, chunk, got);
	}
	if (size_bytes != NULL)
		*size_bytes = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char *file_read(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		set_errno(error, "open", path);
		return NULL;
	}
	char *text = read_all(fd, path, maximum_bytes, size_bytes, error);
	close(fd);
	return text;
}

int file_open_regular(const char *path, GError **error)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		set_errno(error, "open", path);
		return -1;
	}
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s is no regular file: look who put it there, and remove it", path);
	close(fd);
	return -1;
}

char *file_read_regular(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	int fd = file_open_regular(path, error);
	if (fd < 0)
		return NULL;
	char *text = read_all(fd, path, maximum_bytes, size_bytes, error);
	close(fd);
	return text;
}

gboolean file_make_folder(const char *path, mode_t mode, GError **error)
{
	struct stat status;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return TRUE;
	g_autofree char *parent = g_path_get_dirname(path);
	if (strcmp(parent, path) != 0 && !file_make_folder(parent, mode, error))
		return FALSE;
	if (mkdir(path, mode) != 0 && errno != EEXIST) {
		set_errno(error, "make the folder", path);
		return FALSE;
	}
	return file_sync_folder(parent, error);
}

static gboolean remove_at(int parent, const char *name, const char *path, GError **error);

static gboolean empty_folder(int fd, const char *path, GError **error)
{
	DIR *folder = fdopendir(fd);
	if (folder == NULL) {
		set_errno(error, "read the folder", path);
		close(fd);
		return FALSE;
	}
	gboolean ok = TRUE;
	for (struct dirent *entry; ok && (entry = readdir(folder)) != NULL;) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = remove_at(dirfd(folder), entry->d_name, path, error);
	}
	closedir(folder);
	return ok;
}

static gboolean remove_at(int parent, const char *name, const char *path, GError **error)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		set_errno(error, "remove", path);
		return FALSE;
	}
	if (!empty_folder(fd, path, error))
		return FALSE;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
		set_errno(error, "remove", path);
		return FALSE;
	}
	return TRUE;
}

gboolean file_remove(const char *path, GError **error)
{
	/* "link/" would name what the link points to. */
	g_autofree char *name = g_strdup(path);
	for (gsize length = strlen(name); length > 1 && name[length - 1] == '/'; length--)
		name[length - 1] = '\0';
	return remove_at(AT_FDCWD, name, path, error);
}
