/* SPDX-License-Identifier: ISC
 *
 * The IPVS table as a value, and the heart of the keeper: what has to be done to make one table
 * into another. No kernel, no clock. Rules: docs/kernel.md.
 */
#ifndef BALANCE_KERNEL_TABLE_H
#define BALANCE_KERNEL_TABLE_H

#include "balance/address.h"

#define TABLE_SCHEDULER_BYTES 16 /* of a scheduler's name, with its zero: the kernel's */
#define TABLE_MAXIMUM_PERSISTENCE                                                                  \
	4000000 /* seconds; a kernel of 1000 Hz counts 32 bits of ticks                            \
		 */

typedef struct TableKey {
	guint16 protocol; /* IPPROTO_* */
	guint16 port;
	guint32 mark;	 /* of the firewall, instead of protocol, address and port; 0: none */
	Address address; /* with a mark only its family counts */
} TableKey;

/* What a service has beside its name. */
typedef struct TableSettings {
	char scheduler[TABLE_SCHEDULER_BYTES];
	guint32 flags;	   /* IP_VS_SVC_F_*, without what the kernel keeps for itself */
	guint32 timeout_s; /* of persistence; 0 without */
	guint32 prefix;	   /* bits of a client's address that persistence goes by */
} TableSettings;

typedef enum TableForward { TABLE_DR, TABLE_TUNNEL, TABLE_MASQUERADE, TABLE_OTHER } TableForward;

typedef struct TableServer {
	Address address;
	guint16 port;
	TableForward forward;
	guint32 weight;
	guint32 upper, lower;	  /* thresholds of connections; ours are 0: none */
	guint32 active, inactive; /* connections; of the kernel alone, never compared */
	gboolean leaving;	  /* of the intent: edited when it is there, never added */
	gboolean again;		  /* of the intent: edited even when nothing differs */
} TableServer;

typedef struct TableService {
	TableKey key;
	TableSettings settings;
	GHashTable *servers; /* TableServer *, each its own key: address and port */
} TableService;

typedef struct Table {
	GHashTable *services; /* TableService *, each its own key */
} Table;

Table *table_new(void);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* Flags that `scheduler` must have: sh and mh lose the clients of a server of weight 0 without
 * their fallback. Persistence is asked for by persistence_ms > 0, rounded up to seconds. */
TableSettings table_settings(const char *scheduler, gint64 persistence_ms, int family);

/* Made when it is not there; with these settings from now on. */
TableService *table_put_service(Table *table, const TableKey *key, const TableSettings *settings);
/* NULL when there is none. */
TableService *table_service(const Table *table, const TableKey *key);
void table_remove_service(Table *table, const TableKey *key);
/* Copies `server` over the one of its address and port. */
TableServer *table_put_server(TableService *service, const TableServer *server);
TableServer *table_server(const TableService *service, const Address *address, guint16 port);
void table_remove_server(TableService *service, const Address *address, guint16 port);

guint table_key_hash(gconstpointer key);
gboolean table_key_equal(gconstpointer a, gconstpointer b);
/* By address and port. */
guint table_server_hash(gconstpointer server);
gboolean table_server_equal(gconstpointer a, gconstpointer b);

/* In the order in which they are done. */
typedef enum TableVerb {
	TABLE_ADD_SERVICE,
	TABLE_ADD_SERVER,
	TABLE_EDIT_SERVICE,
	TABLE_EDIT_SERVER,
	TABLE_REMOVE_SERVER,
	TABLE_REMOVE_SERVICE,
} TableVerb;

typedef struct TableOperation {
	TableVerb verb;
	TableKey key;
	TableSettings settings; /* of ADD_SERVICE and EDIT_SERVICE */
	TableServer server;	/* of *_SERVER */
} TableOperation;

/* What makes `actual` what `intent` says: adds, then edits, then removals; in each of them by
 * service, a new service before its servers, a leaving one after them. Services that `intent` does
 * not have are removed when their key is in the set `ours`, and left alone when not; NULL: all are
 * ours. Caller frees. */
GArray *table_difference(const Table *intent, const Table *actual, GHashTable *ours);
/* The same for one service; NULL: it is not there. Appends, unsorted. */
void table_difference_of_service(
	const TableService *intent, const TableService *actual, GArray *operations);

/* What the kernel does at `operation`. */
void table_obey(Table *table, const TableOperation *operation);

/* As ipvsadm takes it: "-a -t 192.0.2.1:80 -r 10.0.0.1 -w 10". Caller frees. */
char *table_line(const TableOperation *operation);
/* "tcp 192.0.2.1:80", for messages. Caller frees. */
char *table_key_text(const TableKey *key);

#endif
