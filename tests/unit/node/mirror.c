/* SPDX-License-Identifier: ISC
 *
 * A web server with any manners.
 */
#include "mirror.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct Mirror {
	int fd;
	char *url;
	MirrorAnswer answer;
	gpointer of;
	GThread *thread;
	GMutex lock;
	GArray *visits; /* of gint64: where each began to read */
};

static char *read_header(int fd)
{
	GString *header = g_string_new(NULL);
	char byte;
	while (strstr(header->str, "\r\n\r\n") == NULL && recv(fd, &byte, 1, 0) == 1)
		g_string_append_c(header, byte);
	return g_string_free(header, FALSE);
}

static void receive(Mirror *mirror, int fd)
{
	g_autofree char *header = read_header(fd);
	const char *range = strstr(header, "\r\nRange: bytes=");
	MirrorVisit visit = {.fd = fd, .header = header};
	if (range != NULL)
		visit.from_bytes = g_ascii_strtoll(range + strlen("\r\nRange: bytes="), NULL, 10);
	g_mutex_lock(&mirror->lock);
	visit.number = mirror->visits->len;
	g_array_append_val(mirror->visits, visit.from_bytes);
	g_mutex_unlock(&mirror->lock);
	mirror->answer(&visit, mirror->of);
}

static gpointer serve(gpointer of)
{
	Mirror *mirror = of;
	for (int fd; (fd = accept(mirror->fd, NULL, NULL)) >= 0;) {
		receive(mirror, fd);
		/* Whatever was not read would turn the end into a reset. */
		shutdown(fd, SHUT_WR);
		close(fd);
	}
	return NULL;
}

Mirror *mirror_new(MirrorAnswer answer, gpointer of)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	Mirror *mirror = g_new0(Mirror, 1);
	mirror->answer = answer;
	mirror->of = of;
	mirror->visits = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_mutex_init(&mirror->lock);
	mirror->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert(bind(mirror->fd, (struct sockaddr *)&address, size) == 0);
	g_assert(listen(mirror->fd, 16) == 0);
	g_assert(getsockname(mirror->fd, (struct sockaddr *)&address, &size) == 0);
	mirror->url =
		g_strdup_printf("http://127.0.0.1:%u/repository", (guint)ntohs(address.sin_port));
	mirror->thread = g_thread_new("mirror", serve, mirror);
	return mirror;
}

void mirror_free(Mirror *mirror)
{
	shutdown(mirror->fd, SHUT_RDWR);
	g_thread_join(mirror->thread);
	close(mirror->fd);
	g_free(mirror->url);
	g_array_unref(mirror->visits);
	g_mutex_clear(&mirror->lock);
	g_free(mirror);
}

const char *mirror_url(const Mirror *mirror)
{
	return mirror->url;
}

guint mirror_visits(Mirror *mirror)
{
	g_mutex_lock(&mirror->lock);
	guint count = mirror->visits->len;
	g_mutex_unlock(&mirror->lock);
	return count;
}

gint64 mirror_from(Mirror *mirror, guint number)
{
	g_mutex_lock(&mirror->lock);
	gint64 from =
		number < mirror->visits->len ? g_array_index(mirror->visits, gint64, number) : -1;
	g_mutex_unlock(&mirror->lock);
	return from;
}

/* The visitor may be gone. */
void mirror_send(const MirrorVisit *visit, const char *bytes, gsize size_bytes)
{
	while (size_bytes > 0) {
		gssize sent = send(visit->fd, bytes, size_bytes, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		size_bytes -= (gsize)sent;
	}
}

void mirror_say(const MirrorVisit *visit, const char *text)
{
	mirror_send(visit, text, strlen(text));
}

void mirror_break_off(
	const MirrorVisit *visit, const char *bytes, gsize size_bytes, gsize sent_bytes)
{
	const gsize from = (gsize)visit->from_bytes;
	g_autofree char *header = NULL;
	if (from >= size_bytes && from > 0)
		header = g_strdup_printf("HTTP/1.1 416 Beyond\r\nContent-Length: 0\r\n"
					 "Content-Range: bytes */%" G_GSIZE_FORMAT "\r\n\r\n",
			size_bytes);
	else if (from > 0)
		header = g_strdup_printf("HTTP/1.1 206 Part\r\n"
					 "Content-Length: %" G_GSIZE_FORMAT "\r\n"
					 "Content-Range: bytes %" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT
					 "/%" G_GSIZE_FORMAT "\r\n\r\n",
			size_bytes - from, from, size_bytes - 1, size_bytes);
	else
		header = g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: %" G_GSIZE_FORMAT
					 "\r\n\r\n",
			size_bytes);
	mirror_say(visit, header);
	if (from < size_bytes)
		mirror_send(visit, bytes + from, MIN(sent_bytes, size_bytes - from));
}

void mirror_serve(const MirrorVisit *visit, const char *bytes, gsize size_bytes)
{
	mirror_break_off(visit, bytes, size_bytes, size_bytes);
}

void mirror_hang(const MirrorVisit *visit)
{
	char byte;
	while (recv(visit->fd, &byte, 1, 0) > 0)
		;
}
