/* SPDX-License-Identifier: ISC
 *
 * Addresses as routes for a BGP daemon to export: one host route of type `blackhole` per address,
 * in a kernel table and of a protocol number of our own. Nothing looks up addresses in that table,
 * so that the route is a word to the daemon and moves no packet. What is there at start is adopted.
 * Rules: docs/kernel.md, "Routes".
 */
#ifndef BALANCE_KERNEL_ROUTES_H
#define BALANCE_KERNEL_ROUTES_H

#include "balance/address.h"

#define ROUTES_TABLE	9090 /* of the kernel; nothing looks up addresses in it */
#define ROUTES_PROTOCOL 190  /* RTPROT_*: below 255, used by nobody in rt_protos */

typedef struct Routes Routes;

/* Reads the routes of our protocol in our table. */
Routes *routes_new(gboolean dry_run, GError **error);
/* Leaves the routes as they are. */
void routes_free(Routes *routes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Routes, routes_free)

/* Both succeed when it is so already. */
gboolean routes_announce(Routes *routes, const Address *address, GError **error);
gboolean routes_withdraw(Routes *routes, const Address *address, GError **error);
gboolean routes_is_announced(const Routes *routes, const Address *address);
/* Withdraws what is ours and not in `keep` (Address in an array): what an older configuration left
 * behind. With an empty `keep`: all. */
gboolean routes_withdraw_others(Routes *routes, const GArray *keep, GError **error);
/* Reads the kernel again and repairs; TRUE when nothing had to be. */
gboolean routes_reconcile(Routes *routes, GError **error);

#endif
