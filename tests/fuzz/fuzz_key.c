/* SPDX-License-Identifier: ISC
 *
 * A key's file from anyone, as a public and as a secret key: what parses is the same when it is
 * written and read again, and a secret key signs what its public key verifies. No password is
 * given: what scrypt is asked is checked before.
 */
#include <stdint.h>
#include <string.h>

#include "release/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_public(const char *text, gsize size)
{
	PublicKey key, again;
	if (!public_key_file_parse("fuzz", text, size, &key, NULL))
		return;
	g_autofree char *written = public_key_file_text(&key);
	g_assert(public_key_file_parse("fuzz", written, strlen(written), &again, NULL));
	g_assert(public_key_equal(&key, &again) && key_id_equal(&key.id, &again.id));
}

static void read_secret(const char *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SecretKey) key = secret_key_parse("fuzz", text, size, NULL, &error);
	g_assert((key == NULL) == (error != NULL));
	if (key == NULL)
		return;
	g_assert(!secret_key_text_is_locked(text, size));
	g_autoptr(Signature) signature = signature_make(key, "fuzz", 4, "fuzz");
	g_assert(signature_verify(signature, secret_key_public(key), "fuzz", "fuzz", 4, NULL));
	char *written = secret_key_text(key, NULL, NULL, NULL);
	g_autoptr(SecretKey) again = secret_key_parse("fuzz", written, strlen(written), NULL, NULL);
	g_assert(again != NULL);
	secret_key_text_free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	read_public((const char *)bytes, size);
	read_secret((const char *)bytes, size);
	return 0;
}
