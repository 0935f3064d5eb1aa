/* SPDX-License-Identifier: ISC
 *
 * What droverd's parts share, while they run.
 */
#include "programs/droverd/daemon.h"

#define SLEEP_STEP_MS 50

gboolean daemon_is_stopping(Daemon *daemon)
{
	return g_atomic_int_get(&daemon->stopping) != 0;
}

gboolean daemon_sleep(Daemon *daemon, guint ms)
{
	gint64 until_ms = clock_monotonic_ms() + ms;
	while (!daemon_is_stopping(daemon)) {
		gint64 left_ms = until_ms - clock_monotonic_ms();
		if (left_ms <= 0)
			return TRUE;
		g_usleep((gulong)(MIN(left_ms, SLEEP_STEP_MS) * 1000));
	}
	return FALSE;
}
