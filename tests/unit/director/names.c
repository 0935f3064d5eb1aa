/* SPDX-License-Identifier: ISC
 *
 * monitor/resolver.h, answered from a table, so that tests need no name server.
 */
#include <event2/event.h>
#include <string.h>

#include "balance/monitor/resolver.h"
#include "web.h"

struct Resolver {
	struct event_base *base;
};

struct ResolverName {
	struct event *soon;
	char *name;
	int family;
	ResolverTell tell;
	gpointer of;
};

static GHashTable *table; /* char * -> char *, NULL: silence */
static guint lookups;

void web_name(const char *name, const char *address)
{
	if (table == NULL)
		table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(table, g_strdup(name), g_strdup(address));
}

guint web_lookups(void)
{
	return lookups;
}

void web_forget_names(void)
{
	g_clear_pointer(&table, g_hash_table_unref);
	lookups = 0;
}

Resolver *resolver_new(struct event_base *base, GError **error)
{
	Resolver *resolver = g_new0(Resolver, 1);
	resolver->base = base;
	return resolver;
}

void resolver_free(Resolver *resolver)
{
	g_free(resolver);
}

static void on_soon(evutil_socket_t unused, short what, void *of)
{
	ResolverName *name = of;
	const char *text = table != NULL ? g_hash_table_lookup(table, name->name) : "";
	Address address;
	if (text == NULL)
		return;
	if (address_parse(text, &address) && address.family == name->family)
		name->tell(&address, NULL, name->of);
	else
		name->tell(NULL, "no such name", name->of);
}

ResolverName *resolver_watch(
	Resolver *resolver, const char *name, int family, ResolverTell tell, gpointer of)
{
	ResolverName *mine = g_new0(ResolverName, 1);
	mine->name = g_strdup(name);
	mine->family = family;
	mine->tell = tell;
	mine->of = of;
	mine->soon = evtimer_new(resolver->base, on_soon, mine);
	evtimer_add(mine->soon, &(struct timeval){0});
	lookups++;
	return mine;
}

void resolver_leave(ResolverName *name)
{
	event_free(name->soon);
	g_free(name->name);
	g_free(name);
}
