/* SPDX-License-Identifier: ISC
 *
 * Releases in the store.
 */
#include "api/release.h"

#include <string.h>

#define SQL_RELEASE                                                                                \
	"SELECT id, product_id, version, sequence, revision, landing, tag, document,"              \
	" manifest_sha256, signature, signer, tree_sha256, tar_sha256, size_bytes, tree_bytes,"    \
	" files, test_run, test_log_sha256, contract_sha256, min_rollback_sequence, reason,"       \
	" actor, published_us, removed_us FROM release WHERE product_id = ? "

static const char SQL_LIST[] = SQL_RELEASE "ORDER BY sequence DESC";
static const char SQL_LOAD[] = SQL_RELEASE "AND version = ?";
static const char SQL_BEFORE[] = SQL_RELEASE "AND sequence < ? ORDER BY sequence DESC LIMIT 1";
static const char SQL_TEXT[] = "SELECT manifest FROM release WHERE id = ?";
static const char SQL_ADD[] =
	"INSERT INTO release (product_id, version, sequence, revision, landing, tag, document,"
	" manifest, manifest_sha256, signature, signer, tree_sha256, tar_sha256, size_bytes,"
	" tree_bytes, files, test_run, test_log_sha256, contract_sha256, min_rollback_sequence,"
	" reason, actor, published_us)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" RETURNING id";
static const char SQL_SAVE[] =
	"UPDATE release SET signature = ?, signer = ?, removed_us = ? WHERE id = ?";

void release_record_free(ReleaseRecord *record)
{
	if (record == NULL)
		return;
	char **const texts[] = {&record->version, &record->revision, &record->tag,
		&record->document, &record->manifest_sha256, &record->signature, &record->signer,
		&record->tree_sha256, &record->tar_sha256, &record->test_run,
		&record->test_log_sha256, &record->contract_sha256, &record->reason,
		&record->actor};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(*texts[i]);
	g_free(record);
}

static char *text_of(const StoreRows *rows, int column)
{
	return g_strdup(store_rows_text(rows, column));
}

static ReleaseRecord *record_of(const StoreRows *rows)
{
	ReleaseRecord *record = g_new0(ReleaseRecord, 1);
	record->id = store_rows_integer(rows, 0);
	record->product_id = store_rows_integer(rows, 1);
	record->version = text_of(rows, 2);
	record->sequence = store_rows_integer(rows, 3);
	record->revision = text_of(rows, 4);
	record->landing = store_rows_integer(rows, 5);
	record->tag = text_of(rows, 6);
	record->document = text_of(rows, 7);
	record->manifest_sha256 = text_of(rows, 8);
	record->signature = text_of(rows, 9);
	record->signer = text_of(rows, 10);
	record->tree_sha256 = text_of(rows, 11);
	record->tar_sha256 = text_of(rows, 12);
	record->size_bytes = store_rows_integer(rows, 13);
	record->tree_bytes = store_rows_integer(rows, 14);
	record->files = store_rows_integer(rows, 15);
	record->test_run = text_of(rows, 16);
	record->test_log_sha256 = text_of(rows, 17);
	record->contract_sha256 = text_of(rows, 18);
	record->min_rollback_sequence = store_rows_integer(rows, 19);
	record->reason = text_of(rows, 20);
	record->actor = text_of(rows, 21);
	record->published_us = store_rows_integer(rows, 22);
	record->removed_us = store_rows_integer(rows, 23);
	return record;
}

GPtrArray *release_record_list(
	Store *store, const Product *product, gboolean with_removed, GError **error)
{
	g_autoptr(GPtrArray) records =
		g_ptr_array_new_with_free_func((GDestroyNotify)release_record_free);
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_LIST, STORE_PARAMS(STORE_INT(product->id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&records);
		g_autoptr(ReleaseRecord) record = record_of(rows);
		if (with_removed || record->removed_us == 0)
			g_ptr_array_add(records, g_steal_pointer(&record));
	}
	return NULL;
}

static gboolean find(Store *store, const char *sql, const Product *product, StoreValue which,
	ReleaseRecord **record, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, sql, STORE_PARAMS(STORE_INT(product->id), which));
	gboolean more;
	*record = NULL;
	if (!store_rows_next(rows, &more, error))
		return FALSE;
	if (more)
		*record = record_of(rows);
	return TRUE;
}

gboolean release_record_find(Store *store, const Product *product, const char *version,
	ReleaseRecord **record, GError **error)
{
	return find(store, SQL_LOAD, product, STORE_TEXT(version), record, error);
}

gboolean release_record_before(Store *store, const Product *product, gint64 sequence,
	ReleaseRecord **record, GError **error)
{
	return find(store, SQL_BEFORE, product, STORE_INT(sequence), record, error);
}

ReleaseRecord *release_record_load(
	Store *store, const Product *product, const char *version, GError **error)
{
	ReleaseRecord *record;
	if (!release_record_find(store, product, version, &record, error))
		return NULL;
	if (record == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"no version '%s' of %s was ever published", version, product->name);
	return record;
}

gboolean release_record_insert(
	Store *store, ReleaseRecord *record, const char *manifest, GError **error)
{
	return store_query_integer(store, error, 0, &record->id, SQL_ADD,
		STORE_PARAMS(STORE_INT(record->product_id), STORE_TEXT(record->version),
			STORE_INT(record->sequence), STORE_TEXT(record->revision),
			STORE_INT(record->landing), STORE_TEXT(record->tag),
			STORE_TEXT(record->document), STORE_TEXT(manifest),
			STORE_TEXT(record->manifest_sha256), STORE_TEXT(record->signature),
			STORE_TEXT(record->signer), STORE_TEXT(record->tree_sha256),
			STORE_TEXT(record->tar_sha256), STORE_INT(record->size_bytes),
			STORE_INT(record->tree_bytes), STORE_INT(record->files),
			STORE_TEXT(record->test_run), STORE_TEXT(record->test_log_sha256),
			STORE_TEXT(record->contract_sha256),
			STORE_INT(record->min_rollback_sequence), STORE_TEXT(record->reason),
			STORE_TEXT(record->actor), STORE_INT(record->published_us)));
}

gboolean release_record_save(Store *store, const ReleaseRecord *record, GError **error)
{
	return store_execute(store, error, SQL_SAVE,
		STORE_PARAMS(STORE_TEXT(record->signature), STORE_TEXT(record->signer),
			record->removed_us != 0 ? STORE_INT(record->removed_us) : STORE_NULL,
			STORE_INT(record->id)));
}

char *release_record_text(Store *store, const ReleaseRecord *record, GError **error)
{
	g_autoptr(StoreRows) rows =
		store_query(store, error, SQL_TEXT, STORE_PARAMS(STORE_INT(record->id)));
	gboolean more;
	if (!store_rows_next(rows, &more, error))
		return NULL;
	g_assert(more);
	return g_strdup(store_rows_text(rows, 0));
}

Manifest *release_record_manifest(Store *store, const ReleaseRecord *record, GError **error)
{
	g_autofree char *text = release_record_text(store, record, error);
	return text != NULL ? manifest_parse(record->version, text, strlen(text), error) : NULL;
}
