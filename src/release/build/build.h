/* SPDX-License-Identifier: ISC
 *
 * From a revision to a tree, its payload and a draft of its manifest, in a folder of its own:
 *
 *     FOLDER/tree/            what the release will hold
 *     FOLDER/payload.tar.zst
 *     FOLDER/manifest.draft   all but sequence (a low one), tag and deltas
 *     FOLDER/build.log, test.log
 *     FOLDER/cache/           dependencies by their digests, kept for the next build there
 *
 * Exported by libgit2 (nothing untracked comes along), dependencies by their digests, the build
 * without network, the tests on a copy of exactly the tree that is packed. A failure leaves the
 * logs and no manifest.draft. docs/release.md, "Building".
 *
 * Whose git repository it is, is not asked here: its owner's settings are believed. Call
 * git_check() of landing/git.h before.
 */
#ifndef RELEASE_BUILD_BUILD_H
#define RELEASE_BUILD_BUILD_H

#include "release/build/recipe.h"

#define BUILD_DRAFT_FILE   "manifest.draft"
#define BUILD_PAYLOAD_FILE "payload.tar.zst"
#define BUILD_TREE_FOLDER  "tree"

enum { BUILD_PATHS_NAMED = 20 /* of those that differ, in an error */ };

typedef enum BuildStep {
	BUILD_EXPORT,
	BUILD_DEPENDENCIES,
	BUILD_COMMAND, /* of done bytes: its log's */
	BUILD_HASH,
	BUILD_TEST, /* the same */
	BUILD_PACK,
	BUILD_VERIFY, /* the second build and the comparison */
} BuildStep;

typedef struct BuildWish {
	const char *repository; /* git */
	const char *revision;	/* 40 digits */
	const char *product, *version;
	gint64 landing;	       /* 0: none */
	const char *vendor;    /* folder or http(s) URL of dependencies; NULL: none is configured */
	const char *folder;    /* made; must not be there, or be empty, or one that we made */
	gboolean verify;       /* build twice and compare; a difference fails, naming the paths */
	gboolean with_network; /* of build and tests: only by a person's word */
	/* Said what is being done, and how far it is; total 0: unknown. May be NULL. */
	void (*progress)(BuildStep step, gint64 done_bytes, gint64 total_bytes, gpointer of);
	gpointer of;
} BuildWish;

/* The draft. Fails with DROVER_ERROR_INPUT (recipe, lock, tree, a dependency's digest, a command's
 * failure with the last lines of its log), DROVER_ERROR_NOT_FOUND (repository, revision, a
 * dependency), DROVER_ERROR_UNAVAILABLE (no network namespaces here, vendor away),
 * DROVER_ERROR_CONFLICT (the second build differs; the tests changed the tree; somebody else's
 * folder), DROVER_ERROR_LOCKED (another build is at work in the folder). */
Manifest *build_run(const BuildWish *wish, GError **error);
/* The draft of a folder that was built, its payload and tree compared with it. Fails with
 * DROVER_ERROR_NOT_FOUND (nothing was built there) or DROVER_ERROR_CONFLICT (altered since). */
Manifest *build_load(const char *folder, GError **error);
/* The draft alone, nothing compared. */
Manifest *build_read_draft(const char *folder, GError **error);

/* What is in the release but not in git, and the other way round, and where they differ. */
typedef struct BuildCheck {
	GPtrArray *only_release, *only_git, *changed; /* char *, sorted */
} BuildCheck;
void build_check_free(BuildCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BuildCheck, build_check_free)
BuildCheck *build_check(
	const char *repository, const char *revision, const Tree *tree, GError **error);

/* `name` on `revision`: made when it is not there (lightweight) and `make`, otherwise
 * DROVER_ERROR_NOT_FOUND; one that names another commit is DROVER_ERROR_CONFLICT. */
gboolean build_tag(const char *repository, const char *name, const char *revision, gboolean make,
	GError **error);

#endif
