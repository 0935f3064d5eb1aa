/* SPDX-License-Identifier: ISC
 *
 * What rows may be, table by table: the good ones pass, and each bad one is told why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "channel/row/file_host.h"
#include "channel/row/row.h"

typedef json_t RowJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowJson, json_decref)

/* Apostrophes are quotes. */
static json_t *quoted(const char *text)
{
	json_error_t problem;
	g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
	json_t *value = json_loads(json, 0, &problem);
	if (value == NULL)
		fail_msg("%s: %s", text, problem.text);
	return value;
}

static void add(State *state, StateTable table, const char *text)
{
	g_autoptr(RowJson) row = quoted(text);
	assert_true(state_add(state, table, row, NULL));
}

static State *furnished(void)
{
	State *state = state_new();
	add(state, STATE_PRODUCTS,
		"{'product': 'web', 'scheme': 'semver', 'hosts': ['cdn.example.org', "
		"'cdn.example.org:8443']}");
	add(state, STATE_RELEASES, "{'name': 'web-1', 'product': 'web', 'version': '1.0.0'}");
	add(state, STATE_RELEASES, "{'name': 'draft', 'product': 'web', 'published': false}");
	add(state, STATE_RELEASES, "{'name': 'tv-1', 'product': 'tv'}");
	add(state, STATE_RULES,
		"{'rule_id': 1, 'product': 'web', 'channel': 'release', 'version': '1.0.0-rc.1', "
		"'mapping': 'web-1'}");
	add(state, STATE_CHANNELS, "{'product': 'web', 'channel': 'qa', 'base': 'release'}");
	return state;
}

typedef struct Case {
	StateTable table;
	const char *row;
	const char *why; /* part of the message; NULL: the row is good */
} Case;

static void check(const Case *one, RowStage stage)
{
	g_autoptr(State) state = furnished();
	g_autoptr(RowJson) row = quoted(one->row);
	g_autoptr(GError) error = NULL;
	gboolean is_good = row_check(one->table, row, state, stage, &error);
	if (is_good != (one->why == NULL) || (error != NULL && !strstr(error->message, one->why)))
		fail_msg("%s: wanted %s, got %s", one->row, one->why ? one->why : "nothing wrong",
			error ? error->message : "nothing wrong");
}

static void check_all(const Case *cases, gsize count)
{
	for (gsize i = 0; i < count; i++)
		check(&cases[i], ROW_GOES_LIVE);
}

static void test_rules(void **state)
{
	static const Case cases[] = {
		{STATE_RULES, "{'rule_id': 7, 'product': 'web', 'mapping': 'web-1'}", NULL},
		{STATE_RULES, "{'rule_id': 7, 'channel': 'qa*', 'fallback_mapping': 'web-1'}",
			NULL},
		{STATE_RULES, "{'rule_id': 7, 'product': 'tv', 'channel': 'qa'}", NULL},
		{STATE_RULES, "{'rule_id': 7, 'rate': 101}",
			"rules 7: rate: must be a whole number from 0 to 100"},
		{STATE_RULES, "{'rule_id': 7, 'product': 'web', 'version': '1.x'}",
			"rules 7: version: "},
		{STATE_RULES, "{'rule_id': 7, 'chanel': 'release'}",
			"rules 7: chanel: is no column of rules"},
		{STATE_RULES, "{'rule_id': 7, 'mapping': 'web-9'}",
			"rules 7: mapping: there is no release web-9"},
		{STATE_RULES, "{'rule_id': 7, 'product': 'web', 'fallback_mapping': 'tv-1'}",
			"rules 7: fallback_mapping: tv-1 is a release of tv, not of web"},
		{STATE_RULES, "{'rule_id': 7, 'product': 'web', 'mapping': 'draft'}",
			"rules 7: mapping: draft is not published yet"},
		{STATE_RULES, "{'rule_id': 7, 'product': 'web', 'channel': 'qa'}",
			"rules 7: channel: qa is a test channel"},
		{STATE_RULES, "{'rule_id': 7, 'channel': 'qa'}",
			"rules 7: channel: qa is a test channel"},
		{STATE_RULES, "{'rule_id': 7, 'channel': 'release-test'}",
			"rules 7: channel: release-test is a test channel"},
	};
	check_all(cases, G_N_ELEMENTS(cases));
}

static void test_rule_may_wait_for_a_release_that_is_not_published(void **state)
{
	const Case waits = {
		STATE_RULES, "{'rule_id': 7, 'product': 'web', 'mapping': 'draft'}", NULL};
	check(&waits, ROW_WAITS);
}

#define DIGITS_16 "0123456789abcdef"
#define SHA256	  DIGITS_16 DIGITS_16 DIGITS_16 DIGITS_16
#define RELEASE(files)                                                                             \
	"{'name': 'web-2', 'product': 'web', 'version': '2.0.0', 'platforms': {'x86_64': "         \
	"{'locales': {'en': {" files "}}}, 'amd64': {'alias': 'x86_64'}}}"
#define COMPLETE(file) RELEASE("'completes': [{'from': '*', " file "}]")
#define HASHED	       ", 'size': 5, 'sha256': '" SHA256 "'"

static void test_releases(void **state)
{
	static const Case cases[] = {
		{STATE_RELEASES, "{'name': 'R'}", NULL},
		{STATE_RELEASES, COMPLETE("'url': 'https://cdn.example.org/web'" HASHED), NULL},
		{STATE_RELEASES, COMPLETE("'url': 'http://cdn.example.org:8443/web?a'" HASHED),
			NULL},
		{STATE_RELEASES, COMPLETE("'url': 'https://CDN.example.org/web'" HASHED), NULL},
		{STATE_RELEASES, COMPLETE("'file': 'web/2/web.tar'" HASHED), NULL},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'size': 5, 'sha512': '" SHA256 SHA256 "'"),
			NULL},
		{STATE_RELEASES, RELEASE("'partials': [{'from': 'web-1', 'file': 'a'" HASHED "}]"),
			NULL},
		{STATE_RELEASES, COMPLETE("'url': 'https://evil.example.org/web'" HASHED),
			"releases web-2: platforms: x86_64: locales: en: completes: 1: url: files "
			"of web may not come from evil.example.org"},
		{STATE_RELEASES, COMPLETE("'url': 'https://cdn.example.org@evil.org/'" HASHED),
			"url: must be an http:// or https:// address"},
		{STATE_RELEASES, COMPLETE("'url': 'ftp://cdn.example.org/'" HASHED),
			"url: must be an http:// or https:// address"},
		{STATE_RELEASES, COMPLETE("'url': 'https://cdn.example.org:444/'" HASHED),
			"may not come from cdn.example.org:444"},
		{STATE_RELEASES, COMPLETE("'file': '../secret'" HASHED), "file: '../secret' will"},
		{STATE_RELEASES, COMPLETE("'file': '/etc/passwd'" HASHED), "file: '/etc/passwd'"},
		{STATE_RELEASES, COMPLETE("'file': 'a/%2e%2e/b'" HASHED), "file: 'a/%2e"},
		{STATE_RELEASES, COMPLETE("'file': ''" HASHED), "file: ''"},
		{STATE_RELEASES, COMPLETE("'size': 5, 'sha256': '" SHA256 "'"),
			"1: must have a url or a file, one of both"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'sha256': '" SHA256 "'"),
			"1: size: is missing"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'size': 0, 'sha256': '" SHA256 "'"),
			"size: must be a whole number from 1"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'size': 5"), "sha256: is missing"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'size': 5, 'sha256': 'abc'"),
			"sha256: must be 64 small hexadecimal digits"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'size': 5, 'sha512': '" SHA256 "'"),
			"sha512: must be 128 small hexadecimal digits"},
		{STATE_RELEASES, COMPLETE("'file': 'a', 'hash': 'x'" HASHED),
			"hash: is no column of files; they have from, url, file, size, sha256, "
			"sha512"},
		{STATE_RELEASES, RELEASE("'partials': [{'from': '*', 'file': 'a'" HASHED "}]"),
			"partials: 1: from: must name the release that it leads from"},
		{STATE_RELEASES, RELEASE("'complete': []"), "complete: is no column of locales"},
		{STATE_RELEASES, "{'name': 'R', 'version': 'x', 'product': 'web'}", "version: "},
		{STATE_RELEASES, "{'name': 'R', 'colour': 'red'}",
			"releases R: colour: is no column of releases; they have name, product"},
		{STATE_RELEASES, "{'name': 'a/b'}", "name: 'a/b' will not do"},
		{STATE_RELEASES, "{'name': 'R', 'details_url': 'javascript:alert(1)'}",
			"details_url: must be"},
		{STATE_RELEASES, "{'name': 'R', 'platforms': {'a': {'alias': 'b'}}}",
			"platforms: a: "},
		{STATE_RELEASES,
			"{'name': 'R', 'platforms': {'a': {'alias': 'b'}, 'b': {'alias': 'c'}, "
			"'c': {}}}",
			"platforms: a: b is an alias itself"},
		{STATE_RELEASES,
			"{'name': 'R', 'platforms': {'b': {}, 'a': {'alias': 'b', 'locales': "
			"{}}}}",
			"platforms: a: an alias has nothing of its own"},
	};
	check_all(cases, G_N_ELEMENTS(cases));
}

static void test_release_of_no_product_has_no_host(void **state)
{
	const Case nobody = {STATE_RELEASES,
		"{'name': 'R', 'platforms': {'a': {'locales': {'en': {'completes': [{'url': "
		"'https://cdn.example.org/a'" HASHED "}]}}}}}",
		"url: files of no product may not come from cdn.example.org"};
	check(&nobody, ROW_WAITS);
}

static void test_small_tables(void **state)
{
	static const Case cases[] = {
		{STATE_SHUTOFFS, "{'product': 'web', 'channel': 'release', 'reason': 'fire'}",
			NULL},
		{STATE_SHUTOFFS, "{'product': 'web', 'channel': 'rel*'}",
			"shutoffs [\"web\",\"rel*\"]: channel: 'rel*' will not do as a name"},
		{STATE_SHUTOFFS, "{'product': 'web'}", "channel: is missing"},
		{STATE_SHUTOFFS, "{'product': 'web', 'channel': 'a', 'why': 'x'}",
			"why: is no column of shutoffs; they have product, channel, reason"},
		{STATE_PINS,
			"{'product': 'web', 'channel': 'release', 'version': '1.0.', 'mapping': "
			"'web-1'}",
			NULL},
		{STATE_PINS,
			"{'product': 'web', 'channel': 'release', 'version': '1.0', 'mapping': "
			"'web-1'}",
			"version: must be the beginning of versions"},
		{STATE_PINS,
			"{'product': 'web', 'channel': 'release', 'version': '..', 'mapping': "
			"'web-1'}",
			"version: must be the beginning of versions"},
		{STATE_PINS,
			"{'product': 'web', 'channel': 'release', 'version': '1.', 'mapping': "
			"'tv-1'}",
			"mapping: tv-1 is a release of tv, not of web"},
		{STATE_REQUIREMENTS,
			"{'product': '*', 'channel': 'be*', 'role': 'relman', 'n': 100}", NULL},
		{STATE_REQUIREMENTS, "{'product': 'web', 'channel': '*', 'role': 'qa', 'n': 1}",
			NULL},
		{STATE_REQUIREMENTS, "{'product': 'web', 'channel': 'b*', 'role': 'qa', 'n': 1}",
			"channel: must be a channel, *, or 2 characters and more"},
		{STATE_REQUIREMENTS, "{'product': 'web', 'channel': '*', 'role': 'QA', 'n': 1}",
			"role: must be a role"},
		{STATE_REQUIREMENTS, "{'product': 'web', 'channel': '*', 'role': 'qa', 'n': 0}",
			"n: must be a whole number from 1 to 100"},
		{STATE_REQUIREMENTS, "{'product': 'web', 'channel': '*', 'role': 'qa', 'n': 101}",
			"n: must be a whole number from 1 to 100"},
		{STATE_PRODUCTS, "{'product': 'Firefox', 'scheme': 'mozilla', 'late_s': 3600}",
			NULL},
		{STATE_PRODUCTS, "{'product': 'tv', 'scheme': 'roman'}", "scheme: "},
		{STATE_PRODUCTS, "{'product': 'tv', 'hosts': ['https://a.org']}",
			"hosts: 'https://a.org' is no host"},
		{STATE_PRODUCTS, "{'product': 'tv', 'hosts': 'a.org'}", "hosts: must be a list"},
		{STATE_PRODUCTS, "{'product': 'tv', 'late_s': 2678401}",
			"late_s: must be a whole number from 0 to 2678400"},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'release', 'title': 'All'}", NULL},
		{STATE_CHANNELS,
			"{'product': 'web', 'channel': 'localtest', 'base': 'release', 'cut': "
			"'through 7', 'on_conflict': 'last', 'rewrite': {'a.org': 'b.org:80'}}",
			NULL},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'x', 'base': 'qa'}",
			"base: qa is a test channel itself"},
		{STATE_CHANNELS, "{'product': 'tv', 'channel': 'x', 'base': 'qa'}", NULL},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'x', 'base': 'x'}",
			"base: a channel cannot be its own base"},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'x', 'base': 'y', 'cut': 'half'}",
			"cut: 'half' is no cut"},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'x', 'cut': 'all'}",
			"cut: only a test channel, with a base, has one"},
		{STATE_CHANNELS, "{'product': 'web', 'channel': 'x-test'}", "base: is missing"},
		{STATE_CHANNELS,
			"{'product': 'web', 'channel': 'x', 'base': 'y', 'on_conflict': 'go'}",
			"on_conflict: must be say or last"},
		{STATE_CHANNELS,
			"{'product': 'web', 'channel': 'x', 'base': 'y', 'rewrite': {'a': '/'}}",
			"rewrite: '/' is no host"},
		{STATE_ROLES, "{'role': 'relman', 'signs_time': true, 'tester': false}", NULL},
		{STATE_ROLES, "{'role': 'relman', 'tester': 1}", "tester: must be true or false"},
		{STATE_ROLES, "{'role': 'admin'}", "role: admin is no role for signing"},
		{STATE_GRANTS, "{'product': '*', 'person': 'ada', 'role': 'relman'}", NULL},
		{STATE_GRANTS, "{'product': '*', 'person': 'ada', 'role': 'operator'}",
			"role: operator is no role for signing"},
		{STATE_GRANTS, "{'product': '*', 'person': '', 'role': 'relman'}",
			"person: must be a person's name"},
		{STATE_FREEZES,
			"{'name': 'xmas', 'product': '*', 'from': '2026-12-20T00:00:00Z', 'until': "
			"'2027-01-02T00:00:00+01:00'}",
			NULL},
		{STATE_FREEZES,
			"{'name': 'xmas', 'product': '*', 'from': '2026-12-20T00:00:00Z', 'until': "
			"'2026-12-20T00:00:00Z'}",
			"freezes xmas: until: must be after from"},
		{STATE_FREEZES, "{'name': 'xmas', 'product': '*', 'from': 'soon', 'until': 'x'}",
			"from: "},
	};
	check_all(cases, G_N_ELEMENTS(cases));
}

/* Limits --------------------------------------------------------------------------------------- */

static json_t *object_of(guint count, const char *value)
{
	json_t *object = json_object();
	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		json_object_set_new(object, name, quoted(value));
	}
	return object;
}

static json_t *list_of(guint count, const char *value)
{
	json_t *list = json_array();
	for (guint i = 0; i < count; i++)
		json_array_append_new(list, quoted(value));
	return list;
}

/* Takes the row. */
static void assert_row(StateTable table, json_t *given, const char *why)
{
	g_autoptr(RowJson) row = given;
	g_autoptr(State) state = furnished();
	g_autoptr(GError) error = NULL;
	gboolean is_good = row_check(table, row, state, ROW_WAITS, &error);
	if (is_good != (why == NULL) || (why != NULL && !strstr(error->message, why)))
		fail_msg("wanted %s, got %s", why ? why : "nothing wrong",
			error ? error->message : "nothing wrong");
}

static void test_counts_are_limited(void **state)
{
	for (guint over = 0; over <= 1; over++) {
		assert_row(STATE_RELEASES,
			json_pack("{s:s, s:o}", "name", "R", "platforms",
				object_of(ROW_MAXIMUM_PLATFORMS + over, "{}")),
			over ? "platforms: at most 200" : NULL);
		assert_row(STATE_RELEASES,
			json_pack("{s:s, s:{s:{s:o}}}", "name", "R", "platforms", "a", "locales",
				object_of(ROW_MAXIMUM_LOCALES + over, "{}")),
			over ? "locales: at most 500" : NULL);
		assert_row(STATE_RELEASES,
			json_pack("{s:s, s:{s:{s:{s:{s:o}}}}}", "name", "R", "platforms", "a",
				"locales", "en", "completes",
				list_of(ROW_MAXIMUM_FILES + over,
					"{'file': 'a', 'size': 1, 'sha256': '" SHA256 "'}")),
			over ? "completes: must be a list of at most 50 files" : NULL);
		assert_row(STATE_CHANNELS,
			json_pack("{s:s, s:s, s:s, s:o}", "product", "tv", "channel", "x", "base",
				"y", "rewrite", object_of(ROW_MAXIMUM_REWRITES + over, "['a']")),
			over ? "rewrite: must be an object of at most 100" : "rewrite: '' is no");
	}
}

static void test_hosts_are_limited(void **state)
{
	for (guint over = 0; over <= 1; over++) {
		json_t *hosts = json_array();
		for (guint i = 0; i < ROW_MAXIMUM_HOSTS + over; i++)
			json_array_append_new(hosts, json_string("a.org"));
		assert_row(STATE_PRODUCTS, json_pack("{s:s, s:o}", "product", "tv", "hosts", hosts),
			over ? "hosts: must be a list of at most 100 hosts" : NULL);
	}
}

static void test_lengths_are_limited(void **state)
{
	for (guint over = 0; over <= 1; over++) {
		g_autofree char *name = g_strnfill(ROW_MAXIMUM_NAME_BYTES + over, 'n');
		g_autofree char *text = g_strnfill(ROW_MAXIMUM_TEXT_BYTES + over, 't');
		assert_row(STATE_RELEASES, json_pack("{s:s}", "name", name),
			over ? "name: must be a name of 1 to 200 bytes" : NULL);
		assert_row(STATE_RELEASES, json_pack("{s:s, s:s}", "name", "R", "title", text),
			over ? "title: must be a text of at most 4096 bytes" : NULL);
	}
}

static void test_row_that_is_too_large_is_refused(void **state)
{
	g_autofree char *text = g_strnfill(ROW_MAXIMUM_TEXT_BYTES - 1, 't');
	json_t *platforms = json_object();
	for (guint i = 0; i < 3; i++) {
		g_autofree char *name = g_strdup_printf("p%u", i);
		json_t *locales = json_object();
		for (guint locale = 0; locale < 400; locale++) {
			g_autofree char *path = g_strdup_printf("l%u", locale);
			json_object_set_new(locales, path,
				json_pack("{s:[{s:s, s:i, s:s}]}", "completes", "file", text,
					"size", 1, "sha256", SHA256));
		}
		json_object_set_new(platforms, name, json_pack("{s:o}", "locales", locales));
	}
	assert_row(STATE_RELEASES, json_pack("{s:s, s:o}", "name", "R", "platforms", platforms),
		"releases R: is larger than 4194304 bytes");
}

/* Edits ---------------------------------------------------------------------------------------- */

static void check_edit(const char *ops, RowStage stage, const char *why)
{
	g_autoptr(State) before = furnished();
	g_autoptr(RowJson) list = quoted(ops);
	g_autoptr(RowJson) change = json_pack("{s:O}", "ops", list);
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(before, change, &error);
	assert_null(error);
	gboolean is_good = rows_check(before, after, stage, &error);
	if (is_good != (why == NULL) || (why != NULL && !strstr(error->message, why)))
		fail_msg("%s: wanted %s, got %s", ops, why ? why : "nothing wrong",
			error ? error->message : "nothing wrong");
}

#define OP(verb, table, rest) "[{'op': '" verb "', 'table': '" table "', " rest "}]"

static void test_edit_of_a_product_keeps_what_is_of_it_good(void **state)
{
	check_edit(OP("update", "products", "'row': {'product': 'web', 'late_s': 5}"),
		ROW_GOES_LIVE, NULL);
	check_edit(OP("update", "products", "'row': {'product': 'web', 'scheme': 'mozilla'}"),
		ROW_GOES_LIVE, "rules 1: version: ");
	check_edit(OP("delete", "products", "'product': 'web'"), ROW_WAITS, "rules 1: version: ");
}

static void test_hosts_of_files_stay_hosts_of_the_product(void **state)
{
	g_autoptr(State) before = furnished();
	add(before, STATE_RELEASES, COMPLETE("'url': 'https://cdn.example.org/web'" HASHED));
	g_autoptr(RowJson) change = quoted(
		"{'ops': [{'op': 'update', 'table': 'products', 'row': {'product': 'web', 'hosts': "
		"['other.example.org']}}]}");
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(before, change, &error);
	assert_null(error);
	assert_false(rows_check(before, after, ROW_WAITS, &error));
	assert_non_null(strstr(error->message, "releases web-2: platforms: x86_64: "));
}

static void test_release_that_is_named_stays_what_it_is(void **state)
{
	check_edit(OP("delete", "releases", "'name': 'web-1'"), ROW_WAITS,
		"releases web-1: cannot go, because rules 1 still names it");
	check_edit(OP("update", "releases", "'name': 'web-1', 'row': {'product': 'tv'}"), ROW_WAITS,
		"rules 1: mapping: web-1 is a release of tv");
	check_edit(OP("update", "releases", "'name': 'web-1', 'row': {'published': false}"),
		ROW_GOES_LIVE, "rules 1: mapping: web-1 is not published yet");
	check_edit(OP("delete", "releases", "'name': 'tv-1'"), ROW_GOES_LIVE, NULL);
}

static void test_release_that_a_partial_leads_from_stays(void **state)
{
	g_autoptr(State) before = furnished();
	add(before, STATE_RELEASES,
		RELEASE("'partials': [{'from': 'tv-1', 'file': 'a'" HASHED "}]"));
	g_autofree char *naming = row_naming_release(before, "tv-1");
	g_autofree char *nobody = row_naming_release(before, "draft");
	assert_string_equal(naming, "releases web-2");
	assert_null(nobody);
}

static void test_channel_that_rules_name_becomes_no_test_channel(void **state)
{
	check_edit(OP("insert", "channels",
			   "'row': {'product': 'web', 'channel': 'release', 'base': 'beta'}"),
		ROW_WAITS, "is a test channel");
	check_edit(OP("insert", "channels",
			   "'row': {'product': 'tv', 'channel': 'release', 'base': 'beta'}"),
		ROW_WAITS, NULL);
}

static void test_roles_that_admins_give_are_not_taken_by_edits(void **state)
{
	g_autoptr(State) before = furnished();
	add(before, STATE_GRANTS, "{'product': '*', 'person': 'ada', 'role': 'admin'}");
	g_autoptr(RowJson) change = quoted(
		"{'ops': [{'op': 'delete', 'table': 'grants', 'product': '*', 'person': 'ada', "
		"'role': 'admin'}]}");
	g_autoptr(GError) error = NULL;
	g_autoptr(State) after = state_apply(before, change, &error);
	assert_null(error);
	assert_false(rows_check(before, after, ROW_GOES_LIVE, &error));
	assert_non_null(strstr(error->message, "role: admin is no role for signing"));
}

/* Hosts ---------------------------------------------------------------------------------------- */

static void test_hosts_of_urls(void **state)
{
	static const char *const urls[][2] = {
		{"https://a.org/x", "a.org"},
		{"http://A.Org:80?x", "a.org:80"},
		{"https://a.org", "a.org"},
		{"https://a.org:0/x", NULL},
		{"https://a.org:65536/x", NULL},
		{"https://a.org:/x", NULL},
		{"https://user@a.org/", NULL},
		{"https://a.org\\@b.org/", NULL},
		{"https://a.org/#x", NULL},
		{"https://a.org/\"x", NULL},
		{"https://a.org/x y", NULL},
		{"https://[::1]/", NULL},
		{"https://-a.org/", NULL},
		{"https:///x", NULL},
		{"//a.org/", NULL},
		{"HTTPS://a.org/", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autofree char *host = file_host_of(urls[i][0]);
		if (g_strcmp0(host, urls[i][1]) != 0)
			fail_msg("%s: %s", urls[i][0], host);
	}
	g_autofree char *longest = g_strnfill(FILE_HOST_MAXIMUM_BYTES - 6, 'a');
	g_autofree char *longer = g_strconcat(longest, "a", NULL);
	g_autofree char *with_port = g_strconcat(longest, ":65535", NULL);
	assert_true(file_host_is_valid(longest));
	assert_true(file_host_is_valid(with_port));
	assert_false(file_host_is_valid(longer));
	assert_false(file_host_is_allowed("https://a.org/", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_rule_may_wait_for_a_release_that_is_not_published),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_release_of_no_product_has_no_host),
		cmocka_unit_test(test_small_tables),
		cmocka_unit_test(test_counts_are_limited),
		cmocka_unit_test(test_hosts_are_limited),
		cmocka_unit_test(test_lengths_are_limited),
		cmocka_unit_test(test_row_that_is_too_large_is_refused),
		cmocka_unit_test(test_edit_of_a_product_keeps_what_is_of_it_good),
		cmocka_unit_test(test_hosts_of_files_stay_hosts_of_the_product),
		cmocka_unit_test(test_release_that_is_named_stays_what_it_is),
		cmocka_unit_test(test_release_that_a_partial_leads_from_stays),
		cmocka_unit_test(test_channel_that_rules_name_becomes_no_test_channel),
		cmocka_unit_test(test_roles_that_admins_give_are_not_taken_by_edits),
		cmocka_unit_test(test_hosts_of_urls),
	};
	return cmocka_run_group_tests_name("channel row", tests, NULL, NULL);
}
