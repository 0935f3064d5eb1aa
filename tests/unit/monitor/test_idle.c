/* SPDX-License-Identifier: ISC
 *
 * IdleConnection against servers that hold on, let go, and drop whoever comes.
 */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "partner.h"

#define MONITOR "monitors = [ 'IdleConnection' ]\n"
/* Reconnects within a tenth of a second; a connection is sound after .2 s. */
#define QUICK MONITOR "idleconnection.max-delay = .1\nidleconnection.timeout-clean-reconnect = .2\n"

typedef struct Scene {
	Bed *bed;
	Partner *partner;
	Config *config;
	BedWatch *watch;
	gboolean drops;	 /* whoever comes, */
	gboolean resets; /* so */
	gsize flood;
} Scene;

static void hear(PartnerLine *line, gpointer of)
{
	Scene *scene = of;
	if (scene->flood > 0) {
		g_autofree char *bytes = g_malloc0(scene->flood);
		partner_say_bytes(line, bytes, scene->flood);
	}
	if (scene->drops)
		partner_hang_up(line);
	else if (scene->resets)
		partner_reset(line);
}

static int set_up(void **state)
{
	Scene *scene = g_new0(Scene, 1);
	scene->bed = bed_new(100);
	scene->partner = partner_new(scene->bed->base, hear, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	Scene *scene = *state;
	partner_free(scene->partner);
	bed_free(scene->bed);
	if (scene->config != NULL)
		config_free(scene->config);
	g_free(scene);
	return 0;
}

/* Turns the loop until that many have connected. */
static void await_connections(Scene *scene, guint count)
{
	gint64 until_us = g_get_monotonic_time() + BED_PATIENCE_MS * 1000;
	while (partner_connections(scene->partner) < count) {
		assert_true(g_get_monotonic_time() < until_us);
		bed_run_ms(scene->bed, 5);
	}
}

static void watch(Scene *scene, const char *lines)
{
	Address address = partner_address(scene->partner);
	scene->watch = bed_watch(scene->bed, bed_service(&scene->config, lines),
		CONFIG_IDLECONNECTION, &address, partner_port(scene->partner));
	bed_wait(scene->watch, 1);
	await_connections(scene, 1);
}

static void test_a_connection_that_stands_is_up_once(void **state)
{
	Scene *scene = *state;
	watch(scene, QUICK);
	assert_int_equal(scene->watch->result, POOL_RESULT_UP);
	assert_string_equal(scene->watch->why, "connected");
	bed_run_ms(scene->bed, 400);
	assert_int_equal(scene->watch->told, 1);
	assert_int_equal(partner_connections(scene->partner), 1);
	ChecksFigures figures;
	checks_figures(scene->bed->checks, &figures);
	assert_int_equal(figures.sockets, 0); /* it rests */
}

static void test_a_reset_is_down_at_once_and_it_comes_back(void **state)
{
	Scene *scene = *state;
	watch(scene, QUICK);
	bed_run_ms(scene->bed, 250);
	partner_reset_all(scene->partner);
	bed_wait(scene->watch, 2);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
	assert_true(g_str_has_prefix(scene->watch->why, "connection lost after "));
	assert_true(g_str_has_suffix(scene->watch->why, ": connection reset by the server"));
	bed_wait(scene->watch, 3);
	assert_int_equal(scene->watch->result, POOL_RESULT_UP);
	await_connections(scene, 2);
}

static void test_a_refused_connection_is_down_at_once(void **state)
{
	Scene *scene = *state;
	Address nobody;
	assert_true(address_parse("127.0.0.2", &nobody));
	BedWatch *watch = bed_watch(scene->bed, bed_service(&scene->config, QUICK),
		CONFIG_IDLECONNECTION, &nobody, partner_port(scene->partner));
	bed_wait(watch, 3);
	assert_int_equal(watch->downs, 3);
	assert_string_equal(watch->why, "connection refused");
}

static void test_a_clean_close_after_a_while_is_no_failure(void **state)
{
	Scene *scene = *state;
	watch(scene, QUICK);
	bed_run_ms(scene->bed, 250);
	partner_hang_up_all(scene->partner);
	await_connections(scene, 2);
	bed_wait(scene->watch, 2);
	assert_int_equal(scene->watch->ups, 2);
	assert_int_equal(scene->watch->downs, 0);
}

static void test_a_close_soon_after_connecting_is_down(void **state)
{
	Scene *scene = *state;
	watch(scene, MONITOR "idleconnection.max-delay = .1\n");
	partner_hang_up_all(scene->partner);
	bed_wait(scene->watch, 2);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
	assert_true(g_str_has_prefix(scene->watch->why, "closed by the server after "));
}

static void test_a_server_that_drops_everybody_stays_down(void **state)
{
	Scene *scene = *state;
	scene->drops = TRUE;
	watch(scene, QUICK);
	await_connections(scene, 6);
	/* Up at most once, when the first close had not been seen yet. */
	assert_in_range(scene->watch->ups, 0, 1);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
	assert_in_range(scene->watch->downs, 4, 6);
}

static void test_a_server_that_resets_everybody_stays_down(void **state)
{
	Scene *scene = *state;
	scene->resets = TRUE;
	watch(scene, QUICK);
	await_connections(scene, 6);
	assert_in_range(scene->watch->ups, 0, 1);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
}

static void test_a_server_that_drops_everybody_is_not_hammered(void **state)
{
	Scene *scene = *state;
	scene->drops = TRUE;
	watch(scene, MONITOR);
	/* Pauses of 1, 2, 4 s, less a tenth: the fourth connection is not before 6.3 s. */
	bed_run_ms(scene->bed, 4000);
	assert_in_range(partner_connections(scene->partner), 2, 3);
}

static void test_who_dropped_is_up_again_when_a_connection_lasts(void **state)
{
	Scene *scene = *state;
	scene->drops = TRUE;
	watch(scene, QUICK);
	await_connections(scene, 3);
	scene->drops = FALSE;
	guint ups = scene->watch->ups;
	await_connections(scene, 4);
	assert_int_equal(scene->watch->ups, ups); /* not yet */
	gint64 begin_us = g_get_monotonic_time();
	guint told = scene->watch->told;
	while (scene->watch->result != POOL_RESULT_UP)
		bed_wait(scene->watch, ++told);
	assert_true(g_get_monotonic_time() - begin_us > 100 * 1000);
	bed_run_ms(scene->bed, 300);
	assert_int_equal(scene->watch->result, POOL_RESULT_UP);
	assert_int_equal(partner_connections(scene->partner), 4);
}

static void test_without_a_time_for_clean_closes_it_is_not_hammered(void **state)
{
	Scene *scene = *state;
	scene->drops = TRUE;
	Address address = partner_address(scene->partner);
	bed_watch(scene->bed,
		bed_service(&scene->config, MONITOR "idleconnection.timeout-clean-reconnect = 0\n"),
		CONFIG_IDLECONNECTION, &address, partner_port(scene->partner));
	await_connections(scene, 1);
	bed_run_ms(scene->bed, 2000);
	assert_in_range(partner_connections(scene->partner), 2, 3);
}

static void test_what_the_server_sends_is_dropped(void **state)
{
	Scene *scene = *state;
	scene->flood = 300 * 1024; /* more than is read in a turn */
	watch(scene, QUICK);
	bed_run_ms(scene->bed, 800);
	assert_int_equal(scene->watch->told, 1);
	assert_int_equal(scene->watch->result, POOL_RESULT_UP);
	/* The end behind it is seen. */
	partner_hang_up_all(scene->partner);
	await_connections(scene, 2);
}

static void test_the_end_behind_much_data_is_seen(void **state)
{
	Scene *scene = *state;
	scene->flood = 200 * 1024;
	watch(scene, QUICK);
	bed_run_ms(scene->bed, 250);
	partner_reset_all(scene->partner);
	bed_wait(scene->watch, 2);
	assert_int_equal(scene->watch->result, POOL_RESULT_DOWN);
}

static void test_the_connection_goes_with_the_watcher(void **state)
{
	Scene *scene = *state;
	watch(scene, QUICK);
	bed_leave(scene->watch);
	partner_await_quiet(scene->partner);
	bed_run_ms(scene->bed, 300);
	assert_int_equal(partner_connections(scene->partner), 1);
}

static void test_who_hears_of_it_may_leave(void **state)
{
	Scene *scene = *state;
	watch(scene, QUICK);
	scene->watch->leaves = TRUE;
	partner_reset_all(scene->partner);
	bed_wait(scene->watch, 2);
	bed_run_ms(scene->bed, 300);
	assert_int_equal(scene->watch->told, 2);
	assert_int_equal(partner_connections(scene->partner), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_connection_that_stands_is_up_once),
		TEST(test_a_reset_is_down_at_once_and_it_comes_back),
		TEST(test_a_refused_connection_is_down_at_once),
		TEST(test_a_clean_close_after_a_while_is_no_failure),
		TEST(test_a_close_soon_after_connecting_is_down),
		TEST(test_a_server_that_drops_everybody_stays_down),
		TEST(test_a_server_that_resets_everybody_stays_down),
		TEST(test_a_server_that_drops_everybody_is_not_hammered),
		TEST(test_who_dropped_is_up_again_when_a_connection_lasts),
		TEST(test_without_a_time_for_clean_closes_it_is_not_hammered),
		TEST(test_what_the_server_sends_is_dropped),
		TEST(test_the_end_behind_much_data_is_seen),
		TEST(test_the_connection_goes_with_the_watcher),
		TEST(test_who_hears_of_it_may_leave),
	};
	return cmocka_run_group_tests_name("monitor idle", tests, NULL, NULL);
}
