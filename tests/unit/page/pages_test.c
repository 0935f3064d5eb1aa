/* SPDX-License-Identifier: ISC
 *
 * All pages at once, with every text from outside turned hostile: nothing raw comes through,
 * nothing breaks.
 */
#include "gallery.h"

#include "page/assets.h"
#include "page/release.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define GALLERY_PAGES 63
#define PAYLOAD	      "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>javascript:alert(3)"

/* Replaces texts in place; times and words of a fixed list stay what the API promises. */
static gboolean is_free_text(const char *key)
{
	static const char *const fixed[] = {"landed", "authored", "at", "since", "now", "created",
		"expires", "revoked", "used", "enrolled", "seen", "queued", "next", "sent",
		"scanned", "oldest_waiting", "asked", "since", "reported", "checked", "order",
		"answer", "check", "state", "counts_as", "qa", "source", "digest", "when", "from",
		"until", "ended", "published", "removed", NULL};
	return !g_strv_contains(fixed, key);
}

static void turn_texts(json_t *value, const char *text)
{
	const char *key;
	json_t *child;
	size_t index;
	void *next;
	json_object_foreach_safe(value, next, key, child)
	{
		if (json_is_string(child) && is_free_text(key))
			json_string_set(child, text);
		else
			turn_texts(child, text);
	}
	json_array_foreach (value, index, child) {
		if (json_is_string(child))
			json_string_set(child, text);
		else
			turn_texts(child, text);
	}
}

static json_t *turned(json_t *answer, const char *text)
{
	if (json_is_string(answer))
		json_string_set(answer, text);
	turn_texts(answer, text);
	return answer;
}

static json_t *with_payload(json_t *answer)
{
	return turned(answer, PAYLOAD);
}

static json_t *with_javascript(json_t *answer)
{
	return turned(answer, "javascript:alert(1)");
}

static json_t *with_long_text(json_t *answer)
{
	g_autofree char *text = g_strnfill(5000, 'W');
	return turned(answer, text);
}

static json_t *with_turned_script(json_t *answer)
{
	return turned(
		answer, "\xe2\x80\xae evil \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x90\x91");
}

static int count_of(const char *html, const char *needle)
{
	int count = 0;
	for (const char *at = html; (at = strstr(at, needle)); at += strlen(needle))
		count++;
	return count;
}

/* Our own tags only: every '<' is followed by what our writer makes. */
static void assert_no_raw_payload(const char *name, const char *html, gpointer of)
{
	if (strstr(html, "<script>") || strstr(html, "<img src=x") ||
		strstr(html, "onerror=alert(2)>"))
		fail_msg("%s: the payload came through", name);
	assert_true(g_utf8_validate(html, -1, NULL));
	if (count_of(html, "<script") != 1)
		fail_msg("%s: %d script elements", name, count_of(html, "<script"));
	++*(int *)of;
}

static void assert_no_script_url(const char *name, const char *html, gpointer of)
{
	static const char *const urls[] = {
		"href=\"javascript", "action=\"javascript", "src=\"javascript", NULL};
	for (int index = 0; urls[index]; index++)
		if (strstr(html, urls[index]))
			fail_msg("%s: %s", name, urls[index]);
}

static void assert_no_inline_code(const char *name, const char *html, gpointer of)
{
	if (strstr(html, " style=") || strstr(html, "<style") || strstr(html, " onclick="))
		fail_msg("%s: inline style or script, which the policy forbids", name);
	if (count_of(html, "<h1") != 1 || count_of(html, "<main") != 1)
		fail_msg("%s: must have one h1 and one main", name);
	++*(int *)of;
}

static void assert_ids_are_unique(const char *name, const char *html, gpointer of)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (const char *at = html; (at = strstr(at, " id=\""));) {
		at += strlen(" id=\"");
		char *id = g_strndup(at, strcspn(at, "\""));
		if (g_hash_table_contains(seen, id))
			fail_msg("%s: two elements have the id %s", name, id);
		g_hash_table_add(seen, id);
	}
}

/* A row holds cells and nothing else: what stands beside a cell is drawn above the table. */
static void assert_rows_hold_cells(const char *name, const char *html, gpointer of)
{
	static const char *const ends[] = {"</td>", "</th>", "</tr>", NULL};
	for (int end = 0; ends[end]; end++)
		for (const char *at = html; (at = strstr(at, ends[end]));) {
			at += strlen(ends[end]);
			at += strspn(at, "\n");
			if (!g_str_has_prefix(at, "<t") && !g_str_has_prefix(at, "</t"))
				fail_msg("%s: %.60s stands beside a cell", name, at);
		}
	++*(int *)of;
}

static void test_rows_hold_cells_and_nothing_else(void **state)
{
	int pages = 0;
	gallery_render(NULL, assert_rows_hold_cells, &pages);
	assert_int_equal(pages, GALLERY_PAGES);
}

static void test_no_payload_comes_through_on_any_page(void **state)
{
	int pages = 0;
	gallery_render(with_payload, assert_no_raw_payload, &pages);
	assert_int_equal(pages, GALLERY_PAGES);
}

static void test_javascript_urls_become_plain_text(void **state)
{
	gallery_render(with_javascript, assert_no_script_url, NULL);
}

static void test_no_page_needs_inline_code(void **state)
{
	int pages = 0;
	gallery_render(NULL, assert_no_inline_code, &pages);
	assert_int_equal(pages, GALLERY_PAGES);
}

static void test_ids_are_unique_on_each_page(void **state)
{
	gallery_render(NULL, assert_ids_are_unique, NULL);
}

static void test_long_and_turned_texts_are_survived(void **state)
{
	int pages = 0;
	gallery_render(with_long_text, assert_no_inline_code, &pages);
	gallery_render(with_turned_script, assert_no_inline_code, &pages);
	assert_int_equal(pages, 2 * GALLERY_PAGES);
}

static void keep_landing(const char *name, const char *html, gpointer of)
{
	if (g_str_equal(name, "landing-refused"))
		*(char **)of = g_strdup(html);
}

static void test_what_was_typed_comes_back_with_the_refusal(void **state)
{
	g_autofree char *html = NULL;
	gallery_render(NULL, keep_landing, &html);
	assert_int_equal(count_of(html, "value=\"Cut off on page 2\""), 1);
	assert_int_equal(count_of(html, "role=\"alert\""), 1);
	assert_non_null(strstr(html, "maintenance is on, by grace"));
}

static void keep_viewer(const char *name, const char *html, gpointer of)
{
	if (g_str_equal(name, "landing-viewer"))
		*(char **)of = g_strdup(html);
}

static void test_who_may_not_rule_sees_who_can(void **state)
{
	g_autofree char *html = NULL;
	gallery_render(NULL, keep_viewer, &html);
	assert_null(strstr(html, "name=\"state\""));
	assert_non_null(strstr(html, "A tester of this product can rule on it."));
	assert_non_null(strstr(html, "The verdict is written down."));
}

static void test_the_navigation_shows_what_one_may_open(void **state)
{
	g_autoptr(Actor) tester = actor_new(ACTOR_PERSON, "tess", "page", 3);
	actor_grant(tester, "web", "tester");
	PageFrame frame = {.actor = tester, .now_us = GALLERY_NOW_US};
	g_autofree char *html = page_problem(&frame, 404, "");
	assert_non_null(strstr(html, "href=\"/maintenance\""));
	assert_non_null(strstr(html, "href=\"/tokens\""));
	assert_null(strstr(html, "href=\"/history\""));
	assert_null(strstr(html, "href=\"/people\""));
	assert_null(strstr(html, "href=\"/hosts\""));
}

static void test_three_hundred_blockers_are_listed_with_the_rest_counted(void **state)
{
	g_autoptr(json_t) product = gallery_fixture("product-web");
	json_t *blockers = json_object_get(product, "blockers");
	while (json_array_size(blockers) < 300)
		json_array_append(blockers, json_array_get(blockers, 0));
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_product(&frame, product);
	assert_non_null(strstr(html, "and 100 more"));
	g_autoptr(json_t) products = json_pack("[O]", product);
	g_autofree char *overview = page_overview(&frame, products, NULL, NULL, NULL);
	assert_non_null(strstr(overview, "and 295 more"));
}

static void test_classes_with_the_same_answers_share_a_row(void **state)
{
	g_autoptr(json_t) view = gallery_fixture("channel");
	g_autoptr(json_t) difference = gallery_fixture("difference");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_channel_diff(&frame, view, difference, NULL, NULL);
	assert_int_equal(count_of(html, "data-column=\"Who asks\""), 2);
	assert_non_null(strstr(html, "<summary>3 more</summary>"));
	/* What all say is said once; what one does not say, is said, too. */
	assert_non_null(strstr(html, "All of them say <span class=\"quiet\">product</span> "
				     "<bdi>web</bdi>, <span class=\"quiet\">channel</span> "
				     "<bdi>beta</bdi>."));
	assert_int_equal(
		count_of(html, "<bdi>61.0b1</bdi><span class=\"quiet\">, <bdi>no tags"), 1);
}

static void test_cuts_lie_behind_what_they_have(void **state)
{
	g_autoptr(json_t) view = gallery_fixture("channel");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_channel(&frame, view);
	assert_non_null(strstr(html,
		"aria-label=\"The queue: 3 changes. beta-localtest has the first 1 on top of live. "
		"beta-ops has the first 1 on top of live. beta-test has the first 3 on top of "
		"live.\""));
}

/* A file that is new weighs its size, folders weigh what is in them: address/ holds two of three
 * new files. Equal sizes with another mode or target are told. */
static void test_what_differs_is_a_tree_with_sums(void **state)
{
	g_autoptr(json_t) diff = gallery_fixture("release-diff");
	g_autoptr(json_t) releases = gallery_fixture("releases");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_release_diff(
		&frame, "web", "1.5.0", diff, json_object_get(releases, "releases"), NULL);
	assert_non_null(strstr(html, "3 new, 6 changed, 2 gone. The tree has 11.2 MB, it had "
				     "10.8 MB (+430.0 kB)."));
	assert_non_null(
		strstr(html, "<bdi>address/</bdi><span class=\"quiet\"> 2 files, +500.7 kB"));
	assert_non_null(strstr(html, ", mode <bdi>0644</bdi> → <bdi>0755</bdi>"));
	assert_non_null(strstr(html, ", target <bdi>web</bdi> → <bdi>web-admin</bdi>"));
	assert_non_null(strstr(html, "<option value=\"1.4.2\" selected>"));
	assert_null(strstr(html, "<option value=\"1.5.0\""));
}

/* The writer's depth is bounded, the paths of a release are 32 deep. */
static void test_deep_paths_stay_in_few_folders(void **state)
{
	g_autoptr(GString) path = g_string_new("f");
	for (int i = 0; i < 31; i++)
		g_string_prepend(path, "d/");
	g_autoptr(json_t) diff = json_pack("{s:s,s:s,s:[{s:s,s:i}]}", "from", "1", "to", "2",
		"added", "path", path->str, "size", 1);
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_release_diff(&frame, "web", "2", diff, NULL, NULL);
	assert_int_equal(count_of(html, "<details"), TREE_DEPTH);
}

static void test_what_needs_somebody_stands_first(void **state)
{
	g_autoptr(json_t) list = gallery_fixture("nodes");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_nodes(&frame, json_object_get(list, "nodes"), NULL);
	static const char *const order[] = {"web4", "web5", "web6", "web7", "web3", "web2", "web1"};
	const char *at = html;
	for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
		g_autofree char *row = g_strdup_printf("data-node=\"%s\"", order[i]);
		at = strstr(at, row);
		if (!at)
			fail_msg("%s does not stand at place %d", order[i], (int)i);
	}
	assert_non_null(strstr(html, "aria-label=\"45 percent\""));
}

static void test_nodes_are_filtered(void **state)
{
	g_autoptr(json_t) list = gallery_fixture("nodes");
	g_autoptr(GHashTable) query = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(query, (gpointer) "state", (gpointer) "silent");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_nodes(&frame, json_object_get(list, "nodes"), query);
	assert_int_equal(count_of(html, "data-node="), 1);
	assert_non_null(strstr(html, "data-node=\"web3\""));
}

static void test_orders_are_for_operators(void **state)
{
	g_autoptr(Actor) viewer = actor_new(ACTOR_PERSON, "vic", "page", 1);
	actor_grant(viewer, "web", "viewer");
	g_autoptr(Actor) operator= actor_new(ACTOR_PERSON, "ken", "page", 2);
	actor_grant(operator, "web", "operator");
	g_autoptr(json_t) node = gallery_fixture("node");
	PageFrame frame = {.actor = viewer, .now_us = GALLERY_NOW_US};
	g_autofree char *seen = page_node(&frame, node, NULL, NULL, NULL);
	assert_null(strstr(seen, "/order"));
	assert_non_null(strstr(seen, "An operator of this product can order a version."));
	frame.actor = operator;
	g_autofree char *html = page_node(&frame, node, NULL, NULL, NULL);
	assert_int_equal(count_of(html, "action=\"/nodes/web4/products/web/order\""), 2);
	assert_non_null(strstr(html, "Follow the channel again"));
	assert_null(strstr(html, "/remove"));
}

static void test_a_node_tells_what_it_ran(void **state)
{
	g_autoptr(json_t) node = gallery_fixture("node");
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	g_autofree char *html = page_node(&frame, node, NULL, NULL, NULL);
	assert_non_null(strstr(html, "aria-label=\"What it ran: 3 releases, now 1.4.2; "
				     "failed: 1, in maintenance: 1\""));
}

static void keep_troubled(const char *name, const char *html, gpointer of)
{
	if (g_str_equal(name, "overview-troubled"))
		*(char **)of = g_strdup(html);
}

static void test_what_is_wrong_in_droverd_is_a_banner(void **state)
{
	g_autofree char *html = NULL;
	gallery_render(NULL, keep_troubled, &html);
	assert_int_equal(count_of(html, "data-banner=\"warning\""), 1);
	assert_non_null(strstr(html, "the index of web is not signed"));
}

static json_t *numbered(gint64 running, gint64 should)
{
	return json_pack("[{s:s,s:s,s:{s:I,s:I}}]", "product", "web", "version", "1", "nodes",
		"running", (json_int_t)running, "should", (json_int_t)should);
}

/* The bar is 96 wide, and as wide as 4 nodes here: 24 a node. */
static void test_nodes_that_run_it_and_should_not_are_drawn_as_such(void **state)
{
	static const struct {
		gint64 running, should;
		const char *parts[3];
	} table[] = {
		{1, 4,
			{"up\" x=\"0\" y=\"0\" width=\"24\"",
				"missing\" x=\"24\" y=\"0\" width=\"72\""}},
		{4, 3,
			{"up\" x=\"0\" y=\"0\" width=\"72\"",
				"draining\" x=\"72\" y=\"0\" width=\"24\""}},
		{4, 0, {"draining\" x=\"0\" y=\"0\" width=\"96\""}},
	};
	PageFrame frame = {.now_us = GALLERY_NOW_US};
	for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
		g_autoptr(json_t) releases = numbered(table[row].running, table[row].should);
		g_autofree char *html = page_releases(&frame, "web", releases, FALSE);
		int parts = 0;
		for (; parts < 3 && table[row].parts[parts]; parts++)
			if (!strstr(html, table[row].parts[parts]))
				fail_msg("row %d: no %s", (int)row, table[row].parts[parts]);
		assert_int_equal(count_of(html, "bar-part"), parts + 1);
	}
}

static void test_the_past_offers_nothing_that_changes_it(void **state)
{
	g_autoptr(Actor) admin = actor_new(ACTOR_PERSON, "ada", "page", 1);
	actor_grant(admin, "*", "admin");
	g_autoptr(json_t) past = gallery_fixture("channel-past");
	PageFrame frame = {.actor = admin, .now_us = GALLERY_NOW_US};
	g_autofree char *html = page_channel(&frame, past);
	assert_non_null(strstr(html, "This is the past"));
	assert_null(strstr(html, "/shut-off"));
	assert_null(strstr(html, "/changes/new"));
}

static void test_the_sheet_and_the_script_are_built_in(void **state)
{
	g_autofree char *url = asset_url("drover.css");
	g_autofree char *digest = asset_digest(asset_find("drover.css"));
	g_autofree char *expected = g_strdup_printf("/assets/%s/drover.css", digest);
	assert_string_equal(url, expected);
	assert_int_equal(strlen(digest), 12);
	assert_null(asset_find("passwd"));
}

/* Report */

static gboolean resolves(json_t *files, const char *from, const char *href)
{
	g_auto(GStrv) parts = g_strsplit(href, "#", 2);
	const char *file = *parts[0] ? parts[0] : from;
	const char *text = json_string_value(json_object_get(files, file));
	if (!text || !parts[1])
		return text != NULL;
	g_autofree char *id = g_strdup_printf(" id=\"%s\"", parts[1]);
	return strstr(text, id) != NULL;
}

static void check_links(json_t *files, const char *name, const char *html, const char *attribute)
{
	for (const char *at = html; (at = strstr(at, attribute));) {
		at += strlen(attribute);
		g_autofree char *href = g_strndup(at, strcspn(at, "\""));
		if (g_str_has_prefix(href, "https://bugs.example.org/"))
			continue;
		if (*href == '/' || strstr(href, "://") || !resolves(files, name, href))
			fail_msg("%s: %s does not resolve in the report", name, href);
	}
}

static void test_report_links_are_relative_and_resolve(void **state)
{
	g_autoptr(json_t) files = gallery_report(NULL);
	assert_int_equal(json_object_size(files), 9);
	const char *name;
	json_t *text;
	json_object_foreach (files, name, text) {
		check_links(files, name, json_string_value(text), " href=\"");
		check_links(files, name, json_string_value(text), " src=\"");
		assert_null(strstr(json_string_value(text), "<script"));
		assert_null(strstr(json_string_value(text), "<form"));
	}
}

static void test_report_answers_by_branch_and_author(void **state)
{
	g_autoptr(json_t) files = gallery_report(NULL);
	const char *html = json_string_value(json_object_get(files, "where-web.html"));
	assert_non_null(strstr(html, "feature/receipts-mail"));
	assert_non_null(strstr(html, "id=\"by-author\""));
	assert_non_null(strstr(html, "<dt><bdi>Grace Hopper</bdi></dt>"));
}

static void test_report_is_the_same_twice(void **state)
{
	g_autoptr(json_t) first = gallery_report(NULL);
	g_autoptr(json_t) second = gallery_report(NULL);
	assert_true(json_equal(first, second));
}

static void test_hostile_report_has_no_payload(void **state)
{
	g_autoptr(json_t) files = gallery_report(with_payload);
	const char *name;
	json_t *text;
	json_object_foreach (files, name, text) {
		assert_null(strchr(name, '/'));
		assert_null(strchr(name, '<'));
		assert_null(strstr(json_string_value(text), "<script"));
		assert_null(strstr(json_string_value(text), "<img src=x"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_payload_comes_through_on_any_page),
		cmocka_unit_test(test_javascript_urls_become_plain_text),
		cmocka_unit_test(test_no_page_needs_inline_code),
		cmocka_unit_test(test_ids_are_unique_on_each_page),
		cmocka_unit_test(test_rows_hold_cells_and_nothing_else),
		cmocka_unit_test(test_long_and_turned_texts_are_survived),
		cmocka_unit_test(test_what_was_typed_comes_back_with_the_refusal),
		cmocka_unit_test(test_who_may_not_rule_sees_who_can),
		cmocka_unit_test(test_the_navigation_shows_what_one_may_open),
		cmocka_unit_test(test_three_hundred_blockers_are_listed_with_the_rest_counted),
		cmocka_unit_test(test_classes_with_the_same_answers_share_a_row),
		cmocka_unit_test(test_cuts_lie_behind_what_they_have),
		cmocka_unit_test(test_what_differs_is_a_tree_with_sums),
		cmocka_unit_test(test_deep_paths_stay_in_few_folders),
		cmocka_unit_test(test_what_needs_somebody_stands_first),
		cmocka_unit_test(test_nodes_are_filtered),
		cmocka_unit_test(test_orders_are_for_operators),
		cmocka_unit_test(test_a_node_tells_what_it_ran),
		cmocka_unit_test(test_what_is_wrong_in_droverd_is_a_banner),
		cmocka_unit_test(test_nodes_that_run_it_and_should_not_are_drawn_as_such),
		cmocka_unit_test(test_the_past_offers_nothing_that_changes_it),
		cmocka_unit_test(test_the_sheet_and_the_script_are_built_in),
		cmocka_unit_test(test_report_links_are_relative_and_resolve),
		cmocka_unit_test(test_report_answers_by_branch_and_author),
		cmocka_unit_test(test_report_is_the_same_twice),
		cmocka_unit_test(test_hostile_report_has_no_payload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
