/* SPDX-License-Identifier: ISC
 *
 * SHA-256 by libsodium.
 */
#include "release/sha256.h"

#include <string.h>

void sha256_init(Sha256 *state)
{
	crypto_hash_sha256_init(state);
}

void sha256_update(Sha256 *state, const void *bytes, gsize size_bytes)
{
	crypto_hash_sha256_update(state, bytes, size_bytes);
}

void sha256_finish(Sha256 *state, char hex[SHA256_HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_final(state, digest);
	sodium_bin2hex(hex, SHA256_HEX, digest, sizeof digest);
}

gboolean sha256_is_hex(const char *text)
{
	return strlen(text) == SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == SHA256_HEX - 1;
}
