/* SPDX-License-Identifier: ISC
 *
 * Which nodes are servers of pools, and so do not follow their channels by themselves
 * (docs/hosts.md).
 */
#ifndef API_NODE_POOL_H
#define API_NODE_POOL_H

#include "store/store.h"

typedef struct NodePools NodePools;

/* All servers of all pools, enabled or not. Inside a transaction. */
NodePools *node_pools_load(Store *store, GError **error);
void node_pools_free(NodePools *pools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodePools, node_pools_free)
/* The pool of which a node of this name is a server, the first by name; NULL: none. It is one when
 * a host is called the same, in whatever case; or, for a name that has no dot and is no address,
 * when a host's first label is. Borrowed. */
const char *node_pools_find(const NodePools *pools, const char *name);

#endif
