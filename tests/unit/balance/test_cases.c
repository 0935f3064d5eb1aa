/* SPDX-License-Identifier: ISC
 *
 * The examples of tests/cases/pool.json that need no daemon, each a test of its own name: kind
 * coordinator through simulate, kind server-list through the reader of lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "balance/server_list.h"
#include "balance/simulate.h"

static void assert_state(const char *name, const char *when, json_t *state, const json_t *expected)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)expected, key, value) {
		/* The kernel's orders stand in test_pool.c. */
		if (strcmp(key, "cmds") == 0)
			continue;
		json_t *found = json_object_get(state, key);
		if (!json_equal(found, value)) {
			char *shown = json_dumps(state, 0);
			fail_msg("%s, %s: %s differs: %s", name, when, key, shown);
		}
	}
}

static void test_coordinator(void **state)
{
	json_t *example = *state;
	const char *name = json_string_value(json_object_get(example, "id"));
	const json_t *expected = json_object_get(example, "expect");
	const json_t *after = json_object_get(expected, "after");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	char *text = json_dumps(example, 0);
	json_t *answer = simulate_answer(name, text, strlen(text), warnings, &error);
	free(text);
	g_assert_no_error(error);
	assert_int_equal(warnings->len, 0);
	assert_int_equal(json_array_size(answer), json_array_size(after) + 1);
	assert_state(
		name, "initially", json_array_get(answer, 0), json_object_get(expected, "initial"));
	for (gsize i = 0; i < json_array_size(after); i++) {
		g_autofree char *when = g_strdup_printf("after event %zu", i);
		assert_state(name, when, json_array_get(answer, i + 1), json_array_get(after, i));
	}
	json_decref(answer);
}

static void test_server_list(void **state)
{
	const json_t *example = *state;
	const json_t *given = json_object_get(example, "given");
	const char *text = json_string_value(json_object_get(given, "text"));
	ServerListFormat format = SERVER_LIST_LEGACY;
	assert_true(server_list_format_parse(
		json_string_value(json_object_get(given, "format")), &format, NULL));
	g_autoptr(ServerList) list = server_list_parse("list", format, text, strlen(text));
	json_t *answer = server_list_json(list);
	json_t *servers = json_object_get(json_object_get(example, "expect"), "servers");
	assert_true(json_equal(json_object_get(answer, "servers"), servers));
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
	gsize all = json_array_size(examples), count = 0;
	struct CMUnitTest *tests = g_new0(struct CMUnitTest, all);
	for (gsize i = 0; i < all; i++) {
		json_t *example = json_array_get(examples, i);
		const char *kind = json_string_value(json_object_get(example, "kind"));
		gboolean list = strcmp(kind, "server-list") == 0;
		if (!list && strcmp(kind, "coordinator") != 0)
			continue;
		tests[count].name = json_string_value(json_object_get(example, "id"));
		tests[count].test_func = list ? test_server_list : test_coordinator;
		tests[count++].initial_state = example;
	}
	g_assert(count >= 21);
	int failed = _cmocka_run_group_tests("balance cases", tests, count, NULL, NULL);
	g_free(tests);
	json_decref(file);
	return failed;
}
