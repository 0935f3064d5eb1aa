/* SPDX-License-Identifier: ISC
 *
 * The responder's loop. A connection's life, one callback a state:
 *
 *     head -> answering -> lingering -> closed
 *
 * It is answered as soon as its head is there (or too long, or broken: everything is answered).
 * Then the sending half is closed and what the client still sends, a body, is read and thrown away
 * until it closes too: a close with unread bytes would be a reset, and the client would see that
 * instead of the answer.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/format.h"
#include "base/log.h"
#include "base/service.h"
#include "node/hold/listen.h"
#include "node/hold/respond.h"
#include "node/hold/respond_answer.h"
#include "node/hold/spawn.h"

#define SCRATCH_BYTES	65536
#define MAXIMUM_READS	16  /* of one connection, before others get a turn */
#define MAXIMUM_ACCEPTS 256 /* of one socket, the same */
#define ACCEPT_PAUSE_MS 100 /* when the process may open no more files */

typedef struct Responder {
	const NodeProduct *product;
	struct event_base *base;
	GArray *fds;
	int signals;
	GPtrArray *doors; /* struct event * */
	struct event *again;
	RespondWindow window;
	char *reason, *page;
	guint64 count; /* of all connections so far */
	guint open;
	gboolean is_leaving;
	char scratch[SCRATCH_BYTES];
} Responder;

typedef enum Stage { STAGE_HEAD, STAGE_ANSWER, STAGE_LINGER } Stage;

typedef struct Visit {
	Responder *of;
	int fd;
	Stage stage;
	struct event *event;
	GString *bytes; /* of the head; then of the answer */
	gsize sent_bytes, drained_bytes;
	guint64 lot;
	gint64 deadline_ms;
} Visit;

static void set_doors(Responder *responder, gboolean are_open)
{
	for (guint i = 0; i < responder->doors->len; i++)
		if (are_open)
			event_add(responder->doors->pdata[i], NULL);
		else
			event_del(responder->doors->pdata[i]);
}

static void end_visit(Visit *visit)
{
	Responder *responder = visit->of;
	event_free(visit->event);
	close(visit->fd);
	g_string_free(visit->bytes, TRUE);
	g_free(visit);
	responder->open--;
	if (responder->is_leaving && responder->open == 0)
		event_base_loopbreak(responder->base);
	else if (!responder->is_leaving && responder->open == RESPOND_MAXIMUM_CONNECTIONS - 1)
		set_doors(responder, TRUE);
}

static void wait_for(Visit *visit, short what, gint64 at_most_ms)
{
	gint64 left_ms = MAX(visit->deadline_ms - clock_monotonic_ms(), 1);
	left_ms = MIN(left_ms, at_most_ms);
	struct timeval limit = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
	if (event_get_events(visit->event) != what) {
		event_callback_fn callback = event_get_callback(visit->event);
		event_del(visit->event);
		event_assign(visit->event, visit->of->base, visit->fd, what, callback, visit);
	}
	event_add(visit->event, &limit);
}

static void linger(Visit *visit)
{
	for (guint i = 0; i < MAXIMUM_READS; i++) {
		gssize got = recv(visit->fd, visit->of->scratch, SCRATCH_BYTES, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (got <= 0) {
			end_visit(visit);
			return;
		}
		visit->drained_bytes += (gsize)got;
		if (visit->drained_bytes > RESPOND_MAXIMUM_DRAINED_BYTES) {
			end_visit(visit);
			return;
		}
	}
	wait_for(visit, EV_READ, RESPOND_LINGER_IDLE_S * 1000);
}

/* Who has its answer must not keep those out that have none. */
static gint64 linger_s(const Responder *responder)
{
	gboolean is_crowded = responder->open > RESPOND_MAXIMUM_LINGERING;
	return responder->is_leaving || is_crowded ? RESPOND_CROWDED_S : RESPOND_LINGER_S;
}

static void send_answer(Visit *visit)
{
	while (visit->sent_bytes < visit->bytes->len) {
		gssize sent = send(visit->fd, visit->bytes->str + visit->sent_bytes,
			visit->bytes->len - visit->sent_bytes, MSG_NOSIGNAL);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_for(visit, EV_WRITE, RESPOND_SEND_S * 1000);
			return;
		}
		if (sent < 0) {
			end_visit(visit);
			return;
		}
		visit->sent_bytes += (gsize)sent;
	}
	shutdown(visit->fd, SHUT_WR);
	visit->stage = STAGE_LINGER;
	visit->deadline_ms = clock_monotonic_ms() + linger_s(visit->of) * 1000;
	linger(visit);
}

static void begin_answer(Visit *visit, gsize head_bytes)
{
	Responder *responder = visit->of;
	RespondAsked asked =
		respond_asked(visit->bytes->str, head_bytes, responder->product->health_path);
	gint64 away_s = respond_away_s(&responder->window, clock_now_us(CLOCK_SYSTEM), visit->lot);
	g_string_free(visit->bytes, TRUE);
	visit->bytes = respond_answer(responder->product, &responder->window, &asked, away_s);
	visit->stage = STAGE_ANSWER;
	visit->deadline_ms = clock_monotonic_ms() + RESPOND_SEND_S * 1000;
	send_answer(visit);
}

static void read_head(Visit *visit)
{
	gsize room = RESPOND_MAXIMUM_HEAD_BYTES - visit->bytes->len;
	gssize got = recv(visit->fd, visit->of->scratch, room, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(visit, EV_READ, RESPOND_HEAD_S * 1000);
		return;
	}
	if (got <= 0) {
		end_visit(visit);
		return;
	}
	/* The end may be among the last bytes that were there before. */
	gsize from = visit->bytes->len > 3 ? visit->bytes->len - 3 : 0;
	g_string_append_len(visit->bytes, visit->of->scratch, got);
	gsize end = respond_head_end(visit->bytes->str + from, visit->bytes->len - from);
	if (end > 0 || visit->bytes->len >= RESPOND_MAXIMUM_HEAD_BYTES)
		begin_answer(visit, end > 0 ? from + end : visit->bytes->len);
	else
		wait_for(visit, EV_READ, RESPOND_HEAD_S * 1000);
}

static void on_visit(evutil_socket_t fd, short what, gpointer of)
{
	Visit *visit = of;
	if (what & EV_TIMEOUT)
		end_visit(visit);
	else if (visit->stage == STAGE_HEAD)
		read_head(visit);
	else if (visit->stage == STAGE_ANSWER)
		send_answer(visit);
	else
		linger(visit);
}

static void begin_visit(Responder *responder, int fd, const struct sockaddr_storage *from)
{
	Visit *visit = g_new0(Visit, 1);
	*visit = (Visit){.of = responder,
		.fd = fd,
		.bytes = g_string_new(NULL),
		.lot = respond_lot(from, sizeof *from, responder->count++),
		.deadline_ms = clock_monotonic_ms() + RESPOND_HEAD_S * 1000};
	visit->event = event_new(responder->base, fd, EV_READ, on_visit, visit);
	responder->open++;
	read_head(visit);
}

static void on_again(evutil_socket_t fd, short what, gpointer of)
{
	Responder *responder = of;
	if (!responder->is_leaving)
		set_doors(responder, TRUE);
}

static void on_door(evutil_socket_t door, short what, gpointer of)
{
	Responder *responder = of;
	static const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
	/* The flag belongs to the socket, not to us: another process may have taken it away. */
	fcntl(door, F_SETFL, fcntl(door, F_GETFL) | O_NONBLOCK);
	for (guint i = 0; i < MAXIMUM_ACCEPTS; i++) {
		struct sockaddr_storage from = {0};
		socklen_t size_bytes = sizeof from;
		if (responder->open >= RESPOND_MAXIMUM_CONNECTIONS) {
			set_doors(responder, FALSE);
			return;
		}
		int fd = accept4(
			door, (struct sockaddr *)&from, &size_bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
			set_doors(responder, FALSE);
			event_add(responder->again, &pause);
			return;
		}
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd >= 0)
			begin_visit(responder, fd, &from);
	}
}

static void on_leave(evutil_socket_t fd, short what, gpointer of)
{
	Responder *responder = of;
	if (spawn_signalled(fd) == 0)
		return;
	responder->is_leaving = TRUE;
	set_doors(responder, FALSE);
	if (responder->open == 0)
		event_base_loopbreak(responder->base);
}

/* What is said, read while this process may still read it. */
static void read_window(Responder *responder)
{
	const NodeProduct *product = responder->product;
	g_autoptr(GError) failure = NULL;
	json_t *state = maintenance_state(product, clock_now_us(CLOCK_SYSTEM), NULL);
	const char *until = json_string_value(json_object_get(state, "until"));
	RespondWindow *window = &responder->window;
	responder->reason = g_strdup(json_string_value(json_object_get(state, "reason")));
	window->in_maintenance = json_is_true(json_object_get(state, "on"));
	window->reason = responder->reason;
	if (until != NULL)
		parse_time(until, &window->until_us, NULL);
	json_decref(state);
	if (product->page == NULL)
		return;
	responder->page = file_read(product->page, RESPOND_MAXIMUM_PAGE_BYTES, NULL, &failure);
	window->page = responder->page;
	if (failure != NULL)
		log_event(LOG_LEVEL_WARNING, "respond.page", "error", failure->message, NULL);
}

static void serve(Responder *responder)
{
	struct event *leave = event_new(
		responder->base, responder->signals, EV_READ | EV_PERSIST, on_leave, responder);
	event_add(leave, NULL);
	for (guint i = 0; i < responder->fds->len; i++)
		g_ptr_array_add(responder->doors,
			event_new(responder->base, g_array_index(responder->fds, int, i),
				EV_READ | EV_PERSIST, on_door, responder));
	set_doors(responder, TRUE);
	service_notify("READY=1\nSTATUS=answering 503");
	event_base_dispatch(responder->base);
	event_free(leave);
}

gboolean respond_run(const NodeProduct *product, GError **error)
{
	g_autoptr(GArray) fds = listen_lent(error);
	if (fds == NULL)
		return FALSE;
	spawn_raise_file_limit();
	signal(SIGPIPE, SIG_IGN);
	g_autofree Responder *responder = g_new0(Responder, 1);
	responder->product = product;
	responder->fds = fds;
	responder->signals = spawn_signals((const int[]){SIGTERM, 0}, error);
	if (responder->signals < 0)
		return FALSE;
	read_window(responder);
	gboolean ok = spawn_become(product->user, product->group, error);
	if (ok) {
		responder->base = event_base_new();
		responder->doors = g_ptr_array_new_with_free_func((GDestroyNotify)event_free);
		responder->again = evtimer_new(responder->base, on_again, responder);
		serve(responder);
		g_ptr_array_unref(responder->doors);
		event_free(responder->again);
		event_base_free(responder->base);
	}
	g_free(responder->reason);
	g_free(responder->page);
	return ok;
}
