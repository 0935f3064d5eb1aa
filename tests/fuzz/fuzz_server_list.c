/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a server list, in both formats: sound entries, and errors that can be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "balance/server_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(ServerListFormat format, const uint8_t *bytes, size_t size)
{
	g_autoptr(ServerList) list = server_list_parse("l", format, (const char *)bytes, size);
	for (guint i = 0; i < list->entries->len; i++) {
		const PoolEntry *entry = &g_array_index(list->entries, PoolEntry, i);
		g_assert(server_list_is_host(entry->name));
		g_assert(entry->weight <= POOL_MAXIMUM_WEIGHT);
		g_assert(i == 0 || strcmp(entry[-1].name, entry->name) < 0);
		g_assert(format == SERVER_LIST_JSON || (entry->has_weight && entry->has_enabled));
	}
	for (guint i = 0; i < list->errors->len; i++)
		g_assert(g_utf8_validate(list->errors->pdata[i], -1, NULL));
	json_t *answer = server_list_json(list);
	char *shown = json_dumps(answer, 0);
	g_assert_nonnull(shown);
	free(shown);
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check(SERVER_LIST_LEGACY, bytes, size);
	check(SERVER_LIST_JSON, bytes, size);
	return 0;
}
