/* SPDX-License-Identifier: ISC
 *
 * Any bytes as droverd's orders and as what a node remembers: what is taken says the same when it
 * was kept and read again, and what is next can be said of it.
 */
#include <stdint.h>
#include <string.h>

#include "node/follow.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void decide(const Order *order, const FollowMemory *memory)
{
	const FollowPlace place = {
		.running = "1.4.1", .is_installed = TRUE, .now_us = G_GINT64_CONSTANT(1) << 50};
	g_auto(FollowNext) next = {0};
	follow_next(order, &place, memory, &next);
	g_assert(next.why != NULL);
	g_assert(next.act == FOLLOW_NOTHING || (order != NULL && order->version != NULL));
	g_assert(next.until_us == 0 || next.until_us > place.now_us);
}

static void check_orders(const Orders *orders, const FollowMemory *memory)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = orders_text(orders);
	g_autoptr(Orders) again = orders_parse("again", text, strlen(text), &error);
	/* What is kept is a little longer than what came. */
	g_assert(again != NULL || drover_error_is(error, DROVER_ERROR_TOO_LARGE));
	g_assert(again == NULL || follow_may_take(again, orders, NULL));
	for (guint i = 0; i < orders->products->len; i++) {
		const Order *order = orders->products->pdata[i];
		g_assert(again == NULL || orders_find(again, order->product) != NULL);
		decide(order, memory);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_auto(FollowMemory) memory = {0}, again = {0};
	g_autoptr(Orders) orders = orders_parse("fuzz", (const char *)bytes, size, &error);
	g_assert((orders == NULL) == (error != NULL));
	if (follow_memory_parse("fuzz", (const char *)bytes, size, &memory, NULL)) {
		g_autofree char *text = follow_memory_text(&memory);
		g_assert(follow_memory_parse("again", text, strlen(text), &again, NULL));
		g_assert(g_strcmp0(memory.failed.version, again.failed.version) == 0);
		g_assert(memory.failures == again.failures && memory.code == again.code);
		decide(NULL, &memory);
	}
	if (orders != NULL)
		check_orders(orders, &memory);
	return 0;
}
