/* SPDX-License-Identifier: ISC
 *
 * The recipe: every key is known, every path is one that a release may hold, and a mistake is named
 * with its line, because a key that is silently not understood ships what should have stayed.
 */
#include "release/build/recipe.h"

#include <string.h>

#include "base/ini.h"

enum { TIMEOUT_USUAL_S = 30 * 60 };

static const char *const known_keys[] = {"build.command", "build.timeout", "build.lock",
	"build.into", "build.remove", "test.command", "test.timeout", "release.contract",
	"release.min-rollback-sequence", NULL};
static const char *const known_sections[] = {"build", "test", "release", NULL};

void recipe_free(Recipe *recipe)
{
	if (recipe == NULL)
		return;
	g_free(recipe->build_command);
	g_free(recipe->test_command);
	g_free(recipe->lock);
	g_free(recipe->into);
	g_strfreev(recipe->remove);
	g_free(recipe->contract);
	g_free(recipe);
}

/* reading values ------------------------------------------------------------------------------- */

static gboolean refuse(
	const Ini *ini, const char *section, const char *key, const char *reason, GError **error)
{
	g_autofree char *where = ini_where(ini, section, key);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: [%s] %s: %s", where, section, key, reason);
	return FALSE;
}

static gboolean check_known(const Ini *ini, const char *name, GError **error)
{
	for (const char *const *section = ini_sections(ini); *section != NULL; section++) {
		if (g_strv_contains(known_sections, *section))
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: there is no section [%s] in a recipe, only [build], [test] and "
			"[release]",
			name, *section);
		return FALSE;
	}
	g_autoptr(GPtrArray) unknown = ini_unknown_keys(ini, known_keys);
	if (unknown->len == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s", (const char *)unknown->pdata[0]);
	return FALSE;
}

/* A command; *value is NULL when the key is absent. An empty one is a mistake. */
static gboolean read_command(const Ini *ini, const char *section, char **value, GError **error)
{
	if (!ini_get(ini, section, "command", value, error))
		return FALSE;
	if (*value != NULL && *g_strstrip(*value) == '\0')
		return refuse(ini, section, "command",
			"is empty: leave the key out when there is nothing to run", error);
	return TRUE;
}

static gboolean read_timeout(const Ini *ini, const char *section, gint64 *seconds, GError **error)
{
	if (!ini_get_duration(ini, section, "timeout", TIMEOUT_USUAL_S, seconds, error))
		return FALSE;
	if (*seconds >= 1 && *seconds <= RECIPE_MAXIMUM_TIMEOUT_S)
		return TRUE;
	return refuse(ini, section, "timeout", "must be from 1 s to a day", error);
}

static gboolean check_path(
	const Ini *ini, const char *section, const char *key, const char *path, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	if (tree_check_path(path, &wrong))
		return TRUE;
	return refuse(ini, section, key, wrong->message, error);
}

static gboolean read_path(
	const Ini *ini, const char *section, const char *key, char **path, GError **error)
{
	if (!ini_get(ini, section, key, path, error))
		return FALSE;
	return *path == NULL || check_path(ini, section, key, *path, error);
}

/* Paths between blanks or lines. */
static gboolean read_remove(const Ini *ini, char ***paths, GError **error)
{
	g_autofree char *text = NULL;
	if (!ini_get(ini, "build", "remove", &text, error))
		return FALSE;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) words = g_strsplit_set(text != NULL ? text : "", " \t\r\n", -1);
	for (char **word = words; *word != NULL; word++) {
		if (**word == '\0')
			continue;
		if (!check_path(ini, "build", "remove", *word, error))
			return FALSE;
		g_strv_builder_add(builder, *word);
	}
	*paths = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean read_build(const Ini *ini, Recipe *recipe, GError **error)
{
	if (!read_command(ini, "build", &recipe->build_command, error) ||
		!read_timeout(ini, "build", &recipe->build_timeout_s, error) ||
		!read_path(ini, "build", "lock", &recipe->lock, error) ||
		!read_path(ini, "build", "into", &recipe->into, error) ||
		!read_remove(ini, &recipe->remove, error))
		return FALSE;
	if (recipe->into == NULL)
		recipe->into = g_strdup("vendor");
	else if (recipe->lock == NULL)
		return refuse(ini, "build", "into",
			"says where dependencies go, but no lock names any", error);
	return TRUE;
}

static gboolean read_rest(const Ini *ini, Recipe *recipe, GError **error)
{
	return read_command(ini, "test", &recipe->test_command, error) &&
	       read_timeout(ini, "test", &recipe->test_timeout_s, error) &&
	       read_path(ini, "release", "contract", &recipe->contract, error) &&
	       ini_get_integer(ini, "release", "min-rollback-sequence", 0, 0,
		       MANIFEST_MAXIMUM_NUMBER, &recipe->min_rollback_sequence, error);
}

Recipe *recipe_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > RECIPE_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than %d bytes: put what it does into a script of the product",
			name, RECIPE_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Ini) ini =
		ini_parse(name, text != NULL ? text : "", text != NULL ? size_bytes : 0, error);
	if (ini == NULL || !check_known(ini, name, error))
		return NULL;
	g_autoptr(Recipe) recipe = g_new0(Recipe, 1);
	if (!read_build(ini, recipe, error) || !read_rest(ini, recipe, error))
		return NULL;
	return g_steal_pointer(&recipe);
}
