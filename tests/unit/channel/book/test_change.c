/* SPDX-License-Identifier: ISC
 *
 * Changes from their submission until they are live: the queue, overtaking, being late.
 */
#include "change_place.h"

#include <string.h>

#define RELMAN "{'product': 'web', 'channel': 'release', 'role': 'relman', 'n': 1}"
#define NIGHTLY                                                                                    \
	"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': 'nightly', "     \
	"'priority': 10, 'mapping': 'web-2'}}]"

/* A furnished store with people, at second 100. Without requirements. */
static Desk desk_at(void **state)
{
	Desk desk = furnished_desk(*state);
	person(desk.store, "ada", "operator,relman,admin");
	person(desk.store, "bob", "relman,qa");
	person(desk.store, "cy", "qa,web/operator");
	return desk;
}

/* The same, where releases need a release manager's word. */
static Desk guarded_desk_at(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_REQUIREMENTS, RELMAN);
	return desk;
}

static void test_two_changes_on_one_row_go_live_in_their_order(void **state)
{
	Desk desk = desk_at(state);
	gint64 half = submit(&desk, 200, RATE(50));
	gint64 whole = submit(&desk, 300, RATE(100));
	g_autoptr(ChangeDetail) detail = load(&desk, whole);
	const json_t *content = json_array_get(detail->standing->content, 0);
	assert_int_equal(json_integer_of(json_object_get(content, "before"), "rate"), 50);
	desk.second = 199;
	assert_look(&desk, "", "");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 50);
	desk.second = 300;
	assert_look(&desk, "2", "");
	assert_rate(desk.store, "1", 100);
	assert_standing(&desk, half, STANDING_LIVE, "It is live.");
}

static void test_both_go_live_in_one_look_when_both_are_due(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	submit(&desk, 200, RATE(100));
	desk.second = 400;
	assert_look(&desk, "1 2", "");
	assert_rate(desk.store, "1", 100);
	assert_look(&desk, "", "");
}

static void test_a_change_that_lacks_a_word_waits_and_says_whose(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	assert_standing(&desk, change, STANDING_UNSIGNED, "1 sign-off as relman is missing (bob).");
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
	assert_look(&desk, "", "1 unsigned");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	assert_standing(&desk, change, STANDING_READY, "It goes live");
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 50);
}

static void test_disjoint_change_overtakes_and_one_that_meets_waits_behind(void **state)
{
	Desk desk = guarded_desk_at(state);
	submit(&desk, 200, RATE(50));
	submit(&desk, 210,
		"[{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'web', "
		"'channel': 'release'}}]");
	submit(&desk, 220, NIGHTLY);
	desk.second = 300;
	assert_look(&desk, "3", "*1 unsigned *2 behind");
	assert_standing(&desk, 2, STANDING_BEHIND, "It waits behind change 1.");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, 1, "relman", 0);
	assert_look(&desk, "1 2", "");
}

static void test_edit_takes_back_all_words(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	assert_standing(&desk, change, STANDING_READY, "");
	deed(&desk, EDIT, change, RATE(60), 0);
	assert_standing(&desk, change, STANDING_UNSIGNED, "relman");
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
}

static void test_moving_takes_back_only_words_on_the_time(void **state)
{
	Desk desk = guarded_desk_at(state);
	row(desk.store, STATE_REQUIREMENTS,
		"{'product': '*', 'channel': '*', 'role': 'qa', 'n': 1}");
	row(desk.store, STATE_ROLES, "{'role': 'qa', 'signs_time': true}");
	gint64 change = submit(&desk, 200, RATE(50));
	Desk bob = as(&desk, "bob"), cy = as(&desk, "cy");
	deed(&bob, SIGN, change, "relman", 0);
	deed(&cy, SIGN, change, "qa", 0);
	assert_standing(&desk, change, STANDING_READY, "");
	deed(&desk, MOVE, change, NULL, 250);
	assert_standing(&desk, change, STANDING_UNSIGNED, "1 sign-off as qa is missing (cy).");
	deed(&cy, SIGN, change, "qa", 0);
	desk.second = 249;
	assert_look(&desk, "", "");
	desk.second = 250;
	assert_look(&desk, "1", "");
}

static void test_lost_role_counts_no_more(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	must_write(desk.store, "UPDATE person SET is_disabled = 1 WHERE name = 'bob'");
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
	assert_standing(&desk, change, STANDING_UNSIGNED,
		"nobody has the role relman on web: an admin gives it with drover user grant");
	must_write(desk.store, "UPDATE person SET is_disabled = 0 WHERE name = 'bob'");
	assert_look(&desk, "1", "");
}

static void test_the_author_alone_is_not_enough(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	deed(&desk, SIGN, change, "relman", 0);
	assert_standing(&desk, change, STANDING_UNSIGNED, "(bob)");
}

static void test_one_role_a_person_and_taken_back_until_it_is_live(void **state)
{
	Desk desk = guarded_desk_at(state);
	row(desk.store, STATE_REQUIREMENTS,
		"{'product': 'web', 'channel': '*', 'role': 'qa', 'n': 1}");
	gint64 change = submit(&desk, 200, RATE(50));
	Desk bob = as(&desk, "bob"), cy = as(&desk, "cy");
	deed(&bob, SIGN, change, "relman", 0);
	deed_refused(&bob, SIGN, change, "qa", 0, DROVER_ERROR_CONFLICT, "one role a person");
	deed_refused(&cy, SIGN, change, "relman", 0, DROVER_ERROR_DENIED,
		"cy is no person with the role relman on web");
	deed_refused(&cy, SIGN, change, "legal", 0, DROVER_ERROR_INPUT, "asks for no sign-off");
	deed(&cy, SIGN, change, "qa", 0);
	deed(&bob, REVOKE, change, "relman", 0);
	deed_refused(&bob, REVOKE, change, "relman", 0, DROVER_ERROR_NOT_FOUND, "no sign-off");
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
	deed(&bob, SIGN, change, "relman", 0);
	assert_look(&desk, "1", "");
	deed_refused(&bob, REVOKE, change, "relman", 0, DROVER_ERROR_CONFLICT, "it is live");
}

static void test_requirements_are_changed_by_a_change(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 stricter = submit(&desk, 200,
		"[{'op': 'update', 'table': 'requirements', 'product': 'web', 'channel': "
		"'release', 'role': 'relman', 'row': {'n': 2}}]");
	gint64 change = submit(&desk, 300, RATE(50));
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	assert_standing(&desk, stricter, STANDING_UNSIGNED, "relman");
	deed(&bob, SIGN, stricter, "relman", 0);
	assert_standing(&desk, change, STANDING_UNSIGNED, "1 sign-off as relman is missing");
	desk.second = 300;
	assert_look(&desk, "1", "*2 unsigned");
	deed(&desk, SIGN, change, "relman", 0);
	assert_look(&desk, "2", "");
}

static void test_missed_change_goes_live_when_it_is_not_late(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	desk.second = 200 + 3600;
	assert_look(&desk, "1", "");
}

static void test_missed_change_asks_when_it_is_late(void **state)
{
	Desk desk = desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	desk.second = 200 + 3601;
	assert_look(&desk, "", "*1 overdue");
	desk.second += 10;
	assert_look(&desk, "", "1 overdue");
	deed(&desk, GO, change, NULL, 0);
	assert_look(&desk, "1", "");
	deed_refused(&desk, GO, change, NULL, 0, DROVER_ERROR_CONFLICT, "it is live");
}

static void test_change_that_waited_for_a_word_is_not_overdue(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	for (desk.second = 200; desk.second <= 10000; desk.second += 1000)
		assert_look(&desk, "", desk.second == 200 ? "*1 unsigned" : "1 unsigned");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "relman", 0);
	assert_look(&desk, "1", "");
}

/* However little a product says: the clock leaves word less often than it looks. */
static void test_short_lateness_is_no_false_alarm(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_PRODUCTS, "{'product': 'shop', 'late_s': 0}");
	row(desk.store, STATE_RULES, "{'rule_id': 9, 'product': 'shop', 'channel': 'release'}");
	static const char ops[] = "[{'op': 'update', 'table': 'rules', 'rule_id': 9, 'row': "
				  "{'rate': 50}}]";
	for (desk.second = 100; desk.second < 100 + ENACT_WATCH_S; desk.second++)
		assert_look(&desk, "", "");
	submit(&desk, 100 + ENACT_WATCH_S - 1, ops);
	assert_look(&desk, "1", "");
	gint64 change = submit(&desk, 200, ops);
	desk.second = 200 + STANDING_LEAST_LATE_S + 1;
	assert_look(&desk, "", "*2 overdue");
	assert_standing(&desk, change, STANDING_OVERDUE, "an operator says go");
}

/* It is for what clients get, and never in the way of an emergency. */
static void test_freeze_lets_pass_what_alters_no_answer_and_switching_off(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_FREEZES,
		"{'name': 'easter', 'product': 'web', 'from': '1970-01-01T00:00:00Z', 'until': "
		"'1980-01-01T00:00:00Z'}");
	submit(&desk, 200,
		"[{'op': 'insert', 'table': 'releases', 'row': {'name': 'web-9.0.0', 'product': "
		"'web', 'version': '9.0.0'}}]");
	submit(&desk, 200,
		"[{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'web', 'channel': "
		"'release'}}]");
	submit(&desk, 200,
		"[{'op': 'delete', 'table': 'shutoffs', 'row': {'product': 'web', 'channel': "
		"'release'}}]");
	desk.second = 200;
	assert_look(&desk, "1 2", "*3 gate");
}

static void test_freeze_holds_until_overridden(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_FREEZES,
		"{'name': 'easter', 'product': 'web', 'from': '1970-01-01T00:03:20Z', 'until': "
		"'1970-01-01T00:05:00Z', 'reason': 'nobody is here'}");
	gint64 change = submit(&desk, 200, RATE(50));
	submit(&desk, 300, NIGHTLY);
	assert_standing(&desk, change, STANDING_GATE, "nobody is here");
	desk.second = 200;
	assert_look(&desk, "", "*1 gate");
	Desk bob = as(&desk, "bob");
	deed_refused(&bob, OVERRIDE, change, "freeze", 0, DROVER_ERROR_DENIED,
		"bob lacks the role admin on web");
	deed_refused(&desk, OVERRIDE, change, "moon", 0, DROVER_ERROR_NOT_FOUND, "no gate");
	deed(&desk, OVERRIDE, change, "freeze", 0);
	assert_look(&desk, "1", "");
	desk.second = 300;
	assert_look(&desk, "2", "");
}

static void test_edit_takes_back_an_override(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_FREEZES,
		"{'name': 'easter', 'product': '*', 'from': '1970-01-01T00:03:20Z', 'until': "
		"'1970-01-01T00:05:00Z'}");
	gint64 change = submit(&desk, 200, RATE(50));
	deed(&desk, OVERRIDE, change, "freeze", 0);
	assert_standing(&desk, change, STANDING_READY, "");
	deed(&desk, EDIT, change, RATE(60), 0);
	assert_standing(&desk, change, STANDING_GATE, "easter");
}

static void test_draft_is_checked(void **state)
{
	Desk desk = desk_at(state);
	Desk bob = as(&desk, "bob");
	desk.second = 1000;
	submit_refused(&desk, 1000 - CHANGE_PAST_S - 1, RATE(50), DROVER_ERROR_INPUT, "is past");
	submit_refused(
		&desk, 1000 + CHANGE_FUTURE_S + 1, RATE(50), DROVER_ERROR_INPUT, "two years");
	submit_refused(&desk, 1000, "[]", DROVER_ERROR_INPUT, "ops");
	submit_refused(&desk, 1000, "[{'op': 'delete', 'table': 'rules', 'rule_id': 9}]",
		DROVER_ERROR_CONFLICT, "is not there");
	submit_refused(&bob, 200, RATE(50), DROVER_ERROR_DENIED, "bob lacks the role operator");
	submit(&desk, 1000 - CHANGE_PAST_S, RATE(50));
}

static void submit_titled(Desk *desk, gsize title_bytes, gsize reason_bytes, gboolean is_good)
{
	g_autofree char *title = g_strnfill(title_bytes, 't');
	g_autofree char *reason = g_strnfill(reason_bytes, 'r');
	submit_as(desk, title, reason, is_good);
}

static void test_texts_have_limits(void **state)
{
	Desk desk = desk_at(state);
	submit_titled(&desk, CHANGE_MAXIMUM_TITLE_BYTES, CHANGE_MAXIMUM_REASON_BYTES, TRUE);
	submit_titled(&desk, CHANGE_MAXIMUM_TITLE_BYTES + 1, 1, FALSE);
	submit_titled(&desk, 1, CHANGE_MAXIMUM_REASON_BYTES + 1, FALSE);
	submit_titled(&desk, 0, 1, FALSE);
	submit_titled(&desk, 1, 0, FALSE);
}

static void test_the_clock_notes_now_and_then_that_it_looked(void **state)
{
	static const char noted[] = "SELECT value / 1000000 FROM counter WHERE name = 'clock'";
	Desk desk = desk_at(state);
	assert_int_equal(must_read_integer(desk.store, noted), 100);
	desk.second = 100 + ENACT_WATCH_S - 1;
	assert_look(&desk, "", "");
	assert_int_equal(must_read_integer(desk.store, noted), 100);
	desk.second++;
	assert_look(&desk, "", "");
	assert_int_equal(must_read_integer(desk.store, noted), 120);
}

static void test_roles_and_grants_need_the_word_of_the_role(void **state)
{
	Desk desk = guarded_desk_at(state);
	gint64 role = submit(&desk, 200,
		"[{'op': 'insert', 'table': 'roles', 'row': {'role': 'relman', 'author_may_sign': "
		"true}}]");
	gint64 grant = submit(&desk, 300,
		"[{'op': 'insert', 'table': 'grants', 'row': {'product': 'web', 'person': 'cy', "
		"'role': 'relman'}}]");
	gint64 other = submit(&desk, 400,
		"[{'op': 'insert', 'table': 'roles', 'row': {'role': 'legal', 'tester': true}}]");
	assert_standing(&desk, role, STANDING_UNSIGNED, "1 sign-off as relman is missing (bob)");
	assert_standing(&desk, grant, STANDING_UNSIGNED, "1 sign-off as relman is missing (bob)");
	assert_standing(&desk, other, STANDING_READY, "");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, grant, "relman", 0);
	desk.second = 300;
	assert_look(&desk, "2", "*1 unsigned");
	assert_int_equal(must_read_integer(desk.store, "SELECT COUNT(*) FROM person_role WHERE "
						       "role = 'relman' AND product = 'web'"),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_two_changes_on_one_row_go_live_in_their_order),
		ON_BOTH(test_both_go_live_in_one_look_when_both_are_due),
		ON_BOTH(test_a_change_that_lacks_a_word_waits_and_says_whose),
		ON_BOTH(test_disjoint_change_overtakes_and_one_that_meets_waits_behind),
		ON_BOTH(test_edit_takes_back_all_words),
		ON_BOTH(test_moving_takes_back_only_words_on_the_time),
		ON_BOTH(test_lost_role_counts_no_more),
		ON_BOTH(test_the_author_alone_is_not_enough),
		ON_BOTH(test_one_role_a_person_and_taken_back_until_it_is_live),
		ON_BOTH(test_requirements_are_changed_by_a_change),
		ON_BOTH(test_missed_change_goes_live_when_it_is_not_late),
		ON_BOTH(test_missed_change_asks_when_it_is_late),
		ON_BOTH(test_change_that_waited_for_a_word_is_not_overdue),
		ON_BOTH(test_short_lateness_is_no_false_alarm),
		ON_BOTH(test_freeze_lets_pass_what_alters_no_answer_and_switching_off),
		ON_BOTH(test_freeze_holds_until_overridden),
		ON_BOTH(test_edit_takes_back_an_override),
		ON_BOTH(test_draft_is_checked),
		ON_BOTH(test_texts_have_limits),
		ON_BOTH(test_the_clock_notes_now_and_then_that_it_looked),
		ON_BOTH(test_roles_and_grants_need_the_word_of_the_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
