/* SPDX-License-Identifier: ISC
 *
 * What counts as missed, whatever clocks do; and a look that is told to stop.
 */
#include "change_place.h"

#include <string.h>

#include "channel/book/edit.h"

#define RELMAN "{'product': 'web', 'channel': 'release', 'role': 'relman', 'n': 1}"

typedef struct Product {
	const char *late_s;
} Product;

static gboolean write_product(Store *store, gpointer of, GError **error)
{
	const Product *product = of;
	ChannelDeed deed = {10 * US_PER_SECOND, "ada", NULL, 0};
	g_autofree char *text = g_strdup_printf("[{'op': 'update', 'table': 'products', 'row': "
						"{'product': 'web', 'late_s': %s}}]",
		product->late_s);
	g_autoptr(json_t) ops = quoted(text);
	g_auto(ChannelEdit) edit = {0};
	return channel_edit(store, ops, &deed, NULL, NULL, &edit, error);
}

static void edit_product(Store *store, const char *late_s)
{
	Product product = {late_s};
	g_autoptr(GError) error = NULL;
	store_write(store, write_product, &product, &error);
	assert_good(error);
}

static Desk desk_at(void **state, const char *late_s)
{
	Desk desk = furnished_desk(*state);
	person(desk.store, "ada", "operator,relman,admin");
	person(desk.store, "bob", "relman,qa");
	edit_product(desk.store, late_s);
	return desk;
}

static void test_little_lateness_does_not_make_one_that_waits_a_missed_one(void **state)
{
	Desk desk = desk_at(state, "30");
	row(desk.store, STATE_REQUIREMENTS, RELMAN);
	gint64 change = submit(&desk, 200, RATE(50));
	for (desk.second = 200; desk.second <= 430; desk.second += 10)
		assert_look(&desk, "", desk.second == 200 ? "*1 unsigned" : "1 unsigned");
	assert_standing(&desk, change, STANDING_UNSIGNED, "relman");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	assert_look(&desk, "1", "");
}

static void test_one_that_waited_is_missed_when_the_clock_stops_meanwhile(void **state)
{
	Desk desk = desk_at(state, "30");
	row(desk.store, STATE_REQUIREMENTS, RELMAN);
	gint64 change = submit(&desk, 200, RATE(50));
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	desk.second = 231;
	assert_look(&desk, "", "*1 overdue");
	desk.second = 300;
	assert_look(&desk, "", "1 overdue");
}

static void test_no_lateness_at_all_lets_pass_what_clocks_need(void **state)
{
	Desk desk = desk_at(state, "0");
	submit(&desk, 200, RATE(50));
	submit(&desk, 200, RATE(60));
	desk.second = 200 + STANDING_LEAST_LATE_S;
	assert_look(&desk, "1 2", "");
	submit(&desk, 300, RATE(70));
	desk.second = 300 + STANDING_LEAST_LATE_S + 1;
	assert_look(&desk, "", "*3 overdue");
}

static void test_a_change_submitted_for_a_time_just_past_is_not_missed(void **state)
{
	Desk desk = desk_at(state, "20");
	desk.second = 1000;
	assert_look(&desk, "", "");
	desk.second = 1050;
	submit(&desk, 1050 - CHANGE_PAST_S, RATE(50));
	desk.second = 1051;
	assert_look(&desk, "1", "");
}

/* Somebody set the clock a day ahead by mistake, and back. */
static void test_a_clock_that_was_set_back_still_finds_what_is_missed(void **state)
{
	static const char noted[] = "SELECT value / 1000000 FROM counter WHERE name = 'clock'";
	Desk desk = desk_at(state, "3600");
	desk.second = 86400;
	assert_look(&desk, "", "");
	assert_int_equal(must_read_integer(desk.store, noted), 86400);
	desk.second = 86400 - ENACT_WATCH_S;
	assert_look(&desk, "", "");
	assert_int_equal(
		must_read_integer(desk.store, noted), 86400); /* two clocks differ a little */
	desk.second = 1000;
	assert_look(&desk, "", "");
	assert_int_equal(must_read_integer(desk.store, noted), 1000);
	submit(&desk, 2000, RATE(50));
	desk.second = 2000 + 3601;
	assert_look(&desk, "", "*1 overdue");
}

/* What was written last is what is live, whatever hour it says. */
static void test_a_clock_that_was_set_back_loses_no_change(void **state)
{
	Desk desk = desk_at(state, "3600");
	desk.second = 5000;
	submit(&desk, 5000, RATE(50));
	assert_look(&desk, "1", "");
	desk.second = 1000;
	submit(&desk, 1000, RATE(60));
	assert_look(&desk, "2", "");
	assert_rate(desk.store, "1", 60);
	desk.second = 6000;
	submit(&desk, 6000, RATE(70));
	assert_look(&desk, "3", "");
	assert_rate(desk.store, "1", 70);
}

typedef struct Switch {
	guint left; /* transactions until it is thrown */
} Switch;

static gboolean may_write(Store *store, gpointer of, GError **error)
{
	Switch *own = of;
	if (own->left-- > 0)
		return TRUE;
	own->left = 0;
	drover_error_set(error, DROVER_ERROR_MAINTENANCE, "moving house");
	return FALSE;
}

/* A change takes three transactions: one that looks, and the two that write. */
static void test_a_look_ends_between_two_changes_when_it_may_write_no_more(void **state)
{
	Desk desk = desk_at(state, "3600");
	Switch own = {3 + 2};
	EnactHouse house = {.may_write = may_write, .may_write_of = &own};
	g_auto(Enacted) enacted = {0};
	g_autoptr(GError) error = NULL;
	submit(&desk, 200, RATE(50));
	submit(&desk, 200, RATE(60));
	desk.second = 200;
	assert_false(
		channel_enact(desk.store, desk.second * US_PER_SECOND, &house, &enacted, &error));
	assert_error(&error, DROVER_ERROR_MAINTENANCE, "moving house");
	assert_int_equal(enacted.live->len, 1);
	assert_rate(desk.store, "1", 50);
	assert_look(&desk, "2", "");
	assert_rate(desk.store, "1", 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_little_lateness_does_not_make_one_that_waits_a_missed_one),
		ON_BOTH(test_one_that_waited_is_missed_when_the_clock_stops_meanwhile),
		ON_BOTH(test_no_lateness_at_all_lets_pass_what_clocks_need),
		ON_BOTH(test_a_change_submitted_for_a_time_just_past_is_not_missed),
		ON_BOTH(test_a_clock_that_was_set_back_still_finds_what_is_missed),
		ON_BOTH(test_a_clock_that_was_set_back_loses_no_change),
		ON_BOTH(test_a_look_ends_between_two_changes_when_it_may_write_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
