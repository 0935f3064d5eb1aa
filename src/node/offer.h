/* SPDX-License-Identifier: ISC
 *
 * What the sources offer, as far as it is believed: delegation, index, one release's manifest. For
 * the inside of this room.
 */
#ifndef NODE_OFFER_H
#define NODE_OFFER_H

#include "node/install.h"

typedef struct Offer {
	Trust *trust;
	Index *index;
	const IndexRelease *release; /* of the index, chosen */
	char *manifest_text, *signature_text;
	Manifest *manifest;
} Offer;

void offer_free(Offer *offer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Offer, offer_free)

FetchFrom offer_sources(const NodeProduct *product);
/* The index of the first source that has one that may be taken; what it and the delegation say is
 * in the journal when this returns. Fails with what was wrong with each source. */
Offer *offer_take(Place *place, const NodeDeed *deed, GError **error);
/* This version, or the newest that may be installed when NULL. */
gboolean offer_choose(Offer *offer, const Place *place, const NodeDeed *deed, const char *version,
	GError **error);
/* The chosen release's manifest, from any source: the index's digest, then its signature. */
gboolean offer_read_manifest(
	Offer *offer, const Place *place, const NodeDeed *deed, GError **error);
/* Writes manifest and signature to where they are kept. */
gboolean offer_keep(const Offer *offer, const Place *place, GError **error);

#endif
