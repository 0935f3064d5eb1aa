/* SPDX-License-Identifier: ISC
 *
 * Numbers, times, durations and sizes as text, and back, the same in every locale.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <glib.h>

/* "2026-11-21T03:47:19Z"; with a fraction only when there is one: "…19.25Z". Caller frees. */
char *format_time(gint64 time_us);
/* "2026-11-21 03:47" UTC, for people. Caller frees. */
char *format_time_short(gint64 time_us);
/* "2026-11-21" UTC. Caller frees. */
char *format_date(gint64 time_us);
/* The mail date of RFC 5322: "Sat, 21 Nov 2026 03:47:19 +0000". Caller frees. */
char *format_time_mail(gint64 time_us);
/* RFC 3339, any offset (but there must be one); also a date alone (midnight UTC) and a blank
 * instead of T. No leap seconds, as in POSIX.
 * Fails with DROVER_ERROR_INPUT. */
gboolean parse_time(const char *text, gint64 *time_us, GError **error);

/* "4 s", "12 min", "3 h 20 min", "5 d 2 h": two units at most, rounded down. Caller frees. */
char *format_duration(gint64 seconds);
/* "90", "90s", "15min" or "15m", "12h", "7d", "2w": seconds. Fails with DROVER_ERROR_INPUT. */
gboolean parse_duration(const char *text, gint64 *seconds, GError **error);

/* "0 B", "999 B", "1.2 kB", "3.4 MB": powers of 1000. Caller frees. */
char *format_size(guint64 bytes);
/* "1,234,567" */
char *format_count(gint64 count);

/* A whole decimal number from `minimum` to `maximum`, nothing before or after it. `what` names it
 * in the error. Fails with DROVER_ERROR_INPUT. */
gboolean parse_integer(const char *text, const char *what, gint64 minimum, gint64 maximum,
	gint64 *value, GError **error);

#endif
