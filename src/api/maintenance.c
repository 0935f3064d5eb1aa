/* SPDX-License-Identifier: ISC
 *
 * /maintenance, and the refusal that every change meets while it is on.
 */
#include "api/maintenance.h"

#include <string.h>
#include <sys/stat.h>

#include "api/routes.h"
#include "base/file.h"
#include "base/format.h"
#include "base/log.h"

static const char sql_read[] = "SELECT is_on, reason, actor, since_us FROM maintenance";
static const char sql_set[] =
	"UPDATE maintenance SET is_on = ?, reason = ?, actor = ?, since_us = ?";

void maintenance_clear(Maintenance *maintenance)
{
	g_clear_pointer(&maintenance->reason, g_free);
	g_clear_pointer(&maintenance->actor, g_free);
}

/* What cannot be read is still there, so it still counts. */
static void read_file(const ApiSite *site, Maintenance *maintenance)
{
	if (site->state_folder == NULL)
		return;
	g_autofree char *path = g_build_filename(site->state_folder, MAINTENANCE_FILE, NULL);
	struct stat status;
	if (stat(path, &status) != 0)
		return;
	g_autofree char *text = file_read(path, MAINTENANCE_MAXIMUM_BYTES, NULL, NULL);
	maintenance->on = maintenance->by_file = TRUE;
	maintenance->since_us =
		status.st_mtim.tv_sec * US_PER_SECOND + status.st_mtim.tv_nsec / 1000;
	maintenance->reason = text != NULL ? g_strstrip(g_utf8_make_valid(text, -1)) : NULL;
	if (maintenance->reason != NULL && *maintenance->reason == '\0')
		g_clear_pointer(&maintenance->reason, g_free);
}

gboolean maintenance_read(
	const ApiSite *site, Store *store, Maintenance *maintenance, GError **error)
{
	*maintenance = (Maintenance){0};
	g_autoptr(StoreRows) rows = store_query(store, error, sql_read, STORE_NO_PARAMS);
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more && store_rows_integer(rows, 0) != 0) {
		maintenance->on = TRUE;
		maintenance->reason = g_strdup(store_rows_text(rows, 1));
		maintenance->actor = g_strdup(store_rows_text(rows, 2));
		maintenance->since_us = store_rows_integer(rows, 3);
		return TRUE;
	}
	read_file(site, maintenance);
	return TRUE;
}

gboolean maintenance_refuse(const ApiSite *site, Store *store, GError **error)
{
	g_auto(Maintenance) maintenance = {0};
	if (!maintenance_read(site, store, &maintenance, error))
		return FALSE;
	if (!maintenance.on)
		return TRUE;
	g_autofree char *age =
		format_duration((clock_now_us(site->clock) - maintenance.since_us) / US_PER_SECOND);
	drover_error_set(error, DROVER_ERROR_MAINTENANCE,
		"maintenance is on since %s%s%s: %s. Nothing was changed. %s", age,
		maintenance.actor != NULL ? ", by " : "",
		maintenance.actor != NULL ? maintenance.actor : "",
		maintenance.reason != NULL ? maintenance.reason : "no reason was given",
		maintenance.by_file ? "It ends when " MAINTENANCE_FILE
				      " is removed from the state folder"
				    : "It ends with: drover maintenance off");
	return FALSE;
}

json_t *maintenance_json(const Maintenance *maintenance)
{
	const char *source = !maintenance->on ? NULL : maintenance->by_file ? "file" : "switch";
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "on", maintenance->on, "reason",
		json_text_or_null(maintenance->reason), "actor",
		json_text_or_null(maintenance->actor), "since",
		json_time_or_null(maintenance->since_us), "source", json_text_or_null(source));
}

static json_t *show_maintenance(ApiCall *call, GError **error)
{
	g_auto(Maintenance) maintenance = {0};
	if (!maintenance_read(call->site, call->store, &maintenance, error))
		return NULL;
	return maintenance_json(&maintenance);
}

static gboolean check_ending(const Maintenance *before, gboolean on, GError **error)
{
	if (on || !before->by_file)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"maintenance is on because " MAINTENANCE_FILE
		" lies in the state folder: remove that file to end it");
	return FALSE;
}

static json_t *set_maintenance(ApiCall *call, GError **error)
{
	gboolean on;
	const char *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_boolean(call->body, "on", FALSE, &on, error))
		return NULL;
	if (!json_is_boolean(json_object_get(call->body, "on")) || (on && reason == NULL)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"on must be true or false, and turning it on needs a reason: people will "
			"ask");
		return NULL;
	}
	g_auto(Maintenance) before = {0};
	if (!maintenance_read(call->site, call->store, &before, error) ||
		!check_ending(&before, on, error))
		return NULL;
	gint64 now_us = api_now_us(call);
	gboolean same = before.on == on && g_strcmp0(before.reason, reason) == 0;
	if (same || (!before.on && !on))
		return maintenance_json(&before);
	Maintenance after = {.on = on};
	if (on) {
		after.reason = (char *)reason;
		after.actor = call->actor->name;
		after.since_us = before.on && !before.by_file ? before.since_us : now_us;
	}
	if (!store_execute(call->store, error, sql_set,
		    STORE_PARAMS(STORE_INT(on), STORE_TEXT(after.reason), STORE_TEXT(after.actor),
			    on ? STORE_INT(after.since_us) : STORE_NULL)))
		return NULL;
	g_autoptr(json_t) was = maintenance_json(&before);
	g_autoptr(json_t) is = maintenance_json(&after);
	if (!api_record(call, on ? "maintenance.on" : "maintenance.off", "maintenance", reason, was,
		    is, error))
		return NULL;
	log_event(LOG_LEVEL_WARNING, on ? "maintenance.on" : "maintenance.off", "by",
		call->actor->name, "why", reason, NULL);
	return g_steal_pointer(&is);
}

const ApiRoute api_maintenance_routes[] = {
	{"GET", "/maintenance", ROLE_VIEWER, API_READ | API_ANYWHERE, show_maintenance},
	{"PUT", "/maintenance", ROLE_OPERATOR, API_WRITE | API_EVEN_IN_MAINTENANCE,
		set_maintenance},
	{0},
};
