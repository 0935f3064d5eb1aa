/* SPDX-License-Identifier: ISC
 *
 * A million random events, seeded: the pool agrees with the plain model after each, keeps the
 * invariants of docs/balance.md, and a kernel that obeys its orders has exactly what is pooled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "balance/pool.h"
#include "model.h"

#define EVENTS_A_ROUND 200
#define ROUNDS	       6000
#define ROUNDS_QUICK   500

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

static const char *const names[MODEL_SERVERS] = {"a", "b", "c", "d", "e", "f", "g"};
static const char *const monitors[MODEL_MONITORS + 1] = {"A", "B", "C", NULL};
static const guint percents[] = {0, 10, 28, 33, 50, 60, 67, 75, 90, 100};

typedef enum Entry { KERNEL_ABSENT, KERNEL_SERVES, KERNEL_DRAINS } Entry;

typedef struct Round {
	Pool *pool;
	Model model;
	GRand *random;
	Entry kernel[MODEL_SERVERS];
	guint kernel_weight[MODEL_SERVERS];
	Set alive; /* before the event */
	guint32 seed, event;
	const char *what;
	gboolean was_result;
	guint64 held, revoked, refused, maintained; /* so that a test of nothing is noticed */
} Round;

static gint pick(Round *round, gint below)
{
	return g_rand_int_range(round->random, 0, below);
}

static gboolean chance(Round *round, gint percent)
{
	return pick(round, 100) < percent;
}

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("seed %u, event %u (%s): not " #condition, round->seed,           \
				round->event, round->what);                                        \
	} while (0)

static PoolPolicy policy_of(const Model *model)
{
	PoolPolicy policy = {.rise = model->rise,
		.fall = model->fall,
		.pessimistic = model->pessimistic,
		.monitors = monitors + MODEL_MONITORS - model->monitors};
	g_autofree char *text =
		g_strdup_printf("%u.%02u", model->percent / 100, model->percent % 100);
	g_assert(threshold_parse(text, &policy.threshold, NULL));
	return policy;
}

static Set set_of(const Round *round, gboolean (*is)(const PoolServer *server))
{
	Set set = 0;
	const GPtrArray *servers = pool_servers(round->pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		if (is(server))
			set |= 1U << (server->name[0] - 'a');
	}
	return set;
}

static gboolean is_listed(const PoolServer *server)
{
	return TRUE;
}
static gboolean is_pooled(const PoolServer *server)
{
	return server->pooled;
}
static gboolean is_held(const PoolServer *server)
{
	return server->held;
}
static gboolean is_up(const PoolServer *server)
{
	return server->up;
}
static gboolean is_maintained(const PoolServer *server)
{
	return server->maintenance;
}
static gboolean is_draining(const PoolServer *server)
{
	return server->drain == POOL_DRAIN_DRAINING;
}
static gboolean is_reserved(const PoolServer *server)
{
	return server->drain == POOL_DRAIN_RESERVED;
}

static void check_agreement(Round *round)
{
	const Model *model = &round->model;
	Set revoked = 0;
	const GArray *news = pool_news(round->pool);
	for (guint i = 0; i < news->len; i++) {
		const PoolNews *one = &g_array_index(news, PoolNews, i);
		if (one->kind == POOL_NEWS_REVOKED)
			revoked |= 1U << (one->server[0] - 'a');
	}
	HOLDS(set_of(round, is_listed) == model->listed);
	HOLDS(set_of(round, is_up) == model->up);
	HOLDS(set_of(round, is_maintained) == model->maintenance);
	HOLDS(set_of(round, is_draining) == model->draining);
	HOLDS(set_of(round, is_reserved) == model->reserved);
	HOLDS(set_of(round, is_held) == model->held);
	HOLDS(set_of(round, is_pooled) == model->pooled);
	HOLDS(revoked == model->revoked);
	HOLDS(pool_can_depool(round->pool) == model_can_depool(model));
	HOLDS(pool_held_count(round->pool) == (guint)__builtin_popcount(model->held));
	round->held += model->held != 0;
	round->revoked += revoked != 0;
	round->maintained += (model->pooled & model->maintenance) != 0;
}

static void check_invariants(Round *round)
{
	const GPtrArray *servers = pool_servers(round->pool);
	gboolean can_depool = pool_can_depool(round->pool);
	guint counting = 0, able_to_serve = 0;
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		gboolean able = server->enabled && server->ready;
		gboolean draining = server->drain == POOL_DRAIN_DRAINING;
		HOLDS(!server->pooled || able);
		HOLDS(!(server->up && able && !draining) || server->pooled);
		HOLDS(!(server->pooled && !server->up && !server->maintenance) || server->held);
		HOLDS(!(round->was_result && server->held) || !can_depool);
		HOLDS(!server->held || (server->pooled && !server->up && !server->maintenance));
		HOLDS(!draining || !server->pooled);
		counting += able && server->up && server->drain == POOL_DRAIN_NONE ? 1 : 0;
		able_to_serve += server->pooled && (server->up || server->maintenance) ? 1 : 0;
		HOLDS(i == 0 ||
			strcmp(((PoolServer *)servers->pdata[i - 1])->name, server->name) < 0);
	}
	HOLDS(counting == pool_counting(round->pool));
	HOLDS(able_to_serve == pool_able(round->pool));
}

static Set alive_now(const Round *round)
{
	const Model *model = &round->model;
	return model->listed & model->ready & (model->up | model->maintenance);
}

/* Obeys the orders as a kernel would; who was alive and still is never leaves at once. */
static void obey_orders(Round *round)
{
	const GArray *changes = pool_changes(round->pool);
	for (guint i = 0; i < changes->len; i++) {
		const PoolChange *change = &g_array_index(changes, PoolChange, i);
		gint n = change->server[0] - 'a';
		Entry *entry = &round->kernel[n];
		HOLDS(i == 0 || g_array_index(changes, PoolChange, i - 1).kind <= change->kind);
		switch (change->kind) {
		case POOL_CHANGE_ADD:
			HOLDS(*entry != KERNEL_SERVES);
			*entry = KERNEL_SERVES;
			break;
		case POOL_CHANGE_EDIT:
			HOLDS(*entry == KERNEL_SERVES && round->kernel_weight[n] != change->weight);
			break;
		case POOL_CHANGE_DRAIN:
			HOLDS(*entry == KERNEL_SERVES);
			*entry = KERNEL_DRAINS;
			break;
		case POOL_CHANGE_REMOVE:
			HOLDS(*entry != KERNEL_ABSENT);
			HOLDS(!(alive_now(round) & (1U << n)));
			HOLDS((round->model.listed & (1U << n)) || !(round->alive & (1U << n)));
			*entry = KERNEL_ABSENT;
			break;
		}
		round->kernel_weight[n] = change->weight;
	}
}

static void check_kernel(Round *round)
{
	for (gint n = 0; n < MODEL_SERVERS; n++) {
		gboolean pooled = (round->model.pooled >> n) & 1;
		HOLDS(pooled == (round->kernel[n] == KERNEL_SERVES));
		HOLDS(!pooled || round->kernel_weight[n] == round->model.weight[n]);
	}
}

static void play_list(Round *round)
{
	ModelEntry entries[MODEL_SERVERS];
	PoolEntry offered[MODEL_SERVERS];
	gsize count = 0;
	gint share = pick(round, 101);
	round->what = "list";
	for (gint n = 0; n < MODEL_SERVERS; n++) {
		entries[n] = (ModelEntry){chance(round, share), chance(round, 90),
			pick(round, 4) == 0 ? -1
			: chance(round, 80) ? 1
					    : 0,
			pick(round, 3) - 1};
		/* A name that left the list is gone from the kernel when it comes again. */
		if (!(round->model.listed & (1U << n)) && round->kernel[n] == KERNEL_DRAINS)
			round->kernel[n] = KERNEL_ABSENT;
		if (!entries[n].listed)
			continue;
		offered[count++] = (PoolEntry){.name = names[n],
			.has_enabled = entries[n].enabled >= 0,
			.enabled = entries[n].enabled == 1,
			.has_weight = entries[n].weight >= 0,
			.weight = (guint)MAX(entries[n].weight, 0),
			.ready = entries[n].ready};
	}
	model_list(&round->model, entries);
	pool_update(round->pool, offered, count, 0);
}

static void play_result(Round *round, gint n)
{
	static const char words[] = {'d', 'u', 'm'};
	round->what = "result";
	if (round->model.monitors == 0)
		return;
	guint monitor = (guint)pick(round, (gint)round->model.monitors);
	PoolResult result = chance(round, 8)	? POOL_RESULT_MAINTENANCE
			    : chance(round, 50) ? POOL_RESULT_UP
						: POOL_RESULT_DOWN;
	model_result(&round->model, n, monitor, words[result]);
	round->was_result = pool_result(round->pool, names[n], monitor, result, 0);
}

static void play_drain(Round *round, gint n)
{
	gboolean only_reserve = chance(round, 40), forced = chance(round, 10);
	gboolean was_asked = ((round->model.reserved | round->model.draining) >> n) & 1;
	g_autoptr(GError) error = NULL;
	round->what = only_reserve ? "reserve" : "drain";
	gboolean expected = model_drain(&round->model, n, only_reserve, forced);
	gboolean done = only_reserve ? pool_reserve(round->pool, names[n], forced, 0, &error)
				     : pool_drain(round->pool, names[n], forced, 0, &error);
	HOLDS(done == expected);
	HOLDS(done == (error == NULL));
	/* No drain that nobody forces breaks the floor. */
	HOLDS(!done || forced || was_asked || pool_can_depool(round->pool));
	round->refused += !done;
}

static void play_policy(Round *round)
{
	Model *model = &round->model;
	round->what = "policy";
	model_policy(model, percents[pick(round, G_N_ELEMENTS(percents))],
		(guint)pick(round, 3) + 1, (guint)pick(round, 3) + 1);
	PoolPolicy policy = policy_of(model);
	pool_set_policy(round->pool, &policy, 0);
}

static void play_event(Round *round)
{
	gint n = pick(round, MODEL_SERVERS), dice = pick(round, 100);
	round->alive = alive_now(round);
	round->was_result = FALSE;
	if (dice < 8) {
		play_list(round);
	} else if (dice < 22) {
		play_drain(round, n);
	} else if (dice < 30) {
		round->what = "undrain";
		model_undrain(&round->model, n);
		pool_undrain(round->pool, names[n], 0);
	} else if (dice < 33) {
		round->what = "resolve";
		model_resolve(&round->model, n);
		pool_set_ready(round->pool, names[n], 0);
	} else if (dice < 36) {
		round->what = "drained";
		round->model.revoked = 0;
		pool_drained(round->pool, names[n]);
		if (round->kernel[n] == KERNEL_DRAINS)
			round->kernel[n] = KERNEL_ABSENT;
	} else if (dice < 38) {
		play_policy(round);
	} else {
		play_result(round, n);
	}
	if (g_strcmp0(round->what, "result") == 0 && round->model.monitors == 0)
		return;
	obey_orders(round);
	check_agreement(round);
	check_invariants(round);
	check_kernel(round);
}

static void play_round(Round *totals, guint32 seed)
{
	Round round = {.seed = seed, .random = g_rand_new_with_seed(seed)};
	Model *model = &round.model;
	model->percent = percents[pick(&round, G_N_ELEMENTS(percents))];
	model->monitors = (guint)pick(&round, MODEL_MONITORS + 1);
	model->rise = chance(&round, 60) ? 1 : (guint)pick(&round, 3) + 1;
	model->fall = chance(&round, 60) ? 1 : (guint)pick(&round, 3) + 1;
	model->pessimistic = chance(&round, 20);
	memset(model->word, '?', sizeof model->word);
	PoolPolicy policy = policy_of(model);
	round.pool = pool_new(&policy);
	for (round.event = 0; round.event < EVENTS_A_ROUND; round.event++)
		play_event(&round);
	totals->held += round.held;
	totals->revoked += round.revoked;
	totals->refused += round.refused;
	totals->maintained += round.maintained;
	pool_free(round.pool);
	g_rand_free(round.random);
}

static void test_pool_agrees_with_the_model_after_random_events(void **state)
{
	guint32 rounds = ROUNDS;
#ifdef SANITIZED
	rounds = ROUNDS_QUICK;
#endif
	if (g_getenv("DROVER_TEST_QUICK") != NULL)
		rounds = ROUNDS_QUICK;
	Round totals = {0};
	for (guint32 seed = 1; seed <= rounds; seed++)
		play_round(&totals, seed);
	print_message("held %" G_GUINT64_FORMAT ", revoked %" G_GUINT64_FORMAT
		      ", refused %" G_GUINT64_FORMAT ", in maintenance %" G_GUINT64_FORMAT "\n",
		totals.held, totals.revoked, totals.refused, totals.maintained);
	/* All of it was met, again and again. */
	assert_true(totals.held > rounds / 4);
	assert_true(totals.revoked > rounds / 4);
	assert_true(totals.refused > rounds / 4);
	assert_true(totals.maintained > rounds / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_agrees_with_the_model_after_random_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
