/* SPDX-License-Identifier: ISC
 *
 * Logging in by password and by link, sessions and how they end.
 */
#include "house.h"

#include <string.h>

#include "base/secret.h"

#define PASSWORD "correct horse"

static void add_ada(House *house)
{
	tell(house, house->local, "POST", "/people",
		"{'name':'ada','email':'a@example.org','password':'" PASSWORD "'}");
}

/* The cookie; caller frees. */
static char *must_log_in(House *house, const char *name, const char *password)
{
	g_autoptr(GError) error = NULL;
	char *cookie = NULL;
	identity_log_in(&house->site, house->store, name, password, "192.0.2.1", &cookie, &error);
	assert_good(error);
	assert_non_null(cookie);
	return cookie;
}

/* The message; caller frees. */
static char *must_not_log_in(House *house, const char *name, const char *password)
{
	g_autoptr(GError) error = NULL;
	char *cookie = NULL;
	assert_false(identity_log_in(
		&house->site, house->store, name, password, "192.0.2.1", &cookie, &error));
	assert_null(cookie);
	assert_true(drover_error_is(error, DROVER_ERROR_UNAUTHENTICATED));
	return g_strdup(error->message);
}

static void must_be_in_session(House *house, const char *cookie)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *csrf = NULL;
	g_autoptr(Actor) actor =
		identity_from_session(&house->site, house->store, cookie, &csrf, &error);
	assert_good(error);
	assert_string_equal(actor->name, "ada");
}

static void must_be_out(House *house, const char *cookie)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *csrf = NULL;
	assert_null(identity_from_session(&house->site, house->store, cookie, &csrf, &error));
	assert_error(&error, DROVER_ERROR_UNAUTHENTICATED);
	assert_null(csrf);
}

/* The code of a new link; caller frees. */
static char *link_for_ada(House *house)
{
	g_autoptr(json_t) link = ask(house, house->local, "POST", "/people/ada/login-link", NULL);
	const char *path = json_text(link, "path");
	assert_true(g_str_has_prefix(path, "/login/"));
	return g_strdup(path + strlen("/login/"));
}

static gboolean follow(House *house, const char *code, char **cookie)
{
	g_autoptr(GError) error = NULL;
	*cookie = NULL;
	if (identity_log_in_by_link(&house->site, house->store, code, "192.0.2.1", cookie, &error))
		return TRUE;
	assert_error(&error, DROVER_ERROR_UNAUTHENTICATED);
	assert_null(*cookie);
	return FALSE;
}

static void test_right_password_opens_a_session(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	must_be_in_session(house, cookie);
}

static void test_every_wrong_login_is_refused_in_the_same_words(void **state)
{
	House *house = *state;
	add_ada(house);
	tell(house, house->local, "POST", "/people",
		"{'name':'bob','email':'b@example.org','password':'" PASSWORD "'}");
	tell(house, house->local, "PATCH", "/people/bob", "{'data_version':1,'disabled':true}");
	actor_free(house_person(house, "eve", NULL));
	static const char *const cases[][2] = {{"ada", "wrong horse"}, {"ada", ""},
		{"zoe", PASSWORD}, {"bob", PASSWORD}, {"eve", PASSWORD}, {"eve", ""}, {"", ""},
		{"Ada", PASSWORD}, {"\xff", PASSWORD}};
	g_autofree char *wanted = must_not_log_in(house, "ada", "another one");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message = must_not_log_in(house, cases[i][0], cases[i][1]);
		assert_string_equal(message, wanted);
	}
}

static void test_session_ends_after_twelve_hours(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	house_wait(house, SESSION_HOURS * 3600 - 1);
	must_be_in_session(house, cookie);
	house_wait(house, 1);
	must_be_out(house, cookie);
	g_free(must_log_in(house, "ada", PASSWORD));
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM session"), 1);
}

static void test_session_ends_with_logout_and_others_stay(void **state)
{
	House *house = *state;
	g_autoptr(GError) error = NULL;
	add_ada(house);
	g_autofree char *here = must_log_in(house, "ada", PASSWORD);
	g_autofree char *there = must_log_in(house, "ada", PASSWORD);
	assert_string_not_equal(here, there);
	assert_true(identity_log_out(house->store, here, &error));
	must_be_out(house, here);
	must_be_in_session(house, there);
	assert_true(identity_log_out(house->store, here, &error));
	assert_true(identity_log_out(house->store, "unknown", &error));
}

static void test_session_ends_when_the_person_is_disabled(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':1,'disabled':true}");
	must_be_out(house, cookie);
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':2,'disabled':false}");
	must_be_out(house, cookie);
}

static void test_session_and_link_end_with_a_new_password(void **state)
{
	House *house = *state;
	add_ada(house);
	char *unused;
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	g_autofree char *code = link_for_ada(house);
	tell(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'password':'another horse'}");
	must_be_out(house, cookie);
	assert_false(follow(house, code, &unused));
	g_free(must_not_log_in(house, "ada", PASSWORD));
	g_free(must_log_in(house, "ada", "another horse"));
}

static void test_session_survives_other_edits(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	tell(house, house->local, "PATCH", "/people/ada",
		"{'data_version':1,'email':'new@example.org'}");
	must_be_in_session(house, cookie);
}

static char *csrf_of(House *house, const char *cookie)
{
	g_autoptr(GError) error = NULL;
	char *csrf = NULL;
	actor_free(identity_from_session(&house->site, house->store, cookie, &csrf, &error));
	assert_good(error);
	return csrf;
}

static void test_each_session_has_its_own_lasting_csrf_secret(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *here = must_log_in(house, "ada", PASSWORD);
	g_autofree char *there = must_log_in(house, "ada", PASSWORD);
	g_autofree char *once = csrf_of(house, here);
	g_autofree char *again = csrf_of(house, here);
	g_autofree char *other = csrf_of(house, there);
	assert_string_equal(once, again);
	assert_string_not_equal(once, other);
	assert_int_equal(strlen(once), 64);
}

static void test_store_knows_neither_cookie_nor_csrf_secret(void **state)
{
	House *house = *state;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	g_autofree char *csrf = csrf_of(house, cookie);
	g_autofree char *digest = secret_digest(cookie);
	g_autofree char *known =
		g_strdup_printf("SELECT COUNT(*) FROM session WHERE digest = '%s'", digest);
	g_autofree char *secrets = g_strdup_printf(
		"SELECT COUNT(*) FROM session WHERE digest = '%s' OR digest = '%s'", cookie, csrf);
	assert_int_equal(house_integer(house, known), 1);
	assert_int_equal(house_integer(house, secrets), 0);
	must_be_out(house, digest);
}

static void test_link_lets_in_once(void **state)
{
	House *house = *state;
	char *unused;
	g_autofree char *cookie = NULL;
	add_ada(house);
	g_autofree char *code = link_for_ada(house);
	assert_true(follow(house, code, &cookie));
	must_be_in_session(house, cookie);
	assert_false(follow(house, code, &unused));
	assert_false(follow(house, "", &unused));
}

static void test_link_ends_after_an_hour(void **state)
{
	House *house = *state;
	char *unused;
	g_autofree char *cookie = NULL;
	add_ada(house);
	g_autofree char *late = link_for_ada(house);
	house_wait(house, LOGIN_LINK_MINUTES * 60);
	assert_false(follow(house, late, &unused));
	g_autofree char *in_time = link_for_ada(house);
	house_wait(house, LOGIN_LINK_MINUTES * 60 - 1);
	assert_true(follow(house, in_time, &cookie));
}

static void test_new_link_takes_the_place_of_the_one_before(void **state)
{
	House *house = *state;
	char *unused;
	g_autofree char *cookie = NULL;
	add_ada(house);
	g_autofree char *first = link_for_ada(house);
	g_autofree char *second = link_for_ada(house);
	assert_false(follow(house, first, &unused));
	assert_true(follow(house, second, &cookie));
}

static void test_disabled_person_gets_no_link_and_an_old_one_opens_nothing(void **state)
{
	House *house = *state;
	char *unused;
	add_ada(house);
	g_autofree char *code = link_for_ada(house);
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':1,'disabled':true}");
	assert_false(follow(house, code, &unused));
	assert_refused(house, house->local, "POST", "/people/ada/login-link", NULL,
		DROVER_ERROR_CONFLICT, "ada, who is disabled");
}

/* Sessions and links go when a person is disabled. Should they be there all the same, they open
 * nothing. */
static void test_session_and_link_that_outlive_a_disabled_person_open_nothing(void **state)
{
	House *house = *state;
	char *unused;
	add_ada(house);
	g_autofree char *cookie = must_log_in(house, "ada", PASSWORD);
	g_autofree char *code = link_for_ada(house);
	house_execute(house, "UPDATE person SET is_disabled = 1");
	must_be_out(house, cookie);
	assert_false(follow(house, code, &unused));
}

typedef struct Racer {
	House *house;
	const char *code;
	gboolean got_in;
} Racer;

static gpointer race(gpointer of)
{
	Racer *racer = of;
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(racer->house->url, &error);
	g_autofree char *cookie = NULL;
	racer->got_in = identity_log_in_by_link(
		&racer->house->site, store, racer->code, "192.0.2.1", &cookie, &error);
	return NULL;
}

static void test_of_two_who_follow_one_link_exactly_one_gets_in(void **state)
{
	House *house = *state;
	add_ada(house);
	for (int i = 0; i < 5; i++) {
		g_autofree char *code = link_for_ada(house);
		Racer racers[] = {{house, code, FALSE}, {house, code, FALSE}};
		GThread *one = g_thread_new("one", race, &racers[0]);
		GThread *other = g_thread_new("other", race, &racers[1]);
		g_thread_join(one);
		g_thread_join(other);
		assert_int_equal(racers[0].got_in + racers[1].got_in, 1);
		assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM session"), i + 1);
	}
}

static gpointer log_in_at_leisure(gpointer of)
{
	Racer *racer = of;
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(racer->house->url, &error);
	g_autofree char *cookie = NULL;
	racer->got_in = identity_log_in(
		&racer->house->site, store, "ada", PASSWORD, "192.0.2.1", &cookie, &error);
	return NULL;
}

/* Whether the edit comes before the session is opened or after: in the end there is none. */
static void test_whoever_is_disabled_while_the_password_is_checked_has_no_session(void **state)
{
	House *house = *state;
	add_ada(house);
	Racer racer = {house, NULL, FALSE};
	GThread *thread = g_thread_new("login", log_in_at_leisure, &racer);
	while (house_integer(house, "SELECT COUNT(*) FROM login_failure") == 0)
		g_usleep(500);
	tell(house, house->local, "PATCH", "/people/ada", "{'data_version':1,'disabled':true}");
	g_thread_join(thread);
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM session"), 0);
}

int login_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_right_password_opens_a_session),
		ON_BOTH(test_every_wrong_login_is_refused_in_the_same_words),
		ON_BOTH(test_session_ends_after_twelve_hours),
		ON_BOTH(test_session_ends_with_logout_and_others_stay),
		ON_BOTH(test_session_ends_when_the_person_is_disabled),
		ON_BOTH(test_session_and_link_end_with_a_new_password),
		ON_BOTH(test_session_survives_other_edits),
		ON_BOTH(test_each_session_has_its_own_lasting_csrf_secret),
		ON_BOTH(test_store_knows_neither_cookie_nor_csrf_secret),
		ON_BOTH(test_link_lets_in_once),
		ON_BOTH(test_link_ends_after_an_hour),
		ON_BOTH(test_new_link_takes_the_place_of_the_one_before),
		ON_BOTH(test_disabled_person_gets_no_link_and_an_old_one_opens_nothing),
		ON_BOTH(test_session_and_link_that_outlive_a_disabled_person_open_nothing),
		ON_BOTH(test_of_two_who_follow_one_link_exactly_one_gets_in),
		ON_BOTH(test_whoever_is_disabled_while_the_password_is_checked_has_no_session),
	};
	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
