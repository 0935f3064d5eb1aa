/* SPDX-License-Identifier: ISC
 *
 * An index or a delegation from anyone: what parses is written as it was, byte for byte, and the
 * rules take it without falling over.
 */
#include <stdint.h>
#include <string.h>

#include "release/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void assert_same(const char *written, const uint8_t *bytes, size_t size)
{
	g_assert(written != NULL && strlen(written) == size && memcmp(written, bytes, size) == 0);
}

static void ask(const Index *index)
{
	IndexSeen seen = {0};
	index_may_follow(index, "web", "", &seen, index->issued_us, NULL);
	index_seen(index, "", &seen);
	for (guint i = 0; i < MIN(index->releases->len, 10); i++) {
		const IndexRelease *release = index->releases->pdata[i];
		const InstallWish wish = {.version = release->version,
			.sequence = release->sequence,
			.sha256 = release->sha256};
		g_assert(index_may_install(index, &wish, index->issued_us, NULL));
		g_assert(!index_may_install(index, &wish, index->expires_us, NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(Index) index = index_parse("fuzz", (const char *)bytes, size, NULL);
	if (index != NULL) {
		g_autofree char *text = index_text(index, NULL);
		assert_same(text, bytes, size);
		ask(index);
	}
	g_autoptr(Delegation) delegation =
		delegation_parse("fuzz", (const char *)bytes, size, NULL);
	if (delegation != NULL) {
		g_autofree char *text = delegation_text(delegation, NULL);
		assert_same(text, bytes, size);
	}
	return 0;
}
