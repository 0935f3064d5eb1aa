/* SPDX-License-Identifier: ISC
 *
 * A text and its signature in one file: joined, split, and refused when anything is missing.
 */
#include "release/signed_text.h"
#include "release_bed.h"
#include "samples.h"

static Signature *split(const char *bytes, char **text, GError **error)
{
	gsize size;
	Signature *signature = signed_text_split("index", bytes, strlen(bytes), text, &size, error);
	if (signature != NULL)
		assert_int_equal(size, strlen(*text));
	return signature;
}

static void test_what_was_joined_is_split_into_the_same(void **state)
{
	g_autoptr(Signature) signature =
		signature_parse("m", SAMPLE_PLAIN, strlen(SAMPLE_PLAIN), NULL);
	g_autofree char *both = signed_text_join(SAMPLE_MESSAGE, signature);
	assert_string_equal(both, SAMPLE_MESSAGE SAMPLE_PLAIN);
	g_autofree char *text = NULL;
	g_autoptr(Signature) again = split(both, &text, NULL);
	assert_string_equal(text, SAMPLE_MESSAGE);
	g_autofree char *lines = signature_text(again);
	assert_string_equal(lines, SAMPLE_PLAIN);
}

static void test_a_text_that_looks_like_a_signature_is_still_the_text(void **state)
{
	g_autofree char *text = NULL;
	g_autoptr(Signature) signature = split(SAMPLE_PLAIN SAMPLE_PLAIN, &text, NULL);
	assert_non_null(signature);
	assert_string_equal(text, SAMPLE_PLAIN);
}

static void assert_refused(const char *bytes, const char *part)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	assert_null(split(bytes, &text, &error));
	assert_null(text);
	assert_error(&error, DROVER_ERROR_INPUT, part);
}

static void test_what_is_no_text_with_a_signature_is_refused(void **state)
{
	assert_refused("", "cut off");
	assert_refused("\n", "cut off");
	assert_refused("a\nb\nc\nd\n", "cut off");
	assert_refused("a\nb\nc\nd\ne\n", "the signature at the end of index:1");
	assert_refused(SAMPLE_PLAIN, "cut off");
	/* signify's two lines vouch for no product. */
	assert_refused("a\nb\nc\n" SAMPLE_SIGNIFY_SIGNATURE, "the signature at the end of index:1");
}

static void test_no_beginning_of_a_good_file_is_taken(void **state)
{
	const char *whole = "a\nb\n" SAMPLE_PLAIN;
	for (gsize size = 0; size < strlen(whole); size++) {
		g_autofree char *part = g_strndup(whole, size);
		g_autofree char *text = NULL;
		assert_null(split(part, &text, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_joined_is_split_into_the_same),
		cmocka_unit_test(test_a_text_that_looks_like_a_signature_is_still_the_text),
		cmocka_unit_test(test_what_is_no_text_with_a_signature_is_refused),
		cmocka_unit_test(test_no_beginning_of_a_good_file_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
