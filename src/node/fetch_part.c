/* SPDX-License-Identifier: ISC
 *
 * A file that is being fetched. Its digest grows with it, so a copy of the struct is also a way
 * back: to the bytes and the digest that it had then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/fetch_parts.h"

enum { CHUNK_BYTES = 256 * 1024 };

static gboolean fail(const FetchPart *part, const char *tried, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot %s %s: %s", tried, part->path,
		g_strerror(errno));
	return FALSE;
}

static gboolean read_what_is_there(FetchPart *part, gint64 wanted_bytes, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	while (part->have_bytes < wanted_bytes) {
		gsize most = (gsize)MIN(CHUNK_BYTES, wanted_bytes - part->have_bytes);
		gssize got = pread(part->fd, chunk, most, part->have_bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(part, "read", error);
		if (got == 0)
			break;
		sha256_update(&part->state, chunk, (gsize)got);
		part->have_bytes += got;
	}
	return TRUE;
}

gboolean fetch_part_open(FetchPart *part, const char *path, gint64 size_bytes, GError **error)
{
	struct stat status;
	*part = (FetchPart){.path = path, .size_bytes = size_bytes};
	sha256_init(&part->state);
	part->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (part->fd < 0 || fstat(part->fd, &status) != 0)
		return fail(part, "open", error);
	if (!S_ISREG(status.st_mode)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s is no regular file: remove it and try again", path);
		return FALSE;
	}
	if (status.st_size > size_bytes && ftruncate(part->fd, size_bytes) != 0)
		return fail(part, "shorten", error);
	return read_what_is_there(part, MIN(status.st_size, size_bytes), error);
}

void fetch_part_close(FetchPart *part)
{
	if (part->fd >= 0)
		close(part->fd);
	part->fd = -1;
}

gboolean fetch_part_add(FetchPart *part, const char *bytes, gsize size_bytes, GError **error)
{
	gsize left = MIN(size_bytes, (gsize)(part->size_bytes - part->have_bytes));
	while (left > 0) {
		gssize written = pwrite(part->fd, bytes, left, part->have_bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail(part, "write", error);
		sha256_update(&part->state, bytes, (gsize)written);
		part->have_bytes += written;
		bytes += written;
		left -= (gsize)written;
	}
	return TRUE;
}

gboolean fetch_part_cut(FetchPart *part, const FetchPart *before, GError **error)
{
	g_assert(before->fd == part->fd && before->have_bytes <= part->have_bytes);
	if (ftruncate(part->fd, before->have_bytes) != 0)
		return fail(part, "shorten", error);
	*part = *before;
	return TRUE;
}

FetchPart fetch_part_empty(const FetchPart *part)
{
	FetchPart empty = *part;
	empty.have_bytes = 0;
	sha256_init(&empty.state);
	return empty;
}

gboolean fetch_part_is_whole(const FetchPart *part)
{
	return part->have_bytes == part->size_bytes;
}

gboolean fetch_part_is_good(const FetchPart *part, const char *sha256)
{
	char found[SHA256_HEX];
	Sha256 state = part->state;
	sha256_finish(&state, found);
	return fetch_part_is_whole(part) && strcmp(found, sha256) == 0;
}

gboolean fetch_part_sync(const FetchPart *part, GError **error)
{
	return fsync(part->fd) == 0 || fail(part, "sync", error);
}
