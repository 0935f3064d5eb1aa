/* SPDX-License-Identifier: ISC
 *
 * What droverd says, believed only as far as it is understood.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "node/orders.h"

static const char SHA[] = "0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b0a4b";

static Orders *parse(const char *text, GError **error)
{
	return orders_parse("droverd", text, strlen(text), error);
}

static void assert_refused(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	assert_null(parse(text, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (strstr(error->message, expected) == NULL)
		fail_msg("%s: '%s' lacks '%s'", text, error->message, expected);
}

static char *full(void)
{
	return g_strdup_printf(
		"{\"node\": \"web1\", \"version\": 12, \"epoch\": 3, \"now\": "
		"\"2026-11-21T03:47:19Z\", \"products\": [{\"product\": \"web\", \"channel\": "
		"\"beta\", \"version\": \"1.4.2\", \"sequence\": 42, \"manifest_sha256\": \"%s\", "
		"\"is_ordered\": true, \"order_id\": 7, \"why\": \"ada ordered it\", "
		"\"keep_named\": [\"1.4.0\"], \"later\": {}}, {\"product\": \"api\", \"channel\": "
		"\"beta\", \"version\": null, \"sequence\": null, \"manifest_sha256\": null, "
		"\"is_ordered\": false, \"order_id\": 0, \"why\": \"no rule\", \"keep_named\": "
		"[]}]}",
		SHA);
}

static void assert_full(const Orders *orders)
{
	assert_int_equal(orders->version, 12);
	assert_int_equal(orders->epoch, 3);
	assert_int_equal(orders->products->len, 2);
	const Order *web = orders_find(orders, "web"), *api = orders_find(orders, "api");
	assert_string_equal(web->channel, "beta");
	assert_string_equal(web->version, "1.4.2");
	assert_int_equal(web->sequence, 42);
	assert_string_equal(web->manifest_sha256, SHA);
	assert_true(web->is_ordered);
	assert_int_equal(web->order_id, 7);
	assert_string_equal(web->why, "ada ordered it");
	assert_int_equal(web->named->len, 1);
	assert_string_equal(web->named->pdata[0], "1.4.0");
	assert_null(api->version);
	assert_null(api->manifest_sha256);
	assert_false(api->is_ordered);
	assert_null(orders_find(orders, "shop"));
	assert_null(orders_find(NULL, "web"));
}

static void test_orders_are_read_and_unknown_keys_left_out(void **state)
{
	g_autofree char *text = full();
	g_autoptr(Orders) orders = parse(text, NULL);
	assert_full(orders);
}

static void test_what_is_kept_says_the_same(void **state)
{
	g_autofree char *text = full();
	g_autoptr(Orders) orders = parse(text, NULL);
	g_autofree char *kept = orders_text(orders);
	g_autoptr(Orders) again = parse(kept, NULL);
	assert_full(again);
}

static void test_what_is_not_understood_is_no_order_at_all(void **state)
{
	assert_refused("{", "droverd:1:");
	assert_refused("[]", "version should be a whole number");
	assert_refused("{\"version\": 1}", "epoch should be");
	assert_refused("{\"version\": -1, \"epoch\": 1}", "version should be");
	assert_refused("{\"version\": 1, \"epoch\": 1, \"products\": {}}", "products should be");
	assert_refused("{\"version\": 1, \"version\": 2}", "duplicate");
}

static void assert_product_refused(const char *product, const char *expected)
{
	g_autofree char *text =
		g_strdup_printf("{\"version\": 1, \"epoch\": 1, \"products\": [%s]}", product);
	assert_refused(text, expected);
}

static void test_a_product_that_is_not_understood_spoils_them_all(void **state)
{
	assert_product_refused("7", "product should be a name");
	assert_product_refused("{\"product\": \"../etc\"}", "product");
	assert_product_refused("{\"product\": \"web\", \"version\": \"../../x\"}", "version");
	assert_product_refused("{\"product\": \"web\", \"version\": 7}", "version should be");
	assert_product_refused("{\"product\": \"web\", \"is_ordered\": 1}", "is_ordered should be");
	assert_product_refused("{\"product\": \"web\", \"order_id\": \"x\"}", "order_id should be");
	assert_product_refused(
		"{\"product\": \"web\", \"manifest_sha256\": \"0A\"}", "manifest_sha256 should be");
	assert_product_refused("{\"product\": \"web\", \"keep_named\": [\"/\"]}", "keep_named");
	assert_product_refused("{\"product\": \"web\", \"why\": 1}", "why should be");
	assert_product_refused("{\"product\": \"web\"}, {\"product\": \"web\"}", "twice");
}

/* `count` times `part`, between commas. */
static char *many(const char *part, guint count)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? "," : "", part);
	return g_string_free(text, FALSE);
}

static void test_there_is_an_end_to_everything(void **state)
{
	g_autofree char *products = many("{}", ORDERS_MAXIMUM_PRODUCTS + 1);
	assert_product_refused(products, "at most 200 products");
	g_autofree char *names = many("\"1\"", ORDERS_MAXIMUM_NAMED + 1);
	g_autofree char *named =
		g_strdup_printf("{\"product\": \"web\", \"keep_named\": [%s]}", names);
	assert_product_refused(named, "at most 1,000 versions");
	g_autofree char *words = g_strnfill(ORDERS_MAXIMUM_WHY_BYTES + 1, 'w');
	g_autofree char *why = g_strdup_printf("{\"product\": \"web\", \"why\": \"%s\"}", words);
	assert_product_refused(why, "why should be");
	g_autofree char *blanks = g_strnfill(ORDERS_MAXIMUM_BYTES + 1, ' ');
	g_autoptr(GError) error = NULL;
	assert_null(parse(blanks, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_are_read_and_unknown_keys_left_out),
		cmocka_unit_test(test_what_is_kept_says_the_same),
		cmocka_unit_test(test_what_is_not_understood_is_no_order_at_all),
		cmocka_unit_test(test_a_product_that_is_not_understood_spoils_them_all),
		cmocka_unit_test(test_there_is_an_end_to_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
