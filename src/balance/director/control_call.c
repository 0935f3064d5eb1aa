/* SPDX-License-Identifier: ISC
 *
 * The asker's end of the control socket: connect, one line, one line, within one deadline.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "balance/director/control.h"
#include "balance/director/control_parts.h"
#include "base/clock.h"

gboolean control_address(const char *path, struct sockaddr_un *address, GError **error)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) < sizeof address->sun_path) {
		memcpy(address->sun_path, path, strlen(path));
		return TRUE;
	}
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: a socket's path has at most %zu bytes",
		path, sizeof address->sun_path - 1);
	return FALSE;
}

static gboolean fail_to_reach(const char *path, int number, GError **error)
{
	if (number == EACCES || number == EPERM)
		drover_error_set(error, DROVER_ERROR_DENIED,
			"%s: you may not steer this drover-lvs: root may, and members of its "
			"control group (%s, unless it was told otherwise)",
			path, CONTROL_GROUP);
	else if (number == ENOENT || number == ECONNREFUSED)
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"%s: no drover-lvs listens there: is it running on this host? "
			"--socket PATH names another socket",
			path);
	else
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"%s: cannot talk to drover-lvs: %s", path, g_strerror(number));
	return FALSE;
}

static int reach(const char *path, GError **error)
{
	struct sockaddr_un address;
	if (!control_address(path, &address, error))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	fail_to_reach(path, errno, error);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* FALSE when the time is over, or the wait failed: errno says which. */
static gboolean wait_for(int fd, short events, gint64 deadline_ms)
{
	struct pollfd line = {.fd = fd, .events = events};
	for (;;) {
		gint64 left_ms = deadline_ms - clock_monotonic_ms();
		int found = poll(&line, 1, left_ms > 0 ? (int)left_ms : 0);
		if (found > 0)
			return TRUE;
		if (found == 0)
			errno = ETIMEDOUT;
		if (found == 0 || errno != EINTR)
			return FALSE;
	}
}

static gboolean say(int fd, const char *text, gint64 deadline_ms)
{
	for (gsize length = strlen(text); length > 0;) {
		gssize sent = send(fd, text, length, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return FALSE;
		if (sent < 0 && !wait_for(fd, POLLOUT, deadline_ms))
			return FALSE;
		text += MAX(sent, 0);
		length -= (gsize)MAX(sent, 0);
	}
	return TRUE;
}

/* Until the other end hangs up. */
static gboolean hear(int fd, GByteArray *heard, gint64 deadline_ms)
{
	guint8 piece[64 * 1024];
	for (;;) {
		gssize got = recv(fd, piece, sizeof piece, 0);
		if (got == 0)
			return TRUE;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return FALSE;
		if (got < 0 && !wait_for(fd, POLLIN, deadline_ms))
			return FALSE;
		errno = EMSGSIZE;
		if (heard->len + MAX(got, 0) > CONTROL_MAXIMUM_ANSWER_BYTES)
			return FALSE;
		g_byte_array_append(heard, piece, (guint)MAX(got, 0));
	}
}

static json_t *read_answer(const char *path, const GByteArray *heard, GError **error)
{
	json_auto_t *whole = json_loadb((const char *)heard->data, heard->len, 0, NULL);
	json_t *answer = json_object_get(whole, "answer");
	const json_t *refused = json_object_get(whole, "error");
	const char *message = json_string_value(json_object_get(refused, "message"));
	if (answer != NULL)
		return json_incref(answer);
	if (message != NULL)
		drover_error_set(error,
			drover_error_code_from_kind(
				json_string_value(json_object_get(refused, "kind"))),
			"%s", message);
	else
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"%s: drover-lvs hung up without an answer: try again; its log may say more",
			path);
	return NULL;
}

json_t *control_call(const char *path, json_t *request, GError **error)
{
	json_auto_t *given = request;
	g_autoptr(GByteArray) heard = g_byte_array_new();
	gint64 deadline_ms = clock_monotonic_ms() + CONTROL_TIMEOUT_MS;
	int fd = reach(path, error);
	if (fd < 0)
		return NULL;
	char *text = json_dumps(given, JSON_COMPACT);
	gboolean ok = say(fd, text, deadline_ms) && say(fd, "\n", deadline_ms) &&
		      hear(fd, heard, deadline_ms);
	if (!ok)
		fail_to_reach(path, errno, error);
	free(text);
	close(fd);
	return ok ? read_answer(path, heard, error) : NULL;
}
