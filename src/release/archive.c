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

#include "release/locale_scope.h"
#include "release/packed.h"
#include "release/tree_file.h"

enum { BLOCK_BYTES = 64 * 1024 };

const ArchiveEffort archive_effort_default = {.level = 15, .window_log = 23};

typedef struct archive TarWriter;
typedef struct archive_entry TarEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarWriter, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarEntry, archive_entry_free)

/* Where the tar's bytes go. */
typedef struct Sink {
	Sha256 tar;
	gint64 tar_bytes;
	PackedOut *packed; /* NULL: only measured */
	GError *error;	   /* what went wrong in here, in our words */
} Sink;

static void sink_clear(Sink *sink)
{
	g_clear_error(&sink->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sink, sink_clear)

static la_ssize_t take_tar(struct archive *tar, void *user, const void *bytes, size_t size)
{
	Sink *sink = user;
	sha256_update(&sink->tar, bytes, size);
	sink->tar_bytes += (gint64)size;
	if (sink->packed != NULL &&
		!packed_out_compress(sink->packed, bytes, size, ZSTD_e_continue, &sink->error)) {
		archive_set_error(tar, EIO, "%s", sink->error->message);
		return -1;
	}
	return (la_ssize_t)size;
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

/* A file's way into the tar. */
typedef struct Content {
	Sink *sink;
	TarWriter *tar;
	Progress *progress;
} Content;

static gboolean take_content(const char *bytes, gsize size, gpointer of, GError **error)
{
	Content *content = of;
	if (archive_write_data(content->tar, bytes, size) != (la_ssize_t)size)
		return tar_failed(content->sink, content->tar, error);
	progress_add(content->progress, 0, (gint64)size);
	return TRUE;
}

static gboolean write_entries(Sink *sink, TarWriter *tar, int folder_fd, const Tree *tree,
	gint64 mtime_s, Progress *progress, GError **error)
{
	g_autofree char *chunk = g_malloc(TREE_FILE_CHUNK_BYTES);
	Content content = {.sink = sink, .tar = tar, .progress = progress};
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		gboolean is_same = TRUE;
		if (!write_header(sink, tar, entry, mtime_s, error))
			return FALSE;
		if (entry->kind == TREE_FILE && !tree_file_read(folder_fd, entry, chunk,
							take_content, &content, &is_same, error))
			return FALSE;
		if (!is_same)
			return tree_file_refuse_changed(entry, error);
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
	g_auto(PackedOut) packed = {.fd = -1};
	g_auto(Sink) sink = {.packed = &packed};
	Progress done = {.tell = progress, .user = user};
	g_assert(effort->window_log >= ARCHIVE_MINIMUM_WINDOW_LOG &&
		 effort->window_log <= ARCHIVE_MAXIMUM_WINDOW_LOG);
	if (!packed_out_open(&packed, out_fd, "archive", effort->level, error) ||
		!packed_out_set_window(&packed, effort->window_log, error) ||
		!packed_out_set_checksum(&packed, TRUE, error) ||
		!write_tar(&sink, folder_fd, tree, mtime_s, &done, error) ||
		!packed_out_compress(&packed, NULL, 0, ZSTD_e_end, error))
		return FALSE;
	payload->size_bytes = packed.size_bytes;
	payload->tar_bytes = sink.tar_bytes;
	payload->window_log = effort->window_log;
	sha256_finish(&packed.state, payload->sha256);
	sha256_finish(&sink.tar, payload->tar_sha256);
	return TRUE;
}

gboolean archive_measure(int folder_fd, const Tree *tree, gint64 mtime_s, gint64 *tar_bytes,
	char tar_sha256[SHA256_HEX], GError **error)
{
	g_auto(Sink) sink = {.packed = NULL};
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
