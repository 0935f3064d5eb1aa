/* SPDX-License-Identifier: ISC
 *
 * The examples of tests/cases/deployable.json, each a test of its own name, through the door that
 * `drover landing deployable --from` uses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "landing/whatif.h"

static void test_case_has_its_answer(void **state)
{
	const json_t *example = *state;
	const char *name = json_string_value(json_object_get(example, "id"));
	g_autoptr(GError) error = NULL;
	char *text = json_dumps(example, 0);
	json_t *answer = whatif_answer(name, text, strlen(text), &error);
	free(text);
	g_assert_no_error(error);

	static const char *const keys[] = {"deployable", "blockers", "deployable_all"};
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *expect = g_strdup_printf("expect_%s", keys[i]);
		const json_t *expected = json_object_get(example, expect);
		if (expected == NULL) {
			assert_string_equal(keys[i], "deployable_all");
			continue;
		}
		json_t *found = json_object_get(answer, keys[i]);
		if (!json_equal(found, expected)) {
			char *shown = json_dumps(answer, 0);
			fail_msg("%s: %s differs: %s", name, keys[i], shown);
		}
	}
	json_decref(answer);
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
	g_assert(count >= 36);

	struct CMUnitTest *tests = g_new0(struct CMUnitTest, count);
	for (gsize i = 0; i < count; i++) {
		json_t *example = json_array_get(examples, i);
		tests[i].name = json_string_value(json_object_get(example, "id"));
		tests[i].test_func = test_case_has_its_answer;
		tests[i].initial_state = example;
	}
	int failed = _cmocka_run_group_tests("cases/deployable.json", tests, count, NULL, NULL);
	g_free(tests);
	json_decref(file);
	return failed;
}
