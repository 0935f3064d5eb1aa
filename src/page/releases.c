/* SPDX-License-Identifier: ISC
 *
 * The releases of a product, newest first: what each came from, where it is live, who runs it.
 */
#include "page/release.h"

static const char *const columns[] = {
	"Version", "Landing", "Published", "Size", "Live", "Nodes", NULL};

static gint64 most_nodes(const json_t *releases)
{
	gint64 most = 1;
	size_t index;
	json_t *release;
	json_array_foreach (releases, index, release) {
		const json_t *nodes = json_object_get(release, "nodes");
		most = MAX(most, json_integer_of(nodes, "running"));
		most = MAX(most, json_integer_of(nodes, "should"));
	}
	return most;
}

static void write_landing(Html *html, const PageFrame *frame, const json_t *release)
{
	gint64 landing = json_integer_of(release, "landing");
	part_cell(html, "Landing", NULL);
	if (landing > 0) {
		part_link(html,
			link_to_landing(html, frame, json_text(release, "product"), landing),
			html_print(html, "landing %" G_GINT64_FORMAT, landing));
		html_text(html, " ");
	}
	part_revision(html, json_text(release, "revision"));
	if (json_has(release, "reason"))
		html_element(html, "span", "with a reason", "class", "tag", "title",
			html_clip(html, json_text(release, "reason"), 200), NULL);
	html_close(html, "td");
}

static void write_row(Html *html, const PageFrame *frame, const json_t *release, gint64 most)
{
	const char *product = json_text(release, "product");
	html_open(html, "tr", "data-release", html_clip(html, json_text(release, "version"), 80),
		NULL);
	html_open(html, "th", "scope", "row", NULL);
	release_version(html, product, json_text(release, "version"));
	html_element(html, "span",
		html_print(html, " #%" G_GINT64_FORMAT, json_integer_of(release, "sequence")),
		"class", "quiet", "title", "sequence", NULL);
	if (json_has(release, "removed"))
		html_element(html, "span", "removed", "class", "tag", NULL);
	html_close(html, "th");
	write_landing(html, frame, release);
	part_cell(html, "Published", NULL);
	part_time(html, frame, release, "published");
	html_text(html, " by ");
	html_outside(html, html_clip(html, json_text(release, "actor"), 60));
	html_close(html, "td");
	part_cell_text(html, "Size", "number", part_size(html, json_integer_of(release, "size")));
	part_cell(html, "Live", NULL);
	release_live(html, release);
	release_waiting(html, release);
	html_close(html, "td");
	part_cell(html, "Nodes", "nodes");
	release_nodes(html, release, most);
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

char *page_releases(
	const PageFrame *frame, const char *product, const json_t *releases, gboolean with_removed)
{
	Html *html = frame_begin(frame, "Releases · %s", product);
	gint64 most = most_nodes(releases);
	size_t index;
	json_t *release;
	html_element(html, "h1", "Releases", NULL);
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, link_to_product(html, frame, product), html_clip(html, product, 80));
	part_link(html, link_print(html, "/nodes?product=%s", product), "Nodes");
	part_link(html,
		html_print(html, "%s%s", link_to_releases(html, product),
			with_removed ? "" : "?removed=true"),
		with_removed ? "Without what was removed" : "With what was removed");
	html_close(html, "p");
	html_open(html, "div", "id", "releases", "data-live", HTML_SET, NULL);
	if (json_array_size(releases) == 0) {
		part_empty(html,
			"No releases yet. A release is built once from a landing that may be "
			"deployed, signed, and kept for ever:",
			html_print(html,
				"drover release build %s --version 1.0.0\ndrover release publish "
				"%s 1.0.0",
				html_clip(html, product, 80), html_clip(html, product, 80)));
	} else {
		part_table_open(html, "stack releases", "Releases, newest first", columns);
		json_array_foreach (releases, index, release)
			write_row(html, frame, release, most);
		part_table_close(html);
	}
	html_close(html, "div");
	return frame_end(html, frame);
}
