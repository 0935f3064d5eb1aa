/* SPDX-License-Identifier: ISC
 *
 * Addresses and their spellings.
 */
#include "balance/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

gboolean address_parse(const char *text, Address *address)
{
	*address = (Address){0};
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		address->family = AF_INET;
	else if (inet_pton(AF_INET6, text, address->bytes) == 1)
		address->family = AF_INET6;
	return address->family != 0;
}

void address_text(const Address *address, char text[static ADDRESS_TEXT_BYTES])
{
	G_STATIC_ASSERT(ADDRESS_TEXT_BYTES == INET6_ADDRSTRLEN);
	if (inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT_BYTES) == NULL)
		memcpy(text, "none", sizeof "none");
}

char *address_with_port(const Address *address, guint16 port)
{
	char text[ADDRESS_TEXT_BYTES];
	address_text(address, text);
	return g_strdup_printf(
		address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

gsize address_size_bytes(const Address *address)
{
	return address->family == AF_INET6 ? 16 : 4;
}

socklen_t address_to_socket(
	const Address *address, guint16 port, struct sockaddr_storage *socket_address)
{
	memset(socket_address, 0, sizeof *socket_address);
	if (address->family == AF_INET6) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(gpointer)socket_address;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		memcpy(&v6->sin6_addr, address->bytes, sizeof v6->sin6_addr);
		return sizeof *v6;
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)(gpointer)socket_address;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	memcpy(&v4->sin_addr, address->bytes, sizeof v4->sin_addr);
	return sizeof *v4;
}

gboolean address_from_socket(
	const struct sockaddr_storage *socket_address, Address *address, guint16 *port)
{
	*address = (Address){0};
	guint16 found = 0;
	if (socket_address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)socket_address;
		memcpy(address->bytes, &v6->sin6_addr, sizeof v6->sin6_addr);
		found = ntohs(v6->sin6_port);
	} else if (socket_address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)socket_address;
		memcpy(address->bytes, &v4->sin_addr, sizeof v4->sin_addr);
		found = ntohs(v4->sin_port);
	} else {
		return FALSE;
	}
	address->family = socket_address->ss_family;
	if (port != NULL)
		*port = found;
	return TRUE;
}

gboolean address_equal(const Address *a, const Address *b)
{
	return address_compare(a, b) == 0;
}

int address_compare(const Address *a, const Address *b)
{
	if (a->family != b->family)
		return a->family == AF_INET6 ? 1 : -1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

guint address_hash(const Address *address)
{
	guint hash = (guint)address->family;
	for (gsize i = 0; i < sizeof address->bytes; i++)
		hash = hash * 33 + address->bytes[i];
	return hash;
}
