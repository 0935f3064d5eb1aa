/* SPDX-License-Identifier: ISC
 *
 * A job that is at work for too long is told by every command that meets it.
 */
#include "programs/drover/locks.h"

#include <unistd.h>

#include "base/format.h"
#include "store/job.h"

static void warn(Invocation *invocation, const char *who)
{
	screen_warn(invocation_screen(invocation),
		"HUNG? %s; longer than lock-warn allows. Look at that process: end it if it hangs, "
		"its "
		"lock goes with it",
		who);
}

static void warn_of_store(Invocation *invocation, Store *store)
{
	Settings *settings = invocation_settings(invocation, NULL);
	gint64 now_us = clock_now_us(invocation_clock(invocation));
	gint64 limit_us = settings_integer(settings, "job.lock-warn") * US_PER_SECOND;
	g_autoptr(GPtrArray) holders = store_job_list(store, NULL);
	for (guint i = 0; holders != NULL && i < holders->len; i++) {
		const JobHolder *holder = holders->pdata[i];
		gboolean ours = holder->pid == getpid();
		if (ours || holder->since_us == 0 || now_us - holder->since_us <= limit_us)
			continue;
		g_autofree char *who = job_holder_describe(holder, now_us);
		warn(invocation, who);
	}
}

void locks_warn_of(Invocation *invocation, const json_t *jobs)
{
	gsize index;
	json_t *job;
	json_array_foreach (jobs, index, job) {
		if (!json_is_true(json_object_get(job, "stale")))
			continue;
		g_autofree char *who = g_strdup_printf(
			"%s is at work on host %s, pid %" G_GINT64_FORMAT ", since %s",
			json_text(job, "job"), json_text(job, "host"), json_integer_of(job, "pid"),
			json_text(job, "since"));
		warn(invocation, who);
	}
}

void locks_warn(Invocation *invocation, const GError *error)
{
	Store *store = invocation_opened_store(invocation);
	if (store != NULL) {
		warn_of_store(invocation, store);
		return;
	}
	if (!drover_error_is(error, DROVER_ERROR_LOCKED))
		return;
	g_autoptr(json_t) status =
		invocation_call(invocation, "GET", NULL, NULL, NULL, "status", NULL);
	locks_warn_of(invocation, json_object_get(status, "jobs"));
}
