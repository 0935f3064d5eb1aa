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

/* "09:00" of the day that is `days` after that of `now_us`. */
static gboolean read_time_of_day(const char *text, gint64 days, gint64 now_us, gint64 *when_us)
{
	g_autofree char *date = format_date(now_us + days * US_PER_DAY);
	g_autofree char *whole = g_strdup_printf("%sT%s:00Z", date, text);
	return parse_time(whole, when_us, NULL);
}

static gboolean read_duration(const char *text, gint64 now_us, gint64 *when_us)
{
	gint64 seconds;
	if (!parse_duration(text, &seconds, NULL) || seconds > FURTHEST_S)
		return FALSE;
	*when_us = now_us + seconds * US_PER_SECOND;
	return TRUE;
}

static const char *after(const char *text, const char *word)
{
	return g_str_has_prefix(text, word) ? text + strlen(word) : NULL;
}

gboolean when_parse(const char *text, gint64 now_us, gint64 *when_us, GError **error)
{
	const char *in = after(text, "in "), *plus = after(text, "+");
	const char *today = after(text, "today "), *tomorrow = after(text, "tomorrow ");
	*when_us = now_us;
	if (strcmp(text, "now") == 0 ||
		(in != NULL		   ? read_duration(in, now_us, when_us)
			: plus != NULL	   ? read_duration(plus, now_us, when_us)
			: today != NULL	   ? read_time_of_day(today, 0, now_us, when_us)
			: tomorrow != NULL ? read_time_of_day(tomorrow, 1, now_us, when_us)
					   : parse_time(text, when_us, NULL)))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%.60s' is not a time: write it as 2026-11-21T09:00:00Z, 'tomorrow 09:00' (UTC), "
		"'in 2h', +30min or now",
		text);
	return FALSE;
}

char *when_text(const char *text, gint64 now_us, GError **error)
{
	gint64 when_us;
	return when_parse(text, now_us, &when_us, error) ? format_time(when_us) : NULL;
}
