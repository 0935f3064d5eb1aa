/* SPDX-License-Identifier: ISC
 *
 * A repository for tests.
 */
#include "repository_bed.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

int repository_bed_setup(void **state)
{
	RepositoryBed *bed = g_new0(RepositoryBed, 1);
	bed_setup((void **)&bed->bed);
	bed->folder = g_build_filename(bed->bed->folder, "repository", NULL);
	assert_int_equal(mkdir(bed->folder, 0755), 0);
	bed->repository = repository_open(bed->folder, "web", TRUE, NULL);
	assert_non_null(bed->repository);
	bed->key = secret_key_generate();
	*state = bed;
	return 0;
}

int repository_bed_teardown(void **state)
{
	RepositoryBed *bed = *state;
	secret_key_free(bed->key);
	repository_free(bed->repository);
	g_free(bed->folder);
	int ended = bed_teardown((void **)&bed->bed);
	g_free(bed);
	return ended;
}

Trust *bed_trust(const RepositoryBed *bed)
{
	Trust *trust = trust_new("web");
	assert_true(trust_add_root(trust, secret_key_public(bed->key), NULL));
	return trust;
}

static void add_file(Built *built, const char *name)
{
	gsize i = built->count++;
	built->paths[i] = g_build_filename(built->folder, name, NULL);
	built->files[i] =
		(PublishFile){.name = strrchr(built->paths[i], '/') + 1, .path = built->paths[i]};
}

static void digest(const char *text, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, text, strlen(text));
	sha256_finish(&state, sha256);
}

static Manifest *manifest_of(
	const char *version, gint64 sequence, const char *text, const char *from)
{
	char sha256[SHA256_HEX];
	Manifest *manifest = manifest_new();
	manifest->product = g_strdup("web");
	manifest->version = g_strdup(version);
	manifest->sequence = sequence;
	manifest->revision = g_strnfill(40, 'a');
	digest(text, sha256);
	assert_true(
		tree_add_file(manifest->tree, "file", FALSE, (gint64)strlen(text), sha256, NULL));
	assert_true(tree_finish(manifest->tree, NULL));
	digest("delta\n", sha256);
	if (from != NULL)
		manifest_add_delta(manifest, from, SHA256_ABC, 6, sha256, 10);
	return manifest;
}

static void pack(const RepositoryBed *bed, Built *built, const char *text)
{
	g_autofree char *name = g_strconcat("tree-", built->manifest->version, NULL);
	g_autofree char *tree = g_build_filename(bed->bed->folder, name, NULL);
	file_remove(tree, NULL);
	int folder = bed_make_folder(bed->bed, name);
	bed_write(folder, "file", text, 0644);
	g_autofree char *path = g_build_filename(built->folder, REPOSITORY_PAYLOAD_FILE, NULL);
	FILE *packed = fopen(path, "w");
	assert_true(archive_pack(folder, built->manifest->tree, 0, &archive_effort_default,
		fileno(packed), NULL, NULL, &built->manifest->payload, NULL));
	fclose(packed);
	close(folder);
}

static void write_signed(const RepositoryBed *bed, const Built *built)
{
	g_autofree char *text = manifest_text(built->manifest, NULL);
	assert_non_null(text);
	g_autofree char *comment = signature_comment("release", "web", built->manifest->version);
	g_autoptr(Signature) signature = signature_make(bed->key, text, strlen(text), comment);
	g_autofree char *lines = signature_text(signature);
	assert_true(file_write(built->files[0].path, text, strlen(text), 0644, NULL));
	assert_true(file_write(built->files[1].path, lines, strlen(lines), 0644, NULL));
}

Built *bed_build(const RepositoryBed *bed, const char *version, gint64 sequence, const char *text,
	const char *from)
{
	Built *built = g_new0(Built, 1);
	g_autofree char *pattern = g_build_filename(bed->bed->folder, "built-XXXXXX", NULL);
	built->folder = g_strdup(g_mkdtemp(pattern));
	built->manifest = manifest_of(version, sequence, text, from);
	add_file(built, REPOSITORY_MANIFEST_FILE);
	add_file(built, REPOSITORY_SIGNATURE_FILE);
	add_file(built, REPOSITORY_PAYLOAD_FILE);
	pack(bed, built, text);
	if (from != NULL) {
		g_autofree char *name = repository_delta_file(from);
		add_file(built, name);
		assert_true(file_write(built->paths[3], "delta\n", 6, 0644, NULL));
	}
	write_signed(bed, built);
	return built;
}

void built_free(Built *built)
{
	file_remove(built->folder, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(built->paths); i++)
		g_free(built->paths[i]);
	manifest_free(built->manifest);
	g_free(built->folder);
	g_free(built);
}

gboolean bed_publish(
	const RepositoryBed *bed, const Built *built, PublishOutcome *outcome, GError **error)
{
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "publish", CLOCK_SYSTEM, NULL, error);
	return lock != NULL && repository_publish(bed->repository, lock, built->manifest,
				       built->files, built->count, NULL, NULL, outcome, error);
}

void bed_publish_text(
	const RepositoryBed *bed, const char *version, gint64 sequence, const char *text)
{
	PublishOutcome outcome;
	g_autoptr(GError) error = NULL;
	g_autoptr(Built) built = bed_build(bed, version, sequence, text, NULL);
	bed_publish(bed, built, &outcome, &error);
	assert_fine(error);
	assert_int_equal(outcome, PUBLISH_DONE);
}

gboolean bed_sign(const RepositoryBed *bed, gint64 now_us, gboolean only_when_due)
{
	gboolean written = FALSE;
	g_autoptr(GError) error = NULL;
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "sign", CLOCK_SYSTEM, NULL, &error);
	assert_fine(error);
	repository_sign_index(bed->repository, lock, bed->key, trust, NULL, now_us, 7 * 86400,
		only_when_due, &written, &error);
	assert_fine(error);
	return written;
}

char *bed_path(const RepositoryBed *bed, const char *name)
{
	return g_build_filename(bed->folder, "web", name, NULL);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *bed_names(const RepositoryBed *bed, const char *name)
{
	g_autofree char *path = bed_path(bed, name);
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (const char *each; folder != NULL && (each = g_dir_read_name(folder)) != NULL;)
		g_ptr_array_add(names, g_strdup(each));
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(" ", (char **)names->pdata);
}
