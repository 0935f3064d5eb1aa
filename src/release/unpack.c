/* SPDX-License-Identifier: ISC
 *
 * Unpacking, in four steps that each suspect the one before: the frame's digest; decoding within
 * the manifest's window and size; each entry is the next one of the tree, written beneath the
 * folder; the tar's digest. Then the disk is read again.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "release/archive.h"
#include "release/beneath.h"
#include "release/locale_scope.h"
#include "release/packed.h"
#include "release/tree_file.h"

enum { CHUNK_BYTES = 256 * 1024 };

typedef struct archive TarReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarReader, archive_read_free)

/* Where the tar's bytes come from. */
typedef struct Source {
	PackedIn packed;
	const ArchivePayload *payload;
	char *plain;	  /* CHUNK_BYTES */
	gint64 tar_bytes; /* decoded so far */
	Sha256 tar;
	GError *error; /* what went wrong in here */
} Source;

static void source_clear(Source *source)
{
	packed_in_clear(&source->packed);
	g_free(source->plain);
	g_clear_error(&source->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

/* decoding ------------------------------------------------------------------------------------- */

static gboolean source_open(
	Source *source, int packed_fd, const ArchivePayload *payload, GError **error)
{
	source->payload = payload;
	source->plain = g_malloc(CHUNK_BYTES);
	sha256_init(&source->tar);
	return packed_in_open(&source->packed, packed_fd, "payload", payload->size_bytes,
		payload->window_log, error);
}

/* The next bytes of the tar: how many are in `plain`; 0 at the end; -1 when it failed. */
static la_ssize_t source_read(Source *source)
{
	if (source->error != NULL)
		return -1;
	gssize got = packed_in_decode(&source->packed, source->plain, CHUNK_BYTES, &source->error);
	if (got < 0)
		return -1;
	if (source->packed.ended && !packed_in_finish(&source->packed, &source->error))
		return -1;
	source->tar_bytes += got;
	if (source->tar_bytes > source->payload->tar_bytes) {
		drover_error_set(&source->error, DROVER_ERROR_INPUT,
			"the payload holds more than the manifest says");
		return -1;
	}
	sha256_update(&source->tar, source->plain, (gsize)got);
	return got;
}

static la_ssize_t give_tar(struct archive *tar, void *user, const void **bytes)
{
	Source *source = user;
	la_ssize_t size = source_read(source);
	*bytes = source->plain;
	if (size < 0)
		archive_set_error(tar, EIO, "%s", source->error->message);
	return size < 0 ? ARCHIVE_FATAL : size;
}

/* What the tar reader left unread, and the digest of it all. */
static gboolean source_finish(Source *source, GError **error)
{
	char sha256[SHA256_HEX];
	la_ssize_t size;
	while ((size = source_read(source)) > 0)
		;
	if (size < 0) {
		g_propagate_error(error, g_steal_pointer(&source->error));
		return FALSE;
	}
	sha256_finish(&source->tar, sha256);
	if (source->tar_bytes == source->payload->tar_bytes &&
		strcmp(sha256, source->payload->tar_sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the payload uncompressed has %" G_GINT64_FORMAT
		" bytes and the SHA-256 %s, the manifest says %" G_GINT64_FORMAT " and %s",
		source->tar_bytes, sha256, source->payload->tar_bytes, source->payload->tar_sha256);
	return FALSE;
}

/* entries -------------------------------------------------------------------------------------- */

static gboolean tar_failed(Source *source, TarReader *tar, GError **error)
{
	if (source->error != NULL)
		g_propagate_error(error, g_steal_pointer(&source->error));
	else
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the payload is no good tar archive: %s", archive_error_string(tar));
	return FALSE;
}

/* NULL when the header is exactly what packing `wanted` gives, otherwise what is wrong. */
static const char *header_fault(
	struct archive_entry *header, const TreeEntry *wanted, gint64 mtime_s)
{
	gboolean is_link = wanted->kind == TREE_LINK;
	mode_t perm = is_link ? 0777 : wanted->is_executable ? 0755 : 0644;
	if (g_strcmp0(archive_entry_pathname(header), wanted->path) != 0)
		return "another path";
	if (archive_entry_hardlink(header) != NULL)
		return "a link of another kind";
	if (archive_entry_filetype(header) != (is_link ? AE_IFLNK : AE_IFREG))
		return "another kind";
	if (archive_entry_perm(header) != perm)
		return "another mode";
	if (is_link && g_strcmp0(archive_entry_symlink(header), wanted->target) != 0)
		return "another target";
	if (archive_entry_size(header) != wanted->size_bytes)
		return "another size";
	if (archive_entry_sparse_count(header) != 0 || archive_entry_xattr_count(header) != 0 ||
		archive_entry_acl_types(header) != 0)
		return "holes or attributes";
	if (archive_entry_uid(header) != 0 || archive_entry_gid(header) != 0)
		return "an owner";
	if (archive_entry_mtime(header) != mtime_s || archive_entry_mtime_nsec(header) != 0)
		return "another time";
	return NULL;
}

static gboolean check_header(
	struct archive_entry *header, const TreeEntry *wanted, gint64 mtime_s, GError **error)
{
	const char *fault = header_fault(header, wanted, mtime_s);
	if (fault == NULL)
		return TRUE;
	const char *path = archive_entry_pathname(header);
	g_autofree char *shown = g_strescape(path != NULL ? path : "", NULL);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the payload's entry \"%.200s\" is not the manifest's %s: it has %s", shown,
		wanted->path, fault);
	return FALSE;
}

/* A header that was checked has the right size, and libarchive gives no more than it says. */
static gboolean write_file(Source *source, TarReader *tar, const TreeEntry *entry, int fd,
	Progress *progress, char *chunk, GError **error)
{
	for (gint64 left = entry->size_bytes; left > 0;) {
		la_ssize_t got = archive_read_data(tar, chunk, (gsize)MIN(left, CHUNK_BYTES));
		if (got <= 0)
			return tar_failed(source, tar, error);
		if (!tree_file_write(fd, entry, chunk, (gsize)got, error))
			return FALSE;
		left -= got;
		progress_add(progress, 0, got);
	}
	return TRUE;
}

static gboolean unpack_file(Source *source, TarReader *tar, const TreeEntry *entry, gint64 mtime_s,
	int folder_fd, Progress *progress, char *chunk, GError **error)
{
	int fd = tree_file_create(folder_fd, entry, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = write_file(source, tar, entry, fd, progress, chunk, error);
	return tree_file_close(fd, entry, mtime_s, ok, error);
}

/* In any other locale libarchive normalises names. In this one it warns that they are none of it,
 * and gives the bytes as they are: what they must be is checked next. */
static gboolean is_header(int status)
{
	return status == ARCHIVE_OK || status == ARCHIVE_WARN;
}

static gboolean unpack_entries(Source *source, TarReader *tar, const Tree *tree, gint64 mtime_s,
	int folder_fd, Progress *progress, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		struct archive_entry *header;
		int status = archive_read_next_header(tar, &header);
		if (status == ARCHIVE_EOF) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"the payload ends before %s, which the manifest lists",
				entry->path);
			return FALSE;
		}
		if (!is_header(status))
			return tar_failed(source, tar, error);
		if (!check_header(header, entry, mtime_s, error))
			return FALSE;
		if (entry->kind == TREE_LINK
				? !beneath_link(folder_fd, entry->path, entry->target, error)
				: !unpack_file(source, tar, entry, mtime_s, folder_fd, progress,
					  chunk, error))
			return FALSE;
		progress_add(progress, 1, 0);
	}
	return TRUE;
}

static gboolean expect_end(Source *source, TarReader *tar, GError **error)
{
	struct archive_entry *header;
	int status = archive_read_next_header(tar, &header);
	if (status == ARCHIVE_EOF)
		return TRUE;
	if (!is_header(status))
		return tar_failed(source, tar, error);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the payload holds more entries than the manifest lists");
	return FALSE;
}

static gboolean unpack_tar(Source *source, const Tree *tree, gint64 mtime_s, int folder_fd,
	Progress *progress, GError **error)
{
	g_auto(LocaleScope) locale = {0};
	if (!locale_scope_enter(&locale, "C", error))
		return FALSE;
	g_autoptr(TarReader) tar = archive_read_new();
	if (archive_read_support_format_tar(tar) != ARCHIVE_OK ||
		archive_read_open(tar, source, NULL, give_tar, NULL) != ARCHIVE_OK)
		return tar_failed(source, tar, error);
	return unpack_entries(source, tar, tree, mtime_s, folder_fd, progress, error) &&
	       expect_end(source, tar, error) && source_finish(source, error);
}

/* the whole ------------------------------------------------------------------------------------ */

gboolean archive_unpack(int packed_fd, const ArchivePayload *payload, const Tree *tree,
	gint64 mtime_s, int folder_fd, TreeProgress progress, gpointer user, GError **error)
{
	g_auto(Source) source = {.payload = payload};
	Progress done = {.tell = progress, .user = user};
	if (!archive_check_payload(payload, error) || !tree_file_check_empty(folder_fd, error) ||
		!packed_in_check(
			packed_fd, "payload", payload->size_bytes, payload->sha256, error) ||
		!source_open(&source, packed_fd, payload, error) ||
		!unpack_tar(&source, tree, mtime_s, folder_fd, &done, error))
		return FALSE;
	return tree_file_read_again(folder_fd, tree, &done, error);
}

static const char *change_word(const TreeChange *change)
{
	return change->after == NULL	? "missing"
	       : change->before == NULL ? "not listed"
					: "changed";
}

gboolean archive_verify(
	int folder_fd, const Tree *tree, TreeProgress progress, gpointer user, GError **error)
{
	enum { SHOWN = 5 };
	g_autoptr(Tree) found =
		tree_read(folder_fd, TREE_MODES_EXACT, &tree_limits_largest, progress, user, error);
	if (found == NULL)
		return FALSE;
	g_autoptr(GArray) changes = tree_difference(tree, found);
	if (changes->len == 0)
		return TRUE;
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < MIN(changes->len, SHOWN); i++) {
		const TreeChange *change = &g_array_index(changes, TreeChange, i);
		const TreeEntry *entry = change->before != NULL ? change->before : change->after;
		g_string_append_printf(
			text, "%s%s (%s)", i > 0 ? ", " : "", entry->path, change_word(change));
	}
	if (changes->len > SHOWN)
		g_string_append_printf(text, " and %u more", changes->len - SHOWN);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the files on the disk are not the manifest's: %s", text->str);
	return FALSE;
}
