/* SPDX-License-Identifier: ISC
 *
 * The queue as a line: live at the left, then each change that waits, in the order in which they go
 * live. A shape says how it stands, as everywhere: a square is ready, a ring waits for somebody, a
 * diamond cannot go on. A dashed line is where a test channel is cut: it answers as if everything
 * left of it were live.
 *
 *             release-localtest   release-test
 *      live ────── ■ ─────┊────── ○ ─────┊
 *                  12             14
 *             11-22 09:00    11-23 09:00
 *
 * The image has one text alternative; the table below it holds the links in words.
 */
#include "page/channel.h"

#include "base/format.h"

#include <string.h>

#define LIVE_X	    34
#define PITCH	    124
#define CUT_PITCH   15 /* between the lines of a cut's names */
#define TOP	    8
#define SHAPE_SPACE 22 /* between the last name and the shapes' middle */
#define BELOW	    58
#define SHOWN	    60

typedef struct Picture {
	const json_t *queue;
	const json_t *tests;
	gsize count; /* changes shown */
	int line_y;
	int width, height;
} Picture;

static gsize place_until(const json_t *queue, const char *time)
{
	gint64 until_us = 0;
	gsize place = 0;
	size_t index;
	json_t *change;
	if (!parse_time(time, &until_us, NULL))
		return json_array_size(queue);
	json_array_foreach (queue, index, change)
		if (json_time(change, "when") <= until_us)
			place = index + 1;
	return place;
}

static gsize place_through(const json_t *queue, const char *id)
{
	gint64 number = g_ascii_strtoll(id, NULL, 10);
	size_t index;
	json_t *change;
	json_array_foreach (queue, index, change)
		if (json_integer_of(change, "id") == number)
			return index + 1;
	return 0;
}

/* How many changes are before the cut. */
static gsize cut_place(const json_t *queue, const char *cut)
{
	if (cut && g_str_has_prefix(cut, "until "))
		return place_until(queue, cut + strlen("until "));
	if (cut && g_str_has_prefix(cut, "through "))
		return place_through(queue, cut + strlen("through "));
	return json_array_size(queue);
}

static int x_of(gsize place)
{
	return LIVE_X + (int)place * PITCH;
}

static const char *integer(Html *html, int value)
{
	return html_print(html, "%d", value);
}

static void draw_text(Html *html, const char *class, int x, int y, const char *text)
{
	html_element(html, "text", text, "class", class, "x", integer(html, x), "y",
		integer(html, y), "text-anchor", "middle", NULL);
}

/* How many test channels are cut at `place`. */
static gsize cuts_at(const Picture *picture, gsize place)
{
	gsize cuts = 0;
	size_t index;
	json_t *test;
	json_array_foreach (picture->tests, index, test)
		cuts += cut_place(picture->queue, json_text(test, "cut")) == place ? 1 : 0;
	return cuts;
}

static void draw_cut(Html *html, const Picture *picture, gsize place)
{
	gsize cuts = cuts_at(picture, place), line = 0;
	int x = x_of(place) + PITCH / 2;
	size_t index;
	json_t *test;
	if (cuts == 0)
		return;
	html_void(html, "path", "class", "queue-cut", "d",
		html_print(html, "M%d %d V%d", x, TOP + (int)cuts * CUT_PITCH + 2,
			picture->line_y + 14),
		NULL);
	json_array_foreach (picture->tests, index, test) {
		if (cut_place(picture->queue, json_text(test, "cut")) != place)
			continue;
		line++;
		draw_text(html, json_has(test, "undefined") ? "cut-name undefined" : "cut-name", x,
			TOP + (int)line * CUT_PITCH - 4,
			html_print(html, "%s%s", html_clip(html, json_text(test, "channel"), 17),
				json_has(test, "undefined") ? " ?" : ""));
	}
}

static void draw_change(Html *html, const Picture *picture, gsize place)
{
	const json_t *change = json_array_get(picture->queue, place - 1);
	const json_t *standing = json_object_get(change, "standing");
	const char *kind = json_text(standing, "kind");
	gint64 id = json_integer_of(change, "id");
	int x = x_of(place);
	g_autofree char *when = format_time_short(json_time(change, "when"));
	html_open(html, "a", "class", "cell", "href", link_to_change(html, id), "tabindex", "-1",
		NULL);
	html_element(html, "title",
		html_print(html, "change %" G_GINT64_FORMAT " %s, %s", id,
			html_clip(html, json_text(change, "title"), 120),
			standing_words(html, kind)),
		NULL);
	html_void(html, "rect", "class", "reach", "x", integer(html, x - 44), "y",
		integer(html, picture->line_y - 14), "width", "88", "height", "66", NULL);
	html_open(html, "svg", "x", integer(html, x - 9), "y", integer(html, picture->line_y - 9),
		"viewBox", "-9 -9 18 18", "width", "18", "height", "18", NULL);
	strip_draw(html, standing_state(kind), TRUE);
	html_close(html, "svg");
	draw_text(html, "ordinal", x, picture->line_y + 24,
		html_print(html, "%" G_GINT64_FORMAT " %s", id, standing_words(html, kind)));
	draw_text(html, "ordinal", x, picture->line_y + 40, when);
	html_close(html, "a");
	html_newline(html);
}

static const char *alternative(Html *html, const Picture *picture)
{
	gsize total = json_array_size(picture->queue);
	GString *words = g_string_new(NULL);
	size_t index;
	json_t *value;
	g_string_printf(
		words, "The queue: %" G_GSIZE_FORMAT " change%s.", total, total == 1 ? "" : "s");
	json_array_foreach (picture->tests, index, value) {
		gsize place = cut_place(picture->queue, json_text(value, "cut"));
		g_string_append_printf(words,
			" %s has the first %" G_GSIZE_FORMAT " on top of live.",
			html_clip(html, json_text(value, "channel"), 60), place);
	}
	const char *text = html_print(html, "%s", words->str);
	g_string_free(words, TRUE);
	return text;
}

static void draw_line(Html *html, const Picture *picture)
{
	html_void(html, "path", "class", "queue-line", "d",
		html_print(html, "M%d %d H%d", LIVE_X, picture->line_y, picture->width - 8), NULL);
	html_void(html, "rect", "class", "queue-live", "x", "8", "y",
		integer(html, picture->line_y - 12), "width", "52", "height", "24", "rx", "12",
		NULL);
	draw_text(html, "queue-live-name", LIVE_X, picture->line_y + 4, "live");
	html_newline(html);
}

static Picture picture_of(const json_t *view)
{
	Picture picture = {
		.queue = json_object_get(view, "queue"),
		.tests = json_object_get(view, "tests"),
	};
	gsize most = 0;
	picture.count = MIN(json_array_size(picture.queue), SHOWN);
	for (gsize place = 0; place <= picture.count; place++)
		most = MAX(most, cuts_at(&picture, place));
	picture.line_y = TOP + (int)most * CUT_PITCH + SHAPE_SPACE;
	picture.height = picture.line_y + BELOW;
	picture.width = x_of(picture.count) + PITCH;
	return picture;
}

void queue_picture(Html *html, const json_t *view)
{
	Picture picture = picture_of(view);
	html_open(html, "div", "class", "queue-scroll", NULL);
	html_open(html, "svg", "class", "queue", "role", "none", "viewBox",
		html_print(html, "0 0 %d %d", picture.width, picture.height), "width",
		integer(html, picture.width), "height", integer(html, picture.height), NULL);
	html_open(html, "g", "role", "img", "aria-label", alternative(html, &picture), NULL);
	draw_line(html, &picture);
	for (gsize place = 0; place <= picture.count; place++)
		draw_cut(html, &picture, place);
	html_close(html, "g");
	html_open(html, "g", "aria-hidden", "true", NULL);
	for (gsize place = 1; place <= picture.count; place++)
		draw_change(html, &picture, place);
	html_close(html, "g");
	html_close(html, "svg");
	html_close(html, "div");
	html_newline(html);
}
