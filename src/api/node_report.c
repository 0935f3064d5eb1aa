/* SPDX-License-Identifier: ISC
 *
 * What nodes run. A report is whole: it takes the place of the one before, and what became of each
 * product since is added to the node's events. Keys that are unknown are dropped, and so are
 * products that the node is not to run.
 */
#include <string.h>

#include "api/host.h"
#include "api/identity.h"
#include "api/node.h"
#include "api/reported.h"
#include "release/sha256.h"

static const char SQL_EVENT[] =
	"INSERT INTO node_event (node_id, product_id, at_us, state, version, text)"
	" VALUES (?, ?, ?, ?, ?, ?)";
static const char SQL_EVENTS_MANY[] =
	"DELETE FROM node_event WHERE node_id = ? AND product_id = ? AND id <="
	" (SELECT id FROM node_event WHERE node_id = ? AND product_id = ?"
	" ORDER BY id DESC LIMIT 1 OFFSET ?)";

static const char *const states[] = {
	"idle", "installing", "activating", "failed", "maintenance", NULL};
static const char *const healths[] = {"good", "bad", NULL};

/* Reading ---------------------------------------------------------------------------------------
 */

static gboolean take_version(
	const json_t *given, const char *key, gboolean required, json_t *kept, GError **error)
{
	const char *text;
	if (!json_field_text(given, key, required, HOST_VERSION_MAXIMUM_BYTES, &text, error))
		return FALSE;
	json_object_set_new(kept, key, json_text_or_null(text));
	return TRUE;
}

static gboolean take_sha256(const json_t *given, const char *key, json_t *kept, GError **error)
{
	const char *text;
	if (!json_field_text(given, key, FALSE, SHA256_HEX, &text, error))
		return FALSE;
	if (text != NULL && !sha256_is_hex(text)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: must be %d small hexadecimal digits", key, SHA256_HEX - 1);
		return FALSE;
	}
	json_object_set_new(kept, key, json_text_or_null(text));
	return TRUE;
}

/* Null when absent. */
static gboolean take_sequence(const json_t *given, const char *key, json_t *kept, GError **error)
{
	const json_t *value = json_object_get(given, key);
	if (value != NULL && !json_is_null(value))
		return reported_number(given, key, G_MAXINT64, kept, error);
	json_object_set_new(kept, key, json_null());
	return TRUE;
}

static json_t *read_installed_one(const json_t *given, GError **error)
{
	g_autoptr(json_t) kept = json_object();
	if (!json_is_object(given)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "each must be an object");
		return NULL;
	}
	return take_version(given, "version", TRUE, kept, error) &&
			       reported_number(given, "sequence", G_MAXINT64, kept, error)
		       ? g_steal_pointer(&kept)
		       : NULL;
}

static gboolean take_installed(const json_t *given, json_t *kept, GError **error)
{
	const json_t *list = json_object_get(given, "installed");
	g_autoptr(json_t) installed = json_array();
	gsize i;
	json_t *one;
	if (list != NULL &&
		(!json_is_array(list) || json_array_size(list) > NODE_REPORT_MAXIMUM_INSTALLED)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"installed: must be a list of at most %d objects",
			NODE_REPORT_MAXIMUM_INSTALLED);
		return FALSE;
	}
	json_array_foreach (list, i, one) {
		json_t *release = read_installed_one(one, error);
		if (release == NULL) {
			g_prefix_error(error, "installed: ");
			return FALSE;
		}
		json_array_append_new(installed, release);
	}
	json_object_set(kept, "installed", installed);
	return TRUE;
}

static gboolean read_doing(const json_t *given, json_t *kept, GError **error)
{
	return take_version(given, "version", FALSE, kept, error) &&
	       reported_text(given, "step", kept, error) &&
	       reported_number(given, "done", G_MAXINT64, kept, error) &&
	       reported_number(given, "total", G_MAXINT64, kept, error);
}

static gboolean read_maintenance(const json_t *given, json_t *kept, GError **error)
{
	return reported_switch(given, "on", TRUE, kept, error) &&
	       reported_text(given, "reason", kept, error) &&
	       reported_time(given, "until", kept, error) &&
	       reported_switch(given, "overdue", FALSE, kept, error);
}

static gboolean read_service(const json_t *given, json_t *kept, GError **error)
{
	return reported_number(given, "pid", G_MAXINT64, kept, error) &&
	       reported_time(given, "since", kept, error) &&
	       reported_number(given, "restarts", G_MAXINT64, kept, error);
}

/* An object of its own, or null. */
static gboolean take_part(const json_t *given, const char *key,
	gboolean (*read)(const json_t *given, json_t *kept, GError **error), json_t *kept,
	GError **error)
{
	const json_t *value = json_object_get(given, key);
	g_autoptr(json_t) part = json_object();
	if (value == NULL || json_is_null(value)) {
		json_object_set_new(kept, key, json_null());
		return TRUE;
	}
	if (!json_is_object(value)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be an object", key);
		return FALSE;
	}
	if (!read(value, part, error)) {
		g_prefix_error(error, "%s: ", key);
		return FALSE;
	}
	json_object_set(kept, key, part);
	return TRUE;
}

/* A product as it is kept: every key is there. */
static json_t *read_product(const json_t *given, GError **error)
{
	const char *product;
	g_autoptr(json_t) kept = json_object();
	if (!json_is_object(given)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "each must be an object");
		return NULL;
	}
	if (!json_field_text(given, "product", TRUE, 1024, &product, error) ||
		!take_version(given, "running", FALSE, kept, error) ||
		!take_sequence(given, "sequence", kept, error) ||
		!take_sha256(given, "manifest_sha256", kept, error) ||
		!take_version(given, "previous", FALSE, kept, error) ||
		!take_installed(given, kept, error) ||
		!reported_number(given, "order_id", G_MAXINT64, kept, error) ||
		!reported_word(given, "state", TRUE, states, kept, error) ||
		!take_part(given, "doing", read_doing, kept, error) ||
		!reported_text(given, "error", kept, error) ||
		!take_part(given, "maintenance", read_maintenance, kept, error) ||
		!reported_word(given, "health", FALSE, healths, kept, error) ||
		!take_part(given, "service", read_service, kept, error))
		return NULL;
	json_object_set_new(kept, "product", json_string(product));
	return g_steal_pointer(&kept);
}

/* Product -> what is said of it. */
static json_t *read_products(const json_t *body, GError **error)
{
	const json_t *given = json_object_get(body, "products");
	g_autoptr(json_t) products = json_object();
	if (!json_is_array(given) || json_array_size(given) > NODE_LIST_MAXIMUM_PRODUCTS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"products: must be a list of at most %d objects",
			NODE_LIST_MAXIMUM_PRODUCTS);
		return NULL;
	}
	gsize i;
	json_t *one;
	json_array_foreach (given, i, one) {
		json_t *product = read_product(one, error);
		if (product == NULL) {
			g_prefix_error(error, "products: number %zu: ", i + 1);
			return NULL;
		}
		const char *name = json_text(product, "product");
		if (json_object_get(products, name) != NULL) {
			drover_error_set(
				error, DROVER_ERROR_INPUT, "products: %s is there twice", name);
			json_decref(product);
			return NULL;
		}
		json_object_set_new(products, name, product);
	}
	return g_steal_pointer(&products);
}

/* Comparing -------------------------------------------------------------------------------------
 */

/* What open pages are told of at once; how far an installation has come is not among it. */
static gboolean looks_the_same(const json_t *before, const json_t *after)
{
	static const char *const telling[] = {
		"running", "state", "order_id", "error", "maintenance", "health", "installed"};
	for (gsize i = 0; i < G_N_ELEMENTS(telling); i++)
		if (!json_equal(json_object_get(before, telling[i]),
			    json_object_get(after, telling[i])))
			return FALSE;
	return g_strcmp0(json_text(json_object_get(before, "doing"), "step"),
		       json_text(json_object_get(after, "doing"), "step")) == 0;
}

static gboolean is_in_maintenance(const json_t *report)
{
	return g_strcmp0(json_text(report, "state"), "maintenance") == 0 ||
	       json_is_true(json_object_get(json_object_get(report, "maintenance"), "on"));
}

static gboolean has_failed(const json_t *report)
{
	return g_strcmp0(json_text(report, "state"), "failed") == 0;
}

/* The event that the report makes, NULL: none. Static. */
static const char *event_of(const json_t *before, const json_t *after, const char **text)
{
	gboolean is_maintained = is_in_maintenance(after);
	*text = NULL;
	if (has_failed(after) && (!has_failed(before) || g_strcmp0(json_text(before, "error"),
								 json_text(after, "error")) != 0)) {
		*text = json_text(after, "error");
		return "failed";
	}
	if (is_maintained && !is_in_maintenance(before)) {
		*text = json_text(json_object_get(after, "maintenance"), "reason");
		return "maintenance";
	}
	if (json_text(after, "running") != NULL && !is_maintained &&
		(is_in_maintenance(before) ||
			g_strcmp0(json_text(before, "running"), json_text(after, "running")) != 0))
		return "running";
	return NULL;
}

/* Whether the node waits for an order as a server of a pool depends on that. */
static gboolean runs_another(const NodeRecord *node, const json_t *products)
{
	for (guint i = 0; i < node->duties->len; i++) {
		const NodeDuty *duty = node->duties->pdata[i];
		const json_t *report = json_object_get(products, duty->product);
		if (report != NULL &&
			(duty->report == NULL || g_strcmp0(json_text(duty->report, "running"),
							 json_text(report, "running")) != 0))
			return TRUE;
	}
	return FALSE;
}

/* Storing ---------------------------------------------------------------------------------------
 */

static gboolean add_event(ApiCall *call, const NodeRecord *node, const NodeDuty *duty,
	const char *state, const char *text, GError **error)
{
	StoreValue of = STORE_INT(node->id), in = STORE_INT(duty->product_id);
	return store_execute(call->store, error, SQL_EVENT,
		       STORE_PARAMS(of, in, STORE_INT(api_now_us(call)), STORE_TEXT(state),
			       STORE_TEXT(json_text(duty->report, "running")), STORE_TEXT(text))) &&
	       store_execute(call->store, error, SQL_EVENTS_MANY,
		       STORE_PARAMS(of, in, of, in, STORE_INT(NODE_EVENTS_KEPT)));
}

static gboolean take_over(ApiCall *call, const NodeRecord *node, NodeDuty *duty, json_t *report,
	gboolean *is_news, GError **error)
{
	const char *text;
	g_autoptr(json_t) before = duty->report;
	gint64 now_us = api_now_us(call);
	*is_news |= before == NULL || !looks_the_same(before, report) ||
		    now_us - duty->reported_us >= NODE_SILENT_S * US_PER_SECOND;
	const char *state = event_of(before, report, &text);
	duty->report = json_incref(report);
	duty->reported_us = now_us;
	return (state == NULL || add_event(call, node, duty, state, text, error)) &&
	       node_duty_keep(call->store, node, duty, error);
}

json_t *node_take_report(ApiCall *call, GError **error)
{
	const char *now, *version;
	gint64 off_ms;
	gboolean is_news = FALSE;
	g_autoptr(json_t) warning = NULL;
	g_autoptr(NodeRecord) node = node_load_caller(call, error);
	if (node == NULL || !api_require_body(call, error) ||
		!json_field_text(call->body, "now", TRUE, 64, &now, error) ||
		!json_field_text(
			call->body, "version", TRUE, HOST_VERSION_MAXIMUM_BYTES, &version, error))
		return NULL;
	g_autoptr(json_t) products = read_products(call->body, error);
	if (products == NULL)
		return NULL;
	gboolean runs_new = runs_another(node, products);
	g_autoptr(NodeAsker) asker =
		runs_new ? node_asker_new(call->site->channels, call->store, error) : NULL;
	if ((runs_new && asker == NULL) || !host_note_report(call, now, &off_ms, &warning, error) ||
		!host_note_version(call, version, error))
		return NULL;
	for (guint i = 0; i < node->duties->len; i++) {
		NodeDuty *duty = node->duties->pdata[i];
		json_t *report = json_object_get(products, duty->product);
		if (report != NULL && !take_over(call, node, duty, report, &is_news, error))
			return NULL;
	}
	if (asker != NULL && !node_target_renew(asker, node, error))
		return NULL;
	if (is_news && !store_counter_advance(call->store, STORE_CHANGES, error))
		return NULL;
	return json_pack("{s:O}", "clock_warning", warning);
}
