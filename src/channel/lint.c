/* SPDX-License-Identifier: ISC
 *
 * Each rule is held against those before it.
 */
#include "channel/lint.h"
#include "channel/row/scope.h"

#include <string.h>

#include "channel/rule/cover.h"

static void add(json_t *found, const Rule *rule, const char *kind, const Rule *by, char *text)
{
	json_array_append_new(found,
		json_pack("{s:o, s:s, s:o, s:s}", "rule_id",
			rule == NULL ? json_null() : json_integer(rule->rule_id), "kind", kind,
			"by", by == NULL ? json_null() : json_integer(by->rule_id), "text", text));
	g_free(text);
}

static const Rule *find_shadow(const GPtrArray *rules, guint place)
{
	for (guint i = 0; i < place; i++)
		if (rule_covers(rules->pdata[i], rules->pdata[place]))
			return rules->pdata[i];
	return NULL;
}

static gboolean is_shared(char *const *a, char *const *b)
{
	for (; *a != NULL; a++)
		if (g_strv_contains((const char *const *)b, *a))
			return TRUE;
	return FALSE;
}

/* One tag, asked twice, with no value in common. */
static const char *find_contradiction(const Rule *rule)
{
	for (guint i = 0; rule->tags != NULL && i < rule->tags->len; i++) {
		const RuleTag *one = &g_array_index(rule->tags, RuleTag, i);
		for (guint j = 0; j < i; j++) {
			const RuleTag *other = &g_array_index(rule->tags, RuleTag, j);
			if (strcmp(one->name, other->name) == 0 &&
				!is_shared(one->values, other->values))
				return one->name;
		}
	}
	return NULL;
}

static gboolean is_test_channel(const char *channel, const json_t *declared)
{
	for (gsize i = 0; i < json_array_size(declared); i++)
		if (g_strcmp0(json_string_value(json_array_get(declared, i)), channel) == 0)
			return TRUE;
	return g_str_has_suffix(channel, SCOPE_TEST_SUFFIX);
}

static void lint_rule(const Snapshot *snapshot, const GPtrArray *rules, guint place,
	const json_t *test_channels, json_t *found)
{
	const Rule *rule = rules->pdata[place], *shadow = find_shadow(rules, place);
	const char *tag = find_contradiction(rule);
	gboolean is_exact = rule->channel != NULL && rule->glob_bytes == 0;
	if (shadow != NULL)
		add(found, rule, "shadowed", shadow,
			g_strdup_printf("rule %" G_GINT64_FORMAT
					" comes first and matches all that this one does",
				shadow->rule_id));
	if (tag != NULL)
		add(found, rule, "unreachable", NULL,
			g_strdup_printf("tag %s: no value meets it twice", tag));
	if (is_exact && snapshot_is_shut_off(snapshot, rule->product, rule->channel))
		add(found, rule, "unreachable", NULL,
			g_strdup_printf("channel %s is shut off", rule->channel));
	if (is_exact && is_test_channel(rule->channel, test_channels))
		add(found, rule, "test-channel", NULL,
			g_strdup_printf(
				"channel %s is a test channel: its queries are asked as those "
				"of its base; name that",
				rule->channel));
}

json_t *lint(const Snapshot *snapshot, const json_t *test_channels)
{
	const GPtrArray *rules = snapshot_all_rules(snapshot);
	const GPtrArray *errors = snapshot_errors(snapshot);
	json_t *found = json_array();
	for (guint i = 0; i < errors->len; i++)
		add(found, NULL, "refused", NULL, g_strdup(errors->pdata[i]));
	for (guint i = 0; i < rules->len; i++)
		lint_rule(snapshot, rules, i, test_channels, found);
	return found;
}
