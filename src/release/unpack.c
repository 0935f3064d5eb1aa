/* SPDX-License-Identifier: ISC
 *
 * Unpacking, in four steps that each suspect the one before: the frame's digest; decoding within
 * the manifest's window and size; each entry is the next one of the tree, written beneath the
 * folder; the tar's digest. Then the disk is read again.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "release/archive.h"
#include "release/beneath.h"
#include "release/locale_scope.h"
#include "release/progress.h"

enum { CHUNK_BYTES = 256 * 1024 };

typedef struct archive TarReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarReader, archive_read_free)

/* Where the tar's bytes come from. */
typedef struct Source {
	int packed_fd;
	const ArchivePayload *payload;
	ZSTD_DCtx *decoder;
	char *packed, *plain; /* CHUNK_BYTES each */
	ZSTD_inBuffer in;     /* in `packed` */
	gint64 packed_bytes;  /* read so far */
	gint64 tar_bytes;     /* decoded so far */
	Sha256 tar;
	gboolean ended;	 /* the frame is over */
	gboolean failed; /* `error` says why */
	GError *error;
} Source;

static void source_clear(Source *source)
{
	ZSTD_freeDCtx(source->decoder);
	g_free(source->packed);
	g_free(source->plain);
	g_clear_error(&source->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

/* the frame's digest --------------------------------------------------------------------------- */

/* -1 with `error`; never more than the payload has. */
static gssize read_packed(
	int fd, gint64 offset, const ArchivePayload *payload, char *chunk, GError **error)
{
	gint64 wanted = MIN(CHUNK_BYTES, payload->size_bytes - offset);
	gssize got;
	do
		got = pread(fd, chunk, (gsize)wanted, offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read the payload: %s",
			g_strerror(errno));
	return got;
}

static gboolean check_packed(int fd, const ArchivePayload *payload, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "the payload is no regular file");
		return FALSE;
	}
	if (status.st_size != payload->size_bytes) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the payload has %" G_GINT64_FORMAT
			" bytes, the manifest says %" G_GINT64_FORMAT ": fetch it again",
			(gint64)status.st_size, payload->size_bytes);
		return FALSE;
	}
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	char sha256[SHA256_HEX];
	Sha256 state;
	gssize got;
	sha256_init(&state);
	for (gint64 offset = 0; (got = read_packed(fd, offset, payload, chunk, error)) != 0;
		offset += got) {
		if (got < 0)
			return FALSE;
		sha256_update(&state, chunk, (gsize)got);
	}
	sha256_finish(&state, sha256);
	if (strcmp(sha256, payload->sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the payload's SHA-256 is %s, the manifest says %s: fetch it again", sha256,
		payload->sha256);
	return FALSE;
}

/* decoding ------------------------------------------------------------------------------------- */

static gboolean source_open(
	Source *source, int packed_fd, const ArchivePayload *payload, GError **error)
{
	source->packed_fd = packed_fd;
	source->payload = payload;
	source->packed = g_malloc(CHUNK_BYTES);
	source->plain = g_malloc(CHUNK_BYTES);
	source->in.src = source->packed;
	source->decoder = ZSTD_createDCtx();
	sha256_init(&source->tar);
	if (source->decoder != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(source->decoder,
					       ZSTD_d_windowLogMax, payload->window_log)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot decode with a window of 2^%d bytes",
		payload->window_log);
	return FALSE;
}

static gboolean source_refuse(Source *source, const char *reason)
{
	source->failed = TRUE;
	if (source->error == NULL)
		drover_error_set(&source->error, DROVER_ERROR_INPUT, "the payload %s", reason);
	return FALSE;
}

static gboolean refill(Source *source)
{
	gssize got = read_packed(source->packed_fd, source->packed_bytes, source->payload,
		source->packed, &source->error);
	if (got < 0)
		return source_refuse(source, "cannot be read");
	if (got == 0)
		return source_refuse(source, "ends in the middle");
	source->in.size = (gsize)got;
	source->in.pos = 0;
	source->packed_bytes += got;
	return TRUE;
}

/* The frame is over: then the file is, too. */
static gboolean check_end(Source *source)
{
	source->ended = TRUE;
	if (source->in.pos < source->in.size || source->packed_bytes < source->payload->size_bytes)
		return source_refuse(source, "goes on after its end");
	return TRUE;
}

/* The next bytes of the tar: how many are in `plain`; 0 at the end; -1 when it failed. */
static la_ssize_t source_read(Source *source)
{
	ZSTD_outBuffer out = {.dst = source->plain, .size = CHUNK_BYTES};
	while (!source->failed && !source->ended && out.pos == 0) {
		if (source->in.pos == source->in.size && !refill(source))
			break;
		gsize left = ZSTD_decompressStream(source->decoder, &out, &source->in);
		if (ZSTD_isError(left))
			source_refuse(source, ZSTD_getErrorName(left));
		else if (left == 0)
			check_end(source);
	}
	if (source->failed)
		return -1;
	source->tar_bytes += (gint64)out.pos;
	if (source->tar_bytes > source->payload->tar_bytes) {
		source_refuse(source, "holds more than the manifest says");
		return -1;
	}
	sha256_update(&source->tar, out.dst, out.pos);
	return (la_ssize_t)out.pos;
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

static gboolean write_failed(const TreeEntry *entry, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", entry->path,
		g_strerror(errno));
	return FALSE;
}

static gboolean write_all(int fd, const char *bytes, gsize size)
{
	while (size > 0) {
		gssize written = write(fd, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return FALSE;
		bytes += written;
		size -= (gsize)written;
	}
	return TRUE;
}

/* A header that was checked has the right size, and libarchive gives no more than it says. */
static gboolean write_file(Source *source, TarReader *tar, const TreeEntry *entry, int fd,
	Progress *progress, char *chunk, GError **error)
{
	for (gint64 left = entry->size_bytes; left > 0;) {
		la_ssize_t got = archive_read_data(tar, chunk, (gsize)MIN(left, CHUNK_BYTES));
		if (got <= 0)
			return tar_failed(source, tar, error);
		if (!write_all(fd, chunk, (gsize)got))
			return write_failed(entry, error);
		left -= got;
		progress_add(progress, 0, got);
	}
	return TRUE;
}

static gboolean set_status(int fd, const TreeEntry *entry, gint64 mtime_s, GError **error)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}};
	if (fchmod(fd, entry->is_executable ? 0755 : 0644) != 0 || futimens(fd, times) != 0)
		return write_failed(entry, error);
	return TRUE;
}

static gboolean unpack_file(Source *source, TarReader *tar, const TreeEntry *entry, gint64 mtime_s,
	int folder_fd, Progress *progress, char *chunk, GError **error)
{
	int fd = beneath_create(folder_fd, entry->path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = write_file(source, tar, entry, fd, progress, chunk, error) &&
		      set_status(fd, entry, mtime_s, error);
	/* Where the disk is a network's, the last error may come only now. */
	if (close(fd) != 0 && ok)
		return write_failed(entry, error);
	return ok;
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

static gboolean check_empty(int folder_fd, GError **error)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot read the folder to unpack into: %s", g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	guint count = 0;
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	if (count <= 2) /* "." and ".." */
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the folder to unpack into is not empty: remove it and try again");
	return FALSE;
}

/* Files of the second pass come after those of the first. */
static void tell_read_again(guint files, gint64 size_bytes, gpointer user)
{
	const Progress *written = user;
	if (written->tell != NULL)
		written->tell(
			written->files + files, written->size_bytes + size_bytes, written->user);
}

gboolean archive_unpack(int packed_fd, const ArchivePayload *payload, const Tree *tree,
	gint64 mtime_s, int folder_fd, TreeProgress progress, gpointer user, GError **error)
{
	g_auto(Source) source = {.packed_fd = -1};
	Progress done = {.tell = progress, .user = user};
	if (!archive_check_payload(payload, error) || !check_empty(folder_fd, error) ||
		!check_packed(packed_fd, payload, error) ||
		!source_open(&source, packed_fd, payload, error) ||
		!unpack_tar(&source, tree, mtime_s, folder_fd, &done, error))
		return FALSE;
	return archive_verify(folder_fd, tree, tell_read_again, &done, error);
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
