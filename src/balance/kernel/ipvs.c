/* SPDX-License-Identifier: ISC
 *
 * Asks and orders by generic netlink; what the messages look like stands in ipvs_message.c.
 */
#include "balance/kernel/ipvs.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <string.h>

#include "balance/kernel/ipvs_message.h"
#include "balance/kernel/netlink.h"
#include "base/error.h"

struct Ipvs {
	Netlink *netlink;
	guint16 family;
};

void ipvs_close(Ipvs *ipvs)
{
	if (ipvs == NULL)
		return;
	netlink_close(ipvs->netlink);
	g_free(ipvs);
}

static struct nlmsghdr *request(Ipvs *ipvs, guint8 command, guint16 flags)
{
	struct nlmsghdr *message = netlink_request(ipvs->netlink, ipvs->family, flags);
	struct genlmsghdr *head = mnl_nlmsg_put_extra_header(message, sizeof *head);
	head->cmd = command;
	head->version = IPVS_GENL_VERSION;
	return message;
}

static gboolean refuse(int code, GError **error)
{
	if (code == EPERM)
		drover_error_set(error, DROVER_ERROR_DENIED,
			"the kernel does not let us read its IPVS table: CAP_NET_ADMIN is missing");
	else if (code != 0)
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "cannot read the IPVS table: %s",
			g_strerror(code));
	return code == 0;
}

static void take_family(const struct nlmsghdr *message, gpointer of)
{
	guint16 *family = of;
	if (message != NULL)
		*family = ipvs_parse_family(
			mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message));
}

/* The number by which this kernel knows IPVS. */
static gboolean find_family(Ipvs *ipvs, GError **error)
{
	struct nlmsghdr *message = netlink_request(ipvs->netlink, GENL_ID_CTRL, NLM_F_ACK);
	struct genlmsghdr *head = mnl_nlmsg_put_extra_header(message, sizeof *head);
	head->cmd = CTRL_CMD_GETFAMILY;
	head->version = 1;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME);
	int refused = 0;
	if (!netlink_ask(ipvs->netlink, take_family, &ipvs->family, &refused, error))
		return FALSE;
	if (refused == 0 && ipvs->family >= GENL_MIN_ID)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
		"this kernel has no IPVS: load it with `modprobe ip_vs`");
	return FALSE;
}

/* -- reading -- */

typedef struct ServiceReading {
	Table *table;
} ServiceReading;

static void take_service(const struct nlmsghdr *message, gpointer of)
{
	ServiceReading *reading = of;
	if (message == NULL) {
		table_free(reading->table);
		reading->table = table_new();
		return;
	}
	TableKey key;
	TableSettings settings;
	if (ipvs_parse_service(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message),
		    &key, &settings))
		table_put_service(reading->table, &key, &settings);
}

static void take_server(const struct nlmsghdr *message, gpointer of)
{
	TableService *service = of;
	if (message == NULL) {
		g_hash_table_remove_all(service->servers);
		return;
	}
	TableServer server;
	if (ipvs_parse_server(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message),
		    &service->key, &server))
		table_put_server(service, &server);
}

static gboolean read_servers(Ipvs *ipvs, TableService *service, GError **error)
{
	int refused = 0;
	ipvs_put_key(request(ipvs, IPVS_CMD_GET_DEST, NLM_F_DUMP), &service->key);
	return netlink_ask(ipvs->netlink, take_server, service, &refused, error) &&
	       refuse(refused, error);
}

Table *ipvs_read(Ipvs *ipvs, GError **error)
{
	ServiceReading reading = {NULL};
	int refused = 0;
	request(ipvs, IPVS_CMD_GET_SERVICE, NLM_F_DUMP);
	gboolean good = netlink_ask(ipvs->netlink, take_service, &reading, &refused, error) &&
			refuse(refused, error);
	g_autoptr(Table) table = reading.table;
	if (!good)
		return NULL;
	GHashTableIter iter;
	gpointer service;
	g_hash_table_iter_init(&iter, table->services);
	while (g_hash_table_iter_next(&iter, &service, NULL))
		if (!read_servers(ipvs, service, error))
			return NULL;
	return g_steal_pointer(&table);
}

gboolean ipvs_read_service(Ipvs *ipvs, const TableKey *key, Table *table, GError **error)
{
	ServiceReading reading = {NULL};
	int refused = 0;
	ipvs_put_key(request(ipvs, IPVS_CMD_GET_SERVICE, NLM_F_ACK), key);
	gboolean good = netlink_ask(ipvs->netlink, take_service, &reading, &refused, error);
	g_autoptr(Table) found = reading.table;
	if (!good)
		return FALSE;
	const TableService *there = table_service(found, key);
	if (refused == ESRCH || (refused == 0 && there == NULL)) {
		table_remove_service(table, key);
		return TRUE;
	}
	return refuse(refused, error) &&
	       read_servers(ipvs, table_put_service(table, key, &there->settings), error);
}

Ipvs *ipvs_open(GError **error)
{
	g_autoptr(Ipvs) ipvs = g_new0(Ipvs, 1);
	ipvs->netlink = netlink_open(NETLINK_GENERIC, error);
	if (ipvs->netlink == NULL || !find_family(ipvs, error))
		return NULL;
	/* Whether we may. */
	ServiceReading reading = {NULL};
	int refused = 0;
	request(ipvs, IPVS_CMD_GET_SERVICE, NLM_F_DUMP);
	gboolean good = netlink_ask(ipvs->netlink, take_service, &reading, &refused, error) &&
			refuse(refused, error);
	table_free(reading.table);
	return good ? g_steal_pointer(&ipvs) : NULL;
}

/* -- changing -- */

static gboolean removed_already(TableVerb verb, int code)
{
	return (verb == TABLE_REMOVE_SERVER || verb == TABLE_REMOVE_SERVICE) &&
	       (code == ENOENT || code == ESRCH);
}

static char *sentence(const TableOperation *operation, int code, const char *words)
{
	g_autofree char *line = table_line(operation);
	const gboolean settings =
		operation->verb == TABLE_ADD_SERVICE || operation->verb == TABLE_EDIT_SERVICE;
	if (settings && code == ENOENT)
		return g_strdup_printf("the kernel refused `ipvsadm %s`: it has no scheduler %s; "
				       "load it with `modprobe ip_vs_%s`",
			line, operation->settings.scheduler, operation->settings.scheduler);
	if (code == EPERM)
		return g_strdup_printf(
			"the kernel refused `ipvsadm %s`: CAP_NET_ADMIN is missing", line);
	return g_strdup_printf("the kernel refused `ipvsadm %s`: %s%s%s", line, g_strerror(code),
		words == NULL ? "" : ": ", words == NULL ? "" : words);
}

/* At most a batch of them. */
static gboolean obey_batch(Ipvs *ipvs, const TableOperation *operations, guint count, int *errors,
	char **problem, GError **error)
{
	g_autofree char *words = NULL;
	for (guint i = 0; i < count; i++)
		ipvs_put_operation(
			request(ipvs, ipvs_command(operations[i].verb), NLM_F_ACK), &operations[i]);
	if (!netlink_send(ipvs->netlink, errors, &words, error))
		return FALSE;
	for (guint i = 0; i < count; i++) {
		if (removed_already(operations[i].verb, errors[i]))
			errors[i] = 0;
		if (errors[i] != 0 && *problem == NULL)
			*problem = sentence(&operations[i], errors[i], words);
	}
	return TRUE;
}

static gboolean obey_all(Ipvs *ipvs, const TableOperation *operations, guint count, int *errors,
	char **problem, GError **error)
{
	for (guint done = 0; done < count; done += NETLINK_MAXIMUM_BATCH)
		if (!obey_batch(ipvs, operations + done, MIN(count - done, NETLINK_MAXIMUM_BATCH),
			    errors + done, problem, error))
			return FALSE;
	return TRUE;
}

/* How many operations from the first on make one new service of many servers; 0: it is none. */
static guint size_of_filling(const TableOperation *operations, guint count)
{
	if (operations[0].verb != TABLE_ADD_SERVICE)
		return 0;
	guint size = 1;
	while (size < count && operations[size].verb == TABLE_ADD_SERVER &&
		table_key_equal(&operations[size].key, &operations[0].key))
		size++;
	return size > IPVS_FILLING_MINIMUM ? size : 0;
}

/* A scheduler takes notice of each server, and most look at all the others then: with many of them
 * the time grows as their square. So a large service is filled under rr, which takes no notice, and
 * gets its scheduler when it is complete. */
static gboolean fill(Ipvs *ipvs, const TableOperation *operations, guint count, int *errors,
	char **problem, GError **error)
{
	TableOperation first = operations[0], last = operations[0];
	g_strlcpy(first.settings.scheduler, "rr", sizeof first.settings.scheduler);
	last.verb = TABLE_EDIT_SERVICE;
	if (!obey_all(ipvs, &first, 1, errors, problem, error))
		return FALSE;
	/* This kernel may lack rr and have the other. */
	if (errors[0] != 0) {
		g_clear_pointer(problem, g_free);
		return obey_all(ipvs, operations, count, errors, problem, error);
	}
	return obey_all(ipvs, operations + 1, count - 1, errors + 1, problem, error) &&
	       obey_all(ipvs, &last, 1, errors, problem, error);
}

/* Operations from the first on that are no filling. */
static guint size_of_rest(const TableOperation *operations, guint count)
{
	guint size = 1;
	while (size < count && operations[size].verb != TABLE_ADD_SERVICE)
		size++;
	return size;
}

gboolean ipvs_obey(Ipvs *ipvs, const TableOperation *operations, guint count, int *errors,
	char **problem, GError **error)
{
	*problem = NULL;
	gboolean good = TRUE;
	for (guint done = 0; good && done < count;) {
		guint size = size_of_filling(operations + done, count - done);
		gboolean (*way)(Ipvs *, const TableOperation *, guint, int *, char **, GError **) =
			size > 0 ? fill : obey_all;
		if (size == 0)
			size = size_of_rest(operations + done, count - done);
		good = way(ipvs, operations + done, size, errors + done, problem, error);
		done += size;
	}
	if (!good)
		g_clear_pointer(problem, g_free);
	return good;
}
