/* SPDX-License-Identifier: ISC
 *
 * One release, from its manifest: what went into it, which landings it brings, whether its
 * signature still counts; and what differs between two of them.
 */
#include "api/release.h"

#include <string.h>

/* Entries --------------------------------------------------------------------------------------
 */

static json_t *place_json(const TreeEntry *entry)
{
	if (entry->kind == TREE_LINK)
		return json_pack("{s:s, s:I, s:o, s:s}", "mode", "link", "size", (json_int_t)0,
			"sha256", json_null(), "target", entry->target);
	return json_pack("{s:s, s:I, s:s, s:o}", "mode", entry->is_executable ? "0755" : "0644",
		"size", (json_int_t)entry->size_bytes, "sha256", entry->sha256, "target",
		json_null());
}

json_t *release_entry_json(const TreeEntry *entry)
{
	json_t *shown = json_pack("{s:s}", "path", entry->path);
	json_object_update_new(shown, place_json(entry));
	return shown;
}

static json_t *dependency_json(const ManifestDependency *dependency)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", dependency->name, "version",
		dependency->version, "file", dependency->file, "sha256", dependency->sha256);
}

static json_t *dependencies_json(const Manifest *manifest)
{
	json_t *list = json_array();
	for (guint i = 0; i < manifest->dependencies->len; i++)
		json_array_append_new(list, dependency_json(manifest->dependencies->pdata[i]));
	return list;
}

static json_t *deltas_json(const Manifest *manifest)
{
	json_t *list = json_array();
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = manifest->deltas->pdata[i];
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:s, s:i}", "from", delta->from_version, "size",
				      (json_int_t)delta->size_bytes, "sha256", delta->sha256,
				      "window_log", delta->window_log));
	}
	return list;
}

/* Signatures -----------------------------------------------------------------------------------
 */

static gboolean verify(const Trust *trust, const ReleaseRecord *record, const char *text,
	gint64 now_us, GError **error)
{
	g_autoptr(Signature) signature = signature_parse(
		record->version, record->signature, strlen(record->signature), error);
	return signature != NULL && trust_verify(trust, TRUST_USE_RELEASE, signature,
					    record->version, text, strlen(text), now_us, error);
}

/* A key that was good may have been revoked since. */
static json_t *signature_state(
	ApiCall *call, const Product *product, const ReleaseRecord *record, const char *text)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(Trust) trust = NULL;
	if (!release_trust_load(call->site, product->name, &trust, &problem))
		return json_pack("{s:o, s:o}", "good", json_null(), "text",
			json_text_or_null(problem->message));
	if (trust == NULL)
		return json_pack("{s:o, s:s}", "good", json_null(), "text",
			"no root keys are configured here ([release] keys), so nobody looked "
			"whose signature it is");
	if (verify(trust, record, text, api_now_us(call), &problem))
		return json_pack("{s:b, s:o}", "good", TRUE, "text",
			json_sprintf("signed by the key %s, which may sign releases of %s",
				record->signer, product->name));
	return json_pack("{s:b, s:o}", "good", FALSE, "text", json_text_or_null(problem->message));
}

/* Landings -------------------------------------------------------------------------------------
 */

static json_t *landing_json(const BookLanding *landing)
{
	json_t *items = json_array();
	for (guint i = 0; i < landing->item_count; i++)
		json_array_append_new(items, json_text_or_null(landing->items[i].id));
	return json_pack("{s:I, s:o, s:o, s:o}", "landing", (json_int_t)landing->ordinal, "subject",
		json_text_or_null(landing->subject), "author",
		json_text_or_null(landing->author_name), "items", items);
}

/* Those above `from` and up to `to`, the newest first. */
static gint64 add_landings(const LandingBook *book, gint64 from, gint64 to, json_t *landings)
{
	gint64 omitted = 0;
	for (guint position = landing_book_count(book); position > 0; position--) {
		const BookLanding *landing = landing_book_at(book, position - 1);
		if (landing->ordinal <= from)
			break;
		if (landing->ordinal > to)
			continue;
		if (json_array_size(landings) < RELEASE_VIEW_MAXIMUM_LANDINGS)
			json_array_append_new(landings, landing_json(landing));
		else
			omitted++;
	}
	return omitted;
}

static gboolean add_items(ApiCall *call, const Product *product, const ReleaseRecord *record,
	const ReleaseRecord *previous, json_t *view, GError **error)
{
	g_autoptr(LandingBook) book =
		landing_books_take(call->site->books, call->store, product->name, error);
	if (book == NULL)
		return FALSE;
	json_t *landings = json_array();
	gint64 from = previous != NULL ? previous->landing : 0;
	gint64 omitted = add_landings(book, from, record->landing, landings);
	json_object_set_new(view, "items", landings);
	json_object_set_new(view, "more", json_integer(omitted));
	return TRUE;
}

/* Views ----------------------------------------------------------------------------------------
 */

json_t *release_view(
	ApiCall *call, const Product *product, const ReleaseRecord *record, GError **error)
{
	g_autoptr(ReleaseRecord) previous = NULL;
	g_autofree char *text = release_record_text(call->store, record, error);
	g_autoptr(GPtrArray) records =
		text != NULL ? release_record_list(call->store, product, TRUE, error) : NULL;
	g_autoptr(ReleaseUses) uses =
		records != NULL ? release_uses_load(call, product, records, error) : NULL;
	if (uses == NULL ||
		!release_record_before(call->store, product, record->sequence, &previous, error))
		return NULL;
	g_autoptr(Manifest) manifest = manifest_parse(record->version, text, strlen(text), error);
	if (manifest == NULL)
		return NULL;
	g_autoptr(json_t) view = release_summary(uses, record);
	json_object_set_new(view, "dependencies", dependencies_json(manifest));
	json_object_set_new(view, "deltas", deltas_json(manifest));
	json_object_set_new(view, "signature", json_text_or_null(record->signature));
	json_object_set_new(view, "signature_state", signature_state(call, product, record, text));
	json_object_set_new(
		view, "previous", json_text_or_null(previous != NULL ? previous->version : NULL));
	if (!add_items(call, product, record, previous, view, error))
		return NULL;
	return g_steal_pointer(&view);
}

json_t *release_show(ApiCall *call, GError **error)
{
	g_autoptr(Product) product =
		product_load(call->store, api_parameter(call, "product"), error);
	g_autoptr(ReleaseRecord) record = product != NULL
						  ? release_record_load(call->store, product,
							    api_parameter(call, "version"), error)
						  : NULL;
	return record != NULL ? release_view(call, product, record, error) : NULL;
}

/* Differences ----------------------------------------------------------------------------------
 */

static char *dependency_words(const ManifestDependency *dependency)
{
	return g_strjoin("\t", dependency->name, dependency->version, dependency->file,
		dependency->sha256, NULL);
}

/* Those of `list` that `other` has not in the same way; in their order, which is that of names. */
static GPtrArray *only_in(const GPtrArray *list, const GPtrArray *other)
{
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *only = g_ptr_array_new();
	for (guint i = 0; i < other->len; i++)
		g_hash_table_add(known, dependency_words(other->pdata[i]));
	for (guint i = 0; i < list->len; i++) {
		g_autofree char *words = dependency_words(list->pdata[i]);
		if (!g_hash_table_contains(known, words))
			g_ptr_array_add(only, list->pdata[i]);
	}
	return only;
}

static int order_of(const GPtrArray *gone, guint g, const GPtrArray *came, guint c)
{
	if (g == gone->len || c == came->len)
		return g == gone->len ? 1 : -1;
	return strcmp(((const ManifestDependency *)gone->pdata[g])->name,
		((const ManifestDependency *)came->pdata[c])->name);
}

/* What has the same name on both sides has changed. */
static json_t *dependency_changes(const Manifest *before, const Manifest *after)
{
	g_autoptr(GPtrArray) gone = only_in(before->dependencies, after->dependencies);
	g_autoptr(GPtrArray) came = only_in(after->dependencies, before->dependencies);
	json_t *added = json_array(), *removed = json_array(), *changed = json_array();
	for (guint g = 0, c = 0; g < gone->len || c < came->len;) {
		int order = order_of(gone, g, came, c);
		const ManifestDependency *was = order <= 0 ? gone->pdata[g++] : NULL;
		const ManifestDependency *now = order >= 0 ? came->pdata[c++] : NULL;
		if (now == NULL)
			json_array_append_new(removed, dependency_json(was));
		else if (was == NULL)
			json_array_append_new(added, dependency_json(now));
		else
			json_array_append_new(changed,
				json_pack("{s:s, s:o, s:o}", "name", now->name, "before",
					dependency_json(was), "after", dependency_json(now)));
	}
	return json_pack("{s:o, s:o, s:o}", "added", added, "removed", removed, "changed", changed);
}

static void add_change(const TreeChange *change, json_t *added, json_t *removed, json_t *changed)
{
	if (change->before == NULL)
		json_array_append_new(added, release_entry_json(change->after));
	else if (change->after == NULL)
		json_array_append_new(removed, release_entry_json(change->before));
	else
		json_array_append_new(changed,
			json_pack("{s:s, s:o, s:o}", "path", change->after->path, "before",
				place_json(change->before), "after", place_json(change->after)));
}

json_t *release_diff_json(const Manifest *before, const Manifest *after)
{
	g_autoptr(GArray) changes = tree_difference(before->tree, after->tree);
	json_t *added = json_array(), *removed = json_array(), *changed = json_array();
	guint shown = MIN(changes->len, RELEASE_DIFF_MAXIMUM_PATHS);
	for (guint i = 0; i < shown; i++)
		add_change(&g_array_index(changes, TreeChange, i), added, removed, changed);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:I}", "from", before->version,
		"to", after->version, "added", added, "removed", removed, "changed", changed,
		"size_before", (json_int_t)tree_size_bytes(before->tree), "size_after",
		(json_int_t)tree_size_bytes(after->tree), "dependencies",
		dependency_changes(before, after), "truncated", (json_int_t)(changes->len - shown));
}

static gboolean find_other(ApiCall *call, const Product *product, const ReleaseRecord *record,
	ReleaseRecord **other, GError **error)
{
	const char *from = api_query(call, "from");
	if (from != NULL) {
		*other = release_record_load(call->store, product, from, error);
		return *other != NULL;
	}
	if (!release_record_before(call->store, product, record->sequence, other, error))
		return FALSE;
	if (*other == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s %s is the first release: name another to compare it with",
			product->name, record->version);
	return *other != NULL;
}

json_t *release_diff(ApiCall *call, GError **error)
{
	g_autoptr(ReleaseRecord) other = NULL;
	g_autoptr(Product) product =
		product_load(call->store, api_parameter(call, "product"), error);
	g_autoptr(ReleaseRecord) record = product != NULL
						  ? release_record_load(call->store, product,
							    api_parameter(call, "version"), error)
						  : NULL;
	if (record == NULL || !find_other(call, product, record, &other, error))
		return NULL;
	g_autoptr(Manifest) before = release_record_manifest(call->store, other, error);
	g_autoptr(Manifest) after =
		before != NULL ? release_record_manifest(call->store, record, error) : NULL;
	return after != NULL ? release_diff_json(before, after) : NULL;
}
