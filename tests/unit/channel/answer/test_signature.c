/* SPDX-License-Identifier: ISC
 *
 * Signatures against RFC 8032's first test vector, and keys that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "channel/answer/signature.h"

/* RFC 8032, 7.1, TEST 1: the seed, its public key, and the signature of the empty message. */
static const char seed[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
static const char public[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char signature[] = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVf"
				"uIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";

static void test_a_key_signs_as_the_standard_says(void **state)
{
	AnswerKey key;
	assert_true(answer_key_read(seed, &key, NULL));
	g_autofree char *told = answer_key_public(&key);
	g_autofree char *signed_ = answer_key_sign(&key, "", 0);
	g_autofree char *expected = g_strdup_printf("keyid=%s; ed25519=%s", key.id, signature);
	assert_string_equal(told, public);
	assert_string_equal(key.id, "21fe31dfa154a261");
	assert_string_equal(signed_, expected);
}

static void test_another_body_has_another_signature(void **state)
{
	AnswerKey key;
	assert_true(answer_key_read(seed, &key, NULL));
	g_autofree char *one = answer_key_sign(&key, "a", 1);
	g_autofree char *other = answer_key_sign(&key, "b", 1);
	assert_string_not_equal(one, other);
}

static void test_what_is_no_key_is_refused(void **state)
{
	static const char *const wrong[] = {"", "x", "nWGxne",
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2Ax",
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		AnswerKey key;
		assert_false(answer_key_read(wrong[i], &key, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_signs_as_the_standard_says),
		cmocka_unit_test(test_another_body_has_another_signature),
		cmocka_unit_test(test_what_is_no_key_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
