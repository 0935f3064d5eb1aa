/* SPDX-License-Identifier: ISC
 *
 * On random rows: a whole answer reads nothing that the digest does not cover, and equal digests
 * give equal bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../random_state.h"
#include "channel/answer/update_answer.h"
#include "channel/digest.h"

enum { STATES = 8000 };

/* What was looked up ----------------------------------------------------------------------------
 */

static GHashTable *looked_up; /* names of releases; NULL: nothing is recorded */
static const char *asking_product;
static guint of_others; /* hosts or schemes of another product */

const ReleaseDocument *__real_snapshot_release(const Snapshot *snapshot, const char *name);
const ReleaseDocument *__wrap_snapshot_release(const Snapshot *snapshot, const char *name);
const ReleaseDocument *__wrap_snapshot_release(const Snapshot *snapshot, const char *name)
{
	if (looked_up != NULL)
		g_hash_table_add(looked_up, g_strdup(name));
	return __real_snapshot_release(snapshot, name);
}

const json_t *__real_snapshot_hosts(const Snapshot *snapshot, const char *product);
const json_t *__wrap_snapshot_hosts(const Snapshot *snapshot, const char *product);
const json_t *__wrap_snapshot_hosts(const Snapshot *snapshot, const char *product)
{
	of_others += looked_up != NULL && g_strcmp0(product, asking_product) != 0;
	return __real_snapshot_hosts(snapshot, product);
}

VersionScheme __real_snapshot_scheme(const Snapshot *snapshot, const char *product);
VersionScheme __wrap_snapshot_scheme(const Snapshot *snapshot, const char *product);
VersionScheme __wrap_snapshot_scheme(const Snapshot *snapshot, const char *product)
{
	of_others += looked_up != NULL && g_strcmp0(product, asking_product) != 0;
	return __real_snapshot_scheme(snapshot, product);
}

/* Rows with files -------------------------------------------------------------------------------
 */

/* Files for each locale, by the release's name alone: equal rows stay equal. */
static void add_files(const char *name, json_t *files)
{
	static const char *const hosts[] = {"a.example.org", "b.example.org", "c.example.org"};
	g_autofree char *url = g_strdup_printf(
		"https://%s/%s", hosts[(guchar)name[0] % G_N_ELEMENTS(hosts)], name);
	json_t *partial;
	gsize i;
	json_array_foreach (json_object_get(files, "partials"), i, partial)
		json_object_update_new(partial, json_pack("{s:s, s:i}", "url", url, "size", 1));
	json_object_set_new(files, "completes",
		json_pack("[{s:s, s:s, s:i}, {s:s, s:s, s:i}]", "from", "B", "url", url, "size", 2,
			"from", "*", "url", url, "size", 3));
}

static json_t *with_files(const json_t *row)
{
	json_t *copy = json_deep_copy(row), *platform, *files;
	const char *name, *locale;
	if (json_object_get(copy, "platforms") == NULL)
		json_object_set_new(copy, "platforms",
			json_pack("{s:{s:{s:{}, s:{}}}, s:{s:s}}", "T", "locales", "de", "fr", "U",
				"alias", "T"));
	json_object_foreach (json_object_get(copy, "platforms"), name, platform)
		json_object_foreach (json_object_get(platform, "locales"), locale, files)
			add_files(json_string_value(json_object_get(row, "name")), files);
	return copy;
}

static void add_products(State *state)
{
	static const char *const rows[] = {
		"{\"product\": \"P\", \"hosts\": [\"a.example.org\", \"b.example.org\"]}",
		"{\"product\": \"Q\", \"hosts\": [\"c.example.org\"], \"scheme\": \"semver\"}",
		"{\"product\": \"R\", \"hosts\": []}"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(RandomJson) row = json_loads(rows[i], 0, NULL);
		state_add(state, STATE_PRODUCTS, row, NULL);
	}
}

static Published *publish(const State *rows)
{
	g_autoptr(State) live = state_new();
	g_autoptr(Queue) queue = queue_new(NULL, NULL);
	g_autoptr(GError) error = NULL;
	for (guint i = 0; i < STATE_TABLES; i++) {
		const char *key;
		json_t *row;
		json_object_foreach ((json_t *)state_rows(rows, (StateTable)i), key, row) {
			g_autoptr(RandomJson) made =
				i == STATE_RELEASES ? with_files(row) : json_incref(row);
			if (i != STATE_PRODUCTS && i != STATE_CHANNELS)
				g_assert_true(state_add(live, (StateTable)i, made, NULL));
		}
	}
	add_products(live);
	Published *published = published_new(live, queue, 1, &error);
	g_assert_no_error(error);
	return published;
}

/* Questions -------------------------------------------------------------------------------------
 */

/* char * -> char *, owned, of the query's columns. */
static GHashTable *parameters_of(const json_t *query)
{
	GHashTable *parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)query, name, value) {
		char *text = json_is_integer(value)
				     ? g_strdup_printf("%d", (int)json_integer_value(value))
				     : g_strdup(json_string_value(value));
		g_hash_table_insert(parameters, g_strdup(name), text);
	}
	return parameters;
}

static char *body_of(const Published *published, const json_t *query, gboolean is_xml)
{
	g_autoptr(GHashTable) parameters = parameters_of(query);
	g_autoptr(GError) error = NULL;
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) answer = {0};
	asked_read("/update/json", parameters, &asked, &error);
	g_assert_no_error(error);
	if (is_xml)
		asked.format = ASKED_XML;
	guint draw = (guint)json_integer_value(json_object_get(query, "draw"));
	if (!update_answer_make(published, NULL, &asked, draw, &answer, &error))
		return g_strdup(error->message);
	return g_steal_pointer(&answer.body);
}

static const char *some(GRand *rand, const char *const *names, gint count)
{
	return names[g_rand_int_range(rand, 0, count)];
}

static void test_an_answer_reads_nothing_outside_the_digest(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(21);
	guint found = 0;
	for (guint i = 0; i < STATES; i++) {
		g_autoptr(State) rows = random_state(rand);
		g_autoptr(Published) published = publish(rows);
		const char *channel = some(rand, random_channels, 8);
		asking_product = some(rand, random_products, 4);
		g_autoptr(RandomJson) query = random_query(rand, asking_product, channel);
		g_autoptr(RandomJson) canonical =
			digest_canonical(published_live(published), asking_product, channel);
		g_autoptr(GHashTable) names =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		looked_up = names;
		g_autofree char *body G_GNUC_UNUSED = body_of(published, query, TRUE);
		looked_up = NULL;
		GHashTableIter iter;
		gpointer name;
		g_hash_table_iter_init(&iter, names);
		while (g_hash_table_iter_next(&iter, &name, NULL)) {
			if (snapshot_release(published_live(published), name) == NULL)
				continue;
			assert_non_null(
				json_object_get(json_object_get(canonical, "releases"), name));
			found++;
		}
		assert_int_equal(of_others, 0);
	}
	assert_true(found > STATES / 4); /* else the recorder is asleep */
}

static void test_equal_digests_are_equal_bytes(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(22);
	guint equal = 0, different = 0, updates = 0;
	for (guint i = 0; i < STATES; i++) {
		g_autoptr(State) before = random_state(rand);
		g_autoptr(RandomJson) change = random_change(rand, before, 1);
		g_autoptr(State) after = state_apply(before, change, NULL);
		if (after == NULL)
			continue;
		g_autoptr(Published) old = publish(before), new = publish(after);
		const char *product = some(rand, random_products, 4);
		const char *channel = some(rand, random_channels, 8);
		g_autofree char *was = digest_of(published_live(old), product, channel);
		g_autofree char *is = digest_of(published_live(new), product, channel);
		gboolean is_equal = strcmp(was, is) == 0;
		*(is_equal ? &equal : &different) += 1;
		for (guint j = 0; is_equal && j < 8; j++) {
			g_autoptr(RandomJson) query = random_query(rand, product, channel);
			g_autofree char *one = body_of(old, query, j % 2 == 0);
			g_autofree char *other = body_of(new, query, j % 2 == 0);
			assert_string_equal(one, other);
			updates += strstr(one, "<patch") != NULL;
		}
	}
	assert_true(equal > STATES / 4 && different > STATES / 10 && updates > STATES / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_reads_nothing_outside_the_digest),
		cmocka_unit_test(test_equal_digests_are_equal_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
