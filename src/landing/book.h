/* SPDX-License-Identifier: ISC
 *
 * The landings of a product in memory: what lists, pages and reminders need of each, and the
 * heart's index over them. A book is derived from the store and follows it: refreshing reads only
 * landings and verdicts that are new, or everything when the product's epoch moved. It holds only
 * what was committed.
 */
#ifndef LANDING_BOOK_H
#define LANDING_BOOK_H

#include "landing/deployable.h"
#include "landing/product.h"

typedef struct BookItem {
	const char *id;
	guint32 key;	   /* the index's number for it */
	ItemState verdict; /* the newest; ITEM_UNRULED for none */
} BookItem;

typedef struct BookLanding {
	gint64 id;
	gint64 ordinal;
	gint64 landed_us;
	gint64 commits;
	const char *revision, *subject, *author_name, *author_email;
	const char *notes;    /* lines, NULL for none */
	LandingQa message_qa; /* what its message says */
	LandingQa qa;	      /* with the newest verdict on the landing itself */
	BookItem *items;
	guint item_count;
	gint64 *rollbacks; /* ordinals; 0 historic, -1 not found */
	guint rollback_count;
	gint64 *fixes;
	guint fix_count;
} BookLanding;

typedef struct LandingBook LandingBook;
typedef struct LandingBooks LandingBooks;

/* All books of the process. Thread-safe. */
LandingBooks *landing_books_new(void);
void landing_books_free(LandingBooks *books);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LandingBooks, landing_books_free)

/* The product's book, as new as the store; nobody else has it until landing_book_release(). Call it
 * inside a transaction, before that transaction writes. Fails with DROVER_ERROR_NOT_FOUND. */
LandingBook *landing_books_take(
	LandingBooks *books, Store *store, const char *product, GError **error);
void landing_book_release(LandingBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LandingBook, landing_book_release)

const Product *landing_book_product(const LandingBook *book);
DeployableIndex *landing_book_index(LandingBook *book);
guint landing_book_count(const LandingBook *book);
/* By position, oldest first. */
const BookLanding *landing_book_at(const LandingBook *book, guint position);
/* NULL when there is none. */
const BookLanding *landing_book_find(const LandingBook *book, gint64 ordinal);
/* What a verdict on the landing itself makes of it: ok and bad rule, needs-testing gives the word
 * back to its message. */
LandingQa book_landing_qa_after(const BookLanding *landing, ItemState state);
const BookItem *book_landing_item(const BookLanding *landing, const char *item);
/* The item's name for the index's number. */
const char *landing_book_item_name(const LandingBook *book, guint32 key);

/* A landing by its ordinal, or 7 or more digits of its revision, or a revision that an importer
 * named. Fails with DROVER_ERROR_NOT_FOUND, or DROVER_ERROR_INPUT when several match. */
const BookLanding *landing_book_resolve(const LandingBook *book, const char *name, GError **error);

/* It waits for somebody's QA: pending, and its change is in the tree at the tip. */
gboolean landing_book_waits(LandingBook *book, const BookLanding *landing);
/* SHA-256 over "ORDINAL REVISION STATE\n" of every landing: equal digest, equal states. Owned by
 * the book. */
const char *landing_book_digest(LandingBook *book);
/* The same, or NULL when this very digest was told before: for logs that say a state once. */
const char *landing_book_tell_digest(LandingBook *book);

#endif
