/* SPDX-License-Identifier: ISC
 *
 * Whose signatures count here: the root keys that this installation was told ([release] keys: files
 * ending in .pub, for every product, and those in a folder of a product's name, for that one), and
 * what they delegated in the repository.
 *
 * docs/keys.md, "Trust"
 */
#include "api/release.h"

#include "release/repository.h"

static gboolean add_root(Trust *trust, const char *folder, const char *name, GError **error)
{
	PublicKey key;
	g_autofree char *path = g_build_filename(folder, name, NULL);
	return public_key_load(path, &key, error) && trust_add_root(trust, &key, error);
}

static gboolean add_roots(Trust *trust, const char *folder, GError **error)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;
	while (entries != NULL && (name = g_dir_read_name(entries)) != NULL)
		if (g_str_has_suffix(name, ".pub") && !add_root(trust, folder, name, error))
			return FALSE;
	return TRUE;
}

/* A repository that is not there, or has nothing of this product, delegates nothing. */
static gboolean add_delegation(
	const ApiSite *site, Trust *trust, const char *product, GError **error)
{
	if (site->release_repository == NULL)
		return TRUE;
	g_autoptr(Repository) repository =
		repository_open(site->release_repository, product, FALSE, NULL);
	return repository == NULL || repository_take_delegation(repository, trust, error);
}

/* A folder without a key for this product lets nobody sign: that is another thing than no folder.
 */
gboolean release_trust_load(const ApiSite *site, const char *product, Trust **trust, GError **error)
{
	*trust = NULL;
	if (site->release_keys == NULL)
		return TRUE;
	g_autoptr(Trust) made = trust_new(product);
	g_autofree char *own = g_build_filename(site->release_keys, product, NULL);
	if (!add_roots(made, site->release_keys, error) || !add_roots(made, own, error)) {
		g_prefix_error(error, "[release] keys: ");
		return FALSE;
	}
	if (!add_delegation(site, made, product, error))
		return FALSE;
	*trust = g_steal_pointer(&made);
	return TRUE;
}
