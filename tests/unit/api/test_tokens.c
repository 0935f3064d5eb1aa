/* SPDX-License-Identifier: ISC
 *
 * Tokens: made once shown once, valid until they expire or are revoked, and nobody else's business.
 */
#include "house.h"

#include <string.h>

#include "base/secret.h"

static void test_token_lets_its_person_in(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", "tester"));
	g_autofree char *secret = house_token(house, "ada");
	g_autoptr(Actor) ada = must_be_let_in(house, secret);
	assert_int_equal(ada->kind, ACTOR_PERSON);
	assert_string_equal(ada->name, "ada");
	assert_true(actor_has(ada, ROLE_TESTER, NULL));
	assert_false(actor_has(ada, ROLE_OPERATOR, NULL));
}

static void test_every_bad_token_is_refused_in_the_same_words(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	actor_free(house_person(house, "bob", NULL));
	g_autofree char *forged = secret_new(TOKEN_PREFIX);
	g_autofree char *revoked = house_token(house, "ada");
	tell(house, ada, "DELETE", "/tokens/3", NULL);
	g_autofree char *disabled = house_token(house, "bob");
	tell(house, ada, "PATCH", "/people/bob", "{'data_version':1,'disabled':true}");
	g_autofree char *wanted = must_be_refused(house, forged);
	const char *bad[] = {"", "drt_", "nonsense", "drt_\xff", revoked, disabled};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *message = must_be_refused(house, bad[i]);
		assert_string_equal(message, wanted);
	}
}

static void test_digest_of_a_token_is_no_token(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	g_autofree char *secret = house_token(house, "ada");
	g_autofree char *digest = secret_digest(secret);
	g_autofree char *with_prefix = g_strconcat(TOKEN_PREFIX, digest, NULL);
	g_free(must_be_refused(house, digest));
	g_free(must_be_refused(house, with_prefix));
}

static void test_token_ends_at_the_instant_it_expires(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	g_autoptr(json_t) made = ask(house, house->local, "POST", "/tokens",
		"{'name':'day','person':'ada','expires_days':1}");
	const char *secret = json_text(made, "secret");
	house_wait(house, 86400 - 1);
	actor_free(must_be_let_in(house, secret));
	house_wait(house, 1);
	g_free(must_be_refused(house, secret));
}

static void test_token_lives_for_90_days_unless_told_otherwise(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	g_autoptr(json_t) made = ask(house, ada, "POST", "/tokens", "{'name':'ci'}");
	const json_t *token = json_object_get(made, "token");
	assert_string_equal(json_text(token, "expires"), "2027-02-19T12:00:00Z");
	tell(house, ada, "POST", "/tokens", "{'name':'ci','expires_days':366}");
	assert_refused(house, ada, "POST", "/tokens", "{'name':'ci','expires_days':367}",
		DROVER_ERROR_INPUT, "expires_days: must be from 1 to 366, not 367");
	assert_refused(house, ada, "POST", "/tokens", "{'name':'ci','expires_days':0}",
		DROVER_ERROR_INPUT, "expires_days: ");
}

static void test_token_of_a_disabled_person_is_refused_until_enabled(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	g_autofree char *secret = house_token(house, "ada");
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':1,'disabled':true}");
	g_free(must_be_refused(house, secret));
	assert_refused(house, house->local, "POST", "/tokens", "{'name':'ci','person':'ada'}",
		DROVER_ERROR_CONFLICT, "ada, who is disabled");
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':2,'disabled':false}");
	actor_free(must_be_let_in(house, secret));
}

static void test_secret_is_in_the_answer_that_makes_it_and_nowhere_else(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	g_autofree char *secret = house_token(house, "ada");
	g_autofree char *digest = secret_digest(secret);
	g_autoptr(json_t) listed = ask(house, ada, "GET", "/tokens", NULL);
	g_autoptr(json_t) gone = ask(house, ada, "DELETE", "/tokens/2", NULL);
	g_autofree char *list = json_write(listed);
	g_autofree char *revoked = json_write(gone);
	g_autofree char *history = house_history(house);
	const char *texts[] = {list, revoked, history};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		assert_null(strstr(texts[i], secret));
		assert_null(strstr(texts[i], digest));
	}
	g_autofree char *count = g_strdup_printf(
		"SELECT COUNT(*) FROM token WHERE digest = '%s' AND name <> '%s'", digest, secret);
	assert_int_equal(house_integer(house, count), 1);
	assert_non_null(strstr(history, "token.add token/2 - - {\"id\":2,\"person\":\"ada\""));
	assert_non_null(strstr(history, "ada token.revoke token/2"));
}

static void test_person_sees_their_own_tokens_and_an_admin_sees_all(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	g_autoptr(Actor) eve = house_person(house, "eve", "operator");
	g_autoptr(json_t) own = ask(house, eve, "GET", "/tokens", NULL);
	g_autoptr(json_t) all = ask(house, ada, "GET", "/tokens", NULL);
	g_autoptr(json_t) local = ask(house, house->local, "GET", "/tokens", NULL);
	assert_int_equal(json_array_size(own), 1);
	assert_string_equal(json_text(json_array_get(own, 0), "person"), "eve");
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(json_array_size(local), 2);
}

static void test_token_of_another_is_not_there_to_revoke(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	g_autoptr(Actor) eve = house_person(house, "eve", "operator");
	assert_refused(house, eve, "DELETE", "/tokens/1", NULL, DROVER_ERROR_NOT_FOUND,
		"you have no token 1");
	assert_refused(house, eve, "DELETE", "/tokens/99", NULL, DROVER_ERROR_NOT_FOUND,
		"you have no token 99");
	tell(house, eve, "DELETE", "/tokens/2", NULL);
	tell(house, ada, "DELETE", "/tokens/2", NULL);
	assert_refused(house, ada, "DELETE", "/tokens/x", NULL, DROVER_ERROR_INPUT, "id");
}

static void test_token_for_another_needs_an_admin(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", "admin");
	g_autoptr(Actor) eve = house_person(house, "eve", "operator");
	assert_refused(house, eve, "POST", "/tokens", "{'name':'x','person':'ada'}",
		DROVER_ERROR_DENIED, "eve lacks the role admin");
	tell(house, eve, "POST", "/tokens", "{'name':'x','person':'eve'}");
	g_autoptr(json_t) made = ask(house, ada, "POST", "/tokens", "{'name':'x','person':'eve'}");
	g_autoptr(Actor) as_eve = must_be_let_in(house, json_text(made, "secret"));
	assert_string_equal(as_eve->name, "eve");
	assert_false(actor_has(as_eve, ROLE_ADMIN, NULL));
}

static void test_local_actor_must_say_whose_token(void **state)
{
	House *house = *state;
	assert_refused(house, house->local, "POST", "/tokens", "{'name':'ci'}", DROVER_ERROR_INPUT,
		"person: is missing");
}

static void test_token_names_are_one_line_of_100_bytes_at_most(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	g_autofree char *longest = g_strnfill(TOKEN_NAME_MAXIMUM_BYTES, 'n');
	g_autofree char *good = g_strdup_printf("{'name':'%s'}", longest);
	g_autofree char *bad = g_strdup_printf("{'name':'%sn'}", longest);
	tell(house, ada, "POST", "/tokens", good);
	assert_refused(house, ada, "POST", "/tokens", bad, DROVER_ERROR_INPUT, "name: ");
	assert_refused(house, ada, "POST", "/tokens", "{'name':''}", DROVER_ERROR_INPUT, "name: ");
	assert_refused(
		house, ada, "POST", "/tokens", "{'name':'a\\nb'}", DROVER_ERROR_INPUT, "name: ");
	assert_refused(house, ada, "POST", "/tokens", "{}", DROVER_ERROR_INPUT, "name: ");
}

static void test_person_has_100_valid_tokens_at_most(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	for (int i = 1; i < TOKENS_PER_PERSON; i++)
		tell(house, ada, "POST", "/tokens", "{'name':'ci','expires_days':1}");
	assert_refused(house, ada, "POST", "/tokens", "{'name':'ci'}", DROVER_ERROR_CONFLICT,
		"ada has 100 valid tokens already");
	tell(house, ada, "DELETE", "/tokens/2", NULL);
	tell(house, ada, "POST", "/tokens", "{'name':'ci'}");
	house_wait(house, 86400);
	tell(house, ada, "POST", "/tokens", "{'name':'the others have expired'}");
}

static void test_revoking_twice_changes_nothing(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	tell(house, ada, "DELETE", "/tokens/1", NULL);
	g_autofree char *before = house_history(house);
	house_wait(house, 60);
	g_autoptr(json_t) again = ask(house, ada, "DELETE", "/tokens/1", NULL);
	g_autofree char *after = house_history(house);
	assert_string_equal(before, after);
	assert_string_equal(json_text(again, "revoked"), "2026-11-21T12:00:00Z");
}

static void test_use_of_a_token_is_noted_once_a_minute(void **state)
{
	House *house = *state;
	actor_free(house_person(house, "ada", NULL));
	g_autofree char *secret = house_token(house, "ada");
	static const struct {
		gint64 wait_s, used_s;
	} steps[] = {{0, 0}, {59, 0}, {1, 60}, {59, 60}, {61, 180}};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		house_wait(house, steps[i].wait_s);
		actor_free(must_be_let_in(house, secret));
		assert_int_equal(house_integer(house, "SELECT used_us FROM token WHERE id = 2"),
			NOON_US + steps[i].used_s * US_PER_SECOND);
	}
}

static void test_maintenance_lets_tokens_in_and_writes_nothing(void **state)
{
	House *house = *state;
	g_autoptr(Actor) ada = house_person(house, "ada", NULL);
	g_autofree char *secret = house_token(house, "ada");
	house_execute(house, "UPDATE maintenance SET is_on = 1, reason = 'test', since_us = 1");
	actor_free(must_be_let_in(house, secret));
	assert_int_equal(
		house_integer(house, "SELECT used_us FROM token WHERE id = 2"), G_MININT64);
	assert_refused(house, ada, "POST", "/tokens", "{'name':'ci'}", DROVER_ERROR_MAINTENANCE,
		"maintenance");
}

int token_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_token_lets_its_person_in),
		ON_BOTH(test_every_bad_token_is_refused_in_the_same_words),
		ON_BOTH(test_digest_of_a_token_is_no_token),
		ON_BOTH(test_token_ends_at_the_instant_it_expires),
		ON_BOTH(test_token_lives_for_90_days_unless_told_otherwise),
		ON_BOTH(test_token_of_a_disabled_person_is_refused_until_enabled),
		ON_BOTH(test_secret_is_in_the_answer_that_makes_it_and_nowhere_else),
		ON_BOTH(test_person_sees_their_own_tokens_and_an_admin_sees_all),
		ON_BOTH(test_token_of_another_is_not_there_to_revoke),
		ON_BOTH(test_token_for_another_needs_an_admin),
		ON_BOTH(test_local_actor_must_say_whose_token),
		ON_BOTH(test_token_names_are_one_line_of_100_bytes_at_most),
		ON_BOTH(test_person_has_100_valid_tokens_at_most),
		ON_BOTH(test_revoking_twice_changes_nothing),
		ON_BOTH(test_use_of_a_token_is_noted_once_a_minute),
		ON_BOTH(test_maintenance_lets_tokens_in_and_writes_nothing),
	};
	return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
