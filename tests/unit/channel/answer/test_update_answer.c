/* SPDX-License-Identifier: ISC
 *
 * Whole answers, byte by byte; and every reason for none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/answer/update_answer.h"
#include "rows.h"

#define EMPTY "<?xml version=\"1.0\"?>\n<updates>\n</updates>\n"

/* What a test asks, and what it wants to see of it. */
typedef struct Ask {
	const char *path, *name, *value; /* one parameter, NULL: none */
	const char *base_url;
	guint draw;
} Ask;

static void answer(const Published *published, const Ask *ask, Asked *asked, UpdateAnswer *made)
{
	g_autoptr(GHashTable) parameters = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GError) error = NULL;
	if (ask->name != NULL)
		g_hash_table_insert(parameters, (gpointer)ask->name, (gpointer)ask->value);
	asked_read(ask->path, parameters, asked, &error);
	g_assert_no_error(error);
	update_answer_make(published, ask->base_url, asked, ask->draw, made, &error);
	g_assert_no_error(error);
}

static void assert_body(const Published *published, const Ask *ask, const char *expected)
{
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, ask, &asked, &made);
	assert_string_equal(made.body, expected);
}

static void assert_why(
	const Published *published, const Ask *ask, UpdateOutcome outcome, const char *why)
{
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, ask, &asked, &made);
	assert_int_equal(made.outcome, outcome);
	assert_string_equal(made.why, why);
	if (outcome != UPDATE_OFFERED)
		assert_string_equal(made.body, EMPTY);
}

#define HOSTS                                                                                      \
	"'products': [{'product': 'P', 'scheme': 'mozilla', 'hosts': ['cdn.example.org'],"         \
	" 'late_s': 3600}]"
#define RULE                                                                                       \
	"'rules': [{'rule_id': 4, 'product': 'P', 'channel': 'release', 'mapping': 'P-61',"        \
	" 'update_type': 'major', 'data_version': 2}]"
/* 61 for Linux in de, from any, and from 60; 60 is what clients run. */
#define RELEASES                                                                                   \
	"'releases': [{'name': 'P-61', 'product': 'P', 'version': '61.0', 'build_id': '20180601'," \
	" 'display_version': '61', 'details_url': 'https://www.example.org/%LOCALE%/61/?a&b',"     \
	" 'show_prompt': true, 'prompt_wait_time': 60, 'actions': 'silent <x>',"                   \
	" 'platforms': {'Linux': {'locales': {'de': {'completes': [{'from': '*',"                  \
	" 'url': 'https://cdn.example.org/61?a=1&b=2', 'size': 6100, 'sha512': 'c512'}],"          \
	" 'partials': [{'from': 'P-60', 'url': 'https://cdn.example.org/60-61', 'size': 60,"       \
	" 'sha256': 'p256'}]}}}, 'Linux64': {'alias': 'Linux'}}},"                                 \
	" {'name': 'P-60', 'product': 'P', 'version': '60.0', 'build_id': '20180501'}]"
#define ROWS  "{" HOSTS "," RULE "," RELEASES "}"
#define ASKED "/update/1/P/60.0/20180501/Linux/de/release/update.xml"

static void test_a_client_gets_a_complete_and_a_partial_patch(void **state)
{
	g_autoptr(Published) published = rows_published(ROWS);
	const Ask ask = {.path = ASKED};
	assert_body(published, &ask,
		"<?xml version=\"1.0\"?>\n"
		"<updates>\n"
		"    <update type=\"major\" displayVersion=\"61\" appVersion=\"61.0\" "
		"buildID=\"20180601\" detailsURL=\"https://www.example.org/de/61/?a&#38;b\" "
		"actions=\"silent &#60;x&#62;\" showPrompt=\"true\" promptWaitTime=\"60\">\n"
		"        <patch type=\"complete\" URL=\"https://cdn.example.org/61?a=1&#38;b=2\" "
		"hashFunction=\"sha512\" hashValue=\"c512\" size=\"6100\"/>\n"
		"        <patch type=\"partial\" URL=\"https://cdn.example.org/60-61\" "
		"hashFunction=\"sha256\" hashValue=\"p256\" size=\"60\"/>\n"
		"    </update>\n"
		"</updates>\n");
}

static gboolean has_partial(const char *path, const char *name, const char *value)
{
	g_autoptr(Published) published = rows_published(ROWS);
	const Ask ask = {.path = path, .name = name, .value = value};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	assert_non_null(made.offer.complete.url);
	return made.offer.partial.url != NULL;
}

static void test_a_partial_is_for_who_runs_what_it_leads_from(void **state)
{
	assert_true(has_partial(ASKED, NULL, NULL));
	assert_true(
		has_partial("/update/1/P/60.0/20180501/Linux64/de/release/update.xml", NULL, NULL));
	/* Another build, another version, unknown to us. */
	assert_false(
		has_partial("/update/1/P/60.0/20180502/Linux/de/release/update.xml", NULL, NULL));
	assert_false(
		has_partial("/update/1/P/59.0/20180501/Linux/de/release/update.xml", NULL, NULL));
}

static void test_a_node_says_what_it_runs_by_name(void **state)
{
	static const char ask_json[] = "/update/json";
	g_autoptr(Published) published = rows_published(ROWS);
	g_autoptr(GHashTable) parameters = g_hash_table_new(g_str_hash, g_str_equal);
	static const char *const names[] = {"P-60", "P-59"};
	g_hash_table_insert(parameters, "product", "P");
	g_hash_table_insert(parameters, "channel", "release");
	g_hash_table_insert(parameters, "platform", "Linux");
	g_hash_table_insert(parameters, "locale", "de");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(Asked) asked = {0};
		g_auto(UpdateAnswer) made = {0};
		g_hash_table_insert(parameters, "release", (gpointer)names[i]);
		assert_true(asked_read(ask_json, parameters, &asked, NULL));
		assert_true(update_answer_make(published, NULL, &asked, 0, &made, NULL));
		assert_int_equal(made.offer.partial.url != NULL, i == 0);
	}
}

static void test_each_reason_for_nothing_is_said(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RELEASES ", 'rules': [{'rule_id': 1, 'product': 'P', 'channel': "
		"'release', 'mapping': 'P-61'},"
		" {'rule_id': 2, 'product': 'P', 'channel': 'half', 'mapping': 'P-61', 'rate': 50},"
		" {'rule_id': 3, 'product': 'P', 'channel': 'back', 'mapping': 'P-61', 'rate': 50,"
		"  'fallback_mapping': 'P-60'}, {'rule_id': 4, 'product': 'P', 'channel': "
		"'empty'}],"
		" 'shutoffs': [{'product': 'P', 'channel': 'off'}],"
		" 'pins': [{'product': 'P', 'channel': 'release', 'version': '60.', 'mapping': "
		"'P-60'}]}");
	static const struct {
		Ask ask;
		UpdateOutcome outcome;
		const char *why;
	} cases[] = {
		{{.path = ASKED}, UPDATE_OFFERED, "the rule's release"},
		{{.path = "/update/1/P/60.0/1/Linux/de/half/update.xml", .draw = 49},
			UPDATE_OFFERED, "the rule's release"},
		{{.path = "/update/1/P/60.0/1/Linux/de/half/update.xml", .draw = 50},
			UPDATE_NOTHING, "outside the rule's rate, and it has no fallback"},
		{{.path = "/update/1/P/60.0/1/Linux/de/half/update.xml", "force", "1", .draw = 50},
			UPDATE_OFFERED, "the rule's release"},
		{{.path = "/update/1/P/59.0/1/Linux/de/back/update.xml", "force", "-1"},
			UPDATE_OFFERED, "outside the rule's rate: its fallback"},
		{{.path = "/update/1/P/59.0/1/Linux/de/release/update.xml", "pin", "60."},
			UPDATE_OFFERED, "the client is pinned to its line"},
		{{.path = "/update/1/P/60.0/1/Linux/de/nobody/update.xml"}, UPDATE_NOTHING,
			"no rule matches"},
		{{.path = "/update/1/P/60.0/1/Linux/de/empty/update.xml"}, UPDATE_NOTHING,
			"the rule maps to nothing"},
		{{.path = "/update/1/P/60.0/1/Linux/de/off/update.xml"}, UPDATE_NOTHING,
			"the channel is shut off"},
		{{.path = "/update/1/P/62.0/1/Linux/de/release/update.xml"}, UPDATE_NOTHING,
			"the release is older than what the client has"},
		{{.path = "/update/1/P/61.0/20180601/Linux/de/release/update.xml"}, UPDATE_NOTHING,
			"the client has this version, and no older build of it"},
		{{.path = "/update/1/P/60.0/1/Linux/fr/release/update.xml"}, UPDATE_NOTHING,
			"the release has no files for this platform and locale"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_why(published, &cases[i].ask, cases[i].outcome, cases[i].why);
}

static void test_a_draw_makes_an_answer_private(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RELEASES
		", 'rules': [{'rule_id': 2, 'product': 'P', 'mapping': 'P-61', 'rate': 50}]}");
	const Ask drawn = {.path = ASKED}, with_id = {.path = ASKED, .name = "id", .value = "me"};
	g_auto(Asked) asked = {0}, other = {0};
	g_auto(UpdateAnswer) made = {0}, shared = {0};
	answer(published, &drawn, &asked, &made);
	answer(published, &with_id, &other, &shared);
	assert_true(made.is_private);
	assert_false(shared.is_private);
}

#define OF_HOST(HOST)                                                                              \
	"{" HOSTS "," RULE ", 'releases': [{'name': 'P-61', 'product': 'P', 'version': '61.0',"    \
	" 'build_id': '1', 'platforms': {'Linux': {'locales': {'de': {'completes': [{'from': '*'," \
	" 'url': '" HOST "', 'size': 1, 'sha256': 'x'}]}}}}}]}"

static void test_a_file_of_another_host_is_refused_and_counted(void **state)
{
	static const char *const wrong[] = {OF_HOST("https://evil.example.org/61"),
		OF_HOST("https://cdn.example.org.evil.org/61"),
		OF_HOST("https://cdn.example.org@evil.org/61"),
		OF_HOST("https://cdn.example.org:444/61"), OF_HOST("ftp://cdn.example.org/61"),
		OF_HOST("https:cdn.example.org/61")};
	const Ask ask = {.path = ASKED};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(Published) published = rows_published(wrong[i]);
		g_auto(Asked) asked = {0};
		g_auto(UpdateAnswer) made = {0};
		answer(published, &ask, &asked, &made);
		assert_int_equal(made.outcome, UPDATE_REFUSED);
		assert_int_equal(made.offer.refused, 1);
		assert_string_equal(made.body, EMPTY);
		assert_string_equal(made.why,
			"the release's files are of hosts that the product does not allow");
	}
	g_autoptr(Published) good = rows_published(OF_HOST("https://CDN.example.org/61"));
	assert_why(good, &ask, UPDATE_OFFERED, "the rule's release");
}

static void test_a_product_without_hosts_allows_none(void **state)
{
	g_autoptr(Published) published = rows_published("{" RULE "," RELEASES "}");
	const Ask ask = {.path = ASKED};
	assert_why(published, &ask, UPDATE_REFUSED,
		"the release's files are of hosts that the product does not allow");
}

static void test_files_of_our_own_need_an_address(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" RULE ", 'releases': [{'name': 'P-61', 'product': 'P', 'version': '61.0', "
		"'build_id': '1',"
		" 'platforms': {'Linux': {'locales': {'de': {'completes': [{'from': '*',"
		" 'file': 'P/61/full', 'size': 1, 'sha256': 'x'}]}}}}}]}");
	const Ask ask = {.path = ASKED, .base_url = "https://updates.example.org/releases"};
	const Ask nowhere = {.path = ASKED};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	assert_string_equal(
		made.offer.complete.url, "https://updates.example.org/releases/P/61/full");
	assert_body(published, &nowhere, EMPTY);
}

static void test_a_test_channel_swaps_hosts(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RULE "," RELEASES
		", 'channels': [{'product': 'P', 'channel': 'release-localtest', 'base': 'release',"
		" 'rewrite': {'cdn.example.org': 'stage.example.org:8443'}}]}");
	const Ask ask = {.path = "/update/1/P/60.0/20180501/Linux/de/release-localtest/update.xml"};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	assert_string_equal(made.offer.complete.url, "https://stage.example.org:8443/61?a=1&b=2");
	assert_string_equal(made.offer.partial.url, "https://stage.example.org:8443/60-61");
	assert_int_equal(strlen(made.digest), 64);
	assert_false(made.is_private);
}

static void test_a_version_that_is_none_is_refused(void **state)
{
	g_autoptr(Published) published = rows_published(ROWS);
	g_autoptr(GError) error = NULL;
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	assert_true(
		asked_read("/update/1/P/new/1/Linux/de/release/update.xml", NULL, &asked, NULL));
	assert_false(update_answer_make(published, NULL, &asked, 0, &made, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_true(g_str_has_prefix(error->message, "version: "));
}

static void test_what_stands_in_rows_is_escaped(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS ", 'rules': [{'rule_id': 4, 'product': 'P', 'mapping': 'R', "
		"'update_type': 'a&b<c>\\\"\\u0027\\n\\u0001z'}],"
		" 'releases': [{'name': 'R', 'product': 'P', 'version': '61.0', 'build_id': '1',"
		" 'platforms': {'Linux': {'locales': {'de': {'completes': [{'from': '*',"
		" 'url': 'https://cdn.example.org/', 'size': 1, 'sha256': 'x'}]}}}}}]}");
	const Ask ask = {.path = ASKED};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	assert_non_null(strstr(made.body, "type=\"a&#38;b&#60;c&#62;&#34;&#39;&#10;z\""));
}

static void test_a_locale_may_have_a_build_of_its_own(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RULE ", 'releases': [{'name': 'P-61', 'product': 'P', 'version': "
		"'61.0', 'build_id': '1',"
		" 'platforms': {'Linux': {'build_id': '2', 'locales': {'de': {'build_id': '3',"
		" 'app_version': '61.0.3', 'completes': [{'from': '*', 'url': "
		"'https://cdn.example.org/',"
		" 'size': 1, 'sha256': 'x'}]}}}}}]}");
	const Ask ask = {.path = ASKED};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	assert_non_null(strstr(made.body, " appVersion=\"61.0.3\" buildID=\"3\">"));
}

static void test_a_node_is_told_the_release_and_its_files(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RULE ", 'releases': [{'name': 'P-61', 'product': 'P', 'version': "
		"'61.0', 'build_id': '1'}]}");
	const Ask ask = {.path = "/update/node/P/release"};
	Place place;
	published_find(published, "P", "release", &place);
	g_autofree char *expected = g_strdup_printf(
		"{\"product\":\"P\",\"release\":{\"name\":\"P-61\",\"version\":\"61.0\","
		"\"build_id\":\"1\"},\"files\":[],\"deltas\":[],\"why\":\"the rule's release\","
		"\"rule_id\":4,\"channel\":\"release\",\"is_test\":false,\"digest\":\"%s\"}\n",
		published_digest(published, "P", &place));
	assert_body(published, &ask, expected);
}

static void test_an_undefined_channel_says_why(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" HOSTS "," RULE "," RELEASES
		", 'pending': [{'id': 3, 'when': 1, 'ops': [{'op': 'delete', 'table': 'rules',"
		" 'rule_id': 9, 'row': {'product': 'P', 'channel': 'release'}},"
		" {'op': 'delete', 'table': 'rules', 'rule_id': 4}]}]}");
	const Ask ask = {.path = "/update/1/P/60.0/20180501/Linux/de/release-test/update.xml"};
	assert_why(published, &ask, UPDATE_UNDEFINED, "change 3: op 1: rules 9: is not there");
}

static void test_the_tag_is_the_digest_of_the_body(void **state)
{
	g_autoptr(Published) published = rows_published(ROWS);
	const Ask ask = {.path = ASKED};
	g_auto(Asked) asked = {0};
	g_auto(UpdateAnswer) made = {0};
	answer(published, &ask, &asked, &made);
	g_autofree char *digest = g_compute_checksum_for_string(
		G_CHECKSUM_SHA256, made.body, (gssize)made.body_bytes);
	assert_int_equal(strlen(made.tag), 32);
	assert_memory_equal(made.tag, digest, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_client_gets_a_complete_and_a_partial_patch),
		cmocka_unit_test(test_a_partial_is_for_who_runs_what_it_leads_from),
		cmocka_unit_test(test_a_node_says_what_it_runs_by_name),
		cmocka_unit_test(test_each_reason_for_nothing_is_said),
		cmocka_unit_test(test_a_draw_makes_an_answer_private),
		cmocka_unit_test(test_a_file_of_another_host_is_refused_and_counted),
		cmocka_unit_test(test_a_product_without_hosts_allows_none),
		cmocka_unit_test(test_files_of_our_own_need_an_address),
		cmocka_unit_test(test_a_test_channel_swaps_hosts),
		cmocka_unit_test(test_a_version_that_is_none_is_refused),
		cmocka_unit_test(test_what_stands_in_rows_is_escaped),
		cmocka_unit_test(test_a_locale_may_have_a_build_of_its_own),
		cmocka_unit_test(test_a_node_is_told_the_release_and_its_files),
		cmocka_unit_test(test_an_undefined_channel_says_why),
		cmocka_unit_test(test_the_tag_is_the_digest_of_the_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
