/* SPDX-License-Identifier: ISC
 *
 * Which files of a release one client may have: the complete one and the partial one that leads
 * from the release that it runs. A file of a host that the product does not allow is left out and
 * counted, though none should come out of the store. Pure.
 *
 * docs/answers.md, "Files"
 */
#ifndef CHANNEL_ANSWER_OFFER_H
#define CHANNEL_ANSWER_OFFER_H

#include "channel/answer/asked.h"
#include "channel/answer/published.h"

typedef struct OfferedFile {
	char *url; /* NULL: there is no such file, or it has no address to be told */
	const json_t *row;
} OfferedFile;

typedef struct Offer {
	const ReleaseDocument *release;
	const json_t *platform, *locale; /* of the release; NULL: it has none */
	OfferedFile complete, partial;
	guint refused; /* files of hosts that the product does not allow */
} Offer;

/* `release` may be NULL: it is not described. `base_url`: where the folder of files is served,
 * "https://updates.example.org/releases", NULL: nowhere that is known. Texts are of the snapshot.
 */
void offer_make(const Place *place, const Query *query, const char *running,
	const ReleaseDocument *release, const char *base_url, Offer *offer);
void offer_clear(Offer *offer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Offer, offer_clear)

/* What the release says: of the locale, else of the platform, else of itself. NULL: nothing. */
const char *offer_text(const Offer *offer, const char *column);

#endif
