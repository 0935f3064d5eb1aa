/* SPDX-License-Identifier: ISC
 *
 * The lock file: what the build may fetch, by digest. A line at a time; what is not exactly one
 * dependency is refused with its line.
 */
#include <string.h>

#include "release/build/recipe.h"

enum { FIELDS = 4 };

static gboolean refuse(const char *name, guint line, const char *reason, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s:%u: %s", name, line, reason);
	return FALSE;
}

static gboolean is_word(const char *text)
{
	if (strlen(text) > MANIFEST_MAXIMUM_NAME_BYTES || !g_utf8_validate(text, -1, NULL))
		return FALSE;
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return FALSE;
	return TRUE;
}

/* One part of a path that a tree may hold. */
static gboolean is_file_name(const char *text)
{
	return strlen(text) <= MANIFEST_MAXIMUM_NAME_BYTES && strchr(text, '/') == NULL &&
	       tree_check_path(text, NULL);
}

/* The words of a line up to a comment: char *, in a GPtrArray. */
static GPtrArray *words_of(const char *line)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) parts = g_strsplit_set(line, " \t\r", -1);
	for (char **part = parts; *part != NULL && **part != '#'; part++)
		if (**part != '\0')
			g_ptr_array_add(words, g_strdup(*part));
	return words;
}

/* What a dependency's words must be; NULL: they are. */
static const char *wrong_with(const GPtrArray *words)
{
	if (words->len != FIELDS)
		return "a dependency is four words: name, version, SHA-256 and file";
	if (!is_word(words->pdata[0]) || !is_word(words->pdata[1]))
		return "name and version are at most 100 bytes of UTF-8 without control characters";
	if (!sha256_is_hex(words->pdata[2]))
		return "the third word must be a SHA-256 of 64 small hexadecimal digits";
	if (!is_file_name(words->pdata[3]))
		return "the file must be a name of at most 100 bytes, without folders";
	return NULL;
}

/* Into `manifest`, whose list is what is wanted: it owns its dependencies. */
static gboolean read_line(
	const char *name, guint number, const char *line, Manifest *manifest, GError **error)
{
	if (*line == '\0' || *line == '#')
		return TRUE;
	g_autoptr(GPtrArray) words = words_of(line);
	if (words->len == 0)
		return TRUE;
	const char *wrong = wrong_with(words);
	if (wrong != NULL)
		return refuse(name, number, wrong, error);
	if (manifest->dependencies->len == MANIFEST_MAXIMUM_DEPENDENCIES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s:%u: more than %d dependencies",
			name, number, MANIFEST_MAXIMUM_DEPENDENCIES);
		return FALSE;
	}
	manifest_add_dependency(
		manifest, words->pdata[0], words->pdata[1], words->pdata[3], words->pdata[2]);
	return TRUE;
}

static gboolean check_files_once(const char *name, const GPtrArray *list, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < list->len; i++) {
		const ManifestDependency *dependency = list->pdata[i];
		if (g_hash_table_add(seen, dependency->file))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: the file %s is there twice", name,
			dependency->file);
		return FALSE;
	}
	return TRUE;
}

GPtrArray *recipe_lock_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > RECIPE_LOCK_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s is larger than %d bytes", name,
			RECIPE_LOCK_MAXIMUM_BYTES);
		return NULL;
	}
	if (memchr(text, '\0', size_bytes) != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s holds a NUL byte", name);
		return NULL;
	}
	g_autoptr(Manifest) manifest = manifest_new();
	const char *end = text + size_bytes;
	for (guint number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));
		gsize length = (gsize)((newline != NULL ? newline : end) - text);
		g_autofree char *line = g_strndup(text, length);
		if (!read_line(name, number, line, manifest, error))
			return NULL;
		text = newline != NULL ? newline + 1 : end;
	}
	if (!check_files_once(name, manifest->dependencies, error))
		return NULL;
	return g_ptr_array_ref(manifest->dependencies);
}
