/* SPDX-License-Identifier: ISC
 *
 * The tips of all branches, for "is my branch live?": how many commits of each have not landed, and
 * who wrote the last one. A branch is followed back only until commits that some landing owns, so
 * the work is the number of commits that have not landed, and it has a limit for each branch and
 * one for all.
 */
#include <string.h>

#include "landing/git_parts.h"

typedef struct BranchReader {
	GitWalk *walk;
	GitScan *scan;
	guint32 stamp; /* of the branch under way */
	gint64 budget; /* of commits for all branches */
} BranchReader;

void git_branch_entry_free(gpointer pointer)
{
	GitBranch *branch = pointer;
	g_free(branch->name);
	g_free(branch->sha);
	g_free(branch->owner);
	g_free(branch->author_name);
	g_free(branch->author_email);
	g_free(branch);
}

static gboolean count_ahead(
	BranchReader *reader, const git_oid *tip, GitBranch *branch, GError **error)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(git_oid));
	g_array_append_val(stack, *tip);
	reader->stamp++;
	while (stack->len) {
		git_oid oid = g_array_index(stack, git_oid, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		GitNode *node = git_walk_look(reader->walk, &oid, error);
		if (!node)
			return FALSE;
		if (node->owner != OWNER_NONE || node->stamp == reader->stamp)
			continue;
		if (branch->ahead == GIT_MAXIMUM_AHEAD || (branch->ahead && reader->budget <= 0)) {
			branch->ahead_is_minimum = TRUE;
			return TRUE;
		}
		node->stamp = reader->stamp;
		branch->ahead++;
		reader->budget--;
		g_array_append_vals(stack, node->parents, node->parent_count);
	}
	return TRUE;
}

static gboolean read_tip(
	BranchReader *reader, const git_oid *tip, GitBranch *branch, GError **error)
{
	if (!count_ahead(reader, tip, branch, error))
		return FALSE;
	const GitNode *node = git_walk_known(reader->walk, tip);
	g_autofree GitCommit *read = NULL;
	const GitCommit *commit = node ? node->commit : NULL;
	if (!commit)
		commit = read = git_walk_read_commit(reader->walk, tip, error);
	if (!commit)
		return FALSE;
	branch->sha = g_strdup(commit->sha);
	branch->owner = branch->ahead == 0 ? g_strdup(commit->sha) : NULL;
	branch->author_name = g_strdup(commit->author_name);
	branch->author_email = g_strdup(commit->author_email);
	return TRUE;
}

/* A branch that cannot be read is noted, and is no reason to stop. */
static void add_branch(BranchReader *reader, git_reference *reference)
{
	const char *name = git_reference_shorthand(reference);
	const git_oid *tip = git_reference_target(reference);
	g_autoptr(GError) error = NULL;
	if (!tip) /* origin/HEAD: another branch's second name */
		return;
	if (reader->scan->branches->len >= GIT_MAXIMUM_BRANCHES) {
		reader->scan->branches_omitted++;
		return;
	}
	GitBranch *branch = g_new0(GitBranch, 1);
	branch->name = commit_text_line((CommitSpan){name, strlen(name)}, "", strlen(name));
	if (read_tip(reader, tip, branch, &error)) {
		g_ptr_array_add(reader->scan->branches, branch);
		return;
	}
	if (reader->scan->notes->len < MESSAGE_MAXIMUM_PROBLEMS) {
		g_ptr_array_add(reader->scan->notes,
			g_strdup_printf("branch %s is left out: %s", branch->name, error->message));
	}
	git_branch_entry_free(branch);
}

gboolean git_branches_read(
	GitWalk *walk, GitRepository *repository, const git_oid *tip, GitScan *scan, GError **error)
{
	BranchReader reader = {.walk = walk, .scan = scan, .budget = GIT_MAXIMUM_AHEAD_ALL};
	const git_branch_t types[] = {GIT_BRANCH_LOCAL, GIT_BRANCH_REMOTE};
	/* so that the tip needs no asking when nothing is new */
	if (!git_walk_look(walk, tip, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		git_branch_iterator *branches = NULL;
		git_reference *reference = NULL;
		git_branch_t type;
		if (git_branch_iterator_new(&branches, repository->repository, types[i]) < 0)
			continue;
		while (git_branch_next(&reference, &type, branches) == 0) {
			add_branch(&reader, reference);
			git_reference_free(reference);
		}
		git_branch_iterator_free(branches);
	}
	return TRUE;
}
