/* SPDX-License-Identifier: ISC
 *
 * Applying a delta suspects everything, as unpacking does: the delta's digest; each old file's
 * digest before it is used; decoding within the manifest's window, no byte more than each file has
 * in the manifest; each file's digest; nothing behind the end. Then the disk is read again.
 */
#include <string.h>

#include "release/beneath.h"
#include "release/delta_parts.h"
#include "release/packed.h"
#include "release/tree_file.h"

typedef struct Applying {
	PackedIn in;
	int base_fd, folder_fd;
	DeltaBase base;
	gint64 mtime_s;
	Progress *progress;
	char *chunk;
} Applying;

static void applying_clear(Applying *applying)
{
	packed_in_clear(&applying->in);
	delta_base_clear(&applying->base);
	g_free(applying->chunk);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Applying, applying_clear)

static gboolean refuse(const TreeEntry *file, const char *reason, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: %s", file->path, reason);
	return FALSE;
}

static gboolean refuse_base(const TreeEntry *old, GError **error)
{
	return refuse(old,
		"what is installed is not what its manifest says: take the whole release", error);
}

/* A base that is not there, or something else, is not what its manifest says. */
static gboolean cannot_read_base(GError *why, GError **error)
{
	if (drover_error_is(why, DROVER_ERROR_NOT_FOUND))
		why->code = DROVER_ERROR_INPUT;
	if (drover_error_is(why, DROVER_ERROR_INPUT))
		g_prefix_error(&why, "what is installed is not what its manifest says: ");
	g_propagate_error(error, why);
	return FALSE;
}

/* copied files --------------------------------------------------------------------------------- */

typedef struct Copy {
	Applying *applying;
	const TreeEntry *file;
	int fd;
} Copy;

static gboolean take_copy(const char *bytes, gsize size, gpointer of, GError **error)
{
	Copy *copy = of;
	progress_add(copy->applying->progress, 0, (gint64)size);
	return tree_file_write(copy->fd, copy->file, bytes, size, error);
}

static gboolean copy_into(
	Applying *applying, const TreeEntry *file, const TreeEntry *old, int fd, GError **error)
{
	Copy copy = {.applying = applying, .file = file, .fd = fd};
	GError *why = NULL;
	gboolean is_same;
	if (!tree_file_read(
		    applying->base_fd, old, applying->chunk, take_copy, &copy, &is_same, &why))
		return cannot_read_base(why, error);
	return is_same || refuse_base(old, error);
}

/* decoded files -------------------------------------------------------------------------------- */

/* The frame's next `left` bytes. */
static gboolean decode_into(Applying *applying, const TreeEntry *file, gint64 left, int fd,
	Sha256 *state, GError **error)
{
	while (left > 0) {
		gsize most = (gsize)MIN(left, TREE_FILE_CHUNK_BYTES);
		gssize got = packed_in_decode(&applying->in, applying->chunk, most, error);
		if (got < 0) {
			g_prefix_error(error, "%s: ", file->path);
			return FALSE;
		}
		if (got == 0)
			return refuse(file, "the delta holds less than the manifest says", error);
		sha256_update(state, applying->chunk, (gsize)got);
		if (!tree_file_write(fd, file, applying->chunk, (gsize)got, error))
			return FALSE;
		progress_add(applying->progress, 0, got);
		left -= got;
	}
	return TRUE;
}

/* The frame has nothing more. */
static gboolean end_frame(Applying *applying, const TreeEntry *file, GError **error)
{
	gssize got = packed_in_decode(&applying->in, applying->chunk, 1, error);
	if (got < 0)
		g_prefix_error(error, "%s: ", file->path);
	else if (got > 0)
		refuse(file, "the delta holds more than the manifest says", error);
	return got == 0;
}

static gboolean check_digest(Sha256 *state, const TreeEntry *file, GError **error)
{
	char sha256[SHA256_HEX];
	sha256_finish(state, sha256);
	return strcmp(sha256, file->sha256) == 0 ||
	       refuse(file, "what the delta makes of it is not what the manifest says", error);
}

static gboolean decode_pieces(
	Applying *applying, const TreeEntry *file, const DeltaMap *map, int fd, GError **error)
{
	Sha256 state;
	sha256_init(&state);
	for (gint64 offset = 0; offset < file->size_bytes; offset += DELTA_PIECE_BYTES) {
		gint64 size = MIN(DELTA_PIECE_BYTES, file->size_bytes - offset);
		DeltaMap prefix = delta_map_prefix(map, offset);
		if (!packed_in_begin(&applying->in, prefix.bytes, prefix.size_bytes, error) ||
			!decode_into(applying, file, size, fd, &state, error) ||
			!end_frame(applying, file, error))
			return FALSE;
	}
	return check_digest(&state, file, error);
}

static gboolean patch_into(
	Applying *applying, const TreeEntry *file, const TreeEntry *old, int fd, GError **error)
{
	g_auto(DeltaMap) map = {.bytes = NULL};
	GError *why = NULL;
	gboolean is_same;
	if (old == NULL)
		return refuse(file, "the delta patches a file that the base does not have", error);
	if (!delta_map_open(&map, applying->base_fd, old, &is_same, &why))
		return cannot_read_base(why, error);
	if (!is_same)
		return refuse_base(old, error);
	return decode_pieces(applying, file, &map, fd, error);
}

static gboolean decode_new(Applying *applying, const TreeEntry *file, int fd, GError **error)
{
	Sha256 state;
	sha256_init(&state);
	return decode_into(applying, file, file->size_bytes, fd, &state, error) &&
	       check_digest(&state, file, error);
}

/* files of each kind --------------------------------------------------------------------------- */

static gboolean make_copy(
	Applying *applying, const TreeEntry *file, const TreeEntry *old, GError **error)
{
	int fd = tree_file_create(applying->folder_fd, file, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = copy_into(applying, file, old, fd, error);
	return tree_file_close(fd, file, applying->mtime_s, ok, error);
}

static gboolean make_patched(Applying *applying, const TreeEntry *file, GError **error)
{
	const TreeEntry *old = delta_base_old(&applying->base, file);
	int fd = tree_file_create(applying->folder_fd, file, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = patch_into(applying, file, old, fd, error);
	return tree_file_close(fd, file, applying->mtime_s, ok, error);
}

static gboolean make_new(Applying *applying, const TreeEntry *file, GError **error)
{
	int fd = tree_file_create(applying->folder_fd, file, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = decode_new(applying, file, fd, error);
	return tree_file_close(fd, file, applying->mtime_s, ok, error);
}

/* The file, unless it is new: then it is put into `later`. */
static gboolean make_file(
	Applying *applying, const TreeEntry *file, GPtrArray *later, GError **error)
{
	char way;
	const TreeEntry *same = delta_base_same(&applying->base, file);
	if (same != NULL)
		return make_copy(applying, file, same, error);
	if (!packed_in_read(&applying->in, &way, 1, error))
		return FALSE;
	if (way == DELTA_PATCHED)
		return make_patched(applying, file, error);
	if (way != DELTA_NEW)
		return refuse(file, "the delta has it neither patched nor new", error);
	g_ptr_array_add(later, (gpointer)file);
	return TRUE;
}

static gboolean make_later(Applying *applying, const GPtrArray *later, GError **error)
{
	gint64 size_bytes = 0;
	for (guint i = 0; i < later->len; i++)
		size_bytes += ((const TreeEntry *)g_ptr_array_index(later, i))->size_bytes;
	if (size_bytes > 0 && !packed_in_begin(&applying->in, NULL, 0, error))
		return FALSE;
	for (guint i = 0; i < later->len; i++) {
		if (!make_new(applying, g_ptr_array_index(later, i), error))
			return FALSE;
		progress_add(applying->progress, 1, 0);
	}
	return size_bytes == 0 ||
	       end_frame(applying, g_ptr_array_index(later, later->len - 1), error);
}

static gboolean make_tree(Applying *applying, const Tree *tree, GError **error)
{
	g_autoptr(GPtrArray) later = g_ptr_array_new();
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		const guint before = later->len;
		if (entry->kind == TREE_LINK ? !beneath_link(applying->folder_fd, entry->path,
						       entry->target, error)
					     : !make_file(applying, entry, later, error))
			return FALSE;
		progress_add(applying->progress, later->len == before ? 1 : 0, 0);
	}
	return make_later(applying, later, error) && packed_in_finish(&applying->in, error);
}

/* the whole ------------------------------------------------------------------------------------ */

static gboolean check_said(const ManifestDelta *said, const Tree *base, GError **error)
{
	char sha256[SHA256_HEX];
	if (said->size_bytes < 0 || said->size_bytes > ARCHIVE_MAXIMUM_TAR_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the delta has %" G_GINT64_FORMAT " bytes: at most %" G_GINT64_FORMAT
			" are allowed",
			said->size_bytes, ARCHIVE_MAXIMUM_TAR_BYTES);
		return FALSE;
	}
	if (said->window_log < ARCHIVE_MINIMUM_WINDOW_LOG ||
		said->window_log > ARCHIVE_MAXIMUM_WINDOW_LOG) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the delta's window is 2^%d bytes: 2^%d to 2^%d are allowed",
			said->window_log, ARCHIVE_MINIMUM_WINDOW_LOG, ARCHIVE_MAXIMUM_WINDOW_LOG);
		return FALSE;
	}
	tree_digest(base, sha256);
	if (strcmp(sha256, said->from_tree_sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the delta leads from a tree with the SHA-256 %s, what is here is %s: take the "
		"whole release",
		said->from_tree_sha256, sha256);
	return FALSE;
}

static gboolean expect_begin(Applying *applying, GError **error)
{
	char begin[sizeof DELTA_BEGIN - 1];
	if (!packed_in_read(&applying->in, begin, sizeof begin, error))
		return FALSE;
	if (memcmp(begin, DELTA_BEGIN, sizeof begin) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the delta does not begin with \"drover-delta 1\": it comes from a newer Drover, "
		"or is none");
	return FALSE;
}

gboolean delta_apply(int delta_fd, const ManifestDelta *said, int base_fd, const Tree *base,
	const Tree *tree, gint64 mtime_s, int folder_fd, TreeProgress progress, gpointer user,
	GError **error)
{
	g_auto(Applying)
		applying = {.base_fd = base_fd, .folder_fd = folder_fd, .mtime_s = mtime_s};
	Progress done = {.tell = progress, .user = user};
	applying.progress = &done;
	applying.chunk = g_malloc(TREE_FILE_CHUNK_BYTES);
	delta_base_open(&applying.base, base);
	if (!check_said(said, base, error) || !tree_file_check_empty(folder_fd, error) ||
		!packed_in_check(delta_fd, "delta", said->size_bytes, said->sha256, error) ||
		!packed_in_open(&applying.in, delta_fd, "delta", said->size_bytes, said->window_log,
			error) ||
		!expect_begin(&applying, error) || !make_tree(&applying, tree, error))
		return FALSE;
	return tree_file_read_again(folder_fd, tree, &done, error);
}
