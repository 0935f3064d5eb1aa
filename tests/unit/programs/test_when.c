/* SPDX-License-Identifier: ISC
 *
 * Instants as people type them. It is Saturday, 2026-11-21 10:30 UTC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/format.h"
#include "programs/drover/when.h"

static void assert_when(const char *typed, const char *expected)
{
	gint64 now_us;
	g_autoptr(GError) error = NULL;
	assert_true(parse_time("2026-11-21T10:30:00Z", &now_us, NULL));
	g_autofree char *text = when_text(typed, now_us, &error);
	if (expected == NULL) {
		assert_null(text);
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		return;
	}
	assert_null(error);
	assert_string_equal(text, expected);
}

static void test_an_instant_is_an_instant(void **state)
{
	assert_when("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z");
	assert_when("2026-12-01T09:00:00+02:00", "2026-12-01T07:00:00Z");
	assert_when("2026-12-01", "2026-12-01T00:00:00Z");
	assert_when("now", "2026-11-21T10:30:00Z");
}

static void test_a_time_from_now_is_counted(void **state)
{
	assert_when("+2h", "2026-11-21T12:30:00Z");
	assert_when("in 2h", "2026-11-21T12:30:00Z");
	assert_when("in 30min", "2026-11-21T11:00:00Z");
	assert_when("+1w", "2026-11-28T10:30:00Z");
	assert_when("2h ago", "2026-11-21T08:30:00Z");
	assert_when("5000w ago", "1970-01-01T00:00:00Z");
}

static void test_a_day_has_a_time(void **state)
{
	assert_when("today 09:00", "2026-11-21T09:00:00Z");
	assert_when("tomorrow 09:00", "2026-11-22T09:00:00Z");
	assert_when("yesterday 09:00", "2026-11-20T09:00:00Z");
}

static void test_what_is_no_time_is_refused(void **state)
{
	static const char *const none[] = {"", "+", "in", "in two hours", "tomorrow", "tomorrow 9",
		"tomorrow 25:00", "09:00", "2026-13-01", "-2h", "+5300w", " ago", "soon ago",
		"yesterday"};
	for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
		assert_when(none[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_instant_is_an_instant),
		cmocka_unit_test(test_a_time_from_now_is_counted),
		cmocka_unit_test(test_a_day_has_a_time),
		cmocka_unit_test(test_what_is_no_time_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
