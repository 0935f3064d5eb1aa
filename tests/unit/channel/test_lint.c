/* SPDX-License-Identifier: ISC
 *
 * Looking at rules: what explain, lint and difference say, and what they promise on random states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/boundary.h"
#include "channel/change/answer_file.h"
#include "channel/difference.h"
#include "channel/explain.h"
#include "channel/lint.h"
#include "channel/query_json.h"
#include "channel/row/canonical.h"
#include "channel/rule/cover.h"
#include "random_state.h"

static json_t *quoted(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
	json_error_t at;
	json_t *value = json_loads(copy, JSON_DECODE_ANY, &at);
	if (value == NULL)
		fail_msg("%s in %s", at.text, copy);
	return value;
}

static Snapshot *snapshot_of(const char *rules, gint64 cut)
{
	g_autofree char *text = g_strdup_printf("{%s}", rules);
	g_autoptr(RandomJson) file = quoted(text);
	g_autoptr(RandomJson) errors = json_array();
	g_autoptr(GError) error = NULL;
	Snapshot *snapshot = answer_file_snapshot(file, cut, errors, &error);
	g_assert_no_error(error);
	return snapshot;
}

static void assert_json(json_t *found, const char *expected)
{
	g_autofree char *text = canonical_text(found);
	g_strdelimit(text, "\"", '\'');
	assert_string_equal(text, expected);
	json_decref(found);
}

static void test_explain_says_what_each_rule_missed(void **state)
{
	g_autoptr(Snapshot) snapshot = snapshot_of(
		"'rules': [{'rule_id': 1, 'priority': 9, 'channel': 'esr', 'tag.rack': 'a'}, "
		"{'rule_id': 2, 'alias': 'gate', 'priority': 5, 'memory': '<10', 'mapping': "
		"'B'}, {'rule_id': 3, 'mapping': 'A'}]",
		0);
	g_autoptr(RandomJson) asked = quoted("{'channel': 'beta', 'memory': 10}");
	Query query = {0};
	assert_true(query_from_json(snapshot, asked, &query, NULL));
	assert_json(explain(snapshot, &query),
		"{'mapping':'A','rule_id':3,'rules':[{'alias':null,'mapping':null,'matches':false,"
		"'missed':[{'column':'channel','wanted':'esr'},{'column':'tags','wanted':{'tag."
		"rack':"
		"'a'}}],'near':false,'priority':9,'rule_id':1,'wins':false},{'alias':'gate',"
		"'mapping':'B','matches':false,'missed':[{'column':'memory','wanted':'<10'}],"
		"'near':true,'priority':5,'rule_id':2,'wins':false},{'alias':null,'mapping':'A',"
		"'matches':true,'missed':[],'near':false,'priority':0,'rule_id':3,'wins':true}],"
		"'why':'the rule's release'}");
}

/* "2 shadowed 1, 3 unreachable". */
static void assert_lint(const char *rules, const char *expected)
{
	g_autoptr(Snapshot) snapshot = snapshot_of(rules, 0);
	g_autoptr(RandomJson) declared = quoted("['release-localtest']");
	g_autoptr(RandomJson) found = lint(snapshot, declared);
	g_autoptr(GString) text = g_string_new(NULL);
	gsize i;
	json_t *one;
	json_array_foreach (found, i, one) {
		gint by = (gint)json_integer_value(json_object_get(one, "by"));
		g_string_append_printf(text, "%s%d %s", i > 0 ? ", " : "",
			(gint)json_integer_value(json_object_get(one, "rule_id")),
			json_string_value(json_object_get(one, "kind")));
		if (by != 0)
			g_string_append_printf(text, " %d", by);
	}
	assert_string_equal(text->str, expected);
}

#define TWO(first, second)                                                                         \
	"'rules': [{'rule_id': 1, 'priority': 9, " first "}, {'rule_id': 2, " second "}]"

static void test_a_rule_behind_a_wider_one_is_shadowed(void **state)
{
	assert_lint(TWO("'channel': 'be*'", "'channel': 'beta', 'locale': 'de'"), "2 shadowed 1");
	assert_lint(TWO("'channel': 'beta'", "'channel': 'be*'"), "");
	assert_lint(TWO("'version': '<60.0'", "'version': '<=59.0, 3.6.*'"), "");
	assert_lint(TWO("'version': '<60.0'", "'version': '<=59.0, 3.6'"), "2 shadowed 1");
	assert_lint(TWO("'version': '60.0.*'", "'version': '60.*'"), "");
	assert_lint(TWO("'version': '60.*'", "'version': '60.1.2'"), "2 shadowed 1");
	assert_lint(TWO("'build_id': '<1000'", "'build_id': '<999'"), "");
	assert_lint(TWO("'build_id': '<9999'", "'build_id': '<=9998'"), "2 shadowed 1");
	assert_lint(TWO("'build_id': '>95a'", "'build_id': '99'"), "");
	assert_lint(TWO("'memory': '<=8'", "'memory': '<9'"), "");
	assert_lint(TWO("'memory': '<=8'", "'memory': '<8'"), "2 shadowed 1");
	assert_lint(TWO("'os_version': 'Linux'", "'os_version': 'x86 && Linux'"), "2 shadowed 1");
	assert_lint(TWO("'locale': 'de,fr'", "'locale': 'fr'"), "2 shadowed 1");
	assert_lint(TWO("'locale': 'de'", "'locale': 'de,fr'"), "");
	assert_lint(TWO("'tag.a': ['x', 'y']", "'tag.a': 'x', 'tag.b': 'z'"), "2 shadowed 1");
	assert_lint(TWO("'flags': {'jaws': true}", "'flags': {'jaws': false}"), "");
}

static void test_a_rule_that_nothing_reaches_is_told(void **state)
{
	assert_lint("'rules': [{'rule_id': 1, 'product': 'P', 'channel': 'beta'}], 'shutoffs': "
		    "[{'product': 'P', 'channel': 'beta'}]",
		"1 unreachable");
	assert_lint(
		"'rules': [{'rule_id': 1, 'tag.a': 'x', 'tags': {'a': ['y']}}]", "1 unreachable");
}

static void test_a_rule_may_not_name_a_test_channel(void **state)
{
	assert_lint("'rules': [{'rule_id': 1, 'product': 'P', 'channel': 'beta-test'}, "
		    "{'rule_id': 2, 'product': 'P', 'channel': 'release-localtest'}, {'rule_id': "
		    "3, 'product': 'P', 'channel': 'release*'}]",
		"1 test-channel, 2 test-channel");
}

static void test_a_bad_row_is_told_too(void **state)
{
	assert_lint("'rules': [{'rule_id': 1, 'channel': '*'}]", "0 refused");
}

static void test_a_difference_is_one_query_for_each_class(void **state)
{
	static const char rules[] =
		"'rules': [{'rule_id': 1, 'product': 'P', 'mapping': 'A'}, {'rule_id': 2, "
		"'priority': 5, 'product': 'P', 'channel': 'be*', 'memory': '<10', 'mapping': "
		"'B'}], 'pending': [{'id': 1, 'when': 5, 'ops': [{'op': 'update', 'table': "
		"'rules', 'rule_id': 2, 'row': {'mapping': 'C'}}]}]";
	g_autoptr(Snapshot) before = snapshot_of(rules, 0);
	g_autoptr(Snapshot) after = snapshot_of(rules, ANSWER_FILE_CUT_ALL);
	assert_json(difference(before, after, NULL),
		"[{'after':{'mapping':'C','rule_id':2,'why':'the rule's release'},'before':"
		"{'mapping':'B','rule_id':2,'why':'the rule's release'},'query':{'channel':"
		"'be-other','memory':null,'product':'P'}}]");
	assert_json(difference(before, before, NULL), "[]");
}

static void test_too_many_classes_are_refused(void **state)
{
	g_autoptr(State) rows = state_new();
	g_autoptr(State) other = state_new();
	for (guint i = 1; i <= 600; i++) {
		g_autoptr(RandomJson) row = json_pack("{s:i, s:s, s:o, s:o, s:i}", "rule_id", i,
			"mapping", "A", "arch", json_sprintf("a%u", i), "locale",
			json_sprintf("l%u", i), "priority", i % 7);
		g_autoptr(RandomJson) bare = json_pack("{s:i, s:s, s:o}", "rule_id", i + 5000,
			"mapping", "B", "locale", json_sprintf("l%u", i));
		assert_true(state_add(rows, STATE_RULES, row, NULL));
		assert_true(state_add(rows, STATE_RULES, bare, NULL));
	}
	g_autoptr(Snapshot) before = snapshot_new(rows, NULL, NULL);
	g_autoptr(Snapshot) after = snapshot_new(other, NULL, NULL);
	g_autoptr(GError) error = NULL;
	assert_null(difference(before, after, &error));
	assert_true(g_error_matches(error, DROVER_ERROR, DROVER_ERROR_TOO_LARGE));
}

/* Properties ----------------------------------------------------------------------------------- */

static void test_a_shadowed_rule_never_wins(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(41);
	guint covered = 0, met = 0;
	for (guint i = 0; i < 5000; i++) {
		g_autoptr(State) rows = random_state(rand);
		g_autoptr(Snapshot) snapshot = snapshot_new(rows, NULL, NULL);
		const GPtrArray *rules = snapshot_all_rules(snapshot);
		for (guint a = 0; a < rules->len; a++) {
			for (guint b = 0; b < rules->len; b++) {
				if (a == b || !rule_covers(rules->pdata[a], rules->pdata[b]))
					continue;
				covered++;
				for (guint j = 0; j < 10; j++) {
					g_autoptr(RandomJson) asked = random_query(rand,
						random_products[j % 4],
						random_channels[g_rand_int_range(rand, 0, 8)]);
					Query query = {0};
					assert_true(query_from_json(snapshot, asked, &query, NULL));
					if (rule_first_miss(rules->pdata[b], &query,
						    RULE_PRODUCT) != RULE_COLUMNS)
						continue;
					met++;
					assert_int_equal(rule_first_miss(rules->pdata[a], &query,
								 RULE_PRODUCT),
						RULE_COLUMNS);
				}
			}
		}
	}
	assert_true(covered > 2000 && met > 2000);
}

static Answer answer_to(const Snapshot *snapshot, const json_t *asked)
{
	Query query = {0};
	Answer answer;
	assert_true(query_from_json(snapshot, asked, &query, NULL));
	evaluate(snapshot, &query, &answer);
	return answer;
}

static gboolean is_told(const json_t *found, const json_t *asked, const char *a, const char *b)
{
	gsize i;
	json_t *one;
	const char *product = json_string_value(json_object_get(asked, "product"));
	json_array_foreach (found, i, one) {
		const json_t *query = json_object_get(one, "query");
		const char *its = json_string_value(json_object_get(query, "product"));
		if ((its == NULL || g_strcmp0(its, product) == 0) && /* NULL: of no rule */
			g_strcmp0(json_string_value(json_object_get(
					  json_object_get(one, "before"), "mapping")),
				a) == 0 &&
			g_strcmp0(json_string_value(json_object_get(
					  json_object_get(one, "after"), "mapping")),
				b) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Each answer that differs for somebody stands in the list, and each query in it does differ. */
static void test_neighbours_of_a_version_of_any_length_are_asked(void **state)
{
	g_autoptr(RandomJson) canonical =
		quoted("{'rules': [{'version': '<1.0.99999999999999999999999'}]}");
	g_autoptr(RandomJson) values = json_array();
	boundary_values(BOUNDARY_VERSION, canonical, VERSION_SEMVER, values);
	g_autofree char *text = canonical_text(values);
	assert_non_null(strstr(text, "\"1.0.99999999999999999999998\""));
	assert_non_null(strstr(text, "\"1.0.100000000000000000000000\""));
}

static void test_who_gets_something_else_is_in_the_difference(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(42);
	guint differing = 0, silent = 0;
	for (guint i = 0; i < 400; i++) {
		g_autoptr(State) rows = random_state(rand);
		g_autoptr(RandomJson) change = random_change(rand, rows, 1);
		g_autoptr(State) changed = state_apply(rows, change, NULL);
		if (changed == NULL)
			continue;
		g_autoptr(Snapshot) before = snapshot_new(rows, NULL, NULL);
		g_autoptr(Snapshot) after = snapshot_new(changed, NULL, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(RandomJson) found = difference(before, after, &error);
		g_assert_no_error(error);
		silent += json_array_size(found) == 0;
		for (guint j = 0; j < 60; j++) {
			g_autoptr(RandomJson) asked = random_query(rand, random_products[j % 3],
				random_channels[g_rand_int_range(rand, 0, 2)]);
			json_object_del(asked, "force");
			json_object_del(asked, "id");
			Answer old = answer_to(before, asked), new = answer_to(after, asked);
			if (g_strcmp0(old.mapping, new.mapping) == 0)
				continue;
			differing++;
			if (!is_told(found, asked, old.mapping, new.mapping))
				fail_msg("%s: %s, %s: %s", canonical_text(asked), old.mapping,
					new.mapping, canonical_text(change));
		}
	}
	assert_true(differing > 300 && silent > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explain_says_what_each_rule_missed),
		cmocka_unit_test(test_a_rule_behind_a_wider_one_is_shadowed),
		cmocka_unit_test(test_a_rule_that_nothing_reaches_is_told),
		cmocka_unit_test(test_a_rule_may_not_name_a_test_channel),
		cmocka_unit_test(test_a_bad_row_is_told_too),
		cmocka_unit_test(test_a_difference_is_one_query_for_each_class),
		cmocka_unit_test(test_too_many_classes_are_refused),
		cmocka_unit_test(test_a_shadowed_rule_never_wins),
		cmocka_unit_test(test_neighbours_of_a_version_of_any_length_are_asked),
		cmocka_unit_test(test_who_gets_something_else_is_in_the_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
