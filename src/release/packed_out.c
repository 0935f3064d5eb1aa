/* SPDX-License-Identifier: ISC
 *
 * Frames on their way to a file.
 */
#include <errno.h>

#include "base/file.h"
#include "release/packed.h"

static gboolean check(const PackedOut *out, size_t done, GError **error)
{
	if (!ZSTD_isError(done))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot compress the %s: %s", out->what,
		ZSTD_getErrorName(done));
	return FALSE;
}

static gboolean set_up(PackedOut *out, ZSTD_cParameter parameter, int value, GError **error)
{
	return check(out, ZSTD_CCtx_setParameter(out->compressor, parameter, value), error);
}

gboolean packed_out_open(PackedOut *out, int fd, const char *what, int level, GError **error)
{
	*out = (PackedOut){.fd = fd, .what = what};
	sha256_init(&out->state);
	out->compressor = ZSTD_createCCtx();
	out->compressed = g_malloc(ZSTD_CStreamOutSize());
	g_assert(out->compressor != NULL);
	return set_up(out, ZSTD_c_compressionLevel, level, error);
}

void packed_out_clear(PackedOut *out)
{
	ZSTD_freeCCtx(out->compressor);
	g_free(out->compressed);
}

gboolean packed_out_set_window(PackedOut *out, int window_log, GError **error)
{
	return set_up(out, ZSTD_c_windowLog, window_log, error);
}

gboolean packed_out_set_checksum(PackedOut *out, gboolean is_wanted, GError **error)
{
	return set_up(out, ZSTD_c_checksumFlag, is_wanted ? 1 : 0, error);
}

gboolean packed_out_set_long(PackedOut *out, gboolean is_wanted, GError **error)
{
	return set_up(out, ZSTD_c_enableLongDistanceMatching, is_wanted ? 1 : 0, error);
}

gboolean packed_out_begin(
	PackedOut *out, const void *prefix, gsize prefix_bytes, gint64 size_bytes, GError **error)
{
	unsigned long long size = (unsigned long long)size_bytes;
	return check(out, ZSTD_CCtx_refPrefix(out->compressor, prefix, prefix_bytes), error) &&
	       check(out, ZSTD_CCtx_setPledgedSrcSize(out->compressor, size), error);
}

gboolean packed_out_write(PackedOut *out, const void *bytes, gsize size_bytes, GError **error)
{
	if (out->kept != NULL) {
		g_byte_array_append(out->kept, bytes, (guint)size_bytes);
		return TRUE;
	}
	sha256_update(&out->state, bytes, size_bytes);
	out->size_bytes += (gint64)size_bytes;
	if (file_write_all(out->fd, bytes, size_bytes))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write the %s: %s", out->what,
		g_strerror(errno));
	return FALSE;
}

/* Until all of `bytes` is taken, and with ZSTD_e_end also all of the frame is out. */
gboolean packed_out_compress(PackedOut *out, const void *bytes, gsize size_bytes,
	ZSTD_EndDirective directive, GError **error)
{
	ZSTD_inBuffer in = {.src = bytes, .size = size_bytes};
	for (;;) {
		ZSTD_outBuffer done = {.dst = out->compressed, .size = ZSTD_CStreamOutSize()};
		gsize left = ZSTD_compressStream2(out->compressor, &done, &in, directive);
		if (!check(out, left, error) || !packed_out_write(out, done.dst, done.pos, error))
			return FALSE;
		if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size)
			return TRUE;
	}
}
