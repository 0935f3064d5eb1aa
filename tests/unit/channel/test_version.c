/* SPDX-License-Identifier: ISC
 *
 * Versions: order, what is none, and globs, in three schemes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/rule/version.h"

/* Each is smaller than those after it, and equal to itself. */
static void assert_rising(VersionScheme scheme, const char *const *texts, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		for (gsize j = 0; j < count; j++) {
			Version a, b;
			assert_true(version_parse(scheme, texts[i], &a, NULL));
			assert_true(version_parse(scheme, texts[j], &b, NULL));
			int order = version_compare(&a, &b);
			if ((order < 0) != (i < j) || (order > 0) != (i > j))
				fail_msg("%s and %s compare as %d", texts[i], texts[j], order);
		}
	}
}

static void assert_equal(VersionScheme scheme, const char *first, const char *second)
{
	Version a, b;
	assert_true(version_parse(scheme, first, &a, NULL));
	assert_true(version_parse(scheme, second, &b, NULL));
	assert_int_equal(version_compare(&a, &b), 0);
	assert_int_equal(version_compare(&b, &a), 0);
}

static void assert_none(VersionScheme scheme, const char *text)
{
	Version version;
	g_autoptr(GError) error = NULL;
	assert_false(version_parse(scheme, text, &version, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
}

static void test_mozilla_orders_suffixes_below_the_release(void **state)
{
	static const char *const rising[] = {"1.5.0.9", "1.5.0.12", "3.6.3plugin1", "3.6.3",
		"60.0a1", "60.0b1", "60.0b2", "60.0b10", "60.0esr", "60.0-x", "60.0", "60.0.1a1",
		"60.0.1", "60.1", "100.0", "123456789012345678901234567890.0"};
	assert_rising(VERSION_MOZILLA, rising, G_N_ELEMENTS(rising));
}

static void test_mozilla_drops_the_third_of_four(void **state)
{
	assert_equal(VERSION_MOZILLA, "1.5.0.12", "1.5.12");
	assert_equal(VERSION_MOZILLA, "1.5.7.12", "1.5.0.12");
}

static void test_mozilla_x_y_is_x_y_0(void **state)
{
	assert_equal(VERSION_MOZILLA, "60.0", "60.0.0");
	assert_equal(VERSION_MOZILLA, "60.0b1", "60.0.0b1");
	assert_equal(VERSION_MOZILLA, "8.02", "8.2");
	assert_equal(VERSION_MOZILLA, "60.0beta3", "60.0b3");
}

static void test_what_is_no_version_of_mozilla_is_refused(void **state)
{
	static const char *const none[] = {"", "60", "60.", ".60", "60..0", "1.2.3.4.5", "60.0 ",
		" 60.0", "60.x", "60.0b1b2", "60.0-", "-60.0", "60,0", "60.0\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
		assert_none(VERSION_MOZILLA, none[i]);
}

static void test_loose_goes_part_by_part_and_longer_is_greater(void **state)
{
	static const char *const rising[] = {"0.9", "1.2", "1.2.0", "1.2b3", "1.10", "2.0", "2.0.0",
		"2.0.1", "6.9.9", "7", "7-RC1", "7rc1"};
	assert_rising(VERSION_LOOSE, rising, G_N_ELEMENTS(rising));
	assert_equal(VERSION_LOOSE, "1..2", "1.2");
	assert_equal(VERSION_LOOSE, "01.2", "1.02");
	assert_none(VERSION_LOOSE, "");
	assert_none(VERSION_LOOSE, "...");
	assert_none(VERSION_LOOSE, "=>1.2");
	assert_none(VERSION_LOOSE, "1.2 beta");
}

static void test_semver_orders_as_its_standard_says(void **state)
{
	static const char *const rising[] = {"1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha",
		"1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
		"1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "2.0.0", "99999999999999999999999.0.0"};
	assert_rising(VERSION_SEMVER, rising, G_N_ELEMENTS(rising));
	assert_equal(VERSION_SEMVER, "1.0.0+a", "1.0.0+b.001");
}

static void test_what_is_no_semver_is_refused(void **state)
{
	static const char *const none[] = {"1", "1.2", "01.2.3", "1.02.3", "1.2.3-", "1.2.3-01",
		"1.2.3-a..b", "1.2.3+", "1.2.3.4", "v1.2.3", "1.2.3-a_b"};
	for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
		assert_none(VERSION_SEMVER, none[i]);
}

static gboolean holds(VersionScheme scheme, const char *text, const char *wanted)
{
	Version version;
	VersionTest test;
	assert_true(version_parse(scheme, text, &version, NULL));
	assert_true(version_test_parse(scheme, wanted, &test, NULL));
	return version_test_holds(&test, &version);
}

static void test_a_star_stands_for_whole_numbers(void **state)
{
	assert_true(holds(VERSION_MOZILLA, "60.0", "60.*"));
	assert_true(holds(VERSION_MOZILLA, "60.0a1", "60.*"));
	assert_true(holds(VERSION_MOZILLA, "60.1.2", "60.1.*"));
	assert_false(holds(VERSION_MOZILLA, "60.0", "6.*"));
	assert_false(holds(VERSION_MOZILLA, "60.10", "60.1.*"));
	assert_true(holds(VERSION_SEMVER, "1.4.0-rc.1", "1.4.*"));
	assert_true(holds(VERSION_LOOSE, "7", "7.*"));
	assert_false(holds(VERSION_LOOSE, "7", "7.0.*"));
}

static void test_a_star_elsewhere_is_refused(void **state)
{
	static const char *const wrong[] = {"*", "6*", "60*", "*.0", "60.*.1", "60.1.2.*", "<60.*",
		"60.**", "a.*", ".*", "60..*"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		VersionTest test;
		g_autoptr(GError) error = NULL;
		if (version_test_parse(VERSION_MOZILLA, wrong[i], &test, &error))
			fail_msg("%s was taken", wrong[i]);
	}
}

static void test_operators_hold_as_they_read(void **state)
{
	assert_true(holds(VERSION_MOZILLA, "59.0", "<60.0"));
	assert_false(holds(VERSION_MOZILLA, "60.0", "<60.0"));
	assert_true(holds(VERSION_MOZILLA, "60.0", "<=60.0"));
	assert_true(holds(VERSION_MOZILLA, "60.0", ">= 60.0"));
	assert_false(holds(VERSION_MOZILLA, "60.0", ">60.0"));
}

static void test_what_is_too_long_is_refused(void **state)
{
	char text[VERSION_MAXIMUM_BYTES + 2];
	Version version;
	memset(text, '1', sizeof text);
	text[1] = '.';
	text[VERSION_MAXIMUM_BYTES] = '\0';
	assert_true(version_parse(VERSION_MOZILLA, text, &version, NULL));
	text[VERSION_MAXIMUM_BYTES] = '1';
	text[VERSION_MAXIMUM_BYTES + 1] = '\0';
	assert_none(VERSION_MOZILLA, text);
	for (gsize i = 0; i < VERSION_MAXIMUM_BYTES; i++)
		text[i] = i % 2 == 0 ? '1' : '.';
	text[VERSION_MAXIMUM_BYTES] = '\0';
	assert_true(version_parse(VERSION_LOOSE, text, &version, NULL));
	for (gsize i = 0; i < VERSION_MAXIMUM_BYTES; i++)
		text[i] = i % 2 == 0 ? '1' : 'a';
	assert_none(VERSION_LOOSE, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mozilla_orders_suffixes_below_the_release),
		cmocka_unit_test(test_mozilla_drops_the_third_of_four),
		cmocka_unit_test(test_mozilla_x_y_is_x_y_0),
		cmocka_unit_test(test_what_is_no_version_of_mozilla_is_refused),
		cmocka_unit_test(test_loose_goes_part_by_part_and_longer_is_greater),
		cmocka_unit_test(test_semver_orders_as_its_standard_says),
		cmocka_unit_test(test_what_is_no_semver_is_refused),
		cmocka_unit_test(test_a_star_stands_for_whole_numbers),
		cmocka_unit_test(test_a_star_elsewhere_is_refused),
		cmocka_unit_test(test_operators_hold_as_they_read),
		cmocka_unit_test(test_what_is_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
