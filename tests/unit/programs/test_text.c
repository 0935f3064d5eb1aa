/* SPDX-License-Identifier: ISC
 *
 * Text on its way to a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "programs/terminal/text.h"

static void assert_clean(const char *text, const char *expected)
{
	g_autofree char *clean = text_clean(text);
	assert_string_equal(clean, expected);
}

static void test_escape_sequences_are_spelled_out(void **state)
{
	assert_clean("\x1b[31mred\x07\r\x7f", "\\x1b[31mred\\x07\\x0d\\x7f");
	assert_clean("a\tb\nc", "a b c");
}

static void test_c1_controls_are_spelled_out(void **state)
{
	/* U+009B is a control sequence introducer by itself. */
	assert_clean("\xc2\x9b\x33m", "\\x9b3m");
}

static void test_directions_are_spelled_out(void **state)
{
	assert_clean("\xe2\x80\xaegnp.exe", "\\u202egnp.exe");
	assert_clean("\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069");
}

static void test_bytes_that_are_no_text_are_replaced(void **state)
{
	assert_clean("a\xff"
		     "b",
		"a\xef\xbf\xbd"
		"b");
}

static void test_letters_of_all_scripts_stay(void **state)
{
	assert_clean("Grüße 漢字 עברית", "Grüße 漢字 עברית");
}

static void test_wide_letters_take_two_columns_and_marks_none(void **state)
{
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("漢字"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1);
}

static void assert_shortened(
	const char *text, guint columns, gboolean unicode, const char *expected)
{
	g_autofree char *shortened = text_shorten(text, columns, unicode);
	assert_string_equal(shortened, expected);
	assert_true(text_width(shortened) <= columns);
}

static void test_shortening_says_that_something_is_missing(void **state)
{
	assert_shortened("abcdef", 6, TRUE, "abcdef");
	assert_shortened("abcdef", 5, TRUE, "abcd…");
	assert_shortened("abcdef", 5, FALSE, "abc..");
	assert_shortened("abc def", 5, TRUE, "abc…");
	assert_shortened("abcdef", 0, TRUE, "");
	assert_shortened("abcdef", 1, FALSE, "");
}

static void test_a_wide_letter_is_never_cut_in_half(void **state)
{
	assert_shortened("漢字漢字", 4, TRUE, "漢…");
	assert_shortened("漢字漢字", 5, TRUE, "漢字…");
}

static void test_distance_counts_edits_and_swaps(void **state)
{
	assert_int_equal(text_distance("scan", "scan"), 0);
	assert_int_equal(text_distance("scna", "scan"), 1);
	assert_int_equal(text_distance("sca", "scan"), 1);
	assert_int_equal(text_distance("scann", "scan"), 1);
	assert_int_equal(text_distance("scab", "scan"), 1);
	assert_int_equal(text_distance("", "scan"), 4);
}

static void test_distance_of_a_very_long_word_is_far(void **state)
{
	g_autofree char *word = g_strnfill(100000, 'x');
	assert_true(text_distance(word, "scan") > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape_sequences_are_spelled_out),
		cmocka_unit_test(test_c1_controls_are_spelled_out),
		cmocka_unit_test(test_directions_are_spelled_out),
		cmocka_unit_test(test_bytes_that_are_no_text_are_replaced),
		cmocka_unit_test(test_letters_of_all_scripts_stay),
		cmocka_unit_test(test_wide_letters_take_two_columns_and_marks_none),
		cmocka_unit_test(test_shortening_says_that_something_is_missing),
		cmocka_unit_test(test_a_wide_letter_is_never_cut_in_half),
		cmocka_unit_test(test_distance_counts_edits_and_swaps),
		cmocka_unit_test(test_distance_of_a_very_long_word_is_far),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
