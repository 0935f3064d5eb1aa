/* SPDX-License-Identifier: ISC
 *
 * The public listener. It never touches the database; what it answers comes from an immutable
 * snapshot: channels (updates.h), and the lists of all pools as PyBal reads them (docs/pools.md),
 * made anew when one moves.
 */
#include <string.h>

#include "api/pool.h"
#include "programs/droverd/daemon.h"

#define RETRY_AFTER_SECONDS "2"

/* A list under its path. */
typedef struct PoolList {
	const char *type;
	GBytes *body;
	char *tag;
} PoolList;

static void list_free(gpointer of)
{
	PoolList *list = of;
	g_bytes_unref(list->body);
	g_free(list->tag);
	g_free(list);
}

static void add(GHashTable *lists, const char *path, const char *type, char *text)
{
	PoolList *list = g_new0(PoolList, 1);
	list->type = type;
	list->body = g_bytes_new_take(text, strlen(text));
	list->tag = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, list->body);
	list->tag[32] = '\0';
	g_hash_table_insert(lists, g_strdup(path), list);
}

static gboolean read_lists(Store *store, gpointer of, GError **error)
{
	GHashTable *lists = of;
	g_autoptr(GPtrArray) pools = pool_record_list(store, error);
	g_hash_table_remove_all(lists);
	for (guint i = 0; pools != NULL && i < pools->len; i++) {
		const PoolRecord *pool = pools->pdata[i];
		g_autofree char *path = g_strconcat("/pools/", pool->name, NULL);
		g_autofree char *json_path = g_strconcat(path, ".json", NULL);
		add(lists, path, "text/plain; charset=utf-8", pool_list_legacy(pool));
		add(lists, json_path, "application/json", pool_list_json(pool));
	}
	return pools != NULL;
}

static void swap(Daemon *daemon, GHashTable *lists)
{
	g_mutex_lock(&daemon->lists_lock);
	GHashTable *before = daemon->lists;
	daemon->lists = lists;
	g_mutex_unlock(&daemon->lists_lock);
	if (before != NULL)
		g_hash_table_unref(before);
}

gboolean public_read(Daemon *daemon, Store *store, GError **error)
{
	g_autoptr(GHashTable) lists =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
	if (settings_boolean(daemon->settings, "public.pools") &&
		!store_read(store, read_lists, lists, error))
		return FALSE;
	swap(daemon, g_steal_pointer(&lists));
	return TRUE;
}

static GHashTable *lists_now(Daemon *daemon)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&daemon->lists_lock);
	return daemon->lists != NULL ? g_hash_table_ref(daemon->lists) : NULL;
}

static HttpAnswer *plain(int status, const char *text)
{
	HttpAnswer *answer = http_answer_new(status, "text/plain; charset=utf-8", text, -1);
	http_answer_header(answer, "Cache-Control", "no-store");
	return answer;
}

static HttpAnswer *answer_list(Daemon *daemon, const HttpRequest *request)
{
	g_autoptr(GHashTable) lists = lists_now(daemon);
	if (lists == NULL) {
		HttpAnswer *answer = plain(503, "not read yet\n");
		http_answer_header(answer, "Retry-After", RETRY_AFTER_SECONDS);
		return answer;
	}
	const PoolList *list = g_hash_table_lookup(lists, http_request_path(request));
	if (list == NULL)
		return plain(404, "no such pool is published here\n");
	if (strcmp(http_request_method(request), "GET") != 0)
		return plain(405, "lists are only read here\n");
	HttpAnswer *answer = http_answer_new_static(request, list->type, list->body, list->tag);
	http_answer_header(answer, "Cache-Control", "no-cache");
	return answer;
}

HttpAnswer *public_answer(const HttpRequest *request, gpointer of)
{
	const char *path = http_request_path(request);
	HttpAnswer *answer = NULL;
	if (strcmp(path, "/healthz") == 0)
		answer = plain(200, "ok\n");
	else if (g_str_has_prefix(path, "/update/"))
		answer = updates_answer(&((Daemon *)of)->updates, request);
	else if (g_str_has_prefix(path, "/pools/"))
		answer = answer_list(of, request);
	else if (g_str_has_prefix(path, "/releases/"))
		answer = releases_answer(of, request);
	if (answer == NULL)
		answer = plain(404, "nothing is published here\n");
	http_answer_header(answer, "X-Content-Type-Options", "nosniff");
	return answer;
}
