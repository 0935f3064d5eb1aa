/* SPDX-License-Identifier: ISC
 *
 * Orders as JSON, read with suspicion. Keys that are unknown are left out: a newer droverd may have
 * more to say.
 */
#include "node/orders.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "release/manifest.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static gboolean refuse(GError **error, const char *key, const char *allowed)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s should be %s", key, allowed);
	return FALSE;
}

static gboolean read_number(
	const json_t *object, const char *key, gboolean required, gint64 *number, GError **error)
{
	const json_t *value = json_object_get(object, key);
	if (!required && (value == NULL || json_is_null(value)))
		return TRUE;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > MANIFEST_MAXIMUM_NUMBER)
		return refuse(error, key, "a whole number from 0 on");
	*number = json_integer_value(value);
	return TRUE;
}

/* What names folders and releases. */
static gboolean read_name(
	const json_t *object, const char *key, gboolean required, char **name, GError **error)
{
	const json_t *value = json_object_get(object, key);
	if (!required && (value == NULL || json_is_null(value)))
		return TRUE;
	if (!json_is_string(value))
		return refuse(error, key, "a name");
	if (!manifest_check_name(key, json_string_value(value), error))
		return FALSE;
	*name = g_strdup(json_string_value(value));
	return TRUE;
}

static gboolean read_digest(const json_t *object, char **digest, GError **error)
{
	const json_t *value = json_object_get(object, "manifest_sha256");
	if (value == NULL || json_is_null(value))
		return TRUE;
	const char *text = json_string_value(value);
	if (text == NULL || strlen(text) != SHA256_HEX - 1 ||
		strspn(text, "0123456789abcdef") != SHA256_HEX - 1)
		return refuse(error, "manifest_sha256", "64 small hexadecimal digits");
	*digest = g_strdup(text);
	return TRUE;
}

static gboolean read_why(const json_t *object, char **why, GError **error)
{
	const json_t *value = json_object_get(object, "why");
	if (value == NULL || json_is_null(value))
		return TRUE;
	if (!json_is_string(value) || json_string_length(value) > ORDERS_MAXIMUM_WHY_BYTES)
		return refuse(error, "why", "a sentence");
	*why = g_strdup(json_string_value(value));
	return TRUE;
}

static gboolean read_named(const json_t *object, GPtrArray *named, GError **error)
{
	const json_t *list = json_object_get(object, "keep_named");
	gsize index;
	json_t *value;
	if (list == NULL || json_is_null(list))
		return TRUE;
	if (!json_is_array(list) || json_array_size(list) > ORDERS_MAXIMUM_NAMED)
		return refuse(error, "keep_named", "a list of at most 1,000 versions");
	json_array_foreach (list, index, value) {
		if (!json_is_string(value))
			return refuse(error, "keep_named", "a list of versions");
		if (!manifest_check_name("keep_named", json_string_value(value), error))
			return FALSE;
		g_ptr_array_add(named, g_strdup(json_string_value(value)));
	}
	return TRUE;
}

static void order_free(gpointer of)
{
	Order *order = of;
	g_free(order->product);
	g_free(order->channel);
	g_free(order->version);
	g_free(order->manifest_sha256);
	g_free(order->why);
	g_ptr_array_unref(order->named);
	g_free(order);
}

static gboolean read_order(const json_t *object, Order *order, GError **error)
{
	const json_t *is_ordered = json_object_get(object, "is_ordered");
	if (is_ordered != NULL && !json_is_boolean(is_ordered))
		return refuse(error, "is_ordered", "true or false");
	order->is_ordered = json_is_true(is_ordered);
	return read_name(object, "product", TRUE, &order->product, error) &&
	       read_name(object, "channel", FALSE, &order->channel, error) &&
	       read_name(object, "version", FALSE, &order->version, error) &&
	       read_number(object, "sequence", FALSE, &order->sequence, error) &&
	       read_digest(object, &order->manifest_sha256, error) &&
	       read_number(object, "order_id", FALSE, &order->order_id, error) &&
	       read_why(object, &order->why, error) && read_named(object, order->named, error);
}

static gboolean read_orders(const json_t *root, Orders *orders, GError **error)
{
	const json_t *list = json_object_get(root, "products");
	gsize index;
	json_t *object;
	if (!read_number(root, "version", TRUE, &orders->version, error) ||
		!read_number(root, "epoch", TRUE, &orders->epoch, error))
		return FALSE;
	if (!json_is_array(list) || json_array_size(list) > ORDERS_MAXIMUM_PRODUCTS)
		return refuse(error, "products", "a list of at most 200 products");
	json_array_foreach (list, index, object) {
		Order *order = g_new0(Order, 1);
		order->named = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(orders->products, order);
		if (!read_order(object, order, error)) {
			g_prefix_error(error, "product %zu: ", (size_t)index + 1);
			return FALSE;
		}
		if (orders_find(orders, order->product) != order) {
			drover_error_set(error, DROVER_ERROR_INPUT, "product %s stands there twice",
				order->product);
			return FALSE;
		}
	}
	return TRUE;
}

Orders *orders_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	json_error_t where;
	if (size_bytes > ORDERS_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s: %" G_GSIZE_FORMAT " bytes are no orders", name, size_bytes);
		return NULL;
	}
	g_autoptr(json_t) root = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &where);
	if (root == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s:%d:%d: %s", name, where.line,
			where.column, where.text);
		return NULL;
	}
	g_autoptr(Orders) orders = g_new0(Orders, 1);
	orders->products = g_ptr_array_new_with_free_func(order_free);
	if (read_orders(root, orders, error))
		return g_steal_pointer(&orders);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}

void orders_free(Orders *orders)
{
	if (orders == NULL)
		return;
	g_ptr_array_unref(orders->products);
	g_free(orders);
}

const Order *orders_find(const Orders *orders, const char *product)
{
	for (guint i = 0; orders != NULL && i < orders->products->len; i++) {
		const Order *order = orders->products->pdata[i];
		if (g_strcmp0(order->product, product) == 0)
			return order;
	}
	return NULL;
}

static json_t *order_json(const Order *order)
{
	json_t *named = json_array();
	for (guint i = 0; i < order->named->len; i++)
		json_array_append_new(named, json_string(order->named->pdata[i]));
	return json_pack("{s:s, s:s?, s:s?, s:I, s:s?, s:b, s:I, s:s?, s:o}", "product",
		order->product, "channel", order->channel, "version", order->version, "sequence",
		(json_int_t)order->sequence, "manifest_sha256", order->manifest_sha256,
		"is_ordered", order->is_ordered, "order_id", (json_int_t)order->order_id, "why",
		order->why, "keep_named", named);
}

char *orders_text(const Orders *orders)
{
	json_t *list = json_array();
	for (guint i = 0; i < orders->products->len; i++)
		json_array_append_new(list, order_json(orders->products->pdata[i]));
	g_autoptr(json_t) root = json_pack("{s:I, s:I, s:o}", "version",
		(json_int_t)orders->version, "epoch", (json_int_t)orders->epoch, "products", list);
	char *text = json_dumps(root, JSON_INDENT(2));
	char *copy = g_strconcat(text, "\n", NULL);
	free(text);
	return copy;
}
