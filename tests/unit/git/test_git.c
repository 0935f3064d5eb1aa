/* SPDX-License-Identifier: ISC
 *
 * Landings from real repositories: who owns a commit, what a landing's messages say together, what
 * a rewritten branch and a revert look like.
 */
#include "git_bed.h"

#define RUN(bed, script) g_free(bed_run(bed, script))

static GitScan *scan_with(const GitBed *bed, gboolean authors_may_rule)
{
	return git_scan(&(GitScanOptions){.repository = bed->repository,
				.branch = "main",
				.item_patterns = 0x7f,
				.authors_may_rule = authors_may_rule},
		NULL);
}

static void test_each_commit_of_a_straight_line_is_a_landing(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c 'A start'; c 'B: Fixes #1'; c 'C' ");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; B{1}; C");
	const GitLanding *last = scan->landings->pdata[1];
	g_autofree char *sha = bed_sha(bed, "C");
	assert_string_equal(scan->tip, sha);
	assert_string_equal(last->author_name, "Ann");
	assert_string_equal(last->author_email, "ann@example.org");
	assert_string_equal(last->subject, "B: Fixes #1");
	assert_string_equal(last->message, "B: Fixes #1\n");
	assert_int_equal(last->landed_us, (1700000000 + 120) * G_GINT64_CONSTANT(1000000));
	assert_int_equal(last->changes, 1);
	assert_int_equal(scan->commits, 3);
	assert_int_equal(scan->notes->len, 0);
}

static void test_a_merge_owns_what_it_brings(void **state)
{
	const GitBed *bed = *state;
	RUN(bed,
		"c A; git checkout -qb side; c 'x Bug: 1'; c 'y Bug: 2'; git checkout -q main; c B;"
		"m 'M Bug: 3' side; c C");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; B; M[y x]{3 2 1}; C");
	const GitLanding *merge = scan->landings->pdata[2];
	assert_int_equal(merge->changes, 2);
}

static void test_an_octopus_owns_all_its_arms(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; for s in x y z; do git checkout -qb s$s A; c $s; done; git checkout -q main;"
		 "m O sx sy sz");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; O[z y x]");
}

static void test_a_commit_of_two_merges_belongs_to_the_first(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb side; c x; git checkout -q main; m M side;"
		 "git checkout -q side; c y; git checkout -q main; m N side");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; M[x]; N[y]");
}

static void test_criss_cross_merges_own_every_commit_once(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb side; c x; git checkout -q main; c B;"
		 "git checkout -q side; m 'back' B; git checkout -q main; m M x;"
		 "git checkout -q side; c y; git checkout -q main; m N side");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; B; M[x]; N[y back]");
	const GitLanding *last = scan->landings->pdata[3];
	assert_int_equal(last->changes, 1); /* the merge back brings none */
}

static void test_the_author_of_a_merge_is_who_wrote_its_newest_commit(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb side; GIT_AUTHOR_NAME=Old c x; GIT_AUTHOR_NAME=Eve c y;"
		 "git checkout -q main; c B; GIT_AUTHOR_NAME=Merger m M side");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitLanding *merge = scan->landings->pdata[2];
	assert_string_equal(merge->author_name, "Eve");
}

static void test_incremental_scans_read_what_is_new(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb side; c x; git checkout -q main; c B; m M side; c C;"
		 "git checkout -q side; c y; git checkout -q main; m N side");
	g_autoptr(GitScan) since_b = bed_scan_since(bed, "B");
	bed_expect(bed, since_b, "M[x]; C; N[y]");
	g_autoptr(GitScan) since_c = bed_scan_since(bed, "C");
	bed_expect(bed, since_c, "N[y]");
	g_autoptr(GitScan) nothing = bed_scan_since(bed, "N");
	bed_expect(bed, nothing, "");
	assert_false(nothing->rewritten);
}

static void test_force_push_is_a_rewrite(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; git reset -q --hard A; c C");
	g_autoptr(GitScan) scan = bed_scan_since(bed, "B");
	bed_expect(bed, scan, "rewritten");
}

static void test_foxtrot_merge_is_a_rewrite(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c B; git checkout -qb mine A; c x; m 'F foxtrot' main; git branch -f main "
		 "mine");
	g_autoptr(GitScan) scan = bed_scan_since(bed, "B");
	bed_expect(bed, scan, "rewritten");
}

static void test_stored_tip_that_is_gone_is_a_rewrite(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A");
	const char *const gone[] = {"0123456789012345678901234567890123456789", "not a SHA", ""};
	for (gsize i = 0; i < G_N_ELEMENTS(gone); i++) {
		g_autoptr(GitScan) scan = git_scan(
			&(GitScanOptions){
				.repository = bed->repository, .branch = "main", .since = gone[i]},
			NULL);
		assert_true(scan->rewritten);
		assert_non_null(scan->tip);
	}
}

static void test_merge_speaks_for_the_landing_else_all_its_commits_must_agree(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; side() { git checkout -qb s$1 A; shift; for w; do c \"$w\"; done;"
		 "git checkout -q main; }\n"
		 "side 1 'a1' 'a2 Bug: 1'; m 'M1 [no-qa]' s1\n"
		 "side 2 'b1 [no-qa]' 'b2 [testfix]'; m 'M2' s2\n"
		 "side 3 'c1 [no-qa]' 'c2'; m 'M3' s3\n"
		 "side 4 'd1 [no-qa]' 'd2 [incr]'; m 'M4' s4\n"
		 "side 5 'e1 [no-qa]'; m 'M5 [incr]' s5\n");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan,
		"A; M1[a2 a1]{1}no-qa; M2[b2 b1]no-qa; M3[c2 c1]; M4[d2 d1]incr; M5[e1]incr");
}

static void test_qa_trailers_rule_on_the_items_of_their_commit(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; side() { git checkout -qb s$1 A; shift; for w; do c \"$w\"; done;"
		 "git checkout -q main; }\n"
		 "c \"$(printf 'B Bug: 1\\n\\nQA: untestable')\"\n"
		 "c \"$(printf 'C Bug: 1\\n\\nQA: ok')\"\n"
		 "side 1 \"$(printf 'a1\\n\\nBug: 1, 2\\nQA: untestable')\" 'a2 Bug: 2'; m M1 s1\n"
		 "side 2 'b1 Bug: 3'; m \"$(printf 'M2\\n\\nQA: untestable')\" s2\n");
	g_autoptr(GitScan) not_asked = scan_with(bed, FALSE);
	bed_expect(bed, not_asked, "A; B{1-}; C{1}; M1[a2 a1]{2 1-}; M2[b1]{3-}");
	g_autoptr(GitScan) asked = scan_with(bed, TRUE);
	bed_expect(bed, asked, "A; B{1-}; C{1+}ok; M1[a2 a1]{2 1-}; M2[b1]{3-}");
}

static void test_reverts_name_what_they_revert(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "echo 1 >f; git add f; c A; echo 2 >f; git add f; c B;"
		 "r() { git revert --no-edit \"$@\" >/dev/null; }\n"
		 "r B; git commit -q --amend -m \"R1 $(git log -1 --format=%B)\"; git tag R1\n"
		 "r R1; git commit -q --amend -m \"R2 $(git log -1 --format=%B)\"\n"
		 "git checkout -qb side; echo x >x; git add x; c x; echo y >y; git add y; c y;"
		 "git checkout -q main; m M side\n"
		 "r -m 1 M; git commit -q --amend -m \"R3 $(git log -1 --format=%B)\"\n"
		 "c \"$(printf 'R4\\n\\nRollback-Of: %s' $(git rev-parse --short y))\"\n"
		 "c 'R5 [rollback=2]'\n");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; B; R1<B; R2<R1; M[y x]; R3<M; R4<y; R5<2");
	const GitLanding *merge = scan->landings->pdata[4];
	g_autofree char *part = bed_sha(bed, "y");
	assert_true(git_reference_is_whole(merge->sha, merge->sha, merge->changes));
	assert_false(git_reference_is_whole(part, merge->sha, merge->changes));
	assert_true(git_reference_is_whole(part, merge->sha, 1));
}

static void test_a_revert_within_a_landing_is_noted_and_dropped(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb side; c x;"
		 "c \"$(printf 'y\\n\\nThis reverts commit %s.' $(git rev-parse x))\";"
		 "git checkout -q main; m M side");
	g_autoptr(GitScan) scan = bed_scan(bed);
	bed_expect(bed, scan, "A; M[y x]");
	const GitLanding *merge = scan->landings->pdata[1];
	assert_int_equal(merge->notes->len, 1);
	assert_non_null(strstr(merge->notes->pdata[0], "same landing"));
}

/* A rollback owes no QA of its own: one revert must not carry the rest of a merge past it. */
static void test_a_revert_beside_other_work_counts_only_when_the_landing_says_so(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "r() { c \"$(printf '%s\\n\\nThis reverts commit %s.' $1 $(git rev-parse $2))\"; "
		 "}\n"
		 "c A; c B; git checkout -qb side; c x; r y B; git checkout -q main; m M side;"
		 "git checkout -qb undo; r z A; git checkout -q main; m N undo");
	g_autoptr(GitScan) scan = bed_scan(bed);
	const GitLanding *mixed = scan->landings->pdata[2];
	assert_int_equal(mixed->rollbacks->len, 0);
	assert_int_equal(mixed->notes->len, 1);
	assert_non_null(strstr(mixed->notes->pdata[0], "beside other work"));
	const GitLanding *pure = scan->landings->pdata[3];
	g_autofree char *undone = bed_sha(bed, "A");
	assert_int_equal(pure->rollbacks->len, 1);
	assert_string_equal(pure->rollbacks->pdata[0], undone);
}

static void test_references_that_name_nothing_are_noted(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; c 'B [rollback=0badbad]'; c \"$(printf 'C\\n\\nFixes: 0badbad')\";"
		 "c \"$(printf 'D\\n\\nFixes: %s (\"A\")' $(git rev-parse --short=12 A))\";"
		 "c \"$(printf 'E\\n\\nFixes-Landing: %s' $(git rev-parse A^{tree}))\"; c 'F "
		 "[rollback=1234567]'");
	g_autoptr(GitScan) scan = bed_scan(bed);
	g_autofree char *tree = g_strchomp(bed_run(bed, "git rev-parse A^{tree}"));
	g_autofree char *expected = g_strdup_printf("A; B<0badbad; C; D~A; E~%s; F<1234567", tree);
	bed_expect(bed, scan, expected);
	const guint notes[] = {0, 1, 1, 0, 1, 0};
	for (guint i = 0; i < G_N_ELEMENTS(notes); i++)
		assert_int_equal(((GitLanding *)scan->landings->pdata[i])->notes->len, notes[i]);
}

static gboolean known_in_table(const char *sha, gpointer of)
{
	return g_hash_table_contains(of, sha);
}

static const GitBranch *branch_named(const GitScan *scan, const char *name)
{
	for (guint i = 0; i < scan->branches->len; i++) {
		const GitBranch *branch = scan->branches->pdata[i];
		if (g_str_equal(branch->name, name))
			return branch;
	}
	fail_msg("no branch %s", name);
	return NULL;
}

static void test_branches_say_how_far_ahead_they_are(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "c A; git checkout -qb merged; c x; git checkout -q main; m M merged;"
		 "git checkout -qb ahead; c y; GIT_AUTHOR_NAME=Eve c z; git checkout -q main; c B;"
		 "git update-ref refs/remotes/origin/far z; git symbolic-ref "
		 "refs/remotes/origin/HEAD "
		 "refs/remotes/origin/far");
	g_autoptr(GitScan) full = bed_scan(bed);
	g_autoptr(GitScan) since = bed_scan_since(bed, "M");
	const GitScan *const scans[] = {full, since};
	for (gsize i = 0; i < G_N_ELEMENTS(scans); i++) {
		assert_int_equal(scans[i]->branches->len, 4);
		assert_int_equal(branch_named(scans[i], "main")->ahead, 0);
		const GitBranch *merged = branch_named(scans[i], "merged");
		assert_int_equal(merged->ahead, 0);
		assert_string_equal(merged->owner, merged->sha);
		const GitBranch *ahead = branch_named(scans[i], "ahead");
		assert_int_equal(ahead->ahead, 2);
		assert_null(ahead->owner);
		assert_false(ahead->ahead_is_minimum);
		assert_string_equal(ahead->author_name, "Eve");
		assert_int_equal(branch_named(scans[i], "origin/far")->ahead, 2);
	}
}

/* A history of `commits` with random parents and dates as a stream for git fast-import. */
static char *random_history(GRand *rand, guint commits)
{
	GString *stream = g_string_new(NULL);
	for (guint i = 1; i <= commits; i++) {
		guint parents = i == 1 ? 0 : (guint)g_rand_int_range(rand, 1, 4);
		g_string_append_printf(stream,
			"commit refs/heads/tmp\nmark :%u\ncommitter C <c@d> %d +0000\ndata 2\nc\n",
			i, g_rand_int_range(rand, 1000000000, 1700000000));
		g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
		for (guint j = 0; j < parents; j++) {
			guint reach = j == 0 ? MIN(i - 1, 3) : i - 1;
			guint parent = i - 1 - (guint)g_rand_int_range(rand, 0, (gint)reach);
			if (g_hash_table_add(seen, GUINT_TO_POINTER(parent)))
				g_string_append_printf(
					stream, "%s :%u\n", j ? "merge" : "from", parent);
		}
		g_string_append(stream, i == 1 ? "deleteall\n\n" : "\n");
	}
	g_string_append_printf(stream, "reset refs/heads/main\nfrom :%u\n\n", commits);
	return g_string_free(stream, FALSE);
}

/* Each commit's owner by the definition, from `git rev-list` alone: SHA -> SHA. */
static GHashTable *owners_by_definition(const GitBed *bed)
{
	GHashTable *owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *lists = bed_run(bed,
		"for f in $(git rev-list --reverse --first-parent main); do echo \"= $f\";"
		"git rev-list $f; done");
	g_auto(GStrv) lines = g_strsplit(lists, "\n", -1);
	const char *owner = NULL;
	for (char **line = lines; *line && **line; line++) {
		if (**line == '=')
			owner = *line + 2;
		else if (!g_hash_table_contains(owners, *line))
			g_hash_table_insert(owners, g_strdup(*line), g_strdup(owner));
	}
	return owners;
}

static gint64 assert_owned_as_defined(const GitScan *scan, GHashTable *owners)
{
	gint64 commits = 0;
	assert_false(scan->rewritten);
	for (guint i = 0; i < scan->landings->len; i++) {
		const GitLanding *landing = scan->landings->pdata[i];
		for (guint j = 0; j < landing->commits->len; j++, commits++) {
			const GitCommit *commit = landing->commits->pdata[j];
			assert_string_equal(g_hash_table_lookup(owners, commit->sha), landing->sha);
		}
	}
	assert_int_equal(commits, scan->commits);
	return commits;
}

static void assert_history_owned_as_defined(const GitBed *bed, GRand *rand)
{
	g_autofree char *stream = random_history(rand, 60);
	g_autofree char *file = g_build_filename(bed->home, "stream", NULL);
	assert_true(g_file_set_contents(file, stream, -1, NULL));
	RUN(bed, "git fast-import --quiet --force <$HOME/stream");
	g_autoptr(GHashTable) owners = owners_by_definition(bed);
	g_autoptr(GitScan) full = bed_scan(bed);
	assert_int_equal(assert_owned_as_defined(full, owners), g_hash_table_size(owners));

	guint stored = (guint)g_rand_int_range(rand, 0, (gint)full->landings->len);
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	gint64 known_commits = 0;
	for (guint i = 0; i <= stored; i++) {
		const GitLanding *landing = full->landings->pdata[i];
		for (guint j = 0; j < landing->commits->len; j++, known_commits++)
			g_hash_table_add(
				known, (char *)((GitCommit *)landing->commits->pdata[j])->sha);
	}
	const char *since = ((GitLanding *)full->landings->pdata[stored])->sha;
	for (int asked = 0; asked < 2; asked++) {
		GitScanOptions options = {.repository = bed->repository,
			.branch = "main",
			.since = since,
			.is_known = asked ? known_in_table : NULL,
			.is_known_of = known};
		g_autoptr(GitScan) rest = git_scan(&options, NULL);
		assert_int_equal(assert_owned_as_defined(rest, owners) + known_commits,
			g_hash_table_size(owners));
		assert_int_equal(rest->landings->len, full->landings->len - stored - 1);
	}
}

/* Commits "Change N", each with `Bug: N`, as files of their own: so that one can be lost. */
#define LONG_HISTORY                                                                               \
	"for n in $(seq 1 700); do"                                                                \
	"  printf 'commit refs/heads/main\\nauthor Ann <a@example.org> %d +0000\\n' $n;"           \
	"  printf 'committer Ann <a@example.org> %d +0000\\ndata <<E\\n' $n;"                      \
	"  printf 'Change %d\\n\\nBug: %d\\nE\\n\\n' $n $n;"                                       \
	"done | git -c fastimport.unpackLimit=9999 fast-import --quiet"

static void test_messages_read_beside_the_walk_stay_with_their_commits(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, LONG_HISTORY);
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->landings->len, 700); /* more than are under way at once */
	for (guint i = 0; i < 700; i++) {
		const GitLanding *landing = scan->landings->pdata[i];
		g_autofree char *subject = g_strdup_printf("Change %u", i + 1);
		g_autofree char *message = g_strdup_printf("Change %u\n\nBug: %u\n", i + 1, i + 1);
		g_autofree char *item = g_strdup_printf("%u", i + 1);
		assert_string_equal(landing->subject, subject);
		assert_string_equal(landing->message, message);
		assert_int_equal(landing->items->len, 1);
		assert_string_equal(landing->items->pdata[0], item);
	}
}

static void test_a_commit_lost_while_messages_are_read_is_named(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, LONG_HISTORY);
	g_autofree char *lost = bed_run(bed, "git rev-parse main~600 | tr -d '\\n'");
	RUN(bed, "sha=$(git rev-parse main~600); rm -f .git/objects/${sha%${sha#??}}/${sha#??}");
	bed_refused(bed->repository, "main", DROVER_ERROR_INPUT, lost, NULL);
}

static void test_messages_of_a_megabyte_do_not_wait_for_each_other(void **state)
{
	const GitBed *bed = *state;
	RUN(bed, "for n in $(seq 1 12); do"
		 "  printf 'commit refs/heads/main\\ncommitter Ann <a@example.org> %d +0000\\n' $n;"
		 "  printf 'data <<E\\nChange %d\\n\\nBug: %d\\n' $n $n;"
		 "  head -c 1048576 /dev/zero | tr '\\0' x; printf '\\nE\\n\\n';"
		 "done | git fast-import --quiet");
	g_autoptr(GitScan) scan = bed_scan(bed);
	assert_int_equal(scan->landings->len, 12);
	for (guint i = 0; i < 12; i++) {
		const GitLanding *landing = scan->landings->pdata[i];
		g_autofree char *item = g_strdup_printf("%u", i + 1);
		assert_string_equal(landing->items->pdata[0], item);
		assert_int_equal(strlen(landing->message), MESSAGE_MAXIMUM_BYTES);
		assert_non_null(strstr(landing->notes->pdata[0], "longer than"));
	}
}

static void test_ownership_of_random_histories_is_as_defined_and_incremental_equals_full(
	void **state)
{
	const GitBed *bed = *state;
	for (guint32 seed = 1; seed <= 12; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		assert_history_owned_as_defined(bed, rand);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	bed_isolate();
	const struct CMUnitTest tests[] = {
		TEST(test_each_commit_of_a_straight_line_is_a_landing),
		TEST(test_a_merge_owns_what_it_brings),
		TEST(test_an_octopus_owns_all_its_arms),
		TEST(test_a_commit_of_two_merges_belongs_to_the_first),
		TEST(test_criss_cross_merges_own_every_commit_once),
		TEST(test_the_author_of_a_merge_is_who_wrote_its_newest_commit),
		TEST(test_incremental_scans_read_what_is_new),
		TEST(test_force_push_is_a_rewrite),
		TEST(test_foxtrot_merge_is_a_rewrite),
		TEST(test_stored_tip_that_is_gone_is_a_rewrite),
		TEST(test_merge_speaks_for_the_landing_else_all_its_commits_must_agree),
		TEST(test_qa_trailers_rule_on_the_items_of_their_commit),
		TEST(test_reverts_name_what_they_revert),
		TEST(test_a_revert_within_a_landing_is_noted_and_dropped),
		TEST(test_a_revert_beside_other_work_counts_only_when_the_landing_says_so),
		TEST(test_references_that_name_nothing_are_noted),
		TEST(test_branches_say_how_far_ahead_they_are),
		TEST(test_messages_read_beside_the_walk_stay_with_their_commits),
		TEST(test_a_commit_lost_while_messages_are_read_is_named),
		TEST(test_messages_of_a_megabyte_do_not_wait_for_each_other),
		TEST(test_ownership_of_random_histories_is_as_defined_and_incremental_equals_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
