/* SPDX-License-Identifier: ISC
 *
 * A release's row from anyone, in each scheme: a release that can be asked, or a reason. What may
 * be written can be asked.
 */
#include <stdint.h>

#include "channel/row/row.h"
#include "channel/rule/release_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(const ReleaseDocument *document, VersionScheme scheme)
{
	static const char *const platforms[] = {NULL, "T", "U"}, *const locales[] = {NULL, "de"};
	for (guint i = 0; i < G_N_ELEMENTS(platforms) * G_N_ELEMENTS(locales); i++) {
		Query query = {
			.platform = platforms[i % 3], .locale = locales[i / 3], .build_id = "7"};
		query.has_version = version_parse(scheme, "60.0.1", &query.version, NULL);
		ReleaseWord word = release_document_ask(document, &query);
		g_assert(word >= RELEASE_SERVES && word <= RELEASE_HAS_NO_FILES);
	}
}

static void try_writing(const json_t *row)
{
	static const char *const schemes[] = {"mozilla", "loose", "semver"};
	for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
		g_autoptr(State) state = state_new();
		g_autoptr(GError) error = NULL;
		json_t *product = json_pack("{s:s, s:s, s:[s]}", "product", "P", "scheme",
			schemes[i], "hosts", "cdn.example.org");
		g_assert(state_add(state, STATE_PRODUCTS, product, NULL));
		json_decref(product);
		if (row_check(STATE_RELEASES, row, state, ROW_GOES_LIVE, &error))
			continue;
		g_assert(g_utf8_validate(error->message, -1, NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *row = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	if (row != NULL)
		try_writing(row);
	for (guint i = 0; row != NULL && i < VERSION_SCHEMES; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(ReleaseDocument) document =
			release_document_new(row, (VersionScheme)i, &error);
		g_assert((document == NULL) == (error != NULL));
		if (document == NULL)
			continue;
		ask(document, (VersionScheme)i);
		g_hash_table_unref(release_document_origins(row));
	}
	json_decref(row);
	return 0;
}
