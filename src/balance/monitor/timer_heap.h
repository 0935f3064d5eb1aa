/* SPDX-License-Identifier: ISC
 *
 * What is due first, of many: a binary heap of times that knows where each entry stands, so that
 * one can be taken out. 10,000 entries cost 80 kB and 14 steps.
 */
#ifndef BALANCE_MONITOR_TIMER_HEAP_H
#define BALANCE_MONITOR_TIMER_HEAP_H

#include <glib.h>

#define TIMER_HEAP_NOWHERE G_MAXUINT

/* A member of what it is the time of. */
typedef struct Timer {
	gint64 due_us;
	guint at; /* in the heap; TIMER_HEAP_NOWHERE: in none */
} Timer;

typedef struct TimerHeap {
	GPtrArray *timers; /* Timer * */
} TimerHeap;

void timer_heap_init(TimerHeap *heap);
void timer_heap_clear(TimerHeap *heap);
/* The timer must be in no heap. */
void timer_heap_add(TimerHeap *heap, Timer *timer, gint64 due_us);
/* Nothing when it is in none. */
void timer_heap_remove(TimerHeap *heap, Timer *timer);
/* The earliest, which stays in; NULL when there is none. */
Timer *timer_heap_first(const TimerHeap *heap);
/* Takes out and returns the earliest, when it is due. */
Timer *timer_heap_pop_due(TimerHeap *heap, gint64 now_us);
/* All of them are due that much later. */
void timer_heap_postpone(TimerHeap *heap, gint64 by_us);

#endif
