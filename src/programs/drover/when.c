/* SPDX-License-Identifier: ISC
 *
 * An instant as people type it.
 */
#include "programs/drover/when.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/format.h"

/* A hundred years: who means later says the day. */
#define FURTHEST_S (G_GINT64_CONSTANT(100) * 365 * 86400)

static const char AGO[] = " ago";

/* "09:00" of the day that is `days` after that of `now_us`. */
static gboolean read_time_of_day(const char *text, gint64 days, gint64 now_us, gint64 *when_us)
{
	g_autofree char *date = format_date(now_us + days * US_PER_DAY);
	g_autofree char *whole = g_strdup_printf("%sT%s:00Z", date, text);
	return parse_time(whole, when_us, NULL);
}

/* `sign` -1: so long ago, at most since 1970. */
static gboolean read_duration(const char *text, gint64 sign, gint64 now_us, gint64 *when_us)
{
	gint64 seconds;
	if (!parse_duration(text, &seconds, NULL) || seconds > FURTHEST_S)
		return FALSE;
	*when_us = MAX(now_us + sign * seconds * US_PER_SECOND, 0);
	return TRUE;
}

/* "2h ago" */
static gboolean read_past(const char *text, gint64 now_us, gint64 *when_us)
{
	g_autofree char *duration = g_strndup(text, strlen(text) - strlen(AGO));
	return read_duration(duration, -1, now_us, when_us);
}

static const char *after(const char *text, const char *word)
{
	return g_str_has_prefix(text, word) ? text + strlen(word) : NULL;
}

gboolean when_parse(const char *text, gint64 now_us, gint64 *when_us, GError **error)
{
	const char *in = after(text, "in "), *plus = after(text, "+");
	const char *today = after(text, "today "), *tomorrow = after(text, "tomorrow ");
	const char *yesterday = after(text, "yesterday ");
	*when_us = now_us;
	if (strcmp(text, "now") == 0 ||
		(in != NULL		    ? read_duration(in, 1, now_us, when_us)
			: plus != NULL	    ? read_duration(plus, 1, now_us, when_us)
			: today != NULL	    ? read_time_of_day(today, 0, now_us, when_us)
			: tomorrow != NULL  ? read_time_of_day(tomorrow, 1, now_us, when_us)
			: yesterday != NULL ? read_time_of_day(yesterday, -1, now_us, when_us)
			: g_str_has_suffix(text, AGO) ? read_past(text, now_us, when_us)
						      : parse_time(text, when_us, NULL)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%.60s' is not a time: write it as 2026-11-21T09:00:00Z, 'tomorrow 09:00' (UTC), "
		"'in 2h', +30min, now or '2h ago'",
		text);
	return FALSE;
}

char *when_text(const char *text, gint64 now_us, GError **error)
{
	gint64 when_us;
	return when_parse(text, now_us, &when_us, error) ? format_time(when_us) : NULL;
}
