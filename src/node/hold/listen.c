/* SPDX-License-Identifier: ISC
 *
 * Where a listening socket comes from. The kernel keeps it while any process has it; so a holder
 * that begins after another was killed takes it out of the service that still runs
 * (pidfd_getfd(2)), and no connection is refused.
 */
#include "node/hold/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/format.h"
#include "base/service.h"

static gboolean parse_path(const char *path, ListenAddress *address, GError **error)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&address->socket;
	gsize length = strlen(path);
	if (length >= sizeof local->sun_path) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: the path of a UNIX socket has at most %" G_GSIZE_FORMAT " bytes", path,
			sizeof local->sun_path - 1);
		return FALSE;
	}
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, path, length + 1);
	address->size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return TRUE;
}

static gboolean parse_host(const char *host, guint16 port, ListenAddress *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&address->socket;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->socket;
	gsize length = strlen(host);
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		g_autofree char *inner = g_strndup(host + 1, length - 2);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		address->size_bytes = sizeof *six;
		return inet_pton(AF_INET6, inner, &six->sin6_addr) == 1;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	address->size_bytes = sizeof *four;
	return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

gboolean listen_address_parse(const char *text, ListenAddress *address, GError **error)
{
	*address = (ListenAddress){0};
	if (text[0] == '/')
		return parse_path(text, address, error);
	const char *colon = strrchr(text, ':');
	gint64 port = 0;
	g_autofree char *host = colon != NULL ? g_strndup(text, (gsize)(colon - text)) : NULL;
	if (host != NULL && parse_integer(colon + 1, "port", 0, 65535, &port, NULL) &&
		parse_host(host, (guint16)port, address))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"'%s' is no address to listen at: write ADDRESS:PORT, [IPv6]:PORT or the absolute "
		"path of a UNIX socket",
		text);
	return FALSE;
}

char *listen_address_text(const ListenAddress *address)
{
	char host[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address->socket;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->socket;
	switch (address->socket.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
		return g_strdup_printf("%s:%d", host, ntohs(four->sin_port));
	case AF_INET6:
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
		return g_strdup_printf("[%s]:%d", host, ntohs(six->sin6_port));
	default:
		return g_strdup(((const struct sockaddr_un *)&address->socket)->sun_path);
	}
}

gboolean listen_address_of(int fd, ListenAddress *address)
{
	int is_listening = 0, type = 0;
	socklen_t size_bytes = sizeof is_listening;
	*address = (ListenAddress){.size_bytes = sizeof address->socket};
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size_bytes) == 0 &&
	       is_listening && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size_bytes) == 0 &&
	       type == SOCK_STREAM &&
	       getsockname(fd, (struct sockaddr *)&address->socket, &address->size_bytes) == 0;
}

/* A UNIX socket that nobody listens at any more keeps its name. */
static void clear_dead_path(const ListenAddress *address)
{
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address->socket;
	struct stat found;
	if (address->socket.ss_family != AF_UNIX || lstat(local->sun_path, &found) != 0 ||
		!S_ISSOCK(found.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)local, address->size_bytes) != 0 &&
		errno == ECONNREFUSED)
		unlink(local->sun_path);
	close(fd);
}

int listen_open(const ListenAddress *address, GError **error)
{
	int family = address->socket.ss_family, on = 1;
	clear_dead_path(address);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd >= 0 && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (fd >= 0 &&
		bind(fd, (const struct sockaddr *)&address->socket, address->size_bytes) == 0 &&
		listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	int reason = errno;
	g_autofree char *text = listen_address_text(address);
	drover_error_set(error,
		reason == EADDRINUSE ? DROVER_ERROR_CONFLICT : DROVER_ERROR_INTERNAL,
		"cannot listen at %s: %s%s", text, g_strerror(reason),
		reason == EADDRINUSE ? "; end who listens there (ss -ltnp)" : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

static guint lent_count(void)
{
	const char *process = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS");
	gint64 value = 0;
	if (count == NULL || !parse_integer(count, "LISTEN_FDS", 0, 1024, &value, NULL) ||
		(process != NULL && g_ascii_strtoll(process, NULL, 10) != (gint64)getpid()))
		return 0;
	return (guint)value;
}

static gboolean listens_there(int fd, const ListenAddress *wanted)
{
	ListenAddress has;
	if (!listen_address_of(fd, &has))
		return FALSE;
	g_autofree char *a = listen_address_text(&has), *b = listen_address_text(wanted);
	return strcmp(a, b) == 0;
}

/* Number `i` of what was lent to the process, as a descriptor of this one; -1: there is none. */
static int lent_to(int pidfd, guint i)
{
	if (pidfd < 0)
		return fcntl(LISTEN_FIRST_FD + (int)i, F_DUPFD_CLOEXEC, LISTEN_FIRST_FD);
	return (int)syscall(SYS_pidfd_getfd, pidfd, LISTEN_FIRST_FD + (int)i, 0);
}

static int find_lent(int pidfd, guint count, const ListenAddress *wanted)
{
	for (guint i = 0; i < count; i++) {
		int fd = lent_to(pidfd, i);
		if (fd >= 0 && listens_there(fd, wanted))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static int take(const ListenAddress *address, guint lent, const GArray *orphans, GError **error)
{
	int fd = find_lent(-1, lent, address);
	/* One that leaves may have closed it already; another has it then. */
	for (guint i = 0; fd < 0 && orphans != NULL && i < orphans->len; i++)
		fd = find_lent(g_array_index(orphans, int, i), NODE_MAXIMUM_LISTENS, address);
	if (fd < 0)
		return listen_open(address, error);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

GArray *listen_take_all(const NodeProduct *product, const GArray *orphans, GError **error)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	guint lent = lent_count();
	for (guint i = 0; product->listen != NULL && product->listen[i] != NULL; i++) {
		ListenAddress address;
		int fd = -1;
		if (listen_address_parse(product->listen[i], &address, error))
			fd = take(&address, lent, orphans, error);
		if (fd < 0) {
			listen_close_all(g_steal_pointer(&fds));
			return NULL;
		}
		g_array_append_val(fds, fd);
	}
	/* Ours are duplicates: what was lent for an address that is not listened at any more goes.
	 */
	for (guint i = 0; i < lent; i++)
		close(LISTEN_FIRST_FD + (int)i);
	return g_steal_pointer(&fds);
}

GArray *listen_open_private(guint count, ListenAddress *address, GError **error)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	ListenAddress any;
	gboolean parsed = listen_address_parse("127.0.0.1:0", &any, NULL);
	g_assert(parsed);
	for (guint i = 0; i < count; i++) {
		int fd = listen_open(&any, error);
		if (fd < 0) {
			listen_close_all(g_steal_pointer(&fds));
			return NULL;
		}
		g_array_append_val(fds, fd);
	}
	g_assert(count > 0);
	listen_address_of(g_array_index(fds, int, 0), address);
	return g_steal_pointer(&fds);
}

GArray *listen_lent(GError **error)
{
	guint count = lent_count();
	if (count == 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"no sockets were lent to this process (LISTEN_FDS): it is started by the "
			"holder, or by a systemd socket unit");
		return NULL;
	}
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
	for (int fd = LISTEN_FIRST_FD; fd < LISTEN_FIRST_FD + (int)count; fd++) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		g_array_append_val(fds, fd);
	}
	return fds;
}

gboolean listen_again(const GArray *fds)
{
	gboolean was_shut = FALSE;
	for (guint i = 0; i < fds->len; i++) {
		int fd = g_array_index(fds, int, i), is_listening = 1;
		socklen_t size_bytes = sizeof is_listening;
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size_bytes);
		was_shut |= !is_listening;
		listen(fd, LISTEN_BACKLOG);
	}
	return was_shut;
}

void listen_close_all(GArray *fds)
{
	for (guint i = 0; fds != NULL && i < fds->len; i++)
		close(g_array_index(fds, int, i));
	if (fds != NULL)
		g_array_unref(fds);
}

static void store_one(int to, int fd, const char *message)
{
	union {
		char bytes[CMSG_SPACE(sizeof fd)];
		struct cmsghdr aligned;
	} control = {0};
	struct iovec text = {.iov_base = (char *)message, .iov_len = strlen(message)};
	struct msghdr sent = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	struct cmsghdr *part = CMSG_FIRSTHDR(&sent);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(part), &fd, sizeof fd);
	gssize done = sendmsg(to, &sent, MSG_NOSIGNAL);
	(void)done;
}

void listen_store(const GArray *fds)
{
	int to = service_connect();
	if (to < 0)
		return;
	for (guint i = 0; i < fds->len; i++) {
		g_autofree char *message = g_strdup_printf("FDSTORE=1\nFDNAME=listen%u", i);
		store_one(to, g_array_index(fds, int, i), message);
	}
	close(to);
}
