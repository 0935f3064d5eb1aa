/* SPDX-License-Identifier: ISC
 *
 * A base and its delta give the tree; what is not both of them, to the last byte, gives nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
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

/* what is not a delta -------------------------------------------------------------------------- */

/* "a" is patched, "b" and "c" are new, "same" is copied. */
enum { SMALL_WINDOW_LOG = 12 };

static void write_small(const Pair *pair)
{
	g_autofree char *bytes = noise(1, 1000);
	bed_write(pair->bed->in, "a", bytes, 0644);
	bed_write(pair->bed->in, "same", "same", 0644);
	bytes[500] = '\1';
	bed_write(pair->tree_fd, "a", bytes, 0644);
	bed_write(pair->tree_fd, "b", "first", 0644);
	bed_write(pair->tree_fd, "c", "other", 0644);
	bed_write(pair->tree_fd, "same", "same", 0644);
}

/* A frame with this prefix (NULL: none). */
static void add_frame(GByteArray *delta, const char *plain, gsize size, const char *prefix,
	gsize prefix_size, int window_log)
{
	ZSTD_CCtx *compressor = ZSTD_createCCtx();
	const gsize room = ZSTD_compressBound(size);
	g_autofree char *frame = g_malloc(room);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, window_log);
	ZSTD_CCtx_refPrefix(compressor, prefix, prefix_size);
	gsize made = ZSTD_compress2(compressor, frame, room, plain, size);
	assert_false(ZSTD_isError(made));
	g_byte_array_append(delta, (const guint8 *)frame, (guint)made);
	ZSTD_freeCCtx(compressor);
}

static void add_text(GByteArray *delta, const char *text)
{
	g_byte_array_append(delta, (const guint8 *)text, (guint)strlen(text));
}

/* With what "a" is to become, made from what it was, or from `prefix` when that is not NULL. */
static void add_patch(GByteArray *delta, const char *prefix)
{
	g_autofree char *before = noise(1, 1000);
	g_autofree char *after = noise(1, 1000);
	after[500] = '\1';
	add_frame(delta, after, 1000, prefix != NULL ? prefix : before, 1000, SMALL_WINDOW_LOG);
}

/* As making it gives it, but for the spelling of the frames. */
static GByteArray *good_delta(void)
{
	GByteArray *delta = g_byte_array_new();
	add_text(delta, "drover-delta 1\np");
	add_patch(delta, NULL);
	add_text(delta, "nn");
	add_frame(delta, "firstother", 10, NULL, 0, SMALL_WINDOW_LOG);
	return delta;
}

/* As if somebody with the key had signed it. */
static gboolean apply_bytes(const Pair *pair, const GByteArray *delta, GError **error)
{
	ManifestDelta said = said_of(pair);
	Sha256 state;
	sha256_init(&state);
	sha256_update(&state, delta->data, delta->len);
	sha256_finish(&state, said.sha256);
	said.size_bytes = delta->len;
	said.window_log = SMALL_WINDOW_LOG;
	int fd = bed_file(pair->bed, "hostile", delta->data, delta->len);
	int out = bed_make_folder(pair->bed, "refused");
	gboolean ok = apply_as(pair, fd, &said, out, error);
	g_autofree char *path = g_build_filename(pair->bed->folder, "refused", NULL);
	close(fd);
	close(out);
	assert_true(file_remove(path, NULL));
	return ok;
}

static void assert_refused(const Pair *pair, const GByteArray *delta, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_false(apply_bytes(pair, delta, &error));
	assert_error(&error, DROVER_ERROR_INPUT, part);
}

/* The hostile ones below differ from this one in one thing each. */
static void test_delta_by_hand_is_applied(void **state)
{
	Pair *pair = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) delta = good_delta();
	write_small(pair);
	make(pair);
	assert_true(apply_bytes(pair, delta, &error));
	assert_fine(error);
}

static void test_delta_that_stops_anywhere_is_refused(void **state)
{
	Pair *pair = *state;
	g_autoptr(GByteArray) delta = good_delta();
	write_small(pair);
	make(pair);
	while (delta->len > 0) {
		g_byte_array_set_size(delta, delta->len - 1);
		assert_refused(pair, delta, "the delta ends in the middle");
	}
}

/* Whoever signed it: some bits of a frame's header do not matter, all others are found out. */
static void test_altered_byte_gives_the_tree_or_nothing(void **state)
{
	Pair *pair = *state;
	guint refused = 0;
	g_autoptr(GByteArray) delta = good_delta();
	write_small(pair);
	make(pair);
	for (guint i = 0; i < delta->len; i++) {
		g_autoptr(GError) error = NULL;
		delta->data[i] ^= 0x11;
		if (!apply_bytes(pair, delta, &error)) {
			assert_true(drover_error_is(error, DROVER_ERROR_INPUT));
			refused++;
		}
		delta->data[i] ^= 0x11;
	}
	assert_in_range(refused, delta->len - 4, delta->len);
}

static void test_what_goes_on_is_refused(void **state)
{
	Pair *pair = *state;
	g_autoptr(GByteArray) byte = good_delta();
	g_autoptr(GByteArray) frame = good_delta();
	write_small(pair);
	make(pair);
	add_text(byte, "x");
	assert_refused(pair, byte, "the delta goes on after its end");
	add_frame(frame, "", 0, NULL, 0, SMALL_WINDOW_LOG);
	assert_refused(pair, frame, "the delta goes on after its end");
}

static void test_files_in_another_order_are_refused(void **state)
{
	Pair *pair = *state;
	g_autoptr(GByteArray) new_first = g_byte_array_new();
	g_autoptr(GByteArray) swapped = g_byte_array_new();
	write_small(pair);
	make(pair);
	add_text(new_first, "drover-delta 1\nnp");
	add_patch(new_first, NULL);
	add_text(new_first, "n");
	add_frame(new_first, "firstother", 10, NULL, 0, SMALL_WINDOW_LOG);
	assert_refused(pair, new_first, "b: the delta patches a file that the base does not have");
	add_text(swapped, "drover-delta 1\np");
	add_patch(swapped, NULL);
	add_text(swapped, "nn");
	add_frame(swapped, "otherfirst", 10, NULL, 0, SMALL_WINDOW_LOG);
	assert_refused(
		pair, swapped, "b: what the delta makes of it is not what the manifest says");
}

/* After "drover-delta 1" and 'p' comes what `add` adds, and then the rest of a good one. */
static void assert_patch_refused(const Pair *pair, const GByteArray *patch, const char *part)
{
	g_autoptr(GByteArray) delta = g_byte_array_new();
	add_text(delta, "drover-delta 1\np");
	g_byte_array_append(delta, patch->data, patch->len);
	add_text(delta, "nn");
	add_frame(delta, "firstother", 10, NULL, 0, SMALL_WINDOW_LOG);
	assert_refused(pair, delta, part);
}

static void test_patch_of_another_file_is_refused(void **state)
{
	Pair *pair = *state;
	g_autofree char *other = noise(2, 1000);
	g_autoptr(GByteArray) patch = g_byte_array_new();
	write_small(pair);
	make(pair);
	/* The end of the file stands at the beginning of what it takes for the old one. */
	g_autofree char *after = noise(1, 1000);
	memcpy(other, after + 600, 400);
	add_patch(patch, other);
	assert_patch_refused(
		pair, patch, "a: what the delta makes of it is not what the manifest says");
}

static void test_frames_of_another_size_are_refused(void **state)
{
	Pair *pair = *state;
	const gsize much = 100 * 1024 * 1024;
	g_autofree char *zeros = g_malloc0(much);
	g_autoptr(GByteArray) bomb = g_byte_array_new();
	g_autoptr(GByteArray) less = g_byte_array_new();
	g_autoptr(GByteArray) skipped = g_byte_array_new();
	write_small(pair);
	make(pair);
	add_frame(bomb, zeros, much, NULL, 0, SMALL_WINDOW_LOG);
	assert_patch_refused(pair, bomb, "a: the delta holds more than the manifest says");
	add_frame(less, zeros, 999, NULL, 0, SMALL_WINDOW_LOG);
	assert_patch_refused(pair, less, "a: the delta holds less than the manifest says");
	/* zstd passes over such a frame. */
	g_byte_array_append(skipped, (const guint8 *)"\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9);
	add_patch(skipped, NULL);
	assert_patch_refused(pair, skipped, "a: the delta holds less than the manifest says");
}

static void test_new_files_of_another_size_are_refused(void **state)
{
	const struct {
		const char *plain, *part;
	} cases[] = {{"firstotherx", "c: the delta holds more than the manifest says"},
		{"firstothe", "c: the delta holds less than the manifest says"},
		{"", "b: the delta holds less than the manifest says"}};
	Pair *pair = *state;
	write_small(pair);
	make(pair);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) delta = g_byte_array_new();
		add_text(delta, "drover-delta 1\np");
		add_patch(delta, NULL);
		add_text(delta, "nn");
		add_frame(delta, cases[i].plain, strlen(cases[i].plain), NULL, 0, SMALL_WINDOW_LOG);
		assert_refused(pair, delta, cases[i].part);
	}
}

/* The frame wants 2^20 bytes, the manifest allows 2^12. */
static void test_window_is_the_manifests(void **state)
{
	Pair *pair = *state;
	const gsize much = 1024 * 1024;
	g_autofree char *zeros = g_malloc0(much);
	g_autoptr(GByteArray) patch = g_byte_array_new();
	write_small(pair);
	make(pair);
	add_frame(patch, zeros, much, NULL, 0, 20);
	assert_patch_refused(
		pair, patch, "a: the delta cannot be decoded: Frame requires too much memory");
}

static void test_ways_and_formats_that_are_none_are_refused(void **state)
{
	Pair *pair = *state;
	g_autoptr(GByteArray) way = g_byte_array_new();
	g_autoptr(GByteArray) newer = g_byte_array_new();
	write_small(pair);
	make(pair);
	add_text(way, "drover-delta 1\nx");
	assert_refused(pair, way, "a: the delta has it neither patched nor new");
	add_text(newer, "drover-delta 2\np");
	assert_refused(pair, newer, "does not begin with \"drover-delta 1\"");
}

static void assert_not_as_said(
	const Pair *pair, const ManifestDelta *said, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_false(apply_as(pair, pair->delta_fd, said, pair->bed->out, &error));
	assert_error(&error, code, part);
}

static void test_delta_is_what_the_manifest_says(void **state)
{
	Pair *pair = *state;
	write_small(pair);
	make(pair);
	const ManifestDelta good = said_of(pair);
	ManifestDelta said = good;
	said.size_bytes++;
	assert_not_as_said(pair, &said, DROVER_ERROR_INPUT, "fetch it again");
	said = good;
	memset(said.sha256, '0', SHA256_HEX - 1);
	assert_not_as_said(pair, &said, DROVER_ERROR_INPUT, "fetch it again");
	said = good;
	memset(said.from_tree_sha256, '0', SHA256_HEX - 1);
	assert_not_as_said(pair, &said, DROVER_ERROR_INPUT, "the delta leads from a tree");
	said = good;
	said.window_log = ARCHIVE_MINIMUM_WINDOW_LOG - 1;
	assert_not_as_said(pair, &said, DROVER_ERROR_INPUT, "2^10 to 2^27 are allowed");
	said.window_log = ARCHIVE_MAXIMUM_WINDOW_LOG + 1;
	assert_not_as_said(pair, &said, DROVER_ERROR_INPUT, "2^10 to 2^27 are allowed");
	said = good;
	said.size_bytes = ARCHIVE_MAXIMUM_TAR_BYTES + 1;
	assert_not_as_said(pair, &said, DROVER_ERROR_TOO_LARGE, "are allowed");
	said.size_bytes = -1;
	assert_not_as_said(pair, &said, DROVER_ERROR_TOO_LARGE, "are allowed");
	bed_write(pair->bed->out, "x", "", 0644);
	assert_not_as_said(pair, &good, DROVER_ERROR_CONFLICT, "is not empty");
}

/* bases that are none -------------------------------------------------------------------------- */

/* `path` of the base is not what it was when the delta was made. */
static void assert_base_refused(Pair *pair, const char *name, const char *part)
{
	g_autoptr(GError) error = NULL;
	assert_false(apply(pair, name, &error));
	assert_error(&error, DROVER_ERROR_INPUT, part);
}

static void test_altered_base_is_named(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(1, 1000);
	write_small(pair);
	make(pair);
	assert_applies(pair, "good");
	bed_write(pair->bed->in, "same", "sane", 0644);
	assert_base_refused(
		pair, "copied", "same: what is installed is not what its manifest says");
	bed_write(pair->bed->in, "same", "same", 0644);
	bytes[999] = '\1';
	bed_write(pair->bed->in, "a", bytes, 0644);
	assert_base_refused(pair, "patched", "a: what is installed is not what");
	bytes[999] = '\0';
	bed_write(pair->bed->in, "a", bytes, 0644);
	assert_base_refused(pair, "shorter", "a: what is installed is not what");
	assert_int_equal(unlinkat(pair->bed->in, "a", 0), 0);
	assert_base_refused(pair, "gone",
		"what is installed is not what its manifest says: "
		"cannot open a: ");
	bed_link(pair->bed->in, "a", "same");
	assert_base_refused(pair, "link", "cannot open a: a link leads there");
	assert_int_equal(unlinkat(pair->bed->in, "same", 0), 0);
	assert_int_equal(unlinkat(pair->bed->in, "a", 0), 0);
	assert_base_refused(pair, "empty", "what is installed is not what its manifest says");
}

static void assert_not_made(const Pair *pair, const char *part)
{
	g_autoptr(GError) error = NULL;
	DeltaMade made;
	assert_false(delta_make(pair->bed->in, pair->base, pair->tree_fd, pair->tree, LEVEL,
		pair->delta_fd, NULL, NULL, &made, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, part);
}

static void test_files_that_change_meanwhile_are_found(void **state)
{
	Pair *pair = *state;
	g_autofree char *bytes = noise(3, 1000);
	write_small(pair);
	make(pair);
	bed_write(pair->tree_fd, "c", "stern", 0644);
	assert_not_made(pair, "c changed since the tree was read");
	bed_write(pair->tree_fd, "c", "other", 0644);
	bed_write(pair->tree_fd, "a", bytes, 0644);
	assert_not_made(pair, "a changed since the tree was read");
	bed_write(pair->bed->in, "a", bytes, 0644);
	assert_not_made(pair, "the base: a changed since the tree was read");
}

static int apply_with_little_room(const Pair *pair)
{
	const struct rlimit limit = {500, 500};
	g_autoptr(GError) error = NULL;
	ManifestDelta said = said_of(pair);
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	gboolean ok = apply_as(pair, pair->delta_fd, &said, pair->bed->out, &error);
	return !ok && drover_error_is(error, DROVER_ERROR_INTERNAL) &&
			       g_str_has_prefix(error->message, "cannot write a: ")
		       ? 0
		       : 1;
}

static void test_full_disk_is_told(void **state)
{
	const Pair *pair = *state;
	int status = -1;
	write_small(pair);
	make(*state);
	pid_t child = fork();
	if (child == 0)
		_exit(apply_with_little_room(pair));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void note_progress(guint files, gint64 size_bytes, gpointer user)
{
	gint64 *last = user;
	assert_true(files >= last[0] && size_bytes >= last[1]);
	last[0] = files;
	last[1] = size_bytes;
}

static void test_progress_tells_of_each_file_twice(void **state)
{
	Pair *pair = *state;
	gint64 last[2] = {0, 0};
	write_small(pair);
	make(pair);
	ManifestDelta said = said_of(pair);
	assert_true(delta_apply(pair->delta_fd, &said, pair->bed->in, pair->base, pair->tree,
		MTIME_S, pair->bed->out, note_progress, last, NULL));
	assert_int_equal(last[0], 2 * 4);
	assert_int_equal(last[1], 2 * (1000 + 5 + 5 + 4));
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
		TEST(test_delta_by_hand_is_applied),
		TEST(test_delta_that_stops_anywhere_is_refused),
		TEST(test_altered_byte_gives_the_tree_or_nothing),
		TEST(test_what_goes_on_is_refused),
		TEST(test_files_in_another_order_are_refused),
		TEST(test_patch_of_another_file_is_refused),
		TEST(test_frames_of_another_size_are_refused),
		TEST(test_new_files_of_another_size_are_refused),
		TEST(test_window_is_the_manifests),
		TEST(test_ways_and_formats_that_are_none_are_refused),
		TEST(test_delta_is_what_the_manifest_says),
		TEST(test_altered_base_is_named),
		TEST(test_files_that_change_meanwhile_are_found),
		TEST(test_full_disk_is_told),
		TEST(test_progress_tells_of_each_file_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
