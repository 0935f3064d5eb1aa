/* SPDX-License-Identifier: ISC
 *
 * All or nothing, one view, and several at once.
 */
#include "place.h"

#include <string.h>

#include "store/engine.h"

#define THREADS	   4
#define INCREMENTS 25

static gboolean execute(Store *store, gpointer sql, GError **error)
{
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

static gint64 generation(Store *store)
{
	return must_read_integer(store, "SELECT value FROM counter WHERE name = 'generation'");
}

/* Rolling back -------------------------------------------------------------------------------- */

static gboolean advance_then_fail(Store *store, gpointer of, GError **error)
{
	if (!store_counter_advance(store, STORE_GENERATION, error))
		return FALSE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND, "changed my mind");
	return FALSE;
}

static void test_work_that_fails_leaves_nothing(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	assert_false(store_write(place->store, advance_then_fail, NULL, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "changed my mind");
	assert_int_equal(generation(place->store), 1);
	must_write(place->store, "UPDATE counter SET value = 5 WHERE name = 'generation'");
	assert_int_equal(generation(place->store), 5);
}

/* Whatever became of it, whoever writes next must not wait for a lock that was forgotten. */
static void test_work_that_ended_holds_nobody_up(void **state)
{
	Place *place = *state;
	g_autoptr(Store) other = place_connect(place);
	must_write(other, "UPDATE counter SET value = 2 WHERE name = 'generation'");
	must_write(place->store, "UPDATE counter SET value = 3 WHERE name = 'generation'");
	assert_false(store_write(other, advance_then_fail, NULL, NULL));
	must_write(place->store, "UPDATE counter SET value = 4 WHERE name = 'generation'");
	assert_false(store_write(other, execute, "INSERT INTO nowhere VALUES (1)", NULL));
	must_write(place->store, "UPDATE counter SET value = 5 WHERE name = 'generation'");
	assert_int_equal(generation(other), 5);
}

/* A person would call this a mistake: the failed statement is ignored. */
static gboolean advance_and_ignore_a_failure(Store *store, gpointer of, GError **error)
{
	return store_counter_advance(store, STORE_GENERATION, error) &&
	       (store_execute(store, NULL, "INSERT INTO nowhere VALUES (1)", STORE_NO_PARAMS) ||
		       TRUE);
}

static void test_an_ignored_failure_never_keeps_half(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	gboolean ok = store_write(place->store, advance_and_ignore_a_failure, NULL, &error);
	/* SQLite goes on, PostgreSQL gives up: but the answer is always true. */
	assert_int_equal(generation(place->store), ok ? 2 : 1);
	assert_int_equal(ok, error == NULL);
}

static gboolean joined_failure_is_survived(Store *store, gpointer of, GError **error)
{
	g_autoptr(GError) inner = NULL;
	if (!store_counter_advance(store, "outer", error))
		return FALSE;
	if (store_write(store, advance_then_fail, NULL, &inner))
		return FALSE;
	g_autoptr(GError) broken = NULL;
	if (store_write(store, execute, "INSERT INTO nowhere VALUES (1)", &broken))
		return FALSE;
	return store_counter_advance(store, "outer", error);
}

static void test_joined_work_that_fails_takes_back_only_its_own(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	store_write(place->store, joined_failure_is_survived, NULL, &error);
	assert_good(error);
	assert_int_equal(generation(place->store), 1);
	assert_int_equal(
		must_read_integer(place->store, "SELECT value FROM counter WHERE name = 'outer'"),
		2);
}

/* Reading ------------------------------------------------------------------------------------- */

static gboolean write_while_reading(Store *store, gpointer of, GError **error)
{
	return store_counter_advance(store, STORE_GENERATION, error);
}

static gboolean join_a_write(Store *store, gpointer of, GError **error)
{
	return store_write(store, write_while_reading, NULL, error);
}

static void test_a_reading_transaction_refuses_to_write(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	assert_false(store_read(place->store, write_while_reading, NULL, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "outside a writing transaction");
	assert_false(store_read(place->store, join_a_write, NULL, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "inside a reading transaction");
	assert_int_equal(generation(place->store), 1);
}

static void test_nothing_is_written_outside_a_transaction(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	assert_false(store_counter_advance(place->store, STORE_GENERATION, &error));
	assert_error(&error, DROVER_ERROR_INTERNAL, "outside a writing transaction");
	assert_int_equal(generation(place->store), 1);
}

static gboolean look_twice(Store *store, gpointer of, GError **error)
{
	Store *other = of;
	gint64 before, after;
	if (!store_counter_get(store, STORE_GENERATION, &before, error))
		return FALSE;
	must_write(other, "UPDATE counter SET value = 77 WHERE name = 'generation'");
	if (!store_counter_get(store, STORE_GENERATION, &after, error))
		return FALSE;
	assert_int_equal(before, 1);
	assert_int_equal(after, 1);
	return TRUE;
}

static void test_a_reading_transaction_sees_one_instant(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) other = place_connect(place);
	store_read(place->store, look_twice, other, &error);
	assert_good(error);
	assert_int_equal(generation(place->store), 77);
}

/* Several at once ----------------------------------------------------------------------------- */

/* Reads and writes what it computed: lost updates would show. */
static gboolean increment(Store *store, gpointer of, GError **error)
{
	gint64 value;
	return store_counter_get(store, STORE_GENERATION, &value, error) &&
	       store_execute(store, error, "UPDATE counter SET value = ? WHERE name = ?",
		       STORE_PARAMS(STORE_INT(value + 1), STORE_TEXT(STORE_GENERATION)));
}

static gpointer increment_often(gpointer of)
{
	const Place *place = of;
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(place->url, &error);
	for (int i = 0; store && i < INCREMENTS; i++)
		if (!store_write(store, increment, NULL, &error))
			return g_strdup(error->message);
	return error ? g_strdup(error->message) : NULL;
}

static void test_no_increment_is_lost(void **state)
{
	Place *place = *state;
	GThread *threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("writer", increment_often, place);
	for (int i = 0; i < THREADS; i++) {
		g_autofree char *problem = g_thread_join(threads[i]);
		if (problem)
			print_error("%s\n", problem);
		assert_null(problem);
	}
	assert_int_equal(generation(place->store), 1 + THREADS * INCREMENTS);
}

typedef struct Race {
	const Place *place;
	int runs;
	int times_met;	  /* how often the other one comes between */
	gboolean swallow; /* the work hides that it failed */
} Race;

/* PostgreSQL only: whoever writes past our lock makes us fail with 40001, and run again. */
static gboolean meet_another(Store *store, gpointer of, GError **error)
{
	Race *race = of;
	gint64 value;
	race->runs++;
	if (!store_counter_get(store, STORE_GENERATION, &value, error))
		return FALSE;
	if (race->runs <= race->times_met)
		place_meddle(race->place,
			"UPDATE counter SET value = value + 10 WHERE name = 'generation'");
	gboolean ok = store_execute(store, race->swallow ? NULL : error,
		"UPDATE counter SET value = ? WHERE name = ?",
		STORE_PARAMS(STORE_INT(value + 1), STORE_TEXT(STORE_GENERATION)));
	return ok || race->swallow;
}

static void test_work_that_met_another_runs_again(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	Race race = {place, 0, 2, FALSE};
	store_write(place->store, meet_another, &race, &error);
	assert_good(error);
	assert_int_equal(race.runs, 3);
	assert_int_equal(generation(place->store), 22);
}

static void test_work_that_hides_that_it_met_another_runs_again(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	Race race = {place, 0, 1, TRUE};
	store_write(place->store, meet_another, &race, &error);
	assert_good(error);
	assert_int_equal(race.runs, 2);
	assert_int_equal(generation(place->store), 12);
}

static void test_tries_have_an_end(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	Race race = {place, 0, G_MAXINT, FALSE};
	assert_false(store_write(place->store, meet_another, &race, &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "another transaction came between");
	assert_int_equal(race.runs, STORE_TRIES);
	assert_int_equal(generation(place->store), 1 + 10 * STORE_TRIES);
}

typedef struct Order {
	const Place *place;
	int number;
} Order;

static gboolean add_link(Store *store, gpointer of, GError **error)
{
	const Order *order = of;
	gint64 id;
	g_autofree char *name = g_strdup_printf("person-%d", order->number);
	return store_query_integer(store, error, 0, &id,
		"INSERT INTO person (name, email, is_disabled, created_us, data_version) "
		"VALUES (?, 'x', 0, 0, 1) RETURNING id",
		STORE_PARAMS(STORE_TEXT(name)));
}

static gpointer add_one(gpointer of)
{
	const Order *order = of;
	g_autoptr(Store) store = store_open(order->place->url, NULL);
	for (int i = 0; store && i < 10; i++) {
		const Order one = {order->place, order->number * 100 + i};
		if (!store_write(store, add_link, (gpointer)&one, NULL))
			return GINT_TO_POINTER(1);
	}
	return GINT_TO_POINTER(store ? 0 : 1);
}

/* A reader that has seen id n never later sees a smaller one appear. */
static void test_ids_grow_in_the_order_of_commits(void **state)
{
	Place *place = *state;
	GThread *threads[THREADS];
	Order orders[THREADS];
	for (int i = 0; i < THREADS; i++) {
		orders[i] = (Order){place, i};
		threads[i] = g_thread_new("adder", add_one, &orders[i]);
	}
	gint64 highest = 0, seen = 0;
	while (seen < THREADS * 10) {
		g_autofree char *count_new = g_strdup_printf(
			"SELECT count(*) FROM person WHERE id > %" G_GINT64_FORMAT, highest);
		gint64 new = must_read_integer(place->store, count_new);
		g_autofree char *top = g_strdup_printf(
			"SELECT id FROM person ORDER BY id LIMIT 1 OFFSET %" G_GINT64_FORMAT,
			seen + new - 1);
		if (new == 0)
			continue;
		seen += new;
		highest = must_read_integer(place->store, top);
		g_autofree char *count_old = g_strdup_printf(
			"SELECT count(*) FROM person WHERE id <= %" G_GINT64_FORMAT, highest);
		assert_int_equal(must_read_integer(place->store, count_old), seen);
	}
	for (int i = 0; i < THREADS; i++)
		assert_null(g_thread_join(threads[i]));
}

int transaction_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_work_that_fails_leaves_nothing),
		ON_BOTH(test_work_that_ended_holds_nobody_up),
		ON_BOTH(test_an_ignored_failure_never_keeps_half),
		ON_BOTH(test_joined_work_that_fails_takes_back_only_its_own),
		ON_BOTH(test_a_reading_transaction_refuses_to_write),
		ON_BOTH(test_nothing_is_written_outside_a_transaction),
		ON_BOTH(test_a_reading_transaction_sees_one_instant),
		ON_BOTH(test_no_increment_is_lost),
		ON_POSTGRESQL(test_work_that_met_another_runs_again),
		ON_POSTGRESQL(test_work_that_hides_that_it_met_another_runs_again),
		ON_POSTGRESQL(test_tries_have_an_end),
		ON_BOTH(test_ids_grow_in_the_order_of_commits),
	};
	return cmocka_run_group_tests_name("transactions", tests, NULL, NULL);
}
