/* SPDX-License-Identifier: ISC
 *
 * Tables, their difference, and its lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

#include "balance/kernel/table.h"

static TableKey key_of(const char *address, guint16 port)
{
	TableKey key = {.protocol = IPPROTO_TCP, .port = port};
	assert_true(address_parse(address, &key.address));
	return key;
}

static TableService *put(Table *table, const char *address, guint16 port, const char *scheduler,
	gint64 persistence_ms)
{
	const TableKey key = key_of(address, port);
	const TableSettings settings =
		table_settings(scheduler, persistence_ms, key.address.family);
	return table_put_service(table, &key, &settings);
}

static TableServer *serve(TableService *service, const char *address, guint weight)
{
	TableServer server = {.port = service->key.port, .weight = weight};
	assert_true(address_parse(address, &server.address));
	return table_put_server(service, &server);
}

/* The lines, a newline after each. */
static char *lines_of(const GArray *operations)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < operations->len; i++) {
		g_autofree char *line = table_line(&g_array_index(operations, TableOperation, i));
		g_string_append_printf(text, "%s\n", line);
	}
	return g_string_free(text, FALSE);
}

static void assert_difference(
	const Table *intent, const Table *actual, GHashTable *ours, const char *expected)
{
	g_autoptr(GArray) operations = table_difference(intent, actual, ours);
	g_autofree char *lines = lines_of(operations);
	assert_string_equal(lines, expected);
}

static void test_equal_tables_differ_in_nothing(void **state)
{
	g_autoptr(Table) one = table_new();
	g_autoptr(Table) other = table_new();
	serve(put(one, "192.0.2.1", 80, "wrr", 0), "10.0.0.1", 10);
	serve(put(other, "192.0.2.1", 80, "wrr", 0), "10.0.0.1", 10)->active = 7;
	assert_difference(one, other, NULL, "");
}

static void test_it_is_added_then_edited_then_removed(void **state)
{
	g_autoptr(Table) intent = table_new();
	g_autoptr(Table) actual = table_new();
	TableService *web = put(intent, "192.0.2.2", 80, "wrr", 0);
	serve(web, "10.0.0.2", 5);
	serve(web, "10.0.0.3", 10);
	serve(put(intent, "192.0.2.1", 80, "rr", 0), "10.0.0.9", 1);
	TableService *there = put(actual, "192.0.2.2", 80, "wlc", 0);
	serve(there, "10.0.0.1", 10);
	serve(there, "10.0.0.2", 10);
	serve(put(actual, "192.0.2.7", 80, "rr", 0), "10.0.0.8", 1);
	assert_difference(intent, actual, NULL,
		"-A -t 192.0.2.1:80 -s rr\n"
		"-a -t 192.0.2.1:80 -r 10.0.0.9 -w 1\n"
		"-a -t 192.0.2.2:80 -r 10.0.0.3 -w 10\n"
		"-E -t 192.0.2.2:80 -s wrr\n"
		"-e -t 192.0.2.2:80 -r 10.0.0.2 -w 5\n"
		"-d -t 192.0.2.2:80 -r 10.0.0.1\n"
		"-d -t 192.0.2.7:80 -r 10.0.0.8\n"
		"-D -t 192.0.2.7:80\n");
}

static void test_strangers_stay(void **state)
{
	g_autoptr(Table) intent = table_new();
	g_autoptr(Table) actual = table_new();
	g_autoptr(GHashTable) ours = g_hash_table_new(table_key_hash, table_key_equal);
	TableKey former = key_of("192.0.2.1", 80);
	g_hash_table_add(ours, &former);
	put(actual, "192.0.2.1", 80, "rr", 0);
	put(actual, "192.0.2.2", 80, "rr", 0);
	assert_difference(intent, actual, ours, "-D -t 192.0.2.1:80\n");
}

static void test_a_leaving_server_is_edited_never_added(void **state)
{
	g_autoptr(Table) intent = table_new();
	g_autoptr(Table) actual = table_new();
	TableService *wanted = put(intent, "192.0.2.1", 80, "rr", 0);
	serve(wanted, "10.0.0.1", 0)->leaving = TRUE;
	serve(wanted, "10.0.0.2", 0)->leaving = TRUE;
	serve(put(actual, "192.0.2.1", 80, "rr", 0), "10.0.0.1", 10);
	assert_difference(intent, actual, NULL, "-e -t 192.0.2.1:80 -r 10.0.0.1 -w 0\n");
}

static void test_lines_say_what_is_not_usual(void **state)
{
	g_autoptr(Table) intent = table_new();
	g_autoptr(Table) nothing = table_new();
	serve(put(intent, "192.0.2.1", 80, "sh", 300500), "10.0.0.1", 1)->forward = TABLE_TUNNEL;
	serve(put(intent, "2001:db8::1", 443, "mh", 0), "2001:db8::2", 1)->forward =
		TABLE_MASQUERADE;
	TableServer other_port = {.port = 8080, .weight = 2};
	assert_true(address_parse("10.0.0.3", &other_port.address));
	table_put_server(put(intent, "192.0.2.3", 80, "rr", 0), &other_port);
	assert_difference(intent, nothing, NULL,
		"-A -t 192.0.2.1:80 -s sh -p 301 -b sh-fallback\n"
		"-a -t 192.0.2.1:80 -r 10.0.0.1 -i -w 1\n"
		"-A -t 192.0.2.3:80 -s rr\n"
		"-a -t 192.0.2.3:80 -r 10.0.0.3:8080 -w 2\n"
		"-A -t [2001:db8::1]:443 -s mh -b mh-fallback\n"
		"-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -m -w 1\n");
}

static void test_services_of_udp_and_of_firewall_marks_have_their_names(void **state)
{
	TableOperation operation = {.verb = TABLE_REMOVE_SERVICE, .key = key_of("192.0.2.1", 53)};
	operation.key.protocol = IPPROTO_UDP;
	g_autofree char *udp = table_line(&operation);
	assert_string_equal(udp, "-D -u 192.0.2.1:53");
	operation.key = (TableKey){.mark = 5, .address.family = AF_INET6};
	g_autofree char *mark = table_line(&operation);
	assert_string_equal(mark, "-D -f 5 -6");
}

static void test_persistence_is_whole_seconds_that_the_kernel_can_count(void **state)
{
	assert_int_equal(table_settings("rr", 0, AF_INET).timeout_s, 0);
	assert_int_equal(table_settings("rr", 0, AF_INET).flags, 0);
	assert_int_equal(table_settings("rr", 1, AF_INET).timeout_s, 1);
	assert_int_equal(table_settings("rr", 1, AF_INET).flags, IP_VS_SVC_F_PERSISTENT);
	assert_int_equal(table_settings("rr", G_MAXINT64 / 2, AF_INET).timeout_s, 4000000);
	assert_int_equal(table_settings("rr", 1, AF_INET).prefix, 32);
	assert_int_equal(table_settings("rr", 1, AF_INET6).prefix, 128);
}

static void test_hashing_schedulers_have_their_fallback(void **state)
{
	assert_int_equal(table_settings("sh", 0, AF_INET).flags, IP_VS_SVC_F_SCHED_SH_FALLBACK);
	assert_int_equal(table_settings("mh", 0, AF_INET).flags, IP_VS_SVC_F_SCHED1);
	assert_int_equal(table_settings("dh", 0, AF_INET).flags, 0);
}

static Table *random_table(GRand *random)
{
	static const char *const schedulers[] = {"rr", "wrr", "sh"};
	Table *table = table_new();
	for (int i = 0; i < 4; i++) {
		g_autofree char *address =
			g_strdup_printf("192.0.2.%d", g_rand_int_range(random, 1, 5));
		TableService *service =
			put(table, address, 80, schedulers[g_rand_int_range(random, 0, 3)],
				g_rand_int_range(random, 0, 2) * 1000);
		for (int k = g_rand_int_range(random, 0, 6); k > 0; k--) {
			g_autofree char *server =
				g_strdup_printf("10.0.0.%d", g_rand_int_range(random, 1, 8));
			serve(service, server, (guint)g_rand_int_range(random, 0, 3))->forward =
				(TableForward)g_rand_int_range(random, 0, 3);
		}
	}
	return table;
}

static void test_who_obeys_the_difference_has_what_was_meant(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	for (int round = 0; round < 2000; round++) {
		g_autoptr(Table) intent = random_table(random);
		g_autoptr(Table) actual = random_table(random);
		g_autoptr(GArray) operations = table_difference(intent, actual, NULL);
		for (guint i = 0; i < operations->len; i++)
			table_obey(actual, &g_array_index(operations, TableOperation, i));
		assert_difference(intent, actual, NULL, "");
		assert_int_equal(
			g_hash_table_size(intent->services), g_hash_table_size(actual->services));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_tables_differ_in_nothing),
		cmocka_unit_test(test_it_is_added_then_edited_then_removed),
		cmocka_unit_test(test_strangers_stay),
		cmocka_unit_test(test_a_leaving_server_is_edited_never_added),
		cmocka_unit_test(test_lines_say_what_is_not_usual),
		cmocka_unit_test(test_services_of_udp_and_of_firewall_marks_have_their_names),
		cmocka_unit_test(test_persistence_is_whole_seconds_that_the_kernel_can_count),
		cmocka_unit_test(test_hashing_schedulers_have_their_fallback),
		cmocka_unit_test(test_who_obeys_the_difference_has_what_was_meant),
	};
	return cmocka_run_group_tests_name("kernel table", tests, NULL, NULL);
}
