/* SPDX-License-Identifier: ISC
 *
 * Landings in the store: adding them at the tip, finding whose a commit is, retiring those that a
 * rewritten branch no longer has. Everything here runs inside store_write() or store_read() of the
 * caller.
 */
#ifndef LANDING_LEDGER_H
#define LANDING_LEDGER_H

#include "landing/deployable.h"
#include "landing/product.h"

#define LEDGER_HISTORIC	 0 /* a target older than the first landing */
#define LEDGER_NOT_FOUND -1

typedef struct LedgerTarget {
	gint64 ordinal;	 /* or LEDGER_HISTORIC, LEDGER_NOT_FOUND */
	char *reference; /* as it was written */
} LedgerTarget;

typedef struct LedgerItem {
	char *id;
	ItemState message_state; /* ITEM_UNRULED: the message says nothing */
} LedgerItem;

typedef struct LedgerLanding {
	gint64 ordinal;
	const char *revision, *branch, *author_name, *author_email, *subject, *message;
	gboolean has_one_commit; /* the landing itself is all of it: its row tells the commit */
	gint64 authored_us;	 /* of that one commit */
	gint64 landed_us;
	LandingQa qa;
	gint64 commits;
	gint64 changes;	   /* those of them that are no merges */
	GArray *items;	   /* LedgerItem */
	GArray *rollbacks; /* LedgerTarget */
	GArray *fixes;	   /* LedgerTarget */
	char *notes;	   /* lines; NULL for none */
} LedgerLanding;

LedgerLanding *ledger_landing_new(void);
void ledger_landing_free(LedgerLanding *landing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerLanding, ledger_landing_free)
void ledger_landing_add_item(LedgerLanding *landing, const char *id, ItemState message_state);
void ledger_target_add(GArray *targets, gint64 ordinal, const char *reference);
void ledger_landing_note(LedgerLanding *landing, const char *format, ...) G_GNUC_PRINTF(2, 3);

typedef struct LedgerWriter LedgerWriter;

/* Adds landings in the order of their ordinals. */
LedgerWriter *ledger_writer_new(Store *store, const Product *product, GError **error);
/* *landing_id (may be NULL) is the new row's, for ledger_writer_add_commit(). */
gboolean ledger_writer_add(
	LedgerWriter *writer, const LedgerLanding *landing, gint64 *landing_id, GError **error);
/* For landings that have several; the landing's own among them. */
gboolean ledger_writer_add_commit(LedgerWriter *writer, gint64 landing_id, const char *sha,
	const char *author_name, const char *author_email, gint64 authored_us, const char *subject,
	GError **error);
gboolean ledger_writer_finish(LedgerWriter *writer, GError **error);
void ledger_writer_free(LedgerWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerWriter, ledger_writer_free)

typedef struct LedgerOwner {
	gint64 landing_id; /* 0: nobody's */
	gint64 ordinal;
	gboolean is_whole; /* the commit stands for the landing's whole change */
} LedgerOwner;

/* Whose commit is it? `sha` in full. */
gboolean ledger_find_owner(
	Store *store, const Product *product, const char *sha, LedgerOwner *owner, GError **error);

/* Retires every landing above `ordinal`, and forgets their commits. *retired is their number. */
gboolean ledger_retire_after(Store *store, const Product *product, gint64 ordinal, gint64 now_us,
	gint64 *retired, GError **error);

#endif
