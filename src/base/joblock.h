/* SPDX-License-Identifier: ISC
 *
 * One at a time, on one host: a lock on a file that names its holder. The kernel drops the lock
 * with the process, so a dead holder never blocks and a recycled pid means nothing: what the file
 * says (host, pid, start time) is for the message.
 */
#ifndef BASE_JOBLOCK_H
#define BASE_JOBLOCK_H

#include "base/clock.h"

typedef struct JobLock JobLock;

typedef struct JobHolder {
	char *job; /* "scan" */
	char *host;
	gint64 pid;
	gint64 since_us; /* when it took the lock */
} JobHolder;

/* Takes the lock `folder`/`job`.lock without waiting. Fails with DROVER_ERROR_LOCKED, naming the
 * holder's host, pid and age. */
JobLock *joblock_take(const char *folder, const char *job, Clock clock, GError **error);
/* Also the free function. NULL is allowed. */
void joblock_release(JobLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobLock, joblock_release)

/* Locks held at this instant in `folder`, by job: GPtrArray of JobHolder *. A lock whose holder
 * died is not held. A folder that is not there holds none. */
GPtrArray *joblock_list(const char *folder, GError **error);

/* "scan is at work on host db1, pid 4711, for 12 min". Caller frees. */
char *job_holder_describe(const JobHolder *holder, gint64 now_us);
JobHolder *job_holder_new(const char *job, const char *host, gint64 pid, gint64 since_us);
void job_holder_free(JobHolder *holder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobHolder, job_holder_free)

#endif
