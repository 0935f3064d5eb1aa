/* SPDX-License-Identifier: ISC
 *
 * How long to wait before the next try. Never the same time, so that balancers which lost a server
 * at one moment do not come back at one moment.
 */
#ifndef BALANCE_DIRECTOR_PAUSE_H
#define BALANCE_DIRECTOR_PAUSE_H

#include <glib.h>

struct event;

/* Within 10 % of `time_ms`. */
gint64 pause_around(gint64 time_ms);
/* After `failures` in a row, from 1: between half and the whole of first_ms, doubled with each
 * failure, at most last_ms. */
gint64 pause_after_failures(guint failures, gint64 first_ms, gint64 last_ms);
/* Fires the timer in `after_ms`; at once, from the loop, for 0 and less. */
void pause_schedule(struct event *timer, gint64 after_ms);

#endif
