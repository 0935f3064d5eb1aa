/* SPDX-License-Identifier: ISC
 *
 * What sd_notify(3) does, without its library.
 */
#include "base/service.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int service_connect(void)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
		strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

void service_notify(const char *state)
{
	int fd = service_connect();
	if (fd < 0)
		return;
	gssize sent = send(fd, state, strlen(state), MSG_NOSIGNAL);
	(void)sent;
	close(fd);
}

gint64 service_watchdog_ms(void)
{
	const char *interval = g_getenv("WATCHDOG_USEC"), *process = g_getenv("WATCHDOG_PID");
	if (interval == NULL ||
		(process != NULL && g_ascii_strtoll(process, NULL, 10) != (gint64)getpid()))
		return 0;
	return MAX(g_ascii_strtoll(interval, NULL, 10), 0) / 1000;
}
