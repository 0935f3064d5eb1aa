/* SPDX-License-Identifier: ISC
 *
 * drover upgrade: one button.
 *
 *     maintenance on -> wait for jobs at work -> the command -> self-test by the new program ->
 * maintenance off
 *
 * Maintenance is on in the store before anything else happens and goes off last, so a failure at
 * any arrow, or the end of this process at any instant, leaves it on. It is the new program that
 * turns it off: only that one is sure to know the schema which the command may have brought.
 * Maintenance that was on before is not ours to end.
 */
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "programs/drover/commands.h"
#include "programs/terminal/show.h"
#include "store/job.h"

enum { WAIT_DEFAULT_S = 15 * 60, POLL_US = 200 * 1000 };

typedef struct Upgrade {
	Invocation *invocation;
	const Screen *screen;
	Store *store;
	const char *command;
	const char *self_test; /* NULL: none beside ours */
	gint64 wait_s;
	json_t *before; /* Maintenance as we found it */
} Upgrade;

static gboolean was_on(const Upgrade *upgrade)
{
	return show_is_true(upgrade->before, "on");
}

static gboolean switch_on(Upgrade *upgrade, const char *reason, GError **error)
{
	json_t *body = body_of("reason", reason, NULL);
	json_object_set_new(body, "on", json_true());
	g_autoptr(json_t) now =
		invocation_call(upgrade->invocation, "PUT", NULL, body, error, "maintenance", NULL);
	return now != NULL;
}

static gboolean begin_maintenance(Upgrade *upgrade, GError **error)
{
	upgrade->before =
		invocation_call(upgrade->invocation, "GET", NULL, NULL, error, "maintenance", NULL);
	if (upgrade->before == NULL)
		return FALSE;
	if (was_on(upgrade)) {
		screen_note(upgrade->screen, "maintenance is on already and will stay on: %s",
			show_text(upgrade->before, "reason"));
		return TRUE;
	}
	g_autofree char *reason = g_strdup_printf("upgrade under way: %s", upgrade->command);
	return switch_on(upgrade, reason, error);
}

/* Who is at work beside us, in words; NULL when nobody is. */
static char *others_at_work(Upgrade *upgrade, gboolean *known, GError **error)
{
	g_autoptr(GPtrArray) holders = store_job_list(upgrade->store, error);
	*known = holders != NULL;
	for (guint i = 0; holders != NULL && i < holders->len; i++) {
		const JobHolder *holder = holders->pdata[i];
		if (strcmp(holder->job, "upgrade") != 0)
			return job_holder_describe(
				holder, clock_now_us(invocation_clock(upgrade->invocation)));
	}
	return NULL;
}

static gboolean wait_for_jobs(Upgrade *upgrade, GError **error)
{
	gint64 deadline_ms = clock_monotonic_ms() + upgrade->wait_s * 1000;
	for (gboolean told = FALSE;; told = TRUE) {
		gboolean known;
		g_autofree char *who = others_at_work(upgrade, &known, error);
		if (who == NULL)
			return known;
		if (!told)
			screen_note(upgrade->screen, "waiting: %s", who);
		if (clock_monotonic_ms() >= deadline_ms) {
			g_autofree char *waited = format_duration(upgrade->wait_s);
			drover_error_set(error, DROVER_ERROR_LOCKED,
				"after %s of waiting still: %s", waited, who);
			return FALSE;
		}
		g_usleep(POLL_US);
	}
}

/* Runs a program to its end; what it prints passes through. `what` names it in the error. */
static gboolean spawn(
	const char *what, const char *const *arguments, GSpawnFlags flags, GError **error)
{
	g_autoptr(GError) problem = NULL;
	int status = 0;
	fflush(stdout);
	if (g_spawn_sync(NULL, (char **)arguments, NULL,
		    flags | G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
		    NULL, &status, &problem) &&
		g_spawn_check_wait_status(status, &problem))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "%s: %s", what, problem->message);
	return FALSE;
}

static gboolean spawn_shell(const char *what, const char *command, GError **error)
{
	const char *const arguments[] = {"sh", "-c", command, NULL};
	return spawn(what, arguments, G_SPAWN_DEFAULT, error);
}

/* The program that is installed now, on the same store: its first two words are a command. */
static gboolean spawn_drover(
	Upgrade *upgrade, const char *first, const char *second, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(arguments, g_strdup(invocation_program(upgrade->invocation)));
	g_ptr_array_add(arguments, g_strdup(first));
	if (second != NULL)
		g_ptr_array_add(arguments, g_strdup(second));
	g_ptr_array_add(arguments, g_strdup("--quiet"));
	invocation_same_place(upgrade->invocation, arguments);
	g_ptr_array_add(arguments, NULL);
	g_autofree char *what = g_strdup_printf("the new program's drover %s%s%s", first,
		second != NULL ? " " : "", second != NULL ? second : "");
	return spawn(
		what, (const char *const *)arguments->pdata, G_SPAWN_STDOUT_TO_DEV_NULL, error);
}

static gboolean test_self(Upgrade *upgrade, GError **error)
{
	screen_note(upgrade->screen, "testing the new program");
	return spawn_drover(upgrade, "store", "check", error) &&
	       spawn_drover(upgrade, "status", NULL, error) &&
	       (upgrade->self_test == NULL ||
		       spawn_shell("the self-test", upgrade->self_test, error));
}

static gboolean end_maintenance(Upgrade *upgrade, GError **error)
{
	if (!was_on(upgrade))
		return spawn_drover(upgrade, "maintenance", "off", error);
	screen_note(
		upgrade->screen, "maintenance was on before and stays on: drover maintenance off");
	return TRUE;
}

static gboolean run_steps(Upgrade *upgrade, GError **error)
{
	if (!wait_for_jobs(upgrade, error))
		return FALSE;
	screen_note(upgrade->screen, "running: %s", upgrade->command);
	return spawn_shell("the upgrade's command", upgrade->command, error) &&
	       test_self(upgrade, error) && end_maintenance(upgrade, error);
}

/* The reason that people will read; what they wrote themselves before is kept in it. */
static void tell_failure(Upgrade *upgrade, const GError *problem)
{
	g_autoptr(GError) trouble = NULL;
	const char *earlier = was_on(upgrade) ? json_text(upgrade->before, "reason") : NULL;
	g_autofree char *reason = g_strdup_printf("upgrade failed: %s%s%s", problem->message,
		earlier != NULL ? "; before: " : "", earlier != NULL ? earlier : "");
	if (!switch_on(upgrade, reason, &trouble))
		screen_warn(upgrade->screen,
			"maintenance stays on, but its reason could not be brought up to date: %s",
			trouble->message);
}

static gboolean run_locked(Upgrade *upgrade, GError **error)
{
	g_autoptr(GError) problem = NULL;
	if (!begin_maintenance(upgrade, error))
		return FALSE;
	if (run_steps(upgrade, &problem)) {
		screen_done(upgrade->screen, "upgraded");
		return TRUE;
	}
	tell_failure(upgrade, problem);
	g_propagate_prefixed_error(
		error, g_steal_pointer(&problem), "the upgrade failed and maintenance stays on: ");
	return FALSE;
}

gboolean maintenance_run_upgrade(Invocation *invocation, GError **error)
{
	const char *wait = invocation_option(invocation, "wait");
	Upgrade upgrade = {
		.invocation = invocation,
		.screen = invocation_screen(invocation),
		.command = invocation_option(invocation, "command"),
		.self_test = invocation_option(invocation, "self-test"),
		.wait_s = WAIT_DEFAULT_S,
	};
	if (upgrade.command == NULL || *upgrade.command == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"what upgrades? Say --command CMD, as --command 'apt-get install -y "
			"drover'");
		return FALSE;
	}
	if (wait != NULL && !parse_duration(wait, &upgrade.wait_s, error))
		return FALSE;
	upgrade.store = invocation_store(invocation, error);
	if (upgrade.store == NULL)
		return FALSE;
	g_autoptr(StoreJob) lock =
		store_job_take(upgrade.store, "upgrade", invocation_clock(invocation), error);
	if (lock == NULL)
		return FALSE;
	gboolean done = run_locked(&upgrade, error);
	json_decref(upgrade.before);
	return done;
}
