/* SPDX-License-Identifier: ISC
 *
 * The way to steer a running drover-lvs: a Unix socket, one JSON request in a line, one JSON answer
 * in a line. Who asks is known from the kernel, not from what he says: root, the user that
 * drover-lvs runs as, and members of one group may; everybody else is refused.
 *
 *     {"command": "status"}
 *     {"command": "accept", "service": "web"}
 *     {"command": "drain", "service": "web", "server": "web1", "force": true}
 *     {"command": "undrain", "service": "web", "server": "web1"}
 *     {"command": "reload"}
 *
 *     {"answer": …}      or      {"error": {"kind": "conflict", "message": "…"}}
 */
#ifndef BALANCE_DIRECTOR_CONTROL_H
#define BALANCE_DIRECTOR_CONTROL_H

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"

struct event_base;

#define CONTROL_SOCKET		     "/run/drover-lvs/control.sock"
#define CONTROL_GROUP		     "drover"
#define CONTROL_MAXIMUM_BYTES	     4096 /* of a request */
#define CONTROL_MAXIMUM_PEERS	     16
#define CONTROL_TIMEOUT_MS	     (10 * 1000)	 /* of a conversation, at either end */
#define CONTROL_MAXIMUM_ANSWER_BYTES (256 * 1024 * 1024) /* that the asker reads */
#define CONTROL_MAXIMUM_GROUPS	     65536		 /* of one peer; the kernel's own limit */

typedef enum ControlCommand {
	CONTROL_STATUS,
	CONTROL_ACCEPT,
	CONTROL_DRAIN,
	CONTROL_UNDRAIN,
	CONTROL_RELOAD,
} ControlCommand;

typedef struct ControlRequest {
	ControlCommand command;
	char *service, *server; /* as far as the command has them */
	gboolean forced;
	char *who; /* the asker's name in /etc/passwd, or "uid 1234" */
} ControlRequest;

/* Without `who`. Fails with DROVER_ERROR_INPUT. */
gboolean control_request_parse(
	const char *line, gsize size_bytes, ControlRequest *request, GError **error);
void control_request_clear(ControlRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ControlRequest, control_request_clear)

typedef struct Control Control;

/* Does it, and returns the answer; NULL with `error`. */
typedef json_t *(*ControlAct)(const ControlRequest *request, gpointer of, GError **error);

/* Makes the socket, for `group` ((gid_t)-1: none), in place of one that nobody listens on any
 * more; returns it, or -1. Fails with DROVER_ERROR_CONFLICT when somebody does. */
int control_open(const char *path, uid_t owner, gid_t group, GError **error);
/* Takes `fd` over. Its path is `path`, which is removed in the end. */
Control *control_new(struct event_base *base, int fd, const char *path, gid_t group, ControlAct act,
	gpointer of);
void control_free(Control *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Control, control_free)

/* The other end: asks and waits. Takes `request`. Fails with what the daemon said, or with
 * DROVER_ERROR_UNAVAILABLE when there is none, DROVER_ERROR_DENIED when it may not be asked. */
json_t *control_call(const char *path, json_t *request, GError **error);

#endif
