/* SPDX-License-Identifier: ISC
 *
 * Landings from a git repository, by libgit2; knows no database. A landing is a commit on the first-parent
 * line of a branch. A commit anywhere else belongs to the first first-parent commit from which it can be
 * reached, so every commit has exactly one owner.
 */
#ifndef LANDING_GIT_H
#define LANDING_GIT_H

#include "landing/message.h"

#define GIT_MAXIMUM_LANDINGS 5000000

typedef struct GitCommit {
	char *sha;
	char *author_name; /* valid UTF-8 always: other bytes are replaced */
	char *author_email;
	gint64 authored_us;
	char *subject;
} GitCommit;

typedef struct GitLanding {
	char *sha;
	char *author_name; /* of the change: for a merge the author of its newest own commit, else its own */
	char *author_email;
	gint64 landed_us;  /* committer's time of the first-parent commit */
	char *subject;
	char *message;     /* of the first-parent commit, cut at MESSAGE_MAXIMUM_BYTES */
	LandingQa qa;      /* of the landing: no-qa only when all its commits that say something agree … */
	GPtrArray *items;      /* char *, union over its commits, in order of first appearance */
	GHashTable *message_states; /* item -> ItemState as pointer: QA: trailers */
	GPtrArray *rollbacks;  /* char *: full SHA of a landing or commit, or digits of an ordinal */
	GPtrArray *fixes;      /* char *: full SHA, or digits */
	GPtrArray *notes;      /* char *: what was odd */
	GPtrArray *commits;    /* GitCommit *, newest first, the landing's own commit included */
} GitLanding;

typedef struct GitBranch {
	char *name;      /* "fix-login", "origin/fix-login" */
	char *sha;
	gint64 ahead;    /* commits not reachable from the scanned tip */
	char *owner;     /* when ahead is 0: the SHA of a commit that the caller's owner map knows = sha */
	char *author_name;
	char *author_email;
} GitBranch;

typedef struct GitScan {
	char *tip;              /* SHA of the branch now; NULL for an empty repository */
	gboolean rewritten;     /* `since` is no longer on the first-parent line: nothing else is filled in */
	GPtrArray *landings;    /* GitLanding *, oldest first, those after `since` */
	GPtrArray *branches;    /* GitBranch *; branches merged long ago have ahead 0 */
	gint64 commits;
} GitScan;

typedef struct GitScanOptions {
	const char *repository;  /* folder */
	const char *branch;      /* "main", "refs/heads/main" or "origin/main" */
	const char *since;       /* SHA of the stored tip, or NULL for all */
	guint item_patterns;
	gboolean authors_may_rule;
	/* Called now and then; may be NULL. */
	void (*progress)(gint64 landings, gpointer of);
	gpointer progress_of;
} GitScanOptions;

/* Fails with DROVER_ERROR_NOT_FOUND (no repository, no branch; names those there are) or
 * DROVER_ERROR_INPUT: shallow, partial, SHA-256, foreign-owned or damaged repositories, each with what to do. */
GitScan *git_scan(const GitScanOptions *options, GError **error);
void git_scan_free(GitScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitScan, git_scan_free)

/* The branch that HEAD names, for `drover product add` without --branch. Caller frees. Same errors. */
char *git_default_branch(const char *repository, GError **error);

#endif
