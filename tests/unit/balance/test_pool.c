/* SPDX-License-Identifier: ISC
 *
 * The pool: what the examples of pool.json and the random events do not show by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/pool.h"
#include "base/error.h"

static const char *const one_monitor[] = {"A", NULL};
static const char *const two_monitors[] = {"A", "B", NULL};
static const char *const no_monitors[] = {NULL};

static PoolPolicy half(const char *const *monitors)
{
	return (PoolPolicy){
		.threshold = THRESHOLD_HALF, .rise = 1, .fall = 1, .monitors = monitors};
}

/* A list of servers a, b, … of which all have an address. */
static void list(Pool *pool, const char *names)
{
	PoolEntry entries[26];
	char texts[26][2];
	gsize count = strlen(names);
	for (gsize i = 0; i < count; i++) {
		texts[i][0] = names[i];
		texts[i][1] = '\0';
		entries[i] = (PoolEntry){.name = texts[i], .ready = TRUE};
	}
	pool_update(pool, entries, count, 0);
}

static Pool *pool_of(const PoolPolicy *policy, const char *names)
{
	Pool *pool = pool_new(policy);
	list(pool, names);
	return pool;
}

static void down(Pool *pool, const char *name)
{
	assert_true(pool_result(pool, name, 0, POOL_RESULT_DOWN, 0));
}

static void up(Pool *pool, const char *name)
{
	assert_true(pool_result(pool, name, 0, POOL_RESULT_UP, 0));
}

/* "+a10" add, "=a3" edit, "~a" drain, "-a" remove, in their order. */
static void assert_orders(const Pool *pool, const char *expected)
{
	g_autoptr(GString) orders = g_string_new(NULL);
	const GArray *changes = pool_changes(pool);
	for (guint i = 0; i < changes->len; i++) {
		const PoolChange *change = &g_array_index(changes, PoolChange, i);
		g_string_append_printf(
			orders, "%s%c%s", i > 0 ? " " : "", "+=~-"[change->kind], change -> server);
		if (change->kind <= POOL_CHANGE_EDIT)
			g_string_append_printf(orders, "%u", change->weight);
	}
	assert_string_equal(orders->str, expected);
}

/* Pooled servers, held ones in capitals. */
static void assert_pooled(const Pool *pool, const char *expected)
{
	g_autoptr(GString) pooled = g_string_new(NULL);
	const GPtrArray *servers = pool_servers(pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		if (server->pooled)
			g_string_append_c(pooled,
				server->held ? g_ascii_toupper(server->name[0]) : server->name[0]);
	}
	assert_string_equal(pooled->str, expected);
}

static void test_a_down_server_leaves_at_once_and_a_healthy_one_drains(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcd");
	assert_orders(pool, "+a10 +b10 +c10 +d10");
	down(pool, "a");
	assert_orders(pool, "-a");
	down(pool, "a");
	assert_orders(pool, "");
	list(pool, "ade");
	assert_orders(pool, "+e10 ~b ~c");
}

static void test_a_draining_server_that_goes_down_leaves_at_once(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcd");
	assert_true(pool_drain(pool, "a", FALSE, 0, NULL));
	assert_orders(pool, "~a");
	down(pool, "a");
	assert_orders(pool, "-a");
	up(pool, "a");
	assert_orders(pool, "");
	assert_true(pool_undrain(pool, "a", 0));
	assert_orders(pool, "+a10");
}

static void test_weight_0_means_weight_0(void **state)
{
	PoolPolicy policy = half(no_monitors);
	g_autoptr(Pool) pool = pool_of(&policy, "ab");
	const PoolEntry entries[] = {{.name = "a", .has_weight = TRUE, .weight = 0},
		{.name = "b", .has_weight = TRUE, .weight = 3}};
	pool_update(pool, entries, 2, 0);
	assert_orders(pool, "=a0 =b3");
	assert_pooled(pool, "ab");
}

static void test_a_one_server_pool_is_never_emptied_by_a_check(void **state)
{
	PoolPolicy policy = half(one_monitor);
	policy.threshold = (Threshold){1}; /* 10^-18 */
	g_autoptr(Pool) pool = pool_of(&policy, "a");
	down(pool, "a");
	assert_pooled(pool, "A");
	assert_int_equal(pool_able(pool), 0);
	assert_int_equal(g_array_index(pool_news(pool), PoolNews, 1).kind, POOL_NEWS_HELD);
}

static void test_threshold_0_lets_everybody_go(void **state)
{
	PoolPolicy policy = half(one_monitor);
	policy.threshold = (Threshold){0};
	g_autoptr(Pool) pool = pool_of(&policy, "a");
	down(pool, "a");
	assert_pooled(pool, "");
}

static void test_fall_and_rise_count_results_in_a_row(void **state)
{
	PoolPolicy policy = half(one_monitor);
	policy.fall = 2;
	policy.rise = 3;
	g_autoptr(Pool) pool = pool_of(&policy, "abc");
	down(pool, "a");
	up(pool, "a");
	down(pool, "a");
	assert_pooled(pool, "abc");
	down(pool, "a");
	assert_pooled(pool, "bc");
	up(pool, "a");
	up(pool, "a");
	down(pool, "a");
	up(pool, "a");
	up(pool, "a");
	assert_pooled(pool, "bc");
	up(pool, "a");
	assert_pooled(pool, "abc");
}

static void test_a_monitor_that_has_not_reported_is_not_good(void **state)
{
	PoolPolicy policy = half(two_monitors);
	g_autoptr(Pool) pool = pool_of(&policy, "abc");
	down(pool, "a");
	up(pool, "a");
	assert_pooled(pool, "bc");
	pool_result(pool, "a", 1, POOL_RESULT_UP, 0);
	assert_pooled(pool, "abc");
}

static void test_a_pessimistic_server_comes_in_after_its_checks_only(void **state)
{
	PoolPolicy policy = half(two_monitors);
	policy.pessimistic = TRUE;
	g_autoptr(Pool) pool = pool_of(&policy, "ab");
	assert_pooled(pool, "");
	up(pool, "a");
	assert_pooled(pool, "");
	pool_result(pool, "a", 1, POOL_RESULT_UP, 0);
	assert_pooled(pool, "a");
	down(pool, "b");
	list(pool, "b");
	assert_pooled(pool, "B");
}

static void test_maintenance_serves_only_while_nobody_is_up(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "ab");
	pool_result(pool, "a", 0, POOL_RESULT_MAINTENANCE, 0);
	assert_pooled(pool, "b");
	assert_orders(pool, "~a"); /* it still answers whom it has */
	pool_result(pool, "b", 0, POOL_RESULT_MAINTENANCE, 0);
	assert_pooled(pool, "ab");
	assert_int_equal(pool_able(pool), 2);
	up(pool, "b");
	assert_pooled(pool, "b");
	down(pool, "a");
	assert_pooled(pool, "b");
}

static void test_a_drain_that_would_break_the_floor_is_refused_with_the_reason(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcdef");
	g_autoptr(GError) error = NULL;
	down(pool, "a");
	down(pool, "b");
	assert_true(pool_reserve(pool, "c", FALSE, 0, NULL));
	assert_pooled(pool, "cdef");
	assert_false(pool_reserve(pool, "d", FALSE, 0, &error));
	assert_int_equal(error->code, DROVER_ERROR_CONFLICT);
	assert_string_equal(error->message,
		"drain of d refused: 3 of 6 servers are up and not draining, threshold 0.5 needs 3 "
		"left; 2 would remain");
	assert_true(pool_drain(pool, "c", FALSE, 0, NULL));
	assert_pooled(pool, "def");
}

static void test_drains_are_revoked_before_any_server_is_held(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcdef");
	assert_true(pool_drain(pool, "a", FALSE, 0, NULL));
	assert_true(pool_drain(pool, "b", FALSE, 0, NULL));
	assert_true(pool_reserve(pool, "c", FALSE, 0, NULL));
	down(pool, "d"); /* the reservation costs nobody anything: it goes first */
	assert_pooled(pool, "cef");
	assert_int_equal(pool_find(pool, "c")->drain, POOL_DRAIN_NONE);
	down(pool, "e"); /* then the newer drain */
	assert_pooled(pool, "bcf");
	assert_orders(pool, "+b10 -e");
	down(pool, "f");
	assert_pooled(pool, "abc");
	down(pool, "a");
	assert_pooled(pool, "Abc");
}

static void test_a_forced_drain_is_not_revoked(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "ab");
	assert_true(pool_drain(pool, "a", TRUE, 0, NULL));
	assert_true(pool_drain(pool, "b", TRUE, 0, NULL));
	assert_pooled(pool, "");
	up(pool, "a");
	assert_pooled(pool, "");
}

static void test_what_was_reserved_before_a_restart_still_is(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_new(&policy);
	const PoolEntry entries[] = {
		{.name = "a", .ready = TRUE, .drain = POOL_DRAIN_DRAINING},
		{.name = "b", .ready = TRUE},
	};
	pool_update(pool, entries, 2, 0);
	assert_pooled(pool, "b");
	assert_orders(pool, "+b10");
	list(pool, "ab");
	assert_pooled(pool, "b");
}

static void test_a_new_policy_forgets_nobodys_health(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcd");
	down(pool, "a");
	policy = half(two_monitors);
	pool_set_policy(pool, &policy, 0);
	assert_pooled(pool, "bcd");
	up(pool, "a");
	assert_pooled(pool, "bcd"); /* B has not reported */
	policy = half(no_monitors);
	pool_set_policy(pool, &policy, 0);
	assert_pooled(pool, "abcd");
}

static void test_a_stricter_threshold_brings_down_servers_in(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "abcd");
	down(pool, "a");
	assert_true(threshold_parse("1", &policy.threshold, NULL));
	pool_set_policy(pool, &policy, 0);
	assert_pooled(pool, "Abcd");
	assert_orders(pool, "+a10");
}

static void test_a_late_result_is_nothing(void **state)
{
	PoolPolicy policy = half(one_monitor);
	g_autoptr(Pool) pool = pool_of(&policy, "ab");
	assert_false(pool_result(pool, "x", 0, POOL_RESULT_DOWN, 0));
	assert_false(pool_result(pool, "a", 1, POOL_RESULT_DOWN, 0));
	assert_pooled(pool, "ab");
}

static void test_slow_start_grows_the_weight_after_recovery(void **state)
{
	PoolPolicy policy = half(one_monitor);
	policy.slow_start_ms = 10000;
	g_autoptr(Pool) pool = pool_of(&policy, "abc");
	assert_orders(pool, "+a10 +b10 +c10"); /* no recovery: at once */
	pool_result(pool, "a", 0, POOL_RESULT_DOWN, 1000);
	pool_result(pool, "a", 0, POOL_RESULT_UP, 2000);
	assert_orders(pool, "+a1");
	assert_int_equal(pool_advance(pool, 2500), 3500);
	assert_orders(pool, "");
	pool_advance(pool, 7000);
	assert_orders(pool, "=a5");
	assert_int_equal(pool_advance(pool, 11900), 12000);
	assert_orders(pool, "=a9");
	pool_advance(pool, 12000);
	assert_orders(pool, "=a10");
	assert_true(pool_advance(pool, 13000) == G_MAXINT64);
}

static void test_slow_start_leaves_weight_0_alone(void **state)
{
	PoolServer server = {.weight = 0, .recovered_ms = 0};
	assert_int_equal(pool_server_weight(&server, 10000, 5000), 0);
	server.weight = 65535;
	assert_int_equal(pool_server_weight(&server, 86400000, 43200000), 32767);
	assert_int_equal(pool_server_weight(&server, 0, 0), 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_down_server_leaves_at_once_and_a_healthy_one_drains),
		cmocka_unit_test(test_a_draining_server_that_goes_down_leaves_at_once),
		cmocka_unit_test(test_weight_0_means_weight_0),
		cmocka_unit_test(test_a_one_server_pool_is_never_emptied_by_a_check),
		cmocka_unit_test(test_threshold_0_lets_everybody_go),
		cmocka_unit_test(test_fall_and_rise_count_results_in_a_row),
		cmocka_unit_test(test_a_monitor_that_has_not_reported_is_not_good),
		cmocka_unit_test(test_a_pessimistic_server_comes_in_after_its_checks_only),
		cmocka_unit_test(test_maintenance_serves_only_while_nobody_is_up),
		cmocka_unit_test(
			test_a_drain_that_would_break_the_floor_is_refused_with_the_reason),
		cmocka_unit_test(test_drains_are_revoked_before_any_server_is_held),
		cmocka_unit_test(test_a_forced_drain_is_not_revoked),
		cmocka_unit_test(test_what_was_reserved_before_a_restart_still_is),
		cmocka_unit_test(test_a_new_policy_forgets_nobodys_health),
		cmocka_unit_test(test_a_stricter_threshold_brings_down_servers_in),
		cmocka_unit_test(test_a_late_result_is_nothing),
		cmocka_unit_test(test_slow_start_grows_the_weight_after_recovery),
		cmocka_unit_test(test_slow_start_leaves_weight_0_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
