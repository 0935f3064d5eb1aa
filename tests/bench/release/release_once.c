/* SPDX-License-Identifier: ISC
 *
 * One step with releases, for tests/bench/release/run.py: the folders are plain trees, and what a
 * manifest would say lies in a small file beside the payload or delta.
 *
 *     release_once list FOLDER FOLDER         FOLDER.manifest: the list of its files
 *     release_once pack FOLDER PAYLOAD
 *     release_once unpack PAYLOAD OUT
 *     release_once delta OLD NEW DELTA LEVEL
 *     release_once apply DELTA OLD OUT
 *
 * Lists are made beforehand, as a node has them from signed manifests.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/delta.h"
#include "release/manifest.h"

enum { MTIME_S = 1000000000 };

static void must(gboolean ok, const GError *error)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", error != NULL ? error->message : "failed");
	exit(1);
}

static int folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		perror(path);
	must(fd >= 0, NULL);
	return fd;
}

static int new_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0, NULL);
	return fd;
}

static int new_folder(const char *path)
{
	must(mkdir(path, 0755) == 0, NULL);
	return folder(path);
}

/* A manifest carries the list, and what is said of a payload or delta, too. */
static Manifest *manifest_of(Tree *tree)
{
	Manifest *manifest = manifest_new();
	manifest->product = g_strdup("bench");
	manifest->version = g_strdup("2");
	manifest->revision = g_strnfill(40, '0');
	manifest->sequence = 1;
	manifest->mtime_s = MTIME_S;
	manifest->payload.window_log = ARCHIVE_MINIMUM_WINDOW_LOG;
	memset(manifest->payload.sha256, '0', SHA256_HEX - 1);
	memset(manifest->payload.tar_sha256, '0', SHA256_HEX - 1);
	tree_free(manifest->tree);
	manifest->tree = tree;
	return manifest;
}

static void save(Manifest *manifest, const char *path)
{
	GError *error = NULL;
	g_autofree char *name = g_strconcat(path, ".manifest", NULL);
	g_autofree char *text = manifest_text(manifest, &error);
	must(text != NULL && file_write(name, text, strlen(text), 0644, &error), error);
}

static Manifest *load(const char *path)
{
	GError *error = NULL;
	gsize size = 0;
	g_autofree char *name = g_strconcat(path, ".manifest", NULL);
	g_autofree char *text = file_read(name, MANIFEST_MAXIMUM_BYTES, &size, &error);
	must(text != NULL, error);
	Manifest *manifest = manifest_parse(name, text, size, &error);
	must(manifest != NULL, error);
	return manifest;
}

static Tree *read_tree(int fd)
{
	GError *error = NULL;
	Tree *tree = tree_read(fd, TREE_MODES_BY_OWNER, &tree_limits_largest, NULL, NULL, &error);
	must(tree != NULL, error);
	return tree;
}

static void list(char **words)
{
	g_autoptr(Manifest) manifest = manifest_of(read_tree(folder(words[0])));
	save(manifest, words[1]);
}

static void pack(char **words)
{
	GError *error = NULL;
	g_autoptr(Manifest) manifest = load(words[0]);
	must(archive_pack(folder(words[0]), manifest->tree, MTIME_S, &archive_effort_default,
		     new_file(words[1]), NULL, NULL, &manifest->payload, &error),
		error);
	save(manifest, words[1]);
}

static void unpack(char **words)
{
	GError *error = NULL;
	g_autoptr(Manifest) manifest = load(words[0]);
	int fd = open(words[0], O_RDONLY | O_CLOEXEC);
	must(archive_unpack(fd, &manifest->payload, manifest->tree, MTIME_S, new_folder(words[1]),
		     NULL, NULL, &error),
		error);
}

static void delta(char **words)
{
	GError *error = NULL;
	DeltaMade made;
	char from[SHA256_HEX];
	g_autoptr(Manifest) old = load(words[0]);
	g_autoptr(Manifest) new = load(words[1]);
	must(delta_make(folder(words[0]), old->tree, folder(words[1]), new->tree, atoi(words[3]),
		     new_file(words[2]), NULL, NULL, &made, &error),
		error);
	tree_digest(old->tree, from);
	manifest_add_delta(new, "1", from, made.size_bytes, made.sha256, made.window_log);
	save(new, words[2]);
	printf("%u copied, %u patched, %u new\n", made.copied, made.patched, made.plain);
}

static void apply(char **words)
{
	GError *error = NULL;
	g_autoptr(Manifest) old = load(words[1]);
	g_autoptr(Manifest) new = load(words[0]);
	int fd = open(words[0], O_RDONLY | O_CLOEXEC);
	must(delta_apply(fd, g_ptr_array_index(new->deltas, 0), folder(words[1]), old->tree,
		     new->tree, MTIME_S, new_folder(words[2]), NULL, NULL, &error),
		error);
}

int main(int count, char **words)
{
	static const struct {
		const char *name;
		int words;
		void (*act)(char **words);
	} steps[] = {{"list", 2, list}, {"pack", 2, pack}, {"unpack", 2, unpack},
		{"delta", 4, delta}, {"apply", 3, apply}};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		if (count == steps[i].words + 2 && strcmp(words[1], steps[i].name) == 0) {
			steps[i].act(words + 2);
			return 0;
		}
	fprintf(stderr, "release_once list|pack|unpack|delta|apply …: see its source\n");
	return 2;
}
