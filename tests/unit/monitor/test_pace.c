/* SPDX-License-Identifier: ISC
 *
 * Spread, jitter and bursts, in a time of our own: what the engine does with a pace is played here
 * without sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "balance/monitor/pace.h"
#include "balance/monitor/timer_heap.h"

#define MAXIMUM_CHECKS 2000
#define TURN_US	       1000

typedef struct Player {
	Pace pace;
	GRand *rand;
	gint64 now_us;
	TimerHeap due;
	GQueue queue;
	gint64 interval_us;
	Timer timers[MAXIMUM_CHECKS];
	gint64 slots_us[MAXIMUM_CHECKS], lasts_us[MAXIMUM_CHECKS];
	guint count;
	GArray *starts_us, *gaps_us;
} Player;

static Player *player_new(gint64 interval_us, guint32 seed)
{
	Player *player = g_new0(Player, 1);
	player->rand = g_rand_new_with_seed(seed);
	player->now_us = 1000000;
	player->interval_us = interval_us;
	player->starts_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	player->gaps_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	timer_heap_init(&player->due);
	pace_init(&player->pace, g_rand_int(player->rand));
	return player;
}

static void player_free(Player *player)
{
	g_rand_free(player->rand);
	g_queue_clear(&player->queue);
	g_array_unref(player->starts_us);
	g_array_unref(player->gaps_us);
	timer_heap_clear(&player->due);
	g_free(player);
}

static void player_add(Player *player, guint count)
{
	for (; count > 0; count--) {
		guint i = player->count++;
		pace_add(&player->pace, player->interval_us);
		player->slots_us[i] =
			pace_first_slot(&player->pace, player->now_us, player->interval_us);
		player->timers[i].at = TIMER_HEAP_NOWHERE;
		timer_heap_add(&player->due, &player->timers[i], player->slots_us[i]);
	}
}

/* A check ends as soon as it has started. */
static void player_start(Player *player, Timer *timer)
{
	gsize i = (gsize)(timer - player->timers);
	pace_started(&player->pace, player->now_us);
	g_array_append_val(player->starts_us, player->now_us);
	gint64 gap_us = player->now_us - player->lasts_us[i];
	if (player->lasts_us[i] != 0)
		g_array_append_val(player->gaps_us, gap_us);
	player->lasts_us[i] = player->now_us;
	player->slots_us[i] = pace_next_slot(
		player->slots_us[i], player->now_us, player->now_us, player->interval_us);
	timer_heap_add(&player->due, timer,
		pace_jitter(player->slots_us[i], player->interval_us, g_rand_int(player->rand)));
}

static void player_turn(Player *player)
{
	for (Timer *timer; (timer = timer_heap_pop_due(&player->due, player->now_us)) != NULL;)
		g_queue_push_tail(&player->queue, timer);
	while (!g_queue_is_empty(&player->queue) &&
		pace_next_start(&player->pace, player->now_us) <= player->now_us)
		player_start(player, g_queue_pop_head(&player->queue));
}

static void player_run(Player *player, gint64 time_us)
{
	for (gint64 until_us = player->now_us + time_us; player->now_us < until_us;) {
		player->now_us += TURN_US;
		player_turn(player);
	}
}

static gint64 start_at(const Player *player, guint i)
{
	return g_array_index(player->starts_us, gint64, i);
}

/* In no window are there more starts than twice the mean (`mean` in a window, at least 1). */
static void expect_no_burst(const Player *player, gint64 window_us, double mean)
{
	guint from = 0;
	for (guint to = 0; to < player->starts_us->len; to++) {
		while (start_at(player, from) <= start_at(player, to) - window_us)
			from++;
		assert_true(to - from + 1 <= MAX(2 * mean, 1) + 0.5);
	}
}

static void test_first_checks_are_spread_over_the_interval(void **state)
{
	for (guint32 seed = 0; seed < 20; seed++) {
		Player *player = player_new(10 * G_USEC_PER_SEC, seed);
		gint64 begin_us = player->now_us;
		player_add(player, 1000);
		player_run(player, 10 * G_USEC_PER_SEC + TURN_US);
		guint parts[10] = {0};
		guint firsts = 0;
		for (guint i = 0; i < player->starts_us->len; i++, firsts++)
			parts[MIN((start_at(player, i) - begin_us) / G_USEC_PER_SEC, 9)]++;
		assert_true(firsts >= 1000);
		for (guint i = 0; i < 9; i++)
			assert_in_range(parts[i], 90, 110);
		player_free(player);
	}
}

static void test_a_thousand_servers_at_once_are_no_burst(void **state)
{
	Player *player = player_new(10 * G_USEC_PER_SEC, 3);
	player_add(player, 1000); /* 100 a second */
	player_run(player, 60 * G_USEC_PER_SEC);
	assert_in_range(player->starts_us->len, 5500, 6000);
	expect_no_burst(player, 100000, 10);
	expect_no_burst(player, G_USEC_PER_SEC, 100);
	player_free(player);
}

static void test_a_stall_is_made_up_for_without_a_burst(void **state)
{
	Player *player = player_new(G_USEC_PER_SEC, 5);
	player_add(player, 1000); /* 1,000 a second */
	player_run(player, 3 * G_USEC_PER_SEC);
	player->now_us += 5 * G_USEC_PER_SEC;
	guint before = player->starts_us->len;
	player_run(player, 5 * G_USEC_PER_SEC);
	/* Nobody is forgotten, nobody is checked for every interval that was missed. */
	assert_in_range(player->starts_us->len - before, 4800, 6200);
	expect_no_burst(player, 20000, 20);
	expect_no_burst(player, 100000, 100);
	player_free(player);
}

static void test_servers_that_come_bit_by_bit_are_no_burst(void **state)
{
	for (guint32 seed = 0; seed < 10; seed++) {
		Player *player = player_new(2 * G_USEC_PER_SEC, seed);
		player_add(player, 200); /* 100 a second */
		player_run(player, 3 * G_USEC_PER_SEC);
		for (guint more = 0; more < 20; more++) {
			player_add(player, 10);
			player_run(player, 137000);
		}
		player_run(player, 20 * G_USEC_PER_SEC);
		expect_no_burst(player, 100000, 20); /* 400 servers in the end: 200 a second */
		player_free(player);
	}
}

static void test_intervals_are_jittered_by_a_tenth(void **state)
{
	Player *player = player_new(G_USEC_PER_SEC, 9);
	player_add(player, 500);
	player_run(player, 30 * G_USEC_PER_SEC);
	guint shorter = 0, longer = 0;
	/* The pacer may add some milliseconds. */
	for (guint i = 0; i < player->gaps_us->len; i++) {
		gint64 gap_us = g_array_index(player->gaps_us, gint64, i);
		assert_in_range(gap_us, 880000, 1120000);
		shorter += gap_us < 980000;
		longer += gap_us > 1020000;
	}
	assert_true(shorter > player->gaps_us->len / 5);
	assert_true(longer > player->gaps_us->len / 5);
	player_free(player);
}

static void test_a_check_that_took_long_keeps_its_slot(void **state)
{
	/* Slot at 0, interval 10: started at 1, ended at 4: next at 10. Ended at 27: at 30. Started
	 * late, at 8: not at 10 but at 20. */
	assert_int_equal(pace_next_slot(0, 1, 4, 10), 10);
	assert_int_equal(pace_next_slot(0, 1, 27, 10), 30);
	assert_int_equal(pace_next_slot(0, 8, 9, 10), 20);
}

static void test_rates_go_back_to_nothing_when_all_are_gone(void **state)
{
	Pace pace;
	pace_init(&pace, 1);
	for (gint64 i = 1; i <= 1000; i++)
		pace_add(&pace, i * 99991);
	for (gint64 i = 1000; i >= 1; i--)
		pace_remove(&pace, i * 99991);
	assert_int_equal(pace.rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_checks_are_spread_over_the_interval),
		cmocka_unit_test(test_a_thousand_servers_at_once_are_no_burst),
		cmocka_unit_test(test_a_stall_is_made_up_for_without_a_burst),
		cmocka_unit_test(test_servers_that_come_bit_by_bit_are_no_burst),
		cmocka_unit_test(test_intervals_are_jittered_by_a_tenth),
		cmocka_unit_test(test_a_check_that_took_long_keeps_its_slot),
		cmocka_unit_test(test_rates_go_back_to_nothing_when_all_are_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
