/* SPDX-License-Identifier: ISC
 *
 * How long to wait before the next try.
 */
#include "balance/director/pause.h"

#include <event2/event.h>

static gint64 between(gint64 low_ms, gint64 high_ms)
{
	return (gint64)g_random_double_range((double)low_ms, (double)high_ms + 1);
}

gint64 pause_around(gint64 time_ms)
{
	return between(time_ms - time_ms / 10, time_ms + time_ms / 10);
}

gint64 pause_after_failures(guint failures, gint64 first_ms, gint64 last_ms)
{
	gint64 pause_ms = first_ms;
	for (guint i = 1; i < failures && pause_ms < last_ms; i++)
		pause_ms *= 2;
	pause_ms = MIN(pause_ms, last_ms);
	return between(pause_ms / 2, pause_ms);
}

void pause_schedule(struct event *timer, gint64 after_ms)
{
	gint64 wait_ms = MAX(after_ms, 0);
	const struct timeval after = {wait_ms / 1000, wait_ms % 1000 * 1000};
	event_add(timer, &after);
}
