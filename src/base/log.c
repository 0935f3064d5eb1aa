/* SPDX-License-Identifier: ISC
 *
 * One event a line. The process's log destination is the one global of this room: it belongs to the
 * process as stderr does, and is set once in main().
 */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"

static struct {
	LogFormat format;
	LogLevel up_to;
	int fd;
} destination = {LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, STDERR_FILENO};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
/* The journal's priorities: err, warning, info, debug. */
static const int journal_priorities[] = {3, 4, 6, 7};

void log_setup(LogFormat format, LogLevel up_to, int fd)
{
	destination.format = format;
	destination.up_to = up_to;
	destination.fd = fd;
}

LogFormat log_format_for_stderr(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	struct stat status;
	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return LOG_FORMAT_LOGFMT;
	g_autofree char *ours = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
		(guint64)status.st_dev, (guint64)status.st_ino);
	return strcmp(stream, ours) == 0 ? LOG_FORMAT_JOURNAL : LOG_FORMAT_LOGFMT;
}

gboolean log_wants(LogLevel level)
{
	return level <= destination.up_to;
}

static void append_escaped(GString *line, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	for (const char *c = valid; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_c(line, '\\');
		if (*c == '\n')
			g_string_append(line, "\\n");
		else if (*c == '\t')
			g_string_append(line, "\\t");
		else if ((guchar)*c < 0x20 || *c == 0x7f)
			g_string_append_printf(line, "\\u%04x", (guint)(guchar)*c);
		else if ((guchar)c[0] == 0xc2 && (guchar)c[1] < 0xa0)
			/* U+0080 to U+009F: to a terminal, U+009B is what ESC [ is */
			g_string_append_printf(line, "\\u%04x", (guint)(guchar) * ++c);
		else
			g_string_append_c(line, *c);
	}
}

static gboolean is_plain(const char *text)
{
	if (*text == '\0')
		return FALSE;
	for (const char *c = text; *c != '\0'; c++)
		if ((guchar)*c <= ' ' || (guchar)*c >= 0x7f || strchr("\"=\\", *c) != NULL)
			return FALSE;
	return TRUE;
}

static void append_pair(GString *line, LogFormat format, const char *key, const char *value)
{
	if (format == LOG_FORMAT_JSON) {
		g_string_append(line, line->len > 1 ? ",\"" : "\"");
		append_escaped(line, key);
		g_string_append(line, "\":\"");
		append_escaped(line, value);
		g_string_append_c(line, '"');
		return;
	}
	g_string_append(line, key);
	g_string_append_c(line, '=');
	if (is_plain(value)) {
		g_string_append(line, value);
		g_string_append_c(line, ' ');
		return;
	}
	g_string_append_c(line, '"');
	append_escaped(line, value);
	g_string_append(line, "\" ");
}

char *log_line(LogFormat format, gint64 time_us, LogLevel level, const char *event,
	const char *const *pairs)
{
	g_autoptr(GString) line = g_string_new(format == LOG_FORMAT_JSON ? "{" : NULL);
	if (format == LOG_FORMAT_JOURNAL) {
		g_string_append_printf(line, "<%d>", journal_priorities[level]);
	} else {
		g_autofree char *time = format_time(time_us);
		append_pair(line, format, "time", time);
	}
	append_pair(line, format, "level", level_names[level]);
	append_pair(line, format, "event", event);
	for (; pairs != NULL && pairs[0] != NULL; pairs += 2)
		append_pair(line, format, pairs[0], pairs[1]);
	if (format == LOG_FORMAT_JSON)
		g_string_append_c(line, '}');
	else
		g_string_truncate(line, line->len - 1); /* the blank after the last pair */
	return g_string_free(g_steal_pointer(&line), FALSE);
}

void log_event(LogLevel level, const char *event, ...)
{
	if (!log_wants(level))
		return;
	g_autoptr(GPtrArray) pairs = g_ptr_array_new();
	va_list arguments;
	va_start(arguments, event);
	for (const char *key; (key = va_arg(arguments, const char *)) != NULL;) {
		const char *value = va_arg(arguments, const char *);
		if (value == NULL)
			continue;
		g_ptr_array_add(pairs, (gpointer)key);
		g_ptr_array_add(pairs, (gpointer)value);
	}
	va_end(arguments);
	g_ptr_array_add(pairs, NULL);
	g_autofree char *line = log_line(destination.format, clock_now_us(CLOCK_SYSTEM), level,
		event, (const char *const *)pairs->pdata);
	g_autofree char *whole = g_strconcat(line, "\n", NULL);
	/* A log that cannot be written must not stop the work that it is about. */
	gssize written = write(destination.fd, whole, strlen(whole));
	(void)written;
}
