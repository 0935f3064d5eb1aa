/* SPDX-License-Identifier: ISC
 *
 * What rules cost: one evaluation, one snapshot, all that is published, and the queue, for 100 to
 * 10,000 rules over 1 to 50 products. The promise: 10,000 rules over 50 products are no slower to
 * ask than 100 rules. docs/benchmarks.md has the figures.
 */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "channel/answer/published.h"
#include "channel/change/rebase.h"
#include "channel/evaluate.h"
#include "channel/row/row.h"

enum { ASKED = 200000, CHANGES = 50 };

typedef json_t BenchJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BenchJson, json_decref)

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static gsize used_bytes(void)
{
	struct mallinfo2 memory = mallinfo2();
	return memory.uordblks + memory.hblkhd;
}

/* Rows ----------------------------------------------------------------------------------------- */

static const char *const channels[] = {"release", "beta", "nightly", "esr", "aurora"};

static void add(State *state, StateTable table, json_t *row)
{
	g_assert(state_add(state, table, row, NULL));
	json_decref(row);
}

/* As Balrog's are: most for one product and channel, each with a matcher or two. */
static json_t *rule_row(guint number, guint products)
{
	g_autofree char *product = g_strdup_printf("product-%u", number % products);
	guint place = number / products; /* among the product's */
	g_autofree char *mapping = g_strdup_printf("%s-%u", product, place % 20);
	json_t *row = json_pack("{s:i, s:i, s:s, s:s, s:s, s:i}", "rule_id", (int)number + 1,
		"priority", (int)(place * 7919 % 1000), "product", product, "channel",
		place % 7 == 0 ? "release*" : channels[place % G_N_ELEMENTS(channels)], "mapping",
		mapping, "rate", place % 3 == 0 ? 25 : 100);
	if (place % 2 == 0)
		json_object_set_new(row, "version", json_string("<50.0"));
	if (place % 3 == 0)
		json_object_set_new(row, "os_version", json_string("Windows_NT 6.1,Darwin 16"));
	if (place % 5 == 0)
		json_object_set_new(row, "locale", json_string("ja,ja-JP-mac,ko"));
	return row;
}

static json_t *release_row(const char *product, guint number)
{
	g_autofree char *name = g_strdup_printf("%s-%u", product, number);
	g_autofree char *version = g_strdup_printf("%u.0", 60 + number);
	json_t *locales = json_object();
	for (guint i = 0; i < 90; i++) {
		char locale[8];
		g_snprintf(locale, sizeof locale, "l%u", i);
		json_object_set_new(locales, locale, json_object());
	}
	return json_pack("{s:s, s:s, s:s, s:{s:{s:o}, s:{s:s}}}", "name", name, "product", product,
		"version", version, "platforms", "Linux_x86_64-gcc3", "locales", locales,
		"WINNT_x86_64-msvc", "alias", "Linux_x86_64-gcc3");
}

static State *make_state(guint rules, guint products)
{
	State *state = state_new();
	for (guint i = 0; i < rules; i++)
		add(state, STATE_RULES, rule_row(i, products));
	for (guint i = 0; i < products; i++) {
		g_autofree char *product = g_strdup_printf("product-%u", i);
		add(state, STATE_PRODUCTS, json_pack("{s:s}", "product", product));
		for (guint j = 0; j < 20; j++)
			add(state, STATE_RELEASES, release_row(product, j));
	}
	return state;
}

/* Each raises the rate of a rule of its own; every tenth adds a release and a rule for it. */
static json_t *make_changes(guint rules)
{
	json_t *changes = json_array();
	for (guint i = 0; i < CHANGES; i++) {
		json_t *ops = json_pack("[{s:s, s:s, s:i, s:{s:i}}]", "op", "update", "table",
			"rules", "rule_id", (int)(i * 37 % rules + 1), "row", "rate",
			(int)(i % 100));
		if (i % 10 == 0) {
			g_autofree char *name = g_strdup_printf("new-%u", i);
			json_array_append_new(
				ops, json_pack("{s:s, s:s, s:o}", "op", "insert", "table",
					     "releases", "row", release_row(name, 0)));
		}
		json_array_append_new(changes, json_pack("{s:i, s:i, s:o}", "id", (int)i + 1,
						       "when", (int)i + 1, "ops", ops));
	}
	return changes;
}

/* What is measured ---------------------------------------------------------------------------- */

/* Microseconds of CPU for one answer: a client for whom the last rules are the ones. */
static double ask(const Snapshot *snapshot, guint products)
{
	Query query = {.channel = "release",
		.platform = "Linux_x86_64-gcc3",
		.locale = "l7",
		.os_version = "Windows_NT 10.0",
		.build_id = "20240101",
		.has_version = TRUE,
		.draw = 10};
	char names[50][16];
	g_assert(version_parse(VERSION_MOZILLA, "55.0", &query.version, NULL));
	for (guint i = 0; i < products; i++)
		g_snprintf(names[i], sizeof names[i], "product-%u", i);
	double begin_ms = cpu_ms();
	for (guint i = 0; i < ASKED; i++) {
		Answer answer;
		query.product = names[i % products];
		evaluate(snapshot, &query, &answer);
	}
	return (cpu_ms() - begin_ms) * 1000 / ASKED;
}

static void measure_asking(const State *state, guint rules, guint products)
{
	gsize before = used_bytes();
	double begin_ms = cpu_ms();
	g_autoptr(Snapshot) snapshot = snapshot_new(state, NULL, NULL);
	double made_ms = cpu_ms() - begin_ms;
	double size_mib = (double)(used_bytes() - before) / (1024 * 1024);
	g_assert_cmpuint(snapshot_errors(snapshot)->len, ==, 0);
	printf("%6u rules, %2u products: an answer %7.3f us, a snapshot %7.1f ms and %6.1f MiB\n",
		rules, products, ask(snapshot, products), made_ms, size_mib);
}

static void say(const char *what, double begin_ms)
{
	printf("        %-44s %8.1f ms\n", what, cpu_ms() - begin_ms);
}

static void measure_queue(State *live, guint rules)
{
	g_autoptr(BenchJson) changes = make_changes(rules);
	g_autoptr(Queue) queue = queue_new(changes, NULL);
	double begin_ms = cpu_ms();
	footprint_free(footprint_new(live, queue_change(queue, 0)));
	say("one footprint", begin_ms);
	begin_ms = cpu_ms();
	g_autoptr(Overlay) overlay = queue_overlay(queue, live, (Cut){.kind = CUT_ALL}, TRUE, NULL);
	g_assert_cmpuint(overlay_conflicts(overlay), ==, 0);
	say("live with 50 changes on top", begin_ms);
	g_autoptr(BenchJson) edit = json_pack("{s:[{s:s, s:s, s:i, s:{s:s}}]}", "ops", "op",
		"update", "table", "rules", "rule_id", 2, "row", "comment", "edited");
	g_autoptr(State) edited = state_apply(live, edit, NULL);
	begin_ms = cpu_ms();
	g_array_unref(rebase_queue(queue, live, queue, edited));
	say("50 changes re-based on an edit", begin_ms);
	begin_ms = cpu_ms();
	g_assert(rows_check(live, edited, ROW_GOES_LIVE, NULL));
	say("the rows of an edit checked", begin_ms);
	gsize before = used_bytes();
	begin_ms = cpu_ms();
	g_autoptr(Published) published = published_new(live, queue, 1, NULL);
	say("all that is published, 50 changes waiting", begin_ms);
	Place place;
	begin_ms = cpu_ms();
	published_find(published, "product-0", "release-test", &place);
	published_digest(published, "product-0", &place);
	say("the digest of one test channel", begin_ms);
	printf("        %-44s %8.1f MiB\n", "and its memory",
		(double)(used_bytes() - before) / (1024 * 1024));
}

int main(void)
{
	static const guint rules[] = {100, 1000, 10000}, products[] = {1, 10, 50};
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(products); j++) {
			g_autoptr(State) state = make_state(rules[i], products[j]);
			measure_asking(state, rules[i], products[j]);
			if (products[j] == 50)
				measure_queue(state, rules[i]);
		}
	}
	return 0;
}
