/* SPDX-License-Identifier: ISC
 *
 * The other end of a connection: see peer.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

int peer_connect(guint16 port)
{
	struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	return fd;
}

void peer_send_bytes(int fd, const void *bytes, gsize size_bytes)
{
	const char *next = bytes;
	while (size_bytes > 0) {
		ssize_t sent = send(fd, next, size_bytes, MSG_NOSIGNAL);
		if (sent < 0)
			return; /* the other end has closed: the test looks at what it said */
		next += sent;
		size_bytes -= (gsize)sent;
	}
}

void peer_send(int fd, const char *text)
{
	peer_send_bytes(fd, text, strlen(text));
}

/* FALSE when the peer has closed. */
static gboolean read_more(int fd, GString *text, gsize maximum)
{
	char buffer[4096];
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	if (poll(&wait, 1, PEER_PATIENCE_MS) != 1)
		fail_msg("nothing came for %d ms; before that: %s", PEER_PATIENCE_MS, text->str);
	ssize_t got = recv(fd, buffer, MIN(sizeof(buffer), maximum), 0);
	if (got <= 0)
		return FALSE;
	g_string_append_len(text, buffer, got);
	return TRUE;
}

char *peer_read_until(int fd, const char *text)
{
	g_autoptr(GString) got = g_string_new(NULL);
	while (!strstr(got->str, text))
		if (!read_more(fd, got, 1))
			return NULL;
	return g_string_free(g_steal_pointer(&got), FALSE);
}

char *peer_read_head(int fd)
{
	return peer_read_until(fd, "\r\n\r\n");
}

char *peer_read_answer(int fd)
{
	g_autofree char *head = peer_read_head(fd);
	if (!head)
		return NULL;
	GString *answer = g_string_new(head);
	const char *field = strstr(head, "\r\nContent-Length: ");
	gsize whole = strlen(head) + (field ? g_ascii_strtoull(field + 18, NULL, 10) : 0);
	while (answer->len < whole && read_more(fd, answer, whole - answer->len))
		;
	return g_string_free(answer, FALSE);
}

char *peer_read_all(int fd)
{
	GString *text = g_string_new(NULL);
	while (read_more(fd, text, 4096))
		;
	return g_string_free(text, FALSE);
}

char *peer_ask(guint16 port, const char *text)
{
	int fd = peer_connect(port);
	peer_send(fd, text);
	char *answer = peer_read_answer(fd);
	close(fd);
	return answer;
}

int peer_status(const char *answer)
{
	if (!answer || !g_str_has_prefix(answer, "HTTP/1."))
		return 0;
	return (int)g_ascii_strtoll(answer + 9, NULL, 10);
}

const char *peer_body(const char *answer)
{
	const char *empty = answer ? strstr(answer, "\r\n\r\n") : NULL;
	return empty ? empty + 4 : "";
}

gboolean peer_is_closed(int fd)
{
	g_autofree char *rest = peer_read_all(fd); /* fails the test when nothing ends it */
	return rest != NULL;
}

gboolean peer_make_certificate(const char *certificate_file, const char *key_file)
{
	g_autofree char *openssl = g_find_program_in_path("openssl");
	if (!openssl)
		return FALSE;
	const char *words[] = {openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key_file, "-out",
		certificate_file, NULL};
	int status = -1;
	gboolean ran = g_spawn_sync(NULL, (char **)(guintptr)words, NULL,
		G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
		&status, NULL);
	return ran && status == 0;
}
