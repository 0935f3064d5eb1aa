/* SPDX-License-Identifier: ISC
 *
 * The list guard. With H the servers that are pooled and not known to be down, and H' those of them
 * that the new list keeps enabled: when H' < H and H' < threshold x the old total, the list is set
 * aside. Rule: docs/balance.md, "The list guard".
 */
#include "balance/guard.h"

enum { NAMES_SHOWN = 10 };

typedef struct Loss {
	guint before, after; /* H and H' */
	guint lost;
	GString *names;
} Loss;

static gboolean keeps_enabled(GHashTable *entries, const PoolServer *server)
{
	const PoolEntry *entry = g_hash_table_lookup(entries, server->name);
	return entry != NULL && (!entry->has_enabled || entry->enabled);
}

static void weigh(const Pool *pool, const ServerList *list, Loss *loss)
{
	g_autoptr(GHashTable) entries = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < list->entries->len; i++) {
		PoolEntry *entry = &g_array_index(list->entries, PoolEntry, i);
		g_hash_table_insert(entries, (char *)entry->name, entry);
	}
	const GPtrArray *servers = pool_servers(pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		if (!server->pooled || server->held)
			continue;
		loss->before++;
		if (keeps_enabled(entries, server)) {
			loss->after++;
		} else if (++loss->lost <= NAMES_SHOWN) {
			g_string_append_printf(
				loss->names, "%s%s", loss->lost > 1 ? ", " : "", server->name);
		}
	}
	if (loss->lost > NAMES_SHOWN)
		g_string_append_printf(loss->names, " and %u more", loss->lost - NAMES_SHOWN);
}

static gboolean is_too_costly(const Pool *pool, const ServerList *list, char **why)
{
	g_autoptr(GString) names = g_string_new(NULL);
	Loss loss = {.names = names};
	weigh(pool, list, &loss);
	guint64 needed = pool_needed(pool);
	if (loss.after >= loss.before || loss.after >= needed)
		return FALSE;
	*why = g_strdup_printf(
		"the new list is set aside: it would take away %s and leave %u of %u healthy "
		"servers, where %" G_GUINT64_FORMAT " of %u are needed; drover lvs accept "
		"obeys it all the same",
		names->str, loss.after, loss.before, needed, pool_servers(pool)->len);
	return TRUE;
}

GuardDecision guard_decide(
	const Pool *pool, const ServerList *list, const GuardPolicy *policy, char **why)
{
	*why = NULL;
	const char *stays =
		policy->have_last ? "the last good list stays"
				  : "there is no older list, so the kernel's table stays as it is";
	gboolean empty = list->entries->len == 0;
	if (list->bad > 0 && (policy->have_last || empty)) {
		*why = g_strdup_printf("%s: %u bad lines in the new one, %s", stays, list->bad,
			(char *)list->errors->pdata[0]);
		return GUARD_KEEP_LAST;
	}
	if (empty && !policy->allow_empty && !policy->forced) {
		*why = g_strdup_printf(
			"%s: the new one is empty; allow-empty = yes if that is meant", stays);
		return GUARD_KEEP_LAST;
	}
	if (policy->list_guard && !policy->forced && is_too_costly(pool, list, why))
		return GUARD_SET_ASIDE;
	if (list->bad == 0)
		return GUARD_OBEY;
	*why = g_strdup_printf("%u bad lines are skipped, there is no older list: %s", list->bad,
		(char *)list->errors->pdata[0]);
	return GUARD_OBEY_GOOD_LINES;
}
