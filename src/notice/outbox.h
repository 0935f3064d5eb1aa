/* SPDX-License-Identifier: ISC
 *
 * Mail that must not be lost nor sent twice. A notice is queued in the same transaction as what caused it, under a
 * name (dedupe) that can be queued once, ever. Sending stores "sending" before DATA and the outcome after, so a
 * crash can repeat only what was between the two, with the same Message-ID: see docs/decisions.
 */
#ifndef NOTICE_OUTBOX_H
#define NOTICE_OUTBOX_H

#include "store/store.h"
#include "wire/mail.h"

#define OUTBOX_MAXIMUM_ATTEMPTS 20
#define OUTBOX_FIRST_RETRY_S 60        /* doubles with each try … */
#define OUTBOX_LAST_RETRY_S (6 * 3600) /* … up to this */

typedef struct OutboxNotice {
	const char *dedupe, *kind, *product, *recipient, *subject, *body;
	const char *thread; /* dedupe-like name of the thread; NULL: a thread of its own */
} OutboxNotice;

/* Inside store_write(). *queued is FALSE when that dedupe was queued before. */
gboolean outbox_queue(Store *store, gint64 now_us, const OutboxNotice *notice, const char *domain,
	gboolean *queued, GError **error);

typedef struct OutboxResult {
	gint64 sent, failed, waiting;
} OutboxResult;

/* Sends what is due, one after the other; the caller holds the job lock "mail". `server` NULL: nothing is
 * sent, all is counted as waiting. */
gboolean outbox_send_due(Store *store, Clock clock, const MailServer *server, const char *from,
	OutboxResult *result, GError **error);

#endif
