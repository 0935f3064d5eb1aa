/* SPDX-License-Identifier: ISC
 *
 * Does a query meet the matchers of a rule? One function a column; what a client does not say meets
 * no matcher, but for memory, of which most clients say nothing. Pure, and without allocation: this
 * is the hot path.
 */
#include <string.h>

#include "channel/rule/build.h"
#include "channel/rule/rule.h"

gsize query_channel_base(const char *channel)
{
	const char *end = strstr(channel, "-cck-");
	return end == NULL ? 0 : (gsize)(end - channel);
}

static gboolean is_same(const char *wanted, const char *said)
{
	return said != NULL && strcmp(wanted, said) == 0;
}

static gboolean meets_product(const Rule *rule, const Query *query)
{
	return is_same(rule->product, query->product);
}

static gboolean meets_platform(const Rule *rule, const Query *query)
{
	return is_same(rule->platform, query->platform);
}

static gboolean meets_arch(const Rule *rule, const Query *query)
{
	return is_same(rule->arch, query->arch);
}

static gboolean meets_dist_version(const Rule *rule, const Query *query)
{
	return is_same(rule->dist_version, query->dist_version);
}

static gboolean names_channel(const Rule *rule, const char *channel, gsize size)
{
	if (rule->glob_bytes > 0)
		return size >= rule->glob_bytes &&
		       memcmp(rule->channel, channel, rule->glob_bytes) == 0;
	return strlen(rule->channel) == size && memcmp(rule->channel, channel, size) == 0;
}

static gboolean meets_channel(const Rule *rule, const Query *query)
{
	if (query->channel == NULL)
		return FALSE;
	if (names_channel(rule, query->channel, strlen(query->channel)))
		return TRUE;
	gsize base = query_channel_base(query->channel);
	return base > 0 && names_channel(rule, query->channel, base);
}

static gboolean meets_version(const Rule *rule, const Query *query)
{
	const GArray *tests = query->has_version ? rule->versions[query->version.scheme] : NULL;
	for (guint i = 0; tests != NULL && i < tests->len; i++)
		if (version_test_holds(&g_array_index(tests, VersionTest, i), &query->version))
			return TRUE;
	return FALSE;
}

static gboolean meets_build_id(const Rule *rule, const Query *query)
{
	return query->build_id != NULL && version_operator_holds(rule->build_operator,
						  build_compare(query->build_id, rule->build_id));
}

static gboolean is_substring(const char *wanted, const char *said)
{
	return strstr(said, wanted) != NULL;
}

/* `wanted` as a whole element of a comma list, blanks around elements not counted. */
static gboolean is_element(const char *wanted, const char *list)
{
	gsize size = strlen(wanted);
	while (TRUE) {
		list += strspn(list, " ,");
		gsize length = strcspn(list, ",");
		if (length == 0)
			return FALSE;
		gsize trimmed = length;
		while (list[trimmed - 1] == ' ')
			trimmed--;
		if (trimmed == size && memcmp(list, wanted, size) == 0)
			return TRUE;
		list += length;
	}
}

static gboolean meets_choices(const GArray *choices, const char *said,
	gboolean (*is_there)(const char *wanted, const char *said))
{
	for (guint i = 0; said != NULL && i < choices->len; i++) {
		char **wanted = g_array_index(choices, RuleChoice, i).all;
		while (*wanted != NULL && is_there(*wanted, said))
			wanted++;
		if (*wanted == NULL)
			return TRUE;
	}
	return FALSE;
}

static gboolean meets_os_version(const Rule *rule, const Query *query)
{
	return meets_choices(rule->os_versions, query->os_version, is_substring);
}

static gboolean meets_instruction_set(const Rule *rule, const Query *query)
{
	return meets_choices(rule->instruction_sets, query->instruction_set, is_element);
}

static gboolean is_one_of(char *const *list, const char *said)
{
	return said != NULL && g_strv_contains((const char *const *)list, said);
}

static gboolean meets_locale(const Rule *rule, const Query *query)
{
	return is_one_of(rule->locales, query->locale);
}

static gboolean meets_distribution(const Rule *rule, const Query *query)
{
	return is_one_of(rule->distributions, query->distribution);
}

static gboolean meets_memory(const Rule *rule, const Query *query)
{
	gint64 said = query->memory, wanted = rule->memory;
	return !query->has_memory ||
	       version_operator_holds(rule->memory_operator, said < wanted ? -1 : said > wanted);
}

static gboolean meets_flags(const Rule *rule, const Query *query)
{
	return (rule->mig64 == QUERY_FLAG_UNKNOWN || rule->mig64 == query->mig64) &&
	       (rule->jaws == QUERY_FLAG_UNKNOWN || rule->jaws == query->jaws);
}

static gboolean meets_tag(const RuleTag *tag, const Query *query)
{
	for (guint i = 0; i < query->tag_count; i++)
		if (strcmp(query->tags[i].name, tag->name) == 0)
			return is_one_of(tag->values, query->tags[i].value);
	return FALSE;
}

static gboolean meets_tags(const Rule *rule, const Query *query)
{
	for (guint i = 0; rule->tags != NULL && i < rule->tags->len; i++)
		if (!meets_tag(&g_array_index(rule->tags, RuleTag, i), query))
			return FALSE;
	return TRUE;
}

static gboolean (*const meets[RULE_COLUMNS])(const Rule *rule, const Query *query) = {
	[RULE_PRODUCT] = meets_product,
	[RULE_CHANNEL] = meets_channel,
	[RULE_PLATFORM] = meets_platform,
	[RULE_ARCH] = meets_arch,
	[RULE_DIST_VERSION] = meets_dist_version,
	[RULE_VERSION] = meets_version,
	[RULE_BUILD_ID] = meets_build_id,
	[RULE_OS_VERSION] = meets_os_version,
	[RULE_LOCALE] = meets_locale,
	[RULE_DISTRIBUTION] = meets_distribution,
	[RULE_INSTRUCTION_SET] = meets_instruction_set,
	[RULE_MEMORY] = meets_memory,
	[RULE_FLAGS] = meets_flags,
	[RULE_TAGS] = meets_tags,
};

RuleColumn rule_first_miss(const Rule *rule, const Query *query, RuleColumn from)
{
	for (guint i = from; i < RULE_COLUMNS; i++)
		if ((rule->asked & 1u << i) != 0 && !meets[i](rule, query))
			return (RuleColumn)i;
	return RULE_COLUMNS;
}
