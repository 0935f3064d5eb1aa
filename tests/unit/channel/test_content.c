/* SPDX-License-Identifier: ISC
 *
 * What a change says, whom it needs, and whose word counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/change/content.h"
#include "channel/change/sign_off.h"
#include "channel/row/row.h"
#include "random_state.h"

static json_t *quoted(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
	json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	return value;
}

static State *live_state(void)
{
	static const struct {
		StateTable table;
		const char *row;
	} rows[] = {
		{STATE_RULES, "{'rule_id': 1, 'product': 'P', 'channel': 'beta', 'mapping': 'A', "
			      "'data_version': 4}"},
		{STATE_RULES, "{'rule_id': 2, 'product': 'Q', 'mapping': 'B'}"},
		{STATE_REQUIREMENTS,
			"{'product': 'P', 'channel': 'release', 'role': 'relman', 'n': 1}"},
		{STATE_REQUIREMENTS,
			"{'product': 'P', 'channel': 'be*', 'role': 'relman', 'n': 2}"},
		{STATE_REQUIREMENTS, "{'product': '*', 'channel': '*', 'role': 'qa', 'n': 1}"},
	};
	State *state = state_new();
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(RandomJson) row = quoted(rows[i].row);
		assert_true(state_add(state, rows[i].table, row, NULL));
	}
	return state;
}

static json_t *content(const char *ops)
{
	g_autofree char *text = g_strdup_printf("{'ops': [%s]}", ops);
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) change = quoted(text);
	return content_of(live, change, NULL);
}

static void assert_content(const char *ops, const char *expected)
{
	g_autoptr(RandomJson) found = content(ops);
	g_autofree char *text = canonical_text(found);
	g_strdelimit(text, "\"", '\'');
	assert_string_equal(text, expected);
}

static void test_the_content_is_each_row_before_and_after(void **state)
{
	assert_content("{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 5}}, "
		       "{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'mapping': "
		       "null, 'data_version': 5}}",
		"[{'after':{'channel':'beta','product':'P','rate':5,'rule_id':1},'before':"
		"{'channel':'beta','mapping':'A','product':'P','rule_id':1},'key':'1','table':"
		"'rules'}]");
}

static void test_what_ends_as_it_was_is_not_in_it(void **state)
{
	assert_content("{'op': 'insert', 'table': 'rules', 'rule_id': 9, 'row': {}}, {'op': "
		       "'delete', 'table': 'rules', 'rule_id': 9}",
		"[]");
}

static void test_only_the_digest_with_the_time_moves_with_it(void **state)
{
	g_autoptr(RandomJson) one = content("{'op': 'delete', 'table': 'rules', 'rule_id': 1}");
	g_autofree char *five = content_time_digest(one, 5);
	g_autofree char *six = content_time_digest(one, 6);
	g_autofree char *plain = content_digest(one);
	assert_string_not_equal(five, six);
	assert_string_not_equal(five, plain);
}

static void assert_required(const char *op, const char *expected)
{
	g_autofree char *text = g_strdup_printf("{'ops': [%s]}", op);
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) change = quoted(text);
	g_autoptr(GArray) roles = content_required_roles(live, change);
	g_autoptr(GString) found = g_string_new(NULL);
	for (guint i = 0; i < roles->len; i++) {
		const RequiredRole *role = &g_array_index(roles, RequiredRole, i);
		g_string_append_printf(
			found, "%s%s %u", i > 0 ? ", " : "", role->role, role->count);
	}
	assert_string_equal(found->str, expected);
}

static void test_the_old_and_the_new_row_say_who_must_agree(void **state)
{
	assert_required(
		"{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'channel': 'esr'}}",
		"qa 1, relman 2");
	assert_required("{'op': 'insert', 'table': 'rules', 'rule_id': 3, 'row': {'product': 'P', "
			"'channel': 'rel*'}}",
		"qa 1, relman 1");
	assert_required(
		"{'op': 'insert', 'table': 'rules', 'rule_id': 3, 'row': {}}", "qa 1, relman 2");
	assert_required("{'op': 'delete', 'table': 'rules', 'rule_id': 2}", "qa 1");
}

static void test_a_release_needs_those_of_whom_it_is_mapped_to(void **state)
{
	assert_required(
		"{'op': 'insert', 'table': 'releases', 'row': {'name': 'A'}}", "qa 1, relman 2");
	assert_required("{'op': 'insert', 'table': 'releases', 'row': {'name': 'B'}}", "qa 1");
	assert_required("{'op': 'insert', 'table': 'releases', 'row': {'name': 'C'}}", "");
}

static void test_a_requirement_is_changed_with_its_own_agreement(void **state)
{
	assert_required("{'op': 'delete', 'table': 'requirements', 'row': {'product': 'P', "
			"'channel': 'be*', 'role': 'relman'}}",
		"qa 1, relman 2");
}

static void test_only_switching_on_needs_agreement(void **state)
{
	assert_required("{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'P', 'channel': "
			"'beta'}}",
		"");
	assert_required("{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'P', 'channel': "
			"'esr'}}, {'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': {}}",
		"qa 1");
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) off = quoted("{'product': 'P', 'channel': 'beta'}");
	g_autoptr(RandomJson) on = quoted("{'ops': [{'op': 'delete', 'table': 'shutoffs', "
					  "'product': 'P', 'channel': 'beta'}]}");
	assert_true(state_add(live, STATE_SHUTOFFS, off, NULL));
	g_autoptr(GArray) roles = content_required_roles(live, on);
	assert_int_equal(roles->len, 2);
}

static void test_roles_and_grants_need_those_of_the_role(void **state)
{
	assert_required(
		"{'op': 'insert', 'table': 'roles', 'row': {'role': 'relman'}}", "relman 2");
	assert_required("{'op': 'insert', 'table': 'roles', 'row': {'role': 'legal'}}", "");
	assert_required("{'op': 'insert', 'table': 'grants', 'row': {'product': 'P', 'person': "
			"'ann', 'role': 'relman'}}",
		"relman 2");
	assert_required("{'op': 'insert', 'table': 'grants', 'row': {'product': 'Q', 'person': "
			"'ann', 'role': 'relman'}}",
		"");
}

static void test_only_lifting_a_freeze_needs_agreement(void **state)
{
	assert_required("{'op': 'insert', 'table': 'freezes', 'row': {'name': 'f', 'product': "
			"'P'}}",
		"");
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) freeze = quoted("{'name': 'f', 'product': 'P'}");
	g_autoptr(RandomJson) lift =
		quoted("{'ops': [{'op': 'delete', 'table': 'freezes', 'name': 'f'}]}");
	assert_true(state_add(live, STATE_FREEZES, freeze, NULL));
	g_autoptr(GArray) roles = content_required_roles(live, lift);
	assert_int_equal(roles->len, 2);
}

static void test_channels_and_products_need_those_of_their_product(void **state)
{
	assert_required("{'op': 'insert', 'table': 'channels', 'row': {'product': 'P', 'channel': "
			"'esr'}}",
		"qa 1, relman 2");
	assert_required("{'op': 'insert', 'table': 'products', 'row': {'product': 'Q'}}", "qa 1");
}

static void assert_products(const char *op, const char *role, const char *expected)
{
	g_autofree char *text = g_strdup_printf("{'ops': [%s]}", op);
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) change = quoted(text);
	g_autoptr(GArray) roles = content_required_roles(live, change);
	for (guint i = 0; i < roles->len; i++) {
		const RequiredRole *one = &g_array_index(roles, RequiredRole, i);
		g_autofree char *products = g_strjoinv(" ", one->products);
		if (strcmp(one->role, role) == 0)
			assert_string_equal(products, expected);
	}
	g_auto(GStrv) all = content_products(live, change);
	g_autofree char *concerned = g_strjoinv(" ", all);
	assert_string_equal(concerned, expected);
}

static void test_a_role_is_needed_on_each_product_concerned(void **state)
{
	assert_products("{'op': 'delete', 'table': 'rules', 'rule_id': 2}", "qa", "Q");
	assert_products("{'op': 'delete', 'table': 'rules', 'rule_id': 2}, {'op': 'delete', "
			"'table': 'rules', 'rule_id': 1}",
		"qa", "P Q");
	assert_products("{'op': 'insert', 'table': 'rules', 'rule_id': 9, 'row': {'channel': "
			"'x'}}",
		"qa", "*");
}

static void test_a_number_that_is_none_asks_for_the_most(void **state)
{
	g_autoptr(State) live = live_state();
	g_autoptr(RandomJson) row =
		quoted("{'product': 'X', 'channel': '*', 'role': 'all', 'n': 101}");
	g_autoptr(RandomJson) change = quoted("{'ops': [{'op': 'insert', 'table': 'rules', "
					      "'rule_id': 7, 'row': {'product': 'X'}}]}");
	assert_true(state_add(live, STATE_REQUIREMENTS, row, NULL));
	g_autoptr(GArray) roles = content_required_roles(live, change);
	assert_string_equal(g_array_index(roles, RequiredRole, 0).role, "all");
	assert_int_equal(g_array_index(roles, RequiredRole, 0).count, ROW_MAXIMUM_SIGNERS);
}

/* Sign-offs ------------------------------------------------------------------------------------ */

static gboolean has_role(const char *person, const char *role, gpointer of)
{
	return strcmp(person, "gone") != 0;
}

static gboolean is_clock(const char *role, gpointer of)
{
	return strcmp(role, "clock") == 0;
}

static gboolean is_self(const char *role, gpointer of)
{
	return strcmp(role, "self") == 0;
}

static const SignOffQuestion question = {"ann", "D", "T", has_role, is_clock, is_self, NULL};

static void test_what_counts_and_what_does_not(void **state)
{
	static const SignOff given[] = {
		{"bob", "qa", "old", FALSE},
		{"bob", "qa", "D", TRUE},
		{"bob", "relman", "D", FALSE},
		{"bob", "qa", "D", FALSE},
		{"gone", "qa", "D", FALSE},
		{"cy", "clock", "D", FALSE},
		{"cy", "clock", "T", FALSE},
	};
	static const SignOffStanding expected[] = {SIGN_OFF_OTHER_CONTENT, SIGN_OFF_REVOKED,
		SIGN_OFF_COUNTS, SIGN_OFF_SECOND, SIGN_OFF_LOST_ROLE, SIGN_OFF_OTHER_CONTENT,
		SIGN_OFF_COUNTS};
	SignOffStanding standings[G_N_ELEMENTS(given)];
	sign_offs_judge(&question, given, G_N_ELEMENTS(given), standings);
	for (guint i = 0; i < G_N_ELEMENTS(given); i++)
		assert_int_equal(standings[i], expected[i]);
	assert_int_equal(sign_offs_missing(&question, given, 7, "relman", 2), 1);
	assert_int_equal(sign_offs_missing(&question, given, 7, "qa", 1), 1);
	assert_int_equal(sign_offs_missing(&question, given, 7, "clock", 1), 0);
}

static void test_the_author_alone_never_fills_a_role(void **state)
{
	static const SignOff alone[] = {{"ann", "qa", "D", FALSE}};
	static const SignOff both[] = {{"ann", "qa", "D", FALSE}, {"bob", "qa", "D", FALSE}};
	static const SignOff self[] = {{"ann", "self", "D", FALSE}};
	assert_int_equal(sign_offs_missing(&question, alone, 1, "qa", 1), 1);
	assert_int_equal(sign_offs_missing(&question, both, 2, "qa", 2), 0);
	assert_int_equal(sign_offs_missing(&question, both, 2, "qa", 3), 1);
	assert_int_equal(sign_offs_missing(&question, self, 1, "self", 1), 0);
	assert_int_equal(sign_offs_missing(&question, NULL, 0, "qa", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_content_is_each_row_before_and_after),
		cmocka_unit_test(test_what_ends_as_it_was_is_not_in_it),
		cmocka_unit_test(test_only_the_digest_with_the_time_moves_with_it),
		cmocka_unit_test(test_the_old_and_the_new_row_say_who_must_agree),
		cmocka_unit_test(test_a_release_needs_those_of_whom_it_is_mapped_to),
		cmocka_unit_test(test_a_requirement_is_changed_with_its_own_agreement),
		cmocka_unit_test(test_only_switching_on_needs_agreement),
		cmocka_unit_test(test_roles_and_grants_need_those_of_the_role),
		cmocka_unit_test(test_only_lifting_a_freeze_needs_agreement),
		cmocka_unit_test(test_channels_and_products_need_those_of_their_product),
		cmocka_unit_test(test_a_role_is_needed_on_each_product_concerned),
		cmocka_unit_test(test_a_number_that_is_none_asks_for_the_most),
		cmocka_unit_test(test_what_counts_and_what_does_not),
		cmocka_unit_test(test_the_author_alone_never_fills_a_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
