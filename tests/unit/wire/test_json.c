/* SPDX-License-Identifier: ISC
 *
 * Reading and writing JSON: what is refused, and in which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "wire/json.h"

static void assert_refused(const char *text, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = json_read("in.json", text, strlen(text), &error);
	assert_null(value);
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (!strstr(error->message, words))
		fail_msg("\"%s\" does not hold \"%s\"", error->message, words);
}

static void test_text_is_read_and_written_in_order(void **state)
{
	static const char text[] = "{\"b\":[1,true,null],\"a\":\"\xc3\xa9\"}";
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = json_read("in.json", text, strlen(text), &error);
	assert_null(error);
	g_autofree char *compact = json_write(value);
	assert_string_equal(compact, text);
	g_autofree char *pretty = json_write_pretty(value);
	assert_string_equal(pretty,
		"{\n  \"b\": [\n    1,\n    true,\n    null\n  ],\n  \"a\": \"\xc3\xa9\"\n}\n");
}

static void test_errors_name_the_place(void **state)
{
	assert_refused("{\n  \"a\": ]\n}", "in.json:2:");
	assert_refused("", "in.json:1:1: ");
	assert_refused("{\"a\":1,\"a\":2}", "duplicate object key");
	assert_refused("\"\\u0000\"", "\\u0000 is not allowed");
	assert_refused("[1] 2", "in.json:1:");
	assert_refused("\"\xff\"", "in.json:1:");
}

static char *nested(guint depth)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, '[');
	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, ']');
	return g_string_free(text, FALSE);
}

static void test_depth_is_limited(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *deepest = nested(JSON_MAXIMUM_DEPTH);
	g_autoptr(json_t) value = json_read("in.json", deepest, strlen(deepest), &error);
	assert_non_null(value);
	g_autofree char *deeper = nested(JSON_MAXIMUM_DEPTH + 1);
	assert_refused(deeper, "in.json:1:65: more than 64 levels of nesting");
	g_autofree char *abyss = nested(1000000);
	assert_refused(abyss, "more than 64 levels of nesting");
}

static void test_brackets_in_strings_have_no_depth(void **state)
{
	g_autofree char *brackets = g_strnfill(200, '[');
	g_autofree char *text = g_strdup_printf("[\"\\\"%s\\\\\", 1]", brackets);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = json_read("in.json", text, strlen(text), &error);
	assert_null(error);
	assert_int_equal(json_array_size(value), 2);
}

static json_t *sample(void)
{
	static const char text[] =
		"{\"name\":\"web\",\"port\":7,\"up\":false,\"none\":null,\"half\":0.5}";
	return json_read("sample", text, strlen(text), NULL);
}

static void assert_message(GError *error, const char *message)
{
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_string_equal(error->message, message);
	g_error_free(error);
}

static void test_fields_are_read(void **state)
{
	g_autoptr(json_t) object = sample();
	const char *text = NULL;
	gint64 number = 0;
	gboolean truth = TRUE;
	assert_true(json_field_text(object, "name", TRUE, 3, &text, NULL));
	assert_string_equal(text, "web");
	assert_true(json_field_text(object, "none", FALSE, 3, &text, NULL));
	assert_null(text);
	assert_true(json_field_integer(object, "port", 1, 7, 7, &number, NULL));
	assert_int_equal(number, 7);
	assert_true(json_field_integer(object, "absent", -5, 0, 9, &number, NULL));
	assert_int_equal(number, -5);
	assert_true(json_field_boolean(object, "up", TRUE, &truth, NULL));
	assert_false(truth);
	assert_true(json_field_boolean(object, "none", TRUE, &truth, NULL));
	assert_true(truth);
}

static void test_field_errors_say_what_is_allowed(void **state)
{
	g_autoptr(json_t) object = sample();
	const char *text = NULL;
	gint64 number = 0;
	gboolean truth = FALSE;
	GError *error = NULL;
	assert_false(json_field_text(object, "port", TRUE, 9, &text, &error));
	assert_message(g_steal_pointer(&error), "port: must be a string, not 7");
	assert_false(json_field_text(object, "none", TRUE, 9, &text, &error));
	assert_message(g_steal_pointer(&error), "none: is missing, must be a string");
	assert_false(json_field_text(object, "name", TRUE, 2, &text, &error));
	assert_message(g_steal_pointer(&error), "name: is 3 bytes long, at most 2 are allowed");
	assert_false(json_field_integer(object, "half", 0, 0, 9, &number, &error));
	assert_message(g_steal_pointer(&error), "half: must be a whole number, not 0.5");
	assert_false(json_field_integer(object, "port", 0, 0, 6, &number, &error));
	assert_message(g_steal_pointer(&error), "port: must be from 0 to 6, not 7");
	assert_false(json_field_boolean(object, "name", FALSE, &truth, &error));
	assert_message(g_steal_pointer(&error), "name: must be true or false, not a string");
}

static void test_own_values_are_written_safely(void **state)
{
	g_autoptr(json_t) array = json_array();
	json_array_append_new(array, json_text_or_null(NULL));
	json_array_append_new(array, json_text_or_null("a\xff"
						       "b"));
	json_array_append_new(array, json_time_or_null(0));
	json_array_append_new(array, json_time_or_null(G_GINT64_CONSTANT(1795232839000000)));
	g_autofree char *text = json_write(array);
	assert_string_equal(text, "[null,\"a\xef\xbf\xbd"
				  "b\",null,\"2026-11-21T03:47:19Z\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_read_and_written_in_order),
		cmocka_unit_test(test_errors_name_the_place),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_brackets_in_strings_have_no_depth),
		cmocka_unit_test(test_fields_are_read),
		cmocka_unit_test(test_field_errors_say_what_is_allowed),
		cmocka_unit_test(test_own_values_are_written_safely),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
