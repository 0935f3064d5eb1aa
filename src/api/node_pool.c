/* SPDX-License-Identifier: ISC
 *
 * Which nodes are servers of pools. Such a node gets connections from balancers, and nobody drains
 * it when its channel moves: to follow would cut them. So it waits for an order, unless a person
 * said that it always follows (docs/hosts.md). A node that runs nothing yet serves nobody.
 */
#include <gio/gio.h>
#include <string.h>

#include "api/node_pool.h"

static const char SQL_SERVERS[] = "SELECT pool.name, host FROM pool_server"
				  " JOIN pool ON pool.id = pool_server.pool_id"
				  " ORDER BY pool.name, host";

struct NodePools {
	GHashTable *by_host;  /* char *, in small letters -> char *: a pool */
	GHashTable *by_label; /* the same, by what is before the first dot */
};

/* Takes `key`. The first pool by its name stays. */
static void add_name(GHashTable *pools, char *key, const char *pool)
{
	if (g_hash_table_contains(pools, key))
		g_free(key);
	else
		g_hash_table_insert(pools, key, g_strdup(pool));
}

static void add_server(NodePools *pools, const char *pool, const char *host)
{
	g_autofree char *small = g_ascii_strdown(host, -1);
	const char *dot = strchr(small, '.');
	add_name(pools->by_host, g_strdup(small), pool);
	if (dot != NULL && !g_hostname_is_ip_address(small))
		add_name(pools->by_label, g_strndup(small, (gsize)(dot - small)), pool);
}

NodePools *node_pools_load(Store *store, GError **error)
{
	g_autoptr(NodePools) pools = g_new0(NodePools, 1);
	pools->by_host = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	pools->by_label = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_SERVERS, STORE_NO_PARAMS);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&pools);
		add_server(pools, store_rows_text(rows, 0), store_rows_text(rows, 1));
	}
	return NULL;
}

void node_pools_free(NodePools *pools)
{
	if (pools == NULL)
		return;
	g_hash_table_unref(pools->by_host);
	g_hash_table_unref(pools->by_label);
	g_free(pools);
}

const char *node_pools_find(const NodePools *pools, const char *name)
{
	g_autofree char *small = g_ascii_strdown(name, -1);
	const char *pool = g_hash_table_lookup(pools->by_host, small);
	if (pool != NULL || strchr(small, '.') != NULL || g_hostname_is_ip_address(small))
		return pool;
	return g_hash_table_lookup(pools->by_label, small);
}
