/* SPDX-License-Identifier: ISC
 *
 * Frames from a file that somebody sent.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release/packed.h"

enum { CHUNK_BYTES = 256 * 1024 };

/* -1 with `error`; 0 at the end; never more than the file has by its manifest. */
static gssize read_chunk(
	int fd, const char *what, gint64 offset, gint64 size_bytes, char *chunk, GError **error)
{
	gint64 wanted = MIN(CHUNK_BYTES, size_bytes - offset);
	gssize got;
	do
		got = pread(fd, chunk, (gsize)wanted, offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read the %s: %s", what,
			g_strerror(errno));
	return got;
}

static gboolean check_size(int fd, const char *what, gint64 size_bytes, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "the %s is no regular file", what);
		return FALSE;
	}
	if (status.st_size == size_bytes)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the %s has %" G_GINT64_FORMAT " bytes, the manifest says %" G_GINT64_FORMAT
		": fetch it again",
		what, (gint64)status.st_size, size_bytes);
	return FALSE;
}

gboolean packed_in_check(
	int fd, const char *what, gint64 size_bytes, const char *sha256, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	char found[SHA256_HEX];
	Sha256 state;
	gssize got;
	if (!check_size(fd, what, size_bytes, error))
		return FALSE;
	sha256_init(&state);
	for (gint64 offset = 0; (got = read_chunk(fd, what, offset, size_bytes, chunk, error)) != 0;
		offset += got) {
		if (got < 0)
			return FALSE;
		sha256_update(&state, chunk, (gsize)got);
	}
	sha256_finish(&state, found);
	if (strcmp(found, sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the %s's SHA-256 is %s, the manifest says %s: fetch it again", what, found,
		sha256);
	return FALSE;
}

gboolean packed_in_open(
	PackedIn *in, int fd, const char *what, gint64 size_bytes, int window_log, GError **error)
{
	*in = (PackedIn){.fd = fd, .what = what, .size_bytes = size_bytes};
	in->packed = g_malloc(CHUNK_BYTES);
	in->in.src = in->packed;
	in->decoder = ZSTD_createDCtx();
	if (in->decoder != NULL &&
		!ZSTD_isError(ZSTD_DCtx_setParameter(in->decoder, ZSTD_d_windowLogMax, window_log)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot decode with a window of 2^%d bytes",
		window_log);
	return FALSE;
}

void packed_in_clear(PackedIn *in)
{
	ZSTD_freeDCtx(in->decoder);
	g_free(in->packed);
}

static gboolean refuse(const PackedIn *in, const char *reason, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "the %s %s", in->what, reason);
	return FALSE;
}

static gboolean refill(PackedIn *in, GError **error)
{
	gssize got =
		read_chunk(in->fd, in->what, in->read_bytes, in->size_bytes, in->packed, error);
	if (got < 0)
		return FALSE;
	if (got == 0)
		return refuse(in, "ends in the middle", error);
	in->in.size = (gsize)got;
	in->in.pos = 0;
	in->read_bytes += got;
	return TRUE;
}

gboolean packed_in_begin(PackedIn *in, const void *prefix, gsize prefix_bytes, GError **error)
{
	in->ended = FALSE;
	size_t reset = ZSTD_DCtx_reset(in->decoder, ZSTD_reset_session_only);
	size_t set = ZSTD_DCtx_refPrefix(in->decoder, prefix, prefix_bytes);
	if (!ZSTD_isError(reset) && !ZSTD_isError(set))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot decode the %s: %s", in->what,
		ZSTD_getErrorName(ZSTD_isError(reset) ? reset : set));
	return FALSE;
}

gssize packed_in_decode(PackedIn *in, char *plain, gsize most, GError **error)
{
	ZSTD_outBuffer out = {.dst = plain, .size = most};
	g_assert(most > 0);
	while (!in->ended && out.pos == 0) {
		if (in->in.pos == in->in.size && !refill(in, error))
			return -1;
		gsize left = ZSTD_decompressStream(in->decoder, &out, &in->in);
		if (ZSTD_isError(left)) {
			g_autofree char *reason =
				g_strdup_printf("cannot be decoded: %s", ZSTD_getErrorName(left));
			refuse(in, reason, error);
			return -1;
		}
		in->ended = left == 0;
	}
	return (gssize)out.pos;
}

gboolean packed_in_read(PackedIn *in, char *bytes, gsize size_bytes, GError **error)
{
	for (gsize done = 0; done < size_bytes;) {
		if (in->in.pos == in->in.size && !refill(in, error))
			return FALSE;
		gsize got = MIN(size_bytes - done, in->in.size - in->in.pos);
		memcpy(bytes + done, in->packed + in->in.pos, got);
		in->in.pos += got;
		done += got;
	}
	return TRUE;
}

gboolean packed_in_finish(const PackedIn *in, GError **error)
{
	if (in->in.pos < in->in.size || in->read_bytes < in->size_bytes)
		return refuse(in, "goes on after its end", error);
	return TRUE;
}
