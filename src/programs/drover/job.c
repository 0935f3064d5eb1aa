/* SPDX-License-Identifier: ISC
 *
 * What people type and cron runs every day: status, run, report, remind, upgrade; and the outbox.
 */
#include "base/format.h"
#include "programs/drover/change.h"
#include "programs/drover/commands.h"
#include "programs/drover/locks.h"
#include "programs/terminal/show.h"

static void show_maintenance_line(const Screen *screen, const json_t *maintenance)
{
	g_autofree char *since = show_time(maintenance, "since");
	if (!show_is_true(maintenance, "on")) {
		screen_line(screen, "maintenance  off");
		return;
	}
	screen_part(screen, STYLE_BAD, "MAINTENANCE");
	screen_line(screen, "  on since %s: %s", since, show_text(maintenance, "reason"));
}

static void show_status(const Screen *screen, const json_t *status)
{
	const json_t *mail = json_object_get(status, "mail");
	gsize index;
	json_t *job;
	screen_line(screen, "store        %s (drover %s)", json_text(status, "store"),
		json_text(status, "version"));
	show_maintenance_line(screen, json_object_get(status, "maintenance"));
	screen_line(screen, "mail         %" G_GINT64_FORMAT " queued, %" G_GINT64_FORMAT " failed",
		json_integer_of(mail, "queued"), json_integer_of(mail, "failed"));
	screen_line(screen, "history      %s", json_text(status, "history_head"));
	json_array_foreach (json_object_get(status, "jobs"), index, job)
		screen_line(screen, "at work      %s on %s, pid %" G_GINT64_FORMAT ", since %s",
			json_text(job, "job"), json_text(job, "host"), json_integer_of(job, "pid"),
			json_text(job, "since"));
	json_array_foreach (json_object_get(status, "warnings"), index, job) {
		screen_part(screen, STYLE_BAD, "look at      ");
		screen_line(screen, "%s", json_string_value(job));
	}
	const json_t *products = json_object_get(status, "products");
	screen_line(screen, "%s", "");
	if (json_array_size(products) > 0)
		show_products(screen, products);
	else
		screen_line(screen,
			"There is no product yet: drover product add NAME --repository DIR");
}

static gboolean run_status(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) status =
		invocation_call(invocation, "GET", NULL, NULL, error, "status", NULL);
	if (status == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, status);
	else
		show_status(screen, status);
	if (invocation_opened_store(invocation) == NULL)
		locks_warn_of(invocation, json_object_get(status, "jobs"));
	return TRUE;
}

static void say_reminded(const Screen *screen, const json_t *remind)
{
	screen_done(screen,
		"mail: %" G_GINT64_FORMAT " queued, %" G_GINT64_FORMAT " sent, %" G_GINT64_FORMAT
		" failed, %" G_GINT64_FORMAT " waiting",
		json_integer_of(remind, "queued"), json_integer_of(remind, "sent"),
		json_integer_of(remind, "failed"), json_integer_of(remind, "waiting"));
}

static gboolean run_remind(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(Progress) progress = progress_begin(screen, "sending reminders");
	g_autoptr(json_t) result =
		invocation_call(invocation, "POST", NULL, NULL, error, "jobs", "remind", NULL);
	g_clear_pointer(&progress, progress_end);
	if (result == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, result);
	say_reminded(screen, result);
	return TRUE;
}

/* What failed for some products, as the command's own error: frozen when one of them is. */
static gboolean fail_for(Invocation *invocation, const json_t *problems, GError **error)
{
	DroverErrorCode code = DROVER_ERROR_INTERNAL;
	g_autoptr(GString) text = g_string_new(NULL);
	gsize index;
	json_t *each;
	json_array_foreach (problems, index, each)
		g_string_append_printf(
			text, "%s%s", index > 0 ? "\n" : "", json_string_value(each));
	g_autoptr(json_t) products =
		invocation_call(invocation, "GET", NULL, NULL, NULL, "products", NULL);
	json_array_foreach (products, index, each)
		if (json_text(each, "frozen") != NULL)
			code = DROVER_ERROR_FROZEN;
	drover_error_set(error, code, "%s", text->str);
	return FALSE;
}

static gboolean run_run(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	Settings *settings = invocation_settings(invocation, error);
	if (settings == NULL)
		return FALSE;
	/* The report is ours from the start: a run does all of its work, or none. */
	const char *folder = settings_text(settings, "report.folder");
	g_autoptr(StoreJob) report_lock = NULL;
	if (folder != NULL && !report_begin(invocation, &report_lock, error))
		return FALSE;
	g_autoptr(Progress) progress = progress_begin(screen, "scanning and reminding");
	g_autoptr(json_t) result =
		invocation_call(invocation, "POST", NULL, NULL, error, "jobs", "run", NULL);
	g_clear_pointer(&progress, progress_end);
	if (result == NULL)
		return FALSE;
	if (screen->json)
		screen_json(screen, result);
	landing_show_scans(screen, json_object_get(result, "scans"));
	change_show_enacted(screen, json_object_get(result, "went_live"));
	say_reminded(screen, json_object_get(result, "remind"));
	if (folder != NULL && !report_write(invocation, folder, error))
		return FALSE;
	const json_t *problems = json_object_get(result, "problems");
	return json_array_size(problems) == 0 || fail_for(invocation, problems, error);
}

static gboolean run_notices(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	g_autoptr(json_t) notices = invocation_call(invocation, "GET",
		query_of("state", invocation_option(invocation, "only"), "limit",
			invocation_option(invocation, "limit"), NULL),
		NULL, error, "notices", NULL);
	if (notices == NULL)
		return FALSE;
	if (screen->json) {
		screen_json(screen, notices);
		return TRUE;
	}
	g_autoptr(Table) table = table_new();
	table_column(table, "ID", TABLE_RIGHT);
	table_column(table, "STATE", TABLE_LEFT);
	table_column(table, "TRIES", TABLE_RIGHT);
	table_column(table, "QUEUED", TABLE_LEFT);
	table_column(table, "SENT", TABLE_LEFT);
	table_column(table, "TO", TABLE_LEFT);
	table_column(table, "SUBJECT", TABLE_ELASTIC);
	gsize index;
	json_t *notice;
	json_array_foreach (notices, index, notice) {
		const char *state = json_text(notice, "state");
		g_autofree char *queued = show_time(notice, "queued");
		g_autofree char *sent = show_time(notice, "sent");
		table_cell_integer(table, json_integer_of(notice, "id"));
		table_cell(table, g_strcmp0(state, "failed") == 0 ? STYLE_BAD : STYLE_PLAIN, state);
		table_cell_integer(table, json_integer_of(notice, "attempts"));
		table_cell(table, STYLE_PLAIN, queued);
		table_cell(table, STYLE_PLAIN, sent);
		table_cell(table, STYLE_PLAIN, json_text(notice, "recipient"));
		table_cell(table, STYLE_PLAIN, json_text(notice, "subject"));
	}
	table_show(table, screen, 0);
	return TRUE;
}

static const Option report_options[] = {
	{"out", "DIR", "The folder that becomes the report; [report] folder by default"},
	{0},
};

static const Option upgrade_options[] = {
	{"command", "CMD", "What upgrades, given to sh -c"},
	{"wait", "DURATION", "How long to wait for jobs at work, 15min by default"},
	{"self-test", "CMD", "One more test of the new version, given to sh -c"},
	{0},
};

const Command job_commands[] = {
	{"status", "", 0, 0, "Shows the whole house at a glance", run_status, NULL, NULL,
		"drover status\ndrover status --json --server https://drover.example", NULL,
		"product show, maintenance status"},
	{"run", "", 0, 0,
		"Scans every product, lets changes go live, sends what is due, writes the report: "
		"for cron",
		run_run, NULL,
		"One product that cannot be read does not keep the others waiting. A second time "
		"in a\n"
		"row changes nothing.",
		"*/5 * * * * drover run --quiet", "6,7,9", "landing scan, remind, report"},
	{"report", "", 0, 0, "Writes a static report, whole or not at all", job_run_report,
		report_options,
		"Pages without scripts and with relative links only, written beside DIR and then "
		"put in\n"
		"its place. A folder that is not an earlier report is never replaced.",
		"drover report --out /srv/www/drover", "4,6,7", "run, landing deployable"},
	{"remind", "", 0, 0, "Queues the reminders that are due and sends what is queued",
		run_remind, NULL,
		"One mail a day to each owner of landings that wait for QA; to the product's list, "
		"what\n"
		"is overdue.",
		"drover remind", "6,7", "landing owing, notice list"},
	{"upgrade", "", 0, 0, "Upgrades Drover under maintenance, and tests before it ends",
		maintenance_run_upgrade, upgrade_options,
		"Maintenance on; wait for jobs at work; run the command; store check and status by "
		"the\n"
		"new program; maintenance off. When a step fails, or the upgrade itself is "
		"killed,\n"
		"maintenance stays on and says why. Maintenance that was on before stays on.",
		"drover upgrade --command 'apt-get install -y drover && drover store migrate'",
		"6,10", "maintenance status, store check"},
	{0},
};

static const Option notice_options[] = {
	{"only", "STATE", "Only those that are queued, sending, sent or failed"},
	{"limit", "N", "So many at most, 1 to 1000"},
	{0},
};

const Command notice_commands[] = {
	{"notice list", "", 0, 0, "Shows mail that was queued and sent, newest first", run_notices,
		notice_options, NULL, "drover notice list --only failed", NULL, "remind"},
	{0},
};
