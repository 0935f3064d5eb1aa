/* SPDX-License-Identifier: ISC
 *
 * One release: what it is and where it came from, whose signature it has and how to check that
 * without us, where it is live and who runs it, what landed in it, what differs from the one
 * before.
 */
#include "page/bar.h"
#include "page/node.h"
#include "page/release.h"

#define LANDINGS_SHOWN 50
#define ITEMS_SHOWN    12

static const char *const dependency_columns[] = {"Name", "Version", "File", "SHA-256", NULL};
static const char *const delta_columns[] = {"From", "Size", "Of the whole", "Memory", NULL};

static void open_section(Html *html, const char *id, const char *title)
{
	html_open(html, "section", "id", id, "aria-labelledby", html_print(html, "%s-heading", id),
		NULL);
	html_element(html, "h2", title, "id", html_print(html, "%s-heading", id), NULL);
}

static void close_section(Html *html)
{
	html_close(html, "section");
	html_newline(html);
}

/* A name, then a value that the caller writes. */
static void open_fact(Html *html, const char *name)
{
	html_element(html, "dt", name, NULL);
	html_open(html, "dd", NULL);
}

static void close_fact(Html *html)
{
	html_close(html, "dd");
}

static void write_digest(Html *html, const char *name, const char *digest)
{
	open_fact(html, name);
	html_element(
		html, "code", digest ? html_clip(html, digest, 128) : "–", "class", "digest", NULL);
	close_fact(html);
}

/* What it is ---------------------------------------------------------------------------------- */

static void write_origin(Html *html, const PageFrame *frame, const json_t *release)
{
	gint64 landing = json_integer_of(release, "landing");
	open_fact(html, "Built from");
	if (landing > 0) {
		part_link(html,
			link_to_landing(html, frame, json_text(release, "product"), landing),
			html_print(html, "landing %" G_GINT64_FORMAT, landing));
		html_text(html, ", revision ");
	}
	part_revision(html, json_text(release, "revision"));
	if (json_has(release, "tag")) {
		html_text(html, ", tag ");
		html_outside(html, html_clip(html, json_text(release, "tag"), 80));
	}
	close_fact(html);
	if (!json_has(release, "reason"))
		return;
	open_fact(html, "Not the deployable landing, because");
	html_outside(html, html_clip(html, json_text(release, "reason"), 500));
	close_fact(html);
}

static void write_tests(Html *html, const json_t *release)
{
	const json_t *test = json_object_get(release, "test");
	open_fact(html, "Tests");
	if (!json_has(release, "test")) {
		html_text(html, "the product has no test command");
	} else {
		html_text(html, "passed on exactly these bytes: run ");
		html_outside(html, html_clip(html, json_text(test, "run"), 80));
		html_text(html, ", its log has the SHA-256 ");
		html_element(html, "code", html_clip(html, json_text(test, "log_sha256"), 128),
			"class", "digest", NULL);
	}
	close_fact(html);
}

static void write_facts(Html *html, const PageFrame *frame, const json_t *release)
{
	gint64 least = json_integer_of(release, "min_rollback_sequence");
	html_open(html, "dl", "class", "facts", NULL);
	open_fact(html, "Sequence");
	html_format(html, "%" G_GINT64_FORMAT, json_integer_of(release, "sequence"));
	close_fact(html);
	write_origin(html, frame, release);
	open_fact(html, "Published");
	part_time(html, frame, release, "published");
	html_text(html, " by ");
	html_outside(html, html_clip(html, json_text(release, "actor"), 80));
	close_fact(html);
	write_tests(html, release);
	open_fact(html, "Size");
	html_format(html, "%s to fetch, %s in %" G_GINT64_FORMAT " files",
		part_size(html, json_integer_of(release, "size")),
		part_size(html, json_integer_of(release, "tree_size")),
		json_integer_of(release, "files"));
	close_fact(html);
	open_fact(html, "Going back");
	if (least > 0)
		html_format(html,
			"never below sequence %" G_GINT64_FORMAT
			": what it does to the schema cannot be undone",
			least);
	else
		html_text(html, "to any older release");
	close_fact(html);
	part_fact(html, "Described to channels as", json_text(release, "document"));
	html_close(html, "dl");
	html_open(html, "details", NULL);
	html_element(html, "summary", "Digests", NULL);
	html_open(html, "dl", "class", "facts", NULL);
	write_digest(html, "Manifest", json_text(release, "manifest_sha256"));
	write_digest(html, "Tree", json_text(release, "tree_sha256"));
	write_digest(html, "Tar, uncompressed", json_text(release, "tar_sha256"));
	if (json_has(release, "contract_sha256"))
		write_digest(html, "Contract", json_text(release, "contract_sha256"));
	html_close(html, "dl");
	html_close(html, "details");
}

/* Signature ----------------------------------------------------------------------------------- */

static void write_verdict(Html *html, const json_t *state)
{
	gboolean known = json_has(state, "good"), good = json_flag(state, "good");
	html_open(html, "p", NULL);
	html_open(html, "span", "class",
		good	? "state good"
		: known ? "state bad"
			: "state pending",
		NULL);
	strip_shape(html, good ? "GOOD" : known ? "BAD" : "PENDING", TRUE);
	html_text(html, good ? "good" : known ? "not good" : "not checked here");
	html_close(html, "span");
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(state, "text"), 400));
	html_close(html, "p");
}

static void write_signature(Html *html, const json_t *release)
{
	open_section(html, "signature", "Signature");
	write_verdict(html, json_object_get(release, "signature_state"));
	html_open(html, "p", NULL);
	html_text(html, "By the key ");
	html_element(html, "code", html_clip(html, json_text(release, "signer"), 40), NULL);
	html_text(html, ".");
	html_close(html, "p");
	html_open(html, "details", NULL);
	html_element(html, "summary", "Check it yourself", NULL);
	html_open(html, "p", NULL);
	html_text(html, "With the public key that you were given, in the repository's folder ");
	html_element(html, "code",
		html_print(html, "%s/%s", html_clip(html, json_text(release, "product"), 80),
			html_clip(html, json_text(release, "version"), 80)),
		NULL);
	html_text(html, ", with any of the three:");
	html_close(html, "p");
	html_open(html, "pre", NULL);
	html_element(html, "code",
		"drover key verify manifest --key release.pub\n"
		"minisign -V -p release.pub -m manifest\n"
		"signify-openbsd -V -p release.pub -x manifest.minisig -m manifest",
		NULL);
	html_close(html, "pre");
	html_element(html, "p", "The signature, manifest.minisig:", NULL);
	html_open(html, "pre", NULL);
	html_element(html, "code", html_clip(html, json_text(release, "signature"), 2000), NULL);
	html_close(html, "pre");
	html_close(html, "details");
	close_section(html);
}

/* Where --------------------------------------------------------------------------------------- */

static gboolean is_it(const char *version, const json_t *release)
{
	return g_strcmp0(version, json_text(release, "version")) == 0;
}

static void write_node(Html *html, const json_t *node, const json_t *place, const json_t *release)
{
	html_open(html, "li", NULL);
	part_link(html, link_to_node(html, json_text(node, "name")),
		html_clip(html, json_text(node, "name"), 80));
	html_text(html,
		is_it(json_text(place, "running"), release) ? " runs it " : " should run it ");
	node_state(html, json_text(place, "state"));
	html_close(html, "li");
}

/* Nodes that run it, or should. */
static void write_nodes(Html *html, const json_t *release, const json_t *nodes)
{
	gsize found = 0;
	size_t index, at;
	json_t *node, *place;
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (nodes, index, node)
		json_array_foreach (json_object_get(node, "products"), at, place) {
			if (g_strcmp0(json_text(place, "product"), json_text(release, "product")))
				continue;
			if (!is_it(json_text(place, "running"), release) &&
				!is_it(node_target(place), release))
				continue;
			if (found++ < NODES_SHOWN)
				write_node(html, node, place, release);
		}
	html_close(html, "ul");
	if (found > NODES_SHOWN)
		html_element(html, "p",
			html_print(html, "and %" G_GSIZE_FORMAT " more", found - NODES_SHOWN),
			"class", "more", NULL);
}

static void write_where(Html *html, const json_t *release, const json_t *nodes)
{
	const json_t *counts = json_object_get(release, "nodes");
	html_open(html, "section", "id", "where", "aria-labelledby", "where-heading", "class",
		"card", "data-live", HTML_SET, NULL);
	html_element(html, "h2", "Where it is", "id", "where-heading", NULL);
	if (json_has(release, "removed"))
		html_element(html, "p",
			"It was removed from the repository: nothing named it any longer.", "class",
			"problem", NULL);
	html_open(html, "div", "class", "columns", NULL);
	html_open(html, "div", NULL);
	html_element(html, "h3", "Live on", NULL);
	release_live(html, release);
	if (json_array_size(json_object_get(release, "waiting")) > 0) {
		html_open(html, "p", NULL);
		release_waiting(html, release);
		html_close(html, "p");
	}
	html_close(html, "div");
	html_open(html, "div", NULL);
	html_element(html, "h3", "Nodes", NULL);
	html_open(html, "p", NULL);
	release_nodes(html, release,
		MAX(json_integer_of(counts, "running"), json_integer_of(counts, "should")));
	html_close(html, "p");
	write_nodes(html, release, nodes);
	html_close(html, "div");
	html_close(html, "div");
	close_section(html);
}

/* What is new --------------------------------------------------------------------------------- */

static void write_landing(
	Html *html, const PageFrame *frame, const json_t *release, const json_t *line)
{
	gint64 landing = json_integer_of(line, "landing");
	size_t index;
	json_t *item;
	html_open(html, "li", NULL);
	part_link(html, link_to_landing(html, frame, json_text(release, "product"), landing),
		html_print(html, "landing %" G_GINT64_FORMAT, landing));
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(line, "subject"), 140));
	html_open(html, "span", "class", "quiet", NULL);
	html_text(html, " ");
	html_outside(html, html_clip(html, json_text(line, "author"), 60));
	json_array_foreach (json_object_get(line, "items"), index, item) {
		if (index >= ITEMS_SHOWN)
			break;
		html_text(html, index == 0 ? " – item " : ", ");
		if (json_is_object(item))
			part_item(html, item);
		else
			html_outside(html, html_clip(html, json_string_value(item), 80));
	}
	html_close(html, "span");
	html_close(html, "li");
	html_newline(html);
}

static void write_landings(Html *html, const PageFrame *frame, const json_t *release)
{
	const json_t *items = json_object_get(release, "items");
	gint64 more = json_integer_of(release, "more");
	gsize count = json_array_size(items);
	open_section(html, "landings", "What landed since the release before");
	if (count == 0)
		html_element(html, "p", "Nothing that Drover knows of.", "class", "quiet", NULL);
	html_open(html, "ul", "class", "lines", NULL);
	for (gsize i = 0; i < MIN(count, LANDINGS_SHOWN); i++)
		write_landing(html, frame, release, json_array_get(items, i));
	html_close(html, "ul");
	if (count > LANDINGS_SHOWN)
		more += (gint64)count - LANDINGS_SHOWN;
	if (more > 0) {
		html_open(html, "p", "class", "more", NULL);
		part_link(html, link_to_landings(html, frame, json_text(release, "product")),
			html_print(html, "and %" G_GINT64_FORMAT " more", more));
		html_close(html, "p");
	}
	close_section(html);
}

static void write_difference(Html *html, const json_t *release, const json_t *diff)
{
	g_autoptr(ReleaseTree) tree = diff ? release_tree_new(diff) : NULL;
	const char *product = json_text(release, "product");
	open_section(html, "difference", "Files that differ from the release before");
	if (!tree) {
		html_element(html, "p", "It is the first: there is nothing to compare it with.",
			"class", "quiet", NULL);
	} else {
		release_tree_words(html, tree);
		release_tree_picture(html, tree);
		html_open(html, "p", NULL);
		part_link(html,
			html_print(html, "%s/diff",
				link_to_release(html, product, json_text(release, "version"))),
			html_print(html, "Every file, compared with %s",
				html_clip(html, json_text(diff, "from"), 80)));
		html_close(html, "p");
	}
	close_section(html);
}

/* What is in it ------------------------------------------------------------------------------- */

static void write_contents(Html *html, const json_t *release)
{
	const char *files = html_print(html, "%s/files",
		link_to_release(
			html, json_text(release, "product"), json_text(release, "version")));
	open_section(html, "contents", "Contents");
	html_open(html, "form", "method", "get", "action", files, "role", "search", "class",
		"inline", NULL);
	html_element(html, "label", "Part of a path", "for", "files-q", NULL);
	html_void(html, "input", "type", "search", "name", "q", "id", "files-q", NULL);
	form_button(html, "Find", NULL, NULL, NULL);
	html_close(html, "form");
	html_open(html, "p", NULL);
	part_link(html, files,
		html_print(
			html, "All %" G_GINT64_FORMAT " files", json_integer_of(release, "files")));
	html_close(html, "p");
	close_section(html);
}

static void write_dependencies(Html *html, const json_t *dependencies)
{
	size_t index;
	json_t *dependency;
	open_section(html, "dependencies", "Dependencies that went in");
	if (json_array_size(dependencies) == 0) {
		html_element(html, "p", "None.", "class", "quiet", NULL);
		close_section(html);
		return;
	}
	part_table_open(html, "stack", "Dependencies", dependency_columns);
	json_array_foreach (dependencies, index, dependency) {
		html_open(html, "tr", NULL);
		html_open(html, "th", "scope", "row", NULL);
		html_outside(html, html_clip(html, json_text(dependency, "name"), 120));
		html_close(html, "th");
		part_cell_text(html, "Version", NULL,
			html_clip(html, json_text(dependency, "version"), 80));
		part_cell_text(
			html, "File", NULL, html_clip(html, json_text(dependency, "file"), 200));
		part_cell(html, "SHA-256", NULL);
		part_digest(html, json_text(dependency, "sha256"));
		html_close(html, "td");
		html_close(html, "tr");
		html_newline(html);
	}
	part_table_close(html);
	close_section(html);
}

static void write_delta(Html *html, const json_t *release, const json_t *delta)
{
	gint64 size = json_integer_of(delta, "size"), whole = json_integer_of(release, "size");
	gint64 window = CLAMP(json_integer_of(delta, "window_log"), 0, 40);
	const BarPart part = {"accent", "to fetch", size};
	double share = whole > 0 ? 100.0 * (double)size / (double)whole : 0;
	html_open(html, "tr", NULL);
	html_open(html, "th", "scope", "row", NULL);
	release_version(html, json_text(release, "product"), json_text(delta, "from"));
	html_close(html, "th");
	part_cell_text(html, "Size", "number", part_size(html, size));
	part_cell(html, "Of the whole", "nodes");
	bar_small(html, &part, 1, whole, html_print(html, "%.1f percent", share));
	html_element(html, "span", html_print(html, " %.1f %%", share), "class", "quiet",
		"aria-hidden", "true", NULL);
	html_close(html, "td");
	part_cell_text(html, "Memory", "number",
		part_size(html, (gint64)(G_GINT64_CONSTANT(1) << window)));
	html_close(html, "tr");
	html_newline(html);
}

static void write_deltas(Html *html, const json_t *release)
{
	const json_t *deltas = json_object_get(release, "deltas");
	size_t index;
	json_t *delta;
	open_section(html, "deltas", "Deltas: a shorter way from an older release");
	if (json_array_size(deltas) == 0) {
		html_element(
			html, "p", "None: every node fetches the whole.", "class", "quiet", NULL);
	} else {
		part_table_open(html, "stack",
			html_print(html, "Deltas; the whole has %s",
				part_size(html, json_integer_of(release, "size"))),
			delta_columns);
		json_array_foreach (deltas, index, delta)
			write_delta(html, release, delta);
		part_table_close(html);
	}
	close_section(html);
}

char *page_release(
	const PageFrame *frame, const json_t *release, const json_t *diff, const json_t *nodes)
{
	const char *product = json_text(release, "product");
	const char *version = json_text(release, "version");
	Html *html = frame_begin(frame, "%s %s", product, version);
	release_heading(html, product, version, NULL);
	write_where(html, release, nodes);
	html_open(html, "section", "id", "facts", "aria-labelledby", "facts-heading", NULL);
	html_element(html, "h2", "What it is", "id", "facts-heading", NULL);
	write_facts(html, frame, release);
	close_section(html);
	write_signature(html, release);
	write_landings(html, frame, release);
	write_difference(html, release, diff);
	write_contents(html, release);
	write_dependencies(html, json_object_get(release, "dependencies"));
	write_deltas(html, release);
	return frame_end(html, frame);
}
