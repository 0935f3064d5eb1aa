/* SPDX-License-Identifier: ISC
 *
 * Lock files: four words a line, and nothing else.
 */
#include "release/build/recipe.h"
#include "refused.h"

/* "abc" and "" by `printf abc | sha256sum`. */
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static GPtrArray *parse(const char *text, GError **error)
{
	return recipe_lock_parse("deps.lock", text, strlen(text), error);
}

static void refuse(const char *text, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_null(parse(text, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, part);
}

static void test_each_line_is_a_dependency(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = parse("# what the web needs\n"
					  "\n"
					  "six 1.16.0 " ABC " six-1.16.0.tar.gz\n"
					  "  @types/node\t20.1\t" EMPTY "  node.tgz  # dev\r\n",
		&error);
	assert_null(error);
	assert_int_equal(list->len, 2);
	const ManifestDependency *six = list->pdata[0], *node = list->pdata[1];
	assert_string_equal(six->name, "six");
	assert_string_equal(six->version, "1.16.0");
	assert_string_equal(six->sha256, ABC);
	assert_string_equal(six->file, "six-1.16.0.tar.gz");
	assert_string_equal(node->name, "@types/node");
	assert_string_equal(node->file, "node.tgz");
}

static void test_an_empty_lock_pins_nothing(void **state)
{
	g_autoptr(GPtrArray) list = parse("# none yet\n", NULL);
	assert_int_equal(list->len, 0);
}

static void test_what_is_no_dependency_is_refused_with_its_line(void **state)
{
	refuse("\nsix 1.16.0 " ABC "\n", "deps.lock:2: a dependency is four words");
	refuse("six 1.16.0 " ABC " six.tgz more\n", "deps.lock:1: a dependency is four words");
	refuse("six 1.16.0 " ABC " #six.tgz\n", "four words");
	refuse("six 1.16.0 sha256:" ABC " six.tgz\n", "SHA-256 of 64 small");
	refuse("six 1.16.0 BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD s\n",
		"SHA-256 of 64 small");
	refuse("six\x01 1.16.0 " ABC " six.tgz\n", "without control characters");
	refuse("six \xff " ABC " six.tgz\n", "UTF-8");
}

static void test_a_file_is_a_name_in_one_folder(void **state)
{
	const char *const bad[] = {"../six.tgz", "a/six.tgz", "/six.tgz", "..", "."};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *line = g_strdup_printf("six 1 %s %s\n", ABC, bad[i]);
		refuse(line, "without folders");
	}
	refuse("a 1 " ABC " six.tgz\nb 1 " ABC " six.tgz\n", "the file six.tgz is there twice");
}

static void test_names_are_as_long_as_a_manifest_allows(void **state)
{
	g_autofree char *longest = g_strnfill(MANIFEST_MAXIMUM_NAME_BYTES, 'x');
	g_autofree char *good = g_strdup_printf("%s %s %s %s\n", longest, longest, ABC, longest);
	g_autofree char *bad = g_strdup_printf("%sx 1 %s six.tgz\n", longest, ABC);
	g_autofree char *worse = g_strdup_printf("six 1 %s %sx\n", ABC, longest);
	g_autoptr(GPtrArray) list = parse(good, NULL);
	assert_int_equal(list->len, 1);
	refuse(bad, "at most 100 bytes");
	refuse(worse, "at most 100 bytes");
}

static void test_a_lock_is_within_its_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i <= MANIFEST_MAXIMUM_DEPENDENCIES; i++)
		g_string_append_printf(text, "d 1 %s f%u\n", ABC, i);
	assert_null(parse(text->str, &error));
	assert_refused(&error, DROVER_ERROR_TOO_LARGE, "deps.lock:10001: more than 10000");
	g_autofree char *blank = g_strnfill(RECIPE_LOCK_MAXIMUM_BYTES + 1, '\n');
	g_autoptr(GPtrArray) largest =
		recipe_lock_parse("deps.lock", blank, RECIPE_LOCK_MAXIMUM_BYTES, NULL);
	assert_non_null(largest);
	assert_null(parse(blank, &error));
	assert_refused(&error, DROVER_ERROR_TOO_LARGE, "4194304");
	assert_null(recipe_lock_parse("deps.lock", "a\0b", 3, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "NUL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_line_is_a_dependency),
		cmocka_unit_test(test_an_empty_lock_pins_nothing),
		cmocka_unit_test(test_what_is_no_dependency_is_refused_with_its_line),
		cmocka_unit_test(test_a_file_is_a_name_in_one_folder),
		cmocka_unit_test(test_names_are_as_long_as_a_manifest_allows),
		cmocka_unit_test(test_a_lock_is_within_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
