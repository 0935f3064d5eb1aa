/* SPDX-License-Identifier: ISC
 *
 * Files are wholly there or not at all; removing follows no link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "temporary.h"

static guint entries_of(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint count = 0;
	while (g_dir_read_name(dir) != NULL)
		count++;
	return count;
}

static void assert_content(const char *path, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = file_read(path, 1000, NULL, &error);
	assert_null(error);
	assert_string_equal(text, expected);
}

static void test_what_is_no_regular_file_is_refused_at_once(void **state)
{
	g_autofree char *path = g_build_filename(*state, "pipe", NULL);
	const char *const paths[] = {path, *state, "/dev/zero"};
	assert_int_equal(mkfifo(path, 0600), 0);
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(file_read_regular(paths[i], 1000, NULL, &error));
		assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
		assert_non_null(strstr(error->message, "is no regular file"));
	}
}

static void test_write_replaces_and_leaves_nothing_beside(void **state)
{
	g_autofree char *path = g_build_filename(*state, "a.conf", NULL);
	assert_true(file_write(path, "old", 3, 0644, NULL));
	assert_true(file_write(path, "newer", 5, 0600, NULL));
	assert_content(path, "newer");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(entries_of(*state), 1);
}

static void test_write_keeps_nul_bytes(void **state)
{
	g_autofree char *path = g_build_filename(*state, "a", NULL);
	assert_true(file_write(path, "a\0b", 3, 0644, NULL));
	gsize size_bytes = 0;
	g_autofree char *text = file_read(path, 3, &size_bytes, NULL);
	assert_int_equal(size_bytes, 3);
	assert_memory_equal(text, "a\0b", 4);
}

/* The limit on file sizes stands for a full disk: the write fails half way. */
static int write_with_little_room(const char *path)
{
	signal(SIGXFSZ, SIG_IGN);
	const struct rlimit limit = {10, 10};
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	g_autoptr(GError) error = NULL;
	gboolean written = file_write(path, "twenty bytes of text", 20, 0644, &error);
	/* The same words each time: no random name in them. */
	return !written && drover_error_is(error, DROVER_ERROR_INTERNAL) &&
			       strstr(error->message, ".part") == NULL
		       ? 0
		       : 1;
}

static void test_failed_write_leaves_the_old_file_and_nothing_beside(void **state)
{
	g_autofree char *path = g_build_filename(*state, "a.conf", NULL);
	assert_true(file_write(path, "old", 3, 0644, NULL));
	pid_t child = fork();
	if (child == 0)
		_exit(write_with_little_room(path));
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_content(path, "old");
	assert_int_equal(entries_of(*state), 1);
}

static void test_failed_rename_leaves_nothing_beside(void **state)
{
	g_autofree char *path = g_build_filename(*state, "folder", NULL);
	g_autofree char *inside = g_build_filename(path, "file", NULL);
	assert_true(file_make_folder(path, 0755, NULL));
	assert_true(file_write(inside, "x", 1, 0644, NULL));
	g_autoptr(GError) error = NULL;
	assert_false(file_write(path, "text", 4, 0644, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INTERNAL));
	assert_content(inside, "x");
	assert_int_equal(entries_of(*state), 1);
}

static void test_write_without_a_folder_says_so(void **state)
{
	g_autofree char *path = g_build_filename(*state, "none", "a.conf", NULL);
	g_autoptr(GError) error = NULL;
	assert_false(file_write(path, "text", 4, 0644, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
	assert_non_null(strstr(error->message, path));
}

static void test_write_replaces_a_link_not_its_target(void **state)
{
	g_autofree char *target = g_build_filename(*state, "target", NULL);
	g_autofree char *link = g_build_filename(*state, "link", NULL);
	assert_true(file_write(target, "kept", 4, 0644, NULL));
	assert_int_equal(symlink("target", link), 0);
	assert_true(file_write(link, "new", 3, 0644, NULL));
	assert_content(target, "kept");
	assert_content(link, "new");
}

static void test_read_allows_exactly_the_limit(void **state)
{
	g_autofree char *path = g_build_filename(*state, "a", NULL);
	g_autofree char *big = g_strnfill(200000, 'x');
	assert_true(file_write(path, big, 200000, 0644, NULL));
	g_autofree char *whole = file_read(path, 200000, NULL, NULL);
	assert_string_equal(whole, big);
	g_autoptr(GError) error = NULL;
	assert_null(file_read(path, 199999, NULL, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	assert_non_null(strstr(error->message, path));
	assert_non_null(strstr(error->message, "199999"));
}

static void test_read_tells_absent_from_unreadable(void **state)
{
	g_autofree char *path = g_build_filename(*state, "none", NULL);
	g_autoptr(GError) absent = NULL, folder = NULL;
	assert_null(file_read(path, 10, NULL, &absent));
	assert_true(drover_error_is(absent, DROVER_ERROR_NOT_FOUND));
	assert_null(file_read(*state, 10, NULL, &folder));
	assert_true(drover_error_is(folder, DROVER_ERROR_INTERNAL));
}

static void test_make_folder_makes_parents_and_may_be_repeated(void **state)
{
	g_autofree char *path = g_build_filename(*state, "a", "b", "c", NULL);
	assert_true(file_make_folder(path, 0755, NULL));
	assert_true(file_make_folder(path, 0755, NULL));
	assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
}

static void test_make_folder_refuses_below_a_file(void **state)
{
	g_autofree char *file = g_build_filename(*state, "file", NULL);
	g_autofree char *path = g_build_filename(file, "b", NULL);
	assert_true(file_write(file, "x", 1, 0644, NULL));
	g_autoptr(GError) error = NULL;
	assert_false(file_make_folder(path, 0755, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INTERNAL));
}

/* keep/kept, and a tree gone/inner/file with a link to keep in it. */
static void make_trees(const char *root, char **keep, char **kept, char **gone)
{
	*keep = g_build_filename(root, "keep", NULL);
	*kept = g_build_filename(*keep, "kept", NULL);
	*gone = g_build_filename(root, "gone", NULL);
	g_autofree char *inner = g_build_filename(*gone, "inner", NULL);
	g_autofree char *file = g_build_filename(inner, "file", NULL);
	g_autofree char *link = g_build_filename(inner, "link", NULL);
	assert_true(file_make_folder(*keep, 0755, NULL));
	assert_true(file_make_folder(inner, 0755, NULL));
	assert_true(file_write(*kept, "kept", 4, 0644, NULL));
	assert_true(file_write(file, "x", 1, 0644, NULL));
	assert_int_equal(symlink(*keep, link), 0);
}

static void test_remove_takes_links_and_leaves_what_they_name(void **state)
{
	g_autofree char *keep = NULL, *kept = NULL, *gone = NULL;
	make_trees(*state, &keep, &kept, &gone);
	assert_true(file_remove(gone, NULL));
	assert_false(g_file_test(gone, G_FILE_TEST_EXISTS));
	assert_content(kept, "kept");
}

static void test_remove_of_a_link_with_a_slash_leaves_its_target(void **state)
{
	g_autofree char *keep = NULL, *kept = NULL, *gone = NULL;
	make_trees(*state, &keep, &kept, &gone);
	g_autofree char *link = g_build_filename(gone, "inner", "link", NULL);
	g_autofree char *with_slash = g_strconcat(link, "//", NULL);
	assert_true(file_remove(with_slash, NULL));
	assert_false(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
	assert_content(kept, "kept");
}

static void test_remove_of_nothing_is_success(void **state)
{
	g_autofree char *path = g_build_filename(*state, "none", NULL);
	assert_true(file_remove(path, NULL));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, temporary_setup, temporary_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_what_is_no_regular_file_is_refused_at_once),
		IN_FOLDER(test_write_replaces_and_leaves_nothing_beside),
		IN_FOLDER(test_write_keeps_nul_bytes),
		IN_FOLDER(test_failed_write_leaves_the_old_file_and_nothing_beside),
		IN_FOLDER(test_failed_rename_leaves_nothing_beside),
		IN_FOLDER(test_write_without_a_folder_says_so),
		IN_FOLDER(test_write_replaces_a_link_not_its_target),
		IN_FOLDER(test_read_allows_exactly_the_limit),
		IN_FOLDER(test_read_tells_absent_from_unreadable),
		IN_FOLDER(test_make_folder_makes_parents_and_may_be_repeated),
		IN_FOLDER(test_make_folder_refuses_below_a_file),
		IN_FOLDER(test_remove_takes_links_and_leaves_what_they_name),
		IN_FOLDER(test_remove_of_a_link_with_a_slash_leaves_its_target),
		IN_FOLDER(test_remove_of_nothing_is_success),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
