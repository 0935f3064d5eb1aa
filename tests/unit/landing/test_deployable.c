/* SPDX-License-Identifier: ISC
 *
 * The index by hand: what the examples and the random histories do not reach. Limits, refusals,
 * needs, and bounds on memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "landing/deployable.h"
#include "landing/index.h"

#define NONE 0

/* Adds the landing after the newest one, ruled ok or as `qa` says, with up to one rollback target.
 */
static void land(DeployableIndex *index, LandingQa qa, gint64 rollback_of)
{
	g_autoptr(GError) error = NULL;
	LandingFacts facts = {
		.rev = deployable_index_tip(index) + 1,
		.qa = qa,
		.rollback_of = &rollback_of,
		.rollback_count = rollback_of == NONE ? 0 : 1,
	};
	deployable_index_append(index, &facts, &error);
	g_assert_no_error(error);
}

static void land_undoing(DeployableIndex *index, const gint64 *targets, gsize count)
{
	g_autoptr(GError) error = NULL;
	LandingFacts facts = {
		.rev = deployable_index_tip(index) + 1,
		.qa = LANDING_QA_REQUIRED,
		.rollback_of = targets,
		.rollback_count = count,
	};
	deployable_index_append(index, &facts, &error);
	g_assert_no_error(error);
}

static void land_item(DeployableIndex *index, guint32 item, ItemState state, gint64 rollback_of)
{
	g_autoptr(GError) error = NULL;
	LandingFacts facts = {
		.rev = deployable_index_tip(index) + 1,
		.qa = LANDING_QA_REQUIRED,
		.items = &item,
		.states = &state,
		.item_count = 1,
		.rollback_of = &rollback_of,
		.rollback_count = rollback_of == NONE ? 0 : 1,
	};
	deployable_index_append(index, &facts, &error);
	g_assert_no_error(error);
}

static void test_empty_index_has_no_deployable_tip(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	g_autoptr(GArray) all = deployable_index_all(index);
	assert_int_equal(deployable_index_newest(index), 0);
	assert_int_equal(deployable_index_newest_until(index, 5), 0);
	assert_int_equal(deployable_index_tip(index), 0);
	assert_int_equal(all->len, 0);
	assert_false(deployable_index_is_deployable(index, 1));
	assert_false(deployable_index_has(index, 1));
	deployable_index_set_baseline(index, 3);
	assert_true(deployable_index_build(index, NULL, 0, NULL));
	assert_int_equal(deployable_index_newest(index), 0);
}

/* Landing 1 is bad, 2 undoes it, each further one undoes the one before: n nests n - 1 deep. */
static DeployableIndex *war(gint64 landings)
{
	DeployableIndex *index = deployable_index_new(0);
	land(index, LANDING_QA_BAD, NONE);
	while (deployable_index_tip(index) < landings)
		land(index, LANDING_QA_REQUIRED, deployable_index_tip(index));
	return index;
}

static void test_rollback_255_deep_undoes(void **state)
{
	g_autoptr(DeployableIndex) index = war(256);
	assert_false(deployable_index_rollback_malformed(index, 256));
	assert_false(deployable_index_in_tree(index, 1, 256));
	assert_true(deployable_index_is_deployable(index, 256));
}

static void test_rollback_256_deep_undoes(void **state)
{
	g_autoptr(DeployableIndex) index = war(257);
	assert_false(deployable_index_rollback_malformed(index, 257));
	assert_int_equal(deployable_index_state(index, 257), LANDING_GOOD);
	assert_false(deployable_index_in_tree(index, 256, 257));
	assert_true(deployable_index_in_tree(index, 1, 257));
}

static void test_rollback_257_deep_is_pending_and_undoes_nothing(void **state)
{
	g_autoptr(DeployableIndex) index = war(258);
	assert_int_equal(deployable_index_rollback_fault(index, 258), ROLLBACK_FAULT_NESTING);
	assert_int_equal(deployable_index_state(index, 258), LANDING_PENDING);
	assert_true(deployable_index_in_tree(index, 257, 258));
	assert_true(deployable_index_in_tree(index, 1, 258));
}

static void test_nesting_counts_on_beyond_the_limit(void **state)
{
	g_autoptr(DeployableIndex) index = war(300);
	assert_int_equal(deployable_index_rollback_fault(index, 300), ROLLBACK_FAULT_NESTING);
	assert_true(deployable_index_in_tree(index, 299, 300));
	land(index, LANDING_QA_REQUIRED, 1);
	assert_false(deployable_index_rollback_malformed(index, 301));
	assert_false(deployable_index_in_tree(index, 1, 301));
}

static void test_malformed_rollback_ruled_ok_undoes_nothing_still(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	g_autoptr(GError) error = NULL;
	land(index, LANDING_QA_OK, NONE);
	land_undoing(index, (const gint64[]){1, 2}, 2);
	assert_int_equal(deployable_index_rollback_fault(index, 2), ROLLBACK_FAULT_TARGET);
	assert_int_equal(deployable_index_newest(index), 1);
	assert_true(deployable_index_rule_landing(index, 2, LANDING_QA_OK, &error));
	assert_int_equal(deployable_index_newest(index), 2);
	assert_true(deployable_index_in_tree(index, 1, 2));
	assert_true(deployable_index_rollback_malformed(index, 2));
	assert_non_null(rollback_fault_describe(ROLLBACK_FAULT_TARGET));
}

/* 3 undoes 2, which is bad. 4 undoes 3 and 2 together: 3 brings 2 back and 2 puts it out again, so
 * all that 4 changed is 3. After 5 brought 2 back, undoing 4 brings 3 back and leaves 2 alone. */
static void test_what_a_landing_brought_back_and_put_out_again_did_not_change(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	land(index, LANDING_QA_OK, NONE);
	land(index, LANDING_QA_BAD, NONE);
	land(index, LANDING_QA_REQUIRED, 2);
	land_undoing(index, (const gint64[]){2, 3, 2}, 3);
	assert_false(deployable_index_in_tree(index, 2, 4));
	assert_false(deployable_index_in_tree(index, 3, 4));
	land(index, LANDING_QA_REQUIRED, 3);
	assert_true(deployable_index_in_tree(index, 2, 5));
	land(index, LANDING_QA_REQUIRED, 4);
	assert_true(deployable_index_in_tree(index, 3, 6));
	assert_true(deployable_index_in_tree(index, 2, 6));
	assert_int_equal(deployable_index_newest(index), 4);
}

static void test_link_goes_through_a_rollback_of_a_rollback(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	land_item(index, 9, ITEM_BAD, NONE);
	land(index, LANDING_QA_REQUIRED, 1);
	land_item(index, 9, ITEM_UNRULED, 2);
	land_item(index, 8, ITEM_UNRULED, 2);
	assert_int_equal(deployable_index_item_counts_as(index, 3, 9), ITEM_UNTESTABLE);
	assert_int_equal(deployable_index_item_counts_as(index, 4, 8), ITEM_NEEDS_TESTING);
}

static void test_verdict_on_what_is_not_there_is_not_found(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	land_item(index, 9, ITEM_OK, NONE);
	const gint64 revs[] = {2, 1, -1};
	for (gsize i = 0; i < G_N_ELEMENTS(revs); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(deployable_index_rule_item(index, revs[i], 8, ITEM_OK, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
	}
	g_autoptr(GError) error = NULL;
	assert_false(deployable_index_rule_landing(index, 2, LANDING_QA_OK, &error));
	assert_string_equal(error->message, "there is no landing 2");
}

static void test_landing_out_of_order_is_refused(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	land(index, LANDING_QA_OK, NONE);
	const LandingFacts late = {.rev = 1, .qa = LANDING_QA_OK};
	const LandingFacts never = {.rev = -3, .qa = LANDING_QA_OK};
	g_autoptr(GError) error = NULL;
	assert_false(deployable_index_append(index, &late, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_false(deployable_index_append(index, &never, NULL));
	assert_int_equal(deployable_index_count(index), 1);
}

static void test_item_named_twice_is_refused_and_leaves_no_trace(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	const guint32 items[] = {7, 5, 7};
	const ItemState states[] = {ITEM_OK, ITEM_OK, ITEM_BAD};
	LandingFacts facts = {.rev = 1, .items = items, .states = states, .item_count = 3};
	g_autoptr(GError) error = NULL;
	assert_false(deployable_index_append(index, &facts, &error));
	assert_string_equal(error->message, "landing 1: an item is named twice");
	facts.item_count = 2;
	assert_true(deployable_index_append(index, &facts, NULL));
	assert_int_equal(deployable_index_item_counts_as(index, 1, 5), ITEM_OK);
	assert_int_equal(deployable_index_newest(index), 1);
}

static void test_build_keeps_what_came_before_the_refused_landing(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	const LandingFacts facts[] = {
		{.rev = 4, .qa = LANDING_QA_OK},
		{.rev = 6, .qa = LANDING_QA_BAD},
		{.rev = 5, .qa = LANDING_QA_OK},
	};
	assert_false(deployable_index_build(index, facts, 3, NULL));
	assert_int_equal(deployable_index_tip(index), 6);
	assert_int_equal(deployable_index_newest(index), 4);
}

static void test_more_named_than_the_limit_is_too_large(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	const gsize over = LANDING_MAXIMUM_NAMED + 1;
	const LandingFacts facts[] = {
		{.rev = 1, .item_count = over},
		{.rev = 1, .rollback_count = over},
		{.rev = 1, .fix_count = over},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(facts); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(deployable_index_append(index, &facts[i], &error));
		assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	}
	assert_int_equal(deployable_index_count(index), 0);
}

static void test_more_landings_than_the_limit_are_too_large(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	g_autoptr(GError) error = NULL;
	for (gint64 rev = 1; rev <= LANDING_MAXIMUM_COUNT; rev++) {
		const LandingFacts facts = {.rev = rev, .qa = LANDING_QA_OK};
		g_assert_true(deployable_index_append(index, &facts, NULL));
	}
	assert_int_equal(deployable_index_newest(index), LANDING_MAXIMUM_COUNT);
	const LandingFacts facts = {.rev = LANDING_MAXIMUM_COUNT + 1, .qa = LANDING_QA_OK};
	assert_false(deployable_index_append(index, &facts, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

static void test_needs_name_the_verdicts_to_give(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	const guint32 items[] = {30, 10, 20};
	const ItemState states[] = {ITEM_UNRULED, ITEM_BAD, ITEM_OK};
	const LandingFacts mixed = {.rev = 1, .items = items, .states = states, .item_count = 3};
	assert_true(deployable_index_append(index, &mixed, NULL));
	land(index, LANDING_QA_REQUIRED, NONE);
	land(index, LANDING_QA_BAD, NONE);
	land(index, LANDING_QA_NO_QA, NONE);

	static const LandingNeed expected[] = {
		{.rev = 1, .item = 10, .now = ITEM_BAD, .by_fix = TRUE},
		{.rev = 1, .item = 30, .now = ITEM_NEEDS_TESTING, .by_fix = TRUE},
		{.rev = 2, .landing_itself = TRUE, .now = ITEM_NEEDS_TESTING, .by_fix = FALSE},
		{.rev = 3, .landing_itself = TRUE, .now = ITEM_BAD, .by_fix = TRUE},
	};
	g_autoptr(GArray) needs = deployable_index_needs(index, 4);
	assert_int_equal(needs->len, G_N_ELEMENTS(expected));
	for (guint i = 0; i < needs->len; i++) {
		const LandingNeed *need = &g_array_index(needs, LandingNeed, i);
		assert_int_equal(need->rev, expected[i].rev);
		assert_int_equal(need->landing_itself, expected[i].landing_itself);
		assert_int_equal(need->item, expected[i].item);
		assert_int_equal(need->now, expected[i].now);
		assert_int_equal(need->by_fix, expected[i].by_fix);
	}
}

static void test_verdict_can_be_withdrawn(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	land_item(index, 9, ITEM_UNRULED, NONE);
	assert_int_equal(deployable_index_newest(index), 0);
	assert_true(deployable_index_rule_item(index, 1, 9, ITEM_OK, NULL));
	assert_int_equal(deployable_index_newest(index), 1);
	assert_true(deployable_index_rule_item(index, 1, 9, ITEM_UNRULED, NULL));
	assert_int_equal(deployable_index_newest(index), 0);
}

/* Doubling: landing 1000 undoes 1 … 999 by name; then each undoes the one before, 999 changes a
 * time, and none of them is written out. */
static void test_wide_rollbacks_cannot_use_more_than_their_patience(void **state)
{
	enum { WIDTH = 999, LANDINGS = 60000 };
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	gint64 names[WIDTH];
	for (gint64 rev = 1; rev <= WIDTH; rev++) {
		land(index, LANDING_QA_OK, NONE);
		names[rev - 1] = rev;
	}
	land_undoing(index, names, WIDTH);
	assert_false(deployable_index_in_tree(index, 500, 1000));
	land(index, LANDING_QA_REQUIRED, 1000);
	assert_true(deployable_index_in_tree(index, 500, 1001));

	gint64 refused = 0;
	for (gint64 i = 0; i < LANDINGS && refused == 0; i++) {
		/* By turns: out (as 1001 is undone), in again (as 1000 is). */
		land(index, LANDING_QA_REQUIRED, i % 2 == 0 ? 1001 : 1000);
		if (deployable_index_rollback_malformed(index, deployable_index_tip(index)))
			refused = deployable_index_tip(index);
	}
	assert_true(refused > 10000);
	assert_int_equal(deployable_index_rollback_fault(index, refused), ROLLBACK_FAULT_REACH);
	assert_int_equal(deployable_index_state(index, refused), LANDING_PENDING);
	assert_true(deployable_index_in_tree(index, 500, refused) ==
		    deployable_index_in_tree(index, 500, refused - 1));
	assert_true(deployable_index_memory(index) < 16 * (LANDING_MAXIMUM_REACH * 2));

	/* Ordinary rollbacks go on as before. */
	land(index, LANDING_QA_BAD, NONE);
	land(index, LANDING_QA_REQUIRED, refused + 1);
	assert_false(deployable_index_in_tree(index, refused + 1, refused + 2));
	assert_int_equal(deployable_index_state(index, refused + 2), LANDING_GOOD);
}

/* 1 … 100 are bad and 101 fixes them all, so undoing 101 touches 100 landings without naming them.
 */
static void test_fixes_count_as_touched(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	gint64 names[100];
	index->patience = 100 - LANDING_FREE_REACH;
	for (gint64 rev = 1; rev <= 100; rev++) {
		land(index, LANDING_QA_BAD, NONE);
		names[rev - 1] = rev;
	}
	const LandingFacts fixer = {
		.rev = 101, .qa = LANDING_QA_OK, .fixes = names, .fix_count = 100};
	assert_true(deployable_index_append(index, &fixer, NULL));
	assert_int_equal(deployable_index_newest(index), 101);
	land(index, LANDING_QA_REQUIRED, 101);
	assert_false(deployable_index_is_deployable(index, 102));
	assert_int_equal(index->patience, 0);
	/* Bringing it back touches 101 and all it fixes once more. */
	land(index, LANDING_QA_REQUIRED, 102);
	assert_int_equal(deployable_index_rollback_fault(index, 103), ROLLBACK_FAULT_REACH);
	assert_false(deployable_index_is_deployable(index, 103));
}

static void test_rollback_within_its_free_reach_needs_no_patience(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	gint64 names[LANDING_FREE_REACH];
	index->patience = 0;
	for (gint64 rev = 1; rev <= LANDING_FREE_REACH; rev++) {
		land(index, LANDING_QA_OK, NONE);
		names[rev - 1] = rev;
	}
	land_undoing(index, names, LANDING_FREE_REACH);
	land(index, LANDING_QA_REQUIRED, LANDING_FREE_REACH + 1);
	assert_true(deployable_index_in_tree(index, 1, LANDING_FREE_REACH + 2));
	/* That one toggled one change more: the rollback. */
	land(index, LANDING_QA_REQUIRED, LANDING_FREE_REACH + 2);
	assert_int_equal(deployable_index_rollback_fault(index, LANDING_FREE_REACH + 3),
		ROLLBACK_FAULT_REACH);
}

/* Looking at one target with one item for one item costs 3: itself, the item, and the one looked
 * for. */
static void test_search_for_linked_items_ends_with_its_patience(void **state)
{
	enum { FREE = LANDING_FREE_SEARCH / 3, WIDTH = FREE + 2 };
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	gint64 names[WIDTH];
	for (gint64 rev = 1; rev <= WIDTH; rev++) {
		land_item(index, (guint32)rev, ITEM_OK, NONE);
		names[rev - 1] = rev;
	}
	index->patience = 3;
	const ItemState unruled = ITEM_UNRULED;
	/* The oldest is looked at first. */
	const guint32 items[] = {FREE, FREE + 2, FREE + 2};
	const ItemState expected[] = {ITEM_UNTESTABLE, ITEM_NEEDS_TESTING, ITEM_NEEDS_TESTING};
	for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
		const LandingFacts facts = {
			.rev = deployable_index_tip(index) + 1,
			.items = &items[i],
			.states = &unruled,
			.item_count = 1,
			.rollback_of = names,
			.rollback_count = WIDTH,
		};
		assert_true(deployable_index_append(index, &facts, NULL));
		assert_int_equal(
			deployable_index_item_counts_as(index, facts.rev, items[i]), expected[i]);
	}
}

/* The same thousands of targets, thousands of times: duplicates do nothing, and cost nothing to
 * keep. */
static void test_same_targets_again_and_again_toggle_once(void **state)
{
	enum { WIDTH = 2000, TIMES = 2000 };
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	gint64 names[WIDTH];
	for (gint64 rev = 1; rev <= WIDTH; rev++) {
		land(index, LANDING_QA_BAD, NONE);
		names[rev - 1] = rev;
	}
	for (guint i = 0; i < TIMES; i++)
		land_undoing(index, names, WIDTH);
	assert_int_equal(deployable_index_newest(index), WIDTH + TIMES);
	assert_int_equal(deployable_index_newest_until(index, WIDTH), 0);
	/* What was written, four bytes a name, doubled at most. */
	assert_true(deployable_index_memory(index) < 2 * 4 * WIDTH * TIMES + 1024 * 1024);
}

static void test_typical_landing_takes_under_100_bytes(void **state)
{
	g_autoptr(DeployableIndex) index = deployable_index_new(0);
	/* Just over a power of two, where the arrays have just doubled. */
	for (guint32 i = 0; i < (1 << 17) + 1; i++) {
		gboolean rollback = i % 20 == 19;
		land_item(index, i, i % 50 == 0 ? ITEM_BAD : ITEM_OK, rollback ? i - 8 : NONE);
	}
	double bytes =
		(double)deployable_index_memory(index) / (double)deployable_index_count(index);
	print_message("%.1f bytes a landing\n", bytes);
	assert_true(bytes < 100);
}

static void test_names_are_read_back(void **state)
{
	for (guint i = ITEM_NEEDS_TESTING; i <= ITEM_UNTESTABLE; i++) {
		ItemState read = ITEM_UNRULED;
		assert_true(item_state_parse(item_state_name((ItemState)i), &read));
		assert_int_equal(read, i);
	}
	for (guint i = LANDING_QA_REQUIRED; i <= LANDING_QA_BAD; i++) {
		LandingQa read = LANDING_QA_REQUIRED;
		assert_true(landing_qa_parse(landing_qa_name((LandingQa)i), &read));
		assert_int_equal(read, i);
	}
	ItemState unread = ITEM_OK;
	assert_null(item_state_name(ITEM_UNRULED));
	assert_false(item_state_parse("OK", &unread));
	assert_string_equal(landing_state_name(LANDING_BAD), "BAD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_index_has_no_deployable_tip),
		cmocka_unit_test(test_rollback_255_deep_undoes),
		cmocka_unit_test(test_rollback_256_deep_undoes),
		cmocka_unit_test(test_rollback_257_deep_is_pending_and_undoes_nothing),
		cmocka_unit_test(test_nesting_counts_on_beyond_the_limit),
		cmocka_unit_test(test_malformed_rollback_ruled_ok_undoes_nothing_still),
		cmocka_unit_test(test_what_a_landing_brought_back_and_put_out_again_did_not_change),
		cmocka_unit_test(test_link_goes_through_a_rollback_of_a_rollback),
		cmocka_unit_test(test_verdict_on_what_is_not_there_is_not_found),
		cmocka_unit_test(test_landing_out_of_order_is_refused),
		cmocka_unit_test(test_item_named_twice_is_refused_and_leaves_no_trace),
		cmocka_unit_test(test_build_keeps_what_came_before_the_refused_landing),
		cmocka_unit_test(test_more_named_than_the_limit_is_too_large),
		cmocka_unit_test(test_more_landings_than_the_limit_are_too_large),
		cmocka_unit_test(test_needs_name_the_verdicts_to_give),
		cmocka_unit_test(test_verdict_can_be_withdrawn),
		cmocka_unit_test(test_wide_rollbacks_cannot_use_more_than_their_patience),
		cmocka_unit_test(test_fixes_count_as_touched),
		cmocka_unit_test(test_rollback_within_its_free_reach_needs_no_patience),
		cmocka_unit_test(test_search_for_linked_items_ends_with_its_patience),
		cmocka_unit_test(test_same_targets_again_and_again_toggle_once),
		cmocka_unit_test(test_typical_landing_takes_under_100_bytes),
		cmocka_unit_test(test_names_are_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
