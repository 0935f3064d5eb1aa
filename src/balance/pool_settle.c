/* SPDX-License-Identifier: ISC
 *
 * The pool: who is in it, and what the kernel is told.
 *
 * In this order: servers that are up are in, servers that may not be are out, and those that went
 * down while in it are held; drains are revoked while the floor is broken; held servers leave when
 * it holds; after a list, servers that are down fill up what is missing; servers in maintenance are
 * in while no server that is up is. Rules: docs/balance.md, "The pool".
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

static void count(Pool *pool)
{
	pool->counting = 0;
	for (guint i = 0; i < pool->servers->len; i++)
		pool->counting += pool_server_counts(pool->servers->pdata[i]) ? 1 : 0;
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

static gboolean revoke_one(Pool *pool)
{
	PoolServer *chosen = NULL;
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (is_revocable(server) && goes_before(server, chosen))
			chosen = server;
	}
	if (chosen == NULL)
		return FALSE;
	chosen->drain = POOL_DRAIN_NONE;
	place(chosen);
	pool->counting++;
	pool_add_news(pool, POOL_NEWS_REVOKED, chosen);
	return TRUE;
}

/* Except after a check, only servers that have passed a check may send a held one away: the others
 * are up by hope alone. */
static gboolean may_release(const Pool *pool, PoolSettle how)
{
	if (how == POOL_SETTLE_RESULT || pool->monitor_count == 0)
		return pool_can_depool(pool);
	guint checked = 0;
	for (guint i = 0; i < pool->servers->len; i++) {
		const PoolServer *server = pool->servers->pdata[i];
		checked += pool_server_counts(server) && server->checked;
	}
	return threshold_is_reached(pool->policy.threshold, checked, pool->servers->len);
}

static void release_held(Pool *pool)
{
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (server->held)
			server->pooled = server->held = FALSE;
	}
}

static guint count_pooled(const Pool *pool)
{
	guint pooled = 0;
	for (guint i = 0; i < pool->servers->len; i++)
		pooled += ((PoolServer *)pool->servers->pdata[i])->pooled ? 1 : 0;
	return pooled;
}

static void place_maintained(Pool *pool)
{
	gboolean any_up = FALSE;
	for (guint i = 0; i < pool->servers->len; i++) {
		const PoolServer *server = pool->servers->pdata[i];
		any_up |= server->pooled && server->up;
	}
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (server->maintenance && is_eligible(server))
			server->pooled = !any_up;
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

static void order(Pool *pool, gint64 now_ms)
{
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		if (server->pooled)
			order_pooled(pool, server, now_ms);
		else
			order_left(pool, server);
	}
	g_array_sort(pool->changes, by_kind_and_name);
}

static void note_held(Pool *pool, const gboolean *before)
{
	pool->held = 0;
	for (guint i = 0; i < pool->servers->len; i++) {
		const PoolServer *server = pool->servers->pdata[i];
		pool->held += server->held ? 1 : 0;
		if (server->held != before[i])
			pool_add_news(
				pool, server->held ? POOL_NEWS_HELD : POOL_NEWS_RELEASED, server);
	}
}

void pool_settle(Pool *pool, PoolSettle how, gint64 now_ms)
{
	g_autofree gboolean *held_before = g_new(gboolean, pool->servers->len);
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		held_before[i] = server->held;
		place(server);
	}
	count(pool);
	while (!pool_can_depool(pool) && revoke_one(pool))
		continue;
	if (may_release(pool, how))
		release_held(pool);
	place_maintained(pool);
	if (how == POOL_SETTLE_LIST)
		fill(pool);
	note_held(pool, held_before);
	order(pool, now_ms);
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
