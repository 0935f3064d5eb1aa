/* SPDX-License-Identifier: ISC
 *
 * What the files of the pool share.
 */
#ifndef BALANCE_POOL_PARTS_H
#define BALANCE_POOL_PARTS_H

#include "balance/pool.h"

struct Pool {
	PoolPolicy policy; /* its monitors are `monitors` */
	char **monitors;
	guint monitor_count;
	GPtrArray *servers;  /* PoolServer *, by name */
	GHashTable *by_name; /* the same, borrowed */
	guint counting;	     /* as of the last settling: servers that count for the floor */
	guint held;
	guint64 drains; /* asked for so far: numbers them */
	GArray *changes, *news;
};

typedef enum PoolSettle {
	/* After a check: held servers leave as soon as the floor holds. */
	POOL_SETTLE_RESULT,
	/* After a drain: held servers leave only for servers that have passed a check. */
	POOL_SETTLE_DRAIN,
	/* After a list: besides, where servers are too few, those that are down come in. */
	POOL_SETTLE_LIST,
} PoolSettle;

void pool_settle(Pool *pool, PoolSettle how, gint64 now_ms);
/* TRUE when it counts for the floor. */
gboolean pool_server_counts(const PoolServer *server);
/* What the kernel is told about a server that is no longer listed. */
void pool_order_removed(Pool *pool, const PoolServer *server);
void pool_add_news(Pool *pool, PoolNewsKind kind, const PoolServer *server);

#endif
