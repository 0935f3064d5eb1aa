/* SPDX-License-Identifier: ISC
 *
 * A resolver with other servers and other times than the machine's: for tests.
 */
#ifndef BALANCE_MONITOR_RESOLVER_PARTS_H
#define BALANCE_MONITOR_RESOLVER_PARTS_H

#include "balance/monitor/resolver.h"

typedef struct ResolverOptions {
	const char *servers;	 /* "127.0.0.1:5353,[::1]:53"; NULL: those of resolv_conf */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	guint16 port;		 /* of the servers in resolv_conf; 0: 53 */
	gint64 minimum_ms, maximum_ms, first_retry_ms, last_retry_ms;
	int try_ms; /* patience with a server, at its first try */
} ResolverOptions;

/* `options` and its texts are copied. */
Resolver *resolver_new_with(
	struct event_base *base, const ResolverOptions *options, GError **error);
/* Queries under way now, and at most so far. */
guint resolver_under_way(const Resolver *resolver, guint *peak);

#endif
