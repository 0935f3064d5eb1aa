/* SPDX-License-Identifier: ISC
 *
 * A listening socket for a numeric address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "wire/http_inside.h"

static struct addrinfo *resolve(const char *address, guint16 port, GError **error)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found = NULL;
	g_autofree char *service = g_strdup_printf("%u", port);
	int failed = getaddrinfo(address, service, &wanted, &found);
	if (failed)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"listen on \"%s\": not an IPv4 or IPv6 address (%s)", address,
			gai_strerror(failed));
	return found;
}

static guint16 port_of(int fd)
{
	struct sockaddr_storage bound = {0};
	socklen_t length = sizeof(bound);
	getsockname(fd, (struct sockaddr *)&bound, &length);
	if (bound.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
	return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

/* FALSE with errno set. */
static gboolean bind_and_listen(int fd, const struct addrinfo *where)
{
	int on = 1, off = 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (where->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
}

int http_listen(const char *address, guint16 port, guint16 *bound_port, GError **error)
{
	struct addrinfo *where = resolve(address, port, error);
	if (!where)
		return -1;
	int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	gboolean listens = fd >= 0 && bind_and_listen(fd, where);
	int problem = errno;
	freeaddrinfo(where);
	if (!listens) {
		if (fd >= 0)
			close(fd);
		drover_error_set(error, DROVER_ERROR_INTERNAL, "listen on %s port %u: %s%s",
			address, port, g_strerror(problem),
			problem == EADDRINUSE ? " (another program listens there)" : "");
		return -1;
	}
	*bound_port = port_of(fd);
	return fd;
}
