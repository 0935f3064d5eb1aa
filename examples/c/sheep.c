/* SPDX-License-Identifier: ISC
 *
 * A small web service that can be updated without losing a request. It knows nothing of Drover, and
 * needs no library: it takes the socket it was lent (LISTEN_FDS), says READY=1 to NOTIFY_SOCKET,
 * and on SIGTERM stops accepting, but finishes what it has begun.
 *
 *     cc -o sheep sheep.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LENT	  3 /* the first descriptor that is passed */
#define MOST	  1024
#define HEAD	  4096
#define CLOSED	  -1
#define LEAVES_MS 100

typedef struct Guest {
	char head[HEAD];
	size_t length;
} Guest;

static volatile sig_atomic_t leaving;

static void leave(int number)
{
	(void)number;
	leaving = 1;
}

/* What sd_notify(3) does. */
static void notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (name == NULL || strlen(name) >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, name, strlen(name));
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, length) < 0)
		perror("NOTIFY_SOCKET");
	close(fd);
}

static int answer(int fd)
{
	char text[512], body[128];
	const char *version = getenv("DROVER_VERSION");
	int is_last = leaving; /* looked at once: what is said is done */
	int length =
		snprintf(body, sizeof body, "sheep %s\n", version != NULL ? version : "unknown");
	/* Who is told to close comes again, and is somebody else's then. */
	int size = snprintf(text, sizeof text,
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s",
		length, is_last ? "Connection: close\r\n" : "", body);
	return send(fd, text, (size_t)size, MSG_NOSIGNAL) == size && !is_last;
}

/* Zero when the guest has gone, or is to go. */
static int hear(int fd, Guest *guest)
{
	ssize_t got = recv(fd, guest->head + guest->length, HEAD - guest->length, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (got <= 0)
		return 0;
	guest->length += (size_t)got;
	for (;;) {
		char *end = memmem(guest->head, guest->length, "\r\n\r\n", 4);
		if (end == NULL)
			return guest->length < HEAD;
		if (!answer(fd))
			return 0;
		guest->length -= (size_t)(end + 4 - guest->head);
		memmove(guest->head, end + 4, guest->length);
	}
}

int main(void)
{
	static struct pollfd doors[MOST];
	static Guest guests[MOST];
	const char *pid = getenv("LISTEN_PID");
	int count = 1;
	if (pid == NULL || atoi(pid) != getpid()) {
		fprintf(stderr, "sheep: no socket was passed (LISTEN_FDS)\n");
		return 1;
	}
	signal(SIGTERM, leave);
	doors[0] = (struct pollfd){.fd = LENT, .events = POLLIN};
	notify("READY=1");
	while (!leaving || count > 1) {
		doors[0].fd = leaving ? CLOSED : LENT;
		if (poll(doors, (nfds_t)count, LEAVES_MS) < 0 && errno != EINTR)
			return 1;
		for (int i = count - 1; i > 0; i--) {
			if (doors[i].revents == 0 || hear(doors[i].fd, &guests[i]))
				continue;
			close(doors[i].fd);
			doors[i] = doors[--count];
			guests[i] = guests[count];
		}
		if (leaving || !(doors[0].revents & POLLIN) || count == MOST)
			continue;
		/* The socket does not block: another process may have been faster. */
		int fd = accept4(LENT, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			guests[count].length = 0;
			doors[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
	return 0;
}
