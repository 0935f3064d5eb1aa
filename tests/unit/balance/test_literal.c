/* SPDX-License-Identifier: ISC
 *
 * Python literals: what is read, what is refused and where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "balance/literal.h"
#include "base/error.h"

/* As Python would show it, except that names are shown in <>. */
static void show(const Literal *literal, GString *into)
{
	static const char *const brackets[] = {
		[LITERAL_LIST] = "[]", [LITERAL_TUPLE] = "()", [LITERAL_DICT] = "{}"};
	switch (literal->kind) {
	case LITERAL_TEXT:
		g_string_append_printf(into, "'%s'", literal->text);
		return;
	case LITERAL_NAME:
		g_string_append_printf(into, "<%s>", literal->text);
		return;
	case LITERAL_LIST:
	case LITERAL_TUPLE:
	case LITERAL_DICT:
		break;
	default: {
		g_autofree char *words = literal_describe(literal);
		g_string_append(into, words);
		return;
	}
	}
	g_string_append_c(into, brackets[literal->kind][0]);
	for (guint i = 0; i < literal->parts->len; i++) {
		if (i > 0)
			g_string_append(
				into, literal->kind == LITERAL_DICT && i % 2 == 1 ? ":" : ",");
		show(literal->parts->pdata[i], into);
	}
	g_string_append_c(into, brackets[literal->kind][1]);
}

static void test_literals_are_read_as_python_reads_them(void **state)
{
	static const char *const pairs[][2] = {
		{"None", "None"},
		{" True ", "True"},
		{"False # no", "False"},
		{"7", "7"},
		{"-7", "-7"},
		{"+7", "7"},
		{"0", "0"},
		{"00", "0"},
		{"1_000", "1000"},
		{"0x1F", "31"},
		{"-0o17", "-15"},
		{"0b101", "5"},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{".5", ".5"},
		{"1.", "1."},
		{"1e-3", "1e-3"},
		{"-2.5E+6", "-2.5E+6"},
		{"010.5", "010.5"},
		{"'a'", "'a'"},
		{"\"it's\"", "'it's'"},
		{"'a' \"b\" 'c'", "'abc'"},
		{"u'x' r'\\n'", "'x\\n'"},
		{"r'a\\'b'", "'a\\'b'"},
		{"'\\x41\\101\\u00e9\\U0001F600'", "'AA\xc3\xa9\xf0\x9f\x98\x80'"},
		{"'\\\\ \\' \\\" \\q'", "'\\ ' \" \\q'"},
		{"'a\\\nb'", "'ab'"},
		{"'\\t'", "'\t'"},
		{"[]", "[]"},
		{"[1, 2,]", "[1,2]"},
		{"[\n 'a', # first\n 'b'\n]", "['a','b']"},
		{"()", "()"},
		{"(1)", "1"},
		{"(1,)", "(1)"},
		{"((1, 2), [3])", "((1,2),[3])"},
		{"'a', 'b'", "('a','b')"},
		{"1, # one", "(1)"},
		{"{}", "{}"},
		{"{'a': 1, 2: [True], 'a': 3}", "{'a':1,2:[True],'a':3}"},
		{"[ 'x', server.host ]", "['x',<server.host>]"},
	};
	static const char *const names[] = {"server.host", NULL};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Literal) literal =
			literal_parse(pairs[i][0], strlen(pairs[i][0]), names, &error);
		if (literal == NULL)
			fail_msg("%s: %s", pairs[i][0], error->message);
		g_autoptr(GString) shown = g_string_new(NULL);
		show(literal, shown);
		assert_string_equal(shown->str, pairs[i][1]);
	}
}

static void test_what_is_no_literal_is_refused_with_its_place(void **state)
{
	static const char *const pairs[][2] = {
		{"", "column 1: a value is missing"},
		{"  # only", "column 9: a value is missing"},
		{"true", "column 1: 'true' is a name"},
		{"server.ip", "column 1: 'server.ip' is a name"},
		{"5+5", "column 2: '+5' after the value"},
		{"5 + 5", "column 3: '+ 5' after the value"},
		{"__import__('os').system('true')", "column 1: '__import__' is a name"},
		{"[x for x in y]", "column 2: 'x' is a name"},
		{"1, 2 3", "column 6: '3' after the value"},
		{"1,,", "column 3: ',' begins no value"},
		{"[1 2]", "column 4: a comma or a ] is missing"},
		{"[1,,2]", "column 4: ',2]' begins no value"},
		{"[1", "column 1: the [ is not closed by a ]"},
		{"['a', ", "column 1: the [ is not closed by a ]"},
		{"{'a' 1}", "column 6: a : is missing"},
		{"{'a': }", "column 7: '}' begins no value"},
		{"{'a'}", "column 5: a : is missing"},
		{"{[1]: 2}", "column 5: a key must be"},
		{"(1]", "column 3: a comma or a ) is missing"},
		{"]", "column 1: ']' begins no value"},
		{"'a", "column 1: the text is not closed by a '"},
		{"'a\nb'", "column 1: the text is not closed"},
		{"[\n 'a\n]", "line 2, column 2: the text is not closed"},
		{"'a\\", "column 1: the text is not closed"},
		{"'\\x4'", "column 2: an escape \\x needs 2"},
		{"'\\ud800'", "column 2: an escape that is no character"},
		{"'\\0'", "column 2: a NUL character"},
		{"'\\N{DASH}'", "column 2: an escape \\N{…} is not read"},
		{"b'x'", "column 1: 'b' is a name"},
		{"010", "column 1: '010' is no number"},
		{"0x", "column 1: '0x' is no number"},
		{"1__0", "column 1: '1__0' is no number"},
		{"1_", "column 1: '1_' is no number"},
		{"9223372036854775808", "column 1: '9223372036854775808' is no number, or too"},
		{"1j", "column 1: '1j' is no number"},
		{"--5", "column 1: '-' is no number"},
		{"1e", "column 1: '1e' is no number"},
		{"\xff", "column 1: not valid UTF-8"},
		{"$", "column 1: '$' begins no value"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Literal) literal =
			literal_parse(pairs[i][0], strlen(pairs[i][0]), NULL, &error);
		if (literal != NULL || !g_str_has_prefix(error->message, pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], error ? error->message : "was read");
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
	g_autoptr(GError) error = NULL;
	assert_null(literal_parse("'a\0b'", 5, NULL, &error));
	assert_string_equal(error->message, "column 3: a NUL byte");
}

static void assert_refused(char *text, int code)
{
	g_autofree char *mine = text;
	g_autoptr(GError) error = NULL;
	assert_null(literal_parse(mine, strlen(mine), NULL, &error));
	assert_int_equal(error->code, code);
}

static void test_limits_hold(void **state)
{
	g_autofree char *deep = g_strnfill(LITERAL_MAXIMUM_DEPTH + 1, '[');
	assert_refused(g_strdup(deep), DROVER_ERROR_INPUT);
	assert_refused(g_strnfill(LITERAL_MAXIMUM_BYTES + 1, ' '), DROVER_ERROR_TOO_LARGE);
	g_autoptr(GString) many = g_string_new("[");
	for (guint i = 0; i < LITERAL_MAXIMUM_PARTS; i++)
		g_string_append(many, "1,");
	g_string_append(many, "]");
	assert_refused(g_strdup(many->str), DROVER_ERROR_INPUT);

	g_autofree char *closed = g_strnfill(LITERAL_MAXIMUM_DEPTH, ']');
	deep[LITERAL_MAXIMUM_DEPTH] = '\0';
	g_autofree char *just = g_strconcat(deep, closed, NULL);
	g_autoptr(Literal) literal = literal_parse(just, strlen(just), NULL, NULL);
	assert_non_null(literal);
}

static void test_of_two_keys_the_last_counts(void **state)
{
	const char *text = "{'a': 1, 'b': 2, 'a': 3}";
	g_autoptr(Literal) dict = literal_parse(text, strlen(text), NULL, NULL);
	assert_int_equal(literal_get(dict, "a")->integer, 3);
	assert_null(literal_get(dict, "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals_are_read_as_python_reads_them),
		cmocka_unit_test(test_what_is_no_literal_is_refused_with_its_place),
		cmocka_unit_test(test_limits_hold),
		cmocka_unit_test(test_of_two_keys_the_last_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
