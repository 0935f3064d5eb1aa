/* SPDX-License-Identifier: ISC
 *
 * The shell around the heart: three timers, the kernel, and what is believed of it.
 *
 *     turn      orders came in: the difference between intent and `known` goes to the kernel
 *     look      a second later, while something drains or was changed: those services are read
 *               again, which ends drains and finds what did not take
 *     compare   every minute, and soon after an error: the whole table is read
 *
 * `known` is the table as it was read last, with our own changes since. An order that the kernel
 * refuses shows that `known` is wrong, and leads to a comparison at once; what it refuses then is
 * trouble. Rules: docs/kernel.md.
 */
#include "balance/kernel/keeper.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "balance/kernel/intent.h"
#include "balance/kernel/ipvs.h"
#include "base/clock.h"

#define QUIESCENT "/proc/sys/net/ipv4/vs/expire_quiescent_template"

struct Keeper {
	KeeperOptions options;
	Ipvs *ipvs; /* NULL: dry run without IPVS */
	Intent *intent;
	Table *known;
	GHashTable *unverified; /* TableKey *: changed since they were read */
	gboolean started, adopted;
	struct event *turn, *look, *compare;
	gint64 retry_ms;
	char *refusal; /* by the kernel at the last comparison; NULL: none */
	char *told;    /* what `trouble` heard last */
	KeeperFigures figures;
};

/* -- names -- */

static TableKey table_key(const KeeperKey *key)
{
	return (TableKey){.protocol = key->protocol == CONFIG_UDP ? IPPROTO_UDP : IPPROTO_TCP,
		.port = key->port,
		.address = key->address};
}

static KeeperKey keeper_key(const TableKey *key)
{
	return (KeeperKey){.protocol = key->protocol == IPPROTO_UDP ? CONFIG_UDP : CONFIG_TCP,
		.address = key->address,
		.port = key->port};
}

static TableForward table_forward(gint64 forward)
{
	static const TableForward ways[] = {
		[CONFIG_DR] = TABLE_DR,
		[CONFIG_TUNNEL] = TABLE_TUNNEL,
		[CONFIG_MASQUERADE] = TABLE_MASQUERADE,
	};
	return ways[forward];
}

static void in_ms(struct event *event, gint64 ms)
{
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	evtimer_add(event, &wait);
}

/* -- trouble -- */

/* A client that persistence has sent to a server goes on going there, drained or not, unless the
 * kernel is told otherwise. */
static const char *persistence_trouble(const Keeper *keeper)
{
	g_autofree char *value = NULL;
	if (!intent_has_persistence(keeper->intent) ||
		!g_file_get_contents(QUIESCENT, &value, NULL, NULL) || value[0] != '0')
		return NULL;
	return "services with persistence go on sending known clients to servers that drain: run "
	       "`sysctl -w net.ipv4.vs.expire_quiescent_template=1`, and put it into /etc/sysctl.d";
}

static void tell_trouble(Keeper *keeper)
{
	const char *what = keeper->refusal != NULL ? keeper->refusal : persistence_trouble(keeper);
	if (g_strcmp0(what, keeper->told) == 0)
		return;
	g_free(keeper->told);
	keeper->told = g_strdup(what);
	if (keeper->options.trouble != NULL)
		keeper->options.trouble(what, keeper->options.of);
}

static void keep_refusal(Keeper *keeper, const char *what)
{
	if (what != NULL)
		keeper->figures.errors++;
	g_free(keeper->refusal);
	keeper->refusal = g_strdup(what);
}

/* -- changing -- */

static void print_line(Keeper *keeper, const TableOperation *operation)
{
	g_autofree char *line = table_line(operation);
	if (keeper->options.print != NULL) {
		keeper->options.print(line, keeper->options.of);
		return;
	}
	fprintf(stdout, "%s\n", line);
	fflush(stdout);
}

static void did(Keeper *keeper, const TableOperation *operation)
{
	table_obey(keeper->known, operation);
	keeper->figures.changes++;
	if (!keeper->options.dry_run && !g_hash_table_contains(keeper->unverified, &operation->key))
		g_hash_table_add(
			keeper->unverified, g_memdup2(&operation->key, sizeof operation->key));
}

/* The sentence about what the kernel refused; NULL when it did it all. Caller frees. */
static char *obey(Keeper *keeper, const GArray *operations)
{
	const TableOperation *each = (const TableOperation *)(gpointer)operations->data;
	if (keeper->options.dry_run) {
		for (guint i = 0; i < operations->len; i++) {
			print_line(keeper, &each[i]);
			did(keeper, &each[i]);
		}
		return NULL;
	}
	g_autoptr(GError) error = NULL;
	g_autofree int *errors = g_new0(int, operations->len + 1);
	char *problem = NULL;
	if (!ipvs_obey(keeper->ipvs, each, operations->len, errors, &problem, &error))
		return g_strdup(error->message);
	for (guint i = 0; i < operations->len; i++)
		if (errors[i] == 0)
			did(keeper, &each[i]);
	return problem;
}

/* Makes the kernel what the intent says. */
static char *change(Keeper *keeper)
{
	GHashTable *ours = keeper->options.own_all ? NULL : intent_ours(keeper->intent);
	if (keeper->options.dry_run)
		intent_look(keeper->intent, keeper->known, TRUE, clock_monotonic_ms());
	g_autoptr(GArray) operations =
		table_difference(intent_table(keeper->intent), keeper->known, ours);
	char *problem = obey(keeper, operations);
	if (problem == NULL)
		intent_settled(keeper->intent, keeper->known);
	return problem;
}

/* -- after changing -- */

static void schedule(Keeper *keeper)
{
	if ((g_hash_table_size(keeper->unverified) > 0 || intent_draining(keeper->intent) > 0) &&
		!evtimer_pending(keeper->look, NULL))
		in_ms(keeper->look, KEEPER_DRAIN_LOOK_MS);
}

/* Last of all, because who hears it may give orders. */
static void deliver(Keeper *keeper)
{
	g_autoptr(GArray) news = intent_take_news(keeper->intent);
	for (guint i = 0; i < news->len && keeper->options.drained != NULL; i++) {
		const IntentNews *each = &g_array_index(news, IntentNews, i);
		const KeeperKey service = keeper_key(&each->service);
		keeper->options.drained(&service, &each->server, keeper->options.of);
	}
}

/* -- comparing -- */

/* What somebody else has changed between two states of a table. */
static guint differences(const Table *before, const Table *now, GHashTable *ours)
{
	g_autoptr(GArray) found = table_difference(before, now, ours);
	return found->len;
}

static gboolean read_all(Keeper *keeper, GError **error)
{
	if (keeper->options.dry_run && keeper->adopted)
		return TRUE; /* the table is what it would be */
	if (keeper->ipvs == NULL)
		return TRUE;
	Table *actual = ipvs_read(keeper->ipvs, error);
	if (actual == NULL)
		return FALSE;
	if (keeper->adopted)
		keeper->figures.repairs +=
			differences(keeper->known, actual, intent_ours(keeper->intent));
	table_free(keeper->known);
	keeper->known = actual;
	g_hash_table_remove_all(keeper->unverified);
	return TRUE;
}

static char *compare(Keeper *keeper)
{
	g_autoptr(GError) error = NULL;
	if (!read_all(keeper, &error))
		return g_strdup(error->message);
	keeper->adopted = TRUE;
	intent_look(keeper->intent, keeper->known, FALSE, clock_monotonic_ms());
	return change(keeper);
}

gboolean keeper_reconcile(Keeper *keeper)
{
	if (!keeper->started)
		return TRUE;
	const gint64 begin_us = g_get_monotonic_time();
	/* Orders first, so that what is being removed is not taken for a stranger's. */
	if (keeper->adopted)
		g_free(change(keeper));
	g_autofree char *problem = compare(keeper);
	keep_refusal(keeper, problem);
	keeper->figures.reconciles++;
	keeper->figures.last_reconcile_us = (guint64)(g_get_monotonic_time() - begin_us);
	in_ms(keeper->compare, problem == NULL ? KEEPER_INTERVAL_MS : keeper->retry_ms);
	keeper->retry_ms =
		problem == NULL ? KEEPER_RETRY_MS : MIN(keeper->retry_ms * 2, KEEPER_INTERVAL_MS);
	schedule(keeper);
	tell_trouble(keeper);
	deliver(keeper);
	return problem == NULL;
}

static void on_compare(evutil_socket_t fd, short what, void *of)
{
	keeper_reconcile(of);
}

/* -- turns and looks -- */

static void on_turn(evutil_socket_t fd, short what, void *of)
{
	Keeper *keeper = of;
	g_autofree char *problem = keeper->adopted ? change(keeper) : g_strdup("not read yet");
	if (problem != NULL) {
		keeper_reconcile(keeper);
		return;
	}
	schedule(keeper);
	tell_trouble(keeper);
	deliver(keeper);
}

static gboolean is_to_be_read(Keeper *keeper, const TableKey *key)
{
	return g_hash_table_contains(keeper->unverified, key) ||
	       intent_draining_of(keeper->intent, key) > 0;
}

/* Reads one service again, and counts what somebody else did to it. */
static gboolean read_one(Keeper *keeper, const TableKey *key, GError **error)
{
	TableService *known = table_service(keeper->known, key);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(TableOperation));
	g_autoptr(Table) now = table_new();
	if (!ipvs_read_service(keeper->ipvs, key, now, error))
		return FALSE;
	TableService *actual = table_service(now, key);
	table_difference_of_service(known, actual, found);
	keeper->figures.repairs += found->len;
	if (actual == NULL) {
		table_remove_service(keeper->known, key);
		return TRUE;
	}
	g_hash_table_steal(now->services, actual);
	g_hash_table_replace(keeper->known->services, actual, actual);
	return TRUE;
}

static gboolean read_some(Keeper *keeper, GError **error)
{
	g_autoptr(GHashTable) keys =
		g_hash_table_new_full(table_key_hash, table_key_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, intent_ours(keeper->intent));
	while (g_hash_table_iter_next(&iter, &each, NULL))
		if (is_to_be_read(keeper, each))
			g_hash_table_add(keys, g_memdup2(each, sizeof(TableKey)));
	g_hash_table_remove_all(keeper->unverified);
	g_hash_table_iter_init(&iter, keys);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		if (!read_one(keeper, each, error))
			return FALSE;
	return TRUE;
}

static void on_look(evutil_socket_t fd, short what, void *of)
{
	Keeper *keeper = of;
	g_autoptr(GError) error = NULL;
	g_autofree char *problem = change(keeper); /* orders first, as above */
	if (problem == NULL && !keeper->options.dry_run && !read_some(keeper, &error))
		problem = g_strdup(error->message);
	if (problem == NULL) {
		intent_look(keeper->intent, keeper->known, FALSE, clock_monotonic_ms());
		problem = change(keeper);
	}
	if (problem != NULL) {
		keeper_reconcile(keeper);
		return;
	}
	schedule(keeper);
	tell_trouble(keeper);
	deliver(keeper);
}

/* -- beginning and end -- */

void keeper_free(Keeper *keeper)
{
	if (keeper == NULL)
		return;
	for (guint i = 0; i < 3; i++) {
		struct event *each =
			(struct event *[]){keeper->turn, keeper->look, keeper->compare}[i];
		if (each != NULL)
			event_free(each);
	}
	ipvs_close(keeper->ipvs);
	intent_free(keeper->intent);
	table_free(keeper->known);
	g_hash_table_unref(keeper->unverified);
	g_free(keeper->refusal);
	g_free(keeper->told);
	g_free(keeper);
}

Keeper *keeper_new(const KeeperOptions *options, GError **error)
{
	g_autoptr(Keeper) keeper = g_new0(Keeper, 1);
	keeper->options = *options;
	keeper->retry_ms = KEEPER_RETRY_MS;
	keeper->intent = intent_new();
	keeper->known = table_new();
	keeper->unverified = g_hash_table_new_full(table_key_hash, table_key_equal, g_free, NULL);
	keeper->turn = evtimer_new(options->base, on_turn, keeper);
	keeper->look = evtimer_new(options->base, on_look, keeper);
	keeper->compare = evtimer_new(options->base, on_compare, keeper);
	g_autoptr(GError) reason = NULL;
	keeper->ipvs = ipvs_open(&reason);
	if (keeper->ipvs == NULL && !options->dry_run) {
		g_propagate_error(error, g_steal_pointer(&reason));
		return NULL;
	}
	return g_steal_pointer(&keeper);
}

void keeper_start(Keeper *keeper)
{
	keeper->started = TRUE;
	in_ms(keeper->turn, 0);
}

/* -- orders -- */

static void ordered(Keeper *keeper)
{
	if (keeper->started && !evtimer_pending(keeper->turn, NULL))
		in_ms(keeper->turn, 0);
}

void keeper_service(Keeper *keeper, const KeeperService *service)
{
	const TableKey key = table_key(&service->key);
	const TableSettings settings = table_settings(
		service->scheduler, service->persistence_ms, service->key.address.family);
	intent_service(keeper->intent, &key, &settings, table_forward(service->forward),
		service->drain_timeout_ms);
	ordered(keeper);
}

void keeper_forget_service(Keeper *keeper, const KeeperKey *service)
{
	const TableKey key = table_key(service);
	intent_forget(keeper->intent, &key, FALSE, clock_monotonic_ms());
	ordered(keeper);
}

void keeper_remove_service(Keeper *keeper, const KeeperKey *service)
{
	const TableKey key = table_key(service);
	intent_forget(keeper->intent, &key, TRUE, clock_monotonic_ms());
	ordered(keeper);
}

void keeper_serve(Keeper *keeper, const KeeperKey *service, const Address *server, guint weight)
{
	const TableKey key = table_key(service);
	intent_serve(
		keeper->intent, &key, server, weight, keeper->options.dry_run && keeper->adopted);
	ordered(keeper);
}

void keeper_drain(Keeper *keeper, const KeeperKey *service, const Address *server, gboolean stay)
{
	const TableKey key = table_key(service);
	intent_drain(keeper->intent, &key, server, stay, clock_monotonic_ms());
	ordered(keeper);
}

void keeper_remove(Keeper *keeper, const KeeperKey *service, const Address *server)
{
	const TableKey key = table_key(service);
	intent_remove(keeper->intent, &key, server);
	ordered(keeper);
}

/* -- questions -- */

gboolean keeper_connections(Keeper *keeper, const KeeperKey *service, const Address *server,
	guint *active, guint *inactive)
{
	const TableKey key = table_key(service);
	const TableService *known = table_service(keeper->known, &key);
	const TableServer *found = known == NULL ? NULL : table_server(known, server, key.port);
	if (found == NULL)
		return FALSE;
	*active = found->active;
	*inactive = found->inactive;
	return TRUE;
}

void keeper_figures(const Keeper *keeper, KeeperFigures *figures)
{
	*figures = keeper->figures;
	figures->draining = intent_draining(keeper->intent);
}
