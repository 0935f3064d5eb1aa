/* SPDX-License-Identifier: ISC
 *
 * Bytes from one descriptor to another, hashed on their way. For the inside of this room.
 */
#ifndef RELEASE_BUILD_COPY_H
#define RELEASE_BUILD_COPY_H

#include <sys/types.h>

#include "release/tree.h"

/* Until the end of `from_fd`. FALSE with errno, EFBIG over `maximum_bytes`. */
gboolean copy_stream(
	int from_fd, int to_fd, gint64 maximum_bytes, gint64 *size_bytes, char sha256[SHA256_HEX]);
/* Sets a written file's mode, whatever the umask, and its time. FALSE with errno. */
gboolean copy_seal(int fd, mode_t mode, gint64 mtime_s);
/* All of a tree into an empty folder. A file that is no longer what the tree says is
 * DROVER_ERROR_CONFLICT; otherwise fails with DROVER_ERROR_INTERNAL. */
gboolean copy_tree(const Tree *tree, int from_fd, int to_fd, gint64 mtime_s, GError **error);

#endif
