/* SPDX-License-Identifier: ISC
 *
 * Recipes: what is said is done, and what is not understood is refused with its line.
 */
#include "release/build/recipe.h"
#include "refused.h"

static Recipe *parse(const char *text, GError **error)
{
	return recipe_parse("drover.ini", text, text != NULL ? strlen(text) : 0, error);
}

static void refuse(const char *text, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_null(parse(text, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, part);
}

static void test_without_a_recipe_nothing_is_built_or_tested(void **state)
{
	g_autoptr(Recipe) recipe = parse(NULL, NULL);
	assert_non_null(recipe);
	assert_null(recipe->build_command);
	assert_null(recipe->test_command);
	assert_null(recipe->lock);
	assert_null(recipe->contract);
	assert_null(recipe->remove[0]);
	assert_int_equal(recipe->min_rollback_sequence, 0);
}

static void test_a_whole_recipe_is_read(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Recipe) recipe = parse("[build]\n"
					 "command = make dist\n"
					 "timeout = 90\n"
					 "lock = deps.lock\n"
					 "into = third/party\n"
					 "remove = tests docs\n"
					 "    .github\n"
					 "[test]\n"
					 "command = ./check --all 100%%\n"
					 "timeout = 2h\n"
					 "[release]\n"
					 "contract = api/openapi.yaml\n"
					 "min-rollback-sequence = 12\n",
		&error);
	assert_null(error);
	assert_string_equal(recipe->build_command, "make dist");
	assert_int_equal(recipe->build_timeout_s, 90);
	assert_string_equal(recipe->lock, "deps.lock");
	assert_string_equal(recipe->into, "third/party");
	assert_int_equal(g_strv_length(recipe->remove), 3);
	assert_string_equal(recipe->remove[2], ".github");
	assert_string_equal(recipe->test_command, "./check --all 100%");
	assert_int_equal(recipe->test_timeout_s, 7200);
	assert_string_equal(recipe->contract, "api/openapi.yaml");
	assert_int_equal(recipe->min_rollback_sequence, 12);
}

static void test_what_is_not_said_is_as_the_page_says(void **state)
{
	g_autoptr(Recipe) recipe = parse("[build]\nlock = deps.lock\n", NULL);
	assert_string_equal(recipe->into, "vendor");
	assert_int_equal(recipe->build_timeout_s, 1800);
	assert_int_equal(recipe->test_timeout_s, 1800);
}

static void test_a_key_that_is_not_known_is_refused_with_its_line(void **state)
{
	refuse("[build]\ncommand = make\nremoves = tests\n", "drover.ini:3:1");
	refuse("[tests]\ncommand = ./check\n", "no section [tests]");
	refuse("command = make\n", "drover.ini:1:1");
}

static void test_an_empty_command_is_refused(void **state)
{
	refuse("[build]\ncommand =\n", "drover.ini:2:");
	refuse("[test]\ncommand = \n", "[test] command: is empty");
}

static void test_no_path_leaves_the_tree(void **state)
{
	refuse("[build]\nlock = ../deps.lock\n", "[build] lock");
	refuse("[build]\nlock = /etc/passwd\n", "[build] lock");
	refuse("[build]\nlock = deps.lock\ninto = a/../b\n", "[build] into");
	refuse("[build]\nremove = docs ../.. tests\n", "[build] remove");
	refuse("[build]\nremove = .\n", "[build] remove");
	refuse("[build]\nremove = docs/\n", "[build] remove");
	refuse("[release]\ncontract = ./api.yaml\n", "[release] contract");
}

static void test_a_timeout_is_from_a_second_to_a_day(void **state)
{
	refuse("[build]\ntimeout = 0\n", "from 1 s to a day");
	refuse("[test]\ntimeout = 86401\n", "from 1 s to a day");
	refuse("[test]\ntimeout = soon\n", "timeout");
	g_autoptr(Recipe) recipe = parse("[test]\ntimeout = 1d\n", NULL);
	assert_int_equal(recipe->test_timeout_s, RECIPE_MAXIMUM_TIMEOUT_S);
}

static void test_a_sequence_is_a_number_that_json_holds(void **state)
{
	refuse("[release]\nmin-rollback-sequence = -1\n", "min-rollback-sequence");
	refuse("[release]\nmin-rollback-sequence = 9007199254740992\n", "min-rollback-sequence");
	refuse("[release]\nmin-rollback-sequence = twelve\n", "min-rollback-sequence");
}

static void test_a_folder_for_no_dependencies_is_a_mistake(void **state)
{
	refuse("[build]\ninto = vendor\n", "no lock names any");
}

static void test_a_recipe_is_no_larger_than_its_limit(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = g_strnfill(RECIPE_MAXIMUM_BYTES + 1, '\n');
	g_autoptr(Recipe) largest = recipe_parse("drover.ini", text, RECIPE_MAXIMUM_BYTES, NULL);
	assert_non_null(largest);
	assert_null(recipe_parse("drover.ini", text, RECIPE_MAXIMUM_BYTES + 1, &error));
	assert_refused(&error, DROVER_ERROR_TOO_LARGE, "65536");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_recipe_nothing_is_built_or_tested),
		cmocka_unit_test(test_a_whole_recipe_is_read),
		cmocka_unit_test(test_what_is_not_said_is_as_the_page_says),
		cmocka_unit_test(test_a_key_that_is_not_known_is_refused_with_its_line),
		cmocka_unit_test(test_an_empty_command_is_refused),
		cmocka_unit_test(test_no_path_leaves_the_tree),
		cmocka_unit_test(test_a_timeout_is_from_a_second_to_a_day),
		cmocka_unit_test(test_a_sequence_is_a_number_that_json_holds),
		cmocka_unit_test(test_a_folder_for_no_dependencies_is_a_mistake),
		cmocka_unit_test(test_a_recipe_is_no_larger_than_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
