/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a payload, signed by somebody with the key: what is unpacked is the tree that the
 * manifest lists, or it is refused, and nothing lies outside of the folder.
 *
 * Input: a byte that says what the rest is, a tar (to be compressed here) or a frame.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "release/archive.h"

enum { WINDOW_LOG = 17, MTIME_S = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The manifest's: what the seeds hold. */
static Tree *listed_tree(void)
{
	Tree *tree = tree_new();
	g_assert(tree_add_file(tree, "a", FALSE, 3,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL));
	g_assert(tree_add_file(tree, "d/e", TRUE, 0,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL));
	g_assert(tree_add_link(tree, "l", "d/e", NULL));
	g_assert(tree_finish(tree, NULL));
	return tree;
}

static void digest(const void *bytes, gsize size, char sha256[SHA256_HEX])
{
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, bytes, size);
	sha256_finish(&state, sha256);
}

static int file_of(const void *bytes, gsize size)
{
	int fd = memfd_create("payload", MFD_CLOEXEC);
	g_assert(fd >= 0 && write(fd, bytes, size) == (gssize)size);
	return fd;
}

/* With the digests that it has; those of a frame's content are only found out where it can be
 * decoded at once. */
static int make_payload(const uint8_t *bytes, size_t size, ArchivePayload *payload)
{
	gboolean is_tar = size > 0 && (bytes[0] & 1) == 0;
	const uint8_t *rest = bytes + (size > 0);
	const gsize rest_size = size - (size > 0), room = 1024 * 1024;
	g_autofree char *made = g_malloc(room);
	gsize made_size = is_tar ? ZSTD_compress(made, room, rest, rest_size, 1)
				 : ZSTD_decompress(made, room, rest, rest_size);
	if (ZSTD_isError(made_size))
		made_size = 0;
	const void *tar = is_tar ? (const void *)rest : made;
	const void *packed = is_tar ? made : (const void *)rest;
	payload->tar_bytes = (gint64)(is_tar ? rest_size : made_size);
	payload->size_bytes = (gint64)(is_tar ? made_size : rest_size);
	payload->window_log = WINDOW_LOG;
	digest(tar, (gsize)payload->tar_bytes, payload->tar_sha256);
	digest(packed, (gsize)payload->size_bytes, payload->sha256);
	return file_of(packed, (gsize)payload->size_bytes);
}

static void assert_alone(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	g_assert_cmpstr(g_dir_read_name(entries), ==, "out");
	g_assert_null(g_dir_read_name(entries));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = listed_tree();
	g_autofree char *folder = g_dir_make_tmp("drover-fuzz-XXXXXX", NULL);
	g_autofree char *out = g_build_filename(folder, "out", NULL);
	g_assert(mkdir(out, 0755) == 0);
	int out_fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ArchivePayload payload;
	int fd = make_payload(bytes, size, &payload);
	if (!archive_unpack(fd, &payload, tree, MTIME_S, out_fd, NULL, NULL, &error)) {
		g_assert_nonnull(error);
		g_assert(g_utf8_validate(error->message, -1, NULL));
	} else {
		g_assert(archive_verify(out_fd, tree, NULL, NULL, &error));
	}
	assert_alone(folder);
	close(out_fd);
	close(fd);
	g_assert(file_remove(folder, NULL));
	return 0;
}
