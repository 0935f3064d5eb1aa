/* SPDX-License-Identifier: ISC
 *
 * One of each job at a time, across hosts where the database is shared (docs/store.md).
 *
 * On PostgreSQL the lock is the session's: it goes with the connection, so with the process, and a
 * table's row is only for the message. A row counts while the very server process that it names has
 * the lock; rows of the dead stay until the job is taken again, and say nothing.
 */
#include "store/job.h"

#include <unistd.h>

#include "base/file.h"
#include "store/engine.h"

/* As in base/joblock.c. */
enum { UNNAMED_LOOKS = 50, UNNAMED_LOOK_US = 10 * 1000 };

struct StoreJob {
	JobLock *file;	/* on SQLite */
	Store *session; /* on PostgreSQL: a connection of its own, whose advisory lock is the job's
			 */
};

#define JOB_KEY(job)                                                                               \
	"hashtextextended('drover job ' || coalesce(current_schema(), '') || ' ' || " job ", 0)"
/* pg_locks shows a key's halves. */
#define LOCKED_BY                                                                                  \
	"FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = " \
	"1 "                                                                                       \
	"AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "                \
	"current_database()) "                                                                     \
	"AND ((l.classid::bigint << 32) | l.objid::bigint) = "

static const char SQL_TRY[] = "SELECT pg_try_advisory_lock(" JOB_KEY("?") ")";
static const char SQL_RELEASE[] = "SELECT 1 FROM (SELECT pg_advisory_unlock_all()) AS released";
static const char SQL_FORGET[] = "DELETE FROM job_holder WHERE job = ?";
static const char SQL_SAY[] = "INSERT INTO job_holder (job, host, pid, since_us, backend_pid) "
			      "VALUES (?, ?, ?, ?, pg_backend_pid())";
static const char SQL_HOLDERS[] =
	"SELECT h.job, h.host, h.pid, h.since_us FROM job_holder h WHERE h.backend_pid = "
	"(SELECT l.pid " LOCKED_BY JOB_KEY("h.job") ") ORDER BY h.job";

static char *lock_folder(const Store *store)
{
	return g_strconcat(store_sqlite_path(store), ".locks", NULL);
}

/* On SQLite ----------------------------------------------------------------------------------- */

static StoreJob *take_file(Store *store, const char *job, Clock clock, GError **error)
{
	g_autofree char *folder = lock_folder(store);
	if (!file_make_folder(folder, 0700, error))
		return NULL;
	JobLock *file = joblock_take(folder, job, clock, error);
	if (!file)
		return NULL;
	StoreJob *lock = g_new0(StoreJob, 1);
	lock->file = file;
	return lock;
}

/* On PostgreSQL ------------------------------------------------------------------------------- */

static GPtrArray *list_holders(Store *store, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_HOLDERS, STORE_NO_PARAMS);
	g_autoptr(GPtrArray) holders =
		g_ptr_array_new_with_free_func((GDestroyNotify)job_holder_free);
	gboolean more = TRUE;
	while (more) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (more)
			g_ptr_array_add(holders,
				job_holder_new(store_rows_text(rows, 0), store_rows_text(rows, 1),
					store_rows_integer(rows, 2), store_rows_integer(rows, 3)));
	}
	return g_steal_pointer(&holders);
}

/* *holder is NULL when nobody that has the lock has said yet who it is. */
static gboolean find_holder(Store *store, const char *job, JobHolder **holder, GError **error)
{
	g_autoptr(GPtrArray) holders = list_holders(store, error);
	*holder = NULL;
	for (guint i = 0; holders && i < holders->len && !*holder; i++) {
		JobHolder *one = g_ptr_array_index(holders, i);
		if (g_str_equal(one->job, job))
			*holder = g_ptr_array_steal_index(holders, i);
	}
	return holders != NULL;
}

/* FALSE with DROVER_ERROR_LOCKED names the holder; one that comes or goes at this instant has no
 * name, and is waited for. */
static gboolean try_advisory(Store *session, const char *job, Clock clock, GError **error)
{
	g_autoptr(JobHolder) holder = NULL;
	for (int looks = 1; !holder; looks++) {
		gint64 is_ours;
		if (!store_query_integer(
			    session, error, 0, &is_ours, SQL_TRY, STORE_PARAMS(STORE_TEXT(job))))
			return FALSE;
		if (is_ours)
			return TRUE;
		if (!find_holder(session, job, &holder, error))
			return FALSE;
		if (!holder && looks >= UNNAMED_LOOKS)
			holder = job_holder_new(job, "", 0, 0);
		else if (!holder)
			g_usleep(UNNAMED_LOOK_US);
	}
	g_autofree char *words = job_holder_describe(holder, clock_now_us(clock));
	drover_error_set(error, DROVER_ERROR_LOCKED, "%s", words);
	return FALSE;
}

static gboolean say_who(Store *session, gpointer of, GError **error)
{
	const JobHolder *holder = of;
	return store_execute(session, error, SQL_FORGET, STORE_PARAMS(STORE_TEXT(holder->job))) &&
	       store_execute(session, error, SQL_SAY,
		       STORE_PARAMS(STORE_TEXT(holder->job), STORE_TEXT(holder->host),
			       STORE_INT(holder->pid), STORE_INT(holder->since_us)));
}

static StoreJob *take_advisory(Store *store, const char *job, Clock clock, GError **error)
{
	g_autoptr(Store) session = store_open(store_url(store), error);
	if (!session || !try_advisory(session, job, clock, error))
		return NULL;
	g_autoptr(JobHolder) holder =
		job_holder_new(job, g_get_host_name(), getpid(), clock_now_us(clock));
	if (!store_write(session, say_who, holder, error))
		return NULL;
	StoreJob *lock = g_new0(StoreJob, 1);
	lock->session = g_steal_pointer(&session);
	return lock;
}

/* --------------------------------------------------------------------------------------------- */

StoreJob *store_job_take(Store *store, const char *job, Clock clock, GError **error)
{
	/* Its holder is written by another connection, which would wait for this one. */
	g_assert(!store_in_transaction(store));
	if (store_kind(store) == STORE_SQLITE)
		return take_file(store, job, clock, error);
	return take_advisory(store, job, clock, error);
}

void store_job_release(StoreJob *lock)
{
	if (!lock)
		return;
	joblock_release(lock->file);
	/* The server sees only some time later that a connection was closed. */
	if (lock->session != NULL)
		store_execute(lock->session, NULL, SQL_RELEASE, STORE_NO_PARAMS);
	store_close(lock->session);
	g_free(lock);
}

GPtrArray *store_job_list(Store *store, GError **error)
{
	if (store_kind(store) == STORE_POSTGRESQL)
		return list_holders(store, error);
	g_autofree char *folder = lock_folder(store);
	return joblock_list(folder, error);
}
