/* SPDX-License-Identifier: ISC
 *
 * A version comes into the repository: copied into .incoming/ID, each file compared on its way with
 * what the manifest says and synced; then one rename gives the folder its name.
 *
 * Killed before the rename, nothing was published, and the next holder of the lock throws away what
 * is in .incoming. Killed after it, all was, and publishing the same again finds that out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/progress.h"
#include "release/repository_parts.h"

enum { CHUNK_BYTES = 1 << 20 };

/* What a file of the version must be. */
typedef struct Wanted {
	char *name;
	gint64 size_bytes; /* -1: no more than `maximum_bytes` */
	gint64 maximum_bytes;
	char sha256[SHA256_HEX]; /* "": anything */
} Wanted;

static void wanted_free(gpointer data)
{
	Wanted *wanted = data;
	g_free(wanted->name);
	g_free(wanted);
}

static void want(GPtrArray *all, char *name, gint64 size_bytes, const char *sha256)
{
	Wanted *wanted = g_new0(Wanted, 1);
	wanted->name = name;
	wanted->size_bytes = size_bytes;
	wanted->maximum_bytes = size_bytes;
	g_strlcpy(wanted->sha256, sha256, sizeof wanted->sha256);
	g_ptr_array_add(all, wanted);
}

static void digest_text(const char *text, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, text, strlen(text));
	sha256_finish(&state, sha256);
}

static GPtrArray *wanted_of(const Manifest *manifest, const char *text)
{
	char sha256[SHA256_HEX];
	GPtrArray *all = g_ptr_array_new_with_free_func(wanted_free);
	digest_text(text, sha256);
	want(all, g_strdup(REPOSITORY_MANIFEST_FILE), (gint64)strlen(text), sha256);
	want(all, g_strdup(REPOSITORY_SIGNATURE_FILE), -1, "");
	((Wanted *)all->pdata[1])->maximum_bytes = SIGNATURE_MAXIMUM_BYTES;
	want(all, g_strdup(REPOSITORY_PAYLOAD_FILE), manifest->payload.size_bytes,
		manifest->payload.sha256);
	for (guint i = 0; i < manifest->deltas->len; i++) {
		const ManifestDelta *delta = manifest->deltas->pdata[i];
		want(all, repository_delta_file(delta->from_version), delta->size_bytes,
			delta->sha256);
	}
	return all;
}

static const PublishFile *find_file(const PublishFile *files, gsize count, const char *name)
{
	for (gsize i = 0; i < count; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

/* Each file that the manifest names is given, and no other. */
static gboolean check_files(
	const GPtrArray *all, const PublishFile *files, gsize count, GError **error)
{
	for (guint i = 0; i < all->len; i++) {
		const Wanted *wanted = all->pdata[i];
		if (find_file(files, count, wanted->name) != NULL)
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"the manifest names %s, and it was not given", wanted->name);
		return FALSE;
	}
	if (count == all->len)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%" G_GSIZE_FORMAT " files were given, and the manifest names %u", count, all->len);
	return FALSE;
}

/* Copying -------------------------------------------------------------------------------------- */

static gboolean is_as_wanted(
	const Wanted *wanted, gint64 size_bytes, Sha256 *state, const char *path, GError **error)
{
	char sha256[SHA256_HEX];
	sha256_finish(state, sha256);
	if ((wanted->size_bytes < 0 || wanted->size_bytes == size_bytes) &&
		size_bytes <= wanted->maximum_bytes &&
		(*wanted->sha256 == '\0' || strcmp(wanted->sha256, sha256) == 0))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s is not the %s of the manifest: it was damaged or exchanged. Build it again",
		path, wanted->name);
	return FALSE;
}

/* Compares what comes out of `from` with what is wanted, and writes it to `to` unless that is -1.
 * At most one chunk more than is wanted is read. */
static gboolean pour(int from, int to, const char *path, const char *new_path, const Wanted *wanted,
	Progress *progress, GError **error)
{
	Sha256 state;
	gint64 size_bytes = 0;
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	sha256_init(&state);
	while (size_bytes <= wanted->maximum_bytes) {
		gssize got = read(from, chunk, CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			repository_set_errno(error, "read", path);
			return FALSE;
		}
		if (got == 0)
			break;
		if (to >= 0 && !file_write_all(to, chunk, (gsize)got)) {
			repository_set_errno(error, "write", new_path);
			return FALSE;
		}
		sha256_update(&state, chunk, (gsize)got);
		size_bytes += got;
		progress_add(progress, 0, got);
	}
	progress_add(progress, 1, 0);
	return is_as_wanted(wanted, size_bytes, &state, path, error);
}

static gboolean copy_to(int from, const char *path, const char *new_path, const Wanted *wanted,
	Progress *progress, GError **error)
{
	int to = open(new_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (to < 0) {
		repository_set_errno(error, "make", new_path);
		return FALSE;
	}
	gboolean ok = pour(from, to, path, new_path, wanted, progress, error);
	if (ok && (fchmod(to, 0644) != 0 || fsync(to) != 0)) {
		repository_set_errno(error, "write", new_path);
		ok = FALSE;
	}
	if (close(to) != 0 && ok) {
		repository_set_errno(error, "write", new_path);
		ok = FALSE;
	}
	return ok;
}

/* Into `folder`, or, when that is NULL, nowhere: only compared. */
static gboolean copy_file(const char *path, const char *folder, const Wanted *wanted,
	Progress *progress, GError **error)
{
	int from = file_open_regular(path, error);
	if (from < 0)
		return FALSE;
	gboolean ok;
	if (folder != NULL) {
		g_autofree char *new_path = g_build_filename(folder, wanted->name, NULL);
		ok = copy_to(from, path, new_path, wanted, progress, error);
	} else {
		ok = pour(from, -1, path, NULL, wanted, progress, error);
	}
	close(from);
	return ok;
}

static gboolean copy_files(const GPtrArray *all, const PublishFile *files, gsize count,
	const char *folder, Progress *progress, GError **error)
{
	for (guint i = 0; i < all->len; i++) {
		const Wanted *wanted = all->pdata[i];
		const PublishFile *file = find_file(files, count, wanted->name);
		if (!copy_file(file->path, folder, wanted, progress, error))
			return FALSE;
	}
	return TRUE;
}

/* Publishing ----------------------------------------------------------------------------------- */

/* What is being published. */
typedef struct Publishing {
	Repository *repository;
	RepositoryLock *lock;
	const Manifest *manifest;
	char *text; /* of the manifest */
	GPtrArray *all;
	const PublishFile *files;
	gsize count;
	Progress progress;
} Publishing;

static void publishing_clear(Publishing *publishing)
{
	g_free(publishing->text);
	g_clear_pointer(&publishing->all, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Publishing, publishing_clear)

/* The version is there: is it this one? */
static gboolean is_published(Publishing *publishing, GError **error)
{
	Repository *repository = publishing->repository;
	const char *version = publishing->manifest->version;
	g_autoptr(Manifest) there =
		repository_manifest(repository, version, NULL, 0, NULL, NULL, error);
	g_autofree char *text = there != NULL ? manifest_text(there, error) : NULL;
	if (text == NULL)
		return FALSE;
	if (strcmp(text, publishing->text) != 0) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s %s is published, with another manifest: what was published never "
			"changes. Give this one another version",
			repository->product, version);
		return FALSE;
	}
	g_autoptr(GError) other = NULL;
	if (!copy_files(publishing->all, publishing->files, publishing->count, NULL,
		    &publishing->progress, &other)) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s %s is published, with other bytes than what was given now: %s",
			repository->product, version, other->message);
		return FALSE;
	}
	/* Who gave it its name was perhaps killed before the name was safe. */
	return file_sync_folder(repository->path, error);
}

static gboolean make_incoming(const Repository *repository, const char *folder, GError **error)
{
	int incoming = repository_open_own(repository, REPOSITORY_INCOMING, error);
	if (incoming < 0)
		return FALSE;
	close(incoming);
	if (mkdir(folder, 0755) == 0 && chmod(folder, 0755) == 0)
		return TRUE;
	repository_set_errno(error, "make the folder", folder);
	return FALSE;
}

static gboolean name_it(
	Publishing *publishing, const char *incoming, const char *folder, GError **error)
{
	Repository *repository = publishing->repository;
	g_autofree char *path = repository_path(repository, publishing->manifest->version);
	if (!repository_lock_check(publishing->lock, error))
		return FALSE;
	if (rename(folder, path) != 0) {
		repository_set_errno(error, "give the new version its name", path);
		return FALSE;
	}
	return file_sync_folder(repository->path, error) && file_sync_folder(incoming, error);
}

static gboolean bring_in(Publishing *publishing, GError **error)
{
	Repository *repository = publishing->repository;
	g_autofree char *id = repository_new_id();
	g_autofree char *name = g_build_filename(REPOSITORY_INCOMING, id, NULL);
	g_autofree char *incoming = repository_path(repository, REPOSITORY_INCOMING);
	g_autofree char *folder = repository_path(repository, name);
	if (!repository_lock_check(publishing->lock, error) ||
		!make_incoming(repository, folder, error))
		return FALSE;
	if (copy_files(publishing->all, publishing->files, publishing->count, folder,
		    &publishing->progress, error) &&
		file_sync_folder(folder, error) && name_it(publishing, incoming, folder, error))
		return TRUE;
	/* Of a full disk, too. What stays all the same is cleaned up by the next writer. */
	file_remove(folder, NULL);
	return FALSE;
}

gboolean repository_publish(Repository *repository, RepositoryLock *lock, Manifest *manifest,
	const PublishFile *files, gsize count, TreeProgress progress, gpointer user,
	PublishOutcome *outcome, GError **error)
{
	g_auto(Publishing) publishing = {.repository = repository,
		.lock = lock,
		.manifest = manifest,
		.files = files,
		.count = count,
		.progress = {.tell = progress, .user = user}};
	g_assert(strcmp(manifest->product, repository->product) == 0);
	if (!repository_check_version(manifest->version, error))
		return FALSE;
	publishing.text = manifest_text(manifest, error);
	if (publishing.text == NULL)
		return FALSE;
	publishing.all = wanted_of(manifest, publishing.text);
	if (!check_files(publishing.all, files, count, error))
		return FALSE;
	gboolean is_there = repository_has(repository, manifest->version);
	*outcome = is_there ? PUBLISH_WAS_THERE : PUBLISH_DONE;
	return is_there ? is_published(&publishing, error) : bring_in(&publishing, error);
}

static gboolean has_no_other(const char *path, const GPtrArray *all, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
		gboolean is_known = FALSE;
		for (guint i = 0; i < all->len && !is_known; i++)
			is_known = strcmp(((const Wanted *)all->pdata[i])->name, name) == 0;
		if (is_known)
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s holds the file %s, which its manifest does not name", path, name);
		return FALSE;
	}
	return TRUE;
}

gboolean repository_check_files(Repository *repository, Manifest *manifest, TreeProgress progress,
	gpointer user, GError **error)
{
	Progress told = {.tell = progress, .user = user};
	g_autofree char *text = manifest_text(manifest, error);
	if (text == NULL)
		return FALSE;
	g_autoptr(GPtrArray) all = wanted_of(manifest, text);
	g_autofree char *folder = repository_folder(repository, manifest->version);
	for (guint i = 0; i < all->len; i++) {
		const Wanted *wanted = all->pdata[i];
		g_autofree char *path = g_build_filename(folder, wanted->name, NULL);
		if (!copy_file(path, NULL, wanted, &told, error))
			return FALSE;
	}
	return has_no_other(folder, all, error);
}

gboolean repository_sign_again(Repository *repository, RepositoryLock *lock, const char *version,
	const Signature *signature, const Trust *trust, gint64 now_us, GError **error)
{
	if (!repository_check_version(version, error) || !repository_lock_check(lock, error))
		return FALSE;
	gsize size_bytes;
	g_autofree char *manifest =
		g_build_filename(repository->path, version, REPOSITORY_MANIFEST_FILE, NULL);
	g_autofree char *path =
		g_build_filename(repository->path, version, REPOSITORY_SIGNATURE_FILE, NULL);
	g_autofree char *text =
		file_read_regular(manifest, MANIFEST_MAXIMUM_BYTES, &size_bytes, error);
	if (text == NULL || !trust_verify(trust, TRUST_USE_RELEASE, signature, manifest, text,
				    size_bytes, now_us, error))
		return FALSE;
	if (!signature_is_about(signature, "release", repository->product, version, error))
		return FALSE;
	g_autofree char *lines = signature_text(signature);
	return file_write(path, lines, strlen(lines), 0644, error);
}
