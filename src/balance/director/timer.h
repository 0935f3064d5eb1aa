/* SPDX-License-Identifier: ISC
 *
 * Timers that collect what happens until they fire.
 */
#ifndef BALANCE_DIRECTOR_TIMER_H
#define BALANCE_DIRECTOR_TIMER_H

#include <event2/event.h>
#include <glib.h>

#include "balance/director/pause.h"

/* In `after_ms` from now; when it runs already, the earlier time stands. */
static inline void timer_start(struct event *timer, gint64 after_ms)
{
	if (!evtimer_pending(timer, NULL))
		pause_schedule(timer, after_ms);
}

#endif
