/* SPDX-License-Identifier: ISC
 *
 * The pool: who is in it, and what the kernel is told.
 *
 * In this order: servers that are up are in, servers that may not be are out, and those that went
 * down while in it are held; drains are revoked while the floor is broken; held servers leave when
 * it holds; after a list, servers that are down fill up what is missing; servers in maintenance are
 * in while no server that is up is. Rules: docs/balance.md, "The pool".
 *
 * A list or a drain settles all servers. A result settles its own, and those that it touches: many
 * thousands may fail in one moment, and each result would look at all of them. So what is asked of
 * all servers is kept in counters and sets.
 */
#include "balance/pool_parts.h"

#include <string.h>

static gboolean is_eligible(const PoolServer *server)
{
	return server->enabled && server->ready && server->drain != POOL_DRAIN_DRAINING;
}

gboolean pool_server_counts(const PoolServer *server)
{
	return server->enabled && server->ready && server->up && server->drain == POOL_DRAIN_NONE;
}

void pool_add_news(Pool *pool, PoolNewsKind kind, const PoolServer *server)
{
	PoolNews news = {kind, g_strdup(server->name)};
	g_array_append_val(pool->news, news);
}

/* A server that is down stays where it is: in the pool it is held until the floor lets it go. */
static void place(PoolServer *server)
{
	if (!is_eligible(server))
		server->pooled = FALSE;
	else if (server->up)
		server->pooled = TRUE;
	server->held = server->pooled && !server->up && !server->maintenance;
}

void pool_count(Pool *pool, const PoolServer *server)
{
	pool->counting += pool_server_counts(server) ? 1 : 0;
	pool->serving += server->pooled && server->up ? 1 : 0;
	pool->able += server->pooled && (server->up || server->maintenance) ? 1 : 0;
	pool->maintained += server->maintenance && is_eligible(server) ? 1 : 0;
}

void pool_uncount(Pool *pool, const PoolServer *server)
{
	pool->counting -= pool_server_counts(server) ? 1 : 0;
	pool->serving -= server->pooled && server->up ? 1 : 0;
	pool->able -= server->pooled && (server->up || server->maintenance) ? 1 : 0;
	pool->maintained -= server->maintenance && is_eligible(server) ? 1 : 0;
}

/* One settling. */
typedef struct Settling {
	Pool *pool;
	GPtrArray *touched; /* PoolServer *, of whom something may have changed */
	PoolServer *cause;  /* whose result it is, the first of them; NULL: all are touched */
	gint64 now_ms;
} Settling;

static void touch(Settling *settling, PoolServer *server)
{
	if (settling->cause != NULL && settling->cause != server)
		g_ptr_array_add(settling->touched, server);
}

static gboolean is_revocable(const PoolServer *server)
{
	return server->drain != POOL_DRAIN_NONE && !server->forced && server->up &&
	       server->enabled && server->ready;
}

/* Reservations go before drains, which have cost their clients something already; of each kind the
 * newest first. */
static gboolean goes_before(const PoolServer *server, const PoolServer *other)
{
	if (other == NULL || server->drain != other->drain)
		return other == NULL || server->drain < other->drain;
	return server->drain_number > other->drain_number;
}

static gboolean revoke_one(Settling *settling)
{
	Pool *pool = settling->pool;
	PoolServer *chosen = NULL;
	for (guint i = 0; i < pool->worked_on->len; i++) {
		PoolServer *server = pool->worked_on->pdata[i];
		if (is_revocable(server) && goes_before(server, chosen))
			chosen = server;
	}
	if (chosen == NULL)
		return FALSE;
	pool_uncount(pool, chosen);
	chosen->drain = POOL_DRAIN_NONE;
	place(chosen);
	pool_count(pool, chosen);
	g_ptr_array_remove_fast(pool->worked_on, chosen);
	touch(settling, chosen);
	pool_add_news(pool, POOL_NEWS_REVOKED, chosen);
	return TRUE;
}

/* Except after a check, only servers that have passed a check may send a held one away: the others
 * are up by hope alone. */
static gboolean may_release(const Settling *settling)
{
	const Pool *pool = settling->pool;
	if (settling->cause != NULL || pool->monitor_count == 0)
		return pool_can_depool(pool);
	guint checked = 0;
	for (guint i = 0; i < pool->servers->len; i++) {
		const PoolServer *server = pool->servers->pdata[i];
		checked += pool_server_counts(server) && server->checked;
	}
	return threshold_is_reached(pool->policy.threshold, checked, pool->servers->len);
}

/* Who is held is counted nowhere. */
static void release(PoolServer *server)
{
	if (server->held)
		server->pooled = server->held = FALSE;
}

static void release_held(Settling *settling)
{
	for (guint i = 0; i < settling->touched->len; i++)
		release(settling->touched->pdata[i]);
	if (settling->cause == NULL)
		return;
	GHashTableIter each;
	gpointer server;
	g_hash_table_iter_init(&each, settling->pool->held);
	while (g_hash_table_iter_next(&each, &server, NULL)) {
		release(server);
		touch(settling, server);
	}
}

static guint count_pooled(const Pool *pool)
{
	guint pooled = 0;
	for (guint i = 0; i < pool->servers->len; i++)
		pooled += ((PoolServer *)pool->servers->pdata[i])->pooled ? 1 : 0;
	return pooled;
}

static void maintain(Pool *pool, PoolServer *server)
{
	if (!server->maintenance || !is_eligible(server))
		return;
	pool_uncount(pool, server);
	server->pooled = !pool->any_up;
	pool_count(pool, server);
}

static void place_maintained(Settling *settling)
{
	Pool *pool = settling->pool;
	gboolean was_any_up = pool->any_up;
	pool->any_up = pool->serving > 0;
	for (guint i = 0; i < settling->touched->len; i++)
		maintain(pool, settling->touched->pdata[i]);
	if (settling->cause == NULL || pool->any_up == was_any_up || pool->maintained == 0)
		return;
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (!server->maintenance || server == settling->cause)
			continue;
		maintain(pool, server);
		touch(settling, server);
	}
}

/* Known to be down: hope alone (a pessimistic start) brings nobody in. */
static gboolean may_fill(const PoolServer *server)
{
	return is_eligible(server) && !server->up && !server->maintenance && !server->pooled &&
	       (server->failed || server->checked);
}

static void fill(Pool *pool)
{
	guint pooled = count_pooled(pool);
	guint64 needed = pool_needed(pool);
	for (guint i = 0; i < pool->servers->len && pooled < needed; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (!may_fill(server))
			continue;
		server->pooled = server->held = TRUE;
		pooled++;
	}
}

guint pool_server_weight(const PoolServer *server, gint64 slow_start_ms, gint64 now_ms)
{
	if (server->recovered_ms == G_MININT64 || server->weight == 0)
		return server->weight;
	gint64 elapsed_ms = now_ms - server->recovered_ms;
	if (elapsed_ms >= slow_start_ms)
		return server->weight;
	guint grown = elapsed_ms > 0 ? (guint)(server->weight * elapsed_ms / slow_start_ms) : 0;
	return MAX(grown, 1);
}

static void add_change(Pool *pool, PoolChangeKind kind, const PoolServer *server, guint weight)
{
	PoolChange change = {kind, g_strdup(server->name), weight};
	g_array_append_val(pool->changes, change);
}

/* It answers clients: it may finish what it has. */
static gboolean is_alive(const PoolServer *server)
{
	return server->ready && (server->up || server->maintenance);
}

static void order_pooled(Pool *pool, PoolServer *server, gint64 now_ms)
{
	guint weight = pool_server_weight(server, pool->policy.slow_start_ms, now_ms);
	if (server->order != POOL_ORDER_SERVE)
		add_change(pool, POOL_CHANGE_ADD, server, weight);
	else if (server->ordered_weight != weight)
		add_change(pool, POOL_CHANGE_EDIT, server, weight);
	server->order = POOL_ORDER_SERVE;
	server->ordered_weight = weight;
}

static void order_left(Pool *pool, PoolServer *server)
{
	if (server->order == POOL_ORDER_ABSENT)
		return;
	if (!is_alive(server)) {
		add_change(pool, POOL_CHANGE_REMOVE, server, 0);
		server->order = POOL_ORDER_ABSENT;
	} else if (server->order == POOL_ORDER_SERVE) {
		add_change(pool, POOL_CHANGE_DRAIN, server, 0);
		server->order = POOL_ORDER_DRAIN;
	}
}

void pool_order_removed(Pool *pool, const PoolServer *server)
{
	PoolServer leaving = *server;
	order_left(pool, &leaving);
}

static gint by_kind_and_name(gconstpointer a, gconstpointer b)
{
	const PoolChange *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->server, right->server);
}

static void order(const Settling *settling)
{
	Pool *pool = settling->pool;
	for (guint i = 0; i < settling->touched->len; i++) {
		PoolServer *server = settling->touched->pdata[i];
		if (server->pooled)
			order_pooled(pool, server, settling->now_ms);
		else
			order_left(pool, server);
	}
	g_array_sort(pool->changes, by_kind_and_name);
}

static void note_held(const Settling *settling)
{
	Pool *pool = settling->pool;
	for (guint i = 0; i < settling->touched->len; i++) {
		PoolServer *server = settling->touched->pdata[i];
		if (server->held == g_hash_table_contains(pool->held, server))
			continue;
		pool_add_news(pool, server->held ? POOL_NEWS_HELD : POOL_NEWS_RELEASED, server);
		if (server->held)
			g_hash_table_add(pool->held, server);
		else
			g_hash_table_remove(pool->held, server);
	}
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const PoolServer *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

/* With all facts settled and counted. */
static void settle(Settling *settling, gboolean fills)
{
	Pool *pool = settling->pool;
	while (!pool_can_depool(pool) && revoke_one(settling))
		continue;
	if (may_release(settling))
		release_held(settling);
	place_maintained(settling);
	if (fills)
		fill(pool);
	if (settling->cause != NULL)
		g_ptr_array_sort(settling->touched, by_name);
	note_held(settling);
	order(settling);
}

void pool_settle(Pool *pool, PoolSettle how, gint64 now_ms)
{
	Settling settling = {pool, pool->servers, NULL, now_ms};
	pool->counting = pool->serving = pool->able = pool->maintained = 0;
	g_ptr_array_set_size(pool->worked_on, 0);
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		place(server);
		pool_count(pool, server);
		if (server->drain != POOL_DRAIN_NONE)
			g_ptr_array_add(pool->worked_on, server);
	}
	settle(&settling, how == POOL_SETTLE_LIST);
}

void pool_settle_result(Pool *pool, PoolServer *server, gint64 now_ms)
{
	g_autoptr(GPtrArray) touched = g_ptr_array_new();
	Settling settling = {pool, touched, server, now_ms};
	g_ptr_array_add(touched, server);
	place(server);
	pool_count(pool, server);
	settle(&settling, FALSE);
}

gint64 pool_advance(Pool *pool, gint64 now_ms)
{
	gint64 next_ms = G_MAXINT64;
	g_array_set_size(pool->changes, 0);
	g_array_set_size(pool->news, 0);
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (!server->pooled || server->recovered_ms == G_MININT64)
			continue;
		order_pooled(pool, server, now_ms);
		gint64 left_ms = server->recovered_ms + pool->policy.slow_start_ms - now_ms;
		if (left_ms <= 0)
			server->recovered_ms = G_MININT64;
		else
			next_ms = MIN(next_ms, now_ms + MIN(left_ms, 1000));
	}
	return next_ms;
}
