/* SPDX-License-Identifier: ISC
 *
 * The children of place i are 2i + 1 and 2i + 2; none is due before its parent.
 */
#include "balance/monitor/timer_heap.h"

static Timer *at(const TimerHeap *heap, guint place)
{
	return g_ptr_array_index(heap->timers, place);
}

static void put(TimerHeap *heap, guint place, Timer *timer)
{
	heap->timers->pdata[place] = timer;
	timer->at = place;
}

static void rise(TimerHeap *heap, guint place)
{
	Timer *timer = at(heap, place);
	while (place > 0) {
		guint parent = (place - 1) / 2;
		if (at(heap, parent)->due_us <= timer->due_us)
			break;
		put(heap, place, at(heap, parent));
		place = parent;
	}
	put(heap, place, timer);
}

static void sink(TimerHeap *heap, guint place)
{
	Timer *timer = at(heap, place);
	for (;;) {
		guint child = 2 * place + 1;
		if (child >= heap->timers->len)
			break;
		if (child + 1 < heap->timers->len &&
			at(heap, child + 1)->due_us < at(heap, child)->due_us)
			child++;
		if (timer->due_us <= at(heap, child)->due_us)
			break;
		put(heap, place, at(heap, child));
		place = child;
	}
	put(heap, place, timer);
}

void timer_heap_init(TimerHeap *heap)
{
	heap->timers = g_ptr_array_new();
}

void timer_heap_clear(TimerHeap *heap)
{
	g_clear_pointer(&heap->timers, g_ptr_array_unref);
}

void timer_heap_add(TimerHeap *heap, Timer *timer, gint64 due_us)
{
	g_assert(timer->at == TIMER_HEAP_NOWHERE);
	timer->due_us = due_us;
	g_ptr_array_add(heap->timers, timer);
	timer->at = heap->timers->len - 1;
	rise(heap, timer->at);
}

void timer_heap_remove(TimerHeap *heap, Timer *timer)
{
	if (timer->at == TIMER_HEAP_NOWHERE)
		return;
	guint place = timer->at;
	Timer *last = at(heap, heap->timers->len - 1);
	g_ptr_array_set_size(heap->timers, (int)heap->timers->len - 1);
	timer->at = TIMER_HEAP_NOWHERE;
	if (last == timer)
		return;
	put(heap, place, last);
	rise(heap, place);
	sink(heap, last->at);
}

Timer *timer_heap_first(const TimerHeap *heap)
{
	return heap->timers->len == 0 ? NULL : at(heap, 0);
}

Timer *timer_heap_pop_due(TimerHeap *heap, gint64 now_us)
{
	Timer *first = timer_heap_first(heap);
	if (first == NULL || first->due_us > now_us)
		return NULL;
	timer_heap_remove(heap, first);
	return first;
}

void timer_heap_postpone(TimerHeap *heap, gint64 by_us)
{
	for (guint i = 0; i < heap->timers->len; i++)
		at(heap, i)->due_us += by_us;
}
