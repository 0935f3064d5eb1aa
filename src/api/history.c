/* SPDX-License-Identifier: ISC
 *
 * /history: who changed what, and whether the chain is whole.
 */
#include "store/history.h"

#include <string.h>

#include "api/routes.h"
#include "api/view.h"
#include "base/format.h"

#define HISTORY_DEFAULT_LIMIT 100

/* Stored JSON as JSON; what does not parse is shown as the text it is. */
static json_t *stored_json(const char *text)
{
	if (text == NULL)
		return json_null();
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	return value != NULL ? value : json_text_or_null(text);
}

static json_t *entry_json(const HistoryEntry *entry)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequence",
		(json_int_t)entry->sequence, "at", json_time_or_null(entry->at_us), "actor",
		json_text_or_null(entry->actor), "action", json_text_or_null(entry->action),
		"subject", json_text_or_null(entry->subject), "reason",
		json_text_or_null(entry->reason), "before", stored_json(entry->before), "after",
		stored_json(entry->after), "digest", json_text_or_null(entry->digest));
}

static json_t *list_history(ApiCall *call, GError **error)
{
	HistoryFilter filter = {
		.subject_prefix = api_query(call, "subject"),
		.actor = api_query(call, "actor"),
	};
	if (!api_query_integer(call, "before", 0, 0, G_MAXINT64, &filter.before_sequence, error) ||
		!api_query_integer(
			call, "limit", HISTORY_DEFAULT_LIMIT, 1, 1000, &filter.limit, error))
		return NULL;
	g_autoptr(GPtrArray) entries = history_list(call->store, &filter, error);
	if (entries == NULL)
		return NULL;
	json_t *list = json_array();
	for (guint i = 0; i < entries->len; i++)
		json_array_append_new(list, entry_json(entries->pdata[i]));
	gint64 oldest = entries->len == (guint)filter.limit
				? ((HistoryEntry *)entries->pdata[entries->len - 1])->sequence
				: 0;
	return json_pack(
		"{s:o, s:o}", "entries", list, "next", view_ordinal(oldest > 1 ? oldest : 0));
}

static json_t *show_history(ApiCall *call, GError **error)
{
	gint64 sequence;
	if (!parse_integer(
		    api_parameter(call, "sequence"), "sequence", 1, G_MAXINT64, &sequence, error))
		return NULL;
	g_autoptr(HistoryEntry) entry = history_get(call->store, sequence, error);
	return entry != NULL ? entry_json(entry) : NULL;
}

static json_t *verify_history(ApiCall *call, GError **error)
{
	HistoryVerdict verdict = {0};
	if (!history_verify(call->store, api_query(call, "head"), &verdict, error))
		return NULL;
	const char *problem = verdict.problem;
	if (problem == NULL && !verdict.head_found)
		problem = "the expected head is no entry's digest: the end was cut off, or the "
			  "history was written anew";
	json_t *json = json_pack("{s:b, s:I, s:o, s:o, s:o}", "good", problem == NULL, "entries",
		(json_int_t)verdict.entries, "head", json_text_or_null(verdict.head), "broken_at",
		view_ordinal(verdict.broken_at), "problem", json_text_or_null(problem));
	history_verdict_clear(&verdict);
	return json;
}

const ApiRoute api_history_routes[] = {
	{"GET", "/history", ROLE_VIEWER, API_READ, list_history},
	{"GET", "/history/verify", ROLE_VIEWER, API_READ, verify_history},
	{"GET", "/history/{sequence}", ROLE_VIEWER, API_READ, show_history},
	{0},
};
