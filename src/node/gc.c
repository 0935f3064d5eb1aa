/* SPDX-License-Identifier: ISC
 *
 * Removing releases that nobody needs: out of the journal with the intent, aside by one rename,
 * then deleted.
 */
#include <string.h>

#include "base/file.h"
#include "node/place_parts.h"
#include "node/install.h"

static gboolean is_named(const GPtrArray *named, const char *version)
{
	for (guint i = 0; named != NULL && i < named->len; i++)
		if (strcmp(named->pdata[i], version) == 0)
			return TRUE;
	return FALSE;
}

/* Of those that nothing else keeps, the newest `keep` stay. Versions are copied. */
static GPtrArray *choose(const Place *place, gint64 keep, const GPtrArray *named)
{
	GPtrArray *chosen = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < place->installed->len; i++) {
		const Installed *installed = place->installed->pdata[i];
		if (g_strcmp0(installed->version, place->current) == 0 ||
			g_strcmp0(installed->version, place->previous) == 0 ||
			is_named(named, installed->version))
			continue;
		if (keep-- <= 0)
			g_ptr_array_add(chosen, g_strdup(installed->version));
	}
	return chosen;
}

static gboolean remove_one(Place *place, const char *version, gint64 now_us, GError **error)
{
	return place_begin(place, INTENT_REMOVE, version, NULL, NULL, now_us, error) &&
	       place_discard(place, version, error) &&
	       (place_forget(place, version), place_end(place, error));
}

gboolean node_gc(Place *place, const NodeDeed *deed, gint64 keep, const GPtrArray *named,
	gboolean dry_run, GPtrArray *removed, GError **error)
{
	if (!dry_run && !node_recover(place, deed, error))
		return FALSE;
	g_autoptr(GPtrArray) chosen = choose(place, keep, named);
	for (guint i = 0; i < chosen->len; i++) {
		const char *version = chosen->pdata[i];
		if (!dry_run && !remove_one(place, version, clock_now_us(deed->clock), error))
			return FALSE;
		if (removed != NULL)
			g_ptr_array_add(removed, g_strdup(version));
	}
	return TRUE;
}
