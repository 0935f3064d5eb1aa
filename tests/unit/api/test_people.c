/* SPDX-License-Identifier: ISC
 *
 * People: adding, editing, and the last admin.
 */
#include "house.h"

#include <string.h>

#include "api/person.h"

static void test_person_is_added_and_shown(void **state)
{
	House *house = *state;
	tell(house, house->local, "POST", "/people", "{'name':'ada','email':'ada@example.org'}");
	g_autoptr(json_t) ada = ask(house, house->local, "GET", "/people/ada", NULL);
	g_autofree char *text = json_write(ada);
	assert_string_equal(text, "{\"name\":\"ada\",\"email\":\"ada@example.org\","
				  "\"disabled\":false,\"created\":\"2026-11-21T12:00:00Z\","
				  "\"has_password\":false,\"roles\":[],\"data_version\":1}");
}

static void test_people_are_listed_by_name_with_their_roles(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "eve", "viewer"));
	actor_free(house_person(house, "bob", NULL));
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	tell(house, ada, "PUT", "/people/ada/roles", "{'product':'*','role':'release'}");
	g_autoptr(json_t) people = ask(house, ada, "GET", "/people", NULL);
	assert_int_equal(json_array_size(people), 3);
	assert_string_equal(json_text(json_array_get(people, 0), "name"), "ada");
	assert_string_equal(json_text(json_array_get(people, 1), "name"), "bob");
	assert_string_equal(json_text(json_array_get(people, 2), "name"), "eve");
	g_autofree char *roles = json_write(json_object_get(json_array_get(people, 0), "roles"));
	assert_string_equal(roles, "[{\"product\":\"*\",\"role\":\"admin\"},"
				   "{\"product\":\"*\",\"role\":\"release\"}]");
}

static void test_a_person_changes_their_own_password(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	g_autoptr(Actor) bob = house_person(house, "bob", "admin");
	const char *path = "/people/ada/password";
	assert_refused(house, ada, "PUT", path, "{'new':'first password'}", DROVER_ERROR_DENIED,
		"a token cannot make the first one");
	g_free(ada->tool);
	ada->tool = g_strdup("page");
	tell(house, ada, "PUT", path, "{'new':'first password'}");
	assert_refused(house, ada, "PUT", path, "{'old':'wrong','new':'second password'}",
		DROVER_ERROR_DENIED, "present password");
	assert_refused(house, ada, "PUT", path, "{'new':'second password'}", DROVER_ERROR_DENIED,
		"present password");
	assert_refused(house, ada, "PUT", path, "{'old':'first password','new':'short'}",
		DROVER_ERROR_INPUT, "new: must have from 10");
	assert_refused(house, bob, "PUT", path, "{'old':'first password','new':'second password'}",
		DROVER_ERROR_DENIED, "only ada");
	g_autoptr(GError) error = NULL;
	g_autofree char *cookie = NULL, *csrf = NULL, *later = NULL;
	assert_true(identity_log_in(
		&house->site, house->store, "ada", "first password", "127.0.0.1", &cookie, &error));
	tell(house, ada, "PUT", path, "{'old':'first password','new':'second password'}");
	assert_null(identity_from_session(&house->site, house->store, cookie, &csrf, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_UNAUTHENTICATED));
	g_clear_error(&error);
	assert_true(identity_log_in(
		&house->site, house->store, "ada", "second password", "127.0.0.1", &later, &error));
}

static void add_named(House *house, const char *name, gboolean is_good)
{
	g_autofree char *body = g_strdup_printf("{'name':'%s','email':'a@example.org'}", name);
	if (is_good)
		tell(house, house->local, "POST", "/people", body);
	else
		assert_refused(
			house, house->local, "POST", "/people", body, DROVER_ERROR_INPUT, "name: ");
}

static void test_names_that_will_not_do_are_refused(void **state)
{
	House *house = *state;
	static const char *const bad[] = {
		"", "Ada", "1ada", "-ada", ".ada", "a da", "a/da", "ad\u00e4", "*", "a\\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		add_named(house, bad[i], FALSE);
	g_autofree char *longest = g_strnfill(PERSON_NAME_MAXIMUM_BYTES, 'a');
	g_autofree char *too_long = g_strnfill(PERSON_NAME_MAXIMUM_BYTES + 1, 'a');
	add_named(house, longest, TRUE);
	add_named(house, too_long, FALSE);
	add_named(house, "a.b_c-9", TRUE);
}

static void test_mail_addresses_that_will_not_do_are_refused(void **state)
{
	House *house = *state;
	static const char *const bad[] = {"", "ada", "a@b@c", "ada@example.org\\nBcc: x@y"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *body = g_strdup_printf("{'name':'ada','email':'%s'}", bad[i]);
		assert_refused(house, house->local, "POST", "/people", body, DROVER_ERROR_INPUT,
			"email: ");
	}
	assert_refused(house, house->local, "POST", "/people", "{'name':'ada'}", DROVER_ERROR_INPUT,
		"email: ");
}

static void test_second_person_of_a_name_is_refused(void **state)
{
	House *house = *state;
	add_named(house, "ada", TRUE);
	assert_refused(house, house->local, "POST", "/people",
		"{'name':'ada','email':'other@example.org'}", DROVER_ERROR_CONFLICT,
		"there is a person 'ada' already");
}

static void test_passwords_have_ten_bytes_at_least_and_1024_at_most(void **state)
{
	House *house = *state;
	static const struct {
		gsize length;
		gboolean is_good;
	} cases[] = {{9, FALSE}, {10, TRUE}, {1024, TRUE}, {1025, FALSE}};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *password = g_strnfill(cases[i].length, 'x');
		g_autofree char *body = g_strdup_printf(
			"{'name':'p%zu','email':'a@example.org','password':'%s'}", i, password);
		if (cases[i].is_good)
			tell(house, house->local, "POST", "/people", body);
		else
			assert_refused(house, house->local, "POST", "/people", body,
				DROVER_ERROR_INPUT, "password: must have from 10 to 1024 bytes");
	}
}

static void test_unknown_person_is_not_found(void **state)
{
	House *house = *state;
	assert_refused(house, house->local, "GET", "/people/ada", NULL, DROVER_ERROR_NOT_FOUND,
		"there is no person 'ada'");
}

static void test_edit_moves_the_data_version(void **state)
{
	House *house = *state;
	add_named(house, "ada", TRUE);
	g_autoptr(json_t) ada = ask(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'email':'new@example.org'}");
	assert_string_equal(json_text(ada, "email"), "new@example.org");
	assert_int_equal(json_integer_of(ada, "data_version"), 2);
}

static void test_stale_edit_is_refused_and_told_the_current_version(void **state)
{
	House *house = *state;
	add_named(house, "ada", TRUE);
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':1,'disabled':true}");
	assert_refused(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'disabled':false}", DROVER_ERROR_CONFLICT,
		"the edit was made from data_version 1, the current one is 2");
	assert_refused(house, house->local, "PATCH", "/people/ada", "{'disabled':false}",
		DROVER_ERROR_INPUT, "data_version: ");
}

static void test_edit_that_changes_nothing_leaves_no_trace(void **state)
{
	House *house = *state;
	add_named(house, "ada", TRUE);
	g_autofree char *before = house_history(house);
	g_autoptr(json_t) ada = ask(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'email':'a@example.org','disabled':false,'password':null}");
	g_autofree char *after = house_history(house);
	assert_int_equal(json_integer_of(ada, "data_version"), 1);
	assert_string_equal(before, after);
}

static void test_password_is_set_and_removed(void **state)
{
	House *house = *state;
	add_named(house, "ada", TRUE);
	g_autoptr(json_t) with = ask(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'password':'correct horse'}");
	assert_true(json_is_true(json_object_get(with, "has_password")));
	g_autoptr(json_t) without = ask(
		house, house->local, "PATCH", "/people/ada", "{'data_version':2,'password':null}");
	assert_true(json_is_false(json_object_get(without, "has_password")));
}

static void test_last_admin_cannot_be_disabled(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	assert_refused(house, ada, "PATCH", "/people/ada", "{'data_version':2,'disabled':true}",
		DROVER_ERROR_CONFLICT,
		"cannot disable ada: ada is the last admin; first make somebody else one");
	assert_refused(house, house->local, "PATCH", "/people/ada",
		"{'data_version':2,'disabled':true}", DROVER_ERROR_CONFLICT, "last admin");
}

static void test_last_admin_cannot_lose_admin(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	assert_refused(house, ada, "DELETE", "/people/ada/roles", "{'product':'*','role':'admin'}",
		DROVER_ERROR_CONFLICT, "ada is the last admin");
}

static void test_one_of_two_admins_may_go_but_not_both(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", "admin"));
	g_autoptr(Actor) bob = house_person(house, "bob", "admin");
	tell(house, bob, "DELETE", "/people/ada/roles", "{'product':'*','role':'admin'}");
	assert_refused(house, bob, "DELETE", "/people/bob/roles", "{'product':'*','role':'admin'}",
		DROVER_ERROR_CONFLICT, "bob is the last admin");
}

static void test_disabled_admin_does_not_count_as_one_that_is_left(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	actor_free(house_person(house, "bob", "admin"));
	tell(house, ada, "PATCH", "/people/bob", "{'data_version':2,'disabled':true}");
	assert_refused(house, ada, "PATCH", "/people/ada", "{'data_version':2,'disabled':true}",
		DROVER_ERROR_CONFLICT, "ada is the last admin");
	tell(house, ada, "DELETE", "/people/bob/roles", "{'product':'*','role':'admin'}");
}

static void test_every_change_stands_in_history_without_secrets(void **state)
{
	House *house = *state;
	tell(house, house->local, "POST", "/people",
		"{'name':'ada','email':'a@example.org','password':'first-secret'}");
	tell(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'password':'second-secret','reason':'forgotten'}");
	tell(house, house->local, "PUT", "/people/ada/roles", "{'product':'*','role':'admin'}");
	g_autoptr(json_t) link = ask(house, house->local, "POST", "/people/ada/login-link", NULL);
	g_autofree char *history = house_history(house);
	assert_non_null(strstr(history, "root@test (store) person.add person/ada - - {"));
	assert_non_null(strstr(history, "root@test (store) person.update person/ada forgotten {"));
	assert_non_null(strstr(history, "\"data_version\":2,\"password\":\"changed\"}"));
	assert_non_null(strstr(history, "role.grant person/ada - {"));
	assert_non_null(strstr(history,
		"person.login_link person/ada - - {\"expires\":\"2026-11-21T13:00:00Z\"}"));
	assert_null(strstr(history, "secret"));
	assert_null(strstr(history, "argon2"));
	assert_null(strstr(history, json_text(link, "path") + strlen("/login/")));
}

static void test_no_answer_about_people_shows_a_hash(void **state)
{
	House *house = *state;
	g_autoptr(json_t) added = ask(house, house->local, "POST", "/people",
		"{'name':'ada','email':'a@example.org','password':'first-secret'}");
	g_autoptr(json_t) listed = ask(house, house->local, "GET", "/people", NULL);
	g_autofree char *one = json_write(added);
	g_autofree char *all = json_write(listed);
	assert_null(strstr(one, "argon2"));
	assert_null(strstr(all, "argon2"));
	assert_null(strstr(one, "secret"));
}

int people_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_person_is_added_and_shown),
		ON_BOTH(test_a_person_changes_their_own_password),
		ON_BOTH(test_people_are_listed_by_name_with_their_roles),
		ON_BOTH(test_names_that_will_not_do_are_refused),
		ON_BOTH(test_mail_addresses_that_will_not_do_are_refused),
		ON_BOTH(test_second_person_of_a_name_is_refused),
		ON_BOTH(test_passwords_have_ten_bytes_at_least_and_1024_at_most),
		ON_BOTH(test_unknown_person_is_not_found),
		ON_BOTH(test_edit_moves_the_data_version),
		ON_BOTH(test_stale_edit_is_refused_and_told_the_current_version),
		ON_BOTH(test_edit_that_changes_nothing_leaves_no_trace),
		ON_BOTH(test_password_is_set_and_removed),
		ON_BOTH(test_last_admin_cannot_be_disabled),
		ON_BOTH(test_last_admin_cannot_lose_admin),
		ON_BOTH(test_one_of_two_admins_may_go_but_not_both),
		ON_BOTH(test_disabled_admin_does_not_count_as_one_that_is_left),
		ON_BOTH(test_every_change_stands_in_history_without_secrets),
		ON_BOTH(test_no_answer_about_people_shows_a_hash),
	};
	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
