/* SPDX-License-Identifier: ISC
 *
 * Nodes, and what they run, in the store.
 */
#include <string.h>

#include "api/node.h"

#define SQL_NODE                                                                                   \
	"SELECT node.id, node.name, notes, tags_json, node.version, node.data_version, host.id,"   \
	" revoked_us, seen_us, clock_off_ms, host.version FROM node"                               \
	" LEFT JOIN host ON host.name = node.name AND host.kind = 'node' "
#define SQL_DUTY                                                                                   \
	"SELECT node_id, product_id, product.name, channel, ordered, order_id, asked_by,"          \
	" asked_us, reason, target, report_json, reported_us, follows FROM node_product"           \
	" JOIN product ON product.id = node_product.product_id "

static const char SQL_LOAD[] = SQL_NODE "WHERE node.name = ?";
static const char SQL_LIST[] = SQL_NODE "ORDER BY node.name";
static const char SQL_DUTIES[] = SQL_DUTY "WHERE node_id = ? ORDER BY product.name";
static const char SQL_ALL_DUTIES[] = SQL_DUTY "ORDER BY product.name";
static const char SQL_ADD[] = "INSERT INTO node (name, notes, tags_json, version, data_version)"
			      " VALUES (?, ?, ?, 0, 0) RETURNING id";
static const char SQL_MOVE[] = "UPDATE node SET version = ? WHERE id = ?";
static const char SQL_SAVE[] =
	"UPDATE node SET notes = ?, tags_json = ?, data_version = ? WHERE id = ?";
static const char SQL_DUTY_CHANGE[] =
	"UPDATE node_product SET channel = ?, follows = ?, ordered = ?, order_id = ?, asked_by = ?,"
	" asked_us = ?, reason = ?, target = ? WHERE node_id = ? AND product_id = ?";
static const char SQL_DUTY_ADD[] =
	"INSERT INTO node_product (channel, follows, ordered, order_id, asked_by, asked_us, reason,"
	" target, node_id, product_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char SQL_DUTY_KEEP[] =
	"UPDATE node_product SET report_json = ?, running = ?, reported_us = ?"
	" WHERE node_id = ? AND product_id = ?";
static const char *const SQL_DUTY_REMOVE[] = {
	"DELETE FROM node_event WHERE node_id = ? AND product_id = ?",
	"DELETE FROM node_product WHERE node_id = ? AND product_id = ?",
};
static const char *const SQL_REMOVE[] = {
	"DELETE FROM node_event WHERE node_id = ?",
	"DELETE FROM node_product WHERE node_id = ?",
	"DELETE FROM node WHERE id = ?",
};
static const char SQL_VERSIONS[] = "SELECT name, version FROM node";
static const char SQL_SILENT[] = "SELECT COUNT(*) FROM node_product WHERE reported_us <= ?";

const char *node_follows_find(const char *word)
{
	static const char *const words[] = {NODE_FOLLOWS_ALONE, NODE_FOLLOWS_ALWAYS};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(words[i], word) == 0)
			return words[i];
	return NULL;
}

NodeDuty *node_duty_new(gint64 product_id, const char *product, const char *channel)
{
	NodeDuty *duty = g_new0(NodeDuty, 1);
	duty->product_id = product_id;
	duty->product = g_strdup(product);
	duty->channel = g_strdup(channel);
	return duty;
}

void node_duty_free(NodeDuty *duty)
{
	if (duty == NULL)
		return;
	g_free(duty->product);
	g_free(duty->channel);
	g_free(duty->ordered);
	g_free(duty->asked_by);
	g_free(duty->reason);
	g_free(duty->target);
	json_decref(duty->report);
	g_free(duty);
}

void node_record_free(NodeRecord *node)
{
	if (node == NULL)
		return;
	g_free(node->name);
	g_free(node->notes);
	json_decref(node->tags);
	json_decref(node->host);
	g_ptr_array_unref(node->duties);
	g_free(node);
}

/* Reading ---------------------------------------------------------------------------------------
 */

static json_t *host_of(const StoreRows *rows)
{
	if (store_rows_is_null(rows, 6))
		return json_null();
	gboolean has_clock = !store_rows_is_null(rows, 9);
	gint64 off_ms = store_rows_integer(rows, 9);
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "enrolled", store_rows_is_null(rows, 7),
		"seen", json_time_or_null(store_rows_integer(rows, 8)), "clock_off_ms",
		has_clock ? json_integer(off_ms) : json_null(), "warning",
		has_clock ? host_clock_warning(off_ms) : json_null(), "version",
		json_text_or_null(store_rows_text(rows, 10)));
}

static NodeRecord *record_of(const StoreRows *rows)
{
	NodeRecord *node = g_new0(NodeRecord, 1);
	node->id = store_rows_integer(rows, 0);
	node->name = g_strdup(store_rows_text(rows, 1));
	node->notes = g_strdup(store_rows_text(rows, 2));
	node->tags = json_loads(store_rows_text(rows, 3), 0, NULL);
	node->version = store_rows_integer(rows, 4);
	node->data_version = store_rows_integer(rows, 5);
	node->host = host_of(rows);
	node->duties = g_ptr_array_new_with_free_func((GDestroyNotify)node_duty_free);
	return node;
}

static NodeDuty *duty_of(const StoreRows *rows)
{
	const char *report = store_rows_text(rows, 10);
	NodeDuty *duty = node_duty_new(
		store_rows_integer(rows, 1), store_rows_text(rows, 2), store_rows_text(rows, 3));
	duty->ordered = g_strdup(store_rows_text(rows, 4));
	duty->order_id = store_rows_integer(rows, 5);
	duty->asked_by = g_strdup(store_rows_text(rows, 6));
	duty->asked_us = store_rows_integer(rows, 7);
	duty->reason = g_strdup(store_rows_text(rows, 8));
	duty->target = g_strdup(store_rows_text(rows, 9));
	duty->report = report != NULL ? json_loads(report, 0, NULL) : NULL;
	duty->reported_us = store_rows_integer(rows, 11);
	duty->follows = node_follows_find(store_rows_text(rows, 12));
	return duty;
}

static void add_duty(const StoreRows *rows, gpointer node)
{
	g_ptr_array_add(((NodeRecord *)node)->duties, duty_of(rows));
}

static gboolean load_duties(Store *store, NodeRecord *node, GError **error)
{
	return store_each(
		store, error, add_duty, node, SQL_DUTIES, STORE_PARAMS(STORE_INT(node->id)));
}

static void take_record(const StoreRows *rows, gpointer node)
{
	*(NodeRecord **)node = record_of(rows);
}

/* *node stays NULL when there is none. */
static gboolean find(Store *store, const char *name, NodeRecord **node, GError **error)
{
	return store_each(
		store, error, take_record, node, SQL_LOAD, STORE_PARAMS(STORE_TEXT(name)));
}

NodeRecord *node_record_load(Store *store, const char *name, GError **error)
{
	g_autoptr(NodeRecord) node = NULL;
	if (!find(store, name, &node, error))
		return NULL;
	if (node == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no node '%s'; see: drover node list", name);
		return NULL;
	}
	return load_duties(store, node, error) ? g_steal_pointer(&node) : NULL;
}

static void add_record(const StoreRows *rows, gpointer nodes)
{
	g_ptr_array_add(nodes, record_of(rows));
}

static void add_duty_by_id(const StoreRows *rows, gpointer by_id)
{
	gint64 id = store_rows_integer(rows, 0);
	add_duty(rows, g_hash_table_lookup(by_id, &id));
}

GPtrArray *node_record_list(Store *store, GError **error)
{
	g_autoptr(GPtrArray) nodes =
		g_ptr_array_new_with_free_func((GDestroyNotify)node_record_free);
	g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
	if (!store_each(store, error, add_record, nodes, SQL_LIST, STORE_NO_PARAMS))
		return NULL;
	for (guint i = 0; i < nodes->len; i++) {
		NodeRecord *node = nodes->pdata[i];
		g_hash_table_insert(by_id, &node->id, node);
	}
	return store_each(store, error, add_duty_by_id, by_id, SQL_ALL_DUTIES, STORE_NO_PARAMS)
		       ? g_steal_pointer(&nodes)
		       : NULL;
}

NodeDuty *node_record_duty(const NodeRecord *node, const char *product)
{
	for (guint i = 0; i < node->duties->len; i++) {
		NodeDuty *duty = node->duties->pdata[i];
		if (strcmp(duty->product, product) == 0)
			return duty;
	}
	return NULL;
}

NodeDuty *node_record_require(const NodeRecord *node, const char *product, GError **error)
{
	NodeDuty *duty = node_record_duty(node, product);
	if (duty == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"node %s does not run %s; see: drover node show %s", node->name, product,
			node->name);
	return duty;
}

NodeRecord *node_load_caller(ApiCall *call, GError **error)
{
	g_autoptr(json_t) host = NULL;
	g_autoptr(NodeRecord) node = NULL;
	if (!host_load_caller(call, &host, error))
		return NULL;
	const char *name = json_text(host, "name");
	if (g_strcmp0(json_text(host, "kind"), "node") != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s is a %s, and this is for nodes; an admin can revoke it and invite it "
			"as one",
			name, json_text(host, "kind"));
		return NULL;
	}
	if (!find(call->store, name, &node, error))
		return NULL;
	if (node == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"nobody said yet what the node %s is to run; an admin does: drover node "
			"add %s",
			name, name);
		return NULL;
	}
	return load_duties(call->store, node, error) ? g_steal_pointer(&node) : NULL;
}

/* Writing ---------------------------------------------------------------------------------------
 */

gboolean node_record_insert(Store *store, NodeRecord *node, GError **error)
{
	g_autofree char *tags = json_write(node->tags);
	return store_query_integer(store, error, 0, &node->id, SQL_ADD,
		STORE_PARAMS(STORE_TEXT(node->name), STORE_TEXT(node->notes), STORE_TEXT(tags)));
}

/* Both counters: nodes wait for the one, open pages for the other (history moves that). */
gboolean node_record_move(Store *store, NodeRecord *node, GError **error)
{
	return store_counter_advance(store, STORE_NODES, error) &&
	       store_counter_get(store, STORE_NODES, &node->version, error) &&
	       store_execute(store, error, SQL_MOVE,
		       STORE_PARAMS(STORE_INT(node->version), STORE_INT(node->id)));
}

gboolean node_record_save(Store *store, NodeRecord *node, GError **error)
{
	g_autofree char *tags = json_write(node->tags);
	node->data_version++;
	return node_record_move(store, node, error) &&
	       store_execute(store, error, SQL_SAVE,
		       STORE_PARAMS(STORE_TEXT(node->notes), STORE_TEXT(tags),
			       STORE_INT(node->data_version), STORE_INT(node->id)));
}

static gboolean write_duty(
	Store *store, const char *sql, const NodeRecord *node, const NodeDuty *duty, GError **error)
{
	return store_execute(store, error, sql,
		STORE_PARAMS(STORE_TEXT(duty->channel), STORE_TEXT(duty->follows),
			STORE_TEXT(duty->ordered), STORE_INT(duty->order_id),
			STORE_TEXT(duty->asked_by),
			duty->asked_by != NULL ? STORE_INT(duty->asked_us) : STORE_NULL,
			STORE_TEXT(duty->reason), STORE_TEXT(duty->target), STORE_INT(node->id),
			STORE_INT(duty->product_id)));
}

gboolean node_duty_save(Store *store, const NodeRecord *node, const NodeDuty *duty, GError **error)
{
	if (!write_duty(store, SQL_DUTY_CHANGE, node, duty, error))
		return FALSE;
	return store_changed(store) > 0 || write_duty(store, SQL_DUTY_ADD, node, duty, error);
}

gboolean node_duty_keep(Store *store, const NodeRecord *node, const NodeDuty *duty, GError **error)
{
	g_autofree char *report = json_write(duty->report);
	return store_execute(store, error, SQL_DUTY_KEEP,
		STORE_PARAMS(STORE_TEXT(report), STORE_TEXT(json_text(duty->report, "running")),
			STORE_INT(duty->reported_us), STORE_INT(node->id),
			STORE_INT(duty->product_id)));
}

gboolean node_duty_remove(Store *store, const NodeRecord *node, gint64 product_id, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(SQL_DUTY_REMOVE); i++)
		if (!store_execute(store, error, SQL_DUTY_REMOVE[i],
			    STORE_PARAMS(STORE_INT(node->id), STORE_INT(product_id))))
			return FALSE;
	return TRUE;
}

gboolean node_record_remove(Store *store, const NodeRecord *node, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(SQL_REMOVE); i++)
		if (!store_execute(store, error, SQL_REMOVE[i], STORE_PARAMS(STORE_INT(node->id))))
			return FALSE;
	return store_counter_advance(store, STORE_NODES, error);
}

gboolean node_each_version(Store *store, HostVisit visit, gpointer of, GError **error)
{
	return host_each_version(store, SQL_VERSIONS, visit, of, error);
}

gboolean node_count_silent(Store *store, gint64 now_us, gint64 *count, GError **error)
{
	return store_query_integer(store, error, 0, count, SQL_SILENT,
		STORE_PARAMS(STORE_INT(now_us - NODE_SILENT_S * US_PER_SECOND)));
}
