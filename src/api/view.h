/* SPDX-License-Identifier: ISC
 *
 * A product's landings as the API shows them (openapi.yaml: Landing, Need, Owner, ProductSummary).
 * A View looks at one book as it stands; it lives no longer than the book is held.
 */
#ifndef API_VIEW_H
#define API_VIEW_H

#include "landing/book.h"
#include "wire/json.h"

#define VIEW_MAXIMUM_BLOCKERS 1000
#define VIEW_STRIP_LANDINGS   60

typedef struct View {
	LandingBook *book;
	DeployableIndex *index;
	gint64 tip;	   /* 0: no landings */
	gint64 deployable; /* the newest; 0: none */
	GArray *blockers;  /* gint64, ascending: at the newest tip */
} View;

View *view_new(LandingBook *book);
void view_free(View *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(View, view_free)

/* null for 0 */
json_t *view_ordinal(gint64 ordinal);
json_t *view_landing(const View *view, const BookLanding *landing);
/* The blockers of a tip, as Landings. */
json_t *view_blockers(const View *view, gint64 tip);
json_t *view_needs(const View *view, gint64 tip);
/* Owners, by e-mail; each with what waits for their QA. */
json_t *view_owing(const View *view);
json_t *view_summary(const View *view);
json_t *view_settings(const Product *product);
/* The revision of a landing, or null for 0. */
json_t *view_revision(const View *view, gint64 ordinal);

#endif
