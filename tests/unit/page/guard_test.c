/* SPDX-License-Identifier: ISC
 *
 * The guards, as tables: where a form came from, where a browser may be sent, what a form's bytes
 * say.
 */
#include "page/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void test_only_paths_of_this_site_are_next(void **state)
{
	static const char *const bad[] = {"", "//host", "/\\host", "\\\\host", "https://host",
		"http:host", "javascript:alert(1)", "host", "/a\\b", "/a\nb", "/\t/host", "/a b",
		"/\x7f", "/\xff", "?x", NULL};
	static const char *const good[] = {
		"/", "/products/web", "/a?b=c&d=//e", "/%2Fhost", "/ä", NULL};
	for (int index = 0; bad[index]; index++)
		assert_false(guard_next_is_local(bad[index]));
	for (int index = 0; good[index]; index++)
		assert_true(guard_next_is_local(good[index]));
	assert_false(guard_next_is_local(NULL));
}

static void test_next_has_a_longest_length(void **state)
{
	g_autofree char *next = g_strnfill(GUARD_MAXIMUM_NEXT_BYTES + 1, 'a');
	next[0] = '/';
	assert_false(guard_next_is_local(next));
	next[GUARD_MAXIMUM_NEXT_BYTES] = '\0';
	assert_true(guard_next_is_local(next));
}

static void test_where_a_form_came_from(void **state)
{
	static const struct {
		const char *origin, *fetch_site, *host;
		gboolean secure;
		const char *base_url;
		GuardOrigin expected;
	} table[] = {
		{NULL, NULL, "d.example", FALSE, NULL, GUARD_UNKNOWN},
		{NULL, "same-origin", "d.example", FALSE, NULL, GUARD_SAME},
		{NULL, "none", "d.example", FALSE, NULL, GUARD_UNKNOWN},
		{NULL, "cross-site", "d.example", FALSE, NULL, GUARD_FOREIGN},
		{NULL, "same-site", "d.example", FALSE, NULL, GUARD_FOREIGN},
		{"http://d.example", "same-origin", "d.example", FALSE, NULL, GUARD_SAME},
		{"http://D.example", NULL, "d.example", FALSE, NULL, GUARD_SAME},
		{"http://d.example:81", NULL, "d.example:81", FALSE, NULL, GUARD_SAME},
		{"http://d.example:82", NULL, "d.example:81", FALSE, NULL, GUARD_FOREIGN},
		{"http://d.example", NULL, "d.example", TRUE, NULL, GUARD_FOREIGN},
		{"https://d.example", NULL, "d.example", TRUE, NULL, GUARD_SAME},
		{"https://evil.example", NULL, "d.example", TRUE, NULL, GUARD_FOREIGN},
		{"http://d.example", "cross-site", "d.example", FALSE, NULL, GUARD_FOREIGN},
		{"null", NULL, "d.example", FALSE, NULL, GUARD_FOREIGN},
		{"", NULL, "d.example", FALSE, "https://d.example", GUARD_FOREIGN},
		{"https://d.example", NULL, "10.0.0.1:80", FALSE, "https://d.example/", GUARD_SAME},
		{"https://d.example", NULL, "10.0.0.1:80", FALSE, "https://d.example", GUARD_SAME},
		{"https://d.exam", NULL, "10.0.0.1", FALSE, "https://d.example/", GUARD_FOREIGN},
		{"https://", NULL, "10.0.0.1", FALSE, "https://d.example/", GUARD_FOREIGN},
		{"https:/", NULL, "10.0.0.1", FALSE, "https://d.example/", GUARD_FOREIGN},
	};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++)
		assert_int_equal(guard_origin(table[row].origin, table[row].fetch_site,
					 table[row].host, table[row].secure, table[row].base_url),
			table[row].expected);
}

static void test_the_token_must_be_there_and_equal(void **state)
{
	assert_true(guard_csrf("abc", "abc"));
	assert_false(guard_csrf("abc", "abd"));
	assert_false(guard_csrf("abc", "ab"));
	assert_false(guard_csrf("abc", ""));
	assert_false(guard_csrf("abc", NULL));
	assert_false(guard_csrf(NULL, NULL));
	assert_false(guard_csrf("", ""));
}

static GHashTable *form(const char *body, GError **error)
{
	return guard_form(
		"application/x-www-form-urlencoded; charset=utf-8", body, strlen(body), error);
}

static void test_a_form_is_decoded(void **state)
{
	g_autoptr(GHashTable) fields = form("a=1+2&b=%C3%A4%26&c&a=3&&d==", NULL);
	assert_non_null(fields);
	assert_int_equal(g_hash_table_size(fields), 4);
	assert_string_equal(g_hash_table_lookup(fields, "a"), "3");
	assert_string_equal(g_hash_table_lookup(fields, "b"), "ä&");
	assert_string_equal(g_hash_table_lookup(fields, "c"), "");
	assert_string_equal(g_hash_table_lookup(fields, "d"), "=");
}

static void test_a_broken_form_is_refused(void **state)
{
	static const char *const broken[] = {
		"a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", "%ff=a", NULL};
	for (int index = 0; broken[index]; index++) {
		g_autoptr(GError) error = NULL;
		assert_null(form(broken[index], &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

static void test_another_type_of_body_is_refused(void **state)
{
	static const char *const types[] = {"text/plain", "multipart/form-data; boundary=x",
		"application/json", "application/x-www-form-urlencodedx", NULL};
	for (int index = 0; types[index]; index++) {
		g_autoptr(GError) error = NULL;
		assert_null(guard_form(types[index], "a=b", 3, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
	assert_null(guard_form(NULL, "a=b", 3, NULL));
}

static void test_a_form_has_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(GUARD_MAXIMUM_FORM_BYTES + 1, 'a');
	assert_null(form(large, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	g_clear_error(&error);
	g_autoptr(GString) many = g_string_new(NULL);
	for (int index = 0; index <= GUARD_MAXIMUM_FIELDS; index++)
		g_string_append_printf(many, "f%d=1&", index);
	assert_null(form(many->str, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

static void test_a_flash_says_only_what_stands_in_the_table(void **state)
{
	assert_string_equal(flash_sentence("verdict"), "The verdict is written down.");
	assert_null(flash_sentence("<b>Your account is locked</b>"));
	assert_null(flash_sentence(""));
	assert_null(flash_sentence(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_paths_of_this_site_are_next),
		cmocka_unit_test(test_next_has_a_longest_length),
		cmocka_unit_test(test_where_a_form_came_from),
		cmocka_unit_test(test_the_token_must_be_there_and_equal),
		cmocka_unit_test(test_a_form_is_decoded),
		cmocka_unit_test(test_a_broken_form_is_refused),
		cmocka_unit_test(test_another_type_of_body_is_refused),
		cmocka_unit_test(test_a_form_has_limits),
		cmocka_unit_test(test_a_flash_says_only_what_stands_in_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
