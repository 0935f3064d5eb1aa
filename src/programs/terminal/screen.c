/* SPDX-License-Identifier: ISC
 *
 * Where the command says things.
 */
#include "programs/terminal/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "programs/terminal/text.h"
#include "wire/json.h"

enum { NARROWEST = 40, WIDTH_UNKNOWN = 80, PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 500 };

static guint terminal_width(void)
{
	gint64 columns = 0;
	const char *said = g_getenv("COLUMNS");
	struct winsize size = {0};
	if (said != NULL && parse_integer(said, "COLUMNS", 1, 10000, &columns, NULL))
		return (guint)MAX(columns, NARROWEST);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return MAX(size.ws_col, NARROWEST);
	return WIDTH_UNKNOWN;
}

void screen_look(Screen *screen, ColorWhen when)
{
	const char *no_color = g_getenv("NO_COLOR");
	const char *term = g_getenv("TERM");
	gboolean terminal = isatty(STDOUT_FILENO) != 0;
	gboolean wanted =
		terminal && g_strcmp0(term, "dumb") != 0 && (no_color == NULL || *no_color == '\0');
	screen->colour = when == COLOR_ALWAYS || (when == COLOR_AUTO && wanted);
	screen->unicode = g_get_charset(NULL);
	screen->progress = isatty(STDERR_FILENO) != 0;
	screen->width = terminal ? terminal_width() : 0;
}

char *style_wrap(Style style, gboolean colour, const char *bytes)
{
	static const char *const codes[] = {
		[STYLE_GOOD] = "32",
		[STYLE_BAD] = "1;31",
		[STYLE_WAITING] = "33",
		[STYLE_DIM] = "2",
		[STYLE_STRONG] = "1",
	};
	if (!colour || style == STYLE_PLAIN || *bytes == '\0')
		return g_strdup(bytes);
	return g_strdup_printf("\033[%sm%s\033[0m", codes[style], bytes);
}

static void say(FILE *stream, const char *before, const char *after, const char *format,
	va_list arguments) G_GNUC_PRINTF(4, 0);

/* "drover: warning: " */
static char *prefix(const char *kind)
{
	const char *program = g_get_prgname();
	return g_strconcat(program != NULL ? program : "drover", ": ", kind, NULL);
}

static void say(
	FILE *stream, const char *before, const char *after, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	g_autofree char *clean = text_clean(text);
	g_autofree char *whole = g_strconcat(before, clean, after, NULL);
	fputs(whole, stream);
}

void screen_part(const Screen *screen, Style style, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *clean = text_clean(text);
	g_autofree char *styled = style_wrap(style, screen->colour, clean);
	fputs(styled, stdout);
}

void screen_line(const Screen *screen, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(stdout, "", "\n", format, arguments);
	va_end(arguments);
}

void screen_block(const Screen *screen, guint indent, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++)
		if (lines[i + 1] != NULL || *lines[i] != '\0')
			screen_line(
				screen, "%*s%s", *lines[i] != '\0' ? (int)indent : 0, "", lines[i]);
}

void screen_done(const Screen *screen, const char *format, ...)
{
	if (screen->quiet || screen->json)
		return;
	va_list arguments;
	va_start(arguments, format);
	say(stdout, "", "\n", format, arguments);
	va_end(arguments);
}

void screen_json(const Screen *screen, const json_t *value)
{
	g_autofree char *text = json_write_pretty(value);
	for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar character = g_utf8_get_char(c);
		if (character >= 0x7f && character < 0xa0)
			printf("\\u%04x", character);
		else
			fwrite(c, 1, (gsize)(g_utf8_next_char(c) - c), stdout);
	}
}

void screen_note(const Screen *screen, const char *format, ...)
{
	if (screen->quiet)
		return;
	va_list arguments;
	g_autofree char *before = prefix("");
	va_start(arguments, format);
	say(stderr, before, "\n", format, arguments);
	va_end(arguments);
}

void screen_warn(const Screen *screen, const char *format, ...)
{
	va_list arguments;
	g_autofree char *before = prefix("warning: ");
	va_start(arguments, format);
	say(stderr, before, "\n", format, arguments);
	va_end(arguments);
}

void screen_error(const GError *error)
{
	fflush(stdout);
	g_autofree char *before = prefix("error: ");
	g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++) {
		g_autofree char *clean = text_clean(lines[i]);
		fprintf(stderr, "%s%s\n", i == 0 ? before : "", clean);
	}
}

gboolean screen_flush(GError **error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot write the answer: %s", g_strerror(errno));
	return FALSE;
}

struct Progress {
	GThread *thread;
	GMutex mutex;
	GCond over;
	gboolean is_over;
	char *what;
	gint64 began_ms;
};

static gpointer show_progress(gpointer of)
{
	Progress *progress = of;
	gboolean shown = FALSE;
	g_mutex_lock(&progress->mutex);
	gint64 next_us = g_get_monotonic_time() + PROGRESS_AFTER_MS * 1000;
	while (!progress->is_over) {
		if (g_cond_wait_until(&progress->over, &progress->mutex, next_us))
			continue;
		g_autofree char *age =
			format_duration((clock_monotonic_ms() - progress->began_ms) / 1000);
		fprintf(stderr, "\r%s ... %s ", progress->what, age);
		shown = TRUE;
		next_us += PROGRESS_EVERY_MS * 1000;
	}
	if (shown)
		fprintf(stderr, "\r%*s\r", (int)text_width(progress->what) + 24, "");
	g_mutex_unlock(&progress->mutex);
	return NULL;
}

Progress *progress_begin(const Screen *screen, const char *what)
{
	if (!screen->progress || screen->quiet)
		return NULL;
	Progress *progress = g_new0(Progress, 1);
	progress->what = text_clean(what);
	progress->began_ms = clock_monotonic_ms();
	g_mutex_init(&progress->mutex);
	g_cond_init(&progress->over);
	progress->thread = g_thread_new("progress", show_progress, progress);
	return progress;
}

void progress_end(Progress *progress)
{
	if (progress == NULL)
		return;
	g_mutex_lock(&progress->mutex);
	progress->is_over = TRUE;
	g_cond_signal(&progress->over);
	g_mutex_unlock(&progress->mutex);
	g_thread_join(progress->thread);
	g_mutex_clear(&progress->mutex);
	g_cond_clear(&progress->over);
	g_free(progress->what);
	g_free(progress);
}
