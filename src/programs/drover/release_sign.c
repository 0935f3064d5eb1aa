/* SPDX-License-Identifier: ISC
 *
 * drover release delegate, drover release sign: what the root keys say of others gets to the hosts,
 * and what an old key signed is signed by a new one. docs/keys.md, "When a key is stolen"
 */
#include <string.h>

#include "base/file.h"
#include "programs/drover/commands.h"
#include "programs/drover/key_file.h"
#include "programs/drover/release.h"
#include "programs/drover/release_place.h"
#include "programs/terminal/show.h"

/* drover release delegate ---------------------------------------------------------------------- */

static gboolean needs_trust(const ReleasePlace *place, GError **error)
{
	if (place->trust == NULL)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"whose signature counts? Set [release] keys to a folder of root public "
			"keys");
	return place->trust != NULL;
}

static gboolean put_delegation(ReleasePlace *place, const char *path, GError **error)
{
	gsize size_bytes;
	g_autofree char *beside = g_strconcat(path, ".minisig", NULL);
	g_autofree char *text = file_read(path, DELEGATION_MAXIMUM_BYTES, &size_bytes, error);
	g_autoptr(Signature) signature = text != NULL ? key_load_signature(beside, error) : NULL;
	return signature != NULL && repository_put_delegation(place->repository, place->lock,
					    place->trust, text, signature, error);
}

/* The index key may be one that is trusted only from now on. */
static gboolean delegate(ReleasePlace *place, const char *path, gboolean *written, GError **error)
{
	return release_place_lock(place, "delegate", error) && put_delegation(place, path, error) &&
	       release_place_load_key(
		       place, "index-key", TRUST_USE_INDEX, &place->index_key, error) &&
	       release_place_sign(place, NULL, written, error);
}

gboolean release_run_delegate(Invocation *invocation, GError **error)
{
	gboolean written;
	const Screen *screen = invocation_screen(invocation);
	const char *product = invocation_argument(invocation, 0);
	g_auto(ReleasePlace) place = {0};
	if (!commands_refuse_in_maintenance(invocation, error) ||
		!release_place_open(&place, invocation, product, TRUE, error) ||
		!needs_trust(&place, error) ||
		!delegate(&place, invocation_argument(invocation, 1), &written, error))
		return FALSE;
	gint64 serial = trust_serial(place.trust);
	g_autoptr(json_t) shown = json_pack("{s:s, s:I, s:b}", "product", product, "serial",
		(json_int_t)serial, "index_signed", written);
	if (screen->json)
		screen_json(screen, shown);
	screen_done(screen, "hosts of %s take the delegation %" G_GINT64_FORMAT " from now on%s",
		product, serial, written ? "; the index was signed again" : "");
	return TRUE;
}

/* drover release sign -------------------------------------------------------------------------- */

/* Who stole the old key may have put another manifest there: what is signed again must be what was
 * told to the server when it was published. */
static gboolean is_as_published(
	ReleasePlace *place, const char *version, const char *sha256, GError **error)
{
	g_autoptr(json_t) view = invocation_call(place->invocation, "GET", NULL, NULL, error,
		"products", place->product, "releases", version, NULL);
	if (view == NULL)
		return FALSE;
	if (g_strcmp0(json_text(view, "manifest_sha256"), sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the manifest of %s %s in the repository is not the one that was published: do not "
		"sign it, and find out who put it there",
		place->product, version);
	return FALSE;
}

static gboolean sign_version(
	ReleasePlace *place, const SecretKey *key, const char *version, GError **error)
{
	char sha256[SHA256_HEX];
	g_autoptr(Manifest) manifest =
		repository_manifest(place->repository, version, NULL, 0, NULL, sha256, error);
	if (manifest == NULL || !is_as_published(place, version, sha256, error))
		return FALSE;
	g_autofree char *text = manifest_text(manifest, error);
	if (text == NULL)
		return FALSE;
	g_autofree char *comment = signature_comment("release", place->product, version);
	g_autoptr(Signature) signature = signature_make(key, text, strlen(text), comment);
	if (!repository_sign_again(place->repository, place->lock, version, signature, place->trust,
		    place->now_us, error))
		return FALSE;
	g_autoptr(json_t) view = release_place_tell(place, version, NULL, error);
	return view != NULL;
}

static gboolean sign_all(ReleasePlace *place, const SecretKey *key, GError **error)
{
	char id[KEY_ID_TEXT];
	const Screen *screen = invocation_screen(place->invocation);
	key_id_text(&secret_key_public(key)->id, id);
	g_autoptr(json_t) signed_again = json_array();
	for (guint i = 1; i < invocation_arguments(place->invocation); i++) {
		const char *version = invocation_argument(place->invocation, i);
		if (!sign_version(place, key, version, error))
			return FALSE;
		json_array_append_new(signed_again, json_string(version));
		screen_done(screen, "%s %s is signed by %s", place->product, version, id);
	}
	if (!release_place_sign(place, NULL, NULL, error))
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) shown =
			json_pack("{s:s, s:O}", "signer", id, "versions", signed_again);
		screen_json(screen, shown);
	}
	return TRUE;
}

gboolean release_run_sign(Invocation *invocation, GError **error)
{
	g_auto(ReleasePlace) place = {0};
	g_autoptr(SecretKey) key = NULL;
	if (!commands_refuse_in_maintenance(invocation, error) ||
		!release_place_open(
			&place, invocation, invocation_argument(invocation, 0), FALSE, error) ||
		!needs_trust(&place, error) ||
		!release_place_load_key(&place, "key", TRUST_USE_RELEASE, &key, error) ||
		!release_place_load_key(
			&place, "index-key", TRUST_USE_INDEX, &place.index_key, error))
		return FALSE;
	if (key == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"which key signs? Set [release] key, or say --key FILE");
		return FALSE;
	}
	return release_place_lock(&place, "sign", error) && sign_all(&place, key, error);
}

const Option release_delegate_options[] = {
	RELEASE_INDEX_KEY_OPTION,
	RELEASE_PLACE_OPTION,
	{0},
};

const Option release_sign_options[] = {
	{"key", "FILE", "The key that signs, instead of [release] key"},
	RELEASE_INDEX_KEY_OPTION,
	RELEASE_PLACE_OPTION,
	{0},
};
