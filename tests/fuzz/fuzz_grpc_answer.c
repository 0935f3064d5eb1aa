/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a gRPC server's: the call comes to an end, with words, when the server closes.
 */
#include <stdint.h>

#include "balance/monitor/grpc_health.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void send_all(GrpcHealth *call)
{
	const guint8 *sent;
	for (int i = 0; grpc_health_next(call, &sent) > 0; i++)
		g_assert(i < 100000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *why = NULL;
	g_autoptr(GrpcHealth) call = grpc_health_new("a:1", "s", size % 2 == 1);
	send_all(call);
	gsize first = size / 2;
	grpc_health_feed(call, bytes, first);
	send_all(call);
	if (grpc_health_state(call, &why) == GRPC_UNDER_WAY) {
		grpc_health_feed(call, bytes + first, size - first);
		send_all(call);
	}
	grpc_health_close(call);
	g_assert(grpc_health_state(call, &why) != GRPC_UNDER_WAY);
	g_assert(why != NULL && g_utf8_validate(why, -1, NULL));
	return 0;
}
