/* SPDX-License-Identifier: ISC
 *
 * /products/{product}/releases: what was published, what would be published next, and what must be
 * kept.
 */
#include "api/release.h"

#include <string.h>

#include "api/routes.h"
#include "api/view.h"
#include "channel/book/book.h"
#include "channel/snapshot.h"
#include "channel/rule/version.h"

/* Lists ----------------------------------------------------------------------------------------
 */

static Product *take_product(ApiCall *call, GError **error)
{
	return product_load(call->store, api_parameter(call, "product"), error);
}

static json_t *list_releases(ApiCall *call, GError **error)
{
	const char *removed = api_query(call, "removed");
	gboolean with_removed = g_strcmp0(removed, "true") == 0;
	if (removed != NULL && !with_removed && strcmp(removed, "false") != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT, "removed: must be true or false");
		return NULL;
	}
	g_autoptr(Product) product = take_product(call, error);
	g_autoptr(GPtrArray) records =
		product != NULL ? release_record_list(call->store, product, with_removed, error)
				: NULL;
	g_autoptr(ReleaseUses) uses =
		records != NULL ? release_uses_load(call, product, records, error) : NULL;
	if (uses == NULL)
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < records->len; i++)
		json_array_append_new(list, release_summary(uses, records->pdata[i]));
	return json_pack("{s:o}", "releases", list);
}

static json_t *list_needed(ApiCall *call, GError **error)
{
	g_autoptr(Product) product = take_product(call, error);
	g_autoptr(GPtrArray) records =
		product != NULL ? release_record_list(call->store, product, FALSE, error) : NULL;
	g_autoptr(ReleaseUses) uses =
		records != NULL ? release_uses_load(call, product, records, error) : NULL;
	if (uses == NULL)
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < records->len; i++) {
		const ReleaseRecord *record = records->pdata[i];
		const GPtrArray *because = release_uses_because(uses, record->version);
		json_t *sentences = json_array();
		for (guint n = 0; n < because->len; n++)
			json_array_append_new(sentences, json_text_or_null(because->pdata[n]));
		if (because->len > 0)
			json_array_append_new(list, json_pack("{s:s, s:O}", "version",
							    record->version, "because", sentences));
		json_decref(sentences);
	}
	return json_pack("{s:o}", "versions", list);
}

/* Plans ----------------------------------------------------------------------------------------
 */

/* What would be published. */
typedef struct Plan {
	Product *product;
	char *revision; /* NULL: there is none to publish */
	gint64 landing; /* 0: none that is known */
	gboolean is_deployable;
	char *why; /* it is not the deployable one; NULL: it is */
	json_t *refusals;
	GPtrArray *records;
} Plan;

static void plan_clear(Plan *plan)
{
	g_clear_pointer(&plan->product, product_free);
	g_clear_pointer(&plan->records, g_ptr_array_unref);
	g_clear_pointer(&plan->refusals, json_decref);
	g_free(plan->revision);
	g_free(plan->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

static void refuse(Plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void refuse(Plan *plan, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *sentence = g_strdup_vprintf(format, values);
	va_end(values);
	json_array_append_new(plan->refusals, json_text_or_null(sentence));
}

static gboolean is_revision(const char *text)
{
	gsize length = strlen(text);
	return (length == 40 || length == 64) && strspn(text, "0123456789abcdef") == length;
}

/* A commit that is no landing is named by all its digits: whoever builds looks for it. */
static gboolean choose_revision(Plan *plan, LandingBook *book, const char *wanted, GError **error)
{
	g_autoptr(GError) problem = NULL;
	gint64 newest = deployable_index_newest(landing_book_index(book));
	const BookLanding *landing = wanted != NULL ? landing_book_resolve(book, wanted, &problem)
						    : landing_book_find(book, newest);
	if (wanted != NULL && landing == NULL &&
		(!drover_error_is(problem, DROVER_ERROR_NOT_FOUND) || !is_revision(wanted))) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	plan->revision = g_strdup(landing != NULL ? landing->revision : wanted);
	plan->landing = landing != NULL ? landing->ordinal : 0;
	plan->is_deployable = landing != NULL && landing->ordinal == newest &&
			      plan->product->frozen_reason == NULL;
	if (plan->is_deployable)
		return TRUE;
	if (plan->revision == NULL)
		refuse(plan,
			"no landing of %s may be deployed; see: drover landing deployable %s; or "
			"name a revision, with a reason",
			plan->product->name, plan->product->name);
	plan->why = plan->product->frozen_reason != NULL
			    ? g_strdup_printf("%s is frozen: %s", plan->product->name,
				      plan->product->frozen_reason)
		    : newest != 0 ? g_strdup_printf("it is not landing %" G_GINT64_FORMAT
						    ", the newest of %s that may be deployed",
					    newest, plan->product->name)
				  : g_strdup_printf("no landing of %s may be deployed",
					    plan->product->name);
	return TRUE;
}

gboolean release_check_rises(
	const Product *product, const ReleaseRecord *newest, const char *version, GError **error)
{
	Version it, other;
	if (!version_parse(VERSION_SEMVER, version, &it, error))
		return FALSE;
	if (newest == NULL || !version_parse(VERSION_SEMVER, newest->version, &other, NULL) ||
		version_compare(&it, &other) > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s %s would not be higher than %s, which is published: versions only rise. Build "
		"it under a higher one",
		product->name, version, newest->version);
	return FALSE;
}

static void check_version(Plan *plan, const char *version)
{
	g_autoptr(GError) problem = NULL;
	const ReleaseRecord *newest = plan->records->len > 0 ? plan->records->pdata[0] : NULL;
	for (guint i = 0; i < plan->records->len; i++) {
		const ReleaseRecord *record = plan->records->pdata[i];
		if (strcmp(record->version, version) == 0)
			refuse(plan, "%s %s was published already%s", plan->product->name, version,
				record->removed_us != 0
					? ", and removed: its version is never used again"
					: "");
	}
	/* Why it may not be published is said once. */
	if (json_array_size(plan->refusals) == 0 &&
		(!manifest_check_name("version", version, &problem) ||
			!release_check_rises(plan->product, newest, version, &problem)))
		refuse(plan, "%s", problem->message);
}

/* "1.4.2" -> "1.4.3"; NULL when it does not end in a number. Caller frees. */
static char *version_after(const char *version)
{
	gint64 number;
	const char *last = strrchr(version, '.');
	if (last == NULL || strspn(last + 1, "0123456789") != strlen(last + 1) ||
		!g_ascii_string_to_signed(last + 1, 10, 0, G_MAXINT32, &number, NULL))
		return NULL;
	return g_strdup_printf(
		"%.*s.%" G_GINT64_FORMAT, (int)(last - version), version, number + 1);
}

static json_t *plan_json(const Plan *plan)
{
	const ReleaseRecord *newest = NULL;
	gint64 sequence = 0;
	for (guint i = 0; i < plan->records->len; i++) {
		const ReleaseRecord *record = plan->records->pdata[i];
		sequence = MAX(sequence, record->sequence);
		if (newest == NULL && record->removed_us == 0)
			newest = record;
	}
	g_autofree char *next = newest != NULL ? version_after(newest->version) : NULL;
	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:o, s:O}", "product",
		plan->product->name, "repository", json_text_or_null(plan->product->repository),
		"revision", json_text_or_null(plan->revision), "landing",
		view_ordinal(plan->landing), "deployable", plan->is_deployable, "why",
		json_text_or_null(plan->why), "newest",
		newest != NULL ? json_pack("{s:s, s:I}", "version", newest->version, "sequence",
					 (json_int_t)newest->sequence)
			       : json_null(),
		"next_sequence", (json_int_t)(sequence + 1), "version", json_text_or_null(next),
		"refusals", plan->refusals);
}

/* What channels cannot compare has no row there: better said before it lies in the repository. */
static gboolean check_scheme(ApiCall *call, Plan *plan, const char *version, GError **error)
{
	Version read;
	VersionScheme scheme = VERSION_MOZILLA;
	g_autoptr(GError) problem = NULL;
	g_autoptr(ChannelBook) book = channel_book_read(call->store, error);
	if (book == NULL)
		return FALSE;
	g_autoptr(json_t) schemes = snapshot_schemes(book->live);
	const char *name = json_text(schemes, plan->product->name);
	if (name != NULL && !version_scheme_parse(name, &scheme, error))
		return FALSE;
	if (!version_parse(scheme, version, &read, &problem))
		refuse(plan,
			"%s, by which channels of %s compare; take another version, or: drover "
			"channel settings %s --scheme semver",
			problem->message, plan->product->name, plan->product->name);
	return TRUE;
}

static json_t *show_plan(ApiCall *call, GError **error)
{
	g_auto(Plan) plan = {.product = take_product(call, error), .refusals = json_array()};
	const char *version = api_query(call, "version");
	if (plan.product == NULL)
		return NULL;
	g_autoptr(LandingBook) book =
		landing_books_take(call->site->books, call->store, plan.product->name, error);
	if (book == NULL || !choose_revision(&plan, book, api_query(call, "revision"), error))
		return NULL;
	plan.records = release_record_list(call->store, plan.product, TRUE, error);
	if (plan.records == NULL)
		return NULL;
	if (version != NULL)
		check_version(&plan, version);
	if (version != NULL && json_array_size(plan.refusals) == 0 &&
		!check_scheme(call, &plan, version, error))
		return NULL;
	return plan_json(&plan);
}

/* Of one ---------------------------------------------------------------------------------------
 */

static ReleaseRecord *take_record(ApiCall *call, GError **error)
{
	g_autoptr(Product) product = take_product(call, error);
	return product != NULL ? release_record_load(call->store, product,
					 api_parameter(call, "version"), error)
			       : NULL;
}

static json_t *show_manifest(ApiCall *call, GError **error)
{
	g_autoptr(ReleaseRecord) record = take_record(call, error);
	g_autofree char *text =
		record != NULL ? release_record_text(call->store, record, error) : NULL;
	return text != NULL
		       ? json_pack("{s:s, s:s}", "manifest", text, "signature", record->signature)
		       : NULL;
}

/* Those behind the path `after` that have the text `part` in theirs; NULL: all. */
static json_t *page_of(const Tree *tree, const char *after, const char *part, gint64 limit)
{
	json_t *files = json_array();
	const char *last = NULL;
	gboolean is_more = FALSE;
	for (guint i = 0; i < tree_count(tree) && !is_more; i++) {
		const TreeEntry *entry = tree_entry(tree, i);
		if (after != NULL && strcmp(entry->path, after) <= 0)
			continue;
		if (part != NULL && strstr(entry->path, part) == NULL)
			continue;
		is_more = (gint64)json_array_size(files) == limit;
		if (is_more)
			break;
		json_array_append_new(files, release_entry_json(entry));
		last = entry->path;
	}
	return json_pack(
		"{s:o, s:o}", "files", files, "next", json_text_or_null(is_more ? last : NULL));
}

static json_t *list_files(ApiCall *call, GError **error)
{
	gint64 limit;
	if (!api_query_integer(call, "limit", RELEASE_PAGE_FILES, 1, RELEASE_PAGE_MAXIMUM_FILES,
		    &limit, error))
		return NULL;
	g_autoptr(ReleaseRecord) record = take_record(call, error);
	g_autoptr(Manifest) manifest =
		record != NULL ? release_record_manifest(call->store, record, error) : NULL;
	return manifest != NULL ? page_of(manifest->tree, api_query(call, "after"),
					  api_query(call, "q"), limit)
				: NULL;
}

const ApiRoute api_release_routes[] = {
	{"GET", "/products/{product}/releases", ROLE_VIEWER, API_READ, list_releases},
	{"GET", "/products/{product}/releases/plan", ROLE_OPERATOR, API_READ, show_plan},
	{"GET", "/products/{product}/releases/needed", ROLE_VIEWER, API_READ, list_needed},
	{"GET", "/products/{product}/releases/{version}", ROLE_VIEWER, API_READ, release_show},
	{"GET", "/products/{product}/releases/{version}/manifest", ROLE_VIEWER, API_READ,
		show_manifest},
	{"GET", "/products/{product}/releases/{version}/files", ROLE_VIEWER, API_READ, list_files},
	{"GET", "/products/{product}/releases/{version}/diff", ROLE_VIEWER, API_READ, release_diff},
	{0},
};
