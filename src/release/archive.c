/* SPDX-License-Identifier: ISC
 *
 * Packing: libarchive makes the tar, what it writes is hashed and compressed as it comes.
 *
 * Names are UTF-8, and PAX has them in UTF-8: written in a locale of that, whatever the process's,
 * they come out as the bytes they are, and a header extends only those that need it.
 */
#include "release/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "release/beneath.h"
#include "release/locale_scope.h"
#include "release/progress.h"

enum { BLOCK_BYTES = 64 * 1024, CHUNK_BYTES = 256 * 1024 };

const ArchiveEffort archive_effort_default = {.level = 15, .window_log = 23};

typedef struct archive TarWriter;
typedef struct archive_entry TarEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarWriter, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarEntry, archive_entry_free)

/* Where the tar's bytes go. */
typedef struct Sink {
	Sha256 tar, packed;
	gint64 tar_bytes, packed_bytes;
	ZSTD_CCtx *compressor; /* NULL: only measured */
	char *compressed;      /* ZSTD_CStreamOutSize() */
	int out_fd;
	GError *error; /* what went wrong in here, in our words */
} Sink;

static void sink_clear(Sink *sink)
{
	ZSTD_freeCCtx(sink->compressor);
	g_free(sink->compressed);
	g_clear_error(&sink->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sink, sink_clear)

/* the sink ------------------------------------------------------------------------------------- */

static gboolean write_out(Sink *sink, const char *bytes, gsize size)
{
	sha256_update(&sink->packed, bytes, size);
	sink->packed_bytes += (gint64)size;
	while (size > 0) {
		gssize written = write(sink->out_fd, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			drover_error_set(&sink->error, DROVER_ERROR_INTERNAL,
				"cannot write the archive: %s", g_strerror(errno));
			return FALSE;
		}
		bytes += written;
		size -= (gsize)written;
	}
	return TRUE;
}

/* Until all of `bytes` is taken, and with ZSTD_e_end also all of the frame is out. */
static gboolean compress(Sink *sink, const void *bytes, gsize size, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = {.src = bytes, .size = size};
	for (;;) {
		ZSTD_outBuffer out = {.dst = sink->compressed, .size = ZSTD_CStreamOutSize()};
		gsize left = ZSTD_compressStream2(sink->compressor, &out, &in, directive);
		if (ZSTD_isError(left)) {
			drover_error_set(&sink->error, DROVER_ERROR_INTERNAL,
				"cannot compress the archive: %s", ZSTD_getErrorName(left));
			return FALSE;
		}
		if (!write_out(sink, out.dst, out.pos))
			return FALSE;
		if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size)
			return TRUE;
	}
}

static la_ssize_t take_tar(struct archive *tar, void *user, const void *bytes, size_t size)
{
	Sink *sink = user;
	sha256_update(&sink->tar, bytes, size);
	sink->tar_bytes += (gint64)size;
	if (sink->compressor != NULL && !compress(sink, bytes, size, ZSTD_e_continue)) {
		archive_set_error(tar, EIO, "%s", sink->error->message);
		return -1;
	}
	return (la_ssize_t)size;
}

static gboolean start_compressor(Sink *sink, const ArchiveEffort *effort, GError **error)
{
	g_assert(effort->window_log >= ARCHIVE_MINIMUM_WINDOW_LOG &&
		 effort->window_log <= ARCHIVE_MAXIMUM_WINDOW_LOG);
	sink->compressor = ZSTD_createCCtx();
	sink->compressed = g_malloc(ZSTD_CStreamOutSize());
	if (sink->compressor != NULL &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(
			sink->compressor, ZSTD_c_compressionLevel, effort->level)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(
			sink->compressor, ZSTD_c_windowLog, effort->window_log)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(sink->compressor, ZSTD_c_checksumFlag, 1)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"cannot compress with level %d and a window of 2^%d bytes", effort->level,
		effort->window_log);
	return FALSE;
}

/* the tar -------------------------------------------------------------------------------------- */

static gboolean tar_failed(Sink *sink, TarWriter *tar, GError **error)
{
	if (sink->error != NULL)
		g_propagate_error(error, g_steal_pointer(&sink->error));
	else
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make the archive: %s",
			archive_error_string(tar));
	return FALSE;
}

static gboolean write_header(
	Sink *sink, TarWriter *tar, const TreeEntry *entry, gint64 mtime_s, GError **error)
{
	g_autoptr(TarEntry) header = archive_entry_new();
	archive_entry_set_pathname(header, entry->path);
	archive_entry_set_mtime(header, mtime_s, 0);
	archive_entry_set_uid(header, 0);
	archive_entry_set_gid(header, 0);
	archive_entry_set_size(header, entry->size_bytes);
	if (entry->kind == TREE_LINK) {
		archive_entry_set_filetype(header, AE_IFLNK);
		archive_entry_set_perm(header, 0777);
		archive_entry_set_symlink(header, entry->target);
	} else {
		archive_entry_set_filetype(header, AE_IFREG);
		archive_entry_set_perm(header, entry->is_executable ? 0755 : 0644);
	}
	return archive_write_header(tar, header) == ARCHIVE_OK || tar_failed(sink, tar, error);
}

static gboolean refuse_changed(const TreeEntry *entry, GError **error)
{
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s changed since the tree was read: nobody may write there while it is packed",
		entry->path);
	return FALSE;
}

/* The file's bytes, at most as many as the tree says, hashed on their way. */
static gboolean copy_file(Sink *sink, TarWriter *tar, const TreeEntry *entry, int fd,
	Progress *progress, char *chunk, GError **error)
{
	Sha256 state;
	char sha256[SHA256_HEX];
	gint64 left = entry->size_bytes;
	sha256_init(&state);
	for (;;) {
		gssize got = read(fd, chunk, CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read %s: %s",
				entry->path, g_strerror(errno));
			return FALSE;
		}
		if (got > left)
			return refuse_changed(entry, error);
		if (got == 0)
			break;
		left -= got;
		sha256_update(&state, chunk, (gsize)got);
		if (archive_write_data(tar, chunk, (gsize)got) != got)
			return tar_failed(sink, tar, error);
		progress_add(progress, 0, got);
	}
	sha256_finish(&state, sha256);
	return (left == 0 && strcmp(sha256, entry->sha256) == 0) || refuse_changed(entry, error);
}

static gboolean write_entries(Sink *sink, TarWriter *tar, int folder_fd, const Tree *tree,
	gint64 mtime_s, Progress *progress, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		gboolean ok = write_header(sink, tar, entry, mtime_s, error);
		if (ok && entry->kind == TREE_FILE) {
			int fd = beneath_open(folder_fd, entry->path, error);
			ok = fd >= 0 && copy_file(sink, tar, entry, fd, progress, chunk, error);
			if (fd >= 0)
				close(fd);
		}
		if (!ok)
			return FALSE;
		progress_add(progress, 1, 0);
	}
	return TRUE;
}

static gboolean write_tar(Sink *sink, int folder_fd, const Tree *tree, gint64 mtime_s,
	Progress *progress, GError **error)
{
	if (mtime_s < 0 || mtime_s > ARCHIVE_MAXIMUM_MTIME_S) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the time %" G_GINT64_FORMAT " is not between 1970 and 2242: an archive "
			"cannot hold it",
			mtime_s);
		return FALSE;
	}
	g_auto(LocaleScope) locale = {0};
	if (!locale_scope_enter(&locale, "C.UTF-8", error))
		return FALSE;
	g_autoptr(TarWriter) tar = archive_write_new();
	sha256_init(&sink->tar);
	sha256_init(&sink->packed);
	if (archive_write_set_format_pax_restricted(tar) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(tar, BLOCK_BYTES) != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(tar, 1) != ARCHIVE_OK ||
		archive_write_open(tar, sink, NULL, take_tar, NULL) != ARCHIVE_OK)
		return tar_failed(sink, tar, error);
	if (!write_entries(sink, tar, folder_fd, tree, mtime_s, progress, error))
		return FALSE;
	if (archive_write_close(tar) != ARCHIVE_OK)
		return tar_failed(sink, tar, error);
	return TRUE;
}

gboolean archive_pack(int folder_fd, const Tree *tree, gint64 mtime_s, const ArchiveEffort *effort,
	int out_fd, TreeProgress progress, gpointer user, ArchivePayload *payload, GError **error)
{
	g_auto(Sink) sink = {.out_fd = out_fd};
	Progress done = {.tell = progress, .user = user};
	if (!start_compressor(&sink, effort, error) ||
		!write_tar(&sink, folder_fd, tree, mtime_s, &done, error))
		return FALSE;
	if (!compress(&sink, NULL, 0, ZSTD_e_end)) {
		g_propagate_error(error, g_steal_pointer(&sink.error));
		return FALSE;
	}
	payload->size_bytes = sink.packed_bytes;
	payload->tar_bytes = sink.tar_bytes;
	payload->window_log = effort->window_log;
	sha256_finish(&sink.packed, payload->sha256);
	sha256_finish(&sink.tar, payload->tar_sha256);
	return TRUE;
}

gboolean archive_measure(int folder_fd, const Tree *tree, gint64 mtime_s, gint64 *tar_bytes,
	char tar_sha256[SHA256_HEX], GError **error)
{
	g_auto(Sink) sink = {.out_fd = -1};
	Progress done = {.tell = NULL};
	if (!write_tar(&sink, folder_fd, tree, mtime_s, &done, error))
		return FALSE;
	*tar_bytes = sink.tar_bytes;
	sha256_finish(&sink.tar, tar_sha256);
	return TRUE;
}

/* what a manifest says ------------------------------------------------------------------------- */

gboolean archive_check_payload(const ArchivePayload *payload, GError **error)
{
	if (payload->window_log < ARCHIVE_MINIMUM_WINDOW_LOG ||
		payload->window_log > ARCHIVE_MAXIMUM_WINDOW_LOG) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the payload's window is 2^%d bytes: 2^%d to 2^%d are allowed",
			payload->window_log, ARCHIVE_MINIMUM_WINDOW_LOG,
			ARCHIVE_MAXIMUM_WINDOW_LOG);
		return FALSE;
	}
	if (payload->size_bytes < 0 || payload->size_bytes > ARCHIVE_MAXIMUM_TAR_BYTES ||
		payload->tar_bytes < 0 || payload->tar_bytes > ARCHIVE_MAXIMUM_TAR_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the payload has %" G_GINT64_FORMAT " bytes, %" G_GINT64_FORMAT
			" uncompressed: at most %" G_GINT64_FORMAT " are allowed",
			payload->size_bytes, payload->tar_bytes, ARCHIVE_MAXIMUM_TAR_BYTES);
		return FALSE;
	}
	if (!sha256_is_hex(payload->sha256) || !sha256_is_hex(payload->tar_sha256)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the payload's SHA-256 must be %d small hexadecimal digits",
			SHA256_HEX - 1);
		return FALSE;
	}
	return TRUE;
}
