/* SPDX-License-Identifier: ISC
 *
 * The picture of landings: oldest at the left, newest at the right, read at a glance.
 *
 *           ▼ 43                 the newest deployable tip
 *     ■ ■ ◆ □ ■ ○ ■              a shape per state: square good, ring pending, diamond bad;
 *     ━━━     ━                  an empty outline, struck through, when it was rolled back
 *         !                      a line under each deployable tip, so islands show as islands
 *     40        45               an exclamation mark under what blocks the newest tip
 *
 * Shape says the same as colour, so nobody has to tell red from green. The image has one text
 * alternative; its links are for the pointer only (tabindex -1), because the lists beside it hold
 * the same links in words.
 *
 * docs/pages.md
 */
#include "page/parts.h"

#define PITCH	    18
#define MARGIN	    10
#define SHAPE_Y	    28 /* middle of the shapes */
#define UNDERLINE_Y 43
#define BLOCK_Y	    58
#define LABEL_Y	    74
#define HEIGHT	    80
#define LABEL_EVERY 5
#define TIP_LABEL   110 /* room for "deployable 12345" beside its mark */

static const char *class_of(const char *state)
{
	if (g_strcmp0(state, "GOOD") == 0)
		return "good";
	return g_strcmp0(state, "BAD") == 0 ? "bad" : "pending";
}

void strip_draw(Html *html, const char *state, gboolean in_tree)
{
	const char *class = class_of(state);
	const char *whole = html_print(html, "shape %s%s", class, in_tree ? "" : " undone");
	if (g_str_equal(class, "good")) {
		html_void(html, "rect", "class", whole, "x", "-6.5", "y", "-6.5", "width", "13",
			"height", "13", "rx", "3", NULL);
		html_void(html, "path", "class", "mark", "d", "M-3.2 .2 L-1 2.6 L3.4 -2.4", NULL);
	} else if (g_str_equal(class, "bad")) {
		html_void(html, "path", "class", whole, "d", "M0 -8 L8 0 L0 8 L-8 0 Z", NULL);
		html_void(html, "path", "class", "mark", "d",
			"M-2.4 -2.4 L2.4 2.4 M2.4 -2.4 L-2.4 2.4", NULL);
	} else {
		html_void(html, "circle", "class", whole, "cx", "0", "cy", "0", "r", "6", NULL);
	}
	if (!in_tree)
		html_void(html, "path", "class", "strike", "d", "M-8 8 L8 -8", NULL);
}

void strip_shape(Html *html, const char *state, gboolean in_tree)
{
	html_open(html, "svg", "class", "key", "viewBox", "-9 -9 18 18", "width", "16", "height",
		"16", "aria-hidden", "true", "focusable", "false", NULL);
	strip_draw(html, state, in_tree);
	html_close(html, "svg");
}

static const char *words_of(Html *html, const json_t *cell)
{
	return html_print(html, "landing %" G_GINT64_FORMAT ": %s%s%s%s",
		json_integer_of(cell, "ordinal"), class_of(json_text(cell, "state")),
		json_flag(cell, "in_tree") ? "" : ", rolled back",
		json_flag(cell, "deployable") ? ", deployable as a tip" : "",
		json_flag(cell, "blocks") ? ", blocks the newest tip" : "");
}

static int x_of(gsize index)
{
	return MARGIN + PITCH / 2 + (int)index * PITCH;
}

static const char *place_of(Html *html, gsize index)
{
	return html_print(html, "translate(%d %d)", x_of(index), SHAPE_Y);
}

static void draw_cell(Html *html, const json_t *cell, gsize index)
{
	html_open(html, "g", "transform", place_of(html, index), NULL);
	strip_draw(html, json_text(cell, "state"), json_flag(cell, "in_tree"));
	if (json_flag(cell, "blocks"))
		html_element(html, "text", "!", "class", "blocks", "x", "0", "y",
			html_print(html, "%d", BLOCK_Y - SHAPE_Y), "text-anchor", "middle", NULL);
	html_close(html, "g");
	html_newline(html);
}

/* What the pointer meets over a cell: its words, and its link when it has one. */
static void draw_reach(
	Html *html, const PageFrame *frame, const char *product, const json_t *cell, gsize index)
{
	gint64 ordinal = json_integer_of(cell, "ordinal");
	const char *href = link_to_landing(html, frame, product, ordinal);
	const char *tag = href ? "a" : "g";
	html_open(html, tag, "class", "cell", "href", href, "tabindex", href ? "-1" : NULL,
		"data-ordinal", html_print(html, "%" G_GINT64_FORMAT, ordinal), "transform",
		place_of(html, index), NULL);
	html_element(html, "title",
		html_print(html, "%s – %s", words_of(html, cell),
			html_clip(html, json_text(cell, "subject"), 120)),
		NULL);
	html_void(html, "rect", "class", "reach", "x", html_print(html, "%d", -PITCH / 2), "y",
		"-14", "width", html_print(html, "%d", PITCH), "height", "48", NULL);
	html_close(html, tag);
	html_newline(html);
}

/* One line under each run of deployable tips. */
static void draw_islands(Html *html, const json_t *cells)
{
	gsize count = json_array_size(cells);
	for (gsize first = 0; first < count; first++) {
		if (!json_flag(json_array_get(cells, first), "deployable"))
			continue;
		gsize last = first;
		while (last + 1 < count && json_flag(json_array_get(cells, last + 1), "deployable"))
			last++;
		html_void(html, "path", "class", "island", "d",
			html_print(
				html, "M%d %d H%d", x_of(first) - 5, UNDERLINE_Y, x_of(last) + 5),
			NULL);
		first = last;
	}
}

static void draw_tip(Html *html, const json_t *cells, gint64 deployable)
{
	gsize count = json_array_size(cells);
	for (gsize index = 0; index < count; index++) {
		if (json_integer_of(json_array_get(cells, index), "ordinal") != deployable)
			continue;
		int x = x_of(index);
		html_void(html, "path", "class", "tip", "d",
			html_print(html, "M%d 10 h10 l-5 7 Z", x - 5), NULL);
		gboolean at_end = x > TIP_LABEL;
		html_element(html, "text",
			html_print(html,
				at_end ? "deployable %" G_GINT64_FORMAT
				       : "%" G_GINT64_FORMAT " deployable",
				deployable),
			"class", "tip-label", "x", html_print(html, "%d", at_end ? x - 9 : x + 9),
			"y", "15", "text-anchor", at_end ? "end" : "start", NULL);
	}
}

static void draw_labels(Html *html, const json_t *cells)
{
	size_t index;
	json_t *cell;
	json_array_foreach (cells, index, cell) {
		gint64 ordinal = json_integer_of(cell, "ordinal");
		if (ordinal % LABEL_EVERY == 0)
			html_element(html, "text", html_print(html, "%" G_GINT64_FORMAT, ordinal),
				"class", "ordinal", "x", html_print(html, "%d", x_of(index)), "y",
				html_print(html, "%d", LABEL_Y), "text-anchor", "middle", NULL);
	}
}

static gsize count_flag(const json_t *cells, const char *key)
{
	gsize found = 0;
	size_t index;
	json_t *cell;
	json_array_foreach (cells, index, cell)
		found += json_flag(cell, key) ? 1 : 0;
	return found;
}

static const char *alternative(Html *html, const json_t *summary, const json_t *cells)
{
	gsize count = json_array_size(cells);
	const char *tip =
		json_has(summary, "deployable")
			? html_print(html,
				  "The newest deployable tip is landing %" G_GINT64_FORMAT ".",
				  json_integer_of(summary, "deployable"))
			: "None is deployable.";
	return html_print(html,
		"The newest %" G_GSIZE_FORMAT " landings of %s, %" G_GINT64_FORMAT
		" to %" G_GINT64_FORMAT ": %" G_GSIZE_FORMAT
		" deployable as a tip, %" G_GSIZE_FORMAT " blocking, %" G_GSIZE_FORMAT
		" rolled back. %s",
		count, html_clip(html, json_text(summary, "name"), 60),
		json_integer_of(json_array_get(cells, 0), "ordinal"),
		json_integer_of(json_array_get(cells, count - 1), "ordinal"),
		count_flag(cells, "deployable"), count_flag(cells, "blocks"),
		count - count_flag(cells, "in_tree"), tip);
}

void strip_write(Html *html, const PageFrame *frame, const json_t *summary)
{
	const json_t *cells = json_object_get(summary, "strip");
	gsize count = json_array_size(cells);
	if (count == 0)
		return;
	const char *product = json_text(summary, "name");
	int width = MAX(2 * MARGIN + (int)count * PITCH, 2 * TIP_LABEL);
	html_open(html, "div", "class", "strip-scroll", NULL);
	html_open(html, "svg", "class", "strip", "role", "none", "viewBox",
		html_print(html, "0 0 %d %d", width, HEIGHT), "width",
		html_print(html, "%d", width), "height", html_print(html, "%d", HEIGHT), NULL);
	html_open(html, "g", "role", "img", "aria-label", alternative(html, summary, cells), NULL);
	html_newline(html);
	draw_islands(html, cells);
	for (gsize index = 0; index < count; index++)
		draw_cell(html, json_array_get(cells, index), index);
	if (json_has(summary, "deployable"))
		draw_tip(html, cells, json_integer_of(summary, "deployable"));
	draw_labels(html, cells);
	html_close(html, "g");
	html_open(html, "g", "aria-hidden", "true", NULL);
	for (gsize index = 0; index < count; index++)
		draw_reach(html, frame, product, json_array_get(cells, index), index);
	html_close(html, "g");
	html_close(html, "svg");
	html_close(html, "div");
	html_newline(html);
}

static void write_key(Html *html, const char *state, gboolean in_tree, const char *words)
{
	html_open(html, "li", NULL);
	strip_shape(html, state, in_tree);
	html_text(html, words);
	html_close(html, "li");
}

void strip_legend(Html *html)
{
	html_open(html, "ul", "class", "legend", "aria-label", "What the picture shows", NULL);
	write_key(html, "GOOD", TRUE, "good");
	write_key(html, "PENDING", TRUE, "pending");
	write_key(html, "BAD", TRUE, "bad");
	write_key(html, "BAD", FALSE, "rolled back");
	html_open(html, "li", NULL);
	html_element(html, "span", NULL, "class", "key-island", "aria-hidden", "true", NULL);
	html_text(html, "deployable as a tip");
	html_close(html, "li");
	html_open(html, "li", NULL);
	html_element(html, "span", "!", "class", "key-blocks", "aria-hidden", "true", NULL);
	html_text(html, "blocks the newest tip");
	html_close(html, "li");
	html_close(html, "ul");
	html_newline(html);
}
