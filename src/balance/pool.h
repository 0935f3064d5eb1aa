/* SPDX-License-Identifier: ISC
 *
 * The heart of drover-lvs: which servers of a service get traffic, and with which weight. It takes
 * lists, results of checks and wishes to drain, and says what the kernel's table should become. No
 * clock, no socket, no log; time is an argument. Rules: docs/balance.md, "The pool".
 *
 * The floor: count(up, ready, enabled, neither draining nor reserved) >= count(all) x threshold.
 * While it holds, a server that fails may leave; when it does not, it is *held*: down, but kept.
 *
 * What an event changed stands in pool_changes() and pool_news() until the next event.
 */
#ifndef BALANCE_POOL_H
#define BALANCE_POOL_H

#include "balance/threshold.h"

#define POOL_DEFAULT_WEIGHT	10
#define POOL_MAXIMUM_WEIGHT	65535
#define POOL_MAXIMUM_SERVERS	100000 /* of one list; what reads lists sees to it */
#define POOL_MAXIMUM_NAME_BYTES 255    /* of a server's name */
#define POOL_MAXIMUM_MONITORS	16     /* of one service */
#define POOL_MAXIMUM_IN_A_ROW	1000   /* of rise and fall */

/* What the operator set. Copied by who takes it. */
typedef struct PoolPolicy {
	Threshold threshold;
	guint rise, fall;	     /* good and bad results in a row that it takes; from 1 */
	gboolean pessimistic;	     /* a server is down until it has passed its checks */
	gint64 slow_start_ms;	     /* how long the weight grows after recovery; 0: at once */
	const char *const *monitors; /* names, NULL-terminated */
} PoolPolicy;

typedef enum PoolVerdict {
	POOL_UNCHECKED, /* has said too little yet */
	POOL_PASSING,
	POOL_FAILING,
	POOL_MAINTENANCE, /* the server says so itself: not up, but an honest answer */
} PoolVerdict;

typedef enum PoolResult { POOL_RESULT_DOWN, POOL_RESULT_UP, POOL_RESULT_MAINTENANCE } PoolResult;

typedef enum PoolDrain {
	POOL_DRAIN_NONE,
	POOL_DRAIN_RESERVED, /* still gets traffic, counts as down for the floor */
	POOL_DRAIN_DRAINING, /* gets no new connections */
} PoolDrain;

/* What one monitor has said about one server. */
typedef struct PoolTally {
	PoolVerdict verdict;
	gboolean last_good;
	guint good_in_a_row, bad_in_a_row;
} PoolTally;

typedef enum PoolOrder { POOL_ORDER_ABSENT, POOL_ORDER_SERVE, POOL_ORDER_DRAIN } PoolOrder;

/* A server as it is. Read only; valid until the next event. */
typedef struct PoolServer {
	char *name;
	guint weight; /* as listed */
	gboolean enabled, ready;
	gboolean up; /* for the monitors; without an address it is not: pool_server_is_up() */
	gboolean maintenance;
	gboolean checked; /* some check of it has passed */
	gboolean failed;  /* it has been down since it was listed: its return is a recovery */
	PoolDrain drain;
	gboolean forced;      /* the drain: a person took the risk, it is not revoked */
	guint64 drain_number; /* the newest drain has the highest */
	gboolean pooled, held;
	gint64 recovered_ms; /* G_MININT64: never */
	PoolOrder order;     /* what the kernel was last told */
	guint ordered_weight;
	gboolean listed;    /* while a list is being applied: it is on it */
	PoolTally *tallies; /* one a monitor */
} PoolServer;

/* One server of a list. */
typedef struct PoolEntry {
	const char *name;
	gboolean has_enabled, enabled; /* absent: as before; TRUE for a new server */
	gboolean has_weight;
	guint weight;	 /* absent: as before; POOL_DEFAULT_WEIGHT for a new server */
	gboolean ready;	 /* it has an address; once TRUE it stays so */
	PoolDrain drain; /* of a new server: what was reserved before a restart */
	gboolean forced;
} PoolEntry;

typedef enum PoolChangeKind {
	POOL_CHANGE_ADD,    /* with `weight`; when the kernel still drains it, an edit */
	POOL_CHANGE_EDIT,   /* to `weight` */
	POOL_CHANGE_DRAIN,  /* to weight 0, and out when its connections are gone */
	POOL_CHANGE_REMOVE, /* at once: it is down */
} PoolChangeKind;

typedef struct PoolChange {
	PoolChangeKind kind;
	char *server;
	guint weight;
} PoolChange;

typedef enum PoolNewsKind {
	POOL_NEWS_UP,
	POOL_NEWS_DOWN,
	POOL_NEWS_MAINTENANCE,
	POOL_NEWS_HELD,	    /* down, but kept for the floor: raise an alert */
	POOL_NEWS_RELEASED, /* no longer held */
	POOL_NEWS_REVOKED,  /* its drain or reservation is taken back: tell who asked */
} PoolNewsKind;

typedef struct PoolNews {
	PoolNewsKind kind;
	char *server;
} PoolNews;

typedef struct Pool Pool;

Pool *pool_new(const PoolPolicy *policy);
void pool_free(Pool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pool, pool_free)

/* The events. `now_ms` is of a clock that never goes back.
 *
 * A new list, whole, that passed the guard. Of two entries of one name the last counts. */
void pool_update(Pool *pool, const PoolEntry *entries, gsize count, gint64 now_ms);
/* A changed policy. No server forgets its health: monitors are known by their names. */
void pool_set_policy(Pool *pool, const PoolPolicy *policy, gint64 now_ms);
/* The server has an address now. FALSE when it is not listed. */
gboolean pool_set_ready(Pool *pool, const char *name, gint64 now_ms);
/* What monitor number `monitor` of the policy found. FALSE, and nothing else, when the server is
 * not listed or not ready (a late result). */
gboolean pool_result(Pool *pool, const char *name, guint monitor, PoolResult result, gint64 now_ms);
/* Fails with DROVER_ERROR_CONFLICT, saying why, when the floor would break and it is not forced;
 * with DROVER_ERROR_NOT_FOUND when the server is not listed. Asking for what is there already
 * succeeds. */
gboolean pool_reserve(Pool *pool, const char *name, gboolean forced, gint64 now_ms, GError **error);
/* Stops new connections; reserves first when that has not been done. Fails like pool_reserve(). */
gboolean pool_drain(Pool *pool, const char *name, gboolean forced, gint64 now_ms, GError **error);
/* Takes back a reservation or a drain. FALSE when the server is not listed. */
gboolean pool_undrain(Pool *pool, const char *name, gint64 now_ms);
/* The kernel has let go of a server that it was told to drain. */
void pool_drained(Pool *pool, const char *name);
/* Time passed: weights of recovering servers grow. Returns when to come again, G_MAXINT64: never.
 */
gint64 pool_advance(Pool *pool, gint64 now_ms);

/* What the last event changed. First adds, then edits, drains, removals, each by name. PoolChange
 * and PoolNews in arrays of `pool`. */
const GArray *pool_changes(const Pool *pool);
const GArray *pool_news(const Pool *pool);

/* Sorted by name. PoolServer * in an array of `pool`. */
const GPtrArray *pool_servers(const Pool *pool);
/* NULL when it is not listed. */
const PoolServer *pool_find(const Pool *pool, const char *name);
/* Servers that count for the floor, and how many it needs. */
guint pool_counting(const Pool *pool);
guint64 pool_needed(const Pool *pool);
guint pool_held_count(const Pool *pool);
/* Pooled servers that can answer a client: up, or in maintenance. What routes depend on. */
guint pool_able(const Pool *pool);
gboolean pool_can_depool(const Pool *pool);

/* Monitors say up, and it has an address. */
gboolean pool_server_is_up(const PoolServer *server);
/* The weight that it has now: grows from 1 after recovery; 0 stays 0. */
guint pool_server_weight(const PoolServer *server, gint64 slow_start_ms, gint64 now_ms);

#endif
