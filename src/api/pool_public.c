/* SPDX-License-Identifier: ISC
 *
 * Lists as PyBal reads them. It knows of no orders: a server that is to be drained is a disabled
 * one to it, and a reserved one serves.
 */
#include <string.h>

#include "api/pool.h"

static gboolean is_enabled(const PoolMember *member)
{
	return member->is_enabled && strcmp(member->wanted, "drain") != 0;
}

/* Hosts hold no character that a literal would have to escape: pool_host_check(). */
char *pool_list_legacy(const PoolRecord *pool)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < pool->members->len; i++) {
		const PoolMember *member = pool->members->pdata[i];
		g_string_append_printf(text,
			"{ 'host': '%s', 'weight': %" G_GINT64_FORMAT ", 'enabled': %s }\n",
			member->host, member->weight, is_enabled(member) ? "True" : "False");
	}
	return g_string_free(text, FALSE);
}

char *pool_list_json(const PoolRecord *pool)
{
	g_autoptr(json_t) list = json_object();
	for (guint i = 0; i < pool->members->len; i++) {
		const PoolMember *member = pool->members->pdata[i];
		json_object_set_new(list, member->host,
			json_pack("{s:b, s:I}", "enabled", is_enabled(member), "weight",
				(json_int_t)member->weight));
	}
	return json_write_pretty(list);
}
