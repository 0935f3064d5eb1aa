/* SPDX-License-Identifier: ISC
 *
 * The steps of a build, in order: a tree, its tests on a copy, the payload, a second build if that
 * was asked for, and the draft last, so that a draft says that all of it went well.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "release/build/build_parts.h"
#include "release/build/command.h"
#include "release/build/copy.h"

enum { RUN_TREE_DIGITS = 12, RUN_RANDOM_BYTES = 6 };

static void build_clear(Build *build)
{
	build_folder_free(build->folder);
	revision_free(build->revision);
	recipe_free(build->recipe);
	g_clear_pointer(&build->dependencies, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Build, build_clear)

/* comparing ------------------------------------------------------------------------------------ */

char *build_difference(
	const Tree *first, const Tree *second, const char *first_name, const char *second_name)
{
	g_autoptr(GArray) changes = tree_difference(first, second);
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < MIN(changes->len, BUILD_PATHS_NAMED); i++) {
		const TreeChange *change = &g_array_index(changes, TreeChange, i);
		const TreeEntry *entry = change->before != NULL ? change->before : change->after;
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", entry->path);
		if (change->after == NULL)
			g_string_append_printf(text, " (only in %s)", first_name);
		else if (change->before == NULL)
			g_string_append_printf(text, " (only in %s)", second_name);
	}
	if (changes->len > BUILD_PATHS_NAMED)
		g_string_append_printf(text, " and %u more", changes->len - BUILD_PATHS_NAMED);
	return changes->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* testing -------------------------------------------------------------------------------------- */

static gboolean copy_for_tests(Build *build, const Tree *tree, int tree_fd, GError **error)
{
	int copy_fd = build_folder_make(build->folder, "test", error);
	if (copy_fd < 0)
		return FALSE;
	gboolean ok = copy_tree(tree, tree_fd, copy_fd, build->revision->time_s, error);
	close(copy_fd);
	return ok;
}

/* Tests know where they are, and may reach the release beside their copy. */
static gboolean check_unchanged(Build *build, const Tree *tree, int tree_fd, GError **error)
{
	g_autoptr(Tree) now = build_read_tree(build, tree_fd, error);
	if (now == NULL)
		return FALSE;
	g_autofree char *paths =
		build_difference(tree, now, "the tested tree", "the tree after the tests");
	if (paths == NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"the tests changed the release itself, not the copy they ran on: %s", paths);
	return FALSE;
}

static gboolean hash_log(Build *build, char sha256[SHA256_HEX], GError **error)
{
	g_autofree char *path = build_folder_path(build->folder, "test.log");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	gint64 size = 0;
	gboolean ok =
		fd >= 0 && nowhere >= 0 && copy_stream(fd, nowhere, G_MAXINT64, &size, sha256);
	if (!ok)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot read %s: %s", path,
			g_strerror(errno));
	if (fd >= 0)
		close(fd);
	if (nowhere >= 0)
		close(nowhere);
	return ok;
}

/* "3f9a1c2b4d5e-9b1c0d2e3f40": of this tree, and of no other run. Caller frees. */
static char *new_run(const Tree *tree)
{
	char sha256[SHA256_HEX];
	unsigned char random[RUN_RANDOM_BYTES];
	char hex[2 * RUN_RANDOM_BYTES + 1];
	tree_digest(tree, sha256);
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(hex, sizeof hex, random, sizeof random);
	return g_strdup_printf("%.*s-%s", RUN_TREE_DIGITS, sha256, hex);
}

static gboolean run_tests(
	Build *build, const Tree *tree, int tree_fd, Manifest *draft, GError **error)
{
	const Recipe *recipe = build->recipe;
	if (recipe->test_command == NULL)
		return TRUE;
	build_begin(build, BUILD_TEST, 0);
	if (!copy_for_tests(build, tree, tree_fd, error) ||
		!build_command(build, "the test run", recipe->test_command, recipe->test_timeout_s,
			"test", "test.log", error) ||
		!check_unchanged(build, tree, tree_fd, error) ||
		!hash_log(build, draft->test_log_sha256, error))
		return FALSE;
	draft->test_run = new_run(tree);
	return build_folder_remove(build->folder, "test", error);
}

/* packing -------------------------------------------------------------------------------------- */

static gboolean pack(
	Build *build, const Tree *tree, int tree_fd, ArchivePayload *payload, GError **error)
{
	g_autofree char *path = build_folder_path(build->folder, BUILD_PAYLOAD_FILE);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", path,
			g_strerror(errno));
		return FALSE;
	}
	build_begin(build, BUILD_PACK, tree_size_bytes(tree));
	gboolean ok = archive_pack(tree_fd, tree, build->revision->time_s, &archive_effort_default,
		fd, build_tell, build, payload, error);
	if (ok && fsync(fd) != 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", path,
			g_strerror(errno));
		ok = FALSE;
	}
	close(fd);
	return ok;
}

/* the second build ----------------------------------------------------------------------------- */

static gboolean compare_tars(Build *build, const Tree *second, int second_fd,
	const ArchivePayload *payload, GError **error)
{
	gint64 tar_bytes = 0;
	char tar_sha256[SHA256_HEX];
	if (!archive_measure(
		    second_fd, second, build->revision->time_s, &tar_bytes, tar_sha256, error))
		return FALSE;
	if (tar_bytes == payload->tar_bytes && strcmp(tar_sha256, payload->tar_sha256) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"two equal trees were packed into different archives (%s, %s): this is a fault of "
		"drover or of libarchive, please report it",
		payload->tar_sha256, tar_sha256);
	return FALSE;
}

static gboolean refuse_difference(Build *build, const char *paths, GError **error)
{
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"built twice, %s %s is not the same: %s. Look with diff -r %s/tree %s/second; "
		"usual reasons are times (SOURCE_DATE_EPOCH is set), the folder's own name, and "
		"the "
		"order of files or threads",
		build->wish->product, build->wish->version, paths, build->folder->path,
		build->folder->path);
	return FALSE;
}

static gboolean verify(
	Build *build, const Tree *tree, const ArchivePayload *payload, GError **error)
{
	int second_fd = -1;
	if (!build->wish->verify)
		return TRUE;
	build->is_second = TRUE;
	g_autoptr(Tree) second = build_make(build, "second", "second.log", &second_fd, error);
	if (second == NULL)
		return FALSE;
	g_autofree char *paths =
		build_difference(tree, second, "the first build", "the second build");
	gboolean ok = paths == NULL ? compare_tars(build, second, second_fd, payload, error)
				    : refuse_difference(build, paths, error);
	close(second_fd);
	return ok && build_folder_remove(build->folder, "second", error);
}

/* the draft ------------------------------------------------------------------------------------ */

static gboolean put_contract(const Build *build, const Tree *tree, Manifest *draft, GError **error)
{
	const char *path = build->recipe->contract;
	const TreeEntry *entry = path != NULL ? tree_find(tree, path) : NULL;
	if (path == NULL)
		return TRUE;
	if (entry == NULL || entry->kind != TREE_FILE) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: [release] contract names %s, which is no file of the built tree",
			RECIPE_FILE, path);
		return FALSE;
	}
	g_strlcpy(draft->contract_sha256, entry->sha256, SHA256_HEX);
	return TRUE;
}

static void put_rest(const Build *build, Manifest *draft)
{
	const BuildWish *wish = build->wish;
	draft->product = g_strdup(wish->product);
	draft->version = g_strdup(wish->version);
	/* Publishing counts; until then as low as a manifest may have it. */
	draft->sequence = MAX(1, build->recipe->min_rollback_sequence);
	draft->revision = g_strdup(build->revision->sha);
	draft->landing = wish->landing;
	draft->min_rollback_sequence = build->recipe->min_rollback_sequence;
	draft->mtime_s = build->revision->time_s;
	for (guint i = 0; i < build->dependencies->len; i++) {
		const ManifestDependency *dependency = build->dependencies->pdata[i];
		manifest_add_dependency(draft, dependency->name, dependency->version,
			dependency->file, dependency->sha256);
	}
}

static gboolean write_draft(const Build *build, Manifest *draft, GError **error)
{
	g_autofree char *text = manifest_text(draft, error);
	g_autofree char *path = build_folder_path(build->folder, BUILD_DRAFT_FILE);
	return text != NULL && file_write(path, text, strlen(text), 0644, error);
}

/* Takes `tree`. */
static Manifest *finish(Build *build, Tree *tree, int tree_fd, GError **error)
{
	g_autoptr(Manifest) draft = manifest_new();
	tree_free(draft->tree);
	draft->tree = tree;
	if (!put_contract(build, tree, draft, error) ||
		!run_tests(build, tree, tree_fd, draft, error) ||
		!pack(build, tree, tree_fd, &draft->payload, error) ||
		!verify(build, tree, &draft->payload, error))
		return NULL;
	put_rest(build, draft);
	return write_draft(build, draft, error) ? g_steal_pointer(&draft) : NULL;
}

Manifest *build_run(const BuildWish *wish, GError **error)
{
	g_auto(Build) build = {.wish = wish};
	int tree_fd = -1;
	if (!manifest_check_name("product", wish->product, error) ||
		!manifest_check_name("version", wish->version, error))
		return NULL;
	build.revision = revision_open(wish->repository, wish->revision, error);
	if (build.revision == NULL)
		return NULL;
	build.folder = build_folder_take(wish->folder, error);
	if (build.folder == NULL)
		return NULL;
	Tree *tree = build_make(&build, BUILD_TREE_FOLDER, "build.log", &tree_fd, error);
	if (tree == NULL)
		return NULL;
	Manifest *draft = finish(&build, tree, tree_fd, error);
	close(tree_fd);
	return draft;
}
