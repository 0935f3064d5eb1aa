/* SPDX-License-Identifier: ISC
 *
 * What the pages about releases share.
 */
#ifndef PAGE_RELEASE_H
#define PAGE_RELEASE_H

#include "page/parts.h"

const char *link_to_releases(Html *html, const char *product);
const char *link_to_release(Html *html, const char *product, const char *version);
/* A version as a link to its page; a dash for NULL. */
void release_version(Html *html, const char *product, const char *version);
/* How many nodes run it of those that should, drawn and in words; `most` nodes are the whole
 * width. */
void release_nodes(Html *html, const json_t *release, gint64 most);
/* The channels that give it to somebody, as a list; a dash where there is none. */
void release_live(Html *html, const json_t *release);
/* The changes that would give it to somebody. Nothing when none waits. */
void release_waiting(Html *html, const json_t *release);
/* The heading of a page below a release, and the way back. `what` may be NULL. */
void release_heading(Html *html, const char *product, const char *version, const char *what);
/* For a product's card on the first page: where its releases are live. NULL, or none: nothing. */
void releases_line(Html *html, const PageFrame *frame, const char *product, const json_t *releases);

#define TREE_DEPTH 6 /* folders that are drawn inside each other; below it, paths stay whole */

/* The files that differ between two releases, as a tree of folders with sums. */
typedef struct ReleaseTree ReleaseTree;

/* `diff`: a ReleaseDiff, which must live as long as the tree. */
ReleaseTree *release_tree_new(const json_t *diff);
void release_tree_free(ReleaseTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleaseTree, release_tree_free)
/* "3 new, 12 changed, 1 gone; the tree grew from 1.2 MB to 1.3 MB" */
void release_tree_words(Html *html, const ReleaseTree *tree);
/* Folders above their files, as wide as what changed in them is large. Nothing when nothing did. */
void release_tree_picture(Html *html, const ReleaseTree *tree);
/* Folders that open, files with their sizes before and after; at most `limit` files. */
void release_tree_list(Html *html, const ReleaseTree *tree, gsize limit);

#endif
