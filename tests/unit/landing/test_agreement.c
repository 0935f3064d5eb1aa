/* SPDX-License-Identifier: ISC
 *
 * The index agrees with the literal definition (reference.c) on thousands of random histories,
 * built at once, appended one by one, and after random verdicts.
 *
 * DROVER_TEST_SEED sets the first history's seed, DROVER_TEST_HISTORIES how many there are; the
 * seed of a failing history is printed, so DROVER_TEST_SEED=<it> DROVER_TEST_HISTORIES=1 shows it
 * alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "landing/index.h"
#include "reference.h"

#if defined(__SANITIZE_ADDRESS__)
#define HISTORIES 5000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HISTORIES 5000
#endif
#endif
#ifndef HISTORIES
#define HISTORIES 20000
#endif
#define FLIPS 4

typedef struct Trial {
	ReferenceHistory history;
	gboolean trees[REFERENCE_LANDINGS][REFERENCE_LANDINGS];
	gboolean blocks[REFERENCE_LANDINGS][REFERENCE_LANDINGS];
	guint64 seed;
	GRand *random;
	const char *stage;
} Trial;

#define agree(trial, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			disagree(trial, #condition, __LINE__);                                     \
	} while (0)

static G_NORETURN void disagree(const Trial *trial, const char *what, int line)
{
	const ReferenceHistory *history = &trial->history;
	fprintf(stderr, "DROVER_TEST_SEED=%" G_GUINT64_FORMAT " %s, line %d: %s\nbaseline %d\n",
		trial->seed, trial->stage, line, what, (int)history->baseline);
	for (gsize v = 0; v < history->count; v++) {
		const ReferenceLanding *landing = &history->landings[v];
		fprintf(stderr, "%3d %-8s", (int)landing->rev, landing_qa_name(landing->qa));
		for (gsize i = 0; i < landing->item_count; i++)
			fprintf(stderr, " item %u %s", landing->items[i],
				landing->states[i] ? item_state_name(landing->states[i]) : "-");
		for (gsize i = 0; i < landing->rollback_count; i++)
			fprintf(stderr, " undoes %d", (int)landing->rollback_of[i]);
		for (gsize i = 0; i < landing->fix_count; i++)
			fprintf(stderr, " fixes %d", (int)landing->fixes[i]);
		fprintf(stderr, "\n");
	}
	fail_msg("the index and the definition disagree");
	abort();
}

static gint below(Trial *trial, gint end)
{
	return g_rand_int_range(trial->random, 0, end);
}

static gboolean chance(Trial *trial, gint percent)
{
	return below(trial, 100) < percent;
}

static ItemState any_state(Trial *trial)
{
	static const ItemState often_ok[] = {ITEM_OK, ITEM_OK, ITEM_OK, ITEM_UNRULED,
		ITEM_UNTESTABLE, ITEM_NEEDS_TESTING, ITEM_BAD, ITEM_BAD};
	return often_ok[below(trial, G_N_ELEMENTS(often_ok))];
}

static LandingQa any_qa(Trial *trial)
{
	return chance(trial, 70) ? LANDING_QA_REQUIRED : (LandingQa)below(trial, 5);
}

/* Mostly a landing before `v`, and often a young one; sometimes historic, a hole, itself or newer.
 */
static gint64 any_rev(Trial *trial, gsize v)
{
	const ReferenceLanding *landings = trial->history.landings;
	if (chance(trial, 4))
		return below(trial, (gint)landings[0].rev);
	if (chance(trial, 3))
		return landings[0].rev + below(trial, 60);
	if (v == 0)
		return landings[0].rev;
	gint range = chance(trial, 50) ? (gint)MIN(v, 4) : (gint)v;
	return landings[(gint)v - 1 - below(trial, range)].rev;
}

static void add_items(Trial *trial, ReferenceLanding *landing)
{
	gint start = below(trial, 6);
	landing->item_count =
		chance(trial, 30) ? 0 : (gsize)(1 + below(trial, REFERENCE_ITEMS - 1));
	for (gsize i = 0; i < landing->item_count; i++) {
		/* Distinct, in no order. */
		landing->items[i] = (guint32)((start + 5 * (gint)i) % 6);
		landing->states[i] = any_state(trial);
	}
}

static void any_history(Trial *trial)
{
	ReferenceHistory *history = &trial->history;
	gboolean gaps = chance(trial, 50);
	gint undo_percent = below(trial, 80);
	gint fix_percent = below(trial, 40);
	gint64 rev = 1 + below(trial, 5);

	*history = (ReferenceHistory){.count = (gsize)(1 + below(trial, REFERENCE_LANDINGS))};
	for (gsize v = 0; v < history->count; v++) {
		ReferenceLanding *landing = &history->landings[v];
		landing->rev = rev;
		rev += 1 + (gaps ? below(trial, 3) : 0);
		landing->qa = any_qa(trial);
		add_items(trial, landing);
		if (chance(trial, undo_percent))
			landing->rollback_count =
				chance(trial, 70) ? 1 : (gsize)(1 + below(trial, 5));
		if (chance(trial, fix_percent))
			landing->fix_count = (gsize)(1 + below(trial, 3));
		for (gsize i = 0; i < landing->rollback_count; i++)
			landing->rollback_of[i] = any_rev(trial, v);
		for (gsize i = 0; i < landing->fix_count; i++)
			landing->fixes[i] = any_rev(trial, v);
	}
	if (chance(trial, 20))
		history->baseline = below(trial, (gint)rev + 2);
}

static void refer(Trial *trial)
{
	for (gsize tip = 0; tip < trial->history.count; tip++) {
		reference_tree(&trial->history, tip, trial->trees[tip]);
		reference_blockers(&trial->history, trial->trees[tip], tip, trial->blocks[tip]);
	}
}

static LandingFacts facts_of(const ReferenceLanding *landing)
{
	return (LandingFacts){
		.rev = landing->rev,
		.qa = landing->qa,
		.items = landing->items,
		.states = landing->states,
		.item_count = landing->item_count,
		.rollback_of = landing->rollback_of,
		.rollback_count = landing->rollback_count,
		.fixes = landing->fixes,
		.fix_count = landing->fix_count,
	};
}

/* The first `appended` one by one, the rest at once. */
static DeployableIndex *make_index(const ReferenceHistory *history, gsize appended)
{
	DeployableIndex *index = deployable_index_new(history->baseline);
	LandingFacts facts[REFERENCE_LANDINGS];
	g_autoptr(GError) error = NULL;
	for (gsize v = 0; v < history->count; v++) {
		facts[v] = facts_of(&history->landings[v]);
		if (v < appended)
			deployable_index_append(index, &facts[v], &error);
		g_assert_no_error(error);
	}
	if (appended < history->count)
		deployable_index_build(index, facts + appended, history->count - appended, &error);
	g_assert_no_error(error);
	return index;
}

static void compare_landing(const Trial *trial, const DeployableIndex *index, gsize v)
{
	const ReferenceHistory *history = &trial->history;
	const ReferenceLanding *landing = &history->landings[v];
	agree(trial, deployable_index_state(index, landing->rev) == reference_state(history, v));
	agree(trial, deployable_index_rollback_malformed(index, landing->rev) ==
			     reference_malformed(history, v));
	for (gsize i = 0; i < landing->item_count; i++)
		agree(trial, deployable_index_item_counts_as(index, landing->rev,
				     landing->items[i]) == reference_item(history, v, i));
	for (gsize tip = 0; tip < history->count; tip++)
		agree(trial, deployable_index_in_tree(index, landing->rev,
				     history->landings[tip].rev) == trial->trees[tip][v]);
}

/* Gives whether the tip is deployable. */
static gboolean compare_tip(const Trial *trial, const DeployableIndex *index, gsize tip)
{
	const ReferenceHistory *history = &trial->history;
	gint64 rev = history->landings[tip].rev;
	g_autoptr(GArray) blockers = deployable_index_blockers(index, rev);
	guint found = 0;
	for (gsize v = 0; v <= tip; v++) {
		if (!trial->blocks[tip][v])
			continue;
		agree(trial, found < blockers->len);
		agree(trial, g_array_index(blockers, gint64, found) == history->landings[v].rev);
		found++;
	}
	agree(trial, found == blockers->len);
	agree(trial, deployable_index_is_deployable(index, rev) == (found == 0));
	return found == 0;
}

static void compare(const Trial *trial, const DeployableIndex *index)
{
	const ReferenceHistory *history = &trial->history;
	g_autoptr(GArray) all = deployable_index_all(index);
	gint64 newest = 0;
	guint found = 0;
	for (gsize v = 0; v < history->count; v++) {
		compare_landing(trial, index, v);
		if (compare_tip(trial, index, v)) {
			newest = history->landings[v].rev;
			agree(trial, found < all->len);
			agree(trial, g_array_index(all, gint64, found) == newest);
			found++;
		}
		agree(trial,
			deployable_index_newest_until(index, history->landings[v].rev) == newest);
	}
	agree(trial, found == all->len);
	agree(trial, deployable_index_newest(index) == newest);
}

static void give_ok(DeployableIndex *index, const LandingNeed *need)
{
	g_autoptr(GError) error = NULL;
	if (need->landing_itself)
		deployable_index_rule_landing(index, need->rev, LANDING_QA_OK, &error);
	else
		deployable_index_rule_item(index, need->rev, need->item, ITEM_OK, &error);
	g_assert_no_error(error);
}

/* Until the last need is met the tip is not deployable; then it is. */
static void compare_needs(Trial *trial)
{
	g_autoptr(DeployableIndex) index = make_index(&trial->history, 0);
	gint64 tip = trial->history.landings[below(trial, (gint)trial->history.count)].rev;
	g_autoptr(GArray) needs = deployable_index_needs(index, tip);
	guint left_out = needs->len == 0 ? 0 : (guint)below(trial, (gint)needs->len);
	for (guint i = 0; i < needs->len; i++) {
		const LandingNeed *need = &g_array_index(needs, LandingNeed, i);
		gboolean bad = deployable_index_state(index, need->rev) == LANDING_BAD;
		agree(trial, need->by_fix == bad);
	}
	for (guint i = 0; i < needs->len; i++) {
		if (i != left_out)
			give_ok(index, &g_array_index(needs, LandingNeed, i));
	}
	if (needs->len > 0) {
		agree(trial, !deployable_index_is_deployable(index, tip));
		give_ok(index, &g_array_index(needs, LandingNeed, left_out));
	}
	agree(trial, deployable_index_is_deployable(index, tip));
}

/* One verdict, given to the index and written into the history. */
static void flip(Trial *trial, DeployableIndex *index)
{
	g_autoptr(GError) error = NULL;
	ReferenceLanding *landing =
		&trial->history.landings[below(trial, (gint)trial->history.count)];
	if (chance(trial, 5)) {
		trial->history.baseline = below(trial, 60);
		deployable_index_set_baseline(index, trial->history.baseline);
	} else if (landing->item_count == 0 || chance(trial, 30)) {
		landing->qa = (LandingQa)below(trial, 5);
		deployable_index_rule_landing(index, landing->rev, landing->qa, &error);
	} else {
		gsize item = (gsize)below(trial, (gint)landing->item_count);
		landing->states[item] = (ItemState)below(trial, 5);
		deployable_index_rule_item(
			index, landing->rev, landing->items[item], landing->states[item], &error);
	}
	g_assert_no_error(error);
}

static void try_history(Trial *trial)
{
	any_history(trial);
	refer(trial);
	gsize count = trial->history.count;

	trial->stage = "built at once";
	g_autoptr(DeployableIndex) built = make_index(&trial->history, 0);
	compare(trial, built);

	trial->stage = "appended";
	g_autoptr(DeployableIndex) index =
		make_index(&trial->history, chance(trial, 80) ? count : count / 2);
	compare(trial, index);

	trial->stage = "needs";
	compare_needs(trial);

	trial->stage = "after verdicts";
	for (gint i = 0; i < FLIPS; i++) {
		for (gint j = below(trial, 3); j >= 0; j--)
			flip(trial, index);
		refer(trial);
		compare(trial, index);
	}

	trial->stage = "built again";
	g_autoptr(DeployableIndex) again = make_index(&trial->history, 0);
	compare(trial, again);
}

static guint64 setting(const char *name, guint64 fallback)
{
	const char *text = g_getenv(name);
	return text == NULL ? fallback : g_ascii_strtoull(text, NULL, 10);
}

static void test_index_agrees_with_the_definition(void **state)
{
	guint64 first = setting("DROVER_TEST_SEED", g_random_int());
	guint64 histories = setting("DROVER_TEST_HISTORIES", HISTORIES);
	printf("DROVER_TEST_SEED=%" G_GUINT64_FORMAT " DROVER_TEST_HISTORIES=%" G_GUINT64_FORMAT
	       "\n",
		first, histories);
	g_autofree Trial *trial = g_new0(Trial, 1);
	for (guint64 i = 0; i < histories; i++) {
		trial->seed = first + i;
		trial->random = g_rand_new_with_seed((guint32)trial->seed);
		try_history(trial);
		g_clear_pointer(&trial->random, g_rand_free);
	}
}

#define LONG_LANDINGS 3000

/* A history too long for the definition: deep wars, wide rollbacks, fixes, little patience. */
typedef struct LongHistory {
	LandingFacts facts[LONG_LANDINGS];
	guint32 items[LONG_LANDINGS];
	ItemState states[LONG_LANDINGS];
	gint64 undone[LONG_LANDINGS][40];
	gint64 fixed[LONG_LANDINGS][3];
} LongHistory;

static void any_long_history(LongHistory *history, GRand *random)
{
	gint64 start = 0;
	for (gint v = 0; v < LONG_LANDINGS; v++) {
		LandingFacts *facts = &history->facts[v];
		gint kind = v == 0 ? 0 : g_rand_int_range(random, 0, 100);
		if (v % 400 == 0)
			start = v;
		history->items[v] = (guint32)g_rand_int_range(random, 0, 50);
		history->states[v] = (ItemState)g_rand_int_range(random, 0, 5);
		for (gint i = 0; i < 40; i++)
			history->undone[v][i] = 1 + g_rand_int_range(random, 0, MAX(v, 1));
		for (gint i = 0; i < 3; i++)
			history->fixed[v][i] = 1 + g_rand_int_range(random, 0, v + 1);
		*facts = (LandingFacts){
			.rev = v + 1,
			.qa = g_rand_int_range(random, 0, 50) == 0 ? LANDING_QA_BAD : LANDING_QA_OK,
			.items = &history->items[v],
			.states = &history->states[v],
			.item_count = v % 3 == 0,
			.rollback_of = history->undone[v],
			.rollback_count = kind < 5    ? 40
					  : kind < 10 ? 1
						      : 0,
			.fixes = history->fixed[v],
			.fix_count = kind % 5 == 0 ? 3 : 0,
		};
		/* The second half of every 800 is one war. */
		if (v > 0 && start % 800 == 400) {
			facts->rollback_count = 1;
			history->undone[v][0] = v;
		}
	}
	history->facts[0].rollback_count = 0;
}

static void assert_same(const DeployableIndex *a, const DeployableIndex *b)
{
	g_autoptr(GArray) all_a = deployable_index_all(a);
	g_autoptr(GArray) all_b = deployable_index_all(b);
	assert_int_equal(all_a->len, all_b->len);
	for (gint64 rev = 1; rev <= LONG_LANDINGS; rev++) {
		assert_int_equal(deployable_index_state(a, rev), deployable_index_state(b, rev));
		assert_int_equal(deployable_index_rollback_fault(a, rev),
			deployable_index_rollback_fault(b, rev));
		assert_int_equal(deployable_index_newest_until(a, rev),
			deployable_index_newest_until(b, rev));
		/* The count of its blockers is asserted inside. */
		g_autoptr(GArray) blockers_a = deployable_index_blockers(a, rev);
		g_autoptr(GArray) blockers_b = deployable_index_blockers(b, rev);
		assert_int_equal(blockers_a->len, blockers_b->len);
		assert_memory_equal(blockers_a->data == NULL ? "" : blockers_a->data,
			blockers_b->data == NULL ? "" : blockers_b->data,
			blockers_a->len * sizeof(gint64));
	}
}

static void test_long_history_appended_and_ruled_equals_the_one_built(void **state)
{
	guint64 seed = setting("DROVER_TEST_SEED", g_random_int());
	printf("DROVER_TEST_SEED=%" G_GUINT64_FORMAT "\n", seed);
	g_autoptr(GRand) random = g_rand_new_with_seed((guint32)seed);
	g_autofree LongHistory *history = g_new0(LongHistory, 1);
	for (guint round = 0; round < 3; round++) {
		any_long_history(history, random);
		g_autoptr(DeployableIndex) appended = deployable_index_new(0);
		g_autoptr(DeployableIndex) built = deployable_index_new(0);
		appended->patience = built->patience = 30000;
		for (gsize v = 0; v < LONG_LANDINGS; v++)
			assert_true(deployable_index_append(appended, &history->facts[v], NULL));
		guint faults[4] = {0};
		for (gint64 rev = 1; rev <= LONG_LANDINGS; rev++)
			faults[deployable_index_rollback_fault(appended, rev)]++;
		assert_true(faults[ROLLBACK_FAULT_NESTING] > 0);
		assert_true(faults[ROLLBACK_FAULT_REACH] > 0);

		for (guint i = 0; i < 2000; i++) {
			gint v = g_rand_int_range(random, 0, LONG_LANDINGS);
			history->states[v] = (ItemState)g_rand_int_range(random, 0, 5);
			history->facts[v].qa = (LandingQa)g_rand_int_range(random, 0, 5);
			assert_true(deployable_index_rule_landing(
				appended, v + 1, history->facts[v].qa, NULL));
			if (history->facts[v].item_count > 0)
				assert_true(deployable_index_rule_item(appended, v + 1,
					history->items[v], history->states[v], NULL));
		}
		assert_true(deployable_index_build(built, history->facts, LONG_LANDINGS, NULL));
		assert_same(appended, built);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_history_appended_and_ruled_equals_the_one_built),
		cmocka_unit_test(test_index_agrees_with_the_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
