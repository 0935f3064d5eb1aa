/* SPDX-License-Identifier: ISC
 *
 * drover report: a folder of pages that is there as a whole or not at all. The new one is written
 * beside, synced, and changes places with the old one in a single step, so a web server that serves
 * the folder never sees half. Only a folder that carries our mark is ever replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "programs/drover/commands.h"
#include "store/job.h"

#define MARK ".drover-report"
/* In the names of folders that are no report yet, or none any more: whoever wrote or removed them
 * may have ended at any file, so their names alone say whose they are. */
#define BESIDE	  ".drover-part-"
#define MARK_TEXT "This folder is replaced as a whole by drover report.\n"

static gboolean fail_errno(GError **error, const char *tried, const char *path)
{
	drover_error_set(
		error, DROVER_ERROR_INTERNAL, "cannot %s %s: %s", tried, path, g_strerror(errno));
	return FALSE;
}

/* "index.html" and "web/43.html", never out of the folder. */
static gboolean is_inside(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	for (guint i = 0; parts[i] != NULL; i++)
		if (*parts[i] == '\0' || *parts[i] == '.')
			return FALSE;
	return parts[0] != NULL;
}

static gboolean write_file(
	const char *folder, const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (!is_inside(name)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the report names a file outside its folder: '%s'", name);
		return FALSE;
	}
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	return file_make_folder(parent, 0755, error) &&
	       file_write(path, text, size_bytes, 0644, error);
}

static gboolean write_files(const char *folder, const json_t *files, GError **error)
{
	g_autofree char *mark = g_build_filename(folder, MARK, NULL);
	if (chmod(folder, 0755) != 0)
		return fail_errno(error, "open up", folder);
	if (!file_write(mark, MARK_TEXT, strlen(MARK_TEXT), 0644, error))
		return FALSE;
	const char *name;
	json_t *text;
	json_object_foreach ((json_t *)files, name, text)
		if (!write_file(
			    folder, name, json_string_value(text), json_string_length(text), error))
			return FALSE;
	return file_sync_folder(folder, error);
}

static gboolean is_empty(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	return entries != NULL && g_dir_read_name(entries) == NULL;
}

/* TRUE when nothing is there, or what may be replaced; *there says which. */
static gboolean may_replace(const char *folder, gboolean *there, GError **error)
{
	struct stat status;
	g_autofree char *mark = g_build_filename(folder, MARK, NULL);
	*there = lstat(folder, &status) == 0;
	if (!*there)
		return errno == ENOENT || fail_errno(error, "look at", folder);
	if (S_ISDIR(status.st_mode) && (is_empty(folder) || access(mark, F_OK) == 0))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s is there and is no report of drover's: it is left alone. Name a folder that is "
		"empty, not there, or an earlier report",
		folder);
	return FALSE;
}

/* The old report goes only when a power cut can no longer bring its name back. */
static gboolean remove_old(const char *old, const char *folder, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(folder);
	return file_sync_folder(parent, error) && file_remove(old, error);
}

/* For file systems that cannot exchange two names at once: for an instant there is no folder, never
 * half a one. */
static gboolean swap_in_two_steps(const char *fresh, const char *folder, GError **error)
{
	g_autofree char *old = g_strconcat(fresh, "-old", NULL);
	if (rename(folder, old) != 0)
		return fail_errno(error, "rename", folder);
	if (rename(fresh, folder) != 0) {
		fail_errno(error, "rename the new report to", folder);
		if (rename(old, folder) != 0)
			g_prefix_error(error, "the old report is now %s; ", old);
		return FALSE;
	}
	return remove_old(old, folder, error);
}

static gboolean put_in_place(const char *fresh, const char *folder, gboolean there, GError **error)
{
	if (!there)
		return rename(fresh, folder) == 0 ||
		       fail_errno(error, "rename the new report to", folder);
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, folder, RENAME_EXCHANGE) == 0)
		return remove_old(fresh, folder, error);
	if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)
		return swap_in_two_steps(fresh, folder, error);
	return fail_errno(error, "put the new report in the place of", folder);
}

static gboolean write_beside_and_swap(const char *folder, const json_t *files, GError **error)
{
	gboolean there = FALSE;
	g_autofree char *parent = g_path_get_dirname(folder);
	g_autofree char *fresh = g_strconcat(folder, BESIDE "XXXXXX", NULL);
	if (!may_replace(folder, &there, error) || !file_make_folder(parent, 0755, error))
		return FALSE;
	if (g_mkdtemp(fresh) == NULL)
		return fail_errno(error, "make a folder beside", folder);
	if (write_files(fresh, files, error) && put_in_place(fresh, folder, there, error))
		return file_sync_folder(parent, error);
	file_remove(fresh, NULL);
	return FALSE;
}

/* What an earlier run that was killed left beside; only while we hold the lock. */
static void remove_leftovers(const char *folder)
{
	g_autofree char *parent = g_path_get_dirname(folder);
	g_autofree char *base = g_path_get_basename(folder);
	g_autofree char *prefix = g_strconcat(base, BESIDE, NULL);
	g_autoptr(GDir) entries = g_dir_open(parent, 0, NULL);
	for (const char *name; entries != NULL && (name = g_dir_read_name(entries)) != NULL;) {
		g_autofree char *path = g_build_filename(parent, name, NULL);
		if (g_str_has_prefix(name, prefix))
			file_remove(path, NULL);
	}
}

/* The folder itself where the name is a link to it, without slashes at its end. */
static char *real_folder(const char *folder)
{
	char *real = realpath(folder, NULL);
	if (real == NULL)
		return g_canonicalize_filename(folder, NULL);
	char *copy = g_strdup(real);
	free(real);
	return copy;
}

gboolean report_begin(Invocation *invocation, StoreJob **lock, GError **error)
{
	Port *port = invocation_port(invocation, error);
	*lock = NULL;
	if (port == NULL)
		return FALSE;
	if (port->store != NULL)
		*lock = store_job_take(port->store, "report", invocation_clock(invocation), error);
	if (port->store != NULL && *lock == NULL)
		return FALSE;
	/* Read behind the lock, so that an upgrade which waits for jobs never misses this one. */
	return commands_refuse_in_maintenance(invocation, error);
}

gboolean report_write(Invocation *invocation, const char *folder, GError **error)
{
	g_autofree char *real = real_folder(folder);
	if (invocation_opened_store(invocation) != NULL)
		remove_leftovers(real);
	g_autoptr(json_t) report =
		invocation_call(invocation, "GET", NULL, NULL, error, "report", NULL);
	const json_t *files = json_object_get(report, "files");
	if (report == NULL || !write_beside_and_swap(real, files, error))
		return FALSE;
	screen_done(invocation_screen(invocation), "report: %zu files in %s",
		json_object_size(files), real);
	return TRUE;
}

gboolean job_run_report(Invocation *invocation, GError **error)
{
	const Screen *screen = invocation_screen(invocation);
	Settings *settings = invocation_settings(invocation, error);
	if (settings == NULL)
		return FALSE;
	const char *folder = invocation_option(invocation, "out");
	if (folder == NULL)
		folder = settings_text(settings, "report.folder");
	if (folder == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"where to? Say --out DIR, or set [report] folder in the configuration");
		return FALSE;
	}
	g_autoptr(StoreJob) lock = NULL;
	if (!report_begin(invocation, &lock, error) || !report_write(invocation, folder, error))
		return FALSE;
	if (screen->json) {
		g_autoptr(json_t) answer = json_pack("{s:s}", "folder", folder);
		screen_json(screen, answer);
	}
	return TRUE;
}
