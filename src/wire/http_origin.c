/* SPDX-License-Identifier: ISC
 *
 * Where connections come from, and how many from each place. The caller holds the lock.
 */
#include <netinet/in.h>
#include <string.h>

#include "wire/http_inside.h"

struct HttpOrigins {
	GHashTable *counts; /* of char * to number; nothing stands at zero */
};

/* One IPv6 network of a customer has 2^64 addresses: they count as one. */
char *http_origin_text(const struct sockaddr *address)
{
	if (!address || address->sa_family != AF_INET6)
		return http_address_text(address);
	struct sockaddr_in6 six;
	memcpy(&six, address, sizeof(six));
	if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		memset(&six.sin6_addr.s6_addr[8], 0, 8);
	return http_address_text((const struct sockaddr *)&six);
}

HttpOrigins *http_origins_new(void)
{
	HttpOrigins *origins = g_new0(HttpOrigins, 1);
	origins->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return origins;
}

void http_origins_free(HttpOrigins *origins)
{
	g_hash_table_unref(origins->counts);
	g_free(origins);
}

guint http_origins_count(const HttpOrigins *origins, const char *origin)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(origins->counts, origin));
}

void http_origins_change(HttpOrigins *origins, const char *origin, int by)
{
	guint count = http_origins_count(origins, origin) + (guint)by;
	if (count == 0)
		g_hash_table_remove(origins->counts, origin);
	else
		g_hash_table_replace(origins->counts, g_strdup(origin), GUINT_TO_POINTER(count));
}
