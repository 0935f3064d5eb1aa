/* SPDX-License-Identifier: ISC
 *
 * The line of a progress bar, on terminals wide and narrow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "programs/terminal/bar.h"
#include "programs/terminal/text.h"

static const BarState fetching = {.what = "fetching payload.tar.zst",
	.unit = BAR_BYTES,
	.done = 12200000,
	.total = 28400000,
	.rate = 3100000,
	.elapsed_s = 4};

static void assert_line(const BarState *state, guint width, const char *expected)
{
	g_autofree char *line = bar_text(state, width, FALSE);
	assert_string_equal(line, expected);
	assert_true(text_width(line) <= width);
}

static void test_all_is_said_where_there_is_room(void **state)
{
	/* 12.2 of 28.4 is 42.9 %, 8.6 of 20 columns; 16.2 MB at 3.1 MB/s are 5.2 s. */
	assert_line(&fetching, 93,
		"fetching payload.tar.zst   42 % [########            ] "
		"12.2 MB of 28.4 MB, 3.1 MB/s, 6 s left");
}

static void test_the_picture_grows_no_wider_than_is_pretty(void **state)
{
	g_autofree char *line = bar_text(&fetching, 300, FALSE);
	const char *from = strchr(line, '['), *to = strchr(line, ']');
	assert_int_equal(to - from - 1, 40);
}

static void test_the_picture_goes_first_then_the_rate_then_the_sizes(void **state)
{
	assert_line(&fetching, 75,
		"fetching payload.tar.zst   42 % 12.2 MB of 28.4 MB, 3.1 MB/s, 6 s left");
	assert_line(&fetching, 60, "fetching payload.tar.zst   42 % 12.2 MB of 28.4 MB");
	assert_line(&fetching, 40, "fetching payload.tar.zst   42 %");
}

static void test_what_is_done_is_cut_last(void **state)
{
	assert_line(&fetching, 20, "fetching pa..   42 %");
	assert_line(&fetching, 9, "fetchin..");
}

static void test_an_unknown_total_shows_what_was_done_and_for_how_long(void **state)
{
	const BarState hashing = {
		.what = "hashing", .unit = BAR_COUNT, .done = 13204, .rate = 2100, .elapsed_s = 65};
	assert_line(&hashing, 80, "hashing  13,204, 2,100/s, 1 min so far");
}

static void test_no_rate_is_guessed_before_it_can_be_known(void **state)
{
	BarState begun = fetching;
	begun.rate = -1;
	assert_line(&begun, 60, "fetching payload.tar.zst   42 % 12.2 MB of 28.4 MB");
}

static void test_work_that_stands_still_says_so(void **state)
{
	BarState still = fetching;
	still.rate = 0;
	assert_line(&still, 82,
		"fetching payload.tar.zst   42 % 12.2 MB of 28.4 MB, stands still, 4 s so far");
}

static void test_a_hundred_percent_is_all_of_it_and_never_more(void **state)
{
	BarState end = {.what = "x", .unit = BAR_BYTES, .done = 999, .total = 1000, .rate = -1};
	assert_line(&end, 40, "x   99 % [############ ] 999 B of 1.0 kB");
	end.done = 1000;
	assert_line(&end, 24, "x  100 %");
	end.done = 1400;
	assert_line(&end, 24, "x  100 %");
}

static void test_letters_are_counted_in_columns(void **state)
{
	BarState wide = {.what = "漢字漢字漢字漢字漢字", .done = 1, .total = 2, .rate = -1};
	g_autofree char *line = bar_text(&wide, 20, TRUE);
	assert_string_equal(line, "漢字漢字漢字…   50 %");
}

static void test_nobody_to_see_it_is_no_bar(void **state)
{
	const Screen file = {.progress = FALSE}, quiet = {.progress = TRUE, .quiet = TRUE};
	assert_null(bar_begin(&file, "fetching", BAR_BYTES));
	assert_null(bar_begin(&quiet, "fetching", BAR_BYTES));
	bar_step(NULL, "unpacking", BAR_COUNT);
	bar_set(NULL, 1, 2);
	bar_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_said_where_there_is_room),
		cmocka_unit_test(test_the_picture_grows_no_wider_than_is_pretty),
		cmocka_unit_test(test_the_picture_goes_first_then_the_rate_then_the_sizes),
		cmocka_unit_test(test_what_is_done_is_cut_last),
		cmocka_unit_test(test_an_unknown_total_shows_what_was_done_and_for_how_long),
		cmocka_unit_test(test_no_rate_is_guessed_before_it_can_be_known),
		cmocka_unit_test(test_work_that_stands_still_says_so),
		cmocka_unit_test(test_a_hundred_percent_is_all_of_it_and_never_more),
		cmocka_unit_test(test_letters_are_counted_in_columns),
		cmocka_unit_test(test_nobody_to_see_it_is_no_bar),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
