/* SPDX-License-Identifier: ISC
 *
 * Makes repositories as good or as bad as a test wants them:
 *
 *     forge key NAME                     NAME.key and NAME.pub, without a password
 *     forge release KEY REPOSITORY PRODUCT VERSION SEQUENCE FLOOR FOLDER [OLD OLD-FOLDER]
 *     forge index KEY REPOSITORY PRODUCT ISSUED EXPIRES [REVOKED…]
 *                                        of all manifests that lie there; times in seconds
 *     forge delegation KEY REPOSITORY PRODUCT SERIAL ISSUED [USE=PUB=EXPIRES | REVOKED]…
 *     forge sign KEY FILE PRODUCT VERSION    FILE.minisig, as a release's
 *     forge compress WINDOW-LOG          a zstd frame, from standard input to standard output
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/file.h"
#include "release/delta.h"
#include "release/index.h"
#include "release/manifest.h"
#include "release/signed_text.h"

enum { MTIME_S = 1700000000 };

static void must(gboolean ok, GError *error)
{
	if (ok)
		return;
	fprintf(stderr, "forge: %s\n", error != NULL ? error->message : "failed");
	exit(1);
}

static SecretKey *load_key(const char *path)
{
	gsize size;
	GError *error = NULL;
	char *text = secret_key_read(path, &size, &error);
	must(text != NULL, error);
	SecretKey *key = secret_key_parse(path, text, size, NULL, &error);
	must(key != NULL, error);
	secret_key_text_free(text);
	return key;
}

static void put(const char *path, const char *text)
{
	GError *error = NULL;
	must(file_write(path, text, strlen(text), 0644, &error), error);
}

static void make_key(const char *name)
{
	GError *error = NULL;
	g_autoptr(SecretKey) key = secret_key_generate();
	g_autofree char *secret = g_strconcat(name, ".key", NULL);
	g_autofree char *public = g_strconcat(name, ".pub", NULL);
	g_autofree char *lines = public_key_file_text(secret_key_public(key));
	char *text = secret_key_text(key, NULL, &KEY_COST_USUAL, &error);
	must(text != NULL, error);
	must(secret_key_save(secret, text, &error), error);
	secret_key_text_free(text);
	put(public, lines);
}

static void sign(const char *key_path, const char *path, const char *product, const char *version)
{
	gsize size;
	GError *error = NULL;
	g_autoptr(SecretKey) key = load_key(key_path);
	g_autofree char *text = file_read(path, MANIFEST_MAXIMUM_BYTES, &size, &error);
	must(text != NULL, error);
	g_autofree char *comment = signature_comment("release", product, version);
	g_autoptr(Signature) signature = signature_make(key, text, size, comment);
	g_autofree char *lines = signature_text(signature);
	g_autofree char *beside = g_strconcat(path, ".minisig", NULL);
	put(beside, lines);
}

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, NULL);
	return fd;
}

static Tree *read_folder(int fd)
{
	GError *error = NULL;
	Tree *tree = tree_read(fd, TREE_MODES_BY_OWNER, &tree_limits_largest, NULL, NULL, &error);
	must(tree != NULL, error);
	return tree;
}

static int create(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0, NULL);
	return fd;
}

static void add_delta(Manifest *manifest, const char *folder, int tree_fd, const char *old,
	const char *old_folder)
{
	GError *error = NULL;
	DeltaMade made;
	char digest[SHA256_HEX];
	int base_fd = open_folder(old_folder);
	g_autoptr(Tree) base = read_folder(base_fd);
	g_autofree char *name = g_strdup_printf("from-%s.delta", old);
	int fd = create(folder, name);
	must(delta_make(base_fd, base, tree_fd, manifest->tree, 3, fd, NULL, NULL, &made, &error),
		error);
	tree_digest(base, digest);
	manifest_add_delta(manifest, old, digest, made.size_bytes, made.sha256, made.window_log);
	close(fd);
	close(base_fd);
}

static void make_release(char **a)
{
	GError *error = NULL;
	g_autofree char *folder = g_build_filename(a[1], a[2], a[3], NULL);
	g_autofree char *path = g_build_filename(folder, "manifest", NULL);
	g_autoptr(Manifest) manifest = manifest_new();
	must(file_make_folder(folder, 0755, &error), error);
	int tree_fd = open_folder(a[6]), fd = create(folder, "payload.tar.zst");
	manifest->product = g_strdup(a[2]);
	manifest->version = g_strdup(a[3]);
	manifest->sequence = atoll(a[4]);
	manifest->min_rollback_sequence = atoll(a[5]);
	manifest->revision = g_strnfill(40, 'a');
	manifest->mtime_s = MTIME_S;
	tree_free(manifest->tree);
	manifest->tree = read_folder(tree_fd);
	must(archive_pack(tree_fd, manifest->tree, MTIME_S, &archive_effort_default, fd, NULL, NULL,
		     &manifest->payload, &error),
		error);
	if (a[7] != NULL)
		add_delta(manifest, folder, tree_fd, a[7], a[8]);
	g_autofree char *text = manifest_text(manifest, &error);
	must(text != NULL, error);
	put(path, text);
	sign(a[0], path, a[2], a[3]);
}

static void join(const char *key_path, const char *path, const char *text, const char *comment)
{
	g_autoptr(SecretKey) key = load_key(key_path);
	g_autoptr(Signature) signature = signature_make(key, text, strlen(text), comment);
	g_autofree char *bytes = signed_text_join(text, signature);
	put(path, bytes);
}

static void add_to_index(Index *index, const char *folder, const char *version)
{
	gsize size;
	char sha256[SHA256_HEX];
	Sha256 state;
	g_autofree char *path = g_build_filename(folder, version, "manifest", NULL);
	g_autofree char *text = file_read(path, MANIFEST_MAXIMUM_BYTES, &size, NULL);
	const char *sequence = text != NULL ? strstr(text, "\"sequence\":") : NULL;
	if (sequence == NULL)
		return;
	sha256_init(&state);
	sha256_update(&state, text, size);
	sha256_finish(&state, sha256);
	index_add(index, atoll(sequence + strlen("\"sequence\":")), version, sha256);
}

static void make_index(char **a)
{
	GError *error = NULL;
	g_autofree char *folder = g_build_filename(a[1], a[2], NULL);
	g_autofree char *path = g_build_filename(folder, "index", NULL);
	g_autoptr(Index) index = index_new(a[2]);
	index->issued_us = atoll(a[3]) * US_PER_SECOND;
	index->expires_us = atoll(a[4]) * US_PER_SECOND;
	g_autoptr(GDir) versions = g_dir_open(folder, 0, NULL);
	for (const char *name; (name = g_dir_read_name(versions)) != NULL;)
		add_to_index(index, folder, name);
	for (char **id = a + 5; *id != NULL; id++) {
		KeyId key;
		must(key_id_parse(*id, &key, &error), error);
		revoked_add(index->revoked, &key);
	}
	g_autofree char *text = index_text(index, &error);
	must(text != NULL, error);
	join(a[0], path, text, "drover index");
}

static void make_delegation(char **a)
{
	GError *error = NULL;
	g_autofree char *path = g_build_filename(a[1], a[2], "delegation", NULL);
	g_autoptr(Delegation) delegation = delegation_new(a[2]);
	delegation->serial = atoll(a[3]);
	delegation->issued_us = atoll(a[4]) * US_PER_SECOND;
	for (char **each = a + 5; *each != NULL; each++) {
		PublicKey key;
		KeyId id;
		g_auto(GStrv) parts = g_strsplit(*each, "=", 3);
		if (g_strv_length(parts) < 3) {
			must(key_id_parse(*each, &id, &error), error);
			delegation_revoke(delegation, &id);
			continue;
		}
		must(public_key_load(parts[1], &key, &error), error);
		delegation_add(delegation,
			strcmp(parts[0], "index") == 0 ? TRUST_USE_INDEX : TRUST_USE_RELEASE, &key,
			atoll(parts[2]) * US_PER_SECOND);
	}
	g_autofree char *text = delegation_text(delegation, &error);
	must(text != NULL, error);
	join(a[0], path, text, "drover delegation");
}

static void compress(int window_log)
{
	ZSTD_CCtx *encoder = ZSTD_createCCtx();
	char chunk[65536];
	g_autoptr(GByteArray) plain = g_byte_array_new();
	for (gssize got; (got = read(STDIN_FILENO, chunk, sizeof chunk)) > 0;)
		g_byte_array_append(plain, (guint8 *)chunk, (guint)got);
	gsize room = ZSTD_compressBound(plain->len);
	g_autofree char *packed = g_malloc(room);
	ZSTD_CCtx_setParameter(encoder, ZSTD_c_windowLog, window_log);
	ZSTD_CCtx_setParameter(encoder, ZSTD_c_contentSizeFlag, 0);
	gsize size = ZSTD_compress2(encoder, packed, room, plain->data, plain->len);
	must(!ZSTD_isError(size), NULL);
	must(fwrite(packed, 1, size, stdout) == size, NULL);
	ZSTD_freeCCtx(encoder);
}

int main(int count, char **arguments)
{
	g_assert(count >= 3);
	const char *verb = arguments[1];
	char **rest = arguments + 2;
	if (strcmp(verb, "key") == 0)
		make_key(rest[0]);
	else if (strcmp(verb, "release") == 0)
		make_release(rest);
	else if (strcmp(verb, "index") == 0)
		make_index(rest);
	else if (strcmp(verb, "delegation") == 0)
		make_delegation(rest);
	else if (strcmp(verb, "sign") == 0)
		sign(rest[0], rest[1], rest[2], rest[3]);
	else
		compress(atoi(rest[0]));
	return 0;
}
