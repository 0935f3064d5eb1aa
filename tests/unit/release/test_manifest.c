/* SPDX-License-Identifier: ISC
 *
 * A manifest is written in one way, and read in no other.
 */
#include "release/manifest.h"
#include "release_bed.h"

/* What test_manifest_is_written_in_one_way() shows whole. */
static Manifest *example(void)
{
	Manifest *manifest = manifest_new();
	manifest->product = g_strdup("web");
	manifest->version = g_strdup("1.2.0");
	manifest->sequence = 7;
	manifest->revision = g_strdup("0123456789abcdef0123456789abcdef01234567");
	manifest->landing = 41;
	manifest->tag = g_strdup("v1.2.0");
	manifest->test_run = g_strdup("1.2.0/1");
	g_strlcpy(manifest->test_log_sha256, SHA256_EMPTY, SHA256_HEX);
	g_strlcpy(manifest->contract_sha256, SHA256_ABC, SHA256_HEX);
	manifest->min_rollback_sequence = 5;
	manifest->mtime_s = 1000000000;
	manifest->payload = (ArchivePayload){.size_bytes = 300,
		.sha256 = SHA256_EMPTY,
		.tar_bytes = 4096,
		.tar_sha256 = SHA256_ABC,
		.window_log = 23};
	manifest_add_dependency(manifest, "six", "1.16.0", "six-1.16.0.tar.gz", SHA256_EMPTY);
	manifest_add_dependency(manifest, "@a/\"b\"", "2", "b-2.tgz", SHA256_ABC);
	manifest_add_delta(manifest, "1.1.9", SHA256_ABC, 50, SHA256_EMPTY, 20);
	g_assert(tree_add_link(manifest->tree, "latest", "bin/web", NULL));
	g_assert(tree_add_file(manifest->tree, "é", FALSE, 0, SHA256_EMPTY, NULL));
	g_assert(tree_add_file(manifest->tree, "bin/web", TRUE, 3, SHA256_ABC, NULL));
	return manifest;
}

static char *example_text(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Manifest) manifest = example();
	char *text = manifest_text(manifest, &error);
	assert_fine(error);
	return text;
}

static void test_manifest_is_written_in_one_way(void **state)
{
	g_autofree char *text = example_text();
	g_autofree char *tree = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
		"drover-tree 1\n"
		"file\t0755\t3\t" SHA256_ABC "\tbin/web\n"
		"link\tbin/web\tlatest\n"
		"file\t0644\t0\t" SHA256_EMPTY "\té\n",
		-1);
	g_autofree char *expected = g_strconcat(
		"{\n"
		"\"format\":1,\n"
		"\"product\":\"web\",\n"
		"\"version\":\"1.2.0\",\n"
		"\"sequence\":7,\n"
		"\"revision\":\"0123456789abcdef0123456789abcdef01234567\",\n"
		"\"landing\":41,\n"
		"\"tag\":\"v1.2.0\",\n"
		"\"test\":{\"run\":\"1.2.0/1\",\"log_sha256\":\"" SHA256_EMPTY "\"},\n"
		"\"contract_sha256\":\"" SHA256_ABC "\",\n"
		"\"min_rollback_sequence\":5,\n"
		"\"mtime\":1000000000,\n"
		"\"payload\":{\"size\":300,\"sha256\":\"" SHA256_EMPTY
		"\",\"tar_size\":4096,\"tar_sha256\":\"" SHA256_ABC "\",\"window_log\":23},\n"
		"\"tree_sha256\":\"",
		tree,
		"\",\n"
		"\"dependencies\":[\n"
		"{\"name\":\"@a/"
		"\\\"b\\\"\",\"version\":\"2\",\"file\":\"b-2.tgz\",\"sha256\":\"" SHA256_ABC
		"\"},\n"
		"{\"name\":\"six\",\"version\":\"1.16.0\",\"file\":\"six-1.16.0.tar.gz\","
		"\"sha256\":\"" SHA256_EMPTY "\"}\n"
		"],\n"
		"\"deltas\":[\n"
		"{\"from\":\"1.1.9\",\"from_tree_sha256\":\"" SHA256_ABC
		"\",\"size\":50,\"sha256\":\"" SHA256_EMPTY "\",\"window_log\":20}\n"
		"],\n"
		"\"files\":[\n"
		"{\"path\":\"bin/web\",\"mode\":\"0755\",\"size\":3,\"sha256\":\"" SHA256_ABC
		"\"},\n"
		"{\"path\":\"latest\",\"target\":\"bin/web\"},\n"
		"{\"path\":\"é\",\"mode\":\"0644\",\"size\":0,\"sha256\":\"" SHA256_EMPTY "\"}\n"
		"]\n"
		"}\n",
		NULL);
	assert_string_equal(text, expected);
}

static Manifest *parse(const char *text, GError **error)
{
	return manifest_parse("manifest", text, strlen(text), error);
}

static void test_what_is_written_is_read(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = example_text();
	g_autoptr(Manifest) manifest = parse(text, &error);
	assert_fine(error);
	assert_string_equal(manifest->product, "web");
	assert_string_equal(manifest->version, "1.2.0");
	assert_int_equal(manifest->sequence, 7);
	assert_int_equal(manifest->landing, 41);
	assert_string_equal(manifest->tag, "v1.2.0");
	assert_string_equal(manifest->test_run, "1.2.0/1");
	assert_string_equal(manifest->test_log_sha256, SHA256_EMPTY);
	assert_string_equal(manifest->contract_sha256, SHA256_ABC);
	assert_int_equal(manifest->min_rollback_sequence, 5);
	assert_int_equal(manifest->mtime_s, 1000000000);
	assert_int_equal(manifest->payload.tar_bytes, 4096);
	assert_int_equal(manifest->payload.window_log, 23);
	const ManifestDependency *six = g_ptr_array_index(manifest->dependencies, 1);
	assert_string_equal(six->file, "six-1.16.0.tar.gz");
	const ManifestDelta *delta = g_ptr_array_index(manifest->deltas, 0);
	assert_string_equal(delta->from_version, "1.1.9");
	assert_int_equal(delta->size_bytes, 50);
	assert_string_equal(tree_find(manifest->tree, "latest")->target, "bin/web");
	assert_true(tree_find(manifest->tree, "bin/web")->is_executable);
	g_autofree char *again = manifest_text(manifest, NULL);
	assert_string_equal(again, text);
}

static void test_little_is_enough(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Manifest) least = example();
	least->landing = 0;
	least->min_rollback_sequence = 0;
	g_clear_pointer(&least->tag, g_free);
	g_clear_pointer(&least->test_run, g_free);
	least->test_log_sha256[0] = '\0';
	least->contract_sha256[0] = '\0';
	g_ptr_array_set_size(least->dependencies, 0);
	g_ptr_array_set_size(least->deltas, 0);
	tree_free(least->tree);
	least->tree = tree_new();
	g_autofree char *text = manifest_text(least, &error);
	assert_fine(error);
	g_autoptr(Manifest) read = parse(text, &error);
	assert_fine(error);
	assert_int_equal(read->landing, 0);
	assert_null(read->tag);
	assert_null(read->test_run);
	assert_string_equal(read->contract_sha256, "");
	assert_int_equal(tree_count(read->tree), 0);
}

/* The example with `old` replaced, once. Caller frees. */
static char *altered(const char *old, const char *new)
{
	g_autofree char *text = example_text();
	const char *found = strstr(text, old);
	assert_non_null(found);
	return g_strdup_printf("%.*s%s%s", (int)(found - text), text, new, found + strlen(old));
}

static void assert_altered_refused(
	const char *old, const char *new, DroverErrorCode code, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = altered(old, new);
	assert_null(parse(text, &error));
	assert_error(&error, code, part);
}

static void test_other_spellings_are_refused(void **state)
{
	const struct {
		const char *old, *new, *part;
	} cases[] = {
		{"\"format\":1,", "\"format\": 1,", "manifest:2: this is not how Drover writes"},
		{"\"sequence\":7,", "\"sequence\":7", "manifest:5: this is not how"},
		{"41", "41 ", "manifest:7: this is not how"},
		{"\"web\"", "\"w\\u0065b\"", "manifest:3: this is not how"},
		{"\"size\":3,", "\"size\":3,\"more\":1,", "not how"},
		{"\"size\":3,\"sha256\":\"" SHA256_ABC "\"",
			"\"sha256\":\"" SHA256_ABC "\",\"size\":3", "not how"},
		{"\"size\":3", "\"size\":3.0", "size must be a whole number"},
		{"\"tree_sha256\":\"", "\"tree_sha256\":\"0", "manifest:14: this is not how"},
		{"]\n}\n", "]\n}\n\n", "not how"},
		{"]\n}\n", "]\n}", "ends in the middle"},
		{"\"product\"", "\"Product\"", "manifest:3: \"product\": is expected here"},
		{"\"version\":\"1.2.0\",\n", "", "\"version\": is expected here"},
		{"{\n\"format\"", "{\"format\"", "manifest:1: here { is expected"},
		{"\"tag\":\"v1.2.0\"", "\"tag\":\"\"", "tag must be 1 to 100 bytes"},
		{"\"landing\":41", "\"landing\":0", "not how"},
		{"\"path\":\"latest\"", "\"path\":\"late\",\"path\":\"st\"", "duplicate"},
		{"\"path\":\"latest\"", "\"path\":\"a\"", "not how"}, /* no longer sorted */
		{"{\"path\":\"latest\"", "[{\"path\":\"latest\"", "no JSON"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_altered_refused(
			cases[i].old, cases[i].new, DROVER_ERROR_INPUT, cases[i].part);
}

static void test_values_beyond_their_limits_are_refused(void **state)
{
	const struct {
		const char *old, *new, *part;
	} cases[] = {
		{"\"format\":1", "\"format\":2", "may come from a newer one"},
		{"\"web\"", "\"../web\"", "the product \"../web\": must be 1 to 100"},
		{"\"web\"", "\"\"", "the product"},
		{"\"web\"", "7", "product must be a text"},
		{"\"1.2.0\",", "\".incoming\",", "the version \".incoming\""},
		{":7,", ":0,", "the sequence is 0: must be from 1"},
		{":7,", ":-7,", "sequence must be a whole number"},
		{":7,", ":9007199254740992,", "sequence must be a whole number"},
		{":7,", ":99999999999999999999,", "no JSON"},
		{"234567\",", "23456\",", "revision must be 40 or 64"},
		{"234567\",", "23456A\",", "revision must be 40 or 64"},
		{"\"min_rollback_sequence\":5", "\"min_rollback_sequence\":8",
			"must be from 0 to 7"},
		{"1000000000", "8589934592", "mtime is 8589934592"},
		{"\"run\":\"1.2.0/1\"", "\"run\":\"a\\nb\"", "test run must be"},
		{"\"window_log\":23", "\"window_log\":28", "window is 2^28"},
		{"\"window_log\":20", "\"window_log\":9", "window of a delta is 9"},
		{"\"tar_size\":4096", "\"tar_size\":18253611009", "tar_size must be"},
		{"six-1.16.0.tar.gz", "../six", "a name without slashes"},
		{"six-1.16.0.tar.gz", "..", "has the part"},
		{"\"1.1.9\"", "\"1.2.0\"", "leads from 1.2.0 to itself"},
		{"\"bin/web\",\"mode\"", "\"../web\",\"mode\"", "the part \"..\""},
		{"\"bin/web\",\"mode\"", "\"/web\",\"mode\"", "manifest:23: the path"},
		{"\"bin/web\",\"mode\"", "\"latest/web\",\"mode\"", "nothing can lie below"},
		{"\"bin/web\",\"mode\"", "\"latest\",\"mode\"", "twice"},
		{"\"target\":\"bin/web\"", "\"target\":\"../web\"", "leaves the tree"},
		{"\"target\":\"bin/web\"", "\"target\":7", "target must be a text"},
		{"\"0755\"", "\"4755\"", "mode must be \"0644\" or \"0755\""},
		{"\"size\":3", "\"size\":-3", "size must be"},
		{"\"sha256\":\"ba78", "\"sha256\":\"BA78", "64 small hexadecimal digits"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_altered_refused(
			cases[i].old, cases[i].new, DROVER_ERROR_INPUT, cases[i].part);
}

static void test_names_have_a_limit(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strnfill(MANIFEST_MAXIMUM_NAME_BYTES + 1, 'n');
	assert_false(manifest_check_name("product", name, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "must be 1 to 100");
	name[MANIFEST_MAXIMUM_NAME_BYTES] = '\0';
	assert_true(manifest_check_name("product", name, &error));
	assert_true(manifest_check_name("version", "1.0.0-rc.1+build_5~a", &error));
	assert_false(manifest_check_name("version", "-1", &error));
	assert_error(&error, DROVER_ERROR_INPUT, "the version \"-1\"");
}

/* Whatever is cut off, it is no manifest. */
static void test_cut_manifests_are_refused(void **state)
{
	g_autofree char *text = example_text();
	for (gsize size = strlen(text) - 1; size > 0; size--) {
		g_autoptr(GError) error = NULL;
		g_autofree char *exact = g_memdup2(text, size);
		assert_null(manifest_parse("manifest", exact, size, &error));
		assert_error(&error, DROVER_ERROR_INPUT, "manifest:");
	}
}

/* Nor with a byte that is another one: the digests of the payload aside, which only the signature
 * holds, every byte is one of a few that can be there. */
static void test_flipped_bytes_are_no_other_spelling(void **state)
{
	g_autofree char *text = example_text();
	for (gsize i = 0; text[i] != '\0'; i++) {
		g_autoptr(GError) error = NULL;
		text[i] ^= 1;
		g_autoptr(Manifest) manifest = parse(text, &error);
		g_autofree char *again = manifest == NULL ? NULL : manifest_text(manifest, NULL);
		if (manifest != NULL)
			assert_string_equal(again, text);
		text[i] ^= 1;
	}
}

static void test_texts_have_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(MANIFEST_MAXIMUM_BYTES + 1, '{');
	assert_null(manifest_parse("m", large, MANIFEST_MAXIMUM_BYTES + 1, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "at most 67108864");
	g_autofree char *long_line = g_strnfill(MANIFEST_MAXIMUM_LINE_BYTES, ' ');
	g_autofree char *padded = g_strdup_printf("\"web\"%s", long_line);
	assert_altered_refused(
		"\"web\"", padded, DROVER_ERROR_TOO_LARGE, "manifest:3: the line is too long");
}

/* The longest path and target, each byte of which is escaped, fit into a line. */
static void test_longest_entry_fits_into_a_line(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *part = g_strnfill(TREE_MAXIMUM_NAME_BYTES, '"');
	g_autofree char *path = g_strdup_printf("%s/%s/%s/%s/\"", part, part, part, part + 1);
	assert_int_equal(strlen(path), TREE_MAXIMUM_PATH_BYTES);
	g_autoptr(Manifest) manifest = example();
	assert_true(tree_add_link(manifest->tree, path, path, NULL));
	g_autofree char *text = manifest_text(manifest, &error);
	assert_fine(error);
	g_autoptr(Manifest) read = parse(text, &error);
	assert_fine(error);
	assert_string_equal(tree_find(read->tree, path)->target, path);
}

static void test_lists_have_limits(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Manifest) deltas = example();
	for (guint i = 1; i < MANIFEST_MAXIMUM_DELTAS; i++) {
		g_autofree char *from = g_strdup_printf("1.0.%u", i);
		manifest_add_delta(deltas, from, SHA256_ABC, 1, SHA256_ABC, 20);
	}
	g_autofree char *most = manifest_text(deltas, &error);
	assert_non_null(most);
	manifest_add_delta(deltas, "1.0.0", SHA256_ABC, 1, SHA256_ABC, 20);
	assert_null(manifest_text(deltas, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "there are 101 deltas");
	g_autoptr(Manifest) dependencies = example();
	for (guint i = 2; i < MANIFEST_MAXIMUM_DEPENDENCIES + 1; i++) {
		g_autofree char *name = g_strdup_printf("d%u", i);
		manifest_add_dependency(dependencies, name, "1", "d.tgz", SHA256_ABC);
	}
	assert_null(manifest_text(dependencies, &error));
	assert_error(&error, DROVER_ERROR_TOO_LARGE, "there are 10001 dependencies");
	g_ptr_array_set_size(dependencies->dependencies, MANIFEST_MAXIMUM_DEPENDENCIES);
	g_autofree char *text = manifest_text(dependencies, &error);
	assert_non_null(text);
	manifest_add_dependency(dependencies, "d2", "1", "d.tgz", SHA256_ABC);
	g_ptr_array_remove_index(dependencies->dependencies, 0);
	assert_null(manifest_text(dependencies, &error));
	assert_error(&error, DROVER_ERROR_INPUT, "the dependency d2 1 is listed twice");
}

/* As it comes from a packed tree: the two agree. */
static void test_manifest_of_a_folder_installs_it(void **state)
{
	const Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	GRand *rand = g_rand_new_with_seed(7);
	bed_fill(bed->in, rand);
	g_rand_free(rand);
	g_autoptr(Manifest) manifest = example();
	tree_free(manifest->tree);
	manifest->tree = bed_read(bed->in);
	int fd = bed_file(bed, "packed", "", 0);
	assert_true(archive_pack(bed->in, manifest->tree, manifest->mtime_s,
		&archive_effort_default, fd, NULL, NULL, &manifest->payload, &error));
	g_autofree char *text = manifest_text(manifest, &error);
	g_autoptr(Manifest) read = parse(text, &error);
	assert_fine(error);
	assert_true(archive_unpack(
		fd, &read->payload, read->tree, read->mtime_s, bed->out, NULL, NULL, &error));
	assert_true(archive_verify(bed->out, manifest->tree, NULL, NULL, &error));
	assert_fine(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_is_written_in_one_way),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_little_is_enough),
		cmocka_unit_test(test_other_spellings_are_refused),
		cmocka_unit_test(test_values_beyond_their_limits_are_refused),
		cmocka_unit_test(test_names_have_a_limit),
		cmocka_unit_test(test_cut_manifests_are_refused),
		cmocka_unit_test(test_flipped_bytes_are_no_other_spelling),
		cmocka_unit_test(test_texts_have_limits),
		cmocka_unit_test(test_longest_entry_fits_into_a_line),
		cmocka_unit_test(test_lists_have_limits),
		cmocka_unit_test_setup_teardown(
			test_manifest_of_a_folder_installs_it, bed_setup, bed_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
