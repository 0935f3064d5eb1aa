/* SPDX-License-Identifier: ISC
 *
 * Two lines from anyone as versions of each scheme: what parses equals itself, and the order of two
 * does not hang on which is first.
 */
#include <stdint.h>
#include <string.h>

#include "channel/rule/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autofree char *text = g_strndup((const char *)bytes, size);
	char *second = strchr(text, '\n');
	if (second != NULL)
		*second++ = '\0';
	for (guint i = 0; i < VERSION_SCHEMES; i++) {
		Version a, b;
		VersionTest test;
		if (!version_parse((VersionScheme)i, text, &a, NULL))
			continue;
		g_assert(version_compare(&a, &a) == 0);
		if (second == NULL || !version_test_parse((VersionScheme)i, second, &test, NULL))
			continue;
		version_test_holds(&test, &a);
		if (version_parse((VersionScheme)i, second, &b, NULL))
			g_assert((version_compare(&a, &b) < 0) == (version_compare(&b, &a) > 0));
	}
	return 0;
}
