/* SPDX-License-Identifier: ISC
 *
 * drover release check: a repository is not a release, so someone looks at what is in the one and
 * not in the other.
 */
#include <string.h>

#include "base/format.h"
#include "programs/drover/release.h"
#include "programs/terminal/show.h"
#include "release/build/build.h"

/* what is checked ------------------------------------------------------------------------------ */

static gboolean is_build_folder(const char *named)
{
	g_autofree char *draft = g_build_filename(named, BUILD_DRAFT_FILE, NULL);
	return strchr(named, '/') != NULL || g_file_test(draft, G_FILE_TEST_EXISTS);
}

static Manifest *take_published(
	Invocation *invocation, const char *product, const char *version, GError **error)
{
	g_autoptr(json_t) answer = invocation_call(invocation, "GET", NULL, NULL, error, "products",
		product, "releases", version, "manifest", NULL);
	const char *text = answer != NULL ? json_text(answer, "manifest") : NULL;
	if (answer != NULL && text == NULL)
		drover_error_set(error, DROVER_ERROR_INTERNAL,
			"the answer about %s %s holds no manifest", product, version);
	g_autofree char *name = g_strdup_printf("manifest of %s %s", product, version);
	return text != NULL ? manifest_parse(name, text, strlen(text), error) : NULL;
}

static Manifest *take_built(const char *product, const char *folder, GError **error)
{
	g_autoptr(Manifest) draft = build_read_draft(folder, error);
	if (draft == NULL || strcmp(draft->product, product) == 0)
		return g_steal_pointer(&draft);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s is a build of %s, not of %s", folder,
		draft->product, product);
	return NULL;
}

/* What was published, or else what release build put where it puts that version. */
static Manifest *take_version(
	Invocation *invocation, const char *product, const char *version, GError **error)
{
	GError *failed = NULL;
	Manifest *published = take_published(invocation, product, version, &failed);
	Settings *settings = drover_error_is(failed, DROVER_ERROR_NOT_FOUND) &&
					     manifest_check_name("version", version, NULL)
				     ? invocation_settings(invocation, NULL)
				     : NULL;
	if (settings != NULL) {
		g_autofree char *builds = settings_builds_folder(settings);
		g_autofree char *folder = g_build_filename(builds, product, version, NULL);
		if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
			g_clear_error(&failed);
			return take_built(product, folder, error);
		}
	}
	if (failed != NULL)
		g_propagate_error(error, failed);
	return published;
}

static Manifest *take(Invocation *invocation, GError **error)
{
	const char *product = invocation_argument(invocation, 0);
	const char *named = invocation_argument(invocation, 1);
	return is_build_folder(named) ? take_built(product, named, error)
				      : take_version(invocation, product, named, error);
}

/* what is shown -------------------------------------------------------------------------------- */

static json_t *paths_json(const GPtrArray *paths)
{
	json_t *list = json_array();
	for (guint i = 0; i < paths->len; i++)
		json_array_append_new(list, json_string(paths->pdata[i]));
	return list;
}

static void say_paths(const Screen *screen, Style style, const char *sign, const GPtrArray *paths)
{
	for (guint i = 0; i < paths->len; i++) {
		screen_part(screen, style, "%s %s", sign, (const char *)paths->pdata[i]);
		screen_line(screen, "%s", "");
	}
}

static void say_check(const Screen *screen, const Manifest *manifest, const BuildCheck *check)
{
	g_autofree char *revision = show_revision(manifest->revision);
	guint same = tree_count(manifest->tree) - check->only_release->len - check->changed->len;
	g_autofree char *alike = show_count(same, "file", "files");
	say_paths(screen, STYLE_GOOD, "+", check->only_release);
	say_paths(screen, STYLE_WAITING, "~", check->changed);
	say_paths(screen, STYLE_DIM, "-", check->only_git);
	screen_line(screen,
		"%s %s and revision %s: + %u only in the release, ~ %u different, - %u only in "
		"git; %s the same",
		manifest->product, manifest->version, revision, check->only_release->len,
		check->changed->len, check->only_git->len, alike);
}

gboolean release_run_check(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	const char *product = invocation_argument(invocation, 0);
	g_autoptr(Manifest) manifest = take(invocation, error);
	if (manifest == NULL)
		return FALSE;
	g_autoptr(json_t) plan = release_plan(invocation, product, NULL, NULL, error);
	g_autofree char *repository =
		plan != NULL ? release_repository(invocation, plan, error) : NULL;
	g_autoptr(BuildCheck) check =
		repository != NULL
			? build_check(repository, manifest->revision, manifest->tree, error)
			: NULL;
	if (check == NULL)
		return FALSE;
	if (!screen->json) {
		say_check(screen, manifest, check);
		return TRUE;
	}
	g_autoptr(json_t) shown = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "product",
		manifest->product, "version", manifest->version, "revision", manifest->revision,
		"only_release", paths_json(check->only_release), "only_git",
		paths_json(check->only_git), "changed", paths_json(check->changed));
	screen_json(screen, shown);
	return TRUE;
}

const Option release_check_options[] = {
	{"repository", "DIR", "A clone to compare with, instead of the product's repository"},
	{0},
};
