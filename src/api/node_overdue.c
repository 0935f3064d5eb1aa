/* SPDX-License-Identifier: ISC
 *
 * Maintenance that lasts longer than was said. The node says so itself, but one that died in the
 * middle of it, or is cut off, says nothing any more: so its last report is looked at by our clock
 * too. A maintenance that is left on by a crash is never left on silently.
 */
#include "api/node.h"
#include "base/format.h"

static const char SQL_MAINTAINED[] =
	"SELECT node.name, product.name, report_json FROM node_product"
	" JOIN node ON node.id = node_product.node_id"
	" JOIN product ON product.id = node_product.product_id"
	" WHERE report_json LIKE '%\"maintenance\":{%' ORDER BY node.name, product.name";

gboolean node_is_overdue(const json_t *report, gint64 now_us)
{
	gint64 until_us;
	const json_t *maintenance = json_object_get(report, "maintenance");
	const char *until = json_text(maintenance, "until");
	if (!json_is_true(json_object_get(maintenance, "on")))
		return FALSE;
	return json_is_true(json_object_get(maintenance, "overdue")) ||
	       (until != NULL && parse_time(until, &until_us, NULL) && until_us <= now_us);
}

/* Adds one that is overdue; only the first is named. */
static void add(const StoreRows *rows, gint64 now_us, GString *first, gint64 *count)
{
	g_autoptr(json_t) report = json_loads(store_rows_text(rows, 2), 0, NULL);
	if (!node_is_overdue(report, now_us))
		return;
	const char *until = json_text(json_object_get(report, "maintenance"), "until");
	if ((*count)++ == 0)
		g_string_printf(first, "%s on %s is still in maintenance%s%s",
			store_rows_text(rows, 1), store_rows_text(rows, 0),
			until != NULL ? ", which was to end at " : "", until != NULL ? until : "");
}

gboolean node_tell_overdue(Store *store, gint64 now_us, gint64 *count, char **text, GError **error)
{
	gboolean more;
	g_autoptr(GString) said = g_string_new(NULL);
	g_autoptr(StoreRows) rows = store_query(store, error, SQL_MAINTAINED, STORE_NO_PARAMS);
	*count = 0;
	*text = NULL;
	while (store_rows_next(rows, &more, error)) {
		if (more) {
			add(rows, now_us, said, count);
			continue;
		}
		if (*count > 1)
			g_string_append_printf(
				said, ", and so are %" G_GINT64_FORMAT " more", *count - 1);
		if (*count > 0)
			*text = g_strdup_printf(
				"%s; end it there with drover-node maintenance off, or say "
				"a new time",
				said->str);
		return TRUE;
	}
	return FALSE;
}
