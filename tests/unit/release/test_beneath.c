/* SPDX-License-Identifier: ISC
 *
 * Whatever lies in a folder, or was put there by somebody else, nothing outside of it is touched.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release/beneath.h"
#include "release_bed.h"

static mode_t mode_of(int folder_fd, const char *path)
{
	struct stat status;
	assert_int_equal(fstatat(folder_fd, path, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_mode;
}

static void assert_open_refused(
	const Bed *bed, const char *path, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_int_equal(beneath_open(bed->in, path, &error), -1);
	assert_error(&error, code, part);
}

static void assert_create_refused(
	const Bed *bed, const char *path, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_int_equal(beneath_create(bed->in, path, &error), -1);
	assert_error(&error, code, part);
}

static void test_files_are_opened_part_by_part(void **state)
{
	const Bed *bed = *state;
	char text[4] = "";
	bed_write(bed->in, "a/b/c", "abc", 0644);
	int fd = beneath_open(bed->in, "a/b/c", NULL);
	assert_int_equal(read(fd, text, 4), 3);
	assert_string_equal(text, "abc");
	close(fd);
	assert_open_refused(bed, "a/b/d", DROVER_ERROR_NOT_FOUND, "cannot open a/b/d");
	assert_open_refused(bed, "a/b/c/d", DROVER_ERROR_INPUT, "Not a directory");
	assert_open_refused(bed, "a/b", DROVER_ERROR_INPUT, "no regular file");
}

static void test_links_are_never_followed(void **state)
{
	const Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	bed_write(bed->out, "secret", "abc", 0644);
	bed_link(bed->in, "folder", "../out");
	bed_link(bed->in, "file", "../out/secret");
	bed_link(bed->in, "new", "../out/new");
	assert_open_refused(bed, "file", DROVER_ERROR_INPUT, "a link leads there");
	assert_open_refused(bed, "folder/secret", DROVER_ERROR_INPUT, "a link leads there");
	assert_create_refused(bed, "folder/new", DROVER_ERROR_INPUT, "a link leads there");
	assert_create_refused(bed, "new", DROVER_ERROR_CONFLICT, "cannot create new");
	assert_false(beneath_link(bed->in, "folder/new", "a", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "cannot make the link folder/new");
	assert_int_not_equal(faccessat(bed->out, "new", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

/* Opening a pipe for reading would wait for somebody who writes. */
static void test_pipes_do_not_make_anyone_wait(void **state)
{
	const Bed *bed = *state;
	assert_int_equal(mkfifoat(bed->in, "pipe", 0644), 0);
	assert_open_refused(bed, "pipe", DROVER_ERROR_INPUT, "no regular file");
}

static void test_folders_on_the_way_are_made_whatever_the_umask(void **state)
{
	const Bed *bed = *state;
	mode_t before = umask(0077);
	int fd = beneath_create(bed->in, "a/b/c", NULL);
	assert_true(beneath_link(bed->in, "a/d/l", "../b", NULL));
	umask(before);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mode_of(bed->in, "a"), S_IFDIR | 0755);
	assert_int_equal(mode_of(bed->in, "a/b"), S_IFDIR | 0755);
	assert_int_equal(mode_of(bed->in, "a/d"), S_IFDIR | 0755);
	assert_int_equal(mode_of(bed->in, "a/b/c"), S_IFREG | 0600);
}

static void test_what_is_there_is_not_written_over(void **state)
{
	const Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	bed_write(bed->in, "a", "abc", 0644);
	assert_create_refused(bed, "a", DROVER_ERROR_CONFLICT, "File exists");
	assert_create_refused(bed, "a/b", DROVER_ERROR_INPUT, "Not a directory");
	assert_false(beneath_link(bed->in, "a", "b", &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "cannot make the link a");
}

int main(void)
{
#define ON_BED(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_BED(test_files_are_opened_part_by_part),
		ON_BED(test_links_are_never_followed),
		ON_BED(test_pipes_do_not_make_anyone_wait),
		ON_BED(test_folders_on_the_way_are_made_whatever_the_umask),
		ON_BED(test_what_is_there_is_not_written_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
