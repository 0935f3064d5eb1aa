/* SPDX-License-Identifier: ISC
 *
 * A route of ours as a message of rtnetlink. Pure.
 */
#ifndef BALANCE_KERNEL_ROUTE_MESSAGE_H
#define BALANCE_KERNEL_ROUTE_MESSAGE_H

#include <libmnl/libmnl.h>

#include "balance/address.h"

/* Fills RTM_NEWROUTE or RTM_DELROUTE: the host route to `address`. */
void route_put(struct nlmsghdr *request, const Address *address);
/* Fills RTM_GETROUTE: all routes of ours of a family. */
void route_put_question(struct nlmsghdr *request, int family);
/* The address of a row; FALSE when it is not a host route of ours. */
gboolean route_parse(const struct nlmsghdr *message, Address *address);

#endif
