/* SPDX-License-Identifier: ISC
 *
 * A base and its delta give the tree; what is not both of them, to the last byte, gives nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "release/delta.h"
#include "release_bed.h"

enum { MTIME_S = 1000000000, LEVEL = 3 };

/* "base" lies in the bed's "in", "tree" in a folder of its own. */
typedef struct Pair {
	Bed *bed;
	int tree_fd;
	Tree *base, *tree;
	DeltaMade made;
	int delta_fd;
} Pair;

static int pair_setup(void **state)
{
	Pair *pair = g_new0(Pair, 1);
	void *bed;
	bed_setup(&bed);
	pair->bed = bed;
	pair->tree_fd = bed_make_folder(bed, "tree");
	pair->delta_fd = -1;
	*state = pair;
	return 0;
}

static void forget(Pair *pair)
{
	g_clear_pointer(&pair->base, tree_free);
	g_clear_pointer(&pair->tree, tree_free);
	if (pair->delta_fd >= 0)
		close(pair->delta_fd);
	pair->delta_fd = -1;
}

static int pair_teardown(void **state)
{
	Pair *pair = *state;
	void *bed = pair->bed;
	forget(pair);
	close(pair->tree_fd);
	g_free(pair);
	return bed_teardown(&bed);
}

/* Of what lies in the two folders. */
static void make(Pair *pair)
{
	g_autoptr(GError) error = NULL;
	forget(pair);
	pair->base = bed_read(pair->bed->in);
	pair->tree = bed_read(pair->tree_fd);
	pair->delta_fd = bed_file(pair->bed, "delta", "", 0);
	assert_true(delta_make(pair->bed->in, pair->base, pair->tree_fd, pair->tree, LEVEL,
		pair->delta_fd, NULL, NULL, &pair->made, &error));
	assert_fine(error);
}

static ManifestDelta said_of(const Pair *pair)
{
	ManifestDelta said = {
		.size_bytes = pair->made.size_bytes, .window_log = pair->made.window_log};
	tree_digest(pair->base, said.from_tree_sha256);
	g_strlcpy(said.sha256, pair->made.sha256, sizeof said.sha256);
	return said;
}

static gboolean apply_as(
	const Pair *pair, int delta_fd, const ManifestDelta *said, int out, GError **error)
{
	return delta_apply(delta_fd, said, pair->bed->in, pair->base, pair->tree, MTIME_S, out,
		NULL, NULL, error);
}

/* Into a new folder of this name. */
static gboolean apply(const Pair *pair, const char *name, GError **error)
{
	ManifestDelta said = said_of(pair);
	int out = bed_make_folder(pair->bed, name);
	gboolean ok = apply_as(pair, pair->delta_fd, &said, out, error);
	close(out);
	return ok;
}

/* The same tree, of the one time, whatever its way. */
static void assert_applies(const Pair *pair, const char *name)
{
	g_autoptr(GError) error = NULL;
	struct stat status;
	apply(pair, name, &error);
	assert_fine(error);
	g_autofree char *path = g_build_filename(pair->bed->folder, name, NULL);
	int out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(archive_verify(out, pair->tree, NULL, NULL, &error));
	for (guint i = 0; i < tree_count(pair->tree); i++) {
		const TreeEntry *entry = tree_entry(pair->tree, i);
		assert_int_equal(fstatat(out, entry->path, &status, AT_SYMLINK_NOFOLLOW), 0);
		if (entry->kind == TREE_FILE)
			assert_int_equal(status.st_mtime, MTIME_S);
	}
	close(out);
}

static void assert_made(const Pair *pair, guint copied, guint patched, guint plain)
{
	assert_int_equal(pair->made.copied, copied);
	assert_int_equal(pair->made.patched, patched);
	assert_int_equal(pair->made.plain, plain);
}

/* Nobody can compress it. Caller frees. */
static char *noise(guint32 seed, gsize size)
{
	GRand *rand = g_rand_new_with_seed(seed);
	char *bytes = g_malloc(size + 1);
	for (gsize i = 0; i < size; i++)
		bytes[i] = (char)g_rand_int_range(rand, 1, 256);
	bytes[size] = '\0';
	g_rand_free(rand);
	return bytes;
}

/* ways ----------------------------------------------------------------------------------------- */

static void test_equal_files_take_nothing(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(1, 100000);
	bed_write(pair->bed->in, "a", bytes, 0644);
	bed_write(pair->tree_fd, "a", bytes, 0755);	    /* another mode */
	bed_write(pair->tree_fd, "lib/moved", bytes, 0644); /* another place */
	bed_link(pair->tree_fd, "l", "lib");
	make(pair);
	assert_made(pair, 2, 0, 0);
	assert_int_equal(pair->made.size_bytes, strlen("drover-delta 1\n"));
	assert_applies(pair, "one");
}

static void test_changed_file_takes_what_changed(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(1, 300000);
	bed_write(pair->bed->in, "a", bytes, 0644);
	memcpy(bytes + 200000, "changed", 7);
	bed_write(pair->tree_fd, "a", bytes, 0644);
	make(pair);
	assert_made(pair, 0, 1, 0);
	assert_in_range(pair->made.size_bytes, 15, 400);
	assert_applies(pair, "one");
}

/* Half a megabyte from the front stands at the end now. */
static void test_bytes_that_moved_are_found(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(1, 8000000);
	g_autofree char *moved = g_strconcat(bytes + 500000, "", NULL);
	g_autofree char *front = g_strndup(bytes, 500000);
	g_autofree char *all = g_strconcat(moved, front, NULL);
	bed_write(pair->bed->in, "a", bytes, 0644);
	bed_write(pair->tree_fd, "a", all, 0644);
	make(pair);
	assert_made(pair, 0, 1, 0);
	assert_in_range(pair->made.size_bytes, 15, 8000);
	assert_applies(pair, "one");
}

static void test_file_that_the_old_one_is_no_help_for_is_new(void **state)
{
	Pair *pair = *state;
	g_autofree char *before = noise(1, 1000);
	g_autofree char *after = noise(2, 1000);
	bed_write(pair->bed->in, "a", before, 0644);
	bed_write(pair->bed->in, "empty", "", 0644);
	bed_write(pair->bed->in, "full", "abc", 0644);
	bed_write(pair->tree_fd, "a", after, 0644);
	bed_write(pair->tree_fd, "empty", "now it is not", 0644);
	bed_write(pair->tree_fd, "full", "", 0644);
	make(pair);
	assert_made(pair, 1, 0, 2); /* there was an empty file */
	assert_applies(pair, "one");
}

static void test_new_files_that_resemble_each_other_cost_once(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(1, 20000);
	for (char name = 'a'; name < 'k'; name++) {
		bytes[0] = name;
		bed_write(pair->tree_fd, (char[]){name, '\0'}, bytes, 0644);
	}
	make(pair);
	assert_made(pair, 0, 0, 10);
	assert_in_range(pair->made.size_bytes, 20000, 21500);
	assert_applies(pair, "one");
}

static void test_paths_may_become_other_kinds(void **state)
{
	Pair *pair = *state;
	bed_write(pair->bed->in, "file", "abc", 0644);
	bed_write(pair->bed->in, "folder/file", "folder", 0644);
	bed_link(pair->bed->in, "link", "file");
	bed_write(pair->tree_fd, "file/file", "now below", 0644);
	bed_link(pair->tree_fd, "folder", "file");
	bed_write(pair->tree_fd, "link", "no link any more", 0644);
	make(pair);
	assert_made(pair, 0, 0, 2);
	assert_applies(pair, "one");
}

static void test_nothing_to_nothing_is_a_delta(void **state)
{
	Pair *pair = *state;
	make(pair);
	assert_applies(pair, "one");
	bed_write(pair->bed->in, "a", "abc", 0644);
	make(pair);
	assert_applies(pair, "two");
}

/* One frame holds 64 MiB; what moved over their border, by less than that, is found too. */
static void test_large_file_goes_in_pieces(void **state)
{
	Pair *pair = *state;
	const gsize size = 70 * 1024 * 1024;
	g_autofree char *bytes = noise(1, size);
	g_autofree char *longer = g_strconcat("more at the front", bytes, NULL);
	bed_write(pair->bed->in, "a", bytes, 0644);
	bed_write(pair->tree_fd, "a", longer, 0644);
	make(pair);
	assert_made(pair, 0, 1, 0);
	assert_int_equal(pair->made.window_log, 26);
	assert_in_range(pair->made.size_bytes, 15, 40000);
	assert_applies(pair, "one");
}

/* Random files of the base are kept, changed, removed, moved; others come. */
static void change_tree(const Pair *pair, GRand *rand)
{
	g_autoptr(Tree) base = bed_read(pair->bed->in);
	for (guint i = 0; i < tree_count(base); i++) {
		const TreeEntry *entry = tree_entry(base, i);
		g_autofree char *path =
			g_build_filename(pair->bed->folder, "in", entry->path, NULL);
		g_autofree char *moved = g_strconcat("moved-", entry->path, NULL);
		g_autofree char *text = NULL;
		gint lot = g_rand_int_range(rand, 0, 10);
		if (entry->kind == TREE_LINK) {
			if (lot < 8)
				bed_link(pair->tree_fd, entry->path, entry->target);
			continue;
		}
		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		for (gint n = lot < 4 ? 0 : g_rand_int_range(rand, 0, 20); n > 0 && *text; n--)
			text[g_rand_int_range(rand, 0, (gint)strlen(text))] = 'x';
		if (lot > 0)
			bed_write(pair->tree_fd, lot == 1 ? moved : entry->path, text, 0644);
	}
	g_autofree char *more = noise(g_rand_int(rand), (gsize)g_rand_int_range(rand, 0, 9999));
	bed_write(pair->tree_fd, "more/of it", more, 0755);
}

/* The seed is printed, so that a failure can be had again. */
static void test_random_trees_come_back_the_same(void **state)
{
	Pair *pair = *state;
	for (guint seed = 1; seed <= 24; seed++) {
		print_message("seed %u\n", seed);
		GRand *rand = g_rand_new_with_seed(seed);
		g_autofree char *out = g_strdup_printf("out%u", seed);
		g_autofree char *tree = g_strdup_printf("tree%u", seed);
		bed_fill(pair->bed->in, rand); /* on top of those before: trees grow */
		close(pair->tree_fd);
		pair->tree_fd = bed_make_folder(pair->bed, tree);
		change_tree(pair, rand);
		make(pair);
		assert_applies(pair, out);
		char first[SHA256_HEX];
		g_strlcpy(first, pair->made.sha256, sizeof first);
		make(pair);
		assert_string_equal(first, pair->made.sha256);
		g_rand_free(rand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
		TEST(test_equal_files_take_nothing),
		TEST(test_changed_file_takes_what_changed),
		TEST(test_bytes_that_moved_are_found),
		TEST(test_file_that_the_old_one_is_no_help_for_is_new),
		TEST(test_new_files_that_resemble_each_other_cost_once),
		TEST(test_paths_may_become_other_kinds),
		TEST(test_nothing_to_nothing_is_a_delta),
		TEST(test_large_file_goes_in_pieces),
		TEST(test_random_trees_come_back_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
