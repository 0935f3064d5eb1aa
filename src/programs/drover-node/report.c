/* SPDX-License-Identifier: ISC
 *
 * A node's report, put together from its disk, its holder, and what is being done.
 */
#include "programs/drover-node/report.h"

#include "base/format.h"
#include "node/hold/hold.h"
#include "wire/json.h"

enum { HOLDER_TIMEOUT_S = 2 };

static const char *const state_names[] = {
	[REPORT_IDLE] = "idle",
	[REPORT_INSTALLING] = "installing",
	[REPORT_ACTIVATING] = "activating",
	[REPORT_FAILED] = "failed",
};

static json_t *installed_json(const Place *place)
{
	json_t *list = json_array();
	for (guint i = 0; place != NULL && i < place->installed->len; i++) {
		const Installed *each = place->installed->pdata[i];
		json_array_append_new(list, json_pack("{s:s, s:I}", "version", each->version,
						    "sequence", (json_int_t)each->sequence));
	}
	return list;
}

static json_t *integer_or_null(gint64 number)
{
	return number > 0 ? json_integer(number) : json_null();
}

static json_t *doing_json(const ReportDoing *doing)
{
	gboolean busy = doing->state == REPORT_INSTALLING || doing->state == REPORT_ACTIVATING;
	if (!busy || doing->version == NULL)
		return json_null();
	return json_pack("{s:s, s:s?, s:I, s:I}", "version", doing->version, "step", doing->step,
		"done", (json_int_t)doing->done, "total", (json_int_t)doing->total);
}

/* null unless it is on. */
static json_t *maintenance_json(const NodeProduct *product, gint64 now_us)
{
	g_autoptr(json_t) state = maintenance_state(product, now_us, NULL);
	if (state == NULL || !json_is_true(json_object_get(state, "on")))
		return json_null();
	return json_pack("{s:b, s:O?, s:O?, s:b}", "on", TRUE, "reason",
		json_object_get(state, "reason"), "until", json_object_get(state, "until"),
		"overdue", json_is_true(json_object_get(state, "overdue")));
}

/* The service that answers, of all processes that the holder has. NULL: none does. Borrowed. */
static const json_t *find_service(const json_t *status)
{
	gsize index;
	json_t *child;
	json_array_foreach (json_object_get(status, "children"), index, child)
		if (g_strcmp0(json_text(child, "kind"), "service") == 0 &&
			g_strcmp0(json_text(child, "version"), json_text(status, "version")) == 0)
			return child;
	return NULL;
}

static json_t *service_json(const NodeProduct *product)
{
	if (product->run == NULL)
		return json_null();
	g_autoptr(json_t) call = json_pack("{s:s}", "do", "status");
	g_autoptr(json_t) status = hold_call(product, call, HOLDER_TIMEOUT_S, NULL);
	const json_t *service = status != NULL ? find_service(status) : NULL;
	if (service == NULL)
		return json_null();
	return json_pack("{s:O?, s:O?, s:O?}", "pid", json_object_get(service, "pid"), "since",
		json_object_get(service, "since"), "restarts", json_object_get(status, "restarts"));
}

/* The order that was obeyed last: this one when it runs or was tried, else the one before. */
static gint64 obeyed(const Order *order, const char *running, const FollowMemory *memory)
{
	gboolean runs =
		order != NULL && order->version != NULL && g_strcmp0(order->version, running) == 0;
	if (runs)
		return order->order_id;
	return MAX(memory->failed.order_id, memory->tidied.order_id);
}

json_t *report_product(const NodeProduct *product, const Order *order, const ReportDoing *doing,
	const FollowMemory *memory, gint64 now_us)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(Place) place = place_look(product, &problem);
	const char *running = place != NULL ? place->current : NULL;
	const Installed *runs = running != NULL ? place_find(place, running) : NULL;
	const char *error = doing->error != NULL ? doing->error
			    : problem != NULL	 ? problem->message
						 : NULL;
	json_t *maintenance = maintenance_json(product, now_us);
	ReportState state =
		problem != NULL && doing->state == REPORT_IDLE ? REPORT_FAILED : doing->state;
	gboolean maintained = state == REPORT_IDLE && json_is_object(maintenance);
	json_t *report = json_pack("{s:s, s:s?, s:o, s:s?, s:s?, s:o, s:I, s:s, s:o, s:o, s:o, "
				   "s:s?, s:o}",
		"product", product->name, "running", running, "sequence",
		integer_or_null(runs != NULL ? runs->sequence : 0), "manifest_sha256",
		runs != NULL ? runs->manifest_sha256 : NULL, "previous",
		place != NULL ? place->previous : NULL, "installed", installed_json(place),
		"order_id", (json_int_t)obeyed(order, running, memory), "state",
		maintained ? "maintenance" : state_names[state], "doing", doing_json(doing),
		"error", json_text_or_null(error), "maintenance", maintenance, "health",
		doing->health, "service", service_json(product));
	g_assert(report != NULL);
	return report;
}

json_t *report_whole(json_t *products, gint64 now_us)
{
	return json_pack("{s:o, s:s, s:o}", "now", json_time_or_null(now_us), "version",
		DROVER_VERSION, "products", products);
}
