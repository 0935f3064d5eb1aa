/* SPDX-License-Identifier: ISC
 *
 * Whether what libgit2 will read in a repository are files. It opens settings and references
 * without looking: a pipe among them, which anybody may make who can write there, would hold a scan
 * for ever, and with it whoever waits for the scan.
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

gboolean git_files_are_files(const char *path, GError **error)
{
	git_buf found = GIT_BUF_INIT;
	g_autofree char *above = g_path_get_dirname(path);
	if (git_repository_discover(&found, path, 1, above) < 0)
		return TRUE; /* opening it says why */
	g_autofree char *folder = g_strdup(found.ptr);
	git_buf_dispose(&found);
	if (!check_folder(folder, error))
		return FALSE;
	g_autofree char *pointer = g_build_filename(folder, "commondir", NULL);
	g_autofree char *shared = file_read(pointer, COMMONDIR_MAXIMUM_BYTES, NULL, NULL);
	if (shared == NULL)
		return TRUE;
	g_autofree char *common = g_canonicalize_filename(g_strstrip(shared), folder);
	return check_folder(common, error);
}
