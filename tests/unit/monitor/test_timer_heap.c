/* SPDX-License-Identifier: ISC
 *
 * The heap gives back in order whatever went in and was taken out in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "balance/monitor/timer_heap.h"

#define TIMERS 2000

static void test_timers_come_out_in_order(void **state)
{
	TimerHeap heap;
	Timer timers[TIMERS];
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	timer_heap_init(&heap);
	for (guint i = 0; i < TIMERS; i++) {
		timers[i].at = TIMER_HEAP_NOWHERE;
		timer_heap_add(&heap, &timers[i], g_rand_int_range(rand, 0, 500));
	}
	for (guint i = 0; i < TIMERS; i += 2)
		timer_heap_remove(&heap, &timers[i]);
	timer_heap_remove(&heap, &timers[0]);
	gint64 last_us = 0;
	guint count = 0;
	for (Timer *timer; (timer = timer_heap_pop_due(&heap, 499)) != NULL; count++) {
		assert_true(timer->due_us >= last_us);
		assert_int_equal((timer - timers) % 2, 1);
		last_us = timer->due_us;
	}
	assert_int_equal(count, TIMERS / 2);
	assert_null(timer_heap_first(&heap));
	timer_heap_clear(&heap);
}

static void test_nothing_comes_before_its_time(void **state)
{
	TimerHeap heap;
	Timer timer = {0, TIMER_HEAP_NOWHERE};
	timer_heap_init(&heap);
	timer_heap_add(&heap, &timer, 100);
	assert_null(timer_heap_pop_due(&heap, 99));
	timer_heap_postpone(&heap, 50);
	assert_null(timer_heap_pop_due(&heap, 149));
	assert_ptr_equal(timer_heap_pop_due(&heap, 150), &timer);
	timer_heap_clear(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_come_out_in_order),
		cmocka_unit_test(test_nothing_comes_before_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
