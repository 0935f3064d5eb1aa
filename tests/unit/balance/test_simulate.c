/* SPDX-License-Identifier: ISC
 *
 * simulate: what it refuses, and what it says of drains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "balance/simulate.h"
#include "base/error.h"

#define GIVEN "{\"given\":{\"monitors\":[\"A\"],\"servers\":{\"a\":{},\"b\":{}}},\"events\":["

static void test_bad_input_is_refused_with_its_place(void **state)
{
	static const char *const pairs[][2] = {
		{"", "f:1:"},
		{"[]", "f:1:1: must be an object"},
		{"{}", "f: given: it must be an object"},
		{"{\"given\":{}}", "f: given: servers must be an object of names, not nothing"},
		{"{\"given\":{\"servers\":{\"a\":7}}}",
			"f: given: servers: \"a\": must be an object"},
		{"{\"given\":{\"servers\":{\"a b\":{}}}}",
			"f: given: servers: \"a b\": is no name of a host"},
		{"{\"given\":{\"depool_threshold\":2,\"servers\":{}}}",
			"f: given: depool_threshold must be a number from 0 to 1"},
		{"{\"given\":{\"depool_threshold\":[],\"servers\":{}}}",
			"f: given: depool_threshold must be"},
		{"{\"given\":{\"rise\":0,\"servers\":{}}}",
			"f: given: rise must be a whole number"},
		{"{\"given\":{\"fall\":\"1\",\"servers\":{}}}", "f: given: fall must be"},
		{"{\"given\":{\"start\":\"x\",\"servers\":{}}}", "f: given: start must be"},
		{"{\"given\":{\"monitors\":[\"A\",\"A\"],\"servers\":{}}}",
			"f: given: monitors must be a list of names, each once"},
		{"{\"given\":{\"servers\":{}},\"events\":{}}", "f: events must be a list"},
		{GIVEN "{}]}", "f: events[0]: op must be"},
		{GIVEN "7]}", "f: events[0]: op must be"},
		{GIVEN "{\"op\":\"drain\"}]}", "f: events[0]: server must be the name of a server"},
		{GIVEN "{\"op\":\"undrain\",\"server\":\"x\"}]}", "f: events[0]: server must be"},
		{GIVEN "{\"op\":\"result\",\"server\":\"a\",\"monitor\":\"B\",\"up\":true}]}",
			"f: events[0]: monitor must be one of given.monitors, not \"B\""},
		{GIVEN "{\"op\":\"result\",\"server\":\"a\",\"monitor\":\"A\"}]}",
			"f: events[0]: up must be true or false, not nothing"},
		{GIVEN "{\"op\":\"result\",\"server\":\"a\",\"monitor\":\"A\",\"state\":\"x\"}]}",
			"f: events[0]: state must be"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(GError) error = NULL;
		json_t *answer =
			simulate_answer("f", pairs[i][0], strlen(pairs[i][0]), NULL, &error);
		if (answer != NULL || !g_str_has_prefix(error->message, pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], error ? error->message : "was read");
	}
}

static json_t *play(const char *text, GPtrArray *warnings)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = simulate_answer("f", text, strlen(text), warnings, &error);
	g_assert_no_error(error);
	return answer;
}

static void assert_part(json_t *answer, gsize at, const char *key, const char *expected)
{
	json_t *value = json_object_get(json_array_get(answer, at), key);
	char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_string_equal(shown, expected);
	free(shown);
}

static void test_drains_are_told_from_the_first_one_on(void **state)
{
	json_t *answer =
		play(GIVEN "{\"op\":\"result\",\"server\":\"a\",\"monitor\":\"A\",\"up\":true},"
			   "{\"op\":\"drain\",\"server\":\"a\"},"
			   "{\"op\":\"drain\",\"server\":\"b\"},"
			   "{\"op\":\"result\",\"server\":\"b\",\"monitor\":\"A\",\"up\":false}]}",
			NULL);
	assert_null(json_object_get(json_array_get(answer, 1), "revoked"));
	assert_part(answer, 2, "refused", "{}");
	assert_part(answer, 2, "draining", "[\"a\"]");
	assert_part(answer, 3, "refused",
		"{\"b\":\"drain of b refused: 1 of 2 servers are up and not draining, threshold "
		"0.5 "
		"needs 1 left; 0 would remain\"}");
	assert_part(answer, 3, "revoked", "[]");
	assert_part(answer, 4, "refused", "{}");
	assert_part(answer, 4, "revoked", "[\"a\"]");
	assert_part(answer, 4, "pooled", "[\"a\"]");
	json_decref(answer);
}

static void test_a_name_that_resolves_later_comes_in(void **state)
{
	json_t *answer = play("{\"given\":{\"monitors\":[\"A\"],\"servers\":{\"a\":{},\"b\":{}},"
			      "\"unresolvable\":[\"b\"]},\"events\":[{\"op\":\"config\","
			      "\"servers\":{\"a\":{},\"b\":{}},\"now_resolvable\":[\"b\"]}]}",
		NULL);
	assert_part(answer, 0, "pooled", "[\"a\"]");
	assert_part(answer, 0, "up", "[\"a\"]");
	assert_part(answer, 1, "pooled", "[\"a\",\"b\"]");
	json_decref(answer);
}

static void test_a_result_of_a_server_that_left_is_nothing(void **state)
{
	json_t *answer =
		play(GIVEN "{\"op\":\"config\",\"servers\":{\"a\":{}}},"
			   "{\"op\":\"result\",\"server\":\"b\",\"monitor\":\"A\","
			   "\"state\":\"maintenance\"},{\"op\":\"config\",\"servers\":{}}]}",
			NULL);
	assert_part(answer, 2, "pooled", "[\"a\"]");
	assert_part(answer, 3, "weights", "{}");
	assert_part(answer, 3, "can_depool", "true");
	json_decref(answer);
}

static void test_unknown_keys_are_told(void **state)
{
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	json_t *answer = play("{\"given\":{\"treshold\":1,\"servers\":{}},\"events\":"
			      "[{\"op\":\"config\",\"servers\":{},\"x\":1}]}",
		warnings);
	assert_int_equal(warnings->len, 2);
	assert_string_equal(warnings->pdata[0], "given: unknown key \"treshold\" is ignored");
	assert_string_equal(warnings->pdata[1], "events[0]: unknown key \"x\" is ignored");
	json_decref(answer);
}

static void test_limits_hold(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(SIMULATE_MAXIMUM_BYTES + 1, ' ');
	assert_null(simulate_answer("f", large, strlen(large), NULL, &error));
	assert_int_equal(error->code, DROVER_ERROR_TOO_LARGE);
	g_clear_error(&error);

	g_autoptr(GString) many = g_string_new("{\"given\":{\"servers\":{\"h\":{}");
	for (guint i = 0; i < 9999; i++)
		g_string_append_printf(many, ",\"h%u\":{}", i);
	g_string_append(many, "}},\"events\":[{\"op\":\"undrain\",\"server\":\"h\"}");
	for (guint i = 1; i < SIMULATE_MAXIMUM_CELLS / 10000; i++)
		g_string_append(many, ",{\"op\":\"undrain\",\"server\":\"h\"}");
	g_string_append(many, "]}");
	assert_null(simulate_answer("f", many->str, many->len, NULL, &error));
	assert_int_equal(error->code, DROVER_ERROR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_input_is_refused_with_its_place),
		cmocka_unit_test(test_drains_are_told_from_the_first_one_on),
		cmocka_unit_test(test_a_name_that_resolves_later_comes_in),
		cmocka_unit_test(test_a_result_of_a_server_that_left_is_nothing),
		cmocka_unit_test(test_unknown_keys_are_told),
		cmocka_unit_test(test_limits_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
