/* SPDX-License-Identifier: ISC
 *
 * /channels: which there are, and one of them whole: its rules in order, its queue, its tests.
 */
#include <string.h>

#include "api/change_view.h"
#include "api/channel_look.h"
#include "api/routes.h"
#include "channel/book/past.h"
#include "channel/digest.h"
#include "channel/row/row.h"
#include "channel/row/scope.h"

#define CHANNEL_MOMENTS 200

static json_t *list_channels(ApiCall *call, GError **error)
{
	g_autoptr(ChannelNow) now = channel_books_take(call->site->channels, call->store, error);
	if (now == NULL)
		return NULL;
	g_autoptr(GArray) names = channel_names(now->book->live, api_query(call, "product"));
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < names->len; i++) {
		const ChannelName *name = &g_array_index(names, ChannelName, i);
		g_auto(ChannelLook) look = {0};
		if (!actor_has(call->actor, ROLE_VIEWER, name->product))
			continue;
		if (!channel_look_at(now, name->product, name->channel, NULL, &look, error))
			return NULL;
		json_array_append_new(list, channel_summary(&look));
	}
	return json_pack(
		"{s:O, s:I}", "channels", list, "generation", (json_int_t)now->book->generation);
}

/* Rules -----------------------------------------------------------------------------------------
 */

/* Flags and tags are told one by one: "tag.rack" is "a, b". */
static void add_matchers(const char *column, const json_t *value, json_t *matchers)
{
	const char *name;
	json_t *part;
	g_autofree char *text = NULL;
	if (json_is_object(value)) {
		json_object_foreach ((json_t *)value, name, part) {
			g_autofree char *whole = g_strdup_printf(
				"%s.%s", strcmp(column, "tags") == 0 ? "tag" : column, name);
			add_matchers(whole, part, matchers);
		}
		return;
	}
	if (json_is_array(value)) {
		GString *list = g_string_new(NULL);
		for (gsize i = 0; i < json_array_size(value); i++)
			g_string_append_printf(list, "%s%s", i > 0 ? ", " : "",
				json_string_value(json_array_get(value, i)));
		text = g_string_free(list, FALSE);
	} else {
		text = json_is_string(value) ? g_strdup(json_string_value(value))
					     : json_dumps(value, JSON_ENCODE_ANY);
	}
	json_array_append_new(matchers,
		json_pack("{s:s, s:o}", "column", column, "text", json_text_or_null(text)));
}

static gboolean is_matcher(const char *column)
{
	for (guint i = 0; i < RULE_COLUMNS; i++)
		if (strcmp(rule_column_name((RuleColumn)i), column) == 0)
			return TRUE;
	return g_str_has_prefix(column, "tag.");
}

static json_t *matchers_of(const json_t *row)
{
	json_t *matchers = json_array(), *value;
	const char *column;
	json_object_foreach ((json_t *)row, column, value)
		if (is_matcher(column) && !json_is_null(value))
			add_matchers(column, value, matchers);
	return matchers;
}

static json_t *rules_of(const ChannelLook *look)
{
	const Snapshot *snapshot = look->place.snapshot;
	const GPtrArray *rules = snapshot_rules(snapshot, look->product, look->place.channel);
	json_t *list = json_array();
	for (guint i = 0; rules != NULL && i < rules->len; i++) {
		const Rule *rule = rules->pdata[i];
		if (!scope_holds(scope_of_row(STATE_RULES, rule->row), look->product,
			    look->place.channel))
			continue;
		json_t *row = json_copy(rule->row);
		json_object_set_new(row, "order", json_integer((json_int_t)json_array_size(list)));
		json_object_set_new(row, "release",
			channel_release_json(rule->mapping != NULL
						     ? snapshot_release(snapshot, rule->mapping)
						     : NULL));
		json_object_set_new(row, "matchers", matchers_of(rule->row));
		json_array_append_new(list, row);
	}
	return list;
}

/* What else concerns it -------------------------------------------------------------------------
 */

static json_t *rows_about(const ChannelLook *look, StateTable table)
{
	const State *state =
		look->overlay != NULL ? overlay_state(look->overlay) : look->now->book->live;
	json_t *list = json_array(), *row;
	const char *key;
	json_object_foreach ((json_t *)state_rows(state, table), key, row)
		if (scope_holds(scope_of_row(table, row), look->product, look->place.channel))
			json_array_append(list, row);
	return list;
}

static json_t *pins_of(const ChannelLook *look)
{
	json_t *list = json_array(), *row;
	const char *key;
	json_object_foreach ((json_t *)snapshot_rows(look->place.snapshot, STATE_PINS), key, row)
		if (scope_holds(scope_of_row(STATE_PINS, row), look->product, look->place.channel))
			json_array_append(list, row);
	return list;
}

static json_t *test_of(const ChannelLook *look, const char *channel)
{
	g_auto(ChannelLook) test = {0};
	if (!channel_look_at(look->now, look->product, channel, NULL, &test, NULL))
		return NULL;
	g_autofree char *live =
		digest_of(published_live(look->now->published), look->product, look->place.channel);
	json_t *summary = channel_summary(&test);
	json_object_set_new(summary, "same",
		json_boolean(test.place.undefined == NULL && strcmp(test.digest, live) == 0));
	return summary;
}

/* Those that are declared, and NAME-test, which needs no declaration. */
static json_t *tests_of(const ChannelLook *look)
{
	const char *base = look->place.channel;
	g_autofree char *implied = g_strconcat(base, SCOPE_TEST_SUFFIX, NULL);
	gboolean is_declared = FALSE;
	json_t *list = json_array(), *row;
	const char *key;
	json_object_foreach (
		(json_t *)state_rows(look->now->book->live, STATE_CHANNELS), key, row) {
		const char *channel = json_text(row, "channel");
		if (g_strcmp0(json_text(row, "product"), look->product) != 0)
			continue;
		is_declared |= g_strcmp0(channel, implied) == 0;
		if (g_strcmp0(json_text(row, "base"), base) == 0)
			json_array_append_new(list, test_of(look, channel));
	}
	if (!is_declared && strlen(implied) <= ROW_MAXIMUM_NAME_BYTES)
		json_array_append_new(list, test_of(look, implied));
	return list;
}

static json_t *moments_of(ApiCall *call, const ChannelLook *look, GError **error)
{
	g_autoptr(json_t) moments =
		channel_moments(call->store, look->product, CHANNEL_MOMENTS, error);
	if (moments == NULL)
		return NULL;
	gsize i;
	json_t *moment;
	json_array_foreach (moments, i, moment) {
		json_object_set_new(
			moment, "at", json_time_or_null(json_integer_of(moment, "at_us")));
		json_object_del(moment, "at_us");
	}
	return g_steal_pointer(&moments);
}

static const char *conflict_rule(const ChannelLook *look)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(look->now->book->live, STATE_CHANNELS), key, row)
		if (g_strcmp0(json_text(row, "product"), look->product) == 0 &&
			g_strcmp0(json_text(row, "channel"), look->channel) == 0 &&
			json_text(row, "on_conflict") != NULL)
			return json_text(row, "on_conflict");
	return "say";
}

static json_t *show_channel(ApiCall *call, GError **error)
{
	g_auto(ChannelLook) look = {0};
	if (!channel_look_open(call, &look, error))
		return NULL;
	g_autoptr(json_t) moments = moments_of(call, &look, error);
	g_autoptr(json_t) queue = moments != NULL ? change_queue_of(call, &look, error) : NULL;
	if (queue == NULL)
		return NULL;
	json_t *view = channel_summary(&look);
	json_object_set_new(view, "generation", json_integer(look.now->book->generation));
	json_object_set_new(view, "at", json_time_or_null(look.at_us));
	json_object_set_new(view, "scheme",
		json_string(
			version_scheme_name(snapshot_scheme(look.place.snapshot, look.product))));
	json_object_set_new(view, "on_conflict", json_string(conflict_rule(&look)));
	json_object_set_new(view, "rules", rules_of(&look));
	json_object_set_new(view, "pins", pins_of(&look));
	json_object_set(view, "queue", queue);
	json_object_set_new(view, "tests", tests_of(&look));
	json_object_set_new(view, "requirements", rows_about(&look, STATE_REQUIREMENTS));
	json_object_set_new(view, "freezes", rows_about(&look, STATE_FREEZES));
	json_object_set(view, "moments", moments);
	return view;
}

const ApiRoute api_channel_routes[] = {
	{"GET", "/channels", ROLE_VIEWER, API_READ | API_ANYWHERE, list_channels},
	{"GET", "/channels/{product}/{channel}", ROLE_VIEWER, API_READ, show_channel},
	{0},
};
