/* SPDX-License-Identifier: ISC
 *
 * The holder's life: what it begins with, what it looks at after each event, and its end.
 */
#include "node/hold/holder.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/format.h"
#include "base/joblock.h"
#include "base/log.h"
#include "base/service.h"
#include "node/hold/spawn.h"

#define MINUTE_MS	   60000
#define RESPONDER_EVERY_MS 1000
#define RESTART_FIRST_MS                                                                           \
	100 /* before the second start of a minute; twice that before each next                    \
	     */
#define ARGUMENTS_BYTES 131072

void holder_arm(struct event *timer, gint64 ms)
{
	struct timeval when = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(timer, &when);
}

static Child *newest_responder(const Holder *holder)
{
	for (guint i = holder->children->len; i > 0; i--) {
		Child *child = holder->children->pdata[i - 1];
		if (child->kind == CHILD_RESPONDER && child->stage != CHILD_LEAVING)
			return child;
	}
	return NULL;
}

gboolean holder_has_services(const Holder *holder)
{
	for (guint i = 0; i < holder->children->len; i++)
		if (((const Child *)holder->children->pdata[i])->kind != CHILD_RESPONDER)
			return TRUE;
	return FALSE;
}

/* A service is also needed by a forwarder, even one that leaves: that tells it when. */
static gboolean is_needed(const Holder *holder, const Child *child)
{
	const Turn *turn = &holder->turn;
	for (guint i = 0; i < holder->children->len; i++)
		if (((const Child *)holder->children->pdata[i])->backend == child)
			return TRUE;
	return child == holder->front || child == turn->trial || child == turn->service ||
	       child == turn->forwarder;
}

/* Whoever is neither in front nor of a turn goes; of responders all but `responder`. */
static void dismiss(Holder *holder, const Child *responder)
{
	for (guint i = 0; i < holder->children->len; i++) {
		Child *child = holder->children->pdata[i];
		if (child->kind != CHILD_RESPONDER && !is_needed(holder, child))
			child_leave(child, holder->product->drain_timeout_s);
		if (child->kind == CHILD_RESPONDER && child != responder &&
			(responder == NULL || responder->stage == CHILD_READY))
			child_leave(child, holder->product->drain_timeout_s);
	}
}

/* The next start of what ended by itself: soon, later each time, and never more than
 * HOLD_MAXIMUM_RESTARTS in a minute. */
static void plan_start(Holder *holder)
{
	gint64 now_ms = clock_monotonic_ms();
	GArray *past = holder->restarts;
	if (evtimer_pending(holder->retry, NULL))
		return;
	while (past->len > 0 && now_ms - g_array_index(past, gint64, 0) > MINUTE_MS)
		g_array_remove_index(past, 0);
	if (past->len == 0)
		holder_arm(holder->retry, 0);
	else if (past->len >= HOLD_MAXIMUM_RESTARTS)
		holder_arm(holder->retry, g_array_index(past, gint64, 0) + MINUTE_MS + 1 - now_ms);
	else
		holder_arm(holder->retry, (gint64)RESTART_FIRST_MS << (past->len - 1));
}

static void on_retry(evutil_socket_t fd, short what, gpointer of)
{
	Holder *holder = of;
	gint64 now_ms = clock_monotonic_ms();
	if (holder->wanted != NULL && holder->front == NULL && !holder->in_maintenance &&
		!holder->is_ending && holder->turn.step == TURN_NONE) {
		g_array_append_val(holder->restarts, now_ms);
		holder->restart_count++;
		turn_begin(holder, holder->wanted, NULL);
	}
	holder_look(holder);
}

static void on_silence(evutil_socket_t fd, short what, gpointer of)
{
	Holder *holder = of;
	holder->is_silent = TRUE;
	holder_look(holder);
}

/* One that ends by itself is not started more often than every second. */
static Child *need_responder(Holder *holder)
{
	g_autoptr(GError) failure = NULL;
	gint64 now_ms = clock_monotonic_ms();
	Child *responder = newest_responder(holder);
	if (responder != NULL)
		return responder;
	if (holder->responder_ms == 0 || now_ms - holder->responder_ms >= RESPONDER_EVERY_MS) {
		responder = child_start_responder(holder, &failure);
		saved_write(holder);
	}
	if (failure != NULL)
		log_event(LOG_LEVEL_ERROR, "hold.no-responder", "error", failure->message, NULL);
	if (responder == NULL)
		holder_arm(holder->silence, RESPONDER_EVERY_MS);
	return responder;
}

static void look_at_end(Holder *holder)
{
	if (holder->turn.step != TURN_NONE)
		turn_fail(holder, "the holder ends");
	holder->front = NULL;
	dismiss(holder, NULL);
	if (holder->children->len == 0)
		event_base_loopbreak(holder->base);
}

/* Somebody always answers: the service when it is wanted, the responder when it is not, or when
 * there was silence. Either goes when the other answers, not before. */
static void look_at_answers(Holder *holder, gboolean is_wanted)
{
	Child *responder = NULL;
	if (holder->front != NULL && is_wanted) {
		holder->is_silent = FALSE;
		event_del(holder->silence);
	} else if (!is_wanted || holder->is_silent || newest_responder(holder) != NULL) {
		responder = need_responder(holder);
	} else if (!evtimer_pending(holder->silence, NULL)) {
		holder_arm(holder->silence, HOLD_SILENCE_MS);
	}
	if (!is_wanted && responder != NULL && responder->stage == CHILD_READY)
		holder->front = NULL;
	dismiss(holder, responder);
}

static gboolean has_stopped(const Holder *holder)
{
	const Child *responder = newest_responder(holder);
	return responder != NULL && responder->stage == CHILD_READY && !holder_has_services(holder);
}

void holder_look(Holder *holder)
{
	gboolean is_wanted = holder->wanted != NULL && !holder->in_maintenance;
	if (holder->is_ending) {
		look_at_end(holder);
		return;
	}
	turn_continue(holder);
	/* A forwarder whose service has ended has nothing behind it. */
	if (holder->front != NULL && holder->front->kind == CHILD_FORWARDER &&
		holder->front->backend == NULL)
		holder->front = NULL;
	look_at_answers(holder, is_wanted);
	if (is_wanted && holder->front == NULL && holder->turn.step == TURN_NONE)
		plan_start(holder);
	if (holder->awaited == AWAITED_STOPPED && has_stopped(holder)) {
		Caller *caller = holder->awaiting;
		holder->awaited = AWAITED_NOTHING;
		holder->awaiting = NULL;
		control_answer(caller, NULL);
	}
}

void holder_read_maintenance(Holder *holder, gboolean has_changed)
{
	g_autoptr(GError) failure = NULL;
	json_t *state = maintenance_state(holder->product, clock_now_us(CLOCK_SYSTEM), NULL);
	holder->in_maintenance = json_is_true(json_object_get(state, "on"));
	log_event(LOG_LEVEL_INFO, "hold.maintenance", "product", holder->product->name, "on",
		holder->in_maintenance ? "yes" : "no", "reason",
		json_string_value(json_object_get(state, "reason")), "until",
		json_string_value(json_object_get(state, "until")), NULL);
	json_decref(state);
	/* It has read what to say when it began; the next one says it anew. */
	if (has_changed && newest_responder(holder) != NULL &&
		child_start_responder(holder, &failure) == NULL)
		log_event(LOG_LEVEL_ERROR, "hold.no-responder", "error", failure->message, NULL);
}

static const char *who_answers(const Holder *holder)
{
	const Child *responder = newest_responder(holder);
	if (holder->front != NULL)
		return "service";
	return responder != NULL && responder->stage == CHILD_READY ? "responder" : "nobody";
}

static json_t *child_status(const Child *child)
{
	static const char *const stages[] = {[CHILD_STARTING] = "starting",
		[CHILD_READY] = "ready",
		[CHILD_LEAVING] = "leaving"};
	g_autofree char *since = format_time(child->since_us);
	return json_pack("{s:s, s:s, s:s?, s:i, s:s, s:s?, s:s?}", "kind",
		child_kind_name(child->kind), "stage", stages[child->stage], "version",
		child->version, "pid", (int)child->process, "since", since, "address",
		child->address, "status",
		child->said.status[0] != '\0' ? child->said.status : NULL);
}

/* The service that answers, or is behind the forwarder that does; null: none. */
static json_t *service_status(const Holder *holder)
{
	const Child *front = holder->front;
	if (front != NULL && front->backend != NULL)
		front = front->backend;
	if (front == NULL)
		return json_null();
	g_autofree char *since = format_time(front->since_us);
	return json_pack("{s:i, s:s, s:i}", "pid", (int)front->process, "since", since, "restarts",
		(int)holder->restart_count);
}

json_t *holder_status(const Holder *holder)
{
	static const char *const steps[] = {[TURN_NONE] = NULL,
		[TURN_CLEAR] = "clearing",
		[TURN_TRY] = "trying",
		[TURN_START] = "starting",
		[TURN_FORWARD] = "forwarding"};
	const Turn *turn = &holder->turn;
	json_t *children = json_array(), *listens = json_array();
	for (guint i = 0; i < holder->children->len; i++)
		json_array_append_new(children, child_status(holder->children->pdata[i]));
	for (guint i = 0; i < holder->listeners->len; i++) {
		ListenAddress address;
		listen_address_of(g_array_index(holder->listeners, int, i), &address);
		g_autofree char *text = listen_address_text(&address);
		json_array_append_new(listens, json_string(text));
	}
	return json_pack("{s:s, s:i, s:s, s:s?, s:s?, s:s?, s:s?, s:i, s:s?, s:o, s:o, s:o, s:o}",
		"product", holder->product->name, "pid", (int)getpid(), "answers",
		who_answers(holder), "version",
		holder->front != NULL ? holder->front->version : NULL, "wanted", holder->wanted,
		"doing", steps[turn->step], "doing_version", turn->version, "restarts",
		(int)holder->restart_count, "failure", holder->failure, "service",
		service_status(holder), "listen", listens, "children", children, "maintenance",
		maintenance_state(holder->product, clock_now_us(CLOCK_SYSTEM), NULL));
}

static void end(Holder *holder)
{
	holder->is_ending = TRUE;
	service_notify("STOPPING=1");
	holder_look(holder);
}

static void renew(Holder *holder)
{
	if (holder->turn.step == TURN_NONE && !holder->is_ending)
		holder_renew(holder);
	else
		log_event(LOG_LEVEL_WARNING, "hold.not-renewed", "why",
			"it is in the middle of a handover", NULL);
}

static void on_signal(evutil_socket_t fd, short what, gpointer of)
{
	if (spawn_signalled(fd) == SIGHUP)
		renew(of);
	else
		end(of);
}

static char **own_arguments(const char *program)
{
	gsize size_bytes = 0;
	g_autofree char *text = file_read("/proc/self/cmdline", ARGUMENTS_BYTES, &size_bytes, NULL);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	const char *end = text != NULL ? text + size_bytes : NULL;
	for (const char *at = text; at != NULL && at < end; at += strlen(at) + 1)
		g_strv_builder_add(builder, at == text ? program : at);
	return g_strv_builder_end(builder);
}

void holder_renew(Holder *holder)
{
	g_auto(GStrv) arguments = own_arguments(holder->program);
	g_autofree char *count = g_strdup_printf("%u", holder->listeners->len);
	g_autofree char *self = g_strdup_printf("%d", (int)getpid());
	int above = LISTEN_FIRST_FD + (int)holder->listeners->len;
	if (arguments[0] == NULL || access(holder->program, X_OK) != 0) {
		log_event(LOG_LEVEL_ERROR, "hold.not-renewed", "program", holder->program, NULL);
		return;
	}
	saved_write(holder);
	service_notify("RELOADING=1");
	for (guint i = 0; i < holder->listeners->len; i++) {
		int *fd = &g_array_index(holder->listeners, int, i);
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, above);
	}
	for (guint i = 0; i < holder->listeners->len; i++)
		dup2(g_array_index(holder->listeners, int, i), LISTEN_FIRST_FD + (int)i);
	g_setenv("LISTEN_FDS", count, TRUE);
	g_setenv("LISTEN_PID", self, TRUE);
	execv(holder->program, arguments);
	/* Its descriptors are not what they were: the next holder adopts what runs. */
	_exit(1);
}

static char *current_version(const NodeProduct *product)
{
	g_autofree char *path = g_build_filename(product->prefix, "current", NULL);
	g_autofree char *target = g_file_read_link(path, NULL);
	return target != NULL ? g_path_get_basename(target) : NULL;
}

static void begin(Holder *holder)
{
	holder->children = g_ptr_array_new_with_free_func((GDestroyNotify)child_free);
	holder->restarts = g_array_new(FALSE, FALSE, sizeof(gint64));
	holder->silence = evtimer_new(holder->base, on_silence, holder);
	holder->retry = evtimer_new(holder->base, on_retry, holder);
	guard_begin(holder);
	saved_adopt(holder);
	holder->wanted = holder->front != NULL ? g_strdup(holder->front->version)
					       : current_version(holder->product);
	holder_read_maintenance(holder, FALSE);
	listen_store(holder->listeners);
	service_notify("READY=1");
	log_event(LOG_LEVEL_INFO, "hold.begin", "product", holder->product->name, "version",
		holder->wanted, NULL);
	holder_look(holder);
}

static void finish(Holder *holder)
{
	g_autofree char *saved =
		g_build_filename(holder->product->prefix, ".drover", "holder.json", NULL);
	unlink(saved);
	control_close(holder);
	guard_end(holder);
	event_free(holder->silence);
	event_free(holder->retry);
	g_ptr_array_unref(holder->children);
	g_array_unref(holder->restarts);
	g_free(holder->wanted);
	g_free(holder->failure);
}

/* Where those that outlived the last holder will not give the sockets (only root may take them from
 * another user's process, and some hosts let nobody) they have to end first. */
static GArray *take_listeners(const NodeProduct *product, GError **error)
{
	g_autoptr(GError) failure = NULL;
	GArray *orphans = saved_orphans(product);
	GArray *listeners = listen_take_all(product, orphans, &failure);
	if (drover_error_is(failure, DROVER_ERROR_CONFLICT) && orphans->len > 0) {
		log_event(LOG_LEVEL_WARNING, "hold.not-taken", "product", product->name, "why",
			failure->message, "then", "what runs is ended first", NULL);
		g_clear_error(&failure);
		spawn_end_all(orphans, product->drain_timeout_s);
		listeners = listen_take_all(product, NULL, &failure);
	}
	if (failure != NULL)
		g_propagate_error(error, g_steal_pointer(&failure));
	listen_close_all(orphans);
	return listeners;
}

static gboolean serve(Holder *holder, int signals, GError **error)
{
	holder->listeners = take_listeners(holder->product, error);
	if (holder->listeners == NULL)
		return FALSE;
	holder->base = event_base_new();
	gboolean ok = control_open(holder, error);
	if (ok) {
		struct event *signalled =
			event_new(holder->base, signals, EV_READ | EV_PERSIST, on_signal, holder);
		event_add(signalled, NULL);
		begin(holder);
		event_base_dispatch(holder->base);
		finish(holder);
		event_free(signalled);
	}
	event_base_free(holder->base);
	listen_close_all(holder->listeners);
	return ok;
}

gboolean hold_run(const NodeProduct *product, const char *program, GError **error)
{
	g_autofree char *folder = g_build_filename(product->prefix, ".drover", NULL);
	if (product->run == NULL || product->listen == NULL || product->listen[0] == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"product '%s' needs no holder: only one with `run` and `listen` has its "
			"sockets held",
			product->name);
		return FALSE;
	}
	if (!file_make_folder(folder, 0755, error))
		return FALSE;
	g_autoptr(JobLock) lock = joblock_take(folder, "hold", CLOCK_SYSTEM, error);
	if (lock == NULL)
		return FALSE;
	signal(SIGPIPE, SIG_IGN);
	int signals = spawn_signals((const int[]){SIGTERM, SIGINT, SIGHUP, 0}, error);
	if (signals < 0)
		return FALSE;
	Holder holder = {.product = product, .program = program};
	gboolean ok = serve(&holder, signals, error);
	close(signals);
	return ok;
}
