/* SPDX-License-Identifier: ISC
 *
 * Random secrets, digests and password hashes, all by libsodium and GLib.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <glib.h>

/* `prefix` and 32 random bytes as URL-safe text: "drt_3q2-…". Caller frees. */
char *secret_new(const char *prefix);
/* SHA-256 of a text, hex in lower case: what is stored instead of a token. Caller frees. */
char *secret_digest(const char *text);
/* Compares in a time that does not depend on where they differ. */
gboolean secret_equal(const char *a, const char *b);
/* Argon2id hash of a password, with its salt and cost. Caller frees. */
char *password_hash(const char *password, GError **error);
/* TRUE when `password` is the one; `hash` NULL costs the same time and is FALSE. */
gboolean password_matches(const char *hash, const char *password);

#endif
