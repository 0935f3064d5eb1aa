/* SPDX-License-Identifier: ISC
 *
 * What the files that read git repositories share. git_open.c opens one or says in words why not,
 * git_owner.c whether its owner is trusted; git_walk.c reads commits and decides which landing owns
 * each; git_messages.c reads messages meanwhile; git_landing.c makes a landing of the commits it
 * owns; git_branches.c looks at the tips of branches; git.c puts them together. Only they include
 * this.
 */
#ifndef LANDING_GIT_PARTS_H
#define LANDING_GIT_PARTS_H

#include <git2.h>

#include "landing/commit_object.h"
#include "landing/git.h"

typedef struct GitRepository {
	git_repository *repository;
	git_odb *odb;
	char *path; /* as the caller named it, for messages */
} GitRepository;

/* Errors as git_scan()'s. */
GitRepository *git_open(const char *path, GError **error);
void git_close(GitRepository *repository);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitRepository, git_close)

/* Where a repository lies, before it is opened. */
typedef struct GitPlace {
	char *folder;  /* its own, ".git"; NULL when there is none */
	char *common;  /* the one that it shares with its worktrees; often the same */
	char *workdir; /* NULL: bare, as far as can be seen */
} GitPlace;
void git_place_find(const char *path, GitPlace *place);
void git_place_clear(GitPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GitPlace, git_place_clear)

/* FALSE when something that opening and scanning would read is a pipe, a device or a socket. */
gboolean git_files_are_files(const GitPlace *place, GError **error);
/* May the repository's settings be believed? Git's safe.directory rule. `folder` and `common` are
 * its own, `workdir` may be NULL. */
gboolean git_owner_is_trusted(const char *folder, const char *common, const char *workdir);
/* The folder that safe.directory must name. Caller frees. */
char *git_top_folder(const char *folder, const char *workdir);

/* The tip of `branch`. *exists is FALSE, without an error, in a repository that has no branch at
 * all. */
gboolean git_find_branch(GitRepository *repository, const char *branch, git_oid *tip,
	gboolean *exists, GError **error);
/* The commit that `text` (a SHA, or 7 and more digits of one) names. FALSE without an error: `why`
 * says so. */
gboolean git_resolve(GitRepository *repository, const char *text, git_oid *oid, const char **why);
/* Grafts and replace refs, which are not followed: GPtrArray of char *. */
GPtrArray *git_oddities(GitRepository *repository);
/* Libgit2's last error while reading commit `oid`, with what to do. */
void git_set_read_error(GitRepository *repository, const git_oid *oid, GError **error);

/* What is known of a commit. `owner` is the position of its landing in this scan, or one of these:
 */
#define OWNER_NONE    (-1) /* seen from a branch: in no landing */
#define OWNER_EARLIER (-2) /* a landing of an earlier scan owns it */
#define OWNER_UNREAD  (-3) /* of the first-parent line, its landing's place is not yet known */
typedef struct GitNode {
	git_oid oid;
	gint32 owner;
	guint32 stamp; /* the last branch it was counted for */
	guint parent_count;
	git_oid *parents;
	gint64 committed_us;
	gboolean is_built;   /* its landing holds its commit now */
	GitCommit *commit;   /* this and the rest only for commits of this scan's landings, and
				only when their messages are finished */
	MessageFacts *facts; /* until its landing is built */
	char *message;	     /* of first-parent commits, until then */
} GitNode;

/* Messages that are read while the walk goes on. */
#define GIT_BATCHES	  4		/* under way at once */
#define GIT_BATCH_COMMITS 128		/* a batch is full with so many commits, */
#define GIT_BATCH_BYTES	  (1024 * 1024) /* or so many bytes of them */
typedef struct GitMessages GitMessages;

/* Until git_messages_finish(), `texts` belongs to it. */
GitMessages *git_messages_new(guint patterns, GStringChunk *texts);
/* Fills in the node's commit, facts and, if it is kept, message, some time before
 * git_messages_finish() returns. Takes `raw`, which `object` points into. */
void git_messages_add(GitMessages *messages, GitNode *node, git_odb_object *raw,
	const CommitObject *object, gboolean keeps_message);
void git_messages_finish(GitMessages *messages);
void git_messages_free(GitMessages *messages);
/* g_free() it. */
GitCommit *git_commit_entry(GStringChunk *texts, const git_oid *oid, const CommitObject *object);

typedef struct GitWalk GitWalk;

/* What it is given must outlive it; commits' texts are added to `texts`. */
GitWalk *git_walk_new(
	GitRepository *repository, const GitScanOptions *options, GStringChunk *texts);
void git_walk_free(GitWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitWalk, git_walk_free)

const GitScanOptions *git_walk_options(const GitWalk *walk);
/* Call when all landings have what they own: only now their nodes tell what the messages say. */
void git_walk_finish_messages(GitWalk *walk);

/* Reads the first-parent line from `tip` back to `since`, not including it. The nodes, newest
 * first; NULL with *rewritten when `since` is not on it. */
GPtrArray *git_walk_line(GitWalk *walk, const git_oid *tip, gboolean *rewritten, GError **error);
/* Gives `landing` the first-parent commit `head` and all that it brought: GPtrArray of GitNode *,
 * `head` first, the others newest first. Call for the line's nodes, oldest first. NULL on error. */
GPtrArray *git_walk_own(GitWalk *walk, GitNode *head, gint32 landing, GError **error);
/* The commit with its parents and nothing else; its owner, when no landing of this scan has it, is
 * found out. */
GitNode *git_walk_look(GitWalk *walk, const git_oid *oid, GError **error);
/* NULL when this scan has not met it. */
GitNode *git_walk_known(const GitWalk *walk, const git_oid *oid);
/* Author and subject of a commit, whoever owns it. g_free() it. */
GitCommit *git_walk_read_commit(GitWalk *walk, const git_oid *oid, GError **error);

GitLanding *git_landing_build(GitWalk *walk, GitRepository *repository, const GPtrArray *nodes,
	gboolean authors_may_rule);
void git_landing_free(gpointer landing);

/* Fills in scan->branches. */
gboolean git_branches_read(GitWalk *walk, GitRepository *repository, const git_oid *tip,
	GitScan *scan, GError **error);
void git_branch_entry_free(gpointer branch);

char *git_sha(const git_oid *oid);

#endif
