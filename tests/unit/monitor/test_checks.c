/* SPDX-License-Identifier: ISC
 *
 * The engine: who is told, how often, how many at once. Against servers on real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bed.h"

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define FETCH                                                                                      \
	"monitors = ProxyFetch, TCP\nproxyfetch.url = http://www.example.org/\n"                   \
	"proxyfetch.timeout = 2\ntcp.interval = .1\ntcp.timeout = 2\n"
#define EVERY_TENTH FETCH "proxyfetch.interval = .1\n"

static Address nth_address(guint n)
{
	g_autofree char *text = g_strdup_printf("127.1.%u.%u", n / 250, n % 250 + 1);
	Address address;
	assert_true(address_parse(text, &address));
	return address;
}

/* On all of 127.0.0.0/8. */
static BedServer *server_everywhere(Bed *bed, BedPart part)
{
	return bed_server(bed, "0.0.0.0", part, GOOD);
}

static void test_a_server_that_takes_connections_is_up(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_SILENT, "");
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_TCP_CHECK, server);
	bed_wait(watch, 2);
	assert_int_equal(watch->ups, 2);
	assert_true(g_str_has_prefix(watch->why, "connected in "));
	bed_server_stop(server);
	guint ups = watch->ups;
	bed_wait(watch, ups + 2);
	assert_int_equal(watch->downs, 2);
	assert_string_equal(watch->why, "connection refused");
	bed_free(bed);
}

static void test_two_services_share_the_same_check(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL, other = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	ConfigService *same = bed_service(&other, EVERY_TENTH "depool-threshold = .1\n");
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, GOOD);
	BedWatch *one = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	BedWatch *two = bed_watch_server(bed, same, CONFIG_PROXYFETCH, server);
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_int_equal(figures.checks, 1);
	assert_int_equal(figures.watchers, 2);
	bed_wait(one, 3);
	bed_wait(two, 3);
	assert_int_equal(one->told, two->told);
	assert_int_equal(server->connections, one->told);
	bed_free(bed);
}

static void test_checks_that_differ_are_not_shared(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL, other = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	ConfigService *stricter = bed_service(&other, EVERY_TENTH "proxyfetch.http-status = 204\n");
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, GOOD);
	BedServer *second = bed_server(bed, "127.0.0.2", BED_ANSWERS, GOOD);
	BedWatch *up = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	BedWatch *down = bed_watch_server(bed, stricter, CONFIG_PROXYFETCH, server);
	BedWatch *elsewhere = bed_watch_server(bed, service, CONFIG_PROXYFETCH, second);
	BedWatch *otherwise = bed_watch_server(bed, service, CONFIG_TCP_CHECK, server);
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_int_equal(figures.checks, 4);
	bed_wait(up, 2);
	bed_wait(down, 2);
	bed_wait(elsewhere, 2);
	bed_wait(otherwise, 2);
	assert_int_equal(up->downs + elsewhere->downs + otherwise->downs, 0);
	assert_int_equal(down->ups, 0);
	bed_free(bed);
}

static void test_who_comes_late_is_told_what_is_known(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, FETCH "proxyfetch.interval = 3\n");
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, GOOD);
	BedWatch *first = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_wait(first, 1);
	BedWatch *late = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	BedWatch *gone = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	bed_leave(gone);
	bed_wait(late, 1);
	assert_string_equal(late->why, first->why);
	assert_int_equal(late->result, POOL_RESULT_UP);
	assert_int_equal(first->told, 1);
	assert_int_equal(gone->told, 0);
	assert_int_equal(server->connections, 1);
	bed_free(bed);
}

static void test_watchers_leave_from_within_their_call(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_ANSWERS, GOOD);
	BedWatch *watches[4];
	for (guint i = 0; i < 4; i++) {
		watches[i] = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
		watches[i]->leaves = i != 1;
	}
	bed_wait(watches[1], 3);
	for (guint i = 0; i < 4; i++)
		assert_int_equal(watches[i]->told, i == 1 ? 3 : 1);
	watches[1]->leaves = TRUE;
	bed_wait(watches[1], 4);
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_int_equal(figures.checks, 0);
	bed_free(bed);
}

static void test_leaving_ends_a_check_that_is_under_way(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	BedServer *server = bed_server(bed, "127.0.0.1", BED_SILENT, "");
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_PROXYFETCH, server);
	for (guint turns = 0; server->open == 0 && turns < 1000; turns++)
		bed_run_ms(bed, 5);
	assert_int_equal(server->open, 1);
	bed_leave(watch);
	for (guint turns = 0; server->open > 0 && turns < 1000; turns++)
		bed_run_ms(bed, 5);
	assert_int_equal(server->open, 0);
	bed_free(bed);
}

static void test_no_more_sockets_than_allowed_and_all_get_their_turn(void **state)
{
	Bed *bed = bed_new(5);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config,
		"monitors = ProxyFetch\nproxyfetch.url = http://www.example.org/\n"
		"proxyfetch.timeout = .1\nproxyfetch.interval = .5\n");
	BedServer *server = server_everywhere(bed, BED_SILENT);
	BedWatch *watches[50];
	for (guint i = 0; i < 50; i++) {
		Address address = nth_address(i);
		watches[i] = bed_watch(bed, service, CONFIG_PROXYFETCH, &address, server->port);
	}
	/* 50 checks of 0.1 s, 5 at a time, take 1 s a round. */
	for (guint i = 0; i < 50; i++)
		bed_wait(watches[i], 2);
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_int_equal(figures.sockets_peak, 5);
	assert_in_range(server->open_peak, 1, 10); /* it learns late of those that are gone */
	assert_true(figures.delayed > 25);
	assert_int_equal(figures.up, 0);
	/* Fair: nobody had twice the turns of another. */
	for (guint i = 0; i < 50; i++)
		assert_true(watches[i]->told <= 5);
	bed_free(bed);
}

static void test_a_thousand_servers_that_refuse_are_a_thousand_results(void **state)
{
	Bed *bed = bed_new(100);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, FETCH "proxyfetch.interval = 1\n");
	BedServer *server = server_everywhere(bed, BED_SILENT);
	bed_server_stop(server);
	g_autoptr(GPtrArray) watches = g_ptr_array_new();
	for (guint i = 0; i < 1000; i++) {
		Address address = nth_address(i);
		g_ptr_array_add(watches,
			bed_watch(bed, service, CONFIG_PROXYFETCH, &address, server->port));
	}
	for (guint i = 0; i < 1000; i++) {
		BedWatch *watch = g_ptr_array_index(watches, i);
		bed_wait(watch, 1);
		assert_string_equal(watch->why, "connection refused");
	}
	bed_free(bed);
}

/* The most connections in any window of this width. */
static guint most_in_window(const BedServer *server, gint64 window_us)
{
	guint most = 0;
	for (guint from = 0, to = 0; to < server->times_us->len; to++) {
		while (g_array_index(server->times_us, gint64, from) <=
			g_array_index(server->times_us, gint64, to) - window_us)
			from++;
		most = MAX(most, to - from + 1);
	}
	return most;
}

static void test_checks_are_spread_and_a_held_up_loop_makes_no_burst(void **state)
{
	Bed *bed = bed_new(500);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, FETCH "proxyfetch.interval = 1\n");
	BedServer *server = server_everywhere(bed, BED_ANSWERS);
	g_autoptr(GPtrArray) watches = g_ptr_array_new();
	for (guint i = 0; i < 200; i++) {
		Address address = nth_address(i);
		g_ptr_array_add(watches,
			bed_watch(bed, service, CONFIG_PROXYFETCH, &address, server->port));
	}
	bed_run_ms(bed, 2000);
	/* 200 a second; the bed's own loop is what delays both sides, so its clock is lenient. */
	assert_in_range(most_in_window(server, 500000), 80, 250);
	g_array_set_size(server->times_us, 0);
	g_usleep(1500000);
	bed_run_ms(bed, 2000);
	assert_true(most_in_window(server, 500000) <= 250);
	for (guint i = 0; i < 200; i++)
		assert_int_equal(((BedWatch *)g_ptr_array_index(watches, i))->downs, 0);
	bed_free(bed);
}

static void test_a_loop_that_was_held_up_fails_nobody(void **state)
{
	Bed *bed = bed_new(100);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config,
		"monitors = ProxyFetch\nproxyfetch.url = http://www.example.org/\n"
		"proxyfetch.timeout = 1\nproxyfetch.interval = .2\n");
	BedServer *server = server_everywhere(bed, BED_ANSWERS);
	g_autoptr(GPtrArray) watches = g_ptr_array_new();
	for (guint i = 0; i < 50; i++) {
		Address address = nth_address(i);
		g_ptr_array_add(watches,
			bed_watch(bed, service, CONFIG_PROXYFETCH, &address, server->port));
	}
	for (guint stall = 0; stall < 3; stall++) {
		bed_run_ms(bed, 293);
		g_usleep(1700000);
	}
	bed_run_ms(bed, 1000);
	for (guint i = 0; i < 50; i++) {
		BedWatch *watch = g_ptr_array_index(watches, i);
		if (watch->downs > 0)
			fail_msg("%u of %u failed: %s", watch->downs, watch->told, watch->why);
		assert_true(watch->ups > 2);
	}
	bed_free(bed);
}

static void test_a_check_that_this_host_cannot_make_says_nothing(void **state)
{
	Bed *bed = bed_new(10);
	g_autoptr(Config) config = NULL;
	ConfigService *service = bed_service(&config, EVERY_TENTH);
	/* No connection can be taken while there are no descriptors: the kernel does that alone. */
	BedServer *server = bed_server(bed, "127.0.0.1", BED_SILENT, "");
	BedWatch *watch = bed_watch_server(bed, service, CONFIG_TCP_CHECK, server);
	struct rlimit limit, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bed_run_ms(bed, 500);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_true(figures.unmade > 0);
	assert_int_equal(watch->told, 0);
	bed_wait(watch, 1);
	assert_int_equal(watch->downs, 0);
	bed_free(bed);
}

static void test_watchers_come_and_go_at_random(void **state)
{
	Bed *bed = bed_new(20);
	g_autoptr(Config) config = NULL;
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);
	ConfigService *service = bed_service(&config,
		"monitors = ProxyFetch\nproxyfetch.check-all = yes\nproxyfetch.max-failures = 1\n"
		"proxyfetch.url = [ 'http://a.example/1', 'http://a.example/2' ]\n"
		"proxyfetch.timeout = .2\nproxyfetch.interval = .1\n"
		"tcp.timeout = .2\ntcp.interval = .1\n");
	const BedPart parts[] = {BED_ANSWERS, BED_SILENT, BED_CLOSES, BED_RESETS, BED_KEEPS_OPEN};
	BedServer *servers[G_N_ELEMENTS(parts)];
	BedWatch *watches[60] = {NULL};
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
		servers[i] = bed_server(bed, "127.0.0.1", parts[i], GOOD);
	for (guint turn = 0; turn < 600; turn++) {
		BedWatch **watch = &watches[g_rand_int_range(rand, 0, G_N_ELEMENTS(watches))];
		const BedServer *server = servers[g_rand_int_range(rand, 0, G_N_ELEMENTS(parts))];
		if (*watch != NULL && g_rand_boolean(rand))
			(*watch)->leaves = TRUE;
		else if (*watch != NULL)
			bed_leave(*watch);
		*watch = bed_watch_server(bed, service,
			g_rand_boolean(rand) ? CONFIG_PROXYFETCH : CONFIG_TCP_CHECK, server);
		bed_run_ms(bed, 3);
	}
	ChecksFigures figures;
	checks_figures(bed->checks, &figures);
	assert_true(figures.checks <= 2 * G_N_ELEMENTS(parts));
	assert_true(figures.sockets_peak <= 20);
	assert_true(figures.up > 20 && figures.down > 20);
	bed_free(bed);
}

static void test_a_host_without_descriptors_is_told_at_start(void **state)
{
	g_autoptr(GError) error = NULL;
	struct event_base *base = event_base_new();
	assert_null(checks_new(&(ChecksOptions){base, 2000000000, 1, NULL}, &error));
	assert_true(g_str_has_prefix(
		error->message, "max-checks is 2000000000, but this process may open "));
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_that_takes_connections_is_up),
		cmocka_unit_test(test_two_services_share_the_same_check),
		cmocka_unit_test(test_checks_that_differ_are_not_shared),
		cmocka_unit_test(test_who_comes_late_is_told_what_is_known),
		cmocka_unit_test(test_watchers_leave_from_within_their_call),
		cmocka_unit_test(test_leaving_ends_a_check_that_is_under_way),
		cmocka_unit_test(test_no_more_sockets_than_allowed_and_all_get_their_turn),
		cmocka_unit_test(test_a_thousand_servers_that_refuse_are_a_thousand_results),
		cmocka_unit_test(test_checks_are_spread_and_a_held_up_loop_makes_no_burst),
		cmocka_unit_test(test_a_loop_that_was_held_up_fails_nobody),
		cmocka_unit_test(test_a_check_that_this_host_cannot_make_says_nothing),
		cmocka_unit_test(test_watchers_come_and_go_at_random),
		cmocka_unit_test(test_a_host_without_descriptors_is_told_at_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
