/* SPDX-License-Identifier: ISC
 *
 * Trees as values: the rules for paths and links, order, digest, difference (docs/release.md).
 */
#include "release/tree.h"

#include <string.h>

struct Tree {
	GPtrArray *entries; /* of TreeEntry, sorted once it is finished */
	gint64 size_bytes;
	guint path_parts; /* the deepest path so far */
	gboolean finished;
};

const TreeLimits tree_limits_largest = {
	.entries = TREE_MAXIMUM_ENTRIES,
	.size_bytes = TREE_MAXIMUM_SIZE_BYTES,
	.path_parts = TREE_MAXIMUM_PATH_PARTS,
};

/* paths ---------------------------------------------------------------------------------------- */

/* What both paths and targets must be. `what` begins the error. */
static gboolean check_text(const char *what, const char *text, GError **error)
{
	if (strlen(text) > TREE_MAXIMUM_PATH_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s %.40s… has %zu bytes, at most %d are allowed", what, text, strlen(text),
			TREE_MAXIMUM_PATH_BYTES);
		return FALSE;
	}
	if (!g_utf8_validate(text, -1, NULL)) {
		g_autofree char *shown = g_strescape(text, NULL);
		drover_error_set(error, DROVER_ERROR_INPUT, "%s \"%s\" is not UTF-8: rename it",
			what, shown);
		return FALSE;
	}
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
		if (!g_unichar_iscntrl(g_utf8_get_char(at)))
			continue;
		g_autofree char *shown = g_strescape(text, NULL);
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s \"%s\" holds a control character: rename it", what, shown);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_part_size(const char *what, const char *text, gsize size, GError **error)
{
	if (size <= TREE_MAXIMUM_NAME_BYTES)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE,
		"%s %s: a part has %zu bytes, at most %d are allowed", what, text, size,
		TREE_MAXIMUM_NAME_BYTES);
	return FALSE;
}

static gboolean part_is(const char *part, gsize size, const char *wanted)
{
	return size == strlen(wanted) && memcmp(part, wanted, size) == 0;
}

/* The next part of a path: moves `*rest` behind it and its slash, NULL after the last one. */
static const char *next_part(const char **rest, gsize *size)
{
	const char *part = *rest;
	const char *slash = strchrnul(part, '/');
	*size = (gsize)(slash - part);
	*rest = *slash == '/' ? slash + 1 : NULL;
	return part;
}

static guint parts_of(const char *path)
{
	guint parts = 1;
	for (const char *at = path; *at != '\0'; at++)
		parts += *at == '/';
	return parts;
}

gboolean tree_check_path(const char *path, GError **error)
{
	if (!check_text("the path", path, error))
		return FALSE;
	if (parts_of(path) > TREE_MAXIMUM_PATH_PARTS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the path %s has %u parts, at most %d are allowed", path, parts_of(path),
			TREE_MAXIMUM_PATH_PARTS);
		return FALSE;
	}
	for (const char *rest = path; rest != NULL;) {
		gsize size;
		const char *part = next_part(&rest, &size);
		if (size == 0 || part_is(part, size, ".") || part_is(part, size, "..")) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"the path \"%s\" has the part \"%.*s\": paths are relative to the "
				"tree, with names between single slashes",
				path, (int)size, part);
			return FALSE;
		}
		if (!check_part_size("the path", path, size, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean refuse_target(
	const char *path, const char *target, const char *reason, GError **error)
{
	drover_error_set(
		error, DROVER_ERROR_INPUT, "the link %s to \"%s\" %s", path, target, reason);
	return FALSE;
}

gboolean tree_check_target(const char *path, const char *target, GError **error)
{
	if (!check_text("the link's target", target, error))
		return FALSE;
	if (target[0] == '/')
		return refuse_target(path, target,
			"leaves the tree: its target must be relative to its folder", error);
	guint folders = parts_of(path) - 1;
	gboolean below_a_name = FALSE;
	for (const char *rest = target; rest != NULL;) {
		gsize size;
		const char *part = next_part(&rest, &size);
		if (size == 0)
			return refuse_target(path, target, "has an empty part", error);
		if (!check_part_size("the link's target", target, size, error))
			return FALSE;
		if (part_is(part, size, "."))
			continue;
		if (!part_is(part, size, "..")) {
			below_a_name = TRUE;
			continue;
		}
		if (below_a_name)
			return refuse_target(path, target,
				"has \"..\" after a name, which may be a link itself: write it "
				"without",
				error);
		if (folders-- == 0)
			return refuse_target(
				path, target, "leaves the tree: too many \"..\"", error);
	}
	return TRUE;
}

/* entries -------------------------------------------------------------------------------------- */

static void entry_free(gpointer entry)
{
	TreeEntry *freed = entry;
	g_free(freed->path);
	g_free(freed->target);
	g_free(freed);
}

Tree *tree_new(void)
{
	Tree *tree = g_new0(Tree, 1);
	tree->entries = g_ptr_array_new_with_free_func(entry_free);
	return tree;
}

void tree_free(Tree *tree)
{
	if (tree == NULL)
		return;
	g_ptr_array_unref(tree->entries);
	g_free(tree);
}

static gboolean too_many_entries(const Tree *tree, GError **error)
{
	if (tree->entries->len < TREE_MAXIMUM_ENTRIES)
		return FALSE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE, "the tree has more than %d files and links",
		TREE_MAXIMUM_ENTRIES);
	return TRUE;
}

static TreeEntry *add_entry(Tree *tree, const char *path, TreeKind kind)
{
	TreeEntry *entry = g_new0(TreeEntry, 1);
	entry->path = g_strdup(path);
	entry->kind = kind;
	g_ptr_array_add(tree->entries, entry);
	tree->path_parts = MAX(tree->path_parts, parts_of(path));
	tree->finished = FALSE;
	return entry;
}

gboolean tree_add_file(Tree *tree, const char *path, gboolean is_executable, gint64 size_bytes,
	const char *sha256, GError **error)
{
	if (!tree_check_path(path, error) || too_many_entries(tree, error))
		return FALSE;
	if (!sha256_is_hex(sha256)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: its SHA-256 must be %d small hexadecimal digits", path,
			SHA256_HEX - 1);
		return FALSE;
	}
	if (size_bytes < 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: its size is %" G_GINT64_FORMAT ", less than nothing", path,
			size_bytes);
		return FALSE;
	}
	if (size_bytes > TREE_MAXIMUM_SIZE_BYTES - tree->size_bytes) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: with it the tree's files have more than %" G_GINT64_FORMAT " bytes",
			path, TREE_MAXIMUM_SIZE_BYTES);
		return FALSE;
	}
	TreeEntry *entry = add_entry(tree, path, TREE_FILE);
	entry->is_executable = is_executable;
	entry->size_bytes = size_bytes;
	g_strlcpy(entry->sha256, sha256, sizeof entry->sha256);
	tree->size_bytes += size_bytes;
	return TRUE;
}

gboolean tree_add_link(Tree *tree, const char *path, const char *target, GError **error)
{
	if (!tree_check_path(path, error) || !tree_check_target(path, target, error) ||
		too_many_entries(tree, error))
		return FALSE;
	add_entry(tree, path, TREE_LINK)->target = g_strdup(target);
	return TRUE;
}

/* order ---------------------------------------------------------------------------------------- */

static int compare_entries(gconstpointer a, gconstpointer b)
{
	const TreeEntry *const *left = a, *const *right = b;
	return strcmp((*left)->path, (*right)->path);
}

/* The first `size` bytes of `path` as a path of their own. */
static const TreeEntry *find_sized(const Tree *tree, const char *path, gsize size)
{
	guint low = 0, high = tree->entries->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		const TreeEntry *entry = g_ptr_array_index(tree->entries, middle);
		int order = strncmp(entry->path, path, size);
		if (order == 0 && entry->path[size] == '\0')
			return entry;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Folders are neither files nor links: this is what keeps a path from leading through a link. */
static gboolean check_folders(const Tree *tree, const char *path, GError **error)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const TreeEntry *entry = find_sized(tree, path, (gsize)(slash - path));
		if (entry == NULL)
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s is a %s, so nothing can lie below it: %s does", entry->path,
			entry->kind == TREE_LINK ? "link" : "file", path);
		return FALSE;
	}
	return TRUE;
}

gboolean tree_finish(Tree *tree, GError **error)
{
	g_ptr_array_sort(tree->entries, compare_entries);
	for (guint i = 0; i < tree->entries->len; i++) {
		const TreeEntry *entry = g_ptr_array_index(tree->entries, i);
		const TreeEntry *before = i > 0 ? g_ptr_array_index(tree->entries, i - 1) : NULL;
		if (before != NULL && strcmp(before->path, entry->path) == 0) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"the path %s is in the tree twice", entry->path);
			return FALSE;
		}
		if (!check_folders(tree, entry->path, error))
			return FALSE;
	}
	tree->finished = TRUE;
	return TRUE;
}

guint tree_count(const Tree *tree)
{
	g_assert(tree->finished);
	return tree->entries->len;
}

const TreeEntry *tree_entry(const Tree *tree, guint position)
{
	g_assert(tree->finished && position < tree->entries->len);
	return g_ptr_array_index(tree->entries, position);
}

const TreeEntry *tree_find(const Tree *tree, const char *path)
{
	g_assert(tree->finished);
	return find_sized(tree, path, strlen(path));
}

gint64 tree_size_bytes(const Tree *tree)
{
	return tree->size_bytes;
}

TreeLimits tree_limits(const Tree *tree)
{
	return (TreeLimits){
		.entries = tree->entries->len,
		.size_bytes = tree->size_bytes,
		.path_parts = tree->path_parts,
	};
}

/* digest and difference ------------------------------------------------------------------------ */

static void append_line(GString *line, const TreeEntry *entry)
{
	if (entry->kind == TREE_LINK)
		g_string_append_printf(line, "link\t%s\t%s\n", entry->target, entry->path);
	else
		g_string_append_printf(line, "file\t%s\t%" G_GINT64_FORMAT "\t%s\t%s\n",
			entry->is_executable ? "0755" : "0644", entry->size_bytes, entry->sha256,
			entry->path);
}

void tree_digest(const Tree *tree, char sha256[SHA256_HEX])
{
	Sha256 state;
	g_autoptr(GString) line = g_string_new("drover-tree 1\n");
	sha256_init(&state);
	sha256_update(&state, line->str, line->len);
	for (guint i = 0; i < tree_count(tree); i++) {
		g_string_truncate(line, 0);
		append_line(line, tree_entry(tree, i));
		sha256_update(&state, line->str, line->len);
	}
	sha256_finish(&state, sha256);
}

gboolean tree_entry_equal(const TreeEntry *a, const TreeEntry *b)
{
	return strcmp(a->path, b->path) == 0 && a->kind == b->kind &&
	       a->is_executable == b->is_executable && a->size_bytes == b->size_bytes &&
	       strcmp(a->sha256, b->sha256) == 0 && g_strcmp0(a->target, b->target) == 0;
}

GArray *tree_difference(const Tree *before, const Tree *after)
{
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(TreeChange));
	guint i = 0, j = 0;
	while (i < tree_count(before) || j < tree_count(after)) {
		TreeChange change = {
			.before = i < tree_count(before) ? tree_entry(before, i) : NULL,
			.after = j < tree_count(after) ? tree_entry(after, j) : NULL,
		};
		int order = change.before == NULL ? 1
			    : change.after == NULL
				    ? -1
				    : strcmp(change.before->path, change.after->path);
		if (order < 0)
			change.after = NULL;
		if (order > 0)
			change.before = NULL;
		i += change.before != NULL;
		j += change.after != NULL;
		if (order != 0 || !tree_entry_equal(change.before, change.after))
			g_array_append_val(changes, change);
	}
	return changes;
}
