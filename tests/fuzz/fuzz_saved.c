/* SPDX-License-Identifier: ISC
 *
 * Any bytes as what was kept on disk: taken whole and sound, or not at all.
 */
#include <stdint.h>

#include "balance/director/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const Saved *saved)
{
	for (guint i = 0; i < saved->servers->len; i++) {
		const SavedServer *server = &g_array_index(saved->servers, SavedServer, i);
		g_assert(server_list_is_host(server->host));
		g_assert(server->entry.weight <= POOL_MAXIMUM_WEIGHT);
	}
	for (guint i = 0; i < saved->drains->len; i++) {
		const SavedDrain *drain = &g_array_index(saved->drains, SavedDrain, i);
		g_assert(server_list_is_host(drain->host) && drain->order.id >= 0);
		g_assert(drain->drain <= POOL_DRAIN_DRAINING);
		g_assert(drain->drain == POOL_DRAIN_NONE || drain->who != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(Saved) saved = saved_new();
	g_autoptr(GError) list_error = NULL, drains_error = NULL;
	const char *text = (const char *)bytes;
	gboolean list = saved_parse_list(saved, "f", text, size, &list_error);
	gboolean drains = saved_parse_drains(saved, "f", text, size, &drains_error);
	g_assert(list == (list_error == NULL) && drains == (drains_error == NULL));
	g_assert(list || saved->servers->len == 0);
	g_assert(drains || saved->drains->len == 0);
	check(saved);
	return 0;
}
