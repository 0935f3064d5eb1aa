/* SPDX-License-Identifier: ISC
 *
 * Keeps the kernel's IPVS table to what it should be. Callers say what they want; the keeper
 * compares that with the table, changes only what differs (adds, then edits, then removals), reads
 * it again to see that it took, and repairs it every minute and after any netlink error.
 *
 * A table that is there at start is adopted: a server that should be there and is, is not touched.
 * Services that nobody here ever wanted are strangers', and left alone unless `own_all`.
 *
 * A server that leaves drains: weight 0 until its active connections are gone or the service's
 * drain timeout has passed, then it goes. Servers found in the table of a service of ours that
 * nobody wants (the list changed while we were not running) drain in the same way. Rules:
 * docs/kernel.md.
 */
#ifndef BALANCE_KERNEL_KEEPER_H
#define BALANCE_KERNEL_KEEPER_H

#include "balance/address.h"
#include "balance/config.h"

struct event_base;

#define KEEPER_INTERVAL_MS   (60 * 1000) /* between comparisons when nothing happens */
#define KEEPER_DRAIN_LOOK_MS 1000	 /* between looks at what drains, or was changed */
#define KEEPER_RETRY_MS	     1000	 /* after an error; it doubles up to KEEPER_INTERVAL_MS */

typedef struct Keeper Keeper;

typedef struct KeeperKey {
	gint64 protocol; /* ConfigProtocol */
	Address address;
	guint16 port;
} KeeperKey;

/* What is fixed for a service by its configuration. */
typedef struct KeeperService {
	KeeperKey key;
	const char *scheduler; /* "wrr"; flags that it must have are the keeper's to add */
	gint64 forward;	       /* ConfigForward, of every server */
	gint64 persistence_ms; /* 0: none */
	gint64 drain_timeout_ms;
} KeeperService;

typedef struct KeeperOptions {
	struct event_base *base;
	/* Print what would be done, line by line as ipvsadm takes it, and do nothing. From then on
	 * the table is taken to be as if it had been done; an order for a server that is there
	 * already is printed, too. */
	gboolean dry_run;
	void (*print)(const char *line, gpointer of); /* of dry_run; NULL: to standard output */
	gboolean own_all;			      /* remove services that are not ours */
	/* A server that was drained has left the table, or has no connection left and stays. Told
	 * at the end of a turn; may give new orders. May be NULL. */
	void (*drained)(const KeeperKey *service, const Address *server, gpointer of);
	/* What is wrong with the kernel side, NULL when nothing is any more: for an alert. */
	void (*trouble)(const char *what, gpointer of);
	gpointer of;
} KeeperOptions;

/* Opens netlink; loads nothing by itself. Fails with DROVER_ERROR_UNAVAILABLE (no IPVS in this
 * kernel: `modprobe ip_vs`) or DROVER_ERROR_DENIED (no CAP_NET_ADMIN). With dry_run a kernel
 * without IPVS is an empty table. */
Keeper *keeper_new(const KeeperOptions *options, GError **error);
/* Stops looking; leaves the table as it is. */
void keeper_free(Keeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keeper, keeper_free)

/* Until the first keeper_start() nothing is changed, so that the whole intent can be said first. */
void keeper_start(Keeper *keeper);

/* The intent. Changes are made together at the end of the loop's turn.
 *
 * New, or with other settings: those are edited in place where the kernel can, and nothing is cut.
 */
void keeper_service(Keeper *keeper, const KeeperService *service);
/* Its servers drain, then it goes. */
void keeper_forget_service(Keeper *keeper, const KeeperKey *service);
/* It goes with the next turn, for a service whose address must be free now. */
void keeper_remove_service(Keeper *keeper, const KeeperKey *service);
/* In the table, with this weight; ends a drain of it. */
void keeper_serve(Keeper *keeper, const KeeperKey *service, const Address *server, guint weight);
/* Weight 0, and out when its connections are gone. `stay`: it stays at weight 0 after that (a
 * server that somebody drains to work on), and `drained` is called once. Under `dh` it is removed
 * at once. */
void keeper_drain(Keeper *keeper, const KeeperKey *service, const Address *server, gboolean stay);
/* Out now. */
void keeper_remove(Keeper *keeper, const KeeperKey *service, const Address *server);

/* Compares and repairs now. FALSE when the kernel would not have it: `trouble` was told. */
gboolean keeper_reconcile(Keeper *keeper);

/* The kernel's counts at the last look. FALSE when the server is not in the table. */
gboolean keeper_connections(Keeper *keeper, const KeeperKey *service, const Address *server,
	guint *active, guint *inactive);

typedef struct KeeperFigures {
	guint64 reconciles, repairs, changes, errors; /* repairs: what somebody else had changed */
	guint64 last_reconcile_us;		      /* how long it took */
	guint draining;
} KeeperFigures;
void keeper_figures(const Keeper *keeper, KeeperFigures *figures);

#endif
