/* SPDX-License-Identifier: ISC
 *
 * The time as a value. Whatever needs to know what time it is gets a Clock, so that tests and
 * rehearsals (--now) can set it. All instants are microseconds since 1970-01-01 UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <glib.h>

typedef struct Clock {
	gint64 fixed_us; /* 0: the system's clock; else always this instant */
} Clock;

#define CLOCK_SYSTEM  ((Clock){0})
#define US_PER_SECOND G_GINT64_CONSTANT(1000000)
#define US_PER_DAY    (86400 * US_PER_SECOND)

Clock clock_fixed(gint64 now_us);
gint64 clock_now_us(Clock clock);
/* Milliseconds from an arbitrary start that never go back: for deadlines and durations. */
gint64 clock_monotonic_ms(void);

#endif
