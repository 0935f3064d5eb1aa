/* SPDX-License-Identifier: ISC
 *
 * Whose signature counts: roots, delegated keys, revoked ones, and delegations as text.
 */
#include <string.h>

#include "release/trust.h"
#include "release_bed.h"

enum { NOW = 1000, LATER = 2000 }; /* microseconds since 1970 */

/* Two root keys and two others, with ids that a person can read: 1, 2, 3, 4. */
typedef struct Keys {
	SecretKey *root, *second, *third, *fourth;
	Trust *trust; /* believes in `root` and `second` */
} Keys;

static SecretKey *key_with_id(guint8 number)
{
	g_autoptr(SecretKey) random = secret_key_generate();
	char *text = secret_key_text(random, NULL, NULL, NULL);
	gsize size;
	g_autofree guchar *record = g_base64_decode(strchr(text, '\n') + 1, &size);
	memset(record + 54, 0, KEY_ID_SIZE);
	record[54] = number;
	g_autofree char *base64 = g_base64_encode(record, size);
	g_autofree char *changed = g_strconcat("untrusted comment: x\n", base64, "\n", NULL);
	secret_key_text_free(text);
	return secret_key_parse("test", changed, strlen(changed), NULL, NULL);
}

static const KeyId *id_of(const SecretKey *key)
{
	return &secret_key_public(key)->id;
}

static int make_keys(void **state)
{
	Keys *keys = g_new0(Keys, 1);
	keys->root = key_with_id(1);
	keys->second = key_with_id(2);
	keys->third = key_with_id(3);
	keys->fourth = key_with_id(4);
	keys->trust = trust_new("web");
	*state = keys;
	return trust_add_root(keys->trust, secret_key_public(keys->root), NULL) &&
			       trust_add_root(keys->trust, secret_key_public(keys->second), NULL)
		       ? 0
		       : 1;
}

static int remove_keys(void **state)
{
	Keys *keys = *state;
	secret_key_free(keys->root);
	secret_key_free(keys->second);
	secret_key_free(keys->third);
	secret_key_free(keys->fourth);
	trust_free(keys->trust);
	g_free(keys);
	return 0;
}

static Delegation *delegation_of(const char *product, gint64 serial)
{
	Delegation *delegation = delegation_new(product);
	delegation->serial = serial;
	return delegation;
}

static gboolean take(Trust *trust, Delegation *delegation, const SecretKey *signer, GError **error)
{
	g_autofree char *text = delegation_text(delegation, NULL);
	assert_non_null(text);
	g_autoptr(Signature) signature = signature_make(signer, text, strlen(text), "x");
	return trust_take_delegation(trust, "delegation", text, strlen(text), signature, error);
}

/* The third key may sign the index, and the fourth releases, until LATER. */
static void delegate_usual(Keys *keys, gint64 serial)
{
	g_autoptr(Delegation) delegation = delegation_of("web", serial);
	delegation_add(delegation, TRUST_USE_INDEX, secret_key_public(keys->third), LATER);
	delegation_add(delegation, TRUST_USE_RELEASE, secret_key_public(keys->fourth), LATER);
	assert_true(take(keys->trust, delegation, keys->root, NULL));
}

static void revoke_by(Keys *keys, const SecretKey *revoked, const SecretKey *signer)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(KeyId));
	revoked_add(list, id_of(revoked));
	trust_take_revoked(keys->trust, list, id_of(signer));
}

/* Who may sign what ---------------------------------------------------------------------------- */

static void test_root_key_may_sign_everything(void **state)
{
	Keys *keys = *state;
	for (int use = TRUST_USE_RELEASE; use <= TRUST_USE_DELEGATION; use++) {
		const PublicKey *key =
			trust_key(keys->trust, (TrustUse)use, id_of(keys->second), NOW, NULL);
		assert_true(public_key_equal(key, secret_key_public(keys->second)));
	}
}

static void test_delegated_keys_by_use_and_time(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 1);
	const struct {
		const SecretKey *key;
		TrustUse use;
		gint64 now_us;
		const char *refusal; /* NULL: it may */
	} CASES[] = {
		{keys->third, TRUST_USE_INDEX, NOW, NULL},
		{keys->third, TRUST_USE_INDEX, LATER - 1, NULL},
		{keys->third, TRUST_USE_INDEX, LATER, "until 1970-01-01T00:00:00.002Z"},
		{keys->third, TRUST_USE_RELEASE, NOW, "may sign the index, not releases"},
		{keys->third, TRUST_USE_DELEGATION, NOW, "may sign the index, not delegations"},
		{keys->fourth, TRUST_USE_RELEASE, NOW, NULL},
		{keys->fourth, TRUST_USE_RELEASE, LATER + 1, "until 1970-01-01T00:00:00.002Z"},
		{keys->fourth, TRUST_USE_INDEX, NOW, "may sign releases, not the index"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		const PublicKey *key = trust_key(
			keys->trust, CASES[i].use, id_of(CASES[i].key), CASES[i].now_us, &error);
		assert_int_equal(key != NULL, CASES[i].refusal == NULL);
		if (CASES[i].refusal != NULL)
			assert_error(&error, DROVER_ERROR_DENIED, CASES[i].refusal);
	}
}

static void test_one_key_may_be_delegated_for_both(void **state)
{
	Keys *keys = *state;
	g_autoptr(Delegation) delegation = delegation_of("web", 1);
	delegation_add(delegation, TRUST_USE_INDEX, secret_key_public(keys->third), LATER);
	delegation_add(delegation, TRUST_USE_RELEASE, secret_key_public(keys->third), LATER + 5);
	assert_true(take(keys->trust, delegation, keys->root, NULL));
	const KeyId *id = id_of(keys->third);
	assert_non_null(trust_key(keys->trust, TRUST_USE_INDEX, id, NOW, NULL));
	assert_non_null(trust_key(keys->trust, TRUST_USE_RELEASE, id, LATER, NULL));
	assert_null(trust_key(keys->trust, TRUST_USE_INDEX, id, LATER, NULL));
}

static void test_unknown_key_is_not_trusted(void **state)
{
	Keys *keys = *state;
	g_autoptr(GError) error = NULL;
	assert_null(trust_key(keys->trust, TRUST_USE_RELEASE, id_of(keys->third), NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "0000000000000003 is not trusted");
}

static void test_two_roots_of_one_id_are_refused(void **state)
{
	Keys *keys = *state;
	g_autoptr(SecretKey) other = key_with_id(1);
	g_autoptr(GError) error = NULL;
	assert_true(trust_add_root(keys->trust, secret_key_public(keys->root), &error));
	assert_false(trust_add_root(keys->trust, secret_key_public(other), &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "0000000000000001");
}

static void test_root_keys_up_to_the_limit(void **state)
{
	g_autoptr(Trust) trust = trust_new("web");
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < TRUST_MAXIMUM_KEYS; i++) {
		g_autoptr(SecretKey) key = key_with_id((guint8)i);
		assert_true(trust_add_root(trust, secret_key_public(key), &error));
	}
	g_autoptr(SecretKey) more = key_with_id(TRUST_MAXIMUM_KEYS);
	assert_false(trust_add_root(trust, secret_key_public(more), &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "100");
}

static void test_signature_by_a_trusted_key_over_other_bytes_is_refused(void **state)
{
	Keys *keys = *state;
	g_autoptr(Signature) signature = signature_make(keys->root, "abc", 3, "x");
	g_autoptr(GError) error = NULL;
	assert_true(trust_verify(
		keys->trust, TRUST_USE_RELEASE, signature, "manifest", "abc", 3, NOW, &error));
	assert_false(trust_verify(
		keys->trust, TRUST_USE_RELEASE, signature, "manifest", "abd", 3, NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "manifest is not what the key");
	g_autoptr(Signature) strange = signature_make(keys->third, "abc", 3, "x");
	assert_false(trust_verify(
		keys->trust, TRUST_USE_RELEASE, strange, "manifest", "abc", 3, NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "manifest: the key");
}

/* Revoked keys --------------------------------------------------------------------------------- */

static void test_revoked_key_counts_for_nothing(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 1);
	revoke_by(keys, keys->fourth, keys->third);
	g_autoptr(GError) error = NULL;
	assert_null(trust_key(keys->trust, TRUST_USE_RELEASE, id_of(keys->fourth), NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is revoked");
	delegate_usual(keys, 2); /* and is not made good again */
	assert_null(trust_key(keys->trust, TRUST_USE_RELEASE, id_of(keys->fourth), NOW, NULL));
}

static void test_delegated_key_cannot_revoke_a_root_key(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 1);
	revoke_by(keys, keys->root, keys->third);
	assert_non_null(trust_key(keys->trust, TRUST_USE_RELEASE, id_of(keys->root), NOW, NULL));
	revoke_by(keys, keys->root, keys->second);
	assert_null(trust_key(keys->trust, TRUST_USE_RELEASE, id_of(keys->root), NOW, NULL));
}

static void test_what_a_revoked_root_key_delegated_ends_with_it(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 1);
	revoke_by(keys, keys->root, keys->second);
	g_autoptr(GError) error = NULL;
	assert_null(trust_key(keys->trust, TRUST_USE_INDEX, id_of(keys->third), NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "delegated by a root key that is revoked");
	g_autoptr(Delegation) anew = delegation_of("web", 2);
	delegation_add(anew, TRUST_USE_INDEX, secret_key_public(keys->third), LATER);
	assert_false(take(keys->trust, anew, keys->root, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is revoked");
	assert_true(take(keys->trust, anew, keys->second, &error));
	assert_non_null(trust_key(keys->trust, TRUST_USE_INDEX, id_of(keys->third), NOW, NULL));
}

static void test_delegation_revokes_and_expires_no_revocation(void **state)
{
	Keys *keys = *state;
	g_autoptr(Delegation) first = delegation_of("web", 1), next = delegation_of("web", 2);
	delegation_revoke(first, id_of(keys->second));
	delegation_revoke(first, id_of(keys->fourth));
	assert_true(take(keys->trust, first, keys->root, NULL));
	assert_true(take(keys->trust, next, keys->root, NULL));
	assert_true(revoked_has(trust_revoked(keys->trust), id_of(keys->second)));
	assert_true(revoked_has(trust_revoked(keys->trust), id_of(keys->fourth)));
	assert_null(trust_key(keys->trust, TRUST_USE_INDEX, id_of(keys->second), NOW, NULL));
}

static void test_revocations_that_a_host_kept_count(void **state)
{
	Keys *keys = *state;
	trust_add_revoked(keys->trust, id_of(keys->root));
	assert_null(trust_key(keys->trust, TRUST_USE_INDEX, id_of(keys->root), NOW, NULL));
}

/* Delegations ---------------------------------------------------------------------------------- */

static void test_only_a_root_key_delegates(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 1);
	g_autoptr(Delegation) more = delegation_of("web", 2);
	delegation_add(more, TRUST_USE_RELEASE, secret_key_public(keys->third), LATER);
	g_autoptr(GError) error = NULL;
	assert_false(take(keys->trust, more, keys->third, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "may sign the index, not delegations");
	assert_int_equal(trust_serial(keys->trust), 1);
}

static void test_serial_never_falls(void **state)
{
	Keys *keys = *state;
	delegate_usual(keys, 3);
	delegate_usual(keys, 3);
	g_autoptr(Delegation) old = delegation_of("web", 2);
	g_autoptr(GError) error = NULL;
	assert_false(take(keys->trust, old, keys->root, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "serial 2 is old: 3 was seen");
	assert_non_null(trust_key(keys->trust, TRUST_USE_INDEX, id_of(keys->third), NOW, NULL));

	g_autoptr(Trust) started_anew = trust_new("web");
	trust_set_serial(started_anew, 3);
	assert_true(trust_add_root(started_anew, secret_key_public(keys->root), NULL));
	assert_false(take(started_anew, old, keys->root, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "3 was seen");
}

static void test_delegation_of_another_product_is_refused(void **state)
{
	Keys *keys = *state;
	g_autoptr(Delegation) shop = delegation_of("shop", 1);
	g_autoptr(GError) error = NULL;
	assert_false(take(keys->trust, shop, keys->root, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "one of shop, not of web");
}

static void test_id_of_a_root_key_cannot_be_given_to_another(void **state)
{
	Keys *keys = *state;
	g_autoptr(SecretKey) same_id = key_with_id(2);
	g_autoptr(Delegation) delegation = delegation_of("web", 1);
	delegation_add(delegation, TRUST_USE_RELEASE, secret_key_public(same_id), LATER);
	g_autoptr(GError) error = NULL;
	assert_false(take(keys->trust, delegation, keys->root, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "a root key has this id");
}

/* Text ----------------------------------------------------------------------------------------- */

#define HEAD "drover-delegation 1\nproduct web\nserial 3\nissued 2026-11-21T03:47:19Z\n"
#define KEY  "RWTKy1VYWIQUAbWsIBFJtsuRS2+xqJGuTaWAdtLRrBmvw37nYx+KiBTJ"

static void test_delegation_has_one_spelling(void **state)
{
	static const char TEXT[] = HEAD "key release " KEY " 2027-11-21T00:00:00Z\n"
					"key index " KEY " 2027-02-21T00:00:00Z\n"
					"revoked 0000000000000001\n"
					"revoked 0100000000000000\n";
	PublicKey key;
	assert_true(public_key_parse("key", KEY, &key, NULL));
	KeyId one = {{1}}, high = {{0, 0, 0, 0, 0, 0, 0, 1}};
	g_autoptr(Delegation) delegation = delegation_of("web", 3);
	delegation->issued_us = 1795232839000000; /* date -d 2026-11-21T03:47:19Z +%s */
	delegation_revoke(delegation, &high);
	delegation_revoke(delegation, &one);
	delegation_revoke(delegation, &high);
	delegation_add(delegation, TRUST_USE_INDEX, &key, 1803168000000000);   /* 2027-02-21 */
	delegation_add(delegation, TRUST_USE_RELEASE, &key, 1826755200000000); /* 2027-11-21 */
	g_autofree char *text = delegation_text(delegation, NULL);
	assert_string_equal(text, TEXT);
	g_autoptr(Delegation) again = delegation_parse("d", TEXT, strlen(TEXT), NULL);
	g_autofree char *text_again = delegation_text(again, NULL);
	assert_string_equal(text_again, TEXT);
}

static void test_delegations_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"", "d:1: a line is missing"},
		{"drover-index 1\n", "d:1: must be 'drover-delegation' and 1 word"},
		{"drover-delegation 2\n", "d:1: of a format"},
		{"drover-delegation 1\nproduct ../web\n", "d:2: the product's name"},
		{"drover-delegation 1\nproduct web\nserial 0\n", "d:3: the serial"},
		{"drover-delegation 1\nproduct web\nserial 03\nissued 2026-11-21T03:47:19Z\n",
			"d:3: not in the one spelling"},
		{"drover-delegation 1\nproduct web\nserial 3\nissued then\n", "d:4: the instant"},
		{"drover-delegation 1\nproduct web\nserial 3\nissued 2026-11-21\n",
			"d:4: not in the one spelling"},
		{HEAD "\n", "d:5: nothing may follow"},
		{HEAD "key root " KEY " 2027-02-21T00:00:00Z\n", "d:5: a key may sign"},
		{HEAD "key index RWQ= 2027-02-21T00:00:00Z\n", "d:5: no public key"},
		{HEAD "key index " KEY "\n", "d:5: must be 'key' and 3 words"},
		{HEAD "key index " KEY " soon\n", "d:5: the instant"},
		{HEAD "key index " KEY " 2027-02-21T00:00:00Z\n"
		      "key index " KEY " 2028-02-21T00:00:00Z\n",
			"d:6: a key of this id was there before"},
		{HEAD "key index " KEY " 2027-02-21T00:00:00Z\n"
		      "key release " KEY " 2027-02-21T00:00:00Z\n",
			"d:5: not in the one spelling"},
		{HEAD "revoked 1\n", "d:5: must be 'revoked' and a key id"},
		{HEAD "revoked 000000000000000a\n", "d:5: not in the one spelling"},
		{HEAD "revoked 0000000000000002\nrevoked 0000000000000001\n",
			"d:5: not in the one spelling"},
		{HEAD "revoked 0000000000000001\nrevoked 0000000000000001\n",
			"d:6: not in the one spelling"},
		{HEAD "revoked 0000000000000001", "d:5: not in the one spelling"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(delegation_parse("d", CASES[i].text, strlen(CASES[i].text), &error));
		assert_error(&error, DROVER_ERROR_INPUT, CASES[i].says);
	}
}

static void test_delegation_over_its_limits_is_refused(void **state)
{
	g_autofree char *large = g_strnfill(DELEGATION_MAXIMUM_BYTES + 1, 'x');
	g_autoptr(GError) error = NULL;
	assert_null(delegation_parse("d", large, DELEGATION_MAXIMUM_BYTES + 1, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "65536");

	g_autoptr(Delegation) delegation = delegation_of("web", 1);
	for (int i = 0; i < TRUST_MAXIMUM_REVOKED; i++) {
		KeyId id = {{(guint8)i, (guint8)(i >> 8)}};
		delegation_revoke(delegation, &id);
	}
	for (int i = 0; i <= TRUST_MAXIMUM_KEYS; i++) {
		g_autofree char *text = delegation_text(delegation, &error);
		assert_non_null(text);
		if (i == TRUST_MAXIMUM_KEYS)
			break;
		g_autoptr(SecretKey) key = key_with_id((guint8)i);
		delegation_add(delegation, TRUST_USE_INDEX, secret_key_public(key), LATER);
	}
	KeyId more_revoked = {{255, 255}};
	delegation_revoke(delegation, &more_revoked);
	assert_null(delegation_text(delegation, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "more revoked keys");
	g_array_set_size(delegation->revoked, 0);
	g_autoptr(SecretKey) more = key_with_id(TRUST_MAXIMUM_KEYS);
	delegation_add(delegation, TRUST_USE_INDEX, secret_key_public(more), LATER);
	assert_null(delegation_text(delegation, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "more keys");
}

#define KEYS_TEST(name) cmocka_unit_test_setup_teardown(name, make_keys, remove_keys)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS_TEST(test_root_key_may_sign_everything),
		KEYS_TEST(test_delegated_keys_by_use_and_time),
		KEYS_TEST(test_one_key_may_be_delegated_for_both),
		KEYS_TEST(test_unknown_key_is_not_trusted),
		KEYS_TEST(test_two_roots_of_one_id_are_refused),
		KEYS_TEST(test_root_keys_up_to_the_limit),
		KEYS_TEST(test_signature_by_a_trusted_key_over_other_bytes_is_refused),
		KEYS_TEST(test_revoked_key_counts_for_nothing),
		KEYS_TEST(test_delegated_key_cannot_revoke_a_root_key),
		KEYS_TEST(test_what_a_revoked_root_key_delegated_ends_with_it),
		KEYS_TEST(test_delegation_revokes_and_expires_no_revocation),
		KEYS_TEST(test_revocations_that_a_host_kept_count),
		KEYS_TEST(test_only_a_root_key_delegates),
		KEYS_TEST(test_serial_never_falls),
		KEYS_TEST(test_delegation_of_another_product_is_refused),
		KEYS_TEST(test_id_of_a_root_key_cannot_be_given_to_another),
		cmocka_unit_test(test_delegation_has_one_spelling),
		cmocka_unit_test(test_delegations_that_are_none_are_refused),
		cmocka_unit_test(test_delegation_over_its_limits_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
