/* SPDX-License-Identifier: ISC
 *
 * The inside of the holder. Its processes are children, each in one stage:
 *
 *     starting -> ready -> leaving -> gone
 *
 * A *turn* is one try to bring a version to the front, for a caller's handover or because what ran
 * has ended:
 *
 *     notify   START ------------------------------------------------> done
 *     verify   TRY (private socket, probed) -> START (settles) ------> done
 *     forward  [CLEAR: the old one first, when its port is fixed] ->
 *              START (its own port, probed) -> FORWARD --------------> done
 *
 * After every event holder_look() compares what is with what should be (who is wanted, maintenance,
 * silence) and does the next thing. Nothing waits, nothing blocks.
 */
#ifndef NODE_HOLD_HOLDER_H
#define NODE_HOLD_HOLDER_H

#include <event2/event.h>

#include "node/hold/hold.h"
#include "node/hold/listen.h"
#include "node/hold/message.h"
#include "node/hold/notify.h"

typedef struct Holder Holder;
typedef struct Caller Caller;

typedef enum ChildKind { CHILD_SERVICE, CHILD_RESPONDER, CHILD_FORWARDER } ChildKind;
typedef enum ChildStage { CHILD_STARTING, CHILD_READY, CHILD_LEAVING } ChildStage;

typedef struct Child {
	Holder *holder;
	ChildKind kind;
	ChildStage stage;
	pid_t process;
	int pidfd;
	guint64 start_time; /* spawn_start_time() */
	gint64 since_us;
	char *version;
	char *address;	       /* of a forward service; NULL */
	struct Child *backend; /* of a forwarder; borrowed, NULL when it is gone */
	int notify_fd;	       /* -1: adopted */
	NotifySaid said;
	guint strangers;
	struct event *ended, *notified, *deadline;
} Child;

typedef enum TurnStep { TURN_NONE, TURN_CLEAR, TURN_TRY, TURN_START, TURN_FORWARD } TurnStep;

typedef struct Turn {
	TurnStep step;
	char *version;
	Caller *caller;			    /* NULL: the holder's own, or the caller has gone */
	gboolean is_asked;		    /* by a caller, gone or not */
	Child *trial, *service, *forwarder; /* borrowed from children */
	ListenAddress at;		    /* where it is probed */
	gint64 began_ms, until_ms;
	gint64 tried_ms; /* what the trial took */
	pid_t probe;
	int probe_fd;
	struct event *probed, *timer;
} Turn;

/* What a caller waits for besides a turn. */
typedef enum Awaited { AWAITED_NOTHING, AWAITED_STOPPED } Awaited;

struct Holder {
	const NodeProduct *product;
	const char *program;
	struct event_base *base;
	GArray *listeners;
	GPtrArray *children; /* Child * */
	Child *front;	     /* the service, or its forwarder, that answers; NULL */
	char *wanted;	     /* version; NULL: none */
	Turn turn;
	GArray *restarts; /* gint64, ms: the holder's own turns of the last minute */
	guint restart_count;
	char *failure; /* of the last turn; NULL: it went well */
	struct event *silence, *retry;
	gboolean is_silent;
	gint64 responder_ms; /* when one last ended by itself; 0: never */
	gboolean in_maintenance, is_ending;
	Awaited awaited;
	Caller *awaiting;
	GPtrArray *callers;
	int control_fd;
	struct event *control;
	int guard_fd;
	struct event *shut, *log;
	gint64 shut_ms; /* when a socket last had to be made to listen again; 0: never */
};

/* holder.c */
void holder_look(Holder *holder);
void holder_arm(struct event *timer, gint64 ms);
/* TRUE while a service or forwarder runs, be it leaving. */
gboolean holder_has_services(const Holder *holder);
json_t *holder_status(const Holder *holder);
/* Reads the maintenance file again; a responder with other words takes over. */
void holder_read_maintenance(Holder *holder, gboolean has_changed);
void holder_renew(Holder *holder);

/* child.c */
Child *child_start_service(Holder *holder, const char *version, const GArray *fds,
	const char *address, GError **error);
Child *child_start_responder(Holder *holder, GError **error);
Child *child_start_forwarder(Holder *holder, Child *backend, GError **error);
/* One that runs already. NULL: it does not. */
Child *child_adopt(Holder *holder, ChildKind kind, pid_t process, guint64 start_time);
/* SIGTERM, and SIGKILL to its whole group at the limit. Again: nothing happens. */
void child_leave(Child *child, gint64 limit_s);
const char *child_kind_name(ChildKind kind);
/* The folder a version lies in, what its processes are told. Caller frees. */
char *child_folder(const Holder *holder, const char *version);
char **child_environment(const Holder *holder, const char *version, const char *address);
void child_free(Child *child);

/* turn.c */
void turn_begin(Holder *holder, const char *version, Caller *caller);
void turn_child_ready(Holder *holder, Child *child);
void turn_child_ended(Holder *holder, Child *child, const char *how);
void turn_continue(Holder *holder); /* CLEAR: the old one may have gone */
void turn_fail(Holder *holder, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* control.c */
gboolean control_open(Holder *holder, GError **error);
void control_close(Holder *holder);
/* Sends the status, or an error, and ends the conversation. `caller` NULL: nobody hears it. */
void control_answer(Caller *caller, const GError *failure);

/* guard.c: sockets that services shut down, and a log that they fill. */
void guard_begin(Holder *holder);
void guard_end(Holder *holder);

/* saved.c: PREFIX/.drover/holder.json, for the next holder. */
void saved_write(const Holder *holder);
/* Pidfds of the processes that were lent the sockets and live. */
GArray *saved_orphans(const NodeProduct *product);
/* Children that live on, and what was wanted. */
void saved_adopt(Holder *holder);

#endif
