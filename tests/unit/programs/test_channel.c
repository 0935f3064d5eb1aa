/* SPDX-License-Identifier: ISC
 *
 * What channels, rules and answers look like on a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "printed.h"
#include "programs/drover/channel_show.h"
#include "programs/drover/rule.h"

static void assert_printed(void (*show)(const Screen *screen, const json_t *value),
	const char *value, const char *expected)
{
	g_autoptr(json_t) read = json_of(value);
	g_autofree char *text = printed(show, read);
	assert_string_equal(text, expected);
}

static void test_rules_stand_in_the_order_of_evaluation(void **state)
{
	assert_printed(rule_show_list,
		"[{'rule_id':3, 'priority':90, 'mapping':'b'}, {'rule_id':2, 'priority':90, "
		"'alias':'two', 'rate':25, 'mapping':'a', 'fallback_mapping':'b', "
		"'locale':'de,en'}, "
		"{'rule_id':14, 'priority':100, 'product':'web', 'channel':'be*'}]",
		"RULE  ALIAS  PRIORITY  PRODUCT  CHANNEL  RATE  MAPPING  ELSE  MATCHES\n"
		"  14  -           100  web      be*       100  -        -\n"
		"   2  two          90  -        -          25  a        b     locale=de,en\n"
		"   3  -            90  -        -         100  b        -\n");
}

static void test_an_answer_says_what_decided(void **state)
{
	assert_printed(channel_show_answer,
		"{'mapping':'web-1.4.0', 'rule_id':7, 'rule_data_version':2, 'why':'its "
		"release', 'release':{'version':'1.4.0','build_id':null}, 'generation':12, "
		"'cut':null, 'digest':'abc'}",
		"web-1.4.0: its release\n"
		"by rule 7, at its version 2\n"
		"which is version 1.4.0, build -\n"
		"generation 12, cut live, digest abc\n");
	assert_printed(channel_show_answer,
		"{'mapping':null, 'rule_id':null, 'why':'no rule matches', 'release':null, "
		"'generation':12, 'cut':'through 7', 'digest':'abc'}",
		"nothing: no rule matches\ngeneration 12, cut through 7, digest abc\n");
}

static void test_differences_are_listed_or_said_to_be_none(void **state)
{
	assert_printed(channel_show_difference,
		"{'same':false, 'text':'1 class differs', 'classes':[{'query':{'product':'web', "
		"'draw':25, 'locale':null}, 'before':{'mapping':'a'}, 'after':{'mapping':null}}]}",
		"BEFORE  AFTER  QUERY\n"
		"a       -      product=web draw=25\n");
	assert_printed(channel_show_difference,
		"{'same':true, 'text':'all is the same', 'classes':[]}", "all is the same\n");
}

static void test_channels_line_up(void **state)
{
	assert_printed(channel_show_list,
		"[{'product':'web', 'channel':'release', 'kind':'live', 'base':null, 'cut':null, "
		"'shut_off':{'reason':'bad'}, 'rules':12, 'waiting':1, 'title':'All'}, "
		"{'product':'web', 'channel':'release-test', 'kind':'test', 'base':'release', "
		"'cut':'all', 'shut_off':null, 'rules':12, 'waiting':0}]",
		"PRODUCT  CHANNEL       KIND  BASE, CUT     STATE  RULES  WAITING  TITLE\n"
		"web      release       live  -             off       12        1  All\n"
		"web      release-test  test  release, all  on        12        0\n");
}

static void test_a_channel_shows_what_there_is_of_it(void **state)
{
	assert_printed(channel_show_view,
		"{'product':'web', 'channel':'release', 'base':null, 'at':'2026-11-21T09:00:00Z', "
		"'shut_off':{'reason':'bad'}, 'undefined':'change 7 conflicts', 'generation':3, "
		"'cut':null, 'digest':'abc', 'rules':[], 'queue':[], "
		"'pins':[{'version':'1.3.','mapping':'web-1.3.9'}], "
		"'tests':[{'channel':'release-test','base':'release','cut':'all','same':false}], "
		"'requirements':[{'product':'*','channel':'be*','role':'qa','n':2}], 'freezes':[]}",
		"web release  live, as of 2026-11-21 09:00 UTC\n"
		"switched off: bad\n"
		"has no answer: change 7 conflicts\n"
		"generation 3, cut live, digest abc\n"
		"\n"
		"Pins:\n"
		"  clients on 1.3. are held on web-1.3.9\n"
		"\n"
		"Test channels:\n"
		"  release-test (release, all): answers otherwise than live\n"
		"\n"
		"Who must sign:\n"
		"  2 of qa, for all be*\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_stand_in_the_order_of_evaluation),
		cmocka_unit_test(test_an_answer_says_what_decided),
		cmocka_unit_test(test_differences_are_listed_or_said_to_be_none),
		cmocka_unit_test(test_channels_line_up),
		cmocka_unit_test(test_a_channel_shows_what_there_is_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
