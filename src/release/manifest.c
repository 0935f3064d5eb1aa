/* SPDX-License-Identifier: ISC
 *
 * Manifests as values: what may be in one, and the one way to write it.
 */
#include "release/manifest.h"

#include <jansson.h>
#include <string.h>

static void dependency_free(gpointer dependency)
{
	ManifestDependency *freed = dependency;
	g_free(freed->name);
	g_free(freed->version);
	g_free(freed->file);
	g_free(freed);
}

static void delta_free(gpointer delta)
{
	ManifestDelta *freed = delta;
	g_free(freed->from_version);
	g_free(freed);
}

Manifest *manifest_new(void)
{
	Manifest *manifest = g_new0(Manifest, 1);
	manifest->dependencies = g_ptr_array_new_with_free_func(dependency_free);
	manifest->deltas = g_ptr_array_new_with_free_func(delta_free);
	manifest->tree = tree_new();
	return manifest;
}

void manifest_free(Manifest *manifest)
{
	if (manifest == NULL)
		return;
	g_free(manifest->product);
	g_free(manifest->version);
	g_free(manifest->revision);
	g_free(manifest->tag);
	g_free(manifest->test_run);
	g_ptr_array_unref(manifest->dependencies);
	g_ptr_array_unref(manifest->deltas);
	tree_free(manifest->tree);
	g_free(manifest);
}

void manifest_add_dependency(Manifest *manifest, const char *name, const char *version,
	const char *file, const char *sha256)
{
	ManifestDependency *dependency = g_new0(ManifestDependency, 1);
	dependency->name = g_strdup(name);
	dependency->version = g_strdup(version);
	dependency->file = g_strdup(file);
	g_strlcpy(dependency->sha256, sha256, sizeof dependency->sha256);
	g_ptr_array_add(manifest->dependencies, dependency);
}

void manifest_add_delta(Manifest *manifest, const char *from_version, const char *from_tree_sha256,
	gint64 size_bytes, const char *sha256, int window_log)
{
	ManifestDelta *delta = g_new0(ManifestDelta, 1);
	delta->from_version = g_strdup(from_version);
	delta->size_bytes = size_bytes;
	delta->window_log = window_log;
	g_strlcpy(delta->from_tree_sha256, from_tree_sha256, sizeof delta->from_tree_sha256);
	g_strlcpy(delta->sha256, sha256, sizeof delta->sha256);
	g_ptr_array_add(manifest->deltas, delta);
}

/* what may be in one --------------------------------------------------------------------------- */

gboolean manifest_check_name(const char *what, const char *name, GError **error)
{
	gsize size = name == NULL ? 0 : strlen(name);
	if (size > 0 && size <= MANIFEST_MAXIMUM_NAME_BYTES && g_ascii_isalnum(name[0]) &&
		strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._+-~") == size)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the %s \"%.200s\": must be 1 to %d letters, digits and any of . _ + - ~, the "
		"first one a letter or digit",
		what, name == NULL ? "" : name, MANIFEST_MAXIMUM_NAME_BYTES);
	return FALSE;
}

/* Words that are only shown. */
static gboolean check_words(const char *what, const char *text, GError **error)
{
	gsize size = text == NULL ? 0 : strlen(text);
	gboolean good =
		size > 0 && size <= MANIFEST_MAXIMUM_NAME_BYTES && g_utf8_validate(text, -1, NULL);
	for (const char *at = text; good && *at != '\0'; at = g_utf8_next_char(at))
		good = !g_unichar_iscntrl(g_utf8_get_char(at));
	if (!good)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the %s must be 1 to %d bytes of text without control characters", what,
			MANIFEST_MAXIMUM_NAME_BYTES);
	return good;
}

static gboolean check_sha256(const char *what, const char *sha256, GError **error)
{
	if (sha256_is_hex(sha256))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the SHA-256 of the %s must be %d small hexadecimal digits", what, SHA256_HEX - 1);
	return FALSE;
}

static gboolean check_number(
	const char *what, gint64 number, gint64 minimum, gint64 maximum, GError **error)
{
	if (number >= minimum && number <= maximum)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the %s is %" G_GINT64_FORMAT ": must be from %" G_GINT64_FORMAT
		" to %" G_GINT64_FORMAT,
		what, number, minimum, maximum);
	return FALSE;
}

static gboolean check_count(const char *what, guint count, guint maximum, GError **error)
{
	if (count <= maximum)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE, "there are %u %s, at most %u are allowed",
		count, what, maximum);
	return FALSE;
}

static gboolean check_revision(const char *revision, GError **error)
{
	gsize size = revision == NULL ? 0 : strlen(revision);
	if ((size == 40 || size == 64) && strspn(revision, "0123456789abcdef") == size)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the revision must be 40 or 64 small hexadecimal digits");
	return FALSE;
}

static int compare_dependencies(gconstpointer a, gconstpointer b)
{
	const ManifestDependency *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);
	if (order == 0)
		order = strcmp((*left)->version, (*right)->version);
	return order != 0 ? order : strcmp((*left)->file, (*right)->file);
}

static int compare_deltas(gconstpointer a, gconstpointer b)
{
	const ManifestDelta *const *left = a, *const *right = b;
	return strcmp((*left)->from_version, (*right)->from_version);
}

static gboolean check_dependency(const ManifestDependency *dependency, GError **error)
{
	if (!check_words("name of a dependency", dependency->name, error) ||
		!check_words("version of a dependency", dependency->version, error) ||
		!check_words("file of a dependency", dependency->file, error) ||
		!check_sha256("dependency", dependency->sha256, error))
		return FALSE;
	if (strchr(dependency->file, '/') == NULL)
		return tree_check_path(dependency->file, error);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the file of a dependency, %s, must be a name without slashes", dependency->file);
	return FALSE;
}

static gboolean check_dependencies(Manifest *manifest, GError **error)
{
	GPtrArray *all = manifest->dependencies;
	if (!check_count("dependencies", all->len, MANIFEST_MAXIMUM_DEPENDENCIES, error))
		return FALSE;
	for (guint i = 0; i < all->len; i++)
		if (!check_dependency(g_ptr_array_index(all, i), error))
			return FALSE;
	g_ptr_array_sort(all, compare_dependencies);
	for (guint i = 1; i < all->len; i++)
		if (compare_dependencies(&all->pdata[i - 1], &all->pdata[i]) == 0) {
			const ManifestDependency *twice = g_ptr_array_index(all, i);
			drover_error_set(error, DROVER_ERROR_INPUT,
				"the dependency %s %s is listed twice", twice->name,
				twice->version);
			return FALSE;
		}
	return TRUE;
}

static gboolean check_delta(const ManifestDelta *delta, const char *version, GError **error)
{
	if (!manifest_check_name("version of a delta", delta->from_version, error) ||
		!check_sha256("delta's first tree", delta->from_tree_sha256, error) ||
		!check_sha256("delta", delta->sha256, error) ||
		!check_number("size of a delta", delta->size_bytes, 0, ARCHIVE_MAXIMUM_TAR_BYTES,
			error) ||
		!check_number("window of a delta", delta->window_log, ARCHIVE_MINIMUM_WINDOW_LOG,
			ARCHIVE_MAXIMUM_WINDOW_LOG, error))
		return FALSE;
	if (strcmp(delta->from_version, version) != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "a delta leads from %s to itself", version);
	return FALSE;
}

static gboolean check_deltas(Manifest *manifest, GError **error)
{
	GPtrArray *all = manifest->deltas;
	if (!check_count("deltas", all->len, MANIFEST_MAXIMUM_DELTAS, error))
		return FALSE;
	for (guint i = 0; i < all->len; i++)
		if (!check_delta(g_ptr_array_index(all, i), manifest->version, error))
			return FALSE;
	g_ptr_array_sort(all, compare_deltas);
	for (guint i = 1; i < all->len; i++)
		if (compare_deltas(&all->pdata[i - 1], &all->pdata[i]) == 0) {
			const ManifestDelta *twice = g_ptr_array_index(all, i);
			drover_error_set(error, DROVER_ERROR_INPUT,
				"the delta from %s is listed twice", twice->from_version);
			return FALSE;
		}
	return TRUE;
}

static gboolean check_test(const Manifest *manifest, GError **error)
{
	if (manifest->test_run != NULL)
		return check_words("test run", manifest->test_run, error) &&
		       check_sha256("test run's log", manifest->test_log_sha256, error);
	if (manifest->test_log_sha256[0] == '\0')
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_INPUT, "there is the log of a test run, but no test run");
	return FALSE;
}

/* Everything that does not have to do with lists; those are put in order. */
static gboolean check_manifest(Manifest *manifest, GError **error)
{
	return manifest_check_name("product", manifest->product, error) &&
	       manifest_check_name("version", manifest->version, error) &&
	       (manifest->tag == NULL || check_words("tag", manifest->tag, error)) &&
	       check_revision(manifest->revision, error) &&
	       check_number("sequence", manifest->sequence, 1, MANIFEST_MAXIMUM_NUMBER, error) &&
	       check_number("landing", manifest->landing, 0, MANIFEST_MAXIMUM_NUMBER, error) &&
	       check_number("min_rollback_sequence", manifest->min_rollback_sequence, 0,
		       manifest->sequence, error) &&
	       check_number("mtime", manifest->mtime_s, 0, ARCHIVE_MAXIMUM_MTIME_S, error) &&
	       check_test(manifest, error) &&
	       (manifest->contract_sha256[0] == '\0' ||
		       check_sha256("contract", manifest->contract_sha256, error)) &&
	       archive_check_payload(&manifest->payload, error) &&
	       check_dependencies(manifest, error) && check_deltas(manifest, error) &&
	       tree_finish(manifest->tree, error);
}

/* writing -------------------------------------------------------------------------------------- */

/* Takes `value`. */
static void append_json(GString *text, json_t *value)
{
	char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	g_assert(dumped != NULL); /* what was checked is UTF-8 */
	g_string_append(text, dumped);
	free(dumped);
	json_decref(value);
}

/* A line of its own. Takes `value`. */
static void append_field(GString *text, const char *key, json_t *value)
{
	g_string_append_printf(text, "\"%s\":", key);
	append_json(text, value);
	g_string_append(text, ",\n");
}

static void begin_list(GString *text, const char *key)
{
	g_string_append_printf(text, "\"%s\":[\n", key);
}

/* Takes `value`. */
static void append_item(GString *text, json_t *value, gboolean is_last)
{
	append_json(text, value);
	g_string_append(text, is_last ? "\n" : ",\n");
}

static json_t *text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *test_json(const Manifest *manifest)
{
	if (manifest->test_run == NULL)
		return json_null();
	return json_pack(
		"{s:s,s:s}", "run", manifest->test_run, "log_sha256", manifest->test_log_sha256);
}

static json_t *payload_json(const ArchivePayload *payload)
{
	return json_pack("{s:I,s:s,s:I,s:s,s:i}", "size", (json_int_t)payload->size_bytes, "sha256",
		payload->sha256, "tar_size", (json_int_t)payload->tar_bytes, "tar_sha256",
		payload->tar_sha256, "window_log", payload->window_log);
}

static json_t *entry_json(const TreeEntry *entry)
{
	if (entry->kind == TREE_LINK)
		return json_pack("{s:s,s:s}", "path", entry->path, "target", entry->target);
	return json_pack("{s:s,s:s,s:I,s:s}", "path", entry->path, "mode",
		entry->is_executable ? "0755" : "0644", "size", (json_int_t)entry->size_bytes,
		"sha256", entry->sha256);
}

static void append_fields(GString *text, const Manifest *manifest)
{
	char tree_sha256[SHA256_HEX];
	tree_digest(manifest->tree, tree_sha256);
	append_field(text, "format", json_integer(MANIFEST_FORMAT));
	append_field(text, "product", json_string(manifest->product));
	append_field(text, "version", json_string(manifest->version));
	append_field(text, "sequence", json_integer(manifest->sequence));
	append_field(text, "revision", json_string(manifest->revision));
	append_field(text, "landing",
		manifest->landing == 0 ? json_null() : json_integer(manifest->landing));
	append_field(text, "tag", text_or_null(manifest->tag));
	append_field(text, "test", test_json(manifest));
	append_field(text, "contract_sha256", text_or_null(manifest->contract_sha256));
	append_field(text, "min_rollback_sequence", json_integer(manifest->min_rollback_sequence));
	append_field(text, "mtime", json_integer(manifest->mtime_s));
	append_field(text, "payload", payload_json(&manifest->payload));
	append_field(text, "tree_sha256", json_string(tree_sha256));
}

static void append_lists(GString *text, const Manifest *manifest)
{
	begin_list(text, "dependencies");
	for (guint i = 0; i < manifest->dependencies->len; i++) {
		const ManifestDependency *dependency = g_ptr_array_index(manifest->dependencies, i);
		append_item(text,
			json_pack("{s:s,s:s,s:s,s:s}", "name", dependency->name, "version",
				dependency->version, "file", dependency->file, "sha256",
				dependency->sha256),
			i + 1 == manifest->dependencies->len);
	}
	g_string_append(text, "],\n");
	begin_list(text, "deltas");
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = g_ptr_array_index(manifest->deltas, i);
		append_item(text,
			json_pack("{s:s,s:s,s:I,s:s,s:i}", "from", delta->from_version,
				"from_tree_sha256", delta->from_tree_sha256, "size",
				(json_int_t)delta->size_bytes, "sha256", delta->sha256,
				"window_log", delta->window_log),
			i + 1 == manifest->deltas->len);
	}
	g_string_append(text, "],\n");
	begin_list(text, "files");
	for (guint i = 0; i < tree_count(manifest->tree); i++)
		append_item(text, entry_json(tree_entry(manifest->tree, i)),
			i + 1 == tree_count(manifest->tree));
	g_string_append(text, "]\n");
}

char *manifest_text(Manifest *manifest, GError **error)
{
	if (!check_manifest(manifest, error))
		return NULL;
	g_autoptr(GString) text = g_string_new("{\n");
	append_fields(text, manifest);
	append_lists(text, manifest);
	g_string_append(text, "}\n");
	if (text->len > MANIFEST_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the manifest has %zu bytes, at most %d are allowed", text->len,
			MANIFEST_MAXIMUM_BYTES);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}
