/* SPDX-License-Identifier: ISC
 *
 * Any bytes as JSON: refused with a message in UTF-8, or read, and then what is written reads the
 * same.
 */
#include <string.h>

#include "wire/json.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = json_read("fuzz", (const char *)bytes, size_bytes, &error);
	if (!value) {
		g_assert(g_utf8_validate(error->message, -1, NULL));
		return 0;
	}
	g_autofree char *text = json_write(value);
	g_autoptr(json_t) again = json_read("again", text, strlen(text), &error);
	g_assert(again && json_equal(value, again));
	return 0;
}
