/* SPDX-License-Identifier: ISC
 *
 * The time as a value.
 */
#include "base/clock.h"

Clock clock_fixed(gint64 now_us)
{
	return (Clock){now_us};
}

gint64 clock_now_us(Clock clock)
{
	return clock.fixed_us != 0 ? clock.fixed_us : g_get_real_time();
}

gint64 clock_monotonic_ms(void)
{
	return g_get_monotonic_time() / 1000;
}
