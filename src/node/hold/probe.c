/* SPDX-License-Identifier: ISC
 *
 * Health, asked by a copy of this process: it may block, and dies by its alarm.
 */
#include "node/hold/probe.h"

#include <string.h>
#include <unistd.h>

#include "node/hold/spawn.h"

typedef struct Look {
	const Probe *probe;
	gboolean wants_answer;
} Look;

int probe_status(const char *text, gsize size_bytes)
{
	/* HTTP/1.1 200 */
	if (size_bytes < 13 || memcmp(text, "HTTP/1.", 7) != 0 || !g_ascii_isdigit(text[7]) ||
		text[8] != ' ' || g_ascii_isdigit(text[12]))
		return 0;
	int status = 0;
	for (int i = 9; i < 12; i++) {
		if (!g_ascii_isdigit(text[i]))
			return 0;
		status = status * 10 + (text[i] - '0');
	}
	return status;
}

char *probe_path(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strpbrk(host + 3, "/?") : NULL;
	if (path == NULL)
		return g_strdup("/");
	return *path == '?' ? g_strconcat("/", path, NULL) : g_strdup(path);
}

static int ask(int fd, const char *path, gboolean wants_200)
{
	char text[PROBE_MAXIMUM_ANSWER_BYTES];
	gsize size_bytes = 0;
	g_autofree char *request =
		g_strdup_printf("GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: drover-node\r\n"
				"Accept: */*\r\nConnection: close\r\n\r\n",
			path);
	if (write(fd, request, strlen(request)) != (gssize)strlen(request))
		return 1;
	while (size_bytes < sizeof text) {
		gssize got = read(fd, text + size_bytes, sizeof text - size_bytes);
		if (got <= 0)
			return 1;
		size_bytes += (gsize)got;
		int status = probe_status(text, size_bytes);
		if (status != 0)
			return (wants_200 ? status == 200 : status < 500) ? 0 : 1;
	}
	return 1;
}

static int look(gpointer of)
{
	const Look *how = of;
	const NodeProduct *product = how->probe->product;
	const ListenAddress *at = &how->probe->at;
	alarm(PROBE_S);
	int fd = socket(at->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at->socket, at->size_bytes) != 0)
		return 1;
	if (product->health == NULL)
		return how->wants_answer ? ask(fd, product->health_path, FALSE) : 0;
	g_autofree char *path = probe_path(product->health);
	return ask(fd, path, TRUE);
}

pid_t probe_start(const Probe *probe, gboolean wants_answer, int *pidfd_out, GError **error)
{
	const char *health = probe->product->health;
	Look how = {.probe = probe, .wants_answer = wants_answer};
	g_autofree char *at = listen_address_text(&probe->at);
	g_auto(GStrv) environment = g_strdupv(probe->environment);
	environment = g_environ_setenv(environment, "DROVER_ADDRESS", at, TRUE);
	char *command[] = {(char *)"/bin/sh", (char *)"-c", (char *)health, NULL};
	Spawn spawn = {.environment = environment, .folder = probe->folder};
	if (health != NULL && !g_str_has_prefix(health, "http://")) {
		spawn.argv = command;
	} else {
		spawn.body = look;
		spawn.of = &how;
	}
	return spawn_start(&spawn, pidfd_out, error);
}
