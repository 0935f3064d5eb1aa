/* SPDX-License-Identifier: ISC
 *
 * Giving and taking roles, and what may not be reached that way.
 */
#include "house.h"

#include <string.h>

#include "api/person.h"

#define SQL_PRODUCT_WEB                                                                            \
	"INSERT INTO product (name, title, branch, item_patterns, authors_may_rule, overdue_days," \
	" overdue_every_days, remind, next_ordinal, epoch, data_version)"                          \
	" VALUES ('web', 'Web', 'main', '', 0, 3, 7, 1, 1, 1, 1)"

static void test_grant_on_a_product_that_is_not_there_is_refused(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	assert_refused(house, house->local, "PUT", "/people/ada/roles",
		"{'product':'web','role':'viewer'}", DROVER_ERROR_NOT_FOUND,
		"there is no product 'web'");
	house_execute(house, SQL_PRODUCT_WEB);
	tell(house, house->local, "PUT", "/people/ada/roles", "{'product':'web','role':'viewer'}");
}

static void test_role_on_one_product_is_a_role_on_that_one_only(void **state)
{
	House *house = *state;
	house_execute(house, SQL_PRODUCT_WEB);
	g_autoptr(Actor) before = house_person(house, "ada", NULL);
	tell(house, house->local, "PUT", "/people/ada/roles", "{'product':'web','role':'tester'}");
	g_autofree char *secret = house_token(house, "ada");
	g_autoptr(Actor) ada = must_be_let_in(house, secret);
	assert_true(actor_has(ada, ROLE_TESTER, "web"));
	assert_false(actor_has(ada, ROLE_OPERATOR, "web"));
	assert_false(actor_has(ada, ROLE_TESTER, "shop"));
	assert_false(actor_has(ada, ROLE_TESTER, NULL));
	assert_false(actor_has_anywhere(before, ROLE_VIEWER));
}

static void test_role_names_that_will_not_do_are_refused(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	g_autofree char *longest = g_strnfill(ROLE_NAME_MAXIMUM_BYTES, 'r');
	g_autofree char *too_long = g_strnfill(ROLE_NAME_MAXIMUM_BYTES + 1, 'r');
	const struct {
		const char *role;
		gboolean is_good;
	} cases[] = {{"", FALSE}, {"Admin", FALSE}, {"1st", FALSE}, {"-x", FALSE}, {"a/b", FALSE},
		{"a b", FALSE}, {"*", FALSE}, {too_long, FALSE}, {longest, TRUE},
		{"release-2", TRUE}};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *body =
			g_strdup_printf("{'product':'*','role':'%s'}", cases[i].role);
		if (cases[i].is_good)
			tell(house, house->local, "PUT", "/people/ada/roles", body);
		else
			assert_refused(house, house->local, "PUT", "/people/ada/roles", body,
				DROVER_ERROR_INPUT, "role: ");
	}
}

static void test_giving_a_role_twice_changes_nothing(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", "viewer"));
	g_autofree char *before = house_history(house);
	g_autoptr(json_t) again = ask(
		house, house->local, "PUT", "/people/ada/roles", "{'product':'*','role':'viewer'}");
	g_autofree char *after = house_history(house);
	assert_int_equal(json_integer_of(again, "data_version"), 2);
	assert_string_equal(before, after);
}

static void test_taking_a_role_that_is_not_there_is_not_found(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", "viewer"));
	assert_refused(house, house->local, "DELETE", "/people/ada/roles",
		"{'product':'*','role':'tester'}", DROVER_ERROR_NOT_FOUND,
		"ada does not have the role tester on *");
}

static void test_role_that_was_taken_is_gone_with_the_next_request(void **state)
{
	House *house = *state;
	g_autoptr(Actor) then = house_person(house, "ada", "operator");
	g_autofree char *secret = house_token(house, "ada");
	tell(house, house->local, "DELETE", "/people/ada/roles",
		"{'product':'*','role':'operator'}");
	g_autoptr(Actor) now = must_be_let_in(house, secret);
	assert_true(actor_has(then, ROLE_OPERATOR, NULL));
	assert_false(actor_has_anywhere(now, ROLE_VIEWER));
}

static void test_operator_cannot_make_itself_admin(void **state)
{
	House *house = *state;
	g_autoptr(Actor) eve = house_person(house, "eve", "operator");
	assert_refused(house, eve, "PUT", "/people/eve/roles", "{'product':'*','role':'admin'}",
		DROVER_ERROR_DENIED, "eve lacks the role admin on all products");
}

static void test_admin_of_one_product_is_no_admin_of_people(void **state)
{
	House *house = *state;
	house_execute(house, SQL_PRODUCT_WEB);
	actor_free(house_person(house, "eve", NULL));
	tell(house, house->local, "PUT", "/people/eve/roles", "{'product':'web','role':'admin'}");
	g_autofree char *secret = house_token(house, "eve");
	g_autoptr(Actor) eve = must_be_let_in(house, secret);
	assert_refused(house, eve, "GET", "/people", NULL, DROVER_ERROR_DENIED, "admin");
	assert_refused(house, eve, "PUT", "/people/eve/roles", "{'product':'*','role':'admin'}",
		DROVER_ERROR_DENIED, "admin");
	assert_refused(house, eve, "PUT", "/people/eve/roles", "{'product':'web','role':'tester'}",
		DROVER_ERROR_DENIED, "admin");
}

static void test_signing_role_opens_no_route(void **state)
{
	House *house = *state;
	g_autoptr(Actor) eve = house_person(house, "eve", "administrator");
	assert_refused(house, eve, "GET", "/people", NULL, DROVER_ERROR_DENIED, "admin");
	assert_refused(house, eve, "GET", "/hosts", NULL, DROVER_ERROR_DENIED, "operator");
}

static void test_person_reads_themself_but_not_others(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", "admin"));
	g_autoptr(Actor) eve = house_person(house, "eve", "tester");
	tell(house, eve, "GET", "/people/eve", NULL);
	assert_refused(house, eve, "GET", "/people", NULL, DROVER_ERROR_DENIED, "admin");
	g_autofree char *known =
		refused(house, eve, "GET", "/people/ada", NULL, DROVER_ERROR_DENIED);
	g_autofree char *unknown =
		refused(house, eve, "GET", "/people/zoe", NULL, DROVER_ERROR_DENIED);
	assert_string_equal(known, unknown);
}

static void test_person_cannot_edit_even_themself(void **state)
{
	House *house = *state;
	g_autoptr(Actor) eve = house_person(house, "eve", "operator");
	assert_refused(house, eve, "PATCH", "/people/eve",
		"{'data_version':2,'password':'long enough'}", DROVER_ERROR_DENIED, "admin");
	assert_refused(
		house, eve, "POST", "/people/eve/login-link", NULL, DROVER_ERROR_DENIED, "admin");
}

int role_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_grant_on_a_product_that_is_not_there_is_refused),
		ON_BOTH(test_role_on_one_product_is_a_role_on_that_one_only),
		ON_BOTH(test_role_names_that_will_not_do_are_refused),
		ON_BOTH(test_giving_a_role_twice_changes_nothing),
		ON_BOTH(test_taking_a_role_that_is_not_there_is_not_found),
		ON_BOTH(test_role_that_was_taken_is_gone_with_the_next_request),
		ON_BOTH(test_operator_cannot_make_itself_admin),
		ON_BOTH(test_admin_of_one_product_is_no_admin_of_people),
		ON_BOTH(test_signing_role_opens_no_route),
		ON_BOTH(test_person_reads_themself_but_not_others),
		ON_BOTH(test_person_cannot_edit_even_themself),
	};
	return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
