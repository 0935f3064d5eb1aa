/* SPDX-License-Identifier: ISC
 *
 * One event a line: logfmt on stderr (`time=… level=info event=landing.transition landing=43 …`),
 * or JSON with LOG_FORMAT_JSON. When stderr is the journal, the time is left to it and the line
 * begins with the journal's priority (`<6>`). A line is written with one write(2), so lines of
 * several processes never mix. Values are escaped: an event is always exactly one line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>

typedef enum LogLevel {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
} LogLevel;
typedef enum LogFormat { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON, LOG_FORMAT_JOURNAL } LogFormat;

/* Call once in main(). Before, events at info and above go to stderr as logfmt. */
void log_setup(LogFormat format, LogLevel up_to, int fd);
/* LOG_FORMAT_JOURNAL when JOURNAL_STREAM names our stderr, else LOG_FORMAT_LOGFMT. */
LogFormat log_format_for_stderr(void);
gboolean log_wants(LogLevel level);

/* Pairs of key and value (both const char *), ended by NULL; a NULL value leaves the pair out.
 *     log_event(LOG_LEVEL_INFO, "landing.transition", "landing", "43", "to", "BAD", NULL); */
void log_event(LogLevel level, const char *event, ...) G_GNUC_NULL_TERMINATED;
/* The same line as text without its newline, for tests and for logs kept elsewhere. Caller frees.
 */
char *log_line(LogFormat format, gint64 time_us, LogLevel level, const char *event,
	const char *const *pairs);

#endif
