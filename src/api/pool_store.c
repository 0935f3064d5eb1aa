/* SPDX-License-Identifier: ISC
 *
 * Pools and their servers in the store, and as JSON.
 */
#include <string.h>

#include "api/pool.h"

#define SQL_POOL "SELECT id, name, title, notes, version, force, data_version FROM pool "

static const char SQL_LOAD[] = SQL_POOL "WHERE name = ?";
static const char SQL_LIST[] = SQL_POOL "ORDER BY name";
static const char SQL_MEMBERS[] =
	"SELECT host, weight, is_enabled, wanted, order_id, forced, asked_by, asked_us, reason"
	" FROM pool_server WHERE pool_id = ? ORDER BY host";
static const char SQL_MOVE[] = "UPDATE pool SET version = ? WHERE id = ?";
static const char SQL_SAVE[] =
	"UPDATE pool SET title = ?, notes = ?, force = ?, data_version = ? WHERE id = ?";
static const char SQL_MEMBER_CHANGE[] =
	"UPDATE pool_server SET weight = ?, is_enabled = ?, wanted = ?, order_id = ?, forced = ?,"
	" asked_by = ?, asked_us = ?, reason = ? WHERE pool_id = ? AND host = ?";
static const char SQL_MEMBER_ADD[] =
	"INSERT INTO pool_server (weight, is_enabled, wanted, order_id, forced, asked_by, asked_us,"
	" reason, pool_id, host) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char SQL_MEMBER_REMOVE[] = "DELETE FROM pool_server WHERE pool_id = ? AND host = ?";
static const char SQL_VERSIONS[] = "SELECT name, version FROM pool";
static const char SQL_SILENT[] = "SELECT COUNT(*) FROM pool_balancer WHERE reported_us <= ?";
static const char SQL_EPOCH[] =
	"UPDATE counter SET value = CASE WHEN value >= ? THEN value + 1 ELSE ? END WHERE name = ?";

PoolMember *pool_member_new(const char *host)
{
	PoolMember *member = g_new0(PoolMember, 1);
	member->host = g_strdup(host);
	member->weight = POOL_WEIGHT_DEFAULT;
	member->is_enabled = TRUE;
	member->wanted = g_strdup("serve");
	return member;
}

void pool_member_free(PoolMember *member)
{
	if (member == NULL)
		return;
	g_free(member->host);
	g_free(member->wanted);
	g_free(member->asked_by);
	g_free(member->reason);
	g_free(member);
}

void pool_record_free(PoolRecord *pool)
{
	if (pool == NULL)
		return;
	g_free(pool->name);
	g_free(pool->title);
	g_free(pool->notes);
	g_ptr_array_unref(pool->members);
	g_free(pool);
}

static PoolRecord *record_of(const StoreRows *rows)
{
	PoolRecord *pool = g_new0(PoolRecord, 1);
	pool->id = store_rows_integer(rows, 0);
	pool->name = g_strdup(store_rows_text(rows, 1));
	pool->title = g_strdup(store_rows_text(rows, 2));
	pool->notes = g_strdup(store_rows_text(rows, 3));
	pool->version = store_rows_integer(rows, 4);
	pool->force = store_rows_integer(rows, 5) != 0;
	pool->data_version = store_rows_integer(rows, 6);
	pool->members = g_ptr_array_new_with_free_func((GDestroyNotify)pool_member_free);
	return pool;
}

static PoolMember *member_of(const StoreRows *rows)
{
	PoolMember *member = g_new0(PoolMember, 1);
	member->host = g_strdup(store_rows_text(rows, 0));
	member->weight = store_rows_integer(rows, 1);
	member->is_enabled = store_rows_integer(rows, 2) != 0;
	member->wanted = g_strdup(store_rows_text(rows, 3));
	member->order_id = store_rows_integer(rows, 4);
	member->forced = store_rows_integer(rows, 5) != 0;
	member->asked_by = g_strdup(store_rows_text(rows, 6));
	member->asked_us = store_rows_integer(rows, 7);
	member->reason = g_strdup(store_rows_text(rows, 8));
	return member;
}

static void add_member(const StoreRows *rows, gpointer pool)
{
	g_ptr_array_add(((PoolRecord *)pool)->members, member_of(rows));
}

static gboolean load_members(Store *store, PoolRecord *pool, GError **error)
{
	return store_each(
		store, error, add_member, pool, SQL_MEMBERS, STORE_PARAMS(STORE_INT(pool->id)));
}

static void take_record(const StoreRows *rows, gpointer pool)
{
	*(PoolRecord **)pool = record_of(rows);
}

PoolRecord *pool_record_load(Store *store, const char *name, GError **error)
{
	g_autoptr(PoolRecord) pool = NULL;
	if (!store_each(store, error, take_record, &pool, SQL_LOAD, STORE_PARAMS(STORE_TEXT(name))))
		return NULL;
	if (pool == NULL) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no pool '%s'; see: drover pool list", name);
		return NULL;
	}
	return load_members(store, pool, error) ? g_steal_pointer(&pool) : NULL;
}

static void add_record(const StoreRows *rows, gpointer pools)
{
	g_ptr_array_add(pools, record_of(rows));
}

GPtrArray *pool_record_list(Store *store, GError **error)
{
	g_autoptr(GPtrArray) pools =
		g_ptr_array_new_with_free_func((GDestroyNotify)pool_record_free);
	if (!store_each(store, error, add_record, pools, SQL_LIST, STORE_NO_PARAMS))
		return NULL;
	for (guint i = 0; i < pools->len; i++)
		if (!load_members(store, pools->pdata[i], error))
			return NULL;
	return g_steal_pointer(&pools);
}

PoolMember *pool_record_find(const PoolRecord *pool, const char *host)
{
	for (guint i = 0; i < pool->members->len; i++) {
		PoolMember *member = pool->members->pdata[i];
		if (strcmp(member->host, host) == 0)
			return member;
	}
	return NULL;
}

PoolMember *pool_record_require(const PoolRecord *pool, const char *host, GError **error)
{
	PoolMember *member = pool_record_find(pool, host);
	if (member == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"pool %s has no server '%s'; see: drover pool show %s", pool->name, host,
			pool->name);
	return member;
}

/* Both counters: balancers wait for the one, open pages for the other (history moves that). */
gboolean pool_record_move(Store *store, PoolRecord *pool, GError **error)
{
	return store_counter_advance(store, STORE_POOLS, error) &&
	       store_counter_get(store, STORE_POOLS, &pool->version, error) &&
	       store_execute(store, error, SQL_MOVE,
		       STORE_PARAMS(STORE_INT(pool->version), STORE_INT(pool->id)));
}

gboolean pool_record_save(Store *store, PoolRecord *pool, GError **error)
{
	pool->data_version++;
	return pool_record_move(store, pool, error) &&
	       store_execute(store, error, SQL_SAVE,
		       STORE_PARAMS(STORE_TEXT(pool->title), STORE_TEXT(pool->notes),
			       STORE_INT(pool->force), STORE_INT(pool->data_version),
			       STORE_INT(pool->id)));
}

static gboolean write_member(Store *store, const char *sql, const PoolRecord *pool,
	const PoolMember *member, GError **error)
{
	gboolean asked = member->asked_by != NULL;
	return store_execute(store, error, sql,
		STORE_PARAMS(STORE_INT(member->weight), STORE_INT(member->is_enabled),
			STORE_TEXT(member->wanted), STORE_INT(member->order_id),
			STORE_INT(member->forced), STORE_TEXT(member->asked_by),
			asked ? STORE_INT(member->asked_us) : STORE_NULL,
			STORE_TEXT(member->reason), STORE_INT(pool->id), STORE_TEXT(member->host)));
}

gboolean pool_member_save(
	Store *store, const PoolRecord *pool, const PoolMember *member, GError **error)
{
	if (!write_member(store, SQL_MEMBER_CHANGE, pool, member, error))
		return FALSE;
	return store_changed(store) > 0 || write_member(store, SQL_MEMBER_ADD, pool, member, error);
}

gboolean pool_member_remove(Store *store, const PoolRecord *pool, const char *host, GError **error)
{
	return store_execute(store, error, SQL_MEMBER_REMOVE,
		STORE_PARAMS(STORE_INT(pool->id), STORE_TEXT(host)));
}

gboolean pool_host_check(const char *host, GError **error)
{
	gsize length = strlen(host);
	if (length > 0 && length <= POOL_HOST_MAXIMUM_BYTES && *host != '-' && *host != '.' &&
		strspn(host,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:") ==
			length)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"host: '%.80s' is no server's name; it may have at most %d letters, digits and "
		"-._: and begins with neither '-' nor '.'",
		host, POOL_HOST_MAXIMUM_BYTES);
	return FALSE;
}

json_t *pool_member_json(const PoolMember *member)
{
	return json_pack("{s:s, s:I, s:b, s:s, s:I, s:b, s:o, s:o, s:o}", "host", member->host,
		"weight", (json_int_t)member->weight, "enabled", member->is_enabled, "order",
		member->wanted, "order_id", (json_int_t)member->order_id, "forced", member->forced,
		"asked_by", json_text_or_null(member->asked_by), "asked",
		json_time_or_null(member->asked_us), "reason", json_text_or_null(member->reason));
}

json_t *pool_settings_json(const PoolRecord *pool)
{
	json_t *servers = json_array();
	for (guint i = 0; i < pool->members->len; i++)
		json_array_append_new(servers, pool_member_json(pool->members->pdata[i]));
	return json_pack("{s:s, s:s, s:o, s:I, s:I, s:b, s:o}", "name", pool->name, "title",
		pool->title, "notes", json_text_or_null(pool->notes), "data_version",
		(json_int_t)pool->data_version, "version", (json_int_t)pool->version, "force",
		pool->force, "servers", servers);
}

gboolean pool_require_balancer(ApiCall *call, GError **error)
{
	g_autoptr(json_t) host = NULL;
	if (!host_load_caller(call, &host, error))
		return FALSE;
	if (g_strcmp0(json_text(host, "kind"), "balancer") == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_DENIED,
		"%s is a %s, and orders and reports of pools are for balancers; an admin can "
		"revoke it and invite it as one",
		json_text(host, "name"), json_text(host, "kind"));
	return FALSE;
}

gboolean pool_epoch_take(Store *store, gint64 now_us, GError **error)
{
	gint64 seconds = now_us / US_PER_SECOND;
	return store_execute(store, error, SQL_EPOCH,
		STORE_PARAMS(STORE_INT(seconds), STORE_INT(seconds), STORE_TEXT(STORE_EPOCH)));
}

gboolean pool_count_silent(Store *store, gint64 now_us, gint64 *count, GError **error)
{
	return store_query_integer(store, error, 0, count, SQL_SILENT,
		STORE_PARAMS(STORE_INT(now_us - POOL_SILENT_S * US_PER_SECOND)));
}

gboolean pool_each_version(Store *store, HostVisit visit, gpointer of, GError **error)
{
	return host_each_version(store, SQL_VERSIONS, visit, of, error);
}
