/* SPDX-License-Identifier: ISC
 *
 * Random secrets, digests and password hashes.
 */
#include "base/secret.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"

enum { SECRET_BYTES = 32 };

/* Ours once a process; sodium_init() itself may be called often and from any thread. */
static void sodium_ready(void)
{
	int ready = sodium_init();
	g_assert(ready >= 0);
}

char *secret_new(const char *prefix)
{
	sodium_ready();
	unsigned char bytes[SECRET_BYTES];
	randombytes_buf(bytes, sizeof bytes);
	char text[sodium_base64_ENCODED_LEN(
		SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	sodium_bin2base64(
		text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *secret = g_strconcat(prefix, text, NULL);
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(text, sizeof text);
	return secret;
}

char *secret_digest(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

gboolean secret_equal(const char *a, const char *b)
{
	gsize a_length = strlen(a), b_length = strlen(b);
	return a_length == b_length && sodium_memcmp(a, b, a_length) == 0;
}

char *password_hash(const char *password, GError **error)
{
	sodium_ready();
	char hash[crypto_pwhash_STRBYTES];
	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
		    crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"cannot hash a password: not enough memory (64 MiB are needed)");
		return NULL;
	}
	return g_strdup(hash);
}

/* The hash of a password that nobody has, so that an unknown name costs what a known one does. */
static const char *nobodys_hash(void)
{
	static gsize ready = 0;
	static char hash[crypto_pwhash_STRBYTES];
	if (g_once_init_enter(&ready)) {
		unsigned char bytes[SECRET_BYTES];
		randombytes_buf(bytes, sizeof bytes);
		if (crypto_pwhash_str(hash, (const char *)bytes, sizeof bytes,
			    crypto_pwhash_OPSLIMIT_INTERACTIVE,
			    crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
			hash[0] = '\0'; /* no memory: then checking fails as fast as this did */
		g_once_init_leave(&ready, 1);
	}
	return hash;
}

gboolean password_matches(const char *hash, const char *password)
{
	sodium_ready();
	const char *against = hash != NULL ? hash : nobodys_hash();
	gboolean same = crypto_pwhash_str_verify(against, password, strlen(password)) == 0;
	return hash != NULL && same;
}
