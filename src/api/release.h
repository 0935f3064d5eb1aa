/* SPDX-License-Identifier: ISC
 *
 * Published releases as the store has them, for the files of this room that deal with them
 * (docs/release.md):
 *
 *     publish.c           what comes in: verified, stored, and made known to channels; what goes
 *     release.c           lists, plans, files
 *     release_view.c      one release, and what differs between two
 *     release_use.c       what names a release: rules, pins, changes, nodes
 *     release_document.c  its row in the table of releases that channels answer from
 *     release_trust.c     whose signatures count here
 *     release_store.c     rows
 *
 * A row is never taken away: a version that was published once is never used for anything else.
 */
#ifndef API_RELEASE_H
#define API_RELEASE_H

#include "api/api.h"
#include "api/channel_books.h"
#include "landing/book.h"
#include "release/manifest.h"
#include "release/trust.h"

#define RELEASE_VIEW_MAXIMUM_LANDINGS 500  /* between a release and the one before, shown */
#define RELEASE_DIFF_MAXIMUM_PATHS    5000 /* shown of what differs between two */
#define RELEASE_MAXIMUM_BECAUSE	      20   /* sentences why one must stay */
#define RELEASE_PAGE_MAXIMUM_FILES    10000
#define RELEASE_PAGE_FILES	      1000 /* unless the caller says otherwise */

typedef struct ReleaseRecord {
	gint64 id, product_id;
	char *version;
	gint64 sequence;
	char *revision;
	gint64 landing; /* 0: none */
	char *tag;	/* NULL: none, as the next ones where it says so */
	char *document;
	char *manifest_sha256, *signature, *signer, *tree_sha256, *tar_sha256;
	gint64 size_bytes, tree_bytes, files;
	char *test_run, *test_log_sha256, *contract_sha256; /* NULL: none */
	gint64 min_rollback_sequence;
	char *reason; /* NULL: none was needed */
	char *actor;
	gint64 published_us, removed_us; /* removed_us 0: it is there */
} ReleaseRecord;

void release_record_free(ReleaseRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleaseRecord, release_record_free)

/* Inside a transaction, as all that follows. The newest sequence first. */
GPtrArray *release_record_list(
	Store *store, const Product *product, gboolean with_removed, GError **error);
/* Fails with DROVER_ERROR_NOT_FOUND. */
ReleaseRecord *release_record_load(
	Store *store, const Product *product, const char *version, GError **error);
/* *record NULL: there is none. */
gboolean release_record_find(Store *store, const Product *product, const char *version,
	ReleaseRecord **record, GError **error);
/* The one with the highest sequence below `sequence`; *record NULL: there is none. */
gboolean release_record_before(Store *store, const Product *product, gint64 sequence,
	ReleaseRecord **record, GError **error);
/* Versions rise, by Semantic Versioning: may this one follow `newest`, which has the highest
 * sequence of all that were ever published (NULL: it is the first)? One from before there was this
 * rule, in another scheme, stands in nobody's way. Fails with DROVER_ERROR_INPUT or
 * DROVER_ERROR_CONFLICT. */
gboolean release_check_rises(
	const Product *product, const ReleaseRecord *newest, const char *version, GError **error);
/* Sets id. */
gboolean release_record_insert(
	Store *store, ReleaseRecord *record, const char *manifest, GError **error);
/* Signature, signer and removed_us. */
gboolean release_record_save(Store *store, const ReleaseRecord *record, GError **error);
/* The text that was signed. Caller frees. */
char *release_record_text(Store *store, const ReleaseRecord *record, GError **error);
Manifest *release_record_manifest(Store *store, const ReleaseRecord *record, GError **error);

/* What names the releases of one product. */
typedef struct ReleaseUses ReleaseUses;

ReleaseUses *release_uses_load(
	ApiCall *call, const Product *product, const GPtrArray *records, GError **error);
void release_uses_free(ReleaseUses *uses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleaseUses, release_uses_free)
/* Why the release must stay, sentences without full stops; empty: nothing names it. Borrowed. */
const GPtrArray *release_uses_because(const ReleaseUses *uses, const char *version);

/* The API's Release. */
json_t *release_summary(const ReleaseUses *uses, const ReleaseRecord *record);
/* The API's ReleaseView. */
json_t *release_view(
	ApiCall *call, const Product *product, const ReleaseRecord *record, GError **error);
/* The API's ReleaseDiff. */
json_t *release_diff_json(const Manifest *before, const Manifest *after);
/* An entry of a tree: {"path", "mode", "size", "sha256"}, or {"path", "target"} of a link. */
json_t *release_entry_json(const TreeEntry *entry);

/* "web-1.4.2". Caller frees. */
char *release_document_name(const char *product, const char *version);
/* Inside store_write(): puts the release's row, or takes it away (where a younger one's delta leads
 * from it, the row stays, and nothing may map to it any more). Fails as channel_edit() does. */
gboolean release_document_put(ApiCall *call, const Manifest *manifest, GError **error);
gboolean release_document_drop(ApiCall *call, const ReleaseRecord *record, GError **error);

/* What this installation believes of a product; NULL without an error when no keys are
 * configured. */
gboolean release_trust_load(
	const ApiSite *site, const char *product, Trust **trust, GError **error);

/* Handlers in release_view.c. */
json_t *release_show(ApiCall *call, GError **error);
json_t *release_diff(ApiCall *call, GError **error);

#endif
