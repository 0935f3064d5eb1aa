/* SPDX-License-Identifier: ISC
 *
 * Secrets, digests and passwords.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void test_secrets_are_url_safe_and_never_repeat(void **state)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < 1000; i++) {
		char *secret = secret_new("drt_");
		assert_true(g_str_has_prefix(secret, "drt_"));
		assert_int_equal(strlen(secret), 4 + 43); /* 32 bytes are 43 letters of base 64 */
		assert_int_equal(strspn(secret + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						    "abcdefghijklmnopqrstuvwxyz0123456789-_"),
			43);
		assert_true(g_hash_table_add(seen, secret));
	}
}

static void test_digest_is_sha256(void **state)
{
	g_autofree char *digest = secret_digest("abc"); /* the first example of FIPS 180-2 */
	assert_string_equal(
		digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_equal_compares_the_whole(void **state)
{
	assert_true(secret_equal("abc", "abc"));
	assert_true(secret_equal("", ""));
	assert_false(secret_equal("abc", "abd"));
	assert_false(secret_equal("abc", "xbc"));
	assert_false(secret_equal("abc", "ab"));
	assert_false(secret_equal("", "a"));
}

static void test_password_is_known_again_and_no_other(void **state)
{
	g_autofree char *hash = password_hash("correct horse", NULL);
	g_autofree char *again = password_hash("correct horse", NULL);
	assert_true(g_str_has_prefix(hash, "$argon2id$"));
	assert_string_not_equal(hash, again); /* salted */
	assert_true(password_matches(hash, "correct horse"));
	assert_true(password_matches(again, "correct horse"));
	assert_false(password_matches(hash, "correct Horse"));
	assert_false(password_matches(hash, ""));
}

static void test_no_hash_or_a_broken_one_matches_nothing(void **state)
{
	assert_false(password_matches(NULL, "correct horse"));
	assert_false(password_matches(NULL, ""));
	assert_false(password_matches("", "correct horse"));
	assert_false(password_matches("$argon2id$v=19$broken", "correct horse"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_url_safe_and_never_repeat),
		cmocka_unit_test(test_digest_is_sha256),
		cmocka_unit_test(test_equal_compares_the_whole),
		cmocka_unit_test(test_password_is_known_again_and_no_other),
		cmocka_unit_test(test_no_hash_or_a_broken_one_matches_nothing),
	};
	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
