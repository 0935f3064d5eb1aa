/* SPDX-License-Identifier: ISC
 *
 * What may be written into a rule, and what is refused with which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/rule/rule.h"

typedef json_t TestJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestJson, json_decref)

static void assert_refused(const char *text, const char *wanted)
{
	g_autoptr(TestJson) row = json_loads(text, 0, NULL);
	g_autoptr(GError) error = NULL;
	assert_non_null(row);
	Rule *rule = rule_new(row, VERSION_MOZILLA, &error);
	if (rule != NULL)
		fail_msg("%s was taken", text);
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (strstr(error->message, wanted) == NULL)
		fail_msg("%s: %s", text, error->message);
}

static void test_bad_matchers_are_refused_when_they_are_written(void **state)
{
	assert_refused("{\"channel\": \"rel*ase\"}", "channel: a star may only be");
	assert_refused("{\"channel\": \"r*\"}", "channel: a star needs at least 2");
	assert_refused("{\"locale\": \"en-US,,de\"}", "locale: has an empty element");
	assert_refused("{\"locale\": \"de, \"}", "locale: has an empty element");
	assert_refused("{\"os_version\": \"a && \"}", "os_version: has an empty element");
	assert_refused(
		"{\"product\": \"P\", \"version\": \"=>60.0\"}", "version: '=>60.0' is no version");
	assert_refused(
		"{\"product\": \"P\", \"version\": \"60.0,x\"}", "version: 'x' is no version");
	assert_refused("{\"build_id\": \"<\"}", "build_id: must be one build");
	assert_refused("{\"build_id\": \"=>1\"}", "build_id: must be one build");
	assert_refused("{\"memory\": \"<many\"}", "memory: must be a whole number");
	assert_refused("{\"memory\": -1}", "memory: must be a text");
	assert_refused("{\"flags\": {\"sse\": true}}", "flags: only mig64 and jaws");
	assert_refused("{\"flags\": {\"jaws\": 1}}", "flags: only mig64 and jaws");
	assert_refused("{\"product\": \"\"}", "product: is empty");
	assert_refused("{\"product\": 7}", "product: must be a text");
	assert_refused("{\"tag.rack\": []}", "tag.rack: must be a text or a list");
	assert_refused("{\"rate\": 101}", "rate: must be a whole number from 0 to 100");
	assert_refused("{\"priority\": -1}", "priority: must be a whole number");
	assert_refused("{\"chanel\": \"beta\"}", "chanel: is no column");
}

static void test_null_is_absent(void **state)
{
	g_autoptr(TestJson) row = json_loads(
		"{\"rule_id\": 1, \"priority\": 5, \"channel\": null, \"mapping\": null}", 0, NULL);
	g_autoptr(Rule) rule = rule_new(row, VERSION_MOZILLA, NULL);
	assert_non_null(rule);
	assert_int_equal(rule->asked, 0);
	assert_null(rule->mapping);
	assert_int_equal(rule->rate, 100);
}

static void test_a_list_has_a_limit(void **state)
{
	g_autoptr(GString) list = g_string_new("a");
	for (guint i = 1; i < RULE_MAXIMUM_CHOICES; i++)
		g_string_append(list, ",a");
	g_autoptr(TestJson) row = json_pack("{s:s}", "locale", list->str);
	g_autoptr(Rule) rule = rule_new(row, VERSION_MOZILLA, NULL);
	assert_non_null(rule);
	g_string_append(list, ",a");
	g_autofree char *over = g_strdup_printf("{\"locale\": \"%s\"}", list->str);
	assert_refused(over, "locale: has more than 500 elements");
	g_autofree char *text = g_strnfill(RULE_MAXIMUM_TEXT_BYTES + 1, 'a');
	g_autofree char *long_row = g_strdup_printf("{\"product\": \"%s\"}", text);
	assert_refused(long_row, "product: is longer than 4096 bytes");
	assert_refused("{\"priority\": 1000001}", "from 0 to 1000000");
}

static void test_a_rule_for_every_product_reads_versions_in_every_scheme(void **state)
{
	g_autoptr(TestJson) row = json_loads("{\"version\": \">=1.4.0-rc.1\"}", 0, NULL);
	g_autoptr(Rule) rule = rule_new(row, VERSION_MOZILLA, NULL);
	assert_non_null(rule);
	assert_null(rule->versions[VERSION_MOZILLA]);
	assert_non_null(rule->versions[VERSION_LOOSE]);
	assert_non_null(rule->versions[VERSION_SEMVER]);
	assert_refused("{\"product\": \"P\", \"version\": \">=1.4.0-rc.1\"}", "is no version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_matchers_are_refused_when_they_are_written),
		cmocka_unit_test(test_null_is_absent),
		cmocka_unit_test(test_a_list_has_a_limit),
		cmocka_unit_test(test_a_rule_for_every_product_reads_versions_in_every_scheme),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
