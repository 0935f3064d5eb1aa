/* SPDX-License-Identifier: ISC
 *
 * Handing a request to a worker, and its answer back; and requests that wait for news (long polls).
 *
 * The connection is suspended before the errand is queued, never after: a worker could be done
 * before we had suspended, and resuming a connection that is not suspended is undefined. Once
 * resumed, it is libmicrohttpd's again, and the worker touches neither it nor the errand.
 *
 *     queued --worker--> handled --answer--> resumed
 *       ^                   |
 *       |                 "not yet"
 *       |                   v
 *     again <--ring, time, peer gone-- waiting
 *
 * An errand that waits costs no thread: it stands below its topic. Those that are woken are handled
 * again by at most half of the workers, however many they are, so that thousands of them never keep
 * a person waiting. A topic remembers its newest value, so news between the handler's look and the
 * waiting is not missed.
 */
#include "base/clock.h"
#include "wire/http_inside.h"

#define WAIT_STEP_MS 250 /* how exactly an errand's time ends, and a gone peer is found */

typedef struct Topic {
	gint64 value;	    /* the newest that was rung */
	GPtrArray *waiting; /* of HttpErrand *, whose `known` is not below value */
} Topic;

struct HttpWork {
	HttpHandler handler;
	gpointer of;
	GMutex lock;
	GThreadPool *threads; /* NULL once closed */
	GHashTable *topics;   /* of char * to Topic * */
	guint waiting;	      /* errands below all topics */
	GQueue again;	      /* of HttpErrand *, woken, not yet with a worker */
	guint again_at_work, again_most;
	gboolean hushed; /* nobody waits any more */
	GCond stirred;
	GThread *clock;
};

static void topic_free(gpointer of)
{
	Topic *topic = of;
	g_assert(topic->waiting->len == 0);
	g_ptr_array_unref(topic->waiting);
	g_free(topic);
}

/* With the lock held. */
static Topic *topic_of(HttpWork *work, const char *name)
{
	Topic *topic = g_hash_table_lookup(work->topics, name);
	if (!topic) {
		topic = g_new0(Topic, 1);
		topic->value = G_MININT64;
		topic->waiting = g_ptr_array_new();
		g_hash_table_insert(work->topics, g_strdup(name), topic);
	}
	return topic;
}

/* With the lock held: as many of the woken as may be at work. */
static void pump(HttpWork *work)
{
	while (work->again_at_work < work->again_most && !g_queue_is_empty(&work->again)) {
		work->again_at_work++;
		g_thread_pool_push(work->threads, g_queue_pop_head(&work->again), NULL);
	}
}

/* With the lock held: the errand no longer waits. */
static void wake(HttpWork *work, HttpErrand *errand)
{
	errand->set_waiting(errand, FALSE);
	errand->is_again = TRUE;
	g_queue_push_tail(&work->again, errand);
}

/* Waits as the answer says, or is handled again at once. FALSE when it may not wait. */
static gboolean park(HttpWork *work, HttpErrand *errand, const HttpWait *wait)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	Topic *topic = topic_of(work, wait->topic);
	if (work->hushed || work->waiting >= HTTP_MAXIMUM_POLLS)
		return FALSE;
	errand->known = wait->known;
	errand->until_ms = clock_monotonic_ms() + wait->wait_ms;
	errand->set_waiting(errand, TRUE);
	if (topic->value > wait->known) {
		wake(work, errand);
	} else {
		g_ptr_array_add(topic->waiting, errand);
		work->waiting++;
	}
	return TRUE;
}

static void done_again(HttpWork *work)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	work->again_at_work--;
	if (work->threads)
		pump(work);
}

/* NULL when the errand waits now. */
static HttpAnswer *handle(HttpWork *work, HttpErrand *errand)
{
	if (!errand->is_wanted(errand))
		return http_answer_new_refusal(503, "the request came too late");
	if (errand->request->first_ms == 0)
		errand->request->first_ms = clock_monotonic_ms();
	g_autoptr(HttpAnswer) answer = work->handler(errand->request, work->of);
	g_assert(answer);
	const HttpWait *wait = http_answer_wait(answer);
	if (!wait)
		return g_steal_pointer(&answer);
	if (park(work, errand, wait))
		return NULL;
	return http_answer_new_refusal(503, "too many requests wait, or the server stops");
}

static void run(gpointer data, gpointer of)
{
	HttpErrand *errand = data;
	HttpWork *work = of;
	gboolean was_again = errand->is_again;
	HttpAnswer *answer = handle(work, errand);
	if (answer) {
		errand->answer = answer;
		MHD_resume_connection(errand->connection);
	}
	if (was_again)
		done_again(work);
	else if (!answer) { /* it may have been woken at once */
		g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
		pump(work);
	}
}

/* With the lock held: wakes those of a topic of which `is_over` holds. */
static void wake_some(HttpWork *work, Topic *topic,
	gboolean (*is_over)(HttpErrand *errand, gint64 number), gint64 number)
{
	for (guint i = topic->waiting->len; i-- > 0;) {
		HttpErrand *errand = topic->waiting->pdata[i];
		if (!is_over(errand, number))
			continue;
		g_ptr_array_remove_index(topic->waiting, i);
		work->waiting--;
		wake(work, errand);
	}
}

static gboolean has_waited(HttpErrand *errand, gint64 now_ms)
{
	return now_ms >= errand->until_ms || !errand->is_wanted(errand);
}

static gboolean is_news(HttpErrand *errand, gint64 value)
{
	return value > errand->known;
}

static gpointer watch_clock(gpointer of)
{
	HttpWork *work = of;
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	while (!work->hushed) {
		GHashTableIter all;
		gpointer topic;
		g_hash_table_iter_init(&all, work->topics);
		while (g_hash_table_iter_next(&all, NULL, &topic))
			wake_some(work, topic, has_waited, clock_monotonic_ms());
		pump(work);
		g_cond_wait_until(&work->stirred, &work->lock,
			g_get_monotonic_time() + WAIT_STEP_MS * G_GINT64_CONSTANT(1000));
	}
	return NULL;
}

void http_work_ring(HttpWork *work, const char *name, gint64 value)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	Topic *topic = topic_of(work, name);
	if (value <= topic->value || work->hushed)
		return;
	topic->value = value;
	wake_some(work, topic, is_news, value);
	pump(work);
}

guint http_work_waiting(HttpWork *work)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&work->lock);
	return work->waiting;
}

HttpWork *http_work_new(guint workers, HttpHandler handler, gpointer of)
{
	HttpWork *work = g_new0(HttpWork, 1);
	work->handler = handler;
	work->of = of;
	work->topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, topic_free);
	work->again_most = MAX(1, workers / 2);
	g_mutex_init(&work->lock);
	g_cond_init(&work->stirred);
	g_queue_init(&work->again);
	GError *error = NULL;
	work->threads = g_thread_pool_new(run, work, (gint)workers, TRUE, &error);
	if (error)
		g_error("cannot start %u worker threads: %s", workers, error->message);
	work->clock = g_thread_new("http-wait", watch_clock, work);
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

static gboolean is_any(HttpErrand *errand, gint64 number)
{
	return errand != NULL && number == 0;
}

void http_work_hush(HttpWork *work)
{
	g_mutex_lock(&work->lock);
	work->hushed = TRUE;
	GHashTableIter all;
	gpointer topic;
	g_hash_table_iter_init(&all, work->topics);
	while (g_hash_table_iter_next(&all, NULL, &topic))
		wake_some(work, topic, is_any, 0);
	for (HttpErrand *errand; (errand = g_queue_pop_head(&work->again)) != NULL;) {
		errand->answer = http_answer_new_refusal(503, "the server stops");
		MHD_resume_connection(errand->connection);
	}
	GThread *clock = g_steal_pointer(&work->clock);
	g_cond_broadcast(&work->stirred);
	g_mutex_unlock(&work->lock);
	if (clock)
		g_thread_join(clock);
}

void http_work_close(HttpWork *work)
{
	http_work_hush(work);
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
	g_assert(!work->threads && !work->clock);
	g_assert(g_queue_is_empty(&work->again));
	g_hash_table_unref(work->topics);
	g_cond_clear(&work->stirred);
	g_mutex_clear(&work->lock);
	g_free(work);
}
