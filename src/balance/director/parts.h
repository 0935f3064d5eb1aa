/* SPDX-License-Identifier: ISC
 *
 * What the files of the director share: the director, its services, their servers. Each group of
 * functions stands in the file that it names.
 */
#ifndef BALANCE_DIRECTOR_PARTS_H
#define BALANCE_DIRECTOR_PARTS_H

#include "balance/director/alerts.h"
#include "balance/director/director.h"
#include "balance/director/saved.h"
#include "balance/kernel/keeper.h"
#include "balance/kernel/routes.h"
#include "balance/monitor/checks.h"

#define SERVICE_NAMES_SHOWN 10 /* of servers in one message */

struct event;
typedef struct Service Service;
typedef struct Server Server;

struct Director {
	struct event_base *base;
	char *config_path, *state_folder, *token_file, *ca_file;
	Runner *runner; /* borrowed; NULL: none */
	Clock clock;
	gint64 started_us;
	gboolean dry_run;
	Config *config;
	Alerts *alerts;
	Checks *checks;
	Resolver *resolver;
	Keeper *keeper;
	Routes *routes;
	GPtrArray *services; /* Service *, in the order of the configuration */
	gboolean keeper_started;
	gboolean routes_left_over; /* what an older configuration announced has still to go */
	GHashTable *routes_failed; /* Address * -> what the kernel said; family 0: of all routes */
	struct event *soon;	   /* reports are due */
	struct event *save;	   /* something is to be kept on disk */
	struct event *tick;	   /* every few seconds */
	gint64 routes_looked_ms, reported_ms;
	json_t *status; /* as of `status_ms`; NULL: make it anew */
	gint64 status_ms;
};

/* What the keeper was told about a server's address. */
typedef enum KernelState {
	KERNEL_OUT,
	KERNEL_SERVED,
	KERNEL_STAYS,  /* drained to work on it: stays at weight 0 */
	KERNEL_LEAVES, /* drains, then goes */
} KernelState;

typedef enum ServerState {
	SERVER_UNRESOLVED,
	SERVER_UNCHECKED,
	SERVER_UP,
	SERVER_DOWN,
	SERVER_MAINTENANCE,
} ServerState;

/* One monitor's eye on one server. */
typedef struct Watch {
	Server *server;
	ConfigMonitor monitor;
	Check *check; /* NULL: the server has no address yet */
	gint64 at_us; /* of the last result; 0: none */
	gint64 took_us;
	gboolean good;
	char *why;
	guint64 up_results, down_results; /* down: also in maintenance */
	guint64 up_transitions, down_transitions;
} Watch;

struct Server {
	Service *service;
	char *host;
	ResolverName *name; /* NULL: `host` is an address */
	Address address;    /* that is used; nobody else's in this service. Family 0: none */
	Address wanted;	    /* that its name has */
	char *unresolved;   /* why its name has none now; NULL: it has */
	gboolean awaited;   /* it has no address yet, and its name was not answered */
	KernelState kernel;
	gboolean drained; /* KERNEL_STAYS, and no connection is open */
	ServerState state;
	gint64 since_us;    /* of `state` */
	GPtrArray *watches; /* Watch *, one for each monitor of the service, in that order */
	char *who;	    /* reserved or drained it; NULL: nobody */
	char *revoked_from; /* whose drain was taken back; NULL: nobody's, or it is settled */
	SourceOrder order;  /* droverd's last one; id 0: none */
	SourceOrder later;  /* one that waits until the service begins, */
	gboolean has_later; /* if there is one */
	OrderAnswer answer; /* to it */
	char *answer_why;
};

struct Service {
	Director *director;
	const ConfigService *config; /* borrowed from the director's */
	KeeperKey key;
	Pool *pool;
	Source *source;
	GHashTable *servers;	/* char * -> Server *, as the pool's list */
	GHashTable *by_address; /* Address * -> Server *, borrowed */
	gboolean has_list;	/* the pool has had one */
	gboolean has_good;	/* and it, or one before, was without a fault: `last good` */
	gboolean said;	      /* the keeper was told what should be; till then it leaves it alone */
	guint staying;	      /* servers that are KERNEL_STAYS */
	guint awaited;	      /* servers that are */
	GHashTable *troubled; /* Server * in a set: no address, or one that is not theirs */
	gboolean addresses_changed;  /* the alert about them is to be looked at */
	gboolean addresses_noted;    /* some are to be told to the pool */
	struct event *adopt;	     /* waiting for names has an end */
	struct event *advance;	     /* weights grow */
	Saved *saved;		     /* before this start; NULL: no longer of use */
	gboolean saved_empty;	     /* there is a list in it, without any server */
	GHashTable *saved_addresses; /* char * -> Address *, in `saved` */
	GHashTable *saved_drains;    /* char * -> SavedDrain *, in `saved`, each used once */
	GArray *set_aside;	     /* PoolEntry; NULL: none */
	gboolean set_aside_bad;	     /* it has bad lines: nobody may accept it */
	char *set_aside_why;
	gint64 set_aside_us;
	char *problem; /* of the list, as of the last news; NULL: none */
	gint64 read_us;
	gint64 version, epoch;
	guint64 left, kept; /* servers that were down, and left the pool; and were held */
	gboolean list_unsaved, drains_unsaved;
	gboolean pool_changed; /* alerts about it are to be looked at */
	gboolean report_due;
};

/* director.c */
void director_changed(Director *director); /* the next status is made anew */
void director_report_soon(Director *director);
/* Does now what is due soon: alerts, reports. */
void director_flush(Director *director);
/* Something is to be written to the state folder. */
void director_save_soon(Director *director);
/* A service has said what it wants. */
void director_start_keeper(Director *director);
Service *director_find(Director *director, const char *name);
gint64 director_now_us(const Director *director);

/* service.c: begins and ends, and takes another configuration. */
Service *service_new(Director *director, const ConfigService *config, GError **error);
/* Stops checking. The kernel is left as it is. */
void service_free(Service *service);
KeeperKey service_key(const ConfigService *config);
KeeperService service_for_keeper(const Service *service);
gboolean service_from_drover(const Service *service);
Source *service_open_source(Service *service, const ConfigService *config, GError **error);
gboolean service_has_same_list(const Service *service, const ConfigService *config);
/* What bears its name goes when `next` has another; before any service takes its new one. */
void service_give_up_name(Service *service, const ConfigService *next);
/* `config` becomes its configuration; only what differs is touched. `source` (taken) is of its
 * list; NULL: the one that it has, read again. */
void service_configure(Service *service, const ConfigService *config, Source *source);
gboolean service_has_bgp(const Service *service);
void service_alert(Service *service, AlertKind kind, const char *text);

/* lists.c */
void service_begin_lists(Service *service);
void service_take_news(const SourceNews *news, gpointer service);
gboolean service_accept(Service *service, const char *who, GError **error);

/* server.c: one server, its address and its checks. */
Server *server_new(Service *service, const char *host);
void server_free(Server *server);
/* The address that `host` is; family 0: it is a name. */
Address server_literal_address(const char *host, int family);
/* Known before its name was looked up. FALSE when another server has it. */
gboolean server_give_address(Server *server, const Address *address);
/* It is listed now: its name is looked up. */
void server_begin(Server *server);
/* Watches again what does not match the service's configuration any more; `before` may be NULL:
 * nothing of it stays. */
void server_watch(Server *server, const ConfigService *before);
/* Servers that want an address which has become free get it. */
void service_settle_addresses(Service *service);
void service_alert_addresses(Service *service);
void service_take_noted_addresses(Service *service);
ServerState server_state(const Server *server);
const char *server_state_name(ServerState state);
/* After anything that may have changed it. */
void server_note_state(Server *server);

/* follow.c: after each event of the pool. */
void service_follow(Service *service);
/* Servers that nobody works on any more, and that are not wanted otherwise, need not stay in the
 * kernel at weight 0: the pool, which took them to be gone, says nothing about them. */
void service_let_go_of_stayers(Service *service);
/* What droverd and status call drained: no connection is open. */
gboolean server_is_drained(const Server *server);
/* Tells the keeper about a server that it knows nothing of: at first, or its address is another. */
void server_tell_kernel(Server *server);
/* Names are looked up, or it took too long: from now on the kernel follows the pool. */
void service_say(Service *service);
void service_consider_saying(Service *service);
void service_alert_pool(Service *service);
void service_kernel_drained(Service *service, const Address *address);
/* "a, b and c"; only the first SERVICE_NAMES_SHOWN are read, the others counted. */
char *service_names(const GPtrArray *names);

/* announce.c */
void director_announce(Director *director, const Address *address);
void director_announce_all(Director *director);
/* Now and then: looks at the kernel again, and tries what failed again. */
void director_repair_routes(Director *director);

/* orders.c: people and droverd who want to work on servers. */
gboolean service_drain(Service *service, const char *host, PoolDrain wanted, gboolean forced,
	const char *who, GError **error);
gboolean service_undrain(Service *service, const char *host, const char *who, GError **error);
/* Before the service begins they are put off: without addresses no server counts, and all would be
 * refused. */
void service_take_orders(Service *service, const ServerList *list, const SourceOrder *orders);
void service_take_later_orders(Service *service);
void server_revoked(Server *server);
void server_set_who(Server *server, const char *who);

/* keep.c: what is kept on disk. */
void service_read_saved(Service *service);
/* The highest epoch that was seen of its list before; 0: none. */
gint64 service_saved_epoch(const Service *service);
/* A server that is listed for the first time since the start: its address and drain of before. */
void service_restore(Server *server, PoolEntry *entry);
/* A list of now was obeyed: who is not on it comes back as a new server. */
void service_forget_saved(Service *service);
void service_keep_list(Service *service);   /* soon */
void service_keep_drains(Service *service); /* soon; service_save() when it must be now */
/* Writes what is not written yet; TRUE when it did. A failure is an alert, and tried again. */
gboolean service_save(Service *service);

/* report.c */
json_t *service_report(Service *service);
json_t *server_address_json(const Server *server);
json_t *server_why_json(const Server *server);
json_t *server_last_check_json(const Server *server);
/* RFC 3339; 0: null. */
json_t *report_time(gint64 time_us);
/* reload.c: how services come and go. */
gboolean director_begin_services(Director *director, GError **error);

/* status.c */
json_t *director_make_status(Director *director);

#endif
