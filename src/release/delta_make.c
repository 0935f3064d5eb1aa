/* SPDX-License-Identifier: ISC
 *
 * Making a delta. A file that has an older one at its path is compressed with that before it, as
 * `zstd --patch-from` does, and where little was won also without: the shorter way is taken. What
 * is new goes into one frame, where files that resemble each other cost little.
 *
 * The bytes that are compressed are those that are hashed: a file that is written to meanwhile is
 * found out.
 */
#include <string.h>

#include "release/delta_parts.h"
#include "release/packed.h"
#include "release/tree_file.h"

/* A patch below this part of its file is not compared with anything. */
#define SMALL_PATCH 16
/* A patch is kept in memory until it is known to be worth it. */
#define LARGEST_PATCHED_BYTES G_MAXINT32
/* New files one after the other: of each, that much behind it can be reused. */
#define NEW_WINDOW_LOG 23
/* From here on zstd looks for long matches besides: the tables of a level reach no further. */
#define LONG_MATCH_BYTES (4 * 1024 * 1024)

typedef struct Making {
	int base_fd, folder_fd;
	DeltaBase base;
	PackedOut out;	  /* the delta */
	PackedOut trial;  /* frames that are kept in memory */
	char *ways;	  /* of each entry of the tree: DELTA_PATCHED, DELTA_NEW or 0 */
	gint64 new_bytes; /* of all new files */
	char *chunk;
	DeltaMade *made;
} Making;

static void making_clear(Making *making)
{
	delta_base_clear(&making->base);
	packed_out_clear(&making->out);
	packed_out_clear(&making->trial);
	g_free(making->ways);
	g_free(making->chunk);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Making, making_clear)

/* 2^log bytes hold so many. */
static int window_for(gint64 size_bytes)
{
	int log = ARCHIVE_MINIMUM_WINDOW_LOG;
	while (((gint64)1 << log) < size_bytes)
		log++;
	return log;
}

/* a patched file ------------------------------------------------------------------------------- */

/* A file on its way through the pieces. */
typedef struct Patch {
	PackedOut *out;
	const DeltaMap *old; /* NULL: without */
	gint64 size_bytes;
	gint64 offset;	   /* of the next byte */
	gint64 piece_left; /* bytes that the frame still wants */
	int window_log;	   /* the largest of its frames */
} Patch;

static gboolean begin_piece(Patch *patch, GError **error)
{
	patch->piece_left = MIN(DELTA_PIECE_BYTES, patch->size_bytes - patch->offset);
	const int window_log = window_for(patch->piece_left);
	const DeltaMap empty = {.bytes = NULL};
	DeltaMap prefix = delta_map_prefix(patch->old != NULL ? patch->old : &empty, patch->offset);
	gboolean is_long = (gint64)prefix.size_bytes + patch->piece_left >= LONG_MATCH_BYTES;
	patch->window_log = MAX(patch->window_log, window_log);
	return packed_out_set_window(patch->out, window_log, error) &&
	       packed_out_set_long(patch->out, is_long, error) &&
	       packed_out_begin(
		       patch->out, prefix.bytes, prefix.size_bytes, patch->piece_left, error);
}

static gboolean take_for_patch(const char *bytes, gsize size, gpointer of, GError **error)
{
	Patch *patch = of;
	while (size > 0) {
		if (patch->piece_left == 0 && !begin_piece(patch, error))
			return FALSE;
		gsize part = (gsize)MIN((gint64)size, patch->piece_left);
		patch->piece_left -= (gint64)part;
		patch->offset += (gint64)part;
		if (!packed_out_compress(patch->out, bytes, part,
			    patch->piece_left == 0 ? ZSTD_e_end : ZSTD_e_continue, error))
			return FALSE;
		bytes += part;
		size -= part;
	}
	return TRUE;
}

/* Caller unrefs. */
static GByteArray *compress_file(
	Making *making, const TreeEntry *file, const DeltaMap *old, int *window_log, GError **error)
{
	g_autoptr(GByteArray) frames = g_byte_array_new();
	Patch patch = {.out = &making->trial, .old = old, .size_bytes = file->size_bytes};
	gboolean is_same;
	making->trial.kept = frames;
	if (!tree_file_read(making->folder_fd, file, making->chunk, take_for_patch, &patch,
		    &is_same, error))
		return NULL;
	if (!is_same) {
		tree_file_refuse_changed(file, error);
		return NULL;
	}
	*window_log = patch.window_log;
	return g_steal_pointer(&frames);
}

/* Caller unrefs. */
static GByteArray *compress_patch(Making *making, const TreeEntry *file, const TreeEntry *old,
	int *window_log, GError **error)
{
	g_auto(DeltaMap) map = {.bytes = NULL};
	gboolean is_same;
	if (!delta_map_open(&map, making->base_fd, old, &is_same, error)) {
		g_prefix_error(error, "the base: ");
		return NULL;
	}
	if (!is_same) {
		tree_file_refuse_changed(old, error);
		g_prefix_error(error, "the base: ");
		return NULL;
	}
	return compress_file(making, file, &map, window_log, error);
}

/* *patch is NULL when the file had better go with the new ones. Caller unrefs. */
static gboolean find_patch(
	Making *making, const TreeEntry *file, GByteArray **patch, int *window_log, GError **error)
{
	int ignored;
	const TreeEntry *old = delta_base_old(&making->base, file);
	*patch = NULL;
	if (old == NULL || file->size_bytes > LARGEST_PATCHED_BYTES)
		return TRUE;
	g_autoptr(GByteArray) frames = compress_patch(making, file, old, window_log, error);
	if (frames == NULL)
		return FALSE;
	if (frames->len > file->size_bytes / SMALL_PATCH) {
		g_autoptr(GByteArray) without = compress_file(making, file, NULL, &ignored, error);
		if (without == NULL)
			return FALSE;
		if (without->len <= frames->len)
			return TRUE;
	}
	*patch = g_steal_pointer(&frames);
	return TRUE;
}

static gboolean put_way(Making *making, guint position, char way, GError **error)
{
	making->ways[position] = way;
	return packed_out_write(&making->out, &way, 1, error);
}

static gboolean put_file(Making *making, const TreeEntry *file, guint position, GError **error)
{
	g_autoptr(GByteArray) patch = NULL;
	int window_log = 0;
	if (delta_base_same(&making->base, file) != NULL) {
		making->made->copied++;
		return TRUE;
	}
	if (!find_patch(making, file, &patch, &window_log, error))
		return FALSE;
	if (patch == NULL) {
		making->made->plain++;
		making->new_bytes += file->size_bytes;
		return put_way(making, position, DELTA_NEW, error);
	}
	making->made->patched++;
	making->made->window_log = MAX(making->made->window_log, window_log);
	return put_way(making, position, DELTA_PATCHED, error) &&
	       packed_out_write(&making->out, patch->data, patch->len, error);
}

/* new files ------------------------------------------------------------------------------------ */

static gboolean take_for_new(const char *bytes, gsize size, gpointer of, GError **error)
{
	return packed_out_compress(of, bytes, size, ZSTD_e_continue, error);
}

static gboolean put_new(Making *making, const Tree *tree, GError **error)
{
	const int window_log = MIN(NEW_WINDOW_LOG, window_for(making->new_bytes));
	if (making->new_bytes == 0)
		return TRUE;
	making->made->window_log = MAX(making->made->window_log, window_log);
	if (!packed_out_set_window(&making->out, window_log, error) ||
		!packed_out_begin(&making->out, NULL, 0, making->new_bytes, error))
		return FALSE;
	for (guint i = 0; i < tree_count(tree); i++) {
		gboolean is_same = TRUE;
		const TreeEntry *file = tree_entry(tree, i);
		if (making->ways[i] == DELTA_NEW &&
			!tree_file_read(making->folder_fd, file, making->chunk, take_for_new,
				&making->out, &is_same, error))
			return FALSE;
		if (!is_same)
			return tree_file_refuse_changed(file, error);
	}
	return packed_out_compress(&making->out, NULL, 0, ZSTD_e_end, error);
}

/* the whole ------------------------------------------------------------------------------------ */

static gboolean put_files(Making *making, const Tree *tree, Progress *progress, GError **error)
{
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		if (entry->kind == TREE_FILE && !put_file(making, entry, i, error))
			return FALSE;
		progress_add(progress, 1, entry->size_bytes);
	}
	return TRUE;
}

gboolean delta_make(int base_fd, const Tree *base, int folder_fd, const Tree *tree, int level,
	int out_fd, TreeProgress progress, gpointer user, DeltaMade *made, GError **error)
{
	g_auto(Making) making = {.base_fd = base_fd, .folder_fd = folder_fd, .made = made};
	Progress done = {.tell = progress, .user = user};
	*made = (DeltaMade){.window_log = ARCHIVE_MINIMUM_WINDOW_LOG};
	making.chunk = g_malloc(TREE_FILE_CHUNK_BYTES);
	making.ways = g_malloc0(tree_count(tree));
	delta_base_open(&making.base, base);
	if (!packed_out_open(&making.out, out_fd, "delta", level, error) ||
		!packed_out_open(&making.trial, -1, "delta", level, error) ||
		!packed_out_write(&making.out, DELTA_BEGIN, strlen(DELTA_BEGIN), error) ||
		!put_files(&making, tree, &done, error) || !put_new(&making, tree, error))
		return FALSE;
	made->size_bytes = making.out.size_bytes;
	sha256_finish(&making.out.state, made->sha256);
	return TRUE;
}
