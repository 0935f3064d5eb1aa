/* SPDX-License-Identifier: ISC
 *
 * The contents of a release: every file with its mode, size and digest, a page at a time, or those
 * with some text in their paths.
 */
#include "page/release.h"

static const char *const columns[] = {"Path", "Mode", "Size", "SHA-256", NULL};

static void write_row(Html *html, const json_t *file)
{
	gboolean is_link = json_has(file, "target");
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", "class", "path", NULL);
	html_outside(html, json_text(file, "path"));
	html_close(html, "th");
	if (is_link) {
		part_cell_text(html, "Mode", NULL, "link");
		html_open(html, "td", "colspan", "2", NULL);
		html_text(html, "→ ");
		html_outside(html, json_text(file, "target"));
		html_close(html, "td");
	} else {
		part_cell_text(html, "Mode", "number", json_text(file, "mode"));
		part_cell_text(
			html, "Size", "number", part_size(html, json_integer_of(file, "size")));
		part_cell(html, "SHA-256", NULL);
		part_digest(html, json_text(file, "sha256"));
		html_close(html, "td");
	}
	html_close(html, "tr");
	html_newline(html);
}

static void write_search(Html *html, const char *files, const char *asked)
{
	html_open(html, "form", "method", "get", "action", files, "role", "search", "class",
		"inline", NULL);
	html_element(html, "label", "Part of a path", "for", "files-q", NULL);
	html_void(html, "input", "type", "search", "name", "q", "id", "files-q", "value", asked,
		NULL);
	form_button(html, "Find", NULL, NULL, NULL);
	html_close(html, "form");
}

static void write_pager(Html *html, const char *files, const json_t *list, GHashTable *query)
{
	const char *asked = part_asked(query, "q");
	html_open(html, "nav", "class", "pager", "aria-label", "Pages", NULL);
	if (*part_asked(query, "after"))
		html_element(html, "a", "From the beginning", "href",
			html_print(html, "%s%s", files, link_print(html, "?q=%s", asked)), "rel",
			"first", NULL);
	if (json_has(list, "next"))
		html_element(html, "a", "Next", "href",
			html_print(html, "%s%s", files,
				link_print(html, "?q=%s&after=%s", asked, json_text(list, "next"))),
			"rel", "next", NULL);
	html_close(html, "nav");
}

char *page_release_files(const PageFrame *frame, const char *product, const char *version,
	const json_t *list, GHashTable *query)
{
	Html *html = frame_begin(frame, "Files of %s %s", product, version);
	const json_t *all = json_object_get(list, "files");
	const char *files = html_print(html, "%s/files", link_to_release(html, product, version));
	size_t index;
	json_t *file;
	release_heading(html, product, version, "files");
	write_search(html, files, part_asked(query, "q"));
	if (json_array_size(all) == 0) {
		part_empty(html, "No file fits.", NULL);
	} else {
		part_table_open(html, "stack", "Files, by path", columns);
		json_array_foreach (all, index, file)
			write_row(html, file);
		part_table_close(html);
	}
	write_pager(html, files, list, query);
	return frame_end(html, frame);
}
