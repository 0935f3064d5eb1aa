/* SPDX-License-Identifier: ISC
 *
 * The built-in files of the pages, by name, with the address that names their content.
 */
#include "page/assets.h"

#include <string.h>

#define DIGEST_DIGITS 12

extern const EmbeddedFile page_assets[];

const EmbeddedFile *asset_find(const char *name)
{
	for (const EmbeddedFile *asset = page_assets; asset->name; asset++)
		if (g_str_equal(asset->name, name))
			return asset;
	return NULL;
}

char *asset_digest(const EmbeddedFile *asset)
{
	char *digest =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, asset->bytes, asset->size_bytes);
	digest[DIGEST_DIGITS] = '\0';
	return digest;
}

char *asset_url(const char *name)
{
	const EmbeddedFile *asset = asset_find(name);
	g_assert(asset);
	g_autofree char *digest = asset_digest(asset);
	return g_strdup_printf("/assets/%s/%s", digest, name);
}

const char *asset_type(const char *name)
{
	if (g_str_has_suffix(name, ".css"))
		return "text/css; charset=utf-8";
	if (g_str_has_suffix(name, ".js"))
		return "text/javascript; charset=utf-8";
	return "image/svg+xml";
}
