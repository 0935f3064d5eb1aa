/* SPDX-License-Identifier: ISC
 *
 * Rules, releases, changes and queries as JSON from anyone: answers or an error that can be shown,
 * never both.
 */
#include <stdint.h>

#include "channel/change/answer_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static guint draw(void)
{
	return 7;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	json_t *file = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *answer = file == NULL ? NULL : answer_file(file, draw, &error);
	g_assert(file == NULL || (answer == NULL) == (error != NULL));
	if (error != NULL)
		g_assert(g_utf8_validate(error->message, -1, NULL));
	json_decref(answer);
	json_decref(file);
	return 0;
}
