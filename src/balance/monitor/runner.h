/* SPDX-License-Identifier: ISC
 *
 * Commands, run by a small process that was forked before privileges were dropped, as a user of its
 * own: the monitor itself never forks, and its seccomp filter need not let it. They talk over a
 * socket pair; the process ends when the other end closes. Each command has a session of its own;
 * at its timeout the whole group is killed.
 */
#ifndef BALANCE_MONITOR_RUNNER_H
#define BALANCE_MONITOR_RUNNER_H

#include <glib.h>
#include <sys/types.h>

struct event_base;

#define RUNNER_MAXIMUM_COMMANDS	     256	 /* at one time; more wait */
#define RUNNER_MAXIMUM_OUTPUT_BYTES  (4 * 1024)	 /* kept of one command's output */
#define RUNNER_MAXIMUM_REQUEST_BYTES (64 * 1024) /* a command and its arguments */
#define RUNNER_MAXIMUM_ARGUMENTS     1024	 /* with the command itself */

typedef struct Runner Runner;
typedef struct RunnerJob RunnerJob;

typedef enum RunnerEnd {
	RUNNER_EXITED,
	RUNNER_SIGNALLED,
	RUNNER_TIMED_OUT,
	RUNNER_FAILED
} RunnerEnd;

/* `number`: exit status, signal, nothing (timed out), or errno: E2BIG for a command over the
 * limits, EPIPE when the helper is lost. `output` is the end of what it wrote to both streams, at
 * most RUNNER_MAXIMUM_OUTPUT_BYTES of it, made UTF-8. */
typedef void (*RunnerTell)(RunnerEnd end, int number, const char *output, gpointer of);

/* Forks: call it early, before any thread, with few descriptors open. With `user` and `group` not
 * (uid_t)-1 the helper becomes them (it must be able to). */
Runner *runner_start(uid_t user, gid_t group, GError **error);
/* From here on answers are read in this loop. */
void runner_attach(Runner *runner, struct event_base *base);
/* The helper ends, and what it runs is killed. Jobs must have been dropped. */
void runner_free(Runner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_free)

/* argv[0] is a path, no shell is involved. `tell` is called once, from the loop; the job is gone
 * then. The timeout is counted from when there is a place for it. */
RunnerJob *runner_run(
	Runner *runner, const char *const *argv, gint64 timeout_ms, RunnerTell tell, gpointer of);
/* Kills it; no call to `tell` after this. */
void runner_drop(RunnerJob *job);
/* The helper is gone (it was killed): every job has failed, and will. */
gboolean runner_is_lost(const Runner *runner);
/* The helper's process. */
pid_t runner_process(const Runner *runner);

#endif
