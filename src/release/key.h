/* SPDX-License-Identifier: ISC
 *
 * Ed25519 keys in minisign's files (docs/keys.md, "Keys"; docs/decisions/minisign-format.md).
 * signify reads the public ones too, and its own are read here. A secret key is locked in memory
 * and wiped when it is freed; its file may be read by its owner alone.
 */
#ifndef RELEASE_KEY_H
#define RELEASE_KEY_H

#include <sodium.h>
#include "base/error.h"

#define KEY_MAXIMUM_FILE_BYTES	   4096
#define KEY_MAXIMUM_COMMENT_BYTES  1023 /* the first line of a key or signature */
#define KEY_MAXIMUM_PASSWORD_BYTES 1024
/* What a secret key's file may ask of scrypt: what minisign asks. */
#define KEY_MAXIMUM_OPERATIONS	 33554432
#define KEY_MAXIMUM_MEMORY_BYTES 1073741824

enum {
	KEY_ID_SIZE = 8,
	KEY_ID_TEXT = 2 * KEY_ID_SIZE + 1, /* an array for the digits and the NUL */
	PUBLIC_KEY_TEXT = 57,		   /* for 42 bytes as base64 and the NUL */
};

/* Eight random bytes that name a key. */
typedef struct KeyId {
	guint8 bytes[KEY_ID_SIZE];
} KeyId;

typedef struct PublicKey {
	KeyId id;
	guint8 point[crypto_sign_PUBLICKEYBYTES];
} PublicKey;

typedef struct SecretKey SecretKey;

/* What a password costs him who tries them all. */
typedef struct KeyCost {
	guint64 operations, memory_bytes;
} KeyCost;
#define KEY_COST_USUAL ((KeyCost){KEY_MAXIMUM_OPERATIONS, KEY_MAXIMUM_MEMORY_BYTES})

/* 16 capital hexadecimal digits, as minisign shows them, with the zeros that it leaves out. */
void key_id_text(const KeyId *id, char text[KEY_ID_TEXT]);
/* Small digits are read too, but not less than 16. Fails with DROVER_ERROR_INPUT. */
gboolean key_id_parse(const char *text, KeyId *id, GError **error);
gboolean key_id_equal(const KeyId *a, const KeyId *b);

/* One line, "RWT…", as `minisign -P` takes it. */
void public_key_text(const PublicKey *key, char text[PUBLIC_KEY_TEXT]);
/* `what` names it in the error. Fails with DROVER_ERROR_INPUT. */
gboolean public_key_parse(const char *what, const char *text, PublicKey *key, GError **error);
/* The same key, whatever it is called. */
gboolean public_key_equal(const PublicKey *a, const PublicKey *b);

/* A file: a comment and the line. Caller frees. */
char *public_key_file_text(const PublicKey *key);
/* A file, or the line alone. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. */
gboolean public_key_file_parse(
	const char *name, const char *text, gsize size_bytes, PublicKey *key, GError **error);
gboolean public_key_load(const char *path, PublicKey *key, GError **error);

/* Out of the system's random numbers. */
SecretKey *secret_key_generate(void);
/* Wipes it. NULL is allowed. */
void secret_key_free(SecretKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretKey, secret_key_free)
const PublicKey *secret_key_public(const SecretKey *key);
void secret_key_sign(const SecretKey *key, const void *bytes, gsize size_bytes,
	guint8 signature[crypto_sign_BYTES]);

/* The text of a file; `password` NULL: without one. Fails with DROVER_ERROR_INTERNAL when there is
 * not enough memory for `cost`. Free with secret_key_text_free(). */
char *secret_key_text(
	const SecretKey *key, const char *password, const KeyCost *cost, GError **error);
/* Wipes it. NULL is allowed. */
void secret_key_text_free(char *text);

/* TRUE when the text reads as a secret key that needs a password. */
gboolean secret_key_text_is_locked(const char *text, gsize size_bytes);
/* `password` is not looked at when the key has none. Fails with DROVER_ERROR_INPUT,
 * DROVER_ERROR_TOO_LARGE, with DROVER_ERROR_DENIED for a missing or wrong password. */
SecretKey *secret_key_parse(
	const char *name, const char *text, gsize size_bytes, const char *password, GError **error);

/* Makes the file with mode 0600. Fails with DROVER_ERROR_CONFLICT when there is one: keys are never
 * written over. */
gboolean secret_key_save(const char *path, const char *text, GError **error);
/* The text of a key's file. Fails with DROVER_ERROR_DENIED when somebody else may read it: another
 * owner than root and ourselves, or a mode that lets group or others. Free with
 * secret_key_text_free(). */
char *secret_key_read(const char *path, gsize *size_bytes, GError **error);

#endif
