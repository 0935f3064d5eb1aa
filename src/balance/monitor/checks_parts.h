/* SPDX-License-Identifier: ISC
 *
 * What the files of the engine share.
 *
 *     Plan     a monitor and its settings, for all servers of all services that say the same
 *     Probe    a plan for one address: runs again and again, known by plan and address
 *     Check    who watches a probe (checks.h)
 *     Exchange one run of a probe (monitor.h)
 *
 * A probe is in one of these places: among `due` until its time comes, in the queue until the
 * pacer and the number of sockets let it start, under way until its exchange ends.
 */
#ifndef BALANCE_MONITOR_CHECKS_PARTS_H
#define BALANCE_MONITOR_CHECKS_PARTS_H

#include "balance/monitor/monitor.h"
#include "balance/monitor/pace.h"

#include <event2/event.h>

typedef struct Plan {
	const Monitor *monitor;
	char *key; /* everything that it depends on, as text */
	gpointer settings;
	gint64 interval_us, timeout_us;
	guint slots;
	guint references;
	GHashTable *plans; /* where it is known; NULL: nowhere */
	Exchange *spare;   /* memory to be used again */
} Plan;

/* Reads the service, and finds or makes its plan. New reference. */
Plan *plan_get(
	GHashTable *plans, const ConfigService *service, ConfigMonitor monitor, GError **error);
/* Nowhere known. */
Plan *plan_new(const ConfigService *service, ConfigMonitor monitor, GError **error);
void plan_unref(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_unref)

typedef struct Probe {
	Checks *checks;
	Plan *plan;
	CheckTarget target; /* its host is ours */
	Check *watchers;
	Exchange *exchange; /* NULL: not under way */
	gint64 slot_us;	    /* pace.h */
	Timer due;
	GList queued; /* in the queue while `waiting` */
	gboolean waiting;
	gboolean known; /* there is a result: */
	PoolResult result;
	gint64 took_us;
	char *why;
	gsize why_size_bytes; /* of its memory */
} Probe;

struct Check {
	Probe *probe;
	Check *next;
	CheckTell tell; /* NULL: it left while it stood among the late */
	gpointer of;
	gboolean late;	/* stands among those that are told what is known already */
	gboolean heard; /* was told something meanwhile */
};

struct Checks {
	struct event_base *base;
	guint maximum_sockets;
	Runner *runner;
	guint64 random; /* state of the generator */
	Pace pace;
	GHashTable *plans;  /* char * -> Plan * */
	GHashTable *probes; /* a set of Probe * */
	TimerHeap due, deadlines;
	GQueue queue;	   /* probes that are due, first come first served */
	gint64 blocked_us; /* when the queue last waited for a socket */
	GPtrArray *late;   /* Check * */

	Probe *telling;	   /* whose watchers are being told, */
	Check *tells_next; /* and which one is next */

	guint depth;	/* > 0: within the engine; what ended is not used again yet */
	Exchange *gone; /* that is what */
	struct event *timer, *arrivals;
	gint64 wakes_us; /* when the timer fires; G_MAXINT64: never */
	int epoll;
	struct epoll_event *events; /* of the round that is being worked off; NULL: none is */
	int event_at, event_count;
	struct ssl_ctx_st *tls; /* NULL until somebody asks */
	gint64 complained_us;	/* about this host */
	ChecksFigures figures;
};

/* scheduling: checks_turn.c
 *
 * Between these two nothing that ended is used again; leaving the outermost starts what may start.
 */
void checks_enter(Checks *checks);
void checks_exit(Checks *checks);
/* The same without a start, which could end at once and tell: for what is called from outside. */
void checks_exit_quietly(Checks *checks);
/* The timer's work: what is due, deadlines, those who are late. */
void checks_turn(Checks *checks);
/* Comes back at that time at the latest. */
void checks_wake(Checks *checks, gint64 when_us);
void probe_schedule(Probe *probe, gint64 due_us);
/* Out of the heap or the queue. */
void probe_unschedule(Probe *probe);
guint32 checks_random(Checks *checks);

/* exchanges: exchange.c */
void exchange_start(Probe *probe, gint64 now_us);
/* Without a result. */
void exchange_stop(Exchange *exchange);
void exchange_expire(Exchange *exchange);
/* Memory of what ended can be used again. */
void exchange_bury(Checks *checks);

/* results: checks.c */
void probe_publish(Probe *probe, PoolResult result, const char *why, gint64 took_us);

/* sockets: exchange_socket.c */
gboolean exchange_sockets_open(Checks *checks, GError **error);
void exchange_sockets_close(Checks *checks);
/* Calls what is ready. */
void exchange_sockets_look(Checks *checks);

/* streams: exchange_stream.c */
void exchange_streams_close(Checks *checks);

#endif
