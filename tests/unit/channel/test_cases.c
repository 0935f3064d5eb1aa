/* SPDX-License-Identifier: ISC
 *
 * The examples of tests/cases/rules.json, each a test of its own name: rules and queries through
 * answer_file(), comparisons of versions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "channel/change/answer_file.h"
#include "channel/rule/version.h"

static guint never_drawn(void)
{
	return 99;
}

static void assert_answers(
	const char *name, const char *cut, const json_t *answers, const json_t *expected)
{
	assert_int_equal(json_array_size(answers), json_array_size(expected));
	for (gsize i = 0; i < json_array_size(expected); i++) {
		const char *key;
		json_t *value;
		json_object_foreach (json_array_get(expected, i), key, value) {
			const json_t *answer = json_array_get(answers, i);
			if (!json_equal(json_object_get(answer, key), value)) {
				char *shown = json_dumps(answer, 0);
				fail_msg("%s at %s, query %zu: %s differs: %s", name, cut, i, key,
					shown);
			}
		}
	}
}

static void test_example(void **state)
{
	json_t *example = *state, *file = json_deep_copy(example);
	const char *name = json_string_value(json_object_get(example, "id"));
	g_autoptr(GError) error = NULL;
	json_object_update(file, json_object_get(example, "snapshot"));
	json_t *answer = answer_file(file, never_drawn, &error);
	g_assert_no_error(error);
	assert_int_equal(json_array_size(json_object_get(answer, "errors")), 0);
	json_t *answers = json_object_get(answer, "answers");
	json_t *at_cut = json_object_get(example, "expect_at_cut"), *expected;
	const char *cut;
	if (json_object_get(example, "expect") != NULL)
		assert_answers(name, "0", json_object_get(answers, "0"),
			json_object_get(example, "expect"));
	json_object_foreach (at_cut, cut, expected)
		assert_answers(name, cut, json_object_get(answers, cut), expected);
	json_decref(answer);
	json_decref(file);
}

static void test_versions(void **state)
{
	const json_t *examples = *state;
	for (gsize i = 0; i < json_array_size(examples); i++) {
		const char *a, *b, *operator_name, *scheme_name;
		int expected;
		json_t *example = json_array_get(examples, i);
		assert_int_equal(json_unpack(example, "{s:s, s:s, s:s, s:s, s:b}", "a", &a, "op",
					 &operator_name, "b", &b, "scheme", &scheme_name, "result",
					 &expected),
			0);
		VersionScheme scheme;
		VersionOperator operator;
		Version version;
		VersionTest test;
		assert_true(version_scheme_parse(scheme_name, &scheme, NULL));
		assert_true(version_operator_parse(operator_name, &operator));
		assert_true(version_parse(scheme, a, &version, NULL));
		assert_true(version_test_make(scheme, operator, b, &test, NULL));
		if (version_test_holds(&test, &version) != expected)
			fail_msg("%s: %s %s %s", scheme_name, a, operator_name, b);
	}
}

int main(int argc, char **argv)
{
	g_assert(argc == 2);
	json_error_t at;
	json_t *file = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &at);
	if (file == NULL)
		g_error("%s:%d: %s", argv[1], at.line, at.text);
	json_t *examples = json_object_get(file, "cases");
	gsize count = json_array_size(examples);
	struct CMUnitTest *tests = g_new0(struct CMUnitTest, count + 1);
	for (gsize i = 0; i < count; i++) {
		json_t *example = json_array_get(examples, i);
		tests[i] = (struct CMUnitTest){
			.name = json_string_value(json_object_get(example, "id")),
			.test_func = test_example,
			.initial_state = example};
	}
	tests[count] = (struct CMUnitTest){.name = "versions",
		.test_func = test_versions,
		.initial_state = json_object_get(file, "versions")};
	int failed = _cmocka_run_group_tests("cases", tests, count + 1, NULL, NULL);
	json_decref(file);
	g_free(tests);
	return failed;
}
