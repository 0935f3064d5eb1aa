/* SPDX-License-Identifier: ISC
 *
 * Packing twice gives the same bytes; unpacking gives the same tree; what is no tree of the
 * manifest's is never unpacked, whoever signed it.
 */
#include <fcntl.h>
#include <locale.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "hostile.h"

static const ArchiveEffort quick = {.level = 1, .window_log = 17};

/* packing -------------------------------------------------------------------------------------- */

/* Packs "in" to a file of that name, opened. */
static int pack(const Bed *bed, const Tree *tree, const char *name, const ArchiveEffort *effort,
	ArchivePayload *payload)
{
	g_autoptr(GError) error = NULL;
	int fd = bed_file(bed, name, "", 0);
	assert_true(archive_pack(
		bed->in, tree, HOSTILE_MTIME_S, effort, fd, NULL, NULL, payload, &error));
	assert_fine(error);
	return fd;
}

static void assert_same_tree(const Tree *a, const Tree *b)
{
	g_autoptr(GArray) changes = tree_difference(a, b);
	assert_int_equal(changes->len, 0);
}

static void unpack_and_compare(
	const Bed *bed, int fd, const ArchivePayload *payload, const Tree *tree, const char *name)
{
	g_autoptr(GError) error = NULL;
	int out = bed_make_folder(bed, name);
	assert_true(archive_unpack(fd, payload, tree, HOSTILE_MTIME_S, out, NULL, NULL, &error));
	assert_fine(error);
	g_autoptr(Tree) found = bed_read(out);
	assert_same_tree(tree, found);
	close(out);
}

/* The seed is printed, so that a failure can be had again. */
static void test_random_trees_come_back_the_same(void **state)
{
	const Bed *bed = *state;
	for (guint seed = 1; seed <= 24; seed++) {
		print_message("seed %u\n", seed);
		GRand *rand = g_rand_new_with_seed(seed);
		g_autofree char *out = g_strdup_printf("out%u", seed);
		ArchivePayload payload, again;
		char measured[SHA256_HEX];
		gint64 tar_bytes;
		bed_fill(bed->in, rand); /* on top of those before: trees grow */
		g_rand_free(rand);
		g_autoptr(Tree) tree = bed_read(bed->in);
		int fd = pack(bed, tree, "packed", &quick, &payload);
		unpack_and_compare(bed, fd, &payload, tree, out);
		close(fd);
		close(pack(bed, tree, "packed", &quick, &again));
		assert_string_equal(payload.sha256, again.sha256);
		assert_string_equal(payload.tar_sha256, again.tar_sha256);
		assert_int_equal(payload.size_bytes, again.size_bytes);
		assert_true(archive_measure(
			bed->in, tree, HOSTILE_MTIME_S, &tar_bytes, measured, NULL));
		assert_string_equal(measured, payload.tar_sha256);
		assert_int_equal(tar_bytes, payload.tar_bytes);
	}
}

static void test_tar_does_not_depend_on_effort_locale_owner_or_times(void **state)
{
	const Bed *bed = *state;
	ArchivePayload first, second;
	bed_write(bed->in, "é/e\xcc\x81", "abc", 0644);
	bed_link(bed->in, "l", "é");
	g_autoptr(Tree) tree = bed_read(bed->in);
	close(pack(bed, tree, "first", &quick, &first));
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 6}};
	assert_int_equal(utimensat(bed->in, "é/e\xcc\x81", times, 0), 0);
	assert_int_equal(fchmodat(bed->in, "é/e\xcc\x81", 0600, 0), 0);
	(void)!fchownat(bed->in, "l", 1, 1, AT_SYMLINK_NOFOLLOW); /* root only */
	locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
	locale_t before = uselocale(utf8);
	int fd = pack(bed, tree, "second", &archive_effort_default, &second);
	assert_int_equal(first.tar_bytes, second.tar_bytes);
	assert_string_equal(first.tar_sha256, second.tar_sha256);
	assert_string_not_equal(first.sha256, second.sha256);
	/* Nor does reading it. */
	unpack_and_compare(bed, fd, &second, tree, "utf8");
	uselocale(before);
	unpack_and_compare(bed, fd, &second, tree, "c");
	freelocale(utf8);
	close(fd);
}

/* One header, one block of text, two empty blocks: all that is in a header is where the standard
 * has it. */
static void test_tar_is_plain_where_it_can_be(void **state)
{
	const Bed *bed = *state;
	ArchivePayload payload;
	gint64 tar_bytes;
	char sha256[SHA256_HEX];
	bed_write(bed->in, "a", "abc", 0755);
	g_autoptr(Tree) tree = bed_read(bed->in);
	assert_true(archive_measure(bed->in, tree, 8, &tar_bytes, sha256, NULL));
	assert_int_equal(tar_bytes, 4 * 512);
	char tar[4 * 512] = "a";
	memcpy(tar + 100,
		"000755 \0"
		"000000 \0"
		"000000 ",
		23);
	memcpy(tar + 124,
		"00000000003 "
		"00000000010 ",
		24);
	memcpy(tar + 156, "0", 1);
	memcpy(tar + 257,
		"ustar\0"
		"00",
		8);
	memcpy(tar + 329,
		"000000 \0"
		"000000 ",
		15);
	memset(tar + 148, ' ', 8);
	guint sum = 0;
	for (guint i = 0; i < 512; i++)
		sum += (guchar)tar[i];
	g_snprintf(tar + 148, 7, "%06o", sum);
	memcpy(tar + 512, "abc", 3);
	g_autofree char *expected =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)tar, sizeof tar);
	assert_string_equal(sha256, expected);
	close(pack(bed, tree, "packed", &quick, &payload));
	assert_int_equal(payload.tar_bytes, tar_bytes);
}

static void test_files_that_changed_are_not_packed(void **state)
{
	const Bed *bed = *state;
	const char *const texts[] = {"ab", "abd", "abcd"};
	g_autoptr(GError) error = NULL;
	gint64 tar_bytes;
	char sha256[SHA256_HEX];
	bed_write(bed->in, "a", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		bed_write(bed->in, "a", texts[i], 0644);
		assert_false(archive_measure(bed->in, tree, 8, &tar_bytes, sha256, &error));
		assert_error(&error, DROVER_ERROR_CONFLICT, "a changed since the tree was read");
	}
	assert_int_equal(unlinkat(bed->in, "a", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", bed->in, "a"), 0);
	assert_false(archive_measure(bed->in, tree, 8, &tar_bytes, sha256, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "cannot open a: a link leads there");
}

static void test_times_beyond_a_tar_header_are_refused(void **state)
{
	const Bed *bed = *state;
	const gint64 bad[] = {-1, ARCHIVE_MAXIMUM_MTIME_S + 1};
	gint64 tar_bytes;
	char sha256[SHA256_HEX];
	g_autoptr(Tree) tree = bed_read(bed->in);
	assert_true(
		archive_measure(bed->in, tree, ARCHIVE_MAXIMUM_MTIME_S, &tar_bytes, sha256, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(archive_measure(bed->in, tree, bad[i], &tar_bytes, sha256, &error));
		assert_error(&error, DROVER_ERROR_INPUT, "between 1970 and 2242");
	}
}

static int pack_with_little_room(const Bed *bed, const Tree *tree)
{
	signal(SIGXFSZ, SIG_IGN);
	const struct rlimit limit = {20, 20};
	ArchivePayload payload;
	g_autoptr(GError) error = NULL;
	int fd = bed_file(bed, "packed", "", 0);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	gboolean packed = archive_pack(bed->in, tree, 8, &quick, fd, NULL, NULL, &payload, &error);
	return !packed && drover_error_is(error, DROVER_ERROR_INTERNAL) &&
			       strstr(error->message, "cannot write the archive") != NULL
		       ? 0
		       : 1;
}

static void test_full_disk_is_told_when_packing(void **state)
{
	const Bed *bed = *state;
	bed_write(bed->in, "a", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	pid_t child = fork();
	if (child == 0)
		_exit(pack_with_little_room(bed, tree));
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* unpacking ------------------------------------------------------------------------------------ */

/* The manifest lists "a" with "abc" and nothing else. */
static Tree *listed_tree(void)
{
	Tree *tree = tree_new();
	assert_true(tree_add_file(tree, "a", FALSE, 3, SHA256_ABC, NULL));
	assert_true(tree_finish(tree, NULL));
	return tree;
}

/* What is in "out" when it was refused: nothing, or "a" as it was begun. */
static void assert_nothing_beside(const Bed *bed)
{
	g_autofree char *out = g_build_filename(bed->folder, "out", NULL);
	g_autoptr(GDir) folder = g_dir_open(out, 0, NULL);
	for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
		assert_string_equal(name, "a");
	g_autoptr(GDir) around = g_dir_open(bed->folder, 0, NULL);
	for (const char *name; (name = g_dir_read_name(around)) != NULL;)
		assert_true(g_str_equal(name, "in") || g_str_equal(name, "out") ||
			    g_str_equal(name, "packed"));
}

static void assert_packed_refused(const Bed *bed, const GByteArray *packed,
	const ArchivePayload *payload, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = listed_tree();
	int fd = bed_file(bed, "packed", packed->data, packed->len);
	assert_false(
		archive_unpack(fd, payload, tree, HOSTILE_MTIME_S, bed->out, NULL, NULL, &error));
	assert_error(&error, code, part);
	assert_nothing_beside(bed);
	unlinkat(bed->out, "a", 0);
	close(fd);
}

static void assert_tar_refused(const Bed *bed, const GByteArray *tar, const char *part)
{
	g_autoptr(GByteArray) packed = hostile_compress(tar, 17);
	const ArchivePayload payload = hostile_payload(tar, packed, 17);
	assert_packed_refused(bed, packed, &payload, DROVER_ERROR_INPUT, part);
}

/* Takes `entry`, the only one. */
static void assert_entry_refused(
	const Bed *bed, struct archive_entry *entry, const char *text, const char *part)
{
	g_autoptr(Hostile) hostile = hostile_new();
	hostile_add(hostile, entry, text);
	assert_tar_refused(bed, hostile_tar(hostile), part);
}

static GByteArray *good_tar(Hostile *hostile)
{
	hostile_add(hostile, hostile_entry("a", "abc"), "abc");
	return hostile_tar(hostile);
}

static void note_progress(guint files, gint64 size_bytes, gpointer user)
{
	gint64 *last = user;
	assert_true(files >= last[0] && size_bytes >= last[1]);
	last[0] = files;
	last[1] = size_bytes;
}

/* The hostile ones below differ from this one in one thing each. */
static void test_payload_as_listed_is_unpacked(void **state)
{
	const Bed *bed = *state;
	gint64 last[2] = {0, 0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = listed_tree();
	g_autoptr(Hostile) hostile = hostile_new();
	const GByteArray *tar = good_tar(hostile);
	g_autoptr(GByteArray) packed = hostile_compress(tar, 17);
	const ArchivePayload payload = hostile_payload(tar, packed, 17);
	int fd = bed_file(bed, "packed", packed->data, packed->len);
	mode_t before = umask(0077);
	assert_true(archive_unpack(
		fd, &payload, tree, HOSTILE_MTIME_S, bed->out, note_progress, last, &error));
	umask(before);
	struct stat status;
	assert_int_equal(fstatat(bed->out, "a", &status, 0), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0644);
	assert_int_equal(status.st_mtime, HOSTILE_MTIME_S);
	/* Written, and read again. */
	assert_int_equal(last[0], 2);
	assert_int_equal(last[1], 6);
	close(fd);
}

static void test_paths_that_are_not_listed_are_refused(void **state)
{
	const char *const bad[] = {"../a", "/a", "/tmp/a", "./a", "a/../a", "a/", "b", "a/b",
		"../../../../../../tmp/a", "A", "a\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_entry_refused(*state, hostile_entry(bad[i], "abc"), "abc",
			g_str_has_suffix(bad[i], "a/") ? "is not the manifest's a"
						       : "another path");
}

static void test_other_kinds_are_refused(void **state)
{
	const mode_t kinds[] = {AE_IFCHR, AE_IFBLK, AE_IFIFO, AE_IFDIR};
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct archive_entry *entry = hostile_entry("a", "");
		archive_entry_set_filetype(entry, kinds[i]);
		archive_entry_set_rdev(entry, 0x103);
		/* A folder's name ends in a slash. */
		assert_entry_refused(
			*state, entry, "", kinds[i] == AE_IFDIR ? "another path" : "another kind");
	}
}

static void test_links_instead_of_files_are_refused(void **state)
{
	struct archive_entry *symbolic = hostile_entry("a", "");
	archive_entry_set_filetype(symbolic, AE_IFLNK);
	archive_entry_set_perm(symbolic, 0777);
	archive_entry_set_symlink(symbolic, "/etc/passwd");
	assert_entry_refused(*state, symbolic, "", "another kind");
	struct archive_entry *hard = hostile_entry("a", "");
	archive_entry_set_hardlink(hard, "/etc/passwd");
	assert_entry_refused(*state, hard, "", "a link of another kind");
}

static void test_other_modes_are_refused(void **state)
{
	const mode_t modes[] = {04755, 02755, 01644, 0755, 0666, 0600};
	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		struct archive_entry *entry = hostile_entry("a", "abc");
		archive_entry_set_perm(entry, modes[i]);
		assert_entry_refused(*state, entry, "abc", "another mode");
	}
}

static void test_owners_times_and_attributes_are_refused(void **state)
{
	struct archive_entry *owned = hostile_entry("a", "abc");
	archive_entry_set_uid(owned, 1000);
	assert_entry_refused(*state, owned, "abc", "an owner");
	struct archive_entry *later = hostile_entry("a", "abc");
	archive_entry_set_mtime(later, HOSTILE_MTIME_S + 1, 0);
	assert_entry_refused(*state, later, "abc", "another time");
	struct archive_entry *capable = hostile_entry("a", "abc");
	archive_entry_xattr_add_entry(capable, "security.capability", "\1", 1);
	assert_entry_refused(*state, capable, "abc", "holes or attributes");
}

static void test_other_sizes_and_bytes_are_refused(void **state)
{
	assert_entry_refused(*state, hostile_entry("a", "abcd"), "abcd", "another size");
	assert_entry_refused(*state, hostile_entry("a", ""), "", "another size");
	/* The same size: found when the disk is read. */
	assert_entry_refused(*state, hostile_entry("a", "abd"), "abd", "a (changed)");
}

static void test_more_and_fewer_entries_are_refused(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) more = hostile_new();
	hostile_add(more, hostile_entry("a", "abc"), "abc");
	hostile_add(more, hostile_entry("b", "abc"), "abc");
	assert_tar_refused(bed, hostile_tar(more), "more entries than the manifest lists");
	g_autoptr(Hostile) twice = hostile_new();
	hostile_add(twice, hostile_entry("a", "abc"), "abc");
	hostile_add(twice, hostile_entry("a", "abc"), "abc");
	assert_tar_refused(bed, hostile_tar(twice), "more entries");
	g_autoptr(Hostile) none = hostile_new();
	assert_tar_refused(bed, hostile_tar(none), "ends before a, which the manifest lists");
}

/* A link that leads out, and then a file through it. The manifest cannot list that, nor is it done
 * when a manifest's reader had let it pass. */
static void test_nothing_is_written_through_a_link(void **state)
{
	const Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *in = g_build_filename(bed->folder, "in", NULL);
	bed_write(bed->in, "d/f", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	ArchivePayload payload;
	int fd = pack(bed, tree, "packed", &quick, &payload);
	assert_int_equal(unlinkat(bed->in, "d/f", 0), 0);
	/* Somebody else at work in the folder, at the worst moment: it is no longer empty. */
	assert_int_equal(symlinkat(in, bed->out, "d"), 0);
	assert_false(
		archive_unpack(fd, &payload, tree, HOSTILE_MTIME_S, bed->out, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_CONFLICT, "is not empty");
	struct stat status;
	assert_int_not_equal(fstatat(bed->in, "f", &status, 0), 0);
	close(fd);
}

static void test_tars_that_go_on_or_stop_are_refused(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) hostile = hostile_new();
	GByteArray *tar = good_tar(hostile);
	const guint whole = tar->len;
	g_byte_array_set_size(tar, whole + 512);
	memset(tar->data + whole, 'x', 512);
	g_autoptr(GByteArray) packed = hostile_compress(tar, 17);
	/* The manifest's sizes are of the tar without what was added. */
	ArchivePayload payload = hostile_payload(tar, packed, 17);
	payload.tar_bytes = whole;
	assert_packed_refused(
		bed, packed, &payload, DROVER_ERROR_INPUT, "more than the manifest says");
	g_byte_array_set_size(tar, 700);
	assert_tar_refused(bed, tar, "no good tar archive");
	g_byte_array_set_size(tar, 300);
	assert_tar_refused(bed, tar, "tar");
}

/* 64 MiB of zeros in some kilobytes, where the manifest says what is right for "a". */
static void test_bombs_are_stopped(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) good = hostile_new();
	const GByteArray *tar = good_tar(good);
	g_autoptr(GByteArray) bomb = g_byte_array_new();
	g_byte_array_append(bomb, tar->data, tar->len);
	g_byte_array_set_size(bomb, 64 * 1024 * 1024);
	memset(bomb->data + tar->len, 0, bomb->len - tar->len);
	g_autoptr(GByteArray) packed = hostile_compress(bomb, 17);
	assert_true(packed->len < 16 * 1024);
	ArchivePayload payload = hostile_payload(tar, packed, 17);
	assert_packed_refused(
		bed, packed, &payload, DROVER_ERROR_INPUT, "more than the manifest says");
	payload.tar_bytes = ARCHIVE_MAXIMUM_TAR_BYTES + 1;
	assert_packed_refused(bed, packed, &payload, DROVER_ERROR_TOO_LARGE, "at most");
}

static void test_windows_larger_than_said_are_refused(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) hostile = hostile_new();
	const GByteArray *tar = good_tar(hostile);
	g_autoptr(GByteArray) packed = hostile_compress(tar, 27);
	ArchivePayload payload = hostile_payload(tar, packed, 26);
	assert_packed_refused(bed, packed, &payload, DROVER_ERROR_INPUT, "too much memory");
	payload.window_log = ARCHIVE_MAXIMUM_WINDOW_LOG + 1;
	assert_packed_refused(
		bed, packed, &payload, DROVER_ERROR_INPUT, "window is 2^28 bytes: 2^10 to 2^27");
	payload.window_log = ARCHIVE_MINIMUM_WINDOW_LOG - 1;
	assert_packed_refused(bed, packed, &payload, DROVER_ERROR_INPUT, "window is 2^9 bytes");
}

/* Each byte in turn, and each length: nobody signed it, so the digest tells. */
static void test_damaged_frames_are_refused(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) hostile = hostile_new();
	const GByteArray *tar = good_tar(hostile);
	g_autoptr(GByteArray) packed = hostile_compress(tar, 17);
	const ArchivePayload payload = hostile_payload(tar, packed, 17);
	for (guint i = 0; i < packed->len; i++) {
		packed->data[i] ^= 1;
		assert_packed_refused(bed, packed, &payload, DROVER_ERROR_INPUT, "fetch it again");
		packed->data[i] ^= 1;
	}
	while (packed->len > 0) {
		g_byte_array_set_size(packed, packed->len - 1);
		assert_packed_refused(bed, packed, &payload, DROVER_ERROR_INPUT, "fetch it again");
	}
}

/* The same, but signed as it is: then what is inside must tell. */
static void test_damaged_frames_are_refused_whoever_signed_them(void **state)
{
	const Bed *bed = *state;
	g_autoptr(Hostile) hostile = hostile_new();
	const GByteArray *tar = good_tar(hostile);
	g_autoptr(GByteArray) packed = hostile_compress(tar, 17);
	g_autoptr(GByteArray) longer = g_byte_array_new();
	g_byte_array_append(longer, packed->data, packed->len);
	g_byte_array_append(longer, packed->data, packed->len);
	ArchivePayload payload = hostile_payload(tar, longer, 17);
	assert_packed_refused(bed, longer, &payload, DROVER_ERROR_INPUT, "goes on after its end");
	for (guint size = packed->len - 1; size > 0; size--) {
		g_byte_array_set_size(packed, size);
		payload = hostile_payload(tar, packed, 17);
		assert_packed_refused(
			bed, packed, &payload, DROVER_ERROR_INPUT, "ends in the middle");
	}
}

static int unpack_with_little_room(
	const Bed *bed, int fd, const ArchivePayload *payload, const Tree *tree)
{
	signal(SIGXFSZ, SIG_IGN);
	const struct rlimit limit = {2, 2};
	g_autoptr(GError) error = NULL;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	gboolean unpacked =
		archive_unpack(fd, payload, tree, HOSTILE_MTIME_S, bed->out, NULL, NULL, &error);
	return !unpacked && drover_error_is(error, DROVER_ERROR_INTERNAL) &&
			       strstr(error->message, "cannot write a: ") != NULL
		       ? 0
		       : 1;
}

static void test_full_disk_is_told_when_unpacking(void **state)
{
	const Bed *bed = *state;
	ArchivePayload payload;
	bed_write(bed->in, "a", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	int fd = pack(bed, tree, "packed", &quick, &payload);
	pid_t child = fork();
	if (child == 0)
		_exit(unpack_with_little_room(bed, fd, &payload, tree));
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
}

/* verifying ------------------------------------------------------------------------------------ */

static void test_verify_names_what_differs(void **state)
{
	const Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	bed_write(bed->in, "a", "abc", 0644);
	bed_write(bed->in, "b", "abc", 0644);
	bed_write(bed->in, "c", "abc", 0644);
	g_autoptr(Tree) tree = bed_read(bed->in);
	assert_true(archive_verify(bed->in, tree, NULL, NULL, &error));
	bed_write(bed->in, "a", "abd", 0644);
	assert_int_equal(unlinkat(bed->in, "b", 0), 0);
	bed_write(bed->in, "c", "abc", 0755);
	bed_write(bed->in, "d", "abc", 0644);
	assert_false(archive_verify(bed->in, tree, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_INPUT,
		"a (changed), b (missing), c (changed), d (not listed)");
	bed_write(bed->in, "e", "abc", 0644);
	bed_write(bed->in, "f", "abc", 0644);
	assert_false(archive_verify(bed->in, tree, NULL, NULL, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "e (not listed) and 1 more");
}

int main(void)
{
#define ON_BED(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_BED(test_random_trees_come_back_the_same),
		ON_BED(test_tar_does_not_depend_on_effort_locale_owner_or_times),
		ON_BED(test_tar_is_plain_where_it_can_be),
		ON_BED(test_files_that_changed_are_not_packed),
		ON_BED(test_times_beyond_a_tar_header_are_refused),
		ON_BED(test_full_disk_is_told_when_packing),
		ON_BED(test_payload_as_listed_is_unpacked),
		ON_BED(test_paths_that_are_not_listed_are_refused),
		ON_BED(test_other_kinds_are_refused),
		ON_BED(test_links_instead_of_files_are_refused),
		ON_BED(test_other_modes_are_refused),
		ON_BED(test_owners_times_and_attributes_are_refused),
		ON_BED(test_other_sizes_and_bytes_are_refused),
		ON_BED(test_more_and_fewer_entries_are_refused),
		ON_BED(test_nothing_is_written_through_a_link),
		ON_BED(test_tars_that_go_on_or_stop_are_refused),
		ON_BED(test_bombs_are_stopped),
		ON_BED(test_windows_larger_than_said_are_refused),
		ON_BED(test_damaged_frames_are_refused),
		ON_BED(test_damaged_frames_are_refused_whoever_signed_them),
		ON_BED(test_full_disk_is_told_when_unpacking),
		ON_BED(test_verify_names_what_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
