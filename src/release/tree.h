/* SPDX-License-Identifier: ISC
 *
 * What a folder holds, as a value: its regular files, with size, SHA-256 and whether they may be
 * run, and its symbolic links. Everything that is built, signed, compared or installed is a Tree;
 * docs/release.md says what is in one and what is not.
 *
 * Entries are sorted by the bytes of their paths. Folders are not entries: they follow from the
 * paths, so an empty folder is not part of a tree (as in git). Anything else that can lie in a
 * folder (devices, pipes, sockets, setuid files) is refused, and so is every name that could be
 * taken for another place: the rules for paths and links are here, and nowhere else.
 */
#ifndef RELEASE_TREE_H
#define RELEASE_TREE_H

#include "base/error.h"
#include "release/sha256.h"

#define TREE_MAXIMUM_ENTRIES	200000
#define TREE_MAXIMUM_SIZE_BYTES 17179869184 /* all files together: 16 GiB */
#define TREE_MAXIMUM_PATH_BYTES 1024	    /* a path, and a link's target */
#define TREE_MAXIMUM_NAME_BYTES 255	    /* one part of a path */
#define TREE_MAXIMUM_PATH_PARTS 32	    /* folders and the name */

typedef enum TreeKind { TREE_FILE, TREE_LINK } TreeKind;

typedef struct TreeEntry {
	char *path; /* below the folder: "lib/web.py" */
	TreeKind kind;
	gboolean is_executable;	 /* of a file: its mode is 0755, otherwise 0644 */
	gint64 size_bytes;	 /* of a file; 0 of a link */
	char sha256[SHA256_HEX]; /* of a file; "" of a link */
	char *target;		 /* of a link; NULL of a file */
} TreeEntry;

typedef struct Tree Tree;

/* What is to be in a tree at most; each at most what the constants above say. */
typedef struct TreeLimits {
	guint entries;
	gint64 size_bytes; /* all files together */
	guint path_parts;  /* the deepest path */
} TreeLimits;

extern const TreeLimits tree_limits_largest;

/* Called now and then, and once at the end, with what is done so far. */
typedef void (*TreeProgress)(guint files, gint64 size_bytes, gpointer user);

/* The one rule for paths: UTF-8 without control characters; parts between single slashes, none of
 * them empty, "." or ".."; no slash at either end; within the limits above.
 * Fails with DROVER_ERROR_INPUT, DROVER_ERROR_TOO_LARGE. */
gboolean tree_check_path(const char *path, GError **error);
/* The one rule for links: a target is relative, and its ".." stand at its beginning, no more of
 * them than `path` has folders. A link's own folder is never a link, so whoever follows such a
 * target stays inside. What it names need not be there. Errors as above. */
gboolean tree_check_target(const char *path, const char *target, GError **error);

Tree *tree_new(void);
void tree_free(Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)

/* Adds an entry, in any order; tree_finish() sorts. `sha256`: SHA256_HEX - 1 small hexadecimal
 * digits. Fail with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. */
gboolean tree_add_file(Tree *tree, const char *path, gboolean is_executable, gint64 size_bytes,
	const char *sha256, GError **error);
gboolean tree_add_link(Tree *tree, const char *path, const char *target, GError **error);
/* Sorts, and checks what only the whole can show: a path twice; a path that is a file or link and
 * also a folder. Everything below wants a finished tree. Fails with DROVER_ERROR_INPUT. */
gboolean tree_finish(Tree *tree, GError **error);

typedef enum TreeModes {
	/* A folder about to be packed: a file that its owner may run is executable, other bits do
	 * not matter. */
	TREE_MODES_BY_OWNER,
	/* An installed tree: files have exactly 0644 or 0755, folders 0755. */
	TREE_MODES_EXACT,
} TreeModes;

/* What is in the folder; follows no link, changes nothing. `folder_fd` stays open
 * and the caller's. `progress` may be NULL. Fails with DROVER_ERROR_INPUT (something that is no
 * part of a release, named), DROVER_ERROR_TOO_LARGE, DROVER_ERROR_CONFLICT (a file changed while
 * it was read), DROVER_ERROR_INTERNAL (cannot be read). */
Tree *tree_read(int folder_fd, TreeModes modes, const TreeLimits *limits, TreeProgress progress,
	gpointer user, GError **error);

guint tree_count(const Tree *tree);
/* Sorted; borrowed. */
const TreeEntry *tree_entry(const Tree *tree, guint position);
/* NULL when there is no such path. O(log n). */
const TreeEntry *tree_find(const Tree *tree, const char *path);
/* Of all files together. */
gint64 tree_size_bytes(const Tree *tree);
/* What this tree needs: the limits for reading or unpacking it. */
TreeLimits tree_limits(const Tree *tree);

/* SHA-256 over the canonical form: a line "drover-tree 1", then for each entry a line of fields
 * between tabs, "file", mode, size, SHA-256, path, or "link", target, path. */
void tree_digest(const Tree *tree, char sha256[SHA256_HEX]);

gboolean tree_entry_equal(const TreeEntry *a, const TreeEntry *b);

/* One path at which two trees differ: added when `before` is NULL, removed when `after` is NULL,
 * changed when neither is. Entries are borrowed from the trees. */
typedef struct TreeChange {
	const TreeEntry *before, *after;
} TreeChange;

/* Of TreeChange, in the order of paths; empty when the trees are equal. */
GArray *tree_difference(const Tree *before, const Tree *after);

#endif
