/* SPDX-License-Identifier: ISC
 *
 * Names to addresses, by c-ares: the answer comes later, so a name that does not resolve delays no
 * other. A name is asked again when its time to live is over (between RESOLVER_MINIMUM_MS and
 * RESOLVER_MAXIMUM_MS), a failed one with growing pauses. An address that is gone from the answers
 * is changed for a new one; an answer that fails changes nothing. /etc/hosts goes before the name
 * servers of /etc/resolv.conf, and a change of either is noticed.
 */
#ifndef BALANCE_MONITOR_RESOLVER_H
#define BALANCE_MONITOR_RESOLVER_H

#include "balance/address.h"
#include "base/error.h"

struct event_base;

#define RESOLVER_MINIMUM_MS	   (30 * 1000)
#define RESOLVER_MAXIMUM_MS	   (60 * 60 * 1000)
#define RESOLVER_FIRST_RETRY_MS	   1000	       /* after a failure; doubles */
#define RESOLVER_LAST_RETRY_MS	   (60 * 1000) /* the longest pause after failures */
#define RESOLVER_MAXIMUM_QUERIES   256 /* under way; those that failed before get half of it */
#define RESOLVER_MAXIMUM_ADDRESSES 256 /* looked at in one answer */

typedef struct Resolver Resolver;
typedef struct ResolverName ResolverName;

Resolver *resolver_new(struct event_base *base, GError **error);
/* All names must have been left. */
void resolver_free(Resolver *resolver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Resolver, resolver_free)

/* An address that was not the last one told; or NULL and why there is (still) none, when that is
 * not what was told last. The lowest address of an answer is taken, unless the last one told is
 * still among them. */
typedef void (*ResolverTell)(const Address *address, const char *why, gpointer of);

/* `family` is AF_INET or AF_INET6. A name that is an address of the family is told at once, from
 * the loop; of the other family: NULL and why. Never tells from within this call. */
ResolverName *resolver_watch(
	Resolver *resolver, const char *name, int family, ResolverTell tell, gpointer of);
/* No call to `tell` after this. May be called from within `tell`. */
void resolver_leave(ResolverName *name);

#endif
