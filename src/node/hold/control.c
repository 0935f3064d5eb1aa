/* SPDX-License-Identifier: ISC
 *
 * The control socket: PREFIX/.drover/hold.sock, 0600. A caller sends a line, gets a line, and is
 * gone; it may wait long for it, and may go before: what it asked for goes on.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/hold/holder.h"

#define SCRATCH_BYTES 4096

struct Caller {
	Holder *holder;
	int fd;
	struct event *event;
	GString *line;
	gboolean is_waiting;
};

static void end_caller(Caller *caller)
{
	Holder *holder = caller->holder;
	if (holder->turn.caller == caller)
		holder->turn.caller = NULL;
	if (holder->awaiting == caller)
		holder->awaiting = NULL;
	event_free(caller->event);
	close(caller->fd);
	g_string_free(caller->line, TRUE);
	g_ptr_array_remove_fast(holder->callers, caller);
	g_free(caller);
}

void control_answer(Caller *caller, const GError *failure)
{
	if (caller == NULL)
		return;
	json_t *said = failure == NULL ? holder_status(caller->holder)
				       : json_pack("{s:{s:s, s:s}}", "error", "code",
						 drover_error_kind(failure->code), "message",
						 failure->message);
	g_autofree char *text = json_dumps(said, JSON_COMPACT | JSON_PRESERVE_ORDER);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	/* It is small against the socket's buffer; who does not take it has asked for nothing. */
	gssize sent = send(caller->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent;
	json_decref(said);
	end_caller(caller);
}

static gboolean is_busy(const Holder *holder, GError **error)
{
	if (holder->turn.step != TURN_NONE)
		drover_error_set(error, DROVER_ERROR_LOCKED,
			"the holder of %s is in the middle of starting version %s; wait for it",
			holder->product->name, holder->turn.version);
	else if (holder->awaited != AWAITED_NOTHING || holder->is_ending)
		drover_error_set(error, DROVER_ERROR_LOCKED,
			"the holder of %s is in the middle of stopping the service; wait for it",
			holder->product->name);
	else
		return FALSE;
	return TRUE;
}

static gboolean is_installed(const Holder *holder, const char *version, GError **error)
{
	g_autofree char *folder =
		g_build_filename(holder->product->prefix, "releases", version, NULL);
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"version %s of %s is not installed: there is no %s", version, holder->product->name,
		folder);
	return FALSE;
}

static void await_stop(Holder *holder, Caller *caller)
{
	holder->awaited = AWAITED_STOPPED;
	holder->awaiting = caller;
}

/* The service comes back, if there is one. */
static gboolean leave_maintenance(Holder *holder, Caller *caller, GError **error)
{
	gboolean was_on = holder->in_maintenance;
	if (!maintenance_end(holder->product, error))
		return FALSE;
	holder_read_maintenance(holder, TRUE);
	if (was_on && holder->wanted != NULL && holder->front == NULL)
		turn_begin(holder, holder->wanted, caller);
	else
		control_answer(caller, NULL);
	return TRUE;
}

static gboolean obey(Holder *holder, Caller *caller, const HoldMessage *message, GError **error)
{
	if (message->what == HOLD_STATUS) {
		control_answer(caller, NULL);
		return TRUE;
	}
	if (is_busy(holder, error))
		return FALSE;
	switch (message->what) {
	case HOLD_HANDOVER:
		if (!is_installed(holder, message->version, error))
			return FALSE;
		turn_begin(holder, message->version, caller);
		return TRUE;
	case HOLD_STOP_SERVICE:
		g_clear_pointer(&holder->wanted, g_free);
		await_stop(holder, caller);
		return TRUE;
	case HOLD_MAINTENANCE_ON:
		if (!maintenance_set(holder->product, message->reason, message->until_us,
			    clock_now_us(CLOCK_SYSTEM), error))
			return FALSE;
		holder_read_maintenance(holder, TRUE);
		await_stop(holder, caller);
		return TRUE;
	case HOLD_MAINTENANCE_OFF:
		return leave_maintenance(holder, caller, error);
	case HOLD_RENEW:
	default:
		control_answer(caller, NULL);
		holder_renew(holder);
		return TRUE;
	}
}

static void hear(Caller *caller, gsize length)
{
	Holder *holder = caller->holder;
	g_auto(HoldMessage) message = {0};
	g_autoptr(GError) failure = NULL;
	caller->is_waiting = TRUE;
	event_remove_timer(caller->event);
	if (!hold_message_parse(caller->line->str, length, &message, &failure) ||
		!obey(holder, caller, &message, &failure))
		control_answer(caller, failure);
	holder_look(holder);
}

static void on_caller(evutil_socket_t fd, short what, gpointer of)
{
	Caller *caller = of;
	char scratch[SCRATCH_BYTES];
	gssize got = what & EV_TIMEOUT ? 0 : recv(fd, scratch, sizeof scratch, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		end_caller(caller);
		return;
	}
	if (caller->is_waiting)
		return; /* one line is one call */
	g_string_append_len(caller->line, scratch, got);
	const char *end = memchr(caller->line->str, '\n', caller->line->len);
	if (end != NULL) {
		hear(caller, (gsize)(end - caller->line->str));
	} else if (caller->line->len > HOLD_MAXIMUM_MESSAGE_BYTES) {
		g_autoptr(GError) failure = NULL;
		drover_error_set(&failure, DROVER_ERROR_TOO_LARGE,
			"a message to a holder has at most %d bytes", HOLD_MAXIMUM_MESSAGE_BYTES);
		control_answer(caller, failure);
	}
}

static gboolean may_call(int fd)
{
	struct ucred peer;
	socklen_t size_bytes = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size_bytes) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void on_control(evutil_socket_t door, short what, gpointer of)
{
	Holder *holder = of;
	static const struct timeval limit = {.tv_sec = HOLD_CALLER_S};
	int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!may_call(fd) || holder->callers->len >= HOLD_MAXIMUM_CALLERS) {
		close(fd);
		return;
	}
	Caller *caller = g_new0(Caller, 1);
	caller->holder = holder;
	caller->fd = fd;
	caller->line = g_string_new(NULL);
	caller->event = event_new(holder->base, fd, EV_READ | EV_PERSIST, on_caller, caller);
	event_add(caller->event, &limit);
	g_ptr_array_add(holder->callers, caller);
}

gboolean control_open(Holder *holder, GError **error)
{
	ListenAddress address;
	g_autofree char *path =
		g_build_filename(holder->product->prefix, ".drover", "hold.sock", NULL);
	if (!listen_address_parse(path, &address, error))
		return FALSE;
	/* The lock of this holder says that whoever made it is gone. */
	unlink(path);
	mode_t mask = umask(0177);
	holder->control_fd = listen_open(&address, error);
	umask(mask);
	if (holder->control_fd < 0)
		return FALSE;
	holder->callers = g_ptr_array_new();
	holder->control = event_new(
		holder->base, holder->control_fd, EV_READ | EV_PERSIST, on_control, holder);
	event_add(holder->control, NULL);
	return TRUE;
}

void control_close(Holder *holder)
{
	g_autofree char *path =
		g_build_filename(holder->product->prefix, ".drover", "hold.sock", NULL);
	while (holder->callers->len > 0)
		end_caller(holder->callers->pdata[0]);
	g_ptr_array_unref(holder->callers);
	event_free(holder->control);
	close(holder->control_fd);
	unlink(path);
}
