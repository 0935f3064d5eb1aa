/* SPDX-License-Identifier: ISC
 *
 * /pools: adding, changing and removing pools and the lists of their servers (docs/pools.md). What
 * a list says is people's business, whether it can be obeyed is the balancer's: no edit is refused
 * here because of the floor.
 */
#include "api/pool.h"

#include <string.h>

#include "api/routes.h"

static const char SQL_COUNT[] = "SELECT COUNT(*) FROM pool";
static const char SQL_ADD[] = "INSERT INTO pool (name, title, notes, version, force, data_version)"
			      " VALUES (?, ?, ?, 0, 0, 0) RETURNING id";
static const char SQL_OBEYED[] =
	"SELECT host.name FROM pool_balancer JOIN host ON host.id = pool_balancer.host_id"
	" WHERE pool_id = ? AND reported_us > ? AND host.revoked_us IS NULL ORDER BY host.name";
static const char *const SQL_REMOVE[] = {
	"DELETE FROM pool_event WHERE pool_id = ?",
	"DELETE FROM pool_balancer WHERE pool_id = ?",
	"DELETE FROM pool_server WHERE pool_id = ?",
	"DELETE FROM pool WHERE id = ?",
};

static gboolean record(ApiCall *call, const char *action, const char *pool, const char *host,
	const json_t *before, const json_t *after, GError **error)
{
	const char *reason;
	g_autofree char *subject = host != NULL ? g_strdup_printf("pool/%s/%s", pool, host)
						: g_strdup_printf("pool/%s", pool);
	return api_reason(call, &reason, error) &&
	       api_record(call, action, subject, reason, before, after, error);
}

/* Reading bodies ------------------------------------------------------------------------------- */

static gboolean check_name(const char *name, GError **error)
{
	gsize length = strlen(name);
	if (length > 0 && length <= POOL_LABEL_MAXIMUM_BYTES && strchr("-._", *name) == NULL &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length &&
		!g_str_has_suffix(name, ".json"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"name: '%.80s' will not do; a pool's name begins with a-z or 0-9, goes on with "
		"those, '.', '_' or '-', has at most %d bytes and does not end with .json",
		name, POOL_LABEL_MAXIMUM_BYTES);
	return FALSE;
}

/* A line of text: what is shown in lists. */
static gboolean take_line(
	const json_t *body, const char *key, gsize maximum, char **setting, GError **error)
{
	const char *text;
	if (json_object_get(body, key) == NULL)
		return TRUE;
	if (!json_field_text(body, key, FALSE, maximum, &text, error))
		return FALSE;
	for (const char *at = text; at != NULL && *at != '\0'; at++)
		if (g_ascii_iscntrl(*at)) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"%s: must be one line without control characters", key);
			return FALSE;
		}
	g_free(*setting);
	*setting = g_strdup(text);
	return TRUE;
}

static gboolean take_title(const json_t *body, PoolRecord *pool, GError **error)
{
	if (!take_line(body, "title", POOL_TITLE_MAXIMUM_BYTES, &pool->title, error))
		return FALSE;
	if (pool->title == NULL || *pool->title == '\0') {
		g_free(pool->title);
		pool->title = g_strdup(pool->name);
	}
	return TRUE;
}

static gboolean take_notes(const json_t *body, PoolRecord *pool, GError **error)
{
	const char *text;
	if (json_object_get(body, "notes") == NULL)
		return TRUE;
	if (!json_field_text(body, "notes", FALSE, POOL_NOTES_MAXIMUM_BYTES, &text, error))
		return FALSE;
	g_free(pool->notes);
	pool->notes = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
	return TRUE;
}

/* Lays the weight and the switch that are given over the server's. */
static gboolean take_member(const json_t *given, PoolMember *member, GError **error)
{
	return json_field_integer(given, "weight", member->weight, 0, POOL_LIST_MAXIMUM_WEIGHT,
		       &member->weight, error) &&
	       json_field_boolean(given, "enabled", member->is_enabled, &member->is_enabled, error);
}

/* A server that the pool has keeps its order. */
static PoolMember *member_again(const PoolRecord *pool, const char *host)
{
	PoolMember *member = pool_member_new(host);
	const PoolMember *known = pool_record_find(pool, host);
	if (known == NULL)
		return member;
	g_free(member->wanted);
	member->wanted = g_strdup(known->wanted);
	member->weight = known->weight;
	member->is_enabled = known->is_enabled;
	member->order_id = known->order_id;
	member->forced = known->forced;
	member->asked_by = g_strdup(known->asked_by);
	member->asked_us = known->asked_us;
	member->reason = g_strdup(known->reason);
	return member;
}

static gint by_host(gconstpointer a, gconstpointer b)
{
	return strcmp((*(PoolMember *const *)a)->host, (*(PoolMember *const *)b)->host);
}

static PoolMember *read_member(const PoolRecord *pool, const json_t *given, GError **error)
{
	const char *host;
	if (!json_is_object(given)) {
		drover_error_set(
			error, DROVER_ERROR_INPUT, "servers: each must be an object with a host");
		return NULL;
	}
	if (!json_field_text(given, "host", TRUE, POOL_HOST_MAXIMUM_BYTES, &host, error) ||
		!pool_host_check(host, error)) {
		g_prefix_error(error, "servers: ");
		return NULL;
	}
	g_autoptr(PoolMember) member = member_again(pool, host);
	if (take_member(given, member, error))
		return g_steal_pointer(&member);
	g_prefix_error(error, "servers: %s: ", host);
	return NULL;
}

/* The body's whole list, by host. */
static GPtrArray *read_members(const PoolRecord *pool, const json_t *body, GError **error)
{
	const json_t *servers = json_object_get(body, "servers");
	g_autoptr(GPtrArray) members =
		g_ptr_array_new_with_free_func((GDestroyNotify)pool_member_free);
	if (!json_is_array(servers) || json_array_size(servers) > POOL_LIST_MAXIMUM_SERVERS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"servers: must be a list of at most %d objects with host, and perhaps "
			"weight and enabled",
			POOL_LIST_MAXIMUM_SERVERS);
		return NULL;
	}
	size_t index;
	json_t *given;
	json_array_foreach (servers, index, given) {
		PoolMember *member = read_member(pool, given, error);
		if (member == NULL)
			return NULL;
		g_ptr_array_add(members, member);
	}
	g_ptr_array_sort(members, by_host);
	for (guint i = 1; i < members->len; i++) {
		const PoolMember *one = members->pdata[i - 1], *next = members->pdata[i];
		if (strcmp(one->host, next->host) != 0)
			continue;
		drover_error_set(
			error, DROVER_ERROR_INPUT, "servers: %s is named twice", one->host);
		return NULL;
	}
	return g_steal_pointer(&members);
}

/* An edit names the data_version that it was made from, and says whether it is forced. */
static PoolRecord *begin_edit(ApiCall *call, GError **error)
{
	gint64 version;
	const char *reason;
	gboolean force;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_integer(
			call->body, "data_version", -1, 1, G_MAXINT64, &version, error) ||
		!json_field_boolean(call->body, "force", FALSE, &force, error))
		return NULL;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	if (pool == NULL)
		return NULL;
	if (version != pool->data_version) {
		drover_error_set(error, version == -1 ? DROVER_ERROR_INPUT : DROVER_ERROR_CONFLICT,
			"pool %s is at data_version %" G_GINT64_FORMAT
			"; name the version that you looked at, and look again when it has moved",
			pool->name, pool->data_version);
		return NULL;
	}
	if (force && reason == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reason: what is forced on pool %s is kept with a reason; give one",
			pool->name);
		return NULL;
	}
	pool->force = force;
	return g_steal_pointer(&pool);
}

/* Routes --------------------------------------------------------------------------------------- */

static gboolean check_room(Store *store, GError **error)
{
	gint64 count;
	if (!store_query_integer(store, error, 0, &count, SQL_COUNT, STORE_NO_PARAMS))
		return FALSE;
	if (count < POOLS_MAXIMUM)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"there are %d pools already, and no more are kept: remove one first",
		POOLS_MAXIMUM);
	return FALSE;
}

static gboolean insert(ApiCall *call, PoolRecord *pool, GError **error)
{
	if (!store_query_integer(call->store, error, 0, &pool->id, SQL_ADD,
		    STORE_PARAMS(STORE_TEXT(pool->name), STORE_TEXT(pool->title),
			    STORE_TEXT(pool->notes)))) {
		if (error != NULL && drover_error_is(*error, DROVER_ERROR_CONFLICT)) {
			g_clear_error(error);
			drover_error_set(error, DROVER_ERROR_CONFLICT,
				"there is a pool '%s' already; see: drover pool show %s",
				pool->name, pool->name);
		}
		return FALSE;
	}
	for (guint i = 0; i < pool->members->len; i++)
		if (!pool_member_save(call->store, pool, pool->members->pdata[i], error))
			return FALSE;
	return pool_record_save(call->store, pool, error);
}

static json_t *add_pool(ApiCall *call, GError **error)
{
	const char *name, *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error) ||
		!json_field_text(call->body, "name", TRUE, 1024, &name, error) ||
		!check_name(name, error) || !check_room(call->store, error))
		return NULL;
	g_autoptr(PoolRecord) pool = g_new0(PoolRecord, 1);
	pool->name = g_strdup(name);
	pool->members = g_ptr_array_new_with_free_func((GDestroyNotify)pool_member_free);
	if (json_object_get(call->body, "servers") != NULL) {
		GPtrArray *members = read_members(pool, call->body, error);
		if (members == NULL)
			return NULL;
		g_ptr_array_unref(pool->members);
		pool->members = members;
	}
	if (!take_title(call->body, pool, error) || !take_notes(call->body, pool, error) ||
		!insert(call, pool, error))
		return NULL;
	g_autoptr(json_t) after = pool_settings_json(pool);
	if (!record(call, "pool.add", name, NULL, NULL, after, error))
		return NULL;
	return g_steal_pointer(&after);
}

/* Title and notes: no balancer needs to know, but one version for all edits is simpler to
 * understand. */
static json_t *change_pool(ApiCall *call, GError **error)
{
	g_autoptr(PoolRecord) pool = begin_edit(call, error);
	if (pool == NULL)
		return NULL;
	g_autoptr(json_t) before = json_pack(
		"{s:s, s:o}", "title", pool->title, "notes", json_text_or_null(pool->notes));
	if (!take_title(call->body, pool, error) || !take_notes(call->body, pool, error))
		return NULL;
	g_autoptr(json_t) after = json_pack(
		"{s:s, s:o}", "title", pool->title, "notes", json_text_or_null(pool->notes));
	if (!json_equal(before, after) &&
		(!pool_record_save(call->store, pool, error) ||
			!record(call, "pool.update", pool->name, NULL, before, after, error)))
		return NULL;
	return pool_settings_json(pool);
}

static gboolean write_list(ApiCall *call, PoolRecord *pool, GPtrArray *members, GError **error)
{
	g_autoptr(GPtrArray) old = pool->members;
	pool->members = members;
	for (guint i = 0; i < old->len; i++) {
		const PoolMember *member = old->pdata[i];
		if (pool_record_find(pool, member->host) == NULL &&
			!pool_member_remove(call->store, pool, member->host, error))
			return FALSE;
	}
	for (guint i = 0; i < members->len; i++)
		if (!pool_member_save(call->store, pool, members->pdata[i], error))
			return FALSE;
	return pool_record_save(call->store, pool, error);
}

static json_t *set_list(ApiCall *call, GError **error)
{
	g_autoptr(PoolRecord) pool = begin_edit(call, error);
	if (pool == NULL)
		return NULL;
	GPtrArray *members = read_members(pool, call->body, error);
	if (members == NULL)
		return NULL;
	g_autoptr(json_t) before = pool_settings_json(pool);
	if (!write_list(call, pool, members, error))
		return NULL;
	g_autoptr(json_t) after = pool_settings_json(pool);
	if (!record(call, "pool.list", pool->name, NULL, before, after, error))
		return NULL;
	return g_steal_pointer(&after);
}

/* Adds the server, or changes the one that is there. */
static json_t *set_server(ApiCall *call, GError **error)
{
	const char *host = api_parameter(call, "host");
	g_autoptr(PoolRecord) pool = begin_edit(call, error);
	if (pool == NULL || !pool_host_check(host, error))
		return NULL;
	PoolMember *known = pool_record_find(pool, host);
	if (known == NULL && pool->members->len >= POOL_LIST_MAXIMUM_SERVERS) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"pool %s has %d servers already, and no pool has more: remove one first",
			pool->name, POOL_LIST_MAXIMUM_SERVERS);
		return NULL;
	}
	g_autoptr(json_t) before = known != NULL ? pool_member_json(known) : NULL;
	g_autoptr(PoolMember) member = member_again(pool, host);
	if (!take_member(call->body, member, error))
		return NULL;
	g_autoptr(json_t) after = pool_member_json(member);
	if (before != NULL && json_equal(before, after) && !pool->force)
		return g_steal_pointer(&after);
	if (!pool_member_save(call->store, pool, member, error) ||
		!pool_record_save(call->store, pool, error) ||
		!record(call, known != NULL ? "pool.server.update" : "pool.server.add", pool->name,
			host, before, after, error))
		return NULL;
	return g_steal_pointer(&after);
}

static json_t *remove_server(ApiCall *call, GError **error)
{
	const char *host = api_parameter(call, "host");
	g_autoptr(PoolRecord) pool = begin_edit(call, error);
	const PoolMember *member = pool != NULL ? pool_record_require(pool, host, error) : NULL;
	if (member == NULL)
		return NULL;
	g_autoptr(json_t) before = pool_member_json(member);
	if (!pool_member_remove(call->store, pool, host, error) ||
		!pool_record_save(call->store, pool, error) ||
		!record(call, "pool.server.remove", pool->name, host, before, NULL, error))
		return NULL;
	return g_steal_pointer(&before);
}

/* The balancers that obey the pool now, as "lb1, lb2"; NULL when there is none. */
static gboolean find_obeying(ApiCall *call, const PoolRecord *pool, char **names, GError **error)
{
	gint64 since_us = api_now_us(call) - POOL_SILENT_S * US_PER_SECOND;
	g_autoptr(StoreRows) rows = store_query(call->store, error, SQL_OBEYED,
		STORE_PARAMS(STORE_INT(pool->id), STORE_INT(since_us)));
	g_autoptr(GString) found = g_string_new(NULL);
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more) {
			*names = found->len > 0 ? g_strdup(found->str) : NULL;
			return TRUE;
		}
		g_string_append_printf(
			found, "%s%s", found->len > 0 ? ", " : "", store_rows_text(rows, 0));
	}
	return FALSE;
}

/* A balancer whose pool is gone keeps its last orders, and nobody could give it others. */
static json_t *remove_pool(ApiCall *call, GError **error)
{
	g_autofree char *obeying = NULL;
	g_autoptr(PoolRecord) pool = begin_edit(call, error);
	if (pool == NULL || !find_obeying(call, pool, &obeying, error))
		return NULL;
	if (obeying != NULL && !pool->force) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"pool %s is in use: %s obeys it. Take it out of the configuration there "
			"first, or force with a reason",
			pool->name, obeying);
		return NULL;
	}
	g_autoptr(json_t) before = pool_settings_json(pool);
	if (!pool_record_move(call->store, pool, error))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(SQL_REMOVE); i++)
		if (!store_execute(
			    call->store, error, SQL_REMOVE[i], STORE_PARAMS(STORE_INT(pool->id))))
			return NULL;
	if (!record(call, "pool.remove", pool->name, NULL, before, NULL, error))
		return NULL;
	return g_steal_pointer(&before);
}

const ApiRoute api_pool_routes[] = {
	{"GET", "/pools", ROLE_VIEWER, API_READ, pool_list_all},
	{"POST", "/pools", ROLE_OPERATOR, API_WRITE, add_pool},
	{"GET", "/pools/{pool}", ROLE_VIEWER, API_READ, pool_show},
	{"PATCH", "/pools/{pool}", ROLE_OPERATOR, API_WRITE, change_pool},
	{"DELETE", "/pools/{pool}", ROLE_OPERATOR, API_WRITE, remove_pool},
	{"PUT", "/pools/{pool}/servers", ROLE_OPERATOR, API_WRITE, set_list},
	{"PUT", "/pools/{pool}/servers/{host}", ROLE_OPERATOR, API_WRITE, set_server},
	{"DELETE", "/pools/{pool}/servers/{host}", ROLE_OPERATOR, API_WRITE, remove_server},
	{"PUT", "/pools/{pool}/servers/{host}/order", ROLE_OPERATOR, API_WRITE, pool_give_order},
	{"DELETE", "/pools/{pool}/servers/{host}/order", ROLE_OPERATOR, API_WRITE,
		pool_release_order},
	{"DELETE", "/pools/{pool}/balancers/{name}", ROLE_OPERATOR, API_WRITE,
		pool_forget_balancer},
	{"GET", "/pools/{pool}/orders", ROLE_NONE, API_HOST, pool_show_orders},
	{"POST", "/pools/{pool}/reports", ROLE_NONE, API_HOST | API_WRITE, pool_take_report},
	{0},
};
