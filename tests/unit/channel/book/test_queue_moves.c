/* SPDX-License-Identifier: ISC
 *
 * What moves under changes that wait: live rows, their predecessors, what was tested; the broken
 * glass; and two droverds at one time.
 */
#include "change_place.h"

#include <string.h>

#include "channel/digest.h"

#define MAPPING(release)                                                                           \
	"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'mapping': '" release "'}}]"

static Desk desk_at(void **state)
{
	Desk desk = furnished_desk(*state);
	person(desk.store, "ada", "operator,qa");
	person(desk.store, "bob", "qa,operator");
	return desk;
}

/* Where QA tests what test channels answer. */
static Desk tested_desk_at(void **state)
{
	Desk desk = desk_at(state);
	row(desk.store, STATE_ROLES, "{'role': 'qa', 'tester': true}");
	row(desk.store, STATE_REQUIREMENTS,
		"{'product': 'web', 'channel': 'release', 'role': 'qa', 'n': 1}");
	return desk;
}

/* Rows ----------------------------------------------------------------------------------------- */

static const char *winner(Store *store, const char *release)
{
	g_autoptr(ChannelBook) book = channel_book_read(store, NULL);
	g_autoptr(Snapshot) snapshot = channel_snapshot(book->live, NULL);
	const GPtrArray *rules = snapshot_rules(snapshot, "web", "release");
	const Rule *first = rules->len > 0 ? rules->pdata[0] : NULL;
	return first != NULL && g_strcmp0(first->mapping, release) == 0 ? release : "another";
}

static void test_priorities_are_swapped_at_one_instant(void **state)
{
	Desk desk = desk_at(state);
	edit(desk.store, 20,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'release', 'priority': 5, 'mapping': 'web-2'}}]");
	submit(&desk, 200,
		"[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {'priority': 5}},"
		" {'op': 'update', 'table': 'rules', 'rule_id': 2, 'row': {'priority': 10}}]");
	assert_string_equal(winner(desk.store, "web-1"), "web-1");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_string_equal(winner(desk.store, "web-2"), "web-2");
}

static void test_a_rule_that_ties_loses_to_the_older(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'release', 'priority': 10, 'mapping': 'web-2'}}]");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_string_equal(winner(desk.store, "web-1"), "web-1");
}

static void test_a_deleted_rule_lets_the_next_one_win(void **state)
{
	Desk desk = desk_at(state);
	edit(desk.store, 20,
		"[{'op': 'insert', 'table': 'rules', 'row': {'product': 'web', 'channel': "
		"'release', 'priority': 5, 'mapping': 'web-2'}}]");
	submit(&desk, 200, "[{'op': 'delete', 'table': 'rules', 'rule_id': 1}]");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_string_equal(winner(desk.store, "web-2"), "web-2");
}

/* Re-basing ------------------------------------------------------------------------------------ */

static void test_an_edit_of_another_column_is_merged(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	edit(desk.store, 110, MAPPING("web-2"));
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 50);
	assert_string_equal(winner(desk.store, "web-2"), "web-2");
}

static void test_an_edit_of_the_same_column_is_a_conflict_that_stays(void **state)
{
	Desk desk = desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	edit(desk.store, 110, RATE(75));
	assert_standing(&desk, change, STANDING_CONFLICT,
		"rules 1: rate was edited here and in live. Its author edits or withdraws it.");
	assert_look(&desk, "", "*1 conflict");
	edit(desk.store, 120, MAPPING("web-2"));
	desk.second = 200;
	assert_look(&desk, "", "1 conflict");
	assert_rate(desk.store, "1", 75);
	deed(&desk, EDIT, change, RATE(60), 0);
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 60);
}

static void test_a_conflict_ends_when_its_cause_does(void **state)
{
	Desk desk = desk_at(state);
	gint64 change = submit(&desk, 200, RATE(50));
	edit(desk.store, 110, RATE(75));
	edit(desk.store, 120, RATE(25));
	assert_standing(&desk, change, STANDING_READY, "");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 50);
}

static void test_withdrawing_one_rebases_those_behind(void **state)
{
	Desk desk = desk_at(state);
	gint64 first = submit(&desk, 200, MAPPING("web-2"));
	gint64 second = submit(&desk, 300, RATE(100));
	deed(&desk, WITHDRAW, first, NULL, 0);
	assert_standing(&desk, first, STANDING_WITHDRAWN, "withdrawn");
	assert_standing(&desk, second, STANDING_READY, "");
	desk.second = 300;
	assert_look(&desk, "2", "");
	assert_string_equal(winner(desk.store, "web-1"), "web-1");
	assert_rate(desk.store, "1", 100);
}

static void test_withdrawing_the_ground_of_one_is_a_conflict(void **state)
{
	Desk desk = desk_at(state);
	gint64 first = submit(&desk, 200, RATE(50));
	gint64 second = submit(&desk, 300, RATE(100));
	deed(&desk, WITHDRAW, first, NULL, 0);
	assert_standing(&desk, second, STANDING_CONFLICT, "rate was edited here and in live");
}

static void test_a_move_that_does_not_fit_is_refused(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	gint64 second = submit(&desk, 300, RATE(100));
	deed_refused(&desk, MOVE, second, NULL, 150, DROVER_ERROR_CONFLICT, "does not fit there");
}

/* Tests ---------------------------------------------------------------------------------------- */

static void test_a_tester_signs_what_the_test_channels_answer(void **state)
{
	Desk desk = tested_desk_at(state);
	gint64 change = submit(&desk, 200, MAPPING("web-2"));
	Desk bob = as(&desk, "bob");
	g_autoptr(ChangeDetail) detail = load(&bob, change);
	assert_int_equal(json_array_size(detail->standing->tested), 2);
	const json_t *declared = json_array_get(detail->standing->tested, 0);
	assert_string_equal(json_text(declared, "channel"), "release");
	g_autoptr(Snapshot) snapshot = channel_snapshot(detail->standing->after, NULL);
	g_autofree char *digest = digest_of(snapshot, "web", "release");
	assert_string_equal(json_text(declared, "digest"), digest);
	deed(&bob, SIGN, change, "qa", 0);
	assert_standing(&desk, change, STANDING_UNTESTED, "1 person of qa must sign");
	deed(&bob, TEST, change, "qa", 0);
	assert_standing(&desk, change, STANDING_READY, "");
	desk.second = 200;
	assert_look(&desk, "1", "");
}

static void test_what_was_tested_must_be_what_goes_live(void **state)
{
	Desk desk = tested_desk_at(state);
	gint64 change = submit(&desk, 200, MAPPING("web-2"));
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, change, "qa", 0);
	deed(&bob, TEST, change, "qa", 0);
	row(desk.store, STATE_RULES,
		"{'rule_id': 9, 'product': 'web', 'channel': 'rel*', 'priority': 90}");
	assert_standing(&desk, change, STANDING_NEEDS_RETEST,
		"release of web is answered otherwise. Names that nobody declared are answered "
		"otherwise. 1 person of qa must sign");
	desk.second = 200;
	assert_look(&desk, "", "*1 needs-retest");
	deed(&bob, TEST, change, "qa", 0);
	assert_look(&desk, "1", "");
}

static void test_a_direct_edit_voids_tests_and_says_so(void **state)
{
	Desk desk = tested_desk_at(state);
	gint64 change = submit(&desk, 200, MAPPING("web-2"));
	gint64 other = submit(&desk, 200,
		"[{'op': 'insert', 'table': 'pins', 'row': {'product': 'web', 'channel': "
		"'release', 'version': '1.', 'mapping': 'web-1'}}]");
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, other, "qa", 0);
	deed(&bob, TEST, other, "qa", 0);
	deed(&desk, EDIT, change, RATE(30), 0);
	assert_standing(&desk, other, STANDING_NEEDS_RETEST, "The test of bob is void: ");
}

static void test_going_live_in_turn_voids_no_test_behind(void **state)
{
	Desk desk = tested_desk_at(state);
	gint64 first = submit(&desk, 200, RATE(50)), second = submit(&desk, 300, RATE(100));
	Desk bob = as(&desk, "bob");
	deed(&bob, SIGN, first, "qa", 0);
	deed(&bob, TEST, first, "qa", 0);
	deed(&bob, SIGN, second, "qa", 0);
	deed(&bob, TEST, second, "qa", 0);
	desk.second = 200;
	assert_look(&desk, "1", "");
	desk.second = 300;
	assert_look(&desk, "2", "");
}

static void test_switching_off_needs_no_word_and_switching_on_does(void **state)
{
	Desk desk = tested_desk_at(state);
	submit(&desk, 200,
		"[{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'web', "
		"'channel': 'release'}}]");
	submit(&desk, 300,
		"[{'op': 'delete', 'table': 'shutoffs', 'product': 'web', 'channel': "
		"'release'}]");
	desk.second = 300;
	assert_look(&desk, "1", "*2 unsigned");
}

/* Breaking the glass --------------------------------------------------------------------------- */

static void test_broken_glass_goes_live_at_once_and_is_reviewed(void **state)
{
	Desk desk = tested_desk_at(state);
	Desk bob = as(&desk, "bob");
	submit(&desk, 200, RATE(50));
	gint64 urgent = submit(&desk, 300, MAPPING("web-2"));
	gint64 behind = submit(&desk, 400, RATE(100));
	deed(&desk, BREAK_GLASS, urgent, NULL, 0);
	assert_standing(&desk, urgent, STANDING_LIVE, "");
	assert_string_equal(winner(desk.store, "web-2"), "web-2");
	assert_rate(desk.store, "1", 25);
	deed_refused(&desk, REVIEW, urgent, NULL, 0, DROVER_ERROR_DENIED, "another operator");
	deed(&bob, REVIEW, urgent, NULL, 0);
	deed_refused(&bob, REVIEW, urgent, NULL, 0, DROVER_ERROR_CONFLICT, "no review");
	g_autoptr(ChangeDetail) follower = load(&desk, behind);
	const json_t *before =
		json_object_get(json_array_get(follower->standing->content, 0), "before");
	assert_string_equal(json_text(before, "mapping"), "web-2");
	assert_int_equal(json_integer_of(before, "rate"), 50);
	assert_int_equal(
		must_read_integer(desk.store, "SELECT COUNT(*) FROM history WHERE action IN "
					      "('change.break-glass', 'change.review')"),
		2);
}

static void test_broken_glass_never_overwrites(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	gint64 second = submit(&desk, 300, RATE(100));
	deed_refused(&desk, BREAK_GLASS, second, NULL, 0, DROVER_ERROR_CONFLICT,
		"does not fit what is live: rules 1: rate: was edited on both sides");
	assert_rate(desk.store, "1", 25);
}

static void test_a_signed_change_whose_row_goes_is_a_conflict(void **state)
{
	Desk desk = tested_desk_at(state);
	Desk bob = as(&desk, "bob");
	gint64 change = submit(&desk, 200, RATE(50));
	deed(&bob, SIGN, change, "qa", 0);
	deed(&bob, TEST, change, "qa", 0);
	assert_standing(&desk, change, STANDING_READY, "");
	submit(&desk, 150, "[{'op': 'delete', 'table': 'rules', 'rule_id': 1}]");
	assert_standing(&desk, change, STANDING_CONFLICT, "rules 1: the row was edited here");
}

static void test_a_live_change_remembers_what_was_agreed(void **state)
{
	Desk desk = tested_desk_at(state);
	Desk bob = as(&desk, "bob");
	gint64 change = submit(&desk, 200, RATE(50));
	deed(&bob, SIGN, change, "qa", 0);
	deed(&bob, TEST, change, "qa", 0);
	g_autoptr(ChangeDetail) before = load(&desk, change);
	desk.second = 200;
	assert_look(&desk, "1", "");
	g_autoptr(ChangeDetail) after = load(&desk, change);
	assert_string_equal(after->standing->digest, before->standing->digest);
	assert_string_equal(after->standing->tested_digest, before->standing->tested_digest);
	assert_true(json_equal(after->standing->content, before->standing->content));
	g_autoptr(json_t) json = change_detail_json(after);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "words"), 0)),
		"rule 1: rate 25 -> 50");
}

/* Two droverds --------------------------------------------------------------------------------- */

typedef struct Racer {
	Store *store;
	guint live;
} Racer;

static gpointer race(gpointer of)
{
	Racer *racer = of;
	g_autoptr(GError) error = NULL;
	g_auto(Enacted) enacted = {0};
	channel_enact(racer->store, 300 * US_PER_SECOND, NULL, &enacted, &error);
	assert_good(error);
	racer->live = enacted.live->len;
	return NULL;
}

static void test_two_droverds_make_each_change_live_once(void **state)
{
	Desk desk = desk_at(state);
	Racer racers[2] = {{place_connect(*state), 0}, {place_connect(*state), 0}};
	GThread *threads[2];
	for (gint64 i = 0; i < 10; i++) {
		g_autofree char *ops =
			g_strdup_printf("[{'op': 'insert', 'table': 'shutoffs', 'row': "
					"{'product': 'web', 'channel': 'c%d'}}]",
				(int)i + 1);
		submit(&desk, 200 + i, ops);
	}
	for (guint i = 0; i < 2; i++)
		threads[i] = g_thread_new("droverd", race, &racers[i]);
	for (guint i = 0; i < 2; i++) {
		g_thread_join(threads[i]);
		store_close(racers[i].store);
	}
	assert_int_equal(racers[0].live + racers[1].live, 10);
	assert_int_equal(must_read_integer(desk.store,
				 "SELECT COUNT(*) FROM history WHERE action = 'change.live'"),
		10);
	assert_int_equal(must_read_integer(desk.store,
				 "SELECT COUNT(*) FROM channel_row WHERE kind = 'shutoffs'"),
		10);
}

/* Killed between the two transactions. */
static void test_a_change_left_going_live_is_finished(void **state)
{
	Desk desk = desk_at(state);
	submit(&desk, 200, RATE(50));
	must_write(desk.store, "UPDATE channel_change SET state = 'going-live'");
	deed_refused(&desk, EDIT, 1, RATE(60), 0, DROVER_ERROR_CONFLICT, "going-live just now");
	desk.second = 200;
	assert_look(&desk, "1", "");
	assert_rate(desk.store, "1", 50);
}

static void test_a_change_left_going_live_waits_again_without_its_word(void **state)
{
	Desk desk = tested_desk_at(state);
	submit(&desk, 200, RATE(50));
	must_write(desk.store, "UPDATE channel_change SET state = 'going-live'");
	desk.second = 200;
	assert_look(&desk, "", "*1 unsigned");
	deed(&desk, EDIT, 1, RATE(60), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_priorities_are_swapped_at_one_instant),
		ON_BOTH(test_a_rule_that_ties_loses_to_the_older),
		ON_BOTH(test_a_deleted_rule_lets_the_next_one_win),
		ON_BOTH(test_an_edit_of_another_column_is_merged),
		ON_BOTH(test_an_edit_of_the_same_column_is_a_conflict_that_stays),
		ON_BOTH(test_a_conflict_ends_when_its_cause_does),
		ON_BOTH(test_withdrawing_one_rebases_those_behind),
		ON_BOTH(test_withdrawing_the_ground_of_one_is_a_conflict),
		ON_BOTH(test_a_move_that_does_not_fit_is_refused),
		ON_BOTH(test_a_tester_signs_what_the_test_channels_answer),
		ON_BOTH(test_what_was_tested_must_be_what_goes_live),
		ON_BOTH(test_a_direct_edit_voids_tests_and_says_so),
		ON_BOTH(test_going_live_in_turn_voids_no_test_behind),
		ON_BOTH(test_switching_off_needs_no_word_and_switching_on_does),
		ON_BOTH(test_broken_glass_goes_live_at_once_and_is_reviewed),
		ON_BOTH(test_broken_glass_never_overwrites),
		ON_BOTH(test_a_signed_change_whose_row_goes_is_a_conflict),
		ON_BOTH(test_a_live_change_remembers_what_was_agreed),
		ON_BOTH(test_two_droverds_make_each_change_live_once),
		ON_BOTH(test_a_change_left_going_live_is_finished),
		ON_BOTH(test_a_change_left_going_live_waits_again_without_its_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
