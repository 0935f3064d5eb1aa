/* SPDX-License-Identifier: ISC
 *
 * SHA-256 by OpenSSL, which uses what the processor has for it: four times as fast as libsodium's,
 * and reading a tree again is hardly anything else. The newer way of OpenSSL has no state that can
 * be copied as a value; the older one is as good, and only asked not to be taken by newcomers.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "release/sha256.h"

#include <sodium.h>
#include <string.h>

void sha256_init(Sha256 *state)
{
	SHA256_Init(state);
}

void sha256_update(Sha256 *state, const void *bytes, gsize size_bytes)
{
	SHA256_Update(state, bytes, size_bytes);
}

void sha256_finish(Sha256 *state, char hex[SHA256_HEX])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA256_Final(digest, state);
	sodium_bin2hex(hex, SHA256_HEX, digest, sizeof digest);
}

gboolean sha256_is_hex(const char *text)
{
	return strlen(text) == SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == SHA256_HEX - 1;
}
