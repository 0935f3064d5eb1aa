/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a parcel of the kernel: rows of services, servers, routes and families, and answers.
 */
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "balance/kernel/ipvs_message.h"
#include "balance/kernel/netlink.h"
#include "balance/kernel/route_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_address(const Address *address)
{
	char text[ADDRESS_TEXT_BYTES];
	g_assert(address->family == AF_INET || address->family == AF_INET6);
	address_text(address, text);
	g_assert(strcmp(text, "none") != 0);
}

static void check_row(const struct nlmsghdr *message, gpointer of)
{
	const void *payload = mnl_nlmsg_get_payload(message);
	const gsize size = mnl_nlmsg_get_payload_len(message);
	static const TableKey other = {.protocol = IPPROTO_TCP, .address.family = AF_INET6};
	TableOperation operation = {.verb = TABLE_ADD_SERVICE};
	Address address;
	if (route_parse(message, &address))
		check_address(&address);
	if (ipvs_parse_service(payload, size, &operation.key, &operation.settings)) {
		g_assert(operation.settings.prefix <= 128);
		g_free(table_line(&operation));
		g_free(table_key_text(&operation.key));
	}
	operation = (TableOperation){.verb = TABLE_EDIT_SERVER, .key = other};
	if (ipvs_parse_server(payload, size, &other, &operation.server)) {
		check_address(&operation.server.address);
		g_free(table_line(&operation));
	}
	ipvs_parse_family(payload, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > NETLINK_MAXIMUM_DATAGRAM)
		return 0;
	/* A block of exactly this size, so that a step beyond its end is seen. */
	g_autofree guint8 *aligned = g_memdup2(bytes, MAX(size, 1));
	int errors[2] = {NETLINK_OPEN, NETLINK_OPEN};
	NetlinkExchange exchange = {.count = 2, .errors = errors, .row = check_row};
	netlink_read(&exchange, aligned, size, NULL);
	g_assert(exchange.answered <= exchange.count);
	g_assert(exchange.words == NULL || g_utf8_validate(exchange.words, -1, NULL));
	g_free(exchange.words);
	return 0;
}
