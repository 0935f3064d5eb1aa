/* SPDX-License-Identifier: ISC
 *
 * Tables and their difference. Everything is found by hash, so that a comparison takes time in
 * proportion to the table; only what has to be done is sorted. Rules: docs/kernel.md.
 */
#include "balance/kernel/table.h"

#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

guint table_key_hash(gconstpointer key)
{
	const TableKey *of = key;
	return address_hash(&of->address) ^ (guint)of->port << 16 ^ of->protocol ^
	       of->mark * 2654435761u;
}

gboolean table_key_equal(gconstpointer a, gconstpointer b)
{
	const TableKey *one = a, *other = b;
	return one->protocol == other->protocol && one->port == other->port &&
	       one->mark == other->mark && address_equal(&one->address, &other->address);
}

guint table_server_hash(gconstpointer server)
{
	const TableServer *of = server;
	return address_hash(&of->address) ^ (guint)of->port << 16;
}

gboolean table_server_equal(gconstpointer a, gconstpointer b)
{
	const TableServer *one = a, *other = b;
	return one->port == other->port && address_equal(&one->address, &other->address);
}

static void service_free(gpointer service)
{
	TableService *of = service;
	g_hash_table_unref(of->servers);
	g_free(of);
}

Table *table_new(void)
{
	Table *table = g_new0(Table, 1);
	table->services =
		g_hash_table_new_full(table_key_hash, table_key_equal, NULL, service_free);
	return table;
}

void table_free(Table *table)
{
	if (table == NULL)
		return;
	g_hash_table_unref(table->services);
	g_free(table);
}

TableSettings table_settings(const char *scheduler, gint64 persistence_ms, int family)
{
	TableSettings settings = {.prefix = family == AF_INET6 ? 128 : 32};
	gsize length = g_strlcpy(settings.scheduler, scheduler, sizeof settings.scheduler);
	g_assert(length < sizeof settings.scheduler);
	/* The kernel has one bit for both. */
	if (strcmp(scheduler, "sh") == 0 || strcmp(scheduler, "mh") == 0)
		settings.flags |= IP_VS_SVC_F_SCHED_SH_FALLBACK;
	if (persistence_ms > 0) {
		settings.flags |= IP_VS_SVC_F_PERSISTENT;
		settings.timeout_s =
			(guint32)MIN((persistence_ms + 999) / 1000, TABLE_MAXIMUM_PERSISTENCE);
	}
	return settings;
}

TableService *table_service(const Table *table, const TableKey *key)
{
	/* A service begins with its key. */
	return g_hash_table_lookup(table->services, key);
}

TableService *table_put_service(Table *table, const TableKey *key, const TableSettings *settings)
{
	G_STATIC_ASSERT(G_STRUCT_OFFSET(TableService, key) == 0);
	TableService *service = table_service(table, key);
	if (service == NULL) {
		service = g_new0(TableService, 1);
		service->key = *key;
		service->servers =
			g_hash_table_new_full(table_server_hash, table_server_equal, NULL, g_free);
		g_hash_table_add(table->services, service);
	}
	service->settings = *settings;
	return service;
}

void table_remove_service(Table *table, const TableKey *key)
{
	g_hash_table_remove(table->services, key);
}

TableServer *table_server(const TableService *service, const Address *address, guint16 port)
{
	const TableServer wanted = {.address = *address, .port = port};
	return g_hash_table_lookup(service->servers, &wanted);
}

TableServer *table_put_server(TableService *service, const TableServer *server)
{
	TableServer *found = g_hash_table_lookup(service->servers, server);
	if (found == NULL) {
		found = g_new0(TableServer, 1);
		*found = *server;
		g_hash_table_add(service->servers, found);
	}
	*found = *server;
	return found;
}

void table_remove_server(TableService *service, const Address *address, guint16 port)
{
	const TableServer unwanted = {.address = *address, .port = port};
	g_hash_table_remove(service->servers, &unwanted);
}

static void append_service(GArray *operations, TableVerb verb, const TableService *service)
{
	const TableOperation operation = {
		.verb = verb, .key = service->key, .settings = service->settings};
	g_array_append_val(operations, operation);
}

static void append_server(
	GArray *operations, TableVerb verb, const TableKey *key, const TableServer *server)
{
	const TableOperation operation = {.verb = verb, .key = *key, .server = *server};
	g_array_append_val(operations, operation);
}

static gboolean settings_equal(const TableSettings *a, const TableSettings *b)
{
	return strcmp(a->scheduler, b->scheduler) == 0 && a->flags == b->flags &&
	       a->timeout_s == b->timeout_s && a->prefix == b->prefix;
}

static gboolean same_in_kernel(const TableServer *a, const TableServer *b)
{
	return a->forward == b->forward && a->weight == b->weight && a->upper == b->upper &&
	       a->lower == b->lower;
}

/* Servers of `intent` that `actual` lacks (NULL: it has none) or has otherwise. */
static void bring_in(const TableService *intent, const TableService *actual, GArray *operations)
{
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, intent->servers);
	while (g_hash_table_iter_next(&iter, &each, NULL)) {
		const TableServer *wanted = each;
		const TableServer *there =
			actual == NULL ? NULL : g_hash_table_lookup(actual->servers, wanted);
		if (there == NULL && !wanted->leaving)
			append_server(operations, TABLE_ADD_SERVER, &intent->key, wanted);
		if (there != NULL && (wanted->again || !same_in_kernel(wanted, there)))
			append_server(operations, TABLE_EDIT_SERVER, &intent->key, wanted);
	}
}

/* Servers of `actual` that `intent` (NULL: it has none) lacks. */
static void take_out(const TableService *intent, const TableService *actual, GArray *operations)
{
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, actual->servers);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		if (intent == NULL || !g_hash_table_contains(intent->servers, each))
			append_server(operations, TABLE_REMOVE_SERVER, &actual->key, each);
}

void table_difference_of_service(
	const TableService *intent, const TableService *actual, GArray *operations)
{
	if (intent != NULL && actual == NULL)
		append_service(operations, TABLE_ADD_SERVICE, intent);
	if (intent != NULL && actual != NULL &&
		!settings_equal(&intent->settings, &actual->settings))
		append_service(operations, TABLE_EDIT_SERVICE, intent);
	if (intent != NULL)
		bring_in(intent, actual, operations);
	if (actual != NULL)
		take_out(intent, actual, operations);
	if (actual != NULL && intent == NULL)
		append_service(operations, TABLE_REMOVE_SERVICE, actual);
}

static int key_compare(const TableKey *a, const TableKey *b)
{
	if (a->mark != b->mark)
		return a->mark < b->mark ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	int order = address_compare(&a->address, &b->address);
	return order != 0 ? order : (int)a->port - (int)b->port;
}

static gint operation_compare(gconstpointer a, gconstpointer b)
{
	static const int turn[] = {0, 0, 1, 1, 2, 2}; /* of TableVerb: add, edit, remove */
	const TableOperation *one = a, *other = b;
	int order = turn[one->verb] - turn[other->verb];
	if (order == 0)
		order = key_compare(&one->key, &other->key);
	if (order == 0)
		order = (int)one->verb - (int)other->verb;
	if (order == 0)
		order = address_compare(&one->server.address, &other->server.address);
	return order != 0 ? order : (int)one->server.port - (int)other->server.port;
}

GArray *table_difference(const Table *intent, const Table *actual, GHashTable *ours)
{
	GArray *operations = g_array_new(FALSE, FALSE, sizeof(TableOperation));
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, intent->services);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		table_difference_of_service(
			each, g_hash_table_lookup(actual->services, each), operations);
	g_hash_table_iter_init(&iter, actual->services);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		if (!g_hash_table_contains(intent->services, each) &&
			(ours == NULL || g_hash_table_contains(ours, each)))
			table_difference_of_service(NULL, each, operations);
	g_array_sort(operations, operation_compare);
	return operations;
}

void table_obey(Table *table, const TableOperation *operation)
{
	if (operation->verb == TABLE_ADD_SERVICE || operation->verb == TABLE_EDIT_SERVICE)
		table_put_service(table, &operation->key, &operation->settings);
	if (operation->verb == TABLE_REMOVE_SERVICE)
		table_remove_service(table, &operation->key);
	TableService *service = table_service(table, &operation->key);
	if (service == NULL)
		return;
	const TableServer *server = &operation->server;
	if (operation->verb == TABLE_REMOVE_SERVER)
		table_remove_server(service, &server->address, server->port);
	if (operation->verb != TABLE_ADD_SERVER && operation->verb != TABLE_EDIT_SERVER)
		return;
	const TableServer *before = table_server(service, &server->address, server->port);
	TableServer after = *server;
	after.leaving = after.again = FALSE;
	after.active = before == NULL ? 0 : before->active;
	after.inactive = before == NULL ? 0 : before->inactive;
	table_put_server(service, &after);
}

/* -- lines -- */

static void append_service_name(GString *line, const TableKey *key)
{
	if (key->mark != 0) {
		g_string_append_printf(line, " -f %u", key->mark);
		if (key->address.family == AF_INET6)
			g_string_append(line, " -6");
		return;
	}
	g_autofree char *at = address_with_port(&key->address, key->port);
	const char *option = key->protocol == IPPROTO_TCP   ? "-t"
			     : key->protocol == IPPROTO_UDP ? "-u"
							    : "--sctp-service";
	g_string_append_printf(line, " %s %s", option, at);
}

static void append_settings(GString *line, const TableSettings *settings)
{
	g_string_append_printf(line, " -s %s", settings->scheduler);
	if (settings->flags & IP_VS_SVC_F_PERSISTENT)
		g_string_append_printf(line, " -p %u", settings->timeout_s);
	if (settings->flags & IP_VS_SVC_F_SCHED_SH_FALLBACK)
		g_string_append_printf(line, " -b %s",
			strcmp(settings->scheduler, "sh") == 0	 ? "sh-fallback"
			: strcmp(settings->scheduler, "mh") == 0 ? "mh-fallback"
								 : "flag-1");
}

static void append_server_name(GString *line, const TableKey *key, const TableServer *server)
{
	/* Without a port it is the service's; ipvsadm wants one after brackets. */
	if (server->port != key->port || server->address.family == AF_INET6) {
		g_autofree char *at = address_with_port(&server->address, server->port);
		g_string_append_printf(line, " -r %s", at);
		return;
	}
	char text[ADDRESS_TEXT_BYTES];
	address_text(&server->address, text);
	g_string_append_printf(line, " -r %s", text);
}

char *table_line(const TableOperation *operation)
{
	static const char *const verbs[] = {"-A", "-a", "-E", "-e", "-d", "-D"};
	static const char *const forwards[] = {"", " -i", " -m", ""};
	const TableVerb verb = operation->verb;
	GString *line = g_string_new(verbs[verb]);
	append_service_name(line, &operation->key);
	if (verb == TABLE_ADD_SERVICE || verb == TABLE_EDIT_SERVICE)
		append_settings(line, &operation->settings);
	if (verb == TABLE_ADD_SERVER || verb == TABLE_EDIT_SERVER || verb == TABLE_REMOVE_SERVER)
		append_server_name(line, &operation->key, &operation->server);
	if (verb == TABLE_ADD_SERVER || verb == TABLE_EDIT_SERVER)
		g_string_append_printf(line, "%s -w %u", forwards[operation->server.forward],
			operation->server.weight);
	return g_string_free(line, FALSE);
}

char *table_key_text(const TableKey *key)
{
	if (key->mark != 0)
		return g_strdup_printf("firewall mark %u", key->mark);
	g_autofree char *at = address_with_port(&key->address, key->port);
	return g_strdup_printf("%s %s",
		key->protocol == IPPROTO_TCP	? "tcp"
		: key->protocol == IPPROTO_UDP	? "udp"
		: key->protocol == IPPROTO_SCTP ? "sctp"
						: "protocol ?",
		at);
}
