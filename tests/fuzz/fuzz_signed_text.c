/* SPDX-License-Identifier: ISC
 *
 * A text with its signature behind it, from anyone: what is split is all of what came, and what is
 * joined of it is split into the same.
 */
#include <stdint.h>
#include <string.h>

#include "release/signed_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autofree char *text = NULL, *again = NULL;
	gsize text_bytes, again_bytes;
	g_autoptr(Signature) signature =
		signed_text_split("fuzz", (const char *)bytes, size, &text, &text_bytes, NULL);
	if (signature == NULL)
		return 0;
	g_assert(text_bytes < size && text[text_bytes - 1] == '\n' &&
		 memcmp(text, bytes, strlen(text)) == 0);
	/* A text of ours has no NUL. */
	if (strlen(text) != text_bytes)
		return 0;
	g_autofree char *joined = signed_text_join(text, signature);
	g_autoptr(Signature) same =
		signed_text_split("fuzz", joined, strlen(joined), &again, &again_bytes, NULL);
	g_assert(same != NULL && again_bytes == text_bytes && strcmp(again, text) == 0 &&
		 strcmp(same->trusted_comment, signature->trusted_comment) == 0);
	return 0;
}
