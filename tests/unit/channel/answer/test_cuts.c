/* SPDX-License-Identifier: ISC
 *
 * On random rows and queues: a test channel answers at each cut as live will when the changes of
 * the cut went live in their order, and is undefined exactly where that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../random_state.h"
#include "channel/answer/published.h"
#include "channel/query_json.h"

enum { STATES = 1500, CHANGES = 5 };

/* "through 1" is channel t1 of every product, and so on; t0 is of live itself. */
static State *with_test_channels(const State *rows, const char *base)
{
	g_autoptr(State) state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		const char *key;
		json_t *row;
		json_object_foreach ((json_t *)state_rows(rows, (StateTable)i), key, row)
			if (i != STATE_CHANNELS)
				g_assert_true(state_add(state, (StateTable)i, row, NULL));
	}
	for (guint i = 1; i <= CHANGES; i++) {
		g_autofree char *name = g_strdup_printf("t%u", i);
		g_autofree char *cut = g_strdup_printf("through %u", i);
		g_autoptr(RandomJson) row = json_pack("{s:s, s:s, s:s, s:s}", "product", "*",
			"channel", name, "base", base, "cut", cut);
		g_assert_true(state_add(state, STATE_CHANNELS, row, NULL));
	}
	return g_steal_pointer(&state);
}

static Queue *random_queue(GRand *rand, const State *state)
{
	g_autoptr(RandomJson) changes = json_array();
	for (gint64 i = 1; i <= CHANGES; i++)
		json_array_append_new(changes, random_change(rand, state, i));
	return queue_new(changes, NULL);
}

static char *spelled(const Snapshot *snapshot, const json_t *asked, const char *channel)
{
	g_autoptr(GError) error = NULL;
	Query query = {.draw = (guint)json_integer_value(json_object_get(asked, "draw"))};
	Answer answer;
	if (!query_from_json(snapshot, asked, &query, &error))
		return g_strdup(error->message);
	query.channel = channel;
	evaluate(snapshot, &query, &answer);
	return g_strdup_printf("%s %d %d", answer.mapping,
		answer.rule == NULL ? 0 : (gint)answer.rule->rule_id, answer.why);
}

static Snapshot *compiled(const State *state)
{
	g_autoptr(RandomJson) schemes = snapshot_schemes(state);
	return snapshot_new(state, schemes, NULL);
}

typedef struct Counts {
	guint undefined, answered, served;
} Counts;

/* One query at the cut through the change. */
static void compare(GRand *rand, const Published *published, const Overlay *overlay,
	const char *base, gint64 change, Counts *counts)
{
	const char *product = random_products[g_rand_int_range(rand, 0, 4)];
	g_autofree char *name = g_strdup_printf("t%d", (int)change);
	g_autoptr(RandomJson) asked = random_query(rand, product, base);
	g_autoptr(Snapshot) expected = compiled(overlay_state(overlay));
	Place place;
	published_find(published, product, name, &place);
	const char *undefined = overlay_undefined(overlay, product, base);
	assert_true(place.is_test && place.is_declared);
	assert_string_equal(place.channel, base);
	assert_int_equal(place.undefined != NULL, undefined != NULL);
	counts->undefined += undefined != NULL;
	if (undefined != NULL) {
		assert_string_equal(place.undefined, undefined);
		return;
	}
	g_autofree char *wanted = spelled(expected, asked, base);
	g_autofree char *found = spelled(place.snapshot, asked, place.channel);
	assert_string_equal(found, wanted);
	counts->answered++;
	counts->served += !g_str_has_prefix(found, "(null)");
}

static void test_a_cut_answers_as_live_will(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(31);
	Counts counts = {0};
	for (guint i = 0; i < STATES; i++) {
		const char *base = random_channels[g_rand_int_range(rand, 0, 8)];
		g_autoptr(State) rows = random_state(rand);
		g_autoptr(State) live = with_test_channels(rows, base);
		g_autoptr(Queue) queue = random_queue(rand, live);
		g_autoptr(GError) error = NULL;
		g_autoptr(Published) published = published_new(live, queue, 1, &error);
		g_assert_no_error(error);
		for (gint64 change = 1; change <= CHANGES; change++) {
			g_autoptr(Overlay) overlay = queue_overlay(
				queue, live, (Cut){CUT_THROUGH, change}, TRUE, &error);
			g_assert_no_error(error);
			compare(rand, published, overlay, base, change, &counts);
		}
	}
	assert_true(counts.undefined > STATES / 4 && counts.answered > STATES);
	assert_true(counts.served > STATES / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cut_answers_as_live_will),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
