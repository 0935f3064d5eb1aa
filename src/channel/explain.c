/* SPDX-License-Identifier: ISC
 *
 * All matchers of all rules are asked, not only up to the first miss.
 */
#include "channel/explain.h"

#include <string.h>

static json_t *wanted_tags(const json_t *row)
{
	json_t *wanted = json_object(), *value;
	const char *column;
	json_object_foreach ((json_t *)row, column, value)
		if (strcmp(column, "tags") == 0 || g_str_has_prefix(column, "tag."))
			json_object_set(wanted, column, value);
	return wanted;
}

static json_t *missed_of(const Rule *rule, const Query *query)
{
	json_t *missed = json_array();
	RuleColumn miss = RULE_PRODUCT;
	while ((miss = rule_first_miss(rule, query, miss)) != RULE_COLUMNS) {
		const char *column = rule_column_name(miss);
		json_t *wanted = miss == RULE_TAGS
					 ? wanted_tags(rule->row)
					 : json_incref(json_object_get(rule->row, column));
		json_array_append_new(
			missed, json_pack("{s:s, s:o}", "column", column, "wanted", wanted));
		miss++;
	}
	return missed;
}

static json_t *explain_rule(const Rule *rule, const Query *query, const Rule *winner)
{
	json_t *missed = missed_of(rule, query);
	gsize count = json_array_size(missed);
	const char *alias = json_string_value(json_object_get(rule->row, "alias"));
	return json_pack("{s:I, s:s?, s:I, s:s?, s:b, s:b, s:b, s:o}", "rule_id",
		(json_int_t)rule->rule_id, "alias", alias, "priority", (json_int_t)rule->priority,
		"mapping", rule->mapping, "matches", count == 0, "wins", rule == winner, "near",
		count == 1, "missed", missed);
}

json_t *explain(const Snapshot *snapshot, const Query *query)
{
	const GPtrArray *all = snapshot_all_rules(snapshot);
	json_t *rules = json_array();
	Answer answer;
	evaluate(snapshot, query, &answer);
	for (guint i = 0; i < all->len; i++)
		json_array_append_new(rules, explain_rule(all->pdata[i], query, answer.rule));
	return json_pack("{s:s?, s:o, s:s, s:o}", "mapping", answer.mapping, "rule_id",
		answer.rule == NULL ? json_null() : json_integer(answer.rule->rule_id), "why",
		answer_why_text(answer.why), "rules", rules);
}
