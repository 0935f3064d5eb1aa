/* SPDX-License-Identifier: ISC
 *
 * Rules and releases of Balrog as ops. argv[1]: rules.json, rules as its API gives them;
 * 10 to 61 are good, those above have something to refuse or to note.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/balrog/balrog.h"
#include "channel/snapshot.h"

typedef json_t TestJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestJson, json_decref)

static json_t *sample;

static json_t *quoted(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
	json_error_t at;
	json_t *value = json_loads(copy, 0, &at);
	if (value == NULL)
		fail_msg("%s in %s", at.text, copy);
	return value;
}

static State *state_of(const char *rules, const char *releases, const char *products)
{
	const char *const texts[STATE_TABLES] = {
		[STATE_RULES] = rules, [STATE_RELEASES] = releases, [STATE_PRODUCTS] = products};
	State *state = state_new();
	for (guint i = 0; i < STATE_TABLES; i++) {
		g_autoptr(TestJson) rows = quoted(texts[i] != NULL ? texts[i] : "[]");
		for (gsize j = 0; j < json_array_size(rows); j++)
			assert_true(state_add(state, (StateTable)i, json_array_get(rows, j), NULL));
	}
	return state;
}

static void assert_json(const json_t *found, const char *expected)
{
	g_autoptr(TestJson) wanted = quoted(expected);
	if (json_equal((json_t *)found, wanted))
		return;
	char *said = json_dumps(found, JSON_ENCODE_ANY);
	fail_msg("%s, not %s", said, expected);
}

static json_t *read_rules(const State *state, const char *product, gboolean with_stubs)
{
	g_autoptr(GError) error = NULL;
	BalrogWish wish = {product, with_stubs};
	json_t *report = balrog_rules(sample, state, &wish, &error);
	g_assert_no_error(error);
	return report;
}

/* "13 rule_id, 70 channel, …" */
static char *refused_of(const json_t *report)
{
	GString *text = g_string_new(NULL);
	gsize i;
	json_t *one;
	json_array_foreach (json_object_get(report, "refused"), i, one)
		g_string_append_printf(text, "%s%" JSON_INTEGER_FORMAT " %s", i > 0 ? ", " : "",
			json_integer_value(json_object_get(one, "rule_id")),
			json_string_value(json_object_get(one, "field")));
	return g_string_free(text, FALSE);
}

static const json_t *row_of(const json_t *report, gint64 rule_id)
{
	gsize i;
	json_t *op;
	json_array_foreach (json_object_get(report, "ops"), i, op) {
		const json_t *row = json_object_get(op, "row");
		if (json_integer_value(json_object_get(row, "rule_id")) == rule_id)
			return row;
	}
	fail_msg("rule %" G_GINT64_FORMAT " was not taken", rule_id);
	return NULL;
}

#define RELEASE "{'name': 'Thunderbird-115.11.1-build1', 'product': 'Thunderbird'}"
#define REFUSED                                                                                    \
	"70 channel, 71 channel, 71 alias, 72 locale, 72 memory, 73 version, 74 mapping, "         \
	"75 whitelist, 76 systemCapabilities, 78 priority, 79 backgroundRate, 80 experiment, "     \
	"13 rule_id, 0 rule_id"

static void test_each_reason_is_named(void **state)
{
	g_autoptr(State) live = state_of(NULL, "[" RELEASE "]", NULL);
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	g_autofree char *refused = refused_of(report);
	assert_string_equal(refused, REFUSED);
	assert_int_equal(json_integer_value(json_object_get(report, "read")), 43);
	assert_int_equal(json_integer_value(json_object_get(report, "taken")), 31);
	assert_int_equal(json_integer_value(json_object_get(report, "left_out")), 0);
}

static void test_reasons_can_be_read(void **state)
{
	g_autoptr(State) live = state_of(NULL, "[" RELEASE "]", NULL);
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	const json_t *refused = json_object_get(report, "refused");
	assert_json(json_array_get(refused, 2),
		"{'rule_id': 71, 'field': 'alias', 'why': 'firefox-release is what rule 10 is "
		"called already'}");
}

static void test_a_rule_keeps_its_number_and_alias(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	assert_json(row_of(report, 10),
		"{'rule_id': 10, 'alias': 'firefox-release', 'priority': 100, 'rate': 25, "
		"'mapping': 'Firefox-128.0-build2', 'fallback_mapping': 'Firefox-127.0.2-build1', "
		"'update_type': 'minor', 'product': 'Firefox', 'channel': 'release*', 'version': "
		"'<128.0', 'comment': 'Release channel: throttled until the telemetry is in'}");
	assert_json(row_of(report, 16),
		"{'rule_id': 16, 'priority': 185, 'rate': 100, 'mapping': 'Firefox-128.0-build2', "
		"'update_type': 'minor', 'product': 'Firefox', 'channel': 'release', 'platform': "
		"'WINNT_x86-msvc-x64', 'memory': '>2048', 'flags': {'mig64': true, 'jaws': false}, "
		"'comment': '32 to 64 bit'}");
}

static void test_an_empty_text_is_absent(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	assert_null(json_object_get(row_of(report, 14), "alias"));
	assert_null(json_object_get(row_of(report, 15), "memory"));
	assert_null(json_object_get(row_of(report, 19), "os_version"));
}

static void test_the_old_column_of_capabilities_is_the_instruction_set(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	const json_t *row = row_of(report, 77);
	assert_string_equal(json_string_value(json_object_get(row, "instruction_set")), "SSE3");
}

static void test_what_is_scheduled_is_noted(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	const json_t *notes = json_object_get(report, "notes");
	assert_int_equal(json_array_size(notes), 2);
	assert_json(json_object_get(json_array_get(notes, 0), "of"), "[61]");
}

static void test_what_was_taken_is_an_edit_without_errors(void **state)
{
	g_autoptr(State) live = state_of(NULL, "[" RELEASE "]", NULL);
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(live, report, &error);
	g_assert_no_error(error);
	assert_true(state_check_mappings(after, report, &error));
	g_autoptr(Snapshot) snapshot = snapshot_new(after, NULL, &error);
	assert_int_equal(snapshot_errors(snapshot)->len, 0);
	assert_int_equal(snapshot_all_rules(snapshot)->len, 31);
}

static void test_without_stubs_a_mapping_needs_its_release(void **state)
{
	g_autoptr(State) live = state_of(NULL, "[" RELEASE "]", NULL);
	g_autoptr(TestJson) report = read_rules(live, NULL, FALSE);
	/* 17 and 60 map to nothing, and 50 to the release that is there. */
	assert_int_equal(json_integer_value(json_object_get(report, "taken")), 3);
	assert_json(json_array_get(json_object_get(report, "refused"), 0),
		"{'rule_id': 10, 'field': 'mapping', 'why': 'there is no release "
		"Firefox-128.0-build2; import it first, or ask for stubs'}");
}

static void test_a_stub_serves_nobody(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, "Thunderbird", TRUE);
	/* Those of rules 50 to 54; none of what Firefox maps to. */
	assert_int_equal(json_integer_value(json_object_get(report, "stubs")), 6);
	assert_json(json_array_get(json_object_get(report, "ops"), 0),
		"{'op': 'insert', 'table': 'releases', 'row': {'name': "
		"'Thunderbird-115.11.1-build1', 'platforms': {}, 'product': 'Thunderbird'}}");
	g_autoptr(State) after = state_apply(live, report, NULL);
	g_autoptr(Snapshot) snapshot = snapshot_new(after, NULL, NULL);
	Query query = {.platform = "Linux_x86_64-gcc3", .locale = "de"};
	assert_int_equal(release_document_ask(
				 snapshot_release(snapshot, "Thunderbird-115.11.1-build1"), &query),
		RELEASE_HAS_NO_FILES);
}

static void test_other_products_are_left_out_and_counted(void **state)
{
	g_autoptr(State) live = state_new();
	g_autoptr(TestJson) report = read_rules(live, "Thunderbird", TRUE);
	assert_int_equal(json_integer_value(json_object_get(report, "taken")), 5);
	assert_int_equal(json_integer_value(json_object_get(report, "left_out")), 37);
	assert_json(json_object_get(report, "refused"),
		"[{'rule_id': 60, 'field': 'product', 'why': 'it is for every product, and only "
		"Thunderbird was asked for'}]");
}

static void test_what_is_there_is_not_overwritten(void **state)
{
	g_autoptr(State) live = state_of("[{'rule_id': 50, 'alias': 'firefox-esr115'}]", NULL,
		"[{'product': 'Firefox', "
		"'scheme': 'semver'}]");
	g_autoptr(TestJson) report = read_rules(live, NULL, TRUE);
	g_autofree char *refused = refused_of(report);
	assert_non_null(strstr(refused, "35 alias, "));
	assert_non_null(strstr(refused, "50 rule_id, "));
	assert_non_null(strstr(refused, "11 version, "));
}

static void assert_no_file(const char *text, DroverErrorCode code)
{
	g_autoptr(TestJson) file = quoted(text);
	g_autoptr(State) live = state_new();
	g_autoptr(GError) error = NULL;
	BalrogWish wish = {0};
	assert_null(balrog_rules(file, live, &wish, &error));
	assert_true(drover_error_is(error, code));
}

static void test_a_file_that_is_cut_off_is_refused(void **state)
{
	assert_no_file("{'count': 2, 'rules': [{'rule_id': 1}]}", DROVER_ERROR_INPUT);
	assert_no_file("{'releases': []}", DROVER_ERROR_INPUT);
}

static void test_too_many_rules_are_refused(void **state)
{
	g_autoptr(TestJson) list = json_array();
	g_autoptr(State) live = state_new();
	g_autoptr(GError) error = NULL;
	BalrogWish wish = {0};
	for (guint i = 0; i <= BALROG_MAXIMUM_RULES; i++)
		json_array_append_new(list, json_null());
	assert_null(balrog_rules(list, live, &wish, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	json_array_remove(list, 0);
	g_autoptr(TestJson) report = balrog_rules(list, live, &wish, NULL);
	assert_int_equal(json_array_size(json_object_get(report, "refused")), BALROG_MAXIMUM_RULES);
}

/* Releases ------------------------------------------------------------------------------------- */

#define HOSTS "[{'product': 'Firefox', 'hosts': ['cdn.example.org', 'd.example.org']}]"
#define SHA512                                                                                     \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"                         \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

#define BLOB(extra, locale)                                                                        \
	"{'name': 'Firefox-128.0-build2', 'hashFunction': 'sha512', 'appVersion': '128.0', "       \
	"'displayVersion': '128.0', 'detailsUrl': 'https://mozilla.org/%LOCALE%/notes', "          \
	"'platforms': {'Linux_x86_64-gcc3': {'OS_BOUNCER': 'linux64', 'OS_FTP': "                  \
	"'linux-x86_64', 'buildID': '20240704', 'locales': {'de': " locale                         \
	"}}, 'Linux_x86_64-gcc3-asan': {'alias': 'Linux_x86_64-gcc3'}}, " extra "}"

#define BLOB_4                                                                                     \
	BLOB("'schema_version': 4, 'fileUrls': {'*': {'completes': {'*': "                         \
	     "'https://cdn.example.org/%OS_BOUNCER%/%LOCALE%.mar'}, 'partials': "                  \
	     "{'Firefox-127.0-build1': 'https://cdn.example.org/127/%LOCALE%.mar'}}, "             \
	     "'release-localtest': {'completes': {'*': 'https://archive.example.org/x'}}}",        \
		"{'completes': [{'filesize': 70, 'from': '*', 'hashValue': '" SHA512               \
		"'}], 'partials': [{'filesize': '7', 'from': 'Firefox-127.0-build1', "             \
		"'hashValue': '" SHA512 "'}]}")

#define FILES_1                                                                                    \
	"{'complete': {'filesize': 70, 'from': '*', 'hashValue': '" SHA512 "'}, 'partial': "       \
	"{'filesize': 7, 'from': 'Firefox-127.0-build1', 'hashValue': '" SHA512 "'}}"
#define BLOB_1                                                                                     \
	BLOB("'schema_version': 2, 'fileUrls': {'release': "                                       \
	     "'https://d.example.org/?p=%PRODUCT%&os=%OS_BOUNCER%&lang=%LOCALE%'}, "               \
	     "'bouncerProducts': {'complete': 'c-128', 'partial': 'p-127-128'}",                   \
		FILES_1)

static json_t *read_releases(const char *text, const State *state, const char *product)
{
	g_autoptr(TestJson) file = quoted(text);
	g_autoptr(GError) error = NULL;
	BalrogWish wish = {product, FALSE};
	json_t *report = balrog_releases(file, state, &wish, &error);
	g_assert_no_error(error);
	return report;
}

static void assert_files(const char *text, const char *expected)
{
	g_autoptr(State) live = state_of(NULL, NULL, HOSTS);
	g_autoptr(TestJson) report = read_releases(text, live, "Firefox");
	const json_t *row =
		json_object_get(json_array_get(json_object_get(report, "ops"), 0), "row");
	const json_t *platform =
		json_object_get(json_object_get(row, "platforms"), "Linux_x86_64-gcc3");
	assert_json(json_object_get(json_object_get(platform, "locales"), "de"), expected);
}

static void test_a_file_gets_its_own_address(void **state)
{
	assert_files(BLOB_4,
		"{'completes': [{'from': '*', 'url': 'https://cdn.example.org/linux64/de.mar', "
		"'size': 70, 'sha512': '" SHA512 "'}], 'partials': [{'from': "
		"'Firefox-127.0-build1', 'url': 'https://cdn.example.org/127/de.mar', 'size': 7, "
		"'sha512': '" SHA512 "'}]}");
	assert_files(BLOB_1,
		"{'completes': [{'from': '*', 'url': "
		"'https://d.example.org/?p=c-128&os=linux64&lang=de', 'size': 70, 'sha512': "
		"'" SHA512 "'}], 'partials': [{'from': 'Firefox-127.0-build1', 'url': "
		"'https://d.example.org/?p=p-127-128&os=linux64&lang=de', 'size': 7, 'sha512': "
		"'" SHA512 "'}]}");
}

static void test_a_release_keeps_what_it_says(void **state)
{
	g_autoptr(State) live = state_of(NULL, NULL, HOSTS);
	g_autoptr(TestJson) report = read_releases(
		"{'releases': [{'product': 'Firefox', 'blob': " BLOB_4 "}]}", live, NULL);
	json_t *op = json_array_get(json_object_get(report, "ops"), 0);
	json_t *row = json_object_get(op, "row");
	json_t *platforms = json_object_get(row, "platforms");
	assert_json(json_object_get(platforms, "Linux_x86_64-gcc3-asan"),
		"{'alias': 'Linux_x86_64-gcc3'}");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(platforms, "Linux_x86_64-gcc3"), "build_id")),
		"20240704");
	json_object_del(row, "platforms");
	assert_json(op, "{'op': 'insert', 'table': 'releases', 'row': {'name': "
			"'Firefox-128.0-build2', 'product': 'Firefox', 'version': '128.0', "
			"'display_version': '128.0', 'details_url': "
			"'https://mozilla.org/%LOCALE%/notes'}}");
	assert_json(json_object_get(json_array_get(json_object_get(report, "notes"), 0), "of"),
		"['Firefox-128.0-build2']");
}

static void test_a_stub_is_replaced_and_a_release_is_not(void **state)
{
	g_autoptr(State) stub =
		state_of(NULL, "[{'name': 'Firefox-128.0-build2', 'platforms': {}}]", HOSTS);
	g_autoptr(State) whole = state_of(NULL, "[{'name': 'Firefox-128.0-build2'}]", NULL);
	g_autoptr(TestJson) report = read_releases(BLOB_4, stub, "Firefox");
	g_autoptr(TestJson) other = read_releases(BLOB_4, whole, "Firefox");
	g_autoptr(State) after = state_apply(stub, report, NULL);
	const json_t *row =
		json_object_get(state_rows(after, STATE_RELEASES), "Firefox-128.0-build2");
	assert_int_equal(json_object_size(json_object_get(row, "platforms")), 2);
	assert_json(json_object_get(other, "refused"),
		"[{'release': 'Firefox-128.0-build2', 'field': 'name', 'why': 'a release of this "
		"name is there already'}]");
}

static void assert_release_refused(const char *text, const char *field)
{
	g_autoptr(State) live = state_of(NULL, NULL, HOSTS);
	g_autoptr(TestJson) report = read_releases(text, live, "Firefox");
	const json_t *refused = json_array_get(json_object_get(report, "refused"), 0);
	assert_json(json_object_get(report, "ops"), "[]");
	assert_string_equal(json_string_value(json_object_get(refused, "field")), field);
}

static void test_a_release_is_taken_whole_or_not_at_all(void **state)
{
	const char *files = "platforms.Linux_x86_64-gcc3.locales.de.completes";
	assert_release_refused("[{'name': 'GMP', 'schema_version': 1000}]", "schema_version");
	assert_release_refused(
		"[{'name': 'A', 'schema_version': 1, 'hashFunction': 'sha1'}]", "hashFunction");
	assert_release_refused("{'releases': [{'name': 'A', 'product': 'Firefox'}]}", "blob");
	assert_release_refused("[{'schema_version': 1}]", "name");
	assert_release_refused("[7]", "name");
	assert_release_refused(BLOB("'schema_version': 2", FILES_1), files);
	assert_release_refused(
		BLOB("'schema_version': 2, 'fileUrls': {'*': 'https://x/%PRODUCT%'}", FILES_1),
		files);
	assert_release_refused(
		BLOB("'schema_version': 9", "{'completes': [{'filesize': 0}]}"), files);
	assert_release_refused(
		BLOB("'schema_version': 9",
			"{'completes': [{'filesize': 7, 'hashValue': 'abc', 'fileUrl': "
			"'https://x/'}]}"),
		files);
	assert_release_refused(
		BLOB("'schema_version': 9", "{'completes': [{'filesize': 7, 'hashValue': '" SHA512
					    "', 'fileUrl': 'https://evil.example.net/'}]}"),
		"blob");
	assert_release_refused(BLOB("'schema_version': 9", "{'buildID': '7'}"), "buildID");
	assert_release_refused(BLOB("'schema_version': 9", "{'appVersion': '7.0'}"), "appVersion");
}

static void test_an_address_has_a_limit(void **state)
{
	g_autofree char *path = g_strnfill(BALROG_MAXIMUM_URL_BYTES, 'x');
	g_autofree char *text = g_strdup_printf(
		"{'name': 'A', 'schema_version': 4, 'hashFunction': 'sha512', 'platforms': {'T': "
		"{'locales': {'de': {'completes': [{'filesize': 1, 'hashValue': '" SHA512
		"', 'fileUrl': 'https://%s'}]}}}}}",
		path);
	assert_release_refused(text, "platforms.T.locales.de.completes");
}

static void test_too_many_releases_are_refused(void **state)
{
	g_autoptr(TestJson) list = json_array();
	g_autoptr(State) live = state_new();
	g_autoptr(GError) error = NULL;
	BalrogWish wish = {0};
	for (guint i = 0; i <= BALROG_MAXIMUM_RELEASES; i++)
		json_array_append_new(list, json_null());
	assert_null(balrog_releases(list, live, &wish, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_reason_is_named),
		cmocka_unit_test(test_reasons_can_be_read),
		cmocka_unit_test(test_a_rule_keeps_its_number_and_alias),
		cmocka_unit_test(test_an_empty_text_is_absent),
		cmocka_unit_test(test_the_old_column_of_capabilities_is_the_instruction_set),
		cmocka_unit_test(test_what_is_scheduled_is_noted),
		cmocka_unit_test(test_what_was_taken_is_an_edit_without_errors),
		cmocka_unit_test(test_without_stubs_a_mapping_needs_its_release),
		cmocka_unit_test(test_a_stub_serves_nobody),
		cmocka_unit_test(test_other_products_are_left_out_and_counted),
		cmocka_unit_test(test_what_is_there_is_not_overwritten),
		cmocka_unit_test(test_a_file_that_is_cut_off_is_refused),
		cmocka_unit_test(test_too_many_rules_are_refused),
		cmocka_unit_test(test_a_file_gets_its_own_address),
		cmocka_unit_test(test_a_release_keeps_what_it_says),
		cmocka_unit_test(test_a_stub_is_replaced_and_a_release_is_not),
		cmocka_unit_test(test_a_release_is_taken_whole_or_not_at_all),
		cmocka_unit_test(test_an_address_has_a_limit),
		cmocka_unit_test(test_too_many_releases_are_refused),
	};
	g_assert(argc == 2);
	sample = json_load_file(argv[1], 0, NULL);
	g_assert(sample != NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(sample);
	return failed;
}
