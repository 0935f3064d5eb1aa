/* SPDX-License-Identifier: ISC
 *
 * How fast the landing stage's heart is, beside its targets (docs/landing.md, "Deployable"): a
 * million landings rebuilt, a landing appended, a verdict applied, a question answered, and bytes a
 * landing.
 *
 *     bench_deployable [LANDINGS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "landing/deployable.h"

#define VERDICTS 200000

typedef struct Mix {
	const char *name;
	guint items;	       /* a landing has 1 … so many */
	guint per_mille_undo;  /* rollbacks */
	guint per_mille_again; /* of them, those that undo a rollback */
	guint targets;	       /* a rollback has 1 … so many */
	guint per_mille_fix;
	guint per_mille_bad;
	guint per_mille_waiting; /* of the last tenth */
	guint war;		 /* so many landings of every hundred undo the one before */
} Mix;

static const Mix mixes[] = {
	{"typical: 1 item, 5 % rollbacks, 2 % nested, 1 % fixes", 1, 50, 400, 1, 10, 0, 30, 0},
	{"busy git: 1-4 items, 20 % rollbacks of 1-8, half nested", 4, 200, 500, 8, 50, 1, 200, 0},
	{"revert wars: twelve of every hundred undo the one before", 1, 0, 0, 1, 0, 500, 500, 12},
	{"never QA'd: everything waits", 1, 50, 400, 1, 10, 0, 1000, 0},
};

typedef struct History {
	guint32 count;
	LandingFacts *facts;
	GArray *items, *states, *revs; /* what the facts point into */
} History;

static gboolean chance(GRand *random, guint per_mille)
{
	return g_rand_int_range(random, 0, 1000) < (gint)per_mille;
}

static void history_clear(History *history)
{
	g_free(history->facts);
	g_array_unref(history->items);
	g_array_unref(history->states);
	g_array_unref(history->revs);
}

static ItemState any_state(const Mix *mix, GRand *random, gboolean late)
{
	if (chance(random, mix->per_mille_bad))
		return ITEM_BAD;
	gboolean waits =
		(late || mix->per_mille_waiting == 1000) && chance(random, mix->per_mille_waiting);
	return waits ? ITEM_UNRULED : ITEM_OK;
}

/* The rev of a rollback, young, when one is asked for and found; else of a young landing. */
static gint64 any_target(const History *history, GRand *random, guint32 before, gboolean rollback)
{
	guint32 range = MIN(before, 50);
	guint32 target = before - 1 - (guint32)g_rand_int_range(random, 0, (gint)range);
	for (guint32 i = target; rollback && i > target - MIN(target, 30); i--) {
		if (history->facts[i].rollback_count > 0)
			return i + 1;
	}
	return target + 1;
}

static void add_revs(
	History *history, const Mix *mix, GRand *random, guint32 at, guint count, gboolean undo)
{
	for (guint i = 0; i < count; i++) {
		gboolean again = undo && chance(random, mix->per_mille_again);
		gint64 rev = undo && mix->war > 0 ? at : any_target(history, random, at, again);
		g_array_append_val(history->revs, rev);
	}
}

/* What is undone was bad; what was brought back is good now. */
static void judge_undone(History *history, const LandingFacts *undone)
{
	gboolean back = undone->rollback_count > 0;
	const LandingFacts *judged = back ? &history->facts[undone->rollback_of[0] - 1] : undone;
	*(ItemState *)(guintptr)judged->states = back ? ITEM_OK : ITEM_BAD;
}

static void make_history(History *history, const Mix *mix, guint32 count)
{
	GRand *random = g_rand_new_with_seed(1);
	*history = (History){
		.count = count,
		.facts = g_new0(LandingFacts, count),
		.items = g_array_new(FALSE, FALSE, sizeof(guint32)),
		.states = g_array_new(FALSE, FALSE, sizeof(ItemState)),
		.revs = g_array_new(FALSE, FALSE, sizeof(gint64)),
	};
	for (guint32 i = 0; i < count; i++) {
		LandingFacts *facts = &history->facts[i];
		facts->rev = i + 1;
		facts->item_count = 1 + (gsize)g_rand_int_range(random, 0, (gint)mix->items);
		for (gsize j = 0; j < facts->item_count; j++) {
			guint32 item = (guint32)(i * mix->items + j);
			ItemState state = any_state(mix, random, i > count - count / 10);
			g_array_append_val(history->items, item);
			g_array_append_val(history->states, state);
		}
		if (i % 100 > 0 && (i % 100 < mix->war || chance(random, mix->per_mille_undo)))
			facts->rollback_count =
				1 + (gsize)g_rand_int_range(random, 0, (gint)mix->targets);
		if (i > 0 && chance(random, mix->per_mille_fix))
			facts->fix_count = 1;
		add_revs(history, mix, random, i, (guint)facts->rollback_count, TRUE);
		add_revs(history, mix, random, i, (guint)facts->fix_count, FALSE);
	}
	gsize item = 0;
	gsize rev = 0;
	for (guint32 i = 0; i < count; i++) {
		LandingFacts *facts = &history->facts[i];
		facts->items = &g_array_index(history->items, guint32, item);
		facts->states = &g_array_index(history->states, ItemState, item);
		facts->rollback_of = (gint64 *)(gpointer)history->revs->data + rev;
		facts->fixes = facts->rollback_of + facts->rollback_count;
		item += facts->item_count;
		rev += facts->rollback_count + facts->fix_count;
		for (gsize j = 0; j < facts->rollback_count; j++)
			judge_undone(history, &history->facts[facts->rollback_of[j] - 1]);
	}
	g_rand_free(random);
}

static void report(const char *what, double value, const char *unit, double target)
{
	printf("  %-28s %10.1f %-9s", what, value, unit);
	if (target > 0)
		printf(" target %8.1f  ratio %5.2f%s", target, value / target,
			value > target ? "  MISSED" : "");
	printf("\n");
}

/* Microseconds since `start_us`. */
static double since(gint64 start_us)
{
	return (double)(g_get_monotonic_time() - start_us);
}

static double rule_at_random(DeployableIndex *index, const History *history, guint32 from)
{
	GRand *random = g_rand_new_with_seed(2);
	gint64 start = g_get_monotonic_time();
	gint64 newest = 0;
	for (guint i = 0; i < VERDICTS; i++) {
		guint32 at = (guint32)g_rand_int_range(random, (gint)from, (gint)history->count);
		ItemState state = i % 2 == 0 ? ITEM_BAD : ITEM_OK;
		g_autoptr(GError) error = NULL;
		deployable_index_rule_item(
			index, history->facts[at].rev, history->facts[at].items[0], state, &error);
		g_assert_no_error(error);
		newest += deployable_index_newest(index);
	}
	double took = since(start) / VERDICTS;
	g_rand_free(random);
	return newest >= 0 ? took : 0;
}

static void ask(const DeployableIndex *index)
{
	gint64 start = g_get_monotonic_time();
	g_autoptr(GArray) all = deployable_index_all(index);
	double all_us = since(start);
	start = g_get_monotonic_time();
	g_autoptr(GArray) blockers = deployable_index_blockers(index, deployable_index_tip(index));
	double blockers_us = since(start);
	report("all deployable tips", all_us / 1000, "ms", 0);
	report("blockers of the newest tip", blockers_us / 1000, "ms", 0);
	printf("  %u of %" G_GSIZE_FORMAT " tips deployable, newest %" G_GINT64_FORMAT
	       ", %u blockers\n",
		all->len, deployable_index_count(index), deployable_index_newest(index),
		blockers->len);
}

static void run(const Mix *mix, guint32 count)
{
	History history;
	g_autoptr(GError) error = NULL;
	make_history(&history, mix, count);
	printf("%s\n", mix->name);

	g_autoptr(DeployableIndex) built = deployable_index_new(0);
	gint64 start = g_get_monotonic_time();
	deployable_index_build(built, history.facts, count, &error);
	double built_us = since(start);
	g_assert_no_error(error);

	g_autoptr(DeployableIndex) appended = deployable_index_new(0);
	start = g_get_monotonic_time();
	for (guint32 i = 0; i < count; i++)
		deployable_index_append(appended, &history.facts[i], &error);
	double appended_us = since(start);
	g_assert_no_error(error);
	g_assert(deployable_index_newest(built) == deployable_index_newest(appended));

	report("rebuild", built_us / 1000, "ms", 500.0 * count / 1e6);
	report("rebuild, a landing", 1000 * built_us / count, "ns", 0);
	report("append", 1000 * appended_us / count, "ns", 0);
	report("verdict + newest, anywhere", 1000 * rule_at_random(built, &history, 0), "ns", 5000);
	report("verdict + newest, last 1000",
		1000 * rule_at_random(built, &history, count - MIN(count, 1000)), "ns", 5000);
	report("memory", (double)deployable_index_memory(appended) / count, "B/landing", 100);
	ask(appended);
	history_clear(&history);
}

int main(int argc, char **argv)
{
	gint64 count = argc > 1 ? g_ascii_strtoll(argv[1], NULL, 10) : 1000000;
	if (count < 1 || count > LANDING_MAXIMUM_COUNT) {
		fprintf(stderr, "usage: %s [LANDINGS], from 1 to %d\n", argv[0],
			LANDING_MAXIMUM_COUNT);
		return 2;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(mixes); i++)
		run(&mixes[i], (guint32)count);
	return 0;
}
