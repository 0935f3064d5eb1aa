/* SPDX-License-Identifier: ISC
 *
 * Tables whose columns line up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "programs/terminal/table.h"

static Table *two_landings(void)
{
	Table *table = table_new();
	table_column(table, "ID", TABLE_RIGHT);
	table_column(table, "NAME", TABLE_LEFT);
	table_column(table, "SUBJECT", TABLE_ELASTIC);
	table_cell_integer(table, 7);
	table_cell(table, STYLE_PLAIN, "漢字");
	table_cell(table, STYLE_PLAIN, "Fix the login page of the shop");
	table_cell_integer(table, 1234);
	table_cell(table, STYLE_BAD, "ada");
	table_cell(table, STYLE_PLAIN, NULL);
	return table;
}

static void assert_text(guint width, gboolean colour, const char *expected)
{
	g_autoptr(Table) table = two_landings();
	g_autofree char *text = table_text(table, width, colour, TRUE);
	assert_string_equal(text, expected);
}

static void test_columns_line_up_whatever_the_letters(void **state)
{
	assert_text(0, FALSE,
		"  ID  NAME  SUBJECT\n"
		"   7  漢字  Fix the login page of the shop\n"
		"1234  ada\n");
}

static void test_the_elastic_column_gives_up_its_width(void **state)
{
	assert_text(30, FALSE,
		"  ID  NAME  SUBJECT\n"
		"   7  漢字  Fix the login pag…\n"
		"1234  ada\n");
}

static void test_the_elastic_column_keeps_a_least_width(void **state)
{
	assert_text(10, FALSE,
		"  ID  NAME  SUBJECT\n"
		"   7  漢字  Fix the log…\n"
		"1234  ada\n");
}

static void test_colour_takes_no_columns(void **state)
{
	assert_text(0, TRUE,
		"  \033[2mID\033[0m  \033[2mNAME\033[0m  \033[2mSUBJECT\033[0m\n"
		"   7  漢字  Fix the login page of the shop\n"
		"1234  \033[1;31mada\033[0m\n");
}

static void test_cells_are_cleaned(void **state)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "A", TABLE_LEFT);
	table_cell(table, STYLE_PLAIN, "x\x1b[2Jy\nz");
	g_autofree char *text = table_text(table, 0, FALSE, TRUE);
	assert_string_equal(text, "A\nx\\x1b[2Jy z\n");
}

static void test_an_empty_table_is_its_headings(void **state)
{
	g_autoptr(Table) table = table_new();
	table_column(table, "A", TABLE_LEFT);
	table_column(table, "B", TABLE_LEFT);
	g_autofree char *text = table_text(table, 0, FALSE, TRUE);
	assert_string_equal(text, "A  B\n");
	assert_int_equal(table_rows(table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_line_up_whatever_the_letters),
		cmocka_unit_test(test_the_elastic_column_gives_up_its_width),
		cmocka_unit_test(test_the_elastic_column_keeps_a_least_width),
		cmocka_unit_test(test_colour_takes_no_columns),
		cmocka_unit_test(test_cells_are_cleaned),
		cmocka_unit_test(test_an_empty_table_is_its_headings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
