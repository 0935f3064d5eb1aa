/* SPDX-License-Identifier: ISC
 *
 * Equal digests, equal answers; and nothing is read that is not in the digest. The evaluator's
 * reads are recorded: the linker sends its calls through __wrap_NAME.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/digest.h"
#include "channel/evaluate.h"
#include "channel/query_json.h"
#include "channel/row/scope.h"
#include "random_state.h"

enum { STATES = 20000 };

/* The recorder --------------------------------------------------------------------------------- */

typedef struct Reads {
	GHashTable *rules;    /* Rule *, read beyond product and channel */
	GHashTable *releases; /* names that were looked up */
	const Query *query;
	guint elsewhere; /* shut-offs and pins asked for anybody else */
} Reads;
static Reads *reads; /* NULL: nothing is recorded */

RuleColumn __real_rule_first_miss(const Rule *rule, const Query *query, RuleColumn from);
RuleColumn __wrap_rule_first_miss(const Rule *rule, const Query *query, RuleColumn from);
RuleColumn __wrap_rule_first_miss(const Rule *rule, const Query *query, RuleColumn from)
{
	RuleColumn miss = __real_rule_first_miss(rule, query, from);
	if (reads != NULL && miss > RULE_CHANNEL)
		g_hash_table_add(reads->rules, (gpointer)rule);
	return miss;
}

const ReleaseDocument *__real_snapshot_release(const Snapshot *snapshot, const char *name);
const ReleaseDocument *__wrap_snapshot_release(const Snapshot *snapshot, const char *name);
const ReleaseDocument *__wrap_snapshot_release(const Snapshot *snapshot, const char *name)
{
	if (reads != NULL)
		g_hash_table_add(reads->releases, (gpointer)name);
	return __real_snapshot_release(snapshot, name);
}

static void note_asked(const char *product, const char *channel)
{
	if (reads != NULL && (g_strcmp0(product, reads->query->product) != 0 ||
				     g_strcmp0(channel, reads->query->channel) != 0))
		reads->elsewhere++;
}

gboolean __real_snapshot_is_shut_off(
	const Snapshot *snapshot, const char *product, const char *channel);
gboolean __wrap_snapshot_is_shut_off(
	const Snapshot *snapshot, const char *product, const char *channel);
gboolean __wrap_snapshot_is_shut_off(
	const Snapshot *snapshot, const char *product, const char *channel)
{
	note_asked(product, channel);
	return __real_snapshot_is_shut_off(snapshot, product, channel);
}

const char *__real_snapshot_pinned(
	const Snapshot *snapshot, const char *product, const char *channel, const char *pin);
const char *__wrap_snapshot_pinned(
	const Snapshot *snapshot, const char *product, const char *channel, const char *pin);
const char *__wrap_snapshot_pinned(
	const Snapshot *snapshot, const char *product, const char *channel, const char *pin)
{
	note_asked(product, channel);
	return __real_snapshot_pinned(snapshot, product, channel, pin);
}

/* The tests ------------------------------------------------------------------------------------ */

static Snapshot *compiled(const State *state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(RandomJson) schemes = random_schemes(state);
	Snapshot *snapshot = snapshot_new(state, schemes, &error);
	g_assert_no_error(error);
	return snapshot;
}

/* One in eight asks without a product, one in nine without a channel. */
static const char *some(GRand *rand, const char *const *names, gint count)
{
	gint place = g_rand_int_range(rand, 0, count + 1);
	return place == count ? NULL : names[place];
}

static gboolean is_rule_in(const json_t *canonical, const Rule *rule)
{
	gsize i;
	json_t *row;
	json_array_foreach (json_object_get(canonical, "rules"), i, row)
		if (json_integer_value(json_object_get(row, "rule_id")) == rule->rule_id)
			return TRUE;
	return FALSE;
}

static void assert_covered(const Snapshot *snapshot, const json_t *canonical, const Reads *read)
{
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, read->rules);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		assert_true(is_rule_in(canonical, key));
	g_hash_table_iter_init(&iter, read->releases);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		assert_true(snapshot_release(snapshot, key) == NULL ||
			    json_object_get(json_object_get(canonical, "releases"), key) != NULL);
	assert_int_equal(read->elsewhere, 0);
}

static void test_the_evaluator_reads_nothing_outside_the_digest(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);
	guint rules = 0, releases = 0;
	for (guint i = 0; i < STATES; i++) {
		g_autoptr(State) rows = random_state(rand);
		g_autoptr(Snapshot) snapshot = compiled(rows);
		const char *product = some(rand, random_products, 4);
		const char *channel = some(rand, random_channels, 8);
		g_autoptr(RandomJson) asked = random_query(rand, product, channel);
		g_autoptr(RandomJson) canonical = digest_canonical(snapshot, product, channel);
		Query query = {0};
		Answer answer;
		g_assert_true(query_from_json(snapshot, asked, &query, NULL));
		g_autoptr(GHashTable) read_rules = g_hash_table_new(NULL, NULL);
		g_autoptr(GHashTable) read_releases = g_hash_table_new(g_str_hash, g_str_equal);
		Reads record = {read_rules, read_releases, &query, 0};
		reads = &record;
		evaluate(snapshot, &query, &answer);
		reads = NULL;
		assert_covered(snapshot, canonical, &record);
		rules += g_hash_table_size(read_rules);
		releases += g_hash_table_size(read_releases);
	}
	assert_in_range(rules, STATES / 2, 4 * STATES); /* else the recorder is asleep */
	assert_in_range(releases, STATES / 4, 4 * STATES);
}

static char *spelled(const Snapshot *snapshot, const json_t *asked)
{
	Query query = {0};
	Answer answer;
	g_assert_true(query_from_json(snapshot, asked, &query, NULL));
	evaluate(snapshot, &query, &answer);
	return g_strdup_printf("%s %d %d %d", answer.mapping,
		answer.rule == NULL ? 0 : (gint)answer.rule->rule_id, answer.why, answer.was_drawn);
}

static void test_equal_digests_are_equal_answers(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(12);
	guint equal = 0, different = 0;
	for (guint i = 0; i < STATES; i++) {
		g_autoptr(State) before = random_state(rand);
		g_autoptr(RandomJson) change = random_change(rand, before, 1);
		g_autoptr(State) after = state_apply(before, change, NULL);
		if (after == NULL)
			continue;
		g_autoptr(Snapshot) old = compiled(before);
		g_autoptr(Snapshot) new = compiled(after);
		const char *product = some(rand, random_products, 4);
		const char *channel = some(rand, random_channels, 8);
		g_autofree char *old_digest = digest_of(old, product, channel);
		g_autofree char *new_digest = digest_of(new, product, channel);
		gboolean is_equal = strcmp(old_digest, new_digest) == 0;
		for (guint j = 0; is_equal && j < 8; j++) {
			g_autoptr(RandomJson) asked = random_query(rand, product, channel);
			g_autofree char *one = spelled(old, asked);
			g_autofree char *other = spelled(new, asked);
			assert_string_equal(one, other);
		}
		*(is_equal ? &equal : &different) += 1;
	}
	assert_true(equal > STATES / 4 && different > STATES / 10);
}

static json_t *canonical_of(const char *text, const char *product, const char *channel)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(RandomJson) tables = json_loads(quoted, 0, NULL);
	g_autoptr(State) state = state_new();
	assert_non_null(tables);
	for (guint i = 0; i < STATE_TABLES; i++) {
		const json_t *rows = json_object_get(tables, state_table_name((StateTable)i));
		for (gsize j = 0; j < json_array_size(rows); j++)
			assert_true(state_add(state, (StateTable)i, json_array_get(rows, j), NULL));
	}
	g_autoptr(Snapshot) snapshot = compiled(state);
	return digest_canonical(snapshot, product, channel);
}

static void assert_canonical(
	const char *text, const char *product, const char *channel, const char *expected)
{
	g_autoptr(RandomJson) canonical = canonical_of(text, product, channel);
	g_autofree char *found = canonical_text(canonical);
	g_autofree char *wanted = g_strdelimit(g_strdup(expected), "'", '"');
	assert_string_equal(found, wanted);
}

static void test_the_canonical_form_can_be_read(void **state)
{
	assert_canonical(
		"{'rules': [{'rule_id': 2, 'mapping': 'A', 'comment': 'x', 'alias': 'y', "
		"'platform': null}, {'rule_id': 1, 'product': 'P', 'channel': 'be*', 'priority': "
		"9}, {'rule_id': 3, 'product': 'Q'}], 'releases': [{'name': 'A', 'version': '1.0'},"
		" {'name': 'B'}]}",
		"P", "beta",
		"{'channel':'beta','evaluator':1,'pins':{},'product':'P','releases':{'A':{'row':"
		"{'name':'A','version':'1.0'},'scheme':'mozilla'}},'rules':[{'channel':'be*',"
		"'priority':9,'product':'P','rate':100,'rule_id':1},{'mapping':'A','priority':0,"
		"'rate':100,'rule_id':2}],'scheme':'mozilla','shutoffs':{}}");
}

static void test_scheme_and_hosts_of_the_product_belong_to_it(void **state)
{
	assert_canonical(
		"{'products': [{'product': 'P', 'scheme': 'semver', 'hosts': ['a.org'], 'late_s': "
		"5}, {'product': 'Q', 'hosts': ['b.org']}]}",
		"P", NULL,
		"{'channel':null,'evaluator':1,'hosts':['a.org'],'pins':{},'product':'P',"
		"'releases':{},'rules':[],'scheme':'semver','shutoffs':{}}");
}

static void test_releases_of_pins_and_partials_belong_to_it(void **state)
{
	g_autoptr(RandomJson) canonical = canonical_of(
		"{'rules': [{'rule_id': 1, 'mapping': 'A', 'fallback_mapping': 'F'}], 'pins': "
		"[{'product': 'P', 'channel': 'beta', 'version': '6.', 'mapping': 'L'}, {'product':"
		" 'P', 'channel': 'esr', 'version': '6.', 'mapping': 'X'}], 'releases': [{'name': "
		"'A', 'platforms': {'T': {'locales': {'de': {'partials': [{'from': 'O'}]}}}}}, "
		"{'name': 'F'}, {'name': 'L'}, {'name': 'O'}, {'name': 'X'}]}",
		"P", "beta-cck-a");
	const json_t *releases = json_object_get(canonical, "releases");
	assert_int_equal(json_object_size(releases), 4);
	assert_null(json_object_get(releases, "X"));
}

static void test_origins_are_those_of_every_platform_and_locale(void **state)
{
	g_autoptr(RandomJson) canonical = canonical_of(
		"{'rules': [{'rule_id': 1, 'mapping': 'A'}], 'releases': [{'name': 'A', "
		"'platforms': {'T': {'locales': {'de': {}, 'fr': {'partials': [{'from': 'B'}]}}},"
		" 'U': {'locales': {'de': {'partials': [{'from': 'C'}, {'from': '*'}]}, 'fr': "
		"{'partials': [{'from': 'D'}]}}}}}, {'name': 'B'}, {'name': 'C'}, {'name': 'D'}, "
		"{'name': 'E'}]}",
		"P", "beta");
	const json_t *releases = json_object_get(canonical, "releases");
	assert_int_equal(json_object_size(releases), 4);
	assert_null(json_object_get(releases, "E"));
}

static void test_the_digest_is_sha256_of_the_canonical_form(void **state)
{
	g_autoptr(RandomJson) value = json_pack("{s:i, s:[i]}", "b", 1, "a", 2);
	g_autofree char *text = canonical_text(value);
	g_autofree char *digest = canonical_digest(value);
	g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	assert_string_equal(text, "{\"a\":[2],\"b\":1}");
	assert_string_equal(digest, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_evaluator_reads_nothing_outside_the_digest),
		cmocka_unit_test(test_equal_digests_are_equal_answers),
		cmocka_unit_test(test_the_canonical_form_can_be_read),
		cmocka_unit_test(test_scheme_and_hosts_of_the_product_belong_to_it),
		cmocka_unit_test(test_releases_of_pins_and_partials_belong_to_it),
		cmocka_unit_test(test_origins_are_those_of_every_platform_and_locale),
		cmocka_unit_test(test_the_digest_is_sha256_of_the_canonical_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
