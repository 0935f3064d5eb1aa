/* SPDX-License-Identifier: ISC
 *
 * What a tree holds, what it refuses, how two differ.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "release_bed.h"

/* paths ---------------------------------------------------------------------------------------- */

static void assert_path_refused(const char *path, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_false(tree_check_path(path, &error));
	assert_error(&error, code, part);
}

static void test_usual_paths_are_good(void **state)
{
	const char *const good[] = {"a", "lib/web.py", ".hidden", "...", "..a", "a..", "a/...",
		"-rf", "x y", "é/中文", "a\\b", "~", "*"};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		assert_true(tree_check_path(good[i], &error));
		assert_fine(error);
	}
}

static void test_paths_that_lead_elsewhere_are_refused(void **state)
{
	const char *const bad[] = {"", "/", "/etc/passwd", "a/", "a//b", ".", "./a", "a/.", "a/./b",
		"..", "../a", "a/..", "a/../b", "a/../../b"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_path_refused(bad[i], DROVER_ERROR_INPUT, "has the part");
}

static void test_names_that_people_cannot_see_are_refused(void **state)
{
	assert_path_refused("a\nb", DROVER_ERROR_INPUT, "a\\nb\" holds a control character");
	assert_path_refused("a\tb", DROVER_ERROR_INPUT, "control");
	assert_path_refused("a\x7f", DROVER_ERROR_INPUT, "control");
	assert_path_refused("a\xc2\x9b", DROVER_ERROR_INPUT, "control"); /* U+009B begins escapes */
	assert_path_refused("caf\xe9", DROVER_ERROR_INPUT, "caf\\351\" is not UTF-8");
	assert_path_refused("\xc0\xae\xc0\xae/a", DROVER_ERROR_INPUT, "UTF-8"); /* overlong ".." */
}

/* `parts` times "a" between slashes; caller frees. */
static char *deep_path(guint parts)
{
	GString *path = g_string_new("a");
	while (--parts > 0)
		g_string_append(path, "/a");
	return g_string_free(path, FALSE);
}

static void test_paths_have_limits(void **state)
{
	g_autofree char *deepest = deep_path(TREE_MAXIMUM_PATH_PARTS);
	g_autofree char *deeper = deep_path(TREE_MAXIMUM_PATH_PARTS + 1);
	g_autofree char *name = g_strnfill(TREE_MAXIMUM_NAME_BYTES, 'n');
	g_autofree char *longer = g_strnfill(TREE_MAXIMUM_NAME_BYTES + 1, 'n');
	g_autofree char *most = g_strdup_printf("%s/%s/%s/%s/a", name, name, name, name + 1);
	g_autofree char *more = g_strdup_printf("%s/%s/%s/%s/a", name, name, name, name);
	assert_int_equal(strlen(most), TREE_MAXIMUM_PATH_BYTES);
	assert_true(tree_check_path(deepest, NULL));
	assert_true(tree_check_path(name, NULL));
	assert_true(tree_check_path(most, NULL));
	assert_path_refused(deeper, DROVER_ERROR_TOO_LARGE, "has 33 parts");
	assert_path_refused(longer, DROVER_ERROR_TOO_LARGE, "a part has 256 bytes");
	assert_path_refused(more, DROVER_ERROR_TOO_LARGE, "has 1025 bytes");
}

/* links ---------------------------------------------------------------------------------------- */

static void test_targets_inside_the_tree_are_good(void **state)
{
	const struct {
		const char *path, *target;
	} good[] = {{"l", "a"}, {"l", "./a"}, {"l", "."}, {"a/l", ".."}, {"a/l", "../b"},
		{"a/b/l", "../../c/d"}, {"a/b/l", ".././../c"}, {"l", "not/there"}, {"l", "l"}};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		assert_true(tree_check_target(good[i].path, good[i].target, &error));
		assert_fine(error);
	}
}

static void test_targets_that_leave_the_tree_are_refused(void **state)
{
	const struct {
		const char *path, *target, *part;
	} bad[] = {{"l", "/etc/passwd", "must be relative"}, {"l", "..", "too many"},
		{"l", "../a", "too many"}, {"a/l", "../../b", "too many"},
		{"a/l", "./../.././b", "too many"},
		/* The way back from a link's target is another than from the link. */
		{"a/l", "b/..", "after a name"}, {"l", "a/../../b", "after a name"},
		{"l", "", "empty part"}, {"l", "a/", "empty part"}, {"l", "a//b", "empty part"},
		{"l", "a\nb", "control"}, {"l", "\xff", "UTF-8"}};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(tree_check_target(bad[i].path, bad[i].target, &error));
		assert_error(&error, DROVER_ERROR_INPUT, bad[i].part);
	}
}

static void test_targets_have_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *longer = g_strnfill(TREE_MAXIMUM_PATH_BYTES + 1, 'n');
	assert_false(tree_check_target("l", longer, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "has 1025 bytes");
	longer[TREE_MAXIMUM_NAME_BYTES + 1] = '\0';
	assert_false(tree_check_target("l", longer, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "a part has 256 bytes");
}

/* trees as values ------------------------------------------------------------------------------ */

static void add_file(Tree *tree, const char *path)
{
	assert_true(tree_add_file(tree, path, FALSE, 3, SHA256_ABC, NULL));
}

static void test_entries_are_sorted_by_bytes(void **state)
{
	const char *const sorted[] = {"B", "a-b", "a.b/x", "a/b", "ab", "é"};
	g_autoptr(Tree) tree = tree_new();
	for (gsize i = G_N_ELEMENTS(sorted); i-- > 0;)
		add_file(tree, sorted[i]);
	assert_true(tree_finish(tree, NULL));
	assert_int_equal(tree_count(tree), 6);
	for (guint i = 0; i < 6; i++)
		assert_string_equal(tree_entry(tree, i)->path, sorted[i]);
	assert_ptr_equal(tree_find(tree, "a/b"), tree_entry(tree, 3));
	assert_null(tree_find(tree, "a"));
	assert_null(tree_find(tree, "a/bc"));
	assert_int_equal(tree_size_bytes(tree), 18);
}

static void test_nothing_lies_below_a_file_or_link(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) files = tree_new();
	add_file(files, "a/b/c");
	add_file(files, "a");
	add_file(files, "a-b");
	assert_false(tree_finish(files, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "a is a file, so nothing can lie below it: a/b/c");
	g_autoptr(Tree) links = tree_new();
	assert_true(tree_add_link(links, "a/b", "../c", NULL));
	add_file(links, "a/b/d");
	assert_false(tree_finish(links, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "a/b is a link, so nothing can lie below it");
}

static void test_a_path_is_there_once(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = tree_new();
	add_file(tree, "a");
	assert_true(tree_add_link(tree, "a", "b", NULL));
	assert_false(tree_finish(tree, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "the path a is in the tree twice");
}

static void test_trees_have_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = tree_new();
	assert_true(tree_add_file(tree, "a", FALSE, TREE_MAXIMUM_SIZE_BYTES - 1, SHA256_ABC, NULL));
	assert_false(tree_add_file(tree, "b", FALSE, 2, SHA256_ABC, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "b: with it the tree's files have more than");
	assert_false(tree_add_file(tree, "b", FALSE, -1, SHA256_ABC, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "less than nothing");
	assert_false(tree_add_file(tree, "b", FALSE, 1, "BA7816BF", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "64 small hexadecimal digits");
	for (guint i = 1; i < TREE_MAXIMUM_ENTRIES; i++) {
		g_autofree char *path = g_strdup_printf("f%u", i);
		assert_true(tree_add_link(tree, path, "a", NULL));
	}
	assert_false(tree_add_link(tree, "l", "a", &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "more than 200000 files and links");
}

/* printf 'drover-tree 1\nfile\t0755\t3\t%s\tbin/a\nlink\tbin/a\tl\n' $(printf abc | sha256sum) … */
static void test_digest_is_of_lines_that_a_person_can_write(void **state)
{
	char sha256[SHA256_HEX];
	g_autoptr(Tree) tree = tree_new();
	assert_true(tree_add_link(tree, "l", "bin/a", NULL));
	assert_true(tree_add_file(tree, "bin/a", TRUE, 3, SHA256_ABC, NULL));
	assert_true(tree_finish(tree, NULL));
	tree_digest(tree, sha256);
	g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
		"drover-tree 1\nfile\t0755\t3\t" SHA256_ABC "\tbin/a\nlink\tbin/a\tl\n", -1);
	assert_string_equal(sha256, expected);
}

static void test_difference_tells_added_removed_and_changed(void **state)
{
	g_autoptr(Tree) before = tree_new(), after = tree_new();
	add_file(before, "a");
	add_file(before, "b");
	add_file(before, "c");
	add_file(before, "e");
	add_file(after, "b");
	assert_true(tree_add_file(after, "c", TRUE, 3, SHA256_ABC, NULL));
	add_file(after, "d");
	assert_true(tree_add_link(after, "e", "b", NULL));
	assert_true(tree_finish(before, NULL) && tree_finish(after, NULL));
	g_autoptr(GArray) changes = tree_difference(before, after);
	assert_int_equal(changes->len, 4);
	const TreeChange *change = (const TreeChange *)(void *)changes->data;
	assert_string_equal(change[0].before->path, "a");
	assert_null(change[0].after);
	assert_false(change[1].before->is_executable);
	assert_true(change[1].after->is_executable);
	assert_null(change[2].before);
	assert_string_equal(change[2].after->path, "d");
	assert_int_equal(change[3].before->kind, TREE_FILE);
	assert_int_equal(change[3].after->kind, TREE_LINK);
	g_autoptr(GArray) none = tree_difference(after, after);
	assert_int_equal(none->len, 0);
}

/* folders -------------------------------------------------------------------------------------- */

static void assert_read_refused(
	const Bed *bed, TreeModes modes, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_null(tree_read(bed->in, modes, &tree_limits_largest, NULL, NULL, &error));
	assert_error(&error, code, part);
}

static void test_folder_becomes_a_tree(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "bin/web", "abc", 0700);
	bed_write(bed->in, "empty", "", 0640);
	bed_link(bed->in, "bin/latest", "web");
	assert_int_equal(mkdirat(bed->in, "nothing", 0755), 0);
	g_autoptr(Tree) tree = bed_read(bed->in);
	assert_int_equal(tree_count(tree), 3);
	const TreeEntry *latest = tree_entry(tree, 0), *web = tree_entry(tree, 1),
			*empty = tree_entry(tree, 2);
	assert_string_equal(latest->path, "bin/latest");
	assert_string_equal(latest->target, "web");
	assert_true(web->is_executable);
	assert_int_equal(web->size_bytes, 3);
	assert_string_equal(web->sha256, SHA256_ABC);
	assert_false(empty->is_executable);
	assert_string_equal(empty->sha256, SHA256_EMPTY);
}

static void test_devices_pipes_and_sockets_are_refused(void **state)
{
	const Bed *bed = *state;
	assert_int_equal(mkfifoat(bed->in, "pipe", 0644), 0);
	assert_read_refused(
		bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "pipe is a pipe, which no release");
	assert_int_equal(unlinkat(bed->in, "pipe", 0), 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_snprintf(address.sun_path, sizeof address.sun_path, "%s/in/s", bed->folder);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_read_refused(bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "s is a socket");
	close(fd);
	assert_int_equal(unlinkat(bed->in, "s", 0), 0);
	/* Only root can make a device; in some containers nobody. */
	if (mknodat(bed->in, "null", S_IFCHR | 0644, 0x103) == 0)
		assert_read_refused(
			bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "null is a device");
}

static void test_setuid_and_setgid_files_are_refused(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "su", "abc", 04755);
	assert_read_refused(bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "su is setuid");
	assert_int_equal(fchmodat(bed->in, "su", 02755, 0), 0);
	assert_read_refused(bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "setgid");
}

static void test_names_on_disk_are_checked(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "a/caf\xe9", "abc", 0644);
	assert_read_refused(bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "a/caf\\351");
	assert_int_equal(unlinkat(bed->in, "a/caf\xe9", 0), 0);
	bed_link(bed->in, "a/l", "../../in/a");
	assert_read_refused(bed, TREE_MODES_BY_OWNER, DROVER_ERROR_INPUT, "leaves the tree");
}

static void test_installed_modes_are_exact(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "a/f", "abc", 0664);
	assert_read_refused(bed, TREE_MODES_EXACT, DROVER_ERROR_INPUT, "a/f has the mode 0664");
	assert_int_equal(fchmodat(bed->in, "a/f", 0644, 0), 0);
	assert_int_equal(fchmodat(bed->in, "a", 0777, 0), 0);
	assert_read_refused(
		bed, TREE_MODES_EXACT, DROVER_ERROR_INPUT, "a is a folder with the mode 0777");
	assert_int_equal(fchmodat(bed->in, "a", 0755, 0), 0);
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree =
		tree_read(bed->in, TREE_MODES_EXACT, &tree_limits_largest, NULL, NULL, &error);
	assert_fine(error);
	assert_int_equal(tree_count(tree), 1);
}

static void assert_limit(const Bed *bed, TreeLimits limits, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_null(tree_read(bed->in, TREE_MODES_BY_OWNER, &limits, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, part);
}

static void test_reading_stops_at_its_limits(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "a/b", "abc", 0644);
	bed_write(bed->in, "a/c", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	const TreeLimits needed = tree_limits(tree);
	assert_int_equal(needed.entries, 2);
	assert_int_equal(needed.size_bytes, 6);
	assert_int_equal(needed.path_parts, 2);
	g_autoptr(Tree) again = tree_read(bed->in, TREE_MODES_BY_OWNER, &needed, NULL, NULL, NULL);
	assert_non_null(again);
	assert_limit(bed, (TreeLimits){1, 6, 2}, "more than 1 files and links");
	assert_limit(bed, (TreeLimits){2, 5, 2}, "more than 5 bytes");
	assert_limit(bed, (TreeLimits){2, 6, 1}, "more than 1 parts");
}

static void note_progress(guint files, gint64 size_bytes, gpointer user)
{
	gint64 *last = user;
	assert_true(files >= last[0] && size_bytes >= last[1]);
	last[0] = files;
	last[1] = size_bytes;
}

static void test_progress_ends_with_everything(void **state)
{
	const Bed *bed = *state;
	gint64 last[2] = {0, 0};
	bed_write(bed->in, "a/b", "abc", 0644);
	bed_link(bed->in, "l", "a");
	g_autoptr(Tree) tree = tree_read(
		bed->in, TREE_MODES_BY_OWNER, &tree_limits_largest, note_progress, last, NULL);
	assert_non_null(tree);
	assert_int_equal(last[0], 2);
	assert_int_equal(last[1], 3);
}

int main(void)
{
#define ON_BED(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_paths_are_good),
		cmocka_unit_test(test_paths_that_lead_elsewhere_are_refused),
		cmocka_unit_test(test_names_that_people_cannot_see_are_refused),
		cmocka_unit_test(test_paths_have_limits),
		cmocka_unit_test(test_targets_inside_the_tree_are_good),
		cmocka_unit_test(test_targets_that_leave_the_tree_are_refused),
		cmocka_unit_test(test_targets_have_limits),
		cmocka_unit_test(test_entries_are_sorted_by_bytes),
		cmocka_unit_test(test_nothing_lies_below_a_file_or_link),
		cmocka_unit_test(test_a_path_is_there_once),
		cmocka_unit_test(test_trees_have_limits),
		cmocka_unit_test(test_digest_is_of_lines_that_a_person_can_write),
		cmocka_unit_test(test_difference_tells_added_removed_and_changed),
		ON_BED(test_folder_becomes_a_tree),
		ON_BED(test_devices_pipes_and_sockets_are_refused),
		ON_BED(test_setuid_and_setgid_files_are_refused),
		ON_BED(test_names_on_disk_are_checked),
		ON_BED(test_installed_modes_are_exact),
		ON_BED(test_reading_stops_at_its_limits),
		ON_BED(test_progress_ends_with_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
