/* SPDX-License-Identifier: ISC
 *
 * Kept answers: given again for the same path and the same publication, and for nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "programs/droverd/answer_cache.h"

static void keep(AnswerCache *cache, const char *path, guint64 serial, int status)
{
	g_autoptr(HttpAnswer) answer = http_answer_new(status, "text/plain", "body", -1);
	AnswerNote note = {1, 2, 3};
	answer_cache_keep(cache, path, serial, answer, &note);
}

/* 0: nothing is kept. */
static int found(AnswerCache *cache, const char *path, guint64 serial)
{
	AnswerNote note;
	g_autoptr(HttpAnswer) answer = answer_cache_find(cache, path, serial, &note);
	if (answer == NULL)
		return 0;
	assert_int_equal(note.format, 1);
	assert_int_equal(note.outcome, 2);
	assert_int_equal(note.refused, 3);
	assert_int_equal(http_answer_body_bytes(answer), 4);
	return http_answer_status(answer);
}

static void test_what_was_kept_is_given_again(void **state)
{
	AnswerCache *cache = answer_cache_new();
	assert_int_equal(found(cache, "/a", 1), 0);
	keep(cache, "/a", 1, 200);
	assert_int_equal(found(cache, "/a", 1), 200);
	assert_int_equal(found(cache, "/a", 1), 200);
	assert_int_equal(found(cache, "/b", 1), 0);
	answer_cache_free(cache);
}

static void test_what_was_published_before_is_not_given(void **state)
{
	AnswerCache *cache = answer_cache_new();
	keep(cache, "/a", 1, 200);
	assert_int_equal(found(cache, "/a", 2), 0);
	keep(cache, "/a", 2, 404);
	assert_int_equal(found(cache, "/a", 2), 404);
	assert_int_equal(found(cache, "/a", 1), 0);
	answer_cache_free(cache);
}

/* One more than there are places: at least two share one, and the later has it. */
static void test_who_comes_later_takes_the_place(void **state)
{
	AnswerCache *cache = answer_cache_new();
	guint kept = 0;
	for (guint i = 0; i <= ANSWER_CACHE_PLACES_KEPT; i++) {
		g_autofree char *path = g_strdup_printf("/%u", i);
		keep(cache, path, 1, 200);
		assert_int_equal(found(cache, path, 1), 200);
	}
	for (guint i = 0; i <= ANSWER_CACHE_PLACES_KEPT; i++) {
		g_autofree char *path = g_strdup_printf("/%u", i);
		kept += found(cache, path, 1) == 200;
	}
	assert_in_range(kept, 1, ANSWER_CACHE_PLACES_KEPT);
	answer_cache_free(cache);
}

static void test_what_is_too_large_is_not_kept(void **state)
{
	AnswerCache *cache = answer_cache_new();
	g_autofree char *longest = g_strnfill(ANSWER_CACHE_MAXIMUM_PATH_BYTES, 'a');
	g_autofree char *longer = g_strconcat(longest, "a", NULL);
	keep(cache, longest, 1, 200);
	keep(cache, longer, 1, 200);
	assert_int_equal(found(cache, longest, 1), 200);
	assert_int_equal(found(cache, longer, 1), 0);

	AnswerNote note = {0};
	g_autofree char *body = g_strnfill(ANSWER_CACHE_MAXIMUM_BODY_BYTES + 1, 'b');
	g_autoptr(HttpAnswer) largest =
		http_answer_new(200, NULL, body, ANSWER_CACHE_MAXIMUM_BODY_BYTES);
	g_autoptr(HttpAnswer) larger =
		http_answer_new(200, NULL, body, ANSWER_CACHE_MAXIMUM_BODY_BYTES + 1);
	answer_cache_keep(cache, "/largest", 1, largest, &note);
	answer_cache_keep(cache, "/larger", 1, larger, &note);
	g_autoptr(HttpAnswer) first = answer_cache_find(cache, "/largest", 1, &note);
	assert_non_null(first);
	assert_null(answer_cache_find(cache, "/larger", 1, &note));
	answer_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_kept_is_given_again),
		cmocka_unit_test(test_what_was_published_before_is_not_given),
		cmocka_unit_test(test_who_comes_later_takes_the_place),
		cmocka_unit_test(test_what_is_too_large_is_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
