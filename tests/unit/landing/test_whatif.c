/* SPDX-License-Identifier: ISC
 *
 * Landings as JSON: what is refused and in which words, what is let pass, and that order does not
 * matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "landing/whatif.h"

/* The answer as it is printed. Caller frees. */
static char *answer_to(const char *text)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = whatif_answer("what.json", text, strlen(text), &error);
	g_assert_no_error(error);
	char *dumped = json_dumps(answer, JSON_COMPACT);
	char *copy = g_strdup(dumped);
	free(dumped);
	json_decref(answer);
	return copy;
}

static void assert_answer(const char *text, const char *expected)
{
	g_autofree char *answer = answer_to(text);
	assert_string_equal(answer, expected);
}

typedef struct Refusal {
	const char *text;
	const char *message;
} Refusal;

#define LANDING(fields) "{\"landings\":[{\"rev\":4," fields "}]}"
#define REVS		"must be null, a rev (0 or above) or a list of revs, not "
#define STATES		"must be needs-testing, ok, bad, untestable or null, not "
#define IDS		"must be a whole number, or a text of 1 to 256 bytes, not "

static const Refusal refusals[] = {
	{"", "what.json:1:1: '[' or '{' expected near end of file"},
	{"{\"landings\":\n [}", "what.json:2:3: unexpected token near '}'"},
	{"{\"landings\":[]} x", "what.json:1:17: end of file expected near 'x'"},
	{"{\"landings\":[],\"landings\":[]}",
		"what.json:1:25: duplicate object key near '\"landings\"'"},
	{"{\"landings\":[{\"rev\":99999999999999999999}]}",
		"what.json:1:40: too big integer near '99999999999999999999'"},
	{"[]", "what.json: the file: must be an object {\"landings\": [ … ]}, not a list"},
	{"{}", "what.json: landings: must be a list, not nothing"},
	{"{\"landings\":{}}", "what.json: landings: must be a list, not an object"},
	{"{\"landings\":[],\"baseline\":\"4\"}",
		"what.json: baseline: must be null or a rev (0 or above), not \"4\""},
	{"{\"landings\":[],\"baseline\":-1}",
		"what.json: baseline: must be null or a rev (0 or above), not -1"},
	{"{\"landings\":[7]}", "what.json: landings[0]: must be an object {\"rev\": …}, not 7"},
	{"{\"landings\":[{}]}",
		"what.json: landings[0]: rev: must be a whole number above 0, not nothing"},
	{"{\"landings\":[{\"rev\":1},{\"rev\":0}]}",
		"what.json: landings[1]: rev: must be a whole number above 0, not 0"},
	{"{\"landings\":[{\"rev\":-4}]}",
		"what.json: landings[0]: rev: must be a whole number above 0, not -4"},
	{"{\"landings\":[{\"rev\":4.0}]}",
		"what.json: landings[0]: rev: must be a whole number above 0, not 4.0"},
	{"{\"landings\":[{\"rev\":\"4\"}]}",
		"what.json: landings[0]: rev: must be a whole number above 0, not \"4\""},
	{"{\"landings\":[{\"rev\":4},{\"rev\":3},{\"rev\":4}]}",
		"what.json: landing 4 is listed twice; every rev must be its own"},
	{LANDING("\"qa\":\"maybe\""), "what.json: landing 4: qa: must be required, no-qa, incr, ok "
				      "or bad, not \"maybe\""},
	{LANDING("\"qa\":1"),
		"what.json: landing 4: qa: must be required, no-qa, incr, ok or bad, not 1"},
	{LANDING("\"items\":{}"),
		"what.json: landing 4: items: must be a list of items, not an object"},
	{LANDING("\"bugs\":7"), "what.json: landing 4: bugs: must be a list of items, not 7"},
	{LANDING("\"items\":[],\"bugs\":[]"), "what.json: landing 4: it has both items and bugs, "
					      "which mean the same; give one of them"},
	{LANDING("\"items\":[7]"), "what.json: landing 4: items[0]: an item: must be an object "
				   "{\"id\": …, \"state\": …}, not 7"},
	{LANDING("\"bugs\":[{\"id\":1},{\"state\":\"ok\"}]"),
		"what.json: landing 4: bugs[1]: id: " IDS "nothing"},
	{LANDING("\"items\":[{\"id\":\"\"}]"), "what.json: landing 4: items[0]: id: " IDS "\"\""},
	{LANDING("\"items\":[{\"id\":1.5}]"), "what.json: landing 4: items[0]: id: " IDS "1.5"},
	{LANDING("\"items\":[{\"id\":1,\"state\":\"fine\"}]"),
		"what.json: landing 4: items[0]: state: " STATES "\"fine\""},
	{LANDING("\"items\":[{\"id\":1,\"state\":true}]"),
		"what.json: landing 4: items[0]: state: " STATES "true"},
	{LANDING("\"items\":[{\"id\":1,\"state\":\"ok\"},{\"id\":\"1\",\"state\":\"bad\"}]"),
		"what.json: landing 4: items[1]: item \"1\" is listed twice with different states; "
		"list it once"},
	{LANDING("\"rollback_of\":\"3\""), "what.json: landing 4: rollback_of: " REVS "\"3\""},
	{LANDING("\"rollback_of\":[3,null]"), "what.json: landing 4: rollback_of: " REVS "null"},
	{LANDING("\"rollback_of\":-3"), "what.json: landing 4: rollback_of: " REVS "-3"},
	{LANDING("\"fixes\":{\"rev\":3}"), "what.json: landing 4: fixes: " REVS "an object"},
	{LANDING("\"fixes\":[2,2.5]"), "what.json: landing 4: fixes: " REVS "2.5"},
};

static void test_what_contradicts_itself_is_refused_in_words(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autoptr(GError) error = NULL;
		const char *text = refusals[i].text;
		assert_null(whatif_answer("what.json", text, strlen(text), &error));
		assert_non_null(error);
		assert_string_equal(error->message, refusals[i].message);
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

static void test_bytes_that_are_not_utf8_are_refused(void **state)
{
	g_autoptr(GError) error = NULL;
	const char text[] = "{\"landings\":\"\xff\"}";
	assert_null(whatif_answer("what.json", text, sizeof text - 1, &error));
	assert_true(g_str_has_prefix(error->message, "what.json:1:"));
	assert_true(g_utf8_validate(error->message, -1, NULL));
}

static void test_endless_nesting_is_refused(void **state)
{
	g_autofree char *deep = g_strnfill(100000, '[');
	g_autoptr(GError) error = NULL;
	assert_null(whatif_answer("what.json", deep, strlen(deep), &error));
	assert_true(g_str_has_suffix(error->message, "maximum parsing depth reached near '['"));
}

static void test_control_characters_do_not_reach_a_terminal(void **state)
{
	g_autoptr(GError) error = NULL;
	const char text[] = "{\"\x1b[2J";
	assert_null(whatif_answer("what.json", text, sizeof text - 1, &error));
	assert_null(strchr(error->message, '\x1b'));
}

static void test_file_over_the_limit_is_not_read(void **state)
{
	g_autoptr(GError) error = NULL;
	assert_null(whatif_answer("what.json", "", (gsize)WHATIF_MAXIMUM_BYTES + 1, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
}

static void test_item_id_may_have_256_bytes_and_no_more(void **state)
{
	g_autofree char *id = g_strnfill(WHATIF_MAXIMUM_ITEM_BYTES, 'x');
	g_autofree char *fits = g_strdup_printf(LANDING("\"items\":[{\"id\":\"%s\"}]"), id);
	g_autofree char *longer = g_strdup_printf(LANDING("\"items\":[{\"id\":\"%sx\"}]"), id);
	assert_answer(fits, "{\"deployable\":null,\"deployable_all\":[],\"blockers\":[4]}");
	assert_null(whatif_answer("what.json", longer, strlen(longer), NULL));
}

static void test_no_landings_give_no_tip(void **state)
{
	assert_answer(
		"{\"landings\":[]}", "{\"deployable\":null,\"deployable_all\":[],\"blockers\":[]}");
}

static void test_unknown_keys_are_ignored(void **state)
{
	assert_answer("{\"why\":[1],\"landings\":[{\"rev\":4,\"qa\":\"ok\",\"author\":\"x\","
		      "\"items\":[{\"id\":1,\"state\":\"ok\",\"by\":null}]}]}",
		"{\"deployable\":4,\"deployable_all\":[4],\"blockers\":[]}");
}

static void test_number_and_text_name_the_same_item(void **state)
{
	assert_answer("{\"landings\":[{\"rev\":1,\"items\":[{\"id\":7,\"state\":\"bad\"}]},"
		      "{\"rev\":2,\"items\":[{\"id\":\"7\"}],\"rollback_of\":1}]}",
		"{\"deployable\":2,\"deployable_all\":[2],\"blockers\":[]}");
}

static void test_item_listed_twice_with_one_state_counts_once(void **state)
{
	assert_answer(
		LANDING("\"items\":[{\"id\":7,\"state\":\"ok\"},{\"id\":7,\"state\":\"ok\"}]"),
		"{\"deployable\":4,\"deployable_all\":[4],\"blockers\":[]}");
}

static void test_fix_that_names_no_older_landing_neutralises_nothing(void **state)
{
	assert_answer("{\"landings\":[{\"rev\":3,\"qa\":\"ok\",\"fixes\":[1,3,4,9]},"
		      "{\"rev\":4,\"qa\":\"bad\"}]}",
		"{\"deployable\":3,\"deployable_all\":[3],\"blockers\":[4]}");
}

static void test_historic_target_is_allowed(void **state)
{
	assert_answer("{\"landings\":[{\"rev\":10,\"rollback_of\":[0,3]},"
		      "{\"rev\":11,\"rollback_of\":9}]}",
		"{\"deployable\":11,\"deployable_all\":[10,11],\"blockers\":[]}");
}

static void test_greatest_rev_is_read(void **state)
{
	assert_answer("{\"landings\":[{\"rev\":9223372036854775807,\"qa\":\"no-qa\"}],"
		      "\"baseline\":9223372036854775807}",
		"{\"deployable\":9223372036854775807,\"deployable_all\":[9223372036854775807],"
		"\"blockers\":[]}");
}

/* Moves a random member to the end, as often as there are members. */
static void shuffle(json_t *list, GRand *random)
{
	gsize count = json_array_size(list);
	for (gsize left = count; left > 1; left--) {
		gsize at = (gsize)g_rand_int_range(random, 0, (gint32)left);
		json_t *member = json_incref(json_array_get(list, at));
		json_array_remove(list, at);
		json_array_append_new(list, member);
	}
}

static json_t *any_landings(GRand *random)
{
	json_t *landings = json_array();
	static const char *const states[] = {
		"ok", "ok", "ok", "bad", "untestable", "needs-testing"};
	for (int rev = 1; rev <= 30; rev++) {
		json_t *items = json_array();
		for (int i = g_rand_int_range(random, 0, 4); i > 0; i--) {
			const char *state = states[g_rand_int_range(random, 0, 6)];
			json_array_append_new(
				items, json_pack("{s:i,s:s}", "id", i, "state", state));
		}
		json_t *landing = json_pack("{s:i,s:o}", "rev", rev, "items", items);
		if (rev > 1 && g_rand_int_range(random, 0, 3) == 0)
			json_object_set_new(landing, "rollback_of",
				json_pack("[i,i]", g_rand_int_range(random, 1, rev),
					g_rand_int_range(random, 1, rev)));
		json_array_append_new(landings, landing);
	}
	return landings;
}

static void test_shuffled_input_gives_the_same_bytes(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	for (guint round = 0; round < 100; round++) {
		json_t *root = json_pack("{s:o}", "landings", any_landings(random));
		json_t *landings = json_object_get(root, "landings");
		char *text = json_dumps(root, 0);
		g_autofree char *expected = answer_to(text);
		free(text);
		for (guint again = 0; again < 5; again++) {
			shuffle(landings, random);
			for (gsize i = 0; i < json_array_size(landings); i++) {
				json_t *landing = json_array_get(landings, i);
				shuffle(json_object_get(landing, "items"), random);
				shuffle(json_object_get(landing, "rollback_of"), random);
			}
			text = json_dumps(root, 0);
			assert_answer(text, expected);
			free(text);
		}
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_contradicts_itself_is_refused_in_words),
		cmocka_unit_test(test_bytes_that_are_not_utf8_are_refused),
		cmocka_unit_test(test_endless_nesting_is_refused),
		cmocka_unit_test(test_control_characters_do_not_reach_a_terminal),
		cmocka_unit_test(test_file_over_the_limit_is_not_read),
		cmocka_unit_test(test_item_id_may_have_256_bytes_and_no_more),
		cmocka_unit_test(test_no_landings_give_no_tip),
		cmocka_unit_test(test_unknown_keys_are_ignored),
		cmocka_unit_test(test_number_and_text_name_the_same_item),
		cmocka_unit_test(test_item_listed_twice_with_one_state_counts_once),
		cmocka_unit_test(test_fix_that_names_no_older_landing_neutralises_nothing),
		cmocka_unit_test(test_historic_target_is_allowed),
		cmocka_unit_test(test_greatest_rev_is_read),
		cmocka_unit_test(test_shuffled_input_gives_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
