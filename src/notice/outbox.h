/* SPDX-License-Identifier: ISC
 *
 * Mail that must not be lost nor sent twice. A notice is queued in the same transaction as what
 * caused it, under a name (dedupe) that can be queued once, ever. Sending stores "sending" before
 * DATA and the outcome after, so a crash can repeat only what was between the two, with the same
 * Message-ID: see docs/decisions.
 *
 *     queued ──► sending ──► sent
 *       ▲           │ ├────► failed   the server's final word, or too many attempts
 *       └───────────┴─┘               later, perhaps sent, or a crash while sending
 */
#ifndef NOTICE_OUTBOX_H
#define NOTICE_OUTBOX_H

#include "store/store.h"
#include "wire/mail.h"

#define OUTBOX_MAXIMUM_ATTEMPTS 20
#define OUTBOX_FIRST_RETRY_S	60 /* doubles with each try … */
#define OUTBOX_LAST_RETRY_S                                                                        \
	(6 * 3600) /* … up to this: the last of 20 tries is 3 days after the first */
#define OUTBOX_MAXIMUM_ROUND 1000 /* mails that one call tries */
/* After so many mails in a row that the server did not take for now, the round ends: it is the
 * server that is away, and not these recipients. */
#define OUTBOX_PATIENCE	    5
#define OUTBOX_MAXIMUM_LIST 1000

typedef struct OutboxNotice {
	const char *dedupe, *kind, *product, *recipient, *subject, *body;
	const char *thread; /* dedupe-like name of the thread; NULL: a thread of its own */
} OutboxNotice;

/* Inside store_write(). *queued is FALSE when that dedupe was queued before. `domain` stands in the
 * Message-ID. */
gboolean outbox_queue(Store *store, gint64 now_us, const OutboxNotice *notice, const char *domain,
	gboolean *queued, GError **error);

typedef struct OutboxResult {
	gint64 sent, failed; /* by this call */
	gint64 waiting;	     /* still queued after it */
} OutboxResult;

/* How a mail leaves: the arguments and the outcome are mail_send()'s. */
typedef MailOutcome (*OutboxSend)(const Mail *mail, gpointer of, char **problem);

/* Sends what is due, in the order of ids; the caller holds the job lock "mail", so that what is
 * found in "sending" was left by a crash. A recipient's problem never stops the others. An error is
 * only that the store failed. */
gboolean outbox_send_due_by(Store *store, Clock clock, OutboxSend send, gpointer of,
	const char *from, OutboxResult *result, GError **error);
/* The same by SMTP. `server` NULL: nothing is sent, all is counted as waiting. */
gboolean outbox_send_due(Store *store, Clock clock, const MailServer *server, const char *from,
	OutboxResult *result, GError **error);

typedef struct OutboxEntry {
	gint64 id;
	char *dedupe, *kind, *product, *recipient, *subject, *state,
		*problem; /* product, problem: or NULL */
	gint64 attempts, queued_us;
	gint64 next_us; /* 0 unless it is queued */
	gint64 sent_us; /* 0 unless it was sent */
} OutboxEntry;

void outbox_entry_free(OutboxEntry *entry);
/* Newest first: GPtrArray of OutboxEntry *. `state` NULL: all. */
GPtrArray *outbox_list(Store *store, const char *state, gint64 limit, GError **error);
/* queued, sending, sent or failed. */
gboolean outbox_state_is_valid(const char *state);

/* What is of that kind, was queued before that time and is still not sent is out of date: it fails,
 * and `why` says so. Opens its own transaction when there is something to do. The caller holds the
 * job lock "mail". */
gboolean outbox_withdraw(
	Store *store, const char *kind, gint64 before_us, const char *why, GError **error);

/* What was sent before that time keeps its row (and so its dedupe) and loses its body. Opens its
 * own transaction when there is something to do; *count may be NULL. */
gboolean notice_summarise(Store *store, gint64 before_us, gint64 *count, GError **error);

#endif
