/* SPDX-License-Identifier: ISC
 *
 * One lock per store and job (scan, remind, report, upgrade …). On SQLite it is a JobLock in the
 * folder PATH.locks beside the database; on PostgreSQL a session advisory lock on a connection of
 * its own, so that it holds across hosts, with a row that names the holder.
 */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "base/joblock.h"
#include "store/store.h"

typedef struct StoreJob StoreJob;

/* Not inside a transaction. Does not wait for the job. Fails with DROVER_ERROR_LOCKED, naming the
 * holder's host, pid and age. */
StoreJob *store_job_take(Store *store, const char *job, Clock clock, GError **error);
void store_job_release(StoreJob *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreJob, store_job_release)

/* Those at work now: GPtrArray of JobHolder *. Dead holders are not listed. */
GPtrArray *store_job_list(Store *store, GError **error);

#endif
