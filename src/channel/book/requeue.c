/* SPDX-License-Identifier: ISC
 *
 * The hearts say what became of each change; here it is written down.
 */
#include "channel/book/requeue.h"

#include <string.h>

#include "channel/row/row.h"
#include "store/history.h"
#include "wire/json.h"

static const char SQL_VOID[] = "UPDATE channel_tested SET void_us = ?, void_why = ?"
			       " WHERE change_id = ? AND void_us IS NULL";

typedef struct Requeue {
	Store *store;
	const ChannelBook *now;
	const ChannelDeed *deed;
	Overlay *overlay; /* live, and the changes that were settled */
} Requeue;

/* What can be merged may still be no good: a rule whose product moved away from its release. */
static void check_rows(const Requeue *requeue, Rebased *rebased)
{
	g_autoptr(GError) problem = NULL;
	State *before = overlay_state(requeue->overlay);
	g_autoptr(State) after = state_apply(before, rebased->rebased, &problem);
	if (after != NULL && state_check_mappings(after, rebased->rebased, &problem) &&
		rows_check(before, after, ROW_WAITS, &problem)) {
		overlay_enact(requeue->overlay, rebased->rebased, NULL);
		return;
	}
	rebased->why = g_strdup(problem->message);
	g_clear_pointer(&rebased->rebased, json_decref);
	rebased->loses_sign_offs = rebased->loses_tests = TRUE;
}

static gboolean same(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal((json_t *)a, (json_t *)b));
}

/* New reference; NULL: none. */
static json_t *problem_of(const ChannelChange *change, const Rebased *rebased)
{
	/* The same conflict is still the one that its author was told. */
	if (rebased->why != NULL && json_array_size(rebased->conflicts) > 0 &&
		same(rebased->conflicts, json_object_get(change->problem, "conflicts")))
		return json_incref(change->problem);
	if (rebased->why != NULL)
		return json_pack("{s:s, s:s, s:O}", "kind", CHANNEL_PROBLEM_CONFLICT, "text",
			rebased->why, "conflicts", rebased->conflicts);
	const char *kind = json_text(change->problem, "kind");
	return g_strcmp0(kind, CHANNEL_PROBLEM_CONFLICT) == 0 ? NULL : json_incref(change->problem);
}

static gboolean record(
	const Requeue *requeue, const ChannelChange *change, const json_t *was, GError **error)
{
	const ChannelDeed *deed = requeue->deed;
	g_autofree char *subject = g_strdup_printf("change/%" G_GINT64_FORMAT, change->id);
	g_autofree char *before = json_write(was);
	g_autoptr(json_t) is =
		json_pack("{s:O, s:O?}", "ops", change->ops, "problem", change->problem);
	g_autofree char *after = json_write(is);
	return history_append(requeue->store, deed->now_us, deed->actor, "change.rebase", subject,
		deed->reason, before, after, error);
}

static gboolean save(const Requeue *requeue, const Rebased *rebased, GError **error)
{
	g_autoptr(ChannelChange) change =
		channel_change_load(requeue->store, rebased->change, error);
	if (change == NULL)
		return FALSE;
	g_autoptr(json_t) problem = problem_of(change, rebased);
	const json_t *ops =
		rebased->rebased == NULL ? change->ops : json_object_get(rebased->rebased, "ops");
	if (same(ops, change->ops) && same(problem, change->problem))
		return TRUE;
	g_autoptr(json_t) was =
		json_pack("{s:O, s:O?}", "ops", change->ops, "problem", change->problem);
	json_incref((json_t *)ops);
	json_decref(change->ops);
	change->ops = (json_t *)ops;
	json_decref(change->problem);
	change->problem = g_steal_pointer(&problem);
	return channel_change_save(requeue->store, change, requeue->deed, error) &&
	       record(requeue, change, was, error);
}

/* Whether there were any is known here only. */
static gboolean void_tests(const Requeue *requeue, Rebased *rebased, GError **error)
{
	const char *why = rebased->loses_sign_offs ? "its content is another than the one tested"
						   : "what it is tested on top of was edited";
	if (!store_execute(requeue->store, error, SQL_VOID,
		    STORE_PARAMS(STORE_INT(requeue->deed->now_us), STORE_TEXT(why),
			    STORE_INT(rebased->change))))
		return FALSE;
	rebased->loses_tests = store_changed(requeue->store) > 0;
	return TRUE;
}

static gboolean settle(const Requeue *requeue, Rebased *rebased, GError **error)
{
	if (rebased->rebased != NULL)
		check_rows(requeue, rebased);
	return save(requeue, rebased, error) &&
	       (!rebased->loses_tests || void_tests(requeue, rebased, error));
}

gboolean channel_requeue(Store *store, const ChannelBook *before, const ChannelBook *now,
	const ChannelDeed *deed, GArray **rebased, GError **error)
{
	g_autoptr(GArray) results =
		rebase_queue(before->queue, before->live, now->queue, now->live);
	g_autoptr(Overlay) overlay = overlay_new(now->live, TRUE);
	Requeue requeue = {store, now, deed, overlay};
	for (guint i = 0; i < results->len; i++)
		if (!settle(&requeue, &g_array_index(results, Rebased, i), error))
			return FALSE;
	if (rebased != NULL)
		*rebased = g_steal_pointer(&results);
	return TRUE;
}
