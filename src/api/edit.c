/* SPDX-License-Identifier: ISC
 *
 * POST /edits: rows that need no sign-off, changed at once.
 */
#include "channel/book/edit.h"

#include "api/channel_books.h"
#include "api/channel_gate.h"
#include "api/channel_right.h"
#include "api/maintenance.h"
#include "api/routes.h"

static json_t *rebased_json(const GArray *rebased)
{
	json_t *list = json_array();
	for (guint i = 0; i < rebased->len; i++) {
		const Rebased *one = &g_array_index(rebased, Rebased, i);
		json_array_append_new(
			list, json_pack("{s:I, s:O?, s:b, s:b}", "change", (json_int_t)one->change,
				      "conflicts", one->conflicts, "loses_sign_offs",
				      one->loses_sign_offs, "loses_tests", one->loses_tests));
	}
	return list;
}

/* Whoever must stop a bad release does not wait until somebody is back from lunch. */
static gboolean only_shuts_off(const json_t *ops)
{
	gsize i;
	json_t *op;
	json_array_foreach (ops, i, op)
		if (g_strcmp0(json_text(op, "op"), "insert") != 0 ||
			g_strcmp0(json_text(op, "table"), state_table_name(STATE_SHUTOFFS)) != 0)
			return FALSE;
	return TRUE;
}

static json_t *edit_rows(ApiCall *call, GError **error)
{
	const char *reason;
	if (!api_require_body(call, error) || !api_reason(call, &reason, error))
		return NULL;
	const json_t *ops = json_object_get(call->body, "ops");
	if (!json_is_array(ops) || json_array_size(ops) == 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"ops: must be a list of at least one op: insert, update or delete");
		return NULL;
	}
	if (!only_shuts_off(ops) && !maintenance_refuse(call->site, call->store, error))
		return NULL;
	g_autoptr(ChannelNow) now = channel_books_take(call->site->channels, call->store, error);
	if (now == NULL || !channel_may_write(call->actor, now->book->live, ops, error))
		return NULL;
	g_auto(ChannelEdit) edit = {0};
	ChannelDeed deed = {api_now_us(call), call->actor->name, reason, 0};
	if (!channel_edit(
		    call->store, ops, &deed, channel_gates_ask, (gpointer)call->site, &edit, error))
		return NULL;
	return json_pack("{s:I, s:I, s:O, s:o}", "generation", (json_int_t)edit.generation,
		"written", (json_int_t)edit.written, "rows", edit.rows, "rebased",
		rebased_json(edit.rebased));
}

const ApiRoute api_edit_routes[] = {
	{"POST", "/edits", ROLE_OPERATOR, API_WRITE | API_ANYWHERE | API_EVEN_IN_MAINTENANCE,
		edit_rows},
	{0},
};
