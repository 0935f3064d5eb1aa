/* SPDX-License-Identifier: ISC
 *
 * How long the pool takes when all of its servers fail one after another, and come back: half of
 * them leave, the others are held. docs/benchmarks.md has the figures.
 */
#include <stdio.h>

#include "balance/pool.h"

static double say(Pool *pool, guint count, PoolResult result)
{
	gint64 begin_us = g_get_monotonic_time();
	for (guint i = 0; i < count; i++) {
		char name[16];
		g_snprintf(name, sizeof name, "s%07u", i);
		pool_result(pool, name, 0, result, 0);
	}
	return (double)(g_get_monotonic_time() - begin_us) / 1000;
}

static void measure(guint count)
{
	static const char *const monitors[] = {"ProxyFetch", NULL};
	const PoolPolicy policy = {
		.threshold = THRESHOLD_HALF, .rise = 1, .fall = 1, .monitors = monitors};
	g_autoptr(Pool) pool = pool_new(&policy);
	g_autoptr(GStringChunk) names = g_string_chunk_new(4096);
	g_autofree PoolEntry *entries = g_new0(PoolEntry, count);
	for (guint i = 0; i < count; i++) {
		char name[16];
		g_snprintf(name, sizeof name, "s%07u", i);
		entries[i] = (PoolEntry){.name = g_string_chunk_insert(names, name), .ready = TRUE};
	}
	pool_update(pool, entries, count, 0);
	double down_ms = say(pool, count, POOL_RESULT_DOWN),
	       up_ms = say(pool, count, POOL_RESULT_UP);
	printf("%7u servers: all fail in %8.1f ms, all come back in %8.1f ms\n", count, down_ms,
		up_ms);
}

int main(void)
{
	measure(1000);
	measure(10000);
	measure(POOL_MAXIMUM_SERVERS);
	return 0;
}
