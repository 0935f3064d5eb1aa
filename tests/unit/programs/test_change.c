/* SPDX-License-Identifier: ISC
 *
 * Changes: how one is read from a file, and what it looks like on a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "printed.h"
#include "programs/drover/change.h"

static json_t *read_file(const char *text, GError **error)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	return change_file_read("web.json", quoted, strlen(quoted), error);
}

static void test_a_file_is_read_as_it_is(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) change = read_file("{'title':'1.5', 'when':'+2h', 'ops':[{'op':'update', "
					     "'table':'rules', 'rule_id':7, 'row':{'rate':100}}, "
					     "{'op':'delete', 'table':'rules', 'rule_id':8}]}",
		&error);
	assert_null(error);
	assert_int_equal(json_array_size(json_object_get(change, "ops")), 2);
}

static void assert_refused(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	assert_null(read_file(text, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_string_equal(error->message, expected);
}

static void test_what_is_wrong_is_named_with_file_and_field(void **state)
{
	assert_refused("[]", "web.json: must be an object of title, when, reason and ops");
	assert_refused("{'ops':[]}", "web.json: ops: must be a list of one op or more");
	assert_refused("{'titel':'x'}",
		"web.json: titel: is no field; there are title, when, reason, ops");
	assert_refused("{'title':7}", "web.json: title: must be a text");
	assert_refused("{'ops':[7]}", "web.json: ops 1: must be an object");
	assert_refused("{'ops':[{'op':'delete', 'table':'rules', 'rule_id':1}, "
		       "{'op':'set', 'table':'rules'}]}",
		"web.json: ops 2: op: must be insert, update or delete");
	assert_refused("{'ops':[{'op':'insert', 'table':'pins'}]}",
		"web.json: ops 1: row: must be an object");
	assert_refused("{'ops':[{'op':'insert', 'table':'rule', 'row':{}}]}",
		"web.json: ops 1: table: there is no 'rule'; there are rules, releases, shutoffs, "
		"pins, requirements, products, channels, roles, grants, freezes");
	assert_refused("{'ops':[{'op':'insert', 'table':'rules', 'rows':{}}]}",
		"web.json: ops 1: rows: is no field; there are op, table, row, rule_id, name, "
		"data_version");
}

static void test_what_is_no_json_is_named_with_its_place(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(read_file("{'title':\n oops}", &error));
	assert_true(g_str_has_prefix(error->message, "web.json:2:"));
}

static void test_a_list_lines_up(void **state)
{
	g_autoptr(json_t) changes = json_of(
		"[{'id':3, 'state':'live', 'when':'2026-11-20T09:00:00Z', 'author':'ada', "
		"'title':'y', 'scopes':[], 'standing':{'kind':'live'}}, "
		"{'id':12, 'when':'2026-11-23T09:00:00Z', "
		"'author':'grace', 'title':'x', 'scopes':[{'product':'web','channel':null}], "
		"'standing':{'kind':'unsigned'}}, "
		"{'id':7, 'when':'2026-11-22T09:00:00Z', 'author':'ada', 'title':'Web 1.5 for "
		"all', 'scopes':[{'product':'web','channel':'release'}], "
		"'standing':{'kind':'ready'}}]");
	g_autofree char *text = printed(change_show_list, changes);
	assert_string_equal(text,
		"CHANGE  WHEN              STANDS    CHANNELS     AUTHOR  TITLE\n"
		"     7  2026-11-22 09:00  ready     web release  ada     Web 1.5 for all\n"
		"    12  2026-11-23 09:00  unsigned  web all      grace   x\n"
		"     3  2026-11-20 09:00  live                   ada     y\n");
}

static const char DETAIL[] =
	"{'id':7, 'title':'Web 1.5', 'when':'2026-11-22T09:00:00Z', 'author':'ada', "
	"'reason':'tested', 'scopes':[{'product':'web','channel':'release'}], "
	"'standing':{'kind':'unsigned','text':'1 relman is missing'}, "
	"'words':['rule 3: rate 25 -> 100'], 'digest':'abc', "
	"'conflicts':[{'table':'rules','key':'3','column':'rate','base':25,'ours':100,'theirs':50,'"
	"with':6}], "
	"'required':[{'role':'relman','count':2,'missing':1,'because':'[\\\"web\\\","
	"\\\"release\\\",\\\"relman\\\"]'}], "
	"'sign_offs':[{'person':'grace','role':'relman','counts':true},"
	"{'person':'bob','role':'relman','counts':false,'text':'signed something else'}], "
	"'tested':{'needed':true,'given':[]}, "
	"'gates':[{'name':'freeze','passes':false,'text':'holidays until "
	"2027','role':'ops','override':null},"
	"{'name':'deployable','passes':true,'text':'landing 43 is','override':null}]}";

static void test_one_says_what_it_does_who_agreed_and_what_it_waits_for(void **state)
{
	g_autoptr(json_t) detail = json_of(DETAIL);
	g_autofree char *text = printed(change_show, detail);
	assert_string_equal(text,
		"change 7  Web 1.5\n"
		"by ada for 2026-11-22 09:00 UTC: tested\n"
		"alters web release\n"
		"unsigned: 1 relman is missing\n"
		"\n"
		"What it does:\n"
		"  rule 3: rate 25 -> 100\n"
		"\n"
		"Conflicts:\n"
		"  rules 3: rate: it says 100, change 6 says 50\n"
		"\n"
		"Who must sign:\n"
		"  ROLE    NEEDS  MISSING  SIGNED BY                                           "
		"BECAUSE\n"
		"  relman      2        1  grace, bob (does not count: signed something else)  "
		"web release relman\n"
		"\n"
		"Not tested yet.\n"
		"\n"
		"Gates:\n"
		"  GATE                  OVERRIDE  WHY\n"
		"  freeze      stops it  ops may   holidays until 2027\n"
		"  deployable  passes    -         landing 43 is\n"
		"\n"
		"digest abc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_read_as_it_is),
		cmocka_unit_test(test_what_is_wrong_is_named_with_file_and_field),
		cmocka_unit_test(test_what_is_no_json_is_named_with_its_place),
		cmocka_unit_test(test_a_list_lines_up),
		cmocka_unit_test(test_one_says_what_it_does_who_agreed_and_what_it_waits_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
