/* SPDX-License-Identifier: ISC
 *
 * Server lists: good lines are read whatever the bad ones say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "balance/server_list.h"

static char *read_list(ServerListFormat format, const char *text)
{
	g_autoptr(ServerList) list = server_list_parse("l", format, text, strlen(text));
	json_t *answer = server_list_json(list);
	char *shown = json_dumps(answer, JSON_COMPACT);
	char *copy = g_strdup(shown);
	free(shown);
	json_decref(answer);
	return copy;
}

static void assert_table(ServerListFormat format, const char *const (*pairs)[2], gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_autofree char *answer = read_list(format, pairs[i][0]);
		assert_string_equal(answer, pairs[i][1]);
	}
}

static void test_legacy_lists(void **state)
{
	static const char *const pairs[][2] = {
		{"", "{\"servers\":{},\"errors\":[]}"},
		{"# nothing\n\n   \n", "{\"servers\":{},\"errors\":[]}"},
		{"{'host': 'b', 'weight': 0, 'enabled': 1}\r\n"
		 "  {'host': '2001:db8::1', 'weight': 65535, 'enabled': False}, # c\r\n",
			"{\"servers\":{\"b\":{\"enabled\":true,\"weight\":0}},\"errors\":"
			"[\"l:2: must be a dict { 'host': …, 'weight': …, 'enabled': … }, not a "
			"tuple\"]}"},
		{"{'host': 'b', 'weight': 1, 'enabled': True} # c\r"
		 "{'host': 'a', 'weight': 1, 'enabled': True}",
			"{\"servers\":{\"a\":{\"enabled\":true,\"weight\":1},"
			"\"b\":{\"enabled\":true,\"weight\":1}},\"errors\":[]}"},
		{"{'host': 'a', 'weight': -1, 'enabled': True}",
			"{\"servers\":{},\"errors\":[\"l:1: weight must be a whole number from 0 "
			"to "
			"65535, not -1\"]}"},
		{"{'host': 'a', 'weight': True, 'enabled': True}",
			"{\"servers\":{},\"errors\":[\"l:1: weight must be a whole number from 0 "
			"to "
			"65535, not True\"]}"},
		{"{'host': 'a', 'weight': 65536, 'enabled': True}",
			"{\"servers\":{},\"errors\":[\"l:1: weight must be a whole number from 0 "
			"to "
			"65535, not 65536\"]}"},
		{"{'host': 'a', 'weight': 1, 'enabled': 'yes'}",
			"{\"servers\":{},\"errors\":[\"l:1: enabled must be True or False, not the "
			"text 'yes'\"]}"},
		{"{'host': 'a b', 'weight': 1, 'enabled': True}",
			"{\"servers\":{},\"errors\":[\"l:1: host must be a host name or address of "
			"at "
			"most 255 letters, digits and -._:, not the text 'a b'\"]}"},
		{"{'weight': 1, 'enabled': True}",
			"{\"servers\":{},\"errors\":[\"l:1: 'host' is missing\"]}"},
		{"[1]", "{\"servers\":{},\"errors\":[\"l:1: must be a dict { 'host': …, 'weight': "
			"…, "
			"'enabled': … }, not a list\"]}"},
		{"\xef\xbb\xbf{'host': 'a', 'weight': 1, 'enabled': True}\n\n\xff\n",
			"{\"servers\":{\"a\":{\"enabled\":true,\"weight\":1}},\"errors\":[\"l:3: "
			"column "
			"1: not valid UTF-8\"]}"},
	};
	assert_table(SERVER_LIST_LEGACY, pairs, G_N_ELEMENTS(pairs));
}

static void test_json_lists(void **state)
{
	static const char *const pairs[][2] = {
		{"{}", "{\"servers\":{},\"errors\":[]}"},
		{"{\"b\":{},\"a\":{\"weight\":3,\"rack\":1}}",
			"{\"servers\":{\"a\":{\"weight\":3},\"b\":{}},\"errors\":[]}"},
		{"{\"a\":{\"enabled\":1},\"b\":{\"weight\":1.5},\"c\":7,\"d\":{\"enabled\":true}}",
			"{\"servers\":{\"d\":{\"enabled\":true}},\"errors\":[\"l: \\\"a\\\": "
			"enabled "
			"must be true or false, not 1\",\"l: \\\"b\\\": weight must be a whole "
			"number from 0 to 65535, not 1.5\",\"l: \\\"c\\\": must be an object "
			"{enabled, weight}, not 7\"]}"},
		{"[]", "{\"servers\":{},\"errors\":[\"l:1:1: must be an object {…}, not a "
		       "list\"]}"},
		{"{\"a b\":{}}", "{\"servers\":{},\"errors\":[\"l: \\\"a b\\\": the name must be a "
				 "host name "
				 "or address of at most 255 letters, digits and -._:\"]}"},
	};
	assert_table(SERVER_LIST_JSON, pairs, G_N_ELEMENTS(pairs));
	g_autofree char *twice = read_list(SERVER_LIST_JSON, "{\"a\":{},\n\"a\":{}}");
	assert_non_null(strstr(twice, "\"errors\":[\"l:2:"));
	g_autofree char *nothing = read_list(SERVER_LIST_JSON, "");
	assert_non_null(strstr(nothing, "\"errors\":[\"l:1:"));
}

static void test_errors_are_told_up_to_a_limit_and_counted(void **state)
{
	g_autofree char *lines = g_strnfill(2 * (SERVER_LIST_MAXIMUM_ERRORS + 5), 'x');
	for (gsize i = 1; i < 2 * (SERVER_LIST_MAXIMUM_ERRORS + 5); i += 2)
		lines[i] = '\n';
	g_autoptr(ServerList) list =
		server_list_parse("l", SERVER_LIST_LEGACY, lines, strlen(lines));
	assert_int_equal(list->bad, SERVER_LIST_MAXIMUM_ERRORS + 5);
	assert_int_equal(list->errors->len, SERVER_LIST_MAXIMUM_ERRORS + 1);
	assert_string_equal(list->errors->pdata[SERVER_LIST_MAXIMUM_ERRORS], "l: and 5 more");
}

static void test_limits_hold(void **state)
{
	g_autofree char *large = g_strnfill(SERVER_LIST_MAXIMUM_BYTES + 1, '\n');
	g_autoptr(ServerList) list =
		server_list_parse("l", SERVER_LIST_LEGACY, large, strlen(large));
	assert_int_equal(list->bad, 1);
	g_autoptr(GString) many = g_string_new("{");
	for (guint i = 0; i <= POOL_MAXIMUM_SERVERS; i++)
		g_string_append_printf(many, "%s\"h%u\":{}", i > 0 ? "," : "", i);
	g_string_append(many, "}");
	g_autoptr(ServerList) full = server_list_parse("l", SERVER_LIST_JSON, many->str, many->len);
	assert_int_equal(full->entries->len, POOL_MAXIMUM_SERVERS);
	assert_int_equal(full->bad, 1);
	g_autofree char *name = g_strnfill(POOL_MAXIMUM_NAME_BYTES + 1, 'a');
	assert_false(server_list_is_host(name));
	name[POOL_MAXIMUM_NAME_BYTES] = '\0';
	assert_true(server_list_is_host(name));
}

static void test_the_format_follows_from_the_name(void **state)
{
	assert_int_equal(server_list_format_of("file:///etc/pools/web.json"), SERVER_LIST_JSON);
	assert_int_equal(server_list_format_of("file:///etc/pools/web"), SERVER_LIST_LEGACY);
	ServerListFormat format = SERVER_LIST_JSON;
	assert_false(server_list_format_parse("yaml", &format, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legacy_lists),
		cmocka_unit_test(test_json_lists),
		cmocka_unit_test(test_errors_are_told_up_to_a_limit_and_counted),
		cmocka_unit_test(test_limits_hold),
		cmocka_unit_test(test_the_format_follows_from_the_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
