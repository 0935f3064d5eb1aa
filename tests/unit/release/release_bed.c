/* SPDX-License-Identifier: ISC
 *
 * Folders for the tests of trees and archives.
 */
#include "release_bed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

int bed_make_folder(const Bed *bed, const char *name)
{
	g_autofree char *path = g_build_filename(bed->folder, name, NULL);
	assert_int_equal(mkdir(path, 0755), 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

int bed_setup(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->folder = g_dir_make_tmp("drover-release-XXXXXX", NULL);
	bed->in = bed_make_folder(bed, "in");
	bed->out = bed_make_folder(bed, "out");
	*state = bed;
	return 0;
}

int bed_teardown(void **state)
{
	Bed *bed = *state;
	gboolean removed = file_remove(bed->folder, NULL);
	close(bed->in);
	close(bed->out);
	g_free(bed->folder);
	g_free(bed);
	return removed ? 0 : -1;
}

int bed_file(const Bed *bed, const char *name, const void *bytes, gsize size)
{
	g_autofree char *path = g_build_filename(bed->folder, name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static void make_parents(int folder_fd, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		if (mkdirat(folder_fd, folder, 0755) == 0)
			assert_int_equal(fchmodat(folder_fd, folder, 0755, 0), 0);
	}
}

void bed_write(int folder_fd, const char *path, const char *text, mode_t mode)
{
	make_parents(folder_fd, path);
	int fd = openat(folder_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

void bed_link(int folder_fd, const char *path, const char *target)
{
	make_parents(folder_fd, path);
	assert_int_equal(symlinkat(target, folder_fd, path), 0);
}

Tree *bed_read(int folder_fd)
{
	g_autoptr(GError) error = NULL;
	Tree *tree =
		tree_read(folder_fd, TREE_MODES_BY_OWNER, &tree_limits_largest, NULL, NULL, &error);
	assert_fine(error);
	return tree;
}

/* Too long for the name's field of a plain tar header. */
#define LONG_NAME                                                                                  \
	"a-name-of-more-than-one-hundred-bytes-which-does-not-fit-into-the-field-of-a-plain-tar-"  \
	"header-by-itself-at-all"

/* Names that sort around the slash, names that are not ASCII, names in two spellings. */
static const char *const names[] = {"a", "a-b", "a.b", "b", "B", "é", "e\xcc\x81", "中文", "x y",
	"\"'\\", "-rf", "~", "😀", ".hidden", LONG_NAME};

static char *random_path(GRand *rand)
{
	GString *path = g_string_new(NULL);
	for (gint parts = g_rand_int_range(rand, 1, 5); parts > 0; parts--) {
		g_string_append(path, names[g_rand_int_range(rand, 0, G_N_ELEMENTS(names))]);
		if (parts > 1)
			g_string_append(path, "/");
	}
	return g_string_free(path, FALSE);
}

/* FALSE when the path is taken, or leads through a file or link. */
static gboolean is_free(int folder_fd, const char *path)
{
	struct stat status;
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		if (fstatat(folder_fd, folder, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			!S_ISDIR(status.st_mode))
			return FALSE;
	}
	return fstatat(folder_fd, path, &status, AT_SYMLINK_NOFOLLOW) != 0;
}

static char *random_target(GRand *rand, const char *path)
{
	GString *target = g_string_new(NULL);
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (g_rand_boolean(rand))
			g_string_append(target, "../");
	g_autofree char *below = random_path(rand);
	g_string_append(target, below);
	return g_string_free(target, FALSE);
}

static void random_file(int folder_fd, const char *path, GRand *rand)
{
	g_autoptr(GString) text = g_string_new(NULL);
	/* Now and then more than one block, or than one chunk. */
	gint size = g_rand_int_range(rand, 0, g_rand_int_range(rand, 0, 8) == 0 ? 600000 : 1500);
	while (text->len < (gsize)size)
		g_string_append_c(text, (char)g_rand_int_range(rand, 1, 256));
	bed_write(folder_fd, path, text->str, g_rand_boolean(rand) ? 0755 : 0644);
}

void bed_fill(int folder_fd, GRand *rand)
{
	for (gint count = g_rand_int_range(rand, 0, 25); count > 0; count--) {
		g_autofree char *path = random_path(rand);
		if (!is_free(folder_fd, path))
			continue;
		if (g_rand_int_range(rand, 0, 4) == 0) {
			g_autofree char *target = random_target(rand, path);
			bed_link(folder_fd, path, target);
		} else {
			random_file(folder_fd, path, rand);
		}
	}
}

void assert_error(GError **error, DroverErrorCode code, const char *part)
{
	assert_non_null(*error);
	if (!drover_error_is(*error, code) || strstr((*error)->message, part) == NULL)
		fail_msg("%s: %s", drover_error_kind((*error)->code), (*error)->message);
	g_clear_error(error);
}

void assert_fine_at(const GError *error, const char *file, int line)
{
	if (error != NULL) {
		print_error("%s\n", error->message);
		_fail(file, line);
	}
}
