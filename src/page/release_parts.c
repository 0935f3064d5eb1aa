/* SPDX-License-Identifier: ISC
 *
 * What the pages about releases show alike: addresses, where one is live, who runs it.
 */
#include "page/bar.h"
#include "page/release.h"

const char *link_to_releases(Html *html, const char *product)
{
	return link_print(html, "/products/%s/releases", product);
}

const char *link_to_release(Html *html, const char *product, const char *version)
{
	return link_print(html, "/products/%s/releases/%s", product, version);
}

void release_version(Html *html, const char *product, const char *version)
{
	if (version)
		part_link(html, link_to_release(html, product, version),
			html_clip(html, version, 40));
	else
		html_element(html, "span", "–", "class", "quiet", NULL);
}

void release_nodes(Html *html, const json_t *release, gint64 most)
{
	const json_t *nodes = json_object_get(release, "nodes");
	gint64 running = json_integer_of(nodes, "running");
	gint64 should = json_integer_of(nodes, "should");
	if (running == 0 && should == 0) {
		html_element(html, "span", "–", "class", "quiet", NULL);
		return;
	}
	const char *words = html_print(
		html, "%" G_GINT64_FORMAT " run it, %" G_GINT64_FORMAT " should", running, should);
	const BarPart parts[] = {
		{"up", "run it", MIN(running, should)},
		{"draining", "run it and should not", MAX(running - should, 0)},
		{"missing", "do not run it yet", MAX(should - running, 0)},
	};
	bar_small(html, parts, G_N_ELEMENTS(parts), most, words);
	html_text(html, " ");
	html_element(html, "span",
		html_print(html, "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, running, should),
		"class", "quiet", "aria-hidden", "true", NULL);
}

static void write_rules(Html *html, const json_t *rules)
{
	size_t index;
	json_t *rule;
	json_array_foreach (rules, index, rule)
		html_format(html, "%s%" JSON_INTEGER_FORMAT,
			index > 0		     ? ", "
			: json_array_size(rules) > 1 ? "by rules "
						     : "by rule ",
			json_integer_value(rule));
}

void release_live(Html *html, const json_t *release)
{
	const json_t *live = json_object_get(release, "live");
	size_t index;
	json_t *place;
	if (json_array_size(live) == 0) {
		html_element(html, "span", "nowhere", "class", "quiet", NULL);
		return;
	}
	html_open(html, "ul", "class", "places-live", NULL);
	json_array_foreach (live, index, place) {
		const char *channel = json_text(place, "channel");
		html_open(html, "li", NULL);
		html_open(html, "span", "class", "state good", NULL);
		strip_shape(html, "GOOD", TRUE);
		part_link(html,
			link_print(html, "/channels/%s/%s", json_text(release, "product"), channel),
			html_clip(html, channel, 60));
		html_close(html, "span");
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		write_rules(html, json_object_get(place, "rules"));
		html_close(html, "span");
		html_close(html, "li");
	}
	html_close(html, "ul");
}

void release_waiting(Html *html, const json_t *release)
{
	size_t index;
	json_t *id;
	json_array_foreach (json_object_get(release, "waiting"), index, id) {
		gint64 number = (gint64)json_integer_value(id);
		html_text(html, index > 0 ? ", " : "waits in ");
		part_link(html, link_print(html, "/changes/%" G_GINT64_FORMAT, number),
			html_print(html, "change %" G_GINT64_FORMAT, number));
	}
}

void release_heading(Html *html, const char *product, const char *version, const char *what)
{
	html_open(html, "h1", NULL);
	html_outside(html, html_clip(html, product, 80));
	html_text(html, " ");
	html_outside(html, html_clip(html, version, 80));
	if (what)
		html_element(html, "span", html_print(html, " %s", what), "class", "quiet", NULL);
	html_close(html, "h1");
	html_open(html, "p", "class", "trail", NULL);
	part_link(html, link_print(html, "/products/%s", product), html_clip(html, product, 80));
	part_link(html, link_to_releases(html, product), "Releases");
	if (what)
		part_link(html, link_to_release(html, product, version),
			html_clip(html, version, 80));
	html_close(html, "p");
}

/* "1.5.0 on beta; 1.4.2 on release and esr", newest first. */
static gsize write_live(Html *html, const char *product, const json_t *releases)
{
	gsize shown = 0;
	size_t index, at;
	json_t *release, *place;
	json_array_foreach (releases, index, release) {
		const json_t *live = json_object_get(release, "live");
		if (json_array_size(live) == 0)
			continue;
		html_text(html, shown++ == 0 ? "Live: " : "; ");
		release_version(html, product, json_text(release, "version"));
		html_text(html, " on ");
		json_array_foreach (live, at, place) {
			html_text(html, at > 0 ? ", " : "");
			html_outside(html, html_clip(html, json_text(place, "channel"), 60));
		}
	}
	return shown;
}

void releases_line(Html *html, const PageFrame *frame, const char *product, const json_t *releases)
{
	const json_t *newest = json_array_get(releases, 0);
	if (!newest || frame->report)
		return;
	html_open(html, "p", "class", "releases", NULL);
	if (write_live(html, product, releases) == 0)
		html_text(html, "No release is live");
	html_text(html, ". ");
	if (json_array_size(json_object_get(newest, "live")) == 0) {
		html_text(html, "The newest, ");
		release_version(html, product, json_text(newest, "version"));
		html_text(html, ", is on no channel yet. ");
	}
	part_link(html, link_to_releases(html, product), "All releases");
	html_close(html, "p");
	html_newline(html);
}
