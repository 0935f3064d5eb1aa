/* SPDX-License-Identifier: ISC
 *
 * Changes come, are edited and go. Each of that moves the queue under the changes behind it, so it
 * ends with re-basing them.
 */
#include <string.h>

#include "channel/book/change_parts.h"
#include "channel/book/edit.h"
#include "channel/book/requeue.h"
#include "wire/json.h"

/* What is asked of a draft --------------------------------------------------------------------- */

static gboolean check_text(const char *what, const char *text, gsize maximum, GError **error)
{
	if (text == NULL || *text == '\0') {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: is missing", what);
		return FALSE;
	}
	if (strlen(text) <= maximum)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s: may have %" G_GSIZE_FORMAT " bytes",
		what, maximum);
	return FALSE;
}

static gboolean check_when(const ChangeCall *call, gint64 when_us, GError **error)
{
	gint64 first_us = call->now_us - CHANGE_PAST_S * US_PER_SECOND;
	gint64 last_us = call->now_us + CHANGE_FUTURE_S * US_PER_SECOND;
	if (when_us >= first_us && when_us <= last_us)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		when_us < first_us ? "when: is past: say a time to come, or now"
				   : "when: is more than two years ahead");
	return FALSE;
}

static gboolean check_ops(const json_t *ops, GError **error)
{
	if (json_array_size(ops) > 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"ops: must be a list of what is to be inserted, updated or deleted");
	return FALSE;
}

/* Everything but the ops, as it is to be. */
static gboolean check_change(const ChannelChange *change, GError **error)
{
	return check_text("title", change->title, CHANGE_MAXIMUM_TITLE_BYTES, error) &&
	       check_text("reason", change->reason, CHANGE_MAXIMUM_REASON_BYTES, error);
}

static gboolean check_room(const ChannelBook *book, GError **error)
{
	if (book->changes->len < QUEUE_MAXIMUM_CHANGES)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_TOO_LARGE,
		"%d changes wait already; withdraw some, or let them go live",
		QUEUE_MAXIMUM_CHANGES);
	return FALSE;
}

/* The ops as the change keeps them, for its place in the queue. */
static json_t *prepare(const ChangeCall *call, const ChannelBook *book, const ChannelChange *change,
	const json_t *ops, GError **error)
{
	gint64 id = change->id != 0 ? change->id : G_MAXINT64;
	g_autoptr(State) state = standing_state_at(book, change->when_us, id);
	g_autoptr(json_t) prepared =
		channel_ops_prepare(call->store, state, ops, ROW_WAITS, NULL, error);
	if (prepared == NULL || !channel_guard_numbers(book, change->id, ops, error))
		return NULL;
	g_autoptr(json_t) value = json_pack("{s:O}", "ops", prepared);
	g_auto(GStrv) products = content_products(state, value);
	return change_want_role(call, products, "operator", error) ? g_steal_pointer(&prepared)
								   : NULL;
}

/* The queue, after it was written -------------------------------------------------------------- */

static gboolean fits_its_place(const GArray *rebased, gint64 id, GError **error)
{
	for (guint i = 0; i < rebased->len; i++) {
		const Rebased *one = &g_array_index(rebased, Rebased, i);
		if (one->change != id || one->rebased != NULL)
			continue;
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"change %" G_GINT64_FORMAT " does not fit there: %s", id, one->why);
		return FALSE;
	}
	return TRUE;
}

/* Re-bases what waits. The change itself must fit where it stands now. */
static gboolean settle(const ChangeCall *call, const ChannelBook *before,
	const ChannelChange *change, GError **error)
{
	g_autoptr(GArray) rebased = NULL;
	ChannelDeed deed = change_deed(call, change);
	g_autoptr(ChannelBook) now = channel_book_read(call->store, error);
	return now != NULL && channel_requeue(call->store, before, now, &deed, &rebased, error) &&
	       fits_its_place(rebased, change->id, error);
}

static gboolean save(const ChangeCall *call, const ChannelBook *before, ChannelChange *change,
	const char *verb, const char *reason, const json_t *was, GError **error)
{
	ChannelDeed deed = change_deed(call, change);
	return channel_change_save(call->store, change, &deed, error) &&
	       change_record(call, change, verb, reason, was, NULL, error) &&
	       settle(call, before, change, error);
}

/* Submitting ----------------------------------------------------------------------------------- */

static ChannelChange *new_change(const ChangeCall *call, const ChangeDraft *draft)
{
	ChannelChange *change = g_new0(ChannelChange, 1);
	change->state = g_strdup("scheduled");
	change->when_us = draft->when_us;
	change->title = g_strdup(draft->title);
	change->reason = g_strdup(draft->reason);
	change->author = g_strdup(call->actor->name);
	change->overrides = json_array();
	change->created_us = call->now_us;
	return change;
}

ChangeDetail *change_submit(const ChangeCall *call, const ChangeDraft *draft, GError **error)
{
	g_autoptr(ChannelChange) change = new_change(call, draft);
	if (!check_change(change, error) || !check_when(call, change->when_us, error) ||
		!check_ops(draft->ops, error))
		return NULL;
	g_autoptr(ChannelBook) before = channel_book_read(call->store, error);
	if (before == NULL || !check_room(before, error))
		return NULL;
	change->ops = prepare(call, before, change, draft->ops, error);
	if (change->ops == NULL ||
		!save(call, before, change, "submit", change->reason, NULL, error))
		return NULL;
	return change_load_detail(call, change->id, error);
}

typedef struct Check {
	const ChangeCall *call;
	const ChangeDraft *draft;
	ChangeDetail *detail; /* of a change that was submitted and taken back */
} Check;

/* Fails always, so that nothing of it stays. */
static gboolean submit_and_take_back(Store *store, gpointer of, GError **error)
{
	Check *check = of;
	g_clear_pointer(&check->detail, change_detail_free);
	check->detail = change_submit(check->call, check->draft, error);
	if (check->detail != NULL)
		drover_error_set(error, DROVER_ERROR_INTERNAL, "only looked at");
	return FALSE;
}

ChangeDetail *change_check(const ChangeCall *call, const ChangeDraft *draft, GError **error)
{
	Check check = {call, draft, NULL};
	g_autoptr(GError) problem = NULL;
	store_write(call->store, submit_and_take_back, &check, &problem);
	if (check.detail == NULL)
		g_propagate_error(error, g_steal_pointer(&problem));
	else
		check.detail->change->id = 0;
	return check.detail;
}

/* Editing -------------------------------------------------------------------------------------- */

/* What it was told of itself is not so any more, but for a time that was missed and stays. */
static void forget_problem(ChannelChange *change, gboolean is_moved)
{
	if (!is_moved &&
		g_strcmp0(json_text(change->problem, "kind"), STANDING_PROBLEM_OVERDUE) == 0)
		return;
	g_clear_pointer(&change->problem, json_decref);
}

static gboolean take_draft(const ChangeCall *call, const ChannelBook *before, ChannelChange *change,
	const ChangeDraft *draft, GError **error)
{
	gboolean is_moved = draft->when_us != 0 && draft->when_us != change->when_us;
	if (is_moved && !check_when(call, draft->when_us, error))
		return FALSE;
	if (is_moved)
		change->when_us = draft->when_us;
	if (draft->title != NULL) {
		g_free(change->title);
		change->title = g_strdup(draft->title);
	}
	if (draft->reason != NULL) {
		g_free(change->reason);
		change->reason = g_strdup(draft->reason);
	}
	if (draft->ops != NULL) {
		json_t *ops = check_ops(draft->ops, error)
				      ? prepare(call, before, change, draft->ops, error)
				      : NULL;
		if (ops == NULL)
			return FALSE;
		json_decref(change->ops);
		change->ops = ops;
	}
	if (is_moved || draft->ops != NULL)
		forget_problem(change, is_moved);
	return check_change(change, error);
}

ChangeDetail *change_edit(const ChangeCall *call, gint64 id, gint64 data_version,
	const ChangeDraft *draft, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_version(call, id, data_version, error);
	if (detail == NULL ||
		!change_want_role(call, detail->standing->products, "operator", error))
		return NULL;
	ChannelChange *change = detail->change;
	g_autoptr(json_t) was = change_brief(change);
	g_autoptr(ChannelBook) before = channel_book_read(call->store, error);
	gboolean is_move = draft->ops == NULL && draft->title == NULL && draft->reason == NULL;
	if (before == NULL || !take_draft(call, before, change, draft, error) ||
		!save(call, before, change, is_move ? "move" : "edit", call->reason, was, error))
		return NULL;
	return change_load_detail(call, id, error);
}

/* Withdrawing ---------------------------------------------------------------------------------- */

ChangeDetail *change_withdraw(
	const ChangeCall *call, gint64 id, gint64 data_version, GError **error)
{
	if (!change_want_reason(call, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_load_version(call, id, data_version, error);
	if (detail == NULL)
		return NULL;
	ChannelChange *change = detail->change;
	if (!g_str_equal(change->author, call->actor->name) &&
		!change_want_role(call, detail->standing->products, "operator", error))
		return NULL;
	g_autoptr(json_t) was = change_brief(change);
	g_autoptr(ChannelBook) before = channel_book_read(call->store, error);
	if (before == NULL)
		return NULL;
	change_note_concerns(change, detail->standing->before);
	g_free(change->state);
	change->state = g_strdup("withdrawn");
	change->ended_us = call->now_us;
	g_clear_pointer(&change->problem, json_decref);
	if (!save(call, before, change, "withdraw", call->reason, was, error))
		return NULL;
	return change_load_detail(call, id, error);
}
