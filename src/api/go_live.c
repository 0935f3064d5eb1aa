/* SPDX-License-Identifier: ISC
 *
 * POST /jobs/go-live: what the clock calls. Changes that are due and ready go live; of the others
 * people hear why not.
 */
#include "api/change_notice.h"
#include "api/channel_gate.h"
#include "api/job.h"
#include "api/maintenance.h"
#include "api/routes.h"
#include "base/log.h"

static json_t *enacted_json(const Enacted *enacted)
{
	g_autoptr(json_t) live = json_array();
	g_autoptr(json_t) waiting = json_array();
	for (guint i = 0; i < enacted->live->len; i++)
		json_array_append_new(live, json_integer(g_array_index(enacted->live, gint64, i)));
	for (guint i = 0; i < enacted->waiting->len; i++) {
		const EnactWaiting *each = enacted->waiting->pdata[i];
		json_array_append_new(waiting,
			json_pack("{s:I, s:s, s:s}", "change", (json_int_t)each->change, "kind",
				standing_kind_name(each->kind), "text", each->text));
	}
	return json_pack("{s:O, s:O}", "live", live, "waiting", waiting);
}

static void log_what_came(const Enacted *enacted)
{
	for (guint i = 0; i < enacted->live->len; i++) {
		g_autofree char *id = g_strdup_printf(
			"%" G_GINT64_FORMAT, g_array_index(enacted->live, gint64, i));
		log_event(LOG_LEVEL_INFO, "change.live", "change", id, NULL);
	}
	for (guint i = 0; i < enacted->waiting->len; i++) {
		const EnactWaiting *each = enacted->waiting->pdata[i];
		g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, each->change);
		if (each->is_news)
			log_event(LOG_LEVEL_WARNING, "change.waits", "change", id, "kind",
				standing_kind_name(each->kind), "why", each->text, NULL);
	}
}

/* Somebody may throw the switch between two changes of one look. */
static gboolean is_no_maintenance(Store *store, gpointer of, GError **error)
{
	return maintenance_refuse(of, store, error);
}

json_t *job_go_live(ApiCall *call, GError **error)
{
	g_auto(Enacted) enacted = {0};
	gpointer site = (gpointer)call->site;
	EnactHouse house = {channel_gates_ask, site, is_no_maintenance, site};
	gboolean done = channel_enact(call->store, api_now_us(call), &house, &enacted, error);
	log_what_came(&enacted);
	if (!done || !change_notice_tell(call, &enacted, error))
		return NULL;
	return enacted_json(&enacted);
}

const ApiRoute api_go_live_routes[] = {
	{"POST", "/jobs/go-live", ROLE_OPERATOR, API_JOB, job_go_live},
	{0},
};
