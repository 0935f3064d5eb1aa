/* SPDX-License-Identifier: ISC
 *
 * Repositories of every shape: those that are refused, in words that help, and odd ones that are
 * read.
 */
#include "git_bed.h"
#include "landing/commit_object.h"

#include <unistd.h>
#include <git2.h>

#define RUN(bed, script) g_free(bed_run(bed, script))

static char *beside(const GitBed *bed, const char *name)
{
	return g_build_filename(bed->home, name, NULL);
}

static GitScan *scan_folder(const char *folder, const char *branch)
{
	g_autoptr(GError) error = NULL;
	GitScan *scan = git_scan(
		&(GitScanOptions){.repository = folder, .branch = branch, .item_patterns = 0x7f},
		&error);
	if (!scan)
		fail_msg("%s", error->message);
	return scan;
}

static void test_shallow_clone_is_refused_with_the_command_that_helps(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; git clone -q --depth 1 file://$PWD ../shallow");
	g_autofree char *shallow = beside(bed, "shallow");
	bed_refused(shallow, "main", DROVER_ERROR_INPUT, shallow, "fetch --unshallow", NULL);
}

static void test_partial_clone_is_refused(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "echo x >f; git add f; c A; git config uploadpack.allowFilter true;"
		 "git clone -q --filter=blob:none file://$PWD ../partial;"
		 "git clone -q . ../promised; git -C ../promised config remote.origin.promisor "
		 "true");
	g_autofree char *partial = beside(bed, "partial");
	g_autofree char *promised = beside(bed, "promised");
	bed_refused(partial, "main", DROVER_ERROR_INPUT, "partial clone", "without --filter", NULL);
	bed_refused(promised, "main", DROVER_ERROR_INPUT, "partial clone", NULL);
}

static void test_sha256_repository_is_refused(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "git init -q -b main --object-format=sha256 ../long; cd ../long;"
		 "git commit -q --allow-empty -m A");
	g_autofree char *folder = beside(bed, "long");
	bed_refused(folder, "main", DROVER_ERROR_INPUT, "SHA-256", "landing import", NULL);
}

static void test_unknown_extension_is_refused_by_name(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git config core.repositoryFormatVersion 1");
	RUN(bed, "git config extensions.refStorage files2 || true");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, "refs migrate", NULL);
	RUN(bed, "cd /; git config --file $OLDPWD/.git/config --unset extensions.refStorage;"
		 "git config --file $OLDPWD/.git/config extensions.sparkle true");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, "sparkle", NULL);
}

static void test_foreign_owned_repository_is_refused_with_the_exact_command(void **state)
{
	const GitBed *bed = *state;
	if (getuid() != 0)
		skip(); /* only root can give files away */
	RUN(bed, "c A; chown -R 65534 .");
	g_autofree char *command =
		g_strdup_printf("git config --global --add safe.directory '%s'", bed->repository);
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, "another user", command, NULL);
	const struct {
		const char *settings;
		gboolean trusted;
	} rows[] = {
		{"[safe]\n\tdirectory = /elsewhere\n", FALSE},
		{"[safe]\n\tdirectory = *\n", TRUE},
		{"[safe]\n\tdirectory = *\n\tdirectory =\n", FALSE},
		{"[safe]\n\tdirectory = /tm/*\n", FALSE},
		{"[safe]\n\tdirectory = %s\n", TRUE},
		{"[safe]\n\tdirectory = %s/\n", TRUE},
		{"[safe]\n\tdirectory = %s/..\n", FALSE},
	};
	/* libgit2 has looked up HOME already, for the tests before */
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, bed->home);
	g_autofree char *config = beside(bed, ".gitconfig");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) parts = g_strsplit(rows[i].settings, "%s", -1);
		g_autofree char *settings = g_strjoinv(bed->repository, parts);
		assert_true(g_file_set_contents(config, settings, -1, NULL));
		if (!rows[i].trusted) {
			bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, command, NULL);
			continue;
		}
		g_autoptr(GitScan) scan = scan_folder(bed->repository, "main");
		assert_int_equal(scan->landings->len, 1);
	}
	RUN(bed, "chown root . .git"); /* who owns what lies inside does not matter */
	g_autoptr(GitScan) scan = scan_folder(bed->repository, "main");
	assert_int_equal(scan->landings->len, 1);
	RUN(bed, "chown 65534 .git");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, command, NULL);
}

static void test_no_repository_is_not_found(void **state)
{
	const GitBed *bed = *state;
	g_autofree char *missing = beside(bed, "missing");
	bed_refused(missing, "main", DROVER_ERROR_NOT_FOUND, "no folder", missing, NULL);
	bed_refused(bed->home, "main", DROVER_ERROR_NOT_FOUND, "no git repository", "clone", NULL);
}

static void test_missing_branch_names_those_there_are(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git branch next; git update-ref refs/remotes/origin/dev HEAD");
	bed_refused(bed->repository, "mian", DROVER_ERROR_NOT_FOUND, "no branch mian", "main, next",
		"origin/dev", NULL);
	RUN(bed, "for i in $(seq 30); do git branch b$i; done");
	bed_refused(bed->repository, "mian", DROVER_ERROR_NOT_FOUND, "and 13 more", NULL);
}

static void test_missing_commit_is_reported_with_fsck(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; c C; b=$(git rev-parse B); echo $b >../gone;"
		 "rm -f .git/objects/$(echo $b | cut -c1-2)/$(echo $b | cut -c3-)");
	g_autofree char *gone = bed_run(bed, "cat ../gone");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, g_strchomp(gone), "fsck", NULL);
}

static void test_damaged_commit_is_reported_with_fsck(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; b=$(git rev-parse A); f=.git/objects/$(echo $b | cut -c1-2)/$(echo $b |"
		 "cut -c3-); chmod u+w $f; echo nonsense >$f");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, "damaged", "fsck", NULL);
}

static void test_lost_alternate_is_named(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git clone -q --shared . ../borrower; git -C ../borrower branch -q keep");
	g_autofree char *borrower = beside(bed, "borrower");
	g_autoptr(GitScan) scan = scan_folder(borrower, "main");
	assert_int_equal(scan->landings->len, 1);
	RUN(bed, "mv .git/objects .git/away; mkdir .git/objects");
	bed_refused(borrower, "main", DROVER_ERROR_INPUT, "objects/info/alternates", NULL);
	RUN(bed, "rmdir .git/objects; mv .git/away .git/objects");
}

static void test_empty_repository_has_no_tip(void **state)
{
	const GitBed *bed = *state;
	g_autoptr(GitScan) scan = scan_folder(bed->repository, "main");
	assert_null(scan->tip);
	assert_false(scan->rewritten);
	assert_int_equal(scan->landings->len, 0);
	g_autoptr(GitScan) emptied =
		git_scan(&(GitScanOptions){.repository = bed->repository,
				 .branch = "main",
				 .since = "0123456789012345678901234567890123456789"},
			NULL);
	assert_true(emptied->rewritten);
}

static void test_bare_repositories_and_worktrees_are_read(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git clone -q --bare . ../bare.git; git worktree add -q ../tree -b next;"
		 "git config core.repositoryFormatVersion 1; git config extensions.worktreeConfig "
		 "true");
	const char *const folders[] = {"bare.git", "tree", "repo", "repo/.git"};
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = beside(bed, folders[i]);
		g_autoptr(GitScan) scan = scan_folder(folder, "main");
		assert_int_equal(scan->landings->len, 1);
	}
}

static void test_branch_may_be_named_in_full_or_of_a_remote(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git update-ref refs/remotes/origin/main HEAD; c B");
	g_autoptr(GitScan) full = scan_folder(bed->repository, "refs/heads/main");
	assert_int_equal(full->landings->len, 2);
	g_autoptr(GitScan) remote = scan_folder(bed->repository, "origin/main");
	assert_int_equal(remote->landings->len, 1);
}

static void test_default_branch_is_heads(void **state)
{
	const GitBed *bed = *state;
	g_autofree char *unborn = git_default_branch(bed->repository, NULL);
	assert_string_equal(unborn, "main");
	RUN(bed, "c A; git checkout -qb trunk");
	g_autofree char *trunk = git_default_branch(bed->repository, NULL);
	assert_string_equal(trunk, "trunk");
	RUN(bed, "git checkout -q --detach");
	g_autoptr(GError) error = NULL;
	assert_null(git_default_branch(bed->repository, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_NOT_FOUND));
	assert_non_null(strstr(error->message, "main, trunk"));
}

static void test_grafts_and_replace_refs_are_noted(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; c C; git replace --graft C A; git rev-parse C >.git/info/grafts");
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->notes->len, 2);
	assert_int_equal(scan->landings->len, 3); /* as the commits themselves have it */
}

static void test_other_encodings_become_utf8(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "git config i18n.commitEncoding ISO-8859-1; tick;"
		 "export GIT_AUTHOR_NAME=$(printf 'M\\374ller');"
		 "printf 'Gr\\374\\337e\\n' | git commit -q --allow-empty -F -;"
		 "git config i18n.commitEncoding KOI8-R; tick; GIT_AUTHOR_NAME=Ivan;"
		 "printf '\\346\\311\\313\\323\\n' | git commit -q --allow-empty -F -;"
		 "git config --unset i18n.commitEncoding; tick;"
		 "printf 'No h\\344der, some \\303\\251\\n' | git commit -q --allow-empty -F - "
		 "2>/dev/null");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const char *const subjects[] = {"Grüße", "Фикс", "No häder, some é"};
	for (guint i = 0; i < G_N_ELEMENTS(subjects); i++)
		assert_string_equal(((GitLanding *)scan->landings->pdata[i])->subject, subjects[i]);
	assert_string_equal(((GitLanding *)scan->landings->pdata[0])->author_name, "Müller");
}

static void test_hostile_messages_are_kept_harmless(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "tree=$(git mktree </dev/null); { printf 'tree %s\\nauthor <b>x</b>\\033[31m "
		 "<a\\001b> x\\n"
		 "committer C <c@d> 99999999999999999999 +0\\n\\n' $tree;"
		 "printf '<script>alert(1)</script>\\r\\nBug: 1 \\033[2J\\377\\n'; } >../raw;"
		 "git update-ref refs/heads/main $(git hash-object --literally -t commit -w "
		 "../raw)");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitLanding *landing = scan->landings->pdata[0];
	assert_string_equal(landing->author_name, "<b>x</b>\xef\xbf\xbd[31m");
	assert_string_equal(landing->author_email, "a\xef\xbf\xbd"
						   "b");
	assert_string_equal(
		landing->message, "<script>alert(1)</script>\nBug: 1 \xef\xbf\xbd[2Jÿ\n");
	assert_string_equal(landing->items->pdata[0], "1");
	assert_int_equal(landing->landed_us, 0);
}

static void test_a_message_of_ten_megabytes_is_cut_and_noted(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "tick; { echo 'Big Bug: 1'; echo; yes 0123456789 | head -c 10000000; echo;"
		 "echo 'Bug: 2'; } | git commit -q --allow-empty -F -");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitLanding *landing = scan->landings->pdata[0];
	assert_int_equal(strlen(landing->message), MESSAGE_MAXIMUM_BYTES);
	assert_int_equal(landing->items->len, 1);
	assert_int_equal(landing->notes->len, 1);
	assert_non_null(strstr(landing->notes->pdata[0], "longer than 65536 bytes"));
}

static void test_subjects_and_names_have_limits(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "tick; export GIT_AUTHOR_NAME=$(yes n | head -2000 | tr -d '\\n');"
		 "yes word | head -1000 | git commit -q --allow-empty -F -");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitLanding *landing = scan->landings->pdata[0];
	assert_int_equal(strlen(landing->author_name), COMMIT_MAXIMUM_NAME_BYTES);
	assert_int_equal(strlen(landing->subject), COMMIT_MAXIMUM_SUBJECT_BYTES);
}

static void test_long_branch_names_are_kept_whole(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; d=$(yes d | head -150 | tr -d '\\n'); git branch $d/$d");
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->branches->len, 2);
	assert_int_equal(strlen(((GitBranch *)scan->branches->pdata[0])->name), 301);
}

static void test_a_branch_without_its_commit_is_left_out_and_noted(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; echo 0123456789012345678901234567890123456789 >.git/refs/heads/broken");
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->branches->len, 1);
	assert_int_equal(scan->notes->len, 1);
	assert_non_null(strstr(scan->notes->pdata[0], "branch broken is left out"));
}

static void test_branches_far_ahead_are_counted_up_to_a_limit(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; { for i in $(seq 10005); do printf 'commit refs/heads/far\\ncommitter C "
		 "<c@d> %s +0000"
		 "\\ndata 2\\nc\\n' $i; [ $i -gt 1 ] || echo 'from refs/heads/main^0'; done; } |"
		 "git fast-import --quiet");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitBranch *far = scan->branches->pdata[0];
	assert_string_equal(far->name, "far");
	assert_int_equal(far->ahead, GIT_MAXIMUM_AHEAD);
	assert_true(far->ahead_is_minimum);
}

static void test_branches_over_the_limit_are_counted(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; a=$(git rev-parse A); for i in $(seq 5003); do echo \"$a refs/heads/b$i\"; "
		 "done"
		 " >.git/packed-refs");
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->branches->len, GIT_MAXIMUM_BRANCHES);
	assert_int_equal(scan->branches_omitted, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	bed_isolate();
	const struct CMUnitTest tests[] = {
		TEST(test_shallow_clone_is_refused_with_the_command_that_helps),
		TEST(test_partial_clone_is_refused),
		TEST(test_sha256_repository_is_refused),
		TEST(test_unknown_extension_is_refused_by_name),
		TEST(test_no_repository_is_not_found),
		TEST(test_missing_branch_names_those_there_are),
		TEST(test_missing_commit_is_reported_with_fsck),
		TEST(test_damaged_commit_is_reported_with_fsck),
		TEST(test_lost_alternate_is_named),
		TEST(test_empty_repository_has_no_tip),
		TEST(test_bare_repositories_and_worktrees_are_read),
		TEST(test_branch_may_be_named_in_full_or_of_a_remote),
		TEST(test_default_branch_is_heads),
		TEST(test_grafts_and_replace_refs_are_noted),
		TEST(test_other_encodings_become_utf8),
		TEST(test_hostile_messages_are_kept_harmless),
		TEST(test_a_message_of_ten_megabytes_is_cut_and_noted),
		TEST(test_subjects_and_names_have_limits),
		TEST(test_long_branch_names_are_kept_whole),
		TEST(test_a_branch_without_its_commit_is_left_out_and_noted),
		TEST(test_branches_far_ahead_are_counted_up_to_a_limit),
		TEST(test_branches_over_the_limit_are_counted),
		TEST(test_foreign_owned_repository_is_refused_with_the_exact_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
