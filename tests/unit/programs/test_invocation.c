/* SPDX-License-Identifier: ISC
 *
 * The command line: words, options, and the table they are looked up in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "programs/drover/invocation.h"

/* `line` is split as a shell does. */
static gboolean parse(const char *line, Invocation **invocation, GError **error)
{
	g_autofree char *whole = g_strconcat("drover ", line, NULL);
	g_auto(GStrv) words = NULL;
	int count = 0;
	assert_true(g_shell_parse_argv(whole, &count, &words, NULL));
	return invocation_parse(count, words, invocation, error);
}

static void assert_refused(const char *line, const char *expected)
{
	g_autoptr(Invocation) invocation = NULL;
	g_autoptr(GError) error = NULL;
	assert_false(parse(line, &invocation, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	if (strstr(error->message, expected) == NULL)
		fail_msg("%s: '%s' lacks '%s'", line, error->message, expected);
}

static void test_words_name_the_command_and_then_its_arguments(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	assert_true(parse("qa ok 43 7", &invocation, NULL));
	assert_string_equal(invocation_command(invocation)->name, "qa ok");
	assert_int_equal(invocation_arguments(invocation), 2);
	assert_string_equal(invocation_argument(invocation, 1), "7");
	assert_null(invocation_argument(invocation, 2));
}

static void test_options_stand_anywhere_and_take_their_value_both_ways(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	assert_true(
		parse("--json qa --store=sqlite:x ok 43 --reason 'it works' 7", &invocation, NULL));
	assert_true(invocation_has(invocation, "json"));
	assert_string_equal(invocation_option(invocation, "store"), "sqlite:x");
	assert_string_equal(invocation_option(invocation, "reason"), "it works");
	assert_string_equal(invocation_argument(invocation, 0), "43");
	assert_string_equal(invocation_argument(invocation, 1), "7");
	assert_false(invocation_has(invocation, "quiet"));
}

static void test_two_dashes_end_the_options_and_one_is_a_word(void **state)
{
	g_autoptr(Invocation) dashes = NULL, one = NULL;
	assert_true(parse("landing where -- --odd-branch", &dashes, NULL));
	assert_string_equal(invocation_argument(dashes, 0), "--odd-branch");
	assert_true(parse("landing import -", &one, NULL));
	assert_string_equal(invocation_argument(one, 0), "-");
}

static void test_the_last_of_two_values_counts(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	assert_true(parse("landing list --limit 1 --limit 2", &invocation, NULL));
	assert_string_equal(invocation_option(invocation, "limit"), "2");
}

static void test_a_group_alone_is_no_error_of_the_line(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	assert_true(parse("landing", &invocation, NULL));
	assert_null(invocation_command(invocation));
	assert_string_equal(invocation_group(invocation)->name, "landing");
}

static void test_help_needs_no_arguments(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	assert_true(parse("qa ok -h", &invocation, NULL));
	assert_true(invocation_has(invocation, "help"));
}

static void test_mistakes_say_what_was_meant(void **state)
{
	assert_refused("landing scna", "did you mean 'scan'?");
	assert_refused("prodct list", "did you mean 'product'?");
	assert_refused("landing list --prodct web", "did you mean '--product'?");
	assert_refused("quite-another-thing", "'drover help' lists them");
	assert_refused("landing quite-another-thing", "'drover help landing' lists them");
	assert_refused(
		"landing list --quite-another-thing", "'drover help landing list' lists them");
	assert_refused("qa ok", "usage: drover qa ok LANDING [ITEM]");
	assert_refused("qa ok 1 2 3", "many words");
	assert_refused("qa ok 1 --reason", "--reason needs a value: --reason TEXT");
	assert_refused("status --json=yes", "--json takes no value");
	assert_refused("status -j", "no option '-j'");
}

static void test_an_option_before_its_command_must_be_a_global_one(void **state)
{
	assert_refused("--reason x qa ok 1", "no option '--reason'");
}

static void test_numbers_are_read_within_their_bounds(void **state)
{
	g_autoptr(Invocation) invocation = NULL;
	g_autoptr(GError) error = NULL;
	gint64 days = 0;
	assert_true(parse("token add ci --days 30", &invocation, NULL));
	assert_true(invocation_integer(invocation, "days", 0, 1, 366, &days, NULL));
	assert_int_equal(days, 30);
	assert_true(invocation_integer(invocation, "person", 5, 1, 366, &days, NULL));
	assert_int_equal(days, 5);
	assert_false(invocation_integer(invocation, "days", 0, 1, 29, &days, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
}

static void test_queries_and_bodies_leave_out_what_is_not_there(void **state)
{
	g_autoptr(GHashTable) query = query_of("a", "1", "b", NULL, "c", "3", NULL);
	g_autoptr(json_t) body = body_of("a", "1", "b", NULL, "c", "3", NULL);
	g_autofree char *text = json_write(body);
	assert_int_equal(g_hash_table_size(query), 2);
	assert_string_equal(g_hash_table_lookup(query, "c"), "3");
	assert_string_equal(text, "{\"a\":\"1\",\"c\":\"3\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_name_the_command_and_then_its_arguments),
		cmocka_unit_test(test_options_stand_anywhere_and_take_their_value_both_ways),
		cmocka_unit_test(test_two_dashes_end_the_options_and_one_is_a_word),
		cmocka_unit_test(test_the_last_of_two_values_counts),
		cmocka_unit_test(test_a_group_alone_is_no_error_of_the_line),
		cmocka_unit_test(test_help_needs_no_arguments),
		cmocka_unit_test(test_mistakes_say_what_was_meant),
		cmocka_unit_test(test_an_option_before_its_command_must_be_a_global_one),
		cmocka_unit_test(test_numbers_are_read_within_their_bounds),
		cmocka_unit_test(test_queries_and_bodies_leave_out_what_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
