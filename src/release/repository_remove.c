/* SPDX-License-Identifier: ISC
 *
 * Versions removed, and what killed writers left. Nothing is deleted under the name by which others
 * know it: it is renamed aside first, so that nobody ever finds half of it there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/repository_parts.h"

enum { OWN_TRIES = 2 };

int repository_open_own(const Repository *repository, const char *name, GError **error)
{
	g_autofree char *path = repository_path(repository, name);
	for (int i = 0; i < OWN_TRIES; i++) {
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			break;
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if ((errno != ENOTDIR && errno != ELOOP) || unlink(path) != 0)
			break;
	}
	repository_set_errno(error, "make the folder", path);
	return -1;
}

/* `name` in the folder `from`, which lies at `path`. */
static gboolean put_aside_from(
	Repository *repository, int from, const char *path, const char *name, GError **error)
{
	g_autofree char *id = repository_new_id();
	int removed = repository_open_own(repository, REPOSITORY_REMOVED, error);
	if (removed < 0)
		return FALSE;
	gboolean ok = (renameat(from, name, removed, id) == 0 || errno == ENOENT) &&
		      fsync(from) == 0 && fsync(removed) == 0;
	if (!ok) {
		g_autofree char *which = g_build_filename(path, name, NULL);
		repository_set_errno(error, "put aside", which);
	}
	close(removed);
	return ok;
}

gboolean repository_put_aside(Repository *repository, const char *name, GError **error)
{
	int from = open(repository->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0) {
		repository_set_errno(error, "open the folder", repository->path);
		return FALSE;
	}
	gboolean ok = put_aside_from(repository, from, repository->path, name, error);
	close(from);
	return ok;
}

gboolean repository_empty_removed(Repository *repository, GError **error)
{
	g_autofree char *removed = repository_path(repository, REPOSITORY_REMOVED);
	return file_remove(removed, error);
}

static gboolean put_entries_aside(
	Repository *repository, DIR *folder, const char *path, GError **error)
{
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			!put_aside_from(repository, dirfd(folder), path, entry->d_name, error))
			return FALSE;
	return TRUE;
}

/* Each entry of .incoming: its writer is gone, or finds out when it wants to give it its name. */
static gboolean put_incoming_aside(Repository *repository, GError **error)
{
	struct stat status;
	g_autofree char *incoming = repository_path(repository, REPOSITORY_INCOMING);
	if (lstat(incoming, &status) != 0 && errno == ENOENT)
		return TRUE;
	int fd = repository_open_own(repository, REPOSITORY_INCOMING, error);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (fd < 0)
		return FALSE;
	if (folder == NULL) {
		repository_set_errno(error, "read the folder", incoming);
		close(fd);
		return FALSE;
	}
	gboolean ok = put_entries_aside(repository, folder, incoming, error);
	closedir(folder);
	return ok;
}

/* Of file_write(), and of taking the lock. */
static gboolean is_leftover(const char *name)
{
	return g_str_has_prefix(name, REPOSITORY_LOCK "-") ||
	       g_str_has_prefix(name, REPOSITORY_INDEX_FILE ".part-") ||
	       g_str_has_prefix(name, REPOSITORY_DELEGATION_FILE ".part-");
}

static gboolean remove_leftovers(Repository *repository, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(repository->path, 0, NULL);
	for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
		g_autofree char *path = repository_path(repository, name);
		if (is_leftover(name) && !file_remove(path, error))
			return FALSE;
	}
	return TRUE;
}

gboolean repository_clean(Repository *repository, GError **error)
{
	return put_incoming_aside(repository, error) &&
	       repository_empty_removed(repository, error) && remove_leftovers(repository, error);
}

gboolean repository_remove(
	Repository *repository, RepositoryLock *lock, const char *version, GError **error)
{
	if (!repository_check_version(version, error) || !repository_lock_check(lock, error))
		return FALSE;
	return !repository_has(repository, version) ||
	       (repository_put_aside(repository, version, error) &&
		       repository_empty_removed(repository, error));
}
