/* SPDX-License-Identifier: ISC
 *
 * How often somebody may be wrong. Passwords are wrong here by belonging to nobody, except where a
 * right one matters.
 */
#include "house.h"

#include <string.h>

#include "api/login_limit.h"

#define PASSWORD "correct horse"
#define WINDOW_S (LOGIN_WINDOW_MINUTES * 60)

static void add_ada(House *house)
{
	tell(house, house->local, "POST", "/people",
		"{'name':'ada','email':'a@example.org','password':'" PASSWORD "'}");
}

/* 0 when let in, else the error's code. */
static int try_in(
	House *house, Store *store, const char *name, const char *password, const char *peer)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *cookie = NULL;
	gboolean in = identity_log_in(&house->site, store, name, password, peer, &cookie, &error);
	assert_int_equal(in, error == NULL);
	return in ? 0 : error->code;
}

/* One attempt that proves wrong, without the cost of a password. */
typedef struct Attempt {
	gint64 now_us;
	const char *name, *peer;
	gint64 id;
} Attempt;

static gboolean count(Store *store, gpointer of, GError **error)
{
	Attempt *attempt = of;
	return login_limit_count(
		store, attempt->now_us, attempt->name, attempt->peer, &attempt->id, error);
}

static gboolean forgive(Store *store, gpointer of, GError **error)
{
	Attempt *attempt = of;
	return login_limit_forgive(store, attempt->name, attempt->id, error);
}

static gboolean fails(House *house, const char *name, const char *peer)
{
	g_autoptr(GError) error = NULL;
	Attempt attempt = {clock_now_us(house->site.clock), name, peer, 0};
	if (store_write(house->store, count, &attempt, &error))
		return TRUE;
	assert_error(&error, DROVER_ERROR_RATE);
	return FALSE;
}

static void test_sixth_try_of_a_name_is_refused_even_with_the_right_password(void **state)
{
	House *house = *state;
	add_ada(house);
	for (int i = 1; i <= LOGIN_FAILURES_PER_NAME; i++) {
		g_autofree char *peer = g_strdup_printf("192.0.2.%d", i);
		assert_int_equal(try_in(house, house->store, "ada", "wrong", peer),
			DROVER_ERROR_UNAUTHENTICATED);
	}
	assert_int_equal(
		try_in(house, house->store, "ada", PASSWORD, "192.0.2.99"), DROVER_ERROR_RATE);
}

static void test_unknown_name_meets_the_same_limit_as_a_known_one(void **state)
{
	House *house = *state;
	for (int i = 0; i < LOGIN_FAILURES_PER_NAME; i++)
		assert_int_equal(try_in(house, house->store, "zoe", PASSWORD, NULL),
			DROVER_ERROR_UNAUTHENTICATED);
	assert_int_equal(try_in(house, house->store, "zoe", PASSWORD, NULL), DROVER_ERROR_RATE);
}

static void test_limit_holds_across_droverds(void **state)
{
	House *house = *state;
	g_autoptr(Store) other = house_connect(house);
	add_ada(house);
	for (int i = 0; i < LOGIN_FAILURES_PER_NAME; i++)
		assert_int_equal(try_in(house, i % 2 ? house->store : other, "ada", "wrong", NULL),
			DROVER_ERROR_UNAUTHENTICATED);
	assert_int_equal(try_in(house, house->store, "ada", PASSWORD, NULL), DROVER_ERROR_RATE);
	assert_int_equal(try_in(house, other, "ada", PASSWORD, NULL), DROVER_ERROR_RATE);
}

static void test_failures_count_for_fifteen_minutes(void **state)
{
	House *house = *state;
	assert_true(fails(house, "ada", NULL));
	house_wait(house, 60);
	for (int i = 2; i <= LOGIN_FAILURES_PER_NAME; i++)
		assert_true(fails(house, "ada", NULL));
	house_wait(house, WINDOW_S - 60 - 1);
	assert_false(fails(house, "ada", NULL));
	house_wait(house, 1);
	assert_true(fails(house, "ada", NULL));
	assert_false(fails(house, "ada", NULL));
}

static void test_refused_tries_do_not_make_it_longer(void **state)
{
	House *house = *state;
	for (int i = 0; i < LOGIN_FAILURES_PER_NAME; i++)
		assert_true(fails(house, "ada", NULL));
	house_wait(house, WINDOW_S - 1);
	for (int i = 0; i < 100; i++)
		assert_false(fails(house, "ada", NULL));
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM login_failure"),
		LOGIN_FAILURES_PER_NAME);
	house_wait(house, 1);
	assert_true(fails(house, "ada", NULL));
}

static void test_twenty_first_try_from_an_address_is_refused_whatever_the_name(void **state)
{
	House *house = *state;
	for (int i = 0; i < LOGIN_FAILURES_PER_ADDRESS; i++) {
		g_autofree char *name = g_strdup_printf("name%d", i);
		assert_true(fails(house, name, "192.0.2.1"));
	}
	assert_false(fails(house, "another", "192.0.2.1"));
	assert_false(fails(house, "another", "::ffff:192.0.2.1"));
	assert_true(fails(house, "another", "192.0.2.2"));
	assert_true(fails(house, "another", NULL));
}

static void test_links_that_open_nothing_count_against_the_address(void **state)
{
	House *house = *state;
	for (int i = 0; i <= LOGIN_FAILURES_PER_ADDRESS; i++) {
		g_autoptr(GError) error = NULL;
		char *cookie = NULL;
		assert_false(identity_log_in_by_link(
			&house->site, house->store, "guess", "192.0.2.1", &cookie, &error));
		assert_error(&error, i < LOGIN_FAILURES_PER_ADDRESS ? DROVER_ERROR_UNAUTHENTICATED
								    : DROVER_ERROR_RATE);
	}
	assert_false(fails(house, "ada", "192.0.2.1"));
}

static void test_right_password_wipes_the_failures_of_the_name(void **state)
{
	House *house = *state;
	add_ada(house);
	for (int i = 1; i < LOGIN_FAILURES_PER_NAME; i++)
		assert_true(fails(house, "ada", "192.0.2.1"));
	assert_int_equal(try_in(house, house->store, "ada", PASSWORD, "192.0.2.2"), 0);
	for (int i = 1; i <= LOGIN_FAILURES_PER_NAME; i++)
		assert_true(fails(house, "ada", "192.0.2.3"));
	assert_false(fails(house, "ada", "192.0.2.3"));
}

static void test_ones_own_login_does_not_wipe_an_address(void **state)
{
	House *house = *state;
	for (int i = 1; i < LOGIN_FAILURES_PER_ADDRESS; i++) {
		g_autofree char *name = g_strdup_printf("name%d", i);
		assert_true(fails(house, name, "192.0.2.1"));
	}
	g_autoptr(GError) error = NULL;
	Attempt own = {clock_now_us(house->site.clock), "eve", "192.0.2.1", 0};
	assert_true(store_write(house->store, count, &own, &error));
	assert_true(store_write(house->store, forgive, &own, &error));
	assert_true(fails(house, "ada", "192.0.2.1"));
	assert_false(fails(house, "bob", "192.0.2.1"));
}

typedef struct Guesser {
	House *house;
	int code;
} Guesser;

static gpointer guess(gpointer of)
{
	Guesser *guesser = of;
	g_autoptr(Store) store = store_open(guesser->house->url, NULL);
	guesser->code = try_in(guesser->house, store, "ada", "wrong", NULL);
	return NULL;
}

static void test_many_at_once_get_no_more_guesses(void **state)
{
	House *house = *state;
	enum { GUESSERS = 8 };
	Guesser guessers[GUESSERS];
	GThread *threads[GUESSERS];
	int looked_at = 0;
	for (int i = 0; i < GUESSERS; i++) {
		guessers[i] = (Guesser){house, 0};
		threads[i] = g_thread_new("guess", guess, &guessers[i]);
	}
	for (int i = 0; i < GUESSERS; i++) {
		g_thread_join(threads[i]);
		looked_at += guessers[i].code == DROVER_ERROR_UNAUTHENTICATED;
	}
	assert_int_equal(looked_at, LOGIN_FAILURES_PER_NAME);
}

#define SQL_FLOOD                                                                                  \
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"         \
	" INSERT INTO login_failure (name_digest, address, at_us)"                                 \
	" SELECT NULL, NULL, 1795262400000000 FROM n"

static void test_only_the_newest_ten_thousand_failures_are_kept(void **state)
{
	House *house = *state;
	assert_int_equal(LOGIN_FAILURES_KEPT, 10000);
	house_execute(house, SQL_FLOOD);
	for (int i = 0; i < 3; i++)
		assert_true(fails(house, "ada", NULL));
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM login_failure"), 10000);
	assert_int_equal(house_integer(house, "SELECT MIN(id) FROM login_failure"), 4);
	assert_int_equal(house_integer(house, "SELECT MAX(id) FROM login_failure"), 10003);
}

static void test_failures_outside_the_window_are_removed(void **state)
{
	House *house = *state;
	for (int i = 0; i < 5; i++)
		assert_true(fails(house, "ada", NULL));
	house_wait(house, WINDOW_S);
	assert_true(fails(house, "bob", NULL));
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM login_failure"), 1);
}

static void test_store_does_not_know_what_was_typed_as_a_name(void **state)
{
	House *house = *state;
	assert_true(fails(house, "my-password", NULL));
	assert_int_equal(house_integer(house, "SELECT COUNT(*) FROM login_failure"
					      " WHERE name_digest LIKE '%password%'"),
		0);
}

static void assert_address(const char *peer, const char *wanted)
{
	g_autofree char *address = login_limit_address(peer);
	assert_string_equal(address, wanted);
}

static void test_ipv6_counts_by_its_64_bit_network(void **state)
{
	assert_address("192.0.2.1", "192.0.2.1");
	assert_address("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
	assert_address("2001:db8:1:2::9", "2001:db8:1:2::/64");
	assert_address("2001:db8:1:3::9", "2001:db8:1:3::/64");
	assert_address("::1", "::/64");
	assert_address("::ffff:192.0.2.1", "192.0.2.1");
	assert_address("", "");
	assert_null(login_limit_address(NULL));
	g_autofree char *long_text = g_strnfill(1000, 'x');
	g_autofree char *address = login_limit_address(long_text);
	assert_int_equal(strlen(address), LOGIN_ADDRESS_MAXIMUM_BYTES);
}

int login_limit_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_sixth_try_of_a_name_is_refused_even_with_the_right_password),
		ON_BOTH(test_unknown_name_meets_the_same_limit_as_a_known_one),
		ON_BOTH(test_limit_holds_across_droverds),
		ON_BOTH(test_failures_count_for_fifteen_minutes),
		ON_BOTH(test_refused_tries_do_not_make_it_longer),
		ON_BOTH(test_twenty_first_try_from_an_address_is_refused_whatever_the_name),
		ON_BOTH(test_links_that_open_nothing_count_against_the_address),
		ON_BOTH(test_right_password_wipes_the_failures_of_the_name),
		ON_BOTH(test_ones_own_login_does_not_wipe_an_address),
		ON_BOTH(test_many_at_once_get_no_more_guesses),
		ON_BOTH(test_only_the_newest_ten_thousand_failures_are_kept),
		ON_BOTH(test_failures_outside_the_window_are_removed),
		ON_BOTH(test_store_does_not_know_what_was_typed_as_a_name),
		cmocka_unit_test(test_ipv6_counts_by_its_64_bit_network),
	};
	return cmocka_run_group_tests_name("login limit", tests, NULL, NULL);
}
