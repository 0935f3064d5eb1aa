/* SPDX-License-Identifier: ISC
 *
 * Two releases compared: files as a tree with a picture of where it changed, and dependencies.
 */
#include "page/release.h"

#define FILES_SHOWN 2000

static const char *const columns[] = {"Name", "Before", "After", NULL};

/* Which other release it is compared with. */
static void write_choice(
	Html *html, const char *diff_page, const json_t *diff, const json_t *releases)
{
	size_t index;
	json_t *release;
	html_open(html, "form", "method", "get", "action", diff_page, "class", "inline", NULL);
	html_element(html, "label", "Compared with", "for", "diff-from", NULL);
	html_open(html, "select", "name", "from", "id", "diff-from", NULL);
	json_array_foreach (releases, index, release) {
		const char *version = json_text(release, "version");
		if (g_strcmp0(version, json_text(diff, "to")) == 0)
			continue;
		html_element(html, "option", html_clip(html, version, 80), "value", version,
			"selected",
			g_strcmp0(version, json_text(diff, "from")) == 0 ? HTML_SET : NULL, NULL);
	}
	html_close(html, "select");
	form_button(html, "Compare", NULL, NULL, NULL);
	html_close(html, "form");
}

static void write_dependency(Html *html, const char *name, const char *before, const char *after)
{
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	html_outside(html, html_clip(html, name, 120));
	html_close(html, "th");
	part_cell_text(html, "Before", NULL, before ? html_clip(html, before, 80) : "–");
	part_cell_text(html, "After", NULL, after ? html_clip(html, after, 80) : "gone");
	html_close(html, "tr");
	html_newline(html);
}

/* "1.2.3", and the file where the version is the same and the bytes are not. */
static const char *version_of(Html *html, const json_t *dependency, const json_t *other)
{
	const char *version = json_text(dependency, "version");
	if (!other || g_strcmp0(version, json_text(other, "version")) != 0)
		return version;
	return html_print(html, "%s, %.12s…", version,
		json_text(dependency, "sha256") ? json_text(dependency, "sha256") : "");
}

static void write_dependencies(Html *html, const json_t *dependencies)
{
	const json_t *added = json_object_get(dependencies, "added");
	const json_t *removed = json_object_get(dependencies, "removed");
	const json_t *changed = json_object_get(dependencies, "changed");
	size_t index;
	json_t *one;
	html_element(html, "h2", "Dependencies", NULL);
	if (json_array_size(added) + json_array_size(removed) + json_array_size(changed) == 0) {
		html_element(html, "p", "They are the same.", "class", "quiet", NULL);
		return;
	}
	part_table_open(html, "stack", "Dependencies that differ", columns);
	json_array_foreach (added, index, one)
		write_dependency(html, json_text(one, "name"), NULL, json_text(one, "version"));
	json_array_foreach (changed, index, one) {
		const json_t *before = json_object_get(one, "before");
		const json_t *after = json_object_get(one, "after");
		write_dependency(html,
			json_has(one, "name") ? json_text(one, "name") : json_text(after, "name"),
			version_of(html, before, after), version_of(html, after, before));
	}
	json_array_foreach (removed, index, one)
		write_dependency(html, json_text(one, "name"), json_text(one, "version"), NULL);
	part_table_close(html);
}

char *page_release_diff(const PageFrame *frame, const char *product, const char *version,
	const json_t *diff, const json_t *releases, const char *problem)
{
	Html *html = frame_begin(frame, "%s %s, compared", product, version);
	release_heading(html, product, version, "compared");
	write_choice(html, html_print(html, "%s/diff", link_to_release(html, product, version)),
		diff, releases);
	if (!diff) {
		html_element(html, "p", problem, "class", "problem", "role", "alert", NULL);
		return frame_end(html, frame);
	}
	g_autoptr(ReleaseTree) tree = release_tree_new(diff);
	html_open(html, "section", "id", "files", "aria-labelledby", "files-heading", NULL);
	html_element(html, "h2",
		html_print(html, "Files, from %s to %s",
			html_clip(html, json_text(diff, "from"), 80),
			html_clip(html, json_text(diff, "to"), 80)),
		"id", "files-heading", NULL);
	release_tree_words(html, tree);
	release_tree_picture(html, tree);
	release_tree_list(html, tree, FILES_SHOWN);
	html_close(html, "section");
	write_dependencies(html, json_object_get(diff, "dependencies"));
	return frame_end(html, frame);
}
