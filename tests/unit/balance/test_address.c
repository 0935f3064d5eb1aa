/* SPDX-License-Identifier: ISC
 *
 * Addresses: spellings, order, and the way through sockets.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "balance/address.h"

static void test_addresses_are_spelled_in_their_usual_way(void **state)
{
	static const char *const spellings[][2] = {{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0::1", "2001:db8::1"}, {"::ffff:192.0.2.1", "::ffff:192.0.2.1"}};
	for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++) {
		Address address;
		char text[ADDRESS_TEXT_BYTES];
		assert_true(address_parse(spellings[i][0], &address));
		address_text(&address, text);
		assert_string_equal(text, spellings[i][1]);
	}
}

static void test_what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = {"", "localhost", "192.0.2", "192.0.2.256", "[::1]",
		"fe80::1%eth0", "::1/128", " ::1"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		Address address;
		assert_false(address_parse(wrong[i], &address));
		assert_int_equal(address.family, 0);
	}
}

static void test_a_port_stands_behind_brackets_for_v6(void **state)
{
	Address v4, v6;
	assert_true(address_parse("192.0.2.1", &v4) && address_parse("2001:db8::1", &v6));
	g_autofree char *v4_text = address_with_port(&v4, 80);
	g_autofree char *v6_text = address_with_port(&v6, 65535);
	assert_string_equal(v4_text, "192.0.2.1:80");
	assert_string_equal(v6_text, "[2001:db8::1]:65535");
}

static void test_the_way_through_a_socket_address_loses_nothing(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct sockaddr_storage socket_address;
		Address address, back;
		guint16 port;
		assert_true(address_parse(texts[i], &address));
		assert_int_equal(address_to_socket(&address, 8080, &socket_address),
			i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_true(address_from_socket(&socket_address, &back, &port));
		assert_true(address_equal(&address, &back));
		assert_int_equal(port, 8080);
	}
}

static void test_v4_stands_before_v6_and_each_in_the_order_of_bytes(void **state)
{
	static const char *const in_order[] = {
		"9.255.0.1", "10.0.0.1", "10.0.0.2", "::1", "2001:db8::"};
	for (gsize i = 0; i + 1 < G_N_ELEMENTS(in_order); i++) {
		Address low, high;
		assert_true(address_parse(in_order[i], &low));
		assert_true(address_parse(in_order[i + 1], &high));
		assert_true(address_compare(&low, &high) < 0);
		assert_true(address_compare(&high, &low) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_spelled_in_their_usual_way),
		cmocka_unit_test(test_what_is_no_address_is_refused),
		cmocka_unit_test(test_a_port_stands_behind_brackets_for_v6),
		cmocka_unit_test(test_the_way_through_a_socket_address_loses_nothing),
		cmocka_unit_test(test_v4_stands_before_v6_and_each_in_the_order_of_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
