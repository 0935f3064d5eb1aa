/* SPDX-License-Identifier: ISC
 *
 * Rows as people type and read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "printed.h"
#include "programs/drover/row_words.h"

static void assert_json(const json_t *value, const char *expected)
{
	g_autoptr(json_t) wanted = json_of(expected);
	if (!json_equal(value, wanted)) {
		g_autofree char *text = json_write(value);
		fail_msg("%s is not %s", text, expected);
	}
}

static void assert_words(const char *before, const char *words, const char *expected)
{
	g_autoptr(json_t) row = json_of(before), patch = json_object();
	g_auto(GStrv) split = g_strsplit(words, " ", -1);
	for (guint i = 0; split[i] != NULL; i++)
		assert_true(row_rule_word(patch, row, split[i], NULL));
	assert_json(patch, expected);
}

static void test_words_become_columns_of_a_rule(void **state)
{
	assert_words("{}", "priority=90 rate=25 version=<60.0,61.0 mapping=web-1.4.0",
		"{'priority':90, 'rate':25, 'version':'<60.0,61.0', 'mapping':'web-1.4.0'}");
	assert_words("{'rate':25}", "rate= comment=a=b", "{'rate':null, 'comment':'a=b'}");
}

static void test_parts_of_a_column_keep_the_others(void **state)
{
	assert_words("{'tags':{'rack':['a'], 'os':['x']}}", "tag.rack=a,b",
		"{'tags':{'rack':['a','b'], 'os':['x']}}");
	assert_words("{'tags':{'rack':['a']}}", "tag.rack=", "{'tags':null}");
	assert_words(
		"{'flags':{'jaws':true}}", "mig64=false", "{'flags':{'jaws':true, 'mig64':false}}");
	assert_words("{'flags':{'jaws':true}}", "jaws=", "{'flags':null}");
}

static void assert_refused(const char *word, const char *expected)
{
	g_autoptr(json_t) patch = json_object();
	g_autoptr(GError) error = NULL;
	assert_false(row_rule_word(patch, NULL, word, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (strstr(error->message, expected) == NULL)
		fail_msg("%s: '%s' lacks '%s'", word, error->message, expected);
}

static void test_what_is_no_column_is_refused(void **state)
{
	assert_refused("rate", "COLUMN=VALUE");
	assert_refused("=25", "COLUMN=VALUE");
	assert_refused("rates=25", "'rates' is no column");
	assert_refused("tags=a", "'tags' is no column");
	assert_refused("tag.=a", "'tag.' is no column");
	assert_refused("rate=half", "rate is a whole number, not 'half'");
	assert_refused("jaws=yes", "jaws is true or false");
	assert_refused("data_version=3", "no column");
	assert_refused("tag.\xff=a", "is not UTF-8");
}

static void test_a_rule_s_matchers_read_as_they_are_typed(void **state)
{
	g_autoptr(json_t) rule =
		json_of("{'rule_id':1, 'product':'web', 'channel':'beta', 'rate':5, "
			"'version':'<60.0', 'os_version':'Windows 10', "
			"'flags':{'jaws':false}, 'tags':{'rack':['a','b']}}");
	g_autofree char *text = row_rule_matchers(rule);
	assert_string_equal(text, "version=<60.0 os_version='Windows 10' jaws=false tag.rack=a,b");
}

static void assert_value(RowType type, const char *typed, const char *expected)
{
	const RowColumn column = {"column", type, "option", NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = row_value(&column, typed, 0, &error);
	if (expected != NULL)
		assert_json(value, expected);
	else
		assert_true(value == NULL && drover_error_is(error, DROVER_ERROR_INPUT));
}

static void test_values_are_of_their_column_s_type(void **state)
{
	assert_value(ROW_TEXT, "all", "'all'");
	assert_value(ROW_ANY, "all", "'*'");
	assert_value(ROW_ANY, "be*", "'be*'");
	assert_value(ROW_INTEGER, "3600", "3600");
	assert_value(ROW_INTEGER, "-1", NULL);
	assert_value(ROW_BOOLEAN, "yes", "true");
	assert_value(ROW_BOOLEAN, "true", NULL);
	assert_value(ROW_TIME, "2026-12-23", "'2026-12-23T00:00:00Z'");
	assert_value(ROW_LIST, "a.example, b.example", "['a.example','b.example']");
	assert_value(ROW_PAIRS, "a=b,c=d", "{'a':'b','c':'d'}");
	assert_value(ROW_PAIRS, "a", NULL);
	assert_value(ROW_TEXT, "", "null");
}

static void test_values_read_as_words(void **state)
{
	static const char *const values[][2] = {{"null", "-"}, {"true", "yes"}, {"7", "7"},
		{"['a','b']", "a, b"}, {"{'a':'b','c':['d','e']}", "a=b, c=d, e"}};
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autoptr(json_t) value = json_of(values[i][0]);
		g_autofree char *text = row_value_text(value);
		assert_string_equal(text, values[i][1]);
	}
}

static void test_a_patch_makes_one_row_of_another(void **state)
{
	g_autoptr(json_t) before =
		json_of("{'name':'a', 'version':'1', 'build_id':'x', 'data_version':3}");
	g_autoptr(json_t) after = json_of("{'name':'a', 'version':'2'}");
	g_autoptr(json_t) patch = row_patch(STATE_RELEASES, before, after);
	assert_json(patch, "{'name':'a', 'version':'2', 'build_id':null}");
	g_autoptr(json_t) whole = row_patch(STATE_RELEASES, NULL, after);
	assert_json(whole, "{'name':'a', 'version':'2'}");
}

static void test_what_differs_is_said_column_by_column(void **state)
{
	g_autoptr(json_t) before =
		json_of("{'rule_id':7, 'rate':25, 'comment':'x', 'data_version':1}");
	g_autoptr(json_t) after =
		json_of("{'rule_id':7, 'rate':100, 'alias':'a', 'data_version':2}");
	g_autofree char *text = row_difference(before, after);
	assert_string_equal(text, "rate 25 -> 100, alias a, comment x -> none");
}

static void test_a_key_reads_as_words(void **state)
{
	g_autoptr(json_t) rule = json_of("{'rule_id':7}");
	g_autoptr(json_t) requirement = json_of("{'product':'*', 'channel':'be*', 'role':'qa'}");
	g_autofree char *number = row_key_words(STATE_RULES, rule);
	g_autofree char *words = row_key_words(STATE_REQUIREMENTS, requirement);
	assert_string_equal(number, "7");
	assert_string_equal(words, "all be* qa");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_become_columns_of_a_rule),
		cmocka_unit_test(test_parts_of_a_column_keep_the_others),
		cmocka_unit_test(test_what_is_no_column_is_refused),
		cmocka_unit_test(test_a_rule_s_matchers_read_as_they_are_typed),
		cmocka_unit_test(test_values_are_of_their_column_s_type),
		cmocka_unit_test(test_values_read_as_words),
		cmocka_unit_test(test_a_patch_makes_one_row_of_another),
		cmocka_unit_test(test_what_differs_is_said_column_by_column),
		cmocka_unit_test(test_a_key_reads_as_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
