/* SPDX-License-Identifier: ISC
 *
 * What becomes a release, and what of it goes again. A manifest that comes in was built and signed
 * elsewhere: its signature is verified before it is read, and everything it says of itself is
 * compared with what is known here. Then the release and its row for channels are stored together,
 * or neither.
 *
 * docs/release.md
 */
#include <string.h>

#include "api/maintenance.h"
#include "api/release.h"
#include "api/routes.h"

/* What came in ----------------------------------------------------------------------------------
 */

typedef struct Publishing {
	ApiCall *call;
	const char *product_name, *text, *signature, *reason;
	gsize text_bytes;
	Signature *signed_by;
	Manifest *manifest;
	char sha256[SHA256_HEX], signer[KEY_ID_TEXT];
	json_t *view;
} Publishing;

static void publishing_clear(Publishing *publishing)
{
	g_clear_pointer(&publishing->signed_by, signature_free);
	g_clear_pointer(&publishing->manifest, manifest_free);
	g_clear_pointer(&publishing->view, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Publishing, publishing_clear)

/* Without keys only the form of the signature can be looked at. */
static gboolean check_signature(Publishing *publishing, GError **error)
{
	const ApiCall *call = publishing->call;
	g_autoptr(Trust) trust = NULL;
	publishing->signed_by = signature_parse(
		"signature", publishing->signature, strlen(publishing->signature), error);
	if (publishing->signed_by == NULL ||
		!release_trust_load(call->site, publishing->product_name, &trust, error))
		return FALSE;
	key_id_text(&publishing->signed_by->key, publishing->signer);
	return trust == NULL ||
	       trust_verify(trust, TRUST_USE_RELEASE, publishing->signed_by, "manifest",
		       publishing->text, publishing->text_bytes, api_now_us(call), error);
}

static gboolean check_manifest(Publishing *publishing, GError **error)
{
	Manifest *manifest =
		manifest_parse("manifest", publishing->text, publishing->text_bytes, error);
	publishing->manifest = manifest;
	if (manifest == NULL)
		return FALSE;
	if (strcmp(manifest->product, publishing->product_name) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"manifest: it is one of the product %s, not of %s", manifest->product,
			publishing->product_name);
		return FALSE;
	}
	return signature_is_about(
		publishing->signed_by, "release", manifest->product, manifest->version, error);
}

static gboolean read_body(Publishing *publishing, GError **error)
{
	const json_t *body = publishing->call->body;
	Sha256 state;
	if (!api_require_body(publishing->call, error) ||
		!api_reason(publishing->call, &publishing->reason, error) ||
		!json_field_text(
			body, "manifest", TRUE, MANIFEST_MAXIMUM_BYTES, &publishing->text, error) ||
		!json_field_text(body, "signature", TRUE, SIGNATURE_MAXIMUM_BYTES,
			&publishing->signature, error))
		return FALSE;
	publishing->text_bytes = strlen(publishing->text);
	sha256_init(&state);
	sha256_update(&state, publishing->text, publishing->text_bytes);
	sha256_finish(&state, publishing->sha256);
	return check_signature(publishing, error) && check_manifest(publishing, error);
}

/* What is known here ----------------------------------------------------------------------------
 */

/* The landing that the manifest names, or that has its revision, is what we know by it; and it is
 * the one that may be deployed, or somebody says why another. */
static gboolean check_landing(const Publishing *publishing, const Product *product, GError **error)
{
	const Manifest *manifest = publishing->manifest;
	ApiCall *call = publishing->call;
	g_autoptr(LandingBook) book =
		landing_books_take(call->site->books, call->store, product->name, error);
	if (book == NULL)
		return FALSE;
	const BookLanding *named = landing_book_find(book, manifest->landing);
	gint64 newest = deployable_index_newest(landing_book_index(book));
	if (manifest->landing != 0 &&
		(named == NULL || strcmp(named->revision, manifest->revision) != 0)) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"manifest: it says that %.12s is landing %" G_GINT64_FORMAT
			" of %s, which %s",
			manifest->revision, manifest->landing, product->name,
			named == NULL ? "is not known" : "is another revision");
		return FALSE;
	}
	gboolean is_deployable = named != NULL && named->ordinal == newest;
	if ((is_deployable && product->frozen_reason == NULL) ||
		(publishing->reason != NULL && *publishing->reason != '\0'))
		return TRUE;
	if (is_deployable)
		drover_error_set(error, DROVER_ERROR_FROZEN,
			"%s is frozen: %s. Publish with a reason, or confirm first: drover landing "
			"rebase %s",
			product->name, product->frozen_reason, product->name);
	else
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%.12s is not the newest landing of %s that may be deployed; publish it "
			"with a reason, or see: drover landing deployable %s",
			manifest->revision, product->name, product->name);
	return FALSE;
}

/* Of versions there is one order, by sequence and by version alike. */
static gboolean check_order(const Publishing *publishing, const Product *product, GError **error)
{
	g_autoptr(ReleaseRecord) newest = NULL;
	if (!release_record_before(publishing->call->store, product, G_MAXINT64, &newest, error))
		return FALSE;
	if (newest == NULL || newest->sequence < publishing->manifest->sequence)
		return release_check_rises(product, newest, publishing->manifest->version, error);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"manifest: its sequence is %" G_GINT64_FORMAT ", and %s %s has %" G_GINT64_FORMAT
		" already: it must be above all that were published",
		publishing->manifest->sequence, product->name, newest->version, newest->sequence);
	return FALSE;
}

static char *text_or_none(const char *text)
{
	return text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

static ReleaseRecord *record_of(const Publishing *publishing, const Product *product)
{
	const Manifest *manifest = publishing->manifest;
	ReleaseRecord *record = g_new0(ReleaseRecord, 1);
	char tree_sha256[SHA256_HEX];
	tree_digest(manifest->tree, tree_sha256);
	record->product_id = product->id;
	record->version = g_strdup(manifest->version);
	record->sequence = manifest->sequence;
	record->revision = g_strdup(manifest->revision);
	record->landing = manifest->landing;
	record->tag = text_or_none(manifest->tag);
	record->document = release_document_name(product->name, manifest->version);
	record->manifest_sha256 = g_strdup(publishing->sha256);
	record->signature = g_strdup(publishing->signature);
	record->signer = g_strdup(publishing->signer);
	record->tree_sha256 = g_strdup(tree_sha256);
	record->tar_sha256 = g_strdup(manifest->payload.tar_sha256);
	record->size_bytes = manifest->payload.size_bytes;
	record->tree_bytes = tree_size_bytes(manifest->tree);
	record->files = tree_count(manifest->tree);
	record->test_run = text_or_none(manifest->test_run);
	record->test_log_sha256 = text_or_none(manifest->test_log_sha256);
	record->contract_sha256 = text_or_none(manifest->contract_sha256);
	record->min_rollback_sequence = manifest->min_rollback_sequence;
	record->reason = text_or_none(publishing->reason);
	record->actor = g_strdup(publishing->call->actor->name);
	record->published_us = api_now_us(publishing->call);
	return record;
}

/* Storing ---------------------------------------------------------------------------------------
 */

static json_t *history_json(const ReleaseRecord *record)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s}", "version", record->version, "sequence",
		(json_int_t)record->sequence, "revision", record->revision, "manifest_sha256",
		record->manifest_sha256, "signer", record->signer);
}

static gboolean note(const Publishing *publishing, const char *action, const ReleaseRecord *record,
	const json_t *before, GError **error)
{
	g_autofree char *subject =
		g_strdup_printf("release/%s/%s", publishing->product_name, record->version);
	g_autoptr(json_t) after = history_json(record);
	return api_record(
		publishing->call, action, subject, publishing->reason, before, after, error);
}

/* The same bytes again change nothing; another signature on them takes the place of the one before,
 * as it must when that key was revoked. */
static gboolean sign_again(
	const Publishing *publishing, const Product *product, ReleaseRecord *record, GError **error)
{
	if (strcmp(record->manifest_sha256, publishing->sha256) != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s %s was published already, with another manifest: a published version "
			"never changes; take the next one",
			product->name, record->version);
		return FALSE;
	}
	if (record->removed_us != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s %s was removed, and its version is never used again; take the next one",
			product->name, record->version);
		return FALSE;
	}
	if (strcmp(record->signature, publishing->signature) == 0)
		return TRUE;
	g_autoptr(json_t) before = history_json(record);
	g_free(record->signature);
	g_free(record->signer);
	record->signature = g_strdup(publishing->signature);
	record->signer = g_strdup(publishing->signer);
	return release_record_save(publishing->call->store, record, error) &&
	       note(publishing, "release.sign", record, before, error);
}

static gboolean publish_new(const Publishing *publishing, const Product *product,
	ReleaseRecord **stored, GError **error)
{
	g_autoptr(ReleaseRecord) record = record_of(publishing, product);
	if (!check_order(publishing, product, error) ||
		!check_landing(publishing, product, error) ||
		!release_record_insert(publishing->call->store, record, publishing->text, error) ||
		!note(publishing, "release.publish", record, NULL, error) ||
		!release_document_put(publishing->call, publishing->manifest, error))
		return FALSE;
	*stored = g_steal_pointer(&record);
	return TRUE;
}

static gboolean store_release(Store *store, gpointer of, GError **error)
{
	Publishing *publishing = of;
	g_autoptr(ReleaseRecord) record = NULL;
	g_clear_pointer(&publishing->view, json_decref);
	if (!maintenance_refuse(publishing->call->site, store, error))
		return FALSE;
	g_autoptr(Product) product = product_load(store, publishing->product_name, error);
	if (product == NULL ||
		!release_record_find(store, product, publishing->manifest->version, &record, error))
		return FALSE;
	return record != NULL ? sign_again(publishing, product, record, error)
			      : publish_new(publishing, product, &record, error);
}

/* What was committed: the books that all calls share must not see less or more. */
static gboolean read_view(Store *store, gpointer of, GError **error)
{
	Publishing *publishing = of;
	g_clear_pointer(&publishing->view, json_decref);
	g_autoptr(Product) product = product_load(store, publishing->product_name, error);
	g_autoptr(ReleaseRecord) record =
		product != NULL
			? release_record_load(store, product, publishing->manifest->version, error)
			: NULL;
	publishing->view =
		record != NULL ? release_view(publishing->call, product, record, error) : NULL;
	return publishing->view != NULL;
}

/* Reading and verifying a large manifest keeps nobody from writing. */
static json_t *publish_release(ApiCall *call, GError **error)
{
	g_auto(Publishing)
		publishing = {.call = call, .product_name = api_parameter(call, "product")};
	if (!read_body(&publishing, error) ||
		!store_write(call->store, store_release, &publishing, error) ||
		!store_read(call->store, read_view, &publishing, error))
		return NULL;
	return g_steal_pointer(&publishing.view);
}

/* Removing --------------------------------------------------------------------------------------
 */

static char *reasons_of(const GPtrArray *because)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < because->len; i++)
		g_string_append_printf(
			text, "%s%s", i > 0 ? ", " : "", (const char *)because->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* By who has taken its files out of the repository, which is `drover release gc`. */
static json_t *remove_release(ApiCall *call, GError **error)
{
	const char *reason, *version = api_parameter(call, "version");
	if ((call->body != NULL && !api_require_body(call, error)) ||
		!api_reason(call, &reason, error))
		return NULL;
	g_autoptr(Product) product =
		product_load(call->store, api_parameter(call, "product"), error);
	g_autoptr(ReleaseRecord) record =
		product != NULL ? release_record_load(call->store, product, version, error) : NULL;
	g_autoptr(GPtrArray) records =
		record != NULL ? release_record_list(call->store, product, TRUE, error) : NULL;
	g_autoptr(ReleaseUses) uses =
		records != NULL ? release_uses_load(call, product, records, error) : NULL;
	if (uses == NULL)
		return NULL;
	const GPtrArray *because = release_uses_because(uses, version);
	if (record->removed_us != 0)
		return release_summary(uses, record);
	if (because->len > 0) {
		g_autofree char *why = reasons_of(because);
		drover_error_set(error, DROVER_ERROR_CONFLICT, "%s %s must stay: %s", product->name,
			version, why);
		return NULL;
	}
	g_autofree char *subject = g_strdup_printf("release/%s/%s", product->name, version);
	g_autoptr(json_t) before = history_json(record);
	record->removed_us = api_now_us(call);
	if (!release_record_save(call->store, record, error) ||
		!api_record(call, "release.remove", subject, reason, before, NULL, error) ||
		!release_document_drop(call, record, error))
		return NULL;
	return release_summary(uses, record);
}

const ApiRoute api_publish_routes[] = {
	{"POST", "/products/{product}/releases", ROLE_OPERATOR, API_JOB, publish_release},
	{"POST", "/products/{product}/releases/{version}/remove", ROLE_OPERATOR, API_WRITE,
		remove_release},
	{0},
};
