/* SPDX-License-Identifier: ISC
 *
 * Orders: a person (or a rollout) wants a server to be reserved, drained, or to serve; balancers
 * ask what they are to do. Giving an order is not yet having it obeyed: each balancer answers by
 * itself (pool_report.c), and may refuse or revoke what would break the floor, unless it is forced.
 */
#include <string.h>

#include "api/pool.h"

static gboolean record(ApiCall *call, const char *action, const PoolRecord *pool,
	const json_t *before, const PoolMember *member, GError **error)
{
	const char *reason;
	g_autofree char *subject = g_strdup_printf("pool/%s/%s", pool->name, member->host);
	g_autoptr(json_t) after = pool_member_json(member);
	return api_reason(call, &reason, error) &&
	       api_record(call, action, subject, reason, before, after, error);
}

typedef struct Wish {
	const char *order;
	const char *reason;
	gboolean force;
	gint64 seen; /* the order that it takes the place of; -1: not said */
} Wish;

static gboolean read_wish(ApiCall *call, gboolean needs_order, Wish *wish, GError **error)
{
	*wish = (Wish){.seen = -1};
	if (call->body == NULL && !needs_order)
		return TRUE;
	if (!api_require_body(call, error) || !api_reason(call, &wish->reason, error) ||
		!json_field_boolean(call->body, "force", FALSE, &wish->force, error) ||
		!json_field_integer(
			call->body, "order_id", -1, 0, G_MAXINT64, &wish->seen, error) ||
		!json_field_text(call->body, "order", needs_order, 16, &wish->order, error))
		return FALSE;
	if (needs_order && strcmp(wish->order, "serve") != 0 &&
		strcmp(wish->order, "reserve") != 0 && strcmp(wish->order, "drain") != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"order: must be serve, reserve or drain, not '%s'", wish->order);
		return FALSE;
	}
	if (wish->force && (wish->reason == NULL || *wish->reason == '\0')) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reason: what is forced is kept with a reason; give one");
		return FALSE;
	}
	return TRUE;
}

/* What somebody else asked for since is not overwritten by who did not see it. */
static gboolean check_seen(
	const PoolRecord *pool, const PoolMember *member, const Wish *wish, GError **error)
{
	if (wish->seen == -1 || wish->seen == member->order_id)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_CONFLICT,
		"%s in pool %s has another order by now: %s, %s%s (order %" G_GINT64_FORMAT
		"); look again",
		member->host, pool->name, member->wanted,
		member->asked_by != NULL ? "asked by " : "asked by nobody",
		member->asked_by != NULL ? member->asked_by : "", member->order_id);
	return FALSE;
}

/* `wanted` borrowed; the id is given by the next version. */
static void set_order(PoolMember *member, const char *wanted, const Wish *wish, const ApiCall *call)
{
	gboolean asked = wish->order != NULL;
	g_free(member->wanted);
	g_free(member->asked_by);
	g_free(member->reason);
	member->wanted = g_strdup(wanted);
	member->forced = wish->force;
	member->asked_by = asked ? g_strdup(call->actor->name) : NULL;
	member->asked_us = asked ? api_now_us(call) : 0;
	member->reason = asked ? g_strdup(wish->reason) : NULL;
}

static gboolean is_the_same(const PoolMember *member, const Wish *wish)
{
	return member->asked_by != NULL && strcmp(member->wanted, wish->order) == 0 &&
	       member->forced == wish->force;
}

/* The same order again has a new id: one that was refused or revoked is tried anew by that. Only
 * an order to serve that is given already has nothing to try. */
json_t *pool_give_order(ApiCall *call, GError **error)
{
	Wish wish;
	if (!read_wish(call, TRUE, &wish, error))
		return NULL;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	PoolMember *member =
		pool != NULL ? pool_record_require(pool, api_parameter(call, "host"), error) : NULL;
	if (member == NULL || !check_seen(pool, member, &wish, error))
		return NULL;
	if (strcmp(wish.order, "serve") == 0 && is_the_same(member, &wish))
		return pool_member_json(member);
	g_autoptr(json_t) before = pool_member_json(member);
	set_order(member, wish.order, &wish, call);
	if (!pool_record_move(call->store, pool, error))
		return NULL;
	member->order_id = pool->version;
	if (!pool_member_save(call->store, pool, member, error) ||
		!record(call, "pool.order", pool, before, member, error))
		return NULL;
	return pool_member_json(member);
}

/* Back to serving, as nobody had ever asked. */
json_t *pool_release_order(ApiCall *call, GError **error)
{
	Wish wish;
	if (!read_wish(call, FALSE, &wish, error))
		return NULL;
	wish.order = NULL;
	wish.force = FALSE;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	PoolMember *member =
		pool != NULL ? pool_record_require(pool, api_parameter(call, "host"), error) : NULL;
	if (member == NULL || !check_seen(pool, member, &wish, error))
		return NULL;
	if (member->asked_by == NULL)
		return pool_member_json(member);
	g_autoptr(json_t) before = pool_member_json(member);
	set_order(member, "serve", &wish, call);
	member->order_id = 0;
	if (!pool_record_move(call->store, pool, error) ||
		!pool_member_save(call->store, pool, member, error) ||
		!record(call, "pool.release", pool, before, member, error))
		return NULL;
	return pool_member_json(member);
}

/* Always at once: that the question may wait is droverd's business (programs/droverd/admin.c). The
 * epoch is read in the transaction that reads the orders, so it is the store's, whichever droverd
 * answers. */
json_t *pool_show_orders(ApiCall *call, GError **error)
{
	gint64 after, epoch;
	if (!pool_require_balancer(call, error) ||
		!api_query_integer(call, "after", 0, 0, G_MAXINT64, &after, error) ||
		!store_counter_get(call->store, STORE_EPOCH, &epoch, error))
		return NULL;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	if (pool == NULL)
		return NULL;
	json_t *servers = json_array();
	for (guint i = 0; i < pool->members->len; i++) {
		const PoolMember *member = pool->members->pdata[i];
		json_array_append_new(
			servers, json_pack("{s:s, s:I, s:b, s:s, s:I, s:b}", "host", member->host,
					 "weight", (json_int_t)member->weight, "enabled",
					 member->is_enabled, "order", member->wanted, "order_id",
					 (json_int_t)member->order_id, "forced", member->forced));
	}
	return json_pack("{s:s, s:I, s:I, s:o, s:b, s:o}", "pool", pool->name, "version",
		(json_int_t)pool->version, "epoch", (json_int_t)epoch, "now",
		json_time_or_null(api_now_us(call)), "force", pool->force, "servers", servers);
}
