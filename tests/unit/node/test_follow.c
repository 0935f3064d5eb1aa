/* SPDX-License-Identifier: ISC
 *
 * What a node does next, order by order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "node/follow.h"

#define NOW (1000 * US_PER_SECOND)

static Order wants(const char *version, gint64 order_id)
{
	return (Order){.product = (char *)"web", .version = (char *)version, .order_id = order_id};
}

static void assert_next(const Order *order, const FollowPlace *place, const FollowMemory *memory,
	FollowAct act, const char *why)
{
	g_auto(FollowNext) next = {0};
	follow_next(order, place, memory, &next);
	assert_int_equal(next.act, act);
	if (strstr(next.why, why) == NULL)
		fail_msg("'%s' lacks '%s'", next.why, why);
}

static void fail_with(FollowMemory *memory, const Order *order, DroverErrorCode code, gint64 at_us)
{
	g_autoptr(GError) error = NULL;
	drover_error_set(&error, code, "the mirror is away");
	follow_failed(memory, order, error, at_us);
}

static void test_nobody_said_anything_and_nothing_is_done(void **state)
{
	const FollowMemory memory = {0};
	const FollowPlace place = {.running = "1.4.1", .now_us = NOW};
	const Order none = wants(NULL, 0);
	assert_next(NULL, &place, &memory, FOLLOW_NOTHING, "says nothing");
	assert_next(&none, &place, &memory, FOLLOW_NOTHING, "names no version");
}

static void test_a_new_version_is_installed_then_activated_then_others_go(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 0);
	FollowPlace place = {.running = "1.4.1", .now_us = NOW};
	assert_next(&order, &place, &memory, FOLLOW_INSTALL, "1.4.2 is to be fetched");
	place.is_installed = TRUE;
	assert_next(&order, &place, &memory, FOLLOW_ACTIVATE, "1.4.2 is to run");
	place.running = "1.4.2";
	assert_next(&order, &place, &memory, FOLLOW_TIDY, "older ones go");
	follow_tidied(&memory, &order);
	assert_next(&order, &place, &memory, FOLLOW_NOTHING, "runs what it should");
}

static void test_the_first_release_of_a_node_needs_nothing_that_runs(void **state)
{
	const FollowMemory memory = {0};
	const FollowPlace place = {.now_us = NOW};
	const Order order = wants("1.0.0", 0);
	assert_next(&order, &place, &memory, FOLLOW_INSTALL, "1.0.0");
}

static void test_what_failed_for_good_is_said_and_not_tried_again(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 7);
	const FollowPlace place = {.running = "1.4.1", .now_us = NOW + 3650 * US_PER_DAY};
	fail_with(&memory, &order, DROVER_ERROR_CONFLICT, NOW);
	g_auto(FollowNext) next = {0};
	follow_next(&order, &place, &memory, &next);
	assert_int_equal(next.act, FOLLOW_NOTHING);
	assert_true(next.is_failed);
	assert_int_equal(next.until_us, 0);
	assert_non_null(strstr(next.why, "the mirror is away; it is not tried again"));
}

static void test_an_order_that_moves_is_tried_anew(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 7), again = wants("1.4.2", 8), newer = wants("1.4.3", 7);
	const FollowPlace place = {.running = "1.4.1", .now_us = NOW};
	fail_with(&memory, &order, DROVER_ERROR_CONFLICT, NOW);
	assert_next(&again, &place, &memory, FOLLOW_INSTALL, "1.4.2");
	assert_next(&newer, &place, &memory, FOLLOW_INSTALL, "1.4.3");
}

/* 30 s after the first failure, 60 s after the second, and 15 minutes at most. */
static void test_what_was_away_is_tried_again_after_pauses_that_grow(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 0);
	static const gint64 pauses_s[] = {30, 60, 120, 240, 480, 900, 900};
	FollowPlace place = {.running = "1.4.1"};
	for (guint i = 0; i < G_N_ELEMENTS(pauses_s); i++) {
		g_auto(FollowNext) next = {0};
		fail_with(&memory, &order, DROVER_ERROR_UNAVAILABLE, NOW);
		place.now_us = NOW + pauses_s[i] * US_PER_SECOND - 1;
		follow_next(&order, &place, &memory, &next);
		assert_int_equal(next.act, FOLLOW_NOTHING);
		assert_int_equal(next.until_us, place.now_us + 1);
		assert_true(next.is_failed);
		place.now_us++;
		assert_next(&order, &place, &memory, FOLLOW_INSTALL, "1.4.2");
	}
}

static void test_an_install_that_found_a_full_disk_is_tried_again_slowly(void **state)
{
	g_auto(FollowMemory) memory = {0};
	g_auto(FollowNext) next = {0};
	const Order order = wants("1.4.2", 0);
	FollowPlace place = {.running = "1.4.1", .now_us = NOW + 30 * US_PER_SECOND - 1};
	fail_with(&memory, &order, DROVER_ERROR_INTERNAL, NOW);
	follow_next(&order, &place, &memory, &next);
	assert_int_equal(next.act, FOLLOW_NOTHING);
	assert_int_equal(next.until_us, NOW + 30 * US_PER_SECOND);
	assert_true(next.is_failed);
	place.now_us++;
	assert_next(&order, &place, &memory, FOLLOW_INSTALL, "1.4.2");
}

/* Neither the new nor the old one may run: whoever mends that is not disturbed. */
static void test_an_activation_that_broke_down_is_left_to_a_person(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 0);
	const FollowPlace place = {
		.running = "1.4.1", .is_installed = TRUE, .now_us = NOW + US_PER_DAY};
	fail_with(&memory, &order, DROVER_ERROR_INTERNAL, NOW);
	assert_next(&order, &place, &memory, FOLLOW_NOTHING, "not tried again");
}

static void test_a_clock_that_was_put_back_stops_nothing(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 0);
	const FollowPlace place = {.now_us = NOW - US_PER_DAY};
	fail_with(&memory, &order, DROVER_ERROR_UNAVAILABLE, NOW);
	assert_next(&order, &place, &memory, FOLLOW_INSTALL, "1.4.2");
}

static void test_success_forgets_the_failure(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 0);
	const FollowPlace place = {.running = "1.4.1", .is_installed = TRUE, .now_us = NOW};
	fail_with(&memory, &order, DROVER_ERROR_UNAVAILABLE, NOW);
	follow_succeeded(&memory);
	assert_next(&order, &place, &memory, FOLLOW_ACTIVATE, "1.4.2");
	fail_with(&memory, &order, DROVER_ERROR_UNAVAILABLE, NOW);
	assert_int_equal(memory.failures, 1);
}

static void test_failures_are_counted_for_each_order_anew(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order one = wants("1.4.2", 1), two = wants("1.4.2", 2);
	fail_with(&memory, &one, DROVER_ERROR_UNAVAILABLE, NOW);
	fail_with(&memory, &one, DROVER_ERROR_UNAVAILABLE, NOW);
	assert_int_equal(memory.failures, 2);
	fail_with(&memory, &two, DROVER_ERROR_UNAVAILABLE, NOW);
	assert_int_equal(memory.failures, 1);
}

static void test_what_root_did_by_hand_stays_until_the_order_moves(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 7), newer = wants("1.4.3", 7), again = wants("1.4.2", 8);
	const FollowPlace place = {.running = "1.4.1", .is_installed = TRUE, .now_us = NOW};
	follow_by_hand(&memory, &order, "1.4.1");
	assert_next(&order, &place, &memory, FOLLOW_NOTHING, "root has put 1.4.1 in place");
	assert_next(&newer, &place, &memory, FOLLOW_ACTIVATE, "1.4.3");
	assert_next(&again, &place, &memory, FOLLOW_ACTIVATE, "1.4.2");
}

static void test_who_does_by_hand_what_was_ordered_stands_against_nothing(void **state)
{
	g_auto(FollowMemory) memory = {0};
	const Order order = wants("1.4.2", 7);
	const FollowPlace place = {.running = "1.4.1", .is_installed = TRUE, .now_us = NOW};
	follow_by_hand(&memory, &order, "1.4.1");
	follow_by_hand(&memory, &order, "1.4.2");
	assert_next(&order, &place, &memory, FOLLOW_ACTIVATE, "1.4.2");
}

static void test_other_bytes_than_ordered_never_run(void **state)
{
	const FollowMemory memory = {0};
	Order order = wants("1.4.2", 0);
	order.manifest_sha256 = (char *)"aa";
	FollowPlace place = {.is_installed = TRUE, .manifest_sha256 = "bb", .now_us = NOW};
	assert_next(&order, &place, &memory, FOLLOW_NOTHING, "another manifest");
	place.manifest_sha256 = "aa";
	assert_next(&order, &place, &memory, FOLLOW_ACTIVATE, "1.4.2");
}

static void test_a_droverd_out_of_office_is_not_obeyed(void **state)
{
	const Orders old = {.epoch = 3}, same = {.epoch = 4}, newer = {.epoch = 5};
	g_autoptr(GError) error = NULL;
	assert_true(follow_may_take(&old, NULL, NULL));
	assert_true(follow_may_take(&same, &same, NULL));
	assert_true(follow_may_take(&newer, &same, NULL));
	assert_false(follow_may_take(&old, &same, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_CONFLICT));
}

/* Of a pause of 1, 2, 4, 8, 10, 10 s between half and the whole. */
static void test_pauses_grow_and_are_never_all_the_same(void **state)
{
	static const double whole[] = {1, 2, 4, 8, 10, 10};
	for (guint i = 0; i < G_N_ELEMENTS(whole); i++) {
		assert_true(follow_pause(i + 1, 1, 10, 0) == whole[i] / 2);
		assert_true(follow_pause(i + 1, 1, 10, 1) == whole[i]);
		assert_true(follow_pause(i + 1, 1, 10, 0.5) == whole[i] * 3 / 4);
	}
}

static void test_what_is_remembered_survives_a_restart(void **state)
{
	g_auto(FollowMemory) memory = {0}, read = {0};
	const Order order = wants("1.4.2", 7), by_hand = wants("1.4.3", 8);
	follow_by_hand(&memory, &by_hand, "1.4.1");
	follow_tidied(&memory, &order);
	fail_with(&memory, &order, DROVER_ERROR_CONFLICT, NOW);
	g_autofree char *text = follow_memory_text(&memory);
	assert_true(follow_memory_parse("web", text, strlen(text), &read, NULL));
	assert_string_equal(read.failed.version, "1.4.2");
	assert_int_equal(read.failed.order_id, 7);
	assert_int_equal(read.code, DROVER_ERROR_CONFLICT);
	assert_string_equal(read.error, "the mirror is away");
	assert_int_equal(read.failures, 1);
	assert_int_equal(read.failed_us, NOW);
	assert_string_equal(read.by_hand.version, "1.4.3");
	assert_int_equal(read.by_hand.order_id, 8);
	assert_string_equal(read.by_hand_version, "1.4.1");
	assert_string_equal(read.tidied.version, "1.4.2");
}

static void test_a_memory_that_is_no_json_is_refused(void **state)
{
	g_auto(FollowMemory) memory = {0};
	g_autoptr(GError) error = NULL;
	assert_false(follow_memory_parse("web", "{", 1, &memory, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_false(follow_memory_parse("web", "[]", 2, &memory, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_said_anything_and_nothing_is_done),
		cmocka_unit_test(test_a_new_version_is_installed_then_activated_then_others_go),
		cmocka_unit_test(test_the_first_release_of_a_node_needs_nothing_that_runs),
		cmocka_unit_test(test_what_failed_for_good_is_said_and_not_tried_again),
		cmocka_unit_test(test_an_order_that_moves_is_tried_anew),
		cmocka_unit_test(test_what_was_away_is_tried_again_after_pauses_that_grow),
		cmocka_unit_test(test_an_install_that_found_a_full_disk_is_tried_again_slowly),
		cmocka_unit_test(test_an_activation_that_broke_down_is_left_to_a_person),
		cmocka_unit_test(test_a_clock_that_was_put_back_stops_nothing),
		cmocka_unit_test(test_success_forgets_the_failure),
		cmocka_unit_test(test_failures_are_counted_for_each_order_anew),
		cmocka_unit_test(test_what_root_did_by_hand_stays_until_the_order_moves),
		cmocka_unit_test(test_who_does_by_hand_what_was_ordered_stands_against_nothing),
		cmocka_unit_test(test_other_bytes_than_ordered_never_run),
		cmocka_unit_test(test_a_droverd_out_of_office_is_not_obeyed),
		cmocka_unit_test(test_pauses_grow_and_are_never_all_the_same),
		cmocka_unit_test(test_what_is_remembered_survives_a_restart),
		cmocka_unit_test(test_a_memory_that_is_no_json_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
