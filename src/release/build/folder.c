/* SPDX-License-Identifier: ISC
 *
 * Folders to build in. One that holds somebody's files is never emptied: only those that have our
 * mark are, and of these only what a build makes.
 */
#include "release/build/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/tree.h"

enum { OPEN_FOLDERS = 16 /* of nested ones, at one time */ };

static const char mark_text[] = "Made by drover, to build in: it is emptied before each build.\n";

/* Of a build before this one. The draft first: without it the rest counts for nothing. */
static const char *const made[] = {"manifest.draft", "reason", "payload.tar.zst", "build.log",
	"test.log", "second.log", "tree", "second", "test", "home"};

char *build_folder_path(const BuildFolder *folder, const char *name)
{
	return g_build_filename(folder->path, name, NULL);
}

static int open_up(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)at;
	if ((kind == FTW_D || kind == FTW_DNR) && (status->st_mode & S_IRWXU) != S_IRWXU)
		chmod(path, S_IRWXU);
	return 0;
}

/* Some tools take the right to write from folders that they made. Each round opens one more folder
 * of those that could not even be read. */
static gboolean remove_all(const char *path, GError **error)
{
	for (guint round = 0; round < TREE_MAXIMUM_PATH_PARTS; round++) {
		if (file_remove(path, NULL))
			return TRUE;
		nftw(path, open_up, OPEN_FOLDERS, FTW_PHYS);
	}
	return file_remove(path, error);
}

gboolean build_folder_remove(const BuildFolder *folder, const char *name, GError **error)
{
	g_autofree char *path = build_folder_path(folder, name);
	return remove_all(path, error);
}

int build_folder_make(const BuildFolder *folder, const char *name, GError **error)
{
	g_autofree char *path = build_folder_path(folder, name);
	if (!remove_all(path, error))
		return -1;
	int fd = mkdir(path, 0755) == 0
			 ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			 : -1;
	if (fd >= 0 && fchmod(fd, 0755) == 0)
		return fd;
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot make %s: %s", path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static gboolean is_empty(const char *path, gboolean *empty, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	g_autoptr(GDir) folder = g_dir_open(path, 0, &wrong);
	if (folder == NULL) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot look into %s: %s", path,
			wrong->message);
		return FALSE;
	}
	*empty = g_dir_read_name(folder) == NULL;
	return TRUE;
}

static gboolean check_ours(const BuildFolder *folder, const char *mark, GError **error)
{
	gboolean empty = FALSE;
	if (g_file_test(mark, G_FILE_TEST_IS_REGULAR))
		return TRUE;
	if (!is_empty(folder->path, &empty, error))
		return FALSE;
	if (empty)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s holds files that no build of drover made (there is no file %s in it): name "
		"another folder, or an empty one",
		folder->path, BUILD_FOLDER_MARK);
	return FALSE;
}

static gboolean lock_mark(BuildFolder *folder, const char *mark, GError **error)
{
	folder->mark_fd = open(mark, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (folder->mark_fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", mark,
			g_strerror(errno));
		return FALSE;
	}
	if (flock(folder->mark_fd, LOCK_EX | LOCK_NB) != 0) {
		drover_error_set(error, DROVER_ERROR_LOCKED,
			"another build is at work in %s: wait for it, or name another folder",
			folder->path);
		return FALSE;
	}
	if (ftruncate(folder->mark_fd, 0) == 0 &&
		file_write_all(folder->mark_fd, mark_text, strlen(mark_text)))
		return TRUE;
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", mark, g_strerror(errno));
	return FALSE;
}

static gboolean take(BuildFolder *folder, GError **error)
{
	g_autofree char *mark = build_folder_path(folder, BUILD_FOLDER_MARK);
	g_autofree char *cache = build_folder_path(folder, "cache");
	if (!file_make_folder(folder->path, 0755, error) || !check_ours(folder, mark, error) ||
		!lock_mark(folder, mark, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(made); i++)
		if (!build_folder_remove(folder, made[i], error))
			return FALSE;
	return file_make_folder(cache, 0755, error);
}

BuildFolder *build_folder_take(const char *path, GError **error)
{
	g_autoptr(BuildFolder) folder = g_new0(BuildFolder, 1);
	folder->path = g_canonicalize_filename(path, NULL);
	folder->mark_fd = -1;
	return take(folder, error) ? g_steal_pointer(&folder) : NULL;
}

void build_folder_free(BuildFolder *folder)
{
	if (folder == NULL)
		return;
	if (folder->mark_fd >= 0)
		close(folder->mark_fd);
	g_free(folder->path);
	g_free(folder);
}
