/* SPDX-License-Identifier: ISC
 *
 * Nodes as people look at them: what each is to run, what it runs, and whether that is all right.
 * A node that has been silent for NODE_SILENT_S is shown with what it said last.
 */
#include <string.h>

#include "api/host.h"
#include "api/node.h"

static const char SQL_EVENTS[] = "SELECT product.name, at_us, state, version, text FROM node_event"
				 " JOIN product ON product.id = node_event.product_id"
				 " WHERE node_id = ? ORDER BY node_event.id DESC";

/* States ----------------------------------------------------------------------------------------
 */

/* What one product on a node is up to. */
typedef struct Standing {
	const char *state; /* static */
	char *text;
} Standing;

static Standing standing(const char *state, const char *format, ...) G_GNUC_PRINTF(2, 3);

static Standing standing(const char *state, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	Standing made = {state, g_strdup_vprintf(format, values)};
	va_end(values);
	return made;
}

static const char *or_word(const char *text, const char *word)
{
	return text != NULL ? text : word;
}

static Standing working(const json_t *report, const char *running)
{
	const json_t *doing = json_object_get(report, "doing");
	const char *version = json_text(doing, "version"), *step = json_text(doing, "step");
	gint64 total = json_integer_of(doing, "total"), done = json_integer_of(doing, "done");
	gboolean activates = strcmp(json_text(report, "state"), "activating") == 0;
	g_autofree char *share =
		total > 0 ? g_strdup_printf(", %d %%",
				    (int)(100.0 * (double)MIN(done, total) / (double)total))
			  : g_strdup("");
	return standing("working", "%s %s%s%s%s; %s runs", activates ? "switches to" : "installs",
		or_word(version, "a release"), step != NULL ? ": " : "", or_word(step, ""), share,
		or_word(running, "nothing"));
}

/* A node goes back by nothing but an order: else whoever changes a rule could take all of them
 * back. */
static Standing settled(
	const NodeTarget *target, const json_t *report, gboolean is_ordered, const char *pool)
{
	const char *running = json_text(report, "running");
	if (target->version == NULL)
		return standing("good", "%s%s; it is to run nothing else: %s",
			running != NULL ? "runs " : "runs", or_word(running, " nothing"),
			target->why);
	if (g_strcmp0(running, target->version) == 0)
		return standing("good", "runs %s, as it is to", running);
	if (running != NULL && !is_ordered &&
		json_integer_of(report, "sequence") > target->sequence)
		return standing("behind",
			"runs %s, which is newer than %s of its channel; it goes back only by an "
			"order",
			running, target->version);
	if (pool != NULL)
		return standing("behind",
			"runs %s, and its channel gives it %s; it " NODE_WAITS_IN_POOL, running,
			target->version, pool);
	return standing(
		"behind", "runs %s and is to run %s", or_word(running, "nothing"), target->version);
}

static Standing in_maintenance(const json_t *report, gint64 now_us)
{
	const json_t *maintenance = json_object_get(report, "maintenance");
	const char *reason = json_text(maintenance, "reason");
	const char *until = json_text(maintenance, "until");
	gboolean overdue = node_is_overdue(report, now_us);
	return standing("maintenance", "in maintenance%s%s%s%s%s", until != NULL ? " until " : "",
		or_word(until, ""), overdue ? ", which is over" : "", reason != NULL ? ": " : "",
		or_word(reason, ""));
}

static Standing standing_of(const NodeDuty *duty, const json_t *host, const NodeTarget *target,
	const char *pool, gint64 now_us)
{
	const json_t *report = duty->report;
	const char *running = json_text(report, "running"), *state = json_text(report, "state");
	gint64 silence_us = now_us - duty->reported_us;
	if (report == NULL)
		return standing("never", "%s",
			json_is_null(host) ? "its host has not enrolled yet"
					   : "it has not reported yet");
	if (silence_us >= NODE_SILENT_S * US_PER_SECOND) {
		return standing("silent", "has not reported for %" G_GINT64_FORMAT " s; ran %s",
			silence_us / US_PER_SECOND, or_word(running, "nothing"));
	}
	if (strcmp(state, "failed") == 0)
		return standing("failed", "%s; runs %s",
			or_word(json_text(report, "error"), "failed, and does not say why"),
			or_word(running, "nothing"));
	if (strcmp(state, "maintenance") == 0 ||
		json_is_true(json_object_get(json_object_get(report, "maintenance"), "on")))
		return in_maintenance(report, now_us);
	if (strcmp(state, "idle") != 0)
		return working(report, running);
	return settled(target, report, duty->ordered != NULL, pool);
}

/* Values ----------------------------------------------------------------------------------------
 */

static json_t *should_json(const NodeTarget *should)
{
	gboolean is_there = should->version != NULL;
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "version", json_text_or_null(should->version),
		"sequence", is_there ? json_integer(should->sequence) : json_null(), "why",
		should->why, "rule_id",
		should->rule_id != 0 ? json_integer(should->rule_id) : json_null(), "mapping",
		json_text_or_null(should->mapping));
}

/* What the node said, and what became of its maintenance since. New reference; NULL: nothing. */
static json_t *report_json(const json_t *report, gint64 now_us)
{
	json_t *shown = report != NULL ? json_copy((json_t *)report) : NULL;
	if (!node_is_overdue(report, now_us))
		return shown;
	json_t *maintenance = json_copy(json_object_get(report, "maintenance"));
	json_object_set_new(maintenance, "overdue", json_true());
	json_object_set_new(shown, "maintenance", maintenance);
	return shown;
}

static json_t *duty_json(const ApiCall *call, NodeAsker *asker, const NodeRecord *node,
	const NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) should = {0};
	g_auto(NodeTarget) ordered = {0};
	const char *pool = NULL;
	if (!node_ask_channel(asker, node, duty, &should, error) ||
		(duty->ordered == NULL &&
			!node_ask_pool(asker, node, duty, &should, &pool, error)) ||
		(duty->ordered != NULL && !node_ask_target(asker, node, duty, &ordered, error)))
		return NULL;
	const NodeTarget *target = duty->ordered != NULL ? &ordered : &should;
	Standing now = standing_of(duty, node->host, target, pool, api_now_us(call));
	g_autofree char *text = now.text;
	const json_t *sequence = json_object_get(duty->report, "sequence");
	g_autoptr(json_t) report = report_json(duty->report, api_now_us(call));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:O?, s:o, s:s, "
			 "s:o, s:O?}",
		"product", duty->product, "channel", duty->channel, "follows", duty->follows,
		"waits_in", json_text_or_null(pool), "should", should_json(&should), "ordered",
		json_text_or_null(duty->ordered), "order_id", (json_int_t)duty->order_id,
		"asked_by", json_text_or_null(duty->asked_by), "asked",
		json_time_or_null(duty->asked_us), "reason", json_text_or_null(duty->reason),
		"running", json_text_or_null(json_text(duty->report, "running")), "sequence",
		sequence, "reported", json_time_or_null(duty->reported_us), "state", now.state,
		"text", json_text_or_null(text), "report", report);
}

json_t *node_json(const ApiCall *call, NodeAsker *asker, const NodeRecord *node, GError **error)
{
	g_autoptr(json_t) products = json_array();
	for (guint i = 0; i < node->duties->len; i++) {
		const NodeDuty *duty = node->duties->pdata[i];
		if (!actor_has(call->actor, ROLE_VIEWER, duty->product))
			continue;
		json_t *shown = duty_json(call, asker, node, duty, error);
		if (shown == NULL)
			return NULL;
		json_array_append_new(products, shown);
	}
	return json_pack("{s:s, s:o, s:O, s:I, s:O, s:O}", "name", node->name, "notes",
		json_text_or_null(node->notes), "tags", node->tags, "data_version",
		(json_int_t)node->data_version, "host", node->host, "products", products);
}

json_t *node_settings_json(const NodeRecord *node)
{
	json_t *products = json_array();
	for (guint i = 0; i < node->duties->len; i++) {
		const NodeDuty *duty = node->duties->pdata[i];
		json_array_append_new(
			products, json_pack("{s:s, s:s, s:s}", "product", duty->product, "channel",
					  duty->channel, "follows", duty->follows));
	}
	return json_pack("{s:s, s:o, s:O, s:o}", "name", node->name, "notes",
		json_text_or_null(node->notes), "tags", node->tags, "products", products);
}

/* A node without products is shown to who sees all. */
gboolean node_is_seen(const Actor *actor, const NodeRecord *node)
{
	for (guint i = 0; i < node->duties->len; i++)
		if (actor_has(actor, ROLE_VIEWER,
			    ((const NodeDuty *)node->duties->pdata[i])->product))
			return TRUE;
	return actor_has(actor, ROLE_VIEWER, NULL);
}

/* Routes ----------------------------------------------------------------------------------------
 */

static gboolean is_asked_for(const ApiCall *call, const NodeRecord *node)
{
	const char *product = api_query(call, "product"), *channel = api_query(call, "channel");
	if (product == NULL && channel == NULL)
		return TRUE;
	for (guint i = 0; i < node->duties->len; i++) {
		const NodeDuty *duty = node->duties->pdata[i];
		if ((product == NULL || strcmp(product, duty->product) == 0) &&
			(channel == NULL || strcmp(channel, duty->channel) == 0) &&
			actor_has(call->actor, ROLE_VIEWER, duty->product))
			return TRUE;
	}
	return FALSE;
}

json_t *node_list_all(ApiCall *call, GError **error)
{
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(GPtrArray) nodes = asker != NULL ? node_record_list(call->store, error) : NULL;
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; nodes != NULL && i < nodes->len; i++) {
		const NodeRecord *node = nodes->pdata[i];
		if (!node_is_seen(call->actor, node) || !is_asked_for(call, node))
			continue;
		json_t *shown = node_json(call, asker, node, error);
		if (shown == NULL)
			return NULL;
		json_array_append_new(list, shown);
	}
	return nodes != NULL ? json_pack("{s:O}", "nodes", list) : NULL;
}

static gboolean add_events(ApiCall *call, const NodeRecord *node, json_t *events, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(call->store, error, SQL_EVENTS, STORE_PARAMS(STORE_INT(node->id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more || json_array_size(events) == NODE_EVENTS_MAXIMUM_SHOWN)
			return TRUE;
		const char *product = store_rows_text(rows, 0);
		if (!actor_has(call->actor, ROLE_VIEWER, product))
			continue;
		json_array_append_new(
			events, json_pack("{s:s, s:o, s:s, s:o, s:o}", "product", product, "at",
					json_time_or_null(store_rows_integer(rows, 1)), "state",
					store_rows_text(rows, 2), "version",
					json_text_or_null(store_rows_text(rows, 3)), "text",
					json_text_or_null(store_rows_text(rows, 4))));
	}
	return FALSE;
}

json_t *node_show(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "node");
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(NodeRecord) node =
		asker != NULL ? node_record_load(call->store, name, error) : NULL;
	if (node == NULL)
		return NULL;
	if (!node_is_seen(call->actor, node)) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"node %s runs nothing that you may see: an admin can give you the role "
			"viewer on it",
			name);
		return NULL;
	}
	g_autoptr(json_t) events = json_array();
	if (!add_events(call, node, events, error))
		return NULL;
	json_t *shown = node_json(call, asker, node, error);
	if (shown != NULL)
		json_object_set(shown, "events", events);
	return shown;
}
