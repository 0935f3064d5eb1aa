/* SPDX-License-Identifier: ISC
 *
 * The log of verdicts in the store.
 */
#include "landing/verdict.h"

static const char sql_insert[] = "INSERT INTO verdict (product_id, landing_id, item, state, at_us, "
				 "actor, tool, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
static const char sql_list[] = "SELECT id, item, state, at_us, actor, tool, reason FROM verdict "
			       "WHERE landing_id = ? ORDER BY id DESC LIMIT ?";
#define OLD_AND_OVERRULED                                                                          \
	"FROM verdict WHERE at_us < ? AND EXISTS (SELECT 1 FROM verdict AS newer "                 \
	"WHERE newer.landing_id = verdict.landing_id AND newer.item = verdict.item "               \
	"AND newer.id > verdict.id)"
static const char sql_overruled[] = "SELECT count(*) " OLD_AND_OVERRULED;
static const char sql_summarise[] = "DELETE " OLD_AND_OVERRULED;

void verdict_free(Verdict *verdict)
{
	if (verdict == NULL)
		return;
	g_free(verdict->item);
	g_free(verdict->actor);
	g_free(verdict->tool);
	g_free(verdict->reason);
	g_free(verdict);
}

gboolean verdict_add(Store *store, const Product *product, gint64 landing_id,
	const Verdict *verdict, GError **error)
{
	return store_execute(store, error, sql_insert,
		STORE_PARAMS(STORE_INT(product->id), STORE_INT(landing_id),
			STORE_TEXT(verdict->item), STORE_TEXT(item_state_name(verdict->state)),
			STORE_INT(verdict->at_us), STORE_TEXT(verdict->actor),
			STORE_TEXT(verdict->tool), STORE_TEXT(verdict->reason)));
}

GPtrArray *verdict_list(Store *store, gint64 landing_id, gint64 limit, GError **error)
{
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify)verdict_free);
	g_autoptr(StoreRows) rows = store_query(
		store, error, sql_list, STORE_PARAMS(STORE_INT(landing_id), STORE_INT(limit)));
	for (gboolean more = TRUE; more;) {
		if (!store_rows_next(rows, &more, error))
			return NULL;
		if (!more)
			break;
		Verdict *verdict = g_new0(Verdict, 1);
		verdict->id = store_rows_integer(rows, 0);
		verdict->item = g_strdup(store_rows_text(rows, 1));
		item_state_parse(store_rows_text(rows, 2), &verdict->state);
		verdict->at_us = store_rows_integer(rows, 3);
		verdict->actor = g_strdup(store_rows_text(rows, 4));
		verdict->tool = g_strdup(store_rows_text(rows, 5));
		verdict->reason = g_strdup(store_rows_text(rows, 6));
		g_ptr_array_add(verdicts, verdict);
	}
	return g_steal_pointer(&verdicts);
}

static gboolean summarise(Store *store, gpointer of, GError **error)
{
	const gint64 *before_us = of;
	return store_execute(store, error, sql_summarise, STORE_PARAMS(STORE_INT(*before_us)));
}

gboolean verdict_summarise(Store *store, gint64 before_us, GError **error)
{
	gint64 overruled;
	return store_query_integer(store, error, 0, &overruled, sql_overruled,
		       STORE_PARAMS(STORE_INT(before_us))) &&
	       (overruled == 0 || store_write(store, summarise, &before_us, error));
}
