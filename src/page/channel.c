/* SPDX-License-Identifier: ISC
 *
 * One channel: what it answers by which rules, what waits in its queue and how that stands, which
 * test channels there are and whether they answer otherwise, who must agree, and how it was.
 */
#include "page/channel.h"

static gboolean is_past(const json_t *view)
{
	return json_has(view, "at");
}

static const char *link_below(Html *html, const json_t *view, const char *what)
{
	const char *here = link_to_channel_of(html, view);
	return here ? html_print(html, "%s/%s", here, what) : NULL;
}

/* At a glance --------------------------------------------------------------------------------- */

static void write_shut_off(Html *html, const PageFrame *frame, const json_t *view)
{
	const json_t *shut_off = json_object_get(view, "shut_off");
	html_open(html, "p", "class", "answer no", NULL);
	strip_shape(html, "BAD", TRUE);
	html_text(html, " Shut off: nobody gets anything");
	html_close(html, "p");
	if (json_has(shut_off, "reason")) {
		html_open(html, "p", NULL);
		html_outside(html, html_clip(html, json_text(shut_off, "reason"), 400));
		html_close(html, "p");
	}
}

static void write_on(Html *html, const json_t *view)
{
	gsize rules = json_array_size(json_object_get(view, "rules"));
	gsize waiting = json_array_size(json_object_get(view, "queue"));
	html_open(html, "p", "class", rules > 0 ? "answer" : "answer no", NULL);
	if (rules > 0)
		html_format(html, "%" G_GSIZE_FORMAT " rule%s", rules,
			rules == 1 ? " answers" : "s answer");
	else
		html_text(html, "No rule: nobody gets anything");
	if (waiting > 0)
		html_format(html, ", %" G_GSIZE_FORMAT " change%s", waiting,
			waiting == 1 ? " waits" : "s wait");
	html_close(html, "p");
}

static void write_kind(Html *html, const json_t *view)
{
	html_element(html, "dt", "Kind", NULL);
	html_open(html, "dd", NULL);
	if (g_strcmp0(json_text(view, "kind"), "test") == 0) {
		html_text(html, "test of ");
		part_link(html,
			link_to_channel(html, json_text(view, "product"), json_text(view, "base")),
			html_clip(html, json_text(view, "base"), 80));
		html_text(html, ", cut ");
		html_outside(html, html_clip(html, json_text(view, "cut"), 60));
	} else {
		html_text(html, "live");
	}
	html_close(html, "dd");
}

static void write_glance(Html *html, const PageFrame *frame, const json_t *view)
{
	html_open(html, "section", "class", "card", "id", "channel-head", "aria-label",
		"At a glance", "data-live", HTML_SET, NULL);
	if (json_has(view, "undefined")) {
		html_open(html, "p", "class", "problem", NULL);
		html_text(html, "What it answers is undefined: ");
		html_outside(html, html_clip(html, json_text(view, "undefined"), 400));
		html_close(html, "p");
	}
	if (json_has(view, "held")) {
		html_open(html, "p", "class", "problem", NULL);
		html_text(html, "It answers like an earlier cut: ");
		html_outside(html, html_clip(html, json_text(view, "held"), 400));
		html_close(html, "p");
	}
	if (json_has(view, "shut_off"))
		write_shut_off(html, frame, view);
	else
		write_on(html, view);
	html_open(html, "dl", "class", "facts", NULL);
	write_kind(html, view);
	part_fact(html, "Versions are read as", json_text(view, "scheme"));
	html_element(html, "dt", "Digest", NULL);
	html_open(html, "dd", NULL);
	part_digest(html, json_text(view, "digest"));
	html_format(html, " at generation %" G_GINT64_FORMAT, json_integer_of(view, "generation"));
	html_close(html, "dd");
	html_close(html, "dl");
	html_close(html, "section");
	html_newline(html);
}

static void write_places(Html *html, const PageFrame *frame, const json_t *view)
{
	gboolean off = json_has(view, "shut_off");
	html_open(html, "p", "class", "places", NULL);
	part_link(html, "/channels", "Channels");
	part_link(html, link_below(html, view, "explain"), "Who gets what?");
	part_link(html, link_below(html, view, "diff"), "Compare");
	if (!is_past(view) && frame_may(frame, ROLE_OPERATOR, json_text(view, "product"))) {
		part_link(html,
			link_print(html, "/changes/new?kind=insert&product=%s&channel=%s",
				json_text(view, "product"), json_text(view, "channel")),
			"Add a rule");
		part_link(html, link_below(html, view, off ? "switch-on" : "shut-off"),
			off ? "Switch it on again" : "Shut it off");
	}
	html_close(html, "p");
	html_newline(html);
}

/* Queue and test channels --------------------------------------------------------------------- */

static void write_queue(Html *html, const PageFrame *frame, const json_t *view)
{
	const json_t *queue = json_object_get(view, "queue");
	html_element(html, "h2", "What waits", NULL);
	if (json_array_size(queue) == 0) {
		html_element(
			html, "p", "No change waits for this channel.", "class", "quiet", NULL);
		return;
	}
	queue_picture(html, view);
	changes_table(
		html, frame, "Changes that wait, in the order in which they go live", queue, FALSE);
}

static void write_same(Html *html, const json_t *test)
{
	part_cell(html, "Against live", NULL);
	if (json_has(test, "undefined")) {
		html_open(html, "span", "class", "problem", NULL);
		html_text(html, "undefined: ");
		html_outside(html, html_clip(html, json_text(test, "undefined"), 300));
		html_close(html, "span");
	} else if (json_has(test, "held")) {
		html_open(html, "span", "class", "problem", NULL);
		html_text(html, "like an earlier cut: ");
		html_outside(html, html_clip(html, json_text(test, "held"), 300));
		html_close(html, "span");
	} else if (json_flag(test, "same")) {
		html_text(html, "same answers to everybody");
	} else {
		const char *there = link_to_channel_of(html, test);
		part_link(html, there ? html_print(html, "%s/diff", there) : NULL,
			"differs: whose answers?");
	}
	html_close(html, "td");
}

static void write_test(Html *html, const json_t *test)
{
	html_open(html, "tr", "data-test", html_clip(html, json_text(test, "channel"), 80), NULL);
	html_open(html, "th", "scope", "row", NULL);
	part_link(html, link_to_channel_of(html, test),
		html_clip(html, json_text(test, "channel"), 80));
	html_close(html, "th");
	part_cell_text(html, "Cut", NULL, html_clip(html, json_text(test, "cut"), 60));
	write_same(html, test);
	part_cell(html, "Digest", NULL);
	part_digest(html, json_text(test, "digest"));
	html_close(html, "td");
	html_close(html, "tr");
	html_newline(html);
}

static void write_tests(Html *html, const json_t *view)
{
	static const char *const columns[] = {
		"Test channel", "Cut", "Against live", "Digest", NULL};
	const json_t *tests = json_object_get(view, "tests");
	size_t index;
	json_t *test;
	if (json_array_size(tests) == 0)
		return;
	html_element(html, "h2", "Test channels", NULL);
	part_table_open(html, "stack", "Test channels beside the live one", columns);
	json_array_foreach (tests, index, test)
		write_test(html, test);
	part_table_close(html);
}

/* What else is so ----------------------------------------------------------------------------- */

static void write_pins(Html *html, const json_t *view)
{
	const json_t *pins = json_object_get(view, "pins");
	size_t index;
	json_t *pin;
	if (json_array_size(pins) == 0)
		return;
	html_element(html, "h2", "Pins", NULL);
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (pins, index, pin) {
		html_open(html, "li", NULL);
		html_text(html, "who asks for ");
		html_element(html, "code", html_clip(html, json_text(pin, "version"), 60), NULL);
		html_text(html, " is held on ");
		html_outside(html, html_clip(html, json_text(pin, "mapping"), 120));
		html_close(html, "li");
	}
	html_close(html, "ul");
}

static void write_requirements(Html *html, const json_t *view)
{
	const json_t *requirements = json_object_get(view, "requirements");
	size_t index;
	json_t *requirement;
	html_element(html, "h2", "Who must agree", NULL);
	if (json_array_size(requirements) == 0) {
		html_element(html, "p", "Nobody: an operator edits these rules directly.", "class",
			"quiet", NULL);
		return;
	}
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (requirements, index, requirement) {
		html_open(html, "li", NULL);
		html_format(
			html, "%" G_GINT64_FORMAT " \u00d7 ", json_integer_of(requirement, "n"));
		html_outside(html, html_clip(html, json_text(requirement, "role"), 60));
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " for ");
		html_outside(html, html_print(html, "%s / %s",
					   html_clip(html, json_text(requirement, "product"), 60),
					   html_clip(html, json_text(requirement, "channel"), 60)));
		html_close(html, "span");
		html_close(html, "li");
	}
	html_close(html, "ul");
}

static void write_freezes(Html *html, const PageFrame *frame, const json_t *view)
{
	const json_t *freezes = json_object_get(view, "freezes");
	size_t index;
	json_t *freeze;
	if (json_array_size(freezes) == 0)
		return;
	html_element(html, "h2", "Freezes", NULL);
	html_open(html, "ul", "class", "lines", NULL);
	json_array_foreach (freezes, index, freeze) {
		html_open(html, "li", NULL);
		html_outside(html, html_clip(html, json_text(freeze, "name"), 80));
		html_text(html, ": nothing goes live from ");
		part_time(html, frame, freeze, "from");
		html_text(html, " until ");
		part_time(html, frame, freeze, "until");
		if (json_has(freeze, "reason")) {
			html_text(html, ", ");
			html_outside(html, html_clip(html, json_text(freeze, "reason"), 200));
		}
		html_close(html, "li");
	}
	html_close(html, "ul");
}

char *page_channel(const PageFrame *frame, const json_t *view)
{
	const char *product = json_text(view, "product");
	const char *channel = json_text(view, "channel");
	Html *html = frame_begin(frame, "%s / %s · Channels", product, channel);
	html_open(html, "h1", NULL);
	html_outside(html, html_print(html, "%s / %s", html_clip(html, product, 80),
				   html_clip(html, channel, 80)));
	if (json_has(view, "title")) {
		html_open(html, "span", "class", "quiet", NULL);
		html_text(html, " ");
		html_outside(html, html_clip(html, json_text(view, "title"), 120));
		html_close(html, "span");
	}
	html_close(html, "h1");
	moments_banner(html, frame, view);
	write_places(html, frame, view);
	write_glance(html, frame, view);
	html_open(html, "div", "id", "channel-queue", "data-live", HTML_SET, NULL);
	write_queue(html, frame, view);
	write_tests(html, view);
	html_close(html, "div");
	html_open(html, "div", "id", "channel-rules", "data-live", HTML_SET, NULL);
	html_element(html, "h2", "Rules", NULL);
	rules_table(html, frame, view);
	write_pins(html, view);
	write_requirements(html, view);
	write_freezes(html, frame, view);
	html_close(html, "div");
	html_open(html, "div", "id", "channel-past", "data-live", HTML_SET, NULL);
	moments_write(html, frame, view);
	html_close(html, "div");
	return frame_end(html, frame);
}
