/* SPDX-License-Identifier: ISC
 *
 * What a channel may hand out for one release, as far as deciding needs it: version, build, and for
 * which platforms and locales there are files. Rules: docs/channel.md, "Releases".
 */
#ifndef CHANNEL_RULE_RELEASE_DOCUMENT_H
#define CHANNEL_RULE_RELEASE_DOCUMENT_H

#include <jansson.h>

#include "channel/rule/query.h"

typedef struct ReleaseDocument {
	gatomicrefcount references; /* snapshots share what they compiled from one row */
	json_t *row;
	const char *name, *product, *build_id; /* of the row; build_id NULL: none */
	gboolean has_version;
	Version version;
} ReleaseDocument;

/* `row` is shared, and must not change any more. Fails with DROVER_ERROR_INPUT. */
ReleaseDocument *release_document_new(json_t *row, VersionScheme scheme, GError **error);
ReleaseDocument *release_document_ref(ReleaseDocument *document);
void release_document_free(ReleaseDocument *document); /* of a reference */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleaseDocument, release_document_free)

typedef enum ReleaseWord {
	RELEASE_SERVES,
	RELEASE_IS_OLDER,     /* it would move the client backwards */
	RELEASE_IS_NO_NEWER,  /* the same version, and no newer build */
	RELEASE_HAS_NO_FILES, /* for the platform and locale */
} ReleaseWord;
ReleaseWord release_document_ask(const ReleaseDocument *document, const Query *query);
/* What its row says of the platform and locale: {"completes": […], "partials": […]}. Borrowed; NULL
 * when it says nothing. */
const json_t *release_document_files(
	const ReleaseDocument *document, const char *platform, const char *locale);

/* The names of the releases that its files lead from, the `from` of each in `partials` and
 * `completes` of its locales; "*", which is any, is not among them. char *, borrowed from the row.
 */
GHashTable *release_document_origins(const json_t *row);

#endif
