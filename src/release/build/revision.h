/* SPDX-License-Identifier: ISC
 *
 * One commit of a git repository and the files in it, by libgit2: the bytes as git keeps them, no
 * filter, no line ends changed, nothing that is not committed. For the inside of this room.
 *
 * Whose repository it is, is not asked here: who calls opened it before in a way that does
 * (landing/git.h).
 */
#ifndef RELEASE_BUILD_REVISION_H
#define RELEASE_BUILD_REVISION_H

#include <git2.h>

#include "release/tree.h"

#define REVISION_DIGITS 40

typedef struct Revision {
	git_repository *repository;
	git_odb *odb;
	git_tree *tree;
	char sha[REVISION_DIGITS + 1];
	gint64 time_s; /* the committer's */
} Revision;

/* `sha`: 40 digits. Fails with DROVER_ERROR_NOT_FOUND (no repository, no such commit) or
 * DROVER_ERROR_INPUT (damaged; a time that no archive can hold). */
Revision *revision_open(const char *repository, const char *sha, GError **error);
void revision_free(Revision *revision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Revision, revision_free)

typedef enum RevisionKind {
	REVISION_FILE,
	REVISION_EXECUTABLE,
	REVISION_LINK,	    /* its bytes are the target */
	REVISION_SUBMODULE, /* no bytes */
} RevisionKind;

typedef struct RevisionEntry {
	const char *path;
	RevisionKind kind;
	const char *bytes; /* valid during the call */
	gsize size_bytes;
} RevisionEntry;

typedef gboolean (*RevisionVisitor)(const RevisionEntry *entry, gpointer of, GError **error);

/* Each file, link and submodule, in the order of git; stops with the visitor's error. Paths have
 * passed tree_check_path(). Fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. */
gboolean revision_each(
	const Revision *revision, RevisionVisitor visitor, gpointer of, GError **error);

/* The repository alone. */
git_repository *revision_open_repository(const char *path, GError **error);

#endif
