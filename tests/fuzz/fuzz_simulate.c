/* SPDX-License-Identifier: ISC
 *
 * Pools and events as JSON from anyone: states or an error that can be shown, never both.
 */
#include <stdint.h>

#include "balance/simulate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	json_t *answer = simulate_answer("f", (const char *)bytes, size, warnings, &error);
	g_assert((answer == NULL) == (error != NULL));
	if (error != NULL) {
		g_assert(g_utf8_validate(error->message, -1, NULL));
	} else {
		g_autofree char *text = simulate_text(answer);
		g_assert(g_utf8_validate(text, -1, NULL));
	}
	json_decref(answer);
	return 0;
}
