/* SPDX-License-Identifier: ISC
 *
 * Who gets what: each test is a file of rules and queries, and the answers next to the queries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "channel/change/answer_file.h"
#include "channel/evaluate.h"

typedef json_t TestJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestJson, json_decref)

static guint draw_of_50(void)
{
	return 50;
}

/* `text` in JSON with ' for "; `expected` the mappings at the cut, - for none, ? for no answer. */
static void assert_mappings(const char *text, const char *cut, const char *expected)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	json_error_t at;
	g_autoptr(TestJson) file = json_loads(quoted, JSON_REJECT_DUPLICATES, &at);
	g_autoptr(GError) error = NULL;
	if (file == NULL)
		fail_msg("%s in %s", at.text, quoted);
	g_autoptr(TestJson) answer = answer_file(file, draw_of_50, &error);
	g_assert_no_error(error);
	const json_t *answers = json_object_get(json_object_get(answer, "answers"), cut);
	g_autoptr(GString) found = g_string_new(NULL);
	for (gsize i = 0; i < json_array_size(answers); i++) {
		const json_t *one = json_array_get(answers, i);
		const char *mapping = json_string_value(json_object_get(one, "mapping"));
		g_string_append_printf(found, "%s%s", i > 0 ? " " : "",
			json_object_get(one, "error") != NULL ? "?"
			: mapping != NULL		      ? mapping
							      : "-");
	}
	assert_string_equal(found->str, expected);
}

static void test_only_one_rule_wins(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'priority': 9}, {'rule_id': 2, 'priority': 8,"
			" 'mapping': 'B'}], 'queries': [{'product': 'P'}]}",
		"0", "-");
}

static void test_a_tie_goes_to_the_lowest_id(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 10, 'mapping': 'B'}, {'rule_id': 9, 'mapping': "
			"'A'}], 'queries': [{}]}",
		"0", "A");
}

static void test_unknown_memory_matches_and_known_memory_is_compared(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'memory': '<4096', 'mapping': 'A'}], 'queries':"
			" [{}, {'memory': 4095}, {'memory': 4096}]}",
		"0", "A A -");
}

static void test_build_ids_are_numbers_when_both_are_digits(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'build_id': '<1000', 'mapping': 'A'}], "
			"'queries': [{'build_id': '999'}, {'build_id': '1000'}, {'build_id': "
			"'a'}, {'build_id': '0b'}, {}]}",
		"0", "A - - A -");
}

static void test_instruction_sets_are_whole_elements(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'instruction_set': 'SSE2, AVX && FMA', "
			"'mapping': 'A'}], 'queries': [{'instruction_set': 'SSE2'}, "
			"{'instruction_set': 'SSE'}, {'instruction_set': 'AVX'}, "
			"{'instruction_set': 'FMA , AVX'}]}",
		"0", "A - - A");
}

static void test_tags_match_exactly_or_one_of_a_list(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'tag.rack': ['a', 'b'], 'tag.site': 'x', "
			"'mapping': 'A'}], 'queries': [{'tags': {'rack': 'b', 'site': 'x'}}, "
			"{'rack': 'c', 'site': 'x'}, {'tag.rack': 'a'}]}",
		"0", "A - -");
}

static void test_the_part_before_cck_is_tried_too(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'channel': 'release', 'mapping': 'A'}], "
			"'queries': [{'channel': 'release-cck-acme'}, {'channel': "
			"'release-cck-a-cck-b'}, {'channel': '-cck-release'}, {'channel': "
			"'release-x'}]}",
		"0", "A A - -");
}

static void test_a_shut_off_channel_answers_nothing(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'shutoffs': [{'product': 'P',"
			" 'channel': 'release'}], 'queries': [{'product': 'P', 'channel': "
			"'release'}, {'product': 'P', 'channel': 'release-cck-acme'}, {'product': "
			"'P', 'channel': 'release-localtest'}, {'product': 'Q', 'channel': "
			"'release'}]}",
		"0", "- - A A");
}

static void test_the_rate_lets_in_who_draws_below_it(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'rate': 25, 'mapping': 'A'}], 'queries': "
			"[{'draw': 24}, {'draw': 25}, {'draw': 99, 'force': 1}, {'draw': 0, "
			"'force': -1}, {}]}",
		"0", "A - A - -");
}

static void test_a_client_stays_in_as_the_rate_grows(void **state)
{
	guint inside = 0;
	for (guint client = 0; client < 1000; client++) {
		g_autofree char *id = g_strdup_printf("client-%u", client);
		guint draw = throttle_draw("P", "A", id);
		assert_true(draw < 100);
		assert_int_equal(draw, throttle_draw("P", "A", id));
		inside += draw < 25;
	}
	assert_in_range(inside, 190, 310); /* of 250 expected; the sequence is fixed */
	assert_int_not_equal(throttle_draw("P", "A", "x") * 100 + throttle_draw("P", "A", "y"),
		throttle_draw("P", "B", "x") * 100 + throttle_draw("P", "B", "y"));
}

static void test_a_release_declines_to_go_backwards(void **state)
{
	assert_mappings(
		"{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'releases': [{'name': 'A', 'version': "
		"'61.0', 'build_id': '20'}], 'queries': [{'version': '60.0'}, {'version': '62.0'}, "
		"{'version': '61.0', 'build_id': '19'}, {'version': '61.0', 'build_id': '20'}, "
		"{'version': '61.0'}]}",
		"0", "A - A - -");
}

static void test_a_release_declines_without_files(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'releases': [{'name': 'A', "
			"'platforms': {'T': {'locales': {'de': {}}}, 'U': {'alias': 'T'}}}], "
			"'queries': [{'platform': 'T', 'locale': 'de'}, {'platform': 'U', "
			"'locale': 'de'}, {'platform': 'T', 'locale': 'fr'}, {'platform': 'V', "
			"'locale': 'de'}, {}]}",
		"0", "A A - - -");
}

static void test_a_pin_holds_the_client_on_its_line(void **state)
{
	assert_mappings(
		"{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'releases': [{'name': 'A', "
		"'version': '103.0'}, {'name': 'L', 'version': '102.5'}], 'pins': "
		"[{'product': 'P', 'channel': 'release', 'version': '102.', 'mapping': "
		"'L'}], 'queries': [{'product': 'P', 'channel': 'release', 'version': "
		"'102.0', 'pin': '102.'}, {'product': 'P', 'channel': 'release', 'version': "
		"'102.0', 'pin': '101.'}, {'product': 'P', 'channel': 'release', 'version': "
		"'102.5', 'pin': '102.'}]}",
		"0", "L A -");
}

static void test_a_bad_version_has_no_answer(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'queries': [{'version': "
			"'x'}, {'version': '60.0'}]}",
		"0", "? A");
}

static void test_a_bad_rule_is_named_and_matches_nothing(void **state)
{
	g_autoptr(TestJson) file = json_loads(
		"{\"rules\": [{\"rule_id\": 7, \"channel\": \"*\"}], \"queries\": []}", 0, NULL);
	g_autoptr(TestJson) answer = answer_file(file, draw_of_50, NULL);
	const char *text = json_string_value(json_array_get(json_object_get(answer, "errors"), 0));
	assert_true(g_str_has_prefix(text, "rule 7: channel: "));
}

static void test_a_query_of_any_scheme_meets_rules_for_every_product(void **state)
{
	assert_mappings("{'schemes': {'P': 'loose', 'Q': 'semver'}, 'rules': [{'rule_id': 1, "
			"'version': '>=2.0', 'mapping': 'A'}], 'queries': [{'product': 'P', "
			"'version': '2.0.0'}, {'product': 'Q', 'version': '2.0.0'}, {'product': "
			"'R', 'version': '2.0.0'}]}",
		"0", "A - A");
}

static void test_versions_of_two_schemes_are_not_compared(void **state)
{
	assert_mappings(
		"{'schemes': {'P': 'semver'}, 'rules': [{'rule_id': 1, 'mapping': 'A'}], "
		"'releases': [{'name': 'A', 'version': '1.0'}], 'pins': [{'product': 'P', "
		"'channel': 'c', 'version': '1.', 'mapping': 'L'}], 'queries': [{'product': "
		"'P', 'version': '2.0.0'}, {'product': 'Q', 'version': '2.0.0'}]}",
		"0", "A -");
}

static const char queue[] =
	"{'rules': [{'rule_id': 1, 'priority': 5, 'product': 'P', 'mapping': 'A'}], 'pending': ["
	"{'id': 2, 'when': 10, 'ops': [{'op': 'insert', 'table': 'rules', 'row': {'priority': 9, "
	"'product': 'P', 'mapping': 'B'}}]},"
	"{'id': 1, 'when': 20, 'ops': [{'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': "
	"{'mapping': 'C'}}]},"
	"{'id': 3, 'when': 20, 'ops': [{'op': 'delete', 'table': 'rules', 'rule_id': 2}]},"
	"{'id': 4, 'when': 30, 'ops': [{'op': 'insert', 'table': 'rules', 'rule_id': 1, 'row': "
	"{'product': 'P', 'mapping': 'D'}}]}],"
	"'queries': [{'product': 'P'}, {'product': 'Q'}], 'cuts': [0, 9, 10, 19, 20, 30]}";

static void test_the_queue_goes_live_in_the_order_of_time_and_id(void **state)
{
	assert_mappings(queue, "0", "A -");
	assert_mappings(queue, "9", "A -");
	assert_mappings(queue, "10", "B -");
	assert_mappings(queue, "19", "B -");
	assert_mappings(queue, "20", "A -");
}

static void test_behind_a_conflict_only_its_channels_have_no_answer(void **state)
{
	assert_mappings(queue, "30", "? -");
}

static void test_a_change_is_enacted_whole_or_not_at_all(void **state)
{
	assert_mappings("{'rules': [{'rule_id': 1, 'product': 'P', 'channel': 'beta', 'mapping': "
			"'A'}], 'pending': [{'id': 1, 'when': 1, 'ops': [{'op': 'update', 'table':"
			" 'rules', 'rule_id': 1, 'row': {'mapping': 'B'}}, {'op': 'delete', "
			"'table': 'rules', 'rule_id': 8}]}, {'id': 2, 'when': 2, 'ops': [{'op': "
			"'insert', 'table': 'rules', 'row': {'product': 'Q', 'mapping': 'C'}}]}], "
			"'queries': [{'product': 'P', 'channel': 'beta'}, {'product': 'P'}, "
			"{'product': 'Q'}], 'cuts': [2]}",
		"2", "? - C");
}

static void test_two_rules_may_swap_their_priorities_in_one_change(void **state)
{
	assert_mappings(
		"{'rules': [{'rule_id': 1, 'priority': 1, 'mapping': 'A'}, {'rule_id': 2, "
		"'priority': 2, 'mapping': 'B'}], 'pending': [{'id': 1, 'when': 1, 'ops': [{'op': "
		"'update', 'table': 'rules', 'rule_id': 1, 'row': {'priority': 2}}, {'op': "
		"'update', 'table': 'rules', 'rule_id': 2, 'row': {'priority': 1}}]}], 'queries': "
		"[{}], 'cuts': [0, 1]}",
		"1", "A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_one_rule_wins),
		cmocka_unit_test(test_a_tie_goes_to_the_lowest_id),
		cmocka_unit_test(test_unknown_memory_matches_and_known_memory_is_compared),
		cmocka_unit_test(test_build_ids_are_numbers_when_both_are_digits),
		cmocka_unit_test(test_instruction_sets_are_whole_elements),
		cmocka_unit_test(test_tags_match_exactly_or_one_of_a_list),
		cmocka_unit_test(test_the_part_before_cck_is_tried_too),
		cmocka_unit_test(test_a_shut_off_channel_answers_nothing),
		cmocka_unit_test(test_the_rate_lets_in_who_draws_below_it),
		cmocka_unit_test(test_a_client_stays_in_as_the_rate_grows),
		cmocka_unit_test(test_a_release_declines_to_go_backwards),
		cmocka_unit_test(test_a_release_declines_without_files),
		cmocka_unit_test(test_a_pin_holds_the_client_on_its_line),
		cmocka_unit_test(test_a_bad_version_has_no_answer),
		cmocka_unit_test(test_a_bad_rule_is_named_and_matches_nothing),
		cmocka_unit_test(test_a_query_of_any_scheme_meets_rules_for_every_product),
		cmocka_unit_test(test_versions_of_two_schemes_are_not_compared),
		cmocka_unit_test(test_the_queue_goes_live_in_the_order_of_time_and_id),
		cmocka_unit_test(test_behind_a_conflict_only_its_channels_have_no_answer),
		cmocka_unit_test(test_a_change_is_enacted_whole_or_not_at_all),
		cmocka_unit_test(test_two_rules_may_swap_their_priorities_in_one_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
