/* SPDX-License-Identifier: ISC
 *
 * What testers sign of a change. A name that nobody declared is asked for, too (a glob meets it,
 * and release-cck-acme is another name than release), so one digest stands for all of them: that of
 * whatever can answer in the scopes that the change alters.
 */
#include "channel/change/standing.h"
#include "channel/digest.h"

static json_t *one(const char *product, const char *channel, char *digest)
{
	json_t *entry = json_pack(
		"{s:s?, s:s?, s:s}", "product", product, "channel", channel, "digest", digest);
	g_free(digest);
	return entry;
}

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

static gint by_key(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_keys(const json_t *rows)
{
	GPtrArray *keys = g_ptr_array_new();
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)rows, key, row)
		g_ptr_array_add(keys, (gpointer)key);
	g_ptr_array_sort(keys, by_key);
	return keys;
}

json_t *standing_tested_digests(const State *after, const Footprint *footprint, GError **error)
{
	json_t *schemes = snapshot_schemes(after), *digests = json_array();
	const json_t *declared = state_rows(after, STATE_CHANNELS);
	g_autoptr(Snapshot) snapshot = snapshot_new(after, schemes, error);
	g_autoptr(GPtrArray) keys = sorted_keys(declared);
	json_decref(schemes);
	if (snapshot == NULL) {
		json_decref(digests);
		return NULL;
	}
	for (guint i = 0; i < keys->len; i++) {
		const json_t *row = json_object_get(declared, keys->pdata[i]);
		const char *product = text_of(row, "product"), *channel = text_of(row, "channel");
		if (text_of(row, "base") == NULL && footprint_alters(footprint, product, channel))
			json_array_append_new(digests,
				one(product, channel, digest_of(snapshot, product, channel)));
	}
	if (footprint->scopes->len > 0)
		json_array_append_new(
			digests, one(NULL, NULL, digest_of_scopes(snapshot, footprint->scopes)));
	return digests;
}
