/* SPDX-License-Identifier: ISC
 *
 * A rule's row from anyone, in each scheme: a rule or a reason. A rule covers itself, its row's
 * canonical form is a rule that matches the same, and the values at which it changes its mind are
 * asked of it.
 */
#include <stdint.h>

#include "channel/boundary.h"
#include "channel/row/canonical.h"
#include "channel/rule/cover.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const Query queries[] = {
	{0},
	{.product = "P",
		.channel = "release",
		.platform = "T",
		.arch = "Intel",
		.build_id = "7",
		.locale = "de",
		.os_version = "Linux 5",
		.instruction_set = "SSE2,SSE3",
		.has_memory = TRUE,
		.memory = 2048,
		.mig64 = QUERY_FLAG_TRUE,
		.tags = {{"rack", "a"}},
		.tag_count = 1},
	{.product = "Q",
		.channel = "beta-cck-x-cck-y",
		.build_id = "x",
		.locale = "",
		.os_version = "",
		.instruction_set = " ,",
		.distribution = "d",
		.dist_version = "1",
		.jaws = QUERY_FLAG_FALSE},
};

static void ask(json_t *row, VersionScheme scheme)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Rule) rule = rule_new(row, scheme, &error);
	g_assert((rule == NULL) == (error != NULL));
	if (rule == NULL) {
		g_assert(g_utf8_validate(error->message, -1, NULL));
		return;
	}
	json_t *plain = canonical_row(row, (const char *const[]){"comment", "alias", NULL});
	g_autoptr(Rule) same = rule_new(plain, scheme, &error);
	g_assert_no_error(error);
	json_decref(plain);
	rule_covers(rule, same);
	for (guint i = 0; i < G_N_ELEMENTS(queries); i++) {
		Query query = queries[i];
		query.has_version = version_parse(scheme, "60.0.1", &query.version, NULL);
		RuleColumn miss = rule_first_miss(rule, &query, 0);
		g_assert_cmpint(miss, ==, rule_first_miss(same, &query, 0));
		g_assert(miss == RULE_COLUMNS || (rule->asked & 1u << miss) != 0);
	}
}

static void look(json_t *row, VersionScheme scheme)
{
	json_t *canonical = json_pack("{s:[O], s:{}, s:{}}", "rules", row, "releases", "pins");
	for (guint i = 0; i < BOUNDARY_COLUMNS; i++) {
		json_t *values = json_array();
		boundary_values((BoundaryColumn)i, canonical, scheme, values);
		json_decref(values);
	}
	json_decref(canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *row = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	for (guint i = 0; row != NULL && i < VERSION_SCHEMES; i++) {
		g_autoptr(Rule) rule = rule_new(row, (VersionScheme)i, NULL);
		ask(row, (VersionScheme)i);
		if (rule != NULL)
			look(row, (VersionScheme)i);
	}
	json_decref(row);
	return 0;
}
