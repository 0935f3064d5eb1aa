/* SPDX-License-Identifier: ISC
 *
 * The socket holder (docs/maintenance.md): a small process of its own for each product, which
 * outlives drover-node. It opens the listening sockets once and never closes them, and lends them
 * (LISTEN_FDS) to whoever answers: the service, the next one, or the responder. It starts services
 * and ends them, one handover at a time:
 *
 *     idle -> starting NEW (socket lent, NOTIFY_SOCKET) -> READY=1 -> OLD gets SIGTERM, stops
 *     accepting, finishes -> its deadline: SIGKILL -> settled
 *              +-> no READY in time, or it ends: NEW is killed, OLD goes on
 *
 * A service without notification (readiness = verify) is first started on a private socket and
 * asked for its health there, then on the shared one. One that can take no socket (forward) listens
 * at an address of its own, and the forwarder is who answers. While nobody can answer, and during
 * maintenance, the responder does.
 *
 * Commands come by a UNIX socket, PREFIX/.drover/hold.sock, mode 0600: one line of JSON each way.
 */
#ifndef NODE_HOLD_HOLD_H
#define NODE_HOLD_HOLD_H

#include <jansson.h>

#include "node/config.h"

#define HOLD_MAXIMUM_MESSAGE_BYTES 65536
#define HOLD_MAXIMUM_REASON_BYTES  1024	    /* of maintenance */
#define HOLD_MAXIMUM_CALLERS	   16	    /* at one time at the control socket */
#define HOLD_CALLER_S		   10	    /* for a caller to send its line */
#define HOLD_SILENCE_MS		   2000	    /* that nobody answers; then the responder does */
#define HOLD_MAXIMUM_RESTARTS	   5	    /* of a service, by itself, in a minute */
#define HOLD_MAXIMUM_LOG_BYTES	   67108864 /* of shared/log/hold.log */
#define HOLD_KEPT_LOG_BYTES	   1048576  /* of its end, when it was longer */
#define HOLD_LOG_LOOK_S		   2

/* Runs until SIGTERM, which ends the services too: that is for the end of a node. SIGHUP (and
 * {"do": "renew"}) executes `program` again with the arguments this process was started with, for a
 * new configuration or a new drover-node: sockets and services stay as they are. The caller has
 * parsed the configuration and does nothing else in this process. */
gboolean hold_run(const NodeProduct *product, const char *program, GError **error);
/* Starts one in the background when none runs, `program` hold PRODUCT --config `config_path`, in a
 * session of its own, and waits until it answers. What it and its services say goes to
 * PREFIX/shared/log/hold.log. */
gboolean hold_ensure(
	const NodeProduct *product, const char *config_path, const char *program, GError **error);

/* One call to the holder, at most `timeout_s` until it is done:
 *
 *     {"do": "status"}                    who answers, what is being done
 *     {"do": "handover", "version": V}    V answers; it ends maintenance
 *     {"do": "stop-service"}              nothing runs, the responder answers
 *     {"do": "maintenance", "on": true, "reason": R, "until": RFC 3339 or null}
 *                                         the responder answers, the service has ended
 *     {"do": "maintenance", "on": false}  the service answers again
 *     {"do": "renew"}                     as SIGHUP
 *
 * Each answers with the status. A new reference; {"error": {"code", "message"}} became an error.
 * DROVER_ERROR_UNAVAILABLE: no holder runs; DROVER_ERROR_LOCKED: it is in the middle of another;
 * DROVER_ERROR_CONFLICT: the new version did not get ready, what ran goes on. */
json_t *hold_call(const NodeProduct *product, const json_t *call, gint64 timeout_s, GError **error);

/* TRUE when one runs. */
gboolean hold_answers(const NodeProduct *product);
/* The longest that a handover, or an end or a begin of the service, can take. */
gint64 hold_limit_s(const NodeProduct *product);

typedef struct HoldProgram {
	const char *config_path, *program;
} HoldProgram;

/* NodeDeed.restart for products with `run`: a handover to `version`. `of` is a HoldProgram *, and a
 * holder that does not run is started; NULL: there must be one. */
gboolean hold_restart(const NodeProduct *product, const char *version, gpointer of, GError **error);

/* Maintenance is a file, PREFIX/.drover/maintenance, so that it holds whoever is killed; the holder
 * looks at it when told and when it starts. *state: {"on", "reason", "since", "until", "overdue"}.
 */
gboolean maintenance_set(const NodeProduct *product, const char *reason, gint64 until_us,
	gint64 now_us, GError **error);
gboolean maintenance_end(const NodeProduct *product, GError **error);
json_t *maintenance_state(const NodeProduct *product, gint64 now_us, GError **error);

/* The responder, in its own process: answers on the lent sockets (LISTEN_FDS) until SIGTERM. Says
 * READY=1 when it does. As root it becomes the product's user, or nobody. */
gboolean respond_run(const NodeProduct *product, GError **error);
/* The forwarder, the same: copies bytes between clients and $DROVER_FORWARD_TO, or else
 * `forward_to`. On SIGTERM it accepts no more, and leaves when the last connection has ended; those
 * that wait for their client's next request are closed. */
gboolean forward_run(const NodeProduct *product, GError **error);

#endif
