/* SPDX-License-Identifier: ISC
 *
 * The engine alone: watches SERVERS addresses of 127.0.0.0/8, each every INTERVAL seconds, by
 * ProxyFetch or TCP. Prints first how many bytes a server costs ("MEMORY n"), then at each SIGUSR1
 * its figures. usage: checker PORT SERVERS INTERVAL [MONITOR [TIMEOUT]]
 */
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "balance/monitor/checks.h"

static void told(PoolResult result, const char *why, gint64 took_us, gpointer of)
{
	(*(guint64 *)of)++;
}

static void on_usr1(evutil_socket_t fd, short what, void *of)
{
	ChecksFigures figures;
	checks_figures(of, &figures);
	printf("started %" G_GUINT64_FORMAT " up %" G_GUINT64_FORMAT " down %" G_GUINT64_FORMAT
	       " delayed %" G_GUINT64_FORMAT " unmade %" G_GUINT64_FORMAT " sockets-peak %u\n",
		figures.started, figures.up, figures.down, figures.delayed, figures.unmade,
		figures.sockets_peak);
	fflush(stdout);
}

static Config *configuration(const char *interval, const char *timeout)
{
	g_autofree char *text = g_strdup_printf(
		"[web]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = wrr\n"
		"config = file:///dev/null\nmonitors = ProxyFetch, TCP\n"
		"proxyfetch.url = http://www.example.org/check\n"
		"proxyfetch.interval = %s\ntcp.interval = %s\n"
		"proxyfetch.timeout = %s\ntcp.timeout = %s\n",
		interval, interval, timeout, timeout);
	Config *config = config_parse("bench.conf", text, strlen(text), NULL);
	g_assert(config != NULL && config->errors->len == 0);
	return config;
}

static gsize used_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
	g_assert(argc >= 4);
	guint16 port = (guint16)atoi(argv[1]);
	guint servers = (guint)atoi(argv[2]);
	gboolean tcp = argc > 4 && strcmp(argv[4], "TCP") == 0;
	g_autoptr(Config) config = configuration(argv[3], argc > 5 ? argv[5] : "5");
	struct event_base *base = event_base_new();
	guint64 results = 0;
	Checks *checks = checks_new(&(ChecksOptions){base, 10000, 1, NULL}, NULL);
	g_assert(checks != NULL);
	gsize before_bytes = used_bytes();
	for (guint i = 0; i < servers; i++) {
		char name[32];
		CheckTarget target = {.host = name, .port = port};
		g_snprintf(name, sizeof name, "127.1.%u.%u", i / 250, i % 250 + 1);
		g_assert(address_parse(name, &target.address));
		Check *check = checks_watch(checks, g_ptr_array_index(config->services, 0),
			tcp ? CONFIG_TCP_CHECK : CONFIG_PROXYFETCH, &target, told, &results, NULL);
		g_assert(check != NULL);
	}
	printf("MEMORY %zu\n", (used_bytes() - before_bytes) / servers);
	fflush(stdout);
	struct event *usr1 = evsignal_new(base, SIGUSR1, on_usr1, checks);
	event_add(usr1, NULL);
	return event_base_dispatch(base);
}
