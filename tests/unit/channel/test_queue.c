/* SPDX-License-Identifier: ISC
 *
 * The order, the cuts, the overlay and footprints; and what footprints promise, on random states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/change/queue.h"
#include "channel/digest.h"
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

static State *state_of(const char *rules)
{
	g_autoptr(RandomJson) rows = quoted(rules);
	State *state = state_new();
	for (gsize i = 0; i < json_array_size(rows); i++)
		assert_true(state_add(state, STATE_RULES, json_array_get(rows, i), NULL));
	return state;
}

static Queue *queue_of(const char *changes)
{
	g_autoptr(RandomJson) list = quoted(changes);
	g_autoptr(GError) error = NULL;
	Queue *queue = queue_new(list, &error);
	g_assert_no_error(error);
	return queue;
}

static const char four[] = "[{'id': 4, 'when': 9, 'ops': []}, {'id': 3, 'when': 5, 'ops': []},"
			   " {'id': 1, 'when': 9, 'ops': []}, {'id': 2, 'when': 7, 'ops': []}]";

static void test_changes_go_live_by_time_then_by_id(void **state)
{
	static const gint64 order[] = {3, 2, 1, 4};
	g_autoptr(Queue) queue = queue_of(four);
	for (guint i = 0; i < G_N_ELEMENTS(order); i++)
		assert_int_equal(change_id(queue_change(queue, i)), order[i]);
}

static void assert_prefix(const Queue *queue, const char *text, guint expected)
{
	Cut cut;
	guint count;
	g_autoptr(GError) error = NULL;
	assert_true(cut_parse(text, &cut, &error));
	assert_true(queue_prefix(queue, cut, &count, &error));
	assert_int_equal(count, expected);
}

static void test_cuts_take_a_prefix(void **state)
{
	g_autoptr(Queue) queue = queue_of(four);
	assert_prefix(queue, "all", 4);
	assert_prefix(queue, "until 4", 0);
	assert_prefix(queue, "until 7", 2);
	assert_prefix(queue, "until 9", 4);
	assert_prefix(queue, "until 1970-01-01T00:00:00.000007Z", 2);
	assert_prefix(queue, "through 3", 1);
	assert_prefix(queue, "through 1", 3);
	assert_prefix(queue, "through 4", 4);
}

static void test_what_is_no_cut_is_refused(void **state)
{
	static const char *const wrong[] = {"", "until", "until x", "through", "until -1", "ALL"};
	g_autoptr(Queue) queue = queue_of(four);
	g_autoptr(GError) error = NULL;
	guint count;
	Cut cut;
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_false(cut_parse(wrong[i], &cut, NULL));
	assert_false(queue_prefix(queue, (Cut){CUT_THROUGH, 8}, &count, &error));
	assert_true(g_error_matches(error, DROVER_ERROR, DROVER_ERROR_NOT_FOUND));
}

static void test_an_id_twice_is_refused(void **state)
{
	g_autoptr(RandomJson) list = quoted("[{'id': 1, 'when': 1}, {'id': 1, 'when': 2}]");
	assert_null(queue_new(list, NULL));
}

static void test_too_many_changes_are_refused(void **state)
{
	g_autoptr(RandomJson) list = json_array();
	g_autoptr(GError) error = NULL;
	for (guint i = 1; i <= QUEUE_MAXIMUM_CHANGES; i++)
		json_array_append_new(list, json_pack("{s:i, s:i}", "id", i, "when", 1));
	g_autoptr(Queue) queue = queue_new(list, NULL);
	assert_int_equal(queue_size(queue), QUEUE_MAXIMUM_CHANGES);
	json_array_append_new(list, json_pack("{s:i, s:i}", "id", 0, "when", 1));
	assert_null(queue_new(list, &error));
	assert_true(g_error_matches(error, DROVER_ERROR, DROVER_ERROR_TOO_LARGE));
}

static void test_what_meets_a_conflict_waits_behind_it(void **state)
{
	g_autoptr(State) live = state_of("[{'rule_id': 1, 'product': 'P', 'channel': 'beta'}]");
	g_autoptr(Queue) queue = queue_of(
		"[{'id': 1, 'when': 1, 'ops': [{'op': 'delete', 'table': 'rules', 'rule_id': 8}, "
		"{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 5}}]},"
		"{'id': 2, 'when': 2, 'ops': [{'op': 'insert', 'table': 'rules', 'rule_id': 2, "
		"'row': {'product': 'P', 'channel': 'be*'}}]},"
		"{'id': 3, 'when': 3, 'ops': [{'op': 'insert', 'table': 'rules', 'rule_id': 3, "
		"'row': {'product': 'P', 'channel': 'esr'}}]}]");
	g_autoptr(Overlay) overlay =
		queue_overlay(queue, live, (Cut){.kind = CUT_ALL}, FALSE, NULL);
	gint64 change;
	const json_t *rules = state_rows(overlay_state(overlay), STATE_RULES);
	assert_int_equal(json_object_size(rules), 2);
	assert_non_null(json_object_get(rules, "3"));
	assert_int_equal(overlay_conflicts(overlay), 2);
	assert_string_equal(
		overlay_conflict(overlay, 0, &change), "change 1: op 1: rules 8: is not there");
	assert_string_equal(
		overlay_conflict(overlay, 1, &change), "change 2: waits behind change 1");
	assert_int_equal(change, 2);
	assert_non_null(overlay_undefined(overlay, "P", "beta"));
	assert_non_null(overlay_undefined(overlay, "P", "beta-cck-x"));
	assert_null(overlay_undefined(overlay, "P", "esr"));
	assert_null(overlay_undefined(overlay, "Q", "beta"));
}

static void test_an_alias_may_be_swapped_but_not_shared(void **state)
{
	g_autoptr(State) live = state_of(
		"[{'rule_id': 1, 'alias': 'a'}, {'rule_id': 2, 'alias': 'b'}, {'rule_id': 3}]");
	g_autoptr(RandomJson) swap = quoted(
		"{'ops': [{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'alias': 'b'}},"
		" {'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': {'alias': 'a'}}]}");
	g_autoptr(RandomJson) share = quoted("{'ops': [{'op': 'update', 'table': 'rules', "
					     "'rule_id': 3, 'row': {'alias': 'b'}}]}");
	g_autoptr(State) swapped = state_apply(live, swap, NULL);
	g_autoptr(GError) error = NULL;
	assert_non_null(swapped);
	assert_null(state_apply(live, share, &error));
	assert_string_equal(error->message, "alias: rules 2 and 3 would both be called 'b'");
}

static void test_a_mapping_needs_its_release(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(Queue) queue = queue_of(
		"[{'id': 1, 'when': 1, 'ops': [{'op': 'insert', 'table': 'rules', 'rule_id': 1, "
		"'row': {'mapping': 'A'}}]}, {'id': 2, 'when': 2, 'ops': [{'op': 'insert', "
		"'table': 'releases', 'row': {'name': 'B'}}, {'op': 'insert', 'table': 'rules', "
		"'rule_id': 2, 'row': {'product': 'P', 'mapping': 'B'}}]}]");
	Overlay *strict = overlay_new(live, TRUE);
	g_autoptr(GError) error = NULL;
	assert_false(overlay_enact(strict, queue_change(queue, 0), &error));
	assert_string_equal(error->message, "change 1: rules 1: mapping: there is no release A");
	overlay_free(strict);
	strict = overlay_new(live, TRUE);
	assert_true(overlay_enact(strict, queue_change(queue, 1), NULL));
	g_autoptr(RandomJson) gone = quoted("{'id': 3, 'when': 3, 'ops': [{'op': 'delete', "
					    "'table': 'releases', 'name': 'B'}]}");
	assert_false(overlay_enact(strict, gone, NULL));
	overlay_free(strict);
}

static gboolean meets(const char *first, const char *second)
{
	g_autoptr(State) live = state_of("[{'rule_id': 1, 'product': 'P', 'channel': 'beta', "
					 "'alias': 'gate', 'mapping': 'A'}]");
	g_autofree char *a_text = g_strdup_printf("{'ops': [%s]}", first);
	g_autofree char *b_text = g_strdup_printf("{'ops': [%s]}", second);
	g_autoptr(RandomJson) a = quoted(a_text);
	g_autoptr(RandomJson) b = quoted(b_text);
	g_autoptr(Footprint) one = footprint_new(live, a);
	g_autoptr(Footprint) other = footprint_new(live, b);
	assert_int_equal(footprints_are_disjoint(one, other), footprints_are_disjoint(other, one));
	return !footprints_are_disjoint(one, other);
}

#define RULE(id, row) "{'op': 'insert', 'table': 'rules', 'rule_id': " #id ", 'row': " row "}"

static void test_footprints_meet_in_rows_aliases_reads_and_scopes(void **state)
{
	const char *esr = RULE(5, "{'product': 'P', 'channel': 'esr', 'alias': 'e'}");
	const char *release = "{'op': 'insert', 'table': 'releases', 'row': {'name': 'A'}}";
	assert_false(meets(esr, RULE(6, "{'product': 'Q', 'alias': 'f'}")));
	assert_true(meets(esr, RULE(5, "{'product': 'Q'}")));
	assert_true(meets(esr, RULE(6, "{'product': 'Q', 'alias': 'e'}")));
	assert_true(meets(esr, RULE(6, "{'channel': 'es*'}")));
	assert_true(meets(esr, RULE(6, "{'product': 'P', 'channel': 'esr-cck-x'}")));
	assert_false(meets(esr, RULE(6, "{'product': 'P', 'channel': 'esr-x'}")));
	assert_false(meets(release, esr));
	assert_true(meets(release, RULE(6, "{'product': 'Q', 'mapping': 'A'}")));
	assert_true(meets(release, RULE(6, "{'product': 'P', 'channel': 'beta'}")));
	assert_true(meets(release, "{'op': 'insert', 'table': 'releases', 'row': {'name': 'B', "
				   "'platforms': {'T': {'locales': {'de': {'partials': [{'from': "
				   "'A'}]}}}}}}"));
	assert_true(meets(RULE(6, "{'alias': 'gate', 'product': 'Q'}"),
		RULE(7, "{'product': 'P', 'channel': 'beta'}")));
}

#define ROW(name, row) "{'op': 'insert', 'table': '" name "', 'row': " row "}"

static void test_rows_meet_what_says_how_they_are_read(void **state)
{
	const char *product = ROW("products", "{'product': 'Q', 'scheme': 'semver'}");
	const char *test = ROW("channels", "{'product': 'Q', 'channel': 'qa', 'base': 'beta'}");
	assert_true(meets(product, ROW("releases", "{'name': 'R', 'product': 'Q'}")));
	assert_false(meets(product, ROW("releases", "{'name': 'R', 'product': 'P'}")));
	assert_true(meets(product, RULE(6, "{'product': 'Q', 'channel': 'esr'}")));
	assert_true(meets(test, RULE(6, "{'channel': 'qa'}")));
	assert_false(meets(test, RULE(6, "{'channel': 'esr'}")));
}

static void test_a_scope_overlaps_what_shares_a_name(void **state)
{
	static const char *const wanted[] = {"release", "beta", "release*", "rel*", "beta-cck-x*",
		"release-cck-acme", "beta-cck-*", "release-cck-acme-cck-b", "release-c*", "b*"};
	static const char *const names[] = {"release", "beta", "release-cck-acme", "beta-cck-x",
		"beta-cck-xy", "release-cck-acme-cck-b", "rel", "release-x", "beta-cck-z", "b"};
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		for (guint j = 0; j < G_N_ELEMENTS(wanted); j++) {
			Scope a = {NULL, wanted[i]}, b = {"P", wanted[j]};
			gboolean shared = FALSE;
			for (guint k = 0; k < G_N_ELEMENTS(names); k++)
				shared |= scope_holds(a, "P", names[k]) &&
					  scope_holds(b, "P", names[k]);
			if (shared != scope_overlaps(a, b))
				fail_msg("%s and %s", wanted[i], wanted[j]);
		}
	}
}

/* Properties ----------------------------------------------------------------------------------- */

static char *digest_in(const State *state, const char *product, const char *channel)
{
	g_autoptr(RandomJson) schemes = random_schemes(state);
	g_autoptr(Snapshot) snapshot = snapshot_new(state, schemes, NULL);
	return digest_of(snapshot, product, channel);
}

static gboolean are_equal(const State *a, const State *b)
{
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!json_equal((json_t *)state_rows(a, (StateTable)i),
			    (json_t *)state_rows(b, (StateTable)i)))
			return FALSE;
	return TRUE;
}

static void test_outside_its_footprint_a_change_alters_no_digest(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(21);
	guint outside = 0, altered = 0;
	for (guint i = 0; i < 20000; i++) {
		g_autoptr(State) before = random_state(rand);
		g_autoptr(RandomJson) change = random_change(rand, before, 1);
		g_autoptr(State) after = state_apply(before, change, NULL);
		const char *product = random_products[g_rand_int_range(rand, 0, 4)];
		const char *channel = random_channels[g_rand_int_range(rand, 0, 8)];
		if (after == NULL)
			continue;
		g_autoptr(Footprint) footprint = footprint_new(before, change);
		g_autofree char *one = digest_in(before, product, channel);
		g_autofree char *other = digest_in(after, product, channel);
		gboolean is_inside = footprint_alters(footprint, product, channel);
		if (!is_inside)
			assert_string_equal(one, other);
		outside += !is_inside;
		altered += strcmp(one, other) != 0;
	}
	assert_true(outside > 3000 && altered > 2000);
}

static void test_disjoint_changes_go_live_in_either_order(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(22);
	guint disjoint = 0;
	for (guint i = 0; i < 20000; i++) {
		g_autoptr(State) live = random_state(rand);
		g_autoptr(RandomJson) first = random_change(rand, live, 1);
		g_autoptr(State) with_first = state_apply(live, first, NULL);
		g_autoptr(RandomJson) second = random_change(rand, live, 2);
		if (with_first == NULL)
			continue;
		g_autoptr(Footprint) one = footprint_new(live, first);
		g_autoptr(Footprint) other = footprint_new(with_first, second);
		if (!footprints_are_disjoint(one, other))
			continue;
		disjoint++;
		g_autoptr(State) both = state_apply(with_first, second, NULL);
		g_autoptr(State) overtaken = state_apply(live, second, NULL);
		assert_int_equal(both == NULL, overtaken == NULL);
		if (both == NULL)
			continue;
		g_autoptr(State) turned = state_apply(overtaken, first, NULL);
		assert_non_null(turned);
		assert_true(are_equal(both, turned));
		for (guint j = 0; j < G_N_ELEMENTS(random_channels); j++) {
			const char *product = random_products[j % 4];
			if (!footprint_alters(other, product, random_channels[j]))
				continue;
			g_autofree char *tested = digest_in(both, product, random_channels[j]);
			g_autofree char *live_now =
				digest_in(overtaken, product, random_channels[j]);
			assert_string_equal(tested, live_now);
		}
	}
	assert_true(disjoint > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_go_live_by_time_then_by_id),
		cmocka_unit_test(test_cuts_take_a_prefix),
		cmocka_unit_test(test_what_is_no_cut_is_refused),
		cmocka_unit_test(test_an_id_twice_is_refused),
		cmocka_unit_test(test_too_many_changes_are_refused),
		cmocka_unit_test(test_what_meets_a_conflict_waits_behind_it),
		cmocka_unit_test(test_an_alias_may_be_swapped_but_not_shared),
		cmocka_unit_test(test_a_mapping_needs_its_release),
		cmocka_unit_test(test_footprints_meet_in_rows_aliases_reads_and_scopes),
		cmocka_unit_test(test_rows_meet_what_says_how_they_are_read),
		cmocka_unit_test(test_a_scope_overlaps_what_shares_a_name),
		cmocka_unit_test(test_outside_its_footprint_a_change_alters_no_digest),
		cmocka_unit_test(test_disjoint_changes_go_live_in_either_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
