/* SPDX-License-Identifier: ISC
 *
 * Signed answers: a detached Ed25519 signature of the body, in the head. It proves that the body
 * came from who has the key, not that it is the newest, nor to which query. Pure.
 *
 * docs/answers.md, "Signed answers"
 */
#ifndef CHANNEL_ANSWER_SIGNATURE_H
#define CHANNEL_ANSWER_SIGNATURE_H

#include <glib.h>
#include <sodium.h>

#include "base/error.h"

typedef struct AnswerKey {
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
	char id[17]; /* the first 8 bytes of SHA-256 of the public key, in hexadecimal digits */
} AnswerKey;

/* `text`: 32 bytes of good chance in base64, the seed of the key. Fails with DROVER_ERROR_INPUT. */
gboolean answer_key_read(const char *text, AnswerKey *key, GError **error);
/* The public key in base64. Caller frees. */
char *answer_key_public(const AnswerKey *key);
/* "keyid=…; ed25519=BASE64". Caller frees. */
char *answer_key_sign(const AnswerKey *key, const char *body, gsize body_bytes);

#endif
