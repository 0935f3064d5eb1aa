/* SPDX-License-Identifier: ISC
 *
 * What a node ran, as a line from its first event to now:
 *
 *           ◆            ▲▲
 *     ┌─ 1.4.1 ─┬──── 1.4.2 ────┐
 *     2026-11-02                now
 *
 * A diamond is a failed installation, triangles are maintenance. The table of events says the same
 * in words.
 */
#include "page/node.h"

#include "base/format.h"

#define WIDTH	    720
#define HEIGHT	    64
#define LINE_Y	    22
#define LINE_TALL   22
#define MARK_Y	    11
#define DAYS_MOST   60
#define HOURS_LEAST 1
#define CHARACTER   7.2

typedef struct Picture {
	gint64 begin_us, end_us;
} Picture;

static double x_of(const Picture *picture, gint64 at_us)
{
	gint64 inside = CLAMP(at_us, picture->begin_us, picture->end_us) - picture->begin_us;
	return (double)inside * WIDTH / (double)(picture->end_us - picture->begin_us);
}

static int by_time(gconstpointer left, gconstpointer right)
{
	gint64 one = json_time(*(json_t *const *)left, "at");
	gint64 other = json_time(*(json_t *const *)right, "at");
	return (one > other) - (one < other);
}

/* The product's events, oldest first. Of one instant, the API's last is the oldest. */
static GPtrArray *events_of(const char *product, const json_t *events)
{
	GPtrArray *found = g_ptr_array_new();
	for (gsize i = json_array_size(events); i > 0; i--) {
		json_t *event = json_array_get(events, i - 1);
		if (g_strcmp0(json_text(event, "product"), product) == 0)
			g_ptr_array_add(found, event);
	}
	g_ptr_array_sort(found, by_time);
	return found;
}

static gboolean is_of(const json_t *event, const char *state)
{
	return g_strcmp0(json_text(event, "state"), state) == 0;
}

static void draw_stretch(
	Html *html, const Picture *picture, const json_t *event, gint64 end_us, guint number)
{
	double left = x_of(picture, json_time(event, "at")), right = x_of(picture, end_us);
	const char *version = json_text(event, "version") ? json_text(event, "version") : "?";
	gsize room = (gsize)(MAX(right - left - 8, 0) / CHARACTER);
	if (end_us <= picture->begin_us)
		return;
	html_open(html, "g", "class", number % 2 ? "ran odd" : "ran", NULL);
	html_element(html, "title",
		html_print(
			html, "%s from %s", html_clip(html, version, 40), json_text(event, "at")),
		NULL);
	html_void(html, "rect", "x", html_print(html, "%.1f", left), "y",
		html_print(html, "%d", LINE_Y), "width",
		html_print(html, "%.1f", MAX(right - left - 1, 1)), "height",
		html_print(html, "%d", LINE_TALL), "rx", "3", NULL);
	if (room >= 3)
		html_element(html, "text", html_clip(html, version, room), "x",
			html_print(html, "%.1f", left + 5), "y",
			html_print(html, "%d", LINE_Y + 15), NULL);
	html_close(html, "g");
	html_newline(html);
}

static guint draw_stretches(Html *html, const Picture *picture, const GPtrArray *events)
{
	const json_t *last = NULL;
	guint number = 0;
	for (guint i = 0; i < events->len; i++) {
		const json_t *event = events->pdata[i];
		if (!is_of(event, "running"))
			continue;
		if (last)
			draw_stretch(html, picture, last, json_time(event, "at"), number++);
		last = event;
	}
	if (last)
		draw_stretch(html, picture, last, picture->end_us, number++);
	return number;
}

static void draw_marks(Html *html, const Picture *picture, const GPtrArray *events)
{
	for (guint i = 0; i < events->len; i++) {
		const json_t *event = events->pdata[i];
		gint64 at_us = json_time(event, "at");
		gboolean failed = is_of(event, "failed");
		if (at_us < picture->begin_us || is_of(event, "running"))
			continue;
		html_open(html, "g", "transform",
			html_print(html, "translate(%.1f %d)",
				CLAMP(x_of(picture, at_us), 8, WIDTH - 8), MARK_Y),
			NULL);
		html_element(html, "title",
			html_print(html, "%s %s: %s", json_text(event, "at"),
				json_text(event, "state"),
				html_clip(html, json_text(event, "text"), 200)),
			NULL);
		html_void(html, "path", "class",
			failed ? "node-shape failed" : "node-shape maintenance", "d",
			failed ? "M0 -7 L7 0 L0 7 L-7 0 Z" : "M0 -6 L6.5 5.5 H-6.5 Z", NULL);
		html_close(html, "g");
	}
}

/* Its first event is the left end, if that is neither too long ago nor just now. */
static Picture picture_of(const PageFrame *frame, const GPtrArray *events)
{
	gint64 hour_us = 3600 * US_PER_SECOND;
	/* To the minute, so that the picture stays as it is while nothing happens. */
	gint64 end_us = (frame->now_us / (60 * US_PER_SECOND) + 1) * 60 * US_PER_SECOND;
	gint64 begin_us = json_time(events->pdata[0], "at");
	return (Picture){
		CLAMP(begin_us, end_us - DAYS_MOST * 24 * hour_us, end_us - HOURS_LEAST * hour_us),
		end_us};
}

static const char *words_of(Html *html, const GPtrArray *events)
{
	int ran = 0, failed = 0, maintenance = 0;
	const char *now = "nothing";
	for (guint i = 0; i < events->len; i++) {
		const json_t *event = events->pdata[i];
		ran += is_of(event, "running");
		failed += is_of(event, "failed");
		maintenance += is_of(event, "maintenance");
		if (is_of(event, "running") && json_text(event, "version"))
			now = json_text(event, "version");
	}
	return html_print(html, "What it ran: %d releases, now %s; failed: %d, in maintenance: %d",
		ran, html_clip(html, now, 40), failed, maintenance);
}

void node_timeline(Html *html, const PageFrame *frame, const char *product, const json_t *all)
{
	g_autoptr(GPtrArray) events = events_of(product, all);
	if (events->len == 0)
		return;
	Picture picture = picture_of(frame, events);
	g_autofree char *since = format_date(picture.begin_us);
	html_open(html, "div", "class", "tree-scroll", "role", "region", "tabindex", "0",
		"aria-label", html_print(html, "What it ran of %s", html_clip(html, product, 80)),
		NULL);
	html_open(html, "svg", "class", "node-line", "viewBox",
		html_print(html, "0 0 %d %d", WIDTH, HEIGHT), "width",
		html_print(html, "%d", WIDTH), "height", html_print(html, "%d", HEIGHT), "role",
		"img", "aria-label", words_of(html, events), NULL);
	html_newline(html);
	draw_stretches(html, &picture, events);
	draw_marks(html, &picture, events);
	html_element(html, "text", since, "class", "axis", "x", "0", "y",
		html_print(html, "%d", HEIGHT - 5), NULL);
	html_element(html, "text", "now", "class", "axis", "x", html_print(html, "%d", WIDTH), "y",
		html_print(html, "%d", HEIGHT - 5), "text-anchor", "end", NULL);
	html_close(html, "svg");
	html_close(html, "div");
	html_newline(html);
}
