/* SPDX-License-Identifier: ISC
 *
 * Bars. The legend says the same in words, so a whole bar is hidden from who cannot see it; a small
 * one has its words itself.
 */
#include "page/bar.h"

#define WIDTH	     600
#define HEIGHT	     14
#define SMALL_WIDTH  96
#define SMALL_HEIGHT 10

static void draw_part(Html *html, const char *class, gint64 left, gint64 width, int height)
{
	html_void(html, "rect", "class", html_print(html, "bar-part %s", class), "x",
		html_print(html, "%" G_GINT64_FORMAT, left), "y", "0", "width",
		html_print(html, "%" G_GINT64_FORMAT, width), "height",
		html_print(html, "%d", height), "rx", "2", NULL);
}

static void write_key(Html *html, const BarPart *part)
{
	html_open(html, "li", NULL);
	html_open(html, "svg", "class", "bar-key", "viewBox", "0 0 14 14", "width", "14", "height",
		"14", "aria-hidden", "true", "focusable", "false", NULL);
	html_void(html, "rect", "class", html_print(html, "bar-part %s", part->class), "x", "1",
		"y", "1", "width", "12", "height", "12", "rx", "2", NULL);
	html_close(html, "svg");
	html_format(html, "%" G_GINT64_FORMAT " %s", part->amount, part->words);
	html_close(html, "li");
}

void bar_write(Html *html, const BarPart *parts, gsize count)
{
	gint64 whole = 0, before = 0;
	for (gsize i = 0; i < count; i++)
		whole += parts[i].amount;
	if (whole == 0)
		return;
	html_open(html, "svg", "class", "bar", "viewBox",
		html_print(html, "0 0 %d %d", WIDTH, HEIGHT), "preserveAspectRatio", "none",
		"aria-hidden", "true", "focusable", "false", NULL);
	for (gsize i = 0; i < count; i++) {
		gint64 left = WIDTH * before / whole;
		gint64 right = WIDTH * (before + parts[i].amount) / whole;
		if (parts[i].amount > 0)
			draw_part(html, parts[i].class, left, MAX(right - left - 2, 1), HEIGHT);
		before += parts[i].amount;
	}
	html_close(html, "svg");
	html_open(html, "ul", "class", "legend", NULL);
	for (gsize i = 0; i < count; i++)
		if (parts[i].amount > 0)
			write_key(html, &parts[i]);
	html_close(html, "ul");
	html_newline(html);
}

void bar_small(Html *html, const BarPart *parts, gsize count, gint64 whole, const char *words)
{
	gint64 before = 0;
	html_open(html, "svg", "class", "bar-small", "viewBox",
		html_print(html, "0 0 %d %d", SMALL_WIDTH, SMALL_HEIGHT), "width",
		html_print(html, "%d", SMALL_WIDTH), "height", html_print(html, "%d", SMALL_HEIGHT),
		"role", "img", "aria-label", words, NULL);
	draw_part(html, "ground", 0, SMALL_WIDTH, SMALL_HEIGHT);
	for (gsize i = 0; i < count; i++) {
		double scale = (double)SMALL_WIDTH / (double)MAX(whole, 1);
		gint64 left = (gint64)((double)before * scale);
		gint64 right = (gint64)((double)(before + parts[i].amount) * scale);
		if (parts[i].amount > 0 && left < SMALL_WIDTH)
			draw_part(html, parts[i].class, left,
				CLAMP(right - left, 1, SMALL_WIDTH - left), SMALL_HEIGHT);
		before += parts[i].amount;
	}
	html_close(html, "svg");
}
