/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a manifest: never a fault; what is read is written again as the same bytes, and
 * what it lists stays inside its tree. A manifest holds its tree's digest, which no fuzzer guesses,
 * so the bytes are also taken as lines of paths and targets, and put into a tree.
 */
#include <stdint.h>
#include <string.h>

#include "release/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_entry(const TreeEntry *entry)
{
	g_assert(entry->path[0] != '/' && entry->path[0] != '\0');
	g_auto(GStrv) parts = g_strsplit(entry->path, "/", -1);
	g_assert(!g_strv_contains((const char *const *)parts, ".."));
	g_assert(!g_strv_contains((const char *const *)parts, ""));
	if (entry->kind == TREE_FILE) {
		g_assert(sha256_is_hex(entry->sha256) && entry->target == NULL);
		return;
	}
	/* From the link's folder, as a path that begins at the root would be taken. */
	g_autofree char *folder = g_path_get_dirname(entry->path);
	g_autofree char *below = g_build_filename("/tree", folder, entry->target, NULL);
	g_autofree char *real = g_canonicalize_filename(below, "/");
	g_assert(g_str_equal(real, "/tree") || g_str_has_prefix(real, "/tree/"));
}

static void check_tree(const Tree *tree)
{
	for (guint i = 0; i < tree_count(tree); i++)
		check_entry(tree_entry(tree, i));
	for (guint i = 1; i < tree_count(tree); i++)
		g_assert(strcmp(tree_entry(tree, i - 1)->path, tree_entry(tree, i)->path) < 0);
}

/* "path" or "path>target" a line. */
static void try_lines(const uint8_t *bytes, size_t size)
{
	g_autoptr(Tree) tree = tree_new();
	g_autofree char *text = g_strndup((const char *)bytes, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 50);
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ">", 2);
		if (fields[0] == NULL)
			continue;
		if (fields[1] != NULL)
			tree_add_link(tree, fields[0], fields[1], NULL);
		else
			tree_add_file(tree, fields[0], FALSE, 0,
				"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
				NULL);
	}
	if (tree_finish(tree, NULL))
		check_tree(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	try_lines(bytes, size);
	g_autoptr(Manifest) manifest =
		manifest_parse("m", size > 0 ? (const char *)bytes : "", size, &error);
	if (manifest == NULL) {
		g_assert(g_str_has_prefix(error->message, "m:"));
		g_assert(g_utf8_validate(error->message, -1, NULL));
		return 0;
	}
	check_tree(manifest->tree);
	g_autofree char *again = manifest_text(manifest, &error);
	g_assert_no_error(error);
	g_assert(strlen(again) == size && memcmp(again, bytes, size) == 0);
	return 0;
}
