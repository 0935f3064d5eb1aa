/* SPDX-License-Identifier: ISC
 *
 * Canonical texts and their digests.
 */
#include "channel/row/canonical.h"

#include <sodium.h>
#include <string.h>

enum { HEX_BYTES = 2 * crypto_hash_sha256_BYTES + 1 };

char *canonical_text(const json_t *value)
{
	char *dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	char *text = g_strdup(dumped);
	free(dumped);
	return text;
}

char *canonical_digest(const json_t *value)
{
	g_autofree char *text = canonical_text(value);
	unsigned char digest[crypto_hash_sha256_BYTES];
	char *hex = g_malloc(HEX_BYTES);
	crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
	return sodium_bin2hex(hex, HEX_BYTES, digest, sizeof digest);
}

json_t *canonical_row(const json_t *row, const char *const *without)
{
	json_t *kept = json_object(), *value;
	const char *column;
	json_object_foreach ((json_t *)row, column, value)
		if (!json_is_null(value) && !g_strv_contains(without, column))
			json_object_set(kept, column, value);
	return kept;
}
