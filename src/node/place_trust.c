/* SPDX-License-Identifier: ISC
 *
 * Whom a place believes: root keys of the configuration's folder, what was revoked, and the last
 * delegation that was taken, which is kept and verified again each time.
 */
#include <string.h>

#include "base/file.h"
#include "node/place_parts.h"
#include "release/signed_text.h"

static gboolean add_root(Trust *trust, const char *folder, const char *name, GError **error)
{
	PublicKey key;
	g_autofree char *path = g_build_filename(folder, name, NULL);
	return public_key_load(path, &key, error) && trust_add_root(trust, &key, error);
}

/* *.pub, whatever their number; none at all is an error, because then nothing can be believed. */
static gboolean add_roots(Trust *trust, const NodeProduct *product, GError **error)
{
	guint count = 0;
	g_autoptr(GError) fault = NULL;
	g_autoptr(GDir) folder = g_dir_open(product->keys, 0, &fault);
	for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
		if (!g_str_has_suffix(name, ".pub"))
			continue;
		if (!add_root(trust, product->keys, name, error))
			return FALSE;
		count++;
	}
	if (count > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"no root key of %s in %s%s%s: put the public keys (*.pub) there that its releases "
		"are to be believed by",
		product->name, product->keys, fault != NULL ? ": " : "",
		fault != NULL ? fault->message : "");
	return FALSE;
}

/* One that no longer counts, because its root key is gone, is as good as none. */
static gboolean take_kept(Trust *trust, const Place *place, GError **error)
{
	gsize size_bytes, text_bytes;
	g_autofree char *text = NULL;
	g_autoptr(GError) fault = NULL;
	g_autofree char *path = place_path(place, PLACE_OWN "/delegation");
	g_autofree char *bytes = file_read(
		path, DELEGATION_MAXIMUM_BYTES + SIGNATURE_MAXIMUM_BYTES, &size_bytes, &fault);
	if (bytes == NULL && drover_error_is(fault, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	if (bytes == NULL) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return FALSE;
	}
	g_autoptr(Signature) signature =
		signed_text_split(path, bytes, size_bytes, &text, &text_bytes, NULL);
	if (signature != NULL)
		trust_take_delegation(trust, path, text, text_bytes, signature, NULL);
	return TRUE;
}

Trust *place_trust(const Place *place, GError **error)
{
	g_autoptr(Trust) trust = trust_new(place->product->name);
	if (!add_roots(trust, place->product, error))
		return NULL;
	for (guint i = 0; i < place->revoked->len; i++)
		trust_add_revoked(trust, &g_array_index(place->revoked, KeyId, i));
	trust_set_serial(trust, place->trust_serial);
	return take_kept(trust, place, error) ? g_steal_pointer(&trust) : NULL;
}
