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
#define HOLD_MAXIMUM_RESTARTS	   5 /* of a service that ends by itself, a minute; then the responder */

/* Runs until SIGTERM; services go on only under another holder (systemd's descriptor store hands
 * the sockets over), so stopping it is for the end of a node. The caller has parsed the
 * configuration; `program` is drover-node's own path, for the responder and the forwarder. */
gboolean hold_run(const NodeProduct *product, const char *program, GError **error);
/* Starts one in the background when none runs: a session of its own, until it answers. */
gboolean hold_ensure(const NodeProduct *product, const char *config_path, const char *program,
	GError **error);

/* One call to the holder: {"do": "handover", "version": V}, {"do": "status"}, {"do": "stop-service"},
 * {"do": "maintenance", "on": true, "reason": R, "until": RFC 3339}. Waits until it is done:
 * `timeout_s`. A new reference; {"error": {"code", "message"}} became an error.
 * DROVER_ERROR_UNAVAILABLE: no holder runs. */
json_t *hold_call(
	const NodeProduct *product, const json_t *call, gint64 timeout_s, GError **error);

/* NodeDeed.restart for products with `run`. */
gboolean hold_restart(
	const NodeProduct *product, const char *version, gpointer of, GError **error);

/* Maintenance is a file, PREFIX/.drover/maintenance, so that it holds whoever is killed; the holder
 * looks at it when told and when it starts. *state: {"on", "reason", "since", "until", "overdue"}.
 */
gboolean maintenance_set(const NodeProduct *product, const char *reason, gint64 until_us,
	gint64 now_us, GError **error);
gboolean maintenance_end(const NodeProduct *product, GError **error);
json_t *maintenance_state(const NodeProduct *product, gint64 now_us, GError **error);

/* The responder, in its own process: answers on the lent sockets until SIGTERM. */
gboolean respond_run(const NodeProduct *product, GError **error);
/* The forwarder, the same: copies bytes between clients and `forward_to`. */
gboolean forward_run(const NodeProduct *product, GError **error);

#endif
