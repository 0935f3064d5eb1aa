/* SPDX-License-Identifier: ISC
 *
 * What differs between two releases, by folder. A file weighs what a node has to write: its size
 * now, or, when it is gone, the size it had. The picture is read from above:
 *
 *     ┌────────────── bin ─────────────┬──── share ────┐
 *     │ ~ web                 │ + tool │ ~ a.css │ − b │
 *     └────────────────────────────────┴───────────────┘
 *
 * Sign says the same as colour; the list below it says the same in words.
 */
#include "page/release.h"

#include <string.h>

#define PICTURE_WIDTH 960
#define ROW_HEIGHT    28
#define CHARACTER     7.2 /* how wide one of a label is, about */
#define LABEL_LEAST   3	  /* characters; below it there is no label */
#define ROWS_MOST     5
#define OPEN_MOST     40 /* trees of fewer files are open from the start */

typedef struct Branch {
	char *name;
	const json_t *entry; /* of a file; NULL: a folder */
	const char *sign;    /* "+", "~" or "−" of a file */
	gint64 weight, before, after;
	gsize files;
	GPtrArray *children;
} Branch;

struct ReleaseTree {
	const json_t *diff;
	Branch *root;
	gsize added, changed, removed;
};

static void branch_free(gpointer of)
{
	Branch *branch = of;
	g_free(branch->name);
	g_ptr_array_unref(branch->children);
	g_free(branch);
}

static Branch *branch_new(Branch *parent, const char *name, const json_t *entry)
{
	Branch *branch = g_new0(Branch, 1);
	branch->name = g_strdup(name);
	branch->entry = entry;
	branch->children = g_ptr_array_new_with_free_func(branch_free);
	if (parent)
		g_ptr_array_add(parent->children, branch);
	return branch;
}

/* Building ------------------------------------------------------------------------------------ */

/* The folder of this name, made when it is not there. Few folders hold many folders. */
static Branch *folder_in(Branch *parent, const char *name)
{
	for (guint i = parent->children->len; i > 0; i--) {
		Branch *child = parent->children->pdata[i - 1];
		if (!child->entry && g_str_equal(child->name, name))
			return child;
	}
	return branch_new(parent, name, NULL);
}

static void add_file(ReleaseTree *tree, const char *sign, const json_t *entry)
{
	const char *path = json_text(entry, "path");
	gboolean is_changed = g_str_equal(sign, "~");
	const json_t *before = is_changed ? json_object_get(entry, "before") : entry;
	const json_t *after = is_changed ? json_object_get(entry, "after") : entry;
	gint64 had = g_str_equal(sign, "+") ? 0 : json_integer_of(before, "size");
	gint64 has = g_str_equal(sign, "−") ? 0 : json_integer_of(after, "size");
	g_auto(GStrv) parts = g_strsplit(path ? path : "", "/", TREE_DEPTH + 1);
	guint count = g_strv_length(parts);
	Branch *line[TREE_DEPTH + 2] = {tree->root};
	for (guint i = 0; i + 1 < count; i++)
		line[i + 1] = folder_in(line[i], parts[i]);
	line[MAX(count, 1)] =
		branch_new(line[MAX(count, 1) - 1], count > 0 ? parts[count - 1] : "", entry);
	line[MAX(count, 1)]->sign = sign;
	for (guint i = 0; i <= MAX(count, 1); i++) {
		line[i]->before += had;
		line[i]->after += has;
		line[i]->weight += MAX(g_str_equal(sign, "−") ? had : has, 1);
		line[i]->files++;
	}
}

static gsize add_files(ReleaseTree *tree, const char *key, const char *sign)
{
	const json_t *files = json_object_get(tree->diff, key);
	size_t index;
	json_t *entry;
	json_array_foreach (files, index, entry)
		add_file(tree, sign, entry);
	return json_array_size(files);
}

static int by_name(gconstpointer left, gconstpointer right)
{
	const Branch *one = *(Branch *const *)left, *other = *(Branch *const *)right;
	return strcmp(one->name, other->name);
}

static void sort(Branch *branch)
{
	g_ptr_array_sort(branch->children, by_name);
	for (guint i = 0; i < branch->children->len; i++)
		sort(branch->children->pdata[i]);
}

ReleaseTree *release_tree_new(const json_t *diff)
{
	ReleaseTree *tree = g_new0(ReleaseTree, 1);
	tree->diff = diff;
	tree->root = branch_new(NULL, "", NULL);
	tree->added = add_files(tree, "added", "+");
	tree->changed = add_files(tree, "changed", "~");
	tree->removed = add_files(tree, "removed", "−");
	sort(tree->root);
	return tree;
}

void release_tree_free(ReleaseTree *tree)
{
	if (!tree)
		return;
	branch_free(tree->root);
	g_free(tree);
}

/* Words --------------------------------------------------------------------------------------- */

static const char *print_change(Html *html, gint64 before, gint64 after)
{
	if (before == after)
		return "same size";
	return html_print(
		html, "%s%s", after > before ? "+" : "−", part_size(html, ABS(after - before)));
}

void release_tree_words(Html *html, const ReleaseTree *tree)
{
	gint64 before = json_integer_of(tree->diff, "size_before");
	gint64 after = json_integer_of(tree->diff, "size_after");
	gint64 more = json_integer_of(tree->diff, "truncated");
	html_open(html, "p", NULL);
	if (tree->root->files == 0 && more == 0) {
		html_text(html, "No file differs.");
	} else {
		html_format(html,
			"%" G_GSIZE_FORMAT " new, %" G_GSIZE_FORMAT " changed, %" G_GSIZE_FORMAT
			" gone. The tree has %s, it had %s (%s).",
			tree->added, tree->changed, tree->removed, part_size(html, after),
			part_size(html, before), print_change(html, before, after));
	}
	if (more > 0)
		html_format(html,
			" %" G_GINT64_FORMAT
			" more files differ that are not shown: there are too many.",
			more);
	html_close(html, "p");
}

static const char *class_of(const Branch *branch)
{
	if (!branch->entry)
		return "folder";
	if (g_str_equal(branch->sign, "+"))
		return "added";
	return g_str_equal(branch->sign, "−") ? "gone" : "changed";
}

/* Picture ------------------------------------------------------------------------------------- */

static void draw_label(Html *html, const Branch *branch, double left, double width, int row)
{
	const char *words = branch->entry ? html_print(html, "%s %s", branch->sign, branch->name)
					  : html_print(html, "%s/", branch->name);
	gsize room = (gsize)(MAX(width - 8, 0) / CHARACTER);
	if (room < LABEL_LEAST)
		return;
	html_element(html, "text", html_clip(html, words, room), "x",
		html_print(html, "%.1f", left + 5), "y",
		html_print(html, "%d", row * ROW_HEIGHT + 17), NULL);
}

static void draw_branch(Html *html, const Branch *branch, double left, double width, int row);

static void draw_children(Html *html, const Branch *branch, double left, double width, int row)
{
	double scale = width / (double)MAX(branch->weight, 1);
	for (guint i = 0; i < branch->children->len && row < ROWS_MOST; i++) {
		const Branch *child = branch->children->pdata[i];
		double wide = (double)child->weight * scale;
		if (wide >= 1)
			draw_branch(html, child, left, wide, row);
		left += wide;
	}
}

static void draw_branch(Html *html, const Branch *branch, double left, double width, int row)
{
	html_open(html, "g", "class", html_print(html, "tree-%s", class_of(branch)), NULL);
	html_element(html, "title",
		html_print(html, "%s%s: %s before, %s after", html_clip(html, branch->name, 200),
			branch->entry ? "" : "/", part_size(html, branch->before),
			part_size(html, branch->after)),
		NULL);
	html_void(html, "rect", "x", html_print(html, "%.1f", left), "y",
		html_print(html, "%d", row * ROW_HEIGHT), "width",
		html_print(html, "%.1f", MAX(width - 1, 0.5)), "height",
		html_print(html, "%d", ROW_HEIGHT - 2), "rx", "2", NULL);
	draw_label(html, branch, left, width, row);
	html_close(html, "g");
	html_newline(html);
	draw_children(html, branch, left, width, row + 1);
}

static int depth_of(const Branch *branch)
{
	int depth = 0;
	for (guint i = 0; i < branch->children->len; i++)
		depth = MAX(depth, depth_of(branch->children->pdata[i]));
	return depth + (branch->name[0] || branch->entry ? 1 : 0);
}

void release_tree_picture(Html *html, const ReleaseTree *tree)
{
	int rows = MIN(depth_of(tree->root), ROWS_MOST);
	if (tree->root->files == 0)
		return;
	html_open(html, "div", "class", "tree-scroll", "role", "region", "tabindex", "0",
		"aria-label", "Where what changed lies", NULL);
	html_open(html, "svg", "class", "tree", "viewBox",
		html_print(html, "0 0 %d %d", PICTURE_WIDTH, rows * ROW_HEIGHT), "width",
		html_print(html, "%d", PICTURE_WIDTH), "height",
		html_print(html, "%d", rows * ROW_HEIGHT), "role", "img", "aria-label",
		html_print(html,
			"Folders above their files, as wide as what changed in them is large: "
			"%" G_GSIZE_FORMAT " new, %" G_GSIZE_FORMAT " changed, %" G_GSIZE_FORMAT
			" gone",
			tree->added, tree->changed, tree->removed),
		NULL);
	html_newline(html);
	draw_children(html, tree->root, 0, PICTURE_WIDTH, 0);
	html_close(html, "svg");
	html_close(html, "div");
	html_open(html, "ul", "class", "legend", "aria-label", "What the picture shows", NULL);
	static const char *const keys[][2] = {{"+", "new"}, {"~", "changed"}, {"−", "gone"}};
	static const char *const classes[] = {"added", "changed", "gone"};
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		html_open(html, "li", NULL);
		html_element(html, "span", keys[i][0], "class",
			html_print(html, "tree-key %s", classes[i]), "aria-hidden", "true", NULL);
		html_text(html, keys[i][1]);
		html_close(html, "li");
	}
	html_close(html, "ul");
	html_newline(html);
}

/* List ---------------------------------------------------------------------------------------- */

static void write_sizes(Html *html, const Branch *branch)
{
	html_open(html, "span", "class", "quiet", NULL);
	if (!branch->entry)
		html_format(html, " %" G_GSIZE_FORMAT " file%s, %s", branch->files,
			branch->files == 1 ? "" : "s",
			print_change(html, branch->before, branch->after));
	else if (g_str_equal(branch->sign, "+"))
		html_format(html, " new, %s", part_size(html, branch->after));
	else if (g_str_equal(branch->sign, "−"))
		html_format(html, " gone, had %s", part_size(html, branch->before));
	else
		html_format(html, " %s → %s, %s", part_size(html, branch->before),
			part_size(html, branch->after),
			print_change(html, branch->before, branch->after));
	html_close(html, "span");
}

/* The mode or the target, when that is what differs. */
static void write_kind(Html *html, const Branch *branch)
{
	static const char *const keys[] = {"mode", "target"};
	const json_t *before = json_object_get(branch->entry, "before");
	const json_t *after = json_object_get(branch->entry, "after");
	for (gsize i = 0; i < G_N_ELEMENTS(keys) && before && after; i++) {
		const char *was = json_text(before, keys[i]), *is = json_text(after, keys[i]);
		if (g_strcmp0(was, is) == 0)
			continue;
		html_format(html, ", %s ", keys[i]);
		html_outside(html, was ? html_clip(html, was, 200) : "none");
		html_text(html, " → ");
		html_outside(html, is ? html_clip(html, is, 200) : "none");
	}
}

static void write_branch(Html *html, const Branch *branch, gboolean is_open, gsize *left);

static void write_children(Html *html, const Branch *branch, gboolean is_open, gsize *left)
{
	html_open(html, "ul", "class", "tree-list", NULL);
	for (guint i = 0; i<branch->children->len && * left> 0; i++)
		write_branch(html, branch->children->pdata[i], is_open, left);
	html_close(html, "ul");
	html_newline(html);
}

static void write_branch(Html *html, const Branch *branch, gboolean is_open, gsize *left)
{
	html_open(html, "li", NULL);
	if (branch->entry) {
		--*left;
		html_element(html, "span", branch->sign, "class",
			html_print(html, "tree-key %s", class_of(branch)), "aria-hidden", "true",
			NULL);
		html_outside(html, html_clip(html, branch->name, 300));
		write_sizes(html, branch);
		write_kind(html, branch);
	} else {
		html_open(html, "details", "open", is_open ? HTML_SET : NULL, NULL);
		html_open(html, "summary", NULL);
		html_outside(html, html_print(html, "%s/", html_clip(html, branch->name, 300)));
		write_sizes(html, branch);
		html_close(html, "summary");
		write_children(html, branch, is_open, left);
		html_close(html, "details");
	}
	html_close(html, "li");
}

void release_tree_list(Html *html, const ReleaseTree *tree, gsize limit)
{
	gsize left = limit;
	if (tree->root->files == 0)
		return;
	write_children(html, tree->root, tree->root->files <= OPEN_MOST, &left);
	if (tree->root->files > limit)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " more", tree->root->files - limit),
			"class", "more", NULL);
}
