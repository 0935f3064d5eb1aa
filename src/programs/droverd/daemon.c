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

void daemon_nudge(Daemon *daemon)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&daemon->nudge_lock);
	daemon->is_nudged = TRUE;
	g_cond_signal(&daemon->nudge);
}

gboolean daemon_wait_for_nudge(Daemon *daemon, guint ms)
{
	gint64 until_us = g_get_monotonic_time() + ms * G_GINT64_CONSTANT(1000);
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&daemon->nudge_lock);
	while (!daemon->is_nudged && !daemon_is_stopping(daemon))
		if (!g_cond_wait_until(&daemon->nudge, &daemon->nudge_lock, until_us))
			break;
	daemon->is_nudged = FALSE;
	return !daemon_is_stopping(daemon);
}

char *pool_topic(const char *pool)
{
	return g_strconcat("pool/", pool, NULL);
}

char *node_topic(const char *node)
{
	return g_strconcat("node/", node, NULL);
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
