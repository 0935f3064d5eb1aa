/* SPDX-License-Identifier: ISC
 *
 * A source that is a folder: what lies on NFS or a stick is copied, as suspicious as anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/fetch_parts.h"

enum { CHUNK_BYTES = 256 * 1024 };

static gboolean fail(GError **error)
{
	int number = errno;
	gboolean is_gone = number == ENOENT || number == ENOTDIR;
	drover_error_set(error, is_gone ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_UNAVAILABLE,
		"cannot read it: %s", g_strerror(number));
	return FALSE;
}

static gboolean check_file(const FetchWish *wish, int fd, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return fail(error);
	if (!S_ISREG(status.st_mode)) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "it is no regular file");
		return FALSE;
	}
	if (wish->size_bytes < 0 || status.st_size == wish->size_bytes)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"it has %" G_GINT64_FORMAT " bytes where %" G_GINT64_FORMAT " are signed for",
		(gint64)status.st_size, wish->size_bytes);
	return FALSE;
}

static gboolean copy(const FetchWish *wish, int fd, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	for (gint64 offset = wish->offset_bytes;;) {
		gssize got = pread(fd, chunk, CHUNK_BYTES, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(error);
		if (got == 0)
			return TRUE;
		FetchTaken taken = wish->take(chunk, (gsize)got, wish->of, error);
		if (taken != FETCH_TAKEN)
			return taken == FETCH_TAKEN_ENOUGH;
		offset += got;
	}
}

gboolean fetch_folder(const FetchWish *wish, GError **error)
{
	g_autofree char *path = g_build_filename(wish->source, wish->product, wish->file, NULL);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(error);
	gboolean ok = check_file(wish, fd, error) && copy(wish, fd, error);
	close(fd);
	return ok;
}
