/* SPDX-License-Identifier: ISC
 *
 * The pool: its events.
 *
 * Each event changes facts about servers (listed, up, draining) and then settles: who is in the
 * pool follows from the facts, the floor and, for servers that are down, from who was in it before.
 * Settling is in pool_settle.c. Rules: docs/balance.md, "The pool".
 */
#include "balance/pool_parts.h"

#include <string.h>

#include "base/error.h"

static void server_free(PoolServer *server)
{
	g_free(server->name);
	g_free(server->tallies);
	g_free(server);
}

static void change_clear(PoolChange *change)
{
	g_free(change->server);
}

static void news_clear(PoolNews *news)
{
	g_free(news->server);
}

static void take_policy(Pool *pool, const PoolPolicy *policy)
{
	g_assert(policy->rise >= 1 && policy->fall >= 1);
	g_strfreev(pool->monitors);
	pool->monitors = g_strdupv((char **)policy->monitors);
	pool->policy = *policy;
	pool->policy.monitors = (const char *const *)pool->monitors;
	pool->monitor_count = g_strv_length(pool->monitors);
}

Pool *pool_new(const PoolPolicy *policy)
{
	Pool *pool = g_new0(Pool, 1);
	take_policy(pool, policy);
	pool->servers = g_ptr_array_new_with_free_func((GDestroyNotify)server_free);
	pool->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	pool->held = g_hash_table_new(NULL, NULL);
	pool->worked_on = g_ptr_array_new();
	pool->changes = g_array_new(FALSE, FALSE, sizeof(PoolChange));
	pool->news = g_array_new(FALSE, FALSE, sizeof(PoolNews));
	g_array_set_clear_func(pool->changes, (GDestroyNotify)change_clear);
	g_array_set_clear_func(pool->news, (GDestroyNotify)news_clear);
	return pool;
}

void pool_free(Pool *pool)
{
	if (pool == NULL)
		return;
	g_strfreev(pool->monitors);
	g_hash_table_unref(pool->by_name);
	g_hash_table_unref(pool->held);
	g_ptr_array_unref(pool->worked_on);
	g_ptr_array_unref(pool->servers);
	g_array_unref(pool->changes);
	g_array_unref(pool->news);
	g_free(pool);
}

static void begin(Pool *pool)
{
	g_array_set_size(pool->changes, 0);
	g_array_set_size(pool->news, 0);
}

static PoolServer *find(const Pool *pool, const char *name)
{
	return g_hash_table_lookup(pool->by_name, name);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const PoolServer *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

/* Lists */

static PoolServer *add_server(Pool *pool, const PoolEntry *entry)
{
	PoolServer *server = g_new0(PoolServer, 1);
	server->name = g_strdup(entry->name);
	server->weight = POOL_DEFAULT_WEIGHT;
	server->enabled = TRUE;
	server->up = !pool->policy.pessimistic || pool->monitor_count == 0;
	server->drain = entry->drain;
	server->forced = entry->forced;
	server->drain_number = entry->drain != POOL_DRAIN_NONE ? ++pool->drains : 0;
	server->recovered_ms = G_MININT64;
	server->tallies = g_new0(PoolTally, pool->monitor_count);
	g_ptr_array_add(pool->servers, server);
	g_hash_table_insert(pool->by_name, server->name, server);
	return server;
}

static void apply_entry(Pool *pool, const PoolEntry *entry)
{
	PoolServer *server = find(pool, entry->name);
	if (server == NULL)
		server = add_server(pool, entry);
	server->listed = TRUE;
	server->ready |= entry->ready;
	if (entry->has_enabled)
		server->enabled = entry->enabled;
	if (entry->has_weight)
		server->weight = entry->weight;
}

static void drop_unlisted(Pool *pool)
{
	for (guint i = pool->servers->len; i-- > 0;) {
		PoolServer *server = pool->servers->pdata[i];
		if (server->listed)
			continue;
		pool_order_removed(pool, server);
		g_hash_table_remove(pool->by_name, server->name);
		g_hash_table_remove(pool->held, server);
		g_ptr_array_remove_index(pool->servers, i);
	}
}

void pool_update(Pool *pool, const PoolEntry *entries, gsize count, gint64 now_ms)
{
	begin(pool);
	for (guint i = 0; i < pool->servers->len; i++)
		((PoolServer *)pool->servers->pdata[i])->listed = FALSE;
	for (gsize i = 0; i < count; i++)
		apply_entry(pool, &entries[i]);
	drop_unlisted(pool);
	g_ptr_array_sort(pool->servers, by_name);
	pool_settle(pool, POOL_SETTLE_LIST, now_ms);
}

gboolean pool_set_ready(Pool *pool, const char *name, gint64 now_ms)
{
	begin(pool);
	PoolServer *server = find(pool, name);
	if (server == NULL)
		return FALSE;
	if (!server->ready) {
		server->ready = TRUE;
		pool_settle(pool, POOL_SETTLE_LIST, now_ms);
	}
	return TRUE;
}

/* Results */

static void tally(const Pool *pool, PoolTally *tally, PoolResult result)
{
	gboolean good = result == POOL_RESULT_UP, bad = result == POOL_RESULT_DOWN;
	tally->last_good = good;
	tally->good_in_a_row = good ? MIN(tally->good_in_a_row + 1, POOL_MAXIMUM_IN_A_ROW) : 0;
	tally->bad_in_a_row = bad ? MIN(tally->bad_in_a_row + 1, POOL_MAXIMUM_IN_A_ROW) : 0;
	if (!good && !bad)
		tally->verdict = POOL_MAINTENANCE;
	else if (good && tally->good_in_a_row >= pool->policy.rise)
		tally->verdict = POOL_PASSING;
	else if (bad && tally->bad_in_a_row >= pool->policy.fall)
		tally->verdict = POOL_FAILING;
}

/* Up is left at the first failing verdict, and reached again when all agree. In between nothing
 * changes. */
static void judge(Pool *pool, PoolServer *server, gint64 now_ms)
{
	guint passing = 0, failing = 0, maintenance = 0;
	for (guint i = 0; i < pool->monitor_count; i++) {
		const PoolTally *one = &server->tallies[i];
		passing += one->verdict == POOL_PASSING && one->last_good;
		failing += one->verdict == POOL_FAILING;
		maintenance += one->verdict == POOL_MAINTENANCE;
	}
	gboolean was_up = server->up, was_maintenance = server->maintenance;
	server->maintenance = failing == 0 && maintenance > 0;
	if (failing > 0 || maintenance > 0)
		server->up = FALSE;
	else if (passing == pool->monitor_count)
		server->up = TRUE;
	if (server->up && !was_up && server->failed)
		server->recovered_ms = now_ms;
	server->failed |= failing > 0 || maintenance > 0;
	if (server->up && !was_up)
		pool_add_news(pool, POOL_NEWS_UP, server);
	else if (server->maintenance && !was_maintenance)
		pool_add_news(pool, POOL_NEWS_MAINTENANCE, server);
	else if (!server->up && !server->maintenance && (was_up || was_maintenance))
		pool_add_news(pool, POOL_NEWS_DOWN, server);
}

gboolean pool_result(Pool *pool, const char *name, guint monitor, PoolResult result, gint64 now_ms)
{
	begin(pool);
	PoolServer *server = find(pool, name);
	if (server == NULL || !server->ready || monitor >= pool->monitor_count)
		return FALSE;
	gboolean up = server->up, maintenance = server->maintenance;
	gboolean may_release = g_hash_table_size(pool->held) > 0 && pool_can_depool(pool);
	pool_uncount(pool, server);
	tally(pool, &server->tallies[monitor], result);
	server->checked |= result == POOL_RESULT_UP;
	judge(pool, server, now_ms);
	/* Nearly every result says what the last one said; those must cost nothing. */
	if (server->up != up || server->maintenance != maintenance || may_release)
		pool_settle_result(pool, server, now_ms);
	else
		pool_count(pool, server);
	return TRUE;
}

/* Policy */

static PoolTally *tallies_for(const Pool *pool, const PoolServer *server, char **before)
{
	PoolTally *tallies = g_new0(PoolTally, pool->monitor_count);
	for (guint i = 0; i < pool->monitor_count; i++)
		for (guint k = 0; before[k] != NULL; k++)
			if (strcmp(pool->monitors[i], before[k]) == 0)
				tallies[i] = server->tallies[k];
	return tallies;
}

void pool_set_policy(Pool *pool, const PoolPolicy *policy, gint64 now_ms)
{
	begin(pool);
	g_auto(GStrv) before = g_strdupv(pool->monitors);
	take_policy(pool, policy);
	for (guint i = 0; i < pool->servers->len; i++) {
		PoolServer *server = pool->servers->pdata[i];
		PoolTally *tallies = tallies_for(pool, server, before);
		g_free(server->tallies);
		server->tallies = tallies;
		judge(pool, server, now_ms);
	}
	pool_settle(pool, POOL_SETTLE_LIST, now_ms);
}

/* Drains */

static gboolean refuse_drain(const Pool *pool, const PoolServer *server, GError **error)
{
	guint counting = pool->counting, total = pool->servers->len;
	guint left = pool_server_counts(server) ? counting - 1 : counting;
	if (threshold_is_reached(pool->policy.threshold, left, total))
		return FALSE;
	g_autofree char *threshold = threshold_text(pool->policy.threshold);
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"drain of %s refused: %u of %u servers are up and not draining, threshold %s needs "
		"%" G_GUINT64_FORMAT " left; %u would remain",
		server->name, counting, total, threshold, pool_needed(pool), left);
	return TRUE;
}

/* Brings the server to `wanted` at least. */
static gboolean ask_drain(Pool *pool, const char *name, PoolDrain wanted, gboolean forced,
	gint64 now_ms, GError **error)
{
	begin(pool);
	PoolServer *server = find(pool, name);
	if (server == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"drain refused: %s is not in the pool's list", name);
		return FALSE;
	}
	if (server->drain == POOL_DRAIN_NONE) {
		if (!forced && refuse_drain(pool, server, error))
			return FALSE;
		server->drain_number = ++pool->drains;
	}
	server->forced |= forced;
	if (server->drain < wanted) {
		server->drain = wanted;
		pool_settle(pool, POOL_SETTLE_DRAIN, now_ms);
	}
	return TRUE;
}

gboolean pool_reserve(Pool *pool, const char *name, gboolean forced, gint64 now_ms, GError **error)
{
	return ask_drain(pool, name, POOL_DRAIN_RESERVED, forced, now_ms, error);
}

gboolean pool_drain(Pool *pool, const char *name, gboolean forced, gint64 now_ms, GError **error)
{
	return ask_drain(pool, name, POOL_DRAIN_DRAINING, forced, now_ms, error);
}

gboolean pool_undrain(Pool *pool, const char *name, gint64 now_ms)
{
	begin(pool);
	PoolServer *server = find(pool, name);
	if (server == NULL)
		return FALSE;
	if (server->drain != POOL_DRAIN_NONE) {
		server->drain = POOL_DRAIN_NONE;
		server->forced = FALSE;
		pool_settle(pool, POOL_SETTLE_LIST, now_ms);
	}
	return TRUE;
}

void pool_drained(Pool *pool, const char *name)
{
	begin(pool);
	PoolServer *server = find(pool, name);
	if (server != NULL && server->order == POOL_ORDER_DRAIN)
		server->order = POOL_ORDER_ABSENT;
}

/* Questions */

const GArray *pool_changes(const Pool *pool)
{
	return pool->changes;
}

const GArray *pool_news(const Pool *pool)
{
	return pool->news;
}

const GPtrArray *pool_servers(const Pool *pool)
{
	return pool->servers;
}

const PoolServer *pool_find(const Pool *pool, const char *name)
{
	return find(pool, name);
}

guint pool_counting(const Pool *pool)
{
	return pool->counting;
}

guint64 pool_needed(const Pool *pool)
{
	return threshold_needed(pool->policy.threshold, pool->servers->len);
}

guint pool_held_count(const Pool *pool)
{
	return g_hash_table_size(pool->held);
}

guint pool_able(const Pool *pool)
{
	return pool->able;
}

gboolean pool_can_depool(const Pool *pool)
{
	return threshold_is_reached(pool->policy.threshold, pool->counting, pool->servers->len);
}

gboolean pool_server_is_up(const PoolServer *server)
{
	return server->up && server->ready;
}
