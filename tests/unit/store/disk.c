/* SPDX-License-Identifier: ISC
 *
 * SQLite's own file layer, with write and sync replaced in each file that it opens.
 */
#include "disk.h"

#include <sqlite3.h>

static sqlite3_vfs *real_disk;
static sqlite3_vfs disk;

/* SQLite has several kinds of files, each with methods of its own. */
typedef struct Kind {
	sqlite3_io_methods methods; /* first: a file's pMethods is its Kind */
	const sqlite3_io_methods *real;
} Kind;
static Kind kinds[8];

static int writes_left;
static gboolean was_full;

static int write_or_fail(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	if (writes_left-- > 0)
		return ((const Kind *)file->pMethods)->real->xWrite(file, bytes, size, offset);
	was_full = TRUE;
	return SQLITE_FULL;
}

static int sync_nothing(sqlite3_file *file, int flags)
{
	return SQLITE_OK;
}

static const Kind *kind_of(const sqlite3_io_methods *real)
{
	Kind *kind = kinds;
	while (kind->real && kind->real != real)
		kind++;
	g_assert(kind < kinds + G_N_ELEMENTS(kinds));
	kind->real = real;
	kind->methods = *real;
	kind->methods.xWrite = write_or_fail;
	kind->methods.xSync = sync_nothing;
	return kind;
}

static int open_file(
	sqlite3_vfs *unused, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	int status = real_disk->xOpen(real_disk, name, file, flags, out_flags);
	if (status == SQLITE_OK && file->pMethods)
		file->pMethods = &kind_of(file->pMethods)->methods;
	return status;
}

void disk_full_after(int writes)
{
	real_disk = sqlite3_vfs_find(NULL);
	disk = *real_disk;
	disk.zName = "full";
	disk.pNext = NULL;
	disk.xOpen = open_file;
	writes_left = writes;
	was_full = FALSE;
	sqlite3_vfs_register(&disk, 1);
}

gboolean disk_restore(void)
{
	sqlite3_vfs_unregister(&disk);
	sqlite3_vfs_register(real_disk, 1);
	return was_full;
}
