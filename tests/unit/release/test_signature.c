/* SPDX-License-Identifier: ISC
 *
 * Signatures: those of minisign and signify verified, ours in their spelling, each changed byte
 * found.
 */
#include <string.h>

#include "release/signature.h"
#include "release_bed.h"
#include "samples.h"

static PublicKey read_public(const char *text)
{
	PublicKey key;
	assert_true(public_key_file_parse("k.pub", text, strlen(text), &key, NULL));
	return key;
}

static Signature *read_signature(const char *text, GError **error)
{
	return signature_parse("m.minisig", text, strlen(text), error);
}

static gboolean verifies(
	const char *signature_text, const char *key_text, const char *message, GError **error)
{
	g_autoptr(Signature) signature = read_signature(signature_text, error);
	assert_non_null(signature);
	PublicKey key = read_public(key_text);
	return signature_verify(signature, &key, "m", message, strlen(message), error);
}

static void test_signatures_of_the_tools_verify(void **state)
{
	assert_true(verifies(SAMPLE_PLAIN, SAMPLE_PUBLIC, SAMPLE_MESSAGE, NULL));
	assert_true(verifies(SAMPLE_PREHASHED, SAMPLE_PUBLIC, SAMPLE_MESSAGE, NULL));
	assert_true(
		verifies(SAMPLE_SIGNIFY_SIGNATURE, SAMPLE_SIGNIFY_PUBLIC, SAMPLE_MESSAGE, NULL));
}

static void test_signature_is_read_whole(void **state)
{
	g_autoptr(Signature) plain = read_signature(SAMPLE_PLAIN, NULL);
	assert_false(plain->is_prehashed);
	assert_string_equal(plain->untrusted_comment, "untrusted words");
	assert_string_equal(plain->trusted_comment, SAMPLE_COMMENT);
	char id[KEY_ID_TEXT];
	key_id_text(&plain->key, id);
	assert_string_equal(id, SAMPLE_ID);
	g_autoptr(Signature) prehashed = read_signature(SAMPLE_PREHASHED, NULL);
	assert_true(prehashed->is_prehashed);
	g_autoptr(Signature) signify = read_signature(SAMPLE_SIGNIFY_SIGNATURE, NULL);
	assert_null(signify->trusted_comment);
}

static void test_signature_is_written_as_it_was_read(void **state)
{
	static const char *const TEXTS[] = {
		SAMPLE_PLAIN, SAMPLE_PREHASHED, SAMPLE_SIGNIFY_SIGNATURE};
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autoptr(Signature) signature = read_signature(TEXTS[i], NULL);
		g_autofree char *text = signature_text(signature);
		assert_string_equal(text, TEXTS[i]);
	}
}

/* Ed25519 has no randomness: the same key, bytes and comment give the same signature as minisign's.
 */
static void test_signature_we_make_is_minisigns(void **state)
{
	g_autoptr(SecretKey) key =
		secret_key_parse("k.key", SAMPLE_SECRET, strlen(SAMPLE_SECRET), NULL, NULL);
	g_autoptr(Signature) ours =
		signature_make(key, SAMPLE_MESSAGE, strlen(SAMPLE_MESSAGE), SAMPLE_COMMENT);
	g_autofree char *text = signature_text(ours);
	assert_string_equal(strchr(text, '\n'), strchr(SAMPLE_PLAIN, '\n'));
}

static void test_other_bytes_or_another_key_do_not_verify(void **state)
{
	g_autoptr(GError) error = NULL;
	static const char *const TEXTS[] = {SAMPLE_PLAIN, SAMPLE_PREHASHED};
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		assert_false(verifies(TEXTS[i], SAMPLE_PUBLIC, "drover", &error));
		assert_error(&error, DROVER_ERROR_DENIED, "m is not what the key " SAMPLE_ID);
		assert_false(verifies(TEXTS[i], SAMPLE_LOCKED_PUBLIC, SAMPLE_MESSAGE, &error));
		assert_error(&error, DROVER_ERROR_DENIED,
			"signed by the key " SAMPLE_ID ", not by 1707001B96657A0F");
	}
}

static void test_changed_trusted_comment_does_not_verify(void **state)
{
	g_autoptr(Signature) signature = read_signature(SAMPLE_PLAIN, NULL);
	PublicKey key = read_public(SAMPLE_PUBLIC);
	g_free(signature->trusted_comment);
	signature->trusted_comment = g_strdup("drover release product=web version=1.4.3");
	g_autoptr(GError) error = NULL;
	assert_false(signature_verify(
		signature, &key, "m", SAMPLE_MESSAGE, strlen(SAMPLE_MESSAGE), &error));
	assert_error(&error, DROVER_ERROR_DENIED, "the trusted comment");
}

static void test_comment_of_another_signature_does_not_fit(void **state)
{
	g_autoptr(Signature) plain = read_signature(SAMPLE_PLAIN, NULL);
	g_autoptr(Signature) prehashed = read_signature(SAMPLE_PREHASHED, NULL);
	PublicKey key = read_public(SAMPLE_PUBLIC);
	memcpy(plain->comment_bytes, prehashed->comment_bytes, sizeof plain->comment_bytes);
	g_autoptr(GError) error = NULL;
	assert_false(
		signature_verify(plain, &key, "m", SAMPLE_MESSAGE, strlen(SAMPLE_MESSAGE), &error));
	assert_error(&error, DROVER_ERROR_DENIED, "the trusted comment");
}

/* Every change of one bit makes the text unreadable or the signature false, but in the untrusted
 * comment. */
static void test_each_changed_bit_is_found(void **state)
{
	PublicKey key = read_public(SAMPLE_PUBLIC);
	gsize untrusted = strlen("untrusted comment: untrusted words");
	g_autofree char *text = g_strdup(SAMPLE_PLAIN);
	for (gsize i = untrusted; i + 1 < strlen(SAMPLE_PLAIN); i++) {
		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(SAMPLE_PLAIN[i] ^ (1 << bit));
			g_autoptr(Signature) signature =
				signature_parse("m", text, strlen(SAMPLE_PLAIN), NULL);
			assert_false(signature != NULL &&
				     signature_verify(signature, &key, "m", SAMPLE_MESSAGE,
					     strlen(SAMPLE_MESSAGE), NULL));
		}
		text[i] = SAMPLE_PLAIN[i];
	}
}

static void test_cut_off_anywhere_it_does_not_count_as_four_lines(void **state)
{
	for (gsize size = 0; size + 1 < strlen(SAMPLE_PLAIN); size++) {
		g_autoptr(Signature) signature = signature_parse("m", SAMPLE_PLAIN, size, NULL);
		assert_true(signature == NULL || signature->trusted_comment == NULL);
	}
	g_autoptr(Signature) without_newline =
		signature_parse("m", SAMPLE_PLAIN, strlen(SAMPLE_PLAIN) - 1, NULL);
	assert_non_null(without_newline->trusted_comment);
}

static void test_texts_that_are_no_signature_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"", "m.minisig:1: a line is missing"},
		{SAMPLE_PLAIN "x", "m.minisig:5: nothing may follow"},
		{SAMPLE_PLAIN "\n", "m.minisig:5: nothing may follow"},
		{SAMPLE_PUBLIC, "m.minisig:2: must be 74 bytes"},
		{SAMPLE_SIGNIFY_SIGNATURE "\n", "m.minisig:3: must begin with"},
		{SAMPLE_SIGNIFY_SIGNATURE "trusted comment: x\n", "m.minisig:4: a line is missing"},
		{SAMPLE_SIGNIFY_SIGNATURE "trusted comment: x\r\n", "m.minisig:3: the comment"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(read_signature(CASES[i].text, &error));
		assert_error(&error, DROVER_ERROR_INPUT, CASES[i].says);
	}
}

static void test_trusted_comment_may_be_as_long_as_the_limit(void **state)
{
	g_autoptr(SecretKey) key = secret_key_generate();
	g_autofree char *longest = g_strnfill(SIGNATURE_MAXIMUM_COMMENT_BYTES, 'x');
	g_autoptr(Signature) signature = signature_make(key, "a", 1, longest);
	g_autofree char *text = signature_text(signature);
	g_autoptr(Signature) again = read_signature(text, NULL);
	assert_non_null(again);
	g_free(signature->trusted_comment);
	signature->trusted_comment = g_strnfill(SIGNATURE_MAXIMUM_COMMENT_BYTES + 1, 'x');
	g_autofree char *longer = signature_text(signature);
	g_autoptr(GError) error = NULL;
	assert_null(read_signature(longer, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "at most 8191 bytes");
}

static void test_signature_over_its_limit_is_refused(void **state)
{
	g_autofree char *text = g_strnfill(SIGNATURE_MAXIMUM_BYTES + 1, 'x');
	g_autoptr(GError) error = NULL;
	assert_null(read_signature(text, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "10240");
}

static void test_comment_names_kind_product_and_version(void **state)
{
	g_autoptr(Signature) plain = read_signature(SAMPLE_PLAIN, NULL);
	g_autoptr(Signature) signify = read_signature(SAMPLE_SIGNIFY_SIGNATURE, NULL);
	g_autoptr(GError) error = NULL;
	assert_true(signature_is_about(plain, "release", "web", "1.4.2", &error));
	assert_false(signature_is_about(plain, "release", "web", "1.4.3", &error));
	assert_error(&error, DROVER_ERROR_DENIED, "product=web version=1.4.2");
	assert_false(signature_is_about(plain, "release", "shop", "1.4.2", &error));
	assert_error(&error, DROVER_ERROR_DENIED, "product=shop");
	assert_false(signature_is_about(plain, "index", "web", "1.4.2", &error));
	assert_error(&error, DROVER_ERROR_DENIED, "drover index");
	assert_false(signature_is_about(signify, "release", "web", "1.4.2", &error));
	assert_error(&error, DROVER_ERROR_DENIED, "about \"nothing\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_of_the_tools_verify),
		cmocka_unit_test(test_signature_is_read_whole),
		cmocka_unit_test(test_signature_is_written_as_it_was_read),
		cmocka_unit_test(test_signature_we_make_is_minisigns),
		cmocka_unit_test(test_other_bytes_or_another_key_do_not_verify),
		cmocka_unit_test(test_changed_trusted_comment_does_not_verify),
		cmocka_unit_test(test_comment_of_another_signature_does_not_fit),
		cmocka_unit_test(test_each_changed_bit_is_found),
		cmocka_unit_test(test_cut_off_anywhere_it_does_not_count_as_four_lines),
		cmocka_unit_test(test_texts_that_are_no_signature_are_refused),
		cmocka_unit_test(test_trusted_comment_may_be_as_long_as_the_limit),
		cmocka_unit_test(test_signature_over_its_limit_is_refused),
		cmocka_unit_test(test_comment_names_kind_product_and_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
