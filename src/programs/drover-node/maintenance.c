/* SPDX-License-Identifier: ISC
 *
 * drover-node maintenance: the responder answers for the service. What holds is a file, so it holds
 * whoever is killed; the holder is told, when one runs.
 */
#include <string.h>

#include "base/format.h"
#include "node/hold/hold.h"
#include "programs/drover-node/commands.h"

enum { CALL_TIMEOUT_S = 60 };

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

/* Without a holder the file alone must do: the holder looks at it when it starts. */
static gboolean tell_holder(
	const Screen *screen, const NodeProduct *product, json_t *call, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) owned = call;
	g_autoptr(json_t) answer = hold_call(product, owned, CALL_TIMEOUT_S, &problem);
	if (answer != NULL)
		return TRUE;
	if (!drover_error_is(problem, DROVER_ERROR_UNAVAILABLE)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	screen_warn(screen,
		"no holder runs for %s (%s): nobody answers until it is started, and then it "
		"holds",
		product->name, problem->message);
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
	if (!read_until(until, now_us, &until_us, error) ||
		!maintenance_set(product, reason, until_us, now_us, error))
		return FALSE;
	g_autofree char *when = format_time(until_us);
	return tell_holder(screen, product,
		json_pack("{s:s, s:b, s:s, s:s}", "do", "maintenance", "on", TRUE, "reason", reason,
			"until", when),
		error);
}

static gboolean turn_off(Invocation *invocation, const NodeProduct *product, GError **error)
{
	return maintenance_end(product, error) &&
	       tell_holder(invocation_screen(invocation), product,
		       json_pack("{s:s, s:b}", "do", "maintenance", "on", FALSE), error);
}

static gboolean show(const Screen *screen, const NodeProduct *product, GError **error)
{
	g_autoptr(json_t) state = maintenance_state(product, clock_now_us(CLOCK_SYSTEM), error);
	if (state == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, state);
	else if (!json_is_true(json_object_get(state, "on")))
		screen_line(screen, "%s: maintenance is off", product->name);
	else
		screen_line(screen, "%s: maintenance is on since %s until %s: %s%s", product->name,
			json_text(state, "since"), json_text(state, "until"),
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
