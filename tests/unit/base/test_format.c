/* SPDX-License-Identifier: ISC
 *
 * Numbers, times, durations and sizes as text, and back. The numbers of seconds are those of
 * date(1).
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/format.h"

#define SECONDS(count) (G_GINT64_CONSTANT(count) * US_PER_SECOND)

static const struct {
	gint64 time_us;
	const char *text, *brief, *date, *mail;
} times[] = {
	{0, "1970-01-01T00:00:00Z", "1970-01-01 00:00", "1970-01-01",
		"Thu, 01 Jan 1970 00:00:00 +0000"},
	{-1, "1969-12-31T23:59:59.999999Z", "1969-12-31 23:59", "1969-12-31",
		"Wed, 31 Dec 1969 23:59:59 +0000"},
	{SECONDS(-1), "1969-12-31T23:59:59Z", "1969-12-31 23:59", "1969-12-31",
		"Wed, 31 Dec 1969 23:59:59 +0000"},
	{SECONDS(-2203891200), "1900-03-01T00:00:00Z", "1900-03-01 00:00", "1900-03-01",
		"Thu, 01 Mar 1900 00:00:00 +0000"},
	{SECONDS(951825600), "2000-02-29T12:00:00Z", "2000-02-29 12:00", "2000-02-29",
		"Tue, 29 Feb 2000 12:00:00 +0000"},
	{SECONDS(1709164800), "2024-02-29T00:00:00Z", "2024-02-29 00:00", "2024-02-29",
		"Thu, 29 Feb 2024 00:00:00 +0000"},
	{SECONDS(1795232839) + 250000, "2026-11-21T03:47:19.25Z", "2026-11-21 03:47", "2026-11-21",
		"Sat, 21 Nov 2026 03:47:19 +0000"},
	{SECONDS(4107542400), "2100-03-01T00:00:00Z", "2100-03-01 00:00", "2100-03-01",
		"Mon, 01 Mar 2100 00:00:00 +0000"},
	{SECONDS(-62135596800), "0001-01-01T00:00:00Z", "0001-01-01 00:00", "0001-01-01",
		"Mon, 01 Jan 0001 00:00:00 +0000"},
	{SECONDS(253402300799), "9999-12-31T23:59:59Z", "9999-12-31 23:59", "9999-12-31",
		"Fri, 31 Dec 9999 23:59:59 +0000"},
};

static void test_times_as_text(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		g_autofree char *text = format_time(times[i].time_us);
		g_autofree char *brief = format_time_short(times[i].time_us);
		g_autofree char *date = format_date(times[i].time_us);
		g_autofree char *mail = format_time_mail(times[i].time_us);
		assert_string_equal(text, times[i].text);
		assert_string_equal(brief, times[i].brief);
		assert_string_equal(date, times[i].date);
		assert_string_equal(mail, times[i].mail);
	}
}

static void test_every_time_comes_back_from_its_text(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	for (int i = 0; i < 20000; i++) {
		gint64 time_us = (gint64)g_rand_double_range(random, -6e16, 2.5e17);
		g_autofree char *text = format_time(time_us);
		gint64 back = 0;
		assert_true(parse_time(text, &back, NULL));
		if (back != time_us)
			fail_msg("%s: %ld became %ld", text, (long)time_us, (long)back);
	}
}

static const struct {
	const char *text;
	gint64 time_us;
} readable_times[] = {
	{"2026-11-21T03:47:19Z", SECONDS(1795232839)},
	{"2026-11-21 03:47:19Z", SECONDS(1795232839)},
	{"2026-11-21T03:47:19z", SECONDS(1795232839)},
	{"2026-11-21t03:47:19Z", SECONDS(1795232839)},
	{"2026-11-21T04:47:19+01:00", SECONDS(1795232839)},
	{"2026-11-20T22:17:19-05:30", SECONDS(1795232839)},
	{"2026-11-21T03:47:19-00:00", SECONDS(1795232839)},
	{"2026-11-21T03:47:19.000001Z", SECONDS(1795232839) + 1},
	{"2026-11-21T03:47:19.999999Z", SECONDS(1795232839) + 999999},
	{"2026-11-21T03:47:19.1234567891Z", SECONDS(1795232839) + 123456},
	{"2024-02-29", SECONDS(1709164800)},
	{"2000-02-29T12:00:00Z", SECONDS(951825600)},
	{"1969-12-31T23:59:59Z", SECONDS(-1)},
	{"1969-12-31T23:59:59.5Z", -500000},
};

static void test_times_with_offsets_and_fractions_are_read(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(readable_times); i++) {
		gint64 time_us = 0;
		g_autoptr(GError) error = NULL;
		if (!parse_time(readable_times[i].text, &time_us, &error))
			fail_msg("%s", error->message);
		assert_int_equal(time_us, readable_times[i].time_us);
	}
}

static const char *const no_times[] = {"", "now", "2026", "2026-11", "2026-11-21T", "2026-02-29",
	"1900-02-29", "2026-13-01", "2026-00-01", "2026-11-31", "2026-11-21T24:00:00Z",
	"2026-11-21T03:60:00Z", "2026-11-21T03:47:61Z", "2026-11-21T03:47:19", "20261121T034719Z",
	"2026-W47-6", "2026-325T03:47:19Z", "2026-11-21T03:47:19Zjunk", "2026-11-21T03:47:19+1",
	"2026-11-21T03:47:19+25:00", "2026-11-21T03:47:19+01:60", "2026-11-21T03:47:19.Z",
	"2026-11-21T03:47Z", " 2026-11-21", "2026-11-21 ", "-026-11-21", "2026-11-2x", "+2026-11-1",
	"0000-01-01", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"};

static void test_what_is_no_time_is_refused(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(no_times); i++) {
		gint64 time_us = 0;
		g_autoptr(GError) error = NULL;
		if (parse_time(no_times[i], &time_us, &error))
			fail_msg("'%s' was read as %ld", no_times[i], (long)time_us);
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_non_null(strstr(error->message, no_times[i]));
	}
}

static const struct {
	gint64 seconds;
	const char *text;
} durations[] = {{-5, "0 s"}, {0, "0 s"}, {1, "1 s"}, {59, "59 s"}, {60, "1 min"}, {119, "1 min"},
	{3599, "59 min"}, {3600, "1 h"}, {3660, "1 h 1 min"}, {12000, "3 h 20 min"},
	{86399, "23 h 59 min"}, {86400, "1 d"}, {439200, "5 d 2 h"}, {86400 + 59, "1 d"}};

static void test_durations_have_two_units_at_most(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(durations); i++) {
		g_autofree char *text = format_duration(durations[i].seconds);
		assert_string_equal(text, durations[i].text);
	}
}

static const struct {
	const char *text;
	gint64 seconds;
} readable_durations[] = {{"0", 0}, {"90", 90}, {"90s", 90}, {"90 sec", 90}, {"15min", 900},
	{"15m", 900}, {"15 min", 900}, {"12h", 43200}, {"7d", 604800}, {"2w", 1209600},
	{"9999999999w", G_GINT64_CONSTANT(6047999999395200)}};

static void test_durations_are_read(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(readable_durations); i++) {
		gint64 seconds = -1;
		assert_true(parse_duration(readable_durations[i].text, &seconds, NULL));
		assert_int_equal(seconds, readable_durations[i].seconds);
	}
}

static void test_what_is_no_duration_is_refused(void **state)
{
	static const char *const texts[] = {"", "s", "min", "-5s", "1.5h", "5 parsecs", " 5s",
		"5s ", "5ss", "12345678901s", "5M", "1h30m"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		gint64 seconds = 0;
		g_autoptr(GError) error = NULL;
		assert_false(parse_duration(texts[i], &seconds, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

static void test_sizes_are_powers_of_1000_rounded_down(void **state)
{
	static const struct {
		guint64 bytes;
		const char *text;
	} sizes[] = {{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1234, "1.2 kB"},
		{999999, "999.9 kB"}, {1000000, "1.0 MB"}, {3450000, "3.4 MB"},
		{G_GUINT64_CONSTANT(2000000000), "2.0 GB"}, {G_MAXUINT64, "18.4 EB"}};
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *text = format_size(sizes[i].bytes);
		assert_string_equal(text, sizes[i].text);
	}
}

static void test_counts_have_commas(void **state)
{
	static const struct {
		gint64 count;
		const char *text;
	} counts[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"},
		{-1000, "-1,000"}, {-999, "-999"}, {G_MAXINT64, "9,223,372,036,854,775,807"},
		{G_MININT64, "-9,223,372,036,854,775,808"}};
	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autofree char *text = format_count(counts[i].count);
		assert_string_equal(text, counts[i].text);
	}
}

static void test_integers_are_whole_and_within_their_limits(void **state)
{
	gint64 value = 0;
	assert_true(parse_integer("65535", "port", 0, 65535, &value, NULL));
	assert_int_equal(value, 65535);
	assert_true(parse_integer("-9223372036854775808", "n", G_MININT64, 0, &value, NULL));
	assert_true(value == G_MININT64);
	static const char *const texts[] = {"", " 5", "5 ", "5x", "0x10", "1e3", "1.0", "65536",
		"-1", "9223372036854775808", "five"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(parse_integer(texts[i], "port", 0, 65535, &value, &error));
		g_autofree char *expected = g_strdup_printf(
			"port: '%s' is not a whole number from 0 to 65535", texts[i]);
		assert_string_equal(error->message, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_as_text),
		cmocka_unit_test(test_every_time_comes_back_from_its_text),
		cmocka_unit_test(test_times_with_offsets_and_fractions_are_read),
		cmocka_unit_test(test_what_is_no_time_is_refused),
		cmocka_unit_test(test_durations_have_two_units_at_most),
		cmocka_unit_test(test_durations_are_read),
		cmocka_unit_test(test_what_is_no_duration_is_refused),
		cmocka_unit_test(test_sizes_are_powers_of_1000_rounded_down),
		cmocka_unit_test(test_counts_have_commas),
		cmocka_unit_test(test_integers_are_whole_and_within_their_limits),
	};
	int failed = cmocka_run_group_tests_name("format", tests, NULL, NULL);
	/* The same words where 1.5 is written 1,5; a machine without that locale tests it once. */
	if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL)
		failed += cmocka_run_group_tests_name("format in German", tests, NULL, NULL);
	return failed;
}
