/* SPDX-License-Identifier: ISC
 *
 * Direct edits of rows, and what they do to the queue.
 */
#include "book_place.h"

#define RULE_OP(columns) "[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {" columns "}}]"

static void test_edit_writes_rows_with_their_version(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	assert_row(store, STATE_RULES, "1",
		"{'product': 'web', 'channel': 'release', 'priority': 10, 'rate': 25, 'mapping': "
		"'web-1', 'rule_id': 1, 'data_version': 1}");
	edit(store, 20, RULE_OP("'rate': 50, 'channel': null"));
	assert_row(store, STATE_RULES, "1",
		"{'product': 'web', 'priority': 10, 'rate': 50, 'mapping': 'web-1', 'rule_id': 1, "
		"'data_version': 2}");
}

static void test_edit_tells_what_it_wrote(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_auto(ChannelEdit) result = {0};
	gint64 before;
	furnish(store);
	assert_true(store_counter_get(store, STORE_GENERATION, &before, NULL));
	edit_told(store, 20,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 50}},"
		" {'op': 'delete', 'table': 'releases', 'name': 'web-2'}]",
		&result);
	assert_int_equal(result.written, 2);
	assert_true(result.generation > before);
	assert_int_equal(json_array_size(result.rows), 2);
	json_t *rule = json_object_get(json_array_get(result.rows, 0), "row");
	assert_int_equal(json_integer_of(rule, "data_version"), 2);
	assert_string_equal(json_text(json_array_get(result.rows, 1), "key"), "web-2");
	assert_true(json_is_null(json_object_get(json_array_get(result.rows, 1), "row")));
}

static void test_numbers_of_rules_are_never_given_twice(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20,
		"[{'op': 'insert', 'table': 'rules', 'rule_id': 7, 'row': {'priority': 1}}]");
	edit(store, 21, "[{'op': 'delete', 'table': 'rules', 'rule_id': 7}]");
	edit(store, 22, "[{'op': 'insert', 'table': 'rules', 'row': {'priority': 2}}]");
	assert_row(store, STATE_RULES, "8", "{'priority': 2, 'rule_id': 8, 'data_version': 1}");
}

static void test_stale_edit_is_refused_and_says_who_was_faster(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20, RULE_OP("'rate': 50, 'data_version': 1"));
	edit_refused(store,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'data_version': 1, 'row': "
		"{'rate': 75}}]",
		DROVER_ERROR_CONFLICT,
		"rules 1: was written by ada since you read it: it is at version 2, and your edit "
		"is of version 1");
	edit_refused(store, RULE_OP("'rate': 75, 'data_version': 1"), DROVER_ERROR_CONFLICT,
		"rules 1: was written by ada");
	edit_refused(store, RULE_OP("'rate': 75, 'data_version': 'x'"), DROVER_ERROR_INPUT,
		"op 1: data_version: ");
}

static void test_edit_of_nothing_moves_nothing(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_auto(ChannelEdit) result = {0};
	gint64 before;
	furnish(store);
	assert_true(store_counter_get(store, STORE_GENERATION, &before, NULL));
	edit_told(store, 20, RULE_OP("'rate': 25"), &result);
	assert_int_equal(result.written, 0);
	assert_int_equal(result.generation, before);
	assert_int_equal(
		must_read_integer(store, "SELECT COUNT(*) FROM channel_row WHERE kind = 'rules'"),
		1);
}

static void test_bad_rows_leave_nothing_behind(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit_refused(store,
		"[{'op': 'insert', 'table': 'releases', 'row': {'name': 'web-3'}},"
		" {'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'channel': 'a*b'}}]",
		DROVER_ERROR_INPUT, "rules 1: channel: ");
	edit_refused(store, RULE_OP("'mapping': 'web-9'"), DROVER_ERROR_CONFLICT,
		"rules 1: mapping: there is no release web-9");
	edit_refused(store, "[]", DROVER_ERROR_INPUT, "ops: ");
	edit_refused(store, "{}", DROVER_ERROR_INPUT, "ops: ");
	assert_int_equal(must_read_integer(store, "SELECT COUNT(*) FROM channel_row"), 4);
}

static void test_more_ops_than_allowed_are_refused(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(GString) ops = g_string_new("[");
	for (guint i = 0; i <= CHANNEL_MAXIMUM_OPS; i++)
		g_string_append_printf(ops, "%s{}", i > 0 ? "," : "");
	g_string_append_c(ops, ']');
	edit_refused(
		store, ops->str, DROVER_ERROR_TOO_LARGE, "2001 of them, and there may be 2000");
}

static void test_where_others_must_agree_nothing_goes_live_at_once(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20,
		"[{'op': 'insert', 'table': 'requirements', 'row': {'product': 'web', 'channel': "
		"'rel*', 'role': 'relman', 'n': 2}}]");
	edit_refused(store, RULE_OP("'rate': 50"), DROVER_ERROR_CONFLICT,
		"the word of 2 of relman (requirements [\"web\",\"rel*\",\"relman\"])");
	edit_refused(store, RULE_OP("'rate': 50"), DROVER_ERROR_CONFLICT, "drover change submit");
	edit(store, 21,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'nightly', 'mapping': 'web-2'}}]");
}

typedef struct Rewriting {
	json_t *ops;
	gboolean takes_back;
	State *expected;
} Rewriting;

static gboolean rewrite(Store *store, gpointer of, GError **error)
{
	Rewriting *rewriting = of;
	ChannelDeed deed = {30 * US_PER_SECOND, "ada", NULL, 0};
	g_autoptr(ChannelBook) before = channel_book_read(store, error);
	g_autoptr(json_t) change = json_pack("{s:O}", "ops", rewriting->ops);
	g_autoptr(State) after = state_apply(before->live, change, error);
	if (after == NULL || !channel_rows_write(store, before->live, after, &deed, NULL, error))
		return FALSE;
	rewriting->expected = channel_rows_written(before->live, after);
	g_autoptr(ChannelBook) now G_GNUC_UNUSED = channel_book_read(store, error);
	if (rewriting->takes_back)
		drover_error_set(error, DROVER_ERROR_CONFLICT, "on second thought");
	return !rewriting->takes_back;
}

static void assert_same_rows(const State *expected, Store *store)
{
	g_autoptr(ChannelBook) book = channel_book_read(store, NULL);
	for (guint i = 0; i < STATE_TABLES; i++)
		assert_true(json_equal((json_t *)state_rows(expected, (StateTable)i),
			(json_t *)state_rows(book->live, (StateTable)i)));
}

static void test_what_was_written_is_known_without_reading_it(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(Store) other = place_connect(*state); /* that must read all */
	g_autoptr(GError) error = NULL;
	furnish(store);
	g_autoptr(json_t) ops = quoted(
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 50}},"
		" {'op': 'update', 'table': 'releases', 'name': 'web-1', 'row': {'version': "
		"'1.0.0'}}, {'op': 'delete', 'table': 'releases', 'name': 'web-2'},"
		" {'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'web', 'channel': "
		"'release'}}]");
	Rewriting rewriting = {ops, FALSE, NULL};
	store_write(store, rewrite, &rewriting, &error);
	assert_good(error);
	assert_same_rows(rewriting.expected, store);
	assert_same_rows(rewriting.expected, other);
	state_unref(rewriting.expected);
}

static void test_what_was_taken_back_is_forgotten(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(GError) error = NULL;
	furnish(store);
	g_autoptr(ChannelBook) before = channel_book_read(store, NULL);
	g_autoptr(json_t) ops = quoted(RULE_OP("'rate': 50"));
	Rewriting rewriting = {ops, TRUE, NULL};
	assert_false(store_write(store, rewrite, &rewriting, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "on second thought");
	assert_same_rows(before->live, store);
	state_unref(rewriting.expected);
}

static void test_rows_that_another_connection_wrote_are_read(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(Store) other = place_connect(*state);
	furnish(store);
	assert_row(other, STATE_RULES, "1",
		"{'rule_id': 1, 'product': 'web', 'channel': 'release', 'priority': 10, "
		"'rate': 25, 'mapping': "
		"'web-1', 'data_version': 1}");
	edit(store, 20, RULE_OP("'rate': 50"));
	g_autoptr(ChannelBook) book = channel_book_read(store, NULL);
	assert_same_rows(book->live, other);
}

/* The queue ------------------------------------------------------------------------------------ */

static void test_edit_of_another_column_is_merged(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_auto(ChannelEdit) result = {0};
	furnish(store);
	gint64 change = schedule(store, 15, 100, RULE_OP("'rate': 100"));
	edit_told(store, 20, RULE_OP("'priority': 90"), &result);
	assert_int_equal(result.rebased->len, 1);
	const Rebased *rebased = &g_array_index(result.rebased, Rebased, 0);
	assert_int_equal(rebased->change, change);
	assert_null(rebased->why);
	assert_true(rebased->loses_sign_offs);
	assert_ops(store, change, RULE_OP("'rate': 100"));
}

static void test_edit_of_the_same_column_is_a_conflict_until_it_is_not(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	gint64 change = schedule(store, 15, 100, RULE_OP("'rate': 100"));
	edit(store, 20, RULE_OP("'rate': 50"));
	g_autoptr(ChannelChange) in_conflict = channel_change_load(store, change, NULL);
	assert_string_equal(json_text(in_conflict->problem, "kind"), CHANNEL_PROBLEM_CONFLICT);
	assert_string_equal(
		json_text(in_conflict->problem, "text"), "rules 1: rate: was edited on both sides");
	const json_t *conflict =
		json_array_get(json_object_get(in_conflict->problem, "conflicts"), 0);
	assert_string_equal(json_text(conflict, "column"), "rate");
	assert_int_equal(json_integer_of(conflict, "base"), 25);
	assert_int_equal(json_integer_of(conflict, "ours"), 100);
	assert_int_equal(json_integer_of(conflict, "theirs"), 50);
	edit(store, 21, RULE_OP("'priority': 11"));
	g_autoptr(ChannelChange) still = channel_change_load(store, change, NULL);
	assert_true(json_equal(still->problem, in_conflict->problem));
	edit(store, 22, RULE_OP("'rate': 25"));
	g_autoptr(ChannelChange) settled = channel_change_load(store, change, NULL);
	assert_null(settled->problem);
	assert_ops(store, change, RULE_OP("'rate': 100"));
}

static void test_tests_of_what_an_edit_touches_are_void(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 11,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'tv', 'channel': "
		"'release'}}]");
	gint64 touched = schedule(store, 15, 100, RULE_OP("'rate': 100"));
	gint64 other = schedule(store, 15, 101,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': {'rate': 5}}]");
	for (gint64 change = touched; change <= other; change++) {
		g_autofree char *sql = g_strdup_printf(
			"INSERT INTO channel_tested (change_id, person, role, digests_json, at_us)"
			" VALUES (%d, 'eve', 'tester', '[]', 1)",
			(int)change);
		must_write(store, sql);
	}
	edit(store, 20, RULE_OP("'priority': 90"));
	assert_int_equal(must_read_integer(store,
				 "SELECT change_id FROM channel_tested WHERE void_us = 20000000 "
				 "AND void_why IS NOT NULL"),
		touched);
	assert_int_equal(must_read_integer(store,
				 "SELECT change_id FROM channel_tested WHERE void_us IS NULL"),
		other);
}

static void test_merge_that_makes_a_bad_rule_is_a_conflict(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	gint64 change = schedule(store, 15, 100, RULE_OP("'mapping': 'web-2'"));
	edit(store, 20, RULE_OP("'product': 'tv', 'mapping': null"));
	g_autoptr(ChannelChange) waits = channel_change_load(store, change, NULL);
	assert_string_equal(json_text(waits->problem, "kind"), CHANNEL_PROBLEM_CONFLICT);
}

static void test_release_under_a_change_that_waits_stays(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	schedule(store, 15, 100, RULE_OP("'mapping': 'web-2'"));
	edit_refused(store, "[{'op': 'delete', 'table': 'releases', 'name': 'web-2'}]",
		DROVER_ERROR_CONFLICT, "releases web-2: change 1 waits to map to it");
	edit_refused(store,
		"[{'op': 'update', 'table': 'releases', 'name': 'web-2', 'row': {'build_id': "
		"'5'}}]",
		DROVER_ERROR_CONFLICT, "releases web-2: change 1 waits to map to it");
	edit_refused(store, "[{'op': 'delete', 'table': 'releases', 'name': 'web-1'}]",
		DROVER_ERROR_CONFLICT, "releases web-1: cannot go, because rules 1 still names it");
}

static void test_release_may_be_published_under_a_change_that_waits_for_it(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 11,
		"[{'op': 'insert', 'table': 'releases', 'row': {'name': 'web-3', 'product': 'web', "
		"'published': false}}]");
	schedule(store, 15, 100, RULE_OP("'mapping': 'web-3'"));
	g_auto(ChannelEdit) result = {0};
	edit_told(store, 20,
		"[{'op': 'update', 'table': 'releases', 'name': 'web-3', 'row': {'published': "
		"true}}]",
		&result);
	const Rebased *rebased = &g_array_index(result.rebased, Rebased, 0);
	assert_false(rebased->loses_sign_offs);
	assert_false(rebased->loses_tests);
	edit_refused(store,
		"[{'op': 'update', 'table': 'releases', 'name': 'web-3', 'row': {'published': "
		"false}}]",
		DROVER_ERROR_CONFLICT, "releases web-3: change 1 waits to map to it");
}

static void test_rebased_change_has_its_history(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	schedule(store, 15, 100, RULE_OP("'rate': 100, 'priority': 90"));
	edit(store, 20, RULE_OP("'priority': 90"));
	assert_ops(store, 1, RULE_OP("'rate': 100"));
	assert_int_equal(must_read_integer(store,
				 "SELECT COUNT(*) FROM history WHERE action = 'change.rebase' AND "
				 "subject = 'change/1' AND at_us = 20000000"),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_edit_writes_rows_with_their_version),
		ON_BOTH(test_edit_tells_what_it_wrote),
		ON_BOTH(test_numbers_of_rules_are_never_given_twice),
		ON_BOTH(test_stale_edit_is_refused_and_says_who_was_faster),
		ON_BOTH(test_edit_of_nothing_moves_nothing),
		ON_BOTH(test_bad_rows_leave_nothing_behind),
		ON_BOTH(test_more_ops_than_allowed_are_refused),
		ON_BOTH(test_where_others_must_agree_nothing_goes_live_at_once),
		ON_BOTH(test_what_was_written_is_known_without_reading_it),
		ON_BOTH(test_what_was_taken_back_is_forgotten),
		ON_BOTH(test_rows_that_another_connection_wrote_are_read),
		ON_BOTH(test_edit_of_another_column_is_merged),
		ON_BOTH(test_edit_of_the_same_column_is_a_conflict_until_it_is_not),
		ON_BOTH(test_tests_of_what_an_edit_touches_are_void),
		ON_BOTH(test_merge_that_makes_a_bad_rule_is_a_conflict),
		ON_BOTH(test_release_under_a_change_that_waits_stays),
		ON_BOTH(test_release_may_be_published_under_a_change_that_waits_for_it),
		ON_BOTH(test_rebased_change_has_its_history),
	};
	return cmocka_run_group_tests_name("channel/book edit", tests, NULL, NULL);
}
