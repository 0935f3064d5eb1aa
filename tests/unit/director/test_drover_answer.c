/* SPDX-License-Identifier: ISC
 *
 * What droverd says: understood whole, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/director/drover_answer.h"

#define SERVER(more)                                                                               \
	"{\"pool\": \"web\", \"version\": 2, \"epoch\": 3, \"force\": true, \"servers\": [{" more  \
	"}]}"
#define WANTED "\"order\": \"serve\", \"order_id\": 0, \"forced\": false"

static DroverAnswer *parse(const char *text, GError **error)
{
	return drover_answer_parse("web", text, strlen(text), error);
}

static void test_list_and_orders_stand_side_by_side_by_name(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DroverAnswer) answer = parse(
		"{\"pool\": \"web\", \"version\": 17, \"epoch\": 3, \"force\": false, \"more\": 1, "
		"\"servers\": ["
		"{\"host\": \"b\", \"weight\": 5, \"enabled\": false, \"order\": \"drain\", "
		"\"order_id\": 41, \"forced\": true},"
		"{\"host\": \"c\", \"order\": \"reserve\", \"order_id\": 7, \"forced\": false},"
		"{\"host\": \"a\", \"weight\": 10, \"enabled\": true, " WANTED "}]}",
		&error);
	assert_non_null(answer);
	assert_int_equal(answer->version, 17);
	assert_int_equal(answer->epoch, 3);
	assert_false(answer->forced);
	assert_int_equal(answer->list->entries->len, 3);
	static const struct {
		const char *name;
		guint weight;
		gboolean enabled;
		PoolDrain drain;
		gint64 id;
		gboolean forced;
	} rows[] = {
		{"a", 10, TRUE, POOL_DRAIN_NONE, 0, FALSE},
		{"b", 5, FALSE, POOL_DRAIN_DRAINING, 41, TRUE},
		{"c", 0, FALSE, POOL_DRAIN_RESERVED, 7, FALSE},
	};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const PoolEntry *entry = &g_array_index(answer->list->entries, PoolEntry, i);
		const SourceOrder *order = &g_array_index(answer->orders, SourceOrder, i);
		assert_string_equal(entry->name, rows[i].name);
		assert_int_equal(entry->weight, rows[i].weight);
		assert_int_equal(entry->enabled, rows[i].enabled);
		assert_int_equal(order->drain, rows[i].drain);
		assert_int_equal(order->id, rows[i].id);
		assert_int_equal(order->forced, rows[i].forced);
	}
	assert_false(g_array_index(answer->list->entries, PoolEntry, 2).has_weight);
}

static void test_empty_pool_is_an_empty_list(void **state)
{
	g_autoptr(DroverAnswer) answer = parse("{\"pool\": \"web\", \"version\": 0, \"epoch\": 0, "
					       "\"force\": false, \"servers\": []}",
		NULL);
	assert_non_null(answer);
	assert_int_equal(answer->list->entries->len, 0);
	assert_int_equal(answer->list->bad, 0);
}

static void test_what_is_not_understood_makes_no_orders(void **state)
{
	static const char *const rows[][2] = {
		{"", "droverd's answer:1:1: '[' or '{' expected near end of file"},
		{"[]", "droverd's answer:1:1: must be an object {…}, not a list"},
		{"{}", "droverd's answer: pool must be web, not nothing"},
		{"{\"pool\": \"web\"}",
			"droverd's answer: version must be a whole number from 0 on, not "
			"nothing"},
		{"{\"pool\": \"web\", \"version\": -1}",
			"droverd's answer: version must be a whole number from 0 on, not -1"},
		{"{\"pool\": \"web\", \"version\": 1, \"epoch\": 1.5}",
			"droverd's answer: epoch must be a whole number from 0 on, not 1.5"},
		{"{\"pool\": \"web\", \"version\": 1, \"epoch\": 1, \"force\": 1}",
			"droverd's answer: force must be true or false, not 1"},
		{"{\"pool\": \"web\", \"version\": 1, \"epoch\": 1, \"force\": true}",
			"droverd's answer: servers must be a list, not nothing"},
		{SERVER(""), "droverd's answer: server 1: host must be the name "
			     "or address of a host, not nothing"},
	};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(parse(rows[i][0], &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_string_equal(error->message, rows[i][1]);
	}
}

static void test_one_bad_server_makes_no_orders(void **state)
{
	static const char *const bad[] = {
		SERVER("\"host\": \"a b\", " WANTED),
		SERVER("\"host\": 7, " WANTED),
		SERVER("\"host\": \"a\", \"weight\": 65536, " WANTED),
		SERVER("\"host\": \"a\", \"enabled\": 1, " WANTED),
		SERVER("\"host\": \"a\", \"order\": \"stop\", \"order_id\": 0, \"forced\": false"),
		SERVER("\"host\": \"a\", \"order_id\": 0, \"forced\": false"),
		SERVER("\"host\": \"a\", \"order\": \"drain\", \"order_id\": -1, \"forced\": "
		       "false"),
		SERVER("\"host\": \"a\", \"order\": \"drain\", \"order_id\": 0"),
		SERVER("\"host\": \"a\", " WANTED "}, {\"host\": \"a\", " WANTED),
	};
	g_autoptr(DroverAnswer) good = parse(SERVER("\"host\": \"a\", " WANTED), NULL);
	assert_non_null(good);
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(parse(bad[i], &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_true(g_str_has_prefix(error->message, "droverd's answer: "));
	}
}

static void test_more_servers_than_a_pool_may_have_are_refused(void **state)
{
	g_autoptr(GString) text =
		g_string_new("{\"pool\": \"web\", \"version\": 1, \"epoch\": 1, \"force\": false, "
			     "\"servers\": [");
	for (guint i = 0; i < POOL_MAXIMUM_SERVERS; i++)
		g_string_append(text, "1,");
	g_string_append(text, "1]}");
	g_autoptr(GError) error = NULL;
	assert_null(parse(text->str, &error));
	assert_string_equal(error->message, "droverd's answer: more than 100000 servers");
}

static void test_clock_warning_is_one_line(void **state)
{
	g_autofree char *warning = NULL;
	g_autofree char *none = NULL;
	static const char off[] = "{\"clock_warning\": \"5 s\\nahead\\u001b\"}";
	static const char right[] = "{\"clock_warning\": null}";
	static const char wrong[] = "{\"clock_warning\": 5}";
	assert_true(drover_answer_clock(off, strlen(off), &warning, NULL));
	assert_string_equal(warning, "5 s ahead ");
	assert_true(drover_answer_clock(right, strlen(right), &none, NULL));
	assert_null(none);
	assert_false(drover_answer_clock(wrong, strlen(wrong), &none, NULL));
	assert_false(drover_answer_clock("{", 1, &none, NULL));
}

static void test_errors_words_are_shown_or_nothing(void **state)
{
	static const char *const rows[][2] = {
		{"{\"error\": {\"kind\": \"input\", \"message\": \"no\\tgood\"}}", "no good"},
		{"{\"error\": \"no\"}", ""},
		{"{\"error\": {\"message\": 1}}", ""},
		{"<html>", ""},
		{"", ""},
	};
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *words = drover_answer_words(rows[i][0], strlen(rows[i][0]));
		assert_string_equal(words, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_and_orders_stand_side_by_side_by_name),
		cmocka_unit_test(test_empty_pool_is_an_empty_list),
		cmocka_unit_test(test_what_is_not_understood_makes_no_orders),
		cmocka_unit_test(test_one_bad_server_makes_no_orders),
		cmocka_unit_test(test_more_servers_than_a_pool_may_have_are_refused),
		cmocka_unit_test(test_clock_warning_is_one_line),
		cmocka_unit_test(test_errors_words_are_shown_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
