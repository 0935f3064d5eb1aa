/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a conversation with our own HTTP loop: what comes back is whole answers, one after
 * the other, and then the end.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/http_inside.h"

#define PATIENCE_MS 20000
#define LARGE_BYTES (64 * 1024)

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static HttpServer *server;

static HttpAnswer *answer(const HttpRequest *request, gpointer of)
{
	g_autofree char *large = g_strnfill(LARGE_BYTES, 'x');
	const char *path = http_request_path(request);
	g_assert(g_hash_table_size(http_request_queries(request)) <= HTTP_MAXIMUM_QUERIES);
	if (path[1] == 'l')
		return http_answer_new(200, "text/plain", large, LARGE_BYTES);
	if (path[1] == 'n')
		return http_answer_new(204, NULL, NULL, 0);
	return http_answer_new(200, "text/plain", path, -1);
}

static void leave(void)
{
	http_server_stop(server, 0);
}

static void enter(void)
{
	HttpServerOptions options = {.engine = HTTP_ENGINE_LOOP,
		.loops = 1,
		.address = "127.0.0.1",
		.behind_proxy = TRUE,
		.handler = answer};
	server = http_server_start(&options, NULL);
	g_assert(server);
	atexit(leave);
}

/* Says all, and hears all. */
static void converse(int fd, const guint8 *bytes, gsize size_bytes, GByteArray *heard)
{
	gsize sent = 0;
	for (;;) {
		guint8 part[8192];
		gssize said = sent < size_bytes ? send(fd, bytes + sent, size_bytes - sent,
							  MSG_DONTWAIT | MSG_NOSIGNAL)
						: 0;
		if (said > 0)
			sent += (gsize)said;
		if (said < 0 && errno != EAGAIN)
			sent = size_bytes; /* it does not listen any more */
		if (sent == size_bytes)
			shutdown(fd, SHUT_WR);
		struct pollfd wait = {
			.fd = fd, .events = (short)(POLLIN | (sent < size_bytes ? POLLOUT : 0))};
		int ready = poll(&wait, 1, PATIENCE_MS);
		g_assert(ready == 1 || (ready < 0 && errno == EINTR)); /* the fuzzer's own alarm */
		gssize got = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return;
		if (got > 0)
			g_byte_array_append(heard, part, (guint)got);
	}
}

/* Every byte belongs to an answer. What HEAD was answered cannot be told apart from here. */
static void check_answers(GByteArray *heard)
{
	g_byte_array_append(heard, (const guint8 *)"", 1);
	const char *at = (const char *)heard->data, *end = at + heard->len - 1;
	while (at < end) {
		g_assert(g_str_has_prefix(at, "HTTP/1.1 "));
		int status = atoi(at + 9);
		const char *empty = strstr(at, "\r\n\r\n");
		g_assert(status >= 200 && status < 600 && empty);
		g_autofree char *head = g_strndup(at, (gsize)(empty + 4 - at));
		const char *field = strstr(head, "\r\nContent-Length: ");
		g_assert((field == NULL) == (status == 204));
		gint64 length = field ? g_ascii_strtoll(field + 18, NULL, 10) : 0;
		at = empty + 4;
		g_assert(length <= end - at);
		at += length;
	}
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	if (!server)
		enter();
	int ends[2];
	int made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	g_assert(made == 0);
	gboolean adopted = http_server_adopt(server, ends[1]);
	g_assert(adopted);
	g_autoptr(GByteArray) heard = g_byte_array_new();
	converse(ends[0], bytes, size_bytes, heard);
	close(ends[0]);
	if (!memmem(bytes, size_bytes, "HEAD", 4))
		check_answers(heard);
	return 0;
}
