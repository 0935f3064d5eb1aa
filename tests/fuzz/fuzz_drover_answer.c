/* SPDX-License-Identifier: ISC
 *
 * Any bytes as droverd's answer: sound orders, a sound warning, or words that can be shown.
 */
#include <stdint.h>
#include <string.h>

#include "balance/director/drover_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_orders(const DroverAnswer *orders)
{
	g_assert(orders->version >= 0 && orders->epoch >= 0);
	g_assert(orders->orders->len == orders->list->entries->len && orders->list->bad == 0);
	for (guint i = 0; i < orders->orders->len; i++) {
		const PoolEntry *entry = &g_array_index(orders->list->entries, PoolEntry, i);
		const SourceOrder *order = &g_array_index(orders->orders, SourceOrder, i);
		g_assert(server_list_is_host(entry->name));
		g_assert(entry->weight <= POOL_MAXIMUM_WEIGHT);
		g_assert(i == 0 || strcmp(entry[-1].name, entry->name) < 0);
		g_assert(order->drain <= POOL_DRAIN_DRAINING && order->id >= 0);
	}
}

static void check_words(const char *words)
{
	g_assert(g_utf8_validate(words, -1, NULL) && strpbrk(words, "\n\r\x1b") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL, clock_error = NULL;
	g_autofree char *warning = NULL;
	const char *text = (const char *)bytes;
	g_autoptr(DroverAnswer) orders = drover_answer_parse("web", text, size, &error);
	g_assert((orders == NULL) == (error != NULL));
	if (orders != NULL)
		check_orders(orders);
	else
		check_words(error->message);
	gboolean read = drover_answer_clock(text, size, &warning, &clock_error);
	g_assert(read == (clock_error == NULL));
	check_words(read ? (warning != NULL ? warning : "") : clock_error->message);
	g_autofree char *words = drover_answer_words(text, size);
	check_words(words);
	return 0;
}
