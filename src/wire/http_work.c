/* SPDX-License-Identifier: ISC
 *
 * Handing a request to a worker, and its answer back.
 *
 * The connection is suspended before the errand is queued, never after: a worker could be done
 * before we had suspended, and resuming a connection that is not suspended is undefined. Once
 * resumed, it is libmicrohttpd's again, and the worker touches neither it nor the errand.
 */
#include "wire/http_inside.h"

struct HttpWork {
	HttpHandler handler;
	gpointer of;
	GMutex lock;
	GThreadPool *threads; /* NULL once closed */
};

static void run(gpointer data, gpointer of)
{
	HttpErrand *errand = data;
	const HttpWork *work = of;
	if (errand->is_wanted(errand)) {
		errand->answer = work->handler(errand->request, work->of);
		g_assert(errand->answer);
	} else {
		errand->answer = http_answer_new_refusal(503, "the request came too late");
	}
	MHD_resume_connection(errand->connection);
}

HttpWork *http_work_new(guint workers, HttpHandler handler, gpointer of)
{
	HttpWork *work = g_new0(HttpWork, 1);
	work->handler = handler;
	work->of = of;
	g_mutex_init(&work->lock);
	GError *error = NULL;
	work->threads = g_thread_pool_new(run, work, (gint)workers, TRUE, &error);
	if (error)
		g_error("cannot start %u worker threads: %s", workers, error->message);
	return work;
}

gboolean http_work_hand_over(HttpWork *work, HttpErrand *errand)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	if (!work->threads || g_thread_pool_unprocessed(work->threads) >= HTTP_MAXIMUM_WAITING)
		return FALSE;
	MHD_suspend_connection(errand->connection);
	g_thread_pool_push(work->threads, errand, NULL);
	return TRUE;
}

void http_work_close(HttpWork *work)
{
	g_mutex_lock(&work->lock);
	GThreadPool *threads = g_steal_pointer(&work->threads);
	g_mutex_unlock(&work->lock);
	if (threads)
		g_thread_pool_free(threads, FALSE, TRUE);
}

void http_work_free(HttpWork *work)
{
	if (!work)
		return;
	g_assert(!work->threads);
	g_mutex_clear(&work->lock);
	g_free(work);
}
