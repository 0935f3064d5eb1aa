/* SPDX-License-Identifier: ISC
 *
 * A drain is a record beside the intended table, in which its server stands with weight 0:
 *
 *     serve ──► in the table, its weight
 *       ▲ │
 *       │ └─ drain ──► weight 0 ──► looked at: no connection, or time is up
 *       │                  │                  │               │
 *       └──── serve ───────┘               stay: told,     else: out of the table, told
 *                                          stays at 0
 *
 * A drain never brings a server in: what is not there has been drained.
 */
#include "balance/kernel/intent.h"

#include <linux/ip_vs.h>
#include <string.h>

typedef struct Drain {
	TableServer server; /* first: its address and port are the key */
	gint64 deadline_ms;
	gboolean stay, told;
} Drain;

typedef struct Keeping {
	TableKey key; /* first: its own key */
	TableService *service;
	TableForward forward;
	gint64 drain_timeout_ms;
	gboolean leaving;
	GHashTable *drains; /* Drain *, each its own key */
} Keeping;

struct Intent {
	Table *table;
	GHashTable *keepings; /* Keeping *, each its own key */
	GHashTable *ours;     /* TableKey * */
	GArray *news;
};

static void keeping_free(gpointer keeping)
{
	g_hash_table_unref(((Keeping *)keeping)->drains);
	g_free(keeping);
}

Intent *intent_new(void)
{
	Intent *intent = g_new0(Intent, 1);
	intent->table = table_new();
	intent->keepings =
		g_hash_table_new_full(table_key_hash, table_key_equal, NULL, keeping_free);
	intent->ours = g_hash_table_new_full(table_key_hash, table_key_equal, g_free, NULL);
	intent->news = g_array_new(FALSE, FALSE, sizeof(IntentNews));
	return intent;
}

void intent_free(Intent *intent)
{
	if (intent == NULL)
		return;
	g_hash_table_unref(intent->keepings);
	g_hash_table_unref(intent->ours);
	g_array_unref(intent->news);
	table_free(intent->table);
	g_free(intent);
}

const Table *intent_table(const Intent *intent)
{
	return intent->table;
}

GHashTable *intent_ours(const Intent *intent)
{
	return intent->ours;
}

static void tell(Intent *intent, const Keeping *keeping, const Address *server)
{
	const IntentNews news = {.service = keeping->key, .server = *server};
	g_array_append_val(intent->news, news);
}

/* -- one service -- */

void intent_service(Intent *intent, const TableKey *key, const TableSettings *settings,
	TableForward forward, gint64 drain_timeout_ms)
{
	Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	if (keeping == NULL) {
		keeping = g_new0(Keeping, 1);
		keeping->key = *key;
		keeping->drains =
			g_hash_table_new_full(table_server_hash, table_server_equal, NULL, g_free);
		g_hash_table_add(intent->keepings, keeping);
		g_hash_table_add(intent->ours, g_memdup2(key, sizeof *key));
	}
	keeping->service = table_put_service(intent->table, key, settings);
	keeping->leaving = FALSE;
	keeping->drain_timeout_ms = drain_timeout_ms;
	if (keeping->forward == forward)
		return;
	keeping->forward = forward;
	GHashTableIter iter;
	gpointer server;
	g_hash_table_iter_init(&iter, keeping->service->servers);
	while (g_hash_table_iter_next(&iter, &server, NULL))
		((TableServer *)server)->forward = forward;
}

static void drop_service(Intent *intent, Keeping *keeping)
{
	const TableKey key = keeping->key;
	table_remove_service(intent->table, &key);
	g_hash_table_remove(intent->keepings, &key);
}

/* -- one server -- */

static Drain *find_drain(const Keeping *keeping, const Address *server, guint16 port)
{
	const TableServer wanted = {.address = *server, .port = port};
	return g_hash_table_lookup(keeping->drains, &wanted);
}

/* dh knows no weight: a server of weight 0 would be given its clients for ever. */
static gboolean can_drain(const Keeping *keeping)
{
	return strcmp(keeping->service->settings.scheduler, "dh") != 0;
}

void intent_serve(
	Intent *intent, const TableKey *key, const Address *server, guint weight, gboolean again)
{
	Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	g_assert(keeping != NULL && !keeping->leaving);
	Drain *drain = find_drain(keeping, server, key->port);
	if (drain != NULL)
		g_hash_table_remove(keeping->drains, drain);
	const TableServer wanted = {.address = *server,
		.port = key->port,
		.forward = keeping->forward,
		.weight = weight,
		.again = again};
	table_put_server(keeping->service, &wanted);
}

static void begin_drain(Keeping *keeping, const TableServer *server, gboolean stay, gint64 now_ms)
{
	TableServer leaving = *server;
	leaving.weight = 0;
	leaving.leaving = TRUE;
	leaving.again = FALSE;
	table_put_server(keeping->service, &leaving);
	Drain *drain = g_new0(Drain, 1);
	drain->server = leaving;
	drain->stay = stay;
	drain->deadline_ms = now_ms + keeping->drain_timeout_ms;
	g_hash_table_add(keeping->drains, drain);
}

void intent_drain(
	Intent *intent, const TableKey *key, const Address *server, gboolean stay, gint64 now_ms)
{
	Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	if (keeping == NULL)
		return;
	if (!can_drain(keeping)) {
		intent_remove(intent, key, server);
		tell(intent, keeping, server);
		return;
	}
	Drain *drain = find_drain(keeping, server, key->port);
	if (drain != NULL) {
		/* Under way; only what becomes of it may change. */
		drain->told = drain->told && stay == drain->stay;
		drain->stay = stay;
		return;
	}
	const TableServer leaving = {
		.address = *server, .port = key->port, .forward = keeping->forward};
	begin_drain(keeping, &leaving, stay, now_ms);
}

void intent_remove(Intent *intent, const TableKey *key, const Address *server)
{
	Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	if (keeping == NULL)
		return;
	Drain *drain = find_drain(keeping, server, key->port);
	if (drain != NULL)
		g_hash_table_remove(keeping->drains, drain);
	table_remove_server(keeping->service, server, key->port);
}

void intent_forget(Intent *intent, const TableKey *key, gboolean at_once, gint64 now_ms)
{
	Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	if (keeping == NULL)
		return;
	if (at_once) {
		drop_service(intent, keeping);
		return;
	}
	keeping->leaving = TRUE;
	g_autoptr(GList) servers = g_hash_table_get_keys(keeping->service->servers);
	for (const GList *each = servers; each != NULL; each = each->next) {
		const TableServer server = *(const TableServer *)each->data;
		if (server.port == key->port) /* others drain already */
			intent_drain(intent, key, &server.address, FALSE, now_ms);
	}
}

/* -- looking -- */

static void drain_unwanted(Keeping *keeping, const TableService *actual, gint64 now_ms)
{
	GHashTableIter iter;
	gpointer server;
	g_hash_table_iter_init(&iter, actual->servers);
	while (g_hash_table_iter_next(&iter, &server, NULL))
		if (!g_hash_table_contains(keeping->service->servers, server))
			begin_drain(keeping, server, FALSE, now_ms);
}

static gboolean has_ended(const Keeping *keeping, const Drain *drain, const TableServer *there,
	gboolean eager, gint64 now_ms)
{
	if (there == NULL || now_ms >= drain->deadline_ms || !can_drain(keeping))
		return TRUE;
	return there->active == 0 && (eager || there->weight == 0);
}

/* TRUE when the record is of no more use. */
static gboolean end_drain(Intent *intent, Keeping *keeping, Drain *drain, const TableServer *there)
{
	const TableServer *server = &drain->server;
	if (!drain->told)
		tell(intent, keeping, &server->address);
	drain->told = TRUE;
	if (drain->stay && there != NULL && can_drain(keeping))
		return FALSE;
	table_remove_server(keeping->service, &server->address, server->port);
	return TRUE;
}

static void look_at(
	Intent *intent, Keeping *keeping, const TableService *actual, gboolean eager, gint64 now_ms)
{
	if (actual != NULL && can_drain(keeping))
		drain_unwanted(keeping, actual, now_ms);
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, keeping->drains);
	while (g_hash_table_iter_next(&iter, &each, NULL)) {
		Drain *drain = each;
		const TableServer *there =
			actual == NULL ? NULL : g_hash_table_lookup(actual->servers, drain);
		if (has_ended(keeping, drain, there, eager, now_ms) &&
			end_drain(intent, keeping, drain, there))
			g_hash_table_iter_remove(&iter);
	}
}

void intent_look(Intent *intent, const Table *actual, gboolean eager, gint64 now_ms)
{
	g_autoptr(GList) keepings = g_hash_table_get_keys(intent->keepings);
	for (const GList *each = keepings; each != NULL; each = each->next) {
		Keeping *keeping = each->data;
		look_at(intent, keeping, table_service(actual, &keeping->key), eager, now_ms);
		if (keeping->leaving && g_hash_table_size(keeping->service->servers) == 0)
			drop_service(intent, keeping);
	}
}

static void forget_repetitions(TableService *service)
{
	GHashTableIter iter;
	gpointer server;
	g_hash_table_iter_init(&iter, service->servers);
	while (g_hash_table_iter_next(&iter, &server, NULL))
		((TableServer *)server)->again = FALSE;
}

void intent_settled(Intent *intent, const Table *actual)
{
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, intent->table->services);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		forget_repetitions(each);
	g_hash_table_iter_init(&iter, intent->ours);
	while (g_hash_table_iter_next(&iter, &each, NULL))
		if (table_service(intent->table, each) == NULL &&
			table_service(actual, each) == NULL)
			g_hash_table_iter_remove(&iter);
}

GArray *intent_take_news(Intent *intent)
{
	GArray *news = intent->news;
	intent->news = g_array_new(FALSE, FALSE, sizeof(IntentNews));
	return news;
}

/* -- questions -- */

static guint draining(const Keeping *keeping)
{
	guint count = 0;
	GHashTableIter iter;
	gpointer drain;
	g_hash_table_iter_init(&iter, keeping->drains);
	while (g_hash_table_iter_next(&iter, &drain, NULL))
		count += !((const Drain *)drain)->told;
	return count;
}

guint intent_draining(const Intent *intent)
{
	guint count = 0;
	GHashTableIter iter;
	gpointer keeping;
	g_hash_table_iter_init(&iter, intent->keepings);
	while (g_hash_table_iter_next(&iter, &keeping, NULL))
		count += draining(keeping);
	return count;
}

guint intent_draining_of(const Intent *intent, const TableKey *key)
{
	const Keeping *keeping = g_hash_table_lookup(intent->keepings, key);
	return keeping == NULL ? 0 : draining(keeping);
}

gboolean intent_has_persistence(const Intent *intent)
{
	GHashTableIter iter;
	gpointer service;
	g_hash_table_iter_init(&iter, intent->table->services);
	while (g_hash_table_iter_next(&iter, &service, NULL))
		if (((TableService *)service)->settings.flags & IP_VS_SVC_F_PERSISTENT)
			return TRUE;
	return FALSE;
}
