/* SPDX-License-Identifier: ISC
 *
 * A progress bar: its line as a pure function, and the thread that draws it.
 */
#include "programs/terminal/bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "programs/terminal/text.h"

enum {
	APPEARS_AFTER_MS = 500,
	DRAWN_EVERY_MS = 200,
	SAMPLES = 25,	     /* of the rate: the last 5 s */
	RATE_NEEDS_MS = 800, /* before this nothing is guessed */
	BAR_LEAST = 8,
	BAR_MOST = 40,
	WHAT_LEAST = 8,
	WIDTH_UNKNOWN = 80,
	WIDTH_LEAST = 10,
};

/* -- the line -------------------------------------------------------------------------------------
 */

static char *amount(BarUnit unit, gint64 count)
{
	return unit == BAR_BYTES ? format_size((guint64)MAX(count, 0)) : format_count(count);
}

/* "12.2 MB of 28.4 MB" */
static char *sizes_text(const BarState *state)
{
	g_autofree char *done = amount(state->unit, state->done);
	g_autofree char *total = amount(state->unit, state->total);
	return state->total > 0 ? g_strdup_printf("%s of %s", done, total) : g_steal_pointer(&done);
}

/* ", 3.1 MB/s, 5 s left"; how long it took already when no end is known. */
static char *pace_text(const BarState *state)
{
	gint64 left = MAX(state->total - state->done, 0);
	g_autofree char *rate = amount(state->unit, state->rate);
	g_autofree char *elapsed = format_duration(state->elapsed_s);
	if (state->rate < 0)
		return g_strdup("");
	if (state->rate == 0)
		return g_strdup_printf(", stands still, %s so far", elapsed);
	if (state->total <= 0)
		return g_strdup_printf(", %s/s, %s so far", rate, elapsed);
	g_autofree char *rest = format_duration((left + state->rate - 1) / state->rate);
	return g_strdup_printf(", %s/s, %s left", rate, rest);
}

/* From 0 to 1; what is over is over. */
static double share(const BarState *state)
{
	if (state->total <= 0)
		return 0;
	return CLAMP((double)state->done / (double)state->total, 0, 1);
}

static char *picture(const BarState *state, guint columns, gboolean unicode)
{
	GString *bar = g_string_new("[");
	guint filled = (guint)(share(state) * columns);
	for (guint i = 0; i < columns; i++)
		g_string_append(bar, i >= filled ? " " : unicode ? "█" : "#");
	g_string_append(bar, "] ");
	return g_string_free(bar, FALSE);
}

/* 100 % is said when all is done, not when it is nearly done. */
static char *percent_text(const BarState *state)
{
	if (state->total <= 0)
		return g_strdup("");
	return g_strdup_printf("%3d %% ", (int)(share(state) * 100));
}

/* The parts that follow `what`, as many as fit into `room` columns. Caller frees. */
static char *parts_text(const BarState *state, guint room, gboolean unicode)
{
	g_autofree char *percent = percent_text(state);
	g_autofree char *sizes = sizes_text(state);
	g_autofree char *pace = pace_text(state);
	guint least = text_width(percent), with_sizes = least + text_width(sizes);
	guint with_pace = with_sizes + text_width(pace), brackets = 3;
	if (with_sizes > room)
		return least > 0 && least <= room ? g_strdup(percent) : g_strdup("");
	if (with_pace > room)
		return g_strconcat(percent, sizes, NULL);
	if (state->total <= 0 || with_pace + brackets + BAR_LEAST > room)
		return g_strconcat(percent, sizes, pace, NULL);
	g_autofree char *bar = picture(state, MIN(room - with_pace - brackets, BAR_MOST), unicode);
	return g_strconcat(percent, bar, sizes, pace, NULL);
}

char *bar_text(const BarState *state, guint width, gboolean unicode)
{
	enum { GAP = 2 };
	guint wanted = text_width(state->what);
	guint room = width > wanted + GAP ? width - wanted - GAP : 0;
	g_autofree char *parts = parts_text(state, room, unicode);
	if (*parts == '\0' && width > WHAT_LEAST + GAP) {
		g_free(parts);
		parts = parts_text(state, width - WHAT_LEAST - GAP, unicode);
	}
	g_strchomp(parts);
	guint taken = *parts != '\0' ? text_width(parts) + GAP : 0;
	g_autofree char *what = text_shorten(state->what, width - taken, unicode);
	return g_strconcat(what, *parts != '\0' ? "  " : "", parts, NULL);
}

/* -- drawing --------------------------------------------------------------------------------------
 */

typedef struct Sample {
	gint64 at_ms, done;
} Sample;

struct Bar {
	GThread *thread;
	GMutex mutex; /* of all below */
	GCond over;
	gboolean is_over, unicode;
	char *what;
	BarUnit unit;
	gint64 done, total, began_ms;
	Sample samples[SAMPLES]; /* a ring */
	guint sampled;
	guint drawn; /* columns of the line that stands there */
};

static guint stderr_width(void)
{
	gint64 columns = 0;
	const char *said = g_getenv("COLUMNS");
	struct winsize size = {0};
	if (said != NULL && parse_integer(said, "COLUMNS", 1, 10000, &columns, NULL))
		return (guint)MAX(columns, WIDTH_LEAST);
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return MAX(size.ws_col, WIDTH_LEAST);
	return WIDTH_UNKNOWN;
}

static gint64 take_rate(Bar *bar, gint64 now_ms)
{
	bar->samples[bar->sampled % SAMPLES] = (Sample){now_ms, bar->done};
	bar->sampled++;
	const Sample *oldest = &bar->samples[bar->sampled > SAMPLES ? bar->sampled % SAMPLES : 0];
	gint64 span_ms = now_ms - oldest->at_ms;
	if (span_ms < RATE_NEEDS_MS)
		return -1;
	return MAX(bar->done - oldest->done, 0) * 1000 / span_ms;
}

/* One blank is left at the right, or some terminals would break the line. */
static void draw(Bar *bar)
{
	gint64 now_ms = clock_monotonic_ms();
	const BarState state = {.what = bar->what,
		.unit = bar->unit,
		.done = bar->done,
		.total = bar->total,
		.rate = take_rate(bar, now_ms),
		.elapsed_s = (now_ms - bar->began_ms) / 1000};
	g_autofree char *line = bar_text(&state, stderr_width() - 1, bar->unicode);
	guint columns = text_width(line);
	fprintf(stderr, "\r%s%*s", line, columns < bar->drawn ? (int)(bar->drawn - columns) : 0,
		"");
	bar->drawn = columns;
}

static void wipe(Bar *bar)
{
	if (bar->drawn > 0)
		fprintf(stderr, "\r%*s\r", (int)bar->drawn, "");
	bar->drawn = 0;
}

static gpointer draw_until_over(gpointer of)
{
	Bar *bar = of;
	g_mutex_lock(&bar->mutex);
	gint64 next_us = g_get_monotonic_time() + APPEARS_AFTER_MS * 1000;
	while (!bar->is_over) {
		if (g_cond_wait_until(&bar->over, &bar->mutex, next_us))
			continue;
		draw(bar);
		next_us = g_get_monotonic_time() + DRAWN_EVERY_MS * 1000;
	}
	wipe(bar);
	g_mutex_unlock(&bar->mutex);
	return NULL;
}

static void begin_step(Bar *bar, const char *what, BarUnit unit)
{
	g_free(bar->what);
	bar->what = text_clean(what);
	bar->unit = unit;
	bar->done = bar->total = 0;
	bar->began_ms = clock_monotonic_ms();
	bar->sampled = 0;
}

Bar *bar_begin(const Screen *screen, const char *what, BarUnit unit)
{
	if (!screen->progress || screen->quiet)
		return NULL;
	Bar *bar = g_new0(Bar, 1);
	bar->unicode = screen->unicode;
	g_mutex_init(&bar->mutex);
	g_cond_init(&bar->over);
	begin_step(bar, what, unit);
	bar->thread = g_thread_new("bar", draw_until_over, bar);
	return bar;
}

void bar_step(Bar *bar, const char *what, BarUnit unit)
{
	if (bar == NULL)
		return;
	g_autofree char *clean = text_clean(what);
	g_mutex_lock(&bar->mutex);
	if (strcmp(clean, bar->what) != 0)
		begin_step(bar, what, unit);
	g_mutex_unlock(&bar->mutex);
}

void bar_set(Bar *bar, gint64 done, gint64 total)
{
	if (bar == NULL)
		return;
	g_mutex_lock(&bar->mutex);
	bar->done = done;
	bar->total = total;
	g_mutex_unlock(&bar->mutex);
}

void bar_end(Bar *bar)
{
	if (bar == NULL)
		return;
	g_mutex_lock(&bar->mutex);
	bar->is_over = TRUE;
	g_cond_signal(&bar->over);
	g_mutex_unlock(&bar->mutex);
	g_thread_join(bar->thread);
	g_mutex_clear(&bar->mutex);
	g_cond_clear(&bar->over);
	g_free(bar->what);
	g_free(bar);
}
