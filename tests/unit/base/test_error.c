/* SPDX-License-Identifier: ISC
 *
 * The error domain: every code has a name of its own and the exit status that error.h promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static const struct {
	DroverErrorCode code;
	const char *kind;
	int exit_status;
} rows[] = {
	{DROVER_ERROR_INTERNAL, "internal", 1},
	{DROVER_ERROR_INPUT, "input", 2},
	{DROVER_ERROR_NOT_FOUND, "not-found", 3},
	{DROVER_ERROR_CONFLICT, "conflict", 4},
	{DROVER_ERROR_DENIED, "denied", 5},
	{DROVER_ERROR_UNAUTHENTICATED, "unauthenticated", 5},
	{DROVER_ERROR_LOCKED, "locked", 6},
	{DROVER_ERROR_MAINTENANCE, "maintenance", 7},
	{DROVER_ERROR_UNAVAILABLE, "unavailable", 8},
	{DROVER_ERROR_FROZEN, "frozen", 9},
	{DROVER_ERROR_ROOT, "root", 10},
	{DROVER_ERROR_TOO_LARGE, "too-large", 2},
	{DROVER_ERROR_RATE, "rate", 8},
};

static void test_each_code_has_its_name_and_exit_status(void **state)
{
	assert_int_equal(G_N_ELEMENTS(rows), DROVER_ERROR_LAST);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		drover_error_set(&error, rows[i].code, "disk %s is full", "sda");
		assert_string_equal(error->message, "disk sda is full");
		assert_string_equal(drover_error_kind(error->code), rows[i].kind);
		assert_int_equal(drover_error_code_from_kind(rows[i].kind), rows[i].code);
		assert_int_equal(drover_error_exit_status(error), rows[i].exit_status);
		assert_true(drover_error_is(error, rows[i].code));
	}
}

static void test_unknown_codes_and_names_are_internal(void **state)
{
	assert_string_equal(drover_error_kind(0), "internal");
	assert_string_equal(drover_error_kind(DROVER_ERROR_LAST + 1), "internal");
	assert_string_equal(drover_error_kind(-7), "internal");
	assert_int_equal(drover_error_code_from_kind("full"), DROVER_ERROR_INTERNAL);
	assert_int_equal(drover_error_code_from_kind(NULL), DROVER_ERROR_INTERNAL);
}

static void test_another_domains_error_exits_with_1(void **state)
{
	g_autoptr(GError) error =
		g_error_new_literal(G_FILE_ERROR, DROVER_ERROR_LOCKED, "no such file");
	assert_int_equal(drover_error_exit_status(error), 1);
	assert_false(drover_error_is(error, DROVER_ERROR_LOCKED));
}

static void test_no_error_is_of_no_kind_and_nobody_need_ask(void **state)
{
	assert_false(drover_error_is(NULL, DROVER_ERROR_INTERNAL));
	drover_error_set(NULL, DROVER_ERROR_INPUT, "nobody reads this");
}

static void test_a_message_is_utf8_whatever_it_quotes(void **state)
{
	g_autoptr(GError) broken = NULL, cut = NULL;
	drover_error_set(&broken, DROVER_ERROR_INPUT, "'%s' is no time", "2\xb0");
	assert_string_equal(broken->message, "'2\xef\xbf\xbd' is no time");
	drover_error_set(&cut, DROVER_ERROR_INPUT, "'%.1s' is no time", "\xc3\xa9");
	assert_string_equal(cut->message, "'\xef\xbf\xbd' is no time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_code_has_its_name_and_exit_status),
		cmocka_unit_test(test_unknown_codes_and_names_are_internal),
		cmocka_unit_test(test_another_domains_error_exits_with_1),
		cmocka_unit_test(test_no_error_is_of_no_kind_and_nobody_need_ask),
		cmocka_unit_test(test_a_message_is_utf8_whatever_it_quotes),
	};
	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
