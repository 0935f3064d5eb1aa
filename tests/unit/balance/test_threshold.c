/* SPDX-License-Identifier: ISC
 *
 * Thresholds: exact, whatever way they are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/threshold.h"
#include "base/error.h"

typedef struct Good {
	const char *text, *shown;
	guint total, needed;
} Good;

static void test_thresholds_are_exact(void **state)
{
	static const Good good[] = {
		{".5", "0.5", 5, 3},
		{"0.28", "0.28", 25, 7},
		{".6", "0.6", 5, 3},
		{"5e-1", "0.5", 4, 2},
		{"50E-2", "0.5", 4, 2},
		{"0", "0", 9, 0},
		{"1", "1", 9, 9},
		{"1.", "1", 9, 9},
		{"1.000000000000000000000000", "1", 9, 9},
		{"+.5", "0.5", 1, 1},
		{".333333333333333333", "0.333333333333333333", 3, 1},
		{".07", "0.07", 100, 7},
		{"0e99", "0", 5, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		Threshold threshold = {0};
		assert_true(threshold_parse(good[i].text, &threshold, NULL));
		g_autofree char *shown = threshold_text(threshold);
		assert_string_equal(shown, good[i].shown);
		guint64 needed = threshold_needed(threshold, good[i].total);
		assert_int_equal(needed, good[i].needed);
		assert_true(threshold_is_reached(threshold, needed, good[i].total));
		assert_true(
			needed == 0 || !threshold_is_reached(threshold, needed - 1, good[i].total));
	}
}

static void test_what_is_no_threshold_is_refused(void **state)
{
	static const char *const bad[] = {"", ".", "-0.5", "1.1", "2", "50%", "0,5", "0x1", "nan",
		"inf", "1e", "1e+", ".5 ", " .5", "1e1", "0.1234567890123456789",
		"99999999999999999999999", "1e999999999999999999999",
		"0.00000000000000000000000000000000000000000000000000000000000000001"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		Threshold threshold = {0};
		assert_false(threshold_parse(bad[i], &threshold, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_non_null(strstr(error->message, "must be a number from 0 to 1"));
	}
}

static void test_a_double_means_its_shortest_decimal(void **state)
{
	static const struct {
		double value;
		const char *shown;
	} doubles[] = {{.28, "0.28"}, {.1 + .2, "0.3"}, {1.0 / 3, "0.333333333333333"}, {1, "1"}};
	for (gsize i = 0; i < G_N_ELEMENTS(doubles); i++) {
		Threshold threshold = {0};
		assert_true(threshold_from_double(doubles[i].value, &threshold, NULL));
		g_autofree char *shown = threshold_text(threshold);
		assert_string_equal(shown, doubles[i].shown);
	}
	Threshold threshold = {0};
	assert_false(threshold_from_double(1.5, &threshold, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds_are_exact),
		cmocka_unit_test(test_what_is_no_threshold_is_refused),
		cmocka_unit_test(test_a_double_means_its_shortest_decimal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
