/* SPDX-License-Identifier: ISC
 *
 * The tree over the tips, beside a plain row of numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "landing/tree.h"

#define TIPS 128

static void assert_tree_is(const TipTree *tree, const gint32 *row, guint32 count)
{
	gint64 newest = -1;
	g_autoptr(GArray) clear = g_array_new(FALSE, FALSE, sizeof(guint32));
	tip_tree_all_clear(tree, count, clear);
	guint found = 0;
	for (guint32 tip = 0; tip < count; tip++) {
		assert_int_equal(tip_tree_count(tree, tip), row[tip]);
		if (row[tip] == 0) {
			newest = tip;
			assert_true(found < clear->len);
			assert_int_equal(g_array_index(clear, guint32, found), tip);
			found++;
		}
		assert_int_equal(tip_tree_newest_clear(tree, tip), newest);
	}
	assert_int_equal(found, clear->len);
}

static void test_empty_tree_has_no_clear_tip(void **state)
{
	TipTree tree = {0};
	assert_int_equal(tip_tree_newest_clear(&tree, 7), -1);
}

static void test_new_tips_count_what_the_last_one_does(void **state)
{
	TipTree tree = {0};
	tip_tree_grow(&tree);
	assert_int_equal(tree.capacity, 16);
	tip_tree_add(&tree, 3, 16, 2);
	tip_tree_add(&tree, 5, 9, 1);
	tip_tree_grow(&tree);
	assert_int_equal(tree.capacity, 32);
	assert_int_equal(tip_tree_count(&tree, 2), 0);
	assert_int_equal(tip_tree_count(&tree, 8), 3);
	assert_int_equal(tip_tree_count(&tree, 15), 2);
	assert_int_equal(tip_tree_count(&tree, 16), 2);
	assert_int_equal(tip_tree_count(&tree, 31), 2);
	assert_int_equal(tip_tree_newest_clear(&tree, 31), 2);
	tip_tree_clear(&tree);
}

static void test_tree_agrees_with_a_row_of_numbers(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	for (guint round = 0; round < 200; round++) {
		gint32 row[TIPS] = {0};
		TipTree tree = {0};
		gint32 *differences = tip_tree_start(&tree, TIPS / 2);
		for (guint32 tip = 0; tip < TIPS / 2; tip++) {
			row[tip] = g_rand_int_range(random, 0, 3);
			differences[tip] = row[tip] - (tip == 0 ? 0 : row[tip - 1]);
		}
		tip_tree_finish(&tree);
		assert_tree_is(&tree, row, TIPS / 2);
		for (guint32 tip = TIPS / 2; tip < TIPS; tip++)
			row[tip] = row[TIPS / 2 - 1];
		tip_tree_grow(&tree);
		for (guint i = 0; i < 20; i++) {
			guint32 from = (guint32)g_rand_int_range(random, 0, TIPS);
			guint32 until = (guint32)g_rand_int_range(random, (gint)from + 1, TIPS + 1);
			gint32 least = G_MAXINT32;
			for (guint32 tip = from; tip < until; tip++)
				least = MIN(least, row[tip]);
			gint32 amount = least > 0 && i % 2 == 0 ? -least : 1;
			for (guint32 tip = from; tip < until; tip++)
				row[tip] += amount;
			tip_tree_add(&tree, from, until, amount);
			assert_tree_is(&tree, row, TIPS);
		}
		tip_tree_clear(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_tree_has_no_clear_tip),
		cmocka_unit_test(test_new_tips_count_what_the_last_one_does),
		cmocka_unit_test(test_tree_agrees_with_a_row_of_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
