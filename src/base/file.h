/* SPDX-License-Identifier: ISC
 *
 * Files that survive a crash. What is written is either wholly there under its name, or not at all:
 * written beside, fsync, rename, fsync of the folder.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <glib.h>
#include <sys/types.h>

/* All of them to an open file, pipe or socket. FALSE with errno. */
gboolean file_write_all(int fd, const void *bytes, gsize size_bytes);
/* Replaces or creates `path`. Fails with DROVER_ERROR_INTERNAL, or DROVER_ERROR_NOT_FOUND when its
 * folder is not there; then `path` is as it was, and nothing lies beside it. (When only the last
 * sync of the folder fails, the new file is there, but might not survive a power cut.) */
gboolean file_write(
	const char *path, const void *bytes, gsize size_bytes, mode_t mode, GError **error);
/* The whole file, at most `maximum_bytes` of it: more is DROVER_ERROR_TOO_LARGE. No such file is
 * DROVER_ERROR_NOT_FOUND. The result has a NUL after its end. */
char *file_read(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error);
/* The same of folders that others write to, too: what is no regular file is refused and never
 * waited for. A pipe that nobody writes to would keep its reader for ever. */
char *file_read_regular(const char *path, gsize maximum_bytes, gsize *size_bytes, GError **error);
/* Opened for reading, by the same rule; -1. */
int file_open_regular(const char *path, GError **error);
/* mkdir -p, each new folder's parent synced. */
gboolean file_make_folder(const char *path, mode_t mode, GError **error);
gboolean file_sync_folder(const char *path, GError **error);
/* Removes a file or a whole folder; links are removed, never followed. Not there is success. */
gboolean file_remove(const char *path, GError **error);

#endif
