/* SPDX-License-Identifier: ISC
 *
 * Where a repository lies, and whether what libgit2 will read in it are files. It opens settings
 * and references without looking: a pipe among them, which anybody may make who can write there,
 * would hold a scan for ever, and with it whoever waits for the scan.
 */
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "landing/git_parts.h"

#define COMMONDIR_MAXIMUM_BYTES 4096
#define OPEN_FOLDERS		16 /* of nested ones, at one time */

static const char *const read_files[] = {"HEAD", "config", "config.worktree", "packed-refs",
	"commondir", "shallow", "info/grafts", "objects/info/alternates"};

/* What is not there is not read either. Links are followed, as libgit2 does. */
static gboolean is_readable_kind(const char *path)
{
	struct stat status;
	return stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

static gboolean refuse(const char *path, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s is neither a file nor a folder: a repository holds nothing else; remove it, or "
		"clone the repository anew",
		path);
	return FALSE;
}

static int stop_at_other_kinds(
	const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return !is_readable_kind(path);
}

static gboolean check_folder(const char *folder, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(read_files); i++) {
		g_autofree char *path = g_build_filename(folder, read_files[i], NULL);
		if (!is_readable_kind(path))
			return refuse(path, error);
	}
	g_autofree char *references = g_build_filename(folder, "refs", NULL);
	if (nftw(references, stop_at_other_kinds, OPEN_FOLDERS, FTW_PHYS) > 0)
		return refuse(references, error);
	return TRUE;
}

void git_place_clear(GitPlace *place)
{
	g_clear_pointer(&place->folder, g_free);
	g_clear_pointer(&place->common, g_free);
	g_clear_pointer(&place->workdir, g_free);
}

/* The folder that `commondir` names, or `folder` itself. Caller frees. */
static char *common_of(const char *folder)
{
	g_autofree char *pointer = g_build_filename(folder, "commondir", NULL);
	g_autofree char *shared = is_readable_kind(pointer)
					  ? file_read(pointer, COMMONDIR_MAXIMUM_BYTES, NULL, NULL)
					  : NULL;
	return shared != NULL ? g_canonicalize_filename(g_strstrip(shared), folder)
			      : g_strdup(folder);
}

static char *workdir_of(const char *path, const char *folder)
{
	g_autofree char *inside = g_build_filename(path, ".git", NULL);
	g_autofree char *name = g_path_get_basename(folder);
	g_autofree char *whole = g_canonicalize_filename(folder, NULL);
	if (g_file_test(inside, G_FILE_TEST_EXISTS))
		return g_strdup(path);
	return strcmp(name, ".git") == 0 ? g_path_get_dirname(whole) : NULL;
}

void git_place_find(const char *path, GitPlace *place)
{
	git_buf found = GIT_BUF_INIT;
	g_autofree char *above = g_path_get_dirname(path);
	*place = (GitPlace){0};
	if (git_repository_discover(&found, path, 1, above) < 0)
		return;
	place->folder = g_strdup(found.ptr);
	git_buf_dispose(&found);
	place->common = common_of(place->folder);
	place->workdir = workdir_of(path, place->folder);
}

gboolean git_files_are_files(const GitPlace *place, GError **error)
{
	return check_folder(place->folder, error) &&
	       (strcmp(place->common, place->folder) == 0 || check_folder(place->common, error));
}
