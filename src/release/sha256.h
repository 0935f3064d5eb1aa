/* SPDX-License-Identifier: ISC
 *
 * SHA-256 as this room writes it: small hexadecimal digits. Of files and streams: bytes go in as
 * they come by.
 */
#ifndef RELEASE_SHA256_H
#define RELEASE_SHA256_H

#include <glib.h>
#include <openssl/sha.h>

/* An array for the digits and the NUL. */
enum { SHA256_HEX = 2 * SHA256_DIGEST_LENGTH + 1 };

/* A value: copy it to go on from here twice. */
typedef SHA256_CTX Sha256;

void sha256_init(Sha256 *state);
void sha256_update(Sha256 *state, const void *bytes, gsize size_bytes);
void sha256_finish(Sha256 *state, char hex[SHA256_HEX]);

/* Exactly as many small hexadecimal digits as there must be. */
gboolean sha256_is_hex(const char *text);

#endif
