/* SPDX-License-Identifier: ISC
 *
 * Which way each file of a tree comes: copied, patched or new. Making and applying a delta find the
 * same from the same two trees.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release/beneath.h"
#include "release/delta_parts.h"

void delta_base_open(DeltaBase *base, const Tree *tree)
{
	base->tree = tree;
	base->files = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < tree_count(tree); i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		if (entry->kind == TREE_FILE && !g_hash_table_contains(base->files, entry->sha256))
			g_hash_table_insert(base->files, (gpointer)entry->sha256, (gpointer)entry);
	}
}

void delta_base_clear(DeltaBase *base)
{
	g_clear_pointer(&base->files, g_hash_table_unref);
}

const TreeEntry *delta_base_same(const DeltaBase *base, const TreeEntry *file)
{
	const TreeEntry *same = tree_find(base->tree, file->path);
	if (same == NULL || same->kind != TREE_FILE || strcmp(same->sha256, file->sha256) != 0)
		same = g_hash_table_lookup(base->files, file->sha256);
	return same != NULL && same->size_bytes == file->size_bytes ? same : NULL;
}

const TreeEntry *delta_base_old(const DeltaBase *base, const TreeEntry *file)
{
	const TreeEntry *old = tree_find(base->tree, file->path);
	if (old == NULL || old->kind != TREE_FILE || old->size_bytes == 0 || file->size_bytes == 0)
		return NULL;
	return old;
}

/* old files in memory -------------------------------------------------------------------------- */

static gboolean map_opened(
	DeltaMap *map, int fd, const TreeEntry *file, gboolean *is_same, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) == 0 && status.st_size != file->size_bytes)
		return TRUE;
	char found[SHA256_HEX];
	void *bytes = mmap(NULL, (gsize)file->size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot map %s into memory: %s",
			file->path, g_strerror(errno));
		return FALSE;
	}
	*map = (DeltaMap){.bytes = bytes, .size_bytes = (gsize)file->size_bytes};
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, map->bytes, map->size_bytes);
	sha256_finish(&state, found);
	*is_same = strcmp(found, file->sha256) == 0;
	return TRUE;
}

gboolean delta_map_open(
	DeltaMap *map, int folder_fd, const TreeEntry *file, gboolean *is_same, GError **error)
{
	*map = (DeltaMap){.bytes = NULL};
	*is_same = FALSE;
	g_assert(file->size_bytes > 0);
	int fd = beneath_open(folder_fd, file->path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = map_opened(map, fd, file, is_same, error);
	close(fd);
	return ok;
}

void delta_map_close(DeltaMap *map)
{
	if (map->bytes != NULL)
		munmap((void *)map->bytes, map->size_bytes);
	map->bytes = NULL;
}

DeltaMap delta_map_prefix(const DeltaMap *map, gint64 offset)
{
	gsize from = (gsize)MAX(0, offset - DELTA_PIECE_BYTES);
	gsize to = MIN(map->size_bytes, (gsize)offset + 2 * (gsize)DELTA_PIECE_BYTES);
	if (map->bytes == NULL || from >= to)
		return (DeltaMap){.bytes = NULL};
	return (DeltaMap){.bytes = map->bytes + from, .size_bytes = to - from};
}
