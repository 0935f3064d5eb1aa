/* SPDX-License-Identifier: ISC
 *
 * In need: live now, out of its turn, with one person's word. What it alters is what its author
 * meant to alter at its place; merged with live as by any re-basing, so that nothing of the changes
 * before it comes along.
 */
#include "channel/book/change_parts.h"
#include "channel/book/enact_parts.h"
#include "channel/book/requeue.h"
#include "channel/row/row.h"
#include "wire/json.h"

static json_t *rebase_on_live(const ChannelBook *book, const ChannelChange *change, GError **error)
{
	g_autoptr(json_t) conflicts = json_array();
	g_autoptr(json_t) value = channel_change_value(change);
	g_autoptr(State) state = standing_state_at(book, change->when_us, change->id);
	json_t *rebased = rebase_change(state, book->live, value, conflicts, error);
	if (rebased == NULL)
		g_prefix_error(error,
			"change %" G_GINT64_FORMAT " does not fit what is live: ", change->id);
	return rebased;
}

static State *apply(const ChannelBook *book, const json_t *value, GError **error)
{
	g_autoptr(State) after = state_apply(book->live, value, error);
	if (after == NULL || !state_check_mappings(after, value, error) ||
		!rows_check(book->live, after, ROW_GOES_LIVE, error))
		return NULL;
	return g_steal_pointer(&after);
}

static gboolean enact(
	const ChangeCall *call, ChangeDetail *detail, const ChannelBook *book, GError **error)
{
	ChannelChange *change = detail->change;
	g_autoptr(json_t) rebased = rebase_on_live(book, change, error);
	g_autoptr(State) after = rebased != NULL ? apply(book, rebased, error) : NULL;
	if (after == NULL)
		return FALSE;
	json_decref(change->ops);
	change->ops = json_incref(json_object_get(rebased, "ops"));
	change_add_override(change, call, OVERRIDE_BREAK_GLASS, NULL);
	EnactRows rows = {book->live, after, detail->standing, NULL, "change.break-glass"};
	ChannelDeed deed = change_deed(call, change);
	return enact_rows(call->store, change, &rows, &deed, error);
}

ChangeDetail *change_break_glass(const ChangeCall *call, gint64 id, GError **error)
{
	g_autoptr(ChangeDetail) detail = change_load_for_operator(call, id, error);
	if (detail == NULL)
		return NULL;
	if (detail->standing->kind == STANDING_CONFLICT) {
		drover_error_set(error, DROVER_ERROR_CONFLICT,
			"change %" G_GINT64_FORMAT " cannot go live: %s", id,
			detail->standing->text);
		return NULL;
	}
	ChannelDeed deed = change_deed(call, detail->change);
	g_autoptr(ChannelBook) before = channel_book_read(call->store, error);
	if (before == NULL || !enact(call, detail, before, error))
		return NULL;
	g_autoptr(ChannelBook) now = channel_book_read(call->store, error);
	if (now == NULL || !channel_requeue(call->store, before, now, &deed, NULL, error))
		return NULL;
	return change_load_detail(call, id, error);
}
