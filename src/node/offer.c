/* SPDX-License-Identifier: ISC
 *
 * What the sources offer, as far as it is believed (docs/keys.md): the delegation by a root key,
 * the index by a key that it names, the manifest by the index's digest and a release key.
 */
#include "node/offer.h"

#include <string.h>

#include "base/file.h"
#include "node/place_parts.h"
#include "release/repository.h"
#include "release/signed_text.h"

void offer_free(Offer *offer)
{
	if (offer == NULL)
		return;
	trust_free(offer->trust);
	index_free(offer->index);
	g_free(offer->manifest_text);
	g_free(offer->signature_text);
	manifest_free(offer->manifest);
	g_free(offer);
}

FetchFrom offer_sources(const NodeProduct *product)
{
	return (FetchFrom){
		.sources = product->sources, .ca_file = product->ca_file, .product = product->name};
}

static void digest_of(const char *bytes, gsize size_bytes, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size_bytes);
	sha256_finish(&state, sha256);
}

/* What was wrong with each source: "SOURCE: …; SOURCE: …", by the kind of the first. */
typedef struct Faults {
	GString *text;
	int code;
} Faults;

static void faults_add(Faults *faults, const char *source, GError *fault)
{
	if (faults->text == NULL) {
		faults->text = g_string_new(NULL);
		faults->code = fault->code;
	}
	g_string_append_printf(faults->text, "%s%s: %s", faults->text->len > 0 ? "; " : "", source,
		fault->message);
	g_error_free(fault);
}

static void faults_tell(Faults *faults, const char *what, GError **error)
{
	drover_error_set(error, (DroverErrorCode)faults->code, "%s: %s", what, faults->text->str);
}

static void faults_clear(Faults *faults)
{
	if (faults->text != NULL)
		g_string_free(faults->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Faults, faults_clear)

/* delegation and index ------------------------------------------------------------------------- */

static Signature *fetch_signed(const FetchFrom *from, guint source, const char *file,
	gsize maximum_bytes, char **bytes, char **text, gsize *text_bytes, GError **error)
{
	gsize size_bytes;
	*bytes = fetch_text(
		from, source, file, maximum_bytes + SIGNATURE_MAXIMUM_BYTES, &size_bytes, error);
	return *bytes != NULL ? signed_text_split(file, *bytes, size_bytes, text, text_bytes, error)
			      : NULL;
}

/* A source without one is as good; one with an old one is not. */
static gboolean take_delegation(
	Offer *offer, const Place *place, const FetchFrom *from, guint source, GError **error)
{
	gsize text_bytes;
	g_autofree char *bytes = NULL, *text = NULL;
	g_autoptr(GError) fault = NULL;
	g_autoptr(Signature) signature = fetch_signed(from, source, REPOSITORY_DELEGATION_FILE,
		DELEGATION_MAXIMUM_BYTES, &bytes, &text, &text_bytes, &fault);
	if (drover_error_is(fault, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	if (fault != NULL) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return FALSE;
	}
	if (!trust_take_delegation(
		    offer->trust, REPOSITORY_DELEGATION_FILE, text, text_bytes, signature, error))
		return FALSE;
	g_autofree char *path = place_path(place, PLACE_OWN "/delegation");
	return file_write(path, bytes, strlen(bytes), 0600, error);
}

static gboolean take_index(Offer *offer, Place *place, const FetchFrom *from, guint source,
	gint64 now_us, GError **error)
{
	gsize text_bytes;
	char sha256[SHA256_HEX];
	g_autofree char *bytes = NULL, *text = NULL;
	g_autoptr(Signature) signature = fetch_signed(from, source, REPOSITORY_INDEX_FILE,
		INDEX_MAXIMUM_BYTES, &bytes, &text, &text_bytes, error);
	if (signature == NULL || !trust_verify(offer->trust, TRUST_USE_INDEX, signature,
					 REPOSITORY_INDEX_FILE, text, text_bytes, now_us, error))
		return FALSE;
	g_autoptr(Index) index = index_parse(REPOSITORY_INDEX_FILE, text, text_bytes, error);
	digest_of(text, text_bytes, sha256);
	if (index == NULL ||
		!index_may_follow(index, place->product->name, sha256, &place->seen, now_us, error))
		return FALSE;
	trust_take_revoked(offer->trust, index->revoked, &signature->key);
	index_seen(index, sha256, &place->seen);
	offer->index = g_steal_pointer(&index);
	return TRUE;
}

/* What was seen stays seen, also when nothing comes of the rest. */
static gboolean remember(const Offer *offer, Place *place, GError **error)
{
	const GArray *revoked = trust_revoked(offer->trust);
	for (guint i = 0; i < revoked->len; i++)
		revoked_add(place->revoked, &g_array_index(revoked, KeyId, i));
	place->trust_serial = MAX(place->trust_serial, trust_serial(offer->trust));
	return place_save(place, error);
}

Offer *offer_take(Place *place, const NodeDeed *deed, GError **error)
{
	g_auto(Faults) faults = {0};
	g_autoptr(Offer) offer = g_new0(Offer, 1);
	gint64 now_us = clock_now_us(deed->clock);
	const FetchFrom from = offer_sources(place->product);
	offer->trust = place_trust(place, error);
	if (offer->trust == NULL)
		return NULL;
	for (guint i = 0; offer->index == NULL && from.sources[i] != NULL; i++) {
		GError *fault = NULL;
		if (!take_delegation(offer, place, &from, i, &fault) ||
			!take_index(offer, place, &from, i, now_us, &fault))
			faults_add(&faults, from.sources[i], fault);
	}
	if (!remember(offer, place, error))
		return NULL;
	if (offer->index != NULL)
		return g_steal_pointer(&offer);
	g_autofree char *what =
		g_strdup_printf("no index of %s can be taken", place->product->name);
	faults_tell(&faults, what, error);
	return NULL;
}

/* the release ---------------------------------------------------------------------------------- */

static gboolean may_install(const Offer *offer, const IndexRelease *release, const char *sha256,
	const Place *place, const NodeDeed *deed, GError **error)
{
	const Installed *running = place_find(place, place->current);
	const InstallWish wish = {.version = release->version,
		.sequence = release->sequence,
		.sha256 = sha256,
		.running = running != NULL ? running->sequence : 0,
		.floor = place->floor,
		.is_ordered = deed->is_ordered};
	return index_may_install(offer->index, &wish, clock_now_us(deed->clock), error);
}

gboolean offer_choose(
	Offer *offer, const Place *place, const NodeDeed *deed, const char *version, GError **error)
{
	/* Newest first: when that may not be installed, no older one may. */
	offer->release = version != NULL		   ? index_find(offer->index, version)
			 : offer->index->releases->len > 0 ? offer->index->releases->pdata[0]
							   : NULL;
	if (offer->release != NULL)
		return may_install(
			offer, offer->release, offer->release->sha256, place, deed, error);
	drover_error_set(error, DROVER_ERROR_NOT_FOUND, "the index of %s has no release%s%s",
		place->product->name, version != NULL ? " " : "", version != NULL ? version : "");
	return FALSE;
}

static gboolean check_manifest(Offer *offer, const Place *place, const NodeDeed *deed,
	gsize text_bytes, gsize signature_bytes, GError **error)
{
	const IndexRelease *release = offer->release;
	const char *product = place->product->name;
	char sha256[SHA256_HEX];
	digest_of(offer->manifest_text, text_bytes, sha256);
	if (!may_install(offer, release, sha256, place, deed, error))
		return FALSE;
	g_autoptr(Signature) signature =
		signature_parse("its signature", offer->signature_text, signature_bytes, error);
	if (signature == NULL ||
		!trust_verify(offer->trust, TRUST_USE_RELEASE, signature, "the manifest",
			offer->manifest_text, text_bytes, clock_now_us(deed->clock), error) ||
		!signature_is_about(signature, "release", product, release->version, error))
		return FALSE;
	g_autoptr(Manifest) manifest =
		manifest_parse("the manifest", offer->manifest_text, text_bytes, error);
	if (manifest == NULL)
		return FALSE;
	if (strcmp(manifest->product, product) != 0 ||
		strcmp(manifest->version, release->version) != 0 ||
		manifest->sequence != release->sequence) {
		drover_error_set(error, DROVER_ERROR_DENIED,
			"the manifest is of %s %s, sequence %" G_GINT64_FORMAT
			", and the index says %s %s, sequence %" G_GINT64_FORMAT,
			manifest->product, manifest->version, manifest->sequence, product,
			release->version, release->sequence);
		return FALSE;
	}
	offer->manifest = g_steal_pointer(&manifest);
	return TRUE;
}

static gboolean fetch_manifest(Offer *offer, const Place *place, const NodeDeed *deed,
	const FetchFrom *from, guint source, GError **error)
{
	gsize text_bytes, signature_bytes;
	g_autofree char *file =
		g_strdup_printf("%s/%s", offer->release->version, REPOSITORY_MANIFEST_FILE);
	g_autofree char *signature_file =
		g_strdup_printf("%s/%s", offer->release->version, REPOSITORY_SIGNATURE_FILE);
	g_clear_pointer(&offer->manifest_text, g_free);
	g_clear_pointer(&offer->signature_text, g_free);
	offer->signature_text = fetch_text(
		from, source, signature_file, SIGNATURE_MAXIMUM_BYTES, &signature_bytes, error);
	if (offer->signature_text == NULL)
		return FALSE;
	offer->manifest_text =
		fetch_text(from, source, file, MANIFEST_MAXIMUM_BYTES, &text_bytes, error);
	return offer->manifest_text != NULL &&
	       check_manifest(offer, place, deed, text_bytes, signature_bytes, error);
}

gboolean offer_read_manifest(Offer *offer, const Place *place, const NodeDeed *deed, GError **error)
{
	g_auto(Faults) faults = {0};
	const FetchFrom from = offer_sources(place->product);
	for (guint i = 0; from.sources[i] != NULL; i++) {
		GError *fault = NULL;
		if (fetch_manifest(offer, place, deed, &from, i, &fault))
			return TRUE;
		faults_add(&faults, from.sources[i], fault);
	}
	g_autofree char *what = g_strdup_printf(
		"no manifest of %s %s can be taken", place->product->name, offer->release->version);
	faults_tell(&faults, what, error);
	return FALSE;
}

gboolean offer_keep(const Offer *offer, const Place *place, GError **error)
{
	const char *version = offer->release->version;
	g_autofree char *folder = place_path(place, PLACE_OWN "/manifests/%s", version);
	g_autofree char *manifest = g_build_filename(folder, "manifest", NULL);
	g_autofree char *signature = g_build_filename(folder, "manifest.minisig", NULL);
	return file_make_folder(folder, 0700, error) &&
	       file_write(
		       manifest, offer->manifest_text, strlen(offer->manifest_text), 0644, error) &&
	       file_write(signature, offer->signature_text, strlen(offer->signature_text), 0644,
		       error);
}
