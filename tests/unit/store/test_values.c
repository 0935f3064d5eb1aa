/* SPDX-License-Identifier: ISC
 *
 * What goes in comes out, on both databases alike.
 */
#include "place.h"

#include <string.h>

#include "store/engine.h"

#define TABLE "CREATE TABLE sample (id SERIAL_ID, number BIGINT, text TEXT)"

static const char SQL_ADD[] = "INSERT INTO sample (number, text) VALUES (?, ?) RETURNING id";
static const char SQL_GET[] = "SELECT number, text FROM sample WHERE id = ?";

static gboolean make_table(Store *store, gpointer of, GError **error)
{
	g_autofree char *sql = store_migration_for(store_engine(store), TABLE);
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

typedef struct Sample {
	StoreValue number;
	StoreValue text;
	gint64 id;
} Sample;

static gboolean add_sample(Store *store, gpointer of, GError **error)
{
	Sample *sample = of;
	const StoreValue values[] = {sample->number, sample->text};
	return store_query_integer(store, error, 0, &sample->id, SQL_ADD, values, 2);
}

static Store *with_samples(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	store_write(place->store, make_table, NULL, &error);
	assert_good(error);
	return place->store;
}

static gint64 must_add(Store *store, StoreValue number, StoreValue text)
{
	g_autoptr(GError) error = NULL;
	Sample sample = {number, text, 0};
	store_write(store, add_sample, &sample, &error);
	assert_good(error);
	return sample.id;
}

static void assert_round_trip(Store *store, gint64 number, const char *text)
{
	g_autoptr(GError) error = NULL;
	gint64 id = must_add(store, STORE_INT(number), STORE_TEXT(text));
	g_autoptr(StoreRows) rows =
		store_query(store, &error, SQL_GET, STORE_PARAMS(STORE_INT(id)));
	gboolean more;
	store_rows_next(rows, &more, &error);
	assert_good(error);
	assert_true(more);
	assert_true(store_rows_integer(rows, 0) == number);
	assert_string_equal(store_rows_text(rows, 1), text);
	assert_true(store_rows_next(rows, &more, &error));
	assert_false(more);
}

static void test_texts_come_back_as_they_went(void **state)
{
	Store *store = with_samples(state);
	assert_round_trip(store, 1, "");
	assert_round_trip(store, 2, "it's \"quoted\" \\ and -- not a comment; DROP TABLE sample");
	assert_round_trip(store, 3, "Grüße, 羊飼い 🐑\n\ttab");
	assert_round_trip(store, 4, "what? $1 :name @name");
	g_autofree char *long_text = g_strnfill(3 * 1000 * 1000, 'x');
	assert_round_trip(store, 5, long_text);
}

static void test_integers_have_64_bits(void **state)
{
	Store *store = with_samples(state);
	assert_round_trip(store, G_MAXINT64, "most");
	assert_round_trip(store, G_MININT64, "least");
	assert_round_trip(store, 0, "none");
	assert_round_trip(store, 9007199254740993, "more than a double holds");
}

static void test_null_is_neither_zero_nor_empty(void **state)
{
	Store *store = with_samples(state);
	g_autoptr(GError) error = NULL;
	gint64 id = must_add(store, STORE_NULL, STORE_TEXT(NULL));
	g_autoptr(StoreRows) rows =
		store_query(store, &error, SQL_GET, STORE_PARAMS(STORE_INT(id)));
	gboolean more;
	store_rows_next(rows, &more, &error);
	assert_good(error);
	assert_true(store_rows_is_null(rows, 0));
	assert_true(store_rows_is_null(rows, 1));
	assert_int_equal(store_rows_integer(rows, 0), 0);
	assert_null(store_rows_text(rows, 1));
}

static void test_text_that_is_not_utf8_is_refused(void **state)
{
	Store *store = with_samples(state);
	GError *error = NULL;
	Sample sample = {STORE_INT(1), STORE_TEXT("caf\xe9"), 0};
	assert_false(store_write(store, add_sample, &sample, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "not UTF-8");
	assert_int_equal(must_read_integer(store, "SELECT count(*) FROM sample"), 0);
}

/* The server of these tests sorts by a language's rules: there "a" would come before "B". */
static void test_texts_sort_by_their_bytes(void **state)
{
	Store *store = with_samples(state);
	GError *error = NULL;
	const char *const texts[] = {"b", "a", "B", "é", "_", "Z"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		must_add(store, STORE_INT(0), STORE_TEXT(texts[i]));
	g_autoptr(StoreRows) rows = store_query(
		store, &error, "SELECT text FROM sample ORDER BY text", STORE_NO_PARAMS);
	g_autoptr(GString) order = g_string_new(NULL);
	gboolean more;
	while (store_rows_next(rows, &more, &error) && more)
		g_string_append(order, store_rows_text(rows, 0));
	assert_string_equal(order->str, "BZ_abé");
}

static void test_patterns_tell_capitals_apart(void **state)
{
	Store *store = with_samples(state);
	must_add(store, STORE_INT(0), STORE_TEXT("Web"));
	assert_int_equal(
		must_read_integer(store, "SELECT count(*) FROM sample WHERE text LIKE 'web%'"), 0);
	assert_int_equal(
		must_read_integer(store, "SELECT count(*) FROM sample WHERE text LIKE 'We_'"), 1);
}

static void test_a_row_that_is_not_there_gives_the_fallback(void **state)
{
	Store *store = with_samples(state);
	g_autoptr(GError) error = NULL;
	gint64 value;
	store_query_integer(store, &error, -7, &value, SQL_GET, STORE_PARAMS(STORE_INT(12345)));
	assert_good(error);
	assert_int_equal(value, -7);
	store_query_integer(
		store, &error, -8, &value, "SELECT max(number) FROM sample", STORE_NO_PARAMS);
	assert_good(error);
	assert_int_equal(value, -8);
}

static void sum_up(const StoreRows *rows, gpointer of)
{
	gint64 *sum = of;
	*sum = *sum * 10 + store_rows_integer(rows, 0);
}

static void test_each_row_is_visited_in_order(void **state)
{
	Store *store = with_samples(state);
	g_autoptr(GError) error = NULL;
	gint64 sum = 0;
	must_add(store, STORE_INT(2), STORE_TEXT("b"));
	must_add(store, STORE_INT(1), STORE_TEXT("a"));
	assert_true(store_each(store, &error, sum_up, &sum,
		"SELECT number FROM sample ORDER BY text", STORE_NO_PARAMS));
	assert_int_equal(sum, 12);
	assert_true(store_each(store, &error, sum_up, &sum,
		"SELECT number FROM sample WHERE text = ?", STORE_PARAMS(STORE_TEXT("c"))));
	assert_int_equal(sum, 12);
	assert_false(store_each(
		store, &error, sum_up, &sum, "SELECT number FROM nowhere", STORE_NO_PARAMS));
	assert_non_null(error);
	assert_int_equal(sum, 12);
}

static void test_yes_and_no_are_one_and_zero(void **state)
{
	Place *place = *state;
	assert_int_equal(must_read_integer(place->store, "SELECT 1 < 2"), 1);
	assert_int_equal(must_read_integer(place->store, "SELECT 2 < 1"), 0);
}

static void test_rows_can_be_read_while_others_are(void **state)
{
	Store *store = with_samples(state);
	GError *error = NULL;
	for (gint64 i = 1; i <= 3; i++)
		must_add(store, STORE_INT(i), STORE_NULL);
	static const char sql[] = "SELECT number FROM sample ORDER BY number";
	g_autoptr(StoreRows) outer = store_query(store, &error, sql, STORE_NO_PARAMS);
	gboolean more, inner_more;
	int pairs = 0;
	while (store_rows_next(outer, &more, &error) && more) {
		g_autoptr(StoreRows) inner = store_query(store, &error, sql, STORE_NO_PARAMS);
		while (store_rows_next(inner, &inner_more, &error) && inner_more)
			pairs++;
	}
	assert_good(error);
	assert_int_equal(pairs, 9);
}

static gboolean count_changes(Store *store, gpointer of, GError **error)
{
	gint64 *changed = of;
	for (int i = 0; i < 3; i++)
		if (!store_execute(store, error, "INSERT INTO sample (number) VALUES (?)",
			    STORE_PARAMS(STORE_INT(i))))
			return FALSE;
	if (!store_execute(store, error, "UPDATE sample SET number = 9 WHERE number > ?",
		    STORE_PARAMS(STORE_INT(0))))
		return FALSE;
	changed[0] = store_changed(store);
	if (!store_execute(store, error, "DELETE FROM sample WHERE number = ?",
		    STORE_PARAMS(STORE_INT(77))))
		return FALSE;
	changed[1] = store_changed(store);
	return TRUE;
}

static void test_changed_counts_the_rows_of_the_last_statement(void **state)
{
	Store *store = with_samples(state);
	g_autoptr(GError) error = NULL;
	gint64 changed[2];
	store_write(store, count_changes, changed, &error);
	assert_good(error);
	assert_int_equal(changed[0], 2);
	assert_int_equal(changed[1], 0);
}

static void test_errors_say_what_kind_they_are(void **state)
{
	Store *store = with_samples(state);
	GError *error = NULL;
	assert_null(store_query(store, &error, "SELECT nonsense", STORE_NO_PARAMS));
	assert_error(&error, DROVER_ERROR_INTERNAL, "nonsense");
	gboolean more;
	StoreRows *none = store_query(store, &error, "SELECT 'a' FROM nowhere", STORE_NO_PARAMS);
	assert_null(none);
	assert_false(store_rows_next(none, &more, NULL));
	assert_error(&error, DROVER_ERROR_INTERNAL, "nowhere");
}

static gboolean execute(Store *store, gpointer sql, GError **error)
{
	return store_execute(store, error, sql, STORE_NO_PARAMS);
}

static void test_a_key_given_twice_is_a_conflict(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	char sql[] = "INSERT INTO counter (name, value) VALUES ('generation', 1)";
	assert_false(store_write(place->store, execute, sql, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "counter");
}

static void test_a_reference_to_nothing_is_a_conflict(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	char sql[] = "INSERT INTO person_role (person_id, product, role) VALUES (99, '*', 'admin')";
	assert_false(store_write(place->store, execute, sql, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "");
}

/* More different statements than are kept prepared. */
static void test_any_number_of_statements_can_be_used(void **state)
{
	Place *place = *state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < STORE_CACHED_STATEMENTS + 50; i++) {
			g_autofree char *sql = g_strdup_printf("SELECT %d", i);
			assert_int_equal(must_read_integer(place->store, sql), i);
		}
	}
}

static gboolean advance_both(Store *store, gpointer of, GError **error)
{
	return store_counter_advance(store, STORE_GENERATION, error) &&
	       store_counter_advance(store, "new", error);
}

static void test_counters_advance_by_one_from_zero(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	gint64 generation, new;
	store_write(place->store, advance_both, NULL, &error);
	assert_good(error);
	store_counter_get(place->store, STORE_GENERATION, &generation, &error);
	store_counter_get(place->store, "new", &new, &error);
	assert_good(error);
	assert_int_equal(generation, 2);
	assert_int_equal(new, 1);
}

static void test_parameters_are_numbered_outside_of_quotes_only(void **state)
{
	g_autofree char *numbered = store_number_parameters(
		"SELECT ?, '?', 'it''s ?', \"a?\" -- why?\n, ? /* ? */ FROM t WHERE a = ?");
	assert_string_equal(numbered,
		"SELECT $1, '?', 'it''s ?', \"a?\" -- why?\n, $2 /* ? */ FROM t WHERE a = $3");
	g_autofree char *open = store_number_parameters("? 'never closed ?");
	assert_string_equal(open, "$1 'never closed ?");
}

static void test_addresses_that_are_none_are_refused(void **state)
{
	GError *error = NULL;
	assert_null(store_open("mysql://root:secret@db/x", &error));
	assert_null(strstr(error->message, "secret"));
	assert_error(&error, DROVER_ERROR_INPUT, "sqlite:PATH");
	assert_null(store_open("sqlite:", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "path is missing");
	assert_null(store_open("postgresql://u:secret@[::1/db", &error));
	assert_null(strstr(error->message, "secret"));
	assert_error(&error, DROVER_ERROR_INPUT, "postgresql://USER@HOST");
}

static void test_the_name_holds_no_password(void **state)
{
	Place *place = *state;
	GError *error = NULL;
	if (place->kind == STORE_POSTGRESQL) {
		g_autofree char *url = g_strconcat(place->url, "&password=secret", NULL);
		g_autoptr(Store) store = store_open(url, &error);
		assert_good(error);
		assert_null(strstr(store_name(store), "secret"));
		assert_non_null(strstr(store_name(store), "postgresql://drover@/postgres?host=/"));
	} else {
		assert_string_equal(store_name(place->store), place->url);
	}
	assert_null(store_open("postgresql://u:secret@127.0.0.1:1/db", &error));
	assert_null(strstr(error->message, "secret"));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "postgresql://u@127.0.0.1:1/db");
}

int values_tests(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_texts_come_back_as_they_went),
		ON_BOTH(test_integers_have_64_bits),
		ON_BOTH(test_null_is_neither_zero_nor_empty),
		ON_BOTH(test_text_that_is_not_utf8_is_refused),
		ON_BOTH(test_texts_sort_by_their_bytes),
		ON_BOTH(test_patterns_tell_capitals_apart),
		ON_BOTH(test_a_row_that_is_not_there_gives_the_fallback),
		ON_BOTH(test_each_row_is_visited_in_order),
		ON_BOTH(test_yes_and_no_are_one_and_zero),
		ON_BOTH(test_rows_can_be_read_while_others_are),
		ON_BOTH(test_changed_counts_the_rows_of_the_last_statement),
		ON_BOTH(test_errors_say_what_kind_they_are),
		ON_BOTH(test_a_key_given_twice_is_a_conflict),
		ON_BOTH(test_a_reference_to_nothing_is_a_conflict),
		ON_BOTH(test_any_number_of_statements_can_be_used),
		ON_BOTH(test_counters_advance_by_one_from_zero),
		cmocka_unit_test(test_parameters_are_numbered_outside_of_quotes_only),
		cmocka_unit_test(test_addresses_that_are_none_are_refused),
		ON_BOTH(test_the_name_holds_no_password),
	};
	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
