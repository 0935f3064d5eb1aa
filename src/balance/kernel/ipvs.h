/* SPDX-License-Identifier: ISC
 *
 * The kernel's IPVS table, read and changed. Loads no module by itself; the kernel may load those
 * of IPVS and its schedulers when it is asked for them.
 */
#ifndef BALANCE_KERNEL_IPVS_H
#define BALANCE_KERNEL_IPVS_H

#include "balance/kernel/table.h"

#define IPVS_FILLING_MINIMUM 500 /* servers of a new service that is filled under rr */

typedef struct Ipvs Ipvs;

/* Fails with DROVER_ERROR_UNAVAILABLE when this kernel has no IPVS, DROVER_ERROR_DENIED without
 * CAP_NET_ADMIN. */
Ipvs *ipvs_open(GError **error);
void ipvs_close(Ipvs *ipvs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ipvs, ipvs_close)

/* All of it. */
Table *ipvs_read(Ipvs *ipvs, GError **error);
/* Puts what the kernel has of one service into `table`; takes it out when it has none. */
gboolean ipvs_read_service(Ipvs *ipvs, const TableKey *key, Table *table, GError **error);

/* Does the operations in their order, whatever becomes of the ones before. errors[i]: 0 or the
 * errno of each. What is to be removed and is not there has been removed. *problem: a sentence on
 * the first that failed, NULL when none did; caller frees.
 * Fails with DROVER_ERROR_UNAVAILABLE when it is not known what was done. */
gboolean ipvs_obey(Ipvs *ipvs, const TableOperation *operations, guint count, int *errors,
	char **problem, GError **error);

#endif
