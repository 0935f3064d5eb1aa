/* SPDX-License-Identifier: ISC
 *
 * A release document's row:
 *
 *     {"name": "web-61", "product": "web", "version": "61.0", "build_id": "20180601",
 *      "platforms": {"Linux_x86_64": {"build_id": …, "locales": {"en-US": {…}}}}}
 *
 * Without `platforms` it serves every platform, a platform without `locales` every locale. A
 * platform may have a build id of its own, and be an alias: {"alias": "Linux_x86_64"}.
 */
#include "channel/rule/release_document.h"

#include "channel/rule/build.h"

static gboolean read_text(const json_t *row, const char *key, const char **text, GError **error)
{
	const json_t *value = json_object_get(row, key);
	*text = json_string_value(value);
	if (value == NULL || json_is_null(value) || (*text != NULL && **text != '\0'))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be a text", key);
	return FALSE;
}

static gboolean read_version(ReleaseDocument *document, VersionScheme scheme, GError **error)
{
	const char *text;
	if (!read_text(document->row, "version", &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	document->has_version = version_parse(scheme, text, &document->version, error);
	if (!document->has_version)
		g_prefix_error(error, "version: ");
	return document->has_version;
}

static const json_t *find_platform(const json_t *platforms, const char *name)
{
	const json_t *platform = name == NULL ? NULL : json_object_get(platforms, name);
	const char *alias = json_string_value(json_object_get(platform, "alias"));
	return alias == NULL ? platform : json_object_get(platforms, alias);
}

static gboolean check_platforms(const json_t *platforms, GError **error)
{
	const char *name;
	json_t *platform;
	if (platforms != NULL && !json_is_object(platforms)) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "platforms: must be an object of names");
		return FALSE;
	}
	json_object_foreach ((json_t *)platforms, name, platform) {
		const json_t *locales = json_object_get(platform, "locales");
		if (json_is_object(find_platform(platforms, name)) &&
			(locales == NULL || json_is_object(locales)))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"platforms: %s: must be an object with locales, or the alias of another",
			name);
		return FALSE;
	}
	return TRUE;
}

ReleaseDocument *release_document_new(json_t *row, VersionScheme scheme, GError **error)
{
	g_autoptr(ReleaseDocument) document = g_new0(ReleaseDocument, 1);
	g_atomic_ref_count_init(&document->references);
	document->row = json_incref(row);
	if (!read_text(row, "name", &document->name, error) ||
		!read_text(row, "product", &document->product, error) ||
		!read_text(row, "build_id", &document->build_id, error) ||
		!read_version(document, scheme, error) ||
		!check_platforms(json_object_get(row, "platforms"), error))
		return NULL;
	if (document->name != NULL)
		return g_steal_pointer(&document);
	drover_error_set(error, DROVER_ERROR_INPUT, "name: is missing");
	return NULL;
}

ReleaseDocument *release_document_ref(ReleaseDocument *document)
{
	g_atomic_ref_count_inc(&document->references);
	return document;
}

void release_document_free(ReleaseDocument *document)
{
	if (document == NULL || !g_atomic_ref_count_dec(&document->references))
		return;
	json_decref(document->row);
	g_free(document);
}

/* A build counts only beside the same version, and what is not known is not in the way. Versions of
 * two schemes (a release of no product, for every product's clients) cannot be compared. */
static ReleaseWord ask_version(
	const ReleaseDocument *document, const char *build_id, const Query *query)
{
	if (!document->has_version || !query->has_version ||
		document->version.scheme != query->version.scheme)
		return RELEASE_SERVES;
	int order = version_compare(&document->version, &query->version);
	if (order < 0)
		return RELEASE_IS_OLDER;
	if (order > 0)
		return RELEASE_SERVES;
	return build_id != NULL && query->build_id != NULL &&
			       build_compare(build_id, query->build_id) > 0
		       ? RELEASE_SERVES
		       : RELEASE_IS_NO_NEWER;
}

ReleaseWord release_document_ask(const ReleaseDocument *document, const Query *query)
{
	const json_t *platforms = json_object_get(document->row, "platforms");
	const json_t *platform = find_platform(platforms, query->platform);
	const json_t *locales = json_object_get(platform, "locales");
	const char *build_id = json_string_value(json_object_get(platform, "build_id"));
	if (platforms != NULL && platform == NULL)
		return RELEASE_HAS_NO_FILES;
	if (locales != NULL &&
		(query->locale == NULL || json_object_get(locales, query->locale) == NULL))
		return RELEASE_HAS_NO_FILES;
	return ask_version(document, build_id != NULL ? build_id : document->build_id, query);
}

const json_t *release_document_files(
	const ReleaseDocument *document, const char *platform, const char *locale)
{
	const json_t *platforms = json_object_get(document->row, "platforms");
	const json_t *locales = json_object_get(find_platform(platforms, platform), "locales");
	return locale != NULL ? json_object_get(locales, locale) : NULL;
}

static void add_origins(const json_t *files, GHashTable *origins)
{
	for (gsize i = 0; i < json_array_size(files); i++) {
		const char *from =
			json_string_value(json_object_get(json_array_get(files, i), "from"));
		if (from != NULL && g_strcmp0(from, "*") != 0)
			g_hash_table_add(origins, (gpointer)from);
	}
}

GHashTable *release_document_origins(const json_t *row)
{
	GHashTable *origins = g_hash_table_new(g_str_hash, g_str_equal);
	const char *name, *locale; /* two: the outer loop goes on from its own */
	json_t *platform, *files;
	json_object_foreach (json_object_get(row, "platforms"), name, platform)
		json_object_foreach (json_object_get(platform, "locales"), locale, files) {
			add_origins(json_object_get(files, "partials"), origins);
			add_origins(json_object_get(files, "completes"), origins);
		}
	return origins;
}
