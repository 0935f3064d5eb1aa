/* SPDX-License-Identifier: ISC
 *
 * Attributes of IPVS, read and written. What is read is held to its size before it is looked at,
 * and a message without what it must have is no message.
 */
#include "balance/kernel/ipvs_message.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

/* More than any of the attribute sets that we read. */
#define ATTRIBUTES 32

typedef struct Attributes {
	const struct nlattr *of[ATTRIBUTES];
} Attributes;

/* The flags that say what a service is; IP_VS_SVC_F_HASHED is the kernel's own. */
#define FLAGS                                                                                      \
	(IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 |                     \
		IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3)

/* -- reading -- */

static int keep(const struct nlattr *attribute, void *data)
{
	Attributes *attributes = data;
	const guint16 type = mnl_attr_get_type(attribute);
	if (type < ATTRIBUTES)
		attributes->of[type] = attribute;
	return MNL_CB_OK;
}

static gboolean parse(Attributes *attributes, const void *payload, gsize size)
{
	*attributes = (Attributes){0};
	return mnl_attr_parse_payload(payload, size, keep, attributes) == MNL_CB_OK;
}

/* The attributes within attribute `type` of a generic netlink message. */
static gboolean parse_within(Attributes *attributes, const void *payload, gsize size, guint type)
{
	if (size < GENL_HDRLEN ||
		!parse(attributes, (const guint8 *)payload + GENL_HDRLEN, size - GENL_HDRLEN))
		return FALSE;
	const struct nlattr *outer = attributes->of[type];
	return outer != NULL &&
	       parse(attributes, mnl_attr_get_payload(outer), mnl_attr_get_payload_len(outer));
}

static gboolean get_u16(const Attributes *attributes, guint type, guint16 *value)
{
	const struct nlattr *attribute = attributes->of[type];
	if (attribute == NULL || mnl_attr_get_payload_len(attribute) < sizeof *value)
		return FALSE;
	*value = mnl_attr_get_u16(attribute);
	return TRUE;
}

static gboolean get_u32(const Attributes *attributes, guint type, guint32 *value)
{
	const struct nlattr *attribute = attributes->of[type];
	if (attribute == NULL || mnl_attr_get_payload_len(attribute) < sizeof *value)
		return FALSE;
	*value = mnl_attr_get_u32(attribute);
	return TRUE;
}

static gboolean get_address(
	const Attributes *attributes, guint type, guint16 family, Address *address)
{
	*address = (Address){.family = family};
	const struct nlattr *attribute = attributes->of[type];
	if (attribute == NULL || (family != AF_INET && family != AF_INET6) ||
		mnl_attr_get_payload_len(attribute) < address_size_bytes(address))
		return FALSE;
	memcpy(address->bytes, mnl_attr_get_payload(attribute), address_size_bytes(address));
	return TRUE;
}

static gboolean parse_key(const Attributes *attributes, TableKey *key)
{
	*key = (TableKey){0};
	guint16 family = 0, port = 0;
	if (!get_u16(attributes, IPVS_SVC_ATTR_AF, &family) ||
		(family != AF_INET && family != AF_INET6))
		return FALSE;
	if (get_u32(attributes, IPVS_SVC_ATTR_FWMARK, &key->mark) && key->mark != 0) {
		key->address.family = family;
		return TRUE;
	}
	if (!get_u16(attributes, IPVS_SVC_ATTR_PROTOCOL, &key->protocol) ||
		!get_u16(attributes, IPVS_SVC_ATTR_PORT, &port) ||
		!get_address(attributes, IPVS_SVC_ATTR_ADDR, family, &key->address))
		return FALSE;
	key->port = ntohs(port);
	return TRUE;
}

static gboolean parse_scheduler(const Attributes *attributes, TableSettings *settings)
{
	const struct nlattr *name = attributes->of[IPVS_SVC_ATTR_SCHED_NAME];
	if (name == NULL)
		return FALSE;
	const gsize size = mnl_attr_get_payload_len(name);
	const char *text = mnl_attr_get_payload(name);
	const gsize length = strnlen(text, size);
	if (length == 0 || length >= sizeof settings->scheduler)
		return FALSE;
	memcpy(settings->scheduler, text, length);
	return TRUE;
}

static guint32 prefix_of(guint32 mask, int family)
{
	if (family == AF_INET6)
		return MIN(mask, 128);
	return (guint32)__builtin_popcount(mask);
}

gboolean ipvs_parse_service(const void *payload, gsize size, TableKey *key, TableSettings *settings)
{
	Attributes attributes;
	*settings = (TableSettings){0};
	if (!parse_within(&attributes, payload, size, IPVS_CMD_ATTR_SERVICE) ||
		!parse_key(&attributes, key) || !parse_scheduler(&attributes, settings))
		return FALSE;
	const int family = key->address.family;
	settings->prefix = family == AF_INET6 ? 128 : 32;
	const struct nlattr *flags = attributes.of[IPVS_SVC_ATTR_FLAGS];
	if (flags != NULL && mnl_attr_get_payload_len(flags) >= sizeof(struct ip_vs_flags))
		memcpy(&settings->flags, mnl_attr_get_payload(flags), sizeof settings->flags);
	settings->flags &= FLAGS;
	if ((settings->flags & IP_VS_SVC_F_PERSISTENT) == 0)
		return TRUE; /* what follows means nothing without persistence */
	guint32 mask = 0;
	get_u32(&attributes, IPVS_SVC_ATTR_TIMEOUT, &settings->timeout_s);
	if (get_u32(&attributes, IPVS_SVC_ATTR_NETMASK, &mask))
		settings->prefix = prefix_of(mask, family);
	return TRUE;
}

static TableForward forward_of(guint32 flags)
{
	switch (flags & IP_VS_CONN_F_FWD_MASK) {
	case IP_VS_CONN_F_DROUTE:
		return TABLE_DR;
	case IP_VS_CONN_F_TUNNEL:
		return TABLE_TUNNEL;
	case IP_VS_CONN_F_MASQ:
		return TABLE_MASQUERADE;
	default:
		return TABLE_OTHER;
	}
}

gboolean ipvs_parse_server(
	const void *payload, gsize size, const TableKey *key, TableServer *server)
{
	Attributes attributes;
	*server = (TableServer){0};
	if (!parse_within(&attributes, payload, size, IPVS_CMD_ATTR_DEST))
		return FALSE;
	guint16 family = 0, port = 0;
	guint32 flags = 0;
	if (!get_u16(&attributes, IPVS_DEST_ATTR_ADDR_FAMILY, &family))
		family = (guint16)key->address.family;
	if (!get_address(&attributes, IPVS_DEST_ATTR_ADDR, family, &server->address) ||
		!get_u16(&attributes, IPVS_DEST_ATTR_PORT, &port) ||
		!get_u32(&attributes, IPVS_DEST_ATTR_FWD_METHOD, &flags) ||
		!get_u32(&attributes, IPVS_DEST_ATTR_WEIGHT, &server->weight))
		return FALSE;
	server->port = ntohs(port);
	server->forward = forward_of(flags);
	get_u32(&attributes, IPVS_DEST_ATTR_U_THRESH, &server->upper);
	get_u32(&attributes, IPVS_DEST_ATTR_L_THRESH, &server->lower);
	get_u32(&attributes, IPVS_DEST_ATTR_ACTIVE_CONNS, &server->active);
	get_u32(&attributes, IPVS_DEST_ATTR_INACT_CONNS, &server->inactive);
	return TRUE;
}

guint16 ipvs_parse_family(const void *payload, gsize size)
{
	Attributes attributes;
	guint16 family = 0;
	if (size < GENL_HDRLEN ||
		!parse(&attributes, (const guint8 *)payload + GENL_HDRLEN, size - GENL_HDRLEN))
		return 0;
	get_u16(&attributes, CTRL_ATTR_FAMILY_ID, &family);
	return family;
}

/* -- writing -- */

guint8 ipvs_command(TableVerb verb)
{
	static const guint8 commands[] = {
		[TABLE_ADD_SERVICE] = IPVS_CMD_NEW_SERVICE,
		[TABLE_ADD_SERVER] = IPVS_CMD_NEW_DEST,
		[TABLE_EDIT_SERVICE] = IPVS_CMD_SET_SERVICE,
		[TABLE_EDIT_SERVER] = IPVS_CMD_SET_DEST,
		[TABLE_REMOVE_SERVER] = IPVS_CMD_DEL_DEST,
		[TABLE_REMOVE_SERVICE] = IPVS_CMD_DEL_SERVICE,
	};
	return commands[verb];
}

static void put_key_attributes(struct nlmsghdr *request, const TableKey *key)
{
	mnl_attr_put_u16(request, IPVS_SVC_ATTR_AF, (guint16)key->address.family);
	if (key->mark != 0) {
		mnl_attr_put_u32(request, IPVS_SVC_ATTR_FWMARK, key->mark);
		return;
	}
	mnl_attr_put_u16(request, IPVS_SVC_ATTR_PROTOCOL, key->protocol);
	mnl_attr_put(request, IPVS_SVC_ATTR_ADDR, sizeof key->address.bytes, key->address.bytes);
	mnl_attr_put_u16(request, IPVS_SVC_ATTR_PORT, htons(key->port));
}

static void put_settings(struct nlmsghdr *request, const TableKey *key, const TableSettings *of)
{
	const struct ip_vs_flags flags = {.flags = of->flags, .mask = FLAGS};
	const guint32 mask = key->address.family == AF_INET6 ? of->prefix
			     : of->prefix == 0		     ? 0
					       : htonl(G_MAXUINT32 << (32 - of->prefix));
	mnl_attr_put_strz(request, IPVS_SVC_ATTR_SCHED_NAME, of->scheduler);
	mnl_attr_put(request, IPVS_SVC_ATTR_FLAGS, sizeof flags, &flags);
	mnl_attr_put_u32(request, IPVS_SVC_ATTR_TIMEOUT, of->timeout_s);
	mnl_attr_put_u32(request, IPVS_SVC_ATTR_NETMASK, mask);
}

static void put_server(struct nlmsghdr *request, const TableServer *server, gboolean whole)
{
	static const guint32 methods[] = {
		[TABLE_DR] = IP_VS_CONN_F_DROUTE,
		[TABLE_TUNNEL] = IP_VS_CONN_F_TUNNEL,
		[TABLE_MASQUERADE] = IP_VS_CONN_F_MASQ,
		[TABLE_OTHER] = IP_VS_CONN_F_BYPASS,
	};
	struct nlattr *nest = mnl_attr_nest_start(request, IPVS_CMD_ATTR_DEST);
	mnl_attr_put_u16(request, IPVS_DEST_ATTR_ADDR_FAMILY, (guint16)server->address.family);
	mnl_attr_put(
		request, IPVS_DEST_ATTR_ADDR, sizeof server->address.bytes, server->address.bytes);
	mnl_attr_put_u16(request, IPVS_DEST_ATTR_PORT, htons(server->port));
	if (whole) {
		mnl_attr_put_u32(request, IPVS_DEST_ATTR_FWD_METHOD, methods[server->forward]);
		mnl_attr_put_u32(request, IPVS_DEST_ATTR_WEIGHT, server->weight);
		mnl_attr_put_u32(request, IPVS_DEST_ATTR_U_THRESH, server->upper);
		mnl_attr_put_u32(request, IPVS_DEST_ATTR_L_THRESH, server->lower);
	}
	mnl_attr_nest_end(request, nest);
}

void ipvs_put_key(struct nlmsghdr *request, const TableKey *key)
{
	struct nlattr *nest = mnl_attr_nest_start(request, IPVS_CMD_ATTR_SERVICE);
	put_key_attributes(request, key);
	mnl_attr_nest_end(request, nest);
}

void ipvs_put_operation(struct nlmsghdr *request, const TableOperation *operation)
{
	const TableVerb verb = operation->verb;
	struct nlattr *nest = mnl_attr_nest_start(request, IPVS_CMD_ATTR_SERVICE);
	put_key_attributes(request, &operation->key);
	if (verb == TABLE_ADD_SERVICE || verb == TABLE_EDIT_SERVICE)
		put_settings(request, &operation->key, &operation->settings);
	mnl_attr_nest_end(request, nest);
	if (verb == TABLE_ADD_SERVER || verb == TABLE_EDIT_SERVER || verb == TABLE_REMOVE_SERVER)
		put_server(request, &operation->server, verb != TABLE_REMOVE_SERVER);
}
