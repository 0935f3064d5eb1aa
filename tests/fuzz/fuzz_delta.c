/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a delta, signed by somebody with the key: what is made is the tree that the manifest
 * lists, or it is refused, and nothing lies outside of the folder.
 *
 * Input: a byte, the window that is signed, and the delta.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/delta.h"

enum { MTIME_S = 8 };

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABD "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* "abd" was in "a", and is in "d/e"; now "abc" is in "a", and in "n", which is new. */
static Tree *base_tree(void)
{
	Tree *tree = tree_new();
	g_assert(tree_add_file(tree, "a", FALSE, 3, ABD, NULL));
	g_assert(tree_finish(tree, NULL));
	return tree;
}

static Tree *listed_tree(void)
{
	Tree *tree = tree_new();
	g_assert(tree_add_file(tree, "a", FALSE, 3, ABC, NULL));
	g_assert(tree_add_file(tree, "d/e", TRUE, 3, ABD, NULL));
	g_assert(tree_add_file(tree, "n", FALSE, 3, ABC, NULL));
	g_assert(tree_add_link(tree, "l", "d/e", NULL));
	g_assert(tree_finish(tree, NULL));
	return tree;
}

static int folder_in(const char *parent, const char *name)
{
	g_autofree char *path = g_build_filename(parent, name, NULL);
	g_assert(mkdir(path, 0755) == 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert(fd >= 0);
	return fd;
}

static void write_base(int folder_fd)
{
	int fd = openat(folder_fd, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	g_assert(fd >= 0 && write(fd, "abd", 3) == 3);
	close(fd);
}

/* With the digest that it has. */
static int make_delta(const uint8_t *bytes, size_t size, const Tree *base, ManifestDelta *said)
{
	Sha256 state;
	int fd = memfd_create("delta", MFD_CLOEXEC);
	g_assert(fd >= 0 && write(fd, bytes, size) == (gssize)size);
	sha256_init(&state);
	sha256_update(&state, bytes, size);
	sha256_finish(&state, said->sha256);
	said->size_bytes = (gint64)size;
	tree_digest(base, said->from_tree_sha256);
	return fd;
}

static void assert_alone(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	guint count = 0;
	while (g_dir_read_name(entries) != NULL)
		count++;
	g_assert_cmpuint(count, ==, 2);
}

static void apply(int delta_fd, const ManifestDelta *said, const Tree *base, const char *folder)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = listed_tree();
	int base_fd = folder_in(folder, "base"), out_fd = folder_in(folder, "out");
	write_base(base_fd);
	if (!delta_apply(
		    delta_fd, said, base_fd, base, tree, MTIME_S, out_fd, NULL, NULL, &error)) {
		g_assert_nonnull(error);
		g_assert(g_utf8_validate(error->message, -1, NULL));
	} else {
		g_assert(archive_verify(out_fd, tree, NULL, NULL, &error));
	}
	assert_alone(folder);
	close(base_fd);
	close(out_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	g_autoptr(Tree) base = base_tree();
	g_autofree char *folder = g_dir_make_tmp("drover-fuzz-XXXXXX", NULL);
	ManifestDelta said = {.window_log = bytes[0] % 32};
	int fd = make_delta(bytes + 1, size - 1, base, &said);
	apply(fd, &said, base, folder);
	close(fd);
	g_assert(file_remove(folder, NULL));
	return 0;
}
