/* SPDX-License-Identifier: ISC
 *
 * A signature's file from anyone: what parses is written as it was, but for the newline that its
 * last line may lack, and verifies nothing.
 */
#include <stdint.h>
#include <string.h>

#include "release/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* A key that nobody has the secret of: the base point of the curve. */
	static const PublicKey NOBODY = {
		.point = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66}};
	g_autoptr(GError) error = NULL;
	g_autoptr(Signature) signature = signature_parse("fuzz", (const char *)bytes, size, &error);
	g_assert((signature == NULL) == (error != NULL));
	if (signature == NULL)
		return 0;
	g_autofree char *text = signature_text(signature);
	gsize length = strlen(text);
	g_assert(length == size || length == size + 1);
	g_assert(memcmp(text, bytes, size) == 0);
	PublicKey key = NOBODY;
	key.id = signature->key;
	g_assert(!signature_verify(signature, &key, "fuzz", "fuzz", 4, NULL));
	signature_is_about(signature, "release", "web", "1", NULL);
	return 0;
}
