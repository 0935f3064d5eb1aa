/* SPDX-License-Identifier: ISC
 *
 * Signing what goes out.
 */
#include "channel/answer/signature.h"

#include <string.h>

gboolean answer_key_read(const char *text, AnswerKey *key, GError **error)
{
	unsigned char seed[crypto_sign_SEEDBYTES], digest[crypto_hash_sha256_BYTES];
	size_t size = 0;
	gboolean is_one = sodium_base642bin(seed, sizeof seed, text, strlen(text), " \t\r\n", &size,
				  NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
			  size == sizeof seed;
	if (is_one) {
		crypto_sign_seed_keypair(key->public, key->secret, seed);
		crypto_hash_sha256(digest, key->public, sizeof key->public);
		sodium_bin2hex(key->id, sizeof key->id, digest, (sizeof key->id - 1) / 2);
	} else {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"a key to sign answers with is 32 bytes in base64: head -c 32 "
			"/dev/urandom | base64");
	}
	sodium_memzero(seed, sizeof seed);
	return is_one;
}

char *answer_key_public(const AnswerKey *key)
{
	return g_base64_encode(key->public, sizeof key->public);
}

char *answer_key_sign(const AnswerKey *key, const char *body, gsize body_bytes)
{
	unsigned char signature[crypto_sign_BYTES];
	crypto_sign_detached(signature, NULL, (const unsigned char *)body, body_bytes, key->secret);
	g_autofree char *text = g_base64_encode(signature, sizeof signature);
	return g_strdup_printf("keyid=%s; ed25519=%s", key->id, text);
}
