/* SPDX-License-Identifier: ISC
 *
 * How the kernel's IPVS says services and servers over generic netlink, in both directions. Pure.
 */
#ifndef BALANCE_KERNEL_IPVS_MESSAGE_H
#define BALANCE_KERNEL_IPVS_MESSAGE_H

#include <libmnl/libmnl.h>

#include "balance/kernel/table.h"

/* IPVS_CMD_* that does this operation. */
guint8 ipvs_command(TableVerb verb);
/* Fills the request of ipvs_command(). */
void ipvs_put_operation(struct nlmsghdr *request, const TableOperation *operation);
/* Names a service in a question. */
void ipvs_put_key(struct nlmsghdr *request, const TableKey *key);

/* A row of IPVS_CMD_GET_SERVICE or _GET_DEST, from its generic netlink header on. FALSE when it is
 * none, or one that no kernel says. A server without a family has that of `key`. */
gboolean ipvs_parse_service(
	const void *payload, gsize size, TableKey *key, TableSettings *settings);
gboolean ipvs_parse_server(
	const void *payload, gsize size, const TableKey *key, TableServer *server);

/* The number of the generic netlink family in the answer to CTRL_CMD_GETFAMILY; 0: not said. */
guint16 ipvs_parse_family(const void *payload, gsize size);

#endif
