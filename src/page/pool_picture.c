/* SPDX-License-Identifier: ISC
 *
 * Pools as pictures. The bar has a part for each group of states, as wide as there are servers in
 * it; the timeline is the last day of one server. Height says the same as colour: up is a whole
 * bar, what is on its way in or out half of one, held a whole one with a gap, down a line.
 *
 *     lb1  ██████████▄▄▄▄▄▄█████████
 *     lb2  ██████████▄▄▄▄▄▄____█████
 */
#include "page/bar.h"
#include "page/pool.h"

#include <string.h>

#define LINE_WIDTH  180
#define LINE_HEIGHT 12
#define LINE_PITCH  16
#define HOURS	    24
#define LINES_SHOWN 8

typedef struct Group {
	const char *name, *class, *states[6];
} Group;

static const Group groups[] = {
	{"up", "up", {"up", "unchecked", NULL}},
	{"draining", "draining", {"draining", "drained", NULL}},
	{"held", "held", {"held", NULL}},
	{"down", "down", {"down", "maintenance", "out", NULL}},
	{"disabled", "other", {"disabled", NULL}},
	{"unknown", "other", {"unknown", NULL}},
};

static const Group *group_of(const char *state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
		if (state != NULL && g_strv_contains(groups[i].states, state))
			return &groups[i];
	return &groups[G_N_ELEMENTS(groups) - 1];
}

void pool_state(Html *html, const char *state)
{
	const char *class = group_of(state)->class;
	gboolean good = g_str_equal(class, "up");
	gboolean bad = g_str_equal(class, "down") || g_str_equal(class, "held");
	if (g_str_equal(class, "other")) {
		html_element(html, "span", state, "class", "quiet", NULL);
		return;
	}
	html_open(html, "span", "class",
		good  ? "state good"
		: bad ? "state bad"
		      : "state pending",
		NULL);
	strip_shape(html, good ? "GOOD" : bad ? "BAD" : "PENDING", TRUE);
	html_text(html, state);
	html_close(html, "span");
}

/* Bar ----------------------------------------------------------------------------------------- */

static gint64 count_of(const json_t *summary, const Group *group)
{
	const json_t *counts = json_object_get(summary, "states");
	gint64 count = 0;
	for (const char *const *state = group->states; *state; state++)
		count += json_integer_of(counts, *state);
	return count;
}

void pool_bar(Html *html, const json_t *summary)
{
	BarPart parts[G_N_ELEMENTS(groups)];
	for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
		parts[i] =
			(BarPart){groups[i].class, groups[i].name, count_of(summary, &groups[i])};
	if (json_integer_of(summary, "servers") == 0)
		html_element(html, "p", "No servers yet.", "class", "quiet", NULL);
	bar_write(html, parts, G_N_ELEMENTS(parts));
}

void pool_problems(Html *html, const json_t *summary, gsize limit)
{
	const json_t *problems = json_object_get(summary, "problems");
	gsize count = json_array_size(problems);
	if (count == 0)
		return;
	html_open(html, "ul", "class", "lines", NULL);
	for (gsize i = 0; i < MIN(count, limit); i++) {
		html_open(html, "li", "class", "problem", NULL);
		html_outside(
			html, html_clip(html, json_string_value(json_array_get(problems, i)), 300));
		html_close(html, "li");
	}
	if (count > limit)
		html_element(html, "li",
			html_print(html, "and %" G_GSIZE_FORMAT " more", count - limit), "class",
			"more", NULL);
	html_close(html, "ul");
	html_newline(html);
}

/* Timeline ------------------------------------------------------------------------------------ */

typedef struct Line {
	const char *balancer;
	int y;
	gint64 begin_us, end_us; /* of the picture */
} Line;

static int x_of(const Line *line, gint64 at_us)
{
	gint64 inside = CLAMP(at_us, line->begin_us, line->end_us) - line->begin_us;
	return (int)(inside * LINE_WIDTH / (line->end_us - line->begin_us));
}

static void draw_stretch(
	Html *html, const Line *line, const char *state, gint64 from_us, gint64 to_us)
{
	const char *class = group_of(state)->class;
	int left = x_of(line, from_us), right = x_of(line, to_us);
	int height = LINE_HEIGHT;
	if (g_str_equal(class, "down"))
		height = 3;
	else if (!g_str_equal(class, "up") && !g_str_equal(class, "held"))
		height = LINE_HEIGHT / 2;
	if (to_us <= line->begin_us)
		return;
	html_void(html, "rect", "class", html_print(html, "bar-part %s", class), "x",
		html_print(html, "%d", left), "y",
		html_print(html, "%d", line->y + LINE_HEIGHT - height), "width",
		html_print(html, "%d", MAX(right - left, 1)), "height",
		html_print(html, "%d", height), NULL);
}

/* From each of this balancer's events to its next. */
static void draw_line(Html *html, const Line *line, const json_t *events)
{
	const json_t *last = NULL;
	size_t index;
	json_t *event;
	json_array_foreach (events, index, event) {
		if (g_strcmp0(json_text(event, "balancer"), line->balancer) != 0)
			continue;
		if (last)
			draw_stretch(html, line, json_text(last, "state"), json_time(last, "at"),
				json_time(event, "at"));
		last = event;
	}
	if (last)
		draw_stretch(
			html, line, json_text(last, "state"), json_time(last, "at"), line->end_us);
}

/* What the picture shows, for who cannot see it. */
static const char *words_of(Html *html, const json_t *events, gint64 begin_us)
{
	int changes = 0;
	size_t index;
	json_t *event;
	const char *state = "nothing";
	json_array_foreach (events, index, event) {
		changes += json_time(event, "at") > begin_us;
		state = json_text(event, "state");
	}
	return html_print(html, "The last %d hours: %d changes, now %s", HOURS, changes,
		group_of(state)->name);
}

static GPtrArray *balancers_of(const json_t *events)
{
	GPtrArray *names = g_ptr_array_new();
	size_t index;
	json_t *event;
	json_array_foreach (events, index, event) {
		const char *name = json_text(event, "balancer");
		if (name && names->len < LINES_SHOWN &&
			!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			g_ptr_array_add(names, (gpointer)(guintptr)name);
	}
	return names;
}

void pool_timeline(Html *html, const PageFrame *frame, const json_t *server)
{
	const json_t *events = json_object_get(server, "timeline");
	g_autoptr(GPtrArray) names = balancers_of(events);
	/* To the minute, so that the picture stays as it is while nothing happens. */
	gint64 minute_us = 60 * US_PER_SECOND;
	gint64 end_us = (frame->now_us / minute_us + 1) * minute_us;
	gint64 begin_us = end_us - HOURS * 60 * minute_us;
	if (names->len == 0) {
		html_element(html, "span", "–", "class", "quiet", NULL);
		return;
	}
	html_open(html, "svg", "class", "pool-line", "viewBox",
		html_print(html, "0 0 %d %d", LINE_WIDTH, (int)names->len * LINE_PITCH), "width",
		html_print(html, "%d", LINE_WIDTH), "height",
		html_print(html, "%d", (int)names->len * LINE_PITCH), "role", "img", "aria-label",
		words_of(html, events, begin_us), NULL);
	for (guint i = 0; i < names->len; i++) {
		Line line = {names->pdata[i], (int)i * LINE_PITCH + 2, begin_us, end_us};
		html_void(html, "rect", "class", "bar-ground", "x", "0", "y",
			html_print(html, "%d", line.y), "width", html_print(html, "%d", LINE_WIDTH),
			"height", html_print(html, "%d", LINE_HEIGHT), NULL);
		draw_line(html, &line, events);
	}
	html_close(html, "svg");
}
