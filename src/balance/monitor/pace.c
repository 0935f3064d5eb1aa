/* SPDX-License-Identifier: ISC
 *
 * The pacer is the "generic cell rate algorithm": one number, the time at which the next start
 * would be were all of them evenly spaced. A start is let through when that time has come, or is
 * less than PACE_SLACK_US away. So in any time t there are at most 1 + (t + slack) x rate starts.
 */
#include "balance/monitor/pace.h"

#include <math.h>

/* 2^32 / golden ratio: its multiples, modulo 2^32, are spread as evenly as can be. */
#define GOLDEN G_GUINT64_CONSTANT(2654435769)
/* Rates are counted in checks per so many microseconds: 0.01 % exact for an interval of a day. */
#define RATE_UNIT G_GUINT64_CONSTANT(1000000000000000)

void pace_init(Pace *pace, guint32 seed)
{
	*pace = (Pace){.first = seed, .allowed_us = -INFINITY};
}

void pace_add(Pace *pace, gint64 interval_us)
{
	g_assert(interval_us > 0);
	pace->rate += RATE_UNIT / (guint64)interval_us;
}

void pace_remove(Pace *pace, gint64 interval_us)
{
	g_assert(pace->rate >= RATE_UNIT / (guint64)interval_us);
	pace->rate -= RATE_UNIT / (guint64)interval_us;
}

gint64 pace_first_slot(Pace *pace, gint64 now_us, gint64 interval_us)
{
	guint32 phase = pace->first + (guint32)(pace->added++ * GOLDEN);
	return now_us + (gint64)((double)phase / 4294967296.0 * (double)interval_us);
}

gint64 pace_next_slot(gint64 slot_us, gint64 started_us, gint64 now_us, gint64 interval_us)
{
	gint64 from_us = MAX(started_us + interval_us / 2, now_us);
	if (slot_us >= from_us)
		return slot_us;
	gint64 intervals = (from_us - slot_us + interval_us - 1) / interval_us;
	return slot_us + intervals * interval_us;
}

gint64 pace_jitter(gint64 slot_us, gint64 interval_us, guint32 random)
{
	gint64 most_us = interval_us / PACE_JITTER_DIVISOR;
	return slot_us + (gint64)((double)random / 4294967296.0 * (double)(most_us + 1));
}

gint64 pace_next_start(const Pace *pace, gint64 now_us)
{
	double early_us = pace->allowed_us - PACE_SLACK_US;
	return early_us <= (double)now_us ? now_us : (gint64)ceil(early_us);
}

void pace_started(Pace *pace, gint64 now_us)
{
	double gap_us = pace->rate == 0 ? 0 : (double)RATE_UNIT / (double)pace->rate / PACE_BURST;
	pace->allowed_us = MAX(pace->allowed_us, (double)now_us) + gap_us;
}
