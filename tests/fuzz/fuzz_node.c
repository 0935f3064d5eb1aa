/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a node's configuration and as its journal: never a fault; a configuration that is
 * taken has what every reader counts on; a journal that is taken is read back as it is written.
 */
#include <stdint.h>
#include <string.h>

#include "node/place_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_config(const char *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(NodeConfig) config = node_config_parse("f", text, size, &error);
	g_assert((config == NULL) == (error != NULL));
	g_assert(error == NULL || g_utf8_validate(error->message, -1, NULL));
	for (guint i = 0; config != NULL && i < config->products->len; i++) {
		const NodeProduct *product = config->products->pdata[i];
		g_assert(manifest_check_name("product", product->name, NULL));
		g_assert(product->prefix[0] == '/' && product->keys[0] == '/');
		g_assert(product->sources[0] != NULL);
		g_assert(product->hook_timeout_s >= 1 && product->health_timeout_s >= 1);
		g_assert(product->readiness != NODE_READINESS_FORWARD ||
			 product->forward_to != NULL);
	}
}

static void check_journal(const char *text, gsize size)
{
	const NodeProduct product = {.name = (char *)"web", .prefix = (char *)"/srv/web"};
	g_autoptr(GError) error = NULL;
	g_autoptr(Place) place = place_new(&product);
	gboolean is_read = journal_parse(place, "f", text, size, &error);
	g_assert(is_read == (error == NULL));
	if (!is_read)
		return;
	g_autofree char *written = journal_text(place);
	g_autoptr(Place) again = place_new(&product);
	g_assert(journal_parse(again, "f", written, strlen(written), NULL));
	g_autofree char *same = journal_text(again);
	g_assert(strcmp(written, same) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check_config((const char *)bytes, size);
	check_journal((const char *)bytes, size);
	return 0;
}
