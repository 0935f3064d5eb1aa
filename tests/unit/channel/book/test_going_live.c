/* SPDX-License-Identifier: ISC
 *
 * The promise of test channels, on random rows and queues in a real store: what a test channel
 * answers at a cut is what live answers once that much of the queue went live. Changes go in as
 * people submit them and live as the clock does it; the answers come from the evaluator alone.
 */
#include "../random_state.h"
#include "change_place.h"

#include "channel/evaluate.h"
#include "channel/query_json.h"

enum { ROUNDS = 60, CHANGES = 6, QUERIES = 40 };

/* What a query gets: which release, by which rule, why. Caller frees. */
static char *answer_of(const Snapshot *snapshot, const json_t *asked)
{
	Query query = {0};
	Answer answer;
	g_autoptr(GError) error = NULL;
	query_from_json(snapshot, asked, &query, &error);
	if (error != NULL)
		return g_strdup(error->message);
	evaluate(snapshot, &query, &answer);
	return g_strdup_printf("%s by %" G_GINT64_FORMAT " %s",
		answer.mapping != NULL ? answer.mapping : "nothing",
		answer.rule != NULL ? answer.rule->rule_id : 0, answer_why_text(answer.why));
}

static json_t *random_queries(GRand *rand)
{
	json_t *queries = json_array();
	for (guint i = 0; i < QUERIES; i++)
		json_array_append_new(
			queries, random_query(rand, random_products[g_rand_int_range(rand, 0, 3)],
					 random_channels[g_rand_int_range(rand, 0, 8)]));
	return queries;
}

typedef struct Draft {
	const ChangeCall *call;
	json_t *change;
} Draft;

/* All or nothing of it; most fit, and those that do not are no concern of this test. */
static gboolean write_draft(Store *store, gpointer of, GError **error)
{
	const Draft *draft = of;
	json_t *ops = json_object_get(draft->change, "ops");
	ChangeDraft wanted = {
		(200 + change_when(draft->change)) * US_PER_SECOND, "a change", "because", ops};
	g_autoptr(ChangeDetail) detail = change_submit(draft->call, &wanted, error);
	return detail != NULL;
}

typedef struct Rows {
	State *state;
} Rows;

static gboolean write_rows(Store *store, gpointer of, GError **error)
{
	const Rows *rows = of;
	ChannelDeed deed = {5 * US_PER_SECOND, "ada", NULL, 0};
	g_autoptr(State) empty = state_new();
	return channel_rows_write(store, empty, rows->state, &deed, NULL, error);
}

static gboolean may(const char *product, const char *role, gpointer of)
{
	return TRUE;
}

static gboolean is_of_requirements(const json_t *change)
{
	json_t *op;
	gsize i;
	json_array_foreach (json_object_get(change, "ops"), i, op)
		if (g_strcmp0(json_text(op, "table"), "requirements") == 0)
			return TRUE;
	return FALSE;
}

static State *without_requirements(const State *from)
{
	State *state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		const char *key;
		json_t *row;
		json_object_foreach ((json_t *)state_rows(from, (StateTable)i), key, row)
			if (i != STATE_REQUIREMENTS)
				assert_true(state_add(state, (StateTable)i, row, NULL));
	}
	return state;
}

static void fill_queue(Store *store, GRand *rand)
{
	ChangeActor actor = {"ada", may, NULL};
	ChangeCall call = {store, &actor, 100 * US_PER_SECOND, NULL, NULL, NULL};
	for (gint64 i = 1; i <= CHANGES; i++) {
		g_autoptr(ChannelBook) book = channel_book_read(store, NULL);
		g_autoptr(Overlay) overlay =
			queue_overlay(book->queue, book->live, (Cut){.kind = CUT_ALL}, TRUE, NULL);
		g_autoptr(json_t) change = random_change(rand, overlay_state(overlay), i);
		if (is_of_requirements(change))
			continue; /* nobody signs here */
		Draft draft = {&call, change};
		store_write(store, write_draft, &draft, NULL);
	}
}

static Overlay *overlay_through(const ChannelBook *book, guint count)
{
	Cut cut = {CUT_THROUGH, change_id(queue_change(book->queue, count - 1))};
	return queue_overlay(book->queue, book->live, cut, TRUE, NULL);
}

/* How many queries had an answer; one behind a conflict has none. */
static guint compare(const Overlay *promised, Store *store, const json_t *queries)
{
	g_autoptr(ChannelBook) now = channel_book_read(store, NULL);
	g_autoptr(Snapshot) test = channel_snapshot(overlay_state(promised), NULL);
	g_autoptr(Snapshot) live = channel_snapshot(now->live, NULL);
	guint compared = 0;
	for (gsize i = 0; i < json_array_size(queries); i++) {
		const json_t *query = json_array_get(queries, i);
		if (overlay_undefined(promised, json_text(query, "product"),
			    json_text(query, "channel")) != NULL)
			continue;
		g_autofree char *before = answer_of(test, query);
		g_autofree char *after = answer_of(live, query);
		assert_string_equal(before, after);
		compared++;
	}
	return compared;
}

static void look_at(Store *store, gint64 now_us)
{
	g_auto(Enacted) enacted = {0};
	g_autoptr(GError) error = NULL;
	channel_enact(store, now_us, NULL, &enacted, &error);
	assert_good(error);
}

static gint64 when_of(const ChannelBook *book, guint place)
{
	return ((const ChannelChange *)book->changes->pdata[place])->when_us;
}

/* All that is due at one instant goes live at that instant. */
static guint compare_each_cut(Store *store, GRand *rand)
{
	g_autoptr(ChannelBook) book = channel_book_read(store, NULL);
	g_autoptr(json_t) queries = random_queries(rand);
	guint compared = 0;
	for (guint count = 1; count <= book->changes->len; count++) {
		gint64 when_us = when_of(book, count - 1);
		if (count < book->changes->len && when_of(book, count) == when_us)
			continue;
		g_autoptr(Overlay) promised = overlay_through(book, count);
		look_at(store, when_us);
		compared += compare(promised, store, queries);
	}
	return compared;
}

static guint play(Place *place, guint32 seed)
{
	GRand *rand = g_rand_new_with_seed(seed);
	g_autoptr(State) all = random_state(rand);
	g_autoptr(State) rows = without_requirements(all);
	Rows write = {rows};
	g_autoptr(GError) error = NULL;
	store_write(place->store, write_rows, &write, &error);
	assert_good(error);
	fill_queue(place->store, rand);
	guint compared = compare_each_cut(place->store, rand);
	g_rand_free(rand);
	return compared;
}

static void test_what_a_test_channel_answers_is_what_goes_live(void **state)
{
	guint compared = 0;
	for (guint32 seed = 1; seed <= ROUNDS; seed++) {
		void *place = NULL;
		assert_int_equal(place_sqlite(&place), 0);
		must_write(((Place *)place)->store,
			"UPDATE counter SET value = 100000000 WHERE name = 'clock'");
		person(((Place *)place)->store, "ada", "");
		person(((Place *)place)->store, "bob", "");
		compared += play(place, seed);
		place_remove(&place);
	}
	assert_true(compared >= ROUNDS * QUERIES * 2); /* not by lack of changes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_test_channel_answers_is_what_goes_live),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
