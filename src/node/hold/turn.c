/* SPDX-License-Identifier: ISC
 *
 * One turn: bringing a version to the front, or leaving everything as it was (holder.h has its
 * steps).
 */
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/hold/holder.h"
#include "node/hold/probe.h"
#include "node/hold/spawn.h"

#define FAILED_LEAVES_S 5   /* a version that did not get ready */
#define SETTLE_MS	500 /* more than the trial took, for the same on the shared socket */
#define SETTLE_MOST_MS	30000

static void end_probe(Turn *turn)
{
	if (turn->probe > 0) {
		g_clear_pointer(&turn->probed, event_free);
		kill(-turn->probe, SIGKILL);
		kill(turn->probe, SIGKILL);
		g_free(spawn_collect(turn->probe, turn->probe_fd));
		close(turn->probe_fd);
		turn->probe = 0;
	}
}

static void end_turn(Holder *holder)
{
	end_probe(&holder->turn);
	if (holder->turn.timer != NULL)
		event_free(holder->turn.timer);
	g_free(holder->turn.version);
	holder->turn = (Turn){.step = TURN_NONE};
}

void turn_fail(Holder *holder, const char *format, ...)
{
	Turn *turn = &holder->turn;
	g_autoptr(GError) failure = NULL;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	Caller *caller = turn->caller;
	Child *const begun[] = {turn->trial, turn->forwarder, turn->service};
	/* Nothing of it remains: not its trial, nor a forwarder to nowhere. */
	for (gsize i = 0; i < G_N_ELEMENTS(begun); i++) {
		if (begun[i] == NULL)
			continue;
		begun[i]->backend = NULL;
		child_leave(begun[i], FAILED_LEAVES_S);
	}
	const char *front = holder->front != NULL ? holder->front->version : NULL;
	drover_error_set(&failure, DROVER_ERROR_CONFLICT,
		"version %s of %s did not get ready: %s; %s%s", turn->version,
		holder->product->name, why,
		front != NULL ? "still answering: version " : "the responder answers",
		front != NULL ? front : "");
	log_event(LOG_LEVEL_WARNING, "hold.not-ready", "product", holder->product->name, "version",
		turn->version, "why", why, NULL);
	g_free(holder->failure);
	holder->failure = g_strdup(failure->message);
	end_turn(holder);
	control_answer(caller, failure);
}

static void finish(Holder *holder)
{
	Turn *turn = &holder->turn;
	Child *old = holder->front;
	g_autoptr(GError) failure = NULL;
	Caller *caller = turn->caller;
	turn->service->stage = CHILD_READY;
	listen_again(holder->listeners); /* most services call listen(2), with less */
	holder->front = turn->service;
	if (turn->forwarder != NULL) {
		turn->forwarder->stage = CHILD_READY;
		holder->front = turn->forwarder;
	}
	if (old != NULL)
		child_leave(old, holder->product->drain_timeout_s);
	g_free(holder->wanted);
	holder->wanted = g_strdup(turn->version);
	g_clear_pointer(&holder->failure, g_free);
	log_event(LOG_LEVEL_INFO, "hold.answers", "product", holder->product->name, "version",
		turn->version, NULL);
	/* A caller's new release is there: so ends the maintenance it came in. */
	if (holder->in_maintenance && turn->is_asked) {
		maintenance_end(holder->product, &failure);
		holder_read_maintenance(holder, FALSE);
	}
	end_turn(holder);
	saved_write(holder);
	control_answer(caller, failure);
}

static void begin_probe(Holder *holder);

static void on_probed(evutil_socket_t fd, short what, gpointer of)
{
	Holder *holder = of;
	Turn *turn = &holder->turn;
	g_autofree char *how = spawn_collect(turn->probe, turn->probe_fd);
	gboolean is_healthy = strcmp(how, "ended with status 0") == 0;
	g_clear_pointer(&turn->probed, event_free);
	close(turn->probe_fd);
	turn->probe = 0;
	if (is_healthy)
		turn_child_ready(holder, turn->step == TURN_TRY ? turn->trial : turn->service);
	else
		holder_arm(turn->timer, PROBE_EVERY_MS);
	holder_look(holder);
}

static void begin_probe(Holder *holder)
{
	Turn *turn = &holder->turn;
	g_autoptr(GError) failure = NULL;
	g_autofree char *folder = child_folder(holder, turn->version);
	g_auto(GStrv) environment = child_environment(holder, turn->version, NULL);
	Probe probe = {.product = holder->product,
		.at = turn->at,
		.environment = environment,
		.folder = folder};
	turn->probe = probe_start(&probe, turn->step == TURN_TRY, &turn->probe_fd, &failure);
	if (turn->probe < 0) {
		turn->probe = 0;
		turn_fail(holder, "%s", failure->message);
		return;
	}
	turn->probed = event_new(holder->base, turn->probe_fd, EV_READ, on_probed, holder);
	event_add(turn->probed, NULL);
	/* The whole turn's limit holds for each look too. */
	holder_arm(turn->timer, MAX(turn->until_ms - clock_monotonic_ms(), 1));
}

static gboolean is_probed(const Turn *turn, const NodeProduct *product)
{
	return turn->step == TURN_TRY ||
	       (turn->step == TURN_START && product->readiness == NODE_READINESS_FORWARD);
}

static void on_timer(evutil_socket_t fd, short what, gpointer of)
{
	Holder *holder = of;
	Turn *turn = &holder->turn;
	gint64 limit_s = holder->product->ready_timeout_s;
	if (turn->step == TURN_START && holder->product->readiness == NODE_READINESS_VERIFY)
		finish(holder); /* it has settled */
	else if (clock_monotonic_ms() < turn->until_ms && is_probed(turn, holder->product))
		begin_probe(holder);
	else if (is_probed(turn, holder->product))
		turn_fail(holder, "it was not healthy in %" G_GINT64_FORMAT " s", limit_s);
	else
		turn_fail(holder, "it did not say READY=1 in %" G_GINT64_FORMAT " s", limit_s);
	holder_look(holder);
}

/* An address of its own for a service behind the forwarder; its port may be left to us. */
static char *own_address(Holder *holder, GError **error)
{
	Turn *turn = &holder->turn;
	if (!listen_address_parse(holder->product->forward_to, &turn->at, error))
		return NULL;
	if (!g_str_has_suffix(holder->product->forward_to, ":0"))
		return listen_address_text(&turn->at);
	/* The kernel picks one, and we let go of it: SO_REUSEADDR lets the service have it. */
	int fd = listen_open(&turn->at, error);
	if (fd < 0)
		return NULL;
	listen_address_of(fd, &turn->at);
	close(fd);
	return listen_address_text(&turn->at);
}

static gboolean has_fixed_port(const NodeProduct *product)
{
	return product->readiness == NODE_READINESS_FORWARD &&
	       !g_str_has_suffix(product->forward_to, ":0");
}

static void start_shared(Holder *holder)
{
	Turn *turn = &holder->turn;
	g_autoptr(GError) failure = NULL;
	g_autofree char *address = NULL;
	gboolean is_behind = holder->product->readiness == NODE_READINESS_FORWARD;
	turn->step = TURN_START;
	if (is_behind)
		address = own_address(holder, &failure);
	if (!is_behind || address != NULL)
		turn->service = child_start_service(holder, turn->version,
			is_behind ? NULL : holder->listeners, address, &failure);
	if (turn->service == NULL) {
		turn_fail(holder, "%s", failure->message);
		return;
	}
	if (holder->product->readiness == NODE_READINESS_VERIFY)
		holder_arm(turn->timer, MIN(turn->tried_ms + SETTLE_MS, SETTLE_MOST_MS));
	else if (is_behind)
		holder_arm(turn->timer, PROBE_EVERY_MS);
	else
		holder_arm(turn->timer, turn->until_ms - turn->began_ms);
	saved_write(holder);
}

static void start_trial(Holder *holder)
{
	Turn *turn = &holder->turn;
	g_autoptr(GError) failure = NULL;
	GArray *fds = listen_open_private(holder->listeners->len, &turn->at, &failure);
	g_autofree char *address = fds != NULL ? listen_address_text(&turn->at) : NULL;
	turn->step = TURN_TRY;
	if (fds != NULL)
		turn->trial = child_start_service(holder, turn->version, fds, address, &failure);
	listen_close_all(fds);
	if (turn->trial == NULL)
		turn_fail(holder, "%s", failure->message);
	else
		holder_arm(turn->timer, PROBE_EVERY_MS);
}

static void start_forwarder(Holder *holder)
{
	Turn *turn = &holder->turn;
	g_autoptr(GError) failure = NULL;
	turn->step = TURN_FORWARD;
	turn->forwarder = child_start_forwarder(holder, turn->service, &failure);
	if (turn->forwarder == NULL)
		turn_fail(holder, "%s", failure->message);
	else
		holder_arm(turn->timer, holder->product->ready_timeout_s * 1000);
}

void turn_begin(Holder *holder, const char *version, Caller *caller)
{
	Turn *turn = &holder->turn;
	g_assert(turn->step == TURN_NONE);
	turn->version = g_strdup(version);
	turn->caller = caller;
	turn->is_asked = caller != NULL;
	turn->timer = evtimer_new(holder->base, on_timer, holder);
	turn->began_ms = clock_monotonic_ms();
	turn->until_ms = turn->began_ms + holder->product->ready_timeout_s * 1000;
	if (has_fixed_port(holder->product)) {
		turn->step = TURN_CLEAR;
		if (holder->front != NULL)
			child_leave(holder->front, holder->product->drain_timeout_s);
		holder->front = NULL;
		turn_continue(holder);
	} else if (holder->product->readiness == NODE_READINESS_VERIFY) {
		start_trial(holder);
	} else {
		start_shared(holder);
	}
}

void turn_continue(Holder *holder)
{
	Turn *turn = &holder->turn;
	if (turn->step != TURN_CLEAR || holder_has_services(holder))
		return;
	turn->began_ms = clock_monotonic_ms();
	turn->until_ms = turn->began_ms + holder->product->ready_timeout_s * 1000;
	start_shared(holder);
}

void turn_child_ready(Holder *holder, Child *child)
{
	Turn *turn = &holder->turn;
	NodeReadiness readiness = holder->product->readiness;
	if (child == turn->trial && turn->step == TURN_TRY) {
		end_probe(turn);
		turn->tried_ms = clock_monotonic_ms() - turn->began_ms;
		turn->trial = NULL;
		child_leave(child, FAILED_LEAVES_S);
		start_shared(holder);
	} else if (child == turn->service && turn->step == TURN_START &&
		   readiness == NODE_READINESS_FORWARD) {
		end_probe(turn);
		start_forwarder(holder);
	} else if ((child == turn->service && turn->step == TURN_START) ||
		   (child == turn->forwarder && turn->step == TURN_FORWARD)) {
		finish(holder);
	}
}

void turn_child_ended(Holder *holder, Child *child, const char *how)
{
	Turn *turn = &holder->turn;
	gboolean is_of_it = FALSE;
	Child **const begun[] = {&turn->trial, &turn->service, &turn->forwarder};
	for (gsize i = 0; i < G_N_ELEMENTS(begun); i++)
		if (*begun[i] == child) {
			*begun[i] = NULL;
			is_of_it = TRUE;
		}
	if (is_of_it)
		turn_fail(holder, "its %s %s", child_kind_name(child->kind), how);
}
