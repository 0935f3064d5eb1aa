/* SPDX-License-Identifier: ISC
 *
 * SHA-256 as this room writes it: small hexadecimal digits. Of files and streams: bytes go in as
 * they come by.
 */
#ifndef RELEASE_SHA256_H
#define RELEASE_SHA256_H

#include <glib.h>
#include <sodium.h>

/* An array for the digits and the NUL. */
enum { SHA256_HEX = 2 * crypto_hash_sha256_BYTES + 1 };

typedef crypto_hash_sha256_state Sha256;

void sha256_init(Sha256 *state);
void sha256_update(Sha256 *state, const void *bytes, gsize size_bytes);
void sha256_finish(Sha256 *state, char hex[SHA256_HEX]);

/* Exactly as many small hexadecimal digits as there must be. */
gboolean sha256_is_hex(const char *text);

#endif
