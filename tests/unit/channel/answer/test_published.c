/* SPDX-License-Identifier: ISC
 *
 * Live and test channels: which cut answers, what a conflict does, and names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rows.h"

/* Live gives A to release; change 1 gives B from time 5 on, change 2 gives C from time 9 on. */
#define RELEASES                                                                                   \
	"'releases': [{'name': 'A', 'product': 'P'}, {'name': 'B', 'product': 'P'},"               \
	" {'name': 'C', 'product': 'P'}]"
#define RULE "'rules': [{'rule_id': 1, 'product': 'P', 'channel': 'release', 'mapping': 'A'}]"
#define TO(ID, WHEN, RELEASE)                                                                      \
	"{'id': " ID ", 'when': " WHEN ", 'ops': [{'op': 'update', 'table': 'rules',"              \
	" 'rule_id': 1, 'row': {'mapping': '" RELEASE "'}}]}"
#define TWO_STEPS "'pending': [" TO("1", "5", "B") "," TO("2", "9", "C") "]"
#define ROWS	  RULE "," RELEASES

static const char *mapping(const Published *published, const char *channel)
{
	Place place;
	Answer answer;
	published_find(published, "P", channel, &place);
	if (place.undefined != NULL)
		return "undefined";
	Query query = {.product = "P", .channel = place.channel};
	evaluate(place.snapshot, &query, &answer);
	return answer.mapping != NULL ? answer.mapping : "nothing";
}

static void test_name_test_answers_with_the_whole_queue(void **state)
{
	g_autoptr(Published) published = rows_published("{" ROWS "," TWO_STEPS "}");
	Place place;
	assert_string_equal(mapping(published, "release"), "A");
	assert_string_equal(mapping(published, "release-test"), "C");
	published_find(published, "P", "release-test", &place);
	assert_true(place.is_test && !place.is_declared);
	assert_string_equal(place.channel, "release");
	assert_string_equal(place.cut, "all");
	published_find(published, "P", "release", &place);
	assert_false(place.is_test);
	assert_null(place.cut);
	assert_int_equal(published_generation(published), 7);
}

static void test_declared_channels_answer_at_their_cuts(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS "," TWO_STEPS ", 'channels': [{'product': 'P', 'channel': 'first', "
		"'base': 'release', 'cut': 'through 1'},"
		" {'product': 'P', 'channel': 'early', 'base': 'release', 'cut': 'until 4'},"
		" {'product': 'P', 'channel': 'five', 'base': 'release', 'cut': 'until 5'},"
		" {'product': 'P', 'channel': 'dated', 'base': 'release',"
		"  'cut': 'until 1970-01-01T00:00:00.000008Z'},"
		" {'product': 'P', 'channel': 'whole', 'base': 'release'},"
		" {'product': 'P', 'channel': 'mytest-test'},"
		" {'product': '*', 'channel': 'any', 'base': 'release', 'cut': 'all'}]}");
	Place place;
	assert_string_equal(mapping(published, "first"), "B");
	assert_string_equal(mapping(published, "early"), "A");
	assert_string_equal(mapping(published, "five"), "B");
	assert_string_equal(mapping(published, "dated"), "B");
	assert_string_equal(mapping(published, "whole"), "C");
	assert_string_equal(mapping(published, "any"), "C");
	published_find(published, "P", "first", &place);
	assert_true(place.is_test && place.is_declared);
	assert_string_equal(place.cut, "through 1");
	/* A live channel may be called so when it is declared. */
	published_find(published, "P", "mytest-test", &place);
	assert_false(place.is_test);
	assert_string_equal(place.channel, "mytest-test");
}

static void test_one_cut_is_compiled_once(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS "," TWO_STEPS ", 'channels': [{'product': 'P', 'channel': 'a', 'base': "
		"'release', 'cut': 'through 1'},"
		" {'product': 'P', 'channel': 'b', 'base': 'release', 'cut': 'until 7'},"
		" {'product': 'P', 'channel': 'c', 'base': 'release', 'cut': 'until 1'}]}");
	Place a, b, c, live;
	published_find(published, "P", "a", &a);
	published_find(published, "P", "b", &b);
	published_find(published, "P", "c", &c);
	published_find(published, "P", "release", &live);
	assert_ptr_equal(a.snapshot, b.snapshot);
	assert_ptr_equal(c.snapshot, live.snapshot);
	assert_ptr_equal(published_live(published), live.snapshot);
	assert_ptr_not_equal(a.snapshot, live.snapshot);
}

static void test_a_cut_whose_change_is_gone_says_so(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS "," TWO_STEPS ", 'channels': [{'product': 'P', 'channel': 'gone', 'base': "
		"'release', 'cut': 'through 8'}]}");
	Place place;
	published_find(published, "P", "gone", &place);
	assert_string_equal(
		place.undefined, "its cut is 'through 8', and no change 8 is in the queue");
	assert_true(place.is_test);
}

/* Change 1 fits, change 2 writes a rule that is not there: it concerns release and waits. */
#define CONFLICT                                                                                   \
	"'pending': [" TO("1", "5", "B") ", {'id': 2, 'when': 6, 'ops': [{'op': 'update',"         \
					 " 'table': 'rules', 'rule_id': 9, 'row': {'rate': 5}}, "  \
					 "{'op': 'update', 'table': 'rules',"                      \
					 " 'rule_id': 1, 'row': {'rate': 5}}]}," TO(               \
						 "3", "7", "C") "]"

static void test_behind_a_conflict_channels_are_undefined(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS "," CONFLICT ", 'channels': [{'product': 'P', 'channel': 'before', "
		"'base': 'release', 'cut': 'through 1'},"
		" {'product': 'P', 'channel': 'other', 'base': 'esr', 'cut': 'all'},"
		" {'product': 'P', 'channel': 'last', 'base': 'release', 'cut': 'all',"
		" 'on_conflict': 'last'}]}");
	Place place;
	published_find(published, "P", "release-test", &place);
	assert_string_equal(place.undefined, "change 2: op 1: rules 9: is not there");
	assert_string_equal(mapping(published, "before"), "B");
	assert_string_equal(mapping(published, "other"), "nothing");
	assert_string_equal(mapping(published, "release"), "A");
	/* As before change 2: change 3 waits behind it. */
	assert_string_equal(mapping(published, "last"), "B");
	published_find(published, "P", "last", &place);
	assert_string_equal(place.held, "change 2: op 1: rules 9: is not there");
}

static void test_a_change_to_a_release_that_is_not_there_conflicts(void **state)
{
	g_autoptr(Published) published =
		rows_published("{" ROWS ", 'pending': [" TO("1", "5", "D") "]}");
	Place place;
	published_find(published, "P", "release-test", &place);
	assert_string_equal(place.undefined, "change 1: rules 1: mapping: there is no release D");
}

static void test_partners_of_a_test_channel_are_the_base_s(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS "," TWO_STEPS ", 'channels': [{'product': 'P', 'channel': 'local', "
		"'base': 'release', 'cut': 'all'}]}");
	Place place;
	published_find(published, "P", "local-cck-acme", &place);
	assert_true(place.is_test);
	assert_string_equal(place.channel, "release-cck-acme");
	assert_string_equal(mapping(published, "release-test-cck-acme"), "C");
	published_find(published, "P", "release-cck-acme-test", &place);
	assert_string_equal(place.channel, "release-cck-acme");
	published_find(published, "P", "release-cck-acme", &place);
	assert_false(place.is_test);
	assert_string_equal(place.channel, "release-cck-acme");
}

static void test_odd_names_are_live_channels(void **state)
{
	g_autoptr(Published) published = rows_published("{" ROWS "," TWO_STEPS "}");
	char name[PUBLISHED_MAXIMUM_CHANNEL_BYTES + 1];
	Place place;
	memset(name, 'x', sizeof name);
	memcpy(name + sizeof name - 6, "-test", 6);
	published_find(published, "P", name, &place); /* one too long */
	assert_false(place.is_test);
	assert_ptr_equal(place.channel, name);
	published_find(published, "P", name + 1, &place);
	assert_true(place.is_test);
	published_find(published, "P", "-test", &place);
	assert_false(place.is_test);
	published_find(published, "P", "", &place);
	assert_false(place.is_test);
	published_find(published, NULL, NULL, &place);
	assert_false(place.is_test);
	assert_null(place.channel);
}

static void test_a_base_that_would_be_too_long_is_no_base(void **state)
{
	char channel[PUBLISHED_MAXIMUM_CHANNEL_BYTES];
	Place place;
	memset(channel, 'x', sizeof channel - 1);
	memcpy(channel, "t-cck-", 6);
	channel[sizeof channel - 1] = '\0';
	g_autoptr(Published) published = rows_published(
		"{" ROWS ", 'channels': [{'product': 'P', 'channel': 't', 'base': 'release'}]}");
	published_find(published, "P", channel, &place);
	assert_false(place.is_test);
	channel[sizeof channel - 7] = '\0'; /* six bytes less: release fits in t's place */
	published_find(published, "P", channel, &place);
	assert_true(place.is_test);
}

static void test_digests_are_kept(void **state)
{
	g_autoptr(Published) published = rows_published("{" ROWS "," TWO_STEPS "}");
	Place live, test, beta;
	published_find(published, "P", "release", &live);
	published_find(published, "P", "release-test", &test);
	published_find(published, "P", "beta", &beta);
	const char *digest = published_digest(published, "P", &live);
	assert_int_equal(strlen(digest), 64);
	assert_ptr_equal(published_digest(published, "P", &live), digest);
	assert_string_not_equal(published_digest(published, "P", &test), digest);
	assert_string_not_equal(published_digest(published, "P", &beta), digest);
	assert_string_not_equal(published_digest(published, NULL, &live), digest);
}

static void test_digests_of_strange_names_are_not_kept_without_end(void **state)
{
	g_autoptr(Published) published =
		rows_published("{" ROWS ", 'channels': [{'product': 'P', 'channel': 'declared'}]}");
	Place place;
	for (guint i = 0; i < PUBLISHED_MAXIMUM_DIGESTS; i++) {
		g_autofree char *name = g_strdup_printf("strange%u", i);
		published_find(published, "P", name, &place);
		assert_non_null(published_digest(published, "P", &place));
	}
	published_find(published, "P", "one more", &place);
	assert_null(published_digest(published, "P", &place));
	published_find(published, "P", "strange0", &place);
	assert_non_null(published_digest(published, "P", &place));
	published_find(published, "P", "declared", &place);
	assert_non_null(published_digest(published, "P", &place));
}

static gpointer ask_digest(gpointer of)
{
	Place place;
	published_find(of, "P", "release-test", &place);
	return (gpointer)published_digest(of, "P", &place);
}

static void test_digests_are_for_all_threads(void **state)
{
	g_autoptr(Published) published = rows_published("{" ROWS "," TWO_STEPS "}");
	GThread *threads[4];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("digest", ask_digest, published);
	gpointer kept = ask_digest(published);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_ptr_equal(g_thread_join(threads[i]), kept);
}

static void test_rewritten_hosts_come_with_the_place(void **state)
{
	g_autoptr(Published) published = rows_published(
		"{" ROWS ", 'channels': [{'product': 'P', 'channel': 'local', 'base': 'release',"
		" 'rewrite': {'cdn.example.org': 'stage.example.org'}}]}");
	Place place;
	published_find(published, "P", "local", &place);
	assert_string_equal(json_string_value(json_object_get(place.rewrite, "cdn.example.org")),
		"stage.example.org");
	published_find(published, "P", "release", &place);
	assert_null(place.rewrite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_test_answers_with_the_whole_queue),
		cmocka_unit_test(test_declared_channels_answer_at_their_cuts),
		cmocka_unit_test(test_one_cut_is_compiled_once),
		cmocka_unit_test(test_a_cut_whose_change_is_gone_says_so),
		cmocka_unit_test(test_behind_a_conflict_channels_are_undefined),
		cmocka_unit_test(test_a_change_to_a_release_that_is_not_there_conflicts),
		cmocka_unit_test(test_partners_of_a_test_channel_are_the_base_s),
		cmocka_unit_test(test_odd_names_are_live_channels),
		cmocka_unit_test(test_a_base_that_would_be_too_long_is_no_base),
		cmocka_unit_test(test_digests_are_kept),
		cmocka_unit_test(test_digests_of_strange_names_are_not_kept_without_end),
		cmocka_unit_test(test_digests_are_for_all_threads),
		cmocka_unit_test(test_rewritten_hosts_come_with_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
