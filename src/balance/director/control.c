/* SPDX-License-Identifier: ISC
 *
 * The daemon's end of the control socket.
 */
#include "balance/director/control.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "balance/director/control_parts.h"
#include "balance/director/peers.h"
#include "base/log.h"

#define BACKLOG	     16
#define RECORD_BYTES 4096 /* of a line of /etc/passwd */

struct Control {
	char *path;
	gid_t group;
	Peers *peers;
	ControlAct act;
	gpointer of;
};

/* TRUE when nobody listens there (any more). */
static gboolean clear_the_place(const struct sockaddr_un *address, GError **error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make a socket: %s",
			g_strerror(errno));
		return FALSE;
	}
	gboolean answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
			    errno == EAGAIN;
	close(fd);
	if (answered)
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"%s: another drover-lvs listens there; end it, or give this one a socket "
			"of its own with --socket",
			address->sun_path);
	else
		unlink(address->sun_path);
	return !answered;
}

int control_open(const char *path, uid_t owner, gid_t group, GError **error)
{
	struct sockaddr_un address;
	if (!control_address(path, &address, error) || !clear_the_place(&address, error))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	gboolean ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	umask(mask);
	/* Its group before its mode: for nobody else is it open at any time. */
	ok = ok && chown(path, owner, group) == 0 &&
	     chmod(path, group != (gid_t)-1 ? 0660 : 0600) == 0 && listen(fd, BACKLOG) == 0;
	if (ok)
		return fd;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make the control socket %s: %s",
		path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Of its process, as it connected. Asks no name service: that could wait. */
static gboolean peer_is_in_group(int fd, const struct ucred *peer, gid_t group)
{
	socklen_t size_bytes = CONTROL_MAXIMUM_GROUPS * sizeof(gid_t);
	g_autofree gid_t *groups = g_malloc(size_bytes);
	if (group == (gid_t)-1)
		return FALSE;
	if (peer->gid == group)
		return TRUE;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size_bytes) != 0)
		return FALSE;
	for (gsize i = 0; i < size_bytes / sizeof(gid_t); i++)
		if (groups[i] == group)
			return TRUE;
	return FALSE;
}

static char *name_of_user(uid_t user)
{
	struct passwd record, *found = NULL;
	char text[RECORD_BYTES];
	FILE *file = fopen("/etc/passwd", "re");
	while (file != NULL && fgetpwent_r(file, &record, text, sizeof text, &found) == 0)
		if (found->pw_uid == user)
			break;
		else
			found = NULL;
	if (file != NULL)
		fclose(file);
	return found != NULL ? g_strdup(found->pw_name) : g_strdup_printf("uid %u", user);
}

static gboolean admit(const Control *control, int fd, char **who, GError **error)
{
	struct ucred peer = {0};
	socklen_t size_bytes = sizeof peer;
	gboolean known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size_bytes) == 0;
	*who = known ? name_of_user(peer.uid) : g_strdup("somebody unknown");
	if (known && (peer.uid == 0 || peer.uid == geteuid() ||
			     peer_is_in_group(fd, &peer, control->group)))
		return TRUE;
	log_event(LOG_LEVEL_WARNING, "control.refused", "who", *who, NULL);
	drover_error_set(error, DROVER_ERROR_DENIED,
		"%s may not steer this drover-lvs: root may, and members of its control group",
		*who);
	return FALSE;
}

static json_t *obey(
	const Control *control, const char *line, gsize size_bytes, int fd, GError **error)
{
	g_auto(ControlRequest) request = {0};
	g_autofree char *who = NULL;
	if (!admit(control, fd, &who, error))
		return NULL;
	if (line == NULL) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "a request has at most %d bytes",
			CONTROL_MAXIMUM_BYTES);
		return NULL;
	}
	if (!control_request_parse(line, size_bytes, &request, error))
		return NULL;
	request.who = g_steal_pointer(&who);
	return control->act(&request, control->of, error);
}

static GBytes *answer(const char *line, gsize size_bytes, int fd, gpointer of)
{
	g_autoptr(GError) error = NULL;
	json_t *found = obey(of, line, size_bytes, fd, &error);
	json_auto_t *whole =
		found != NULL ? json_pack("{s:o}", "answer", found)
			      : json_pack("{s:{s:s,s:s}}", "error", "kind",
					drover_error_kind(error->code), "message", error->message);
	char *text = json_dumps(whole, JSON_COMPACT);
	g_assert(text != NULL);
	GString *answer = g_string_new(text);
	free(text);
	g_string_append_c(answer, '\n');
	return g_string_free_to_bytes(answer);
}

Control *control_new(
	struct event_base *base, int fd, const char *path, gid_t group, ControlAct act, gpointer of)
{
	Control *control = g_new0(Control, 1);
	*control = (Control){.path = g_strdup(path), .group = group, .act = act, .of = of};
	PeersOptions options = {
		.base = base,
		.fd = fd,
		.end = "\n",
		.maximum_bytes = CONTROL_MAXIMUM_BYTES,
		.maximum_peers = CONTROL_MAXIMUM_PEERS,
		.timeout_ms = CONTROL_TIMEOUT_MS,
		.answer = answer,
		.of = control,
	};
	control->peers = peers_new(&options);
	return control;
}

void control_free(Control *control)
{
	if (control == NULL)
		return;
	peers_free(control->peers);
	unlink(control->path);
	g_free(control->path);
	g_free(control);
}
