/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a recipe and as a lock file: never a fault; an error names the file; what is read
 * stays in the tree, and goes into a manifest.
 */
#include <stdint.h>
#include <string.h>

#include "release/build/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_error(const GError *error, const char *name)
{
	g_assert(error != NULL && error->domain == DROVER_ERROR);
	g_assert(g_str_has_prefix(error->message, name));
	g_assert(g_utf8_validate(error->message, -1, NULL));
}

static void check_path(const char *path)
{
	g_assert(path == NULL || tree_check_path(path, NULL));
}

static void try_recipe(const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Recipe) recipe = recipe_parse("drover.ini", text, size, &error);
	if (recipe == NULL) {
		check_error(error, "drover.ini");
		return;
	}
	check_path(recipe->lock);
	check_path(recipe->into);
	check_path(recipe->contract);
	for (char **path = recipe->remove; *path != NULL; path++)
		check_path(*path);
	g_assert(recipe->build_timeout_s >= 1 && recipe->test_timeout_s >= 1);
	g_assert(recipe->build_timeout_s <= RECIPE_MAXIMUM_TIMEOUT_S);
	g_assert(recipe->test_timeout_s <= RECIPE_MAXIMUM_TIMEOUT_S);
	g_assert(recipe->build_command == NULL || *recipe->build_command != '\0');
	g_assert(recipe->test_command == NULL || *recipe->test_command != '\0');
}

static Manifest *manifest_with(const GPtrArray *dependencies)
{
	static const char sha256[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	Manifest *manifest = manifest_new();
	manifest->product = g_strdup("web");
	manifest->version = g_strdup("1");
	manifest->sequence = 1;
	manifest->revision = g_strdup("0123456789abcdef0123456789abcdef01234567");
	manifest->payload =
		(ArchivePayload){.size_bytes = 300, .tar_bytes = 4096, .window_log = 23};
	g_strlcpy(manifest->payload.sha256, sha256, SHA256_HEX);
	g_strlcpy(manifest->payload.tar_sha256, sha256, SHA256_HEX);
	g_assert(tree_add_file(manifest->tree, "a", FALSE, 0, sha256, NULL));
	for (guint i = 0; i < dependencies->len; i++) {
		const ManifestDependency *each = dependencies->pdata[i];
		manifest_add_dependency(
			manifest, each->name, each->version, each->file, each->sha256);
	}
	return manifest;
}

static void try_lock(const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) dependencies = recipe_lock_parse("deps.lock", text, size, &error);
	if (dependencies == NULL) {
		check_error(error, "deps.lock");
		return;
	}
	g_autoptr(Manifest) manifest = manifest_with(dependencies);
	g_autofree char *written = manifest_text(manifest, &error);
	g_assert_no_error(error);
	g_assert(written != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	try_recipe((const char *)bytes, size);
	try_lock((const char *)bytes, size);
	return 0;
}
