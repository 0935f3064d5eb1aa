/* SPDX-License-Identifier: ISC
 *
 * What was built, read again and compared; tags. The steps themselves are tested on the command,
 * in tests/system/test_release_build.py.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "release/build/build.h"
#include "release/build/copy.h"
#include "refused.h"

#include "../../git/git_bed.h"

static char *folder_of(const GitBed *bed)
{
	return g_build_filename(bed->home, "build", NULL);
}

static Manifest *build(const GitBed *bed, const char *commit, GError **error)
{
	g_autofree char *sha = bed_sha(bed, commit);
	g_autofree char *folder = folder_of(bed);
	BuildWish wish = {
		.repository = bed->repository,
		.revision = sha,
		.product = "web",
		.version = "1.4.2",
		.landing = 3,
		.folder = folder,
	};
	return build_run(&wish, error);
}

static void commit_two_files(const GitBed *bed)
{
	g_free(bed_run(bed, "echo abc > a; mkdir bin; printf '#!/bin/sh\\n' > bin/run; "
			    "chmod +x bin/run; git add .; c One"));
}

static void test_a_build_is_read_as_it_was_written(void **state)
{
	g_autoptr(GError) error = NULL;
	commit_two_files(*state);
	g_autofree char *folder = folder_of(*state);
	g_autoptr(Manifest) made = build(*state, "One", &error);
	assert_null(error);
	g_autoptr(Manifest) loaded = build_load(folder, &error);
	assert_null(error);
	g_autofree char *one = manifest_text(made, NULL);
	g_autofree char *two = manifest_text(loaded, NULL);
	assert_string_equal(one, two);
	assert_int_equal(loaded->landing, 3);
	assert_int_equal(loaded->mtime_s, 1700000060); /* the bed's clock, a minute on */
	assert_null(loaded->test_run);
	assert_int_equal(tree_count(loaded->tree), 2);
	assert_true(tree_find(loaded->tree, "bin/run")->is_executable);
	assert_false(tree_find(loaded->tree, "a")->is_executable);
}

/* Spoils a finished build by a script run in it. */
static void refuse_after(const GitBed *bed, const char *script, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = folder_of(bed);
	g_autofree char *whole = g_strdup_printf("cd ../build; %s", script);
	g_autoptr(Manifest) made = build(bed, "One", &error);
	assert_non_null(made);
	g_free(bed_run(bed, whole));
	assert_null(build_load(folder, &error));
	assert_refused(&error, DROVER_ERROR_CONFLICT, part);
}

static void test_a_build_that_was_altered_is_refused(void **state)
{
	commit_two_files(*state);
	refuse_after(*state, "echo abd > tree/a", "altered after it was built: a");
	refuse_after(*state, "echo x > tree/b", "b (only in the folder)");
	refuse_after(*state, "rm tree/a", "a (only in the manifest)");
	refuse_after(*state, "chmod -x tree/bin/run", "bin/run");
	refuse_after(*state, "printf x >> payload.tar.zst", "payload.tar.zst is another file");
	refuse_after(*state, "rm payload.tar.zst", "payload.tar.zst is another file, or gone");
	refuse_after(*state, "rm -r tree", "its tree is gone");
}

static void test_a_folder_without_a_draft_is_no_build(void **state)
{
	g_autoptr(GError) error = NULL;
	const GitBed *bed = *state;
	assert_null(build_load(bed->home, &error));
	assert_refused(&error, DROVER_ERROR_NOT_FOUND, "no finished build");
}

static void test_a_copy_of_what_changed_meanwhile_is_refused(void **state)
{
	g_autoptr(GError) error = NULL;
	const GitBed *bed = *state;
	g_free(bed_run(bed, "mkdir ../from ../to; printf abc > ../from/a"));
	g_autoptr(Tree) tree = tree_new();
	tree_add_file(tree, "a", FALSE, 3,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL);
	assert_true(tree_finish(tree, NULL));
	g_autofree char *from = g_build_filename(bed->home, "from", NULL);
	g_autofree char *to = g_build_filename(bed->home, "to", NULL);
	int from_fd = open(from, O_RDONLY | O_DIRECTORY);
	int to_fd = open(to, O_RDONLY | O_DIRECTORY);
	assert_true(copy_tree(tree, from_fd, to_fd, 1000, &error));
	g_free(bed_run(bed, "test \"$(stat -c '%a %Y' ../to/a)\" = '644 1000'; rm ../to/a; printf "
			    "abd > ../from/a"));
	assert_false(copy_tree(tree, from_fd, to_fd, 1000, &error));
	assert_refused(&error, DROVER_ERROR_CONFLICT, "a changed after it was hashed");
	g_free(bed_run(bed, "rm ../to/a; printf abcd > ../from/a"));
	assert_false(copy_tree(tree, from_fd, to_fd, 1000, &error));
	assert_refused(&error, DROVER_ERROR_CONFLICT, "a changed after it was hashed");
	close(from_fd);
	close(to_fd);
}

/* tags ----------------------------------------------------------------------------------------- */

static void test_a_tag_is_made_once_and_never_moved(void **state)
{
	g_autoptr(GError) error = NULL;
	const GitBed *bed = *state;
	g_free(bed_run(bed, "c One; c Two"));
	g_autofree char *one = bed_sha(bed, "One");
	g_autofree char *two = bed_sha(bed, "Two");
	assert_false(build_tag(bed->repository, "v1", one, FALSE, &error));
	assert_refused(&error, DROVER_ERROR_NOT_FOUND, "no tag v1");
	assert_true(build_tag(bed->repository, "v1", one, TRUE, &error));
	assert_true(build_tag(bed->repository, "v1", one, TRUE, &error));
	assert_true(build_tag(bed->repository, "v1", one, FALSE, &error));
	assert_false(build_tag(bed->repository, "v1", two, TRUE, &error));
	assert_refused(&error, DROVER_ERROR_CONFLICT, "never moved");
	g_autofree char *made = bed_sha(bed, "v1");
	assert_string_equal(made, one);
}

static void test_an_annotated_tag_is_on_its_commit(void **state)
{
	g_autoptr(GError) error = NULL;
	const GitBed *bed = *state;
	g_free(bed_run(bed, "c One; git tag -a -m 'release' v1; c Two"));
	g_autofree char *one = bed_sha(bed, "One");
	g_autofree char *two = bed_sha(bed, "Two");
	assert_true(build_tag(bed->repository, "v1", one, FALSE, &error));
	assert_false(build_tag(bed->repository, "v1", two, FALSE, &error));
	assert_refused(&error, DROVER_ERROR_CONFLICT, "the tag v1 is on commit");
}

static void test_a_tag_has_a_name_and_a_commit(void **state)
{
	g_autoptr(GError) error = NULL;
	const GitBed *bed = *state;
	g_free(bed_run(bed, "c One"));
	g_autofree char *one = bed_sha(bed, "One");
	const char *const bad[] = {"", "a..b", "../x", "a b", "v1.lock"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_false(build_tag(bed->repository, bad[i], one, TRUE, &error));
		assert_refused(&error, DROVER_ERROR_INPUT, "is no name for a tag");
	}
	assert_false(build_tag(
		bed->repository, "v2", "0123456789012345678901234567890123456789", TRUE, &error));
	assert_refused(&error, DROVER_ERROR_INPUT, "cannot make the tag v2");
}

#define with_bed(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_bed(test_a_build_is_read_as_it_was_written),
		with_bed(test_a_build_that_was_altered_is_refused),
		with_bed(test_a_folder_without_a_draft_is_no_build),
		with_bed(test_a_copy_of_what_changed_meanwhile_is_refused),
		with_bed(test_a_tag_is_made_once_and_never_moved),
		with_bed(test_an_annotated_tag_is_on_its_commit),
		with_bed(test_a_tag_has_a_name_and_a_commit),
	};
	bed_isolate();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
