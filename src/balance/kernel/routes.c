/* SPDX-License-Identifier: ISC
 *
 * Host routes by rtnetlink. Of the types of route, BIRD and FRR read unicast, blackhole,
 * unreachable and prohibit ones, and pass over `local`. A unicast route needs an interface, and
 * goes when that goes; a blackhole needs nothing.
 */
#include "balance/kernel/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "balance/kernel/netlink.h"
#include "balance/kernel/route_message.h"
#include "base/error.h"

struct Routes {
	Netlink *netlink;      /* NULL: dry run */
	GHashTable *announced; /* Address * */
};

static gboolean equal(gconstpointer a, gconstpointer b)
{
	return address_equal(a, b);
}

static guint hash(gconstpointer address)
{
	return address_hash(address);
}

static GHashTable *addresses_new(void)
{
	return g_hash_table_new_full(hash, equal, g_free, NULL);
}

void routes_free(Routes *routes)
{
	if (routes == NULL)
		return;
	netlink_close(routes->netlink);
	g_hash_table_unref(routes->announced);
	g_free(routes);
}

/* -- reading -- */

typedef struct Reading {
	int family;
	GHashTable *found;
} Reading;

static gboolean is_of_family(gpointer address, gpointer same, gpointer family)
{
	return ((const Address *)address)->family == *(const int *)family;
}

static void take_route(const struct nlmsghdr *message, gpointer of)
{
	Reading *reading = of;
	Address address;
	if (message == NULL)
		g_hash_table_foreach_remove(reading->found, is_of_family, &reading->family);
	else if (route_parse(message, &address))
		g_hash_table_add(reading->found, g_memdup2(&address, sizeof address));
}

static gboolean read_family(Routes *routes, int family, GHashTable *found, GError **error)
{
	Reading reading = {family, found};
	int refused = 0;
	route_put_question(netlink_request(routes->netlink, RTM_GETROUTE, NLM_F_DUMP), family);
	if (!netlink_ask(routes->netlink, take_route, &reading, &refused, error))
		return FALSE;
	/* A table without any route, or a kernel without IPv6. */
	if (refused == 0 || refused == ENOENT || refused == EAFNOSUPPORT || refused == EOPNOTSUPP)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "cannot read the routes of table %d: %s",
		ROUTES_TABLE, g_strerror(refused));
	return FALSE;
}

static GHashTable *read_all(Routes *routes, GError **error)
{
	g_autoptr(GHashTable) found = addresses_new();
	if (!read_family(routes, AF_INET, found, error) ||
		!read_family(routes, AF_INET6, found, error))
		return NULL;
	return g_steal_pointer(&found);
}

Routes *routes_new(gboolean dry_run, GError **error)
{
	g_autoptr(Routes) routes = g_new0(Routes, 1);
	routes->announced = addresses_new();
	if (dry_run)
		return g_steal_pointer(&routes);
	routes->netlink = netlink_open(NETLINK_ROUTE, error);
	if (routes->netlink == NULL)
		return NULL;
	GHashTable *found = read_all(routes, error);
	if (found == NULL)
		return NULL;
	g_hash_table_unref(routes->announced);
	routes->announced = found;
	return g_steal_pointer(&routes);
}

/* -- changing -- */

static gboolean order(Routes *routes, const Address *address, gboolean add, GError **error)
{
	char text[ADDRESS_TEXT_BYTES];
	address_text(address, text);
	g_autofree char *line = g_strdup_printf("ip route %s blackhole %s/%zu table %d proto %d",
		add ? "add" : "del", text, address_size_bytes(address) * 8, ROUTES_TABLE,
		ROUTES_PROTOCOL);
	if (routes->netlink == NULL) {
		fprintf(stdout, "%s\n", line);
		fflush(stdout);
		return TRUE;
	}
	const guint16 flags = add ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK;
	route_put(netlink_request(routes->netlink, add ? RTM_NEWROUTE : RTM_DELROUTE, flags),
		address);
	int code = 0;
	g_autofree char *words = NULL;
	if (!netlink_send(routes->netlink, &code, &words, error))
		return FALSE;
	if (code == 0 || code == (add ? EEXIST : ESRCH))
		return TRUE;
	drover_error_set(error, code == EPERM ? DROVER_ERROR_DENIED : DROVER_ERROR_UNAVAILABLE,
		"the kernel refused `%s`: %s%s%s", line,
		code == EPERM ? "CAP_NET_ADMIN is missing" : g_strerror(code),
		words == NULL ? "" : ": ", words == NULL ? "" : words);
	return FALSE;
}

gboolean routes_announce(Routes *routes, const Address *address, GError **error)
{
	if (routes_is_announced(routes, address))
		return TRUE;
	if (!order(routes, address, TRUE, error))
		return FALSE;
	g_hash_table_add(routes->announced, g_memdup2(address, sizeof *address));
	return TRUE;
}

gboolean routes_withdraw(Routes *routes, const Address *address, GError **error)
{
	if (!routes_is_announced(routes, address))
		return TRUE;
	if (!order(routes, address, FALSE, error))
		return FALSE;
	g_hash_table_remove(routes->announced, address);
	return TRUE;
}

gboolean routes_is_announced(const Routes *routes, const Address *address)
{
	return g_hash_table_contains(routes->announced, address);
}

gboolean routes_withdraw_others(Routes *routes, const GArray *keep, GError **error)
{
	g_autoptr(GHashTable) kept = addresses_new();
	for (guint i = 0; i < keep->len; i++)
		g_hash_table_add(
			kept, g_memdup2(&g_array_index(keep, Address, i), sizeof(Address)));
	g_autoptr(GList) announced = g_hash_table_get_keys(routes->announced);
	for (const GList *each = announced; each != NULL; each = each->next) {
		const Address address = *(const Address *)each->data;
		if (!g_hash_table_contains(kept, &address) &&
			!routes_withdraw(routes, &address, error))
			return FALSE;
	}
	return TRUE;
}

/* What `a` has and `b` lacks is ordered; counts it. */
static gboolean order_missing(
	Routes *routes, GHashTable *a, GHashTable *b, gboolean add, guint *repairs, GError **error)
{
	GHashTableIter iter;
	gpointer address;
	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &address, NULL)) {
		if (g_hash_table_contains(b, address))
			continue;
		++*repairs;
		if (!order(routes, address, add, error))
			return FALSE;
	}
	return TRUE;
}

gboolean routes_reconcile(Routes *routes, GError **error)
{
	if (routes->netlink == NULL)
		return TRUE;
	g_autoptr(GHashTable) found = read_all(routes, error);
	guint repairs = 0;
	return found != NULL &&
	       order_missing(routes, routes->announced, found, TRUE, &repairs, error) &&
	       order_missing(routes, found, routes->announced, FALSE, &repairs, error) &&
	       repairs == 0;
}
