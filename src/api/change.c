/* SPDX-License-Identifier: ISC
 *
 * /changes: reading them, and what people do with them.
 */
#include <string.h>

#include "api/change_notice.h"
#include "api/change_view.h"
#include "api/channel_diff.h"
#include "api/channel_right.h"
#include "api/routes.h"
#include "base/format.h"
#include "channel/book/edit.h"

#define CHANGES_DEFAULT_LIMIT 100
#define CHANGES_MAXIMUM_LIMIT 1000

/* Lists -----------------------------------------------------------------------------------------
 */

typedef struct ChangeFilter {
	const char *product, *channel, *state;
	gint64 before, limit;
} ChangeFilter;

static const char *given(const ApiCall *call, const char *name)
{
	const char *text = api_query(call, name);
	return text != NULL && *text != '\0' ? text : NULL;
}

static gboolean read_filter(ApiCall *call, ChangeFilter *filter, GError **error)
{
	static const char *const states[] = {"scheduled", "going-live", "live", "withdrawn", NULL};
	*filter = (ChangeFilter){given(call, "product"), given(call, "channel"),
		given(call, "state"), 0, CHANGES_DEFAULT_LIMIT};
	if (filter->state != NULL && !g_strv_contains(states, filter->state)) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"state: must be scheduled, going-live, live or withdrawn");
		return FALSE;
	}
	return api_query_integer(call, "before", 0, 0, G_MAXINT64, &filter->before, error) &&
	       api_query_integer(call, "limit", CHANGES_DEFAULT_LIMIT, 1, CHANGES_MAXIMUM_LIMIT,
		       &filter->limit, error);
}

static gboolean passes(const ChangeFilter *filter, const json_t *view)
{
	gsize i;
	json_t *scope;
	if (filter->product == NULL && filter->channel == NULL)
		return TRUE;
	json_array_foreach (json_object_get(view, "scopes"), i, scope) {
		Scope its = {json_text(scope, "product"), json_text(scope, "channel")};
		if (scope_overlaps(its, (Scope){filter->product, filter->channel}))
			return TRUE;
	}
	return FALSE;
}

/* What a list is made of. */
typedef struct ListView {
	ChannelNow *now;
	GPtrArray *standings; /* Standing *, of what waits */
	GHashTable *by_id;    /* the same */
} ListView;

static void list_view_clear(ListView *view)
{
	g_clear_pointer(&view->now, channel_now_unref);
	g_clear_pointer(&view->by_id, g_hash_table_unref);
	g_clear_pointer(&view->standings, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListView, list_view_clear)

static gboolean open_list(ApiCall *call, ListView *view, GError **error)
{
	ChangeCaller caller;
	change_caller_init(call, NULL, &caller);
	view->now = channel_books_take(call->site->channels, call->store, error);
	if (view->now == NULL)
		return FALSE;
	view->standings = change_standings(&caller.call, view->now->book, error);
	if (view->standings == NULL)
		return FALSE;
	view->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
	for (guint i = 0; i < view->standings->len; i++) {
		Standing *standing = view->standings->pdata[i];
		g_hash_table_insert(view->by_id, &standing->change, standing);
	}
	return TRUE;
}

static json_t *view_in_list(const Actor *actor, const ListView *view, const ChannelChange *change)
{
	const Standing *standing = g_hash_table_lookup(view->by_id, &change->id);
	if (standing != NULL)
		return change_view(actor, change, standing);
	g_autoptr(Standing) ended = change_ended_standing(view->now->book->live, change);
	return change_view(actor, change, ended);
}

/* Goes on until the limit is met: what the caller may not see makes no list shorter. */
static gboolean gather(ApiCall *call, const ChangeFilter *filter, const ListView *listed,
	json_t *list, gint64 *next, GError **error)
{
	gint64 before = filter->before;
	*next = 0;
	for (;;) {
		g_autoptr(GPtrArray) changes = channel_change_list(
			call->store, filter->state, before, CHANGES_MAXIMUM_LIMIT, error);
		if (changes == NULL)
			return FALSE;
		for (guint i = 0; i < changes->len; i++) {
			const ChannelChange *change = changes->pdata[i];
			g_autoptr(json_t) view = view_in_list(call->actor, listed, change);
			if (view == NULL || !passes(filter, view))
				continue;
			if ((gint64)json_array_size(list) == filter->limit) {
				*next = before;
				return TRUE;
			}
			json_array_append(list, view);
			before = change->id;
		}
		if (changes->len < CHANGES_MAXIMUM_LIMIT)
			return TRUE;
		before = ((const ChannelChange *)changes->pdata[changes->len - 1])->id;
	}
}

static json_t *list_changes(ApiCall *call, GError **error)
{
	ChangeFilter filter;
	gint64 next;
	g_auto(ListView) listed = {0};
	g_autoptr(json_t) list = json_array();
	if (!read_filter(call, &filter, error) || !open_list(call, &listed, error) ||
		!gather(call, &filter, &listed, list, &next, error))
		return NULL;
	return json_pack("{s:O, s:o}", "changes", list, "next",
		next != 0 ? json_integer(next) : json_null());
}

/* One -------------------------------------------------------------------------------------------
 */

/* Takes the detail. */
static json_t *answer(const ApiCall *call, ChangeDetail *given_detail, GError **error)
{
	g_autoptr(ChangeDetail) detail = given_detail;
	return detail != NULL ? change_view_detail(call->actor, detail, error) : NULL;
}

static json_t *show_change(ApiCall *call, GError **error)
{
	gint64 id;
	ChangeCaller caller;
	change_caller_init(call, NULL, &caller);
	return change_read_id(call, &id, error)
		       ? answer(call, change_load_detail(&caller.call, id, error), error)
		       : NULL;
}

/* Drafts ----------------------------------------------------------------------------------------
 */

static gboolean read_ops(const json_t *body, gboolean required, const json_t **ops, GError **error)
{
	*ops = json_object_get(body, "ops");
	if (json_is_array(*ops) || (!required && *ops == NULL))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "ops: must be a list of ops");
	return FALSE;
}

static gboolean read_when(const json_t *body, gboolean required, gint64 *when_us, GError **error)
{
	const char *when = NULL;
	*when_us = 0;
	if (!json_field_text(body, "when", required, ROW_MAXIMUM_NAME_BYTES, &when, error))
		return FALSE;
	if (when == NULL || parse_time(when, when_us, error))
		return TRUE;
	g_prefix_error(error, "when: ");
	return FALSE;
}

static gboolean read_draft(
	const ApiCall *call, gboolean is_edit, ChangeDraft *draft, GError **error)
{
	const json_t *body = call->body;
	*draft = (ChangeDraft){0};
	return api_require_body(call, error) && api_reason(call, &draft->reason, error) &&
	       json_field_text(
		       body, "title", FALSE, CHANGE_MAXIMUM_TITLE_BYTES, &draft->title, error) &&
	       read_when(body, !is_edit, &draft->when_us, error) &&
	       read_ops(body, !is_edit, &draft->ops, error);
}

/* What the stage asks of a change is an operator; some rows want more. */
static gboolean may_write(ApiCall *call, const ChangeDraft *draft, GError **error)
{
	if (draft->ops == NULL)
		return TRUE;
	g_autoptr(ChannelNow) now = channel_books_take(call->site->channels, call->store, error);
	return now != NULL && channel_may_write(call->actor, now->book->live, draft->ops, error);
}

/* Before anything is looked at that the caller may not see. */
static gboolean may_see(ApiCall *call, gint64 id, GError **error)
{
	ChangeCaller caller;
	change_caller_init(call, NULL, &caller);
	g_autoptr(json_t) seen = answer(call, change_load_detail(&caller.call, id, error), error);
	return seen != NULL;
}

static json_t *submit_change(ApiCall *call, GError **error)
{
	ChangeDraft draft;
	ChangeCaller caller;
	if (!read_draft(call, FALSE, &draft, error) || !may_write(call, &draft, error))
		return NULL;
	change_caller_init(call, draft.reason, &caller);
	return answer(call, change_submit(&caller.call, &draft, error), error);
}

static json_t *check_change(ApiCall *call, GError **error)
{
	ChangeDraft draft;
	ChangeCaller caller;
	if (!read_draft(call, FALSE, &draft, error) || !may_write(call, &draft, error))
		return NULL;
	change_caller_init(call, draft.reason, &caller);
	json_t *checked = answer(call, change_check(&caller.call, &draft, error), error);
	if (checked != NULL)
		json_object_set_new(checked, "id", json_null());
	return checked;
}

static gboolean read_version(const ApiCall *call, gint64 *data_version, GError **error)
{
	if (!json_field_integer(call->body, "data_version", 0, 1, G_MAXINT64, data_version, error))
		return FALSE;
	if (*data_version != 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"data_version: is missing; send the change's, as you read it");
	return FALSE;
}

static json_t *edit_change(ApiCall *call, GError **error)
{
	ChangeDraft draft;
	ChangeCaller caller;
	gint64 id, data_version;
	if (!change_read_id(call, &id, error) || !read_draft(call, TRUE, &draft, error) ||
		!read_version(call, &data_version, error) || !may_see(call, id, error) ||
		!may_write(call, &draft, error))
		return NULL;
	change_caller_init(call, draft.reason, &caller);
	return answer(call, change_edit(&caller.call, id, data_version, &draft, error), error);
}

/* Deeds -----------------------------------------------------------------------------------------
 */

/* What the body of a deed may say; each deed reads what it needs. */
typedef struct Deed {
	ChangeCaller caller;
	gint64 id, data_version;
	const char *role, *digest, *gate;
} Deed;

typedef enum DeedNeeds {
	NEEDS_REASON = 1 << 0,
	NEEDS_ROLE = 1 << 1,
	NEEDS_DIGEST = 1 << 2,
	NEEDS_GATE = 1 << 3,
	NEEDS_VERSION = 1 << 4,
} DeedNeeds;

static gboolean read_texts(const json_t *body, DeedNeeds needs, Deed *deed, GError **error)
{
	const struct {
		DeedNeeds need;
		const char *key, **value;
	} texts[] = {{NEEDS_ROLE, "role", &deed->role}, {NEEDS_DIGEST, "digest", &deed->digest},
		{NEEDS_GATE, "gate", &deed->gate}};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (needs & texts[i].need && !json_field_text(body, texts[i].key, TRUE,
						     ROW_MAXIMUM_NAME_BYTES, texts[i].value, error))
			return FALSE;
	return TRUE;
}

static gboolean read_deed(ApiCall *call, DeedNeeds needs, Deed *deed, GError **error)
{
	const char *reason;
	*deed = (Deed){0};
	if (!change_read_id(call, &deed->id, error) || !api_require_body(call, error) ||
		!api_reason(call, &reason, error) || !read_texts(call->body, needs, deed, error) ||
		(needs & NEEDS_VERSION && !read_version(call, &deed->data_version, error)))
		return FALSE;
	if (needs & NEEDS_REASON && (reason == NULL || *reason == '\0')) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"reason: is missing; it stands in the history, for those who ask why");
		return FALSE;
	}
	change_caller_init(call, reason, &deed->caller);
	return may_see(call, deed->id, error);
}

static json_t *sign_change(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_ROLE | NEEDS_DIGEST, &deed, error))
		return NULL;
	return answer(call, change_sign(&deed.caller.call, deed.id, deed.role, deed.digest, error),
		error);
}

static json_t *revoke_change(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_ROLE, &deed, error))
		return NULL;
	return answer(call, change_revoke(&deed.caller.call, deed.id, deed.role, error), error);
}

static json_t *test_change(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_ROLE | NEEDS_DIGEST, &deed, error))
		return NULL;
	return answer(call, change_test(&deed.caller.call, deed.id, deed.role, deed.digest, error),
		error);
}

static json_t *withdraw_change(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_REASON | NEEDS_VERSION, &deed, error))
		return NULL;
	return answer(
		call, change_withdraw(&deed.caller.call, deed.id, deed.data_version, error), error);
}

static json_t *override_gate(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_REASON | NEEDS_GATE, &deed, error))
		return NULL;
	return answer(call, change_override(&deed.caller.call, deed.id, deed.gate, error), error);
}

static json_t *break_glass(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_REASON, &deed, error))
		return NULL;
	g_autoptr(ChangeDetail) detail = change_break_glass(&deed.caller.call, deed.id, error);
	if (detail == NULL || !change_notice_broken_glass(call, detail, error))
		return NULL;
	return change_view_detail(call->actor, detail, error);
}

static json_t *review_change(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_REASON, &deed, error))
		return NULL;
	return answer(call, change_review(&deed.caller.call, deed.id, error), error);
}

static json_t *let_go(ApiCall *call, GError **error)
{
	Deed deed;
	if (!read_deed(call, NEEDS_REASON, &deed, error))
		return NULL;
	return answer(call, change_go(&deed.caller.call, deed.id, error), error);
}

/* Which role a deed needs hangs on what the change concerns and who is asked: the stage says. */
const ApiRoute api_change_routes[] = {
	{"GET", "/changes", ROLE_VIEWER, API_READ | API_ANYWHERE, list_changes},
	{"POST", "/changes", ROLE_OPERATOR, API_WRITE | API_ANYWHERE, submit_change},
	{"POST", "/changes/check", ROLE_OPERATOR, API_WRITE | API_ANYWHERE, check_change},
	{"GET", "/changes/{id}", ROLE_VIEWER, API_READ | API_ANYWHERE, show_change},
	{"GET", "/changes/{id}/diff", ROLE_VIEWER, API_READ | API_ANYWHERE, change_diff},
	{"PUT", "/changes/{id}", ROLE_OPERATOR, API_WRITE | API_ANYWHERE, edit_change},
	{"POST", "/changes/{id}/sign", ROLE_VIEWER, API_WRITE | API_ANYWHERE, sign_change},
	{"POST", "/changes/{id}/revoke", ROLE_VIEWER, API_WRITE | API_ANYWHERE, revoke_change},
	{"POST", "/changes/{id}/tested", ROLE_VIEWER, API_WRITE | API_ANYWHERE, test_change},
	{"POST", "/changes/{id}/withdraw", ROLE_VIEWER, API_WRITE | API_ANYWHERE, withdraw_change},
	{"POST", "/changes/{id}/override", ROLE_VIEWER, API_WRITE | API_ANYWHERE, override_gate},
	{"POST", "/changes/{id}/break-glass", ROLE_VIEWER, API_WRITE | API_ANYWHERE, break_glass},
	{"POST", "/changes/{id}/review", ROLE_VIEWER, API_WRITE | API_ANYWHERE, review_change},
	{"POST", "/changes/{id}/go", ROLE_VIEWER, API_WRITE | API_ANYWHERE, let_go},
	{0},
};
