/* SPDX-License-Identifier: ISC
 *
 * Orders: a person wants a node to run exactly this version, which may be an older one; and nodes
 * ask what they are to do. Giving an order is not yet having it obeyed: the node verifies the
 * release by itself, and says in its reports what became of it.
 */
#include <string.h>

#include "api/node.h"
#include "api/pool.h"

static const char SQL_RELEASE[] = "SELECT sequence, min_rollback_sequence, removed_us FROM release"
				  " WHERE product_id = ? AND version = ?";

/* Giving ----------------------------------------------------------------------------------------
 */

typedef struct Released {
	gboolean is_there;
	gint64 sequence, floor;
} Released;

static gboolean find_release(
	Store *store, const NodeDuty *duty, const char *version, Released *found, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_RELEASE,
		STORE_PARAMS(STORE_INT(duty->product_id), STORE_TEXT(version)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	found->is_there = more && store_rows_is_null(rows, 2);
	found->sequence = more ? store_rows_integer(rows, 0) : 0;
	found->floor = more ? store_rows_integer(rows, 1) : 0;
	return TRUE;
}

/* What runs may have changed what cannot be changed back. */
static gboolean check_version(ApiCall *call, const NodeRecord *node, const NodeDuty *duty,
	const char *version, GError **error)
{
	Released wanted = {0}, runs = {0};
	const char *running = json_text(duty->report, "running");
	if (!find_release(call->store, duty, version, &wanted, error) ||
		(running != NULL && !find_release(call->store, duty, running, &runs, error)))
		return FALSE;
	if (!wanted.is_there) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"version: no release '%s' of %s was published, or it was removed", version,
			duty->product);
		return FALSE;
	}
	if (wanted.sequence >= runs.floor)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s %s has the sequence %" G_GINT64_FORMAT ", and node %s runs %s, after which "
		"nothing below %" G_GINT64_FORMAT " may run (min_rollback_sequence)",
		duty->product, version, wanted.sequence, node->name, running, runs.floor);
	return FALSE;
}

static json_t *order_json(const NodeDuty *duty)
{
	return json_pack("{s:o, s:I, s:o, s:o}", "ordered", json_text_or_null(duty->ordered),
		"order_id", (json_int_t)duty->order_id, "asked_by",
		json_text_or_null(duty->asked_by), "reason", json_text_or_null(duty->reason));
}

/* `version` NULL: nobody asks any more. */
static void set_order(NodeDuty *duty, const char *version, const char *reason, const ApiCall *call)
{
	g_free(duty->ordered);
	g_free(duty->asked_by);
	g_free(duty->reason);
	duty->ordered = g_strdup(version);
	duty->asked_by = version != NULL ? g_strdup(call->actor->name) : NULL;
	duty->asked_us = version != NULL ? api_now_us(call) : 0;
	duty->reason = version != NULL ? g_strdup(reason) : NULL;
}

static gboolean store_order(
	ApiCall *call, NodeAsker *asker, NodeRecord *node, NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) target = {0};
	if (!node_record_move(call->store, node, error) ||
		!node_ask_target(asker, node, duty, &target, error))
		return FALSE;
	duty->order_id = duty->ordered != NULL ? node->version : 0;
	g_free(duty->target);
	duty->target = g_strdup(target.version);
	return node_duty_save(call->store, node, duty, error);
}

/* The same order again has a new id: what a node refused once is tried anew by that. */
json_t *node_give_order(ApiCall *call, GError **error)
{
	const char *version, *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_text(call->body, "version", FALSE, 1024, &version, error))
		return NULL;
	if (json_object_get(call->body, "version") == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"version: must be given; null lets the node follow its channel again");
		return NULL;
	}
	if (version != NULL && (reason == NULL || *reason == '\0')) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reason: an order for one version is kept with a reason; give one");
		return NULL;
	}
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(NodeRecord) node =
		asker != NULL ? node_record_load(call->store, api_parameter(call, "node"), error)
			      : NULL;
	NodeDuty *duty = node != NULL
				 ? node_record_require(node, api_parameter(call, "product"), error)
				 : NULL;
	if (duty == NULL || (version != NULL && !check_version(call, node, duty, version, error)))
		return NULL;
	if (version == NULL && duty->ordered == NULL)
		return node_json(call, asker, node, error);
	g_autoptr(json_t) before = order_json(duty);
	set_order(duty, version, reason, call);
	if (!store_order(call, asker, node, duty, error))
		return NULL;
	g_autoptr(json_t) after = order_json(duty);
	g_autofree char *subject = g_strdup_printf("node/%s/%s", node->name, duty->product);
	if (!api_record(call, version != NULL ? "node.order" : "node.follow", subject, reason,
		    before, after, error))
		return NULL;
	return node_json(call, asker, node, error);
}

/* Asking ----------------------------------------------------------------------------------------
 */

static json_t *orders_of(
	NodeAsker *asker, const NodeRecord *node, const NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) target = {0};
	if (!node_ask_target(asker, node, duty, &target, error))
		return NULL;
	json_t *named = node_ask_named(asker, node, duty, error);
	if (named == NULL)
		return NULL;
	gboolean is_there = target.version != NULL;
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:I, s:s, s:o}", "product", duty->product,
		"channel", duty->channel, "version", json_text_or_null(target.version), "sequence",
		is_there ? json_integer(target.sequence) : json_null(), "manifest_sha256",
		json_text_or_null(target.manifest_sha256), "is_ordered", duty->ordered != NULL,
		"order_id", (json_int_t)duty->order_id, "why", target.why, "keep_named", named);
}

/* Always at once: that the question may wait is droverd's business (programs/droverd/admin.c). */
json_t *node_show_orders(ApiCall *call, GError **error)
{
	gint64 after, wait, epoch;
	if (!api_query_integer(call, "after", 0, 0, G_MAXINT64, &after, error) ||
		!api_query_integer(call, "wait", NODE_POLL_S, 0, NODE_POLL_S, &wait, error) ||
		!store_counter_get(call->store, STORE_EPOCH, &epoch, error))
		return NULL;
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(NodeRecord) node = asker != NULL ? node_load_caller(call, error) : NULL;
	if (node == NULL)
		return NULL;
	g_autoptr(json_t) products = json_array();
	for (guint i = 0; i < node->duties->len; i++) {
		json_t *orders = orders_of(asker, node, node->duties->pdata[i], error);
		if (orders == NULL)
			return NULL;
		json_array_append_new(products, orders);
	}
	return json_pack("{s:s, s:I, s:I, s:o, s:O}", "node", node->name, "version",
		(json_int_t)node->version, "epoch", (json_int_t)epoch, "now",
		json_time_or_null(api_now_us(call)), "products", products);
}
