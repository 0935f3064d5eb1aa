/* SPDX-License-Identifier: ISC
 *
 * What commit messages say: a table of messages and the facts in them, written as one line,
 * "qa | items | rollbacks | fixes"; docs/messages.md is what it follows.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "landing/message.h"

#define ALL_PATTERNS 0x7fu

static void append_references(GString *line, const GPtrArray *references)
{
	for (guint i = 0; i < references->len; i++) {
		const MessageReference *reference = references->pdata[i];
		g_string_append_printf(line, "%s%s%s%s%s", i ? " " : "", reference->text,
			reference->ordinal ? "#" : "", reference->is_git_revert ? "^" : "",
			reference->tentative ? "?" : "");
	}
}

/* "no-qa untestable ok | 1 2 | 43# abc1234^ | def5678? | !2": `!2` when there are two problems. */
static char *facts_line(const MessageFacts *facts)
{
	const char *const qa[] = {"", "no-qa", "incr", "OK", "BAD"};
	GString *line = g_string_new(qa[facts->qa]);
	g_string_append_printf(line, "%s%s | ", facts->untestable ? "+untestable" : "",
		facts->says_ok ? "+ok" : "");
	for (guint i = 0; i < facts->items->len; i++)
		g_string_append_printf(line, "%s%s", i ? " " : "", (char *)facts->items->pdata[i]);
	g_string_append(line, " | ");
	append_references(line, facts->rollbacks);
	g_string_append(line, " | ");
	append_references(line, facts->fixes);
	if (facts->problems->len)
		g_string_append_printf(line, " | !%u", facts->problems->len);
	for (guint i = 0; i < facts->problems->len; i++)
		assert_true(g_utf8_validate(facts->problems->pdata[i], -1, NULL));
	return g_string_free(line, FALSE);
}

typedef struct Row {
	const char *message;
	const char *facts;
} Row;

static void assert_rows(const Row *rows, gsize count, guint patterns)
{
	for (gsize i = 0; i < count; i++) {
		g_autoptr(MessageFacts) facts =
			message_read(rows[i].message, strlen(rows[i].message), patterns);
		g_autofree char *line = facts_line(facts);
		if (!g_str_equal(line, rows[i].facts))
			print_error("message <<%s>>\n", rows[i].message);
		assert_string_equal(line, rows[i].facts);
	}
}

#define SHA  "0123456789abcdef0123456789abcdef01234567"
#define SHA2 "89abcdef0123456789abcdef0123456789abcdef"

static void test_tags_are_read_anywhere_in_any_case(void **state)
{
	const Row rows[] = {
		{"", " |  |  | "},
		{"Tidy up", " |  |  | "},
		{"[no-qa] Tidy up", "no-qa |  |  | "},
		{"Tidy up [No-QA]", "no-qa |  |  | "},
		{"Tidy up\n\nIt is [ no-qa ] really.\n", "no-qa |  |  | "},
		{"[testfix] Wait longer", "no-qa |  |  | "},
		{"[testfix][r=ann] Wait", "no-qa |  |  | "},
		{"[incr] First half", "incr |  |  | "},
		{"[incr] [no-qa] A step stays a step", "incr |  |  | "},
		{"[no-qa] [incr] A step stays a step", "incr |  |  | "},
		{"[bug=1,2] Two", " | 1 2 |  | "},
		{"[bug=#7, 8;9] Three", " | 7 8 9 |  | "},
		{"[BUG=7][bug=7] Once", " | 7 |  | "},
		{"[r=ann][bug=o/r#5] Elsewhere", " | o/r#5 |  | "},
		{"[rollback=43] Undo", " |  | 43# | "},
		{"[rollback=r43,#44] Undo", " |  | 43# 44# | "},
		{"[rollback=ABC1234, 5] Undo", " |  | abc1234 5# | "},
		{"[rollback=" SHA "]", " |  | " SHA " | "},
		{"[rollback=1234567]", " |  | 1234567# | "},
		{"[rollback=12345678901234567890]", " |  | 12345678901234567890 | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_what_is_almost_a_tag_is_none(void **state)
{
	const Row rows[] = {
		{"no-qa", " |  |  | "},
		{"[no-qa", " |  |  | "},
		{"[no-\nqa]", " |  |  | "},
		{"[no-qa please]", " |  |  | "},
		{"[no-qa-at-all]", " |  |  | "},
		{"[incremental]", " |  |  | "},
		{"[testfixes]", " |  |  | "},
		{"[bugs=1]", " |  |  | "},
		{"[rollback]", " |  |  | "},
		{"array[incr]", "incr |  |  | "}, /* tags need no blank before them */
		{"[bug=]", " |  |  |  | !1"},
		{"[bug=abc,3]", " | 3 |  |  | !1"},
		{"[bug=0]", " |  |  |  | !1"},
		{"[bug=1234567890123456789]", " |  |  |  | !2"},
		{"[rollback=]", " |  |  |  | !1"},
		{"[rollback=HEAD~1]", " |  |  |  | !1"},
		{"[rollback=abc12]", " |  |  |  | !1"},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_each_form_of_an_item_is_read(void **state)
{
	const Row rows[] = {
		{"Bug: 12", " | 12 |  | "},
		{"bug:12", " | 12 |  | "},
		{"BUG : 12", " | 12 |  | "},
		{"Bug #12", " | 12 |  | "},
		{"Bug: #12", " | 12 |  | "},
		{"bug#12", " | 12 |  | "},
		{"Bugs: 12, 13", " | 12 13 |  | "},
		{"Bug: 0012", " | 12 |  | "},
		{"Bug: 999999999999999999", " | 999999999999999999 |  | "},
		{"(Bug: 12)", " | 12 |  | "},
		{"Crash (bug #12).", " | 12 |  | "},
		{"LP: #12", " | 12 |  | "},
		{"lp: #12, #13", " | 12 13 |  | "},
		{"(LP: #12, LP: #13)", " | 12 13 |  | "},
		{"LP: 12", " | 12 |  | "},
		{"Closes: #1", " | 1 |  | "},
		{"closes: #1, #2", " | 1 2 |  | "},
		{"Closes: bug#3", " | 3 |  | "},
		{"Closes: Bug#3, bug#4", " | 3 4 |  | "},
		{"Closes: 3", " | 3 |  | "},
		{"(Closes: #1,\n    #2)", " | 1 2 |  | "},
		{"Fixes #5", " | 5 |  | "},
		{"Fixes: #5", " | 5 |  | "},
		{"fix #5", " | 5 |  | "},
		{"Fixed #5", " | 5 |  | "},
		{"fixing #5", " | 5 |  | "},
		{"close #5", " | 5 |  | "},
		{"closes #5", " | 5 |  | "},
		{"Closed #5", " | 5 |  | "},
		{"Closing #5", " | 5 |  | "},
		{"resolve #5", " | 5 |  | "},
		{"Resolves: #5", " | 5 |  | "},
		{"RESOLVED #5", " | 5 |  | "},
		{"resolving #5", " | 5 |  | "},
		{"Implements #5", " | 5 |  | "},
		{"implementing #5", " | 5 |  | "},
		{"Closes #4, #6 and #8", " | 4 6 8 |  | "},
		{"Closes #4, and #6 & #8", " | 4 6 8 |  | "},
		{"Closes #4 #6", " | 4 6 |  | "},
		{"Fixes #1, fixes #2", " | 1 2 |  | "},
		{"Fixes issue #5", " | 5 |  | "},
		{"Fixes issues #5, #6", " | 5 6 |  | "},
		{"Fixes GH-5", " | 5 |  | "},
		{"Fixes octo/cat#5", " | octo/cat#5 |  | "},
		{"Closes group/sub/project#5, #6", " | group/sub/project#5 6 |  | "},
		{"Fixes https://github.com/octo/cat/issues/5", " | octo/cat#5 |  | "},
		{"Closes https://gitlab.com/g/s/p/-/issues/5", " | g/s/p#5 |  | "},
		{"Bug: https://bugs.launchpad.net/p/+bug/12", " | 12 |  | "},
		{"Closes: https://bugs.debian.org/12", " | 12 |  | "},
		{"Bug: https://bugs.example/show_bug.cgi?id=12", " | 12 |  | "},
		{"-fixes #5", " | 5 |  | "},
		{"- fixes #5", " | 5 |  | "},
		{"Enough\xe2\x80\x94"
		 "fixes #5",
			" | 5 |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_an_address_may_go_on_after_the_number(void **state)
{
	const Row rows[] = {
		{"Fixes https://github.com/o/r/issues/5#issuecomment-7", " | o/r#5 |  | "},
		{"Fixes https://github.com/o/r/issues/5/", " | o/r#5 |  | "},
		{"Fixes (see https://github.com/o/r/issues/5)", " |  |  | "},
		{"Fixes https://github.com/o/r/issues/5, #6", " | o/r#5 6 |  | "},
		{"Fixes https://github.com/o/r/pull/5", " |  |  | "},
		{"Fixes https://", " |  |  | "},
		{"Fixes https://x", " |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ITEM_PATTERN_FIXES);
}

static void test_inside_words_nothing_is_an_item(void **state)
{
	const Row rows[] = {
		{"debug: 5", " |  |  | "},
		{"prefix #3", " |  |  | "},
		{"suffixes #3", " |  |  | "},
		{"pre-fix #3", " |  |  | "},
		{"my_fix #3", " |  |  | "},
		{"x/fix #3", " |  |  | "},
		{"d\xc3\xa9"
		 "bug: 5",
			" |  |  | "},
		{"help: #3", " |  |  | "},
		{"fixes#3x", " |  |  | "},
		{"Fixes #3rd", " |  |  | "},
		{"Fixes #v3", " |  |  | "},
		{"Fixes 3", " |  |  | "},
		{"Fixes: 3", " |  |  | "},
		{"Bug 3", " |  |  | "},
		{"closes 3", " |  |  | "},
		{"Bug: 1.5", " |  |  | "},
		{"Bug: 0", " |  |  | "},
		{"Bug: #", " |  |  | "},
		{"Bug:", " |  |  | "},
		{"Bug:\n12", " |  |  | "},
		{"Bug: 1234567890123456789", " |  |  |  | !1"},
		{"fixes /repo#3", " |  |  | "},
		{"#3", " |  |  | "},
		{"fixture #3", " |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_quoted_text_is_not_read(void **state)
{
	const Row rows[] = {
		{"Answer\n\n> Fixes #3 [no-qa]\n\nNo.", " |  |  | "},
		{"Answer\n\n  > Bug: 3", " |  |  | "},
		{"Explain `[no-qa]` and `Fixes #3`", " |  |  | "},
		{"Don`t stop: fixes #3", " | 3 |  | "},
		{"Revert \"[no-qa] Fix it, Bug: 3\"", " |  |  | "},
		{"Revert \"Fix \"it\" Bug: 3\" Bug: 4", " | 4 |  | "},
		{"Revert \"A subject that was cut, Bug: 3", " |  |  | "},
		{"Reapply \"Bug: 3\"", " |  |  | "},
		{"Revert that \"x\" Bug: 3 \"y\"", " | 3 |  | "},
		{"Merge branch 'x'\n\nRevert \"Bug: 3\"\n", " |  |  | "},
		{"The \"[no-qa]\" tag", "no-qa |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_reverts_name_their_commits(void **state)
{
	const Row rows[] = {
		{"Revert \"x\"\n\nThis reverts commit " SHA ".\n", " |  | " SHA "^ | "},
		{"Revert \"x\"\n\nThis reverts commit " SHA ", reversing\nchanges made to " SHA2
		 ".\n",
			" |  | " SHA "^ | "},
		{"this reverts commit 0123456 (x, 2026-01-02).", " |  | 0123456^ | "},
		{"This reverts commit\n" SHA ".", " |  | " SHA "^ | "},
		{"This reverts commits 1234567, 89abcde and fedcba9.",
			" |  | 1234567^ 89abcde^ fedcba9^ | "},
		{"This reverts commit 012345.", " |  |  | "},
		{"This reverts commit 0123456x.", " |  |  | "},
		{"This reverts commit r43.", " |  |  | "},
		{"> This reverts commit " SHA ".", " |  |  | "},
		{"x\n\nRollback-Of: " SHA "\n", " |  | " SHA " | "},
		{"x\n\nrollback-of: 43, 44\n", " |  | 43# 44# | "},
		{"x\n\nRollback-Of: 0123456 (\"Subject\")\n", " |  | 0123456# | "},
		{"x\n\nRollback-Of: master\n", " |  |  |  | !1"},
		{"x\n\nRollback-Of:\n", " |  |  |  | !1"},
		{"[rollback=0123456]\n\nThis reverts commit 0123456.", " |  | 0123456 | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_fixes_with_a_sha_is_a_commit_and_with_a_number_an_item(void **state)
{
	const Row rows[] = {
		{"x\n\nFixes: 54a4f0239f2e (\"KVM: MMU: x\")", " |  |  | 54a4f0239f2e?"},
		{"x\n\nFixes: 1234567", " |  |  | 1234567?"},
		{"x\n\nFixes: ABCDEF0, 1234567", " |  |  | abcdef0? 1234567?"},
		{"x\n\nFixes: #1234567", " | 1234567 |  | "},
		{"x\n\nFixes: 123456", " |  |  | "},
		{"x\n\nIt fixes: 54a4f0239f2e", " |  |  | "},
		{"x\n\nFixes: effaced0text", " |  |  | "},
		{"x\n\nFixes-Landing: 54a4f0239f2e", " |  |  | 54a4f0239f2e"},
		{"x\n\nFixes-Landing: 43", " |  |  | 43#"},
		{"x\n\nFixes: 54a4f02\nFixes-Landing: 54a4f02", " |  |  | 54a4f02"},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_trailers_count_in_the_last_paragraphs(void **state)
{
	const Row rows[] = {
		{"x\n\nQA: no-qa", "no-qa |  |  | "},
		{"x\n\nqa: No-QA\nSigned-off-by: A <a@b>", "no-qa |  |  | "},
		{"x\n\nQA : no-qa (docs only)\r\n", "no-qa |  |  | "},
		{"x\n\nQA: ok\n", "+ok |  |  | "},
		{"x\n\nBug: 3\nQA: untestable\n", "+untestable | 3 |  | "},
		{"x\n\nQA: untestable\n", "+untestable |  |  |  | !1"},
		{"x\n\nQA: maybe\n", " |  |  |  | !1"},
		{"x\n\nQA: okay\n", " |  |  |  | !1"},
		{"x\n\nQA:\n", " |  |  |  | !1"},
		{"x\nQA: no-qa", "no-qa |  |  | "},			  /* no blank line */
		{"x\n\nsome words\nQA: no-qa", "no-qa |  |  | "},	  /* beside prose */
		{"x\n\nprose\n\nQA: no-qa\n\nBug: 3", "no-qa | 3 |  | "}, /* -m -m -m */
		{"x\n\nQA: no-qa\n\n---------\n\nCo-authored-by: A <a@b>", "no-qa |  |  | "},
		{"x\n\nQA: no-qa\n\n(cherry picked from commit 1234567)", "no-qa |  |  | "},
		{"x\n\nQA: no-qa\n\nmore prose", " |  |  |  | !1"},
		{"x\n\nRollback-Of: 5\n\nmore prose", " |  |  |  | !1"},
		{"QA: no-qa", " |  |  |  | !1"}, /* the subject */
		{"\n\nQA: no-qa", " |  |  |  | !1"},
		{"x\n\n> QA: no-qa", " |  |  | "},
		{"x\n\n  QA: no-qa", " |  |  | "}, /* goes on the line before */
		{"[incr] x\n\nQA: no-qa", "incr |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ALL_PATTERNS);
}

static void test_a_product_chooses_its_patterns(void **state)
{
	const char *message = "[bug=1] Merge pull request #8 (#9)\n\nBug: 2\nLP: #3\nCloses: #4\n"
			      "Fixes #5\nRefs #6\nCloses: 7\nSee merge request g/p!10";
	const struct {
		const char *patterns;
		const char *facts;
	} rows[] = {
		{"", " |  |  | "},
		{"bug-tag", " | 1 |  | "},
		{"bug", " | 2 |  | "},
		{"lp", " | 3 |  | "},
		{"closes", " | 4 7 |  | "},
		{"fixes", " | 4 5 |  | "},
		{"gh", " | 4 5 |  | "},
		{"reference", " | 6 |  | "},
		{"merge", " | 8 !10 9 |  | "},
		{" Bug , LP ", " | 2 3 |  | "},
		{ITEM_PATTERN_DEFAULT, " | 1 2 3 4 5 7 |  | "},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint patterns = 0;
		assert_true(item_patterns_parse(rows[i].patterns, &patterns, NULL));
		const Row row = {message, rows[i].facts};
		assert_rows(&row, 1, patterns);
	}
}

static void test_unknown_pattern_is_refused_with_the_known_ones(void **state)
{
	guint patterns = 0;
	g_autoptr(GError) error = NULL;
	assert_false(item_patterns_parse("bug,jira", &patterns, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	assert_non_null(strstr(error->message, "\"jira\""));
	assert_non_null(strstr(error->message, "bug-tag"));
	g_clear_error(&error);
	assert_false(item_patterns_parse("bug,,lp", &patterns, &error));
}

static void test_subject_end_names_what_was_merged(void **state)
{
	const Row rows[] = {
		{"Round up (#12)", " | 12 |  | "},
		{"Round up (!12)\n\nbody", " | !12 |  | "},
		{"Round up (#12) \n", " | 12 |  | "},
		{"Round up (#12) again", " |  |  | "},
		{"Round (see #12)", " |  |  | "},
		{"(#1)", " | 1 |  | "},
		{"#1)", " |  |  | "},
		{"x\n\n(#12)", " |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ITEM_PATTERN_MERGE);
}

static void test_references_are_read_when_asked_for(void **state)
{
	const Row rows[] = {
		{"Refs #1", " | 1 |  | "},
		{"ref: #1", " | 1 |  | "},
		{"References #1, #2", " | 1 2 |  | "},
		{"See #1", " | 1 |  | "},
		{"see also #1", " | 1 |  | "},
		{"Part of #1", " | 1 |  | "},
		{"Related to o/r#1", " | o/r#1 |  | "},
		{"Re: #1", " | 1 |  | "},
		{"Addresses #1", " | 1 |  | "},
		{"Fixes #1", " |  |  | "},
		{"oversee #1", " |  |  | "},
	};
	assert_rows(rows, G_N_ELEMENTS(rows), ITEM_PATTERN_REFERENCE);
}

static void test_nul_bytes_end_words_not_messages(void **state)
{
	const char message[] = "Bug: 1\0002 x\0[no-qa]";
	g_autoptr(MessageFacts) facts = message_read(message, sizeof message - 1, ALL_PATTERNS);
	g_autofree char *line = facts_line(facts);
	assert_string_equal(line, "no-qa | 1 |  | ");
}

static void test_bytes_past_the_maximum_are_not_read_and_noted(void **state)
{
	g_autoptr(GString) message = g_string_new(NULL);
	for (int i = 0; i < MESSAGE_MAXIMUM_BYTES; i++)
		g_string_append_c(message, ' ');
	memcpy(message->str, "Bug: 1", 6);
	g_autoptr(MessageFacts) whole = message_read(message->str, message->len, ALL_PATTERNS);
	assert_int_equal(whole->problems->len, 0);
	g_string_append(message, "Bug: 2");
	g_autoptr(MessageFacts) facts = message_read(message->str, message->len, ALL_PATTERNS);
	g_autofree char *line = facts_line(facts);
	assert_string_equal(line, " | 1 |  |  | !1");
}

static void test_items_references_and_problems_have_limits(void **state)
{
	g_autoptr(GString) message = g_string_new(NULL);
	for (int i = 1; i <= MESSAGE_MAXIMUM_ITEMS + 5; i++)
		g_string_append_printf(message, "Bug: %d\n", i);
	for (int i = 1; i <= MESSAGE_MAXIMUM_REFERENCES + 2; i++)
		g_string_append_printf(message, "[rollback=%d]\n", i);
	g_autoptr(MessageFacts) facts = message_read(message->str, message->len, ALL_PATTERNS);
	assert_int_equal(facts->items->len, MESSAGE_MAXIMUM_ITEMS);
	assert_int_equal(facts->rollbacks->len, MESSAGE_MAXIMUM_REFERENCES);
	assert_int_equal(facts->problems->len, 3); /* one for items, one for each reference */

	g_string_truncate(message, 0);
	for (int i = 0; i < MESSAGE_MAXIMUM_PROBLEMS + 5; i++)
		g_string_append(message, "[bug=x]");
	g_autoptr(MessageFacts) odd = message_read(message->str, message->len, ALL_PATTERNS);
	assert_int_equal(odd->problems->len, MESSAGE_MAXIMUM_PROBLEMS);

	g_string_assign(message, "Fixes ");
	for (int i = 0; i < MESSAGE_MAXIMUM_ITEM_BYTES; i++)
		g_string_append(message, "a/");
	g_string_append(message, "b#1");
	g_autoptr(MessageFacts) longest = message_read(message->str, message->len, ALL_PATTERNS);
	assert_int_equal(longest->items->len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_are_read_anywhere_in_any_case),
		cmocka_unit_test(test_what_is_almost_a_tag_is_none),
		cmocka_unit_test(test_each_form_of_an_item_is_read),
		cmocka_unit_test(test_an_address_may_go_on_after_the_number),
		cmocka_unit_test(test_inside_words_nothing_is_an_item),
		cmocka_unit_test(test_quoted_text_is_not_read),
		cmocka_unit_test(test_reverts_name_their_commits),
		cmocka_unit_test(test_fixes_with_a_sha_is_a_commit_and_with_a_number_an_item),
		cmocka_unit_test(test_trailers_count_in_the_last_paragraphs),
		cmocka_unit_test(test_a_product_chooses_its_patterns),
		cmocka_unit_test(test_unknown_pattern_is_refused_with_the_known_ones),
		cmocka_unit_test(test_subject_end_names_what_was_merged),
		cmocka_unit_test(test_references_are_read_when_asked_for),
		cmocka_unit_test(test_nul_bytes_end_words_not_messages),
		cmocka_unit_test(test_bytes_past_the_maximum_are_not_read_and_noted),
		cmocka_unit_test(test_items_references_and_problems_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
