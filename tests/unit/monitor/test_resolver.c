/* SPDX-License-Identifier: ISC
 *
 * Names and their addresses, asked of a name server that answers, fails, lies and is silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "balance/monitor/resolver_parts.h"
#include "base/file.h"
#include "loop.h"
#include "nameserver.h"

typedef struct Bed {
	struct event_base *base;
	Nameserver *server;
	Resolver *resolver;
	const char *addresses; /* of every name that is not special; "" for an empty answer */
	guint8 rcode;
	gboolean silent;
	guint asked;
} Bed;

/* What one watcher has heard. */
typedef struct Ear {
	guint told, without, found;
	char address[ADDRESS_TEXT_BYTES];
	char *why;
	ResolverName *name;
	gboolean leaves; /* when it is told */
} Ear;

static gboolean answer(const NameserverQuestion *question, GByteArray *reply, gpointer of)
{
	Bed *bed = of;
	bed->asked++;
	if (bed->silent || g_str_has_prefix(question->name, "silent"))
		return FALSE;
	guint8 rcode = g_str_has_prefix(question->name, "missing") ? 3 : bed->rcode;
	nameserver_begin(reply, question, rcode);
	g_auto(GStrv) addresses = g_strsplit(bed->addresses, " ", -1);
	for (gsize i = 0; addresses[i] != NULL && rcode == 0; i++)
		if (*addresses[i] != '\0' &&
			(strchr(addresses[i], ':') != NULL) == (question->type == 28))
			nameserver_add(reply, addresses[i], 0);
	return TRUE;
}

static ResolverOptions quick(void)
{
	return (ResolverOptions){.minimum_ms = 10,
		.maximum_ms = 100,
		.first_retry_ms = 10,
		.last_retry_ms = 50,
		.try_ms = 100};
}

static int set_up(void **state)
{
	g_autoptr(GError) error = NULL;
	Bed *bed = g_new0(Bed, 1);
	bed->base = event_base_new();
	bed->addresses = "192.0.2.1";
	bed->server = nameserver_new(bed->base, answer, bed);
	g_autofree char *servers = g_strdup_printf("127.0.0.1:%u", nameserver_port(bed->server));
	ResolverOptions options = quick();
	options.servers = servers;
	bed->resolver = resolver_new_with(bed->base, &options, &error);
	g_assert_no_error(error);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	Bed *bed = *state;
	resolver_free(bed->resolver);
	nameserver_free(bed->server);
	event_base_free(bed->base);
	g_free(bed);
	return 0;
}

static void hear(const Address *address, const char *why, gpointer of)
{
	Ear *ear = of;
	assert_true((address == NULL) != (why == NULL));
	g_free(ear->why);
	ear->why = g_strdup(why);
	if (address != NULL)
		address_text(address, ear->address);
	ear->without += address == NULL ? 1 : 0;
	ear->found += address != NULL ? 1 : 0;
	ear->told++;
	if (ear->leaves) {
		resolver_leave(ear->name);
		ear->name = NULL;
	}
}

static void listen_for(Bed *bed, Ear *ear, const char *name, int family)
{
	ear->name = resolver_watch(bed->resolver, name, family, hear, ear);
	assert_int_equal(ear->told, 0);
}

static void leave(Ear *ear)
{
	if (ear->name != NULL)
		resolver_leave(ear->name);
	g_free(ear->why);
	*ear = (Ear){0};
}

static void test_the_lowest_address_is_taken(void **state)
{
	Bed *bed = *state;
	Ear v4 = {0}, v6 = {0};
	bed->addresses = "192.0.2.9 192.0.2.10 192.0.2.8 2001:db8::2 2001:db8::1";
	listen_for(bed, &v4, "web.example", AF_INET);
	listen_for(bed, &v6, "web.example", AF_INET6);
	loop_until(bed->base, &v4.told, 1);
	loop_until(bed->base, &v6.told, 1);
	assert_string_equal(v4.address, "192.0.2.8");
	assert_string_equal(v6.address, "2001:db8::1");
	leave(&v4);
	leave(&v6);
}

static void test_an_address_that_is_still_there_is_kept(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	bed->addresses = "192.0.2.5";
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	bed->addresses = "192.0.2.1 192.0.2.5";
	loop_until(bed->base, &bed->asked, bed->asked + 3);
	assert_int_equal(ear.told, 1);
	bed->addresses = "192.0.2.7 192.0.2.6";
	loop_until(bed->base, &ear.told, 2);
	assert_string_equal(ear.address, "192.0.2.6");
	leave(&ear);
}

static void test_answers_that_fail_change_nothing(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	bed->rcode = 2;
	loop_until(bed->base, &bed->asked, bed->asked + 3);
	bed->rcode = 3;
	loop_until(bed->base, &bed->asked, bed->asked + 3);
	bed->rcode = 0;
	bed->addresses = "";
	loop_until(bed->base, &bed->asked, bed->asked + 3);
	bed->silent = TRUE;
	loop_until(bed->base, &bed->asked, bed->asked + 4);
	assert_int_equal(ear.told, 1);
	bed->silent = FALSE;
	bed->addresses = "192.0.2.2";
	loop_until(bed->base, &ear.told, 2);
	assert_string_equal(ear.address, "192.0.2.2");
	leave(&ear);
}

static void test_why_there_is_no_address_is_told_once(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	listen_for(bed, &ear, "missing.example", AF_INET);
	loop_until(bed->base, &bed->asked, 4);
	assert_int_equal(ear.told, 1);
	assert_string_equal(ear.why, "there is no name missing.example");
	leave(&ear);
	bed->addresses = "2001:db8::1";
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	assert_string_equal(ear.why, "web.example has no IPv4 address");
	bed->rcode = 2;
	loop_until(bed->base, &ear.told, 2);
	assert_string_equal(ear.why, "every name server fails to look for web.example");
	bed->silent = TRUE;
	loop_until(bed->base, &ear.told, 3);
	assert_string_equal(ear.why, "no name server answers about web.example");
	bed->silent = FALSE;
	bed->rcode = 0;
	bed->addresses = "192.0.2.3";
	loop_until(bed->base, &ear.told, 4);
	assert_string_equal(ear.address, "192.0.2.3");
	leave(&ear);
}

static void test_an_address_is_no_question(void **state)
{
	Bed *bed = *state;
	Ear same = {0}, other = {0};
	listen_for(bed, &same, "2001:db8::7", AF_INET6);
	listen_for(bed, &other, "192.0.2.7", AF_INET6);
	loop_until(bed->base, &same.told, 1);
	loop_until(bed->base, &other.told, 1);
	assert_string_equal(same.address, "2001:db8::7");
	assert_string_equal(other.why, "192.0.2.7 is an IPv4 address, and the service's is IPv6");
	assert_int_equal(bed->asked, 0);
	leave(&same);
	leave(&other);
}

static void test_the_hosts_file_goes_before_the_servers(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	bed->silent = TRUE;
	listen_for(bed, &ear, "localhost", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	assert_string_equal(ear.address, "127.0.0.1");
	assert_int_equal(bed->asked, 0);
	leave(&ear);
}

static void test_what_cannot_be_a_name_fails_alone(void **state)
{
	Bed *bed = *state;
	Ear ear = {0}, sound = {0};
	g_autofree char *label = g_strnfill(64, 'a');
	listen_for(bed, &ear, label, AF_INET);
	listen_for(bed, &sound, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	loop_until(bed->base, &sound.told, 1);
	assert_int_equal(ear.without, 1);
	assert_string_equal(sound.address, "192.0.2.1");
	leave(&ear);
	leave(&sound);
}

static void test_a_name_without_an_answer_delays_no_other(void **state)
{
	Bed *bed = *state;
	Ear silent[RESOLVER_MAXIMUM_QUERIES / 2] = {0}, ear = {0};
	for (gsize i = 0; i < G_N_ELEMENTS(silent); i++) {
		g_autofree char *name = g_strdup_printf("silent%zu.example", i);
		listen_for(bed, &silent[i], name, AF_INET);
	}
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(silent); i++) {
		assert_int_equal(silent[i].told, 0);
		leave(&silent[i]);
	}
	leave(&ear);
}

static void test_queries_under_way_are_bounded(void **state)
{
	Bed *bed = *state;
	guint all = 3 * RESOLVER_MAXIMUM_QUERIES, peak = 0;
	g_autofree Ear *ears = g_new0(Ear, all);
	for (guint i = 0; i < all; i++) {
		g_autofree char *name = g_strdup_printf("web%u.example", i);
		listen_for(bed, &ears[i], name, AF_INET);
	}
	for (guint i = 0; i < all; i++)
		loop_until(bed->base, &ears[i].found, 1);
	resolver_under_way(bed->resolver, &peak);
	assert_int_equal(peak, RESOLVER_MAXIMUM_QUERIES);
	for (guint i = 0; i < all; i++) {
		assert_string_equal(ears[i].address, "192.0.2.1");
		leave(&ears[i]);
	}
}

static void test_names_that_failed_leave_room_for_new_ones(void **state)
{
	Bed *bed = *state;
	guint all = 2 * RESOLVER_MAXIMUM_QUERIES;
	g_autofree Ear *ears = g_new0(Ear, all);
	for (guint i = 0; i < all; i++) {
		g_autofree char *name = g_strdup_printf("silent%u.example", i);
		listen_for(bed, &ears[i], name, AF_INET);
	}
	for (guint i = 0; i < all; i++)
		loop_until(bed->base, &ears[i].told, 1);
	/* All of them are asked again, all the time. */
	for (int i = 0; i < 50; i++) {
		assert_in_range(
			resolver_under_way(bed->resolver, NULL), 0, RESOLVER_MAXIMUM_QUERIES / 2);
		loop_for_ms(bed->base, 5);
	}
	for (guint i = 0; i < all; i++)
		leave(&ears[i]);
}

static void test_a_name_may_be_left_at_any_time(void **state)
{
	Bed *bed = *state;
	Ear at_once = {0}, under_way = {0}, told = {.leaves = TRUE}, failed = {.leaves = TRUE};
	listen_for(bed, &at_once, "web.example", AF_INET);
	leave(&at_once);
	bed->silent = TRUE;
	listen_for(bed, &under_way, "web.example", AF_INET);
	loop_until(bed->base, &bed->asked, 1);
	resolver_leave(under_way.name);
	bed->silent = FALSE;
	listen_for(bed, &told, "web.example", AF_INET);
	loop_until(bed->base, &told.told, 1);
	listen_for(bed, &failed, "missing.example", AF_INET);
	loop_until(bed->base, &failed.told, 1);
	loop_for_ms(bed->base, 300);
	assert_int_equal(under_way.told, 0);
	assert_int_equal(told.told, 1);
	assert_int_equal(failed.told, 1);
	leave(&told);
	leave(&failed);
}

static void test_the_resolver_may_go_while_queries_are_under_way(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	bed->silent = TRUE;
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &bed->asked, 1);
	leave(&ear);
}

static void test_a_failed_name_is_asked_with_growing_pauses(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	ResolverOptions options = quick();
	g_autofree char *servers = g_strdup_printf("127.0.0.1:%u", nameserver_port(bed->server));
	options.servers = servers;
	options.first_retry_ms = 40;
	options.last_retry_ms = 1000 * 1000;
	resolver_free(bed->resolver);
	bed->resolver = resolver_new_with(bed->base, &options, NULL);
	listen_for(bed, &ear, "missing.example", AF_INET);
	loop_until(bed->base, &bed->asked, 1);
	/* After at least 36, 72, 144, 288 ms: a fifth question is not before 540 ms. */
	loop_for_ms(bed->base, 500);
	assert_in_range(bed->asked, 1, 4);
	leave(&ear);
}

static void test_another_resolv_conf_is_noticed(void **state)
{
	Bed *bed = *state;
	Ear ear = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("drover-resolver-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "resolv.conf", NULL);
	/* Nobody answers there: 127.0.0.2 has no such port. */
	g_assert_true(file_write(path, "nameserver 127.0.0.2\n", 21, 0600, NULL));
	ResolverOptions options = quick();
	options.resolv_conf = path;
	options.port = nameserver_port(bed->server);
	resolver_free(bed->resolver);
	bed->resolver = resolver_new_with(bed->base, &options, &error);
	g_assert_no_error(error);
	listen_for(bed, &ear, "web.example", AF_INET);
	loop_until(bed->base, &ear.told, 1);
	assert_string_equal(ear.why, "every name server fails to look for web.example");
	assert_int_equal(bed->asked, 0);
	g_assert_true(file_write(path, "nameserver 127.0.0.1\n", 21, 0600, NULL));
	loop_until(bed->base, &ear.told, 2);
	assert_string_equal(ear.address, "192.0.2.1");
	leave(&ear);
	file_remove(folder, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_lowest_address_is_taken),
		TEST(test_an_address_that_is_still_there_is_kept),
		TEST(test_answers_that_fail_change_nothing),
		TEST(test_why_there_is_no_address_is_told_once),
		TEST(test_an_address_is_no_question),
		TEST(test_the_hosts_file_goes_before_the_servers),
		TEST(test_what_cannot_be_a_name_fails_alone),
		TEST(test_a_name_without_an_answer_delays_no_other),
		TEST(test_queries_under_way_are_bounded),
		TEST(test_names_that_failed_leave_room_for_new_ones),
		TEST(test_a_name_may_be_left_at_any_time),
		TEST(test_the_resolver_may_go_while_queries_are_under_way),
		TEST(test_a_failed_name_is_asked_with_growing_pauses),
		TEST(test_another_resolv_conf_is_noticed),
	};
	return cmocka_run_group_tests_name("monitor resolver", tests, NULL, NULL);
}
