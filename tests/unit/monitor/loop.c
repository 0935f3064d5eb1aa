/* SPDX-License-Identifier: ISC
 *
 * An event loop in a test's hands: see loop.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop.h"

static void turn(struct event_base *base, int time_ms)
{
	struct timeval time = {time_ms / 1000, (time_ms % 1000) * 1000};
	event_base_loopexit(base, &time);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_until_true(struct event_base *base, gboolean (*is_so)(gpointer of), gpointer of)
{
	gint64 until_us = g_get_monotonic_time() + LOOP_PATIENCE_MS * 1000;
	while (!is_so(of)) {
		if (g_get_monotonic_time() > until_us)
			fail_msg("it did not happen within %d ms", LOOP_PATIENCE_MS);
		turn(base, 5);
	}
}

typedef struct Count {
	const guint *what;
	guint number;
} Count;

static gboolean is_reached(gpointer of)
{
	const Count *count = of;
	return *count->what >= count->number;
}

void loop_until(struct event_base *base, const guint *what, guint number)
{
	Count count = {what, number};
	loop_until_true(base, is_reached, &count);
}

void loop_for_ms(struct event_base *base, int time_ms)
{
	gint64 until_us = g_get_monotonic_time() + time_ms * 1000;
	while (g_get_monotonic_time() < until_us)
		turn(base, 5);
}
