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
	GPtrArray *servers;   /* PoolServer *, by name */
	GHashTable *by_name;  /* the same, borrowed */
	GHashTable *held;     /* a set of them: held as of the last settling */
	GPtrArray *worked_on; /* reserved or draining, as of the last settling of all */
	guint64 drains;	      /* asked for so far: numbers them */
	/* How many servers … Kept by pool_count() and pool_uncount(). */
	guint counting;	  /* … count for the floor */
	guint serving;	  /* … are pooled and up */
	guint able;	  /* … are pooled and up or in maintenance */
	guint maintained; /* … are in maintenance, and may be pooled */
	gboolean any_up;  /* as of the last settling: some were serving */
	GArray *changes, *news;
};

/* Each server is counted once, by its facts; they change only while it is not. */
void pool_count(Pool *pool, const PoolServer *server);
void pool_uncount(Pool *pool, const PoolServer *server);

typedef enum PoolSettle {
	/* After a drain: held servers leave only for servers that have passed a check. */
	POOL_SETTLE_DRAIN,
	/* After a list: besides, where servers are too few, those that are down come in. */
	POOL_SETTLE_LIST,
} PoolSettle;

/* Places all servers anew. */
void pool_settle(Pool *pool, PoolSettle how, gint64 now_ms);
/* After a check of `server`, which is not counted meanwhile: looks at it, and at others only where
 * something changes for them. Held servers leave as soon as the floor holds. */
void pool_settle_result(Pool *pool, PoolServer *server, gint64 now_ms);
/* TRUE when it counts for the floor. */
gboolean pool_server_counts(const PoolServer *server);
/* What the kernel is told about a server that is no longer listed. */
void pool_order_removed(Pool *pool, const PoolServer *server);
void pool_add_news(Pool *pool, PoolNewsKind kind, const PoolServer *server);

#endif
