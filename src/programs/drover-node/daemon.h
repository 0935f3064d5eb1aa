/* SPDX-License-Identifier: ISC
 *
 * drover-node while it runs. Threads that wait for each other only by one lock and one condition:
 *
 *     main       signals, the service manager's watchdog
 *     asker      droverd's orders, by long polls; what it hears is kept at once
 *     reporter   a report every DAEMON_REPORT_S, and whenever something moved
 *     worker     one for each product: what is next (node/follow.h), and doing it
 *
 * A worker looks at files for what is (journal, orders, memory), so that a restart, another command
 * or a crash changes nothing of how it decides.
 */
#ifndef DROVER_NODE_DAEMON_H
#define DROVER_NODE_DAEMON_H

#include "node/config.h"
#include "programs/drover-node/report.h"

#define DAEMON_REPORT_S	     20 /* between two reports in which nothing moved; droverd waits 25 s */
#define DAEMON_LOOK_S	     30 /* between two looks of a worker when nothing moved */
#define DAEMON_BUSY_S	     5	/* before it is tried again to do what another command is doing */
#define DAEMON_FIRST_PAUSE_S 1	/* after droverd was not heard; doubles */
#define DAEMON_LAST_PAUSE_S  60
#define DAEMON_REFUSED_S     60 /* after it refused our token */
#define DAEMON_ENDS_S	     60 /* for which an activation is waited for at the end */

typedef struct Daemon Daemon;

/* A product and its worker. */
typedef struct Worker {
	Daemon *daemon;
	const NodeProduct *product;
	GThread *thread;
	ReportDoing doing;   /* under the daemon's lock */
	gboolean is_overdue; /* of its maintenance, as it was said in the log */
} Worker;

struct Daemon {
	const NodeConfig *config;
	char *token_file, *program;
	GMainLoop *loop;
	GThread *asker, *reporter;
	GMutex lock;			    /* of all below, and of the workers' `doing` */
	GCond moved;			    /* orders came, something is done, or it ends */
	guint64 orders_moved, report_moved; /* how often */
	gboolean is_ending;
	GPtrArray *workers; /* Worker *; the list itself never changes */
};

/* Waits until `counter` is no longer `seen`, it ends, or `seconds` have passed. FALSE: it ends. */
gboolean daemon_wait(Daemon *daemon, const guint64 *counter, guint64 seen, double seconds);
gboolean daemon_is_ending(Daemon *daemon);
void daemon_orders_moved(Daemon *daemon);
void daemon_report_moved(Daemon *daemon);

/* The bodies of the threads. */
gpointer daemon_ask(gpointer of);
gpointer daemon_report(gpointer of);
gpointer daemon_work(gpointer of);

#endif
