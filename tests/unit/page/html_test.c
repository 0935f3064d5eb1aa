/* SPDX-License-Identifier: ISC
 *
 * The writer: whatever bytes come in, what comes out is valid UTF-8 in which only our own tags are
 * tags.
 */
#include "page/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void test_text_and_attributes_are_escaped(void **state)
{
	Html *html = html_new();
	html_element(html, "p", "<b>&\"'", "title", "'><script>", NULL);
	g_autofree char *text = html_finish(html);
	assert_string_equal(
		text, "<p title=\"&#39;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&quot;&#39;</p>");
}

static void test_absent_attributes_are_left_out_and_set_ones_stand_alone(void **state)
{
	Html *html = html_new();
	html_void(html, "input", "value", "", "required", HTML_SET, "id", NULL, NULL);
	g_autofree char *text = html_finish(html);
	assert_string_equal(text, "<input value=\"\" required>");
}

static void test_bytes_that_are_no_text_are_replaced(void **state)
{
	Html *html = html_new();
	html_text(html, "a\xff\x01z");
	g_autofree char *text = html_finish(html);
	assert_string_equal(text, "a\xef\xbf\xbd\xef\xbf\xbdz");
}

/* Eight of any bytes between two markers: what stands there holds no bare < > " ' and is UTF-8. */
static void test_random_bytes_never_leave_their_place(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20261121);
	for (int round = 0; round < 20000; round++) {
		char bytes[9] = {0};
		for (int index = 0; index < 8; index++)
			bytes[index] = (char)g_rand_int_range(random, 1, 256);
		if (round % 3 == 0)
			bytes[round % 8] = "<>&\"'"[round % 5];
		Html *html = html_new();
		html_element(html, "i", bytes, "title", bytes, NULL);
		g_autofree char *text = html_finish(html);
		assert_true(g_utf8_validate(text, -1, NULL));
		assert_memory_equal(text, "<i title=\"", 10);
		const char *value_end = strchr(text + 10, '"');
		assert_non_null(value_end);
		assert_memory_equal(value_end, "\">", 2);
		assert_string_equal(text + strlen(text) - 4, "</i>");
		g_autofree char *inside =
			g_strndup(value_end + 2, strlen(value_end + 2) - strlen("</i>"));
		assert_null(strpbrk(inside, "<>\"'"));
	}
}

static void test_every_ampersand_begins_one_of_five_references(void **state)
{
	Html *html = html_new();
	html_text(html, "&lt;&amp;&&x;");
	g_autofree char *text = html_finish(html);
	assert_string_equal(text, "&amp;lt;&amp;amp;&amp;&amp;x;");
}

static void test_urls_that_could_run_something_are_left_out(void **state)
{
	static const char *const bad[] = {"javascript:alert(1)", "JavaScript:alert(1)",
		" javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
		"//evil.example", "\\\\evil.example", "/\\evil.example", "file:///etc/passwd",
		"x:y", "https://a b", NULL};
	static const char *const good[] = {"/", "/a?b=c:d", "?x=1", "#y", "index.html",
		"http://a.example/", "HTTPS://a.example", "mailto:a@b.example", NULL};
	for (int index = 0; bad[index]; index++)
		assert_false(html_url_is_safe(bad[index]));
	for (int index = 0; good[index]; index++)
		assert_true(html_url_is_safe(good[index]));
	Html *html = html_new();
	html_element(html, "a", "x", "href", bad[0], NULL);
	g_autofree char *text = html_finish(html);
	assert_string_equal(text, "<a>x</a>");
}

static void test_clipping_counts_characters(void **state)
{
	g_autoptr(Html) html = html_new();
	assert_string_equal(html_clip(html, "äöü", 3), "äöü");
	assert_string_equal(html_clip(html, "äöüß", 3), "äö…");
	assert_string_equal(html_clip(html, NULL, 3), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_attributes_are_escaped),
		cmocka_unit_test(test_absent_attributes_are_left_out_and_set_ones_stand_alone),
		cmocka_unit_test(test_bytes_that_are_no_text_are_replaced),
		cmocka_unit_test(test_random_bytes_never_leave_their_place),
		cmocka_unit_test(test_every_ampersand_begins_one_of_five_references),
		cmocka_unit_test(test_urls_that_could_run_something_are_left_out),
		cmocka_unit_test(test_clipping_counts_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
