/* SPDX-License-Identifier: ISC
 *
 * Drains, without a kernel: the actual table is made by hand, time is a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "balance/kernel/intent.h"

#define TIMEOUT_MS 5000

typedef struct Scene {
	Intent *intent;
	Table *actual;
	TableKey key;
	Address a, b;
} Scene;

static void want(Scene *scene, const char *scheduler)
{
	const TableSettings settings = table_settings(scheduler, 0, AF_INET);
	intent_service(scene->intent, &scene->key, &settings, TABLE_DR, TIMEOUT_MS);
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	scene->intent = intent_new();
	scene->actual = table_new();
	scene->key = (TableKey){.protocol = IPPROTO_TCP, .port = 80};
	assert_true(address_parse("192.0.2.1", &scene->key.address));
	assert_true(address_parse("10.0.0.1", &scene->a));
	assert_true(address_parse("10.0.0.2", &scene->b));
	want(scene, "wrr");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	intent_free(scene->intent);
	table_free(scene->actual);
	g_free(scene);
	return 0;
}

/* The kernel does what is meant; how many orders that took. */
static guint obey(Scene *scene)
{
	g_autoptr(GArray) operations = table_difference(
		intent_table(scene->intent), scene->actual, intent_ours(scene->intent));
	for (guint i = 0; i < operations->len; i++)
		table_obey(scene->actual, &g_array_index(operations, TableOperation, i));
	intent_settled(scene->intent, scene->actual);
	return operations->len;
}

static TableServer *there(Scene *scene, const Address *server)
{
	const TableService *service = table_service(scene->actual, &scene->key);
	return service == NULL ? NULL : table_server(service, server, 80);
}

static guint news(Scene *scene)
{
	g_autoptr(GArray) told = intent_take_news(scene->intent);
	return told->len;
}

static void look(Scene *scene, gint64 now_ms)
{
	intent_look(scene->intent, scene->actual, FALSE, now_ms);
	obey(scene);
}

static void begin_with_a_and_b(Scene *scene)
{
	intent_serve(scene->intent, &scene->key, &scene->a, 10, FALSE);
	intent_serve(scene->intent, &scene->key, &scene->b, 10, FALSE);
	obey(scene);
	there(scene, &scene->a)->active = 2;
}

static void test_a_drain_waits_for_connections(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_drain(scene->intent, &scene->key, &scene->a, FALSE, 0);
	obey(scene);
	assert_int_equal(there(scene, &scene->a)->weight, 0);
	look(scene, 1000);
	assert_non_null(there(scene, &scene->a));
	assert_int_equal(intent_draining(scene->intent), 1);
	there(scene, &scene->a)->active = 0;
	look(scene, 2000);
	assert_null(there(scene, &scene->a));
	assert_int_equal(news(scene), 1);
	assert_int_equal(intent_draining(scene->intent), 0);
}

static void test_a_count_from_before_the_drain_says_nothing(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	there(scene, &scene->a)->active = 0;
	intent_drain(scene->intent, &scene->key, &scene->a, FALSE, 0);
	/* The kernel still has its weight: it may have got a client since. */
	intent_look(scene->intent, scene->actual, FALSE, 0);
	obey(scene);
	assert_int_equal(there(scene, &scene->a)->weight, 0);
	assert_int_equal(news(scene), 0);
}

static void test_a_drain_ends_with_its_time(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_drain(scene->intent, &scene->key, &scene->a, FALSE, 0);
	obey(scene);
	look(scene, TIMEOUT_MS - 1);
	assert_non_null(there(scene, &scene->a));
	look(scene, TIMEOUT_MS);
	assert_null(there(scene, &scene->a));
	assert_int_equal(news(scene), 1);
}

static void test_who_stays_is_told_once(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_drain(scene->intent, &scene->key, &scene->b, TRUE, 0);
	obey(scene);
	look(scene, 1000);
	look(scene, 2000);
	assert_int_equal(news(scene), 1);
	assert_int_equal(there(scene, &scene->b)->weight, 0);
	intent_serve(scene->intent, &scene->key, &scene->b, 10, FALSE);
	obey(scene);
	assert_int_equal(there(scene, &scene->b)->weight, 10);
}

static void test_a_drain_never_brings_a_server_in(void **state)
{
	Scene *scene = *state;
	obey(scene);
	intent_drain(scene->intent, &scene->key, &scene->a, TRUE, 0);
	obey(scene);
	assert_null(there(scene, &scene->a));
	look(scene, 0);
	assert_int_equal(news(scene), 1);
}

static void test_who_is_served_again_no_longer_drains(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_drain(scene->intent, &scene->key, &scene->a, FALSE, 0);
	obey(scene);
	intent_serve(scene->intent, &scene->key, &scene->a, 4, FALSE);
	obey(scene);
	look(scene, TIMEOUT_MS + 1);
	assert_int_equal(there(scene, &scene->a)->weight, 4);
	assert_int_equal(news(scene), 0);
}

static void test_unknown_servers_drain(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	TableServer odd = {.address = scene->a, .port = 8080, .weight = 3, .active = 1};
	table_put_server(table_service(scene->actual, &scene->key), &odd);
	look(scene, 0);
	const TableService *service = table_service(scene->actual, &scene->key);
	assert_int_equal(table_server(service, &scene->a, 8080)->weight, 0);
	assert_int_equal(there(scene, &scene->a)->weight, 10);
	look(scene, TIMEOUT_MS);
	assert_null(table_server(service, &scene->a, 8080));
}

static void test_dh_lets_go_at_once(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_drain(scene->intent, &scene->key, &scene->a, FALSE, 0);
	want(scene, "dh");
	look(scene, 1);
	assert_null(there(scene, &scene->a));
	there(scene, &scene->b)->active = 1;
	intent_drain(scene->intent, &scene->key, &scene->b, TRUE, 2);
	obey(scene);
	assert_null(there(scene, &scene->b));
	assert_int_equal(news(scene), 2);
}

static void test_a_forgotten_service_waits_for_its_servers(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_forget(scene->intent, &scene->key, FALSE, 0);
	obey(scene);
	look(scene, 1);
	assert_null(there(scene, &scene->b));
	assert_non_null(there(scene, &scene->a));
	there(scene, &scene->a)->active = 0;
	look(scene, 2);
	assert_null(table_service(scene->actual, &scene->key));
	/* From now on it is anybody's. */
	assert_int_equal(g_hash_table_size(intent_ours(scene->intent)), 0);
}

static void test_a_removed_service_goes_with_all_it_has(void **state)
{
	Scene *scene = *state;
	begin_with_a_and_b(scene);
	intent_forget(scene->intent, &scene->key, TRUE, 0);
	assert_int_equal(obey(scene), 3);
	assert_null(table_service(scene->actual, &scene->key));
}

#define DRAIN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRAIN_TEST(test_a_drain_waits_for_connections),
		DRAIN_TEST(test_a_count_from_before_the_drain_says_nothing),
		DRAIN_TEST(test_a_drain_ends_with_its_time),
		DRAIN_TEST(test_who_stays_is_told_once),
		DRAIN_TEST(test_a_drain_never_brings_a_server_in),
		DRAIN_TEST(test_who_is_served_again_no_longer_drains),
		DRAIN_TEST(test_unknown_servers_drain),
		DRAIN_TEST(test_dh_lets_go_at_once),
		DRAIN_TEST(test_a_forgotten_service_waits_for_its_servers),
		DRAIN_TEST(test_a_removed_service_goes_with_all_it_has),
	};
	return cmocka_run_group_tests_name("kernel intent", tests, NULL, NULL);
}
