/* SPDX-License-Identifier: ISC
 *
 * The picture, for histories that a person can check.
 */
#include "page/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static json_t *cell(
	int ordinal, const char *state, gboolean deployable, gboolean blocks, gboolean in_tree)
{
	return json_pack("{s:i, s:s, s:b, s:b, s:b, s:s}", "ordinal", ordinal, "state", state,
		"deployable", deployable, "blocks", blocks, "in_tree", in_tree, "subject", "s");
}

static char *picture(json_t *strip, int deployable)
{
	g_autoptr(json_t) summary = json_pack(
		"{s:s, s:i, s:o}", "name", "web", "deployable", deployable, "strip", strip);
	PageFrame frame = {.now_us = 1};
	Html *html = html_new();
	strip_write(html, &frame, summary);
	return html_finish(html);
}

/* 1 good, 2 bad and rolled back by 3, 4 pending: islands {1} and {3}, tip 3, blocker 4. */
static void test_a_small_history_is_drawn_as_it_is(void **state)
{
	g_autofree char *svg = picture(
		json_pack("[o,o,o,o]", cell(1, "GOOD", TRUE, FALSE, TRUE),
			cell(2, "BAD", FALSE, FALSE, FALSE), cell(3, "GOOD", TRUE, FALSE, TRUE),
			cell(4, "PENDING", FALSE, TRUE, TRUE)),
		3);
	assert_string_equal(svg,
		"<div class=\"strip-scroll\"><svg class=\"strip\" role=\"none\" viewBox=\"0 0 220 "
		"80\" width=\"220\" height=\"80\"><g role=\"img\" aria-label=\"The newest 4 "
		"landings "
		"of web, 1 to 4: 2 deployable as a tip, 1 blocking, 1 rolled back. The newest "
		"deployable tip is landing 3.\">\n"
		"<path class=\"island\" d=\"M14 43 H24\"/><path class=\"island\" d=\"M50 43 "
		"H60\"/><g transform=\"translate(19 28)\"><rect class=\"shape good\" x=\"-6.5\" "
		"y=\"-6.5\" width=\"13\" height=\"13\" rx=\"3\"/><path class=\"mark\" d=\"M-3.2 .2 "
		"L-1 2.6 L3.4 -2.4\"/></g>\n"
		"<g transform=\"translate(37 28)\"><path class=\"shape bad undone\" d=\"M0 -8 L8 0 "
		"L0 8 L-8 0 Z\"/><path class=\"mark\" d=\"M-2.4 -2.4 L2.4 2.4 M2.4 -2.4 L-2.4 "
		"2.4\"/><path class=\"strike\" d=\"M-8 8 L8 -8\"/></g>\n"
		"<g transform=\"translate(55 28)\"><rect class=\"shape good\" x=\"-6.5\" "
		"y=\"-6.5\" "
		"width=\"13\" height=\"13\" rx=\"3\"/><path class=\"mark\" d=\"M-3.2 .2 L-1 2.6 "
		"L3.4 "
		"-2.4\"/></g>\n"
		"<g transform=\"translate(73 28)\"><circle class=\"shape pending\" cx=\"0\" "
		"cy=\"0\" "
		"r=\"6\"/><text class=\"blocks\" x=\"0\" y=\"30\" "
		"text-anchor=\"middle\">!</text></g>\n"
		"<path class=\"tip\" d=\"M50 10 h10 l-5 7 Z\"/><text class=\"tip-label\" x=\"64\" "
		"y=\"15\" text-anchor=\"start\">3 deployable</text></g><g aria-hidden=\"true\"><a "
		"class=\"cell\" href=\"/products/web/landings/1\" tabindex=\"-1\" "
		"data-ordinal=\"1\" "
		"transform=\"translate(19 28)\"><title>landing 1: good, deployable as a tip – "
		"s</title><rect class=\"reach\" x=\"-9\" y=\"-14\" width=\"18\" "
		"height=\"48\"/></a>\n"
		"<a class=\"cell\" href=\"/products/web/landings/2\" tabindex=\"-1\" "
		"data-ordinal=\"2\" transform=\"translate(37 28)\"><title>landing 2: bad, rolled "
		"back – s</title><rect class=\"reach\" x=\"-9\" y=\"-14\" width=\"18\" "
		"height=\"48\"/></a>\n"
		"<a class=\"cell\" href=\"/products/web/landings/3\" tabindex=\"-1\" "
		"data-ordinal=\"3\" transform=\"translate(55 28)\"><title>landing 3: good, "
		"deployable as a tip – s</title><rect class=\"reach\" x=\"-9\" y=\"-14\" "
		"width=\"18\" height=\"48\"/></a>\n"
		"<a class=\"cell\" href=\"/products/web/landings/4\" tabindex=\"-1\" "
		"data-ordinal=\"4\" transform=\"translate(73 28)\"><title>landing 4: pending, "
		"blocks "
		"the newest tip – s</title><rect class=\"reach\" x=\"-9\" y=\"-14\" width=\"18\" "
		"height=\"48\"/></a>\n"
		"</g></svg></div>\n");
}

static void test_no_landing_is_no_picture(void **state)
{
	g_autofree char *svg = picture(json_array(), 0);
	assert_string_equal(svg, "");
}

/* 60 landings, of which every second rolls back the one before: 30 are drawn struck through. */
static void test_sixty_landings_fit(void **state)
{
	json_t *strip = json_array();
	for (int ordinal = 1; ordinal <= 60; ordinal++)
		json_array_append_new(
			strip, cell(ordinal, "GOOD", ordinal % 2 == 0, FALSE, ordinal % 2 == 0));
	g_autofree char *svg = picture(strip, 60);
	assert_non_null(strstr(svg, "viewBox=\"0 0 1100 80\""));
	int struck = 0;
	for (const char *at = svg; (at = strstr(at, "class=\"strike\"")); at++)
		struck++;
	assert_int_equal(struck, 30);
	assert_non_null(strstr(svg, "30 deployable as a tip, 0 blocking, 30 rolled back"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_history_is_drawn_as_it_is),
		cmocka_unit_test(test_no_landing_is_no_picture),
		cmocka_unit_test(test_sixty_landings_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
