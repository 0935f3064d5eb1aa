/* SPDX-License-Identifier: ISC
 *
 * The side of runner and helper that asks. A job waits for its turn, is under way at the helper,
 * and ends with its answer; one that cannot be sent ends from our own timer.
 *
 *     waiting ──► under way ──► told
 *        └─────► failing ────────┘
 *
 * A job that was dropped while it was under way stays there, without anybody to tell, until the
 * helper has answered: its place over there is taken as long.
 */
#include "balance/monitor/runner.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "balance/monitor/runner_helper.h"
#include "balance/monitor/runner_protocol.h"
#include "base/error.h"

#define START_PATIENCE_MS 10000
#define END_PATIENCE_MS	  1000
#define MAXIMUM_ANSWERS	  64 /* read in a turn */

struct RunnerJob {
	Runner *runner;
	guint32 id;
	GByteArray *request; /* until it is sent */
	RunnerTell tell;     /* NULL: dropped */
	gpointer of;
	int trouble;   /* errno, when it is failing */
	GQueue *queue; /* NULL: under way */
	GList link;
};

struct Runner {
	int fd;
	pid_t process; /* 0: reaped */
	gboolean lost;
	struct event_base *base;
	struct event *readable, *writable, *soon; /* NULL before runner_attach() */
	GHashTable *under_way;			  /* id -> RunnerJob */
	GQueue waiting, failing;
	GArray *drops; /* ids of which the helper does not know yet */
	guint32 last_id;
};

static void job_free(RunnerJob *job)
{
	if (job->request != NULL)
		g_byte_array_unref(job->request);
	g_free(job);
}

static void enqueue(RunnerJob *job, GQueue *queue)
{
	job->queue = queue;
	g_queue_push_tail_link(queue, &job->link);
}

static void do_soon(const Runner *runner)
{
	static const struct timeval now = {0, 0};
	if (runner->soon != NULL)
		event_add(runner->soon, &now);
}

static void fail_later(RunnerJob *job, int trouble)
{
	job->trouble = trouble;
	enqueue(job, &job->runner->failing);
	do_soon(job->runner);
}

static void stop_events(Runner *runner)
{
	g_clear_pointer(&runner->readable, event_free);
	g_clear_pointer(&runner->writable, event_free);
}

/* The helper is gone: every job fails. */
static void lose(Runner *runner)
{
	if (runner->lost)
		return;
	runner->lost = TRUE;
	stop_events(runner);
	for (GList *link; (link = g_queue_pop_head_link(&runner->waiting)) != NULL;)
		fail_later(link->data, EPIPE);
	GHashTableIter all;
	gpointer value;
	g_hash_table_iter_init(&all, runner->under_way);
	while (g_hash_table_iter_next(&all, NULL, &value)) {
		RunnerJob *job = value;
		if (job->tell != NULL)
			fail_later(job, EPIPE);
		else
			job_free(job);
	}
	g_hash_table_remove_all(runner->under_way);
	if (waitpid(runner->process, NULL, WNOHANG) == runner->process)
		runner->process = 0;
}

/* Sending */

/* FALSE: not now. */
static gboolean send_packet(Runner *runner, const GByteArray *packet)
{
	if (send(runner->fd, packet->data, packet->len, MSG_NOSIGNAL) >= 0)
		return TRUE;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		event_add(runner->writable, NULL);
	else
		lose(runner);
	return FALSE;
}

static gboolean send_drops(Runner *runner)
{
	while (runner->drops->len > 0) {
		guint32 id = g_array_index(runner->drops, guint32, runner->drops->len - 1);
		g_autoptr(GByteArray) packet = runner_request_encode(RUNNER_WISH_DROP, id, 0, NULL);
		if (!send_packet(runner, packet))
			return FALSE;
		g_array_set_size(runner->drops, runner->drops->len - 1);
	}
	return TRUE;
}

static void send_what_waits(Runner *runner)
{
	if (runner->lost || !send_drops(runner))
		return;
	while (!g_queue_is_empty(&runner->waiting) &&
		g_hash_table_size(runner->under_way) < RUNNER_MAXIMUM_COMMANDS) {
		RunnerJob *job = g_queue_peek_head(&runner->waiting);
		if (!send_packet(runner, job->request))
			return;
		g_queue_unlink(&runner->waiting, &job->link);
		job->queue = NULL;
		g_clear_pointer(&job->request, g_byte_array_unref);
		g_hash_table_insert(runner->under_way, GUINT_TO_POINTER(job->id), job);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *of)
{
	send_what_waits(of);
}

/* Telling: the job is gone before `tell` is called, so that it may do anything. */

static void tell_and_free(RunnerJob *job, RunnerEnd end, int number, const char *output)
{
	RunnerTell tell = job->tell;
	gpointer of = job->of;
	job_free(job);
	if (tell != NULL)
		tell(end, number, output, of);
}

static void on_soon(evutil_socket_t fd, short what, void *of)
{
	Runner *runner = of;
	for (guint left = g_queue_get_length(&runner->failing); left > 0; left--) {
		GList *link = g_queue_pop_head_link(&runner->failing);
		if (link == NULL)
			break; /* those heard dropped others */
		RunnerJob *job = link->data;
		tell_and_free(job, RUNNER_FAILED, job->trouble, "");
	}
	send_what_waits(runner);
}

/* The end of the output as text. A letter that was cut at its beginning is left out. */
static char *text_of(const RunnerAnswer *answer)
{
	const char *begin = answer->output;
	gsize size = answer->output_bytes;
	if (size == RUNNER_MAXIMUM_OUTPUT_BYTES)
		for (int i = 0; i < 3 && ((guchar)*begin & 0xc0) == 0x80; i++, begin++)
			size--;
	return g_utf8_make_valid(begin, (gssize)size);
}

static void take_answer(Runner *runner, const RunnerAnswer *answer)
{
	RunnerJob *job = g_hash_table_lookup(runner->under_way, GUINT_TO_POINTER(answer->id));
	if (job == NULL)
		return;
	g_hash_table_remove(runner->under_way, GUINT_TO_POINTER(answer->id));
	g_autofree char *output = text_of(answer);
	do_soon(runner); /* there is a place */
	tell_and_free(job, answer->end, answer->number, output);
}

static void on_readable(evutil_socket_t fd, short what, void *of)
{
	Runner *runner = of;
	guint8 bytes[RUNNER_MAXIMUM_ANSWER_BYTES + 1];
	for (int i = 0; i < MAXIMUM_ANSWERS; i++) {
		RunnerAnswer answer;
		ssize_t got = recv(runner->fd, bytes, sizeof bytes, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0 || !runner_answer_decode(bytes, (gsize)got, &answer)) {
			lose(runner);
			return;
		}
		take_answer(runner, &answer);
	}
}

/* Jobs */

static guint32 new_id(Runner *runner)
{
	do
		runner->last_id++;
	while (runner->last_id == 0 ||
		g_hash_table_contains(runner->under_way, GUINT_TO_POINTER(runner->last_id)));
	return runner->last_id;
}

RunnerJob *runner_run(
	Runner *runner, const char *const *argv, gint64 timeout_ms, RunnerTell tell, gpointer of)
{
	g_assert(argv[0] != NULL && timeout_ms > 0);
	RunnerJob *job = g_new0(RunnerJob, 1);
	job->runner = runner;
	job->id = new_id(runner);
	job->tell = tell;
	job->of = of;
	job->link.data = job;
	job->request = runner_request_encode(RUNNER_WISH_RUN, job->id, timeout_ms, argv);
	if (runner->lost || job->request == NULL) {
		fail_later(job, runner->lost ? EPIPE : E2BIG);
		return job;
	}
	enqueue(job, &runner->waiting);
	do_soon(runner);
	return job;
}

void runner_drop(RunnerJob *job)
{
	Runner *runner = job->runner;
	if (job->queue != NULL) {
		g_queue_unlink(job->queue, &job->link);
		job_free(job);
		return;
	}
	job->tell = NULL;
	g_array_append_val(runner->drops, job->id);
	do_soon(runner);
}

gboolean runner_is_lost(const Runner *runner)
{
	return runner->lost;
}

pid_t runner_process(const Runner *runner)
{
	return runner->process;
}

/* The runner */

static gboolean hear_ready(int fd, GError **error)
{
	char word[200] = "";
	struct pollfd wait = {fd, POLLIN, 0};
	ssize_t got =
		poll(&wait, 1, START_PATIENCE_MS) == 1 ? recv(fd, word, sizeof word - 1, 0) : 0;
	if (got > 0 && strcmp(word, RUNNER_READY) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL,
		"the process that runs commands cannot start: %s",
		got > 0 ? word : "it ended, or says nothing");
	return FALSE;
}

Runner *runner_start(uid_t user, gid_t group, GError **error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot make a socket pair for the process that runs commands: %s",
			g_strerror(errno));
		return NULL;
	}
	pid_t process = fork();
	if (process == 0)
		runner_helper_live(pair[1], user, group);
	int trouble = errno;
	close(pair[1]);
	Runner *runner = g_new0(Runner, 1);
	runner->fd = pair[0];
	runner->process = MAX(process, 0);
	runner->under_way = g_hash_table_new(NULL, NULL);
	runner->drops = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (process < 0)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot fork the process that runs commands: %s", g_strerror(trouble));
	if (process < 0 || !hear_ready(runner->fd, error))
		g_clear_pointer(&runner, runner_free);
	return runner;
}

void runner_attach(Runner *runner, struct event_base *base)
{
	g_assert(runner->base == NULL);
	runner->base = base;
	evutil_make_socket_nonblocking(runner->fd);
	runner->readable = event_new(base, runner->fd, EV_READ | EV_PERSIST, on_readable, runner);
	runner->writable = event_new(base, runner->fd, EV_WRITE, on_writable, runner);
	runner->soon = evtimer_new(base, on_soon, runner);
	event_add(runner->readable, NULL);
	do_soon(runner);
}

/* The helper ends when it sees our end closed, after it has killed what it ran. */
static void wait_for_end(const Runner *runner)
{
	for (int waited_ms = 0; runner->process > 0 && waited_ms < END_PATIENCE_MS; waited_ms++) {
		if (waitpid(runner->process, NULL, WNOHANG) != 0)
			return;
		g_usleep(1000);
	}
}

void runner_free(Runner *runner)
{
	if (runner == NULL)
		return;
	g_assert(g_queue_is_empty(&runner->waiting) && g_queue_is_empty(&runner->failing));
	GHashTableIter all;
	gpointer job;
	g_hash_table_iter_init(&all, runner->under_way);
	while (g_hash_table_iter_next(&all, NULL, &job)) {
		g_assert(((RunnerJob *)job)->tell == NULL);
		job_free(job);
	}
	stop_events(runner);
	g_clear_pointer(&runner->soon, event_free);
	close(runner->fd);
	wait_for_end(runner);
	g_hash_table_unref(runner->under_way);
	g_array_unref(runner->drops);
	g_free(runner);
}
