/* SPDX-License-Identifier: ISC
 *
 * Exporting: what is committed, as it is committed, and nothing else. All files get the commit's
 * time, so that a build that compares times finds nothing newer than anything else, each time.
 */
#include "release/build/export.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "release/beneath.h"
#include "release/build/copy.h"
#include "release/progress.h"

typedef struct Export {
	const Revision *revision;
	int folder_fd;
	Progress progress;
} Export;

static gboolean export_file(int folder_fd, const char *path, const char *bytes, gsize size_bytes,
	mode_t mode, gint64 mtime_s, GError **error)
{
	int fd = beneath_create(folder_fd, path, error);
	if (fd < 0)
		return FALSE;
	gboolean ok = file_write_all(fd, bytes, size_bytes) && copy_seal(fd, mode, mtime_s);
	if (!ok)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot write %s: %s", path,
			g_strerror(errno));
	close(fd);
	return ok;
}

static gboolean export_link(int folder_fd, const RevisionEntry *entry, GError **error)
{
	g_autofree char *target = g_strndup(entry->bytes, entry->size_bytes);
	if (entry->size_bytes > 0 && strlen(target) == entry->size_bytes)
		return beneath_link(folder_fd, entry->path, target, error);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s is a link to nowhere: its target is empty or holds a NUL byte", entry->path);
	return FALSE;
}

static gboolean export_entry(const RevisionEntry *entry, gpointer of, GError **error)
{
	Export *export = of;
	gboolean ok = FALSE;
	switch (entry->kind) {
	case REVISION_FILE:
	case REVISION_EXECUTABLE:
		ok = export_file(export->folder_fd, entry->path, entry->bytes, entry->size_bytes,
			entry->kind == REVISION_FILE ? 0644 : 0755, export->revision->time_s,
			error);
		break;
	case REVISION_LINK:
		ok = export_link(export->folder_fd, entry, error);
		break;
	case REVISION_SUBMODULE:
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s is a submodule: its files are in another repository, so they cannot be "
			"built from this revision. Pin them as a dependency in the lock file, or "
			"commit them here",
			entry->path);
		break;
	}
	if (ok)
		progress_add(&export->progress, 1, (gint64)entry->size_bytes);
	return ok;
}

gboolean export_revision(const Revision *revision, int folder_fd, TreeProgress progress,
	gpointer user, GError **error)
{
	Export export = {
		.revision = revision,
		.folder_fd = folder_fd,
		.progress = {.tell = progress, .user = user},
	};
	return revision_each(revision, export_entry, &export, error);
}
