/* SPDX-License-Identifier: ISC
 *
 * drover-node maintenance: the responder answers for the service. What holds is a file, so it holds
 * whoever is killed. The holder writes it when one runs, else we do: what a holder refuses has not
 * happened.
 */
#include <string.h>

#include "base/format.h"
#include "node/hold/hold.h"
#include "programs/drover-node/commands.h"
#include "programs/terminal/show.h"

enum { BUSY_PAUSE_MS = 100 };

static gboolean read_until(const char *text, gint64 now_us, gint64 *until_us, GError **error)
{
	gint64 seconds = 0;
	if (parse_duration(text, &seconds, NULL))
		*until_us = now_us + seconds * US_PER_SECOND;
	else if (!parse_time(text, until_us, NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"--until '%s' is no time: say 15min, 2h, or 2026-11-21T06:00:00Z", text);
		return FALSE;
	}
	if (*until_us > now_us)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "--until '%s' is over already", text);
	return FALSE;
}

/* One in the middle of a handover is waited for. */
static gboolean call_holder(
	const Screen *screen, const NodeProduct *product, const json_t *call, GError **error)
{
	const gint64 limit_s = hold_limit_s(product);
	gint64 until_ms = clock_monotonic_ms() + limit_s * 1000;
	for (gboolean told = FALSE;; told = TRUE) {
		g_autoptr(GError) problem = NULL;
		g_autoptr(json_t) answer = hold_call(product, call, limit_s, &problem);
		if (answer != NULL)
			return TRUE;
		if (!drover_error_is(problem, DROVER_ERROR_LOCKED) ||
			clock_monotonic_ms() > until_ms) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
		if (!told)
			screen_note(screen, "%s", problem->message);
		g_usleep(BUSY_PAUSE_MS * 1000);
	}
}

/* Without a holder the file alone must do: the holder looks at it when it starts. */
static gboolean is_file_alone(const Screen *screen, const NodeProduct *product)
{
	if (hold_answers(product))
		return FALSE;
	screen_warn(screen,
		"no holder runs for %s: nobody answers until it is started (drover-node run does), "
		"and then this holds",
		product->name);
	return TRUE;
}

static gboolean turn_on(Invocation *invocation, const NodeProduct *product, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *reason = invocation_option(invocation, "reason");
	const char *until = invocation_option(invocation, "until");
	gint64 now_us = clock_now_us(CLOCK_SYSTEM), until_us = 0;
	if (product->run == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"[%s] has no run: nobody holds its sockets, so nobody can answer for it",
			product->name);
		return FALSE;
	}
	if (reason == NULL || *reason == '\0' || until == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"say why and for how long: drover-node maintenance %s on --reason TEXT "
			"--until 30min",
			product->name);
		return FALSE;
	}
	if (!read_until(until, now_us, &until_us, error))
		return FALSE;
	if (is_file_alone(screen, product))
		return maintenance_set(product, reason, until_us, now_us, error);
	g_autofree char *when = format_time(until_us);
	g_autoptr(json_t) call = json_pack("{s:s, s:b, s:s, s:s}", "do", "maintenance", "on", TRUE,
		"reason", reason, "until", when);
	return call_holder(screen, product, call, error);
}

static gboolean turn_off(Invocation *invocation, const NodeProduct *product, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	if (is_file_alone(screen, product))
		return maintenance_end(product, error);
	g_autoptr(json_t) call = json_pack("{s:s, s:b}", "do", "maintenance", "on", FALSE);
	return call_holder(screen, product, call, error);
}

void maintenance_warn(const Screen *screen, const char *product, const json_t *state)
{
	if (json_is_true(json_object_get(state, "overdue")))
		screen_warn(screen,
			"%s is in maintenance for longer than was said: drover-node maintenance %s "
			"off ends it, or say on with a new --until",
			product, product);
}

static gboolean show(const Screen *screen, const NodeProduct *product, GError **error)
{
	g_autoptr(json_t) state = maintenance_state(product, clock_now_us(CLOCK_SYSTEM), error);
	if (state == NULL)
		return FALSE;
	maintenance_warn(screen, product->name, state);
	if (screen->json)
		screen_json(screen, state);
	else if (!json_is_true(json_object_get(state, "on")))
		screen_line(screen, "%s: maintenance is off", product->name);
	else
		screen_line(screen, "%s: maintenance is on since %s until %s: %s%s", product->name,
			show_text(state, "since"), show_text(state, "until"),
			json_text(state, "reason"),
			json_is_true(json_object_get(state, "overdue")) ? " (OVERDUE)" : "");
	return TRUE;
}

gboolean maintenance_run(Invocation *invocation, GError **error)
{
	guint rest = 0;
	const NodeProduct *product = commands_product_of(invocation, 1, &rest, error);
	const char *what = product != NULL ? invocation_argument(invocation, rest) : NULL;
	if (product == NULL)
		return FALSE;
	gboolean done;
	if (g_strcmp0(what, "on") == 0)
		done = turn_on(invocation, product, error);
	else if (g_strcmp0(what, "off") == 0)
		done = turn_off(invocation, product, error);
	else if (g_strcmp0(what, "status") == 0)
		done = TRUE;
	else {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "maintenance on, off or status, not '%s'", what);
		return FALSE;
	}
	return done && show(invocation_screen(invocation), product, error);
}
