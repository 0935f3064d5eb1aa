/* SPDX-License-Identifier: ISC
 *
 * The keeper and the routes at the end of a pipe, for the bed: one command a line on standard
 * input, answered by a line that begins with "= ". Lines before it are what happened meanwhile.
 *
 *     keeper_driver [--dry-run] [--own-all]
 *
 *     service PROTOCOL ADDRESS PORT SCHEDULER dr|tunnel|masquerade PERSISTENCE-MS DRAIN-TIMEOUT-MS
 *     forget|remove-service PROTOCOL ADDRESS PORT
 *     serve PROTOCOL ADDRESS PORT SERVER WEIGHT
 *     drain|stay|remove|connections PROTOCOL ADDRESS PORT SERVER
 *     fill PROTOCOL ADDRESS PORT COUNT      servers 10.64.0.1 and so on, with weight 10
 *     start    reconcile    turn    figures    quit
 *     announce|withdraw ADDRESS     withdraw-others [ADDRESS…]     routes-reconcile
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "balance/kernel/keeper.h"
#include "balance/kernel/routes.h"

typedef struct Driver {
	struct event_base *base;
	Keeper *keeper;
	Routes *routes;
} Driver;

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

static void on_drained(const KeeperKey *service, const Address *server, gpointer of)
{
	char text[ADDRESS_TEXT_BYTES];
	address_text(server, text);
	say("drained %s", text);
}

static void on_trouble(const char *what, gpointer of)
{
	say("trouble %s", what == NULL ? "none" : what);
}

static gint64 word_index(const char *word, const char *const *words)
{
	for (gint64 i = 0; words[i] != NULL; i++)
		if (g_strcmp0(word, words[i]) == 0)
			return i;
	g_error("what is %s?", word);
}

static KeeperKey key_of(char **words)
{
	static const char *const protocols[] = {"tcp", "udp", NULL};
	KeeperKey key = {
		.protocol = word_index(words[1], protocols), .port = (guint16)atoi(words[3])};
	g_assert(address_parse(words[2], &key.address));
	return key;
}

static Address address_of(const char *word)
{
	Address address;
	if (word == NULL || !address_parse(word, &address))
		g_error("no address: %s", word == NULL ? "nothing" : word);
	return address;
}

static void do_service(Driver *driver, char **words)
{
	static const char *const forwards[] = {"dr", "tunnel", "masquerade", NULL};
	const KeeperService service = {.key = key_of(words),
		.scheduler = words[4],
		.forward = word_index(words[5], forwards),
		.persistence_ms = atoll(words[6]),
		.drain_timeout_ms = atoll(words[7])};
	keeper_service(driver->keeper, &service);
	say("= ok");
}

static void do_about_service(Driver *driver, char **words)
{
	const KeeperKey key = key_of(words);
	if (strcmp(words[0], "forget") == 0)
		keeper_forget_service(driver->keeper, &key);
	else
		keeper_remove_service(driver->keeper, &key);
	say("= ok");
}

static void do_about_server(Driver *driver, char **words)
{
	const KeeperKey key = key_of(words);
	const Address server = address_of(words[4]);
	guint active = 0, inactive = 0;
	if (strcmp(words[0], "serve") == 0)
		keeper_serve(driver->keeper, &key, &server, (guint)atoi(words[5]));
	else if (strcmp(words[0], "remove") == 0)
		keeper_remove(driver->keeper, &key, &server);
	else if (strcmp(words[0], "connections") != 0)
		keeper_drain(driver->keeper, &key, &server, strcmp(words[0], "stay") == 0);
	else if (keeper_connections(driver->keeper, &key, &server, &active, &inactive)) {
		say("= %u %u", active, inactive);
		return;
	}
	say("= ok");
}

static void do_fill(Driver *driver, char **words)
{
	const KeeperKey key = key_of(words);
	const guint count = (guint)atoi(words[4]);
	for (guint i = 1; i <= count; i++) {
		const Address server = {
			.family = AF_INET, .bytes = {10, 64, (guint8)(i >> 8), (guint8)i}};
		keeper_serve(driver->keeper, &key, &server, 10);
	}
	say("= ok");
}

static void do_figures(Driver *driver, char **words)
{
	KeeperFigures figures;
	struct rusage used;
	keeper_figures(driver->keeper, &figures);
	getrusage(RUSAGE_SELF, &used);
	say("= {\"reconciles\": %" G_GUINT64_FORMAT ", \"repairs\": %" G_GUINT64_FORMAT
	    ", \"changes\": %" G_GUINT64_FORMAT ", \"errors\": %" G_GUINT64_FORMAT
	    ", \"last_reconcile_us\": %" G_GUINT64_FORMAT ", \"draining\": %u, \"cpu_ms\": %ld}",
		figures.reconciles, figures.repairs, figures.changes, figures.errors,
		figures.last_reconcile_us, figures.draining,
		(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
			(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
}

static void do_keeper(Driver *driver, char **words)
{
	if (strcmp(words[0], "start") == 0)
		keeper_start(driver->keeper);
	if (strcmp(words[0], "reconcile") == 0)
		keeper_reconcile(driver->keeper);
	/* "turn" has nothing to do: what came before it has been done when it is answered. */
	if (strcmp(words[0], "quit") == 0)
		event_base_loopbreak(driver->base);
	say("= ok");
}

static void do_route(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;
	gboolean good;
	if (strcmp(words[0], "announce") == 0 || strcmp(words[0], "withdraw") == 0) {
		const Address address = address_of(words[1]);
		good = strcmp(words[0], "announce") == 0
			       ? routes_announce(driver->routes, &address, &error)
			       : routes_withdraw(driver->routes, &address, &error);
	} else if (strcmp(words[0], "withdraw-others") == 0) {
		g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(Address));
		for (guint i = 1; words[i] != NULL; i++) {
			const Address address = address_of(words[i]);
			g_array_append_val(keep, address);
		}
		good = routes_withdraw_others(driver->routes, keep, &error);
	} else {
		good = routes_reconcile(driver->routes, &error);
	}
	say("= %s", error != NULL ? error->message : good ? "ok" : "repaired");
}

typedef struct Command {
	const char *name;
	guint words; /* with its own */
	void (*run)(Driver *driver, char **words);
} Command;

static const Command commands[] = {
	{"service", 8, do_service},
	{"forget", 4, do_about_service},
	{"remove-service", 4, do_about_service},
	{"serve", 6, do_about_server},
	{"drain", 5, do_about_server},
	{"stay", 5, do_about_server},
	{"remove", 5, do_about_server},
	{"connections", 5, do_about_server},
	{"fill", 5, do_fill},
	{"figures", 1, do_figures},
	{"start", 1, do_keeper},
	{"reconcile", 1, do_keeper},
	{"turn", 1, do_keeper},
	{"quit", 1, do_keeper},
	{"announce", 2, do_route},
	{"withdraw", 2, do_route},
	{"withdraw-others", 1, do_route},
	{"routes-reconcile", 1, do_route},
};

static void on_line(evutil_socket_t fd, short what, void *of)
{
	Driver *driver = of;
	char line[512];
	if (fgets(line, sizeof line, stdin) == NULL) {
		event_base_loopbreak(driver->base);
		return;
	}
	g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);
	for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
		if (g_strcmp0(words[0], commands[i].name) == 0 &&
			g_strv_length(words) >= commands[i].words) {
			commands[i].run(driver, words);
			return;
		}
	say("= not understood: %s", line);
}

int main(int argc, char **argv)
{
	const char *const *options = (const char *const *)argv + 1;
	Driver driver = {.base = event_base_new()};
	const KeeperOptions keeper = {.base = driver.base,
		.dry_run = g_strv_contains(options, "--dry-run"),
		.own_all = g_strv_contains(options, "--own-all"),
		.drained = on_drained,
		.trouble = on_trouble};
	g_autoptr(GError) error = NULL;
	setvbuf(stdin, NULL, _IONBF, 0); /* so that no line waits where the loop cannot see it */
	driver.keeper = keeper_new(&keeper, &error);
	driver.routes = error == NULL ? routes_new(keeper.dry_run, &error) : NULL;
	if (error != NULL) {
		say("= %s: %s", g_quark_to_string(error->domain), error->message);
		return 1;
	}
	say("= ready");
	struct event *lines = event_new(driver.base, 0, EV_READ | EV_PERSIST, on_line, &driver);
	event_add(lines, NULL);
	event_base_dispatch(driver.base);
	event_free(lines);
	keeper_free(driver.keeper);
	routes_free(driver.routes);
	event_base_free(driver.base);
	return 0;
}
