/* SPDX-License-Identifier: ISC
 *
 * Who changed what, when, from what to what, and why. Append-only, and hash-chained: each entry's
 * digest covers the one before, so an altered or removed entry breaks the chain, and a head that
 * was published (in a log, in a backup) shows when the end was cut off.
 *
 * digest = SHA-256 over the fields in the order of HistoryEntry, from `sequence` to `after`, each
 * as "LENGTH:BYTES," in decimal (absent: "-,"), preceded by the previous entry's digest in the same
 * form; before the first entry that is the SHA-256 of nothing, e3b0c442….
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "store/store.h"

#define HISTORY_MAXIMUM_LIMIT 1000

typedef struct HistoryEntry {
	gint64 sequence; /* 1, 2, 3 … without a hole */
	gint64 at_us;
	char *actor;   /* "ada", "root@host (store)", "drover scan" */
	char *action;  /* "verdict.add", "product.update" */
	char *subject; /* "product/web", "landing/web/43" */
	char *reason;  /* NULL when none was given */
	char *before;  /* JSON text, NULL for a creation */
	char *after;   /* JSON text, NULL for a deletion */
	char *digest;  /* hex */
} HistoryEntry;

void history_entry_free(HistoryEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HistoryEntry, history_entry_free)

/* Inside store_write(). Appends, and advances STORE_CHANGES: whoever writes history has changed
 * something that people see. Texts are copied. */
gboolean history_append(Store *store, gint64 at_us, const char *actor, const char *action,
	const char *subject, const char *reason, const char *before, const char *after,
	GError **error);

typedef struct HistoryFilter {
	const char *subject_prefix; /* NULL: all; "product/web" also finds what is below it */
	const char *actor;	    /* NULL: all */
	gint64 before_sequence;	    /* 0: from the newest */
	gint64 limit;		    /* 1 … HISTORY_MAXIMUM_LIMIT */
} HistoryFilter;

/* Newest first: GPtrArray of HistoryEntry *. */
GPtrArray *history_list(Store *store, const HistoryFilter *filter, GError **error);
/* Fails with DROVER_ERROR_NOT_FOUND. */
HistoryEntry *history_get(Store *store, gint64 sequence, GError **error);

typedef struct HistoryVerdict {
	gint64 entries; /* that fit */
	char *head; /* digest of the newest of them; the empty text's digest when there is none */
	gint64 broken_at; /* 0, or the first sequence that does not fit */
	char *problem;	  /* NULL, or what is wrong in words, a head that was not found included */
	gboolean head_found; /* the expected head is an entry's digest (TRUE when none was expected)
			      */
} HistoryVerdict;

/* Reads the whole chain. `expected_head` may be NULL. An error is only that reading failed: what
 * the chain says stands in the verdict. */
gboolean history_verify(
	Store *store, const char *expected_head, HistoryVerdict *verdict, GError **error);
void history_verdict_clear(HistoryVerdict *verdict);
gboolean history_head(Store *store, char **head, gint64 *sequence, GError **error);

#endif
