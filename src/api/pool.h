/* SPDX-License-Identifier: ISC
 *
 * Pools as the store has them, for the files of this room that deal with pools (docs/pools.md):
 *
 *     pool.c          people: lists of servers
 *     pool_orders.c   people: orders; balancers: what they are to do
 *     pool_report.c   balancers: what they see
 *     pool_view.c     both sides together, as people look at it
 *     pool_public.c   lists as PyBal reads them
 *
 * A version is taken from the counter 'pools' by each change of a list or of an order, so it never
 * comes back, not even for a pool that was removed and added again; and an order's id is the
 * version that it came with.
 */
#ifndef API_POOL_H
#define API_POOL_H

#include "api/api.h"
#include "api/host.h"

#define POOLS_MAXIMUM		  1000
#define POOL_LABEL_MAXIMUM_BYTES  63  /* a pool's name */
#define POOL_TITLE_MAXIMUM_BYTES  200 /* for people */
#define POOL_NOTES_MAXIMUM_BYTES  4096
#define POOL_HOST_MAXIMUM_BYTES	  255
#define POOL_LIST_MAXIMUM_SERVERS 2000
#define POOL_LIST_MAXIMUM_WEIGHT  65535
#define POOL_WEIGHT_DEFAULT	  10

#define API_MAXIMUM_REPORT_BYTES   (4 * 1024 * 1024)
#define POOL_REPORT_MAXIMUM_ALERTS 100
#define POOL_SILENT_S		   90 /* who did not report for longer is shown as silent */
#define POOL_EVENTS_KEPT	   50 /* of one server at one balancer */
#define POOL_EVENT_DAYS		   7
#define POOL_POLL_MS		   25000 /* how long a balancer's question for orders waits */

#define STORE_POOLS "pools" /* the counter of versions */
#define STORE_EPOCH "epoch"

typedef struct PoolMember {
	char *host;
	gint64 weight;
	gboolean is_enabled;
	char *wanted; /* serve, reserve, drain */
	gint64 order_id;
	gboolean forced;
	char *asked_by; /* NULL: nobody asked */
	gint64 asked_us;
	char *reason;
} PoolMember;

typedef struct PoolRecord {
	gint64 id;
	char *name;
	char *title;
	char *notes; /* NULL: none */
	gint64 version;
	gboolean force;
	gint64 data_version;
	GPtrArray *members; /* PoolMember *, by host */
} PoolRecord;

void pool_record_free(PoolRecord *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PoolRecord, pool_record_free)

/* Inside a transaction, as all that follows. Fails with DROVER_ERROR_NOT_FOUND. */
PoolRecord *pool_record_load(Store *store, const char *name, GError **error);
/* By name, with their members. */
GPtrArray *pool_record_list(Store *store, GError **error);
/* NULL when the list does not name it. */
PoolMember *pool_record_find(const PoolRecord *pool, const char *host);
/* The same as an error: DROVER_ERROR_NOT_FOUND. */
PoolMember *pool_record_require(const PoolRecord *pool, const char *host, GError **error);

PoolMember *pool_member_new(const char *host);
void pool_member_free(PoolMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PoolMember, pool_member_free)

/* The next version; it is the pool's when the transaction ends. Writes the pool's row. */
gboolean pool_record_move(Store *store, PoolRecord *pool, GError **error);
/* Writes what people edit, and moves data_version and version. */
gboolean pool_record_save(Store *store, PoolRecord *pool, GError **error);
gboolean pool_member_save(
	Store *store, const PoolRecord *pool, const PoolMember *member, GError **error);
gboolean pool_member_remove(Store *store, const PoolRecord *pool, const char *host, GError **error);

/* "web1.example.org", "10.0.0.1", "2001:db8::1": at most 255 letters, digits and -._: */
gboolean pool_host_check(const char *host, GError **error);

/* The API's PoolMember, PoolSettings. */
json_t *pool_member_json(const PoolMember *member);
json_t *pool_settings_json(const PoolRecord *pool);

/* The balancer that asks, from its token. Fails with DROVER_ERROR_DENIED for a node,
 * DROVER_ERROR_UNAUTHENTICATED when it was revoked meanwhile. */
gboolean pool_require_balancer(ApiCall *call, GError **error);

/* What a server is at one balancer, in one word, from its report about it: up, draining, drained,
 * held, down, maintenance, unchecked, disabled, out. Static. */
const char *pool_word(const json_t *observed);

/* Inside store_write(): each droverd that starts takes the next epoch, and no epoch is ever below
 * the seconds since 1970: also a store that was restored from a backup goes on above what balancers
 * have seen. */
gboolean pool_epoch_take(Store *store, gint64 now_us, GError **error);

/* The versions that balancers wait for. Calls `visit` for each pool. Inside a transaction. */
gboolean pool_each_version(Store *store, HostVisit visit, gpointer of, GError **error);

/* Reports that are the newest of their balancer, and older than POOL_SILENT_S. */
gboolean pool_count_silent(Store *store, gint64 now_us, gint64 *count, GError **error);

/* The list as PyBal reads it: a Python dict a line; JSON. Caller frees. */
char *pool_list_legacy(const PoolRecord *pool);
char *pool_list_json(const PoolRecord *pool);

/* Handlers in pool_orders.c, pool_report.c, pool_view.c. */
json_t *pool_give_order(ApiCall *call, GError **error);
json_t *pool_release_order(ApiCall *call, GError **error);
json_t *pool_show_orders(ApiCall *call, GError **error);
json_t *pool_take_report(ApiCall *call, GError **error);
json_t *pool_forget_balancer(ApiCall *call, GError **error);
json_t *pool_list_all(ApiCall *call, GError **error);
json_t *pool_show(ApiCall *call, GError **error);

#endif
