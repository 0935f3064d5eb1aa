/* SPDX-License-Identifier: ISC
 *
 * /nodes: which nodes there are, which products each runs, and by which channel.
 */
#include "api/node.h"

#include <string.h>

#include "api/host.h"
#include "api/identity.h"
#include "api/routes.h"
#include "channel/row/row.h"
#include "landing/product.h"

static const char SQL_COUNT[] = "SELECT COUNT(*) FROM node";

static gboolean record(ApiCall *call, const char *action, const char *name, const json_t *before,
	const json_t *after, GError **error)
{
	const char *reason;
	g_autofree char *subject = g_strdup_printf("node/%s", name);
	return api_reason(call, &reason, error) &&
	       api_record(call, action, subject, reason, before, after, error);
}

/* Reading bodies --------------------------------------------------------------------------------
 */

static gboolean take_notes(const json_t *body, NodeRecord *node, GError **error)
{
	const char *text;
	if (json_object_get(body, "notes") == NULL)
		return TRUE;
	if (!json_field_text(body, "notes", FALSE, NODE_NOTES_MAXIMUM_BYTES, &text, error))
		return FALSE;
	g_free(node->notes);
	node->notes = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
	return TRUE;
}

/* As they come in the query of a node, and as rules ask for them. */
static gboolean check_tag(const char *name, const json_t *value, GError **error)
{
	const char *text = json_string_value(value);
	gsize length = strlen(name);
	if (length == 0 || length > NODE_TAG_MAXIMUM_BYTES ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != length) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"tags: '%.100s' will not do; a tag has at most %d letters a-z, digits and "
			"._-",
			name, NODE_TAG_MAXIMUM_BYTES);
		return FALSE;
	}
	if (text != NULL && *text != '\0' && strlen(text) <= NODE_TAG_MAXIMUM_BYTES &&
		strpbrk(text, "\n\r\t\x1b\x7f") == NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "tags: %s: must be one line of 1 to %d bytes",
		name, NODE_TAG_MAXIMUM_BYTES);
	return FALSE;
}

static gboolean take_tags(const json_t *body, NodeRecord *node, GError **error)
{
	json_t *tags = json_object_get(body, "tags"), *value;
	const char *name;
	if (tags == NULL)
		return TRUE;
	if (!json_is_object(tags) || json_object_size(tags) > NODE_MAXIMUM_TAGS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"tags: must be an object of at most %d names, each with a text",
			NODE_MAXIMUM_TAGS);
		return FALSE;
	}
	json_object_foreach (tags, name, value)
		if (!check_tag(name, value, error))
			return FALSE;
	json_decref(node->tags);
	node->tags = json_deep_copy(tags);
	return TRUE;
}

static gboolean check_channel(const char *channel, GError **error)
{
	gsize length = strlen(channel);
	gboolean is_clean = length > 0 && length <= ROW_MAXIMUM_NAME_BYTES && *channel != ' ' &&
			    channel[length - 1] != ' ' && strpbrk(channel, "/*,\x7f") == NULL;
	for (const char *at = channel; is_clean && *at != '\0'; at++)
		is_clean = (guchar)*at >= ' ';
	if (!is_clean)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"channel: '%.80s' is no channel's name: 1 to %d bytes without '/', '*' and "
			"','",
			channel, ROW_MAXIMUM_NAME_BYTES);
	return is_clean;
}

/* Nothing when nothing is said. */
static gboolean take_follows(const json_t *given, NodeDuty *duty, GError **error)
{
	const char *word;
	if (!json_field_text(given, "follows", FALSE, 1024, &word, error))
		return FALSE;
	duty->follows = word != NULL ? node_follows_find(word) : NULL;
	if (word == NULL || duty->follows != NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"follows: '%.80s' will not do; it is '" NODE_FOLLOWS_ALONE
		"', by itself as long as the node is in no pool, or '" NODE_FOLLOWS_ALWAYS "'",
		word);
	return FALSE;
}

/* A product that the node has already keeps its order and its report. */
static NodeDuty *read_duty(ApiCall *call, const json_t *given, GError **error)
{
	const char *name, *channel;
	if (!json_is_object(given)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"each must be an object with product and channel");
		return NULL;
	}
	if (!json_field_text(given, "product", TRUE, 1024, &name, error) ||
		!json_field_text(given, "channel", TRUE, 1024, &channel, error) ||
		!check_channel(channel, error))
		return NULL;
	g_autoptr(Product) product = product_load(call->store, name, error);
	if (product == NULL)
		return NULL;
	g_autoptr(NodeDuty) duty = node_duty_new(product->id, product->name, channel);
	return take_follows(given, duty, error) ? g_steal_pointer(&duty) : NULL;
}

static gint by_product(gconstpointer a, gconstpointer b)
{
	return strcmp((*(NodeDuty *const *)a)->product, (*(NodeDuty *const *)b)->product);
}

/* The body's whole list, by product. */
static GPtrArray *read_duties(ApiCall *call, GError **error)
{
	const json_t *products = json_object_get(call->body, "products");
	g_autoptr(GPtrArray) duties =
		g_ptr_array_new_with_free_func((GDestroyNotify)node_duty_free);
	if (!json_is_array(products) || json_array_size(products) > NODE_LIST_MAXIMUM_PRODUCTS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"products: must be a list of at most %d objects with product and channel",
			NODE_LIST_MAXIMUM_PRODUCTS);
		return NULL;
	}
	gsize i;
	json_t *given;
	json_array_foreach (products, i, given) {
		NodeDuty *duty = read_duty(call, given, error);
		if (duty == NULL) {
			g_prefix_error(error, "products: ");
			return NULL;
		}
		g_ptr_array_add(duties, duty);
	}
	g_ptr_array_sort(duties, by_product);
	for (guint n = 1; n < duties->len; n++) {
		if (by_product(&duties->pdata[n - 1], &duties->pdata[n]) != 0)
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT, "products: %s is named twice",
			((const NodeDuty *)duties->pdata[n])->product);
		return NULL;
	}
	return g_steal_pointer(&duties);
}

/* Writing ---------------------------------------------------------------------------------------
 */

static gboolean set_target(NodeAsker *asker, const NodeRecord *node, NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) target = {0};
	if (!node_ask_target(asker, node, duty, &target, error))
		return FALSE;
	g_free(duty->target);
	duty->target = g_steal_pointer(&target.version);
	return TRUE;
}

static gboolean write_duties(ApiCall *call, NodeAsker *asker, const NodeRecord *node,
	const GPtrArray *duties, GError **error)
{
	for (guint i = 0; i < node->duties->len; i++) {
		const NodeDuty *known = node->duties->pdata[i];
		gboolean stays = FALSE;
		for (guint n = 0; n < duties->len; n++)
			stays |= ((const NodeDuty *)duties->pdata[n])->product_id ==
				 known->product_id;
		if (!stays && !node_duty_remove(call->store, node, known->product_id, error))
			return FALSE;
	}
	for (guint i = 0; i < duties->len; i++) {
		NodeDuty *given = duties->pdata[i];
		NodeDuty *known = node_record_duty(node, given->product);
		NodeDuty *duty = known != NULL ? known : given;
		if (known != NULL && known != given) {
			g_free(known->channel);
			known->channel = g_strdup(given->channel);
			known->follows = given->follows != NULL ? given->follows : known->follows;
		}
		if (duty->follows == NULL)
			duty->follows = NODE_FOLLOWS_ALONE;
		if (!set_target(asker, node, duty, error) ||
			!node_duty_save(call->store, node, duty, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_room(Store *store, GError **error)
{
	gint64 count;
	if (!store_query_integer(store, error, 0, &count, SQL_COUNT, STORE_NO_PARAMS))
		return FALSE;
	if (count < NODES_MAXIMUM)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"there are %d nodes already, and no more are kept: remove one first",
		NODES_MAXIMUM);
	return FALSE;
}

static gboolean insert(
	ApiCall *call, NodeAsker *asker, NodeRecord *node, const GPtrArray *duties, GError **error)
{
	if (!node_record_insert(call->store, node, error)) {
		if (error != NULL && drover_error_is(*error, DROVER_ERROR_CONFLICT)) {
			g_clear_error(error);
			drover_error_set(error, DROVER_ERROR_CONFLICT,
				"there is a node '%s' already; see: drover node show %s",
				node->name, node->name);
		}
		return FALSE;
	}
	return write_duties(call, asker, node, duties, error) &&
	       node_record_save(call->store, node, error);
}

/* Routes ----------------------------------------------------------------------------------------
 */

static json_t *add_node(ApiCall *call, GError **error)
{
	const char *name, *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_text(call->body, "name", TRUE, HOST_NAME_MAXIMUM_BYTES, &name, error) ||
		!host_check_name(name, error) ||
		!host_check_kind(call->store, name, "node", error) ||
		!check_room(call->store, error))
		return NULL;
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(GPtrArray) duties = asker != NULL ? read_duties(call, error) : NULL;
	if (duties == NULL)
		return NULL;
	g_autoptr(NodeRecord) node = g_new0(NodeRecord, 1);
	node->name = g_strdup(name);
	node->tags = json_object();
	node->duties = g_ptr_array_new();
	if (!take_notes(call->body, node, error) || !take_tags(call->body, node, error) ||
		!insert(call, asker, node, duties, error))
		return NULL;
	g_autoptr(NodeRecord) added = node_record_load(call->store, name, error);
	g_autoptr(json_t) after = added != NULL ? node_settings_json(added) : NULL;
	if (after == NULL || !record(call, "node.add", name, NULL, after, error))
		return NULL;
	return node_json(call, asker, added, error);
}

/* An edit names the data_version that it was made from. */
static NodeRecord *begin_edit(ApiCall *call, GError **error)
{
	gint64 version;
	const char *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_integer(call->body, "data_version", -1, 1, G_MAXINT64, &version, error))
		return NULL;
	g_autoptr(NodeRecord) node =
		node_record_load(call->store, api_parameter(call, "node"), error);
	if (node == NULL || version == node->data_version)
		return g_steal_pointer(&node);
	drover_error_set(error, version == -1 ? DROVER_ERROR_INPUT : DROVER_ERROR_CONFLICT,
		"node %s is at data_version %" G_GINT64_FORMAT
		"; name the version that you looked at, and look again when it has moved",
		node->name, node->data_version);
	return NULL;
}

/* Other tags may mean another release: each product is asked for again. */
static json_t *change_node(ApiCall *call, GError **error)
{
	g_autoptr(NodeRecord) node = begin_edit(call, error);
	g_autoptr(NodeAsker) asker =
		node != NULL ? node_asker_new(call->site->channels, call->store, error) : NULL;
	if (asker == NULL)
		return NULL;
	g_autoptr(json_t) before = node_settings_json(node);
	g_autoptr(GPtrArray) duties = json_object_get(call->body, "products") != NULL
					      ? read_duties(call, error)
					      : g_ptr_array_ref(node->duties);
	if (duties == NULL || !take_notes(call->body, node, error) ||
		!take_tags(call->body, node, error) ||
		!write_duties(call, asker, node, duties, error) ||
		!node_record_save(call->store, node, error))
		return NULL;
	g_autoptr(NodeRecord) changed = node_record_load(call->store, node->name, error);
	g_autoptr(json_t) after = changed != NULL ? node_settings_json(changed) : NULL;
	if (after == NULL || !record(call, "node.update", node->name, before, after, error))
		return NULL;
	return node_json(call, asker, changed, error);
}

static json_t *remove_node(ApiCall *call, GError **error)
{
	const char *reason;
	if ((call->body != NULL && !api_require_body(call, error)) ||
		!api_reason(call, &reason, error))
		return NULL;
	g_autoptr(NodeRecord) node =
		node_record_load(call->store, api_parameter(call, "node"), error);
	if (node == NULL)
		return NULL;
	g_autoptr(json_t) before = node_settings_json(node);
	if (!node_record_remove(call->store, node, error) ||
		!record(call, "node.remove", node->name, before, NULL, error))
		return NULL;
	g_autoptr(json_t) host = host_check_kind(call->store, node->name, "node", NULL)
					 ? host_revoke(call, node->name, error)
					 : json_null();
	return host != NULL ? json_object() : NULL;
}

const ApiRoute api_node_routes[] = {
	{"GET", "/nodes", ROLE_VIEWER, API_READ | API_ANYWHERE, node_list_all},
	{"POST", "/nodes", ROLE_ADMIN, API_WRITE, add_node},
	{"GET", "/nodes/{node}", ROLE_VIEWER, API_READ | API_ANYWHERE, node_show},
	{"PUT", "/nodes/{node}", ROLE_ADMIN, API_WRITE, change_node},
	{"DELETE", "/nodes/{node}", ROLE_ADMIN, API_WRITE, remove_node},
	{"POST", "/nodes/{node}/products/{product}/order", ROLE_OPERATOR, API_WRITE,
		node_give_order},
	{"GET", "/node/orders", ROLE_NONE, API_HOST | API_READ, node_show_orders},
	{"POST", "/node/report", ROLE_NONE, API_HOST | API_WRITE, node_take_report},
	{0},
};
