/* SPDX-License-Identifier: ISC
 *
 * Notifications, hostile until the kernel has said who sent them.
 */
#include "node/hold/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"

#define MAXIMUM_FDS 253 /* that the kernel lets one message carry */

/* A status is shown to people: one line of text, cut between characters. */
static void take_status(const char *text, gsize size_bytes, NotifySaid *said)
{
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)size_bytes);
	for (char *at = valid; *at != '\0'; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	gsize length = MIN(strlen(valid), NOTIFY_MAXIMUM_STATUS_BYTES);
	while (length > 0 && (valid[length] & 0xc0) == 0x80)
		length--;
	memcpy(said->status, valid, length);
	said->status[length] = '\0';
}

static gboolean line_is(const char *line, gsize length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(line, wanted, length) == 0;
}

void notify_parse(const char *message, gsize size_bytes, NotifySaid *said)
{
	const char *end = message + size_bytes;
	for (const char *line = message; line < end;) {
		const char *stop = memchr(line, '\n', (gsize)(end - line));
		gsize length = (gsize)((stop != NULL ? stop : end) - line);
		if (line_is(line, length, "READY=1"))
			said->ready = TRUE;
		else if (line_is(line, length, "STOPPING=1"))
			said->stopping = TRUE;
		else if (length > 7 && memcmp(line, "STATUS=", 7) == 0)
			take_status(line + 7, length - 7, said);
		if (stop == NULL)
			return;
		line = stop + 1;
	}
}

int notify_open(char **name_out, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *name = secret_new("@drover-hold-");
	int on = 1;
	g_assert(strlen(name) < sizeof address.sun_path);
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	socklen_t size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
		bind(fd, (struct sockaddr *)&address, size_bytes) == 0) {
		*name_out = g_steal_pointer(&name);
		return fd;
	}
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot make a socket for READY=1: %s",
		g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Who sent it; 0: unknown. */
static pid_t sender_of(struct msghdr *message)
{
	pid_t sender = 0;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
		part = CMSG_NXTHDR(message, part)) {
		struct ucred who;
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_CREDENTIALS && part->cmsg_len >= CMSG_LEN(sizeof who)) {
			memcpy(&who, CMSG_DATA(part), sizeof who);
			sender = who.pid;
		} else if (part->cmsg_type == SCM_RIGHTS) {
			gsize count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			for (gsize i = 0; i < count; i++) {
				int fd;
				memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
				close(fd);
			}
		}
	}
	return sender;
}

void notify_read(int fd, pid_t group, NotifySaid *said, guint *strangers)
{
	for (guint i = 0; i < NOTIFY_MAXIMUM_TURN; i++) {
		char text[NOTIFY_MAXIMUM_MESSAGE_BYTES];
		union {
			char bytes[CMSG_SPACE(sizeof(struct ucred)) +
				   CMSG_SPACE(MAXIMUM_FDS * sizeof(int))];
			struct cmsghdr aligned;
		} control;
		struct iovec into = {.iov_base = text, .iov_len = sizeof text};
		struct msghdr message = {.msg_iov = &into,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control.bytes};
		gssize got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got < 0)
			return;
		pid_t sender = sender_of(&message);
		/* A process of its group, which is still there: a dead one's number is nobody's. */
		if (sender > 0 && group > 0 && getpgid(sender) == group &&
			!(message.msg_flags & MSG_TRUNC))
			notify_parse(text, (gsize)got, said);
		else
			(*strangers)++;
	}
}
