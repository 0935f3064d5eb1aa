/* SPDX-License-Identifier: ISC
 *
 * Configuration files: what they mean, and where each error is. That random files mean what they
 * mean to Python is shown by ini_against_configparser.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/ini.h"

static Ini *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	Ini *ini = ini_parse("t.conf", text, strlen(text), &error);
	if (ini == NULL)
		fail_msg("%s", error->message);
	return ini;
}

static void assert_value(const char *text, const char *key, const char *expected)
{
	g_autoptr(Ini) ini = parse(text);
	g_autoptr(GError) error = NULL;
	g_autofree char *value = NULL;
	if (!ini_get(ini, "a", key, &value, &error))
		fail_msg("%s", error->message);
	if (expected == NULL)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

static void assert_refused(const char *text, gsize size_bytes, const char *expected)
{
	g_autoptr(GError) error = NULL;
	assert_null(ini_parse("t.conf", text, size_bytes, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_string_equal(error->message, expected);
}

static void test_values_with_either_delimiter(void **state)
{
	assert_value("[a]\nx = 1\n", "x", "1");
	assert_value("[a]\nx=1", "x", "1");
	assert_value("[a]\nx: 1  \n", "x", "1");
	assert_value("[a]\nurl = http://h:80/?a=b\n", "url", "http://h:80/?a=b");
	assert_value("[a]\nlong name = 1\n", "long name", "1");
	assert_value("[a]\nx =\n", "x", "");
	assert_value("[a]\nx = 1\n", "y", NULL);
	assert_value("[a]\nx = 1 # 2 ; 3\n", "x", "1 # 2 ; 3");
}

static void test_keys_have_no_case_and_sections_have(void **state)
{
	assert_value("[a]\nSome-Key = 1\n", "sOME-kEY", "1");
	g_autoptr(Ini) ini = parse("[a]\n[A]\n");
	assert_true(ini_has_section(ini, "a"));
	assert_true(ini_has_section(ini, "A"));
	assert_false(ini_has_section(ini, "b"));
}

static void test_deeper_lines_go_on_with_the_value(void **state)
{
	assert_value("[a]\nx = 1\n  2\n\t3\ny = 4\n", "x", "1\n2\n3");
	assert_value("[a]\nx =\n  1\n", "x", "\n1");
	assert_value("[a]\nx = 1\n  y = 2\n", "x", "1\ny = 2");
	assert_value("[a]\nx = 1\n  [b]\n", "x", "1\n[b]");
}

static void test_lines_as_deep_as_their_key_are_keys(void **state)
{
	assert_value("[a]\n  x = 1\n  y = 2\n", "x", "1");
	assert_value("[a]\n  x = 1\n  y = 2\n", "y", "2");
	assert_value("[a]\n  x = 1\n    more\n y = 2\n", "x", "1\nmore");
	assert_value("[a]\n  x = 1\n    more\n y = 2\n", "y", "2");
}

static void test_blank_lines_and_comments_inside_values(void **state)
{
	assert_value("[a]\nx = 1\n\n  2\n", "x", "1\n\n2");
	assert_value("[a]\nx = 1\n\n \n\n  2\n", "x", "1\n\n\n\n2");
	assert_value("[a]\nx = 1\n\n\n", "x", "1");
	assert_value("[a]\nx = 1\n# no\n  ; no\n  2\n", "x", "1\n2");
	assert_value("[a]\nx = 1\n\ny = 2\n", "x", "1");
}

static void test_default_section_is_everybodys(void **state)
{
	const char *text = "[a]\nx = own\n[DEFAULT]\nx = d\ny = %(x)s!\n[b]\n";
	assert_value(text, "x", "own");
	assert_value(text, "y", "own!");
	g_autoptr(Ini) ini = parse(text);
	g_autofree char *value = NULL;
	assert_true(ini_get(ini, "b", "y", &value, NULL));
	assert_string_equal(value, "d!");
	assert_string_equal(ini_sections(ini)[0], "a");
	assert_string_equal(ini_sections(ini)[1], "b");
	assert_null(ini_sections(ini)[2]);
	g_autofree const char **keys = ini_keys(ini, "a");
	assert_string_equal(keys[0], "x");
	assert_string_equal(keys[1], "y");
	assert_null(keys[2]);
}

static void test_byte_order_mark_and_crlf_are_no_content(void **state)
{
	assert_value("\xef\xbb\xbf[a]\r\nx = 1\r\n  2\r\n\r\ny = 3\r\n", "x", "1\n2");
	assert_value("\xef\xbb\xbf[a]\r\nx = 1\r\ny = 3", "y", "3");
}

static void test_interpolation(void **state)
{
	assert_value("[a]\nx = 100%%\n", "x", "100%");
	assert_value("[a]\nx = %%(y)s\n", "x", "%(y)s");
	assert_value("[a]\nx = <%(Y)s>\ny = 1\n", "x", "<1>");
	assert_value("[a]\nx = %(y)s%(y)s\ny = %(z)s\nz = 1\n", "x", "11");
	assert_value("[a]\nx = a\n  %(y)s\ny = b\n", "x", "a\nb");
}

static void assert_not_interpolated(const char *text, const char *expected)
{
	g_autoptr(Ini) ini = parse(text);
	g_autoptr(GError) error = NULL;
	g_autofree char *value = NULL;
	assert_false(ini_get(ini, "a", "x", &value, &error));
	assert_null(value);
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_string_equal(error->message, expected);
}

static void test_interpolation_errors_name_the_value(void **state)
{
	assert_not_interpolated("[a]\nx = 5%\n",
		"t.conf:2:5: [a] x: a percent sign is written %%, a reference %(name)s");
	assert_not_interpolated("[a]\n\n  x = %(y\n",
		"t.conf:3:7: [a] x: a percent sign is written %%, a reference %(name)s");
	assert_not_interpolated("[a]\nx = %(gone)s\n", "t.conf:2:5: [a] x: %(gone)s names no key");
	assert_not_interpolated("[a]\nx = %()s\n", "t.conf:2:5: [a] x: %()s names no key");
	assert_not_interpolated("[a]\nx = %(x)s\n",
		"t.conf:2:5: [a] x: %(…)s refers to itself, or too deeply, or too often");
	assert_not_interpolated("[a]\nx = %(y)s\ny = %(x)s\n",
		"t.conf:2:5: [a] x: %(…)s refers to itself, or too deeply, or too often");
}

/* x = %(x1)s, x1 = %(x2)s … until a plain value, `references` of them in a row. */
static char *chain(int references)
{
	g_autoptr(GString) text = g_string_new("[a]\nx = %(x1)s\n");
	for (int i = 1; i < references; i++)
		g_string_append_printf(text, "x%d = %%(x%d)s\n", i, i + 1);
	g_string_append_printf(text, "x%d = end\n", references);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_references_nest_as_deep_as_configparsers(void **state)
{
	g_autofree char *deep = chain(INI_MAXIMUM_DEPTH);
	assert_value(deep, "x", "end");
	g_autofree char *deeper = chain(INI_MAXIMUM_DEPTH + 1);
	assert_not_interpolated(
		deeper, "t.conf:2:5: [a] x: %(…)s refers to itself, or too deeply, or too often");
}

/* Each of nine values refers to the next one ten times: a billion in all. */
static void test_exploding_references_are_cut_off(void **state)
{
	g_autoptr(GString) text = g_string_new("[a]\n");
	for (int level = 0; level < 9; level++) {
		g_string_append_printf(text, level == 0 ? "x =" : "x%d =", level);
		for (int i = 0; i < 10; i++)
			g_string_append_printf(text, " %%(x%d)s", level + 1);
		g_string_append_c(text, '\n');
	}
	g_string_append(text, "x9 = lol\n");
	assert_not_interpolated(text->str,
		"t.conf:2:5: [a] x: %(…)s refers to itself, or too deeply, or too often");
}

static void test_growing_references_are_cut_off(void **state)
{
	g_autofree char *big = g_strnfill(INI_MAXIMUM_BYTES / 8, 'x');
	g_autoptr(GString) text = g_string_new("[a]\nx =");
	for (int i = 0; i < 20; i++)
		g_string_append(text, " %(y)s");
	g_string_append_printf(text, "\ny = %s\n", big);
	assert_not_interpolated(text->str, "t.conf:2:5: [a] x: grows too large by its %(…)s");
}

static void test_errors_of_form_name_line_and_column(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"x = 1\n", "t.conf:1:1: x stands before the first [section]"},
		{"\n# c\n[a", "t.conf:3:1: a section is written [name]"},
		{"[]\n", "t.conf:1:1: a section is written [name]"},
		{"  [a\n", "t.conf:1:3: a section is written [name]"},
		{"[a] b\n", "t.conf:1:5: nothing may follow a section's ]"},
		{"[a]\n[b]\n[a]\n", "t.conf:3:1: section [a] is there twice"},
		{"[a]\nx = 1\nX = 2\n", "t.conf:3:1: [a] X is there twice"},
		{"[DEFAULT]\nx = 1\n[a]\n[DEFAULT]\nx = 2\n",
			"t.conf:5:1: [DEFAULT] x is there twice"},
		{"[a]\nno delimiter\n",
			"t.conf:2:13: expected 'key = value', '[section]' or a # comment"},
		{"[a]\r\n  word\r\n",
			"t.conf:2:7: expected 'key = value', '[section]' or a # comment"},
		{"[a]\n = 1\n", "t.conf:2:2: the key before '=' is missing"},
		{"[a]\nx = \xff\n", "t.conf:2:5: not valid UTF-8"},
		{"[a]\nx = 1\ry = 2\n", "t.conf:2:6: a carriage return inside the line: end lines "
					"with LF or CR LF"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].error);
	assert_refused("[a]\nx\0 = 1\n", 11, "t.conf:2:2: the line holds a NUL byte");
}

static void test_files_over_the_limit_are_refused(void **state)
{
	g_autofree char *text = g_strnfill(INI_MAXIMUM_BYTES + 1, '\n');
	g_autoptr(Ini) ini = ini_parse("t.conf", text, INI_MAXIMUM_BYTES, NULL);
	assert_non_null(ini);
	g_autoptr(GError) error = NULL;
	assert_null(ini_parse("t.conf", text, INI_MAXIMUM_BYTES + 1, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

/* As many keys and sections as the limit holds. Reading them pair by pair would take minutes. */
static void test_many_keys_and_sections_are_read(void **state)
{
	g_autoptr(GString) text = g_string_new("[a]\n");
	for (int i = 0; i < 200000; i++)
		g_string_append_printf(text, "k%d=%d\n", i, i);
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(text, "[s%d]\n", i);
	assert_value(text->str, "k199999", "199999");
}

static void test_booleans(void **state)
{
	static const struct {
		const char *text;
		gboolean value;
	} words[] = {{"yes", TRUE}, {"True", TRUE}, {"ON", TRUE}, {"1", TRUE}, {"no", FALSE},
		{"false", FALSE}, {"Off", FALSE}, {"0", FALSE}};
	gboolean value = FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *text = g_strdup_printf("[a]\nx = %s\n", words[i].text);
		g_autoptr(Ini) ini = parse(text);
		value = !words[i].value;
		assert_true(ini_get_boolean(ini, "a", "x", value, &value, NULL));
		assert_int_equal(value, words[i].value);
	}
	g_autoptr(Ini) ini = parse("[a]\nx = maybe\n");
	assert_true(ini_get_boolean(ini, "a", "absent", TRUE, &value, NULL));
	assert_true(value);
	g_autoptr(GError) error = NULL;
	assert_false(ini_get_boolean(ini, "a", "x", TRUE, &value, &error));
	assert_string_equal(error->message, "t.conf:2:5: [a] x: must be yes or no");
}

static void test_integers_and_durations(void **state)
{
	g_autoptr(Ini) ini = parse("[a]\nport = 80\nbig = 70000\nwait = 15min\nodd = 15 apples\n");
	gint64 value = 0;
	assert_true(ini_get_integer(ini, "a", "port", 1, 0, 65535, &value, NULL));
	assert_int_equal(value, 80);
	assert_true(ini_get_integer(ini, "a", "absent", 7, 0, 65535, &value, NULL));
	assert_int_equal(value, 7);
	assert_true(ini_get_duration(ini, "a", "wait", 1, &value, NULL));
	assert_int_equal(value, 900);
	assert_true(ini_get_duration(ini, "a", "absent", 60, &value, NULL));
	assert_int_equal(value, 60);
	g_autoptr(GError) big = NULL, odd = NULL;
	assert_false(ini_get_integer(ini, "a", "big", 1, 0, 65535, &value, &big));
	assert_string_equal(
		big->message, "t.conf:3:7: [a] big: '70000' is not a whole number from 0 to 65535");
	assert_false(ini_get_duration(ini, "a", "odd", 1, &value, &odd));
	assert_string_equal(odd->message,
		"t.conf:5:7: [a] odd: '15 apples' is not a duration: write a whole number with s, "
		"min, h, d or w, as 15min");
}

static void test_places_of_values_and_unknown_keys(void **state)
{
	g_autoptr(Ini) ini = parse("[a]\nx  =  1\n  lisen = 2\n[b]\ntitle: t\nx = 3\n\tmore\n"
				   "y =\n");
	g_autofree char *where = ini_where(ini, "a", "X");
	assert_string_equal(where, "t.conf:2:7");
	g_autofree char *title = ini_where(ini, "b", "title");
	assert_string_equal(title, "t.conf:5:8");
	g_autofree char *absent = ini_where(ini, "b", "none");
	assert_string_equal(absent, "t.conf: [b] none");
	const char *const known[] = {"a.x", "*.title", NULL};
	g_autoptr(GPtrArray) unknown = ini_unknown_keys(ini, known);
	assert_int_equal(unknown->len, 2);
	assert_string_equal(unknown->pdata[0], "t.conf:6:1: [b] x: unknown key");
	assert_string_equal(unknown->pdata[1], "t.conf:8:1: [b] y: unknown key");
}

static void test_loading_a_file_that_is_not_there_says_so(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(ini_load("/nonexistent/drover.conf", &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_with_either_delimiter),
		cmocka_unit_test(test_keys_have_no_case_and_sections_have),
		cmocka_unit_test(test_deeper_lines_go_on_with_the_value),
		cmocka_unit_test(test_lines_as_deep_as_their_key_are_keys),
		cmocka_unit_test(test_blank_lines_and_comments_inside_values),
		cmocka_unit_test(test_default_section_is_everybodys),
		cmocka_unit_test(test_byte_order_mark_and_crlf_are_no_content),
		cmocka_unit_test(test_interpolation),
		cmocka_unit_test(test_interpolation_errors_name_the_value),
		cmocka_unit_test(test_references_nest_as_deep_as_configparsers),
		cmocka_unit_test(test_exploding_references_are_cut_off),
		cmocka_unit_test(test_growing_references_are_cut_off),
		cmocka_unit_test(test_errors_of_form_name_line_and_column),
		cmocka_unit_test(test_files_over_the_limit_are_refused),
		cmocka_unit_test(test_many_keys_and_sections_are_read),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_integers_and_durations),
		cmocka_unit_test(test_places_of_values_and_unknown_keys),
		cmocka_unit_test(test_loading_a_file_that_is_not_there_says_so),
	};
	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
