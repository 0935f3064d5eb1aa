/* SPDX-License-Identifier: ISC
 *
 * What the kernel's table should be, and the drains on the way there. Holds the intended table and
 * is shown the actual one; time is an argument. No kernel. Rules: docs/kernel.md, "Drains".
 */
#ifndef BALANCE_KERNEL_INTENT_H
#define BALANCE_KERNEL_INTENT_H

#include "balance/kernel/table.h"

typedef struct Intent Intent;

/* A server that was drained. */
typedef struct IntentNews {
	TableKey service;
	Address server;
} IntentNews;

Intent *intent_new(void);
void intent_free(Intent *intent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Intent, intent_free)

/* The table as it should be now. */
const Table *intent_table(const Intent *intent);
/* Keys of services that were ever wanted and may still be there: what is ours to remove. */
GHashTable *intent_ours(const Intent *intent);

/* New, or with other settings; one that was forgotten is wanted again. */
void intent_service(Intent *intent, const TableKey *key, const TableSettings *settings,
	TableForward forward, gint64 drain_timeout_ms);
/* Its servers drain, then it goes; at once: with whatever it has. */
void intent_forget(Intent *intent, const TableKey *key, gboolean at_once, gint64 now_ms);
/* The service must be wanted. `again`: edited even when nothing differs. */
void intent_serve(
	Intent *intent, const TableKey *key, const Address *server, guint weight, gboolean again);
/* Of services and servers that are not known: nothing. */
void intent_drain(
	Intent *intent, const TableKey *key, const Address *server, gboolean stay, gint64 now_ms);
void intent_remove(Intent *intent, const TableKey *key, const Address *server);

/* Looks at the actual table: servers that nobody wants begin to drain; drains end whose server has
 * weight 0 and no active connection there, is not there, or whose time is up; services that were
 * forgotten go when they are empty. `eager`: of a server without connections the weight need not
 * be 0. */
void intent_look(Intent *intent, const Table *actual, gboolean eager, gint64 now_ms);
/* The edits that were asked for again are done; what is neither wanted nor there is not ours. */
void intent_settled(Intent *intent, const Table *actual);
/* IntentNews since the last call; the caller owns them. */
GArray *intent_take_news(Intent *intent);

guint intent_draining(const Intent *intent);
/* Of one service. */
guint intent_draining_of(const Intent *intent, const TableKey *key);
gboolean intent_has_persistence(const Intent *intent);

#endif
