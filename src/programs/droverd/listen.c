/* SPDX-License-Identifier: ISC
 *
 * Addresses to listen on.
 */
#include "programs/droverd/listen.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/format.h"

static gboolean bad(const char *text, const char *what, GError **error)
{
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: '%.80s' is not ADDRESS:PORT; write 127.0.0.1:8461 or [::1]:8461", what, text);
	return FALSE;
}

gboolean listen_address_parse(
	const char *text, const char *what, ListenAddress *address, GError **error)
{
	*address = (ListenAddress){0};
	const char *colon = strrchr(text, ':');
	gint64 port;
	if (colon == NULL || !g_ascii_string_to_signed(colon + 1, 10, 0, 65535, &port, NULL))
		return bad(text, what, error);
	g_autofree char *host = g_strndup(text, (gsize)(colon - text));
	gsize length = strlen(host);
	gboolean bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
	if (bracketed) {
		host[length - 1] = '\0';
		memmove(host, host + 1, length - 1);
	}
	unsigned char bytes[sizeof(struct in6_addr)];
	if (inet_pton(bracketed ? AF_INET6 : AF_INET, host, bytes) != 1)
		return bad(text, what, error);
	*address = (ListenAddress){g_steal_pointer(&host), (guint16)port};
	return TRUE;
}

void listen_address_clear(ListenAddress *address)
{
	g_clear_pointer(&address->address, g_free);
}

gboolean listen_address_is_loopback(const ListenAddress *address)
{
	return g_str_has_prefix(address->address, "127.") || strcmp(address->address, "::1") == 0;
}

char *listen_address_text(const char *address, guint16 port)
{
	return strchr(address, ':') != NULL ? g_strdup_printf("[%s]:%u", address, port)
					    : g_strdup_printf("%s:%u", address, port);
}
