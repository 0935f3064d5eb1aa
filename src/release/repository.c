/* SPDX-License-Identifier: ISC
 *
 * The repository read. Whatever can be read has its final name, and what has a final name is whole:
 * so readers take no lock and look twice at nothing.
 */
#include "release/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/repository_parts.h"

char *repository_path(const Repository *repository, const char *name)
{
	return g_build_filename(repository->path, name, NULL);
}

char *repository_delta_file(const char *from_version)
{
	return g_strconcat("from-", from_version, ".delta", NULL);
}

char *repository_new_id(void)
{
	return g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
}

void repository_set_errno(GError **error, const char *tried, const char *path)
{
	int number = errno;
	DroverErrorCode code = number == ENOENT ? DROVER_ERROR_NOT_FOUND : DROVER_ERROR_INTERNAL;
	drover_error_set(error, code, "cannot %s %s: %s", tried, path, g_strerror(number));
}

gboolean repository_check_version(const char *version, GError **error)
{
	if (!manifest_check_name("version", version, error))
		return FALSE;
	if (strcmp(version, REPOSITORY_INDEX_FILE) != 0 &&
		strcmp(version, REPOSITORY_DELEGATION_FILE) != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"a version cannot be called \"%s\": a file of the repository is", version);
	return FALSE;
}

/* A folder that is not there is perhaps a disk that is not mounted: it is not made. */
static gboolean find_folder(const char *folder, GError **error)
{
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"the repository %s is not there: mount it, or make an empty folder for a new one",
		folder);
	return FALSE;
}

static gboolean find_product(const Repository *repository, gboolean make, GError **error)
{
	if (g_file_test(repository->path, G_FILE_TEST_IS_DIR))
		return TRUE;
	if (!make) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"nothing of %s was ever published to %s", repository->product,
			repository->folder);
		return FALSE;
	}
	if (mkdir(repository->path, 0775) != 0 && errno != EEXIST) {
		repository_set_errno(error, "make the folder", repository->path);
		return FALSE;
	}
	return file_sync_folder(repository->folder, error);
}

Repository *repository_open(const char *folder, const char *product, gboolean make, GError **error)
{
	if (!manifest_check_name("product", product, error) || !find_folder(folder, error))
		return NULL;
	g_autoptr(Repository) repository = g_new0(Repository, 1);
	repository->folder = g_strdup(folder);
	repository->product = g_strdup(product);
	repository->path = g_build_filename(folder, product, NULL);
	return find_product(repository, make, error) ? g_steal_pointer(&repository) : NULL;
}

void repository_free(Repository *repository)
{
	if (repository == NULL)
		return;
	g_free(repository->folder);
	g_free(repository->product);
	g_free(repository->path);
	g_free(repository);
}

char *repository_folder(const Repository *repository, const char *version)
{
	return repository_path(repository, version);
}

gboolean repository_has(const Repository *repository, const char *version)
{
	g_autofree char *path = repository_path(repository, version);
	return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *repository_versions(Repository *repository, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(repository->path, 0, NULL);
	if (folder == NULL) {
		repository_set_errno(error, "read the folder", repository->path);
		return NULL;
	}
	GPtrArray *versions = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
		if (repository_check_version(name, NULL) && repository_has(repository, name))
			g_ptr_array_add(versions, g_strdup(name));
	g_ptr_array_sort(versions, compare_names);
	return versions;
}

int repository_open_file(
	Repository *repository, const char *version, const char *file, GError **error)
{
	g_assert(strchr(file, '/') == NULL && file[0] != '.');
	if (!repository_check_version(version, error))
		return -1;
	g_autofree char *path = g_build_filename(repository->path, version, file, NULL);
	return file_open_regular(path, error);
}

/* Signed texts --------------------------------------------------------------------------------- */

Signature *repository_read_signed(const Repository *repository, const char *file,
	gsize maximum_bytes, char **text, gsize *text_bytes, GError **error)
{
	gsize size_bytes;
	g_autofree char *path = repository_path(repository, file);
	g_autofree char *bytes = file_read_regular(
		path, maximum_bytes + SIGNATURE_MAXIMUM_BYTES, &size_bytes, error);
	if (bytes == NULL)
		return NULL;
	return signed_text_split(path, bytes, size_bytes, text, text_bytes, error);
}

gboolean repository_write_signed(Repository *repository, RepositoryLock *lock, const char *file,
	const char *text, const Signature *signature, GError **error)
{
	g_autofree char *path = repository_path(repository, file);
	g_autofree char *bytes = signed_text_join(text, signature);
	return repository_lock_check(lock, error) &&
	       file_write(path, bytes, strlen(bytes), 0644, error);
}

static void digest_of(const char *bytes, gsize size_bytes, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size_bytes);
	sha256_finish(&state, sha256);
}

Index *repository_index(Repository *repository, Trust *trust, gint64 now_us,
	char sha256[SHA256_HEX], GError **error)
{
	gsize size_bytes;
	g_autofree char *text = NULL;
	g_autofree char *path = repository_path(repository, REPOSITORY_INDEX_FILE);
	g_autoptr(Signature) signature = repository_read_signed(
		repository, REPOSITORY_INDEX_FILE, INDEX_MAXIMUM_BYTES, &text, &size_bytes, error);
	if (signature == NULL)
		return NULL;
	if (trust != NULL && !trust_verify(trust, TRUST_USE_INDEX, signature, path, text,
				     size_bytes, now_us, error))
		return NULL;
	g_autoptr(Index) index = index_parse(path, text, size_bytes, error);
	if (index == NULL)
		return NULL;
	if (strcmp(index->product, repository->product) != 0) {
		drover_error_set(error, DROVER_ERROR_DENIED, "%s is the index of %s, not of %s",
			path, index->product, repository->product);
		return NULL;
	}
	if (trust != NULL)
		trust_take_revoked(trust, index->revoked, &signature->key);
	if (sha256 != NULL)
		digest_of(text, size_bytes, sha256);
	return g_steal_pointer(&index);
}

gboolean repository_take_delegation(Repository *repository, Trust *trust, GError **error)
{
	gsize size_bytes;
	g_autofree char *text = NULL;
	g_autoptr(GError) missing = NULL;
	g_autofree char *path = repository_path(repository, REPOSITORY_DELEGATION_FILE);
	g_autoptr(Signature) signature = repository_read_signed(repository,
		REPOSITORY_DELEGATION_FILE, DELEGATION_MAXIMUM_BYTES, &text, &size_bytes, &missing);
	if (drover_error_is(missing, DROVER_ERROR_NOT_FOUND))
		return TRUE;
	if (missing != NULL) {
		g_propagate_error(error, g_steal_pointer(&missing));
		return FALSE;
	}
	return trust_take_delegation(trust, path, text, size_bytes, signature, error);
}

/* Manifests ------------------------------------------------------------------------------------ */

static gboolean manifest_is_of(const Manifest *manifest, const Repository *repository,
	const char *version, const char *path, GError **error)
{
	if (strcmp(manifest->product, repository->product) == 0 &&
		strcmp(manifest->version, version) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED, "%s is the manifest of %s %s, not of %s %s",
		path, manifest->product, manifest->version, repository->product, version);
	return FALSE;
}

static gboolean manifest_is_trusted(const Repository *repository, const char *version,
	const Trust *trust, const Signature *signature, const char *path, const char *text,
	gsize size_bytes, gint64 now_us, GError **error)
{
	return trust == NULL || (trust_verify(trust, TRUST_USE_RELEASE, signature, path, text,
					 size_bytes, now_us, error) &&
					signature_is_about(signature, "release",
						repository->product, version, error));
}

Signature *repository_signature(Repository *repository, const char *version, GError **error)
{
	gsize size_bytes;
	if (!repository_check_version(version, error))
		return NULL;
	g_autofree char *path =
		g_build_filename(repository->path, version, REPOSITORY_SIGNATURE_FILE, NULL);
	g_autofree char *text =
		file_read_regular(path, SIGNATURE_MAXIMUM_BYTES, &size_bytes, error);
	return text != NULL ? signature_parse(path, text, size_bytes, error) : NULL;
}

Manifest *repository_manifest(Repository *repository, const char *version, const Trust *trust,
	gint64 now_us, KeyId *signer, char sha256[SHA256_HEX], GError **error)
{
	gsize size_bytes;
	g_autoptr(Signature) signature = repository_signature(repository, version, error);
	g_autofree char *path =
		g_build_filename(repository->path, version, REPOSITORY_MANIFEST_FILE, NULL);
	g_autofree char *text = signature != NULL ? file_read_regular(path, MANIFEST_MAXIMUM_BYTES,
							    &size_bytes, error)
						  : NULL;
	if (text == NULL || !manifest_is_trusted(repository, version, trust, signature, path, text,
				    size_bytes, now_us, error))
		return NULL;
	g_autoptr(Manifest) manifest = manifest_parse(path, text, size_bytes, error);
	if (manifest == NULL || !manifest_is_of(manifest, repository, version, path, error))
		return NULL;
	if (signer != NULL)
		*signer = signature->key;
	if (sha256 != NULL)
		digest_of(text, size_bytes, sha256);
	return g_steal_pointer(&manifest);
}
