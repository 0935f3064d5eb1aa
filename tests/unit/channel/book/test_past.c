/* SPDX-License-Identifier: ISC
 *
 * The past: rows and the queue as they were, the versions of a row, and the moments between.
 */
#include "book_place.h"

#define RULE_OP(columns) "[{'op': 'update', 'table': 'rules', 'rule_id': 1, 'row': {" columns "}}]"

static gint64 rate_at(Store *store, gint64 second)
{
	g_autoptr(ChannelBook) book = read_book_at(store, second);
	const json_t *rule = json_object_get(state_rows(book->live, STATE_RULES), "1");
	return rule != NULL ? json_integer_of(rule, "rate") : -1;
}

static void test_rows_are_as_they_were(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20, RULE_OP("'rate': 50"));
	edit(store, 30, "[{'op': 'delete', 'table': 'rules', 'rule_id': 1}]");
	edit(store, 40, "[{'op': 'insert', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 75}}]");
	assert_int_equal(rate_at(store, 9), -1);
	assert_int_equal(rate_at(store, 10), 25);
	assert_int_equal(rate_at(store, 19), 25);
	assert_int_equal(rate_at(store, 20), 50);
	assert_int_equal(rate_at(store, 29), 50);
	assert_int_equal(rate_at(store, 30), -1);
	assert_int_equal(rate_at(store, 39), -1);
	assert_int_equal(rate_at(store, 40), 75);
	assert_int_equal(rate_at(store, 1000), 75);
}

static void test_before_anything_there_was_nothing(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	schedule(store, 15, 100, RULE_OP("'rate': 100"));
	g_autoptr(ChannelBook) book = read_book_at(store, 0);
	for (guint i = 0; i < STATE_TABLES; i++)
		assert_int_equal(json_object_size(state_rows(book->live, (StateTable)i)), 0);
	assert_int_equal(queue_size(book->queue), 0);
	assert_int_equal(book->at_us, 1);
}

static void test_releases_and_products_are_as_they_were(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20,
		"[{'op': 'update', 'table': 'releases', 'name': 'web-2', 'row': {'version': "
		"'2.0.1'}}, {'op': 'update', 'table': 'products', 'product': 'web', 'row': "
		"{'hosts': null}}]");
	g_autoptr(ChannelBook) was = read_book_at(store, 19);
	g_autoptr(ChannelBook) is = read_book_at(store, 20);
	g_autoptr(Snapshot) old = channel_snapshot(was->live, NULL);
	g_autoptr(Snapshot) new = channel_snapshot(is->live, NULL);
	assert_string_equal(snapshot_release(old, "web-2")->version.text, "2.0.0");
	assert_string_equal(snapshot_release(new, "web-2")->version.text, "2.0.1");
	assert_int_equal(json_array_size(snapshot_hosts(old, "web")), 1);
	assert_null(snapshot_hosts(new, "web"));
	assert_int_equal(snapshot_scheme(old, "web"), VERSION_SEMVER);
}

static gint64 waiting_at(Store *store, gint64 second)
{
	g_autoptr(ChannelBook) book = read_book_at(store, second);
	return queue_size(book->queue);
}

static gboolean withdraw(Store *store, gpointer of, GError **error)
{
	ChannelChange *change = of;
	ChannelDeed deed = {50 * US_PER_SECOND, "bob", NULL, 0};
	g_free(change->state);
	change->state = g_strdup("withdrawn");
	change->ended_us = deed.now_us;
	return channel_change_save(store, change, &deed, error);
}

static void test_queue_is_as_it_was(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(GError) error = NULL;
	furnish(store);
	gint64 id = schedule(store, 15, 100, RULE_OP("'rate': 100, 'priority': 90"));
	edit(store, 20, RULE_OP("'priority': 90"));
	g_autoptr(ChannelChange) change = channel_change_load(store, id, &error);
	store_write(store, withdraw, change, &error);
	assert_good(error);
	assert_int_equal(waiting_at(store, 14), 0);
	assert_int_equal(waiting_at(store, 15), 1);
	assert_int_equal(waiting_at(store, 49), 1);
	assert_int_equal(waiting_at(store, 50), 0);
	g_autoptr(ChannelBook) written = read_book_at(store, 19);
	g_autoptr(ChannelBook) rebased = read_book_at(store, 20);
	g_autoptr(json_t) before = quoted(RULE_OP("'rate': 100, 'priority': 90"));
	g_autoptr(json_t) after = quoted(RULE_OP("'rate': 100"));
	assert_true(json_equal(json_object_get(queue_change(written->queue, 0), "ops"), before));
	assert_true(json_equal(json_object_get(queue_change(rebased->queue, 0), "ops"), after));
}

/* What is read at 25 was live from 20 until 30, by one clock, and from 15 by another. */
static void test_clock_that_was_set_back_hides_nothing(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	gint64 change = schedule(store, 20, 100, RULE_OP("'priority': 20, 'rate': 1"));
	edit(store, 20, RULE_OP("'rate': 50"));
	edit(store, 30, RULE_OP("'priority': 20"));
	edit(store, 15, RULE_OP("'priority': 30"));
	assert_int_equal(rate_at(store, 25), 50);
	g_autoptr(ChannelBook) book = read_book_at(store, 25);
	const json_t *rule = json_object_get(state_rows(book->live, STATE_RULES), "1");
	assert_int_equal(json_integer_of(rule, "priority"), 30);
	assert_int_equal(queue_size(book->queue), 1);
	assert_int_equal(change_id(queue_change(book->queue, 0)), change);
}

static void assert_version(
	const json_t *versions, gsize place, gint64 rate, gint64 from, gint64 until)
{
	const json_t *version = json_array_get(versions, place);
	const json_t *row = json_object_get(version, "row");
	assert_int_equal(json_is_null(row) ? -1 : json_integer_of(row, "rate"), rate);
	assert_int_equal(json_integer_of(version, "from_us"), from * US_PER_SECOND);
	assert_int_equal(json_integer_of(version, "until_us"), until * US_PER_SECOND);
	assert_string_equal(json_text(version, "actor"), "ada");
}

static void test_row_tells_its_versions(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(GError) error = NULL;
	furnish(store);
	edit(store, 20, RULE_OP("'rate': 50"));
	edit(store, 30, "[{'op': 'delete', 'table': 'rules', 'rule_id': 1}]");
	edit(store, 40, "[{'op': 'insert', 'table': 'rules', 'rule_id': 1, 'row': {'rate': 75}}]");
	edit(store, 50, "[{'op': 'delete', 'table': 'rules', 'rule_id': 1}]");
	g_autoptr(json_t) versions = channel_row_versions(store, STATE_RULES, "1", &error);
	g_autoptr(json_t) none = channel_row_versions(store, STATE_RULES, "2", NULL);
	assert_good(error);
	assert_int_equal(json_array_size(versions), 5);
	assert_version(versions, 0, -1, 50, 0);
	assert_version(versions, 1, 75, 40, 50);
	assert_version(versions, 2, -1, 30, 40);
	assert_version(versions, 3, 50, 20, 30);
	assert_version(versions, 4, 25, 10, 20);
	assert_int_equal(json_array_size(none), 0);
}

static void test_only_the_newest_versions_are_told(void **state)
{
	Store *store = ((Place *)*state)->store;
	must_write(store,
		"INSERT INTO channel_row (kind, key, row_json, from_us, until_us, actor)"
		" WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE "
		"n < 1001) SELECT 'rules', '1', '{}', n, n + 1, 'ada' FROM number");
	g_autoptr(json_t) versions = channel_row_versions(store, STATE_RULES, "1", NULL);
	/* And that it is gone since. */
	assert_int_equal(json_array_size(versions), CHANNEL_MAXIMUM_VERSIONS + 1);
	assert_int_equal(json_integer_of(json_array_get(versions, 1), "from_us"), 1001);
	g_autoptr(json_t) moments = channel_moments(store, NULL, G_MAXINT64, NULL);
	assert_int_equal(json_array_size(moments), CHANNEL_MAXIMUM_MOMENTS);
}

/* Moments -------------------------------------------------------------------------------------- */

typedef struct Enacting {
	json_t *change;
	ChannelDeed deed;
} Enacting;

static gboolean enact(Store *store, gpointer of, GError **error)
{
	Enacting *enacting = of;
	g_autoptr(ChannelBook) book = channel_book_read(store, error);
	if (book == NULL)
		return FALSE;
	g_autoptr(State) after = state_apply(book->live, enacting->change, error);
	return after != NULL &&
	       channel_rows_write(store, book->live, after, &enacting->deed, NULL, error);
}

static void go_live(Store *store, gint64 second, gint64 change, const char *ops)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) list = quoted(ops);
	g_autoptr(json_t) value = json_pack("{s:O}", "ops", list);
	Enacting enacting = {value, {second * US_PER_SECOND, "bob", NULL, change}};
	store_write(store, enact, &enacting, &error);
	assert_good(error);
}

static void assert_moment(const json_t *moments, gsize place, gint64 second, gint64 change,
	gint64 written, gint64 deleted)
{
	const json_t *moment = json_array_get(moments, place);
	assert_int_equal(json_integer_of(moment, "at_us"), second * US_PER_SECOND);
	assert_int_equal(json_integer_of(moment, "change"), change);
	assert_string_equal(json_text(moment, "actor"), change == 0 ? "ada" : "bob");
	assert_int_equal(json_integer_of(moment, "written"), written);
	assert_int_equal(json_integer_of(moment, "deleted"), deleted);
}

static void test_moments_are_told_by_change_and_edit(void **state)
{
	Store *store = ((Place *)*state)->store;
	g_autoptr(GError) error = NULL;
	furnish(store);
	go_live(store, 20, 5, RULE_OP("'rate': 50"));
	go_live(store, 20, 6, RULE_OP("'rate': 75, 'mapping': 'web-2'"));
	edit(store, 30, "[{'op': 'delete', 'table': 'releases', 'name': 'web-1'}]");
	g_autoptr(json_t) moments = channel_moments(store, NULL, 10, &error);
	assert_good(error);
	assert_int_equal(json_array_size(moments), 4);
	assert_moment(moments, 0, 30, 0, 0, 1);
	assert_moment(moments, 1, 20, 6, 1, 0);
	assert_moment(moments, 2, 20, 5, 1, 0);
	assert_moment(moments, 3, 10, 0, 4, 0);
	g_autofree char *tables = json_write(json_object_get(json_array_get(moments, 3), "tables"));
	assert_string_equal(tables, "[\"products\",\"releases\",\"rules\"]");
	g_autoptr(json_t) newest = channel_moments(store, NULL, 1, &error);
	assert_int_equal(json_array_size(newest), 1);
	assert_moment(newest, 0, 30, 0, 0, 1);
}

static void test_moments_of_a_product_leave_out_the_others(void **state)
{
	Store *store = ((Place *)*state)->store;
	furnish(store);
	edit(store, 20,
		"[{'op': 'insert', 'table': 'shutoffs', 'row': {'product': 'tv', 'channel': "
		"'release'}}]");
	edit(store, 30, "[{'op': 'insert', 'table': 'rules', 'row': {'channel': 'release'}}]");
	edit(store, 40,
		"[{'op': 'insert', 'table': 'freezes', 'row': {'name': 'a', 'product': '*', "
		"'from': "
		"'2026-12-24', 'until': '2026-12-27'}}]");
	g_autoptr(json_t) of_web = channel_moments(store, "web", 10, NULL);
	assert_int_equal(json_array_size(of_web), 3);
	assert_moment(of_web, 0, 40, 0, 1, 0);
	assert_moment(of_web, 1, 30, 0, 1, 0);
	assert_moment(of_web, 2, 10, 0, 4, 0);
	g_autoptr(json_t) of_tv = channel_moments(store, "tv", 10, NULL);
	assert_int_equal(json_array_size(of_tv), 3);
	assert_moment(of_tv, 2, 20, 0, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_rows_are_as_they_were),
		ON_BOTH(test_before_anything_there_was_nothing),
		ON_BOTH(test_releases_and_products_are_as_they_were),
		ON_BOTH(test_queue_is_as_it_was),
		ON_BOTH(test_clock_that_was_set_back_hides_nothing),
		ON_BOTH(test_row_tells_its_versions),
		ON_BOTH(test_only_the_newest_versions_are_told),
		ON_BOTH(test_moments_are_told_by_change_and_edit),
		ON_BOTH(test_moments_of_a_product_leave_out_the_others),
	};
	return cmocka_run_group_tests_name("channel/book past", tests, NULL, NULL);
}
