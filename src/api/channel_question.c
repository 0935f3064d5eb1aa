/* SPDX-License-Identifier: ISC
 *
 * /channels/{product}/{channel}/explain, answer, diff and lint: what would this client get, why,
 * whose answers differ, and what looks wrong.
 */
#include <string.h>

#include "api/channel_diff.h"
#include "api/channel_look.h"
#include "api/routes.h"
#include "channel/explain.h"
#include "channel/lint.h"
#include "channel/query_json.h"

/* Queries ---------------------------------------------------------------------------------------
 */

static const char *const about_the_look[] = {"at", "cut", "product", "channel", NULL};
static const char *const said_by_clients[] = {"version", "platform", "arch", "dist_version",
	"build_id", "os_version", "locale", "distribution", "instruction_set", "memory", "id",
	"pin", "force", "draw", NULL};
static const char *const flags[] = {"mig64", "jaws", NULL};

static gboolean add_flag(json_t *query, const char *name, const char *value, GError **error)
{
	gboolean is_true = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	if (!is_true && strcmp(value, "0") != 0 && strcmp(value, "false") != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be true or false", name);
		return FALSE;
	}
	json_t *all = json_object_get(query, "flags");
	if (all == NULL) {
		all = json_object();
		json_object_set_new(query, "flags", all);
	}
	json_object_set_new(all, name, json_boolean(is_true));
	return TRUE;
}

static gboolean add_said(json_t *query, const char *name, const char *value, GError **error)
{
	if (g_strv_contains(about_the_look, name))
		return TRUE;
	if (g_strv_contains(flags, name))
		return add_flag(query, name, value, error);
	if (!g_strv_contains(said_by_clients, name) && !g_str_has_prefix(name, "tag.")) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: no client says this under that name; anything of your own is "
			"tag.NAME, as in tag.rack=a",
			name);
		return FALSE;
	}
	json_t *text = json_string(value);
	if (text != NULL && json_object_set_new(query, name, text) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: is not UTF-8", name);
	return FALSE;
}

/* What a client would say; the channel is the one that rules see. */
static json_t *query_said(ApiCall *call, const ChannelLook *look, GError **error)
{
	g_autoptr(json_t) query =
		json_pack("{s:s, s:s}", "product", look->product, "channel", look->place.channel);
	GHashTableIter all;
	gpointer name, value;
	if (call->query == NULL)
		return g_steal_pointer(&query);
	g_hash_table_iter_init(&all, call->query);
	while (g_hash_table_iter_next(&all, &name, &value))
		if (!add_said(query, name, value, error))
			return NULL;
	return g_steal_pointer(&query);
}

/* Answers ---------------------------------------------------------------------------------------
 */

static json_t *files_of(const ReleaseDocument *release, const Query *query)
{
	const json_t *files = release_document_files(release, query->platform, query->locale);
	return files != NULL ? json_incref((json_t *)files) : json_null();
}

static json_t *answer_json(const ChannelLook *look, const Query *query)
{
	const Snapshot *snapshot = look->place.snapshot;
	const char *undefined = look->place.undefined;
	Answer answer = {0};
	if (undefined == NULL)
		evaluate(snapshot, query, &answer);
	const ReleaseDocument *release =
		answer.mapping != NULL ? snapshot_release(snapshot, answer.mapping) : NULL;
	json_t *json = json_pack("{s:s?, s:o, s:o, s:s, s:b}", "mapping", answer.mapping, "rule_id",
		answer.rule != NULL ? json_integer(answer.rule->rule_id) : json_null(),
		"rule_data_version",
		answer.rule != NULL
			? json_integer(json_integer_of(answer.rule->row, "data_version"))
			: json_null(),
		"why", undefined != NULL ? undefined : answer_why_text(answer.why), "drawn",
		answer.was_drawn);
	json_object_set_new(json, "release", channel_release_json(release));
	json_object_set_new(
		json, "files", release != NULL ? files_of(release, query) : json_null());
	json_object_set_new(json, "generation", json_integer(look->now->book->generation));
	json_object_set_new(json, "cut", channel_cut_json(look->place.cut));
	json_object_set_new(json, "digest", json_string(look->digest));
	json_object_set_new(json, "channel", json_string(look->channel));
	json_object_set_new(json, "is_test", json_boolean(look->place.is_test));
	json_object_set_new(json, "undefined", json_text_or_null(undefined));
	return json;
}

typedef struct Question {
	ChannelLook look;
	json_t *said;
	Query query;
} Question;

static void question_clear(Question *question)
{
	channel_look_clear(&question->look);
	json_decref(question->said);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Question, question_clear)

static gboolean read_question(ApiCall *call, Question *question, GError **error)
{
	if (!channel_look_open(call, &question->look, error))
		return FALSE;
	question->said = query_said(call, &question->look, error);
	return question->said != NULL && query_from_json(question->look.place.snapshot,
						 question->said, &question->query, error);
}

static json_t *answer_query(ApiCall *call, GError **error)
{
	g_auto(Question) question = {0};
	return read_question(call, &question, error) ? answer_json(&question.look, &question.query)
						     : NULL;
}

/* Explain ---------------------------------------------------------------------------------------
 */

/* Rules of other products match no query of this one, and may be nothing for the caller's eyes. */
static json_t *rules_of_product(const ChannelLook *look, const json_t *explained)
{
	const GPtrArray *all = snapshot_all_rules(look->place.snapshot);
	json_t *kept = json_array();
	for (guint i = 0; i < all->len; i++) {
		const Rule *rule = all->pdata[i];
		if (rule->product == NULL || strcmp(rule->product, look->product) == 0)
			json_array_append(kept, json_array_get(explained, i));
	}
	return kept;
}

static json_t *explain_query(ApiCall *call, GError **error)
{
	g_auto(Question) question = {0};
	if (!read_question(call, &question, error))
		return NULL;
	const ChannelLook *look = &question.look;
	g_autoptr(json_t) whole = explain(look->place.snapshot, &question.query);
	g_autoptr(json_t) answer = answer_json(look, &question.query);
	json_t *rules = rules_of_product(look, json_object_get(whole, "rules"));
	return json_pack("{s:O, s:I, s:o, s:s, s:O, s:O, s:O, s:O, s:o, s:O}", "query",
		question.said, "generation", (json_int_t)look->now->book->generation, "cut",
		channel_cut_json(look->place.cut), "digest", look->digest, "mapping",
		json_object_get(answer, "mapping"), "rule_id", json_object_get(answer, "rule_id"),
		"why", json_object_get(answer, "why"), "undefined",
		json_object_get(answer, "undefined"), "rules", rules, "answer", answer);
}

/* Diff ------------------------------------------------------------------------------------------
 */

static DiffSide side_of(const ChannelLook *look)
{
	return (DiffSide){look->place.snapshot, look->place.cut, look->place.undefined,
		look->now->book->generation};
}

/* What `with` names: the base itself, live, or another channel of it. */
static gboolean open_other(
	ApiCall *call, const ChannelLook *look, ChannelLook *other, GError **error)
{
	const char *with = api_query(call, "with");
	if (with == NULL || strcmp(with, "live") == 0)
		with = look->place.channel;
	if (!channel_look_at(
		    look->now, look->product, with, api_query(call, "with_cut"), other, error)) {
		g_prefix_error(error, "with: ");
		return FALSE;
	}
	if (strcmp(other->place.channel, look->place.channel) == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"with: %s is answered as %s and %s as %s; only channels of one base can be "
		"compared",
		with, other->place.channel, look->channel, look->place.channel);
	return FALSE;
}

static json_t *diff_channels(ApiCall *call, GError **error)
{
	g_auto(ChannelLook) look = {0};
	g_auto(ChannelLook) other = {0};
	if (!channel_look_open(call, &look, error) || !open_other(call, &look, &other, error))
		return NULL;
	DiffSide before = side_of(&other), after = side_of(&look);
	return channel_difference(&before, &after, look.product, look.place.channel, error);
}

/* Lint ------------------------------------------------------------------------------------------
 */

/* Declared test channels. New reference. */
static json_t *test_channels(const State *state)
{
	json_t *names = json_array(), *row;
	const char *key;
	json_object_foreach ((json_t *)state_rows(state, STATE_CHANNELS), key, row)
		if (json_text(row, "base") != NULL)
			json_array_append(names, json_object_get(row, "channel"));
	return names;
}

/* Of the channel, or of a test channel of it. */
static gboolean concerns(const ChannelLook *look, const json_t *row)
{
	const char *product = channel_row_product(row), *channel = json_text(row, "channel");
	Place place;
	if (product != NULL && strcmp(product, look->product) != 0)
		return FALSE;
	if (scope_holds(scope_of_row(STATE_RULES, row), look->product, look->place.channel))
		return TRUE;
	if (channel == NULL)
		return FALSE;
	published_find(look->now->published, look->product, channel, &place);
	return place.is_test && strcmp(place.channel, look->place.channel) == 0;
}

/* Their numbers: gint64 *, borrowed from the snapshot. */
static GHashTable *rules_that_concern(const ChannelLook *look)
{
	const GPtrArray *all = snapshot_all_rules(look->place.snapshot);
	GHashTable *ours = g_hash_table_new(g_int64_hash, g_int64_equal);
	for (guint i = 0; i < all->len; i++) {
		Rule *rule = all->pdata[i];
		if (concerns(look, rule->row))
			g_hash_table_add(ours, &rule->rule_id);
	}
	return ours;
}

static json_t *lint_channel(ApiCall *call, GError **error)
{
	g_auto(ChannelLook) look = {0};
	if (!channel_look_open(call, &look, error))
		return NULL;
	g_autoptr(json_t) names = test_channels(look.now->book->live);
	g_autoptr(json_t) all = lint(look.place.snapshot, names);
	g_autoptr(GHashTable) ours = rules_that_concern(&look);
	g_autoptr(json_t) kept = json_array();
	gsize i;
	json_t *finding;
	json_array_foreach (all, i, finding) {
		gint64 rule_id = json_integer_of(finding, "rule_id");
		if (g_hash_table_contains(ours, &rule_id))
			json_array_append(kept, finding);
	}
	return json_pack("{s:O}", "findings", kept);
}

const ApiRoute api_channel_question_routes[] = {
	{"GET", "/channels/{product}/{channel}/explain", ROLE_VIEWER, API_READ, explain_query},
	{"GET", "/channels/{product}/{channel}/answer", ROLE_VIEWER, API_READ, answer_query},
	{"GET", "/channels/{product}/{channel}/diff", ROLE_VIEWER, API_READ, diff_channels},
	{"GET", "/channels/{product}/{channel}/lint", ROLE_VIEWER, API_READ, lint_channel},
	{0},
};
