/* SPDX-License-Identifier: ISC
 *
 * Landings as JSON from anyone: an answer or an error that can be shown, never both.
 */
#include <stdint.h>

#include "landing/whatif.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
	g_autoptr(GError) error = NULL;
	json_t *answer = whatif_answer("fuzz.json", (const char *)bytes, size_bytes, &error);
	g_assert((answer == NULL) == (error != NULL));
	if (error != NULL)
		g_assert(g_utf8_validate(error->message, -1, NULL));
	json_decref(answer);
	return 0;
}
