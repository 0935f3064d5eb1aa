/* SPDX-License-Identifier: ISC
 *
 * Making a tree: the revision's files, the pinned dependencies, what the build command makes of
 * them, less what is no part of the release.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/beneath.h"
#include "release/build/build_parts.h"
#include "release/build/command.h"
#include "release/build/export.h"

void build_begin(Build *build, BuildStep step, gint64 total_bytes)
{
	build->step = build->is_second ? BUILD_VERIFY : step;
	build->total_bytes = build->is_second ? 0 : total_bytes;
	build_tell(0, 0, build);
}

void build_tell(guint files, gint64 size_bytes, gpointer of)
{
	(void)files;
	const Build *build = of;
	const BuildWish *wish = build->wish;
	if (wish->progress != NULL)
		wish->progress(build->step, size_bytes, build->total_bytes, wish->of);
}

/* the recipe ----------------------------------------------------------------------------------- */

/* A text of the tree; *text is NULL, without an error, when it is not there. */
static gboolean read_text(int tree_fd, const char *path, gsize maximum_bytes, char **text,
	gsize *size_bytes, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	struct stat status;
	*text = NULL;
	*size_bytes = 0;
	int fd = beneath_open(tree_fd, path, &wrong);
	if (fd < 0) {
		if (drover_error_is(wrong, DROVER_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&wrong));
		return FALSE;
	}
	g_autofree char *bytes = g_malloc(maximum_bytes + 1);
	gssize got = 0;
	gboolean ok = fstat(fd, &status) == 0 && (gsize)status.st_size <= maximum_bytes &&
		      (got = pread(fd, bytes, maximum_bytes, 0)) == status.st_size;
	close(fd);
	if (!ok) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s cannot be read, or is larger than %" G_GSIZE_FORMAT " bytes", path,
			maximum_bytes);
		return FALSE;
	}
	bytes[got] = '\0';
	*size_bytes = (gsize)got;
	*text = g_steal_pointer(&bytes);
	return TRUE;
}

static gboolean read_lock(Build *build, int tree_fd, GError **error)
{
	const char *path = build->recipe->lock;
	g_autofree char *text = NULL;
	gsize size = 0;
	build->dependencies = g_ptr_array_new();
	if (path == NULL)
		return TRUE;
	if (!read_text(tree_fd, path, RECIPE_LOCK_MAXIMUM_BYTES, &text, &size, error))
		return FALSE;
	if (text == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s names the lock file %s, which is not in revision %s", RECIPE_FILE, path,
			build->revision->sha);
		return FALSE;
	}
	g_clear_pointer(&build->dependencies, g_ptr_array_unref);
	build->dependencies = recipe_lock_parse(path, text, size, error);
	return build->dependencies != NULL;
}

/* Once: the second tree is of the same revision. */
static gboolean read_recipe(Build *build, int tree_fd, GError **error)
{
	g_autofree char *text = NULL;
	gsize size = 0;
	if (build->recipe != NULL)
		return TRUE;
	if (!read_text(tree_fd, RECIPE_FILE, RECIPE_MAXIMUM_BYTES, &text, &size, error))
		return FALSE;
	build->recipe = recipe_parse(RECIPE_FILE, text, size, error);
	return build->recipe != NULL && read_lock(build, tree_fd, error);
}

/* dependencies --------------------------------------------------------------------------------- */

static gboolean put_dependencies(Build *build, int tree_fd, GError **error)
{
	if (build->dependencies->len == 0)
		return TRUE;
	build_begin(build, BUILD_DEPENDENCIES, 0);
	g_autofree char *cache = build_folder_path(build->folder, "cache");
	DependencyPlaces places = {build->wish->vendor, cache, build->recipe->lock};
	return dependencies_fetch(&places, build->dependencies, build_tell, build, error) &&
	       dependencies_place(&places, build->dependencies, tree_fd, build->recipe->into,
		       build->revision->time_s, error);
}

/* the command ---------------------------------------------------------------------------------- */

static void tell_log(gint64 log_bytes, gpointer build)
{
	build_tell(0, log_bytes, build);
}

gboolean build_command(Build *build, const char *what, const char *command, gint64 timeout_s,
	const char *folder, const char *log, GError **error)
{
	g_autofree char *home = build_folder_path(build->folder, "home");
	g_autofree char *in = build_folder_path(build->folder, folder);
	g_autofree char *log_path = build_folder_path(build->folder, log);
	CommandWish wish = {
		.what = what,
		.command = command,
		.folder = in,
		.home = home,
		.log = log_path,
		.timeout_s = timeout_s,
		.with_network = build->wish->with_network,
		.product = build->wish->product,
		.version = build->wish->version,
		.time_s = build->revision->time_s,
		.alive = tell_log,
		.of = build,
	};
	int home_fd = build_folder_make(build->folder, "home", error);
	if (home_fd < 0)
		return FALSE;
	close(home_fd);
	return command_run(&wish, error) && build_folder_remove(build->folder, "home", error);
}

/* what stays ----------------------------------------------------------------------------------- */

/* A path below a link would be somewhere else. */
static gboolean leads_through_link(int tree_fd, const char *path)
{
	struct stat status;
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		if (fstatat(tree_fd, folder, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(status.st_mode))
			return TRUE;
	}
	return FALSE;
}

static gboolean remove_path(
	Build *build, const char *name, int tree_fd, const char *path, GError **error)
{
	struct stat status;
	if (!leads_through_link(tree_fd, path) &&
		fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		g_autofree char *below = g_build_filename(name, path, NULL);
		return build_folder_remove(build->folder, below, error);
	}
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: [build] remove names %s, which is not there once the tree is built: take it "
		"out of the list, or write what was meant",
		RECIPE_FILE, path);
	return FALSE;
}

static gboolean remove_paths(Build *build, const char *name, int tree_fd, GError **error)
{
	for (char **path = build->recipe->remove; *path != NULL; path++)
		if (!remove_path(build, name, tree_fd, *path, error))
			return FALSE;
	return TRUE;
}

Tree *build_read_tree(Build *build, int folder_fd, GError **error)
{
	return tree_read(
		folder_fd, TREE_MODES_BY_OWNER, &tree_limits_largest, build_tell, build, error);
}

static Tree *hash(Build *build, int tree_fd, GError **error)
{
	build_begin(build, BUILD_HASH, 0);
	g_autoptr(Tree) tree = build_read_tree(build, tree_fd, error);
	if (tree == NULL || tree_count(tree) > 0)
		return g_steal_pointer(&tree);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"revision %s leaves no file for a release once it is built", build->revision->sha);
	return NULL;
}

static gboolean make(Build *build, const char *name, const char *log, int tree_fd, GError **error)
{
	build_begin(build, BUILD_EXPORT, 0);
	if (!export_revision(build->revision, tree_fd, build_tell, build, error) ||
		!read_recipe(build, tree_fd, error) || !put_dependencies(build, tree_fd, error))
		return FALSE;
	const Recipe *recipe = build->recipe;
	if (recipe->build_command != NULL) {
		build_begin(build, BUILD_COMMAND, 0);
		if (!build_command(build, "the build", recipe->build_command,
			    recipe->build_timeout_s, name, log, error))
			return FALSE;
	}
	return remove_paths(build, name, tree_fd, error);
}

Tree *build_make(Build *build, const char *name, const char *log, int *tree_fd, GError **error)
{
	*tree_fd = build_folder_make(build->folder, name, error);
	if (*tree_fd < 0)
		return NULL;
	Tree *tree = make(build, name, log, *tree_fd, error) ? hash(build, *tree_fd, error) : NULL;
	if (tree != NULL)
		return tree;
	close(*tree_fd);
	*tree_fd = -1;
	return NULL;
}
