/* SPDX-License-Identifier: ISC
 *
 * The repository: what is published, refused, removed; the index and the delegation. The lock and
 * killed writers have tests of their own.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "repository_bed.h"

static char *read_text(const RepositoryBed *bed, const char *name)
{
	g_autofree char *path = bed_path(bed, name);
	return file_read(path, 1 << 20, NULL, NULL);
}

/* The index, verified: "newest 2: 1.1 1.0". Caller frees. */
static char *index_words(const RepositoryBed *bed, gint64 now_us)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(Index) index = repository_index(bed->repository, trust, now_us, NULL, &error);
	assert_fine(error);
	GString *words = g_string_new(NULL);
	g_string_printf(words, "newest %d:", (int)index->newest);
	for (guint i = 0; i < index->releases->len; i++)
		g_string_append_printf(
			words, " %s", ((IndexRelease *)index->releases->pdata[i])->version);
	return g_string_free(words, FALSE);
}

static void assert_index(const RepositoryBed *bed, gint64 now_us, const char *expected)
{
	g_autofree char *words = index_words(bed, now_us);
	assert_string_equal(words, expected);
}

/* Publishing ----------------------------------------------------------------------------------- */

static void test_what_was_published_is_there_and_nothing_else(void **state)
{
	RepositoryBed *bed = *state;
	PublishOutcome outcome;
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", "0.9");
	assert_true(bed_publish(bed, built, &outcome, NULL));
	assert_int_equal(outcome, PUBLISH_DONE);
	g_autofree char *all = bed_names(bed, "");
	assert_string_equal(all, ".incoming 1.0");
	g_autofree char *incoming = bed_names(bed, ".incoming");
	assert_string_equal(incoming, "");
	g_autofree char *names = bed_names(bed, "1.0");
	assert_string_equal(names, "from-0.9.delta manifest manifest.minisig payload.tar.zst");
	g_autofree char *delta = read_text(bed, "1.0/from-0.9.delta");
	assert_string_equal(delta, "delta\n");

	g_autoptr(Trust) trust = bed_trust(bed);
	KeyId signer;
	g_autoptr(Manifest) manifest = repository_manifest(
		bed->repository, "1.0", trust, REPOSITORY_NOW, &signer, NULL, NULL);
	assert_int_equal(manifest->sequence, 1);
	assert_true(key_id_equal(&signer, &secret_key_public(bed->key)->id));
	g_autoptr(GPtrArray) versions = repository_versions(bed->repository, NULL);
	assert_int_equal(versions->len, 1);
}

static void test_everybody_may_read_what_was_published_whatever_the_umask(void **state)
{
	RepositoryBed *bed = *state;
	struct stat status;
	mode_t before = umask(077);
	bed_publish_text(bed, "1.0", 1, "one\n");
	umask(before);
	g_autofree char *folder = bed_path(bed, "1.0");
	g_autofree char *file = bed_path(bed, "1.0/payload.tar.zst");
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
}

static void test_the_same_bytes_again_are_no_error_and_other_ones_are(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	PublishOutcome outcome;
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", NULL);
	g_autoptr(Built) other = bed_build(bed, "1.0", 1, "two\n", NULL);
	assert_true(bed_publish(bed, built, &outcome, NULL));
	assert_true(bed_publish(bed, built, &outcome, NULL));
	assert_int_equal(outcome, PUBLISH_WAS_THERE);

	assert_false(bed_publish(bed, other, &outcome, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "another manifest");

	/* The manifest that was published, and a payload that it does not name. */
	built->files[2].path = other->paths[2];
	assert_false(bed_publish(bed, built, &outcome, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "other bytes");
}

static void assert_not_published(RepositoryBed *bed, const Built *built, const char *part)
{
	GError *error = NULL;
	PublishOutcome outcome;
	assert_false(bed_publish(bed, built, &outcome, &error));
	assert_error(&error, DROVER_ERROR_INPUT, part);
	g_autofree char *all = bed_names(bed, "");
	assert_null(strstr(all, built->manifest->version));
	g_autofree char *incoming = bed_names(bed, ".incoming");
	assert_string_equal(incoming, "");
}

static void test_a_damaged_file_is_never_published(void **state)
{
	RepositoryBed *bed = *state;
	for (int file = 0; file < 4; file++) {
		if (file == 1)
			continue; /* the signature: who reads verifies it */
		g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", "0.9");
		g_autofree char *bytes = NULL;
		gsize size;
		assert_true(g_file_get_contents(built->paths[file], &bytes, &size, NULL));
		bytes[size / 2] ^= 1;
		assert_true(file_write(built->paths[file], bytes, size, 0644, NULL));
		assert_not_published(bed, built, "is not the");
		/* Cut off, and longer. */
		bytes[size / 2] ^= 1;
		assert_true(file_write(built->paths[file], bytes, size - 1, 0644, NULL));
		assert_not_published(bed, built, "is not the");
		assert_true(file_write(built->paths[file], bytes, size + 1, 0644, NULL));
		assert_not_published(bed, built, "is not the");
	}
}

static void test_exactly_the_files_of_the_manifest_are_taken(void **state)
{
	RepositoryBed *bed = *state;
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", "0.9");
	built->count = 3;
	assert_not_published(bed, built, "names from-0.9.delta");
	g_autoptr(Built) more = bed_build(bed, "1.0", 1, "one\n", NULL);
	more->paths[3] = g_strdup(more->paths[2]);
	more->files[3] = (PublishFile){.name = "passwords", .path = more->paths[3]};
	more->count = 4;
	assert_not_published(bed, more, "4 files were given");
}

static void test_a_version_called_as_a_file_of_the_repository_is_refused(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	PublishOutcome outcome;
	const char *const names[] = {"index", "delegation"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(Built) built = bed_build(bed, names[i], 1, "one\n", NULL);
		assert_false(bed_publish(bed, built, &outcome, &error));
		assert_error(&error, DROVER_ERROR_INPUT, "a file of the repository is");
	}
}

/* A pipe would keep its reader, and the lock, until somebody writes to it. */
static void test_what_is_no_file_is_refused_and_not_waited_for(void **state)
{
	RepositoryBed *bed = *state;
	const char *const names[] = {"1.0/manifest.minisig", "1.0/manifest", "1.0/payload.tar.zst"};
	PublishOutcome outcome;
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, "one\n", NULL);
	assert_true(bed_publish(bed, built, &outcome, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		GError *error = NULL;
		g_autofree char *path = bed_path(bed, names[i]);
		g_autofree char *aside = bed_path(bed, "aside");
		assert_int_equal(rename(path, aside), 0);
		assert_int_equal(mkfifo(path, 0644), 0);
		assert_int_equal(repository_open_file(
					 bed->repository, "1.0", strchr(names[i], '/') + 1, &error),
			-1);
		assert_error(&error, DROVER_ERROR_INPUT, "is no regular file");
		assert_false(repository_check_files(
			bed->repository, built->manifest, NULL, NULL, &error));
		assert_error(&error, DROVER_ERROR_INPUT, "is no regular file");
		assert_int_equal(rename(aside, path), 0);
	}
	g_autofree char *index = bed_path(bed, "index");
	assert_int_equal(mkfifo(index, 0644), 0);
	GError *error = NULL;
	assert_null(repository_index(bed->repository, NULL, REPOSITORY_NOW, NULL, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "is no regular file");
	assert_true(bed_publish(bed, built, &outcome, NULL));
}

static void test_a_full_disk_leaves_nothing(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	PublishOutcome outcome;
	g_autofree char *noise = g_malloc0(40001);
	for (int i = 0; i < 40000; i++)
		noise[i] = (char)g_random_int_range(' ', 127);
	g_autoptr(Built) built = bed_build(bed, "1.0", 1, noise, NULL);
	struct rlimit before, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	gboolean published = bed_publish(bed, built, &outcome, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(published);
	assert_error(&error, DROVER_ERROR_INTERNAL, "File too large");
	g_autofree char *all = bed_names(bed, "");
	assert_string_equal(all, ".incoming");
	g_autofree char *incoming = bed_names(bed, ".incoming");
	assert_string_equal(incoming, "");
	assert_true(bed_publish(bed, built, &outcome, NULL));
}

static void test_a_folder_that_may_not_be_written_says_so(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	if (geteuid() == 0)
		skip();
	g_autofree char *path = bed_path(bed, "");
	assert_int_equal(chmod(path, 0555), 0);
	assert_null(repository_lock(bed->repository, "publish", CLOCK_SYSTEM, NULL, &error));
	assert_int_equal(chmod(path, 0755), 0);
	assert_error(&error, DROVER_ERROR_INTERNAL, "Permission denied");
}

static void test_a_repository_that_is_not_there_is_not_made(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	g_autofree char *folder = g_build_filename(bed->folder, "unmounted", NULL);
	assert_null(repository_open(folder, "web", TRUE, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "mount it");
	assert_null(repository_open(bed->folder, "api", FALSE, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "nothing of api was ever published");
	assert_null(repository_open(bed->folder, "../web", TRUE, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "product");
}

/* Signatures ----------------------------------------------------------------------------------- */

static void test_a_manifest_of_another_key_version_or_product_is_refused(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	bed_publish_text(bed, "1.0", 1, "one\n");
	g_autoptr(SecretKey) stranger = secret_key_generate();
	g_autoptr(Trust) trust = trust_new("web");
	assert_true(trust_add_root(trust, secret_key_public(stranger), NULL));
	assert_null(repository_manifest(
		bed->repository, "1.0", trust, REPOSITORY_NOW, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is not trusted");

	g_autofree char *from = bed_path(bed, "1.0");
	g_autofree char *to = bed_path(bed, "1.1");
	assert_int_equal(rename(from, to), 0);
	g_autoptr(Trust) ours = bed_trust(bed);
	assert_null(repository_manifest(
		bed->repository, "1.1", ours, REPOSITORY_NOW, NULL, NULL, &error));
	assert_error(
		&error, DROVER_ERROR_DENIED, "not about \"drover release product=web version=1.1");
	assert_null(repository_manifest(bed->repository, "1.1", NULL, 0, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is the manifest of web 1.0");
}

static void test_a_manifest_is_signed_again_and_only_as_it_is(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	bed_publish_text(bed, "1.0", 1, "one\n");
	g_autofree char *text = read_text(bed, "1.0/manifest");
	g_autoptr(SecretKey) key = secret_key_generate();
	g_autoptr(Trust) trust = bed_trust(bed);
	assert_true(trust_add_root(trust, secret_key_public(key), NULL));
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "sign", CLOCK_SYSTEM, NULL, NULL);
	g_autofree char *comment = signature_comment("release", "web", "1.0");
	g_autoptr(Signature) other = signature_make(key, "x", 1, comment);
	assert_false(repository_sign_again(
		bed->repository, lock, "1.0", other, trust, REPOSITORY_NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is not what the key");
	g_autoptr(Signature) stray = signature_make(key, text, strlen(text), "drover release");
	assert_false(repository_sign_again(
		bed->repository, lock, "1.0", stray, trust, REPOSITORY_NOW, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "not about");
	g_autoptr(Signature) good = signature_make(key, text, strlen(text), comment);
	assert_true(repository_sign_again(
		bed->repository, lock, "1.0", good, trust, REPOSITORY_NOW, NULL));
	KeyId signer;
	g_autoptr(Manifest) manifest = repository_manifest(
		bed->repository, "1.0", trust, REPOSITORY_NOW, &signer, NULL, NULL);
	assert_non_null(manifest);
	assert_true(key_id_equal(&signer, &secret_key_public(key)->id));
}

/* The index ------------------------------------------------------------------------------------ */

static void test_the_index_has_what_was_published_and_is_verified(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	assert_null(repository_index(bed->repository, NULL, 0, NULL, &error));
	assert_error(&error, DROVER_ERROR_NOT_FOUND, "index");
	bed_publish_text(bed, "1.0", 1, "one\n");
	assert_true(bed_sign(bed, REPOSITORY_NOW, FALSE));
	bed_publish_text(bed, "1.1", 2, "two\n");
	assert_index(bed, REPOSITORY_NOW, "newest 1: 1.0");
	assert_true(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_index(bed, REPOSITORY_NOW, "newest 2: 1.1 1.0");

	g_autoptr(Trust) nobody = trust_new("web");
	assert_null(repository_index(bed->repository, nobody, REPOSITORY_NOW, NULL, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is not trusted");
}

static void test_each_index_is_issued_after_the_last(void **state)
{
	RepositoryBed *bed = *state;
	for (int i = 0; i < 3; i++) {
		assert_true(bed_sign(bed, REPOSITORY_NOW, FALSE));
		g_autoptr(Index) index = repository_index(bed->repository, NULL, 0, NULL, NULL);
		assert_int_equal(index->issued_us, REPOSITORY_NOW + i * US_PER_SECOND);
		assert_int_equal(index->expires_us - index->issued_us, 7 * US_PER_DAY);
	}
}

static void test_an_index_of_the_future_is_not_followed(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	bed_sign(bed, REPOSITORY_NOW + US_PER_DAY, FALSE);
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "sign", CLOCK_SYSTEM, NULL, NULL);
	assert_false(repository_sign_index(bed->repository, lock, bed->key, trust, NULL,
		REPOSITORY_NOW, 86400, FALSE, NULL, &error));
	assert_error(&error, DROVER_ERROR_UNAVAILABLE, "one of the clocks is wrong");
}

static void test_an_index_is_signed_again_when_half_of_its_life_is_over(void **state)
{
	RepositoryBed *bed = *state;
	gint64 half = 7 * US_PER_DAY / 2;
	bed_publish_text(bed, "1.0", 1, "one\n");
	assert_true(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_false(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_false(bed_sign(bed, REPOSITORY_NOW + half - 1, TRUE));
	assert_true(bed_sign(bed, REPOSITORY_NOW + half, TRUE));
	assert_false(bed_sign(bed, REPOSITORY_NOW + half, TRUE));
}

static void test_newest_never_falls_also_when_its_release_is_removed(void **state)
{
	RepositoryBed *bed = *state;
	bed_publish_text(bed, "1.0", 1, "one\n");
	bed_publish_text(bed, "1.1", 2, "two\n");
	bed_sign(bed, REPOSITORY_NOW, FALSE);
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(GPtrArray) drop = g_ptr_array_new();
	g_ptr_array_add(drop, (gpointer) "1.1");
	RepositoryLock *lock = repository_lock(bed->repository, "gc", CLOCK_SYSTEM, NULL, NULL);
	assert_true(repository_sign_index(bed->repository, lock, bed->key, trust, drop,
		REPOSITORY_NOW, 86400, TRUE, NULL, NULL));
	assert_index(bed, REPOSITORY_NOW, "newest 2: 1.0");
	assert_true(repository_remove(bed->repository, lock, "1.1", NULL));
	assert_true(repository_remove(bed->repository, lock, "1.1", NULL));
	repository_unlock(lock);
	g_autofree char *all = bed_names(bed, "");
	assert_string_equal(all, ".incoming 1.0 index");
	assert_false(bed_sign(bed, REPOSITORY_NOW, TRUE));
}

static void test_what_somebody_else_put_there_does_not_get_into_the_index(void **state)
{
	RepositoryBed *bed = *state;
	bed_publish_text(bed, "1.0", 1, "one\n");
	bed_sign(bed, REPOSITORY_NOW, FALSE);
	SecretKey *ours = bed->key;
	bed->key = secret_key_generate();
	bed_publish_text(bed, "9.9", 9, "evil\n");
	secret_key_free(bed->key);
	bed->key = ours;
	/* One whose sequence is taken, too. */
	bed_publish_text(bed, "1.0.1", 1, "late\n");
	assert_false(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_index(bed, REPOSITORY_NOW, "newest 1: 1.0");
}

static void test_a_manifest_that_was_exchanged_keeps_its_digest_in_the_index(void **state)
{
	RepositoryBed *bed = *state;
	g_autoptr(Built) other = bed_build(bed, "1.0", 1, "two\n", NULL);
	bed_publish_text(bed, "1.0", 1, "one\n");
	bed_sign(bed, REPOSITORY_NOW, FALSE);
	g_autoptr(Index) before = repository_index(bed->repository, NULL, 0, NULL, NULL);
	for (gsize i = 0; i < other->count; i++) {
		g_autofree char *name = g_build_filename("1.0", other->files[i].name, NULL);
		g_autofree char *path = bed_path(bed, name);
		assert_int_equal(rename(other->paths[i], path), 0);
	}
	bed_sign(bed, REPOSITORY_NOW, FALSE);
	g_autoptr(Index) after = repository_index(bed->repository, NULL, 0, NULL, NULL);
	assert_string_equal(index_find(after, "1.0")->sha256, index_find(before, "1.0")->sha256);
}

static void test_an_index_that_nobody_believes_counts_as_none(void **state)
{
	RepositoryBed *bed = *state;
	bed_publish_text(bed, "1.0", 1, "one\n");
	bed_sign(bed, REPOSITORY_NOW, FALSE);
	SecretKey *ours = bed->key;
	bed->key = secret_key_generate();
	bed_sign(bed, REPOSITORY_NOW, FALSE); /* believes nothing: an empty index */
	secret_key_free(bed->key);
	bed->key = ours;
	assert_true(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_index(bed, REPOSITORY_NOW, "newest 1: 1.0");
	g_autofree char *path = bed_path(bed, REPOSITORY_INDEX_FILE);
	assert_true(file_write(path, "rubbish\n", 8, 0644, NULL));
	assert_true(bed_sign(bed, REPOSITORY_NOW, TRUE));
	assert_index(bed, REPOSITORY_NOW, "newest 1: 1.0");
}

static void test_a_key_that_may_not_sign_the_index_signs_none(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	g_autoptr(SecretKey) stranger = secret_key_generate();
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "sign", CLOCK_SYSTEM, NULL, NULL);
	assert_false(repository_sign_index(bed->repository, lock, stranger, trust, NULL,
		REPOSITORY_NOW, 86400, FALSE, NULL, &error));
	assert_error(&error, DROVER_ERROR_DENIED, "is not trusted");
	assert_null(repository_index(bed->repository, NULL, 0, NULL, NULL));
}

/* The delegation ------------------------------------------------------------------------------- */

static gboolean put_delegation(
	const RepositoryBed *bed, const PublicKey *index_key, gint64 serial, GError **error)
{
	g_autoptr(Delegation) delegation = delegation_new("web");
	delegation->serial = serial;
	delegation->issued_us = REPOSITORY_NOW;
	delegation_add(delegation, TRUST_USE_INDEX, index_key, REPOSITORY_NOW + US_PER_DAY);
	g_autofree char *text = delegation_text(delegation, NULL);
	g_autoptr(Signature) signature =
		signature_make(bed->key, text, strlen(text), "drover delegation");
	g_autoptr(Trust) trust = bed_trust(bed);
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "delegate", CLOCK_SYSTEM, NULL, NULL);
	return repository_take_delegation(bed->repository, trust, error) &&
	       repository_put_delegation(bed->repository, lock, trust, text, signature, error);
}

static void test_a_delegated_key_signs_the_index(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	g_autoptr(SecretKey) key = secret_key_generate();
	assert_true(put_delegation(bed, secret_key_public(key), 2, NULL));
	assert_false(put_delegation(bed, secret_key_public(key), 1, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "serial");

	g_autoptr(Trust) trust = bed_trust(bed);
	assert_true(repository_take_delegation(bed->repository, trust, NULL));
	assert_int_equal(trust_serial(trust), 2);
	g_autoptr(RepositoryLock) lock =
		repository_lock(bed->repository, "sign", CLOCK_SYSTEM, NULL, NULL);
	assert_true(repository_sign_index(
		bed->repository, lock, key, trust, NULL, REPOSITORY_NOW, 86400, FALSE, NULL, NULL));
	g_autoptr(Index) index =
		repository_index(bed->repository, trust, REPOSITORY_NOW, NULL, NULL);
	assert_non_null(index);
}

static void test_no_delegation_is_no_error_and_a_broken_one_is(void **state)
{
	RepositoryBed *bed = *state;
	GError *error = NULL;
	g_autoptr(Trust) trust = bed_trust(bed);
	assert_true(repository_take_delegation(bed->repository, trust, NULL));
	g_autofree char *path = bed_path(bed, REPOSITORY_DELEGATION_FILE);
	assert_true(file_write(path, "rubbish\n", 8, 0644, NULL));
	assert_false(repository_take_delegation(bed->repository, trust, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "delegation");
}

#define WITH_BED(test)                                                                             \
	cmocka_unit_test_setup_teardown(test, repository_bed_setup, repository_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(test_what_was_published_is_there_and_nothing_else),
		WITH_BED(test_everybody_may_read_what_was_published_whatever_the_umask),
		WITH_BED(test_the_same_bytes_again_are_no_error_and_other_ones_are),
		WITH_BED(test_a_damaged_file_is_never_published),
		WITH_BED(test_exactly_the_files_of_the_manifest_are_taken),
		WITH_BED(test_a_version_called_as_a_file_of_the_repository_is_refused),
		WITH_BED(test_what_is_no_file_is_refused_and_not_waited_for),
		WITH_BED(test_a_full_disk_leaves_nothing),
		WITH_BED(test_a_folder_that_may_not_be_written_says_so),
		WITH_BED(test_a_repository_that_is_not_there_is_not_made),
		WITH_BED(test_a_manifest_of_another_key_version_or_product_is_refused),
		WITH_BED(test_a_manifest_is_signed_again_and_only_as_it_is),
		WITH_BED(test_the_index_has_what_was_published_and_is_verified),
		WITH_BED(test_each_index_is_issued_after_the_last),
		WITH_BED(test_an_index_of_the_future_is_not_followed),
		WITH_BED(test_an_index_is_signed_again_when_half_of_its_life_is_over),
		WITH_BED(test_newest_never_falls_also_when_its_release_is_removed),
		WITH_BED(test_what_somebody_else_put_there_does_not_get_into_the_index),
		WITH_BED(test_a_manifest_that_was_exchanged_keeps_its_digest_in_the_index),
		WITH_BED(test_an_index_that_nobody_believes_counts_as_none),
		WITH_BED(test_a_key_that_may_not_sign_the_index_signs_none),
		WITH_BED(test_a_delegated_key_signs_the_index),
		WITH_BED(test_no_delegation_is_no_error_and_a_broken_one_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
