/* SPDX-License-Identifier: ISC
 *
 * Tars by hand.
 */
#include "hostile.h"

#include <zstd.h>

static la_ssize_t take(struct archive *tar, void *user, const void *bytes, size_t size)
{
	g_byte_array_append(user, bytes, (guint)size);
	return (la_ssize_t)size;
}

Hostile *hostile_new(void)
{
	Hostile *hostile = g_new0(Hostile, 1);
	hostile->plain = g_byte_array_new();
	hostile->tar = archive_write_new();
	archive_write_set_format_pax_restricted(hostile->tar);
	archive_write_set_bytes_per_block(hostile->tar, 0);
	archive_write_set_bytes_in_last_block(hostile->tar, 1);
	assert_int_equal(archive_write_open(hostile->tar, hostile->plain, NULL, take, NULL), 0);
	return hostile;
}

void hostile_free(Hostile *hostile)
{
	archive_write_free(hostile->tar);
	g_byte_array_unref(hostile->plain);
	g_free(hostile);
}

struct archive_entry *hostile_entry(const char *path, const char *text)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (gint64)strlen(text));
	archive_entry_set_mtime(entry, HOSTILE_MTIME_S, 0);
	return entry;
}

void hostile_add(Hostile *hostile, struct archive_entry *entry, const char *text)
{
	assert_int_equal(archive_write_header(hostile->tar, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(hostile->tar, text, strlen(text)), strlen(text));
	archive_entry_free(entry);
}

GByteArray *hostile_tar(Hostile *hostile)
{
	assert_int_equal(archive_write_close(hostile->tar), ARCHIVE_OK);
	return hostile->plain;
}

GByteArray *hostile_compress(const GByteArray *tar, int window_log)
{
	GByteArray *packed = g_byte_array_new();
	g_byte_array_set_size(packed, (guint)ZSTD_compressBound(tar->len));
	ZSTD_CCtx *compressor = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, window_log);
	ZSTD_inBuffer in = {.src = tar->data, .size = tar->len};
	ZSTD_outBuffer out = {.dst = packed->data, .size = packed->len};
	/* As a stream, so that the frame does not know its size, and has a window. */
	while (in.pos < in.size)
		assert_false(
			ZSTD_isError(ZSTD_compressStream2(compressor, &out, &in, ZSTD_e_continue)));
	assert_int_equal(ZSTD_compressStream2(compressor, &out, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(compressor);
	g_byte_array_set_size(packed, (guint)out.pos);
	return packed;
}

static void digest(const GByteArray *bytes, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes->data, bytes->len);
	sha256_finish(&state, sha256);
}

ArchivePayload hostile_payload(const GByteArray *tar, const GByteArray *packed, int window_log)
{
	ArchivePayload payload = {
		.size_bytes = packed->len, .tar_bytes = tar->len, .window_log = window_log};
	digest(packed, payload.sha256);
	digest(tar, payload.tar_sha256);
	return payload;
}
