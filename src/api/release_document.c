/* SPDX-License-Identifier: ISC
 *
 * A published release as a row of the table of releases, which rules map to: one complete file, for
 * any platform and locale, and one for each delta. It is written as people's edits are
 * (channel/book/edit.h), in the transaction that stores the release: nothing maps to it yet, so
 * nobody has to agree.
 */
#include <string.h>

#include "api/channel_gate.h"
#include "api/release.h"
#include "channel/book/edit.h"
#include "channel/row/row.h"

#define PAYLOAD_FILE "payload.tar.zst"

char *release_document_name(const char *product, const char *version)
{
	return g_strdup_printf("%s-%s", product, version);
}

static json_t *file_json(const Manifest *manifest, const char *name, const char *from,
	gint64 size_bytes, const char *sha256)
{
	return json_pack("{s:s, s:o, s:I, s:s}", "from", from, "file",
		json_sprintf("%s/%s/%s", manifest->product, manifest->version, name), "size",
		(json_int_t)size_bytes, "sha256", sha256);
}

/* A delta from a release that channels know nothing of is only in the manifest. */
static json_t *partials_json(const Manifest *manifest, const State *live)
{
	json_t *partials = json_array();
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = manifest->deltas->pdata[i];
		g_autofree char *from =
			release_document_name(manifest->product, delta->from_version);
		g_autofree char *name = g_strdup_printf("from-%s.delta", delta->from_version);
		if (state_row(live, STATE_RELEASES, from) == NULL ||
			json_array_size(partials) == ROW_MAXIMUM_FILES)
			continue;
		json_array_append_new(partials,
			file_json(manifest, name, from, delta->size_bytes, delta->sha256));
	}
	return partials;
}

static json_t *row_of(const Manifest *manifest, const State *live)
{
	g_autofree char *name = release_document_name(manifest->product, manifest->version);
	json_t *complete = file_json(manifest, PAYLOAD_FILE, "*", manifest->payload.size_bytes,
		manifest->payload.sha256);
	json_t *row = json_pack("{s:s, s:s, s:s, s:{s:{s:{s:{s:[o], s:o}}}}}", "name", name,
		"product", manifest->product, "version", manifest->version, "platforms", "any",
		"locales", "any", "completes", complete, "partials", partials_json(manifest, live));
	if (manifest->landing != 0)
		json_object_set_new(row, "landing", json_integer(manifest->landing));
	if (*manifest->contract_sha256 != '\0')
		json_object_set_new(row, "contract", json_string(manifest->contract_sha256));
	return row;
}

static gboolean edit(ApiCall *call, json_t *op, const char *reason, GError **error)
{
	g_autoptr(json_t) ops = json_pack("[o]", op);
	g_auto(ChannelEdit) result = {0};
	ChannelDeed deed = {api_now_us(call), call->actor->name, reason, 0};
	return channel_edit(call->store, ops, &deed, channel_gates_ask,
		(gpointer)(guintptr)call->site, &result, error);
}

/* What an earlier row of the name says and this one does not is taken away. */
static json_t *patch_of(const json_t *before, const json_t *row)
{
	json_t *patch = json_deep_copy(row), *value;
	const char *column;
	json_object_foreach ((json_t *)(guintptr)before, column, value)
		if (json_object_get(row, column) == NULL && strcmp(column, "data_version") != 0)
			json_object_set_new(patch, column, json_null());
	json_object_del(patch, "name");
	return patch;
}

static gboolean says_the_same(const json_t *before, const json_t *row)
{
	g_autoptr(json_t) bare = json_copy((json_t *)(guintptr)before);
	json_object_del(bare, "data_version");
	return json_equal(bare, row);
}

/* There may be a row of that name before there is a release: one that is not published yet, which a
 * change already waits for. */
gboolean release_document_put(ApiCall *call, const Manifest *manifest, GError **error)
{
	g_autoptr(ChannelBook) book = channel_book_read(call->store, error);
	if (book == NULL)
		return FALSE;
	g_autoptr(json_t) row = row_of(manifest, book->live);
	const char *name = json_text(row, "name");
	const json_t *before = state_row(book->live, STATE_RELEASES, name);
	if (before != NULL && says_the_same(before, row))
		return TRUE;
	json_t *op = before == NULL
			     ? json_pack("{s:s, s:s, s:O}", "op", "insert", "table", "releases",
				       "row", row)
			     : json_pack("{s:s, s:s, s:s, s:o}", "op", "update", "table",
				       "releases", "name", name, "row", patch_of(before, row));
	if (edit(call, op, "published", error))
		return TRUE;
	g_prefix_error(error, "its row for channels: ");
	return FALSE;
}

gboolean release_document_drop(ApiCall *call, const ReleaseRecord *record, GError **error)
{
	g_autoptr(ChannelBook) book = channel_book_read(call->store, error);
	if (book == NULL)
		return FALSE;
	if (state_row(book->live, STATE_RELEASES, record->document) == NULL)
		return TRUE;
	g_autofree char *naming = row_naming_release(book->live, record->document);
	json_t *op = naming == NULL ? json_pack("{s:s, s:s, s:s}", "op", "delete", "table",
					      "releases", "name", record->document)
				    : json_pack("{s:s, s:s, s:s, s:{s:b}}", "op", "update", "table",
					      "releases", "name", record->document, "row",
					      "published", FALSE);
	return edit(call, op, "removed", error);
}
