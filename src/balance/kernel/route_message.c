/* SPDX-License-Identifier: ISC
 *
 * Attributes of routes, read and written. A kernel that does not know how to choose rows sends all
 * routes it has, so the choice is made here once more.
 */
#include "balance/kernel/route_message.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "balance/kernel/routes.h"

static struct rtmsg *put_head(struct nlmsghdr *request, int family)
{
	struct rtmsg *head = mnl_nlmsg_put_extra_header(request, sizeof *head);
	head->rtm_family = (guint8)family;
	head->rtm_table = RT_TABLE_UNSPEC; /* ours does not fit a byte */
	head->rtm_protocol = ROUTES_PROTOCOL;
	return head;
}

void route_put(struct nlmsghdr *request, const Address *address)
{
	struct rtmsg *head = put_head(request, address->family);
	const gsize size = address_size_bytes(address);
	head->rtm_dst_len = (guint8)(size * 8);
	head->rtm_type = RTN_BLACKHOLE;
	head->rtm_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put_u32(request, RTA_TABLE, ROUTES_TABLE);
	mnl_attr_put(request, RTA_DST, size, address->bytes);
}

void route_put_question(struct nlmsghdr *request, int family)
{
	put_head(request, family);
	mnl_attr_put_u32(request, RTA_TABLE, ROUTES_TABLE);
}

typedef struct Row {
	const struct nlattr *table, *destination;
} Row;

static int keep(const struct nlattr *attribute, void *data)
{
	Row *row = data;
	if (mnl_attr_get_type(attribute) == RTA_TABLE)
		row->table = attribute;
	if (mnl_attr_get_type(attribute) == RTA_DST)
		row->destination = attribute;
	return MNL_CB_OK;
}

gboolean route_parse(const struct nlmsghdr *message, Address *address)
{
	*address = (Address){0};
	Row row = {0};
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	const gsize size = mnl_nlmsg_get_payload_len(message);
	G_STATIC_ASSERT(sizeof *head % 4 == 0);
	if (message->nlmsg_type != RTM_NEWROUTE || size < sizeof *head ||
		head->rtm_protocol != ROUTES_PROTOCOL || head->rtm_type != RTN_BLACKHOLE ||
		(head->rtm_family != AF_INET && head->rtm_family != AF_INET6) ||
		mnl_attr_parse(message, sizeof *head, keep, &row) != MNL_CB_OK)
		return FALSE;
	address->family = head->rtm_family;
	const gsize bytes = address_size_bytes(address);
	if (row.table == NULL || mnl_attr_get_payload_len(row.table) < 4 ||
		mnl_attr_get_u32(row.table) != ROUTES_TABLE || row.destination == NULL ||
		mnl_attr_get_payload_len(row.destination) < bytes || head->rtm_dst_len != bytes * 8)
		return FALSE;
	memcpy(address->bytes, mnl_attr_get_payload(row.destination), bytes);
	return TRUE;
}
