/* SPDX-License-Identifier: ISC
 *
 * Numbers, times, durations and sizes as text, and back. Nothing here asks the locale: names of
 * months and days are ours, and no printf conversion that depends on it (%f, %') is used.
 */
#include "base/format.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static GDateTime *utc(gint64 time_us)
{
	gint64 seconds = time_us / US_PER_SECOND;
	if (time_us % US_PER_SECOND < 0)
		seconds--;
	GDateTime *date = g_date_time_new_from_unix_utc(seconds);
	return date != NULL ? date : g_date_time_new_from_unix_utc(0);
}

char *format_time(gint64 time_us)
{
	g_autoptr(GDateTime) date = utc(time_us);
	gint64 fraction = ((time_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
	g_autoptr(GString) text = g_string_new(NULL);
	g_string_printf(text, "%04d-%02d-%02dT%02d:%02d:%02d", g_date_time_get_year(date),
		g_date_time_get_month(date), g_date_time_get_day_of_month(date),
		g_date_time_get_hour(date), g_date_time_get_minute(date),
		g_date_time_get_second(date));
	if (fraction != 0) {
		g_string_append_printf(text, ".%06d", (int)fraction);
		while (text->str[text->len - 1] == '0')
			g_string_truncate(text, text->len - 1);
	}
	g_string_append_c(text, 'Z');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char *format_time_short(gint64 time_us)
{
	g_autoptr(GDateTime) date = utc(time_us);
	return g_strdup_printf("%04d-%02d-%02d %02d:%02d", g_date_time_get_year(date),
		g_date_time_get_month(date), g_date_time_get_day_of_month(date),
		g_date_time_get_hour(date), g_date_time_get_minute(date));
}

char *format_date(gint64 time_us)
{
	g_autoptr(GDateTime) date = utc(time_us);
	return g_strdup_printf("%04d-%02d-%02d", g_date_time_get_year(date),
		g_date_time_get_month(date), g_date_time_get_day_of_month(date));
}

char *format_time_mail(gint64 time_us)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	g_autoptr(GDateTime) date = utc(time_us);
	return g_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d +0000",
		days[g_date_time_get_day_of_week(date) - 1], g_date_time_get_day_of_month(date),
		months[g_date_time_get_month(date) - 1], g_date_time_get_year(date),
		g_date_time_get_hour(date), g_date_time_get_minute(date),
		g_date_time_get_second(date));
}

/* Reads `digits` digits at *at and moves it behind them; FALSE when they are not there or their
 * number is over `maximum`. */
static gboolean read_digits(const char **at, int digits, int maximum, int *number)
{
	*number = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (!g_ascii_isdigit(**at))
			return FALSE;
		*number = *number * 10 + (**at - '0');
	}
	return *number <= maximum;
}

static gboolean read_one_of(const char **at, const char *letters)
{
	if (**at == '\0' || strchr(letters, **at) == NULL)
		return FALSE;
	(*at)++;
	return TRUE;
}

/* 0001-01-01T00:00:00Z, and the last microsecond of 9999: what four digits can write. */
#define FIRST_US (G_GINT64_CONSTANT(-62135596800) * US_PER_SECOND)
#define LAST_US	 (G_GINT64_CONSTANT(253402300800) * US_PER_SECOND - 1)

/* "2026-11-21": days since 1970-01-01. */
static gboolean read_date(const char **at, gint64 *days)
{
	enum { JULIAN_DAY_OF_1970 = 719163 };
	int year, month, day;
	if (!read_digits(at, 4, 9999, &year) || !read_one_of(at, "-") ||
		!read_digits(at, 2, 12, &month) || !read_one_of(at, "-") ||
		!read_digits(at, 2, 31, &day) ||
		!g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return FALSE;
	GDate date;
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	*days = (gint64)g_date_get_julian(&date) - JULIAN_DAY_OF_1970;
	return TRUE;
}

/* "03:47:19.25": microseconds since midnight. Digits below a microsecond are dropped. */
static gboolean read_time_of_day(const char **at, gint64 *time_us)
{
	int hour, minute, second;
	if (!read_digits(at, 2, 23, &hour) || !read_one_of(at, ":") ||
		!read_digits(at, 2, 59, &minute) || !read_one_of(at, ":") ||
		!read_digits(at, 2, 59, &second))
		return FALSE;
	*time_us = ((hour * 60 + minute) * 60 + second) * US_PER_SECOND;
	if (**at != '.')
		return TRUE;
	const char *first = ++*at;
	for (gint64 worth_us = US_PER_SECOND / 10; g_ascii_isdigit(**at); worth_us /= 10, (*at)++)
		*time_us += (**at - '0') * worth_us;
	return *at > first;
}

/* "Z" or "+01:00": seconds that local time is ahead of UTC. */
static gboolean read_offset(const char **at, gint64 *seconds)
{
	*seconds = 0;
	if (read_one_of(at, "Zz"))
		return TRUE;
	int sign = **at == '-' ? -1 : 1, hours, minutes;
	if (!read_one_of(at, "+-") || !read_digits(at, 2, 23, &hours) || !read_one_of(at, ":") ||
		!read_digits(at, 2, 59, &minutes))
		return FALSE;
	*seconds = sign * (hours * 60 + minutes) * 60;
	return TRUE;
}

gboolean parse_time(const char *text, gint64 *time_us, GError **error)
{
	const char *at = text;
	gint64 days = 0, of_day_us = 0, offset = 0;
	gboolean read = read_date(&at, &days);
	if (read && *at != '\0')
		read = read_one_of(&at, "Tt ") && read_time_of_day(&at, &of_day_us) &&
		       read_offset(&at, &offset) && *at == '\0';
	if (!read) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%.60s' is not a time: write it as 2026-11-21T03:47:19Z or 2026-11-21",
			text);
		return FALSE;
	}
	gint64 utc_us = days * US_PER_DAY + of_day_us - offset * US_PER_SECOND;
	if (utc_us < FIRST_US || utc_us > LAST_US) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%.60s' is not a time in the years 1 to 9999 of UTC", text);
		return FALSE;
	}
	*time_us = utc_us;
	return TRUE;
}

typedef struct Unit {
	const char *name;
	gint64 seconds;
} Unit;

char *format_duration(gint64 seconds)
{
	static const Unit units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
	if (seconds < 0)
		seconds = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		if (seconds < units[i].seconds)
			continue;
		gint64 count = seconds / units[i].seconds;
		gint64 rest = i < 2 ? seconds % units[i].seconds / units[i + 1].seconds : 0;
		if (rest == 0)
			return g_strdup_printf("%" G_GINT64_FORMAT " %s", count, units[i].name);
		return g_strdup_printf("%" G_GINT64_FORMAT " %s %" G_GINT64_FORMAT " %s", count,
			units[i].name, rest, units[i + 1].name);
	}
	return g_strdup("0 s");
}

gboolean parse_duration(const char *text, gint64 *seconds, GError **error)
{
	static const Unit units[] = {{"", 1}, {"s", 1}, {"sec", 1}, {"m", 60}, {"min", 60},
		{"h", 3600}, {"d", 86400}, {"w", 7 * 86400}};
	const char *end = text;
	gint64 count = 0;
	while (g_ascii_isdigit(*end) && end - text < 10)
		count = count * 10 + (*end++ - '0');
	const char *unit = end;
	while (*unit == ' ')
		unit++;
	for (gsize i = 0; end > text && i < G_N_ELEMENTS(units); i++) {
		if (strcmp(unit, units[i].name) == 0) {
			*seconds = count * units[i].seconds;
			return TRUE;
		}
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%.60s' is not a duration: write a whole number with s, min, h, d or w, as 15min",
		text);
	return FALSE;
}

char *format_size(guint64 bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	guint64 tenths = bytes, divisor = 1;
	gsize unit = 0;
	while (bytes / divisor >= 1000 && unit + 1 < G_N_ELEMENTS(units)) {
		divisor *= 1000;
		unit++;
	}
	if (unit == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT " B", bytes);
	tenths = bytes / (divisor / 10);
	return g_strdup_printf("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT " %s", tenths / 10,
		tenths % 10, units[unit]);
}

char *format_count(gint64 count)
{
	g_autofree char *digits =
		g_strdup_printf("%" G_GUINT64_FORMAT, count < 0 ? -(guint64)count : (guint64)count);
	g_autoptr(GString) text = g_string_new(count < 0 ? "-" : "");
	gsize length = strlen(digits);
	for (gsize i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			g_string_append_c(text, ',');
		g_string_append_c(text, digits[i]);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean parse_integer(const char *text, const char *what, gint64 minimum, gint64 maximum,
	gint64 *value, GError **error)
{
	g_autoptr(GError) local = NULL;
	if (g_ascii_string_to_signed(text, 10, minimum, maximum, value, &local))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: '%.60s' is not a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
		what, text, minimum, maximum);
	return FALSE;
}
