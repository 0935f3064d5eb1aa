/* SPDX-License-Identifier: ISC
 *
 * Merging three versions of a row; queues whose ground moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/change/rebase.h"
#include "random_state.h"

static json_t *quoted(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
	json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	return value;
}

/* NULL: no rules. */
static State *state_of(const char *rule)
{
	State *state = state_new();
	g_autoptr(RandomJson) row = rule == NULL ? NULL : quoted(rule);
	if (row != NULL)
		assert_true(state_add(state, STATE_RULES, row, NULL));
	return state;
}

#define UPDATE(row) "{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': " row "}"
#define DELETE	    "{'op': 'delete', 'table': 'rules', 'rule_id': 1}"
#define BASE	    "{'rule_id': 1, 'product': 'P', 'rate': 25, 'mapping': 'A'}"

/* `expected`: the ops, or what is in conflict. */
static void assert_rebased(const char *base, const char *now, const char *op, const char *expected)
{
	g_autofree char *change_text = g_strdup_printf("{'id': 1, 'when': 1, 'ops': [%s]}", op);
	g_autoptr(State) before = state_of(base);
	g_autoptr(State) after = state_of(now);
	g_autoptr(RandomJson) change = quoted(change_text);
	g_autoptr(RandomJson) conflicts = json_array();
	g_autoptr(GError) error = NULL;
	g_autoptr(RandomJson) found = rebase_change(before, after, change, conflicts, &error);
	g_autofree char *text = found == NULL ? g_strdup(error->message)
					      : canonical_text(json_object_get(found, "ops"));
	g_strdelimit(text, "\"", '\'');
	assert_string_equal(text, expected);
}

static void test_different_columns_merge(void **state)
{
	assert_rebased(BASE, "{'rule_id': 1, 'product': 'P', 'rate': 25, 'mapping': 'B'}",
		UPDATE("{'rate': 50, 'product': null}"),
		"[{'op':'update','row':{'product':null,'rate':50},'rule_id':1,'table':'rules'}]");
}

static void test_the_same_column_is_a_conflict(void **state)
{
	assert_rebased(BASE, "{'rule_id': 1, 'product': 'P', 'rate': 30, 'mapping': 'A'}",
		UPDATE("{'rate': 50}"), "rules 1: rate: was edited on both sides");
}

static void test_what_is_done_already_is_left_out(void **state)
{
	assert_rebased(BASE, "{'rule_id': 1, 'product': 'P', 'rate': 50, 'mapping': 'A'}",
		UPDATE("{'rate': 50}"), "[]");
	assert_rebased(BASE, NULL, DELETE, "[]");
}

static void test_a_whole_row_that_was_touched_is_a_conflict(void **state)
{
	assert_rebased(
		BASE, NULL, UPDATE("{'rate': 50}"), "rules 1: the row: was edited on both sides");
	assert_rebased(BASE, "{'rule_id': 1, 'rate': 30}", DELETE,
		"rules 1: the row: was edited on both sides");
	assert_rebased(NULL, BASE, "{'op': 'insert', 'table': 'rules', 'rule_id': 1, 'row': {}}",
		"rules 1: the row: was edited on both sides");
}

static void test_data_versions_are_nobodys_edit(void **state)
{
	assert_rebased(BASE,
		"{'rule_id': 1, 'product': 'P', 'rate': 25, 'mapping': 'A', 'data_version': 7}",
		DELETE, "[{'op':'delete','rule_id':1,'table':'rules'}]");
}

/* "1 kept, 2 signs tests, 3 conflict 1": what is lost, and with whom. */
static char *told(const GArray *results)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < results->len; i++) {
		const Rebased *one = &g_array_index(results, Rebased, i);
		g_string_append_printf(text, "%s%d%s%s%s", i > 0 ? ", " : "", (int)one->change,
			one->rebased == NULL ? " waits" : "", one->loses_sign_offs ? " signs" : "",
			one->loses_tests ? " tests" : "");
		if (json_array_size(one->conflicts) > 0)
			g_string_append_printf(text, " with %d",
				(int)json_integer_value(json_object_get(
					json_array_get(one->conflicts, 0), "with")));
	}
	return g_string_free(text, FALSE);
}

static void assert_queue(const char *old, const char *new, const char *now, const char *expected)
{
	g_autoptr(State) before = state_of(BASE);
	g_autoptr(State) after = state_of(now);
	g_autoptr(RandomJson) old_list = quoted(old);
	g_autoptr(RandomJson) new_list = quoted(new);
	g_autoptr(Queue) old_queue = queue_new(old_list, NULL);
	g_autoptr(Queue) new_queue = queue_new(new_list, NULL);
	g_autoptr(GArray) results = rebase_queue(old_queue, before, new_queue, after);
	g_autofree char *text = told(results);
	assert_string_equal(text, expected);
}

#define FIRST "{'id': 1, 'when': 1, 'ops': [" UPDATE("{'rate': 50}") "]}"
#define MAPS  "{'id': 2, 'when': 2, 'ops': [" UPDATE("{'mapping': 'B'}") "]}"
#define MORE  "{'id': 2, 'when': 2, 'ops': [" UPDATE("{'rate': 75}") "]}"
#define OTHER                                                                                      \
	"{'id': 3, 'when': 3, 'ops': [{'op': 'insert', 'table': 'rules', 'rule_id': 3, 'row': "    \
	"{'product': 'Q'}}]}"

static void test_an_unchanged_queue_loses_nothing(void **state)
{
	assert_queue("[" FIRST "," MAPS "," OTHER "]", "[" FIRST "," MAPS "," OTHER "]", BASE,
		"1, 2, 3");
}

static void test_a_change_taken_away_rebases_its_followers(void **state)
{
	assert_queue(
		"[" FIRST "," MAPS "," OTHER "]", "[" MAPS "," OTHER "]", BASE, "2 signs tests, 3");
	assert_queue("[" FIRST "," MORE "]", "[" MORE "]", BASE, "2 waits signs tests with 0");
}

static void test_an_edit_before_it_is_a_conflict_in_the_same_column(void **state)
{
	assert_queue("[" FIRST "," MORE "," OTHER "]",
		"[{'id': 1, 'when': 1, 'ops': [" UPDATE("{'rate': 60}") "]}," MORE "," OTHER "]",
		BASE, "1 signs tests, 2 waits signs tests with 1, 3");
}

static void test_moving_a_change_keeps_its_own_sign_offs(void **state)
{
	assert_queue("[" FIRST "," OTHER "]",
		"[{'id': 1, 'when': 9, 'ops': [" UPDATE("{'rate': 50}") "]}," OTHER "]", BASE,
		"3, 1 tests");
}

static void test_what_stands_behind_a_change_voids_no_test_of_it(void **state)
{
	assert_queue("[" FIRST "," MAPS "]",
		"[" FIRST ",{'id': 2, 'when': 9, 'ops': [" UPDATE("{'mapping': 'B'}") "]}]", BASE,
		"1, 2 tests");
	assert_queue("[" FIRST "," MAPS "]", "[" FIRST "]", BASE, "1");
}

static void test_a_direct_edit_of_live_rebases_what_waits(void **state)
{
	assert_queue("[" MORE "," OTHER "]", "[" MORE "," OTHER "]",
		"{'rule_id': 1, 'product': 'P', 'rate': 25, 'mapping': 'C'}", "2 signs tests, 3");
	assert_queue("[" MORE "," OTHER "]", "[" MORE "," OTHER "]",
		"{'rule_id': 1, 'product': 'P', 'rate': 26, 'mapping': 'A'}",
		"2 waits signs tests with 0, 3");
}

/* What a merge promises: after it each column is ours where we touched it, theirs elsewhere. */
static void test_a_merge_keeps_what_both_sides_did(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(31);
	guint merged = 0, conflicts = 0;
	for (guint i = 0; i < 20000; i++) {
		g_autoptr(State) base = random_state(rand);
		g_autoptr(RandomJson) theirs = random_change(rand, base, 1);
		g_autoptr(RandomJson) ours = random_change(rand, base, 2);
		g_autoptr(State) now = state_apply(base, theirs, NULL);
		g_autoptr(RandomJson) content = content_of(base, ours, NULL);
		g_autoptr(RandomJson) found = json_array();
		if (now == NULL || content == NULL)
			continue;
		g_autoptr(GError) error = NULL;
		g_autoptr(RandomJson) rebased = rebase_change(base, now, ours, found, &error);
		conflicts += json_array_size(found) > 0;
		if (rebased == NULL && json_array_size(found) == 0) /* the only other reason */
			assert_non_null(strstr(error->message, "alias: "));
		if (rebased == NULL)
			continue;
		merged++;
		g_autoptr(State) end = state_apply(now, rebased, NULL);
		gsize j;
		json_t *one, *value;
		json_array_foreach (content, j, one) {
			StateTable table;
			const char *column;
			const json_t *before = json_object_get(one, "before");
			assert_true(state_table_find(
				json_string_value(json_object_get(one, "table")), &table));
			const char *key = json_string_value(json_object_get(one, "key"));
			const json_t *row = json_object_get(state_rows(end, table), key);
			const json_t *there = json_object_get(state_rows(now, table), key);
			assert_int_equal(row == NULL, json_is_null(json_object_get(one, "after")));
			json_object_foreach ((json_t *)row, column, value) {
				const json_t *was = json_object_get(before, column);
				const json_t *mine =
					json_object_get(json_object_get(one, "after"), column);
				const json_t *wanted =
					was != NULL && mine != NULL &&
							json_equal((json_t *)was, (json_t *)mine)
						? json_object_get(there, column)
					: mine != NULL ? mine
						       : json_object_get(there, column);
				assert_true(json_equal(value, (json_t *)wanted));
			}
		}
	}
	assert_true(merged > 4000 && conflicts > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_different_columns_merge),
		cmocka_unit_test(test_the_same_column_is_a_conflict),
		cmocka_unit_test(test_what_is_done_already_is_left_out),
		cmocka_unit_test(test_a_whole_row_that_was_touched_is_a_conflict),
		cmocka_unit_test(test_data_versions_are_nobodys_edit),
		cmocka_unit_test(test_an_unchanged_queue_loses_nothing),
		cmocka_unit_test(test_a_change_taken_away_rebases_its_followers),
		cmocka_unit_test(test_an_edit_before_it_is_a_conflict_in_the_same_column),
		cmocka_unit_test(test_moving_a_change_keeps_its_own_sign_offs),
		cmocka_unit_test(test_what_stands_behind_a_change_voids_no_test_of_it),
		cmocka_unit_test(test_a_direct_edit_of_live_rebases_what_waits),
		cmocka_unit_test(test_a_merge_keeps_what_both_sides_did),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
