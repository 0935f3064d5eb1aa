/* SPDX-License-Identifier: ISC
 *
 * Landings from a git repository, by libgit2; knows no database. A landing is a commit on the
 * first-parent line of a branch. A commit anywhere else belongs to the first first-parent commit
 * from which it can be reached, so every commit has exactly one owner. What the messages of a
 * landing's commits say together is told in docs/messages.md.
 *
 * How the caller turns a reference of `rollbacks` or `fixes` into a landing:
 *   - digits up to MESSAGE_MAXIMUM_DIGITS long are an ordinal (of MESSAGE_MINIMUM_SHA and more it
 * has been found out already that they are no SHA);
 *   - 40 hex digits are a commit: its owner is the landing that its table (sha -> landing) names,
 * the landings of this scan included. No owner: not found. A rollback counts only when
 * git_reference_is_whole(); otherwise it undoes nothing, and is reported;
 *   - anything else did not resolve; there is a note already.
 */
#ifndef LANDING_GIT_H
#define LANDING_GIT_H

#include "landing/message.h"

#define GIT_MAXIMUM_LANDINGS	   5000000
#define GIT_MAXIMUM_BRANCHES	   5000	   /* in the order of their names, local ones first */
#define GIT_MAXIMUM_AHEAD	   10000   /* counted for one branch */
#define GIT_MAXIMUM_AHEAD_ALL	   1000000 /* looked at for all branches of a scan */
#define GIT_MAXIMUM_BRANCHES_NAMED 20	   /* in an error */
#define GIT_SHA_DIGITS		   40

/* Its texts belong to the scan. */
typedef struct GitCommit {
	const char *sha;
	const char *author_name; /* valid UTF-8 always: other bytes are replaced */
	const char *author_email;
	gint64 authored_us;
	const char *subject;
	gboolean is_merge;
} GitCommit;

typedef struct GitLanding {
	const char *sha;
	const char *author_name; /* of the change: for a merge the author of its newest own commit,
				    else its own */
	const char *author_email;
	gint64 landed_us; /* committer's time of the first-parent commit */
	const char *subject;
	char *message; /* of the first-parent commit, cut at MESSAGE_MAXIMUM_BYTES */
	LandingQa qa; /* what its own commit says; else what all its commits but merges say alike */
	GPtrArray *items; /* char *, union over its commits, in order of first appearance */
	GHashTable *message_states; /* of `items` -> ItemState as pointer: QA: trailers; NULL when
					no item is named */
	GPtrArray *rollbacks; /* char *: full SHA of a landing or commit, or digits of an ordinal */
	GPtrArray *fixes;     /* char *: full SHA, or digits */
	GPtrArray *notes;     /* char *: what was odd */
	GPtrArray *commits; /* GitCommit *: the landing's own, then what it brought, newest first */
	gint64 changes;	    /* how many of them are no merges */
} GitLanding;

typedef struct GitBranch {
	char *name; /* "fix-login", "origin/fix-login" */
	char *sha;
	gint64 ahead;		   /* commits not reachable from the scanned tip */
	gboolean ahead_is_minimum; /* a limit was met: there are that many at least */
	char *owner; /* when ahead is 0: the SHA of a commit that the caller's owner map knows = sha
		      */
	char *author_name;
	char *author_email;
} GitBranch;

typedef struct GitScan {
	GStringChunk *texts; /* of the commits: there are many, and most authors wrote several */
	char *tip;	     /* SHA of the branch now; NULL for an empty repository */
	gboolean rewritten; /* `since` is no longer on the first-parent line: nothing else is filled
			       in */
	GPtrArray *landings;	 /* GitLanding *, oldest first, those after `since` */
	GPtrArray *branches;	 /* GitBranch *; branches merged long ago have ahead 0 */
	gint64 branches_omitted; /* over GIT_MAXIMUM_BRANCHES */
	gint64 commits;		 /* owned by `landings` */
	GPtrArray *notes; /* char *: what is odd about the repository: grafts, replace refs */
} GitScan;

typedef struct GitScanOptions {
	const char *repository; /* folder */
	const char *branch;	/* "main", "refs/heads/main" or "origin/main" */
	const char *since;	/* SHA of the stored tip, or NULL for all */
	guint item_patterns;
	gboolean authors_may_rule;
	/* Does a stored landing own this commit? With `since` only; asked for the commits at which
	 * the new ones end. NULL: the history behind `since` is read to find out, which takes as
	 * long as a full scan. */
	gboolean (*is_known)(const char *sha, gpointer of);
	gpointer is_known_of;
	/* Called now and then; may be NULL. */
	void (*progress)(gint64 landings, gpointer of);
	gpointer progress_of;
} GitScanOptions;

/* Fails with DROVER_ERROR_NOT_FOUND (no repository, no branch; names those there are) or
 * DROVER_ERROR_INPUT: shallow, partial, SHA-256, foreign-owned or damaged repositories, each with
 * what to do. */
GitScan *git_scan(const GitScanOptions *options, GError **error);
void git_scan_free(GitScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitScan, git_scan_free)

/* Does `sha` stand for the whole change of a landing: is it the landing's own commit `landing_sha`,
 * or the only commit that it brought (`changes` is 1)? */
gboolean git_reference_is_whole(const char *sha, const char *landing_sha, gint64 changes);

/* The branch that HEAD names, for `drover product add` without --branch. Caller frees. Same errors.
 */
char *git_default_branch(const char *repository, GError **error);
/* Can it be read, and is its owner trusted? For who opens it in another way afterwards. Same
 * errors. */
gboolean git_check(const char *repository, GError **error);

#endif
