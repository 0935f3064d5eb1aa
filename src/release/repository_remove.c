/* SPDX-License-Identifier: ISC
 *
 * Versions removed, and what killed writers left. Nothing is deleted under the name by which others
 * know it: it is renamed aside first, so that nobody ever finds half of it there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "release/repository_parts.h"

gboolean repository_put_aside(Repository *repository, const char *name, GError **error)
{
	g_autofree char *id = repository_new_id();
	g_autofree char *removed = repository_path(repository, REPOSITORY_REMOVED);
	g_autofree char *aside = g_build_filename(removed, id, NULL);
	g_autofree char *path = repository_path(repository, name);
	g_autofree char *parent = g_path_get_dirname(path);
	if (mkdir(removed, 0755) != 0 && errno != EEXIST) {
		repository_set_errno(error, "make the folder", removed);
		return FALSE;
	}
	if (rename(path, aside) != 0 && errno != ENOENT) {
		repository_set_errno(error, "put aside", path);
		return FALSE;
	}
	return file_sync_folder(parent, error) && file_sync_folder(removed, error);
}

gboolean repository_empty_removed(Repository *repository, GError **error)
{
	g_autofree char *removed = repository_path(repository, REPOSITORY_REMOVED);
	return file_remove(removed, error);
}

/* Each entry of .incoming: its writer is gone, or finds out when it wants to give it its name. */
static gboolean put_incoming_aside(Repository *repository, GError **error)
{
	g_autofree char *incoming = repository_path(repository, REPOSITORY_INCOMING);
	g_autoptr(GDir) folder = g_dir_open(incoming, 0, NULL);
	for (const char *id; folder != NULL && (id = g_dir_read_name(folder)) != NULL;) {
		g_autofree char *name = g_build_filename(REPOSITORY_INCOMING, id, NULL);
		if (!repository_put_aside(repository, name, error))
			return FALSE;
	}
	return TRUE;
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
