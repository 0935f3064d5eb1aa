/* SPDX-License-Identifier: ISC
 *
 * An IP address as a value, v4 or v6.
 */
#ifndef BALANCE_ADDRESS_H
#define BALANCE_ADDRESS_H

#include <glib.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_BYTES 46 /* INET6_ADDRSTRLEN */

typedef struct Address {
	int family;	  /* AF_INET, AF_INET6; 0: none */
	guint8 bytes[16]; /* network order; the rest of a v4 address is zero, so memcmp() compares
			   */
} Address;

/* FALSE when `text` is no address. No names, no scopes, no brackets. */
gboolean address_parse(const char *text, Address *address);
/* "192.0.2.1", "2001:db8::1". */
void address_text(const Address *address, char text[static ADDRESS_TEXT_BYTES]);
/* "192.0.2.1:80", "[2001:db8::1]:80". Caller frees. */
char *address_with_port(const Address *address, guint16 port);
/* In bytes; 4 or 16. */
gsize address_size_bytes(const Address *address);
/* For connect(2) and its like; returns the length to give with it. */
socklen_t address_to_socket(
	const Address *address, guint16 port, struct sockaddr_storage *socket_address);
/* FALSE for other families. *port may be NULL. */
gboolean address_from_socket(
	const struct sockaddr_storage *socket_address, Address *address, guint16 *port);
gboolean address_equal(const Address *a, const Address *b);
/* <0, 0, >0: v4 before v6, then by bytes. */
int address_compare(const Address *a, const Address *b);
guint address_hash(const Address *address);

#endif
