/* SPDX-License-Identifier: ISC
 *
 * When checks may start. Pure: time and randomness are arguments.
 *
 * Each check has a slot in every interval, and starts within the 10 % after it: the slots spread
 * the load and never drift together, the jitter keeps two balancers from beating as one. First
 * slots follow the golden ratio, which fills an interval evenly however many are added.
 *
 * Besides, all checks together pass a pacer: whatever made many of them due at one time (the loop
 * was stalled, sockets were short), starts come at no more than PACE_BURST times the mean rate.
 */
#ifndef BALANCE_MONITOR_PACE_H
#define BALANCE_MONITOR_PACE_H

#include <glib.h>

#define PACE_JITTER_DIVISOR 10	 /* 1/10 of the interval */
#define PACE_BURST	    1.5	 /* the pacer's rate, of the mean rate; what is promised is 2 */
#define PACE_SLACK_US	    6000 /* starts that may come early, so that one turn starts several */

typedef struct Pace {
	guint32 first;	   /* of the golden sequence: from the seed */
	guint32 added;	   /* checks so far */
	guint64 rate;	   /* the mean rate, in pace.c's unit */
	double allowed_us; /* the next start's time, were they all evenly paced */
} Pace;

void pace_init(Pace *pace, guint32 seed);
/* A check with this interval is there, or gone. The interval is at least 1. */
void pace_add(Pace *pace, gint64 interval_us);
void pace_remove(Pace *pace, gint64 interval_us);
/* Where a new check's first slot is: from `now_us` on, less than an interval later. */
gint64 pace_first_slot(Pace *pace, gint64 now_us, gint64 interval_us);
/* The check's next slot, at least half an interval after its last start, and not before `now_us`.
 */
gint64 pace_next_slot(gint64 slot_us, gint64 started_us, gint64 now_us, gint64 interval_us);
/* `slot_us` and up to 10 % of the interval. */
gint64 pace_jitter(gint64 slot_us, gint64 interval_us, guint32 random);
/* When the next start may be: <= `now_us` means now. */
gint64 pace_next_start(const Pace *pace, gint64 now_us);
/* A check was started. */
void pace_started(Pace *pace, gint64 now_us);

#endif
