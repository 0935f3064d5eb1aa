/* SPDX-License-Identifier: ISC
 *
 * A scan of a repository: open it, walk its first-parent line, make a landing of each step, look at
 * the branches. The parts are git_open.c, git_walk.c, git_messages.c, git_landing.c and
 * git_branches.c.
 */
#include "landing/git_parts.h"

static GitScan *scan_new(void)
{
	GitScan *scan = g_new0(GitScan, 1);
	scan->texts = g_string_chunk_new(32 * 1024);
	scan->landings = g_ptr_array_new_with_free_func(git_landing_free);
	scan->branches = g_ptr_array_new_with_free_func(git_branch_entry_free);
	scan->notes = g_ptr_array_new_with_free_func(g_free);
	return scan;
}

void git_scan_free(GitScan *scan)
{
	if (!scan)
		return;
	g_free(scan->tip);
	g_ptr_array_unref(scan->landings);
	g_ptr_array_unref(scan->branches);
	g_ptr_array_unref(scan->notes);
	g_string_chunk_free(scan->texts);
	g_free(scan);
}

/* `line` is newest first. Ownership is settled for all before any landing is built, because a
 * message may refer to a commit that is owned later than its own. */
static gboolean build_landings(GitWalk *walk, GitRepository *repository, const GPtrArray *line,
	GitScan *scan, GError **error)
{
	const GitScanOptions *options = git_walk_options(walk);
	g_autoptr(GPtrArray) owned =
		g_ptr_array_new_full(line->len, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = line->len; i > 0; i--) {
		GPtrArray *nodes =
			git_walk_own(walk, line->pdata[i - 1], (gint32)owned->len, error);
		if (!nodes)
			return FALSE;
		g_ptr_array_add(owned, nodes);
	}
	git_walk_finish_messages(walk);
	for (guint i = 0; i < owned->len; i++) {
		GPtrArray *nodes = owned->pdata[i];
		scan->commits += nodes->len;
		g_ptr_array_add(scan->landings,
			git_landing_build(walk, repository, nodes, options->authors_may_rule));
	}
	return TRUE;
}

static gboolean scan_branch(
	GitWalk *walk, GitRepository *repository, const git_oid *tip, GitScan *scan, GError **error)
{
	g_autoptr(GPtrArray) line = git_walk_line(walk, tip, &scan->rewritten, error);
	if (!line)
		return scan->rewritten;
	g_clear_pointer(&scan->notes, g_ptr_array_unref);
	scan->notes = git_oddities(repository);
	return build_landings(walk, repository, line, scan, error) &&
	       git_branches_read(walk, repository, tip, scan, error);
}

GitScan *git_scan(const GitScanOptions *options, GError **error)
{
	gboolean exists = FALSE;
	git_oid tip;
	g_autoptr(GitRepository) repository = git_open(options->repository, error);
	if (!repository || !git_find_branch(repository, options->branch, &tip, &exists, error))
		return NULL;
	g_autoptr(GitScan) scan = scan_new();
	if (!exists) {
		scan->rewritten = options->since != NULL;
		return g_steal_pointer(&scan);
	}
	scan->tip = git_sha(&tip);
	g_autoptr(GitWalk) walk = git_walk_new(repository, options, scan->texts);
	if (!scan_branch(walk, repository, &tip, scan, error))
		return NULL;
	return g_steal_pointer(&scan);
}

gboolean git_reference_is_whole(const char *sha, const char *landing_sha, gint64 changes)
{
	return changes == 1 || g_str_equal(sha, landing_sha);
}
