/* SPDX-License-Identifier: ISC
 *
 * drover maintenance: the switch that stops everything that would change something.
 */
#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"

static void show_maintenance(Invocation *invocation, const json_t *maintenance)
{
	const Screen *screen = invocation_screen(invocation);
	const char *since = json_text(maintenance, "since");
	gint64 since_us;
	if (screen->json) {
		screen_json(screen, maintenance);
		return;
	}
	if (!show_is_true(maintenance, "on")) {
		screen_line(screen, "Maintenance is off.");
		return;
	}
	g_autofree char *age =
		since != NULL && parse_time(since, &since_us, NULL)
			? format_duration((clock_now_us(invocation_clock(invocation)) - since_us) /
					  US_PER_SECOND)
			: g_strdup("an unknown time");
	screen_part(screen, STYLE_BAD, "Maintenance is on");
	screen_line(screen, " for %s, by %s: %s", age, show_text(maintenance, "actor"),
		show_text(maintenance, "reason"));
	if (g_strcmp0(json_text(maintenance, "source"), "file") == 0)
		screen_line(screen,
			"It is on because maintenance.txt lies in the state folder: remove it to "
			"end it.");
}

static gboolean answer(Invocation *invocation, json_t *maintenance)
{
	g_autoptr(json_t) given = maintenance;
	if (given != NULL)
		show_maintenance(invocation, given);
	return given != NULL;
}

static gboolean run_on(Invocation *invocation, GError **error)
{
	const char *reason = invocation_option(invocation, "reason");
	if (reason == NULL || *reason == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"everybody who is stopped by it will want to know: say --reason WHY");
		return FALSE;
	}
	json_t *body = body_of("reason", reason, NULL);
	json_object_set_new(body, "on", json_true());
	return answer(invocation,
		invocation_call(invocation, "PUT", NULL, body, error, "maintenance", NULL));
}

static gboolean run_off(Invocation *invocation, GError **error)
{
	json_t *body = body_of("reason", invocation_option(invocation, "reason"), NULL);
	json_object_set_new(body, "on", json_false());
	return answer(invocation,
		invocation_call(invocation, "PUT", NULL, body, error, "maintenance", NULL));
}

static gboolean run_status(Invocation *invocation, GError **error)
{
	return answer(invocation,
		invocation_call(invocation, "GET", NULL, NULL, error, "maintenance", NULL));
}

static const Option reason_option[] = {
	{"reason", "TEXT", "Why; whoever is stopped reads it"},
	{0},
};

const Command maintenance_commands[] = {
	{"maintenance on", "", 0, 0, "Stops everything that would change something", run_on,
		reason_option,
		"Scans, verdicts, reminders, settings and the server's clock stop before they "
		"touch\n"
		"anything, with exit status 7 and this reason. Reading goes on. A file "
		"maintenance.txt\n"
		"in the state folder does the same.",
		"drover maintenance on --reason 'moving the database, until 15:00'", NULL,
		"maintenance off, upgrade"},
	{"maintenance off", "", 0, 0, "Ends it", run_off, reason_option, NULL,
		"drover maintenance off", NULL, "maintenance status"},
	{"maintenance status", "", 0, 0, "Says whether it is on, since when, and why", run_status,
		NULL, NULL, "drover maintenance status --json", NULL, "status"},
	{0},
};
