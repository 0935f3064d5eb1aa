/* SPDX-License-Identifier: ISC
 *
 * The files of a tree in a folder, read and written: what packing, unpacking and deltas have in
 * common. For the inside of this room.
 */
#ifndef RELEASE_TREE_FILE_H
#define RELEASE_TREE_FILE_H

#include "release/progress.h"

enum { TREE_FILE_CHUNK_BYTES = 256 * 1024 };

/* The next bytes. */
typedef gboolean (*TreeFileTake)(const char *bytes, gsize size_bytes, gpointer of, GError **error);

/* Reads the entry's file from its folder, at most as many bytes as the tree says. *is_same: these
 * were the bytes that the tree says. `chunk` has TREE_FILE_CHUNK_BYTES. Fails as beneath_open(),
 * with DROVER_ERROR_INTERNAL, or as `take`. */
gboolean tree_file_read(int folder_fd, const TreeEntry *entry, char *chunk, TreeFileTake take,
	gpointer of, gboolean *is_same, GError **error);
/* The message for a file that is no longer what it was. Always FALSE. */
gboolean tree_file_refuse_changed(const TreeEntry *entry, GError **error);

/* A folder into which a tree is to be written. DROVER_ERROR_CONFLICT when it is not empty. */
gboolean tree_file_check_empty(int folder_fd, GError **error);
/* A new file of the tree beneath the folder; -1. */
int tree_file_create(int folder_fd, const TreeEntry *entry, GError **error);
gboolean tree_file_write(
	int fd, const TreeEntry *entry, const char *bytes, gsize size_bytes, GError **error);
/* Closes it. When all went well so far, sets mode and time before. */
gboolean tree_file_close(
	int fd, const TreeEntry *entry, gint64 mtime_s, gboolean ok, GError **error);
/* archive_verify() of all that was written; its progress goes on behind that of `written`. */
gboolean tree_file_read_again(int folder_fd, const Tree *tree, Progress *written, GError **error);

#endif
